//! Strings as numbers: `INCR` and its kin (`t_string.c incrDecrCommand`, `incrbyfloatCommand`).
//!
//! Owns integer and long-double arithmetic on string values. It must not know how either is
//! represented.

use crate::arg;
use crate::context::Cx;
use crate::error::{
    CommandError, CommandResult, NAN_OR_INFINITY, NOT_FLOAT, NOT_INTEGER, OVERFLOW,
};
use crate::events::Class;
use crate::long_double::{LongDouble, Parsed};
use crate::value::{Digits, Str, Value};

pub(crate) fn incr(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    add(cx, argv[1], 1)
}

pub(crate) fn decr(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    add(cx, argv[1], -1)
}

pub(crate) fn incrby(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    add(cx, argv[1], arg::integer(argv[2])?)
}

pub(crate) fn decrby(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let by = arg::integer(argv[2])?
        .checked_neg()
        .ok_or(CommandError::fixed("ERR decrement would overflow"))?;
    add(cx, argv[1], by)
}

fn add(cx: &mut Cx<'_>, key: &[u8], by: i64) -> CommandResult {
    let sum = match cx.keys.write::<Str>(key)? {
        Some(text) => {
            let sum = text.integer().ok_or(NOT_INTEGER)?.checked_add(by).ok_or(OVERFLOW)?;
            *text = Str::Int(sum);
            cx.keys.modified(key);
            sum
        }
        None => {
            cx.keys.set(key, Value::Str(Str::Int(by)));
            by
        }
    };
    cx.keys.notify(Class::STRING, "incrby", key);
    cx.sink.integer(sum);
    Ok(())
}

pub(crate) fn incrbyfloat(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let key = argv[1];
    let old = match cx.keys.write::<Str>(key)? {
        None => Parsed::Finite(LongDouble::from_integer(0)),
        Some(text) => LongDouble::parse(text.bytes(&mut Digits::new())).ok_or(NOT_FLOAT)?,
    };
    let by = LongDouble::parse(argv[2]).ok_or(NOT_FLOAT)?;
    let sum = sum(old, by)?;
    cx.keys.set_keeping_expiry(key, Value::Str(Str::text(&sum)));
    cx.keys.notify(Class::STRING, "incrbyfloat", key);
    cx.sink.bulk(&sum);
    Ok(())
}

/// The sum of two long doubles as Redis prints it.
pub(crate) fn sum(one: Parsed, two: Parsed) -> Result<Vec<u8>, CommandError> {
    match (one, two) {
        (Parsed::Finite(one), Parsed::Finite(two)) => {
            one.add(two).map(LongDouble::human).ok_or(NAN_OR_INFINITY)
        }
        _ => Err(NAN_OR_INFINITY),
    }
}
