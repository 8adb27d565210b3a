//! What a script may take, and how another thread stops it.
//!
//! Owns the figures and the token. It must not know how an engine interrupts itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

/// What one script run may take before it is stopped with an error.
///
/// A backend that cannot honour one says so in its [`BackendInfo`](crate::BackendInfo).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes the Lua state may hold, its libraries included. `None`: no limit.
    ///
    /// What counts is what the process takes, so that a table which has to double needs room for
    /// both halves of the work: with one table alone a script gets a part of the limit only.
    pub memory: Option<usize>,
    /// Wall-clock time of one run. `None`: no limit, as in redis-server.
    pub time: Option<Duration>,
    /// Lua instructions (or the engine's fuel) of one run, rounded up to the interval at which
    /// the engine looks. `None`: no limit.
    pub instructions: Option<u64>,
    /// Nested calls between Lua and natives (`LUAI_MAXCCALLS`).
    pub depth: u32,
    /// Bytes of what a script answers, as RESP. `None`: no limit. A table may contain another
    /// many times, so that a reply can be far larger than what the script holds.
    pub reply: Option<usize>,
    /// Bytes of a script's or a library's source text. `None`: no limit.
    pub source: Option<usize>,
    /// Scripts that are kept for `EVALSHA`. `None`: no limit, as in redis-server 7.0.
    ///
    /// When a new one comes and there are as many, an eighth of those that `EVAL` brought is
    /// forgotten, those first that have not run for the longest time; so they are when they take
    /// more than half of [`memory`](Self::memory). What `SCRIPT LOAD` brought stays until
    /// `SCRIPT FLUSH`, and is refused when there are as many of it.
    pub scripts: Option<usize>,
    /// Function libraries. `None`: no limit. None is ever forgotten: one more is refused.
    pub libraries: Option<usize>,
    /// Functions in all libraries together. `None`: no limit. More are refused.
    pub functions: Option<usize>,
}

impl Default for Limits {
    /// 512 MiB, one minute, any number of instructions, 200 nested native calls, replies of
    /// 512 MiB, sources of 16 MiB, 10,000 scripts, 1,000 libraries with 10,000 functions.
    fn default() -> Self {
        Limits {
            memory: Some(512 << 20),
            time: Some(Duration::from_secs(60)),
            instructions: None,
            depth: 200,
            reply: Some(512 << 20),
            source: Some(16 << 20),
            scripts: Some(10_000),
            libraries: Some(1_000),
            functions: Some(10_000),
        }
    }
}

impl Limits {
    /// No limit that redis-server does not have either: a script may run and grow for ever.
    pub fn unlimited() -> Self {
        Limits {
            memory: None,
            time: None,
            instructions: None,
            depth: 200,
            reply: None,
            source: None,
            scripts: None,
            libraries: None,
            functions: None,
        }
    }
}

/// Why a script was stopped from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StopReason {
    /// `SCRIPT KILL` or `FUNCTION KILL`.
    Kill,
    /// The embedder tripped the [`StopToken`].
    Host,
    /// [`Limits::time`] ran out.
    Time,
    /// [`Limits::instructions`] ran out.
    Instructions,
    /// [`Limits::memory`] ran out.
    Memory,
}

/// A handle that lets any thread stop the script a VM is running.
///
/// The VM looks at it at least every millisecond or so of Lua execution. Tripping it while no
/// script runs has no effect on the next one: whoever starts a run clears it first, before others
/// can know of the run.
///
/// ```
/// use redlua_core::{StopReason, StopToken};
/// let token = StopToken::default();
/// token.stop(StopReason::Host);
/// assert_eq!(token.reason(), Some(StopReason::Host));
/// ```
#[derive(Clone, Debug, Default)]
pub struct StopToken(Arc<AtomicU8>);

impl StopToken {
    /// Asks the running script to end. The first reason given wins.
    pub fn stop(&self, reason: StopReason) {
        let code = match reason {
            StopReason::Kill => 1,
            StopReason::Host => 2,
            StopReason::Time => 3,
            StopReason::Instructions => 4,
            StopReason::Memory => 5,
        };
        let _ = self.0.compare_exchange(0, code, Ordering::AcqRel, Ordering::Relaxed);
    }

    /// Why the script is to end; `None` while it may go on.
    pub fn reason(&self) -> Option<StopReason> {
        match self.0.load(Ordering::Relaxed) {
            0 => None,
            1 => Some(StopReason::Kill),
            2 => Some(StopReason::Host),
            3 => Some(StopReason::Time),
            4 => Some(StopReason::Instructions),
            _ => Some(StopReason::Memory),
        }
    }

    /// Whether both stop the same script.
    pub fn is(&self, other: &StopToken) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Forgets an earlier [`stop`](Self::stop), before a run.
    pub fn clear(&self) {
        self.0.store(0, Ordering::Release);
    }
}
