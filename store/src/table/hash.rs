//! Rows of the command table: hashes.
//!
//! The columns are those of [`Row::new`]; the facts are what a server's `COMMAND` answers.

use super::Row;
use crate::commands::absent;

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    Row::new("hdel", -3, "write fast", "write hash fast", [1, 1, 1], "RW delete@1", "", absent),
    Row::new("hexists", 3, "readonly fast", "read hash fast", [1, 1, 1], "RO@1", "", absent),
    Row::new("hget", 3, "readonly fast", "read hash fast", [1, 1, 1], "RO access@1", "", absent),
    Row::new("hgetall", 2, "readonly", "read hash slow", [1, 1, 1], "RO access@1", "nondeterministic_output_order", absent),
    Row::new("hincrby", 4, "write denyoom fast", "write hash fast", [1, 1, 1], "RW access update@1", "", absent),
    Row::new("hincrbyfloat", 4, "write denyoom fast", "write hash fast", [1, 1, 1], "RW access update@1", "", absent),
    Row::new("hkeys", 2, "readonly", "read hash slow", [1, 1, 1], "RO access@1", "nondeterministic_output_order", absent),
    Row::new("hlen", 2, "readonly fast", "read hash fast", [1, 1, 1], "RO@1", "", absent),
    Row::new("hmget", -3, "readonly fast", "read hash fast", [1, 1, 1], "RO access@1", "", absent),
    Row::new("hmset", -4, "write denyoom fast", "write hash fast", [1, 1, 1], "RW update@1", "", absent),
    Row::new("hrandfield", -2, "readonly", "read hash slow", [1, 1, 1], "RO access@1", "nondeterministic_output", absent),
    Row::new("hscan", -3, "readonly", "read hash slow", [1, 1, 1], "RO access@1", "nondeterministic_output", absent),
    Row::new("hset", -4, "write denyoom fast", "write hash fast", [1, 1, 1], "RW update@1", "", absent),
    Row::new("hsetnx", 4, "write denyoom fast", "write hash fast", [1, 1, 1], "RW insert@1", "", absent),
    Row::new("hstrlen", 3, "readonly fast", "read hash fast", [1, 1, 1], "RO@1", "", absent),
    Row::new("hvals", 2, "readonly", "read hash slow", [1, 1, 1], "RO access@1", "nondeterministic_output_order", absent),
];
