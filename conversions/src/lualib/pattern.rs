//! The matcher of Lua's patterns.
//!
//! Owns what `match` in `lstrlib.c` does: one attempt at one place, with backtracking. What C
//! keeps on its own stack, by recursion, is kept in a list here, so that no pattern takes more of
//! the host's stack than another; and every step is counted, so that none runs for ever. Must not
//! know the functions that search with it.

use redlua_core::Raise;
use smallvec::SmallVec;

use super::budget::{Budget, Fuel};
use super::class::{Single, in_set};
use crate::check::until_nul;

/// `LUA_MAXCAPTURES`.
const CAPTURES: usize = 32;
/// The most places to come back to. One for each repeated item: longer patterns than this have
/// nothing to say.
const CHOICES: usize = 1 << 18;
/// How many characters are looked at before the budget is asked.
const PIECE: usize = 1 << 16;

/// A pattern on a text.
pub(super) struct Matcher<'a, 'b> {
    source: &'a [u8],
    /// The pattern as C sees it, without its anchor.
    pattern: &'a [u8],
    anchored: bool,
    places: &'b mut Places,
    fuel: Fuel<'b>,
}

/// What a matcher remembers of its way. Made where it stays: it is large and mostly not filled.
#[derive(Default)]
pub(super) struct Places {
    /// The captures that have begun.
    captures: SmallVec<[Capture; CAPTURES]>,
    choices: SmallVec<[Choice; 12]>,
}

/// A part of the text that the pattern wants back.
#[derive(Clone, Copy, Debug)]
struct Capture {
    start: usize,
    extent: Extent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
    /// `(` was met, `)` was not.
    Open,
    /// `()`.
    Position,
    Length(usize),
}

/// A capture's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Captured<'a> {
    Text(&'a [u8]),
    /// A position, from 1.
    Position(usize),
}

/// Where to go on when what follows does not match.
#[derive(Clone, Copy, Debug)]
enum Choice {
    /// Without the optional item: on at `next`.
    Optional { next: usize, at: usize },
    /// With one repetition less, down to `least`.
    ///
    /// `wanted` is the character that must follow.
    Longest { next: usize, at: usize, least: usize, wanted: Option<u8> },
    /// With one repetition more.
    Shortest { item: usize, next: usize, at: usize },
    /// The capture begun last is none.
    Opened,
    /// That capture is open again.
    Closed { capture: usize },
}

/// What one step comes to.
enum Move {
    /// On with the item at the pattern's `item`, at the text's `at`.
    On {
        item: usize,
        at: usize,
    },
    Matched(usize),
    Failed,
}

impl<'a, 'b> Matcher<'a, 'b> {
    /// A matcher; a leading `^` is taken for the anchor when `anchors` says so.
    pub(super) fn new(
        source: &'a [u8],
        pattern: &'a [u8],
        anchors: bool,
        places: &'b mut Places,
        budget: &'b mut dyn Budget,
    ) -> Self {
        let pattern = until_nul(pattern);
        let (anchored, pattern) = match pattern {
            [b'^', rest @ ..] if anchors => (true, rest),
            _ => (false, pattern),
        };
        Matcher { source, pattern, anchored, places, fuel: Fuel::new(budget) }
    }

    /// Whether the pattern matches only where the search begins.
    pub(super) fn anchored(&self) -> bool {
        self.anchored
    }

    /// How many captures the last match has.
    pub(super) fn level(&self) -> usize {
        self.places.captures.len()
    }

    /// The text.
    pub(super) fn source(&self) -> &'a [u8] {
        self.source
    }

    /// The first match at `start` or, when it is not anchored, behind it: its two ends.
    pub(super) fn search(&mut self, start: usize) -> Result<Option<(usize, usize)>, Raise> {
        if self.anchored {
            return Ok(self.attempt(start)?.map(|end| (start, end)));
        }
        let first = self.first()?;
        let mut start = start;
        loop {
            if let Some(single) = first {
                // Elsewhere the attempt fails at its first character.
                let rest = self.source.get(start..).unwrap_or_default();
                match single.find(rest) {
                    Some(distance) => start += distance,
                    None => return Ok(None),
                }
            }
            if let Some(end) = self.attempt(start)? {
                return Ok(Some((start, end)));
            }
            if start >= self.source.len() {
                return Ok(None);
            }
            start += 1;
        }
    }

    /// What every match begins with, when that is one character.
    fn first(&self) -> Result<Option<Single<'a>>, Raise> {
        let mut item = 0;
        while self.letter(item) == b'(' && self.letter(item + 1) != b')' && item < CAPTURES {
            item += 1;
        }
        match (self.letter(item), self.letter(item + 1)) {
            (0 | b'(' | b')', _) | (b'%', b'b' | b'f' | b'0'..=b'9') => return Ok(None),
            (b'$', 0) => return Ok(None),
            _ => {}
        }
        let (end, single) = self.item(item)?;
        Ok(match self.letter(end) {
            b'?' | b'*' | b'-' => None,
            _ => Some(single),
        })
    }

    /// The end of a match that begins at `start`. The captures are its.
    pub(super) fn attempt(&mut self, start: usize) -> Result<Option<usize>, Raise> {
        self.places.captures.clear();
        self.places.choices.clear();
        let (mut item, mut at) = (0, start);
        loop {
            let begin = item;
            let alike = self.literals(&mut item, &mut at);
            self.fuel.burn(1 + item - begin)?;
            let mut outcome = if alike { self.step(item, at)? } else { Move::Failed };
            loop {
                match outcome {
                    Move::On { item: next, at: place } => {
                        (item, at) = (next, place);
                        break;
                    }
                    Move::Matched(end) => return Ok(Some(end)),
                    Move::Failed => match self.retreat()? {
                        Some(back) => outcome = back,
                        None => return Ok(None),
                    },
                }
            }
        }
    }

    /// The character of the pattern at `index`; 0 behind its end, as in C.
    #[inline]
    fn letter(&self, index: usize) -> u8 {
        self.pattern.get(index).copied().unwrap_or(0)
    }

    /// Goes over characters that stand for themselves and are not repeated, which is most of many
    /// patterns; returns whether the text has them.
    #[inline]
    fn literals(&self, item: &mut usize, at: &mut usize) -> bool {
        loop {
            let letter = self.letter(*item);
            let special = matches!(letter, 0 | b'(' | b')' | b'%' | b'$' | b'.' | b'[');
            if special || matches!(self.letter(*item + 1), b'?' | b'*' | b'+' | b'-') {
                return true;
            }
            if self.source.get(*at) != Some(&letter) {
                return false;
            }
            *item += 1;
            *at += 1;
        }
    }

    /// Matches the item at `item` with the text at `at`.
    #[inline]
    fn step(&mut self, item: usize, at: usize) -> Result<Move, Raise> {
        match self.letter(item) {
            b'(' => {
                let position = self.letter(item + 1) == b')';
                let extent = if position { Extent::Position } else { Extent::Open };
                if self.places.captures.len() >= CAPTURES {
                    return Err(fault("too many captures"));
                }
                self.places.captures.push(Capture { start: at, extent });
                self.choose(Choice::Opened)?;
                Ok(Move::On { item: item + 1 + usize::from(position), at })
            }
            b')' => {
                let captures = &self.places.captures;
                let open = captures.iter().rposition(|one| one.extent == Extent::Open);
                let Some(capture) = open else { return Err(fault("invalid pattern capture")) };
                if let Some(one) = self.places.captures.get_mut(capture) {
                    one.extent = Extent::Length(at - one.start);
                }
                self.choose(Choice::Closed { capture })?;
                Ok(Move::On { item: item + 1, at })
            }
            b'%' => match self.letter(item + 1) {
                b'b' => self.balanced(item, at),
                b'f' => self.frontier(item, at),
                digit @ b'0'..=b'9' => self.again(item, at, digit),
                _ => self.single(item, at),
            },
            b'$' if item + 1 == self.pattern.len() => {
                Ok(if at == self.source.len() { Move::Matched(at) } else { Move::Failed })
            }
            0 => Ok(Move::Matched(at)),
            _ => self.single(item, at),
        }
    }

    /// An item for one character and its repetition.
    #[inline]
    fn single(&mut self, item: usize, at: usize) -> Result<Move, Raise> {
        let (end, single) = self.item(item)?;
        let here = self.source.get(at).is_some_and(|&byte| single.admits(byte));
        let next = end + 1;
        match self.letter(end) {
            b'?' => {
                if !here {
                    return Ok(Move::On { item: next, at });
                }
                self.choose(Choice::Optional { next, at })?;
                Ok(Move::On { item: next, at: at + 1 })
            }
            b'*' => self.longest(single, next, at, at),
            b'+' if here => self.longest(single, next, at + 1, at + 1),
            b'+' => Ok(Move::Failed),
            b'-' => {
                self.choose(Choice::Shortest { item, next, at })?;
                Ok(Move::On { item: next, at })
            }
            _ if here => Ok(Move::On { item: end, at: at + 1 }),
            _ => Ok(Move::Failed),
        }
    }

    /// `max_expand`.
    #[inline]
    fn longest(
        &mut self,
        single: Single<'a>,
        next: usize,
        least: usize,
        from: usize,
    ) -> Result<Move, Raise> {
        let mut at = from;
        loop {
            let rest = self.source.get(at..).unwrap_or_default();
            let piece = rest.get(..PIECE).unwrap_or(rest);
            let run = match single {
                Single::Any => rest.len(),
                _ => single.run(piece),
            };
            at += run;
            if run < PIECE || at >= self.source.len() {
                break;
            }
            self.fuel.burn(run)?;
        }
        if next >= self.pattern.len() {
            // Nothing follows that could ask for less.
            return Ok(Move::Matched(at));
        }
        let wanted = self.wanted(next);
        let Some(at) = self.shorter(least, at, wanted)? else { return Ok(Move::Failed) };
        if at > least {
            self.choose(Choice::Longest { next, at, least, wanted })?;
        }
        Ok(Move::On { item: next, at })
    }

    /// The character that must come next when the pattern goes on at `item`, when it is one. Ends
    /// of captures that are open match nothing themselves.
    #[inline]
    fn wanted(&self, item: usize) -> Option<u8> {
        let mut item = item;
        if self.letter(item) == b')' {
            let captures = &self.places.captures;
            let open = captures.iter().filter(|one| one.extent == Extent::Open).count();
            let end = item + open;
            while item < end && self.letter(item) == b')' {
                item += 1;
            }
        }
        match (self.letter(item), self.letter(item + 1)) {
            (0 | b'(' | b')' | b'%' | b'[' | b'.' | b'$', _) => None,
            (_, b'?' | b'*' | b'+' | b'-') => None,
            (byte, _) => Some(byte),
        }
    }

    /// The last place from `least` to `at` where what follows may match.
    #[inline]
    fn shorter(
        &mut self,
        least: usize,
        at: usize,
        wanted: Option<u8>,
    ) -> Result<Option<usize>, Raise> {
        let Some(wanted) = wanted else { return Ok(Some(at)) };
        if self.source.get(at) == Some(&wanted) {
            return Ok(Some(at));
        }
        let before = self.source.get(least..at).unwrap_or_default();
        self.fuel.burn(before.len() / 16)?;
        let found = if before.len() < 16 {
            before.iter().rposition(|&byte| byte == wanted)
        } else {
            memchr::memrchr(wanted, before)
        };
        Ok(found.map(|distance| least + distance))
    }

    /// Goes back to the last choice; `None` when there is none left.
    #[inline]
    fn retreat(&mut self) -> Result<Option<Move>, Raise> {
        let Some(choice) = self.places.choices.last_mut() else { return Ok(None) };
        match choice {
            Choice::Longest { next, at, least, wanted } => {
                // There is a choice only where there is less to take.
                let (next, least, last, wanted) = (*next, *least, *at - 1, *wanted);
                let shorter = self.shorter(least, last, wanted)?;
                if let Some(at) = shorter
                    && at > least
                    && let Some(Choice::Longest { at: place, .. }) = self.places.choices.last_mut()
                {
                    *place = at;
                } else {
                    self.places.choices.pop();
                }
                return Ok(Some(match shorter {
                    Some(at) => Move::On { item: next, at },
                    None => Move::Failed,
                }));
            }
            Choice::Shortest { item, next, at } => {
                let (item, next, from) = (*item, *next, *at);
                let (_, single) = self.item(item)?;
                let wanted = self.wanted(next);
                let mut place = from;
                let more = loop {
                    if !self.source.get(place).is_some_and(|&byte| single.admits(byte)) {
                        break false;
                    }
                    place += 1;
                    let there = self.source.get(place);
                    if wanted.is_none() || wanted.as_ref() == there || place - from >= PIECE {
                        break true;
                    }
                };
                self.fuel.burn((place - from) / 8)?;
                if more {
                    if let Some(Choice::Shortest { at, .. }) = self.places.choices.last_mut() {
                        *at = place;
                    }
                    return Ok(Some(Move::On { item: next, at: place }));
                }
                self.places.choices.pop();
            }
            Choice::Optional { next, at } => {
                let on = Move::On { item: *next, at: *at };
                self.places.choices.pop();
                return Ok(Some(on));
            }
            Choice::Opened => {
                self.places.captures.pop();
                self.places.choices.pop();
            }
            Choice::Closed { capture } => {
                if let Some(one) = self.places.captures.get_mut(*capture) {
                    one.extent = Extent::Open;
                }
                self.places.choices.pop();
            }
        }
        self.fuel.burn(1)?;
        Ok(Some(Move::Failed))
    }

    #[inline]
    fn choose(&mut self, choice: Choice) -> Result<(), Raise> {
        if self.places.choices.len() >= CHOICES {
            return Err(fault("pattern too complex"));
        }
        self.places.choices.push(choice);
        Ok(())
    }

    /// The item for one character at `item` and where it ends (`classend`).
    #[inline]
    fn item(&self, item: usize) -> Result<(usize, Single<'a>), Raise> {
        match self.letter(item) {
            b'%' => match self.pattern.get(item + 1) {
                Some(&class) => Ok((item + 2, Single::Class(class))),
                None => Err(fault("malformed pattern (ends with '%')")),
            },
            b'[' => self.set(item),
            b'.' => Ok((item + 1, Single::Any)),
            byte => Ok((item + 1, Single::Byte(byte))),
        }
    }

    /// The set at `item`, a `[`. Its first character may be a `]`.
    fn set(&self, item: usize) -> Result<(usize, Single<'a>), Raise> {
        let mut end = item + 1;
        if self.letter(end) == b'^' {
            end += 1;
        }
        loop {
            match self.pattern.get(end) {
                None => return Err(fault("malformed pattern (missing ']')")),
                Some(b'%') if end + 1 < self.pattern.len() => end += 2,
                Some(_) => end += 1,
            }
            if self.letter(end) == b']' {
                let set = self.pattern.get(item + 1..end).unwrap_or_default();
                return Ok((end + 1, Single::Set(set)));
            }
        }
    }

    /// `%bxy`.
    fn balanced(&mut self, item: usize, at: usize) -> Result<Move, Raise> {
        let (open, close) = (self.letter(item + 2), self.letter(item + 3));
        if open == 0 || close == 0 {
            return Err(fault("unbalanced pattern"));
        }
        if self.source.get(at) != Some(&open) {
            return Ok(Move::Failed);
        }
        let mut depth = 1usize;
        let mut end = at + 1;
        for piece in self.source.get(end..).unwrap_or_default().chunks(PIECE) {
            self.fuel.burn(piece.len() / 4)?;
            for &byte in piece {
                end += 1;
                if byte == close {
                    depth -= 1;
                    if depth == 0 {
                        return Ok(Move::On { item: item + 4, at: end });
                    }
                } else if byte == open {
                    depth += 1;
                }
            }
        }
        Ok(Move::Failed)
    }

    /// `%f[set]`: between a character outside of the set and one inside. Both ends of the text
    /// count as zero bytes.
    fn frontier(&mut self, item: usize, at: usize) -> Result<Move, Raise> {
        let item = item + 2;
        if self.letter(item) != b'[' {
            return Err(fault("missing '[' after '%f' in pattern"));
        }
        let (end, Single::Set(set)) = self.set(item)? else { return Ok(Move::Failed) };
        let byte = |at: Option<usize>| at.and_then(|at| self.source.get(at)).copied().unwrap_or(0);
        let frontier = !in_set(byte(at.checked_sub(1)), set) && in_set(byte(Some(at)), set);
        Ok(if frontier { Move::On { item: end, at } } else { Move::Failed })
    }

    /// `%1`: the same text again.
    fn again(&mut self, item: usize, at: usize, digit: u8) -> Result<Move, Raise> {
        let capture = usize::from(digit).checked_sub(usize::from(b'1'));
        let capture = capture.and_then(|index| self.places.captures.get(index)).copied();
        let Some(Capture { start, extent }) = capture else {
            return Err(fault("invalid capture index"));
        };
        let len = match extent {
            Extent::Open => return Err(fault("invalid capture index")),
            // Its length is negative, hence larger than any other.
            Extent::Position => return Ok(Move::Failed),
            Extent::Length(len) => len,
        };
        self.fuel.burn(len / 16)?;
        let wanted = self.source.get(start..start + len);
        let same = wanted.is_some() && wanted == self.source.get(at..at + len);
        Ok(if same { Move::On { item: item + 2, at: at + len } } else { Move::Failed })
    }

    /// A part of the text.
    pub(super) fn text(&self, start: usize, end: usize) -> &'a [u8] {
        self.source.get(start..end).unwrap_or_default()
    }

    /// A capture of the last match, which lies between `start` and `end`; without captures the
    /// first one is all of it (`push_onecapture`).
    #[inline]
    pub(super) fn capture(
        &self,
        index: usize,
        start: usize,
        end: usize,
    ) -> Result<Captured<'a>, Raise> {
        let (start, len) = match self.places.captures.get(index) {
            None if index == 0 => (start, end - start),
            None => return Err(fault("invalid capture index")),
            Some(capture) => match capture.extent {
                Extent::Open => return Err(fault("unfinished capture")),
                Extent::Position => return Ok(Captured::Position(capture.start + 1)),
                Extent::Length(len) => (capture.start, len),
            },
        };
        Ok(Captured::Text(self.text(start, start + len)))
    }
}

#[cold]
fn fault(text: &str) -> Raise {
    Raise::message(text)
}
