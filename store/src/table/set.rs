//! Rows of the command table: sets.
//!
//! The columns are those of [`Row::new`]; the facts are what a server's `COMMAND` answers.

use super::Row;
use crate::commands::absent;

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    Row::new("sadd", -3, "write denyoom fast", "write set fast", [1, 1, 1], "RW insert@1", "", absent),
    Row::new("scard", 2, "readonly fast", "read set fast", [1, 1, 1], "RO@1", "", absent),
    Row::new("sdiff", -2, "readonly", "read set slow", [1, -1, 1], "RO access@1 -1 1 0", "nondeterministic_output_order", absent),
    Row::new("sdiffstore", -3, "write denyoom", "write set slow", [1, -1, 1], "OW update@1;RO access@2 -1 1 0", "", absent),
    Row::new("sinter", -2, "readonly", "read set slow", [1, -1, 1], "RO access@1 -1 1 0", "nondeterministic_output_order", absent),
    Row::new("sintercard", -3, "readonly movablekeys", "read set slow", [0, 0, 0], "RO access@1 #0 1 1", "", absent),
    Row::new("sinterstore", -3, "write denyoom", "write set slow", [1, -1, 1], "RW update@1;RO access@2 -1 1 0", "", absent),
    Row::new("sismember", 3, "readonly fast", "read set fast", [1, 1, 1], "RO@1", "", absent),
    Row::new("smembers", 2, "readonly", "read set slow", [1, 1, 1], "RO access@1", "nondeterministic_output_order", absent),
    Row::new("smismember", -3, "readonly fast", "read set fast", [1, 1, 1], "RO access@1", "", absent),
    Row::new("smove", 4, "write fast", "write set fast", [1, 2, 1], "RW access delete@1;RW insert@2", "", absent),
    Row::new("spop", -2, "write fast", "write set fast", [1, 1, 1], "RW access delete@1", "nondeterministic_output", absent),
    Row::new("srandmember", -2, "readonly", "read set slow", [1, 1, 1], "RO access@1", "nondeterministic_output", absent),
    Row::new("srem", -3, "write fast", "write set fast", [1, 1, 1], "RW delete@1", "", absent),
    Row::new("sscan", -3, "readonly", "read set slow", [1, 1, 1], "RO access@1", "nondeterministic_output", absent),
    Row::new("sunion", -2, "readonly", "read set slow", [1, -1, 1], "RO access@1 -1 1 0", "nondeterministic_output_order", absent),
    Row::new("sunionstore", -3, "write denyoom", "write set slow", [1, -1, 1], "OW update@1;RO access@2 -1 1 0", "", absent),
];
