//! Rows of the command table: sets.
//!
//! The columns are those of [`Row::new`]; the facts are what a server's `COMMAND` answers.

use super::Row;
use crate::commands::{scan, set_algebra, sets};

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    Row::new("sadd", -3, "write denyoom fast", "write set fast", [1, 1, 1], "RW insert@1", "", sets::sadd),
    Row::new("scard", 2, "readonly fast", "read set fast", [1, 1, 1], "RO@1", "", sets::scard),
    Row::new("sdiff", -2, "readonly", "read set slow", [1, -1, 1], "RO access@1 -1 1 0", "nondeterministic_output_order", set_algebra::sdiff),
    Row::new("sdiffstore", -3, "write denyoom", "write set slow", [1, -1, 1], "OW update@1;RO access@2 -1 1 0", "", set_algebra::sdiffstore),
    Row::new("sinter", -2, "readonly", "read set slow", [1, -1, 1], "RO access@1 -1 1 0", "nondeterministic_output_order", set_algebra::sinter),
    Row::new("sintercard", -3, "readonly movablekeys", "read set slow", [0, 0, 0], "RO access@1 #0 1 1", "", set_algebra::sintercard),
    Row::new("sinterstore", -3, "write denyoom", "write set slow", [1, -1, 1], "RW update@1;RO access@2 -1 1 0", "", set_algebra::sinterstore),
    Row::new("sismember", 3, "readonly fast", "read set fast", [1, 1, 1], "RO@1", "", sets::sismember),
    Row::new("smembers", 2, "readonly", "read set slow", [1, 1, 1], "RO access@1", "nondeterministic_output_order", sets::smembers),
    Row::new("smismember", -3, "readonly fast", "read set fast", [1, 1, 1], "RO access@1", "", sets::smismember),
    Row::new("smove", 4, "write fast", "write set fast", [1, 2, 1], "RW access delete@1;RW insert@2", "", sets::smove),
    Row::new("spop", -2, "write fast", "write set fast", [1, 1, 1], "RW access delete@1", "nondeterministic_output", sets::spop),
    Row::new("srandmember", -2, "readonly", "read set slow", [1, 1, 1], "RO access@1", "nondeterministic_output", sets::srandmember),
    Row::new("srem", -3, "write fast", "write set fast", [1, 1, 1], "RW delete@1", "", sets::srem),
    Row::new("sscan", -3, "readonly", "read set slow", [1, 1, 1], "RO access@1", "nondeterministic_output", scan::sscan),
    Row::new("sunion", -2, "readonly", "read set slow", [1, -1, 1], "RO access@1 -1 1 0", "nondeterministic_output_order", set_algebra::sunion),
    Row::new("sunionstore", -3, "write denyoom", "write set slow", [1, -1, 1], "OW update@1;RO access@2 -1 1 0", "", set_algebra::sunionstore),
];
