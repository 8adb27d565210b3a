//! What the store knows of connections, for the server layer that owns them.
//!
//! Owns their coming and going, what they are sent, and what is to be done with them. It must
//! not know sockets.

use std::time::Duration;

use redlua_core::{CommandFlags, CommandSpec, Session};

use super::{Action, Pause, Store};
use crate::pubsub::Message;

impl Store {
    /// A connection begins: `CLIENT LIST` shows it. `address` is `host:port`.
    pub fn connect(&mut self, id: u64, address: &str) {
        self.connect_at(id, address, "");
    }

    /// The same, and where it arrived: `host:port`, or the path of a socket, which is also its
    /// `address` with `:0` behind.
    pub fn connect_at(&mut self, id: u64, address: &str, local: &str) {
        self.tick();
        let client = self.server.clients.client(id, self.keys.now());
        client.address = address.to_owned();
        client.local = local.to_owned();
    }

    /// A connection has ended: its subscriptions go with it.
    pub fn forget(&mut self, id: u64) {
        self.server.pubsub.forget(id);
        self.untrack(id);
        self.server.clients.remove(id);
    }

    /// What has been sent since the last call, each with the session id of its receiver.
    ///
    /// Published messages reach the connection that caused them before the reply of its
    /// command, all others after it.
    pub fn take_messages(&mut self) -> Vec<(u64, Message)> {
        if self.server.clients.tracking > 0 {
            let server = &mut self.server;
            server.tracking.broadcast(&mut server.clients, &mut server.pubsub);
        }
        self.server.pubsub.take_messages()
    }

    /// What is to be done with connections since the last call.
    pub fn take_actions(&mut self) -> Vec<Action> {
        std::mem::take(&mut self.server.actions)
    }

    /// Says that a connection waits for a key, or no longer.
    pub fn set_blocked(&mut self, id: u64, blocked: bool) {
        if let Some(client) = self.server.clients.find_mut(id) {
            client.blocked = blocked;
        }
    }

    /// Says how many commands a connection's transaction has queued, `None` when it has none,
    /// and which command that is due to.
    pub fn set_queued(&mut self, session: &Session, spec: &CommandSpec, queued: Option<usize>) {
        if session.id != 0 {
            self.note(session, self.table.number(spec.id).map_or("", |command| command.name));
            self.server.clients.client(session.id, self.keys.now()).queued = queued;
        }
    }

    /// Until when, on the store's clock, a command has to wait before it runs (`CLIENT PAUSE`).
    /// For `EXEC` the flags are those of all that it runs.
    pub fn paused(&mut self, spec: &CommandSpec) -> Option<Duration> {
        let Pause { until, all } = self.server.pause?;
        if self.clock.now() >= until {
            self.server.pause = None;
            return None;
        }
        // A script is not trusted to read only unless it is called so.
        let writes = CommandFlags::WRITE | CommandFlags::MAY_REPLICATE;
        (all || spec.flags.intersects(writes)).then_some(until)
    }

    /// Whether a pause is in force; asked before anything else, as it mostly is not.
    #[inline]
    pub fn is_paused(&self) -> bool {
        self.server.pause.is_some()
    }

    /// What a server does now and then (`serverCron`): takes the rate of commands, and looks
    /// for some expired keys.
    pub fn cron(&mut self) {
        /// How many keys of a database are looked at each time.
        const KEYS: usize = 4096;
        let now = self.tick().now;
        self.server.stats.sample(now);
        if !self.server.active_expire || self.server.pause.is_some() {
            return;
        }
        let (database, from) = self.expiring;
        self.keys.select(database);
        let next = self.keys.purge_some(from, KEYS);
        self.expiring =
            if next == 0 { ((database + 1) % self.keys.databases(), 0) } else { (database, next) };
        for other in (0..self.keys.databases()).filter(|other| *other != database) {
            if self.keys.volatile(other) > 0 && self.keys.size(other) <= KEYS {
                self.keys.select(other);
                self.keys.purge();
            }
        }
        self.settle(0, false);
    }

    /// A connection hears of no more changes (`disableTracking`).
    pub(super) fn untrack(&mut self, id: u64) {
        self.server.untrack(id);
        self.keys.track(self.server.clients.tracking > 0);
    }

    /// Notes a connection's last command.
    #[inline]
    pub(super) fn note(&mut self, session: &Session, name: &'static str) {
        if session.id != 0 {
            self.server.clients.note(session, name, self.keys.now());
        }
    }
}
