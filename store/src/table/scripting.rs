//! Rows of the command table: scripting.
//!
//! The columns are those of [`Row::new`]; the facts are what a server's `COMMAND` answers.

use super::Row;
use crate::commands::{absent, container, help};

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    Row::new("eval", -3, "noscript stale skip_monitor no_mandatory_keys movablekeys", "slow scripting", [0, 0, 0], "RW access update@2 #0 1 1: We cannot tell how the keys will be used so we assume the worst, RW and UPDATE", "", absent),
    Row::new("eval_ro", -3, "readonly noscript stale skip_monitor no_mandatory_keys movablekeys", "slow scripting", [0, 0, 0], "RO access@2 #0 1 1: We cannot tell how the keys will be used so we assume the worst, RO and ACCESS", "", absent),
    Row::new("evalsha", -3, "noscript stale skip_monitor no_mandatory_keys movablekeys", "slow scripting", [0, 0, 0], "RW access update@2 #0 1 1", "", absent),
    Row::new("evalsha_ro", -3, "readonly noscript stale skip_monitor no_mandatory_keys movablekeys", "slow scripting", [0, 0, 0], "RO access@2 #0 1 1", "", absent),
    Row::new("fcall", -3, "noscript stale skip_monitor no_mandatory_keys movablekeys", "slow scripting", [0, 0, 0], "RW access update@2 #0 1 1: We cannot tell how the keys will be used so we assume the worst, RW and UPDATE", "", absent),
    Row::new("fcall_ro", -3, "readonly noscript stale skip_monitor no_mandatory_keys movablekeys", "slow scripting", [0, 0, 0], "RO access@2 #0 1 1: We cannot tell how the keys will be used so we assume the worst, RO and ACCESS", "", absent),
    Row::new("function", -2, "", "slow", [0, 0, 0], "", "", container),
    Row::new("function|delete", 3, "write noscript", "write slow scripting", [0, 0, 0], "", "request_policy:all_shards response_policy:all_succeeded", absent),
    Row::new("function|dump", 2, "noscript", "slow scripting", [0, 0, 0], "", "", absent),
    Row::new("function|flush", -2, "write noscript", "write slow scripting", [0, 0, 0], "", "request_policy:all_shards response_policy:all_succeeded", absent),
    Row::new("function|help", 2, "loading stale", "slow scripting", [0, 0, 0], "", "", help::show),
    Row::new("function|kill", 2, "noscript allow_busy", "slow scripting", [0, 0, 0], "", "request_policy:all_shards response_policy:one_succeeded", absent),
    Row::new("function|list", -2, "noscript", "slow scripting", [0, 0, 0], "", "nondeterministic_output_order", absent),
    Row::new("function|load", -3, "write denyoom noscript", "write slow scripting", [0, 0, 0], "", "request_policy:all_shards response_policy:all_succeeded", absent),
    Row::new("function|restore", -3, "write denyoom noscript", "write slow scripting", [0, 0, 0], "", "request_policy:all_shards response_policy:all_succeeded", absent),
    Row::new("function|stats", 2, "noscript allow_busy", "slow scripting", [0, 0, 0], "", "nondeterministic_output request_policy:all_shards response_policy:special", absent),
    Row::new("script", -2, "", "slow", [0, 0, 0], "", "", container),
    Row::new("script|debug", 3, "noscript", "slow scripting", [0, 0, 0], "", "", absent),
    Row::new("script|exists", -3, "noscript", "slow scripting", [0, 0, 0], "", "request_policy:all_shards response_policy:agg_logical_and", absent),
    Row::new("script|flush", -2, "noscript", "slow scripting", [0, 0, 0], "", "request_policy:all_nodes response_policy:all_succeeded", absent),
    Row::new("script|help", 2, "loading stale", "slow scripting", [0, 0, 0], "", "", help::show),
    Row::new("script|kill", 2, "noscript allow_busy", "slow scripting", [0, 0, 0], "", "request_policy:all_shards response_policy:one_succeeded", absent),
    Row::new("script|load", 3, "noscript stale", "slow scripting", [0, 0, 0], "", "request_policy:all_nodes response_policy:all_succeeded", absent),
];
