//! Rows of the command table: strings.
//!
//! The columns are those of [`Row::new`]; the facts are what a server's `COMMAND` answers.

use super::Row;
use crate::commands::{counters, lcs, strings};

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    Row::new("append", 3, "write denyoom fast", "write string fast", [1, 1, 1], "RW insert@1", "", strings::append),
    Row::new("decr", 2, "write denyoom fast", "write string fast", [1, 1, 1], "RW access update@1", "", counters::decr),
    Row::new("decrby", 3, "write denyoom fast", "write string fast", [1, 1, 1], "RW access update@1", "", counters::decrby),
    Row::new("get", 2, "readonly fast", "read string fast", [1, 1, 1], "RO access@1", "", strings::get),
    Row::new("getdel", 2, "write fast", "write string fast", [1, 1, 1], "RW access delete@1", "", strings::getdel),
    Row::new("getex", -2, "write fast", "write string fast", [1, 1, 1], "RW access update@1: RW and UPDATE because it changes the TTL", "", strings::getex),
    Row::new("getrange", 4, "readonly", "read string slow", [1, 1, 1], "RO access@1", "", strings::getrange),
    Row::new("getset", 3, "write denyoom fast", "write string fast", [1, 1, 1], "RW access update@1", "", strings::getset),
    Row::new("incr", 2, "write denyoom fast", "write string fast", [1, 1, 1], "RW access update@1", "", counters::incr),
    Row::new("incrby", 3, "write denyoom fast", "write string fast", [1, 1, 1], "RW access update@1", "", counters::incrby),
    Row::new("incrbyfloat", 3, "write denyoom fast", "write string fast", [1, 1, 1], "RW access update@1", "", counters::incrbyfloat),
    Row::new("lcs", -3, "readonly", "read string slow", [1, 2, 1], "RO access@1 1 1 0", "", lcs::lcs),
    Row::new("mget", -2, "readonly fast", "read string fast", [1, -1, 1], "RO access@1 -1 1 0", "request_policy:multi_shard", strings::mget),
    Row::new("mset", -3, "write denyoom", "write string slow", [1, -1, 2], "OW update@1 -1 2 0", "request_policy:multi_shard response_policy:all_succeeded", strings::mset),
    Row::new("msetnx", -3, "write denyoom", "write string slow", [1, -1, 2], "OW insert@1 -1 2 0", "request_policy:multi_shard response_policy:agg_min", strings::msetnx),
    Row::new("psetex", 4, "write denyoom", "write string slow", [1, 1, 1], "OW update@1", "", strings::psetex),
    Row::new("set", -3, "write denyoom", "write string slow", [1, 1, 1], "RW access update variable_flags@1: RW and ACCESS due to the optional `GET` argument", "", strings::set),
    Row::new("setex", 4, "write denyoom", "write string slow", [1, 1, 1], "OW update@1", "", strings::setex),
    Row::new("setnx", 3, "write denyoom fast", "write string fast", [1, 1, 1], "OW insert@1", "", strings::setnx),
    Row::new("setrange", 4, "write denyoom", "write string slow", [1, 1, 1], "RW update@1", "", strings::setrange),
    Row::new("strlen", 2, "readonly fast", "read string fast", [1, 1, 1], "RO@1", "", strings::strlen),
    Row::new("substr", 4, "readonly", "read string slow", [1, 1, 1], "RO access@1", "", strings::getrange),
];
