//! Sorted sets combined: union, intersection, difference (`t_zset.c
//! zunionInterDiffGenericCommand`).
//!
//! Owns weights and aggregation; plain sets take part with score 1. It must not know how a set
//! or a sorted set is laid out.

use redlua_core::Protocol;

use crate::arg;
use crate::commands::zset_ranges::store;
use crate::commands::zsets::push_pairs;
use crate::context::Cx;
use crate::dict::Dict;
use crate::error::{CommandError, CommandResult, SYNTAX, WRONG_TYPE};
use crate::keyspace::Keyspace;
use crate::value::{Bytes, Threshold, Value, ZSet};

/// How sorted sets are combined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Union,
    Intersection,
    Difference,
}

/// What becomes of the scores of one member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Aggregate {
    Sum,
    Min,
    Max,
}

/// What is done with the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose<'a> {
    Answer,
    Store(&'a [u8]),
    Count,
}

pub(crate) fn zunion(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    run(cx, &argv[1..], Operation::Union, Purpose::Answer)
}

pub(crate) fn zinter(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    run(cx, &argv[1..], Operation::Intersection, Purpose::Answer)
}

pub(crate) fn zdiff(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    run(cx, &argv[1..], Operation::Difference, Purpose::Answer)
}

pub(crate) fn zintercard(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    run(cx, &argv[1..], Operation::Intersection, Purpose::Count)
}

pub(crate) fn zunionstore(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    run(cx, &argv[2..], Operation::Union, Purpose::Store(argv[1]))
}

pub(crate) fn zinterstore(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    run(cx, &argv[2..], Operation::Intersection, Purpose::Store(argv[1]))
}

pub(crate) fn zdiffstore(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    run(cx, &argv[2..], Operation::Difference, Purpose::Store(argv[1]))
}

/// One operand.
struct Source {
    members: Dict<f64>,
    weight: f64,
}

fn run(
    cx: &mut Cx<'_>,
    words: &[&[u8]],
    operation: Operation,
    purpose: Purpose<'_>,
) -> CommandResult {
    let count = arg::integer(arg::at(words, 0)?)?;
    if count < 1 {
        return Err(CommandError::new(format!(
            "ERR at least 1 input key is needed for '{}' command",
            cx.command.name
        )));
    }
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let keys = words.get(1..).and_then(|rest| rest.get(..count)).ok_or(SYNTAX)?;
    let mut sources = Vec::with_capacity(count);
    for key in keys {
        sources.push(source(cx.keys, key)?);
    }
    let options = words.get(1 + count..).unwrap_or_default();
    let options = Options::read(options, operation, purpose, &mut sources)?;
    if operation != Operation::Difference {
        sources.sort_by_key(|source| source.members.len());
    }
    let members = match operation {
        Operation::Union => union(&sources, options.aggregate),
        Operation::Intersection => intersection(&sources, options.aggregate),
        Operation::Difference => difference(sources),
    };
    if purpose == Purpose::Count {
        let len = members.len();
        return cx.integer(if options.limit == 0 { len } else { len.min(options.limit) });
    }
    let longest = members.keys().map(|member| member.len()).max().unwrap_or(0);
    // Only what is stored may become a listpack.
    let threshold = match purpose {
        Purpose::Store(_) => cx.keys.tuning.zset,
        _ => Threshold { entries: 0, value: 0 },
    };
    let mut result = ZSet::sized(members.len(), longest, threshold);
    for (member, score) in members.iter() {
        result.set(member, *score);
    }
    if let Purpose::Store(target) = purpose {
        let len = result.len();
        store(cx, target, result);
        return cx.integer(len);
    }
    let nested = cx.sink.protocol() == Protocol::Resp3;
    let items: Vec<_> = result.iter().collect();
    push_pairs(cx.sink, &items, options.with_scores, nested);
    Ok(())
}

fn source(keys: &mut Keyspace, key: &[u8]) -> Result<Source, CommandError> {
    let mut members = Dict::default();
    match keys.value(key) {
        None => {}
        Some(Value::ZSet(zset)) => {
            for (member, score) in zset.iter() {
                members.push(member.clone(), score);
            }
        }
        Some(Value::Set(set)) => {
            for member in set.iter() {
                members.push(Bytes::from(member), 1.0);
            }
        }
        Some(_) => return Err(WRONG_TYPE),
    }
    Ok(Source { members, weight: 1.0 })
}

/// What follows the keys.
struct Options {
    aggregate: Aggregate,
    with_scores: bool,
    limit: usize,
}

impl Options {
    fn read(
        words: &[&[u8]],
        operation: Operation,
        purpose: Purpose<'_>,
        sources: &mut [Source],
    ) -> Result<Self, CommandError> {
        let mut options = Options { aggregate: Aggregate::Sum, with_scores: false, limit: 0 };
        let combines = operation != Operation::Difference && purpose != Purpose::Count;
        let mut at = 0;
        while let Some(word) = words.get(at) {
            let left = words.len() - at;
            if combines && left > sources.len() && arg::is(word, "weights") {
                for source in sources.iter_mut() {
                    const INVALID: CommandError =
                        CommandError::fixed("ERR weight value is not a float");
                    at += 1;
                    source.weight = arg::float_or(arg::at(words, at)?, INVALID)?;
                }
            } else if combines && left >= 2 && arg::is(word, "aggregate") {
                at += 1;
                options.aggregate = match arg::at(words, at)? {
                    word if arg::is(word, "sum") => Aggregate::Sum,
                    word if arg::is(word, "min") => Aggregate::Min,
                    word if arg::is(word, "max") => Aggregate::Max,
                    _ => return Err(SYNTAX),
                };
            } else if purpose == Purpose::Answer && arg::is(word, "withscores") {
                options.with_scores = true;
            } else if purpose == Purpose::Count && left >= 2 && arg::is(word, "limit") {
                const NEGATIVE: CommandError = CommandError::fixed("ERR LIMIT can't be negative");
                at += 1;
                options.limit = arg::ranged(arg::at(words, at)?, 0, i64::MAX, NEGATIVE)? as usize;
            } else {
                return Err(SYNTAX);
            }
            at += 1;
        }
        Ok(options)
    }
}

impl Aggregate {
    /// Infinities that cancel each other give 0 (`zunionInterAggregate`).
    fn apply(self, one: f64, two: f64) -> f64 {
        match self {
            Aggregate::Sum => number(one + two),
            Aggregate::Min if two < one => two,
            Aggregate::Max if two > one => two,
            _ => one,
        }
    }
}

fn number(score: f64) -> f64 {
    if score.is_nan() { 0.0 } else { score }
}

fn union(sources: &[Source], aggregate: Aggregate) -> Dict<f64> {
    let mut result: Dict<f64> = Dict::default();
    for source in sources {
        for (member, score) in source.members.iter() {
            let score = number(source.weight * score);
            match result.find_mut(member) {
                Some(old) => *old = aggregate.apply(*old, score),
                None => {
                    result.push(member.clone(), score);
                }
            }
        }
    }
    result
}

fn intersection(sources: &[Source], aggregate: Aggregate) -> Dict<f64> {
    let mut result = Dict::default();
    let Some((first, others)) = sources.split_first() else { return result };
    'members: for (member, score) in first.members.iter() {
        let mut total = number(first.weight * score);
        for other in others {
            let Some(score) = other.members.find(member) else { continue 'members };
            total = aggregate.apply(total, score * other.weight);
        }
        result.push(member.clone(), total);
    }
    result
}

fn difference(sources: Vec<Source>) -> Dict<f64> {
    let mut sources = sources.into_iter();
    let mut result = sources.next().map(|source| source.members).unwrap_or_default();
    for source in sources {
        for (member, _) in source.members.iter() {
            result.remove(member);
        }
    }
    result
}
