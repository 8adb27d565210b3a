//! Whole databases: counting, emptying, exchanging them, and expired keys nobody asks for.
//!
//! Owns what concerns more than one key. It must not know commands or sessions.

use super::{Entry, Keyspace};
use crate::events::Touch;
use crate::value::Bytes;

impl Keyspace {
    /// How many keys the selected database has.
    pub(crate) fn len(&mut self) -> usize {
        self.purge();
        self.database().dict.len()
    }

    /// How many keys of a database expire.
    pub(crate) fn volatile(&self, database: usize) -> usize {
        self.databases.get(database).map_or(0, |database| database.volatile)
    }

    /// How many keys a database has, expired ones included.
    pub(crate) fn size(&self, database: usize) -> usize {
        self.databases.get(database).map_or(0, |database| database.dict.len())
    }

    /// Removes the expired keys of the selected database.
    pub(crate) fn purge(&mut self) {
        if self.database().volatile == 0 {
            return;
        }
        let now = self.now;
        let due: Vec<_> = self
            .database()
            .dict
            .iter()
            .filter(|(_, entry)| entry.is_over(now))
            .map(|(key, _)| key.clone())
            .collect();
        for key in due {
            self.expire(&key);
        }
    }

    /// Removes some expired keys of the selected database, looking at so many keys at most from
    /// a position on; returns where to go on (`activeExpireCycle` in `expire.c`).
    pub(crate) fn purge_some(&mut self, from: usize, most: usize) -> usize {
        let (now, database) = (self.now, self.database());
        if database.volatile == 0 {
            return 0;
        }
        let mut at = from.min(database.dict.len());
        let mut due: Vec<Bytes> = Vec::new();
        for _ in 0..most.min(database.dict.len()) {
            // Downwards, so that removals move only what has been seen.
            at = if at == 0 { database.dict.len() - 1 } else { at - 1 };
            if let Some((key, entry)) = database.dict.at(at)
                && entry.is_over(now)
            {
                due.push(key.clone());
            }
        }
        for key in due {
            self.expire(&key);
        }
        at
    }

    /// The selected database's keys, expired ones included.
    pub(crate) fn iter(
        &self,
    ) -> impl DoubleEndedIterator<Item = (&Bytes, &Entry)> + ExactSizeIterator {
        self.databases[self.selected].dict.iter()
    }

    /// The entry at a position of the selected database.
    pub(crate) fn at(&self, position: usize) -> Option<(&Bytes, &Entry)> {
        self.databases[self.selected].dict.at(position)
    }

    /// Empties the selected database; returns how many keys it had.
    pub(crate) fn clear(&mut self) -> usize {
        self.signal_all(self.selected);
        let database = std::mem::take(self.database());
        self.dirty += database.dict.len() as u64;
        database.dict.len()
    }

    /// Databases have been emptied: whatever clients have cached is invalid
    /// (`signalFlushedDb`).
    pub(crate) fn flushed(&mut self) {
        if self.journal.tracks {
            self.journal.touch(Touch::All);
        }
    }

    /// Exchanges two databases.
    pub(crate) fn swap(&mut self, one: usize, two: usize) {
        self.signal_all(one);
        self.signal_all(two);
        self.databases.swap(one, two);
        self.signal_all(one);
        self.signal_all(two);
    }

    /// About how many bytes all keys take, from a sample.
    pub(crate) fn memory(&self) -> usize {
        const SAMPLE: usize = 64;
        self.databases
            .iter()
            .map(|database| {
                let sampled = database.dict.len().min(SAMPLE);
                let bytes: usize = database
                    .dict
                    .iter()
                    .take(sampled)
                    .map(|(key, entry)| key.len() + 56 + entry.value.memory())
                    .sum();
                bytes * database.dict.len() / sampled.max(1)
            })
            .sum()
    }
}
