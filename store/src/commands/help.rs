//! `HELP` of every container command (`addReplyHelp` in `networking.c`).
//!
//! Owns the frame around the lines; the lines are in `help_topics`.

use redlua_core::Seq;

use super::help_topics::TOPICS;
use crate::context::Cx;
use crate::error::CommandResult;

/// Answers the help of the container whose subcommand, or which itself, is being called.
pub(crate) fn show(cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    let container = cx.command.name.split('|').next().unwrap_or_default();
    let lines =
        TOPICS.iter().find(|(name, _)| *name == container).map_or(&[][..], |(_, lines)| *lines);
    cx.sink.seq(Seq::Array, lines.len() + 3);
    let title = format!(
        "{} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        container.to_ascii_uppercase()
    );
    cx.sink.status(title.as_bytes());
    for line in lines {
        cx.sink.status(line.as_bytes());
    }
    cx.sink.status(b"HELP");
    cx.sink.status(b"    Prints this help.");
    Ok(())
}
