//! The connections a server around the store has told it about.
//!
//! Owns what `CLIENT` shows of them and what it changes. It must not know sockets.

use std::collections::BTreeSet;

use hashbrown::HashMap;
use redlua_core::{Protocol, Session, UserId};

/// One connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Client {
    /// Where it comes from, `address:port` or a socket's path.
    pub(crate) address: String,
    /// Where it arrived.
    pub(crate) local: String,
    /// Its name, empty when it has none.
    pub(crate) name: Vec<u8>,
    /// When it was made, in milliseconds since the epoch.
    pub(crate) since: i64,
    /// When it last sent a command, in milliseconds since the epoch.
    pub(crate) active: i64,
    /// The full name of its last command; empty before the first.
    pub(crate) command: &'static str,
    /// The database it has selected.
    pub(crate) db: u32,
    /// The protocol it speaks.
    pub(crate) protocol: Protocol,
    /// Who is logged in.
    pub(crate) user: UserId,
    /// Whether it is spared when memory runs out.
    pub(crate) no_evict: bool,
    /// Whether it waits for a key.
    pub(crate) blocked: bool,
    /// Whether it has been told to go once its reply is out.
    pub(crate) closing: bool,
    /// Whether it watches every command (`MONITOR`).
    pub(crate) monitor: bool,
    /// How many commands its open transaction has queued.
    pub(crate) queued: Option<usize>,
    /// What it caches, when it wants to hear of changes.
    pub(crate) tracking: Option<Box<Tracking>>,
}

/// How a connection tracks what it has cached (`CLIENT TRACKING`).
#[derive(Clone, Debug, Default)]
pub(crate) struct Tracking {
    /// It hears of every key with one of its prefixes, read or not.
    pub(crate) broadcast: bool,
    /// Only keys read after `CLIENT CACHING YES` count.
    pub(crate) opt_in: bool,
    /// Keys read after `CLIENT CACHING NO` do not count.
    pub(crate) opt_out: bool,
    /// It does not hear of its own changes.
    pub(crate) no_loop: bool,
    /// `CLIENT CACHING` was sent: the next command is the exception.
    pub(crate) caching: bool,
    /// The connection that is told instead; 0 for none.
    pub(crate) redirect: u64,
    /// That connection is gone.
    pub(crate) broken: bool,
    /// The prefixes of a broadcast.
    pub(crate) prefixes: BTreeSet<Vec<u8>>,
}

/// The classes of connections in `CLIENT LIST` and `CLIENT KILL`.
pub(crate) const KINDS: [&str; 5] = ["normal", "slave", "replica", "master", "pubsub"];

/// All connections, by session id.
#[derive(Clone, Default)]
pub(crate) struct Clients {
    known: HashMap<u64, Client>,
    /// How many there have ever been.
    pub(crate) received: u64,
    /// Those that watch every command, in the order they began.
    pub(crate) monitors: Vec<u64>,
    /// How many track what they cache.
    pub(crate) tracking: usize,
}

impl Clients {
    /// The connection of that id; one the store was not told of begins now.
    pub(crate) fn client(&mut self, id: u64, now: i64) -> &mut Client {
        let received = &mut self.received;
        self.known.entry(id).or_insert_with(|| {
            *received += 1;
            Client {
                address: "127.0.0.1:0".to_owned(),
                local: String::new(),
                since: now,
                active: now,
                ..Client::default()
            }
        })
    }

    /// Notes what a connection's command has left behind.
    #[inline]
    pub(crate) fn note(&mut self, session: &Session, command: &'static str, now: i64) {
        let client = self.client(session.id, now);
        client.active = now;
        client.command = command;
        client.db = session.db;
        client.protocol = session.protocol;
        client.user = session.user;
    }

    /// A connection's command is over: `CLIENT CACHING` held for it, or for the transaction that
    /// it belongs to (`resetClient` in `networking.c`).
    pub(crate) fn done(&mut self, id: u64, command: &'static str) {
        if let Some(client) = self.known.get_mut(&id)
            && let Some(tracking) = &mut client.tracking
            && client.queued.is_none()
            && !command.starts_with("client|")
        {
            tracking.caching = false;
        }
    }

    /// The connection of that id, if the store knows it.
    pub(crate) fn find(&self, id: u64) -> Option<&Client> {
        self.known.get(&id)
    }

    /// The same, to be changed.
    pub(crate) fn find_mut(&mut self, id: u64) -> Option<&mut Client> {
        self.known.get_mut(&id)
    }

    /// Forgets a connection.
    pub(crate) fn remove(&mut self, id: u64) -> Option<Client> {
        self.monitors.retain(|monitor| *monitor != id);
        self.known.remove(&id)
    }

    /// All connections, oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &Client)> {
        let mut ids: Vec<u64> = self.known.keys().copied().collect();
        ids.sort_unstable();
        ids.into_iter().filter_map(|id| Some((id, self.known.get(&id)?)))
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.known.len()
    }

    /// How many wait for a key.
    pub(crate) fn blocked(&self) -> usize {
        self.known.values().filter(|client| client.blocked).count()
    }
}
