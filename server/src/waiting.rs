//! Clients that wait for a key, in the order in which they began.
//!
//! Owns the queue and how a waiting client is served by whoever modifies the key
//! (`handleClientsBlockedOnKeys` in `blocked.c`). Must not know which commands block.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use redlua::Store;
use redlua::conversions::resp::RespWriter;
use redlua::core::Session;
use redlua::store::Blocked;

/// The clients that wait, first come first.
#[derive(Default)]
pub(crate) struct Waiting(VecDeque<Waiter>);

struct Waiter {
    session: Session,
    /// The command to try again.
    argv: Vec<Vec<u8>>,
    blocked: Blocked,
    place: Arc<Place>,
}

/// Where a waiting client finds its reply.
#[derive(Debug, Default)]
pub(crate) struct Place {
    reply: Mutex<Option<Vec<u8>>>,
    served: Condvar,
}

impl Waiting {
    /// Adds a client at the end.
    pub(crate) fn push(
        &mut self,
        session: Session,
        argv: &[&[u8]],
        blocked: Blocked,
    ) -> Arc<Place> {
        let argv = match &blocked.argv {
            Some(argv) => argv.clone(),
            None => argv.iter().map(|word| word.to_vec()).collect(),
        };
        let place = Arc::new(Place::default());
        self.0.push_back(Waiter { session, argv, blocked, place: place.clone() });
        place
    }

    /// Serves whoever can be served now, in order; what one takes or moves may serve another.
    pub(crate) fn serve(&mut self, store: &mut Store) {
        let mut served = true;
        while served {
            served = false;
            let mut at = 0;
            while let Some(waiter) = self.0.get_mut(at) {
                let argv: Vec<&[u8]> = waiter.argv.iter().map(Vec::as_slice).collect();
                let mut reply = RespWriter::new(waiter.session.protocol);
                if store.retry(&mut waiter.session, &waiter.blocked, &argv, &mut reply) {
                    waiter.place.put(reply.into_bytes());
                    self.0.remove(at);
                    served = true;
                } else {
                    at += 1;
                }
            }
        }
    }

    /// The client at `place` waits no longer.
    pub(crate) fn remove(&mut self, place: &Arc<Place>) {
        self.0.retain(|waiter| !Arc::ptr_eq(&waiter.place, place));
    }
}

impl Place {
    fn put(&self, reply: Vec<u8>) {
        *self.lock() = Some(reply);
        self.served.notify_all();
    }

    /// The reply, when there is one already.
    pub(crate) fn take(&self) -> Option<Vec<u8>> {
        self.lock().take()
    }

    /// Waits for the reply until `deadline`, or for ever.
    pub(crate) fn wait(&self, deadline: Option<Instant>) -> Option<Vec<u8>> {
        let mut reply = self.lock();
        loop {
            if let Some(bytes) = reply.take() {
                return Some(bytes);
            }
            reply = match deadline {
                None => self.served.wait(reply).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.checked_duration_since(Instant::now())?;
                    self.served.wait_timeout(reply, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Vec<u8>>> {
        self.reply.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
