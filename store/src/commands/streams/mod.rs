//! Streams: `XADD`, `XRANGE`, `XREAD`, `XGROUP` and what belongs to them (`t_stream.c`).
//!
//! Owns what the stream commands share: reading IDs and intervals, writing entries. It must not
//! know how streams are kept.

mod add;
mod claim;
mod group;
mod info;
mod pending;
mod range;
mod read;

pub(crate) use add::{xadd, xdel, xlen, xsetid, xtrim};
pub(crate) use claim::{xautoclaim, xclaim};
pub(crate) use group::{
    xgroup_create, xgroup_createconsumer, xgroup_delconsumer, xgroup_destroy, xgroup_setid,
};
pub(crate) use info::{xinfo_consumers, xinfo_groups, xinfo_stream};
pub(crate) use pending::{xack, xpending};
pub(crate) use range::{xrange, xrevrange};
pub(crate) use read::{xread, xreadgroup};

use std::io::Write;

use redlua_core::{ReplySink, Seq};

use crate::error::{CommandError, printed};
use crate::value::{EntryRef, StreamId};

const BAD_ID: CommandError =
    CommandError::fixed("ERR Invalid stream ID specified as stream command argument");
const BAD_START: CommandError = CommandError::fixed("ERR invalid start ID for the interval");
const BAD_END: CommandError = CommandError::fixed("ERR invalid end ID for the interval");

/// An ID that is not `-` or `+` (`streamParseStrictIDOrReply`).
fn strict_id(arg: &[u8]) -> Result<StreamId, CommandError> {
    match arg {
        b"-" | b"+" => Err(BAD_ID),
        _ => StreamId::parse_strict(arg, 0).ok_or(BAD_ID),
    }
}

/// An ID or `-` or `+` (`streamParseIDOrReply`).
fn any_id(arg: &[u8]) -> Result<StreamId, CommandError> {
    StreamId::parse(arg, 0).ok_or(BAD_ID)
}

/// IDs that are not `-` or `+`.
fn strict_ids(args: &[&[u8]]) -> Result<Vec<StreamId>, CommandError> {
    args.iter().map(|arg| strict_id(arg)).collect()
}

/// The first ID of an interval; `(` in front of it excludes it.
fn interval_start(arg: &[u8]) -> Result<StreamId, CommandError> {
    match interval_end_of(arg, 0)? {
        (id, true) => id.next().ok_or(BAD_START),
        (id, false) => Ok(id),
    }
}

/// The last ID of an interval; `(` in front of it excludes it.
fn interval_end(arg: &[u8]) -> Result<StreamId, CommandError> {
    match interval_end_of(arg, u64::MAX)? {
        (id, true) => id.previous().ok_or(BAD_END),
        (id, false) => Ok(id),
    }
}

/// `streamParseIntervalIDOrReply`: an ID and whether it is excluded.
fn interval_end_of(arg: &[u8], missing: u64) -> Result<(StreamId, bool), CommandError> {
    match arg {
        [b'(', b'-' | b'+'] => Err(BAD_ID),
        [b'(', id @ ..] if !id.is_empty() => {
            StreamId::parse_strict(id, missing).map(|id| (id, true)).ok_or(BAD_ID)
        }
        _ => StreamId::parse(arg, missing).map(|id| (id, false)).ok_or(BAD_ID),
    }
}

/// Pushes an ID.
fn push_id(sink: &mut dyn ReplySink, id: StreamId) {
    // Two numbers of at most twenty digits.
    let mut buffer = [0; 48];
    let room = buffer.len();
    let mut rest = &mut buffer[..];
    let left = if write!(rest, "{id}").is_ok() { rest.len() } else { room };
    sink.bulk(buffer.get(..room - left).unwrap_or_default());
}

/// Pushes an entry: its ID and its fields and values.
fn push_entry(sink: &mut dyn ReplySink, entry: EntryRef<'_>) {
    sink.seq(Seq::Array, 2);
    push_id(sink, entry.id());
    sink.seq(Seq::Array, 2 * entry.len());
    for item in entry.items() {
        sink.bulk(item);
    }
}

/// `NOGROUP` of the commands that name a key and a group.
fn no_group(key: &[u8], group: &[u8], after: &str) -> CommandError {
    let mut text = b"NOGROUP No such key '".to_vec();
    text.extend_from_slice(printed(key));
    text.extend_from_slice(b"' or consumer group '");
    text.extend_from_slice(printed(group));
    text.extend_from_slice(b"'");
    text.extend_from_slice(after.as_bytes());
    CommandError::new(text)
}

/// `NOGROUP` of the subcommands for which the key is known to exist.
fn no_such_group(key: &[u8], group: &[u8]) -> CommandError {
    let mut text = b"NOGROUP No such consumer group '".to_vec();
    text.extend_from_slice(printed(group));
    text.extend_from_slice(b"' for key name '");
    text.extend_from_slice(printed(key));
    text.extend_from_slice(b"'");
    CommandError::new(text)
}
