//! Two that do the same work, measured in turns.
//!
//! Owns how often and how long. Must not know what they do.

use std::iter;
use std::time::{Duration, Instant};

/// How often both run.
const TURNS: usize = 25;
/// How long each of them runs at a time, about.
const TURN: Duration = Duration::from_millis(4);

/// The shortest time that each of the two takes: what else the machine does makes times longer,
/// never shorter.
pub fn in_turns(mut one: impl FnMut(), mut other: impl FnMut()) -> (Duration, Duration) {
    let first = timed(&mut one, 1).max(Duration::from_nanos(1));
    let times = u32::try_from(TURN.as_nanos() / first.as_nanos()).unwrap_or(1).max(1);
    let turn = || (timed(&mut one, times), timed(&mut other, times));
    let shorter = |a: (Duration, Duration), b: (Duration, Duration)| (a.0.min(b.0), a.1.min(b.1));
    iter::repeat_with(turn).take(TURNS).reduce(shorter).unwrap_or_default()
}

/// The time of one run, of so many.
fn timed(run: &mut impl FnMut(), times: u32) -> Duration {
    let start = Instant::now();
    for _ in 0..times {
        run();
    }
    start.elapsed() / times
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_run_as_often() {
        let (mut ones, mut others) = (0, 0);
        let wait = || std::thread::sleep(Duration::from_millis(2));
        let (one, other) = in_turns(
            || {
                ones += 1;
                wait();
            },
            || {
                others += 1;
                wait();
                wait();
            },
        );
        // The first run of one says how often both run.
        assert_eq!(ones, others + 1);
        assert!(other > one && one >= Duration::from_millis(2), "{one:?} {other:?}");
    }
}
