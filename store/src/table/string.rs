//! Rows of the command table: strings.
//!
//! The columns are those of [`Row::new`]; the facts are what a server's `COMMAND` answers.

use super::Row;
use crate::commands::{absent, strings};

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    Row::new("append", 3, "write denyoom fast", "write string fast", [1, 1, 1], "RW insert@1", "", absent),
    Row::new("decr", 2, "write denyoom fast", "write string fast", [1, 1, 1], "RW access update@1", "", absent),
    Row::new("decrby", 3, "write denyoom fast", "write string fast", [1, 1, 1], "RW access update@1", "", absent),
    Row::new("get", 2, "readonly fast", "read string fast", [1, 1, 1], "RO access@1", "", strings::get),
    Row::new("getdel", 2, "write fast", "write string fast", [1, 1, 1], "RW access delete@1", "", absent),
    Row::new("getex", -2, "write fast", "write string fast", [1, 1, 1], "RW access update@1: RW and UPDATE because it changes the TTL", "", absent),
    Row::new("getrange", 4, "readonly", "read string slow", [1, 1, 1], "RO access@1", "", absent),
    Row::new("getset", 3, "write denyoom fast", "write string fast", [1, 1, 1], "RW access update@1", "", absent),
    Row::new("incr", 2, "write denyoom fast", "write string fast", [1, 1, 1], "RW access update@1", "", absent),
    Row::new("incrby", 3, "write denyoom fast", "write string fast", [1, 1, 1], "RW access update@1", "", absent),
    Row::new("incrbyfloat", 3, "write denyoom fast", "write string fast", [1, 1, 1], "RW access update@1", "", absent),
    Row::new("lcs", -3, "readonly", "read string slow", [1, 2, 1], "RO access@1 1 1 0", "", absent),
    Row::new("mget", -2, "readonly fast", "read string fast", [1, -1, 1], "RO access@1 -1 1 0", "request_policy:multi_shard", absent),
    Row::new("mset", -3, "write denyoom", "write string slow", [1, -1, 2], "OW update@1 -1 2 0", "request_policy:multi_shard response_policy:all_succeeded", absent),
    Row::new("msetnx", -3, "write denyoom", "write string slow", [1, -1, 2], "OW insert@1 -1 2 0", "request_policy:multi_shard response_policy:agg_min", absent),
    Row::new("psetex", 4, "write denyoom", "write string slow", [1, 1, 1], "OW update@1", "", absent),
    Row::new("set", -3, "write denyoom", "write string slow", [1, 1, 1], "RW access update variable_flags@1: RW and ACCESS due to the optional `GET` argument", "", absent),
    Row::new("setex", 4, "write denyoom", "write string slow", [1, 1, 1], "OW update@1", "", absent),
    Row::new("setnx", 3, "write denyoom fast", "write string fast", [1, 1, 1], "OW insert@1", "", absent),
    Row::new("setrange", 4, "write denyoom", "write string slow", [1, 1, 1], "RW update@1", "", absent),
    Row::new("strlen", 2, "readonly fast", "read string fast", [1, 1, 1], "RO@1", "", absent),
    Row::new("substr", 4, "readonly", "read string slow", [1, 1, 1], "RO access@1", "", absent),
];
