//! Lists: pushing, popping, reading and editing (`t_list.c`).
//!
//! Owns the commands on one list that never wait; those that move between lists or wait are in
//! `list_moves`. It must not know how a list is laid out.

use redlua_core::Seq;

use crate::arg;
use crate::context::Cx;
use crate::error::{CommandError, CommandResult, INDEX_OUT_OF_RANGE, NO_SUCH_KEY, SYNTAX};
use crate::events::Class;
use crate::value::{Bytes, End, List};

pub(crate) fn lpush(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    push(cx, argv, End::Left)
}

pub(crate) fn rpush(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    push(cx, argv, End::Right)
}

pub(crate) fn lpushx(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    push_existing(cx, argv, End::Left)
}

pub(crate) fn rpushx(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    push_existing(cx, argv, End::Right)
}

fn push(cx: &mut Cx<'_>, argv: &[&[u8]], end: End) -> CommandResult {
    let key = argv[1];
    let list = cx.keys.create::<List>(key)?;
    for item in &argv[2..] {
        list.push(end, (*item).into());
    }
    let len = list.len();
    cx.keys.changed(Class::LIST, pushed(end), key);
    cx.integer(len)
}

/// What listeners hear of an item added at an end.
pub(super) fn pushed(end: End) -> &'static str {
    if end == End::Left { "lpush" } else { "rpush" }
}

/// What listeners hear of items taken from an end.
pub(super) fn popped(end: End) -> &'static str {
    if end == End::Left { "lpop" } else { "rpop" }
}

fn push_existing(cx: &mut Cx<'_>, argv: &[&[u8]], end: End) -> CommandResult {
    if cx.keys.write::<List>(argv[1])?.is_none() {
        return cx.integer(0);
    }
    push(cx, argv, end)
}

pub(crate) fn lpop(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    pop(cx, argv, End::Left)
}

pub(crate) fn rpop(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    pop(cx, argv, End::Right)
}

fn pop(cx: &mut Cx<'_>, argv: &[&[u8]], end: End) -> CommandResult {
    let key = argv[1];
    let count = match argv {
        [_, _] => None,
        [_, _, count] => Some(arg::positive(count)?),
        _ => return Err(CommandError::arity(cx.command.name)),
    };
    let Some(list) = cx.keys.write::<List>(key)? else {
        match count {
            // In RESP3 both are the same null.
            Some(_) => cx.sink.null_array(),
            None => cx.sink.null(),
        }
        return Ok(());
    };
    match count {
        None => {
            if let Some(item) = list.pop(end) {
                cx.sink.bulk(&item);
            }
        }
        Some(0) => {
            cx.sink.seq(Seq::Array, 0);
            return Ok(());
        }
        Some(count) => {
            let count = count.min(list.len());
            cx.sink.seq(Seq::Array, count);
            for item in (0..count).map_while(|_| list.pop(end)) {
                cx.sink.bulk(&item);
            }
        }
    }
    cx.keys.shrunk(Class::LIST, popped(end), key);
    Ok(())
}

pub(crate) fn llen(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let len = cx.keys.read::<List>(argv[1])?.map_or(0, |list| list.len());
    cx.integer(len)
}

pub(crate) fn lindex(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let Some(list) = cx.keys.read::<List>(argv[1])? else {
        return cx.null();
    };
    let index = arg::integer(argv[2])?;
    match list.position(index).and_then(|at| list.get(at)) {
        Some(item) => cx.sink.bulk(item),
        None => cx.sink.null(),
    }
    Ok(())
}

pub(crate) fn lset(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let key = argv[1];
    let list = cx.keys.write::<List>(key)?.ok_or(NO_SUCH_KEY)?;
    let index = arg::integer(argv[2])?;
    let at = list.position(index).ok_or(INDEX_OUT_OF_RANGE)?;
    if let Some(item) = list.get_mut(at) {
        *item = argv[3].into();
    }
    cx.keys.changed(Class::LIST, "lset", key);
    cx.ok()
}

/// The half-open range of positions that two indices mean in `len` items.
pub(crate) fn span(len: usize, start: i64, end: i64) -> std::ops::Range<usize> {
    let len = len as i64;
    let start = if start < 0 { start.saturating_add(len).max(0) } else { start };
    let end = if end < 0 { end.saturating_add(len) } else { end.min(len - 1) };
    if start > end || start >= len { 0..0 } else { start as usize..end as usize + 1 }
}

pub(crate) fn lrange(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let (start, end) = (arg::integer(argv[2])?, arg::integer(argv[3])?);
    let Some(list) = cx.keys.read::<List>(argv[1])? else {
        cx.sink.seq(Seq::Array, 0);
        return Ok(());
    };
    let span = span(list.len(), start, end);
    cx.sink.seq(Seq::Array, span.len());
    for item in list.range(span) {
        cx.sink.bulk(item);
    }
    Ok(())
}

pub(crate) fn ltrim(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let key = argv[1];
    let (start, end) = (arg::integer(argv[2])?, arg::integer(argv[3])?);
    if let Some(list) = cx.keys.write::<List>(key)? {
        let span = span(list.len(), start, end);
        list.truncate(span.end);
        list.drain(..span.start.min(span.end));
        cx.keys.shrunk(Class::LIST, "ltrim", key);
    }
    cx.ok()
}

pub(crate) fn linsert(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let (key, pivot) = (argv[1], argv[3]);
    let after = match argv[2] {
        word if arg::is(word, "after") => 1,
        word if arg::is(word, "before") => 0,
        _ => return Err(SYNTAX),
    };
    let Some(list) = cx.keys.write::<List>(key)? else {
        return cx.integer(0);
    };
    let Some(at) = list.iter().position(|item| **item == *pivot) else {
        return cx.integer(-1);
    };
    list.insert(at + after, argv[4].into());
    let len = list.len();
    cx.keys.changed(Class::LIST, "linsert", key);
    cx.integer(len)
}

pub(crate) fn lrem(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let (key, item) = (argv[1], argv[3]);
    let count = arg::integer(argv[2])?;
    let Some(list) = cx.keys.write::<List>(key)? else {
        return cx.integer(0);
    };
    let before = list.len();
    let mut left = if count == 0 { u64::MAX } else { count.unsigned_abs() };
    let mut keep = |other: &[u8]| {
        let remove = left > 0 && other == item;
        left -= u64::from(remove);
        !remove
    };
    if count >= 0 {
        list.retain(|other| keep(other));
    } else {
        let kept: Vec<bool> = list.iter().rev().map(|other| keep(other)).collect();
        let mut kept = kept.into_iter().rev();
        list.retain(|_| kept.next().unwrap_or(true));
    }
    let removed = before - list.len();
    if removed > 0 {
        cx.keys.shrunk(Class::LIST, "lrem", key);
    }
    cx.integer(removed)
}

pub(crate) fn lpos(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let item = argv[2];
    let (mut rank, mut count, mut limit) = (1i64, None, 0usize);
    let not_negative = |word: &[u8], error: CommandError| {
        arg::ranged(word, 0, i64::MAX, error).map(|value| value as usize)
    };
    let mut at = 3;
    while let Some(word) = argv.get(at) {
        let value = arg::at(argv, at + 1)?;
        if arg::is(word, "rank") {
            rank = arg::integer(value)?;
            if rank == 0 {
                return Err(CommandError::fixed(
                    "ERR RANK can't be zero: use 1 to start from the first match, 2 from the \
                     second ... or use negative to start from the end of the list",
                ));
            }
        } else if arg::is(word, "count") {
            const NEGATIVE: CommandError = CommandError::fixed("ERR COUNT can't be negative");
            count = Some(not_negative(value, NEGATIVE)?);
        } else if arg::is(word, "maxlen") {
            const NEGATIVE: CommandError = CommandError::fixed("ERR MAXLEN can't be negative");
            limit = not_negative(value, NEGATIVE)?;
        } else {
            return Err(SYNTAX);
        }
        at += 2;
    }
    let Some(list) = cx.keys.read::<List>(argv[1])? else {
        match count {
            Some(_) => cx.sink.seq(Seq::Array, 0),
            None => cx.sink.null(),
        }
        return Ok(());
    };
    let limit = if limit == 0 { usize::MAX } else { limit };
    // The smallest integer cannot be negated: every match counts from the tail then.
    let skip = rank.checked_abs().map_or(0, |rank| rank as usize - 1);
    let wanted = match count {
        None => 1,
        Some(0) => usize::MAX,
        Some(count) => count,
    };
    let hit = |(at, other): (usize, &Bytes)| (**other == *item).then_some(at);
    let items = list.iter().enumerate();
    let found: Vec<usize> = if rank > 0 {
        items.take(limit).filter_map(hit).skip(skip).take(wanted).collect()
    } else {
        items.rev().take(limit).filter_map(hit).skip(skip).take(wanted).collect()
    };
    if count.is_some() {
        cx.sink.seq(Seq::Array, found.len());
        for at in found {
            cx.sink.integer(at as i64);
        }
    } else {
        match found.first() {
            Some(at) => cx.sink.integer(*at as i64),
            None => cx.sink.null(),
        }
    }
    Ok(())
}
