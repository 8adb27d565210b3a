//! A client whose commands run where they are asked for.
//!
//! Owns [`Link`]: one client, without a thread or a socket of its own. Must not know how a
//! command works.

use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use redlua_conversions::resp::RespWriter;
use redlua_core::{Protocol, ReplySink};
use redlua_engine::Console;

use crate::client::{Address, Client};
use crate::handle::Handle;
use crate::park;
use crate::shared::{Outcome, Shared};

/// One client of a [`Server`](crate::Server): a request blocks the caller until its reply is
/// there.
///
/// ```
/// use std::sync::Arc;
/// use redlua_server::Server;
///
/// let server = Server::with_backend(Arc::new(redlua_mlua::Lua51));
/// let mut link = server.link();
/// assert_eq!(link.request(&[b"SET", b"k", b"v"]), b"+OK\r\n");
/// assert_eq!(link.request(&[b"EVAL", b"return redis.call('GET', 'k')", b"0"]), b"$1\r\nv\r\n");
/// ```
pub struct Link {
    shared: Arc<Shared>,
    /// Gone only while being dropped.
    client: Option<Client>,
    handle: Arc<Handle>,
    closed: bool,
}

impl Link {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let handle = Arc::new(Handle::new(shared.next_id()));
        let address = Address { from: "127.0.0.1:0".to_owned(), ..Address::default() };
        let client = Some(Client::new(handle.clone(), address));
        Link { shared, client, handle, closed: false }
    }

    /// `CLIENT ID`.
    pub fn id(&self) -> u64 {
        self.handle.id
    }

    /// The protocol the client has chosen with `HELLO`.
    pub fn protocol(&self) -> Protocol {
        self.handle.protocol()
    }

    /// The selected database.
    pub fn db(&self) -> u32 {
        self.client.as_ref().map_or(0, |client| client.session.db)
    }

    /// Whether the server has closed the connection (`QUIT`, `CLIENT KILL`): it answers nothing
    /// any more.
    pub fn is_closed(&self) -> bool {
        self.closed || self.handle.is_ended()
    }

    /// Runs a command and returns its reply as RESP bytes; they are empty when it has none
    /// (`CLIENT REPLY OFF`, a closed connection).
    pub fn request(&mut self, argv: &[&[u8]]) -> Vec<u8> {
        let mut out = RespWriter::new(self.protocol());
        let closed = self.is_closed();
        if let Some(client) = self.client.as_mut().filter(|_| !closed && !argv.is_empty()) {
            let outcome = self.shared.handle(client, argv, &mut out);
            self.close(outcome, &mut out);
        }
        out.into_bytes()
    }

    /// The same without blocking the thread, on any executor.
    pub async fn request_async(&mut self, argv: &[&[u8]]) -> Vec<u8> {
        let mut out = RespWriter::new(self.protocol());
        let closed = self.is_closed();
        if let Some(client) = self.client.as_mut().filter(|_| !closed && !argv.is_empty()) {
            let outcome = self.shared.handle_async(client, argv, &mut out).await;
            self.close(outcome, &mut out);
        }
        out.into_bytes()
    }

    /// Lets `EVAL` begin debugging sessions (`SCRIPT DEBUG`): whoever makes requests looks after
    /// each whether one [`is_debugging`](Self::is_debugging) and then calls
    /// [`debug`](Self::debug). Without this such an `EVAL` is answered with an error.
    pub fn allow_debugging(&mut self) {
        if let Some(client) = &mut self.client {
            client.debuggable = true;
        }
    }

    /// Whether the last request began a debugging session. It has no reply yet.
    pub fn is_debugging(&self) -> bool {
        self.client.as_ref().is_some_and(|client| client.plan.is_some())
    }

    /// Runs the debugging session on the calling thread until its script ends, and returns the
    /// reply. What the debugger says and hears goes over `console`. The connection is closed then.
    pub fn debug(&mut self, console: &mut dyn Console) -> Vec<u8> {
        let mut out = RespWriter::new(self.protocol());
        if let Some(client) = self.client.as_mut().filter(|client| client.plan.is_some()) {
            self.shared.debug(client, console, &mut out);
            self.closed = true;
        }
        out.into_bytes()
    }

    /// Takes the next message that others have sent: of a channel, for instance. It precedes the
    /// reply of any request made since it came, except that the client's own changes to what it
    /// has cached are told it after the reply.
    pub fn message(&mut self) -> Option<Vec<u8>> {
        self.handle.outbox.pop().or_else(|| self.handle.late.pop())
    }

    /// Waits for the next message; `None` when it does not come within `timeout`.
    pub fn wait_message(&mut self, timeout: Duration) -> Option<Vec<u8>> {
        if let Some(message) = self.message() {
            return Some(message);
        }
        let deadline = Instant::now().checked_add(timeout);
        park::wait(deadline, |cx| self.handle.outbox.poll(cx))
    }

    /// Waits for the next message without blocking the thread; `None` when the connection has
    /// been closed.
    pub async fn message_async(&mut self) -> Option<Vec<u8>> {
        if let Some(message) = self.message() {
            return Some(message);
        }
        std::future::poll_fn(|cx| match self.handle.outbox.poll(cx) {
            Poll::Ready(message) => Poll::Ready(Some(message)),
            Poll::Pending if self.handle.is_ended() => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        })
        .await
    }

    pub(crate) fn handle(&self) -> &Arc<Handle> {
        &self.handle
    }

    fn close(&mut self, outcome: Outcome, out: &mut RespWriter) {
        match outcome {
            // Only who can go on with `debug` has asked for sessions.
            Outcome::Done | Outcome::Debugs => {}
            Outcome::Close => self.closed = true,
            // Without a socket there is no process to end (`db.c shutdownCommand`).
            Outcome::Shutdown => out.error(b"ERR Errors trying to SHUTDOWN. Check logs."),
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            self.shared.forget(client);
        }
    }
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").field("id", &self.id()).finish_non_exhaustive()
    }
}
