//! The commands, one file a family.
//!
//! Owns the functions the command table names. They must not know how replies are encoded.

pub(crate) mod acl;
pub(crate) mod admin;
pub(crate) mod bitfields;
pub(crate) mod bitmaps;
pub(crate) mod client;
pub(crate) mod client_tracking;
pub(crate) mod cluster;
pub(crate) mod command_info;
pub(crate) mod configuration;
pub(crate) mod connection;
pub(crate) mod counters;
pub(crate) mod debug;
mod digest;
mod documents;
pub(crate) mod dump;
pub(crate) mod expiry;
pub(crate) mod geo;
pub(crate) mod hashes;
pub(crate) mod help;
mod help_topics;
pub(crate) mod hyperloglogs;
pub(crate) mod info;
pub(crate) mod keys;
pub(crate) mod latency;
pub(crate) mod lcs;
pub(crate) mod list_moves;
pub(crate) mod lists;
pub(crate) mod memory;
pub(crate) mod object;
pub(crate) mod scan;
pub(crate) mod set_algebra;
pub(crate) mod sets;
pub(crate) mod sort;
pub(crate) mod streams;
pub(crate) mod strings;
pub(crate) mod subscriptions;
pub(crate) mod zset_algebra;
pub(crate) mod zset_ranges;
pub(crate) mod zsets;

use crate::context::Cx;
use crate::error::{CommandError, CommandResult};

/// The function of commands that the embedded store does not have.
pub(crate) fn absent(cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    Err(CommandError::new(format!(
        "ERR '{}' is not available in the embedded store",
        cx.command.name.replace('|', " ")
    )))
}

/// The error of a subcommand whose arguments do not fit (`addReplySubcommandSyntaxError`).
pub(crate) fn wrong_subcommand(cx: &Cx<'_>, argv: &[&[u8]]) -> CommandError {
    let container = cx.command.name.split('|').next().unwrap_or_default();
    CommandError::subcommand(container, argv.get(1).copied().unwrap_or_default())
}

/// The function of commands that only have subcommands; the engine refuses a bare call before.
pub(crate) fn container(cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    Err(CommandError::arity(cx.command.name))
}
