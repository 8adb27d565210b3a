//! The host whose commands a server runs.
//!
//! Owns [`Remote`]: its connections, its counters, and what a script hears when the server is
//! gone. Must not know Lua.

use redis::{RedisResult, Value};
use redlua_conversions::reply::ReplyBuilder;
use redlua_conversions::{Reply, raw};
use redlua_core::{
    CommandFlags, CommandSpec, Condition, Host, LogLevel, Protocol, ReplySink, Session,
};

use crate::commands::Commands;
use crate::link::Link;
use crate::{Address, Error, Options, value};

/// A server, or a cluster, as a [`Host`].
///
/// Each command is one round trip. A script that runs here against such a host is **not atomic**:
/// other clients' commands fall between its own. A connection that breaks while a script runs is
/// not mended before the script has ended: what it does after the break fails, too.
pub struct Remote {
    address: Address,
    options: Options,
    commands: Commands,
    /// Where [`request`](Self::request) is, and what it speaks.
    session: Session,
    /// One connection for each version of the protocol; the second is made when it is needed.
    links: [Option<Connected>; 2],
    round_trips: u64,
    /// Scripts that are running.
    scripts: u32,
    /// Why the connection broke during the running script.
    broken: Option<String>,
}

struct Connected {
    link: Link,
    /// The database selected on it.
    db: u32,
}

impl Remote {
    /// Connects to the server at `address` ([`Address::parse`]) and asks which commands it has.
    ///
    /// # Errors
    /// The address is none, or nobody there answers as a Redis does.
    pub fn open(address: &str, options: Options) -> Result<Self, Error> {
        Remote::connect(Address::parse(address)?, options)
    }

    /// As [`open`](Self::open), with an address that has been parsed.
    ///
    /// # Errors
    /// Nobody there answers as a Redis does.
    pub fn connect(address: Address, options: Options) -> Result<Self, Error> {
        let mut remote = Remote {
            address,
            options,
            commands: Commands::default(),
            session: Session::default(),
            links: [None, None],
            round_trips: 0,
            scripts: 0,
            broken: None,
        };
        remote.session.db = remote.address.db();
        let reply = remote.exchange(&remote.session(), &[b"COMMAND"], false);
        let reply = reply.and_then(Value::extract_error);
        let reply = reply.map_err(|source| Error::new(&remote.address.shown, source))?;
        remote.commands = Commands::parse(&reply).ok_or_else(|| {
            let source = (redis::ErrorKind::UnexpectedReturnType, "COMMAND lists no commands");
            Error::new(&remote.address.shown, source.into())
        })?;
        remote.round_trips = 0;
        Ok(remote)
    }

    /// Where it is.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// The session of [`request`](Self::request): at first RESP2 in the database that the address
    /// names.
    pub fn session(&self) -> Session {
        self.session
    }

    /// Chooses the protocol in which [`request`](Self::request) asks; RESP2 to begin with.
    pub fn speak(&mut self, protocol: Protocol) {
        self.session.protocol = protocol;
    }

    /// How many requests have been sent so far.
    pub fn round_trips(&self) -> u64 {
        self.round_trips
    }

    /// Sends one request and returns its reply; an error reply is a [`Reply`] too. `SELECT`
    /// holds for the requests that follow.
    ///
    /// # Errors
    /// The server cannot be reached or drops the connection.
    pub fn request(&mut self, argv: &[&[u8]]) -> Result<Reply, Error> {
        let mut session = self.session;
        let mut reply = ReplyBuilder::new(session.protocol);
        let result = self.forward(&mut session, argv, false, &mut reply);
        self.session = session;
        result?;
        Ok(reply.finish().unwrap_or(Reply::Null))
    }

    /// The version that the server says it is of, `7.0.15`; `None` when it does not tell.
    ///
    /// # Errors
    /// The server cannot be reached or drops the connection.
    pub fn version(&mut self) -> Result<Option<String>, Error> {
        let info = raw(&self.request(&[b"INFO", b"server"])?);
        let info = String::from_utf8_lossy(&info);
        let version = info.lines().find_map(|line| line.strip_prefix("redis_version:"));
        Ok(version.map(|version| version.trim().to_owned()))
    }

    /// Runs a command on the server, `now` when it must not block; its reply, error replies
    /// included, goes into `sink`.
    fn forward(
        &mut self,
        session: &mut Session,
        argv: &[&[u8]],
        now: bool,
        sink: &mut dyn ReplySink,
    ) -> Result<(), Error> {
        let selected = match argv {
            [name, db] if name.eq_ignore_ascii_case(b"select") => {
                match std::str::from_utf8(db).ok().and_then(|db| db.parse().ok()) {
                    Some(db) => Some(db),
                    None => {
                        sink.error(b"ERR value is not an integer or out of range");
                        return Ok(());
                    }
                }
            }
            _ => None,
        };
        let result = match selected {
            // The connections are others' too: what counts is the session's database, and the
            // server says whether there is one of that number.
            Some(db) => {
                let there = Session { db, ..*session };
                self.exchange(&there, &[b"PING"], false).map(|_| Value::Okay)
            }
            None => self.exchange(session, argv, now),
        };
        match result {
            Ok(value) => {
                session.db = selected.unwrap_or(session.db);
                value::push(&value, sink);
            }
            Err(error) => match value::error_reply(&error) {
                Some(line) => sink.error(&line),
                None => return Err(Error::new(&self.address.shown, error)),
            },
        }
        Ok(())
    }

    /// Sends a request over the connection of the session's protocol and database. A connection
    /// that fails is given up; the next request makes a new one.
    fn exchange(&mut self, session: &Session, argv: &[&[u8]], now: bool) -> RedisResult<Value> {
        let [resp2, resp3] = &mut self.links;
        let place = match session.protocol {
            Protocol::Resp2 => resp2,
            Protocol::Resp3 => resp3,
        };
        let mut connected = match place.take() {
            Some(connected) => connected,
            None => Connected {
                link: Link::open(&self.address, self.options, session.protocol)
                    .map_err(Error::into_source)?,
                db: 0,
            },
        };
        let mut result = Ok(Value::Nil);
        if connected.db != session.db {
            self.round_trips += 1;
            let db = session.db.to_string();
            let reply = connected.link.request(&[b"SELECT", db.as_bytes()]);
            result = reply.and_then(Value::extract_error);
            if result.is_ok() {
                connected.db = session.db;
            }
        }
        if result.is_ok() {
            self.round_trips += 1;
            result = match now {
                true => connected.link.request_now(argv),
                false => connected.link.request(argv),
            };
        }
        let alive = match &result {
            Ok(_) => true,
            Err(error) => value::error_reply(error).is_some(),
        };
        if alive {
            *place = Some(connected);
        }
        result
    }
}

impl Host for Remote {
    fn command(&self, argv: &[&[u8]]) -> Option<CommandSpec> {
        self.commands.find(argv)
    }

    fn call(
        &mut self,
        session: &mut Session,
        spec: &CommandSpec,
        argv: &[&[u8]],
        sink: &mut dyn ReplySink,
    ) {
        if let Some(broken) = &self.broken {
            return sink.error(broken.as_bytes());
        }
        // Nothing blocks inside a script.
        let now = session.script && spec.flags.contains(CommandFlags::BLOCKING);
        if let Err(error) = self.forward(session, argv, now, sink) {
            let text = error.line();
            sink.error(text.as_bytes());
            if self.scripts > 0 {
                self.broken = Some(text);
            }
        }
    }

    fn keys(&self, spec: &CommandSpec, argv: &[&[u8]]) -> Vec<usize> {
        self.commands.keys(spec, argv)
    }

    fn condition(&self) -> Condition {
        Condition { cluster: self.address.cluster, ..Condition::default() }
    }

    fn log(&mut self, level: LogLevel, message: &[u8]) {
        // Nobody's log is at hand: the server's own is out of reach.
        let _ = (level, message);
    }

    fn script_started(&mut self) {
        self.scripts += 1;
    }

    fn script_ended(&mut self) {
        self.scripts = self.scripts.saturating_sub(1);
        if self.scripts == 0 {
            self.broken = None;
        }
    }
}

impl std::fmt::Debug for Remote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Remote")
            .field("address", &self.address.shown)
            .field("round_trips", &self.round_trips)
            .finish_non_exhaustive()
    }
}
