//! Lists: moving between them and waiting for them (`t_list.c`).
//!
//! Owns `LMOVE`, `LMPOP` and the blocking commands. It must not know how waiting is done.

use std::time::Duration;

use redlua_core::Seq;

use crate::arg;
use crate::commands::lists::{popped, pushed};
use crate::context::Cx;
use crate::error::{CommandError, CommandResult, SYNTAX};
use crate::events::Class;
use crate::long_double::{LongDouble, Parsed};
use crate::store::TimeoutReply;
use crate::value::{End, List};

const TIMEOUT_NOT_FLOAT: CommandError =
    CommandError::fixed("ERR timeout is not a float or out of range");
pub(crate) const NUMKEYS: CommandError =
    CommandError::fixed("ERR numkeys should be greater than 0");
pub(crate) const COUNT_POSITIVE: CommandError =
    CommandError::fixed("ERR count should be greater than 0");

/// How long a blocking command waits; `None` for ever (`getTimeoutFromObjectOrReply` in
/// `timeout.c`).
pub(crate) fn timeout(word: &[u8]) -> Result<Option<Duration>, CommandError> {
    const NEGATIVE: CommandError = CommandError::fixed("ERR timeout is negative");
    match LongDouble::parse(word).ok_or(TIMEOUT_NOT_FLOAT)? {
        // The conversion to an integer overflows to the smallest one.
        Parsed::Infinite => return Err(NEGATIVE),
        Parsed::Finite(_) => {}
    }
    // A `long double` reaches further than what is read here, which is infinite then.
    let seconds = arg::float_or(word, TIMEOUT_NOT_FLOAT).or_else(|error| {
        std::str::from_utf8(word).ok().and_then(|text| text.parse::<f64>().ok()).ok_or(error)
    })?;
    let milliseconds = seconds * 1000.0;
    if milliseconds <= -1.0 || milliseconds >= i64::MAX as f64 {
        return Err(NEGATIVE);
    }
    let milliseconds = milliseconds.ceil() as u64;
    Ok((milliseconds > 0).then(|| Duration::from_millis(milliseconds)))
}

fn end(word: &[u8]) -> Result<End, CommandError> {
    match word {
        word if arg::is(word, "left") => Ok(End::Left),
        word if arg::is(word, "right") => Ok(End::Right),
        _ => Err(SYNTAX),
    }
}

pub(crate) fn lmove(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let (from, to) = (end(argv[3])?, end(argv[4])?);
    if !move_item(cx, argv[1], argv[2], from, to)? {
        cx.sink.null();
    }
    Ok(())
}

pub(crate) fn rpoplpush(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    if !move_item(cx, argv[1], argv[2], End::Right, End::Left)? {
        cx.sink.null();
    }
    Ok(())
}

pub(crate) fn blmove(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let (from, to) = (end(argv[3])?, end(argv[4])?);
    let timeout = timeout(argv[5])?;
    if !move_item(cx, argv[1], argv[2], from, to)? {
        cx.block(&argv[1..2], timeout, TimeoutReply::Null, |_, _| argv.to_vec())?;
    }
    Ok(())
}

pub(crate) fn brpoplpush(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let timeout = timeout(argv[3])?;
    if !move_item(cx, argv[1], argv[2], End::Right, End::Left)? {
        cx.block(&argv[1..2], timeout, TimeoutReply::Null, |_, _| argv.to_vec())?;
    }
    Ok(())
}

/// Moves one item and pushes it as the reply; `false` when there is none.
fn move_item(
    cx: &mut Cx<'_>,
    source: &[u8],
    target: &[u8],
    from: End,
    to: End,
) -> Result<bool, CommandError> {
    if cx.keys.write::<List>(source)?.is_none() {
        return Ok(false);
    }
    cx.keys.write::<List>(target)?;
    let Some(item) = cx.keys.write::<List>(source)?.and_then(|list| list.pop(from)) else {
        return Ok(false);
    };
    cx.sink.bulk(&item);
    if source == target {
        if let Some(list) = cx.keys.write::<List>(source)? {
            list.push(to, item);
        }
    } else {
        cx.keys.create::<List>(target)?.push(to, item);
    }
    cx.keys.changed(Class::LIST, pushed(to), target);
    cx.keys.shrunk(Class::LIST, popped(from), source);
    Ok(true)
}

pub(crate) fn blpop(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    pop_first(cx, argv, End::Left)
}

pub(crate) fn brpop(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    pop_first(cx, argv, End::Right)
}

fn pop_first(cx: &mut Cx<'_>, argv: &[&[u8]], end: End) -> CommandResult {
    let last = argv.len() - 1;
    let timeout = timeout(argv[last])?;
    let keys = &argv[1..last];
    for key in keys {
        if let Some(item) = cx.keys.write::<List>(key)?.and_then(|list| list.pop(end)) {
            cx.sink.seq(Seq::Array, 2);
            cx.sink.bulk(key);
            cx.sink.bulk(&item);
            cx.keys.shrunk(Class::LIST, popped(end), key);
            return Ok(());
        }
    }
    cx.block(keys, timeout, TimeoutReply::NullArray, |_, key| vec![argv[0], key, argv[last]])
}

pub(crate) fn lmpop(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let call = MultiPop::read(argv, 1, &["left", "right"])?;
    if !pop_many(cx, &call)? {
        cx.sink.null_array();
    }
    Ok(())
}

pub(crate) fn blmpop(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let call = MultiPop::read(argv, 2, &["left", "right"])?;
    let timeout = timeout(argv[1])?;
    if pop_many(cx, &call)? {
        return Ok(());
    }
    cx.block(call.keys, timeout, TimeoutReply::NullArray, |_, key| call.alone(argv, key))
}

/// The arguments of `LMPOP`, `ZMPOP` and their blocking forms.
pub(crate) struct MultiPop<'a, 'b> {
    /// The keys to look at.
    pub(crate) keys: &'a [&'b [u8]],
    /// Which of the two words was given: 0 or 1.
    pub(crate) end: usize,
    /// How many elements to take.
    pub(crate) count: usize,
}

impl<'a, 'b> MultiPop<'a, 'b> {
    /// Reads `numkeys key… WORD [COUNT count]`, `numkeys` at a position.
    pub(crate) fn read(
        argv: &'a [&'b [u8]],
        at: usize,
        words: &[&str; 2],
    ) -> Result<Self, CommandError> {
        let count = arg::ranged(arg::at(argv, at)?, 1, i64::MAX, NUMKEYS)? as usize;
        let where_at = at.saturating_add(1).saturating_add(count);
        let word = arg::at(argv, where_at)?;
        let end = words.iter().position(|name| arg::is(word, name)).ok_or(SYNTAX)?;
        let mut call =
            MultiPop { keys: argv.get(at + 1..where_at).unwrap_or_default(), end, count: 1 };
        match argv.get(where_at + 1..).unwrap_or_default() {
            [] => {}
            [word, count] if arg::is(word, "count") => {
                call.count = arg::ranged(count, 1, i64::MAX, COUNT_POSITIVE)? as usize;
            }
            [word, count, ..] if arg::is(word, "count") => {
                arg::ranged(count, 1, i64::MAX, COUNT_POSITIVE)?;
                return Err(SYNTAX);
            }
            _ => return Err(SYNTAX),
        }
        Ok(call)
    }

    /// The blocking form `argv`, whose `numkeys` is at 2, with one of its keys alone.
    pub(crate) fn alone<'c>(&self, argv: &[&'c [u8]], key: &'c [u8]) -> Vec<&'c [u8]> {
        let rest = argv.get(3 + self.keys.len()..).unwrap_or_default();
        [&[argv[0], argv[1], b"1", key], rest].concat()
    }
}

fn pop_many(cx: &mut Cx<'_>, call: &MultiPop<'_, '_>) -> Result<bool, CommandError> {
    let end = if call.end == 0 { End::Left } else { End::Right };
    for key in call.keys {
        let Some(list) = cx.keys.write::<List>(key)? else { continue };
        let count = call.count.min(list.len());
        cx.sink.seq(Seq::Array, 2);
        cx.sink.bulk(key);
        cx.sink.seq(Seq::Array, count);
        for item in (0..count).map_while(|_| list.pop(end)) {
            cx.sink.bulk(&item);
        }
        cx.keys.shrunk(Class::LIST, popped(end), key);
        return Ok(true);
    }
    Ok(false)
}
