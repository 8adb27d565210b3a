//! `MULTI`, `EXEC`, `DISCARD`, `WATCH`, `UNWATCH`.
//!
//! Owns the queue and the watched keys of one connection (`multi.c`). Must not know what the
//! queued commands do.

use redlua_core::{CommandFlags, CommandSpec, Host, ReplySink, Seq};
use redlua_engine::{CrossSlot, Engine};
use redlua_store::{LateStamp, LateWatches, Store};

/// The transaction of a connection.
#[derive(Debug, Default)]
pub(crate) struct Transaction {
    /// The queued commands, while MULTI is open.
    queue: Option<Vec<Vec<Vec<u8>>>>,
    /// What the queued commands may do, together.
    flags: CommandFlags,
    /// Whether queueing failed: EXEC will be refused.
    broken: bool,
    /// Watched keys: database, key, stamp.
    watched: Vec<(u32, Vec<u8>, Stamp)>,
}

/// What a watched key was like.
#[derive(Debug)]
enum Stamp {
    Known(u64),
    /// The store was not to be had when the watch began.
    Late(LateStamp),
}

impl Transaction {
    /// Whether MULTI is open.
    pub(crate) fn is_open(&self) -> bool {
        self.queue.is_some()
    }

    /// How many commands are queued; `None` when MULTI is not open.
    pub(crate) fn queued(&self) -> Option<usize> {
        self.queue.as_ref().map(Vec::len)
    }

    /// What the queued commands may do, together.
    pub(crate) fn flags(&self) -> CommandFlags {
        self.flags
    }

    /// `MULTI`.
    pub(crate) fn begin(&mut self, sink: &mut dyn ReplySink) {
        if self.queue.is_some() {
            return sink.error(b"ERR MULTI calls can not be nested");
        }
        self.queue = Some(Vec::new());
        self.flags = CommandFlags::empty();
        self.broken = false;
        sink.status(b"OK");
    }

    /// Adds a command that was found acceptable.
    pub(crate) fn push(&mut self, spec: &CommandSpec, argv: &[&[u8]], sink: &mut dyn ReplySink) {
        if let Some(queue) = &mut self.queue {
            self.flags |= spec.flags;
            queue.push(argv.iter().map(|word| word.to_vec()).collect());
            sink.status(b"QUEUED");
        }
    }

    /// A command was refused: an open transaction is lost (`flagTransaction`).
    pub(crate) fn spoil(&mut self) {
        self.broken |= self.queue.is_some();
    }

    /// `DISCARD`.
    pub(crate) fn discard(&mut self, store: &mut Store, sink: &mut dyn ReplySink) {
        if self.queue.take().is_none() {
            return sink.error(b"ERR DISCARD without MULTI");
        }
        self.unwatch(store);
        sink.status(b"OK");
    }

    /// The slot of the keys of all queued commands (`getNodeByQuery` in `cluster.c`); `None` when
    /// they have none, or there is no cluster.
    ///
    /// # Errors
    /// They are in several slots.
    pub(crate) fn slot(&self, engine: &Engine, store: &Store) -> Result<Option<u16>, CrossSlot> {
        let mut slot = None;
        let queue = self.queue.as_deref().filter(|_| engine.is_clustered());
        for words in queue.unwrap_or_default() {
            let argv: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
            let Some(spec) = store.command(&argv) else { continue };
            let found = engine.slot(store, &spec, &argv)?;
            if found.is_some() && slot.is_some() && found != slot {
                return Err(CrossSlot);
            }
            slot = slot.or(found);
        }
        Ok(slot)
    }

    /// `EXEC`: the commands to run now, after the array's header was pushed; `None` when the
    /// reply is complete.
    pub(crate) fn exec(
        &mut self,
        store: &mut Store,
        sink: &mut dyn ReplySink,
    ) -> Option<Vec<Vec<Vec<u8>>>> {
        let Some(queue) = self.queue.take() else {
            sink.error(b"ERR EXEC without MULTI");
            return None;
        };
        let touched = self.watched.iter().any(|(db, key, stamp)| {
            store.stamp(*db, key)
                != match stamp {
                    Stamp::Known(stamp) => *stamp,
                    Stamp::Late(stamp) => stamp.value(),
                }
        });
        self.unwatch(store);
        if self.broken {
            sink.error(b"EXECABORT Transaction discarded because of previous errors.");
            return None;
        }
        if touched {
            sink.null_array();
            return None;
        }
        sink.seq(Seq::Array, queue.len());
        Some(queue)
    }

    /// `WATCH`.
    pub(crate) fn watch(
        &mut self,
        store: &mut Store,
        db: u32,
        keys: &[&[u8]],
        sink: &mut dyn ReplySink,
    ) {
        self.watch_with(|key| Stamp::Known(store.watch(db, key)), db, keys, sink);
    }

    /// The same while a script has the store.
    pub(crate) fn watch_late(
        &mut self,
        watches: &LateWatches,
        db: u32,
        keys: &[&[u8]],
        sink: &mut dyn ReplySink,
    ) {
        self.watch_with(|key| Stamp::Late(watches.watch(db, key)), db, keys, sink);
    }

    fn watch_with(
        &mut self,
        mut stamp: impl FnMut(&[u8]) -> Stamp,
        db: u32,
        keys: &[&[u8]],
        sink: &mut dyn ReplySink,
    ) {
        if self.is_open() {
            return sink.error(b"ERR WATCH inside MULTI is not allowed");
        }
        for key in keys {
            if !self.watched.iter().any(|(at, known, _)| *at == db && known == key) {
                self.watched.push((db, key.to_vec(), stamp(key)));
            }
        }
        sink.status(b"OK");
    }

    /// `UNWATCH`, and what every end of a transaction does.
    pub(crate) fn unwatch(&mut self, store: &mut Store) {
        for (db, key, _) in self.watched.drain(..) {
            store.unwatch(db, &key);
        }
    }

    /// Ends every watch without the store, which is to be told of the keys later.
    pub(crate) fn take_watched(&mut self) -> Vec<(u32, Vec<u8>)> {
        self.watched.drain(..).map(|(db, key, _)| (db, key)).collect()
    }

    /// Forgets everything (`RESET`, the end of a connection).
    pub(crate) fn reset(&mut self, store: &mut Store) {
        self.close();
        self.unwatch(store);
    }

    /// Forgets the queue.
    pub(crate) fn close(&mut self) {
        self.queue = None;
        self.broken = false;
    }
}
