//! What all connections share: the store and engine behind a lock, who is connected, and the
//! rule of the busy script.
//!
//! Must not know how a command works.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use redlua::conversions::resp::RespWriter;
use redlua::core::{Backend, Protocol, ReplySink};
use redlua::engine::{KillOutcome, RunKind};
use redlua::store::Blocked;
use redlua::{Engine, Limits, Monitor, Store};

use crate::Connection;
use crate::client::{Client, Core, Progress, busy_threshold};
use crate::outbox::Outbox;
use crate::waiting::Waiting;

/// A Redis without a socket. Clones share one server.
#[derive(Clone)]
pub struct Server {
    shared: Arc<Shared>,
}

/// See [`Server`].
pub(crate) struct Shared {
    core: Mutex<Core>,
    /// What script runs.
    monitor: Monitor,
    /// `busy-reply-threshold` in milliseconds, as last seen.
    threshold: AtomicU64,
    next_id: AtomicU64,
    /// Where messages for a connection go.
    outboxes: Mutex<HashMap<u64, Listener>>,
}

/// A connection as messages reach it.
struct Listener {
    outbox: Arc<Outbox>,
    protocol: Protocol,
}

impl Server {
    /// A server of an empty store, on the default backend. Scripts run as long as they like, as
    /// in redis-server, until somebody kills them.
    pub fn new() -> Self {
        let mut engine = redlua::Client::new().engine;
        engine.set_limits(Limits { time: None, ..Limits::default() });
        Server::with(engine, Store::new())
    }

    /// A server of an empty store on this backend.
    pub fn with_backend(backend: Arc<dyn Backend>) -> Self {
        let mut engine = Engine::new(backend);
        engine.set_limits(Limits { time: None, ..Limits::default() });
        Server::with(engine, Store::new())
    }

    /// A server of this engine and this store.
    pub fn with(engine: Engine, store: Store) -> Self {
        let monitor = engine.monitor().clone();
        Server {
            shared: Arc::new(Shared {
                core: Mutex::new(Core { store, engine, waiting: Waiting::default() }),
                monitor,
                threshold: AtomicU64::new(5000),
                next_id: AtomicU64::new(1),
                outboxes: Mutex::default(),
            }),
        }
    }

    /// A new connection, in RESP2 and database 0.
    pub fn connect(&self) -> Connection {
        let id = self.shared.next_id.fetch_add(1, Ordering::Relaxed);
        let outbox = Arc::new(Outbox::default());
        let listener = Listener { outbox: outbox.clone(), protocol: Protocol::Resp2 };
        self.shared.listeners().insert(id, listener);
        Connection::spawn(self.shared.clone(), Client::new(id), outbox)
    }
}

impl Default for Server {
    fn default() -> Self {
        Server::new()
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").finish_non_exhaustive()
    }
}

impl Shared {
    /// Handles one command of `client` to its reply, however long it waits.
    pub(crate) fn handle(&self, client: &mut Client, argv: &[&[u8]], out: &mut RespWriter) {
        let Some(mut core) = self.acquire(client, argv, out) else { return };
        let before = core.store.modifications();
        let progress = client.handle(&mut core, argv, out);
        self.threshold.store(busy_threshold(&core).as_millis() as u64, Ordering::Relaxed);
        if core.store.modifications() != before {
            let Core { store, waiting, .. } = &mut *core;
            waiting.serve(store);
        }
        self.deliver(&mut core, client);
        if let Progress::Waits(blocked) = progress {
            self.wait(core, client, argv, blocked, out);
        }
    }

    /// The connection is gone.
    pub(crate) fn forget(&self, client: &mut Client) {
        self.listeners().remove(&client.session.id);
        client.end(&mut self.lock());
    }

    /// Hands out what was published, and notes which protocol the client reads by now.
    fn deliver(&self, core: &mut Core, client: &Client) {
        let messages = core.store.take_messages();
        let mut listeners = self.listeners();
        if let Some(listener) = listeners.get_mut(&client.session.id) {
            listener.protocol = client.session.protocol;
        }
        for (id, message) in messages {
            if let Some(listener) = listeners.get(&id) {
                let mut bytes = RespWriter::new(listener.protocol);
                message.push(&mut bytes);
                listener.outbox.push(bytes.into_bytes());
            }
        }
    }

    fn listeners(&self) -> MutexGuard<'_, HashMap<u64, Listener>> {
        self.outboxes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the core; or answers for a busy script and returns `None`.
    fn acquire(
        &self,
        client: &mut Client,
        argv: &[&[u8]],
        out: &mut RespWriter,
    ) -> Option<MutexGuard<'_, Core>> {
        loop {
            match self.core.try_lock() {
                Ok(core) => return Some(core),
                Err(TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) => {}
            }
            let threshold = Duration::from_millis(self.threshold.load(Ordering::Relaxed));
            if let Some(busy) = self.monitor.busy(threshold) {
                out.set_protocol(client.session.protocol);
                self.answer_busy(argv, busy, out);
                return None;
            }
            std::thread::sleep(Duration::from_micros(200));
        }
    }

    /// What a busy server answers (`processCommand` in `server.c`): only what ends the script.
    fn answer_busy(&self, argv: &[&[u8]], busy: &[u8], out: &mut RespWriter) {
        let word = |index: usize| argv.get(index).map(|word| word.to_ascii_lowercase());
        let kind = match (word(0).as_deref(), word(1).as_deref(), argv.len()) {
            (Some(b"script"), Some(b"kill"), 2) => RunKind::Eval,
            (Some(b"function"), Some(b"kill"), 2) => RunKind::Function,
            (Some(b"function"), Some(b"stats"), 2) => {
                if !redlua::engine::push_busy_stats(&self.monitor, out) {
                    out.error(busy);
                }
                return;
            }
            _ => return out.error(busy),
        };
        match self.monitor.kill(kind) {
            KillOutcome::Killed => out.status(b"OK"),
            outcome => redlua::engine::push_kill(outcome, out),
        }
    }

    /// Waits until somebody serves the client, or until the time is over.
    fn wait(
        &self,
        mut core: MutexGuard<'_, Core>,
        client: &Client,
        argv: &[&[u8]],
        blocked: Blocked,
        out: &mut RespWriter,
    ) {
        let deadline = blocked.timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let late = blocked.reply;
        let place = core.waiting.push(client.session, argv, blocked);
        drop(core);
        let reply = place.wait(deadline).or_else(|| {
            // Between the end of the time and this lock somebody may have served it.
            self.lock().waiting.remove(&place);
            place.take()
        });
        match reply {
            Some(bytes) => out.raw(&bytes),
            None => late.push(out),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
