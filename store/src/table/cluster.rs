//! Rows of the command table: clusters.
//!
//! The columns are those of [`Row::new`]; the facts are what a server's `COMMAND` answers.

use super::Row;
use crate::commands::{cluster, container};

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    Row::new("asking", 1, "fast", "fast connection", [0, 0, 0], "", "", cluster::granted),
    Row::new("cluster", -2, "", "slow", [0, 0, 0], "", "", container),
    Row::new("cluster|addslots", -3, "admin stale no_async_loading", "admin slow dangerous", [0, 0, 0], "", "", cluster::absent),
    Row::new("cluster|addslotsrange", -4, "admin stale no_async_loading", "admin slow dangerous", [0, 0, 0], "", "", cluster::absent),
    Row::new("cluster|bumpepoch", 2, "admin stale no_async_loading", "admin slow dangerous", [0, 0, 0], "", "nondeterministic_output", cluster::absent),
    Row::new("cluster|count-failure-reports", 3, "admin stale", "admin slow dangerous", [0, 0, 0], "", "nondeterministic_output", cluster::of_node),
    Row::new("cluster|countkeysinslot", 3, "stale", "slow", [0, 0, 0], "", "", cluster::countkeysinslot),
    Row::new("cluster|delslots", -3, "admin stale no_async_loading", "admin slow dangerous", [0, 0, 0], "", "", cluster::absent),
    Row::new("cluster|delslotsrange", -4, "admin stale no_async_loading", "admin slow dangerous", [0, 0, 0], "", "", cluster::absent),
    Row::new("cluster|failover", -2, "admin stale no_async_loading", "admin slow dangerous", [0, 0, 0], "", "", cluster::absent),
    Row::new("cluster|flushslots", 2, "admin stale no_async_loading", "admin slow dangerous", [0, 0, 0], "", "", cluster::absent),
    Row::new("cluster|forget", 3, "admin stale no_async_loading", "admin slow dangerous", [0, 0, 0], "", "", cluster::of_node),
    Row::new("cluster|getkeysinslot", 4, "stale", "slow", [0, 0, 0], "", "nondeterministic_output", cluster::getkeysinslot),
    Row::new("cluster|help", 2, "loading stale", "slow", [0, 0, 0], "", "", cluster::help),
    Row::new("cluster|info", 2, "stale", "slow", [0, 0, 0], "", "nondeterministic_output", cluster::info),
    Row::new("cluster|keyslot", 3, "stale", "slow", [0, 0, 0], "", "", cluster::keyslot),
    Row::new("cluster|links", 2, "stale", "slow", [0, 0, 0], "", "nondeterministic_output", cluster::links),
    Row::new("cluster|meet", -4, "admin stale no_async_loading", "admin slow dangerous", [0, 0, 0], "", "", cluster::absent),
    Row::new("cluster|myid", 2, "stale", "slow", [0, 0, 0], "", "", cluster::myid),
    Row::new("cluster|nodes", 2, "stale", "slow", [0, 0, 0], "", "nondeterministic_output", cluster::nodes),
    Row::new("cluster|replicas", 3, "admin stale", "admin slow dangerous", [0, 0, 0], "", "nondeterministic_output", cluster::of_node),
    Row::new("cluster|replicate", 3, "admin stale no_async_loading", "admin slow dangerous", [0, 0, 0], "", "", cluster::of_node),
    Row::new("cluster|reset", -2, "admin noscript stale", "admin slow dangerous", [0, 0, 0], "", "", cluster::absent),
    Row::new("cluster|saveconfig", 2, "admin stale no_async_loading", "admin slow dangerous", [0, 0, 0], "", "", cluster::granted),
    Row::new("cluster|set-config-epoch", 3, "admin stale no_async_loading", "admin slow dangerous", [0, 0, 0], "", "", cluster::absent),
    Row::new("cluster|setslot", -4, "admin stale no_async_loading", "admin slow dangerous", [0, 0, 0], "", "", cluster::absent),
    Row::new("cluster|shards", 2, "stale", "slow", [0, 0, 0], "", "nondeterministic_output", cluster::shards),
    Row::new("cluster|slaves", 3, "admin stale", "admin slow dangerous", [0, 0, 0], "", "nondeterministic_output", cluster::of_node),
    Row::new("cluster|slots", 2, "stale", "slow", [0, 0, 0], "", "nondeterministic_output", cluster::slots),
    Row::new("readonly", 1, "loading stale fast", "fast connection", [0, 0, 0], "", "", cluster::granted),
    Row::new("readwrite", 1, "loading stale fast", "fast connection", [0, 0, 0], "", "", cluster::granted),
];
