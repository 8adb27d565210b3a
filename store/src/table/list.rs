//! Rows of the command table: lists.
//!
//! The columns are those of [`Row::new`]; the facts are what a server's `COMMAND` answers.

use super::Row;
use crate::commands::{list_moves, lists};

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    Row::new("blmove", 6, "write denyoom noscript blocking", "write list slow blocking", [1, 2, 1], "RW access delete@1;RW insert@2", "", list_moves::blmove),
    Row::new("blmpop", -5, "write blocking movablekeys", "write list slow blocking", [0, 0, 0], "RW access delete@2 #0 1 1", "", list_moves::blmpop),
    Row::new("blpop", -3, "write noscript blocking", "write list slow blocking", [1, -2, 1], "RW access delete@1 -2 1 0", "", list_moves::blpop),
    Row::new("brpop", -3, "write noscript blocking", "write list slow blocking", [1, -2, 1], "RW access delete@1 -2 1 0", "", list_moves::brpop),
    Row::new("brpoplpush", 4, "write denyoom noscript blocking", "write list slow blocking", [1, 2, 1], "RW access delete@1;RW insert@2", "", list_moves::brpoplpush),
    Row::new("lindex", 3, "readonly", "read list slow", [1, 1, 1], "RO access@1", "", lists::lindex),
    Row::new("linsert", 5, "write denyoom", "write list slow", [1, 1, 1], "RW insert@1", "", lists::linsert),
    Row::new("llen", 2, "readonly fast", "read list fast", [1, 1, 1], "RO@1", "", lists::llen),
    Row::new("lmove", 5, "write denyoom", "write list slow", [1, 2, 1], "RW access delete@1;RW insert@2", "", list_moves::lmove),
    Row::new("lmpop", -4, "write movablekeys", "write list slow", [0, 0, 0], "RW access delete@1 #0 1 1", "", list_moves::lmpop),
    Row::new("lpop", -2, "write fast", "write list fast", [1, 1, 1], "RW access delete@1", "", lists::lpop),
    Row::new("lpos", -3, "readonly", "read list slow", [1, 1, 1], "RO access@1", "", lists::lpos),
    Row::new("lpush", -3, "write denyoom fast", "write list fast", [1, 1, 1], "RW insert@1", "", lists::lpush),
    Row::new("lpushx", -3, "write denyoom fast", "write list fast", [1, 1, 1], "RW insert@1", "", lists::lpushx),
    Row::new("lrange", 4, "readonly", "read list slow", [1, 1, 1], "RO access@1", "", lists::lrange),
    Row::new("lrem", 4, "write", "write list slow", [1, 1, 1], "RW delete@1", "", lists::lrem),
    Row::new("lset", 4, "write denyoom", "write list slow", [1, 1, 1], "RW update@1", "", lists::lset),
    Row::new("ltrim", 4, "write", "write list slow", [1, 1, 1], "RW delete@1", "", lists::ltrim),
    Row::new("rpop", -2, "write fast", "write list fast", [1, 1, 1], "RW access delete@1", "", lists::rpop),
    Row::new("rpoplpush", 3, "write denyoom", "write list slow", [1, 2, 1], "RW access delete@1;RW insert@2", "", list_moves::rpoplpush),
    Row::new("rpush", -3, "write denyoom fast", "write list fast", [1, 1, 1], "RW insert@1", "", lists::rpush),
    Row::new("rpushx", -3, "write denyoom fast", "write list fast", [1, 1, 1], "RW insert@1", "", lists::rpushx),
];
