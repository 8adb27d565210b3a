//! Rows of the command table: connections.
//!
//! The columns are those of [`Row::new`]; the facts are what a server's `COMMAND` answers.

use super::Row;
use crate::commands::{client, client_tracking, connection, container, help, keys, subscriptions};

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    Row::new("auth", -2, "noscript loading stale fast no_auth allow_busy", "fast connection", [0, 0, 0], "", "", connection::auth),
    Row::new("client", -2, "", "slow", [0, 0, 0], "", "", container),
    Row::new("client|caching", 3, "noscript loading stale", "slow connection", [0, 0, 0], "", "", client_tracking::caching),
    Row::new("client|getname", 2, "noscript loading stale", "slow connection", [0, 0, 0], "", "", client::getname),
    Row::new("client|getredir", 2, "noscript loading stale", "slow connection", [0, 0, 0], "", "", client_tracking::getredir),
    Row::new("client|help", 2, "loading stale", "slow connection", [0, 0, 0], "", "", help::show),
    Row::new("client|id", 2, "noscript loading stale", "slow connection", [0, 0, 0], "", "", client::id),
    Row::new("client|info", 2, "noscript loading stale", "slow connection", [0, 0, 0], "", "nondeterministic_output", client::info),
    Row::new("client|kill", -3, "admin noscript loading stale", "admin slow dangerous connection", [0, 0, 0], "", "", client::kill),
    Row::new("client|list", -2, "admin noscript loading stale", "admin slow dangerous connection", [0, 0, 0], "", "nondeterministic_output", client::list),
    Row::new("client|no-evict", 3, "admin noscript loading stale", "admin slow dangerous connection", [0, 0, 0], "", "", client::no_evict),
    Row::new("client|pause", -3, "admin noscript loading stale", "admin slow dangerous connection", [0, 0, 0], "", "", client::pause),
    Row::new("client|reply", 3, "noscript loading stale", "slow connection", [0, 0, 0], "", "", client::reply),
    Row::new("client|setname", 3, "noscript loading stale", "slow connection", [0, 0, 0], "", "", client::setname),
    Row::new("client|tracking", -3, "noscript loading stale", "slow connection", [0, 0, 0], "", "", client_tracking::tracking),
    Row::new("client|trackinginfo", 2, "noscript loading stale", "slow connection", [0, 0, 0], "", "", client_tracking::trackinginfo),
    Row::new("client|unblock", -3, "admin noscript loading stale", "admin slow dangerous connection", [0, 0, 0], "", "", client::unblock),
    Row::new("client|unpause", 2, "admin noscript loading stale", "admin slow dangerous connection", [0, 0, 0], "", "", client::unpause),
    Row::new("echo", 2, "loading stale fast", "fast connection", [0, 0, 0], "", "", connection::echo),
    Row::new("hello", -1, "noscript loading stale fast no_auth allow_busy", "fast connection", [0, 0, 0], "", "", connection::hello),
    Row::new("ping", -1, "fast", "fast connection", [0, 0, 0], "", "request_policy:all_shards response_policy:all_succeeded", subscriptions::ping),
    Row::new("quit", -1, "noscript loading stale fast no_auth allow_busy", "fast connection", [0, 0, 0], "", "", connection::quit),
    Row::new("reset", 1, "noscript loading stale fast no_auth allow_busy", "fast connection", [0, 0, 0], "", "", connection::reset),
    Row::new("select", 2, "loading stale fast", "fast connection", [0, 0, 0], "", "", keys::select),
];
