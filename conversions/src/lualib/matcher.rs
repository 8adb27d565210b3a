//! The matcher of Lua's patterns.
//!
//! Owns what `match` in `lstrlib.c` does: one attempt at one place, with backtracking. What C
//! keeps on its own stack, by recursion, is kept in a list here, so that no pattern takes more of
//! the host's stack than another; and every step is counted, so that none runs for ever. Must not
//! know the functions that search with it.

use smallvec::SmallVec;

use super::budget::{Budget, Fuel};
use super::class::{Single, in_set};
use super::pattern::{CAPTURES, Fault, Pattern, Run, is_repetition};

/// The most places to come back to. One for each repeated item: longer patterns than this have
/// nothing to say.
const CHOICES: usize = 1 << 18;
/// How many characters are looked at before the budget is asked.
const PIECE: usize = 1 << 16;

/// A pattern on a text.
pub(super) struct Matcher<'a, 'b> {
    source: &'a [u8],
    pattern: &'b Pattern<'a>,
    places: &'b mut Places,
    /// A bit for each capture that has begun and not ended.
    open: u32,
    /// Whether nothing was tried yet, so that there is nothing to forget.
    fresh: bool,
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
    /// `()`.
    Position,
    /// Means nothing while the capture is open.
    Length(usize),
}

/// A capture's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Captured<'a> {
    Text(&'a [u8]),
    /// A position, from 1.
    Position(usize),
}

/// Where to go on when what follows does not match: at the pattern's `next`, at the text's `at`.
#[derive(Clone, Copy, Debug)]
struct Choice {
    what: What,
    next: usize,
    at: usize,
    /// How many captures had begun, and those that had not ended.
    level: u32,
    open: u32,
}

#[derive(Clone, Copy, Debug)]
enum What {
    /// Without the optional item.
    Optional,
    /// With one repetition less, down to `least`, where the character `wanted` must follow.
    Longest { least: usize, wanted: Option<u8> },
    /// With one repetition more of `item`.
    Shortest { item: usize },
}

/// What one step comes to.
enum Move {
    /// On at the pattern's item, at the text's place.
    On(usize, usize),
    Matched(usize),
    Failed,
}

impl<'a, 'b> Matcher<'a, 'b> {
    #[inline]
    pub(super) fn new(
        source: &'a [u8],
        pattern: &'b Pattern<'a>,
        places: &'b mut Places,
        budget: &'b mut dyn Budget,
    ) -> Self {
        Matcher { source, pattern, places, open: 0, fresh: true, fuel: Fuel::new(budget) }
    }

    /// How many captures the last match has.
    #[inline]
    pub(super) fn level(&self) -> usize {
        self.places.captures.len()
    }

    /// The first match at `start` or, when it is not anchored, behind it: its two ends.
    #[inline]
    pub(super) fn search(&mut self, start: usize) -> Result<Option<(usize, usize)>, Fault> {
        if self.pattern.anchored {
            return Ok(self.attempt(start)?.map(|end| (start, end)));
        }
        match (self.pattern.first, self.pattern.run) {
            (Some(single), Some(run)) => self.search_run(single, run, start),
            (Some(single), None) => self.search_first(single, start),
            (None, _) => {
                for start in start..=self.source.len() {
                    if let Some(end) = self.attempt(start)? {
                        return Ok(Some((start, end)));
                    }
                }
                Ok(None)
            }
        }
    }

    /// The same for a pattern that is a repeated character.
    #[inline]
    fn search_run(
        &mut self,
        single: Single<'a>,
        run: Run,
        start: usize,
    ) -> Result<Option<(usize, usize)>, Fault> {
        let rest = self.source.get(start..).unwrap_or_default();
        let Some(distance) = single.find(rest) else { return Ok(None) };
        self.fuel.burn(1 + distance / 32)?;
        let start = start + distance;
        let end = self.extent(single, start + 1)?;
        self.forget();
        if run == Run::Captured {
            let extent = Extent::Length(end - start);
            self.places.captures.push(Capture { start, extent });
        }
        Ok(Some((start, end)))
    }

    /// The same for a pattern that begins with one character: elsewhere it need not be tried.
    fn search_first(
        &mut self,
        single: Single<'a>,
        start: usize,
    ) -> Result<Option<(usize, usize)>, Fault> {
        let mut start = start;
        loop {
            let rest = self.source.get(start..).unwrap_or_default();
            let Some(distance) = single.find(rest) else { return Ok(None) };
            self.fuel.burn(1 + distance / 32)?;
            start += distance;
            let second = self.pattern.second;
            if (second.is_none() || second.as_ref() == self.source.get(start + 1))
                && let Some(end) = self.attempt(start)?
            {
                return Ok(Some((start, end)));
            }
            start += 1;
        }
    }

    /// The end of a match that begins at `start`. The captures are its.
    fn attempt(&mut self, start: usize) -> Result<Option<usize>, Fault> {
        self.forget();
        let (mut item, mut at) = (0, start);
        loop {
            self.fuel.burn(1)?;
            match self.step(item, at)? {
                Move::On(next, place) => (item, at) = (next, place),
                Move::Matched(end) => return Ok(Some(end)),
                Move::Failed if self.places.choices.is_empty() => return Ok(None),
                Move::Failed => match self.retreat()? {
                    Some((next, place)) => (item, at) = (next, place),
                    None => return Ok(None),
                },
            }
        }
    }

    /// Drops what the attempt before has left.
    #[inline]
    fn forget(&mut self) {
        if !std::mem::replace(&mut self.fresh, false) {
            self.places.captures.clear();
            self.places.choices.clear();
            self.open = 0;
        }
    }

    /// Matches the item at `item` with the text at `at`.
    #[inline(always)]
    fn step(&mut self, item: usize, at: usize) -> Result<Move, Fault> {
        let pattern = self.pattern;
        match pattern.letter(item) {
            b'(' => {
                let position = pattern.letter(item + 1) == b')';
                self.begin(at, position)?;
                Ok(Move::On(item + 1 + usize::from(position), at))
            }
            b')' => {
                self.close(at)?;
                Ok(Move::On(item + 1, at))
            }
            b'%' => match pattern.letter(item + 1) {
                b'b' => self.balanced(item, at),
                b'f' => self.frontier(item, at),
                digit @ b'0'..=b'9' => self.again(item, at, digit),
                _ => self.single(item, at),
            },
            b'$' if pattern.letter(item + 1) == 0 => {
                Ok(if at == self.source.len() { Move::Matched(at) } else { Move::Failed })
            }
            0 => Ok(Move::Matched(at)),
            b'[' | b'.' => self.single(item, at),
            letter => {
                if is_repetition(pattern.letter(item + 1)) {
                    return self.single(item, at);
                }
                let same = self.source.get(at) == Some(&letter);
                Ok(if same { Move::On(item + 1, at + 1) } else { Move::Failed })
            }
        }
    }

    /// `(`, or `()`.
    #[inline]
    fn begin(&mut self, at: usize, position: bool) -> Result<(), Fault> {
        let level = self.places.captures.len();
        if level >= CAPTURES {
            return Err(Fault::TooManyCaptures);
        }
        let extent = if position {
            Extent::Position
        } else {
            self.open |= 1 << level;
            Extent::Length(0)
        };
        self.places.captures.push(Capture { start: at, extent });
        Ok(())
    }

    /// `)`.
    #[inline]
    fn close(&mut self, at: usize) -> Result<(), Fault> {
        let Some(last) = self.open.checked_ilog2() else { return Err(Fault::PatternCapture) };
        self.open &= !(1 << last);
        if let Some(capture) = self.places.captures.get_mut(last as usize) {
            capture.extent = Extent::Length(at - capture.start);
        }
        Ok(())
    }

    /// An item for one character and its repetition.
    #[inline]
    fn single(&mut self, item: usize, at: usize) -> Result<Move, Fault> {
        let (end, single) = self.pattern.item(item)?;
        let here = self.source.get(at).is_some_and(|&byte| single.admits(byte));
        let next = end + 1;
        match self.pattern.letter(end) {
            b'?' => {
                if !here {
                    return Ok(Move::On(next, at));
                }
                self.choose(What::Optional, next, at)?;
                Ok(Move::On(next, at + 1))
            }
            b'*' if here => self.longest(single, next, at, at + 1),
            b'*' => Ok(Move::On(next, at)),
            b'+' if here => self.longest(single, next, at + 1, at + 1),
            b'+' => Ok(Move::Failed),
            b'-' => {
                self.choose(What::Shortest { item }, next, at)?;
                Ok(Move::On(next, at))
            }
            _ if here => Ok(Move::On(end, at + 1)),
            _ => Ok(Move::Failed),
        }
    }

    /// `max_expand`, from where the first one is found to match.
    #[inline]
    fn longest(
        &mut self,
        single: Single<'a>,
        next: usize,
        least: usize,
        from: usize,
    ) -> Result<Move, Fault> {
        let at = self.extent(single, from)?;
        if self.pattern.letter(next) == 0 {
            // Nothing follows that could ask for less.
            return Ok(Move::Matched(at));
        }
        let wanted = self.wanted(next);
        let Some(at) = self.shorter(least, at, wanted)? else { return Ok(Move::Failed) };
        if at > least {
            self.choose(What::Longest { least, wanted }, next, at)?;
        }
        Ok(Move::On(next, at))
    }

    /// The end of the run of such characters that begins at `from`.
    #[inline]
    fn extent(&mut self, single: Single<'a>, from: usize) -> Result<usize, Fault> {
        let mut at = from;
        loop {
            let rest = self.source.get(at..).unwrap_or_default();
            if matches!(single, Single::Any) {
                return Ok(at + rest.len());
            }
            let run = single.run(rest.get(..PIECE).unwrap_or(rest));
            at += run;
            if run < PIECE {
                return Ok(at);
            }
            self.fuel.burn(run)?;
        }
    }

    /// The character that must come next when the pattern goes on at `item`, when it is one. Ends
    /// of captures that are open match nothing themselves.
    #[inline]
    fn wanted(&self, item: usize) -> Option<u8> {
        let end = item + self.open.count_ones() as usize;
        let mut item = item;
        while item < end && self.pattern.letter(item) == b')' {
            item += 1;
        }
        self.pattern.literal(item)
    }

    /// The last place from `least` to `at` where what follows may match.
    #[inline]
    fn shorter(
        &mut self,
        least: usize,
        at: usize,
        wanted: Option<u8>,
    ) -> Result<Option<usize>, Fault> {
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

    /// Goes back to the last choice that has something left; `None` when there is none.
    #[inline(never)]
    fn retreat(&mut self) -> Result<Option<(usize, usize)>, Fault> {
        while let Some(&Choice { what, next, at, level, open }) = self.places.choices.last() {
            self.fuel.burn(1)?;
            self.places.captures.truncate(level as usize);
            self.open = open;
            // Where to go on, and whether there is yet more to choose from.
            let (back, more) = match what {
                What::Optional => (Some(at), false),
                What::Longest { least, wanted } => {
                    // There is a choice only where there is less to take.
                    let back = self.shorter(least, at - 1, wanted)?;
                    (back, back.is_some_and(|at| at > least))
                }
                What::Shortest { item } => {
                    let back = self.longer(item, next, at)?;
                    (back, back.is_some())
                }
            };
            match (back, self.places.choices.last_mut()) {
                (Some(at), Some(choice)) if more => choice.at = at,
                _ => {
                    self.places.choices.pop();
                }
            }
            if let Some(at) = back {
                return Ok(Some((next, at)));
            }
        }
        Ok(None)
    }

    /// `min_expand`: the next place behind `from` where what follows may match.
    #[inline]
    fn longer(&mut self, item: usize, next: usize, from: usize) -> Result<Option<usize>, Fault> {
        let (_, single) = self.pattern.item(item)?;
        let wanted = self.wanted(next);
        let mut at = from;
        let found = loop {
            if !self.source.get(at).is_some_and(|&byte| single.admits(byte)) {
                break None;
            }
            at += 1;
            let there = self.source.get(at);
            if wanted.is_none() || wanted.as_ref() == there || at - from >= PIECE {
                break Some(at);
            }
        };
        self.fuel.burn((at - from) / 8)?;
        Ok(found)
    }

    #[inline]
    fn choose(&mut self, what: What, next: usize, at: usize) -> Result<(), Fault> {
        if self.places.choices.len() >= CHOICES {
            return Err(Fault::TooComplex);
        }
        let (level, open) = (self.places.captures.len() as u32, self.open);
        self.places.choices.push(Choice { what, next, at, level, open });
        Ok(())
    }

    /// `%bxy`.
    fn balanced(&mut self, item: usize, at: usize) -> Result<Move, Fault> {
        let (open, close) = (self.pattern.letter(item + 2), self.pattern.letter(item + 3));
        if open == 0 || close == 0 {
            return Err(Fault::Unbalanced);
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
                        return Ok(Move::On(item + 4, end));
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
    fn frontier(&mut self, item: usize, at: usize) -> Result<Move, Fault> {
        let item = item + 2;
        if self.pattern.letter(item) != b'[' {
            return Err(Fault::MissingSet);
        }
        let (end, set) = self.pattern.set(item)?;
        let byte = |at: Option<usize>| at.and_then(|at| self.source.get(at)).copied().unwrap_or(0);
        let frontier = !in_set(byte(at.checked_sub(1)), set) && in_set(byte(Some(at)), set);
        Ok(if frontier { Move::On(end, at) } else { Move::Failed })
    }

    /// `%1`: the same text again.
    fn again(&mut self, item: usize, at: usize, digit: u8) -> Result<Move, Fault> {
        let index = usize::from(digit).checked_sub(usize::from(b'1'));
        let capture = index.and_then(|index| Some((index, *self.places.captures.get(index)?)));
        let Some((index, Capture { start, extent })) = capture else {
            return Err(Fault::CaptureIndex);
        };
        if self.is_open(index) {
            return Err(Fault::CaptureIndex);
        }
        let len = match extent {
            // Its length is negative, hence larger than any other.
            Extent::Position => return Ok(Move::Failed),
            Extent::Length(len) => len,
        };
        self.fuel.burn(len / 16)?;
        let wanted = self.source.get(start..start + len);
        let same = wanted.is_some() && wanted == self.source.get(at..at + len);
        Ok(if same { Move::On(item + 2, at + len) } else { Move::Failed })
    }

    #[inline]
    fn is_open(&self, capture: usize) -> bool {
        self.open >> capture & 1 == 1
    }

    /// A part of the text.
    #[inline]
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
    ) -> Result<Captured<'a>, Fault> {
        match self.places.captures.get(index) {
            None if index == 0 => Ok(Captured::Text(self.text(start, end))),
            None => Err(Fault::CaptureIndex),
            Some(_) if self.is_open(index) => Err(Fault::UnfinishedCapture),
            Some(capture) => Ok(match capture.extent {
                Extent::Position => Captured::Position(capture.start + 1),
                Extent::Length(len) => {
                    Captured::Text(self.text(capture.start, capture.start + len))
                }
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use redlua_core::Raise;

    use crate::lualib::{Budget, Context, Function, STOPPED, Task};
    use crate::tree::{Reader, Value, Writer};

    /// Says so at the third question.
    struct Short(u32);

    impl Budget for Short {
        fn interrupted(&mut self) -> bool {
            self.0 += 1;
            self.0 > 2
        }
    }

    #[test]
    fn no_search_goes_on_for_ever() {
        let text = "ab".repeat(100_000);
        for (name, pattern) in [
            ("gsub", "a+"),
            ("gsub", "(a+)"),
            ("gsub", "a"),
            ("gsub", "ab"),
            ("gsub", "a.-b"),
            ("gsub", "a?b"),
            ("gsub", "ac"),
            ("gsub", "a%%"),
            ("find", "a.-c"),
            ("find", "(.-)c"),
            ("find", "[ab]-c"),
            ("match", "^.-.-c"),
            ("match", "(a*)%1b.*c"),
            ("find", "a%b()"),
        ] {
            let args = [Value::from(text.as_str()), Value::from(pattern), Value::from("x")];
            let args = if name == "gsub" { &args[..] } else { &args[..2] };
            let mut task = Task::new(Function::named("string", name).unwrap());
            let mut work = Writer::with_arguments(args);
            let (mut buffer, mut budget) = (Vec::new(), Short(0));
            let mut context = Context { buffer: &mut buffer, budget: &mut budget };
            let step = task.resume(&mut Reader::new(args), &mut work, &mut context);
            assert_eq!(step, Err(Raise::Text(STOPPED.into())), "{name} {pattern}");
        }
    }
}
