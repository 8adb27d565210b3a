//! Debugging sessions: `EVAL` after `SCRIPT DEBUG` takes the connection over.
//!
//! Owns what a session runs on: a copy of everything while others go on, or the store itself
//! while they wait (`ldbStartSession` in `eval.c`). Must not know what the debugger says, nor
//! what kind of connection it is.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};
#[cfg(feature = "net")]
use std::{
    future::Future,
    pin::Pin,
    sync::atomic::{AtomicUsize, Ordering},
    sync::mpsc,
    task::{Context, Poll},
};

use redlua_conversions::resp::RespWriter;
use redlua_core::{Debugging, Host, Protocol};
use redlua_engine::{Console, Engine};
use redlua_store::Store;
#[cfg(feature = "net")]
use tokio::sync::oneshot;

use crate::client::{Client, Progress};
use crate::core::Core;
use crate::handle::Handle;
use crate::shared::Shared;

/// A session that is to begin.
pub(crate) struct Plan {
    /// The `EVAL`.
    argv: Vec<Vec<u8>>,
    /// What it runs on, when that is a copy.
    copy: Option<Mutex<(Store, Engine)>>,
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
            Mutex::new((core.store.snapshot(), core.engine.fork()))
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

impl Client {
    /// Whether a command begins a debugging session; it is planned then, and a client whose
    /// session runs on a copy is gone for all others.
    pub(crate) fn begins_session(
        &mut self,
        core: &mut Core,
        argv: &[&[u8]],
        rest: &[Vec<Vec<u8>>],
    ) -> bool {
        self.plan = Plan::of(core, self, argv, rest).map(Box::new);
        if self.plan.as_ref().is_some_and(|plan| plan.is_forked()) {
            self.end(core);
        }
        self.plan.is_some()
    }

    /// Runs the commands of a transaction until one begins a session. When that runs on a copy
    /// the transaction itself goes on, though nobody hears of it.
    pub(crate) fn run_debugged(
        &mut self,
        core: &mut Core,
        queue: &[Vec<Vec<u8>>],
        out: &mut RespWriter,
    ) -> Progress {
        for (at, words) in queue.iter().enumerate() {
            let argv: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
            let rest = queue.get(at + 1..).unwrap_or_default();
            if self.begins_session(core, &argv, rest) {
                if self.plan.as_ref().is_some_and(|plan| plan.is_forked()) {
                    let debug = std::mem::take(&mut self.session.debug);
                    self.run_queue(core, rest, &mut RespWriter::new(Protocol::Resp2));
                    self.session.debug = debug;
                }
                return Progress::Debugs;
            }
            self.run_queue(core, std::slice::from_ref(words), out);
        }
        Progress::Done
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
            Some(copy) => {
                let (mut store, mut engine) =
                    copy.into_inner().unwrap_or_else(PoisonError::into_inner);
                engine.debug(&mut store, &mut client.session, &argv, console, out);
            }
            None => {
                let mut core = self.lock();
                let Core { store, engine, .. } = &mut *core;
                engine.debug(store, &mut client.session, &argv, console, out);
                client.session.debug = Debugging::Off;
                client.leave_outbox();
                // What a connection answers that is to be closed after a reply is not sent
                // (`prepareClientToWrite` in `networking.c`).
                client.run_queue(&mut core, &rest, &mut RespWriter::new(Protocol::Resp2));
                core.settle(client.session.id);
            }
        }
        if muted {
            out.truncate(start);
        }
    }
}

/// A session on a thread of its own, as the one sees it who has the connection.
#[cfg(feature = "net")]
pub(crate) struct Session {
    /// What arrives goes there; gone when nothing more comes.
    input: Option<mpsc::Sender<Vec<u8>>>,
    /// How much of it the debugger has not taken yet.
    unheard: Arc<AtomicUsize>,
    end: oneshot::Receiver<Vec<u8>>,
}

#[cfg(feature = "net")]
impl Session {
    /// Begins the session that the client's last command has planned.
    pub(crate) fn begin(shared: Arc<Shared>, mut client: Client) -> Self {
        let (input, queue) = mpsc::channel::<Vec<u8>>();
        let (done, end) = oneshot::channel();
        let unheard = Arc::new(AtomicUsize::new(0));
        let heard = unheard.clone();
        let work = move || {
            let next = move || {
                let piece = queue.recv().ok()?;
                heard.fetch_sub(piece.len(), Ordering::Relaxed);
                Some(piece)
            };
            let mut console = Terminal::new(client.handle.clone(), next);
            let mut out = RespWriter::new(client.session.protocol);
            shared.debug(&mut client, &mut console, &mut out);
            shared.forget(client);
            // Nobody may be there any more to hear of it.
            let _ = done.send(out.into_bytes());
        };
        // Without a thread there is no session: `end` says so at once.
        let _ = std::thread::Builder::new().name("redlua-debugger".into()).spawn(work);
        Session { input: Some(input), unheard, end }
    }

    /// The reply, once the script has ended; `None` when there never will be one.
    pub(crate) fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Option<Vec<u8>>> {
        Pin::new(&mut self.end).poll(cx).map(Result::ok)
    }

    /// Whether more may come.
    pub(crate) fn listens(&self) -> bool {
        self.input.is_some()
    }

    /// Something has arrived.
    pub(crate) fn hear(&mut self, piece: Vec<u8>) {
        self.unheard.fetch_add(piece.len(), Ordering::Relaxed);
        if let Some(input) = &self.input {
            // What comes when the script has ended is for nobody.
            let _ = input.send(piece);
        }
    }

    /// Nothing more comes.
    pub(crate) fn hang_up(&mut self) {
        self.input = None;
    }

    /// How much the debugger has not taken yet.
    pub(crate) fn unheard(&self) -> usize {
        self.unheard.load(Ordering::Relaxed)
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
