//! Where the store's time comes from: the system or a test's own hand.
//!
//! Owns [`Clock`]. It must not know what the time is used for.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The source of the time since the Unix epoch.
///
/// ```
/// use std::time::Duration;
/// use redlua_store::Clock;
///
/// let clock = Clock::manual(Duration::from_secs(1_700_000_000));
/// let handle = clock.clone();
/// handle.advance(Duration::from_secs(60));
/// assert_eq!(clock.now(), Duration::from_secs(1_700_000_060));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Clock(Source);

#[derive(Clone, Debug, Default)]
enum Source {
    #[default]
    System,
    /// Microseconds since the epoch, shared by all clones.
    Manual(Arc<AtomicU64>),
    /// Microseconds ahead of the system, shared by all clones.
    Ahead(Arc<AtomicU64>),
}

impl Clock {
    /// The operating system's clock.
    pub fn system() -> Self {
        Clock(Source::System)
    }

    /// A clock that stands at `start` and moves only by [`advance`](Self::advance); clones share
    /// the time.
    pub fn manual(start: Duration) -> Self {
        Clock(Source::Manual(Arc::new(AtomicU64::new(micros(start)))))
    }

    /// A clock that runs like the system's and may be moved ahead of it by
    /// [`advance`](Self::advance); clones share the time.
    pub fn adjustable() -> Self {
        Clock(Source::Ahead(Arc::default()))
    }

    /// Moves a manual or an adjustable clock forward; the system's clock cannot be moved.
    pub fn advance(&self, by: Duration) {
        match &self.0 {
            Source::System => {}
            Source::Manual(time) | Source::Ahead(time) => {
                time.fetch_add(micros(by), Ordering::AcqRel);
            }
        }
    }

    /// Sets a manual clock, backwards as well, as a system's clock may be set; others stay.
    pub fn set(&self, to: Duration) {
        if let Source::Manual(time) = &self.0 {
            time.store(micros(to), Ordering::Release);
        }
    }

    /// The time since the Unix epoch.
    pub fn now(&self) -> Duration {
        match &self.0 {
            Source::System => system(),
            Source::Manual(time) => Duration::from_micros(time.load(Ordering::Acquire)),
            Source::Ahead(by) => system() + Duration::from_micros(by.load(Ordering::Acquire)),
        }
    }
}

/// For so long what the system's clock has shown is counted on from by the one that never jumps.
const FRESH: Duration = Duration::from_millis(100);

/// What the system's clock has shown, and when.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Anchor(Option<(Instant, Duration)>);

/// A look at the clock from which to measure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// The time since the Unix epoch.
    pub(crate) now: Duration,
    /// The same on the clock that never jumps; `None` when a test moves the time.
    pub(crate) at: Option<Instant>,
}

impl Clock {
    /// Looks at the clock, once.
    pub(crate) fn moment(&self, anchor: &mut Anchor) -> Moment {
        let ahead = match &self.0 {
            Source::System => Duration::ZERO,
            Source::Manual(_) => return Moment { now: self.now(), at: None },
            Source::Ahead(by) => Duration::from_micros(by.load(Ordering::Acquire)),
        };
        let at = Instant::now();
        let fresh = |(seen, shown)| {
            let passed = at.saturating_duration_since(seen);
            (passed < FRESH).then(|| shown + passed)
        };
        let shown = anchor.0.and_then(fresh).unwrap_or_else(|| {
            let shown = system();
            anchor.0 = Some((at, shown));
            shown
        });
        Moment { now: shown + ahead, at: Some(at) }
    }

    /// How long ago that was.
    pub(crate) fn since(&self, began: Moment) -> Duration {
        match began.at {
            Some(at) => at.elapsed(),
            None => self.now().saturating_sub(began.now),
        }
    }
}

fn system() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
