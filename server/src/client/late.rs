//! What a connection may do while a script is busy.
//!
//! Owns which commands go on although the core is not to be had, and what the core hears of them
//! later. Must not know threads, tasks or sockets.

use redlua_conversions::resp::RespWriter;
use redlua_core::{Host, Protocol, ReplySink, Session};
use redlua_engine::Monitor;
use redlua_store::LateWatches;

use super::{Client, Progress};
use crate::busy::{self, Shutdown};
use crate::core::Core;
use crate::verb::Verb;

impl Client {
    /// Handles a command while a script is busy: `core` only stands in for the real one.
    pub(crate) fn handle_busy(
        &mut self,
        core: &mut Core,
        watches: &LateWatches,
        (monitor, busy): (&Monitor, &[u8]),
        argv: &[&[u8]],
        out: &mut RespWriter,
    ) -> Progress {
        out.set_protocol(self.session.protocol);
        if !self.attached {
            self.authenticated |= !core.store.requires_password();
        }
        let spec = core.store.command(argv).filter(|spec| spec.accepts(argv.len()));
        let verb = spec.map_or(Verb::Plain, |spec| core.verbs.of(&spec));
        let Some(spec) = spec.filter(|spec| self.refusal(core, spec, verb, argv).is_none()) else {
            return self.process(core, argv, out);
        };
        match verb {
            Verb::KillScript | Verb::KillFunction | Verb::FunctionStats
                if !self.transaction.is_open() =>
            {
                match core.engine.admit(&mut core.store, &self.session, &spec, argv) {
                    Ok(()) => busy::act_upon(monitor, verb, busy, out),
                    Err(refusal) => out.error(&refusal),
                }
            }
            Verb::Shutdown if Shutdown::of(argv) == Shutdown::Save => out.error(busy),
            Verb::Multi
            | Verb::Discard
            | Verb::Quit
            | Verb::Hello
            | Verb::Auth
            | Verb::Shutdown => {
                if verb == Verb::Discard && self.transaction.is_open() {
                    self.stale.extend(self.transaction.take_watched());
                }
                return self.process(core, argv, out);
            }
            Verb::Watch => {
                let keys = argv.get(1..).unwrap_or_default();
                self.transaction.watch_late(watches, self.session.db, keys, out);
            }
            Verb::Unwatch if !self.transaction.is_open() => {
                self.stale.extend(self.transaction.take_watched());
                out.status(b"OK");
            }
            Verb::Reset => self.reset_late(core, out),
            _ => {
                if verb == Verb::Exec {
                    self.stale.extend(self.transaction.take_watched());
                }
                self.refuse(core, verb, busy, out);
            }
        }
        Progress::Done
    }

    /// `RESET` while a script is busy: `core` only stands in for the real one, which hears of it
    /// later.
    fn reset_late(&mut self, core: &Core, out: &mut RespWriter) {
        self.stale.extend(self.transaction.take_watched());
        self.transaction.close();
        self.session = Session { id: self.session.id, ..Session::default() };
        self.reset = true;
        self.forget_login(core);
        self.handle.set_protocol(Protocol::Resp2);
        out.set_protocol(Protocol::Resp2);
        out.status(b"RESET");
    }
}
