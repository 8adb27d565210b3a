//! The order of a sorted set: a sorted sequence with ranks.
//!
//! Owns [`Order`], a list of sorted runs of bounded length: every operation is a binary search
//! plus a short move, and a rank is a sum over run lengths. It must not know what members mean.

use std::cmp::Ordering;

use crate::value::Bytes;

/// Runs are split when they grow beyond this many elements.
const RUN: usize = 256;

/// Pairs of score and member, sorted by score, then by member.
#[derive(Clone, Default)]
pub(crate) struct Order {
    /// None of the runs is empty.
    runs: Vec<Vec<(f64, Bytes)>>,
}

impl Order {
    /// Adds a pair that is not there.
    pub(crate) fn insert(&mut self, score: f64, member: Bytes) {
        let at = self.run(score, &member).min(self.runs.len().saturating_sub(1));
        let Some(run) = self.runs.get_mut(at) else {
            self.runs.push(vec![(score, member)]);
            return;
        };
        let place = run.partition_point(|item| before(item, score, &member));
        run.insert(place, (score, member));
        if run.len() > RUN {
            // Sets often grow at one end: a full run splits near the end it grows at.
            let middle = if place + 1 == run.len() { RUN - RUN / 8 } else { RUN / 2 };
            let tail = run.split_off(middle);
            self.runs.insert(at + 1, tail);
        }
    }

    /// Removes a pair.
    pub(crate) fn remove(&mut self, score: f64, member: &[u8]) {
        let at = self.run(score, member);
        let Some(run) = self.runs.get_mut(at) else { return };
        let place = run.partition_point(|item| before(item, score, member));
        if run.get(place).is_some_and(|item| *item.1 == *member) {
            run.remove(place);
        }
        if run.is_empty() {
            self.runs.remove(at);
        } else if run.len() < RUN / 8 {
            self.merge(at);
        }
    }

    /// How many pairs stand before this one.
    pub(crate) fn rank(&self, score: f64, member: &[u8]) -> usize {
        let at = self.run(score, member);
        let inside = self
            .runs
            .get(at)
            .map_or(0, |run| run.partition_point(|item| before(item, score, member)));
        self.start(at) + inside
    }

    /// The pair at a rank.
    pub(crate) fn at(&self, rank: usize) -> Option<(&Bytes, f64)> {
        let (run, place) = self.locate(rank)?;
        self.runs.get(run)?.get(place).map(|(score, member)| (member, *score))
    }

    /// How many pairs at the front satisfy `holds`, which must hold for a prefix.
    pub(crate) fn partition(&self, holds: impl Fn(f64, &[u8]) -> bool) -> usize {
        let at =
            self.runs.partition_point(|run| run.last().is_some_and(|(score, m)| holds(*score, m)));
        let inside = self
            .runs
            .get(at)
            .map_or(0, |run| run.partition_point(|(score, member)| holds(*score, member)));
        self.start(at) + inside
    }

    /// The pairs from a rank on, upwards.
    pub(crate) fn ascending(&self, rank: usize) -> impl Iterator<Item = (&Bytes, f64)> {
        let (run, place) = self.locate(rank).unwrap_or((self.runs.len(), 0));
        let head = self.runs.get(run).and_then(|items| items.get(place..)).unwrap_or_default();
        let rest = self.runs.get(run + 1..).unwrap_or_default();
        head.iter().chain(rest.iter().flatten()).map(|(score, member)| (member, *score))
    }

    /// The pairs from a rank on, downwards.
    pub(crate) fn descending(&self, rank: usize) -> impl Iterator<Item = (&Bytes, f64)> {
        let (head, rest) = match self.locate(rank) {
            Some((run, place)) => (
                self.runs.get(run).and_then(|items| items.get(..=place)).unwrap_or_default(),
                self.runs.get(..run).unwrap_or_default(),
            ),
            None => (&[][..], &[][..]),
        };
        let rest = rest.iter().rev().flat_map(|run| run.iter().rev());
        head.iter().rev().chain(rest).map(|(score, member)| (member, *score))
    }

    /// The run where a pair is or would be.
    fn run(&self, score: f64, member: &[u8]) -> usize {
        self.runs.partition_point(|run| run.last().is_some_and(|item| before(item, score, member)))
    }

    /// How many pairs stand before a run.
    fn start(&self, run: usize) -> usize {
        self.runs.iter().take(run).map(Vec::len).sum()
    }

    fn locate(&self, mut rank: usize) -> Option<(usize, usize)> {
        for (number, run) in self.runs.iter().enumerate() {
            if rank < run.len() {
                return Some((number, rank));
            }
            rank -= run.len();
        }
        None
    }

    /// Joins a short run with its neighbour where both fit in one.
    fn merge(&mut self, at: usize) {
        let left = if at + 1 < self.runs.len() { at } else { at.saturating_sub(1) };
        let fits = match (self.runs.get(left), self.runs.get(left + 1)) {
            (Some(one), Some(two)) => one.len() + two.len() <= RUN / 2,
            _ => false,
        };
        if fits {
            let tail = self.runs.remove(left + 1);
            if let Some(run) = self.runs.get_mut(left) {
                run.extend(tail);
            }
        }
    }
}

fn before(item: &(f64, Bytes), score: f64, member: &[u8]) -> bool {
    match item.0.partial_cmp(&score) {
        Some(Ordering::Less) => true,
        Some(Ordering::Equal) => *item.1 < *member,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn agrees_with_a_sorted_list(steps in proptest::collection::vec(
            (0i16..2000, 0u8..3, any::<bool>()), 0..3000,
        )) {
            let mut order = Order::default();
            let mut model: Vec<(i64, Vec<u8>)> = Vec::new();
            for (number, score, add) in steps {
                let pair = (i64::from(score), number.to_be_bytes().to_vec());
                match (model.binary_search(&pair), add) {
                    (Err(at), true) => {
                        order.insert(f64::from(score), number.to_be_bytes().into());
                        model.insert(at, pair);
                    }
                    (Ok(at), false) => {
                        order.remove(f64::from(score), &pair.1);
                        model.remove(at);
                    }
                    _ => {}
                }
            }
            let up: Vec<_> = order.ascending(0).map(|(m, s)| (s as i64, m.to_vec())).collect();
            prop_assert_eq!(&up, &model);
            if let Some(last) = model.len().checked_sub(1) {
                let mut down: Vec<_> =
                    order.descending(last).map(|(m, s)| (s as i64, m.to_vec())).collect();
                down.reverse();
                prop_assert_eq!(&down, &model);
            }
            for (rank, (score, member)) in model.iter().enumerate() {
                prop_assert_eq!(order.rank(*score as f64, member), rank);
                prop_assert_eq!(order.at(rank).map(|(m, _)| m.to_vec()), Some(member.clone()));
            }
        }
    }
}
