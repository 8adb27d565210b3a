//! The latency monitor (`latency.c`): when which kind of work took longer than the threshold.
//!
//! Owns the samples. It must not know how they are shown.

use std::collections::{BTreeMap, VecDeque};

/// How many samples of an event are kept (`LATENCY_TS_LEN`).
const MOST: usize = 160;

/// One kind of work that was slow.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spikes {
    /// When, in seconds, and how long, in milliseconds; oldest first.
    pub(crate) samples: VecDeque<(u64, u64)>,
    /// The longest there was.
    pub(crate) max: u64,
}

/// All spikes, by event.
#[derive(Clone, Debug, Default)]
pub(crate) struct Latency(BTreeMap<&'static str, Spikes>);

impl Latency {
    /// Adds a sample (`latencyAddSample`); of one second only the longest is kept.
    pub(crate) fn add(&mut self, event: &'static str, at: u64, millis: u64) {
        let spikes = self.0.entry(event).or_default();
        spikes.max = spikes.max.max(millis);
        match spikes.samples.back_mut() {
            Some((last, longest)) if *last == at => *longest = millis.max(*longest),
            _ => spikes.samples.push_back((at, millis)),
        }
        while spikes.samples.len() > MOST {
            spikes.samples.pop_front();
        }
    }

    /// The spikes of an event.
    pub(crate) fn event(&self, name: &[u8]) -> Option<&Spikes> {
        let found = self.0.iter().find(|(event, _)| event.as_bytes() == name);
        found.map(|(_, spikes)| spikes)
    }

    /// All events.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (&'static str, &Spikes)> {
        self.0.iter().map(|(event, spikes)| (*event, spikes))
    }

    /// Forgets an event; returns whether there was one.
    pub(crate) fn forget(&mut self, name: &[u8]) -> bool {
        let before = self.0.len();
        self.0.retain(|event, _| !event.as_bytes().eq_ignore_ascii_case(name));
        self.0.len() < before
    }

    /// Forgets all events; returns how many there were.
    pub(crate) fn clear(&mut self) -> usize {
        std::mem::take(&mut self.0).len()
    }
}
