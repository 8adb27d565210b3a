//! The store itself: a [`Host`] on databases in memory.
//!
//! Owns [`Store`] and what a server around it needs: blocked calls, messages, stamps. It must
//! not know any command, nor Lua, nor sockets.

use std::time::Duration;

use redlua_core::{CommandSpec, Condition, Denied, Host, LogLevel, ReplySink, Session};

use crate::clock::Clock;
use crate::context::Cx;
use crate::keyspace::Keyspace;
use crate::server::Server;
use crate::table::Table;

/// An in-memory Redis 7.0.
///
/// ```
/// use redlua_core::{Host, Session};
/// use redlua_store::Store;
///
/// let mut store = Store::new();
/// let argv: [&[u8]; 2] = [b"GET", b"greeting"];
/// let spec = store.command(&argv).ok_or("no such command")?;
/// assert!(spec.accepts(argv.len()));
/// # Ok::<(), &str>(())
/// ```
pub struct Store {
    keys: Keyspace,
    server: Server,
    clock: Clock,
    table: &'static Table,
    /// How many scripts are running; while any is, time stands still.
    scripts: u32,
}

/// A call of a blocking command that found nothing: it has pushed no reply.
///
/// Retry [`argv`](Self::argv), or else the same argv, whenever a key's [`Store::stamp`] changes;
/// answer [`reply`](Self::reply) when the time is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocked {
    /// The database.
    pub db: u32,
    /// The keys it waits for.
    pub keys: Vec<Vec<u8>>,
    /// How long it waits; `None` for ever.
    pub timeout: Option<Duration>,
    /// What is answered when the time is over.
    pub reply: TimeoutReply,
    /// What to retry when that is not the same argv: the `$` of `XREAD` means the end of the
    /// stream at the time of the first call.
    pub argv: Option<Vec<Vec<u8>>>,
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
        let mut store = Store {
            keys: Keyspace::default(),
            server: Server::new(clock.clone()),
            clock,
            table: Table::instance(),
            scripts: 0,
        };
        store.tick();
        store
    }

    /// A number that changes whenever the key is modified after this call: what `WATCH`
    /// compares. The store keeps it until [`forget_stamp`](Self::forget_stamp).
    pub fn stamp(&mut self, db: u32, key: &[u8]) -> u64 {
        self.tick();
        self.keys.stamp(db as usize, key)
    }

    /// Stops keeping a key's stamp; for when nobody watches it any more.
    pub fn forget_stamp(&mut self, db: u32, key: &[u8]) {
        self.keys.forget_stamp(db as usize, key);
    }

    /// How many modifications there have been: while it stands still no stamp changes.
    pub fn modifications(&self) -> u64 {
        self.keys.dirty()
    }

    /// Why the last call pushed no reply, if it did not.
    pub fn take_blocked(&mut self) -> Option<Blocked> {
        self.server.blocked.take()
    }

    /// Removes every expired key. Keys also vanish when they are next looked at.
    pub fn purge(&mut self) {
        self.tick();
        for database in 0..crate::keyspace::DATABASES {
            self.keys.select(database);
            self.keys.purge();
        }
    }

    /// Looks at the clock, unless a script holds the time still.
    #[inline]
    fn tick(&mut self) {
        if self.scripts == 0 {
            self.keys.set_now(self.clock.now().as_millis() as i64);
        }
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
        self.table.resolve(argv).map(|command| command.spec)
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
        self.tick();
        self.keys.select(session.db as usize);
        self.server.calls += 1;
        let mut cx = Cx { keys: &mut self.keys, server: &mut self.server, session, sink, command };
        if let Err(error) = (command.run)(&mut cx, argv) {
            sink.error(error.text());
        }
    }

    fn condition(&self) -> Condition {
        Condition::default()
    }

    fn permits(&self, session: &Session, spec: &CommandSpec, argv: &[&[u8]]) -> Result<(), Denied> {
        let _ = (session, spec, argv);
        Ok(())
    }

    fn log(&mut self, level: LogLevel, message: &[u8]) {
        let _ = (level, message);
    }

    fn now(&self) -> Duration {
        self.clock.now()
    }

    fn script_started(&mut self) {
        self.tick();
        self.scripts += 1;
    }

    fn script_ended(&mut self) {
        self.scripts = self.scripts.saturating_sub(1);
    }
}
