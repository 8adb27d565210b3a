//! The commands, one file a family.
//!
//! Owns the functions the command table names. They must not know how replies are encoded.

pub(crate) mod bitfields;
pub(crate) mod bitmaps;
pub(crate) mod hyperloglogs;
pub(crate) mod streams;
pub(crate) mod strings;

use crate::context::Cx;
use crate::error::{CommandError, CommandResult};

/// The function of commands that the embedded store does not have.
pub(crate) fn absent(cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    Err(CommandError::new(format!(
        "ERR '{}' is not available in the embedded store",
        cx.command.name.replace('|', " ")
    )))
}
