//! What others may do to a connected client.
//!
//! Owns [`Handle`]: where messages and the reply to a blocked command are left for the client,
//! whatever thread or task it is read by, and that it is to end. Must not know RESP.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use redlua_core::Protocol;

/// A connected client, as all others see it.
#[derive(Debug)]
pub(crate) struct Handle {
    /// `CLIENT ID`.
    pub(crate) id: u64,
    /// Messages, and on a [`Connection`](crate::Connection) replies too: whatever is to be read.
    pub(crate) outbox: Outbox,
    /// Messages that come after the reply to the command that is being handled: whoever writes
    /// that reply writes them next.
    pub(crate) late: Outbox,
    /// The reply to the command the client is blocked in.
    pub(crate) place: Outbox,
    /// Whether the connection is to be closed.
    ended: AtomicBool,
    /// Whether there is a socket that has not been closed.
    #[cfg(feature = "net")]
    open: AtomicBool,
    /// The protocol it reads: 2 or 3.
    protocol: AtomicU8,
    /// When it last sent a command, in milliseconds of the store's time.
    active: AtomicU64,
}

impl Handle {
    /// A new client, in RESP2.
    pub(crate) fn new(id: u64) -> Self {
        Handle {
            id,
            outbox: Outbox::default(),
            late: Outbox::default(),
            place: Outbox::default(),
            ended: AtomicBool::new(false),
            #[cfg(feature = "net")]
            open: AtomicBool::new(false),
            protocol: AtomicU8::new(2),
            active: AtomicU64::new(0),
        }
    }

    /// The protocol in which messages are to be encoded.
    pub(crate) fn protocol(&self) -> Protocol {
        if self.protocol.load(Ordering::Relaxed) == 3 { Protocol::Resp3 } else { Protocol::Resp2 }
    }

    /// The client has chosen a protocol.
    pub(crate) fn set_protocol(&self, protocol: Protocol) {
        let number = if protocol == Protocol::Resp3 { 3 } else { 2 };
        self.protocol.store(number, Ordering::Relaxed);
    }

    /// The client has just done something.
    #[inline]
    pub(crate) fn touch(&self, now: Duration) {
        self.active.store(millis(now), Ordering::Relaxed);
    }

    /// For how long the client has done nothing.
    #[cfg(feature = "net")]
    pub(crate) fn idle(&self, now: Duration) -> Duration {
        Duration::from_millis(millis(now).saturating_sub(self.active.load(Ordering::Relaxed)))
    }

    /// Ends the connection: what it waits for ends with it.
    pub(crate) fn end(&self) {
        self.ended.store(true, Ordering::Release);
        self.outbox.wake();
        self.place.wake();
    }

    /// Whether the connection is to be closed.
    pub(crate) fn is_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// Whether its socket has not been closed yet.
    #[cfg(feature = "net")]
    pub(crate) fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }

    /// Its socket is open, or closed.
    #[cfg(feature = "net")]
    pub(crate) fn set_open(&self, open: bool) {
        self.open.store(open, Ordering::Release);
    }

    /// Waits for the reply to a blocked command; `None` when the connection ends first.
    pub(crate) fn poll_place(&self, cx: &mut Context<'_>) -> Poll<Option<Vec<u8>>> {
        match self.place.poll(cx) {
            Poll::Ready(reply) => Poll::Ready(Some(reply)),
            Poll::Pending if self.is_ended() => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    }
}

/// A queue of complete replies and messages with one reader.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    queue: Mutex<Queue>,
    /// Whether there is something, so that the reader need not lock to learn that there is not.
    filled: AtomicBool,
}

#[derive(Debug, Default)]
struct Queue {
    entries: VecDeque<Vec<u8>>,
    /// How many bytes the entries have together.
    bytes: usize,
    reader: Option<Waker>,
}

impl Outbox {
    /// Adds what is to be read next; returns how many bytes wait by then.
    pub(crate) fn push(&self, bytes: Vec<u8>) -> usize {
        let mut queue = self.lock();
        if bytes.is_empty() {
            return queue.bytes;
        }
        queue.bytes += bytes.len();
        queue.entries.push_back(bytes);
        self.filled.store(true, Ordering::Release);
        let (waiting, reader) = (queue.bytes, queue.reader.take());
        drop(queue);
        if let Some(reader) = reader {
            reader.wake();
        }
        waiting
    }

    /// Whether there is nothing to read.
    pub(crate) fn is_empty(&self) -> bool {
        !self.filled.load(Ordering::Acquire)
    }

    /// Takes the next entry.
    pub(crate) fn pop(&self) -> Option<Vec<u8>> {
        if self.is_empty() { None } else { self.lock().pop(&self.filled) }
    }

    /// Takes the next entry, or leaves the waker for whoever brings one.
    pub(crate) fn poll(&self, cx: &mut Context<'_>) -> Poll<Vec<u8>> {
        let mut queue = self.lock();
        if let Some(bytes) = queue.pop(&self.filled) {
            return Poll::Ready(bytes);
        }
        if !queue.reader.as_ref().is_some_and(|reader| reader.will_wake(cx.waker())) {
            queue.reader = Some(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Lets the reader look again.
    pub(crate) fn wake(&self) {
        let reader = self.lock().reader.take();
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn pop(&mut self, filled: &AtomicBool) -> Option<Vec<u8>> {
        let bytes = self.entries.pop_front()?;
        self.bytes -= bytes.len();
        filled.store(!self.entries.is_empty(), Ordering::Release);
        Some(bytes)
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
