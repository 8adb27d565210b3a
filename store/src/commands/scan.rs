//! Cursors: `SCAN`, `HSCAN`, `SSCAN`, `ZSCAN` (`db.c scanGenericCommand`).
//!
//! Owns the options and the walk. A cursor is a position in a dense list, walked downwards:
//! removals move only entries that have been seen, so nothing that stays is missed.

use redlua_core::{ReplySink, Seq};

use crate::arg;
use crate::context::Cx;
use crate::error::{CommandError, CommandResult, SYNTAX};
use crate::value::{Hash, Set, ZSet};
use redlua_conversions::glob;

/// The cursor and the options of one call.
struct Scan<'a> {
    pattern: Option<&'a [u8]>,
    count: usize,
    type_name: Option<&'a [u8]>,
}

impl<'a> Scan<'a> {
    /// Reads the options; `TYPE` is only known to `SCAN` itself.
    fn read(words: &[&'a [u8]], typed: bool) -> Result<Self, CommandError> {
        let mut scan = Scan { pattern: None, count: 10, type_name: None };
        let mut at = 0;
        while let (Some(word), next) = (words.get(at), words.get(at + 1)) {
            let value = *next.ok_or(SYNTAX)?;
            if arg::is(word, "count") {
                scan.count =
                    usize::try_from(arg::integer(value)?).ok().filter(|&n| n > 0).ok_or(SYNTAX)?;
            } else if arg::is(word, "match") {
                scan.pattern = Some(value).filter(|pattern| *pattern != b"*");
            } else if typed && arg::is(word, "type") {
                scan.type_name = Some(value);
            } else {
                return Err(SYNTAX);
            }
            at += 2;
        }
        Ok(scan)
    }

    fn matches(&self, text: &[u8]) -> bool {
        self.pattern.is_none_or(|pattern| glob::matches(pattern, text))
    }

    /// Which positions below `len` this call visits, and the next cursor. A `whole` collection
    /// is answered at once.
    fn window(&self, cursor: u64, len: usize, whole: bool) -> (std::ops::Range<usize>, usize) {
        if whole {
            return (0..len, 0);
        }
        let top =
            if cursor == 0 { len } else { usize::try_from(cursor).unwrap_or(usize::MAX).min(len) };
        let bottom = top.saturating_sub(self.count);
        (bottom..top, bottom)
    }
}

/// A cursor as `strtoul` reads it: up to a NUL, empty is 0, negative wraps
/// (`parseScanCursorOrReply`).
fn cursor(word: &[u8]) -> Result<u64, CommandError> {
    const INVALID: CommandError = CommandError::fixed("ERR invalid cursor");
    let word = word.split(|byte| *byte == 0).next().unwrap_or_default();
    let (negative, digits) = match word.split_first() {
        Some((b'-', digits)) => (true, digits),
        Some((b'+', digits)) => (false, digits),
        _ => (false, word),
    };
    if word.is_empty() {
        return Ok(0);
    }
    let mut cursor = 0u64;
    for digit in digits {
        let digit = (*digit as char).to_digit(10).ok_or(INVALID)?;
        let next = cursor.checked_mul(10).and_then(|n| n.checked_add(u64::from(digit)));
        cursor = next.ok_or(INVALID)?;
    }
    if digits.is_empty() {
        return Err(INVALID);
    }
    Ok(if negative { cursor.wrapping_neg() } else { cursor })
}

fn header(sink: &mut dyn ReplySink, next: usize, items: usize) {
    sink.seq(Seq::Array, 2);
    sink.bulk(itoa::Buffer::new().format(next).as_bytes());
    sink.seq(Seq::Array, items);
}

pub(crate) fn scan(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let cursor = cursor(argv[1])?;
    let scan = Scan::read(&argv[2..], true)?;
    let len = cx.keys.len();
    let (window, next) = scan.window(cursor, len, false);
    let found: Vec<_> = window
        .rev()
        .filter_map(|at| cx.keys.at(at))
        .filter(|(key, entry)| {
            scan.matches(key)
                && scan.type_name.is_none_or(|name| arg::is(name, entry.value.type_name()))
        })
        .map(|(key, _)| key)
        .collect();
    header(cx.sink, next, found.len());
    for key in found {
        cx.sink.bulk(key);
    }
    Ok(())
}

pub(crate) fn hscan(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let cursor = cursor(argv[2])?;
    let Some(hash) = cx.keys.read::<Hash>(argv[1])? else {
        header(cx.sink, 0, 0);
        return Ok(());
    };
    let scan = Scan::read(&argv[3..], false)?;
    let (window, next) = scan.window(cursor, hash.len(), hash.is_compact());
    let found: Vec<_> =
        window.filter_map(|at| hash.at(at)).filter(|(field, _)| scan.matches(field)).collect();
    header(cx.sink, next, found.len() * 2);
    for (field, value) in found {
        cx.sink.bulk(field);
        cx.sink.bulk(value);
    }
    Ok(())
}

pub(crate) fn sscan(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let cursor = cursor(argv[2])?;
    let Some(set) = cx.keys.read::<Set>(argv[1])? else {
        header(cx.sink, 0, 0);
        return Ok(());
    };
    let scan = Scan::read(&argv[3..], false)?;
    let (window, next) = scan.window(cursor, set.len(), set.is_compact());
    let found: Vec<_> =
        window.filter_map(|at| set.at(at)).filter(|member| scan.matches(member)).collect();
    header(cx.sink, next, found.len());
    for member in found {
        cx.sink.bulk(&member);
    }
    Ok(())
}

pub(crate) fn zscan(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let cursor = cursor(argv[2])?;
    let Some(zset) = cx.keys.read::<ZSet>(argv[1])? else {
        header(cx.sink, 0, 0);
        return Ok(());
    };
    let scan = Scan::read(&argv[3..], false)?;
    let compact = zset.is_compact();
    let (window, next) = scan.window(cursor, zset.len(), compact);
    let found: Vec<_> = window
        .filter_map(|at| zset.sample(at))
        .filter(|(member, _)| scan.matches(member))
        .collect();
    header(cx.sink, next, found.len() * 2);
    for (member, score) in found {
        cx.sink.bulk(member);
        // A listpack keeps whole numbers as integers (`double2ll` in `util.c`) and shows them so.
        if compact && is_whole(score) {
            cx.sink.bulk(itoa::Buffer::new().format(score as i64).as_bytes());
        } else {
            cx.sink.bulk(&redlua_conversions::number::g17(score));
        }
    }
    Ok(())
}

/// Whether a double is an integer well within 64 bits.
fn is_whole(score: f64) -> bool {
    const LIMIT: f64 = (i64::MAX / 2) as f64;
    score.fract() == 0.0 && score > -LIMIT && score < LIMIT
}
