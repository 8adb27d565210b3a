//! `XINFO`. It must not change anything.

use redlua_core::{ReplySink, Seq};

use super::{no_such_group, push_entry, push_id};
use crate::arg;
use crate::context::Cx;
use crate::error::{CommandError, CommandResult, NO_SUCH_KEY};
use crate::value::{Group, Stream, StreamId};

pub(crate) fn xinfo_consumers(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let now = cx.keys.now();
    let stream = cx.keys.read::<Stream>(argv[2])?.ok_or(NO_SUCH_KEY)?;
    let group = stream.groups.get(argv[3]).ok_or_else(|| no_such_group(argv[2], argv[3]))?;
    cx.sink.seq(Seq::Array, group.consumers().len());
    for (name, consumer) in group.consumers() {
        cx.sink.map(3);
        text(cx.sink, "name", name);
        number(cx.sink, "pending", consumer.pending.len() as u64);
        cx.sink.bulk(b"idle");
        cx.sink.integer(now.saturating_sub(consumer.seen).max(0));
    }
    Ok(())
}

pub(crate) fn xinfo_groups(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let stream = cx.keys.read::<Stream>(argv[2])?.ok_or(NO_SUCH_KEY)?;
    cx.sink.seq(Seq::Array, stream.groups.len());
    for (name, group) in &stream.groups {
        cx.sink.map(6);
        text(cx.sink, "name", name);
        number(cx.sink, "consumers", group.consumers().len() as u64);
        number(cx.sink, "pending", group.pending().len() as u64);
        id(cx.sink, "last-delivered-id", group.last_id);
        counters(cx.sink, stream, group);
    }
    Ok(())
}

pub(crate) fn xinfo_stream(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let stream = cx.keys.read::<Stream>(argv[2])?.ok_or(NO_SUCH_KEY)?;
    let syntax = || CommandError::subcommand("xinfo", argv[1]);
    let mut full = None;
    match argv.get(3..).unwrap_or_default() {
        [] => {}
        [word] if arg::is(word, "full") => full = Some(10),
        [word, count, value] if arg::is(word, "full") => {
            if !arg::is(count, "count") {
                return Err(syntax());
            }
            // 0 is no limit, a negative count the default.
            full = Some(match arg::integer(value)? {
                0 => usize::MAX,
                count => usize::try_from(count).unwrap_or(10),
            });
        }
        _ => return Err(syntax()),
    }
    let sink = &mut *cx.sink;
    sink.map(if full.is_some() { 9 } else { 10 });
    number(sink, "length", stream.len);
    number(sink, "radix-tree-keys", stream.nodes.len() as u64);
    number(sink, "radix-tree-nodes", stream.radix_nodes() as u64);
    id(sink, "last-generated-id", stream.last_id);
    id(sink, "max-deleted-entry-id", stream.max_deleted_id);
    number(sink, "entries-added", stream.entries_added);
    id(sink, "recorded-first-entry-id", stream.first_id);
    match full {
        Some(count) => push_full(sink, stream, count),
        None => {
            number(sink, "groups", stream.groups.len() as u64);
            let mut entries = stream.range(StreamId::MIN, StreamId::MAX);
            let first = entries.next();
            let last = stream.range(StreamId::MIN, StreamId::MAX).next_back();
            for (name, entry) in [("first-entry", first), ("last-entry", last)] {
                sink.bulk(name.as_bytes());
                match entry {
                    Some(entry) => push_entry(sink, entry),
                    None => sink.null(),
                }
            }
        }
    }
    Ok(())
}

/// The entries, groups and consumers of `XINFO STREAM … FULL`, at most `count` of each list.
fn push_full(sink: &mut dyn ReplySink, stream: &Stream, count: usize) {
    sink.bulk(b"entries");
    let entries: Vec<_> = stream.range(StreamId::MIN, StreamId::MAX).take(count).collect();
    sink.seq(Seq::Array, entries.len());
    entries.into_iter().for_each(|entry| push_entry(sink, entry));
    sink.bulk(b"groups");
    sink.seq(Seq::Array, stream.groups.len());
    for (name, group) in &stream.groups {
        sink.map(7);
        text(sink, "name", name);
        id(sink, "last-delivered-id", group.last_id);
        counters(sink, stream, group);
        number(sink, "pel-count", group.pending().len() as u64);
        sink.bulk(b"pending");
        sink.seq(Seq::Array, group.pending().len().min(count));
        for (id, pending) in group.pending().iter().take(count) {
            sink.seq(Seq::Array, 4);
            push_id(sink, *id);
            sink.bulk(&pending.consumer);
            sink.integer(pending.delivered);
            sink.integer(i64::try_from(pending.count).unwrap_or(i64::MAX));
        }
        sink.bulk(b"consumers");
        sink.seq(Seq::Array, group.consumers().len());
        for (name, consumer) in group.consumers() {
            sink.map(4);
            text(sink, "name", name);
            sink.bulk(b"seen-time");
            sink.integer(consumer.seen);
            number(sink, "pel-count", consumer.pending.len() as u64);
            sink.bulk(b"pending");
            sink.seq(Seq::Array, consumer.pending.len().min(count));
            for id in consumer.pending.iter().take(count) {
                sink.seq(Seq::Array, 3);
                push_id(sink, *id);
                let pending = group.pending().get(id);
                sink.integer(pending.map_or(0, |pending| pending.delivered));
                let count = pending.map_or(0, |pending| pending.count);
                sink.integer(i64::try_from(count).unwrap_or(i64::MAX));
            }
        }
    }
}

/// How much a group has read and how much it has not.
fn counters(sink: &mut dyn ReplySink, stream: &Stream, group: &Group) {
    for (name, value) in [("entries-read", group.entries_read), ("lag", stream.lag(group))] {
        sink.bulk(name.as_bytes());
        match value {
            Some(value) => sink.integer(value),
            None => sink.null(),
        }
    }
}

fn text(sink: &mut dyn ReplySink, name: &str, value: &[u8]) {
    sink.bulk(name.as_bytes());
    sink.bulk(value);
}

fn number(sink: &mut dyn ReplySink, name: &str, value: u64) {
    sink.bulk(name.as_bytes());
    sink.integer(i64::try_from(value).unwrap_or(i64::MAX));
}

fn id(sink: &mut dyn ReplySink, name: &str, id: StreamId) {
    sink.bulk(name.as_bytes());
    push_id(sink, id);
}
