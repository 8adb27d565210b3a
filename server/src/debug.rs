//! Debugging sessions: `EVAL` after `SCRIPT DEBUG` takes the connection over.
//!
//! Owns what a session runs on: a copy of everything while others go on, or the store itself
//! while they wait (`ldbStartSession` in `eval.c`). Must not know what the debugger says, nor
//! what kind of connection it is.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::sync::Arc;

use redlua_conversions::resp::RespWriter;
use redlua_core::{Debugging, Host, Protocol};
use redlua_engine::{Console, Engine};
use redlua_store::Store;

use crate::client::Client;
use crate::core::Core;
use crate::handle::Handle;
use crate::shared::Shared;

/// A session that is to begin.
pub(crate) struct Plan {
    /// The `EVAL`.
    argv: Vec<Vec<u8>>,
    /// What it runs on, when that is a copy.
    copy: Option<(Store, Engine)>,
    /// The commands of its transaction that follow it.
    rest: Vec<Vec<Vec<u8>>>,
    /// The replies before its own, of the same transaction.
    replies: Vec<u8>,
    /// Whether no reply is wanted.
    muted: bool,
}

impl std::fmt::Debug for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plan").field("forked", &self.copy.is_some()).finish_non_exhaustive()
    }
}

impl Plan {
    /// The session that a command begins, if it does; `rest` follows it in its transaction. A
    /// forked one gets its copy now, and the client is one of the server's no longer.
    pub(crate) fn of(
        core: &mut Core,
        client: &mut Client,
        argv: &[&[u8]],
        rest: &[Vec<Vec<u8>>],
    ) -> Option<Self> {
        if !client.debuggable || !core.engine.debugs(&core.store, &client.session, argv) {
            return None;
        }
        let copy = (client.session.debug == Debugging::Forked).then(|| {
            // Those who monitor and count hear of it from the process that stays.
            if let Some(spec) = core.store.command(argv) {
                core.store.command_started(&client.session, &spec, argv);
                core.store.command_ended(&client.session, &spec, argv, None);
            }
            (core.store.snapshot(), core.engine.fork())
        });
        Some(Plan {
            argv: argv.iter().map(|word| word.to_vec()).collect(),
            // The forked process ends with the session (`ldbEndSession`).
            rest: if copy.is_some() { Vec::new() } else { rest.to_vec() },
            copy,
            replies: Vec::new(),
            muted: false,
        })
    }

    /// Whether it runs on a copy.
    pub(crate) fn is_forked(&self) -> bool {
        self.copy.is_some()
    }

    /// Keeps the replies that are to be sent after what the debugger says: those in `out` from
    /// `start` on, unless none is wanted.
    pub(crate) fn keep(&mut self, out: &mut RespWriter, start: usize, muted: bool) {
        self.muted = muted;
        self.replies = out.bytes().get(start..).unwrap_or_default().to_vec();
        out.truncate(start);
    }
}

impl Shared {
    /// Runs the session that the client's last command began, on the calling thread, until the
    /// script ends. What is left to be sent is appended to `out`; then the connection is to be
    /// closed.
    pub(crate) fn debug(
        &self,
        client: &mut Client,
        console: &mut dyn Console,
        out: &mut RespWriter,
    ) {
        let Some(plan) = client.plan.take() else { return };
        let Plan { argv, copy, rest, replies, muted } = *plan;
        let start = out.bytes().len();
        out.raw(&replies);
        out.set_protocol(client.session.protocol);
        let argv: Vec<&[u8]> = argv.iter().map(Vec::as_slice).collect();
        match copy {
            Some((mut store, mut engine)) => {
                engine.debug(&mut store, &mut client.session, &argv, console, out);
            }
            None => {
                let mut core = self.lock();
                let before = core.store.modifications();
                let Core { store, engine, .. } = &mut *core;
                engine.debug(store, &mut client.session, &argv, console, out);
                client.session.debug = Debugging::Off;
                // What a connection answers that is to be closed after a reply is not sent
                // (`prepareClientToWrite` in `networking.c`).
                client.run_queue(&mut core, &rest, &mut RespWriter::new(Protocol::Resp2));
                core.settle(client.session.id, before);
            }
        }
        if muted {
            out.truncate(start);
        }
    }
}

/// The console of a session whose connection somebody else reads and writes: what arrives comes
/// from `next`, until there is nothing more; what is said goes to the client's outbox.
pub(crate) struct Terminal<F> {
    handle: Arc<Handle>,
    next: F,
    unread: VecDeque<u8>,
}

impl<F: FnMut() -> Option<Vec<u8>>> Terminal<F> {
    pub(crate) fn new(handle: Arc<Handle>, next: F) -> Self {
        Terminal { handle, next, unread: VecDeque::new() }
    }
}

impl<F: FnMut() -> Option<Vec<u8>>> Read for Terminal<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.unread.is_empty() {
            let Some(bytes) = (self.next)() else { return Ok(0) };
            self.unread = bytes.into();
        }
        self.unread.read(buffer)
    }
}

impl<F> Write for Terminal<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.handle.outbox.push(bytes.to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
