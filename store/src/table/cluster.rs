//! Rows of the command table: clusters.
//!
//! The columns are those of [`Row::new`]; the facts are what a server's `COMMAND` answers.

use super::Row;
use crate::commands::{admin, container};

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    Row::new("asking", 1, "fast", "fast connection", [0, 0, 0], "", "", admin::no_cluster),
    Row::new("cluster", -2, "", "slow", [0, 0, 0], "", "", container),
    Row::new("cluster|addslots", -3, "admin stale no_async_loading", "admin slow dangerous", [0, 0, 0], "", "", admin::no_cluster),
    Row::new("cluster|addslotsrange", -4, "admin stale no_async_loading", "admin slow dangerous", [0, 0, 0], "", "", admin::no_cluster),
    Row::new("cluster|bumpepoch", 2, "admin stale no_async_loading", "admin slow dangerous", [0, 0, 0], "", "nondeterministic_output", admin::no_cluster),
    Row::new("cluster|count-failure-reports", 3, "admin stale", "admin slow dangerous", [0, 0, 0], "", "nondeterministic_output", admin::no_cluster),
    Row::new("cluster|countkeysinslot", 3, "stale", "slow", [0, 0, 0], "", "", admin::no_cluster),
    Row::new("cluster|delslots", -3, "admin stale no_async_loading", "admin slow dangerous", [0, 0, 0], "", "", admin::no_cluster),
    Row::new("cluster|delslotsrange", -4, "admin stale no_async_loading", "admin slow dangerous", [0, 0, 0], "", "", admin::no_cluster),
    Row::new("cluster|failover", -2, "admin stale no_async_loading", "admin slow dangerous", [0, 0, 0], "", "", admin::no_cluster),
    Row::new("cluster|flushslots", 2, "admin stale no_async_loading", "admin slow dangerous", [0, 0, 0], "", "", admin::no_cluster),
    Row::new("cluster|forget", 3, "admin stale no_async_loading", "admin slow dangerous", [0, 0, 0], "", "", admin::no_cluster),
    Row::new("cluster|getkeysinslot", 4, "stale", "slow", [0, 0, 0], "", "nondeterministic_output", admin::no_cluster),
    Row::new("cluster|help", 2, "loading stale", "slow", [0, 0, 0], "", "", admin::no_cluster),
    Row::new("cluster|info", 2, "stale", "slow", [0, 0, 0], "", "nondeterministic_output", admin::no_cluster),
    Row::new("cluster|keyslot", 3, "stale", "slow", [0, 0, 0], "", "", admin::no_cluster),
    Row::new("cluster|links", 2, "stale", "slow", [0, 0, 0], "", "nondeterministic_output", admin::no_cluster),
    Row::new("cluster|meet", -4, "admin stale no_async_loading", "admin slow dangerous", [0, 0, 0], "", "", admin::no_cluster),
    Row::new("cluster|myid", 2, "stale", "slow", [0, 0, 0], "", "", admin::no_cluster),
    Row::new("cluster|nodes", 2, "stale", "slow", [0, 0, 0], "", "nondeterministic_output", admin::no_cluster),
    Row::new("cluster|replicas", 3, "admin stale", "admin slow dangerous", [0, 0, 0], "", "nondeterministic_output", admin::no_cluster),
    Row::new("cluster|replicate", 3, "admin stale no_async_loading", "admin slow dangerous", [0, 0, 0], "", "", admin::no_cluster),
    Row::new("cluster|reset", -2, "admin noscript stale", "admin slow dangerous", [0, 0, 0], "", "", admin::no_cluster),
    Row::new("cluster|saveconfig", 2, "admin stale no_async_loading", "admin slow dangerous", [0, 0, 0], "", "", admin::no_cluster),
    Row::new("cluster|set-config-epoch", 3, "admin stale no_async_loading", "admin slow dangerous", [0, 0, 0], "", "", admin::no_cluster),
    Row::new("cluster|setslot", -4, "admin stale no_async_loading", "admin slow dangerous", [0, 0, 0], "", "", admin::no_cluster),
    Row::new("cluster|shards", 2, "stale", "slow", [0, 0, 0], "", "nondeterministic_output", admin::no_cluster),
    Row::new("cluster|slaves", 3, "admin stale", "admin slow dangerous", [0, 0, 0], "", "nondeterministic_output", admin::no_cluster),
    Row::new("cluster|slots", 2, "stale", "slow", [0, 0, 0], "", "nondeterministic_output", admin::no_cluster),
    Row::new("readonly", 1, "loading stale fast", "fast connection", [0, 0, 0], "", "", admin::no_cluster),
    Row::new("readwrite", 1, "loading stale fast", "fast connection", [0, 0, 0], "", "", admin::no_cluster),
];
