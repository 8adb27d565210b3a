//! One client on a socket.
//!
//! Owns [`Peer`]: reading, running what has arrived in batches under one hold of the core,
//! writing, and every way in which a connection ends. Must not know how a command works.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_timer::Delay;
use redlua_conversions::resp::RequestParser;
use redlua_core::{Host, ReplySink};
use smallvec::SmallVec;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};

use crate::client::{Address, Client, Progress};
use crate::debug::Session;
use crate::handle::Handle;
use crate::shared::{Outcome, PAUSE_STEP, recheck};

use super::Net;
use super::buffer::Output;

/// How many commands run before others get the core.
const BATCH: usize = 1024;
/// How much a batch may answer before it is written.
const BATCH_BYTES: usize = 1 << 20;
/// How much is read at once, and at most when an argument is known to be long.
const PIECE: usize = 16 << 10;
const LONG_PIECE: usize = 1 << 20;
/// How long a reply waits for the sockets that it says are closed.
const CLOSING: Duration = Duration::from_millis(50);
/// How much is read at once for a debugger.
const SESSION_PIECE: usize = 1 << 10;

/// A connected socket and its client.
pub(super) struct Peer<S> {
    net: Arc<Net>,
    socket: S,
    /// Gone only while being dropped.
    client: Option<Client>,
    handle: Arc<Handle>,
    input: RequestParser,
    output: Output,
    state: State,
    /// When the time of a blocked client is over, or that of the output's soft limit.
    alarm: Option<Delay>,
    /// Whether there may be complete commands that have not run.
    unread: bool,
    /// The debugging session that has taken the connection over.
    session: Option<Session>,
    /// Behind the socket: it goes last.
    _open: Open,
}

/// Tells that the socket is open until this goes.
struct Open(Arc<Handle>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.set_open(false);
    }
}

/// What a connection is about to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It runs what arrives.
    Open,
    /// It waits for the reply to a blocking command.
    Blocked,
    /// Its next command has to wait (`CLIENT PAUSE`).
    Paused,
    /// A debugger has it.
    Debugged,
    /// It ends when all is written.
    Closing,
    /// It ends.
    Gone,
}

/// What ends a wait.
enum Event {
    /// Commands may have arrived.
    Input,
    /// A blocked command has its reply.
    Answer(Vec<u8>),
    /// The debugging session is over; its reply.
    Ended(Vec<u8>),
    /// The time is over.
    Alarm,
    /// The connection is over.
    Gone,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Peer<S> {
    pub(super) fn new(net: Arc<Net>, socket: S, address: Address) -> Self {
        let handle = Arc::new(Handle::new(net.shared.next_id()));
        let mut client = Client::new(handle.clone(), address);
        client.set_inline();
        client.debuggable = true;
        handle.set_open(true);
        let open = Open(handle.clone());
        let mut peer = Peer {
            net,
            socket,
            client: Some(client),
            handle,
            input: RequestParser::default(),
            output: Output::default(),
            state: State::Open,
            alarm: None,
            unread: false,
            session: None,
            _open: open,
        };
        peer.input.set_limits(peer.net.settings.longest_bulk(), peer.net.shared.is_guarded());
        peer
    }

    /// Serves the client until either side ends the connection.
    pub(super) async fn serve(mut self) {
        // Others see a client that has not said anything yet; not while a script is busy.
        if let (Some(mut core), Some(client)) = (self.net.shared.try_acquire(), &mut self.client) {
            client.attach(&mut core);
        }
        while self.state != State::Gone {
            match poll_fn(|cx| self.poll_event(cx)).await {
                Event::Input => self.batch().await,
                Event::Answer(reply) => {
                    if !self.client.as_ref().is_some_and(Client::is_muted) {
                        self.output.writer.raw(&reply);
                    }
                    self.alarm = None;
                    self.state = State::Open;
                }
                Event::Ended(reply) => {
                    while let Some(message) = self.handle.outbox.pop() {
                        self.output.writer.raw(&message);
                    }
                    self.output.writer.raw(&reply);
                    self.state = State::Closing;
                }
                Event::Alarm => self.ring().await,
                Event::Gone => self.state = State::Gone,
            }
        }
    }

    /// Waits until there is something to do, writing and reading in between.
    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        while let Poll::Ready(message) = self.handle.outbox.poll(cx) {
            self.output.writer.raw(&message);
        }
        if self.handle.is_ended() {
            // What is written so far goes out if the socket takes it.
            let _ = self.output.poll_write(Pin::new(&mut self.socket), cx);
            return Poll::Ready(Event::Gone);
        }
        if self.output.pending() > 0 {
            match self.output.poll_write(Pin::new(&mut self.socket), cx) {
                Poll::Ready(Err(_)) => return Poll::Ready(Event::Gone),
                Poll::Ready(Ok(())) => {}
                Poll::Pending => {
                    if self.is_too_slow() {
                        return Poll::Ready(Event::Gone);
                    }
                }
            }
        }
        match self.state {
            State::Closing if self.output.pending() == 0 => return Poll::Ready(Event::Gone),
            State::Closing => return self.poll_alarm(cx),
            State::Gone => return Poll::Ready(Event::Gone),
            State::Blocked => {
                if let Poll::Ready(reply) = self.handle.poll_place(cx) {
                    return Poll::Ready(reply.map_or(Event::Gone, Event::Answer));
                }
            }
            State::Debugged => return self.poll_session(cx),
            State::Open if self.unread => return Poll::Ready(Event::Input),
            State::Open | State::Paused => {}
        }
        match self.poll_read(cx) {
            Poll::Ready(event) => Poll::Ready(event),
            Poll::Pending => {
                self.input.release();
                self.output.release();
                self.poll_alarm(cx)
            }
        }
    }

    /// Reads what is there. A blocked client's commands wait, but its end is noticed.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        loop {
            let piece = self.input.expected().clamp(PIECE, LONG_PIECE);
            let room = self.input.room();
            room.reserve(piece);
            match pin!(self.socket.read_buf(room)).poll(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(_) | Ok(0)) => return Poll::Ready(Event::Gone),
                Poll::Ready(Ok(_)) => {}
            }
            if self.input.pending() > self.net.settings.query_buffer() {
                return Poll::Ready(Event::Gone);
            }
            self.unread = true;
            if self.state == State::Open {
                return Poll::Ready(Event::Input);
            }
        }
    }

    /// Passes what arrives on to the debugger until its session is over.
    fn poll_session(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        let Some(session) = &mut self.session else { return Poll::Ready(Event::Gone) };
        if let Poll::Ready(reply) = session.poll_end(cx) {
            return Poll::Ready(reply.map_or(Event::Gone, Event::Ended));
        }
        while session.listens() {
            let mut piece = Vec::with_capacity(SESSION_PIECE);
            match pin!(self.socket.read_buf(&mut piece)).poll(cx) {
                Poll::Pending => break,
                Poll::Ready(Err(_)) => return Poll::Ready(Event::Gone),
                // Who says nothing more may still listen.
                Poll::Ready(Ok(0)) => session.hang_up(),
                Poll::Ready(Ok(_)) => session.hear(piece),
            }
            if session.unheard() > self.net.settings.query_buffer() {
                return Poll::Ready(Event::Gone);
            }
        }
        self.poll_alarm(cx)
    }

    fn poll_alarm(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        match &mut self.alarm {
            Some(alarm) => pin!(alarm).poll(cx).map(|()| Event::Alarm),
            None => Poll::Pending,
        }
    }

    /// Whether too much waits to be written (`client-output-buffer-limit`).
    fn is_too_slow(&mut self) -> bool {
        let subscribed = self.client.as_ref().is_some_and(Client::is_subscribed);
        match self.output.exceeds(self.net.settings.output(subscribed)) {
            None => false,
            Some(None) => true,
            Some(Some(end)) => {
                if self.alarm.is_none() {
                    self.alarm = Some(Delay::new(end.saturating_duration_since(Instant::now())));
                }
                false
            }
        }
    }

    /// The alarm has gone off: a blocked client's time may be over, or a pause.
    async fn ring(&mut self) {
        self.alarm = None;
        match (self.state, &self.client) {
            (State::Paused, _) => self.state = State::Open,
            (State::Blocked, Some(client)) => {
                let left = recheck(&mut *self.net.shared.lock_async().await, client);
                self.alarm = left.map(Delay::new);
            }
            _ => {}
        }
    }

    /// Runs the commands that have arrived.
    async fn batch(&mut self) {
        match self.input.advance() {
            Ok(true) => {}
            Ok(false) => return self.unread = false,
            Err(error) => return self.offend(&error.line()),
        }
        let Some(client) = &mut self.client else { return };
        let out = &mut self.output.writer;
        let mut core = match self.net.shared.acquire_async().await {
            Ok(core) => core,
            Err(busy) => {
                let argv: SmallVec<[&[u8]; 8]> = self.input.argv().collect();
                match self.net.shared.answer_busy(client, busy, &argv, out) {
                    Outcome::Done | Outcome::Debugs => {}
                    Outcome::Close => self.state = State::Closing,
                    Outcome::Shutdown => {
                        self.state = State::Gone;
                        self.net.shut_down();
                    }
                }
                return;
            }
        };
        let batch = self.net.batch();
        let mut offence = None;
        for count in 1.. {
            let progress = {
                let argv: SmallVec<[&[u8]; 8]> = self.input.argv().collect();
                let progress = client.handle(&mut core, &argv, out);
                if let Progress::Waits(blocked) = progress {
                    self.net.shared.block(&mut core, client, blocked);
                    let left = core.waiting.left(self.handle.id, core.store.now());
                    self.alarm = left.map(Delay::new);
                    self.state = State::Blocked;
                    break;
                }
                progress
            };
            match progress {
                Progress::Done | Progress::Waits(_) => {}
                Progress::Paused(left) => {
                    self.input.step_back();
                    self.alarm = Some(Delay::new(left.min(PAUSE_STEP)));
                    self.state = State::Paused;
                    break;
                }
                Progress::Debugs => {
                    self.state = State::Debugged;
                    break;
                }
                Progress::Close => self.state = State::Closing,
                Progress::Abort => self.state = State::Gone,
                Progress::Shutdown => {
                    self.state = State::Gone;
                    self.net.shut_down();
                }
            }
            if count == 1 || self.net.settings.is_stale(&core.store) {
                self.net.settings.refresh(&core.store);
                let longest = self.net.settings.longest_bulk();
                self.input.set_limits(longest, client.is_stranger(&core));
            }
            if self.state != State::Open
                || self.handle.is_ended()
                || count >= BATCH
                || out.bytes().len() > BATCH_BYTES
            {
                break;
            }
            match self.input.advance() {
                Ok(true) => {}
                Ok(false) => {
                    self.unread = false;
                    break;
                }
                Err(error) => {
                    offence = Some(error.line());
                    break;
                }
            }
        }
        self.handle.touch(core.store.now());
        let leaving = std::mem::take(&mut core.leaving);
        drop(batch);
        drop(core);
        let began = Instant::now();
        // A server closes them before it answers `CLIENT KILL` (`freeClient`).
        for gone in leaving {
            while gone.is_open() && began.elapsed() < CLOSING {
                step_aside().await;
            }
        }
        if self.state == State::Debugged {
            let shared = self.net.shared.clone();
            self.session = self.client.take().map(|client| Session::begin(shared, client));
        }
        if let Some(text) = offence {
            self.offend(&text);
        }
        if self.unread && self.state == State::Open {
            step_aside().await;
        }
    }

    /// The client breaks the protocol: it hears why, and the connection ends.
    fn offend(&mut self, text: &[u8]) {
        self.output.writer.error(text);
        self.state = State::Closing;
    }
}

/// Lets the other tasks run first. The runtime's own way to yield hides the task in a place that
/// only the present worker knows (see `reserve`).
async fn step_aside() {
    let mut stepped = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut stepped, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl<S> Drop for Peer<S> {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            self.net.shared.forget(client);
        }
    }
}
