//! The store itself: a [`Host`] on databases in memory.
//!
//! Owns [`Store`] and what a server around it needs: blocked calls, messages, stamps. It must
//! not know any command, nor Lua, nor sockets.

mod clients;
mod late;
mod observe;
mod retry;
mod settings;

use std::time::{Duration, Instant};

use redlua_core::{
    CommandFlags, CommandSpec, Condition, Denied, Host, LogLevel, Protocol, ReplySink,
    ScriptFigures, Session, UserId,
};

pub use late::{LateStamp, LateWatches};

use crate::clock::{Anchor, Clock, Moment};
use crate::context::Cx;
use crate::error::CommandError;
use crate::eviction;
use crate::keyspace::{DATABASES, Keyspace};
use crate::server::Server;
use crate::table::Table;
use crate::tap::Tap;

pub use settings::BadParameter;

/// An in-memory Redis 7.0.
///
/// ```
/// use redlua_conversions::resp::RespWriter;
/// use redlua_core::{Host, Session};
/// use redlua_store::Store;
///
/// let mut store = Store::new();
/// let mut session = Session::default();
/// let mut run = |argv: &[&[u8]]| {
///     let spec = store.command(argv).ok_or("no such command")?;
///     let mut reply = RespWriter::new(session.protocol);
///     store.call(&mut session, &spec, argv, &mut reply);
///     Ok::<_, &str>(reply.into_bytes())
/// };
/// assert_eq!(run(&[b"SET", b"greeting", b"hello"])?, b"+OK\r\n");
/// assert_eq!(run(&[b"GET", b"greeting"])?, b"$5\r\nhello\r\n");
/// # Ok::<(), &str>(())
/// ```
pub struct Store {
    keys: Keyspace,
    server: Server,
    clock: Clock,
    table: &'static Table,
    /// How many scripts are running; while any is, time stands still.
    scripts: u32,
    /// Who watches the calls.
    tap: Option<Box<dyn Tap>>,
    /// When the commands began that the engine or the server is answering, the outer ones
    /// first, and how many errors there had been.
    began: Vec<(Moment, u64)>,
    /// What the clock has shown.
    anchor: Anchor,
    /// Where the search for expired keys goes on: database and position.
    expiring: (usize, usize),
    late: LateWatches,
}

/// A call of a blocking command that found nothing: it has pushed no reply.
///
/// [`Store::retry`] it whenever a key is among [`Store::take_ready`]; answer
/// [`reply`](Self::reply) when the time is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocked {
    /// The database.
    pub db: u32,
    /// The keys it waits for.
    pub keys: Vec<Awaited>,
    /// How long it waits; `None` for ever.
    pub timeout: Option<Duration>,
    /// What is answered when the time is over.
    pub reply: TimeoutReply,
}

/// A key that a call waits for, and what to call when it is ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Awaited {
    /// The key.
    pub key: Vec<u8>,
    /// The call with this key alone: what serves a client is the key that became ready first,
    /// not the one it named first. The `$` of `XREAD` means the end of the stream at the time of
    /// the first call.
    pub argv: Vec<Vec<u8>>,
}

/// What the server layer has to do because of a command (`CLIENT KILL`, `CLIENT UNBLOCK`,
/// `SHUTDOWN`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// End this connection; when it is the one whose command was just run, after its reply.
    Close(u64),
    /// Answer this connection, which waits for a key, as if its time were over, or with the
    /// error [`UNBLOCKED`].
    Unblock {
        /// The connection.
        client: u64,
        /// Whether it hears the error.
        error: bool,
    },
}

/// The error of a connection whose waiting somebody has ended.
pub const UNBLOCKED: &[u8] = b"UNBLOCKED client unblocked via CLIENT UNBLOCK";

/// Connections have to wait before their commands run (`CLIENT PAUSE`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    /// Until when, on the store's clock.
    pub until: Duration,
    /// Whether for every command; otherwise only for those that may write.
    pub all: bool,
}

/// What a blocking command answers when its time is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeoutReply {
    /// A null.
    Null,
    /// A null array.
    NullArray,
    /// An integer.
    Integer(i64),
}

impl TimeoutReply {
    /// Pushes the reply.
    pub fn push(self, sink: &mut dyn ReplySink) {
        match self {
            TimeoutReply::Null => sink.null(),
            TimeoutReply::NullArray => sink.null_array(),
            TimeoutReply::Integer(value) => sink.integer(value),
        }
    }
}

impl Store {
    /// An empty store on the system's clock.
    pub fn new() -> Self {
        Store::with_clock(Clock::system())
    }

    /// An empty store on this clock.
    pub fn with_clock(clock: Clock) -> Self {
        Store::with_databases(clock, DATABASES)
    }

    /// An empty store on this clock with so many databases (`databases` in `redis.conf`), at
    /// least one.
    pub fn with_databases(clock: Clock, databases: usize) -> Self {
        let mut store = Store {
            keys: Keyspace::new(databases),
            server: Server::new(clock.clone()),
            clock,
            table: Table::instance(),
            scripts: 0,
            tap: None,
            began: Vec::new(),
            anchor: Anchor::default(),
            expiring: (0, 0),
            late: LateWatches::default(),
        };
        store.server.config.settle("databases", &store.keys.databases().to_string());
        store.tick();
        store
    }

    /// A copy of everything, at the same time on the same clock. What happens to one of the two
    /// from now on does not happen to the other; messages of the copy reach nobody.
    pub fn snapshot(&self) -> Self {
        Store {
            keys: self.keys.clone(),
            server: self.server.clone(),
            clock: self.clock.clone(),
            table: self.table,
            scripts: 0,
            tap: None,
            began: Vec::new(),
            anchor: Anchor::default(),
            expiring: self.expiring,
            late: LateWatches::default(),
        }
    }

    /// Lets somebody watch the calls: those of scripts are shown by [`Host::call`], those of
    /// clients by whoever runs them, through [`tap`](Self::tap).
    pub fn set_tap(&mut self, tap: Option<Box<dyn Tap>>) {
        self.tap = tap;
    }

    /// Shows a client's call to whoever watches. The text of the error that is to be answered
    /// instead of running it, if any.
    #[inline]
    pub fn tap(&mut self, session: &Session, argv: &[&[u8]]) -> Option<Vec<u8>> {
        let tap = self.tap.as_mut()?;
        tap.call(self.clock.now(), session, argv)
    }

    /// The clock that expiry and timeouts go by.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Begins to watch a key (`WATCH`) and returns its [`stamp`](Self::stamp); ends with
    /// [`unwatch`](Self::unwatch), once for each call.
    pub fn watch(&mut self, db: u32, key: &[u8]) -> u64 {
        self.admit_late();
        self.keys.watch(db as usize, key);
        self.stamp(db, key)
    }

    /// A number that changes whenever the key is modified, as long as it is watched.
    pub fn stamp(&mut self, db: u32, key: &[u8]) -> u64 {
        self.admit_late();
        self.tick();
        let stamp = self.keys.stamp(db as usize, key);
        self.settle(0, false);
        stamp
    }

    /// One that watched the key does so no more.
    pub fn unwatch(&mut self, db: u32, key: &[u8]) {
        self.admit_late();
        self.keys.unwatch(db as usize, key);
    }

    /// Begins to note when a key is modified, for one client that waits for it.
    pub fn await_key(&mut self, db: u32, key: &[u8]) {
        self.keys.await_key(db as usize, key);
    }

    /// One client that waited for the key does so no more.
    pub fn forget_awaited(&mut self, db: u32, key: &[u8]) {
        self.keys.forget_awaited(db as usize, key);
    }

    /// Whether a key that somebody waits for has been modified.
    #[inline]
    pub fn has_ready(&self) -> bool {
        self.keys.has_ready()
    }

    /// The keys somebody waits for that have been modified since the last call, by their
    /// database, in the order in which they were (`ready_keys` in `server.h`).
    pub fn take_ready(&mut self) -> Vec<(u32, Vec<u8>)> {
        self.keys.take_ready()
    }

    /// Whether a session is subscribed to anything: under RESP2 it may then only send a few
    /// commands.
    pub fn is_subscribed(&self, id: u64) -> bool {
        self.server.pubsub.is_subscribed(id)
    }

    /// Why the last call pushed no reply, if it did not.
    pub fn take_blocked(&mut self) -> Option<Blocked> {
        self.server.blocked.take()
    }

    /// Removes every expired key. Keys also vanish when they are next looked at.
    pub fn purge(&mut self) {
        self.tick();
        for database in 0..self.keys.databases() {
            self.keys.select(database);
            self.keys.purge();
        }
        self.settle(0, false);
    }

    /// A command's full name, subcommands as `config|get`: how error replies call it.
    pub fn command_name(&self, spec: &CommandSpec) -> &'static str {
        self.table.number(spec.id).map_or("", |command| command.name)
    }

    /// The protocol in which the reply to a request is to be encoded: the session's, except that
    /// `HELLO` already answers in the one it switches to.
    pub fn reply_protocol(session: &Session, argv: &[&[u8]]) -> Protocol {
        match argv {
            [name, b"2", ..] if name.eq_ignore_ascii_case(b"hello") => Protocol::Resp2,
            [name, b"3", ..] if name.eq_ignore_ascii_case(b"hello") => Protocol::Resp3,
            _ => session.protocol,
        }
    }

    /// Who logs in with this name and password.
    pub fn authenticate(&self, user: &[u8], password: &[u8]) -> Option<UserId> {
        self.server.acl.authenticate(user, password)
    }

    /// Whether a new connection must log in before anything else.
    pub fn requires_password(&self) -> bool {
        !self.server.acl.is_open()
    }

    /// Makes room for what comes next; never while a script runs.
    #[inline]
    fn evict(&mut self) {
        if self.server.config.maxmemory > 0 && self.scripts == 0 {
            let Server { config, random, stats, .. } = &mut self.server;
            stats.evicted += eviction::make_room(&mut self.keys, config, random);
            self.settle(0, false);
        }
    }

    /// Looks at the clock, unless a script holds the time still, and returns what it shows.
    #[inline]
    fn tick(&mut self) -> Moment {
        let moment = self.clock.moment(&mut self.anchor);
        if self.scripts == 0 {
            self.keys.set_now(moment.now.as_millis() as i64);
        }
        moment
    }
}

impl Default for Store {
    fn default() -> Self {
        Store::new()
    }
}

impl Host for Store {
    #[inline]
    fn command(&self, argv: &[&[u8]]) -> Option<CommandSpec> {
        let mut spec = self.table.spec(argv)?;
        if self.server.scripts_may_all {
            spec.flags -= CommandFlags::NOSCRIPT;
        }
        Some(spec)
    }

    fn call(
        &mut self,
        session: &mut Session,
        spec: &CommandSpec,
        argv: &[&[u8]],
        sink: &mut dyn ReplySink,
    ) {
        let Some(command) = self.table.number(spec.id) else {
            return sink.error(b"ERR unknown command");
        };
        if !command.spec.accepts(argv.len()) {
            return sink.error(CommandError::arity(command.name).text());
        }
        if session.script
            && let Some(error) = self.tap(session, argv)
        {
            return sink.error(&error);
        }
        let began = self.begin();
        self.keys.select(session.db as usize);
        let mut cx = Cx { keys: &mut self.keys, server: &mut self.server, session, sink, command };
        if let Err(error) = (command.run)(&mut cx, argv) {
            self.server.stats.failed(spec.id, error.text());
            sink.error(error.text());
        }
        self.observe(session, command, argv, began);
        self.evict();
    }

    fn keys(&self, spec: &CommandSpec, argv: &[&[u8]]) -> Vec<usize> {
        if !spec.flags.contains(CommandFlags::MOVABLE_KEYS) {
            return spec.keys.positions(argv.len());
        }
        let command = self.table.number(spec.id);
        let keys = command.and_then(|command| command.keys(argv)).unwrap_or_default();
        keys.into_iter().map(|(at, _)| at).collect()
    }

    fn condition(&self) -> Condition {
        Condition {
            out_of_memory: eviction::is_full(&self.keys, &self.server.config),
            cluster: self.server.config.cluster,
            ..Condition::default()
        }
    }

    fn permits(&self, session: &Session, spec: &CommandSpec, argv: &[&[u8]]) -> Result<(), Denied> {
        if self.server.acl.is_free(session.user) {
            return Ok(());
        }
        match self.table.number(spec.id) {
            Some(command) => self.server.acl.permits(session.user, command, argv),
            None => Ok(()),
        }
    }

    fn log(&mut self, level: LogLevel, message: &[u8]) {
        let _ = (level, message);
    }

    fn now(&self) -> Duration {
        self.clock.now()
    }

    fn running_since(&self) -> Option<Instant> {
        self.began.last().and_then(|(began, _)| began.at)
    }

    fn busy_threshold(&self) -> Duration {
        self.server.config.busy_threshold
    }

    fn command_started(&mut self, session: &Session, spec: &CommandSpec, argv: &[&[u8]]) {
        self.start(session, spec, argv);
    }

    fn command_ended(
        &mut self,
        session: &Session,
        spec: &CommandSpec,
        argv: &[&[u8]],
        error: Option<&[u8]>,
    ) {
        self.end(session, spec, argv, error);
    }

    fn command_refused(
        &mut self,
        session: &Session,
        argv: &[&[u8]],
        text: &[u8],
        denied: Option<&Denied>,
    ) {
        self.refuse(session, argv, text, denied);
    }

    fn scripting_changed(&mut self, figures: &ScriptFigures) {
        // Most often nothing has: looking is faster than writing.
        if self.server.scripts != *figures {
            self.server.scripts = *figures;
        }
    }

    fn script_started(&mut self) {
        // The command around it has looked at the clock.
        if self.scripts == 0 && self.began.is_empty() {
            self.tick();
        }
        self.scripts += 1;
    }

    fn script_resumed(&mut self) {
        self.keys.set_now(self.clock.now().as_millis() as i64);
    }

    fn script_ended(&mut self) {
        self.scripts = self.scripts.saturating_sub(1);
        self.evict();
    }
}
