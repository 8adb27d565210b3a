//! The commands, one file a family.
//!
//! Owns the functions the command table names. They must not know how replies are encoded.

pub(crate) mod bitfields;
pub(crate) mod bitmaps;
pub(crate) mod counters;
pub(crate) mod dump;
pub(crate) mod expiry;
pub(crate) mod geo;
pub(crate) mod hashes;
pub(crate) mod help;
mod help_topics;
pub(crate) mod hyperloglogs;
pub(crate) mod keys;
pub(crate) mod lcs;
pub(crate) mod list_moves;
pub(crate) mod lists;
pub(crate) mod object;
pub(crate) mod scan;
pub(crate) mod set_algebra;
pub(crate) mod sets;
pub(crate) mod sort;
pub(crate) mod streams;
pub(crate) mod strings;
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
