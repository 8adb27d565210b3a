//! What stands in a pattern.
//!
//! Owns its items and how they are told apart (`classend` in `lstrlib.c`), and what can be said
//! of all matches before the text is looked at. Must not know how a match is found.

use redlua_core::Raise;

use super::budget::Stopped;
use super::class::Single;

/// `LUA_MAXCAPTURES`.
pub(super) const CAPTURES: usize = 32;

/// A pattern.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pattern<'a> {
    /// All of it without its anchor. For C it ends at its first zero byte, so nothing here asks
    /// how long it is: only whether a [`letter`](Self::letter) is 0.
    items: &'a [u8],
    /// Whether it matches only where the search begins.
    pub(super) anchored: bool,
    /// What every match begins with, when that is one character and the pattern has no anchor.
    pub(super) first: Option<Single<'a>>,
    /// The character that must follow the first one, when it is just that.
    pub(super) second: Option<u8>,
    /// When the pattern is no more than the first character, repeated.
    pub(super) run: Option<Run>,
}

/// A pattern like `%a+`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Run {
    Bare,
    /// In parentheses.
    Captured,
}

/// Why a search ends without an answer. As wide as what it stands in place of, so that neither is
/// put together from bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(super) enum Fault {
    Stopped,
    TooManyCaptures,
    PatternCapture,
    CaptureIndex,
    UnfinishedCapture,
    TooComplex,
    EndsWithEscape,
    MissingBracket,
    MissingSet,
    Unbalanced,
}

impl From<Stopped> for Fault {
    fn from(_: Stopped) -> Fault {
        Fault::Stopped
    }
}

impl From<Fault> for Raise {
    #[cold]
    fn from(fault: Fault) -> Raise {
        Raise::message(match fault {
            Fault::Stopped => return Stopped.into(),
            Fault::TooManyCaptures => "too many captures",
            Fault::PatternCapture => "invalid pattern capture",
            Fault::CaptureIndex => "invalid capture index",
            Fault::UnfinishedCapture => "unfinished capture",
            Fault::TooComplex => "pattern too complex",
            Fault::EndsWithEscape => "malformed pattern (ends with '%')",
            Fault::MissingBracket => "malformed pattern (missing ']')",
            Fault::MissingSet => "missing '[' after '%f' in pattern",
            Fault::Unbalanced => "unbalanced pattern",
        })
    }
}

impl<'a> Pattern<'a> {
    /// A pattern; a leading `^` is taken for the anchor when `anchors` says so.
    #[inline]
    pub(super) fn new(pattern: &'a [u8], anchors: bool) -> Self {
        let (anchored, items) = match pattern {
            [b'^', rest @ ..] if anchors => (true, rest),
            _ => (false, pattern),
        };
        let mut whole = Pattern { items, anchored, first: None, second: None, run: None };
        if !anchored {
            whole.look_ahead();
        }
        whole
    }

    /// Finds out what every match begins with. A pattern that is wrong there is found out when it
    /// is tried.
    #[inline]
    fn look_ahead(&mut self) {
        let mut item = 0;
        while self.letter(item) == b'(' && self.letter(item + 1) != b')' && item < CAPTURES {
            item += 1;
        }
        match (self.letter(item), self.letter(item + 1)) {
            (0 | b'(' | b')', _) | (b'%', b'b' | b'f' | b'0'..=b'9') | (b'$', 0) => return,
            _ => {}
        }
        let Ok((end, single)) = self.item(item) else { return };
        let after = self.letter(end);
        if matches!(after, b'?' | b'*' | b'-') {
            return;
        }
        self.first = Some(single);
        if after == b'+' {
            self.run = match (item, self.letter(end + 1), self.letter(end + 2)) {
                (0, 0, _) => Some(Run::Bare),
                (1, b')', 0) => Some(Run::Captured),
                _ => None,
            };
        } else {
            self.second = self.literal(end);
        }
    }

    /// The character at `index`; 0 at the end, as in C, and behind it.
    #[inline]
    pub(super) fn letter(&self, index: usize) -> u8 {
        self.items.get(index).copied().unwrap_or(0)
    }

    /// The character that must come where the pattern goes on at `item`, when it is one.
    #[inline]
    pub(super) fn literal(&self, item: usize) -> Option<u8> {
        let (byte, end) = match self.letter(item) {
            0 | b'(' | b')' | b'[' | b'.' | b'$' => return None,
            b'%' => match self.letter(item + 1) {
                byte if byte.is_ascii_punctuation() => (byte, item + 2),
                _ => return None,
            },
            byte => (byte, item + 1),
        };
        if is_repetition(self.letter(end)) { None } else { Some(byte) }
    }

    /// The item for one character at `item` and where it ends.
    #[inline(always)]
    pub(super) fn item(&self, item: usize) -> Result<(usize, Single<'a>), Fault> {
        match self.letter(item) {
            b'%' => match self.letter(item + 1) {
                0 => Err(Fault::EndsWithEscape),
                class => Ok((item + 2, Single::class(class))),
            },
            b'[' => {
                let (end, set) = self.set(item)?;
                Ok((end, Single::Set(set)))
            }
            b'.' => Ok((item + 1, Single::Any)),
            byte => Ok((item + 1, Single::Byte(byte))),
        }
    }

    /// What stands in the set at `item`, a `[`, and where it ends. Its first character may be a
    /// `]`.
    pub(super) fn set(&self, item: usize) -> Result<(usize, &'a [u8]), Fault> {
        let mut end = item + 1;
        if self.letter(end) == b'^' {
            end += 1;
        }
        loop {
            match self.letter(end) {
                0 => return Err(Fault::MissingBracket),
                b'%' if self.letter(end + 1) != 0 => end += 2,
                _ => end += 1,
            }
            if self.letter(end) == b']' {
                return Ok((end + 1, self.items.get(item + 1..end).unwrap_or_default()));
            }
        }
    }
}

/// Whether a pattern, as far as C sees it, has none of the characters that mean something.
#[inline]
pub(super) fn is_plain(pattern: &[u8]) -> bool {
    let special = |byte: u8| {
        matches!(byte, b'^' | b'$' | b'*' | b'+' | b'?' | b'.' | b'(' | b'[' | b'%' | b'-')
    };
    for &byte in pattern {
        if byte == 0 {
            break;
        }
        if special(byte) {
            return false;
        }
    }
    true
}

/// What says how often the item before it comes.
#[inline]
pub(super) fn is_repetition(letter: u8) -> bool {
    matches!(letter, b'?' | b'*' | b'+' | b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_matches_begin_with() {
        let first = |pattern: &'static str| {
            let pattern = Pattern::new(pattern.as_bytes(), true);
            let admits = pattern.first.map(|single| single.admits(b'a'));
            (admits, pattern.second, pattern.run)
        };
        assert_eq!(first("a+"), (Some(true), None, Some(Run::Bare)));
        assert_eq!(first("(%d+)"), (Some(false), None, Some(Run::Captured)));
        assert_eq!(first("((a+))"), (Some(true), None, None));
        assert_eq!(first("a+b"), (Some(true), None, None));
        assert_eq!(first("(a+"), (Some(true), None, None));
        assert_eq!(first("ab"), (Some(true), Some(b'b'), None));
        assert_eq!(first("a%."), (Some(true), Some(b'.'), None));
        assert_eq!(first("ab*"), (Some(true), None, None));
        assert_eq!(first("a+\0b"), (Some(true), None, Some(Run::Bare)));
        assert_eq!(first("a$"), (Some(true), None, None));
        for unknown in
            ["", "a*", "a?", "a-", "()a", "%b()", "%1", "%f[a]", "$", "^a", "%", "[a", "\0a"]
        {
            assert_eq!(first(unknown), (None, None, None), "{unknown}");
        }
    }
}
