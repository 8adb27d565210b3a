//! The worker that stands by.
//!
//! Owns [`Reserve`]: a second worker of the runtime that sleeps while the first one serves all
//! sockets, and takes over when a batch of commands keeps it for long: then others can still be
//! told that a script is busy, and it can be killed. Must not know what a batch does.
//!
//! Whoever stands by is a task that blocks its worker. All other tasks of that worker must be
//! where the other worker finds them: hence every task of the server runs `unconstrained`, since
//! tokio puts a task whose budget is used up, or that yields, on a list of the worker itself.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, Thread};
use std::time::Duration;

use super::Net;

/// How long a batch runs, at most twice, before the reserve takes over.
const TICK: Duration = Duration::from_millis(5);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Reserve {
    /// Counts beginnings and ends of batches: odd while one runs.
    batches: AtomicU64,
    /// Whether the reserve sleeps until a batch begins.
    asleep: AtomicBool,
    /// Whether the reserve serves sockets.
    on_duty: AtomicBool,
    /// The server ends: nobody stands by any more.
    dismissed: AtomicBool,
    thread: Mutex<Option<Thread>>,
}

/// A batch of commands that runs.
pub(super) struct Batch<'a>(&'a Arc<Net>);

impl Reserve {
    /// Lets the reserve go: it becomes a worker like the other, so that the runtime can end.
    pub(super) fn dismiss(&self) {
        self.dismissed.store(true, Ordering::SeqCst);
        self.wake();
    }

    fn wake(&self) {
        if let Some(thread) = &*self.thread.lock().unwrap_or_else(PoisonError::into_inner) {
            thread.unpark();
        }
    }
}

impl Net {
    /// A batch of commands begins; one at a time, by whoever has the core.
    #[inline]
    pub(super) fn batch(self: &Arc<Self>) -> Batch<'_> {
        self.reserve.batches.fetch_add(1, Ordering::SeqCst);
        if self.reserve.asleep.load(Ordering::SeqCst) {
            self.reserve.wake();
        }
        Batch(self)
    }

    /// Stands by on the calling worker until it is needed.
    pub(super) fn stand_by(&self) {
        let reserve = &self.reserve;
        *reserve.thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread::current());
        while !reserve.dismissed.load(Ordering::SeqCst) {
            let seen = reserve.batches.load(Ordering::SeqCst);
            thread::park_timeout(TICK);
            if reserve.batches.load(Ordering::SeqCst) != seen {
                continue;
            }
            if seen % 2 == 1 {
                reserve.on_duty.store(true, Ordering::SeqCst);
                // The batch may have ended in between, and then nobody would call for a reserve.
                if reserve.batches.load(Ordering::SeqCst) == seen
                    || !reserve.on_duty.swap(false, Ordering::SeqCst)
                {
                    return;
                }
                continue;
            }
            reserve.asleep.store(true, Ordering::SeqCst);
            if reserve.batches.load(Ordering::SeqCst) == seen
                && !reserve.dismissed.load(Ordering::SeqCst)
            {
                thread::park();
            }
            reserve.asleep.store(false, Ordering::SeqCst);
        }
    }
}

impl Drop for Batch<'_> {
    #[inline]
    fn drop(&mut self) {
        let reserve = &self.0.reserve;
        reserve.batches.fetch_add(1, Ordering::SeqCst);
        if reserve.on_duty.load(Ordering::Relaxed)
            && reserve.on_duty.swap(false, Ordering::SeqCst)
            && !reserve.dismissed.load(Ordering::SeqCst)
        {
            let net = self.0.clone();
            tokio::spawn(async move { net.stand_by() });
        }
    }
}
