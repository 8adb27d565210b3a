//! What the store remembers besides keys.
//!
//! Owns [`Server`] and the questions several commands ask it. It must not know commands.

use crate::acl::Acl;
use crate::clients::Clients;
use crate::clock::Clock;
use crate::config::Config;
use crate::latency::Latency;
use crate::pubsub::PubSub;
use crate::random::Random;
use crate::slowlog::SlowLog;
use crate::stats::Stats;
use crate::store::{Action, Blocked, Pause};
use crate::table::Table;
use crate::tracking;
use redlua_core::ScriptFigures;

/// Everything that is not a key.
#[derive(Clone)]
pub(crate) struct Server {
    /// The clock, for commands that tell the time.
    pub(crate) clock: Clock,
    /// The configuration.
    pub(crate) config: Config,
    /// The users.
    pub(crate) acl: Acl,
    /// The connections.
    pub(crate) clients: Clients,
    /// Who listens to what.
    pub(crate) pubsub: PubSub,
    /// Random choices.
    pub(crate) random: Random,
    /// The call that found nothing to take, until the server layer fetches it.
    pub(crate) blocked: Option<Blocked>,
    /// What has been counted and measured.
    pub(crate) stats: Stats,
    /// The commands that took long.
    pub(crate) slowlog: SlowLog,
    /// When work took long.
    pub(crate) latency: Latency,
    /// Who has to be told of which keys.
    pub(crate) tracking: tracking::Table,
    /// The keys that the running script was called with, when anybody tracks keys: a read by
    /// the script counts as a read of these.
    pub(crate) script_keys: Vec<Vec<u8>>,
    /// What the engine has told of its scripts.
    pub(crate) scripts: ScriptFigures,
    /// What the server layer is to do.
    pub(crate) actions: Vec<Action>,
    /// Whether connections have to wait, and which.
    pub(crate) pause: Option<Pause>,
    /// Whether expired keys are looked for (`DEBUG SET-ACTIVE-EXPIRE`).
    pub(crate) active_expire: bool,
    /// Whether scripts may run what is not for scripts (`DEBUG SET-DISABLE-DENY-SCRIPTS`).
    pub(crate) scripts_may_all: bool,
    /// How many modifications there had been when it was last saved.
    pub(crate) saved: u64,
    /// When it was last saved, in seconds since the epoch.
    pub(crate) last_save: i64,
    /// When it started, in milliseconds since the epoch.
    pub(crate) started: i64,
    /// What identifies this run.
    pub(crate) run_id: String,
}

impl Server {
    /// A server that has just started.
    pub(crate) fn new(clock: Clock) -> Self {
        let started = clock.now().as_millis() as i64;
        let mut random = Random::default();
        Server {
            clock,
            acl: Acl::default(),
            config: Config::default(),
            clients: Clients::default(),
            pubsub: PubSub::default(),
            blocked: None,
            stats: Stats::new(Table::instance().all().len()),
            slowlog: SlowLog::default(),
            latency: Latency::default(),
            tracking: tracking::Table::default(),
            script_keys: Vec::new(),
            scripts: ScriptFigures::default(),
            actions: Vec::new(),
            pause: None,
            active_expire: true,
            scripts_may_all: false,
            saved: 0,
            last_save: started / 1000,
            started,
            run_id: random.hex(40),
            random,
        }
    }

    /// Whether somebody wants to hear of every command, or of every read.
    #[inline]
    pub(crate) fn is_watched(&self) -> bool {
        self.clients.tracking > 0 || !self.clients.monitors.is_empty()
    }

    /// The longest string that may be built.
    pub(crate) fn max_bulk(&self) -> usize {
        self.config.max_bulk
    }

    /// Whether access frequency is tracked instead of the time of access.
    pub(crate) fn counts_frequency(&self) -> bool {
        self.config.value("maxmemory-policy").ends_with(b"lfu")
    }

    /// Whether small integers are shared objects: not while eviction needs to know each key's
    /// use (`tryObjectEncoding` in `object.c`).
    pub(crate) fn shares_integers(&self) -> bool {
        self.config.maxmemory == 0
            || !matches!(
                self.config.value("maxmemory-policy"),
                b"volatile-lru" | b"volatile-lfu" | b"allkeys-lru" | b"allkeys-lfu"
            )
    }
}
