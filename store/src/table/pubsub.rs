//! Rows of the command table: publish and subscribe.
//!
//! The columns are those of [`Row::new`]; the facts are what a server's `COMMAND` answers.

use super::Row;
use crate::commands::{container, help, subscriptions};

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    Row::new("psubscribe", -2, "pubsub noscript loading stale", "pubsub slow", [0, 0, 0], "", "", subscriptions::psubscribe),
    Row::new("publish", 3, "pubsub loading stale fast", "pubsub fast", [0, 0, 0], "", "", subscriptions::publish),
    Row::new("pubsub", -2, "", "slow", [0, 0, 0], "", "", container),
    Row::new("pubsub|channels", -2, "pubsub loading stale", "pubsub slow", [0, 0, 0], "", "", subscriptions::channels),
    Row::new("pubsub|help", 2, "loading stale", "slow", [0, 0, 0], "", "", help::show),
    Row::new("pubsub|numpat", 2, "pubsub loading stale", "pubsub slow", [0, 0, 0], "", "", subscriptions::numpat),
    Row::new("pubsub|numsub", -2, "pubsub loading stale", "pubsub slow", [0, 0, 0], "", "", subscriptions::numsub),
    Row::new("pubsub|shardchannels", -2, "pubsub loading stale", "pubsub slow", [0, 0, 0], "", "", subscriptions::shardchannels),
    Row::new("pubsub|shardnumsub", -2, "pubsub loading stale", "pubsub slow", [0, 0, 0], "", "", subscriptions::shardnumsub),
    Row::new("punsubscribe", -1, "pubsub noscript loading stale", "pubsub slow", [0, 0, 0], "", "", subscriptions::punsubscribe),
    Row::new("spublish", 3, "pubsub loading stale fast", "pubsub fast", [1, 1, 1], "not_key@1", "", subscriptions::spublish),
    Row::new("ssubscribe", -2, "pubsub noscript loading stale", "pubsub slow", [1, -1, 1], "not_key@1 -1 1 0", "", subscriptions::ssubscribe),
    Row::new("subscribe", -2, "pubsub noscript loading stale", "pubsub slow", [0, 0, 0], "", "", subscriptions::subscribe),
    Row::new("sunsubscribe", -1, "pubsub noscript loading stale", "pubsub slow", [1, -1, 1], "not_key@1 -1 1 0", "", subscriptions::sunsubscribe),
    Row::new("unsubscribe", -1, "pubsub noscript loading stale", "pubsub slow", [0, 0, 0], "", "", subscriptions::unsubscribe),
];
