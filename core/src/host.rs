//! The Redis side of the bridge: what a script's `redis.call` runs against.
//!
//! Owns [`Host`] and the facts about commands that decide whether a script may run them. It must
//! not know any particular command.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::{Protocol, ReplySink};

bitflags::bitflags! {
    /// What a command is allowed to do and where (`COMMAND INFO`'s flags, `CMD_*` in `server.h`).
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct CommandFlags: u32 {
        /// May modify the keyspace.
        const WRITE = 1 << 0;
        /// Only reads.
        const READONLY = 1 << 1;
        /// May grow memory: refused over `maxmemory`.
        const DENYOOM = 1 << 2;
        /// Administrative.
        const ADMIN = 1 << 3;
        /// About pub/sub.
        const PUBSUB = 1 << 4;
        /// Not from scripts.
        const NOSCRIPT = 1 << 5;
        /// May block the connection.
        const BLOCKING = 1 << 6;
        /// Allowed while loading.
        const LOADING = 1 << 7;
        /// Allowed on a stale replica.
        const STALE = 1 << 8;
        /// Not in MONITOR's feed.
        const SKIP_MONITOR = 1 << 9;
        /// Not in the slow log.
        const SKIP_SLOWLOG = 1 << 10;
        /// O(1) or O(log n).
        const FAST = 1 << 11;
        /// Allowed before authentication.
        const NO_AUTH = 1 << 12;
        /// May replicate although it is not a write (`PUBLISH`, `EVAL`).
        const MAY_REPLICATE = 1 << 13;
        /// Not inside MULTI.
        const NO_MULTI = 1 << 14;
        /// Answers while a script is busy.
        const ALLOW_BUSY = 1 << 15;
        /// Its keys cannot be told from its positions alone.
        const MOVABLE_KEYS = 1 << 16;
        /// This is a subcommand: its full name is two words (`config|get`).
        const SUBCOMMAND = 1 << 17;
        /// This command only has subcommands and cannot run itself.
        const CONTAINER = 1 << 18;
        /// Touches every key without naming any (`FLUSHALL`).
        const TOUCHES_ARBITRARY_KEYS = 1 << 19;
        /// Accepts an asking cluster client.
        const ASKING = 1 << 20;
        /// Not asynchronously while loading.
        const NO_ASYNC_LOADING = 1 << 21;
        /// Never in a replicated stream's mandatory keys (`no_mandatory_keys`).
        const NO_MANDATORY_KEYS = 1 << 22;
    }
}

/// Where a command's keys stand in its argv: `first`, then every `step`, up to `last`; positions
/// count from 1 (0 is the command), a negative `last` counts from the end. All 0: no keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct KeySpec {
    /// Position of the first key.
    pub first: i16,
    /// Position of the last key; -1 is the last argument.
    pub last: i16,
    /// Distance between keys.
    pub step: i16,
}

impl KeySpec {
    /// The positions of the keys in a call of `words` words, the command's own included; none
    /// when the call does not fit (`getKeysUsingLegacyRangeSpec` in `db.c`).
    ///
    /// ```
    /// # use redlua_core::KeySpec;
    /// let mset = KeySpec { first: 1, last: -1, step: 2 };
    /// assert_eq!(mset.positions(5), [1, 3]);
    /// ```
    pub fn positions(&self, words: usize) -> Vec<usize> {
        let (first, step) = (i64::from(self.first), i64::from(self.step));
        let words = words as i64;
        let last = i64::from(self.last) + if self.last < 0 { words } else { 0 };
        if first < 1 || step < 1 || last >= words {
            return Vec::new();
        }
        (first..=last).step_by(step as usize).map(|at| at as usize).collect()
    }
}

/// What the engine must know of a command before a script may run it.
///
/// ```
/// use redlua_core::{CommandFlags, CommandSpec};
/// // GET key: exactly two words, only reads, its key is at position 1.
/// const GET: CommandSpec = CommandSpec::new(0, 2, CommandFlags::READONLY).keys(1, 1, 1);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandSpec {
    /// The host's own number for the command, so that [`Host::call`] need not look it up again.
    pub id: u32,
    /// How many words a call has, the command's own included; `-n` means at least `n`.
    pub arity: i16,
    /// What it may do.
    pub flags: CommandFlags,
    /// Where its keys are.
    pub keys: KeySpec,
}

impl CommandSpec {
    /// A command without keys.
    pub const fn new(id: u32, arity: i16, flags: CommandFlags) -> Self {
        CommandSpec { id, arity, flags, keys: KeySpec { first: 0, last: 0, step: 0 } }
    }

    /// The same command with keys at these positions.
    pub const fn keys(mut self, first: i16, last: i16, step: i16) -> Self {
        self.keys = KeySpec { first, last, step };
        self
    }

    /// Whether a call of `words` words, the command's own included, satisfies the arity.
    pub const fn accepts(&self, words: usize) -> bool {
        if self.arity >= 0 {
            words == self.arity as usize
        } else {
            words >= self.arity.unsigned_abs() as usize
        }
    }
}

/// Identifies an ACL user; the host's own numbering. 0 is the default user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct UserId(pub u32);

/// What the host and the engine remember of one connection.
///
/// A script runs in a copy of its caller's session: what it selects or negotiates ends with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Session {
    /// Identifies the connection (`CLIENT ID`); 0 for a call without one.
    pub id: u64,
    /// The RESP version of the connection, or of `redis.setresp` inside a script.
    pub protocol: Protocol,
    /// The selected database.
    pub db: u32,
    /// Who is logged in.
    pub user: UserId,
    /// Whether the call comes from a script: nothing may block.
    pub script: bool,
    /// In a cluster, the slot of the keys of the transaction that runs.
    pub slot: Option<u16>,
    /// What `SCRIPT DEBUG` has asked for.
    pub debug: Debugging,
    /// Whether replies to earlier commands of the connection have not been sent yet, as inside a
    /// transaction or a pipeline: `SCRIPT DEBUG` is refused then.
    pub pending: bool,
}

/// How the next `EVAL` of a connection is to be debugged (`SCRIPT DEBUG`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Debugging {
    /// Not at all.
    #[default]
    Off,
    /// On a copy of everything, while others go on: nothing it does remains.
    Forked,
    /// On the data itself, while all others wait.
    Sync,
}

/// What the engine tells its host about scripting, for the host's statistics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScriptFigures {
    /// Cached EVAL scripts.
    pub scripts: usize,
    /// Function libraries.
    pub libraries: usize,
    /// Functions.
    pub functions: usize,
    /// Bytes the Lua state of EVAL scripts holds.
    pub eval_memory: usize,
    /// Bytes the Lua state of functions holds.
    pub function_memory: usize,
}

/// A state of the host that forbids some commands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Condition {
    /// Over `maxmemory` with nothing to evict.
    pub out_of_memory: bool,
    /// A read-only replica.
    pub read_only: bool,
    /// A replica that lost its master and must not serve stale data.
    pub stale: bool,
    /// The last save failed and writes are refused (`MISCONF`); the message for it.
    pub misconfigured: bool,
    /// Cluster mode.
    pub cluster: bool,
    /// Scripts may call even the commands that are not for them
    /// (`DEBUG SET-DISABLE-DENY-SCRIPTS 1`).
    pub scripts_unrestricted: bool,
}

/// Why a user may not run a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denied {
    /// The command itself (or its subcommand, `config|set`).
    Command(Vec<u8>),
    /// One of its keys.
    Key,
    /// One of its channels.
    Channel,
}

/// How urgent a message of `redis.log` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogLevel {
    /// `redis.LOG_DEBUG`
    Debug = 0,
    /// `redis.LOG_VERBOSE`
    Verbose = 1,
    /// `redis.LOG_NOTICE`
    Notice = 2,
    /// `redis.LOG_WARNING`
    Warning = 3,
}

/// A Redis, as scripts see it.
///
/// Only [`command`](Self::command) and [`call`](Self::call) must be written. The engine checks a
/// call against its [`CommandSpec`] (arity, flags, permissions) before `call` runs, so a host
/// only executes.
///
/// ```
/// use std::collections::HashMap;
/// use redlua_core::{CommandFlags, CommandSpec, Host, ReplySink, Session};
///
/// struct Map(HashMap<Vec<u8>, Vec<u8>>);
///
/// impl Host for Map {
///     fn command(&self, argv: &[&[u8]]) -> Option<CommandSpec> {
///         match argv[0].to_ascii_lowercase().as_slice() {
///             b"get" => Some(CommandSpec::new(0, 2, CommandFlags::READONLY).keys(1, 1, 1)),
///             b"set" => Some(CommandSpec::new(1, 3, CommandFlags::WRITE).keys(1, 1, 1)),
///             _ => None,
///         }
///     }
///
///     fn call(
///         &mut self,
///         _session: &mut Session,
///         spec: &CommandSpec,
///         argv: &[&[u8]],
///         sink: &mut dyn ReplySink,
///     ) {
///         if spec.id == 0 {
///             match self.0.get(argv[1]) {
///                 Some(value) => sink.bulk(value),
///                 None => sink.null(),
///             }
///         } else {
///             self.0.insert(argv[1].to_vec(), argv[2].to_vec());
///             sink.status(b"OK");
///         }
///     }
/// }
/// ```
pub trait Host {
    /// Looks up the command that `argv` (never empty) names, in any case. A container such as
    /// `CONFIG` resolves to its subcommand when `argv` has one it knows; with a second word that
    /// it does not know the answer is `None`; alone it is the container itself. What is found by
    /// two words has [`CommandFlags::SUBCOMMAND`]; any other name means the same for as long as a
    /// script runs, and the engine need not ask again.
    fn command(&self, argv: &[&[u8]]) -> Option<CommandSpec>;

    /// Runs a command and pushes exactly one reply into `sink`. Redis errors are replies too:
    /// [`ReplySink::error`]. `argv` satisfies the arity of `spec`, which is what
    /// [`command`](Self::command) returned for it.
    fn call(
        &mut self,
        session: &mut Session,
        spec: &CommandSpec,
        argv: &[&[u8]],
        sink: &mut dyn ReplySink,
    );

    /// The positions of the keys in a call, for those who want to know which keys a script
    /// touches. By default what the specification tells; a host with commands of
    /// [`CommandFlags::MOVABLE_KEYS`] knows better. The engine looks at the scripting family
    /// itself.
    fn keys(&self, spec: &CommandSpec, argv: &[&[u8]]) -> Vec<usize> {
        spec.keys.positions(argv.len())
    }

    /// The host's present condition; by default nothing is wrong.
    fn condition(&self) -> Condition {
        Condition::default()
    }

    /// Whether the session's user may run this call; by default everything.
    ///
    /// # Errors
    /// What is missing.
    fn permits(&self, session: &Session, spec: &CommandSpec, argv: &[&[u8]]) -> Result<(), Denied> {
        let _ = (session, spec, argv);
        Ok(())
    }

    /// Receives `redis.log`; by default dropped.
    fn log(&mut self, level: LogLevel, message: &[u8]) {
        let _ = (level, message);
    }

    /// The time since the Unix epoch, for whatever the engine must date.
    fn now(&self) -> Duration {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
    }

    /// A command that the host lists but does not run itself begins: one of the scripting
    /// family, which the engine answers, or of a transaction, which a server around both does.
    /// For statistics and for whoever monitors.
    fn command_started(&mut self, session: &Session, spec: &CommandSpec, argv: &[&[u8]]) {
        let _ = (session, spec, argv);
    }

    /// When the command began that runs now, if the host looked at the clock then: the time a
    /// script has counts from there, and nobody needs to look again. By default not known.
    fn running_since(&self) -> Option<Instant> {
        None
    }

    /// It has ended, with this error if it failed.
    fn command_ended(
        &mut self,
        session: &Session,
        spec: &CommandSpec,
        argv: &[&[u8]],
        error: Option<&[u8]>,
    ) {
        let _ = (session, spec, argv, error);
    }

    /// A command was refused before it ran, with this text, and for want of this permission if
    /// that was why.
    fn command_refused(
        &mut self,
        session: &Session,
        argv: &[&[u8]],
        text: &[u8],
        denied: Option<&Denied>,
    ) {
        let _ = (session, argv, text, denied);
    }

    /// What scripts there are has changed.
    fn scripting_changed(&mut self, figures: &ScriptFigures) {
        let _ = figures;
    }

    /// A script begins: until [`script_ended`](Self::script_ended) time stands still for
    /// commands and keys do not expire (`scriptPrepareForRun` in `script.c`).
    fn script_started(&mut self) {}

    /// The script has ended.
    fn script_ended(&mut self) {}

    /// The script goes on after its debugger has held it up: it is a later time now.
    fn script_resumed(&mut self) {}

    /// After how long other clients are told that a script is busy
    /// (`CONFIG SET busy-reply-threshold`).
    fn busy_threshold(&self) -> Duration {
        Duration::from_secs(5)
    }
}
