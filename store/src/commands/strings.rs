//! Strings: `GET`, `SET` and what belongs to them (`t_string.c`).
//!
//! Owns whole-value and part-of-value commands; arithmetic is in `counters`. It must not know
//! how expiry works beyond the time a key gets.

use crate::arg;
use crate::commands::expiry::{Unit, expire_at, is_past};
use crate::context::Cx;
use crate::error::{CommandError, CommandResult, SYNTAX};
use crate::events::Class;
use crate::keyspace::Keyspace;
use crate::value::{Digits, Str, Value};

pub(crate) const TOO_LONG: CommandError =
    CommandError::fixed("ERR string exceeds maximum allowed size (proto-max-bulk-len)");

pub(crate) fn get(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    match cx.keys.read::<Str>(argv[1])? {
        Some(text) => text.push(cx.sink),
        None => cx.sink.null(),
    }
    Ok(())
}

/// The options of `SET` and `GETEX` (`parseExtendedStringArgumentsOrReply`).
#[derive(Default)]
struct Options<'a> {
    only_new: bool,
    only_old: bool,
    old_value: bool,
    keep_expiry: bool,
    persist: bool,
    expire: Option<(Unit, bool, &'a [u8])>,
}

impl<'a> Options<'a> {
    /// Reads `words`; `set` tells `SET` from `GETEX`.
    fn read(words: &[&'a [u8]], set: bool) -> Result<Self, CommandError> {
        let mut options = Options::default();
        let mut at = 0;
        while let Some(&word) = words.get(at) {
            let timed = match () {
                _ if arg::is(word, "ex") => Some((Unit::Seconds, false)),
                _ if arg::is(word, "px") => Some((Unit::Milliseconds, false)),
                _ if arg::is(word, "exat") => Some((Unit::Seconds, true)),
                _ if arg::is(word, "pxat") => Some((Unit::Milliseconds, true)),
                _ => None,
            };
            if let Some((unit, absolute)) = timed {
                // The same option may be repeated, another may not follow it.
                let other = options
                    .expire
                    .is_some_and(|(old, old_absolute, _)| (old, old_absolute) != (unit, absolute));
                if other || options.keep_expiry || options.persist {
                    return Err(SYNTAX);
                }
                at += 1;
                options.expire = Some((unit, absolute, arg::at(words, at)?));
            } else if set && arg::is(word, "nx") && !options.only_old {
                options.only_new = true;
            } else if set && arg::is(word, "xx") && !options.only_new {
                options.only_old = true;
            } else if set && arg::is(word, "get") {
                options.old_value = true;
            } else if set && arg::is(word, "keepttl") && options.expire.is_none() {
                options.keep_expiry = true;
            } else if !set && arg::is(word, "persist") && options.expire.is_none() {
                options.persist = true;
            } else {
                return Err(SYNTAX);
            }
            at += 1;
        }
        Ok(options)
    }

    /// When the key is to expire.
    fn deadline(&self, cx: &Cx<'_>) -> Result<Option<i64>, CommandError> {
        match self.expire {
            None => Ok(None),
            Some((unit, absolute, word)) => deadline(cx, word, unit, absolute).map(Some),
        }
    }
}

/// A time in the future, relative or absolute (`getExpireMillisecondsOrReply`).
fn deadline(cx: &Cx<'_>, word: &[u8], unit: Unit, absolute: bool) -> Result<i64, CommandError> {
    let time = arg::integer(word)?;
    if time <= 0 {
        return Err(CommandError::expire_time(cx.command.name));
    }
    expire_at(cx, time, unit, if absolute { 0 } else { cx.time() })
}

pub(crate) fn set(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let (key, value) = (argv[1], argv[2]);
    if argv.len() == 3 {
        cx.keys.assign(key, value);
        return cx.ok();
    }
    let options = Options::read(&argv[3..], true)?;
    let deadline = options.deadline(cx)?;
    if options.old_value {
        get(cx, argv)?;
    }
    if options.only_new || options.only_old {
        let found = cx.keys.exists(key);
        if (options.only_new && found) || (options.only_old && !found) {
            if !options.old_value {
                cx.sink.null();
            }
            return Ok(());
        }
    }
    if options.keep_expiry {
        cx.keys.set_keeping_expiry(key, Value::Str(Str::new(value)));
        cx.keys.notify(Class::STRING, "set", key);
    } else {
        cx.keys.assign(key, value);
        if deadline.is_some() {
            cx.keys.set_expiry(key, deadline);
            cx.keys.notify(Class::GENERIC, "expire", key);
        }
    }
    if !options.old_value {
        cx.sink.status(b"OK");
    }
    Ok(())
}

pub(crate) fn setnx(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let new = !cx.keys.exists(argv[1]);
    if new {
        cx.keys.assign(argv[1], argv[2]);
    }
    cx.integer(i64::from(new))
}

pub(crate) fn setex(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    set_with_expiry(cx, argv, Unit::Seconds)
}

pub(crate) fn psetex(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    set_with_expiry(cx, argv, Unit::Milliseconds)
}

fn set_with_expiry(cx: &mut Cx<'_>, argv: &[&[u8]], unit: Unit) -> CommandResult {
    let deadline = deadline(cx, argv[2], unit, false)?;
    cx.keys.assign(argv[1], argv[3]);
    cx.keys.set_expiry(argv[1], Some(deadline));
    cx.keys.notify(Class::GENERIC, "expire", argv[1]);
    cx.ok()
}

pub(crate) fn getset(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    get(cx, argv)?;
    cx.keys.assign(argv[1], argv[2]);
    Ok(())
}

pub(crate) fn getdel(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    get(cx, argv)?;
    cx.keys.erase(argv[1]);
    Ok(())
}

pub(crate) fn getex(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let key = argv[1];
    let options = Options::read(&argv[2..], false)?;
    if cx.keys.read::<Str>(key)?.is_none() {
        return cx.null();
    }
    let deadline = options.deadline(cx)?;
    if let Some(Value::Str(text)) = cx.keys.peek(key).map(|entry| &entry.value) {
        text.push(cx.sink);
    }
    match deadline {
        Some(time) if is_past(cx, time) => {
            cx.keys.erase(key);
        }
        Some(_) => {
            cx.keys.set_expiry(key, deadline);
            cx.keys.notify(Class::GENERIC, "expire", key);
        }
        None if options.persist && cx.keys.is_volatile(key) => {
            cx.keys.set_expiry(key, None);
            cx.keys.notify(Class::GENERIC, "persist", key);
        }
        None => {}
    }
    Ok(())
}

pub(crate) fn mget(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    cx.sink.seq(redlua_core::Seq::Array, argv.len() - 1);
    for key in &argv[1..] {
        match cx.keys.value(key) {
            Some(Value::Str(text)) => text.push(cx.sink),
            _ => cx.sink.null(),
        }
    }
    Ok(())
}

pub(crate) fn mset(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    set_many(cx, argv)?;
    cx.ok()
}

pub(crate) fn msetnx(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    if argv.len().is_multiple_of(2) {
        return Err(CommandError::arity(cx.command.name));
    }
    if argv[1..].iter().step_by(2).any(|key| cx.keys.exists(key)) {
        return cx.integer(0);
    }
    set_many(cx, argv)?;
    cx.integer(1)
}

fn set_many(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let (pairs, []) = argv[1..].as_chunks() else {
        return Err(CommandError::arity(cx.command.name));
    };
    for [key, value] in pairs {
        cx.keys.assign(key, value);
    }
    Ok(())
}

pub(crate) fn append(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let (key, tail) = (argv[1], argv[2]);
    let limit = cx.server.max_bulk();
    let len = match cx.keys.write::<Str>(key)? {
        None => {
            cx.keys.set_string(key, tail);
            cx.keys.notify(Class::STRING, "append", key);
            return cx.integer(tail.len());
        }
        Some(text) => {
            if text.len() + tail.len() > limit {
                return Err(TOO_LONG);
            }
            let buffer = text.edit();
            buffer.extend_from_slice(tail);
            buffer.len()
        }
    };
    cx.keys.changed(Class::STRING, "append", key);
    cx.integer(len)
}

pub(crate) fn strlen(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let len = cx.keys.read::<Str>(argv[1])?.map_or(0, Str::len);
    cx.integer(len)
}

pub(crate) fn getrange(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let (start, end) = (arg::integer(argv[2])?, arg::integer(argv[3])?);
    let Some(text) = cx.keys.read::<Str>(argv[1])? else {
        cx.sink.bulk(b"");
        return Ok(());
    };
    let mut digits = Digits::new();
    let bytes = text.bytes(&mut digits);
    let part = slice(bytes.len(), start, end).and_then(|(from, to)| bytes.get(from..to));
    cx.sink.bulk(part.unwrap_or_default());
    Ok(())
}

/// The half-open range that `start` and `end` mean in `len` bytes (`getrangeCommand`).
fn slice(len: usize, start: i64, end: i64) -> Option<(usize, usize)> {
    if start < 0 && end < 0 && start > end {
        return None;
    }
    let len = len as i64;
    let from = if start < 0 { start.saturating_add(len).max(0) } else { start };
    let to = if end < 0 { end.saturating_add(len).max(0) } else { end.min(len - 1) };
    if from > to || len == 0 { None } else { Some((from as usize, to as usize + 1)) }
}

pub(crate) fn setrange(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let (key, part) = (argv[1], argv[3]);
    let offset = arg::integer(argv[2])?;
    let Ok(offset) = usize::try_from(offset) else {
        return Err(CommandError::fixed("ERR offset is out of range"));
    };
    let old = cx.keys.write::<Str>(key)?.map(|text| text.len());
    if part.is_empty() {
        return cx.integer(old.unwrap_or(0));
    }
    if offset.saturating_add(part.len()) > cx.server.max_bulk() {
        return Err(TOO_LONG);
    }
    let end = offset + part.len();
    let len = overlay(cx.keys, key, |buffer| {
        if buffer.len() < end {
            buffer.resize(end, 0);
        }
        if let Some(place) = buffer.get_mut(offset..end) {
            place.copy_from_slice(part);
        }
    })?;
    cx.keys.notify(Class::STRING, "setrange", key);
    cx.integer(len)
}

/// Edits a string in place, an empty one when the key is not there; returns its length then.
pub(crate) fn overlay(
    keys: &mut Keyspace,
    key: &[u8],
    edit: impl FnOnce(&mut Vec<u8>),
) -> Result<usize, CommandError> {
    let len = match keys.write::<Str>(key)? {
        Some(text) => {
            let buffer = text.edit();
            edit(buffer);
            buffer.len()
        }
        None => {
            let mut buffer = Vec::new();
            edit(&mut buffer);
            let len = buffer.len();
            keys.set(key, Value::Str(Str::Raw(buffer)));
            return Ok(len);
        }
    };
    keys.modified(key);
    Ok(len)
}
