//! Rows of the command table: streams.
//!
//! The columns are those of [`Row::new`]; the facts are what a server's `COMMAND` answers.

use super::Row;
use crate::commands::{container, help, streams};

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    Row::new("xack", -4, "write fast", "write stream fast", [1, 1, 1], "RW update@1", "", streams::xack),
    Row::new("xadd", -5, "write denyoom fast", "write stream fast", [1, 1, 1], "RW update@1: UPDATE instead of INSERT because of the optional trimming feature", "nondeterministic_output", streams::xadd),
    Row::new("xautoclaim", -6, "write fast", "write stream fast", [1, 1, 1], "RW delete@1", "nondeterministic_output", streams::xautoclaim),
    Row::new("xclaim", -6, "write fast", "write stream fast", [1, 1, 1], "RW update@1", "nondeterministic_output", streams::xclaim),
    Row::new("xdel", -3, "write fast", "write stream fast", [1, 1, 1], "RW delete@1", "", streams::xdel),
    Row::new("xgroup", -2, "", "slow", [0, 0, 0], "", "", container),
    Row::new("xgroup|create", -5, "write denyoom", "write stream slow", [2, 2, 1], "RW insert@2", "", streams::xgroup_create),
    Row::new("xgroup|createconsumer", 5, "write denyoom", "write stream slow", [2, 2, 1], "RW insert@2", "", streams::xgroup_createconsumer),
    Row::new("xgroup|delconsumer", 5, "write", "write stream slow", [2, 2, 1], "RW delete@2", "", streams::xgroup_delconsumer),
    Row::new("xgroup|destroy", 4, "write", "write stream slow", [2, 2, 1], "RW delete@2", "", streams::xgroup_destroy),
    Row::new("xgroup|help", 2, "loading stale", "stream slow", [0, 0, 0], "", "", help::show),
    Row::new("xgroup|setid", -5, "write", "write stream slow", [2, 2, 1], "RW update@2", "", streams::xgroup_setid),
    Row::new("xinfo", -2, "", "slow", [0, 0, 0], "", "", container),
    Row::new("xinfo|consumers", 4, "readonly", "read stream slow", [2, 2, 1], "RO access@2", "nondeterministic_output", streams::xinfo_consumers),
    Row::new("xinfo|groups", 3, "readonly", "read stream slow", [2, 2, 1], "RO access@2", "", streams::xinfo_groups),
    Row::new("xinfo|help", 2, "loading stale", "stream slow", [0, 0, 0], "", "", help::show),
    Row::new("xinfo|stream", -3, "readonly", "read stream slow", [2, 2, 1], "RO access@2", "", streams::xinfo_stream),
    Row::new("xlen", 2, "readonly fast", "read stream fast", [1, 1, 1], "RO@1", "", streams::xlen),
    Row::new("xpending", -3, "readonly", "read stream slow", [1, 1, 1], "RO access@1", "nondeterministic_output", streams::xpending),
    Row::new("xrange", -4, "readonly", "read stream slow", [1, 1, 1], "RO access@1", "", streams::xrange),
    Row::new("xread", -4, "readonly blocking movablekeys", "read stream slow blocking", [0, 0, 0], "RO access@STREAMS:1 -1 1 2", "", streams::xread),
    Row::new("xreadgroup", -7, "write blocking movablekeys", "write stream slow blocking", [0, 0, 0], "RO access@STREAMS:4 -1 1 2", "", streams::xreadgroup),
    Row::new("xrevrange", -4, "readonly", "read stream slow", [1, 1, 1], "RO access@1", "", streams::xrevrange),
    Row::new("xsetid", -3, "write denyoom fast", "write stream fast", [1, 1, 1], "RW update@1", "", streams::xsetid),
    Row::new("xtrim", -4, "write", "write stream slow", [1, 1, 1], "RW delete@1", "nondeterministic_output", streams::xtrim),
];
