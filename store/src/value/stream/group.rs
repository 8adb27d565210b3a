//! Consumer groups: who has been given which entries and has not acknowledged them.
//!
//! Owns [`Group`], its consumers and the pending entries list (PEL), which exists once for the
//! group and once for each consumer. It must not know the stream.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::value::stream::StreamId;

/// A consumer group.
#[derive(Clone, Default)]
pub(crate) struct Group {
    /// The last entry delivered.
    pub(crate) last_id: StreamId,
    /// How many entries of the stream have been delivered, ever; `None` when nobody can tell.
    pub(crate) entries_read: Option<i64>,
    pending: BTreeMap<StreamId, Pending>,
    consumers: BTreeMap<Arc<[u8]>, Consumer>,
}

/// An entry that was delivered and not acknowledged (`streamNACK`).
#[derive(Clone)]
pub(crate) struct Pending {
    /// To whom.
    pub(crate) consumer: Arc<[u8]>,
    /// When, in milliseconds since the epoch.
    pub(crate) delivered: i64,
    /// How often.
    pub(crate) count: u64,
}

/// A member of a group.
#[derive(Clone, Default)]
pub(crate) struct Consumer {
    /// When it last did anything, in milliseconds since the epoch.
    pub(crate) seen: i64,
    /// What it has not acknowledged.
    pub(crate) pending: BTreeSet<StreamId>,
}

impl Group {
    /// A group that has read up to `last_id`.
    pub(crate) fn new(last_id: StreamId, entries_read: Option<i64>) -> Self {
        Group { last_id, entries_read, ..Group::default() }
    }

    /// The entries nobody has acknowledged.
    pub(crate) fn pending(&self) -> &BTreeMap<StreamId, Pending> {
        &self.pending
    }

    /// The consumers by name.
    pub(crate) fn consumers(&self) -> &BTreeMap<Arc<[u8]>, Consumer> {
        &self.consumers
    }

    /// The consumer of that name.
    pub(crate) fn consumer(&self, name: &[u8]) -> Option<&Consumer> {
        self.consumers.get(name)
    }

    /// Adds a consumer; returns whether it is new.
    pub(crate) fn add_consumer(&mut self, name: &[u8], now: i64) -> bool {
        if self.consumers.contains_key(name) {
            return false;
        }
        self.consumers.insert(name.into(), Consumer { seen: now, pending: BTreeSet::new() });
        true
    }

    /// Notes that a consumer is alive, adding it when it is not known; returns its name, to be
    /// shared, and whether it is new.
    pub(crate) fn see(&mut self, name: &[u8], now: i64) -> (Arc<[u8]>, bool) {
        let new = self.add_consumer(name, now);
        if let Some(consumer) = self.consumers.get_mut(name) {
            consumer.seen = now;
        }
        let shared = self.consumers.get_key_value(name).map(|(shared, _)| shared.clone());
        (shared.unwrap_or_else(|| name.into()), new)
    }

    /// Removes a consumer and everything pending for it; returns how much that was.
    pub(crate) fn remove_consumer(&mut self, name: &[u8]) -> usize {
        let Some(consumer) = self.consumers.remove(name) else { return 0 };
        for id in &consumer.pending {
            self.pending.remove(id);
        }
        consumer.pending.len()
    }

    /// Gives an entry to a consumer, taking it from whoever has it.
    pub(crate) fn assign(&mut self, id: StreamId, pending: Pending) {
        let name = pending.consumer.clone();
        if let Some(old) = self.pending.insert(id, pending)
            && old.consumer != name
            && let Some(consumer) = self.consumers.get_mut(&old.consumer)
        {
            consumer.pending.remove(&id);
        }
        self.consumers.entry(name).or_default().pending.insert(id);
    }

    /// Notes one more delivery of a pending entry.
    pub(crate) fn redeliver(&mut self, id: StreamId, now: i64) {
        if let Some(pending) = self.pending.get_mut(&id) {
            pending.delivered = now;
            pending.count = pending.count.saturating_add(1);
        }
    }

    /// Removes an entry from the pending ones; returns whether it was one.
    pub(crate) fn acknowledge(&mut self, id: StreamId) -> bool {
        let Some(pending) = self.pending.remove(&id) else { return false };
        if let Some(consumer) = self.consumers.get_mut(&pending.consumer) {
            consumer.pending.remove(&id);
        }
        true
    }

    /// Puts a consumer in that was saved elsewhere.
    pub(crate) fn restore_consumer(&mut self, name: &[u8], seen: i64) -> Arc<[u8]> {
        let name: Arc<[u8]> = name.into();
        self.consumers.entry(name.clone()).or_default().seen = seen;
        name
    }
}
