//! Keys as such: `DEL`, `RENAME`, `COPY`, whole databases (`db.c`).
//!
//! Owns what does not depend on a key's type. It must not know any type.

use redlua_core::Seq;

use crate::arg;
use crate::commands::cluster::forbid;
use crate::context::Cx;
use crate::error::{CommandError, CommandResult, DB_INDEX, NO_SUCH_KEY, SYNTAX};
use crate::events::Class;
use crate::value::Bytes;
use redlua_conversions::glob;

const SAME_OBJECT: CommandError =
    CommandError::fixed("ERR source and destination objects are the same");

pub(crate) fn del(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let count = argv[1..].iter().filter(|key| cx.keys.erase(key)).count();
    cx.integer(count)
}

pub(crate) fn exists(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let count = argv[1..].iter().filter(|key| cx.keys.glance(key).is_some()).count();
    cx.integer(count)
}

pub(crate) fn touch(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let count = argv[1..].iter().filter(|key| cx.keys.value(key).is_some()).count();
    cx.integer(count)
}

pub(crate) fn type_of(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let name = cx.keys.glance(argv[1]).map_or("none", |entry| entry.value.type_name());
    cx.sink.status(name.as_bytes());
    Ok(())
}

pub(crate) fn rename(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let (from, to) = (argv[1], argv[2]);
    if !cx.keys.exists(from) {
        return Err(NO_SUCH_KEY);
    }
    if from != to {
        rename_to(cx, from, to);
    }
    cx.ok()
}

pub(crate) fn renamenx(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let (from, to) = (argv[1], argv[2]);
    if !cx.keys.exists(from) {
        return Err(NO_SUCH_KEY);
    }
    if from == to || cx.keys.exists(to) {
        return cx.integer(0);
    }
    rename_to(cx, from, to);
    cx.integer(1)
}

/// Moves what is under one name to another (`renameGenericCommand`).
fn rename_to(cx: &mut Cx<'_>, from: &[u8], to: &[u8]) {
    if let Some(entry) = cx.keys.remove(from) {
        // Whatever was there is deleted first, so the name is new.
        cx.keys.delete(to);
        cx.keys.set_entry(to, entry);
        cx.keys.notify(Class::GENERIC, "rename_from", from);
        cx.keys.notify(Class::GENERIC, "rename_to", to);
    }
}

pub(crate) fn keys(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    cx.keys.purge();
    let found: Vec<&Bytes> =
        cx.keys.iter().map(|(key, _)| key).filter(|key| glob::matches(argv[1], key)).collect();
    cx.sink.seq(Seq::Array, found.len());
    for key in found {
        cx.sink.bulk(key);
    }
    Ok(())
}

pub(crate) fn randomkey(cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    let at = cx.keys.len();
    let at = cx.server.random.below(at);
    match cx.keys.at(at) {
        Some((key, _)) => cx.sink.bulk(key),
        None => cx.sink.null(),
    }
    Ok(())
}

pub(crate) fn dbsize(cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    let len = cx.keys.len();
    cx.integer(len)
}

/// A database's number (`getIntFromObjectOrReply`, then `selectDb`).
fn database(cx: &Cx<'_>, word: &[u8]) -> Result<usize, CommandError> {
    let number = arg::ranged_long(word, i32::MIN.into(), i32::MAX.into())?;
    usize::try_from(number).ok().filter(|&number| number < cx.keys.databases()).ok_or(DB_INDEX)
}

pub(crate) fn select(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let number = arg::ranged_long(argv[1], i32::MIN.into(), i32::MAX.into())?;
    if number != 0 {
        forbid(cx, "ERR SELECT is not allowed in cluster mode")?;
    }
    cx.session.db = database(cx, argv[1])? as u32;
    cx.ok()
}

pub(crate) fn swapdb(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    forbid(cx, "ERR SWAPDB is not allowed in cluster mode")?;
    const FIRST: CommandError = CommandError::fixed("ERR invalid first DB index");
    const SECOND: CommandError = CommandError::fixed("ERR invalid second DB index");
    let one = arg::ranged(argv[1], i32::MIN.into(), i32::MAX.into(), FIRST)?;
    let two = arg::ranged(argv[2], i32::MIN.into(), i32::MAX.into(), SECOND)?;
    let databases = cx.keys.databases();
    let valid = |number: i64| usize::try_from(number).ok().filter(|&number| number < databases);
    let (Some(one), Some(two)) = (valid(one), valid(two)) else {
        return Err(DB_INDEX);
    };
    cx.keys.swap(one, two);
    cx.ok()
}

pub(crate) fn move_key(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    forbid(cx, "ERR MOVE is not allowed in cluster mode")?;
    let key = argv[1];
    let here = cx.keys.selected();
    let there = database(cx, argv[2])?;
    if here == there {
        return Err(SAME_OBJECT);
    }
    if !cx.keys.exists(key) {
        return cx.integer(0);
    }
    cx.keys.select(there);
    if cx.keys.exists(key) {
        return cx.integer(0);
    }
    cx.keys.select(here);
    let entry = cx.keys.remove(key);
    cx.keys.select(there);
    if let Some(entry) = entry {
        cx.keys.set_entry(key, entry);
    }
    cx.keys.select(here);
    cx.keys.notify(Class::GENERIC, "move_from", key);
    cx.keys.select(there);
    cx.keys.notify(Class::GENERIC, "move_to", key);
    cx.integer(1)
}

pub(crate) fn copy(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let (from, to) = (argv[1], argv[2]);
    let here = cx.keys.selected();
    let mut there = here;
    let mut replace = false;
    let mut at = 3;
    while let Some(word) = argv.get(at) {
        if arg::is(word, "replace") {
            replace = true;
        } else if arg::is(word, "db") && at + 1 < argv.len() {
            at += 1;
            there = database(cx, arg::at(argv, at)?)?;
        } else {
            return Err(SYNTAX);
        }
        at += 1;
    }
    if there != 0 {
        forbid(cx, "ERR Copying to another database is not allowed in cluster mode")?;
    }
    if here == there && from == to {
        return Err(SAME_OBJECT);
    }
    let Some(entry) = cx.keys.entry(from).cloned() else {
        return cx.integer(0);
    };
    cx.keys.select(there);
    if cx.keys.exists(to) && !replace {
        return cx.integer(0);
    }
    cx.keys.delete(to);
    cx.keys.set_entry(to, entry);
    cx.keys.notify(Class::GENERIC, "copy_to", to);
    cx.integer(1)
}

/// `ASYNC` or `SYNC`, which make no difference here.
fn flush_options(argv: &[&[u8]]) -> CommandResult {
    match argv {
        [_] => Ok(()),
        [_, word] if arg::is(word, "async") || arg::is(word, "sync") => Ok(()),
        _ => Err(SYNTAX),
    }
}

pub(crate) fn flushdb(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    flush_options(argv)?;
    cx.keys.clear();
    cx.keys.flushed();
    cx.ok()
}

pub(crate) fn flushall(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    flush_options(argv)?;
    for database in 0..cx.keys.databases() {
        cx.keys.select(database);
        cx.keys.clear();
    }
    cx.keys.flushed();
    cx.ok()
}
