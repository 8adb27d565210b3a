//! Rows of the command table: hashes.
//!
//! The columns are those of [`Row::new`]; the facts are what a server's `COMMAND` answers.

use super::Row;
use crate::commands::{hashes, scan};

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    Row::new("hdel", -3, "write fast", "write hash fast", [1, 1, 1], "RW delete@1", "", hashes::hdel),
    Row::new("hexists", 3, "readonly fast", "read hash fast", [1, 1, 1], "RO@1", "", hashes::hexists),
    Row::new("hget", 3, "readonly fast", "read hash fast", [1, 1, 1], "RO access@1", "", hashes::hget),
    Row::new("hgetall", 2, "readonly", "read hash slow", [1, 1, 1], "RO access@1", "nondeterministic_output_order", hashes::hgetall),
    Row::new("hincrby", 4, "write denyoom fast", "write hash fast", [1, 1, 1], "RW access update@1", "", hashes::hincrby),
    Row::new("hincrbyfloat", 4, "write denyoom fast", "write hash fast", [1, 1, 1], "RW access update@1", "", hashes::hincrbyfloat),
    Row::new("hkeys", 2, "readonly", "read hash slow", [1, 1, 1], "RO access@1", "nondeterministic_output_order", hashes::hkeys),
    Row::new("hlen", 2, "readonly fast", "read hash fast", [1, 1, 1], "RO@1", "", hashes::hlen),
    Row::new("hmget", -3, "readonly fast", "read hash fast", [1, 1, 1], "RO access@1", "", hashes::hmget),
    Row::new("hmset", -4, "write denyoom fast", "write hash fast", [1, 1, 1], "RW update@1", "", hashes::hmset),
    Row::new("hrandfield", -2, "readonly", "read hash slow", [1, 1, 1], "RO access@1", "nondeterministic_output", hashes::hrandfield),
    Row::new("hscan", -3, "readonly", "read hash slow", [1, 1, 1], "RO access@1", "nondeterministic_output", scan::hscan),
    Row::new("hset", -4, "write denyoom fast", "write hash fast", [1, 1, 1], "RW update@1", "", hashes::hset),
    Row::new("hsetnx", 4, "write denyoom fast", "write hash fast", [1, 1, 1], "RW insert@1", "", hashes::hsetnx),
    Row::new("hstrlen", 3, "readonly fast", "read hash fast", [1, 1, 1], "RO@1", "", hashes::hstrlen),
    Row::new("hvals", 2, "readonly", "read hash slow", [1, 1, 1], "RO access@1", "nondeterministic_output_order", hashes::hvals),
];
