//! What a connection has to read.
//!
//! Owns a queue of replies that any thread may add to. Must not know RESP.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A queue of complete replies and messages.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    queue: Mutex<VecDeque<Vec<u8>>>,
    arrived: Condvar,
}

impl Outbox {
    /// Adds what is to be read next.
    pub(crate) fn push(&self, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            self.lock().push_back(bytes);
            self.arrived.notify_all();
        }
    }

    /// Takes the next entry, waiting for it at most `timeout`.
    pub(crate) fn pop(&self, timeout: Duration) -> Option<Vec<u8>> {
        let deadline = Instant::now() + timeout;
        let mut queue = self.lock();
        loop {
            if let Some(bytes) = queue.pop_front() {
                return Some(bytes);
            }
            let left = deadline.checked_duration_since(Instant::now())?;
            queue =
                self.arrived.wait_timeout(queue, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Vec<u8>>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
