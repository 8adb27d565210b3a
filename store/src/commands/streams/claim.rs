//! `XCLAIM` and `XAUTOCLAIM`. They must not know how entries are delivered first.

use std::ops::Bound;

use redlua_core::{ReplySink, Seq};

use super::{BAD_ID, interval_start, no_group, push_entry, push_id, strict_id};
use crate::arg;
use crate::context::Cx;
use crate::error::{CommandError, CommandResult, SYNTAX};
use crate::events::Class;
use crate::value::{Pending, Stream, StreamId};

pub(crate) fn xclaim(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let (key, name) = (argv[1], argv[2]);
    let now = cx.keys.now();
    let missing = || no_group(key, name, "");
    let stream = cx.keys.revise::<Stream>(key)?.ok_or_else(missing)?;
    let group = stream.groups.get_mut(name).ok_or_else(missing)?;
    let claim = Claim::parse(argv, now)?;
    if let Some(id) = claim.last_id {
        group.last_id = group.last_id.max(id);
    }
    let mut claimed = Vec::new();
    let mut joined = false;
    for &id in &claim.ids {
        if stream.entry(id).is_none() {
            if let Some(group) = stream.groups.get_mut(name) {
                group.acknowledge(id);
            }
            continue;
        }
        let Some(group) = stream.groups.get_mut(name) else { break };
        let count = match group.pending().get(&id) {
            Some(old)
                if claim.min_idle > 0 && now.saturating_sub(old.delivered) < claim.min_idle =>
            {
                continue;
            }
            Some(old) => old.count,
            // An entry that is pending for nobody is made up with one delivery.
            None if claim.force => 1,
            None => continue,
        };
        let count = claim.retries.unwrap_or(count.saturating_add(u64::from(!claim.just_id)));
        // Only a consumer that claims something is noted.
        let (consumer, new) = group.see(argv[3], now);
        joined |= new;
        group.assign(id, Pending { consumer, delivered: claim.delivered, count });
        claimed.push(id);
    }
    push_claimed(cx.sink, stream, &claimed, claim.just_id);
    claimed_from(cx, key, joined)
}

pub(crate) fn xautoclaim(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let (key, name) = (argv[1], argv[2]);
    // Looked up before the options are read.
    cx.keys.glance(key);
    let bad_idle = CommandError::fixed("ERR Invalid min-idle-time argument for XAUTOCLAIM");
    let min_idle = arg::integer_or(argv[4], bad_idle)?.max(0);
    let start = interval_start(argv[5])?;
    let mut left = 100;
    let mut just_id = false;
    let mut rest = &argv[6..];
    while let [word, after @ ..] = rest {
        rest = match after {
            [value, after @ ..] if arg::is(word, "count") => {
                // `LONG_MAX / max(sizeof(streamID), attempts_factor)`
                let bad = CommandError::fixed("ERR COUNT must be > 0");
                left = arg::ranged(value, 1, i64::MAX / 16, bad)?;
                after
            }
            _ if arg::is(word, "justid") => {
                just_id = true;
                after
            }
            _ => return Err(SYNTAX),
        };
    }
    let now = cx.keys.now();
    let missing = || no_group(key, name, "");
    let stream = cx.keys.write::<Stream>(key)?.ok_or_else(missing)?;
    stream.groups.get(name).ok_or_else(missing)?;
    // Every entry looked at counts as an attempt, ten of which each claim may take.
    let mut attempts = left.saturating_mul(10);
    let mut claimed = Vec::new();
    let mut deleted = Vec::new();
    let mut joined = false;
    let mut from = Bound::Included(start);
    let mut cursor = StreamId::MIN;
    while let Some((&id, pending)) = stream
        .groups
        .get(name)
        .and_then(|group| group.pending().range((from, Bound::Unbounded)).next())
    {
        if attempts == 0 || left == 0 {
            cursor = id;
            break;
        }
        attempts -= 1;
        from = Bound::Excluded(id);
        let idle = now.saturating_sub(pending.delivered);
        let count = pending.count.saturating_add(u64::from(!just_id));
        if stream.entry(id).is_none() {
            if let Some(group) = stream.groups.get_mut(name) {
                group.acknowledge(id);
            }
            deleted.push(id);
            left -= 1;
            continue;
        }
        if min_idle > 0 && idle < min_idle {
            continue;
        }
        if let Some(group) = stream.groups.get_mut(name) {
            let (consumer, new) = group.see(argv[3], now);
            joined |= new;
            group.assign(id, Pending { consumer, delivered: now, count });
        }
        claimed.push(id);
        left -= 1;
    }
    cx.sink.seq(Seq::Array, 3);
    push_id(cx.sink, cursor);
    push_claimed(cx.sink, stream, &claimed, just_id);
    cx.sink.seq(Seq::Array, deleted.len());
    deleted.into_iter().for_each(|id| push_id(cx.sink, id));
    claimed_from(cx, key, joined)
}

/// A group has changed, and by a consumer that was not known before if one has `joined`.
fn claimed_from(cx: &mut Cx<'_>, key: &[u8], joined: bool) -> CommandResult {
    cx.keys.modified(key);
    if joined {
        cx.keys.notify(Class::STREAM, "xgroup-createconsumer", key);
    }
    Ok(())
}

fn push_claimed(sink: &mut dyn ReplySink, stream: &Stream, ids: &[StreamId], just_id: bool) {
    sink.seq(Seq::Array, ids.len());
    for &id in ids {
        match stream.entry(id) {
            Some(entry) if !just_id => push_entry(sink, entry),
            _ => push_id(sink, id),
        }
    }
}

/// What `XCLAIM` is asked to do.
struct Claim {
    min_idle: i64,
    ids: Vec<StreamId>,
    /// When the entries count as delivered.
    delivered: i64,
    retries: Option<u64>,
    force: bool,
    just_id: bool,
    last_id: Option<StreamId>,
}

impl Claim {
    fn parse(argv: &[&[u8]], now: i64) -> Result<Self, CommandError> {
        let number = |value: &[u8], option: &'static str| {
            let text = format!("ERR Invalid {option} argument for XCLAIM");
            arg::integer_or(value, CommandError::new(text))
        };
        let mut claim = Claim {
            min_idle: number(argv[4], "min-idle-time")?.max(0),
            ids: Vec::new(),
            delivered: -1,
            retries: None,
            force: false,
            just_id: false,
            last_id: None,
        };
        let words = argv[5..].iter();
        claim.ids.extend(words.map_while(|word| strict_id(word).ok()));
        let mut rest = argv.get(5 + claim.ids.len()..).unwrap_or_default();
        while let [word, after @ ..] = rest {
            rest = match after {
                _ if arg::is(word, "force") => {
                    claim.force = true;
                    after
                }
                _ if arg::is(word, "justid") => {
                    claim.just_id = true;
                    after
                }
                [value, after @ ..] if arg::is(word, "idle") => {
                    claim.delivered = now.wrapping_sub(number(value, "IDLE option")?);
                    after
                }
                [value, after @ ..] if arg::is(word, "time") => {
                    claim.delivered = number(value, "TIME option")?;
                    after
                }
                [value, after @ ..] if arg::is(word, "retrycount") => {
                    claim.retries = u64::try_from(number(value, "RETRYCOUNT option")?).ok();
                    after
                }
                [value, after @ ..] if arg::is(word, "lastid") => {
                    claim.last_id = Some(StreamId::parse_strict(value, 0).ok_or(BAD_ID)?);
                    after
                }
                _ => {
                    let mut text = b"ERR Unrecognized XCLAIM option '".to_vec();
                    text.extend_from_slice(word);
                    text.extend_from_slice(b"'");
                    return Err(CommandError::new(text));
                }
            };
        }
        // A time that was not given, or lies in the future, is now.
        if claim.delivered < 0 || claim.delivered > now {
            claim.delivered = now;
        }
        Ok(claim)
    }
}
