//! Strings as rows of bits: `SETBIT`, `GETBIT`, `BITCOUNT`, `BITPOS`, `BITOP` (`bitops.c`).
//!
//! Bit 0 is the highest one of the first byte. It must not know fields of several bits.

use crate::arg;
use crate::context::Cx;
use crate::error::{CommandError, CommandResult, SYNTAX, WRONG_TYPE};
use crate::events::Class;
use crate::keyspace::Keyspace;
use crate::value::{Digits, Str, Value};

const BAD_BIT: CommandError = CommandError::fixed("ERR bit is not an integer or out of range");
const BAD_OFFSET: CommandError =
    CommandError::fixed("ERR bit offset is not an integer or out of range");
const NOT_A_BIT: CommandError = CommandError::fixed("ERR The bit argument must be 1 or 0.");
const NOT_TAKES_ONE: CommandError =
    CommandError::fixed("ERR BITOP NOT must be called with a single source key.");

pub(crate) fn setbit(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let at = offset(argv[2], None, cx.server.max_bulk())?;
    let on = match arg::integer_or(argv[3], BAD_BIT)? {
        0 => false,
        1 => true,
        _ => return Err(BAD_BIT),
    };
    let text = grown(cx.keys, argv[1], at)?;
    let mut old = false;
    if let Some(byte) = text.get_mut(at / 8) {
        let mask = 0x80 >> (at % 8);
        old = *byte & mask != 0;
        *byte = if on { *byte | mask } else { *byte & !mask };
    }
    cx.keys.changed(Class::STRING, "setbit", argv[1]);
    cx.integer(old)
}

pub(crate) fn getbit(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let at = offset(argv[2], None, cx.server.max_bulk())?;
    let set = cx.keys.read::<Str>(argv[1])?.is_some_and(|text| {
        let mut digits = Digits::new();
        text.bytes(&mut digits).get(at / 8).is_some_and(|byte| byte & (0x80 >> (at % 8)) != 0)
    });
    cx.integer(set)
}

pub(crate) fn bitcount(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let Some(text) = cx.keys.read::<Str>(argv[1])? else {
        return cx.integer(0);
    };
    let mut digits = Digits::new();
    let bytes = text.bytes(&mut digits);
    let count = match argv[2..] {
        [] => ones(bytes),
        [start, end] | [start, end, _] => {
            let (start, end) = (arg::integer(start)?, arg::integer(end)?);
            if start < 0 && end < 0 && start > end {
                return cx.integer(0);
            }
            let unit = argv.get(4).map_or(Ok(Unit::Byte), |word| Unit::parse(word))?;
            match unit.bits(start, end, bytes.len()) {
                Some((first, last)) => count(bytes, first, last),
                None => 0,
            }
        }
        _ => return Err(SYNTAX),
    };
    cx.integer(count)
}

pub(crate) fn bitpos(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let wanted = match arg::integer(argv[2])? {
        0 => false,
        1 => true,
        _ => return Err(NOT_A_BIT),
    };
    let Some(text) = cx.keys.read::<Str>(argv[1])? else {
        return cx.integer(if wanted { -1 } else { 0 });
    };
    let mut digits = Digits::new();
    let bytes = text.bytes(&mut digits);
    let end_given = argv.len() > 4;
    let range = match argv[3..] {
        [] => Unit::Byte.bits(0, -1, bytes.len()),
        [start] => Unit::Byte.bits(arg::integer(start)?, -1, bytes.len()),
        [start, end] | [start, end, _] => {
            let start = arg::integer(start)?;
            let unit = argv.get(5).map_or(Ok(Unit::Byte), |word| Unit::parse(word))?;
            unit.bits(start, arg::integer(end)?, bytes.len())
        }
        _ => return Err(SYNTAX),
    };
    let position = range.and_then(|(first, last)| {
        let found = position(bytes, wanted, first, last);
        // Beyond a string whose end was not given there are zeros.
        found.or((!wanted && !end_given).then_some(bytes.len() * 8))
    });
    cx.integer(position.map_or(-1, |position| position as i64))
}

pub(crate) fn bitop(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let (word, target, sources) = (argv[1], argv[2], &argv[3..]);
    let combine: fn(u8, u8) -> u8 = if arg::is(word, "and") {
        |a, b| a & b
    } else if arg::is(word, "or") {
        |a, b| a | b
    } else if arg::is(word, "xor") {
        |a, b| a ^ b
    } else if arg::is(word, "not") {
        |a, _| !a
    } else {
        return Err(SYNTAX);
    };
    if arg::is(word, "not") && sources.len() != 1 {
        return Err(NOT_TAKES_ONE);
    }
    let mut strings = Vec::with_capacity(sources.len());
    for key in sources {
        strings.push(cx.keys.read::<Str>(key)?.map(Str::to_vec).unwrap_or_default());
    }
    let len = strings.iter().map(Vec::len).max().unwrap_or(0);
    let mut strings = strings.into_iter();
    let mut result = strings.next().unwrap_or_default();
    result.resize(len, 0);
    if arg::is(word, "not") {
        result.iter_mut().for_each(|byte| *byte = combine(*byte, 0));
    }
    for string in strings {
        let others = string.iter().copied().chain(std::iter::repeat(0));
        result.iter_mut().zip(others).for_each(|(byte, other)| *byte = combine(*byte, other));
    }
    if result.is_empty() {
        cx.keys.erase(target);
    } else {
        cx.keys.set(target, Value::Str(Str::Raw(result)));
        cx.keys.notify(Class::STRING, "set", target);
    }
    cx.integer(len as u64)
}

/// A bit's offset in a string of at most `max_bytes`; `#n` is the `n`th field of `width` bits
/// (`getBitOffsetFromArgument`).
pub(super) fn offset(
    arg: &[u8],
    width: Option<u32>,
    max_bytes: usize,
) -> Result<usize, CommandError> {
    let offset = match (arg, width) {
        ([b'#', number @ ..], Some(width)) => {
            arg::integer_or(number, BAD_OFFSET)?.checked_mul(i64::from(width))
        }
        _ => Some(arg::integer_or(arg, BAD_OFFSET)?),
    };
    offset
        .and_then(|offset| usize::try_from(offset).ok())
        .filter(|offset| offset / 8 < max_bytes)
        .ok_or(BAD_OFFSET)
}

/// The string of a key, made long enough to hold this bit (`lookupStringForBitCommand`).
pub(super) fn grown<'a>(
    keys: &'a mut Keyspace,
    key: &[u8],
    bit: usize,
) -> Result<&'a mut Vec<u8>, CommandError> {
    if keys.write::<Str>(key)?.is_none() {
        keys.set(key, Value::Str(Str::Raw(Vec::new())));
    }
    let text = keys.write::<Str>(key)?.ok_or(WRONG_TYPE)?.edit();
    if text.len() <= bit / 8 {
        text.resize(bit / 8 + 1, 0);
    }
    Ok(text)
}

/// What the ends of a range count.
#[derive(Clone, Copy)]
enum Unit {
    Byte,
    Bit,
}

impl Unit {
    fn parse(word: &[u8]) -> Result<Self, CommandError> {
        if arg::is(word, "bit") {
            Ok(Unit::Bit)
        } else if arg::is(word, "byte") {
            Ok(Unit::Byte)
        } else {
            Err(SYNTAX)
        }
    }

    /// The first and last bit of a range in a string of `len` bytes; `None` when it is empty.
    /// Negative ends count from the end of the string.
    fn bits(self, start: i64, end: i64, len: usize) -> Option<(usize, usize)> {
        let total = match self {
            Unit::Byte => len as i64,
            Unit::Bit => len as i64 * 8,
        };
        let from = |at: i64| if at < 0 { at.saturating_add(total).max(0) } else { at };
        let (start, end) = (from(start), from(end).min(total - 1));
        let (start, end) = (usize::try_from(start).ok()?, usize::try_from(end).ok()?);
        match self {
            _ if start > end => None,
            Unit::Byte => Some((start * 8, end * 8 + 7)),
            Unit::Bit => Some((start, end)),
        }
    }
}

fn ones(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let words: u64 =
        words.iter().map(|word| u64::from(u64::from_ne_bytes(*word).count_ones())).sum();
    words + rest.iter().map(|byte| u64::from(byte.count_ones())).sum::<u64>()
}

/// How many bits are set in `first..=last`.
fn count(bytes: &[u8], first: usize, last: usize) -> u64 {
    let Some(inside) = bytes.get(first / 8..=last / 8) else { return 0 };
    let before = inside.first().map_or(0, |byte| (byte & !(0xff >> (first % 8))).count_ones());
    let after = inside.last().map_or(0, |byte| (byte & (0x7f >> (last % 8))).count_ones());
    ones(inside) - u64::from(before) - u64::from(after)
}

/// The first bit of this value in `first..=last`.
fn position(bytes: &[u8], wanted: bool, first: usize, last: usize) -> Option<usize> {
    let boring = if wanted { 0 } else { 0xff };
    let mut at = first;
    while at <= last {
        let byte = *bytes.get(at / 8)?;
        if at.is_multiple_of(8) && byte == boring {
            at += 8;
        } else if (byte & (0x80 >> (at % 8)) != 0) == wanted {
            return Some(at);
        } else {
            at += 1;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn counts_and_finds_as_bit_by_bit(
            bytes in proptest::collection::vec(prop_oneof![Just(0), Just(0xff), any::<u8>()], 1..40),
            a: usize,
            b: usize,
            wanted: bool,
        ) {
            let bits = bytes.len() * 8;
            let (first, last) = ((a % bits).min(b % bits), (a % bits).max(b % bits));
            let set = |at: &usize| bytes[at / 8] & (0x80 >> (at % 8)) != 0;
            let ones = (first..=last).filter(set).count() as u64;
            prop_assert_eq!(count(&bytes, first, last), ones);
            let found = (first..=last).find(|at| set(at) == wanted);
            prop_assert_eq!(position(&bytes, wanted, first, last), found);
        }
    }
}
