//! Rows of the command table: publish and subscribe.
//!
//! The columns are those of [`Row::new`]; the facts are what a server's `COMMAND` answers.

use super::Row;
use crate::commands::{absent, help};

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    Row::new("psubscribe", -2, "pubsub noscript loading stale", "pubsub slow", [0, 0, 0], "", "", absent),
    Row::new("publish", 3, "pubsub loading stale fast", "pubsub fast", [0, 0, 0], "", "", absent),
    Row::new("pubsub", -2, "", "slow", [0, 0, 0], "", "", absent),
    Row::new("pubsub|channels", -2, "pubsub loading stale", "pubsub slow", [0, 0, 0], "", "", absent),
    Row::new("pubsub|help", 2, "loading stale", "slow", [0, 0, 0], "", "", help::show),
    Row::new("pubsub|numpat", 2, "pubsub loading stale", "pubsub slow", [0, 0, 0], "", "", absent),
    Row::new("pubsub|numsub", -2, "pubsub loading stale", "pubsub slow", [0, 0, 0], "", "", absent),
    Row::new("pubsub|shardchannels", -2, "pubsub loading stale", "pubsub slow", [0, 0, 0], "", "", absent),
    Row::new("pubsub|shardnumsub", -2, "pubsub loading stale", "pubsub slow", [0, 0, 0], "", "", absent),
    Row::new("punsubscribe", -1, "pubsub noscript loading stale", "pubsub slow", [0, 0, 0], "", "", absent),
    Row::new("spublish", 3, "pubsub loading stale fast", "pubsub fast", [1, 1, 1], "not_key@1", "", absent),
    Row::new("ssubscribe", -2, "pubsub noscript loading stale", "pubsub slow", [1, -1, 1], "not_key@1 -1 1 0", "", absent),
    Row::new("subscribe", -2, "pubsub noscript loading stale", "pubsub slow", [0, 0, 0], "", "", absent),
    Row::new("sunsubscribe", -1, "pubsub noscript loading stale", "pubsub slow", [1, -1, 1], "not_key@1 -1 1 0", "", absent),
    Row::new("unsubscribe", -1, "pubsub noscript loading stale", "pubsub slow", [0, 0, 0], "", "", absent),
];
