//! A Redis for tests, without a socket.
//!
//! Owns [`MockRedis`] and its [`Builder`]: what a test may arrange, provoke and inspect. Must not
//! know how commands work.

mod connection;
mod journal;
#[cfg(feature = "redis")]
mod redis;
mod subscription;

use std::sync::Arc;
use std::time::Duration;

use redlua_conversions::{Error, Reply};
use redlua_core::{Backend, Limits};
use redlua_engine::Engine;
use redlua_server::{Server, Stream};
use redlua_store::{Clock, Store};
use serde::Serialize;

pub use connection::MockConnection;
pub use journal::Call;
use journal::Log;
pub use subscription::{Message, Subscription};

use crate::Connection;

/// A Redis in this process. Clones share one server; each [`connection`](Self::connection) is a
/// client of its own.
///
/// Expiry, timeouts of blocking commands and `TIME` follow its clock, which
/// [`advance`](Self::advance) moves. What ran is in [`calls`](Self::calls), and
/// [`fail_next`](Self::fail_next) makes it fail.
///
/// ```
/// use std::time::Duration;
/// use redlua::{MockRedis, Reply, Script};
///
/// let mock = MockRedis::new();
/// let script = Script::new("return redis.call('SET', KEYS[1], ARGV[1], 'EX', 60)");
/// script.key("session").arg("ada").invoke::<String>(&mut mock.connection())?;
/// assert_eq!(mock.command(("TTL", "session"))?, Reply::Integer(60));
///
/// mock.advance(Duration::from_secs(61));
/// assert_eq!(mock.command(("EXISTS", "session"))?, Reply::Integer(0));
///
/// mock.fail_next("SET", "OOM command not allowed when used memory > 'maxmemory'.");
/// let refused = script.key("session").arg("ada").invoke::<String>(&mut mock.connection());
/// assert!(refused.is_err_and(|error| error.to_string().starts_with("OOM")));
/// # Ok::<(), redlua::Error>(())
/// ```
#[derive(Clone)]
pub struct MockRedis {
    server: Server,
    clock: Clock,
    log: Log,
}

impl MockRedis {
    /// An empty Redis on the default backend. Its clock runs and may be moved ahead.
    pub fn new() -> Self {
        MockRedis::builder().build()
    }

    /// The same with settings.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// A new client, in RESP2 and database 0.
    pub fn connection(&self) -> MockConnection {
        MockConnection::new(self.server.link())
    }

    /// A new client as a stream of bytes, for libraries that talk to sockets.
    pub fn stream(&self) -> Stream {
        self.server.stream()
    }

    /// The server, for what is not about tests.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Runs one command as a client of its own, which is gone afterwards: what it would remember,
    /// such as `SELECT`, needs a [`connection`](Self::connection).
    ///
    /// # Errors
    /// The arguments cannot be serialized. An error of Redis is a [`Reply`].
    pub fn command(&self, args: impl Serialize) -> Result<Reply, Error> {
        self.connection().command(args)
    }

    /// Subscribes to channels.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let mock = redlua::MockRedis::new();
    /// let mut news = mock.subscribe(&["news"]);
    /// mock.command(("EVAL", "redis.call('PUBLISH', 'news', ARGV[1])", 0, "hello"))?;
    /// let message = news.next(Duration::from_secs(1)).ok_or("nothing came")?;
    /// assert_eq!((message.channel(), message.payload()), ("news".into(), "hello".into()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn subscribe<C: AsRef<[u8]>>(&self, channels: &[C]) -> Subscription {
        let mut subscription = Subscription::new(self.server.link());
        subscription.subscribe(channels);
        subscription
    }

    /// Subscribes to all channels whose names match one of the patterns.
    pub fn psubscribe<P: AsRef<[u8]>>(&self, patterns: &[P]) -> Subscription {
        let mut subscription = Subscription::new(self.server.link());
        subscription.psubscribe(patterns);
        subscription
    }

    /// Lets time pass: keys expire, and blocked clients whose timeout is over are answered.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
        self.server.catch_up();
    }

    /// The time of the mock since the Unix epoch.
    pub fn now(&self) -> Duration {
        self.clock.now()
    }

    /// Makes the next call of a command fail with this error, code word first, whether a client
    /// or a script makes it; the command does not run. Asked for several times, as many calls
    /// fail, in that order. `command` is a name such as `GET` or `CONFIG GET`.
    pub fn fail_next(&self, command: &str, error: &str) {
        self.log.lock().fail_next(command, error);
    }

    /// Takes back what [`fail_next`](Self::fail_next) asked for and has not happened; how many
    /// failures that were.
    pub fn clear_failures(&self) -> usize {
        self.log.lock().clear_failures()
    }

    /// What has run since the beginning or the last [`clear_calls`](Self::clear_calls): what
    /// clients sent, and after an `EVAL` what its script called. What `MULTI` queues is there
    /// when `EXEC` runs it.
    pub fn calls(&self) -> Vec<Call> {
        self.log.lock().calls()
    }

    /// Forgets what has run.
    pub fn clear_calls(&self) {
        self.log.lock().clear_calls();
    }

    /// Closes the connection of a client, as `CLIENT KILL ID` does; whether there was one.
    pub fn disconnect(&self, id: u64) -> bool {
        self.server.disconnect(id)
    }
}

impl Default for MockRedis {
    fn default() -> Self {
        MockRedis::new()
    }
}

impl Connection for MockRedis {
    fn request(&mut self, argv: &[&[u8]]) -> Reply {
        self.connection().request(argv)
    }
}

impl std::fmt::Debug for MockRedis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MockRedis").field("clock", &self.clock).finish_non_exhaustive()
    }
}

/// The settings of a [`MockRedis`].
///
/// ```
/// use std::time::Duration;
/// use redlua::{MockRedis, Reply, store::Clock};
///
/// let mock = MockRedis::builder().clock(Clock::manual(Duration::from_secs(1_000_000))).build();
/// assert_eq!(mock.command(("EVAL", "return redis.call('TIME')[1]", 0))?, Reply::bulk("1000000"));
/// # Ok::<(), redlua::Error>(())
/// ```
pub struct Builder {
    clock: Clock,
    limits: Limits,
    log: usize,
    backend: Option<Arc<dyn Backend>>,
}

impl Builder {
    /// Where the time comes from: [`Clock::adjustable`] unless told otherwise; a
    /// [`Clock::manual`] stands still until it is moved.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// What stops a script, by default [`Limits::default`].
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// How many calls are remembered, by default the last 100,000; with 0 none.
    #[must_use]
    pub fn log(mut self, calls: usize) -> Self {
        self.log = calls;
        self
    }

    /// The Lua engine ([`backend`](crate::backend)).
    #[must_use]
    pub fn backend(mut self, backend: Arc<dyn Backend>) -> Self {
        self.backend = Some(backend);
        self
    }

    /// The Redis.
    pub fn build(self) -> MockRedis {
        let log = Log::new(self.log);
        let mut store = Store::with_clock(self.clock.clone());
        store.set_tap(Some(Box::new(log.clone())));
        let mut engine = Engine::new(self.backend.unwrap_or_else(crate::backends::first));
        engine.set_limits(self.limits);
        MockRedis { server: Server::with(engine, store), clock: self.clock, log }
    }
}

impl Default for Builder {
    fn default() -> Self {
        Builder {
            clock: Clock::adjustable(),
            limits: Limits::default(),
            log: 100_000,
            backend: None,
        }
    }
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder")
            .field("clock", &self.clock)
            .field("limits", &self.limits)
            .field("log", &self.log)
            .finish_non_exhaustive()
    }
}
