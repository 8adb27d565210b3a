//! Sets combined: intersection, union, difference (`t_set.c sinterGenericCommand`,
//! `sunionDiffGenericCommand`).
//!
//! Owns the three operations and their storing forms. It must not know how a set is laid out.

use redlua_core::Seq;

use crate::arg;
use crate::commands::list_moves::NUMKEYS;
use crate::context::Cx;
use crate::error::{CommandError, CommandResult, SYNTAX};
use crate::events::Class;
use crate::keyspace::Keyspace;
use crate::value::{Set, Value};

/// How sets are combined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Intersection,
    Union,
    Difference,
}

pub(crate) fn sinter(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    answer(cx, argv, Operation::Intersection)
}

pub(crate) fn sunion(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    answer(cx, argv, Operation::Union)
}

pub(crate) fn sdiff(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    answer(cx, argv, Operation::Difference)
}

pub(crate) fn sinterstore(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    store(cx, argv, Operation::Intersection)
}

pub(crate) fn sunionstore(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    store(cx, argv, Operation::Union)
}

pub(crate) fn sdiffstore(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    store(cx, argv, Operation::Difference)
}

pub(crate) fn sintercard(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let count = arg::ranged(argv[1], 1, i64::MAX, NUMKEYS)? as usize;
    let Some(keys) = argv.get(2..).and_then(|rest| rest.get(..count)) else {
        return Err(CommandError::fixed("ERR Number of keys can't be greater than number of args"));
    };
    let mut limit = 0;
    let mut at = 2 + count;
    while let Some(word) = argv.get(at) {
        let (true, Some(value)) = (arg::is(word, "limit"), argv.get(at + 1)) else {
            return Err(SYNTAX);
        };
        const NEGATIVE: CommandError = CommandError::fixed("ERR LIMIT can't be negative");
        limit = arg::ranged(value, 0, i64::MAX, NEGATIVE)? as usize;
        at += 2;
    }
    let result = combine(cx.keys, keys, Operation::Intersection)?.len();
    cx.integer(if limit == 0 { result } else { result.min(limit) })
}

fn answer(cx: &mut Cx<'_>, argv: &[&[u8]], operation: Operation) -> CommandResult {
    let result = combine(cx.keys, &argv[1..], operation)?;
    cx.sink.seq(Seq::Set, result.len());
    for member in result.iter() {
        cx.sink.bulk(&member);
    }
    Ok(())
}

fn store(cx: &mut Cx<'_>, argv: &[&[u8]], operation: Operation) -> CommandResult {
    let target = argv[1];
    let result = combine(cx.keys, &argv[2..], operation)?;
    let len = result.len();
    if len == 0 {
        cx.keys.erase(target);
    } else {
        cx.keys.set(target, Value::Set(Box::new(result)));
        cx.keys.notify(Class::SET, cx.command.name, target);
    }
    cx.integer(len)
}

fn combine(
    keys: &mut Keyspace,
    names: &[&[u8]],
    operation: Operation,
) -> Result<Set, CommandError> {
    let ints = keys.tuning.set_ints;
    // All types are checked before anything is computed.
    let mut sizes = Vec::with_capacity(names.len());
    for name in names {
        sizes.push(keys.read::<Set>(name)?.map_or(0, Set::len));
    }
    let mut order: Vec<usize> = (0..names.len()).collect();
    if operation == Operation::Intersection {
        if sizes.contains(&0) {
            return Ok(Set::default());
        }
        // The smallest set leads (`qsortCompareSetsByCardinality`).
        order.sort_by_key(|&at| sizes[at]);
    }
    let mut order = order.into_iter().filter_map(|at| names.get(at));
    let first = match order.next() {
        Some(name) => known(keys, name),
        None => None,
    };
    let mut result = Set::default();
    for member in first.into_iter().flat_map(Set::iter) {
        result.add(&member, ints);
    }
    for name in order {
        let Some(other) = known(keys, name) else { continue };
        match operation {
            Operation::Union => {
                for member in other.iter() {
                    result.add(&member, ints);
                }
            }
            Operation::Difference => {
                for member in other.iter() {
                    result.remove(&member);
                }
            }
            Operation::Intersection => {
                let mut kept = Set::default();
                for member in result.iter().filter(|member| other.contains(member)) {
                    kept.add(&member, ints);
                }
                result = kept;
            }
        }
    }
    if operation == Operation::Difference {
        // What is left decides the layout, not what was there before.
        let mut kept = Set::default();
        for member in result.iter() {
            kept.add(&member, ints);
        }
        result = kept;
    }
    Ok(result)
}

/// A set that has been looked up before.
fn known<'a>(keys: &'a mut Keyspace, name: &[u8]) -> Option<&'a Set> {
    match keys.peek(name).map(|entry| &entry.value) {
        Some(Value::Set(set)) => Some(set),
        _ => None,
    }
}
