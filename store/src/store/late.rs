//! Watches that begin while somebody else has the store.
//!
//! Owns the list through which they reach it: a script may keep the store for long, and what it
//! modifies after `WATCH` counts. It must not know who watches, nor why they cannot wait.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::Store;

/// Takes watches for a store that is in somebody else's hands ([`Store::late_watches`]): they
/// begin before the next command there, one of a script included.
#[derive(Clone, Debug, Default)]
pub struct LateWatches(Arc<Inbox>);

#[derive(Debug, Default)]
struct Inbox {
    /// Whether there is anything in it.
    any: AtomicBool,
    watches: Mutex<Vec<(u32, Vec<u8>, LateStamp)>>,
}

/// The stamp of a key whose watch begins late.
#[derive(Clone, Debug, Default)]
pub struct LateStamp(Arc<AtomicU64>);

impl LateStamp {
    /// The stamp ([`Store::stamp`]) that the key had; meaningless until the store has run a
    /// command or was asked for a stamp.
    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

impl LateWatches {
    /// Watches a key as [`Store::watch`] does; ends with [`Store::unwatch`].
    pub fn watch(&self, db: u32, key: &[u8]) -> LateStamp {
        let stamp = LateStamp::default();
        let mut watches = self.0.watches.lock().unwrap_or_else(PoisonError::into_inner);
        watches.push((db, key.to_vec(), stamp.clone()));
        self.0.any.store(true, Ordering::Release);
        stamp
    }
}

impl Store {
    /// Where watches may be left while this store is in use.
    pub fn late_watches(&self) -> LateWatches {
        self.late.clone()
    }

    /// Begins the watches that were left there.
    #[inline]
    pub(super) fn admit_late(&mut self) {
        if self.late.0.any.load(Ordering::Relaxed) {
            self.begin_late();
        }
    }

    #[cold]
    fn begin_late(&mut self) {
        let watches = {
            let inbox = &self.late.0;
            let mut watches = inbox.watches.lock().unwrap_or_else(PoisonError::into_inner);
            inbox.any.store(false, Ordering::Relaxed);
            std::mem::take(&mut *watches)
        };
        for (db, key, stamp) in watches {
            self.keys.watch(db as usize, &key);
            stamp.0.store(self.keys.stamp(db as usize, &key), Ordering::Release);
        }
    }
}
