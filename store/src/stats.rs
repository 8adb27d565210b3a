//! What has been counted and measured: calls by command, errors by code.
//!
//! Owns the figures behind `INFO commandstats`, `errorstats`, `latencystats` and `LATENCY
//! HISTOGRAM`. It must not know how they are shown.

use std::collections::BTreeMap;
use std::time::Duration;

/// How many classes of durations there are: up to a second, each twice the one before.
const CLASSES: usize = 21;
/// Inside scripts only one call of so many is measured; those of the same command that follow
/// count as long as it. A prime, so that loops in scripts are met at all their places.
const SAMPLE: u64 = 61;
/// How many different error codes are counted (`afterErrorReply` in `networking.c`).
const ERROR_CODES: usize = 128;

/// The figures of one command.
#[derive(Clone, Debug, Default)]
pub(crate) struct Calls {
    /// How often it ran.
    pub(crate) calls: u64,
    /// How long altogether, in microseconds.
    pub(crate) micros: u64,
    /// How often it was refused before it ran.
    pub(crate) rejected: u64,
    /// How often it failed.
    pub(crate) failed: u64,
    /// The last duration that was measured, in microseconds, and its class.
    last: (u64, usize),
    /// How many took how long.
    classes: [u64; CLASSES],
}

/// All figures.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stats {
    /// By the command's number; of most there is nothing.
    commands: Vec<Option<Box<Calls>>>,
    /// How often each error code was answered.
    pub(crate) errors: BTreeMap<Vec<u8>, u64>,
    /// How many errors were answered.
    pub(crate) error_replies: u64,
    /// The code of the last of them.
    last: Vec<u8>,
    /// How many commands have run.
    pub(crate) processed: u64,
    /// How many must have run before one is measured again.
    next_sample: u64,
    /// How many keys have been evicted.
    pub(crate) evicted: u64,
    /// The most memory there ever was.
    pub(crate) peak_memory: usize,
    /// The number of processed commands when the rate was last taken, and when.
    sampled: (u64, Duration),
    /// Commands a second, of late.
    pub(crate) rate: u64,
}

impl Calls {
    /// A class for every duration, with how many took at most so long; those where the number
    /// grows. Bounds are in microseconds.
    pub(crate) fn histogram(&self) -> Vec<(u64, u64)> {
        let mut total = 0;
        let mut shown = Vec::new();
        for (class, count) in self.classes.iter().enumerate() {
            total += count;
            if *count > 0 {
                shown.push((bound(class) / 1000, total));
            }
        }
        shown
    }

    /// About how long the fastest so many per cent took at most, in microseconds.
    pub(crate) fn percentile(&self, percent: f64) -> f64 {
        let wanted = (self.classes.iter().sum::<u64>() as f64 * percent / 100.0).ceil() as u64;
        let mut total = 0;
        for (class, count) in self.classes.iter().enumerate() {
            total += count;
            if total >= wanted.max(1) {
                return bound(class) as f64 / 1000.0;
            }
        }
        0.0
    }

    fn measured(&mut self, micros: u64) {
        let nanos = micros.saturating_mul(1000);
        let above = nanos.div_ceil(1024).next_power_of_two().trailing_zeros() as usize;
        let below = above.saturating_sub(1);
        let class = if nanos <= bound(below) { below } else { above };
        self.last = (micros, class.min(CLASSES - 1));
    }
}

/// The first word of an error.
fn code(text: &[u8]) -> &[u8] {
    text.split(|byte| *byte == b' ').next().unwrap_or_default()
}

/// The longest duration of a class, in nanoseconds: the largest that an HDR histogram of two
/// digits cannot tell from 1024, 2048, 4096 … (`fillCommandCDF` in `latency.c`).
fn bound(class: usize) -> u64 {
    let lowest = 1024 << class.min(CLASSES);
    lowest + lowest / 128 - 1
}

impl Stats {
    /// Figures of so many commands.
    pub(crate) fn new(commands: usize) -> Self {
        Stats { commands: vec![None; commands], ..Stats::default() }
    }

    /// The figures of a command.
    pub(crate) fn calls(&self, id: u32) -> Option<&Calls> {
        self.commands.get(id as usize)?.as_deref()
    }

    /// The same, to be added to.
    #[inline]
    fn of(&mut self, id: u32) -> Option<&mut Calls> {
        Some(self.commands.get_mut(id as usize)?.get_or_insert_default())
    }

    /// Forgets what there was of a command's durations; returns whether there was anything.
    pub(crate) fn reset(&mut self) {
        let (peak_memory, sampled) = (self.peak_memory, self.sampled);
        *self = Stats { peak_memory, sampled, ..Stats::new(self.commands.len()) };
        self.sampled.0 = 0;
    }

    /// Whether the next call inside a script is to be measured.
    #[inline]
    pub(crate) fn samples(&mut self) -> bool {
        let due = self.processed >= self.next_sample;
        if due {
            self.next_sample = self.processed + SAMPLE;
        }
        due
    }

    /// A command has run; `took` is `None` when nobody measured it.
    #[inline]
    pub(crate) fn called(&mut self, id: u32, took: Option<Duration>) {
        self.processed += 1;
        if let Some(calls) = self.of(id) {
            if let Some(took) = took {
                calls.measured(took.as_micros() as u64);
            }
            let (micros, class) = calls.last;
            calls.calls += 1;
            calls.micros += micros;
            if let Some(count) = calls.classes.get_mut(class) {
                *count += 1;
            }
        }
    }

    /// A command has failed.
    #[cold]
    pub(crate) fn failed(&mut self, id: u32, text: &[u8]) {
        self.count_error(text);
        if let Some(calls) = self.of(id) {
            calls.failed += 1;
        }
    }

    /// A command that calls others has failed. An error like the last one counted since there
    /// were `before` comes from a call and is not counted once more.
    pub(crate) fn failed_since(&mut self, id: u32, text: &[u8], before: u64) {
        if self.error_replies > before && self.last == code(text) {
            if let Some(calls) = self.of(id) {
                calls.failed += 1;
            }
        } else {
            self.failed(id, text);
        }
    }

    /// A command was refused before it ran.
    #[cold]
    pub(crate) fn rejected(&mut self, id: Option<u32>, text: &[u8]) {
        self.count_error(text);
        if let Some(calls) = id.and_then(|id| self.of(id)) {
            calls.rejected += 1;
        }
    }

    /// An error was answered (`afterErrorReply` in `networking.c`).
    fn count_error(&mut self, text: &[u8]) {
        self.error_replies += 1;
        let code = code(text);
        self.last = code.to_vec();
        if let Some(count) = self.errors.get_mut(code) {
            *count += 1;
        } else if self.errors.len() < ERROR_CODES {
            self.errors.insert(code.to_vec(), 1);
        }
    }

    /// Takes the rate of commands since it was last taken.
    pub(crate) fn sample(&mut self, now: Duration) {
        let (before, then) = self.sampled;
        let millis = now.saturating_sub(then).as_millis() as u64;
        if millis >= 100 {
            self.rate = self.processed.saturating_sub(before) * 1000 / millis;
            self.sampled = (self.processed, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_counted_in_classes() {
        let mut stats = Stats::new(1);
        for micros in [0, 1, 2, 3, 30, 31] {
            stats.called(0, Some(Duration::from_micros(micros)));
        }
        let calls = stats.calls(0).unwrap();
        assert_eq!((calls.calls, calls.micros), (6, 67));
        assert_eq!(calls.histogram(), [(1, 2), (2, 3), (4, 4), (33, 6)]);
        assert!(calls.percentile(50.0) < calls.percentile(99.0));
    }

    #[test]
    fn unmeasured_calls_take_the_last_duration() {
        let mut stats = Stats::new(1);
        stats.called(0, Some(Duration::from_micros(7)));
        stats.called(0, None);
        assert_eq!(stats.calls(0).unwrap().micros, 14);
    }
}
