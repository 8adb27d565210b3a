//! What the HELP subcommands answer, recorded from a server, as data.

use redlua_core::{ReplySink, Seq};

/// `SCRIPT HELP`, one status a line.
pub(crate) const SCRIPT: &str = include_str!("help/script.txt");
/// `FUNCTION HELP`, one status a line.
pub(crate) const FUNCTION: &str = include_str!("help/function.txt");

/// Replies with the lines of `text`.
pub(crate) fn push(text: &str, sink: &mut dyn ReplySink) {
    sink.seq(Seq::Array, text.lines().count());
    for line in text.lines() {
        sink.status(line.as_bytes());
    }
}
