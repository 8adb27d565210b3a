//! The core behind its lock, and the way of one command through it.
//!
//! Owns how threads and tasks wait: for the core, for a blocked command's reply. Must not know
//! how a command works.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex as Latch, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

use futures_timer::Delay;
use redlua_conversions::resp::RespWriter;
use redlua_core::Host;
use redlua_engine::{Engine, Monitor};
use redlua_store::{Blocked, Store};
use tokio::sync::{Mutex, MutexGuard};

use crate::busy::Stand;
use crate::client::{Client, Progress};
use crate::core::Core;
use crate::park;

/// See [`Server`](crate::Server).
pub(crate) struct Shared {
    core: Mutex<Core>,
    /// What script runs.
    pub(crate) monitor: Monitor,
    /// What answers while it is busy.
    stand: Arc<Stand>,
    /// `busy-reply-threshold` in milliseconds, as last seen.
    threshold: AtomicU64,
    next_id: AtomicU64,
    /// Clients that are gone while somebody else held the core.
    gone: Latch<Vec<Client>>,
    any_gone: AtomicBool,
    /// Whether new clients must log in, as last seen.
    guarded: AtomicBool,
}

/// How long a paused client waits until it looks again whether the pause is over: somebody may
/// have ended it, or moved a clock that does not go by itself.
pub(crate) const PAUSE_STEP: Duration = Duration::from_millis(2);

/// What a command means for its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It goes on.
    Done,
    /// A debugging session is to begin: [`Shared::debug`].
    Debugs,
    /// It is to be closed once the replies are written.
    Close,
    /// The server is to end.
    Shutdown,
}

impl Shared {
    pub(crate) fn new(engine: Engine, store: Store) -> Self {
        let (monitor, stand) = (engine.monitor().clone(), Arc::new(Stand::new(&engine, &store)));
        let mut core = Core::new(engine, store);
        core.stand = Some(stand.clone());
        Shared {
            monitor,
            stand,
            threshold: AtomicU64::new(5000),
            next_id: AtomicU64::new(1),
            core: Mutex::new(core),
            gone: Latch::default(),
            any_gone: AtomicBool::new(false),
            guarded: AtomicBool::new(false),
        }
    }

    /// The id of the next client.
    pub(crate) fn next_id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    /// Handles one command to its reply on the calling thread, however long it waits.
    pub(crate) fn handle(
        &self,
        client: &mut Client,
        argv: &[&[u8]],
        out: &mut RespWriter,
    ) -> Outcome {
        loop {
            let mut core = match self.acquire() {
                Err(busy) => return self.answer_busy(client, busy, argv, out),
                Ok(core) => core,
            };
            return match client.handle(&mut core, argv, out) {
                Progress::Done => Outcome::Done,
                Progress::Debugs => Outcome::Debugs,
                Progress::Close | Progress::Abort => Outcome::Close,
                Progress::Shutdown => Outcome::Shutdown,
                Progress::Waits(blocked) => {
                    self.block(&mut core, client, blocked);
                    let left = core.waiting.left(client.session.id, core.store.now());
                    drop(core);
                    self.wait(client, left, out)
                }
                Progress::Paused(left) => {
                    drop(core);
                    if client.handle.is_ended() {
                        return Outcome::Close;
                    }
                    std::thread::sleep(left.min(PAUSE_STEP));
                    continue;
                }
            };
        }
    }

    /// The same for a task.
    pub(crate) async fn handle_async(
        &self,
        client: &mut Client,
        argv: &[&[u8]],
        out: &mut RespWriter,
    ) -> Outcome {
        loop {
            let left = match self.acquire_async().await {
                Err(busy) => return self.answer_busy(client, busy, argv, out),
                Ok(mut core) => match client.handle(&mut core, argv, out) {
                    Progress::Done => return Outcome::Done,
                    Progress::Debugs => return Outcome::Debugs,
                    Progress::Close | Progress::Abort => return Outcome::Close,
                    Progress::Shutdown => return Outcome::Shutdown,
                    Progress::Waits(blocked) => {
                        self.block(&mut core, client, blocked);
                        Ok(core.waiting.left(client.session.id, core.store.now()))
                    }
                    Progress::Paused(left) => Err(left.min(PAUSE_STEP)),
                },
            };
            match left {
                Ok(left) => return self.wait_async(client, left, out).await,
                Err(_) if client.handle.is_ended() => return Outcome::Close,
                Err(pause) => Delay::new(pause).await,
            }
        }
    }

    /// Takes the core for a thread; the error text when a script is busy.
    pub(crate) fn acquire(&self) -> Result<MutexGuard<'_, Core>, &'static [u8]> {
        loop {
            if let Ok(core) = self.core.try_lock() {
                return Ok(self.enter(core));
            }
            let patience = self.patience()?;
            let mut lock = pin!(self.core.lock());
            let deadline = Some(Instant::now() + patience);
            if let Some(core) = park::wait(deadline, |cx| lock.as_mut().poll(cx)) {
                return Ok(self.enter(core));
            }
        }
    }

    /// Takes the core for a task; the error text when a script is busy.
    pub(crate) async fn acquire_async(&self) -> Result<MutexGuard<'_, Core>, &'static [u8]> {
        loop {
            if let Ok(core) = self.core.try_lock() {
                return Ok(self.enter(core));
            }
            let mut late = Delay::new(self.patience()?);
            let mut lock = pin!(self.core.lock());
            let core = poll_fn(|cx| match lock.as_mut().poll(cx) {
                Poll::Ready(core) => Poll::Ready(Some(core)),
                Poll::Pending => pin!(&mut late).poll(cx).map(|()| None),
            });
            if let Some(core) = core.await {
                return Ok(self.enter(core));
            }
        }
    }

    /// Takes the core if nobody has it.
    #[cfg(feature = "net")]
    pub(crate) fn try_acquire(&self) -> Option<MutexGuard<'_, Core>> {
        self.core.try_lock().ok().map(|core| self.enter(core))
    }

    /// Whether new clients must log in, as last seen.
    #[cfg(feature = "net")]
    pub(crate) fn is_guarded(&self) -> bool {
        self.guarded.load(Ordering::Relaxed)
    }

    /// Takes the core for a thread, however long a script is busy.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Core> {
        let mut lock = pin!(self.core.lock());
        loop {
            if let Some(core) = park::wait(None, |cx| lock.as_mut().poll(cx)) {
                return self.enter(core);
            }
        }
    }

    /// A client is gone; never waits.
    pub(crate) fn forget(&self, client: Client) {
        self.gone.lock().unwrap_or_else(PoisonError::into_inner).push(client);
        self.any_gone.store(true, Ordering::Release);
        if let Ok(core) = self.core.try_lock() {
            drop(self.enter(core));
        }
    }

    /// What everybody does who gets the core: buries the dead.
    #[inline]
    fn enter<'a>(&self, mut core: MutexGuard<'a, Core>) -> MutexGuard<'a, Core> {
        if self.any_gone.swap(false, Ordering::AcqRel) {
            let gone =
                std::mem::take(&mut *self.gone.lock().unwrap_or_else(PoisonError::into_inner));
            for mut client in gone {
                client.end(&mut core);
            }
        }
        // Whoever waits for the core must know what to wait for.
        let threshold = core.store.busy_threshold().as_millis();
        self.threshold.store(u64::try_from(threshold).unwrap_or(u64::MAX), Ordering::Relaxed);
        self.guarded.store(core.store.requires_password(), Ordering::Relaxed);
        core
    }

    /// How long to wait for the core before looking again whether a script is busy; the error
    /// text when one is.
    fn patience(&self) -> Result<Duration, &'static [u8]> {
        const LONGEST: Duration = Duration::from_millis(10);
        let threshold = Duration::from_millis(self.threshold.load(Ordering::Relaxed));
        if let Some(busy) = self.monitor.busy(threshold) {
            return Err(busy);
        }
        let ran = self.monitor.running_for().unwrap_or_default();
        Ok(threshold.saturating_sub(ran).clamp(Duration::from_millis(1), LONGEST))
    }

    /// Answers a client while a script is busy.
    pub(crate) fn answer_busy(
        &self,
        client: &mut Client,
        busy: &[u8],
        argv: &[&[u8]],
        out: &mut RespWriter,
    ) -> Outcome {
        self.stand.answer(client, &self.monitor, busy, argv, out)
    }

    /// Lets a client wait.
    pub(crate) fn block(&self, core: &mut Core, client: &Client, blocked: Blocked) {
        let Core { waiting, store, .. } = core;
        waiting.push(store, client.session, &client.handle, blocked);
    }

    /// Waits until somebody serves the client, its time is over, or it is ended.
    fn wait(&self, client: &Client, mut left: Option<Duration>, out: &mut RespWriter) -> Outcome {
        loop {
            let deadline = left.and_then(|left| Instant::now().checked_add(left));
            match park::wait(deadline, |cx| client.handle.poll_place(cx)) {
                Some(reply) => return answer(client, reply, out),
                None => left = recheck(&mut self.lock(), client),
            }
        }
    }

    async fn wait_async(
        &self,
        client: &Client,
        mut left: Option<Duration>,
        out: &mut RespWriter,
    ) -> Outcome {
        loop {
            let mut late = left.map(Delay::new);
            let reply = poll_fn(|cx| match client.handle.poll_place(cx) {
                Poll::Ready(reply) => Poll::Ready(Some(reply)),
                Poll::Pending => match &mut late {
                    Some(late) => pin!(late).poll(cx).map(|()| None),
                    None => Poll::Pending,
                },
            });
            match reply.await {
                Some(reply) => return answer(client, reply, out),
                None => left = recheck(&mut *self.lock_async().await, client),
            }
        }
    }

    /// Takes the core for a task, however long a script is busy.
    pub(crate) async fn lock_async(&self) -> MutexGuard<'_, Core> {
        let core = self.core.lock().await;
        self.enter(core)
    }
}

/// By the caller's clock a client's time is over: asks the store's, which may stand still.
/// Returns how much is left; [`Handle::place`](crate::handle::Handle::place) has the reply when
/// nothing is.
pub(crate) fn recheck(core: &mut Core, client: &Client) -> Option<Duration> {
    core.expire_waiting();
    let left = core.waiting.left(client.session.id, core.store.now());
    left.map(|left| left.max(Duration::from_millis(1)))
}

fn answer(client: &Client, reply: Option<Vec<u8>>, out: &mut RespWriter) -> Outcome {
    match reply {
        Some(reply) => {
            if !client.is_muted() {
                out.raw(&reply);
            }
            Outcome::Done
        }
        None => Outcome::Close,
    }
}
