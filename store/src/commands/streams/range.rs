//! `XRANGE` and `XREVRANGE`. They must not know groups.

use redlua_core::Seq;

use super::{interval_end, interval_start, push_entry};
use crate::arg;
use crate::context::Cx;
use crate::error::{CommandResult, SYNTAX};
use crate::value::Stream;

pub(crate) fn xrange(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    range(cx, argv, false)
}

pub(crate) fn xrevrange(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    range(cx, argv, true)
}

/// `xrangeGenericCommand`
fn range(cx: &mut Cx<'_>, argv: &[&[u8]], reverse: bool) -> CommandResult {
    let (start, end) = if reverse { (argv[3], argv[2]) } else { (argv[2], argv[3]) };
    let start = interval_start(start)?;
    let end = interval_end(end)?;
    let mut count = None;
    for option in argv[4..].chunks(2) {
        match option {
            [word, value] if arg::is(word, "count") => {
                count = Some(usize::try_from(arg::integer(value)?).unwrap_or(0));
            }
            _ => return Err(SYNTAX),
        }
    }
    let Some(stream) = cx.keys.read::<Stream>(argv[1])? else {
        cx.sink.seq(Seq::Array, 0);
        return Ok(());
    };
    if count == Some(0) {
        cx.sink.null_array();
        return Ok(());
    }
    let count = count.unwrap_or(usize::MAX);
    let entries = stream.range(start, end);
    let found: Vec<_> =
        if reverse { entries.rev().take(count).collect() } else { entries.take(count).collect() };
    cx.sink.seq(Seq::Array, found.len());
    for entry in found {
        push_entry(cx.sink, entry);
    }
    Ok(())
}
