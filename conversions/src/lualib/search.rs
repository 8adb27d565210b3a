//! `string.find`, `string.match` and the iterator of `string.gmatch`.
//!
//! Owns their arguments and results (`str_find_aux`, `gmatch_aux` in `lstrlib.c`). Must not know
//! how a pattern matches.

use redlua_core::{Arguments, Kind, Raise, Scalar, ValueWriter};

use super::budget::{Budget, ask_for};
use super::matcher::{Captured, Matcher, Places};
use super::pattern::{Pattern, is_plain};
use super::text::place;
use crate::check::Check;
use crate::number::c_i64;

/// A call of `string.find` or `string.match` whose arguments are read, for engines that read them
/// faster than through [`Arguments`].
#[derive(Clone, Copy, Debug)]
pub struct Search<'a> {
    /// The text.
    pub source: &'a [u8],
    /// What is looked for.
    pub pattern: &'a [u8],
    /// The third argument, 1 when there is none.
    pub init: f64,
    /// Whether the pattern is to be taken as it is, which only `string.find` can be told.
    pub plain: bool,
    /// Whether it is `string.find`.
    pub positions: bool,
}

impl Search<'_> {
    /// Appends the results and says how many they are.
    ///
    /// # Errors
    /// A malformed pattern, or what the budget says.
    #[inline]
    pub fn run<W: ValueWriter + ?Sized>(
        &self,
        out: &mut W,
        budget: &mut dyn Budget,
    ) -> Result<usize, Raise> {
        let Search { source, pattern, init, plain, positions } = *self;
        let start = match c_i64(init) {
            1 => 0,
            init => usize::try_from(place(init, source.len()) - 1).unwrap_or(0).min(source.len()),
        };
        if positions && (plain || is_plain(pattern)) {
            let rest = source.get(start..).unwrap_or_default();
            ask_for(rest.len(), budget)?;
            let Some(distance) = find_plain(rest, pattern) else {
                out.nil();
                return Ok(1);
            };
            out.number((start + distance + 1) as f64);
            out.number((start + distance + pattern.len()) as f64);
            return Ok(2);
        }
        let mut places = Places::default();
        let pattern = Pattern::new(pattern, true);
        let mut matcher = Matcher::new(source, &pattern, &mut places, budget);
        let Some((start, end)) = matcher.search(start)? else {
            out.nil();
            return Ok(1);
        };
        if positions {
            out.number((start + 1) as f64);
            out.number(end as f64);
            captures(&matcher, matcher.level(), start, end, out)?;
            Ok(2 + matcher.level())
        } else {
            let count = matcher.level().max(1);
            captures(&matcher, count, start, end, out)?;
            Ok(count)
        }
    }
}

/// `string.find` and `string.match`.
pub(super) fn find<A: Arguments + ?Sized, W: ValueWriter + ?Sized>(
    positions: bool,
    args: &mut A,
    out: &mut W,
    budget: &mut dyn Budget,
) -> Result<(), Raise> {
    let args = &*args;
    let (source, pattern) = (args.text(0)?, args.text(1)?);
    let init = match args.scalar(2) {
        Scalar::Other(Kind::None | Kind::Nil) => 1.0,
        _ => args.numeral(2)?,
    };
    let plain = positions && args.scalar(3).truth();
    Search { source: &source, pattern: &pattern, init, plain, positions }.run(out, budget)?;
    Ok(())
}

/// What `string.gmatch` iterates over, checked: its first two arguments.
pub(super) fn gmatch<A: Arguments + ?Sized>(args: &mut A) -> Result<Gmatch, Raise> {
    let (source, pattern) = (args.text(0)?, args.text(1)?);
    Ok(Gmatch { source: source.to_vec(), pattern: pattern.to_vec(), position: 0 })
}

/// The iterator that `string.gmatch` returns, for an engine to put into a function.
#[derive(Clone, Debug)]
pub struct Gmatch {
    source: Vec<u8>,
    pattern: Vec<u8>,
    position: usize,
}

impl Gmatch {
    /// The bytes it holds.
    pub fn size(&self) -> usize {
        self.source.len() + self.pattern.len()
    }

    /// One call of the function: the captures of the next match, or nothing.
    ///
    /// # Errors
    /// A malformed pattern, or what the budget says.
    pub fn advance<W: ValueWriter + ?Sized>(
        &mut self,
        out: &mut W,
        budget: &mut dyn Budget,
    ) -> Result<(), Raise> {
        gmatch_next(&self.source, &self.pattern, &mut self.position, out, budget)
    }
}

/// `gmatch_aux`: the captures of the match at or behind `position`, which moves on; nothing when
/// there is none.
///
/// # Errors
/// A malformed pattern, or what the budget says.
pub fn gmatch_next<W: ValueWriter + ?Sized>(
    source: &[u8],
    pattern: &[u8],
    position: &mut usize,
    out: &mut W,
    budget: &mut dyn Budget,
) -> Result<(), Raise> {
    if *position > source.len() {
        return Ok(());
    }
    // `^` is no anchor here.
    let mut places = Places::default();
    let pattern = Pattern::new(pattern, false);
    let mut matcher = Matcher::new(source, &pattern, &mut places, budget);
    let Some((start, end)) = matcher.search(*position)? else { return Ok(()) };
    *position = if end == start { end + 1 } else { end };
    captures(&matcher, matcher.level().max(1), start, end, out)
}

/// `push_captures`.
#[inline]
pub(super) fn captures<W: ValueWriter + ?Sized>(
    matcher: &Matcher<'_, '_>,
    count: usize,
    start: usize,
    end: usize,
    out: &mut W,
) -> Result<(), Raise> {
    if count > 1 && !out.room(count) {
        return Err(Raise::message("stack overflow (too many captures)"));
    }
    for index in 0..count {
        match matcher.capture(index, start, end)? {
            Captured::Text(text) => out.string(text),
            Captured::Position(position) => out.number(position as f64),
        }
    }
    Ok(())
}

/// Where `wanted` is in `text` (`lmemfind`).
#[inline]
fn find_plain(text: &[u8], wanted: &[u8]) -> Option<usize> {
    let [first, rest @ ..] = wanted else { return Some(0) };
    let [second, rest @ ..] = rest else { return memchr::memchr(*first, text) };
    // Most are found at one of the first places. Where the first character is frequent, the two
    // together are not; what takes longer is worth the preparation of a search whose time does
    // not depend on how much of the text looks alike.
    let mut at = 0;
    for _ in 0..3 {
        at += memchr::memchr(*first, text.get(at..)?)? + 1;
        if let [byte, there @ ..] = text.get(at..)?
            && byte == second
            && begins_with(there, rest)
        {
            return Some(at - 1);
        }
    }
    let near = at..text.len().min(at + NEAR);
    let is_pair = |pair: &[u8]| matches!(pair, [a, b] if a == first && b == second);
    while let Some(distance) = text.get(at..near.end)?.windows(2).position(is_pair) {
        at += distance;
        if begins_with(text.get(at + 2..)?, rest) {
            return Some(at);
        }
        at += 1;
    }
    let at = at.max(near.end.saturating_sub(1));
    memchr::memmem::find(text.get(at..)?, wanted).map(|distance| at + distance)
}

/// Bytes in which pairs are looked for one by one.
const NEAR: usize = 96;

#[inline]
fn begins_with(text: &[u8], wanted: &[u8]) -> bool {
    match wanted.len() {
        0..16 => text.len() >= wanted.len() && text.iter().zip(wanted).all(|(a, b)| a == b),
        _ => text.starts_with(wanted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_texts_are_found_wherever_they_are() {
        for at in 0..300 {
            for wanted in [&b"x"[..], b"ab", b"abc", b"aab", b"aaaaaaaaaaaaaaaaaaab"] {
                for filler in [b"a", b"-"] {
                    let mut text = filler.repeat(at);
                    text.extend_from_slice(wanted);
                    text.extend_from_slice(b"abaab");
                    let slow = (0..text.len()).find(|&i| text[i..].starts_with(wanted));
                    assert_eq!(find_plain(&text, wanted), slow, "{wanted:?} at {at}");
                    text.truncate(text.len() - 6);
                    let slow = (0..text.len()).find(|&i| text[i..].starts_with(wanted));
                    assert_eq!(find_plain(&text, wanted), slow, "{wanted:?} at {at}, cut");
                }
            }
        }
        assert_eq!(find_plain(b"", b""), Some(0));
        assert_eq!(find_plain(b"", b"a"), None);
    }
}
