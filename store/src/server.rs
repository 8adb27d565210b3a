//! What the store remembers besides keys.
//!
//! Owns [`Server`] and the questions several commands ask it. It must not know commands.

use crate::acl::Acl;
use crate::clients::Clients;
use crate::clock::Clock;
use crate::config::Config;
use crate::pubsub::PubSub;
use crate::random::Random;
use crate::store::Blocked;

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
    /// How many keys have been evicted.
    pub(crate) evicted: u64,
    /// How many commands have run.
    pub(crate) calls: u64,
    /// Whether scripts may run what is not for scripts (`DEBUG SET-DISABLE-DENY-SCRIPTS`).
    pub(crate) scripts_may_all: bool,
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
            evicted: 0,
            calls: 0,
            scripts_may_all: false,
            last_save: started / 1000,
            started,
            run_id: random.hex(40),
            random,
        }
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
