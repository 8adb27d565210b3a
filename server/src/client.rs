//! One connection's state and how it handles a command.
//!
//! Must not know threads: whoever calls holds the store and the engine.

use std::time::Duration;

use redlua::conversions::resp::RespWriter;
use redlua::core::{ReplySink, Session};
use redlua::store::Blocked;
use redlua::{Engine, Store};

use crate::transaction::{Transaction, Unqueueable, queueable};
use crate::waiting::Waiting;

/// The store and the engine that all connections share.
pub(crate) struct Core {
    pub(crate) store: Store,
    pub(crate) engine: Engine,
    /// Who waits for a key.
    pub(crate) waiting: Waiting,
}

/// A connection as the server sees it.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) session: Session,
    transaction: Transaction,
}

/// What became of a command.
pub(crate) enum Progress {
    /// Its reply is complete.
    Done,
    /// It waits; nothing was replied.
    Waits(Blocked),
}

impl Client {
    pub(crate) fn new(id: u64) -> Self {
        Client {
            session: Session { id, ..Session::default() },
            transaction: Transaction::default(),
        }
    }

    /// Runs a command, queues it, or begins to wait.
    pub(crate) fn handle(
        &mut self,
        core: &mut Core,
        argv: &[&[u8]],
        out: &mut RespWriter,
    ) -> Progress {
        out.set_protocol(Store::reply_protocol(&self.session, argv));
        let Some(name) = argv.first().map(|name| name.to_ascii_lowercase()) else {
            return Progress::Done;
        };
        let acceptable = core_accepts(core, argv);
        match (name.as_slice(), acceptable) {
            (b"multi", true) => self.transaction.begin(out),
            (b"exec", true) => self.exec(core, out),
            (b"discard", true) => self.transaction.discard(&mut core.store, out),
            (b"watch", true) => {
                let keys = argv.get(1..).unwrap_or_default();
                self.transaction.watch(&mut core.store, self.session.db, keys, out);
            }
            (b"unwatch", true) if !self.transaction.is_open() => {
                self.transaction.unwatch(&mut core.store);
                out.status(b"OK");
            }
            (b"reset", true) => {
                self.transaction.reset(&mut core.store);
                self.run(core, argv, out);
            }
            _ if self.transaction.is_open() => self.queue(core, argv, out),
            _ => {
                self.run(core, argv, out);
                if let Some(blocked) = core.store.take_blocked() {
                    return Progress::Waits(blocked);
                }
            }
        }
        Progress::Done
    }

    /// The connection is gone.
    pub(crate) fn end(&mut self, core: &mut Core) {
        self.transaction.reset(&mut core.store);
        core.store.forget(self.session.id);
    }

    fn run(&mut self, core: &mut Core, argv: &[&[u8]], out: &mut dyn ReplySink) {
        core.engine.dispatch(&mut core.store, &mut self.session, argv, out);
    }

    fn queue(&mut self, core: &mut Core, argv: &[&[u8]], out: &mut RespWriter) {
        match queueable(&core.store, argv) {
            Ok(_) => self.transaction.push(argv, out),
            Err(Unqueueable::NotInMulti) => {
                self.transaction.spoil();
                out.error(b"ERR Command not allowed inside a transaction");
            }
            Err(Unqueueable::Refused) => {
                self.transaction.spoil();
                self.run(core, argv, out);
            }
        }
    }

    fn exec(&mut self, core: &mut Core, out: &mut RespWriter) {
        let Some(queue) = self.transaction.exec(&mut core.store, out) else { return };
        for words in &queue {
            let argv: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
            out.set_protocol(Store::reply_protocol(&self.session, &argv));
            match argv.as_slice() {
                // Every watch ended when EXEC began.
                [name] if name.eq_ignore_ascii_case(b"unwatch") => out.status(b"OK"),
                _ => self.run(core, &argv, out),
            }
            // Nothing waits inside a transaction: what found nothing answers at once.
            if let Some(blocked) = core.store.take_blocked() {
                blocked.reply.push(out);
            }
        }
    }
}

/// Whether a command exists and has as many words as it needs.
fn core_accepts(core: &Core, argv: &[&[u8]]) -> bool {
    use redlua::core::Host;
    core.store.command(argv).is_some_and(|spec| spec.accepts(argv.len()))
}

/// How long others wait before they are told that a script is busy.
pub(crate) fn busy_threshold(core: &Core) -> Duration {
    use redlua::core::Host;
    core.store.busy_threshold()
}
