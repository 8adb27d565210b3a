//! Rows of the command table: lists.
//!
//! The columns are those of [`Row::new`]; the facts are what a server's `COMMAND` answers.

use super::Row;
use crate::commands::absent;

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    Row::new("blmove", 6, "write denyoom noscript blocking", "write list slow blocking", [1, 2, 1], "RW access delete@1;RW insert@2", "", absent),
    Row::new("blmpop", -5, "write blocking movablekeys", "write list slow blocking", [0, 0, 0], "RW access delete@2 #0 1 1", "", absent),
    Row::new("blpop", -3, "write noscript blocking", "write list slow blocking", [1, -2, 1], "RW access delete@1 -2 1 0", "", absent),
    Row::new("brpop", -3, "write noscript blocking", "write list slow blocking", [1, -2, 1], "RW access delete@1 -2 1 0", "", absent),
    Row::new("brpoplpush", 4, "write denyoom noscript blocking", "write list slow blocking", [1, 2, 1], "RW access delete@1;RW insert@2", "", absent),
    Row::new("lindex", 3, "readonly", "read list slow", [1, 1, 1], "RO access@1", "", absent),
    Row::new("linsert", 5, "write denyoom", "write list slow", [1, 1, 1], "RW insert@1", "", absent),
    Row::new("llen", 2, "readonly fast", "read list fast", [1, 1, 1], "RO@1", "", absent),
    Row::new("lmove", 5, "write denyoom", "write list slow", [1, 2, 1], "RW access delete@1;RW insert@2", "", absent),
    Row::new("lmpop", -4, "write movablekeys", "write list slow", [0, 0, 0], "RW access delete@1 #0 1 1", "", absent),
    Row::new("lpop", -2, "write fast", "write list fast", [1, 1, 1], "RW access delete@1", "", absent),
    Row::new("lpos", -3, "readonly", "read list slow", [1, 1, 1], "RO access@1", "", absent),
    Row::new("lpush", -3, "write denyoom fast", "write list fast", [1, 1, 1], "RW insert@1", "", absent),
    Row::new("lpushx", -3, "write denyoom fast", "write list fast", [1, 1, 1], "RW insert@1", "", absent),
    Row::new("lrange", 4, "readonly", "read list slow", [1, 1, 1], "RO access@1", "", absent),
    Row::new("lrem", 4, "write", "write list slow", [1, 1, 1], "RW delete@1", "", absent),
    Row::new("lset", 4, "write denyoom", "write list slow", [1, 1, 1], "RW update@1", "", absent),
    Row::new("ltrim", 4, "write", "write list slow", [1, 1, 1], "RW delete@1", "", absent),
    Row::new("rpop", -2, "write fast", "write list fast", [1, 1, 1], "RW access delete@1", "", absent),
    Row::new("rpoplpush", 3, "write denyoom", "write list slow", [1, 2, 1], "RW access delete@1;RW insert@2", "", absent),
    Row::new("rpush", -3, "write denyoom fast", "write list fast", [1, 1, 1], "RW insert@1", "", absent),
    Row::new("rpushx", -3, "write denyoom fast", "write list fast", [1, 1, 1], "RW insert@1", "", absent),
];
