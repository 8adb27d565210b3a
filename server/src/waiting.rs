//! Clients that wait for a key, in the order in which they began.
//!
//! Owns the queue and how a waiting client is served by whoever modifies the key
//! (`handleClientsBlockedOnKeys` in `blocked.c`) or by the clock. Must not know which commands
//! block, nor what thread or task waits.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use redlua_conversions::resp::RespWriter;
use redlua_core::{Host, ReplySink, Session};
use redlua_store::{Blocked, Store, UNBLOCKED};

use crate::handle::Handle;

/// The clients that wait, first come first.
#[derive(Default)]
pub(crate) struct Waiting(VecDeque<Waiter>);

struct Waiter {
    session: Session,
    /// The command to try again.
    argv: Vec<Vec<u8>>,
    blocked: Blocked,
    /// When the time is over, by the store's clock.
    deadline: Option<Duration>,
    handle: Arc<Handle>,
}

impl Waiter {
    /// Answers as when the time is over.
    fn give_up(&self) {
        let mut reply = RespWriter::new(self.session.protocol);
        self.blocked.reply.push(&mut reply);
        self.handle.place.push(reply.into_bytes());
    }
}

impl Waiting {
    /// Whether nobody waits.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a client waits.
    #[cfg(feature = "net")]
    pub(crate) fn contains(&self, id: u64) -> bool {
        self.0.iter().any(|waiter| waiter.handle.id == id)
    }

    /// Adds a client at the end; `now` is the store's time.
    pub(crate) fn push(
        &mut self,
        session: Session,
        handle: &Arc<Handle>,
        argv: &[&[u8]],
        blocked: Blocked,
        now: Duration,
    ) {
        let argv = match &blocked.argv {
            Some(argv) => argv.clone(),
            None => argv.iter().map(|word| word.to_vec()).collect(),
        };
        let deadline = blocked.timeout.and_then(|timeout| now.checked_add(timeout));
        self.0.push_back(Waiter { session, argv, blocked, deadline, handle: handle.clone() });
    }

    /// How long a client has to wait until its time is over: `None` when it waits for ever or
    /// not at all.
    pub(crate) fn left(&self, id: u64, now: Duration) -> Option<Duration> {
        let waiter = self.0.iter().find(|waiter| waiter.handle.id == id)?;
        Some(waiter.deadline?.saturating_sub(now))
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
                    waiter.handle.place.push(reply.into_bytes());
                    store.set_blocked(waiter.handle.id, false);
                    self.0.remove(at);
                    served = true;
                } else {
                    at += 1;
                }
            }
        }
    }

    /// Answers those whose time is over.
    pub(crate) fn expire(&mut self, store: &mut Store) {
        let now = store.now();
        self.0.retain(|waiter| {
            let over = waiter.deadline.is_some_and(|deadline| deadline <= now);
            if over {
                waiter.give_up();
                store.set_blocked(waiter.handle.id, false);
            }
            !over
        });
    }

    /// A client waits no longer because somebody says so (`CLIENT UNBLOCK`).
    pub(crate) fn unblock(&mut self, id: u64, error: bool) {
        let Some(at) = self.0.iter().position(|waiter| waiter.handle.id == id) else { return };
        let Some(waiter) = self.0.remove(at) else { return };
        if error {
            let mut reply = RespWriter::new(waiter.session.protocol);
            reply.error(UNBLOCKED);
            waiter.handle.place.push(reply.into_bytes());
        } else {
            waiter.give_up();
        }
    }

    /// A client waits no longer; returns whether it did.
    pub(crate) fn remove(&mut self, id: u64) -> bool {
        let before = self.0.len();
        self.0.retain(|waiter| waiter.handle.id != id);
        self.0.len() != before
    }
}
