//! Sorted sets: members and scores of one set (`t_zset.c`).
//!
//! Owns adding, removing, looking up and popping; ranges are in `zset_ranges`, combinations in
//! `zset_algebra`. It must not know how a sorted set is laid out.

use redlua_core::{Protocol, ReplySink, Seq};
use smallvec::SmallVec;

use crate::arg;
use crate::commands::hashes::{choose, random_count};
use crate::commands::list_moves::{MultiPop, timeout};
use crate::context::Cx;
use crate::error::{CommandError, CommandResult, SYNTAX};
use crate::events::Class;
use crate::keyspace::Keyspace;
use crate::store::TimeoutReply;
use crate::value::{Bytes, ZSet};

/// The flags of `ZADD`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct AddFlags {
    /// `NX`
    pub(crate) only_new: bool,
    /// `XX`
    pub(crate) only_old: bool,
    /// `GT`
    pub(crate) greater: bool,
    /// `LT`
    pub(crate) less: bool,
    /// `CH`
    pub(crate) changed: bool,
    /// `INCR`
    pub(crate) increment: bool,
}

/// What `ZADD` did.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Added {
    /// Members that are new.
    pub(crate) new: usize,
    /// Members whose score changed.
    pub(crate) updated: usize,
    /// The last score set; `None` when the flags forbade it.
    pub(crate) score: Option<f64>,
}

pub(crate) fn zadd(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let mut flags = AddFlags::default();
    let mut at = 2;
    while let Some(word) = argv.get(at) {
        match () {
            _ if arg::is(word, "nx") => flags.only_new = true,
            _ if arg::is(word, "xx") => flags.only_old = true,
            _ if arg::is(word, "gt") => flags.greater = true,
            _ if arg::is(word, "lt") => flags.less = true,
            _ if arg::is(word, "ch") => flags.changed = true,
            _ if arg::is(word, "incr") => flags.increment = true,
            _ => break,
        }
        at += 1;
    }
    add_pairs(cx, argv[1], argv.get(at..).unwrap_or_default(), flags)
}

pub(crate) fn zincrby(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let flags = AddFlags { increment: true, ..AddFlags::default() };
    add_pairs(cx, argv[1], &argv[2..], flags)
}

fn add_pairs(cx: &mut Cx<'_>, key: &[u8], words: &[&[u8]], flags: AddFlags) -> CommandResult {
    let (pairs, []) = words.as_chunks() else { return Err(SYNTAX) };
    if pairs.is_empty() {
        return Err(SYNTAX);
    }
    check_flags(flags, pairs.len())?;
    let mut items: SmallVec<[(f64, &[u8]); 4]> = SmallVec::with_capacity(pairs.len());
    for [score, member] in pairs {
        items.push((arg::float(score)?, *member));
    }
    let added = add(cx.keys, key, &items, flags)?;
    if !flags.increment {
        let count = added.new + if flags.changed { added.updated } else { 0 };
        return cx.integer(count);
    }
    match added.score {
        Some(score) => cx.sink.double(score),
        None => cx.sink.null(),
    }
    Ok(())
}

fn check_flags(flags: AddFlags, pairs: usize) -> CommandResult {
    if flags.only_new && flags.only_old {
        return Err(CommandError::fixed(
            "ERR XX and NX options at the same time are not compatible",
        ));
    }
    if [flags.greater, flags.less, flags.only_new].iter().filter(|flag| **flag).count() > 1 {
        return Err(CommandError::fixed(
            "ERR GT, LT, and/or NX options at the same time are not compatible",
        ));
    }
    if flags.increment && pairs > 1 {
        return Err(CommandError::fixed(
            "ERR INCR option supports a single increment-element pair",
        ));
    }
    Ok(())
}

/// Adds scored members to a sorted set, made first when it is not there
/// (`zaddGenericCommand`, `zsetAdd`).
pub(crate) fn add(
    keys: &mut Keyspace,
    key: &[u8],
    items: &[(f64, &[u8])],
    flags: AddFlags,
) -> Result<Added, CommandError> {
    const NAN: CommandError = CommandError::fixed("ERR resulting score is not a number (NaN)");
    let threshold = keys.tuning.zset;
    if flags.only_old && keys.write::<ZSet>(key)?.is_none() {
        return Ok(Added::default());
    }
    let zset = keys.create::<ZSet>(key)?;
    let mut added = Added::default();
    let mut failed = false;
    for &(score, member) in items {
        match zset.score(member) {
            Some(_) if flags.only_new => added.score = None,
            Some(old) => {
                let score = if flags.increment { old + score } else { score };
                if score.is_nan() {
                    failed = true;
                    break;
                }
                if flags.less && score >= old || flags.greater && score <= old {
                    added.score = None;
                    continue;
                }
                zset.set(member, score);
                added.updated += usize::from(score != old);
                added.score = Some(score);
            }
            None if flags.only_old => added.score = None,
            None => {
                zset.admit(member.len(), threshold);
                zset.set(member, score);
                added.new += 1;
                added.score = Some(score);
            }
        }
    }
    let hollow = zset.is_empty();
    if added.new + added.updated > 0 {
        keys.changed(Class::ZSET, if flags.increment { "zincr" } else { "zadd" }, key);
    }
    if hollow {
        keys.prune(key);
    }
    if failed { Err(NAN) } else { Ok(added) }
}

pub(crate) fn zrem(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let key = argv[1];
    let Some(zset) = cx.keys.write::<ZSet>(key)? else {
        return cx.integer(0);
    };
    let removed = argv[2..].iter().filter(|member| zset.remove(member).is_some()).count();
    if removed > 0 {
        cx.keys.shrunk(Class::ZSET, "zrem", key);
    }
    cx.integer(removed)
}

pub(crate) fn zcard(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let len = cx.keys.read::<ZSet>(argv[1])?.map_or(0, ZSet::len);
    cx.integer(len)
}

pub(crate) fn zscore(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    match cx.keys.read::<ZSet>(argv[1])?.and_then(|zset| zset.score(argv[2])) {
        Some(score) => cx.sink.double(score),
        None => cx.sink.null(),
    }
    Ok(())
}

pub(crate) fn zmscore(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let zset = cx.keys.read::<ZSet>(argv[1])?;
    cx.sink.seq(Seq::Array, argv.len() - 2);
    for member in &argv[2..] {
        match zset.and_then(|zset| zset.score(member)) {
            Some(score) => cx.sink.double(score),
            None => cx.sink.null(),
        }
    }
    Ok(())
}

pub(crate) fn zrank(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let rank = cx.keys.read::<ZSet>(argv[1])?.and_then(|zset| zset.rank(argv[2]));
    match rank {
        Some(rank) => cx.integer(rank),
        None => cx.null(),
    }
}

pub(crate) fn zrevrank(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let rank =
        cx.keys.read::<ZSet>(argv[1])?.and_then(|zset| Some(zset.len() - 1 - zset.rank(argv[2])?));
    match rank {
        Some(rank) => cx.integer(rank),
        None => cx.null(),
    }
}

pub(crate) fn zrandmember(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let (count, with_scores) = random_count(argv, "withscores")?;
    let nested = cx.sink.protocol() == Protocol::Resp3;
    let Some(zset) = cx.keys.read::<ZSet>(argv[1])? else {
        match count {
            Some(_) => cx.sink.seq(Seq::Array, 0),
            None => cx.sink.null(),
        }
        return Ok(());
    };
    let len = zset.len();
    let Some(count) = count else {
        if let Some((member, _)) = zset.sample(cx.server.random.below(len)) {
            cx.sink.bulk(member);
        }
        return Ok(());
    };
    // The whole set comes in its order (`zrandmemberWithCountCommand`, case 2).
    let whole = usize::try_from(count).is_ok_and(|count| count >= len);
    let chosen = choose(&mut cx.server.random, count, len)?;
    let items =
        chosen.into_iter().filter_map(|at| if whole { zset.at(at) } else { zset.sample(at) });
    let items: Vec<_> = items.collect();
    push_pairs(cx.sink, &items, with_scores, nested);
    Ok(())
}

/// Pushes members, with scores when asked: nested pairs in RESP3, flat in RESP2.
pub(crate) fn push_pairs<M: AsRef<[u8]>>(
    sink: &mut dyn ReplySink,
    items: &[(M, f64)],
    with_scores: bool,
    nested: bool,
) {
    sink.seq(Seq::Array, items.len() * if with_scores && !nested { 2 } else { 1 });
    for (member, score) in items {
        if with_scores && nested {
            sink.seq(Seq::Array, 2);
        }
        sink.bulk(member.as_ref());
        if with_scores {
            sink.double(*score);
        }
    }
}

pub(crate) fn zpopmin(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    pop(cx, argv, false)
}

pub(crate) fn zpopmax(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    pop(cx, argv, true)
}

fn pop(cx: &mut Cx<'_>, argv: &[&[u8]], max: bool) -> CommandResult {
    let count = match argv {
        [_, _] => None,
        [_, _, count] => Some(arg::positive(count)?),
        _ => return Err(SYNTAX),
    };
    let key = argv[1];
    let items = take(cx.keys, key, count.unwrap_or(1), max)?;
    let nested = cx.sink.protocol() == Protocol::Resp3 && count.is_some();
    push_pairs(cx.sink, &items, true, nested);
    Ok(())
}

/// A member with its score.
type Scored = (Bytes, f64);

/// Takes up to `count` members with the lowest or highest scores away.
fn take(
    keys: &mut Keyspace,
    key: &[u8],
    count: usize,
    max: bool,
) -> Result<Vec<Scored>, CommandError> {
    let Some(zset) = keys.write::<ZSet>(key)? else { return Ok(Vec::new()) };
    let owned = |(member, score): (&Bytes, f64)| (member.clone(), score);
    let items: Vec<_> = if max {
        zset.descending(zset.len().saturating_sub(1), count).map(owned).collect()
    } else {
        zset.ascending(0, count).map(owned).collect()
    };
    for (member, _) in &items {
        zset.remove(member);
    }
    if !items.is_empty() {
        keys.shrunk(Class::ZSET, if max { "zpopmax" } else { "zpopmin" }, key);
    }
    Ok(items)
}

pub(crate) fn bzpopmin(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    pop_first(cx, argv, false)
}

pub(crate) fn bzpopmax(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    pop_first(cx, argv, true)
}

fn pop_first(cx: &mut Cx<'_>, argv: &[&[u8]], max: bool) -> CommandResult {
    let last = argv.len() - 1;
    let timeout = timeout(argv[last])?;
    let keys = &argv[1..last];
    for key in keys {
        if let Some((member, score)) = take(cx.keys, key, 1, max)?.first() {
            cx.sink.seq(Seq::Array, 3);
            cx.sink.bulk(key);
            cx.sink.bulk(member);
            cx.sink.double(*score);
            return Ok(());
        }
    }
    cx.block(keys, timeout, TimeoutReply::NullArray, |_, key| vec![argv[0], key, argv[last]])
}

pub(crate) fn zmpop(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let call = MultiPop::read(argv, 1, &["min", "max"])?;
    if !pop_many(cx, &call)? {
        cx.sink.null_array();
    }
    Ok(())
}

pub(crate) fn bzmpop(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let call = MultiPop::read(argv, 2, &["min", "max"])?;
    let timeout = timeout(argv[1])?;
    if pop_many(cx, &call)? {
        return Ok(());
    }
    cx.block(call.keys, timeout, TimeoutReply::NullArray, |_, key| call.alone(argv, key))
}

fn pop_many(cx: &mut Cx<'_>, call: &MultiPop<'_, '_>) -> Result<bool, CommandError> {
    for key in call.keys {
        let items = take(cx.keys, key, call.count, call.end == 1)?;
        if items.is_empty() {
            continue;
        }
        cx.sink.seq(Seq::Array, 2);
        cx.sink.bulk(key);
        push_pairs(cx.sink, &items, true, true);
        return Ok(true);
    }
    Ok(false)
}
