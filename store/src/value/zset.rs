//! Sorted sets.
//!
//! Owns [`ZSet`]: members with scores, in order, with ranks. It must not know commands.

use std::cmp::Ordering;

use crate::dict::Dict;
use crate::value::Bytes;
use crate::value::hash::Threshold;
use crate::value::order::Order;

/// One end of a range of scores.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bound {
    /// The score.
    pub(crate) score: f64,
    /// Whether the score itself is outside.
    pub(crate) exclusive: bool,
}

/// A range of scores.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ScoreRange {
    /// The lower end.
    pub(crate) min: Bound,
    /// The upper end.
    pub(crate) max: Bound,
}

/// One end of a range of members.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Lex<'a> {
    /// `-`: before every member.
    Lowest,
    /// `+`: after every member.
    Highest,
    /// `[member`
    Inclusive(&'a [u8]),
    /// `(member`
    Exclusive(&'a [u8]),
}

/// A range of members, for sets whose scores are all the same.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LexRange<'a> {
    /// The lower end.
    pub(crate) min: Lex<'a>,
    /// The upper end.
    pub(crate) max: Lex<'a>,
}

/// Members with scores.
#[derive(Clone)]
pub(crate) struct ZSet {
    scores: Dict<f64>,
    order: Order,
    /// Whether Redis would still use a listpack.
    compact: bool,
}

impl Default for ZSet {
    fn default() -> Self {
        ZSet { scores: Dict::default(), order: Order::default(), compact: true }
    }
}

impl ZSet {
    /// An empty set in the layout that `count` members of up to `longest` bytes will have.
    pub(crate) fn sized(count: usize, longest: usize, threshold: Threshold) -> Self {
        let compact = count <= threshold.entries && longest <= threshold.value;
        ZSet { compact, ..ZSet::default() }
    }

    /// How many members there are.
    pub(crate) fn len(&self) -> usize {
        self.scores.len()
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.scores.is_empty()
    }

    /// The score of a member.
    pub(crate) fn score(&self, member: &[u8]) -> Option<f64> {
        self.scores.find(member).copied()
    }

    /// Sets a member's score; returns the one it had.
    pub(crate) fn set(&mut self, member: &[u8], score: f64) -> Option<f64> {
        // A listpack keeps whole scores as integers, which have no negative zero.
        let score = if self.compact { score + 0.0 } else { score };
        match self.scores.find_mut(member) {
            Some(slot) => {
                let old = std::mem::replace(slot, score);
                // A score that compares equal keeps its place and, like the listpack's and the
                // skiplist's, its old bits (`zsetAdd` in `t_zset.c`).
                if old == score {
                    *slot = old;
                } else {
                    self.order.remove(old, member);
                    self.order.insert(score, member.into());
                }
                Some(old)
            }
            None => {
                self.scores.push(member.into(), score);
                self.order.insert(score, member.into());
                None
            }
        }
    }

    /// Removes a member; returns its score.
    pub(crate) fn remove(&mut self, member: &[u8]) -> Option<f64> {
        let score = self.scores.remove(member)?;
        self.order.remove(score, member);
        Some(score)
    }

    /// Makes it a skiplist when one more member, of `len` bytes, does not fit a listpack
    /// (`zsetAdd` looks before it inserts).
    pub(crate) fn admit(&mut self, len: usize, threshold: Threshold) {
        if len > threshold.value || self.len() >= threshold.entries {
            self.compact = false;
        }
    }

    /// How many members stand before this one.
    pub(crate) fn rank(&self, member: &[u8]) -> Option<usize> {
        let score = self.score(member)?;
        Some(self.order.rank(score, member))
    }

    /// The member at a rank below [`len`](Self::len).
    pub(crate) fn at(&self, rank: usize) -> Option<(&Bytes, f64)> {
        self.order.at(rank)
    }

    /// The member at a position in no particular order, for random choices.
    pub(crate) fn sample(&self, at: usize) -> Option<(&Bytes, f64)> {
        if self.compact {
            return self.at(at);
        }
        self.scores.at(at).map(|(member, score)| (member, *score))
    }

    /// `count` members from a rank on, upwards.
    pub(crate) fn ascending(
        &self,
        start: usize,
        count: usize,
    ) -> impl Iterator<Item = (&Bytes, f64)> {
        self.order.ascending(start).take(count)
    }

    /// `count` members from a rank on, downwards.
    pub(crate) fn descending(
        &self,
        start: usize,
        count: usize,
    ) -> impl Iterator<Item = (&Bytes, f64)> {
        self.order.descending(start).take(count)
    }

    /// All members in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Bytes, f64)> {
        self.ascending(0, usize::MAX)
    }

    /// The ranks `start..end` whose scores are in the range.
    pub(crate) fn by_score(&self, range: ScoreRange) -> (usize, usize) {
        let start = self.order.partition(|score, _| below(score, range.min));
        let end = self.order.partition(|score, _| !above(score, range.max));
        (start, end.max(start))
    }

    /// The ranks `start..end` whose members are in the range. When scores differ the answer is
    /// what the listpack's linear search finds (`zzlFirstInLexRange` in `t_zset.c`).
    pub(crate) fn by_lex(&self, range: LexRange<'_>) -> (usize, usize) {
        if self.misses(range) {
            return (0, 0);
        }
        if !self.compact {
            let start = self.order.partition(|_, member| !range.reaches(member));
            let end = self.order.partition(|_, member| range.within(member));
            return (start, end.max(start));
        }
        let start = self.iter().position(|(member, _)| range.reaches(member)).unwrap_or(0);
        let count = self
            .ascending(start, usize::MAX)
            .take_while(|(member, _)| range.within(member))
            .count();
        (start, start + count)
    }

    /// The same for a walk downwards (`zzlLastInLexRange`).
    pub(crate) fn by_lex_down(&self, range: LexRange<'_>) -> (usize, usize) {
        if !self.compact || self.misses(range) {
            return self.by_lex(range);
        }
        let last = self.len().saturating_sub(1);
        let skipped = self.descending(last, usize::MAX).position(|(m, _)| range.within(m));
        let end = self.len() - skipped.unwrap_or(self.len());
        let count = self
            .descending(last, usize::MAX)
            .skip(self.len() - end)
            .take_while(|(member, _)| range.reaches(member))
            .count();
        (end - count, end)
    }

    /// Whether the range is empty or lies outside the first and last member
    /// (`zzlIsInLexRange`).
    fn misses(&self, range: LexRange<'_>) -> bool {
        let last = self.len().checked_sub(1).and_then(|rank| self.at(rank));
        range.is_empty()
            || !last.is_some_and(|(member, _)| range.reaches(member))
            || !self.at(0).is_some_and(|(member, _)| range.within(member))
    }

    /// Whether it is a listpack.
    pub(crate) fn is_compact(&self) -> bool {
        self.compact
    }

    /// What `OBJECT ENCODING` answers.
    pub(crate) fn encoding(&self) -> &'static str {
        if self.compact { "listpack" } else { "skiplist" }
    }
}

impl LexRange<'_> {
    /// Whether nothing can be inside.
    pub(crate) fn is_empty(&self) -> bool {
        let (min, min_out) = match self.min {
            Lex::Lowest => return matches!(self.max, Lex::Lowest),
            Lex::Highest => return true,
            Lex::Inclusive(member) => (member, false),
            Lex::Exclusive(member) => (member, true),
        };
        let (max, max_out) = match self.max {
            Lex::Lowest => return true,
            Lex::Highest => return false,
            Lex::Inclusive(member) => (member, false),
            Lex::Exclusive(member) => (member, true),
        };
        match min.cmp(max) {
            Ordering::Less => false,
            Ordering::Equal => min_out || max_out,
            Ordering::Greater => true,
        }
    }

    /// Whether a member is not below the range.
    pub(crate) fn reaches(&self, member: &[u8]) -> bool {
        match self.min {
            Lex::Lowest => true,
            Lex::Highest => false,
            Lex::Inclusive(min) => member >= min,
            Lex::Exclusive(min) => member > min,
        }
    }

    /// Whether a member is not above the range.
    pub(crate) fn within(&self, member: &[u8]) -> bool {
        match self.max {
            Lex::Lowest => false,
            Lex::Highest => true,
            Lex::Inclusive(max) => member <= max,
            Lex::Exclusive(max) => member < max,
        }
    }
}

fn below(score: f64, min: Bound) -> bool {
    if min.exclusive { score <= min.score } else { score < min.score }
}

fn above(score: f64, max: Bound) -> bool {
    if max.exclusive { score >= max.score } else { score > max.score }
}
