//! When keys expire: `EXPIRE`, `TTL` and their kin (`expire.c`).
//!
//! Owns the conversion of times given by clients. It must not know how expired keys vanish.

use crate::arg;
use crate::context::Cx;
use crate::error::{CommandError, CommandResult, printed};
use crate::events::Class;

/// What a time is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Milliseconds,
}

/// `base` plus a time in some unit, in milliseconds, or the error that it does not fit.
pub(crate) fn expire_at(
    cx: &Cx<'_>,
    time: i64,
    unit: Unit,
    base: i64,
) -> Result<i64, CommandError> {
    let milliseconds = match unit {
        Unit::Seconds => time.checked_mul(1000),
        Unit::Milliseconds => Some(time),
    };
    milliseconds
        .and_then(|time| time.checked_add(base))
        .ok_or_else(|| CommandError::expire_time(cx.command.name))
}

/// Whether a key with this expiry would not live at all (`checkAlreadyExpired`).
pub(crate) fn is_past(cx: &Cx<'_>, time: i64) -> bool {
    time <= cx.time()
}

pub(crate) fn expire(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    set_expiry(cx, argv, Unit::Seconds, cx.time())
}

pub(crate) fn pexpire(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    set_expiry(cx, argv, Unit::Milliseconds, cx.time())
}

pub(crate) fn expireat(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    set_expiry(cx, argv, Unit::Seconds, 0)
}

pub(crate) fn pexpireat(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    set_expiry(cx, argv, Unit::Milliseconds, 0)
}

/// The conditions of `EXPIRE`.
#[derive(Default)]
struct Conditions {
    none: bool,
    some: bool,
    later: bool,
    earlier: bool,
}

impl Conditions {
    fn read(words: &[&[u8]]) -> Result<Self, CommandError> {
        let mut conditions = Conditions::default();
        for word in words {
            match () {
                _ if arg::is(word, "nx") => conditions.none = true,
                _ if arg::is(word, "xx") => conditions.some = true,
                _ if arg::is(word, "gt") => conditions.later = true,
                _ if arg::is(word, "lt") => conditions.earlier = true,
                _ => {
                    let mut text = b"ERR Unsupported option ".to_vec();
                    text.extend_from_slice(printed(word));
                    return Err(CommandError::new(text));
                }
            }
        }
        if conditions.none && (conditions.some || conditions.later || conditions.earlier) {
            return Err(CommandError::fixed(
                "ERR NX and XX, GT or LT options at the same time are not compatible",
            ));
        }
        if conditions.later && conditions.earlier {
            return Err(CommandError::fixed(
                "ERR GT and LT options at the same time are not compatible",
            ));
        }
        Ok(conditions)
    }

    fn hold(&self, old: Option<i64>, new: i64) -> bool {
        !(self.none && old.is_some()
            || self.some && old.is_none()
            || self.later && old.is_none_or(|old| new <= old)
            || self.earlier && old.is_some_and(|old| new >= old))
    }
}

fn set_expiry(cx: &mut Cx<'_>, argv: &[&[u8]], unit: Unit, base: i64) -> CommandResult {
    let key = argv[1];
    let conditions = Conditions::read(&argv[3..])?;
    let time = expire_at(cx, arg::integer(argv[2])?, unit, base)?;
    let Some(entry) = cx.keys.peek(key) else {
        return cx.integer(0);
    };
    if !conditions.hold(entry.expires(), time) {
        return cx.integer(0);
    }
    if is_past(cx, time) {
        cx.keys.erase(key);
    } else {
        cx.keys.set_expiry(key, Some(time));
        cx.keys.notify(Class::GENERIC, "expire", key);
    }
    cx.integer(1)
}

pub(crate) fn persist(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let volatile = cx.keys.is_volatile(argv[1]);
    if volatile {
        cx.keys.set_expiry(argv[1], None);
        cx.keys.notify(Class::GENERIC, "persist", argv[1]);
    }
    cx.integer(i64::from(volatile))
}

pub(crate) fn ttl(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let now = cx.time();
    tell(cx, argv, |expires| rounded((expires - now).max(0)))
}

pub(crate) fn pttl(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let now = cx.time();
    tell(cx, argv, |expires| (expires - now).max(0))
}

pub(crate) fn expiretime(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    tell(cx, argv, rounded)
}

pub(crate) fn pexpiretime(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    tell(cx, argv, |expires| expires)
}

/// -2 without a key, -1 without an expiry.
fn tell(cx: &mut Cx<'_>, argv: &[&[u8]], answer: impl FnOnce(i64) -> i64) -> CommandResult {
    let value = match cx.keys.glance(argv[1]) {
        None => -2,
        Some(entry) => entry.expires().map_or(-1, answer),
    };
    cx.integer(value)
}

fn rounded(milliseconds: i64) -> i64 {
    // The sum may pass the largest signed number; the reference divides it as it comes out.
    ((milliseconds as u64).wrapping_add(500) / 1000) as i64
}
