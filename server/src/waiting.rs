//! Clients that wait for a key, in the order in which they began.
//!
//! Owns the queue and how a waiting client is served by whoever modifies the key
//! (`handleClientsBlockedOnKeys` in `blocked.c`) or by the clock. Must not know which commands
//! block, nor what thread or task waits.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use redlua_conversions::resp::RespWriter;
use redlua_core::{Host, ReplySink, Session};
use redlua_store::{Blocked, Store, UNBLOCKED};

use crate::handle::Handle;

/// A database and a key of it.
type Place = (u32, Vec<u8>);

/// The clients that wait, by the turn at which each began.
#[derive(Default)]
pub(crate) struct Waiting {
    waiters: BTreeMap<u64, Waiter>,
    /// The turn of each client that waits, by its id.
    turns: HashMap<u64, u64>,
    /// The turns of those that wait for a key.
    keys: HashMap<Place, BTreeSet<u64>>,
    /// The next turn.
    next: u64,
}

struct Waiter {
    session: Session,
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
    /// Whether a client waits.
    #[cfg(feature = "net")]
    pub(crate) fn contains(&self, id: u64) -> bool {
        self.turns.contains_key(&id)
    }

    /// Adds a client at the end.
    pub(crate) fn push(
        &mut self,
        store: &mut Store,
        session: Session,
        handle: &Arc<Handle>,
        blocked: Blocked,
    ) {
        let turn = self.next;
        self.next += 1;
        for awaited in &blocked.keys {
            let place = (blocked.db, awaited.key.clone());
            if self.keys.entry(place).or_default().insert(turn) {
                store.await_key(blocked.db, &awaited.key);
            }
        }
        let deadline = blocked.timeout.and_then(|timeout| store.now().checked_add(timeout));
        self.turns.insert(handle.id, turn);
        self.waiters.insert(turn, Waiter { session, blocked, deadline, handle: handle.clone() });
        store.set_blocked(handle.id, true);
    }

    /// How long a client has to wait until its time is over: `None` when it waits for ever or
    /// not at all.
    pub(crate) fn left(&self, id: u64, now: Duration) -> Option<Duration> {
        let waiter = self.waiters.get(self.turns.get(&id)?)?;
        Some(waiter.deadline?.saturating_sub(now))
    }

    /// Serves whoever waits for a key that is ready, key by key in the order in which they
    /// became so; what one takes or moves may serve another.
    pub(crate) fn serve(&mut self, store: &mut Store) {
        while store.has_ready() {
            for place in store.take_ready() {
                self.serve_key(store, &place);
            }
        }
    }

    fn serve_key(&mut self, store: &mut Store, place: &Place) {
        let mut from = 0;
        // One after another, as serving one may serve or end others.
        while let Some(&turn) = self.keys.get(place).and_then(|turns| turns.range(from..).next()) {
            from = turn + 1;
            let Some(waiter) = self.waiters.get_mut(&turn) else { continue };
            let Blocked { db, keys, .. } = &waiter.blocked;
            let Some(awaited) = keys.iter().find(|awaited| awaited.key == place.1) else {
                continue;
            };
            let mut reply = RespWriter::new(waiter.session.protocol);
            if store.retry(&mut waiter.session, *db, awaited, &mut reply) {
                waiter.handle.place.push(reply.into_bytes());
                self.take(store, turn);
            }
        }
    }

    /// Answers those whose time is over.
    pub(crate) fn expire(&mut self, store: &mut Store) {
        if self.waiters.is_empty() {
            return;
        }
        let now = store.now();
        let late = |waiter: &Waiter| waiter.deadline.is_some_and(|deadline| deadline <= now);
        let over: Vec<u64> =
            self.waiters.iter().filter(|(_, waiter)| late(waiter)).map(|(turn, _)| *turn).collect();
        for turn in over {
            if let Some(waiter) = self.take(store, turn) {
                waiter.give_up();
            }
        }
    }

    /// A client waits no longer because somebody says so (`CLIENT UNBLOCK`).
    pub(crate) fn unblock(&mut self, store: &mut Store, id: u64, error: bool) {
        let Some(waiter) = self.turns.get(&id).copied().and_then(|turn| self.take(store, turn))
        else {
            return;
        };
        if error {
            let mut reply = RespWriter::new(waiter.session.protocol);
            reply.error(UNBLOCKED);
            waiter.handle.place.push(reply.into_bytes());
        } else {
            waiter.give_up();
        }
    }

    /// A client waits no longer, if it did.
    pub(crate) fn remove(&mut self, store: &mut Store, id: u64) {
        if let Some(turn) = self.turns.get(&id).copied() {
            self.take(store, turn);
        }
    }

    /// Takes a client out of the queue.
    fn take(&mut self, store: &mut Store, turn: u64) -> Option<Waiter> {
        let waiter = self.waiters.remove(&turn)?;
        self.turns.remove(&waiter.handle.id);
        for awaited in &waiter.blocked.keys {
            let place = (waiter.blocked.db, awaited.key.clone());
            // A key that was named twice was counted once.
            let Some(turns) = self.keys.get_mut(&place) else { continue };
            if turns.remove(&turn) {
                store.forget_awaited(waiter.blocked.db, &awaited.key);
            }
            if turns.is_empty() {
                self.keys.remove(&place);
            }
        }
        store.set_blocked(waiter.handle.id, false);
        Some(waiter)
    }
}
