//! `XGROUP`. It must not know entries.

use super::{any_id, no_such_group, strict_id};
use crate::arg;
use crate::context::Cx;
use crate::error::{CommandError, CommandResult};
use crate::events::Class;
use crate::value::{Bytes, Group, Stream, StreamId};

const NEGATIVE_READ: CommandError =
    CommandError::fixed("ERR value for ENTRIESREAD must be positive or -1");
const KEY_MISSING: CommandError = CommandError::fixed(
    "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to \
     use the MKSTREAM option to create an empty stream automatically.",
);
const BUSY_GROUP: CommandError =
    CommandError::fixed("BUSYGROUP Consumer Group name already exists");

pub(crate) fn xgroup_create(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let options = Options::parse(argv, true)?;
    if argv.len() > 8 {
        return Err(CommandError::subcommand("xgroup", argv[1]));
    }
    let (key, name) = (argv[2], argv[3]);
    let stream = cx.keys.write::<Stream>(key)?;
    if stream.is_none() && !options.mkstream {
        return Err(KEY_MISSING);
    }
    let last_id = match argv[4] {
        b"$" => stream.map_or(StreamId::MIN, |stream| stream.last_id),
        id => strict_id(id)?,
    };
    let stream = cx.keys.create::<Stream>(key)?;
    if stream.groups.contains_key(name) {
        return Err(BUSY_GROUP);
    }
    let group = Group::new(last_id, options.entries_read);
    stream.groups.insert(Bytes::from(name), group);
    cx.keys.changed(Class::STREAM, "xgroup-create", key);
    cx.ok()
}

pub(crate) fn xgroup_setid(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let options = Options::parse(argv, false)?;
    let (key, name) = (argv[2], argv[3]);
    let stream = cx.keys.write::<Stream>(key)?.ok_or(KEY_MISSING)?;
    let last = stream.last_id;
    let group = stream.groups.get_mut(name).ok_or_else(|| no_such_group(key, name))?;
    group.last_id = match argv[4] {
        b"$" => last,
        id => any_id(id)?,
    };
    group.entries_read = options.entries_read;
    cx.keys.changed(Class::STREAM, "xgroup-setid", key);
    cx.ok()
}

pub(crate) fn xgroup_destroy(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let stream = cx.keys.write::<Stream>(argv[2])?.ok_or(KEY_MISSING)?;
    let destroyed = stream.groups.remove(argv[3]).is_some();
    if destroyed {
        cx.keys.changed(Class::STREAM, "xgroup-destroy", argv[2]);
    }
    cx.integer(destroyed)
}

pub(crate) fn xgroup_createconsumer(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let (key, name) = (argv[2], argv[3]);
    let now = cx.keys.now();
    let stream = cx.keys.write::<Stream>(key)?.ok_or(KEY_MISSING)?;
    let group = stream.groups.get_mut(name).ok_or_else(|| no_such_group(key, name))?;
    let created = group.add_consumer(argv[4], now);
    if created {
        cx.keys.changed(Class::STREAM, "xgroup-createconsumer", key);
    }
    cx.integer(created)
}

pub(crate) fn xgroup_delconsumer(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let (key, name) = (argv[2], argv[3]);
    let stream = cx.keys.write::<Stream>(key)?.ok_or(KEY_MISSING)?;
    let group = stream.groups.get_mut(name).ok_or_else(|| no_such_group(key, name))?;
    let pending = group.remove_consumer(argv[4]);
    cx.keys.changed(Class::STREAM, "xgroup-delconsumer", key);
    cx.integer(pending as u64)
}

/// What follows the ID in `XGROUP CREATE` and `XGROUP SETID`.
struct Options {
    mkstream: bool,
    entries_read: Option<i64>,
}

impl Options {
    fn parse(argv: &[&[u8]], create: bool) -> Result<Self, CommandError> {
        let mut options = Options { mkstream: false, entries_read: None };
        let mut rest = argv.get(5..).unwrap_or_default();
        loop {
            rest = match rest {
                [] => return Ok(options),
                [word, after @ ..] if create && arg::is(word, "mkstream") => {
                    options.mkstream = true;
                    after
                }
                [word, value, after @ ..] if arg::is(word, "entriesread") => {
                    options.entries_read = match arg::integer(value)? {
                        -1 => None,
                        read if read < 0 => return Err(NEGATIVE_READ),
                        read => Some(read),
                    };
                    after
                }
                _ => return Err(CommandError::subcommand("xgroup", argv[1])),
            };
        }
    }
}
