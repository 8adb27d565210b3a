//! `XREAD` and `XREADGROUP` (`xreadCommand`).
//!
//! Owns the options of the two and what a group notes when it delivers. It must not know how a
//! blocked call is woken.

use std::sync::Arc;
use std::time::Duration;

use redlua_core::{Protocol, ReplySink, Seq};

use super::{no_group, push_entry, push_id, strict_id};
use crate::arg;
use crate::context::Cx;
use crate::error::{CommandError, CommandResult, SYNTAX};
use crate::events::Class;
use crate::store::TimeoutReply;
use crate::value::{EntryRef, Pending, Stream, StreamId, Value};

const GROUP_IN_XREAD: CommandError = CommandError::fixed(
    "ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead.",
);
const NOACK_IN_XREAD: CommandError = CommandError::fixed(
    "ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead.",
);
const UNBALANCED: CommandError = CommandError::fixed(
    "ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified.",
);
const GROUP_MISSING: CommandError = CommandError::fixed("ERR Missing GROUP option for XREADGROUP");
const DOLLAR_IN_GROUP: CommandError = CommandError::fixed(
    "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of \
     this consumer by specifying a proper ID, or use the > ID to get new messages. The $ ID would \
     just return an empty result set.",
);
const NEW_WITHOUT_GROUP: CommandError = CommandError::fixed(
    "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> \
     <consumer> option.",
);

pub(crate) fn xread(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    read(cx, argv, false)
}

pub(crate) fn xreadgroup(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    read(cx, argv, true)
}

fn read(cx: &mut Cx<'_>, argv: &[&[u8]], grouped: bool) -> CommandResult {
    let options = Options::parse(cx, argv, grouped)?;
    let mut ids = Vec::with_capacity(options.keys.len());
    for (key, id) in options.keys.iter().zip(options.ids) {
        let stream = cx.keys.read::<Stream>(key)?;
        if let Some((group, _)) = options.group
            && stream.is_none_or(|stream| !stream.groups.contains_key(group))
        {
            return Err(no_group(key, group, " in XREADGROUP with GROUP option"));
        }
        ids.push(match *id {
            b"$" if grouped => return Err(DOLLAR_IN_GROUP),
            b"$" => stream.map_or(StreamId::MIN, |stream| stream.last_id),
            b">" if !grouped => return Err(NEW_WITHOUT_GROUP),
            b">" => StreamId::MAX,
            id => strict_id(id)?,
        });
    }
    let mut served = Vec::new();
    for (key, id) in options.keys.iter().zip(&ids) {
        let now = cx.keys.now();
        // The server looks twice, which its statistics show.
        if cx.keys.glance(key).is_none() {
            continue;
        }
        let Some(stream) = cx.keys.write::<Stream>(key)? else { continue };
        let mut joined = false;
        let delivery = match options.group {
            Some((group, consumer)) => {
                deliver(stream, (group, consumer), *id, &options, now, &mut joined)
            }
            None => {
                let new = stream.len > 0 && stream.last_entry_id() > *id;
                new.then_some(Delivery::Entries(*id, options.count))
            }
        };
        if joined {
            cx.keys.notify(Class::STREAM, "xgroup-createconsumer", key);
        }
        if let Some(delivery) = delivery {
            if options.group.is_some() {
                cx.keys.modified(key);
            }
            served.push((*key, delivery));
        }
    }
    if served.is_empty() {
        return match options.block {
            Some(timeout) => {
                let fixed = argv.get(..argv.len() - 2 * options.keys.len()).unwrap_or_default();
                let frozen = freeze(options.ids, &ids);
                cx.block(options.keys, timeout, TimeoutReply::NullArray, |at, key| {
                    [fixed, &[key, &frozen[at]]].concat()
                })
            }
            None => {
                cx.sink.null_array();
                Ok(())
            }
        };
    }
    let maps = cx.sink.protocol() == Protocol::Resp3;
    if maps {
        cx.sink.map(served.len());
    } else {
        cx.sink.seq(Seq::Array, served.len());
    }
    for (key, delivery) in served {
        if !maps {
            cx.sink.seq(Seq::Array, 2);
        }
        cx.sink.bulk(key);
        if let Some(Value::Stream(stream)) = cx.keys.peek(key).map(|entry| &entry.value) {
            delivery.push(stream, cx.sink);
        }
    }
    Ok(())
}

/// What one stream answers. Delivering changes groups, writing the reply only reads.
enum Delivery {
    /// Up to so many entries after this ID.
    Entries(StreamId, usize),
    /// What a consumer has not acknowledged, as far as it still exists.
    History(Vec<StreamId>),
}

impl Delivery {
    fn push(&self, stream: &Stream, sink: &mut dyn ReplySink) {
        match self {
            Delivery::Entries(after, count) => {
                let found: Vec<_> = new_entries(stream, *after, *count).collect();
                sink.seq(Seq::Array, found.len());
                found.into_iter().for_each(|entry| push_entry(sink, entry));
            }
            Delivery::History(ids) => {
                sink.seq(Seq::Array, ids.len());
                for &id in ids {
                    match stream.entry(id) {
                        Some(entry) => push_entry(sink, entry),
                        None => {
                            sink.seq(Seq::Array, 2);
                            push_id(sink, id);
                            sink.null_array();
                        }
                    }
                }
            }
        }
    }
}

fn new_entries(
    stream: &Stream,
    after: StreamId,
    count: usize,
) -> impl Iterator<Item = EntryRef<'_>> {
    // The server's increment wraps around (`streamIncrID`).
    stream.range(after.next().unwrap_or_default(), StreamId::MAX).take(count)
}

/// Delivers to a consumer of a group: entries nobody has had when `id` is the maximum (`>`),
/// otherwise its own history. Says whether the consumer has `joined` the group by this.
fn deliver(
    stream: &mut Stream,
    (group, consumer): (&[u8], &[u8]),
    id: StreamId,
    options: &Options<'_>,
    now: i64,
    joined: &mut bool,
) -> Option<Delivery> {
    let last = stream.last_entry_id();
    let len = stream.len;
    let state = stream.groups.get_mut(group)?;
    let after = state.last_id;
    // A consumer that gets no answer is not noted either.
    if id == StreamId::MAX && (len == 0 || last <= after) {
        return None;
    }
    let (consumer, new) = state.see(consumer, now);
    *joined = new;
    if id != StreamId::MAX {
        let from = id.next().unwrap_or_default();
        let pending = &state.consumer(&consumer)?.pending;
        let ids: Vec<_> = pending.range(from..).take(options.count).copied().collect();
        let alive: Vec<_> = ids.iter().copied().filter(|id| stream.entry(*id).is_some()).collect();
        let state = stream.groups.get_mut(group)?;
        alive.into_iter().for_each(|id| state.redeliver(id, now));
        return Some(Delivery::History(ids));
    }
    let ids: Vec<_> = new_entries(stream, after, options.count).map(EntryRef::id).collect();
    for id in ids {
        let read = stream.groups.get(group).and_then(|state| stream.read_count(state, id));
        let state = stream.groups.get_mut(group)?;
        state.entries_read = read;
        state.last_id = id;
        if !options.noack {
            let consumer = Arc::clone(&consumer);
            state.assign(id, Pending { consumer, delivered: now, count: 1 });
        }
    }
    Some(Delivery::Entries(after, options.count))
}

/// The IDs of a call with `$` replaced by what it means now: a retry later must not resolve it
/// anew.
fn freeze(words: &[&[u8]], ids: &[StreamId]) -> Vec<Vec<u8>> {
    let frozen = |(word, id): (&&[u8], &StreamId)| match *word {
        b"$" => id.to_string().into_bytes(),
        word => word.to_vec(),
    };
    words.iter().zip(ids).map(frozen).collect()
}

struct Options<'a> {
    count: usize,
    block: Option<Option<Duration>>,
    noack: bool,
    /// The group and the consumer.
    group: Option<(&'a [u8], &'a [u8])>,
    keys: &'a [&'a [u8]],
    ids: &'a [&'a [u8]],
}

impl<'a> Options<'a> {
    fn parse(cx: &Cx<'_>, argv: &'a [&'a [u8]], grouped: bool) -> Result<Self, CommandError> {
        let mut options = Options {
            count: usize::MAX,
            block: None,
            noack: false,
            group: None,
            keys: &[],
            ids: &[],
        };
        let mut at = 1;
        while let Some(option) = argv.get(at) {
            let rest = &argv[at + 1..];
            match rest {
                [value, ..] if arg::is(option, "block") => {
                    if cx.session.script {
                        let mut text = b"ERR ".to_vec();
                        text.extend_from_slice(argv[0]);
                        text.extend_from_slice(
                            b" command is not allowed with BLOCK option from scripts",
                        );
                        return Err(CommandError::new(text));
                    }
                    options.block = Some(timeout(value)?);
                    at += 1;
                }
                [value, ..] if arg::is(option, "count") => {
                    let count = usize::try_from(arg::integer(value)?).unwrap_or(0);
                    options.count = if count == 0 { usize::MAX } else { count };
                    at += 1;
                }
                [_, ..] if arg::is(option, "streams") => {
                    if !rest.len().is_multiple_of(2) {
                        return Err(UNBALANCED);
                    }
                    (options.keys, options.ids) = rest.split_at(rest.len() / 2);
                    break;
                }
                [group, consumer, ..] if arg::is(option, "group") => {
                    if !grouped {
                        return Err(GROUP_IN_XREAD);
                    }
                    options.group = Some((group, consumer));
                    at += 2;
                }
                _ if arg::is(option, "noack") => {
                    if !grouped {
                        return Err(NOACK_IN_XREAD);
                    }
                    options.noack = true;
                }
                _ => return Err(SYNTAX),
            }
            at += 1;
        }
        if options.keys.is_empty() {
            return Err(SYNTAX);
        }
        if grouped && options.group.is_none() {
            return Err(GROUP_MISSING);
        }
        Ok(options)
    }
}

/// A timeout in milliseconds; 0 is for ever (`getTimeoutFromObjectOrReply`).
fn timeout(value: &[u8]) -> Result<Option<Duration>, CommandError> {
    let error = CommandError::fixed("ERR timeout is not an integer or out of range");
    match arg::integer_or(value, error)? {
        0 => Ok(None),
        ms => u64::try_from(ms)
            .map(|ms| Some(Duration::from_millis(ms)))
            .map_err(|_| CommandError::fixed("ERR timeout is negative")),
    }
}
