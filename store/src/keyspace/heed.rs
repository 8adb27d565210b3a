//! Who wants to hear of a key's modification: transactions that watch it, clients that wait for
//! it, clients that cache it.
//!
//! Owns the stamps of `WATCH` (`multi.c`) and the list of ready keys (`blocked.c`). It must not
//! know what a watcher or a waiting client does then.

use super::Keyspace;
use crate::events::Touch;

impl Keyspace {
    /// Tells of a modification of a key of the selected database.
    #[cold]
    pub(super) fn signal(&mut self, key: &[u8]) {
        if self.journal.tracks {
            self.journal.touch(Touch::Key(key.to_vec()));
        }
        let place = (self.selected, key.to_vec());
        if let Some((stamp, _)) = self.watched.get_mut(&place) {
            *stamp = self.dirty;
        }
        if self.awaited.contains_key(&place) {
            self.make_ready(place.1);
        }
    }

    /// The same for all keys of a database that exist there (`touchAllWatchedKeysInDb`,
    /// `scanDatabaseForReadyKeys`).
    pub(super) fn signal_all(&mut self, database: usize) {
        self.dirty += 1;
        let dict = &self.databases[database].dict;
        for ((number, key), (stamp, _)) in &mut self.watched {
            if *number == database && dict.contains(key) {
                *stamp = self.dirty;
            }
        }
        let ready = self.awaited.keys().filter(|(at, key)| *at == database && dict.contains(key));
        self.ready.extend(ready.map(|(at, key)| (*at as u32, key.clone())));
    }

    fn make_ready(&mut self, key: Vec<u8>) {
        let place = (self.selected as u32, key);
        if !self.ready.contains(&place) {
            self.ready.push(place);
        }
    }

    /// Begins to keep the stamp of a key, for one that watches it.
    pub(crate) fn watch(&mut self, database: usize, key: &[u8]) {
        let (_, watchers) = self.watched.entry((database, key.to_vec())).or_insert((self.dirty, 0));
        *watchers += 1;
        self.set_alert();
    }

    /// A number that changes whenever the key is modified, as long as it is watched.
    pub(crate) fn stamp(&mut self, database: usize, key: &[u8]) -> u64 {
        // A key that has expired by now is modified by that.
        let selected = self.selected;
        self.select(database);
        let _ = self.exists(key);
        self.selected = selected;
        self.watched.get(&(database, key.to_vec())).map_or(self.dirty, |(stamp, _)| *stamp)
    }

    /// One that watched a key does so no more.
    pub(crate) fn unwatch(&mut self, database: usize, key: &[u8]) {
        let place = (database, key.to_vec());
        if let Some((_, watchers)) = self.watched.get_mut(&place) {
            *watchers -= 1;
            if *watchers == 0 {
                self.watched.remove(&place);
            }
        }
        self.set_alert();
    }

    /// One more client waits for a key.
    pub(crate) fn await_key(&mut self, database: usize, key: &[u8]) {
        *self.awaited.entry((database, key.to_vec())).or_default() += 1;
        self.set_alert();
    }

    /// A client waits for a key no more.
    pub(crate) fn forget_awaited(&mut self, database: usize, key: &[u8]) {
        let place = (database, key.to_vec());
        if let Some(waiting) = self.awaited.get_mut(&place) {
            *waiting -= 1;
            if *waiting == 0 {
                self.awaited.remove(&place);
            }
        }
        self.set_alert();
    }

    /// Whether a key that somebody waits for has been modified.
    #[inline]
    pub(crate) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// The keys somebody waits for that have been modified, by their database, in that order.
    pub(crate) fn take_ready(&mut self) -> Vec<(u32, Vec<u8>)> {
        std::mem::take(&mut self.ready)
    }

    /// Whether anybody wants to hear of each modification.
    pub(super) fn set_alert(&mut self) {
        self.alert = self.journal.tracks || !self.watched.is_empty() || !self.awaited.is_empty();
    }
}
