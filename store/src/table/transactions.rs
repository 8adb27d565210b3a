//! Rows of the command table: transactions.
//!
//! The columns are those of [`Row::new`]; the facts are what a server's `COMMAND` answers.

use super::Row;
use crate::commands::absent;

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    Row::new("discard", 1, "noscript loading stale fast allow_busy", "fast transaction", [0, 0, 0], "", "", absent),
    Row::new("exec", 1, "noscript loading stale skip_slowlog", "slow transaction", [0, 0, 0], "", "", absent),
    Row::new("multi", 1, "noscript loading stale fast allow_busy", "fast transaction", [0, 0, 0], "", "", absent),
    Row::new("unwatch", 1, "noscript loading stale fast allow_busy", "fast transaction", [0, 0, 0], "", "", absent),
    Row::new("watch", -2, "noscript loading stale fast allow_busy", "fast transaction", [1, -1, 1], "RO@1 -1 1 0", "", absent),
];
