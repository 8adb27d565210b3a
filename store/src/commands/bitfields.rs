//! Strings as rows of integers of any width: `BITFIELD` and `BITFIELD_RO` (`bitfieldGeneric` in
//! `bitops.c`).
//!
//! Owns the overflow rules. It must not know single bits.

use redlua_conversions::number::parse_i64;
use redlua_core::Seq;

use super::bitmaps::{grown, offset};
use crate::arg;
use crate::context::Cx;
use crate::error::{CommandError, CommandResult, SYNTAX};
use crate::events::Class;
use crate::value::Str;

const BAD_TYPE: CommandError = CommandError::fixed(
    "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 \
     is.",
);
const BAD_OVERFLOW: CommandError = CommandError::fixed("ERR Invalid OVERFLOW type specified");
const ONLY_GET: CommandError =
    CommandError::fixed("ERR BITFIELD_RO only supports the GET subcommand");

pub(crate) fn bitfield(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    run(cx, argv, false)
}

pub(crate) fn bitfield_ro(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    run(cx, argv, true)
}

fn run(cx: &mut Cx<'_>, argv: &[&[u8]], read_only: bool) -> CommandResult {
    let operations = parse(argv, cx.server.max_bulk())?;
    let last_written = operations
        .iter()
        .filter(|operation| !matches!(operation.action, Action::Get))
        .map(|operation| operation.at + operation.field.width as usize - 1)
        .max();
    let Some(last) = last_written else {
        let text = cx.keys.read::<Str>(argv[1])?.map(Str::to_vec).unwrap_or_default();
        cx.sink.seq(Seq::Array, operations.len());
        for operation in operations {
            cx.sink.integer(operation.field.read(&text, operation.at) as i64);
        }
        return Ok(());
    };
    if read_only {
        return Err(ONLY_GET);
    }
    let text = grown(cx.keys, argv[1], last)?;
    cx.sink.seq(Seq::Array, operations.len());
    for Operation { field, at, action } in operations {
        let old = field.read(text, at);
        let (stored, reply) = match action {
            Action::Get => (None, Some(old)),
            Action::Set(value, overflow) => {
                let value = field.reinterpret(value);
                let new = field.fit(value, overflow);
                (new, new.map(|_| old))
            }
            Action::Increment(by, overflow) => {
                let new = field.fit(old + i128::from(by), overflow);
                (new, new)
            }
        };
        if let Some(value) = stored {
            field.write(text, at, value);
        }
        match reply {
            Some(value) => cx.sink.integer(value as i64),
            None => cx.sink.null(),
        }
    }
    cx.keys.changed(Class::STRING, "setbit", argv[1]);
    Ok(())
}

fn parse(argv: &[&[u8]], max_bytes: usize) -> Result<Vec<Operation>, CommandError> {
    let mut operations = Vec::new();
    let mut overflow = Overflow::Wrap;
    let mut rest = argv.get(2..).unwrap_or_default();
    loop {
        let (word, after) = match rest {
            [] => return Ok(operations),
            [word, kind, after @ ..] if arg::is(word, "overflow") => {
                overflow = Overflow::parse(kind)?;
                rest = after;
                continue;
            }
            [word, after @ ..] => (word, after),
        };
        let (field, at, action);
        (field, at, action, rest) = match after {
            [kind, place, after @ ..] if arg::is(word, "get") => {
                let field = Field::parse(kind)?;
                (field, offset(place, Some(field.width), max_bytes)?, Action::Get, after)
            }
            [kind, place, value, after @ ..] if arg::is(word, "set") => {
                let field = Field::parse(kind)?;
                let at = offset(place, Some(field.width), max_bytes)?;
                (field, at, Action::Set(arg::integer(value)?, overflow), after)
            }
            [kind, place, value, after @ ..] if arg::is(word, "incrby") => {
                let field = Field::parse(kind)?;
                let at = offset(place, Some(field.width), max_bytes)?;
                (field, at, Action::Increment(arg::integer(value)?, overflow), after)
            }
            _ => return Err(SYNTAX),
        };
        operations.push(Operation { field, at, action });
    }
}

struct Operation {
    field: Field,
    /// The offset of its first bit.
    at: usize,
    action: Action,
}

enum Action {
    Get,
    Set(i64, Overflow),
    Increment(i64, Overflow),
}

/// What happens to a value that does not fit.
#[derive(Clone, Copy)]
enum Overflow {
    Wrap,
    Saturate,
    Fail,
}

impl Overflow {
    fn parse(word: &[u8]) -> Result<Self, CommandError> {
        if arg::is(word, "wrap") {
            Ok(Overflow::Wrap)
        } else if arg::is(word, "sat") {
            Ok(Overflow::Saturate)
        } else if arg::is(word, "fail") {
            Ok(Overflow::Fail)
        } else {
            Err(BAD_OVERFLOW)
        }
    }
}

/// An integer of some width.
#[derive(Clone, Copy)]
struct Field {
    signed: bool,
    width: u32,
}

impl Field {
    /// `i16`, `u8` …: up to `i64` and `u63` (`getBitfieldTypeFromArgument`).
    fn parse(kind: &[u8]) -> Result<Self, CommandError> {
        let (signed, width, most) = match kind {
            [b'i', width @ ..] => (true, width, 64),
            [b'u', width @ ..] => (false, width, 63),
            _ => return Err(BAD_TYPE),
        };
        let width = parse_i64(width).filter(|width| (1..=most).contains(width)).ok_or(BAD_TYPE)?;
        Ok(Field { signed, width: width as u32 })
    }

    /// The integer whose first bit is at `at`; beyond the string there are zeros.
    fn read(self, bytes: &[u8], at: usize) -> i128 {
        let (first, last) = (at / 8, (at + self.width as usize - 1) / 8);
        let bits = (first..=last)
            .fold(0_u128, |bits, at| bits << 8 | u128::from(bytes.get(at).copied().unwrap_or(0)));
        let below = (last + 1) * 8 - at - self.width as usize;
        self.wrap((bits >> below) as i128)
    }

    fn write(self, bytes: &mut [u8], at: usize, value: i128) {
        for bit in 0..self.width as usize {
            let on = value >> (self.width as usize - 1 - bit) & 1 != 0;
            let mask = 0x80 >> ((at + bit) % 8);
            if let Some(byte) = bytes.get_mut((at + bit) / 8) {
                *byte = if on { *byte | mask } else { *byte & !mask };
            }
        }
    }

    /// The value as the field can hold it; `None` when it is not to be stored.
    fn fit(self, value: i128, overflow: Overflow) -> Option<i128> {
        let (min, max) = self.limits();
        match overflow {
            _ if (min..=max).contains(&value) => Some(value),
            Overflow::Wrap => Some(self.wrap(value)),
            Overflow::Saturate => Some(value.clamp(min, max)),
            Overflow::Fail => None,
        }
    }

    /// The value that `SET` means. An unsigned field takes a negative one for the large one of the
    /// same bits. A signed field takes one so low that its distance to the maximum overflows 64
    /// bits for one too high (`checkSignedBitfieldOverflow`).
    fn reinterpret(self, value: i64) -> i128 {
        let (_, max) = self.limits();
        match i128::from(value) {
            value if !self.signed => value & i128::from(u64::MAX),
            value if self.width < 64 && max - value > i128::from(i64::MAX) => value + (1 << 64),
            value => value,
        }
    }

    /// The smallest and the largest value.
    fn limits(self) -> (i128, i128) {
        if self.signed {
            (-(1 << (self.width - 1)), (1 << (self.width - 1)) - 1)
        } else {
            (0, (1 << self.width) - 1)
        }
    }

    /// The low bits of a value, seen as this field.
    fn wrap(self, value: i128) -> i128 {
        let unused = 128 - self.width;
        if self.signed {
            value << unused >> unused
        } else {
            ((value as u128) << unused >> unused) as i128
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn reads_what_it_wrote(
            mut bytes in proptest::collection::vec(any::<u8>(), 24..32),
            signed: bool,
            width in 1_u32..64,
            at in 0_usize..100,
            value: i64,
        ) {
            let field = Field { signed, width };
            let before: Vec<_> = bytes.clone();
            let value = field.wrap(i128::from(value));
            field.write(&mut bytes, at, value);
            prop_assert_eq!(field.read(&bytes, at), value);
            // Its neighbours are untouched.
            let whole = Field { signed: false, width: 1 };
            for bit in (0..at).chain(at + width as usize..bytes.len() * 8) {
                prop_assert_eq!(whole.read(&bytes, bit), whole.read(&before, bit));
            }
            let (min, max) = field.limits();
            prop_assert_eq!(field.fit(max, Overflow::Fail), Some(max));
            prop_assert_eq!(field.fit(max + 1, Overflow::Fail), None);
            prop_assert_eq!(field.fit(max + 1, Overflow::Wrap), Some(min));
            prop_assert_eq!(field.fit(min - 1, Overflow::Saturate), Some(min));
        }
    }
}
