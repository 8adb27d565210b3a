//! What all clients share under one lock, and what follows each command.
//!
//! Owns [`Core`] and the order of what a command causes for others: served waiters, messages,
//! ends. Must not know threads, tasks or sockets.

use std::collections::HashMap;
use std::sync::Arc;

use redlua_conversions::resp::RespWriter;
use redlua_core::Host;
use redlua_engine::Engine;
use redlua_store::{Action, Store};

use crate::busy::Stand;
use crate::client::Address;
use crate::handle::Handle;
use crate::verb::Verbs;
use crate::waiting::Waiting;

/// The store, the engine and who is connected.
pub(crate) struct Core {
    pub(crate) store: Store,
    pub(crate) engine: Engine,
    /// Who waits for a key.
    pub(crate) waiting: Waiting,
    /// The connected clients by their ids.
    pub(crate) clients: HashMap<u64, Arc<Handle>>,
    pub(crate) verbs: Verbs,
    /// Clients whose sockets somebody is to see closed before the reply that says so goes out.
    #[cfg(feature = "net")]
    pub(crate) leaving: Vec<Arc<Handle>>,
    /// What answers while a script has this core; nothing stands in for that itself.
    pub(crate) stand: Option<Arc<Stand>>,
}

impl Core {
    pub(crate) fn new(engine: Engine, store: Store) -> Self {
        let verbs = Verbs::new(&store);
        Core {
            store,
            engine,
            waiting: Waiting::default(),
            clients: HashMap::new(),
            verbs,
            #[cfg(feature = "net")]
            leaving: Vec::new(),
            stand: None,
        }
    }

    /// After a command of client `own`: serves the clients whose keys it modified, hands out
    /// what was published, and acts upon clients. Returns whether the client's own connection is
    /// to be closed.
    #[inline]
    pub(crate) fn settle(&mut self, own: u64) -> bool {
        if self.store.has_ready() {
            self.waiting.serve(&mut self.store);
        }
        self.deliver(own);
        self.act(own)
    }

    /// Hands out what the store has to say to clients.
    pub(crate) fn deliver(&mut self, own: u64) {
        for (id, message) in self.store.take_messages() {
            if let Some(handle) = self.clients.get(&id) {
                let mut bytes = RespWriter::new(handle.protocol());
                message.push(&mut bytes);
                // What a client has caused itself it hears after its reply, unless it was
                // published (`trackingHandlePendingKeyInvalidations`).
                let late = id == own && !message.is_published();
                let outbox = if late { &handle.late } else { &handle.outbox };
                outbox.push(bytes.into_bytes());
            }
        }
    }

    /// Does to clients what a command has asked for (`CLIENT KILL`, `CLIENT UNBLOCK`).
    #[inline]
    fn act(&mut self, own: u64) -> bool {
        let mut close = false;
        for action in self.store.take_actions() {
            match action {
                Action::Close(id) if id == own => close = true,
                Action::Close(id) => {
                    #[cfg(feature = "net")]
                    {
                        // Who has no socket does not wait for others'.
                        self.leaving.retain(|gone| gone.is_open());
                        let gone = self.clients.get(&id).filter(|gone| gone.is_open());
                        self.leaving.extend(gone.cloned());
                    }
                    self.disconnect(id);
                }
                Action::Unblock { client, error } => {
                    self.waiting.unblock(&mut self.store, client, error);
                }
            }
        }
        close
    }

    /// A command may have changed who the users are: whatever stands in for the core is told.
    pub(crate) fn teach(&self, argv: &[&[u8]]) {
        let users = !argv.first().is_some_and(|name| name.eq_ignore_ascii_case(b"config"));
        let password = || argv.iter().any(|word| word.eq_ignore_ascii_case(b"requirepass"));
        if let Some(stand) = &self.stand
            && (users || password())
        {
            stand.learn(argv);
        }
    }

    /// Answers the blocked clients whose time is over.
    pub(crate) fn expire_waiting(&mut self) {
        self.waiting.expire(&mut self.store);
    }

    /// Closes the connection of a client; returns whether there was one of that id.
    pub(crate) fn disconnect(&mut self, id: u64) -> bool {
        let Some(handle) = self.clients.get(&id).cloned() else { return false };
        handle.end();
        // Nobody sees it any more, although its thread or task may need a while to notice.
        self.detach(id);
        true
    }

    /// A client is connected.
    pub(crate) fn attach(&mut self, handle: &Arc<Handle>, address: &Address) {
        self.store.connect_at(handle.id, &address.from, &address.local);
        handle.touch(self.store.now());
        self.clients.insert(handle.id, handle.clone());
    }

    /// Ends the connections that have done nothing for `timeout`, unless they wait for something
    /// (`clientsCronHandleTimeout`).
    #[cfg(feature = "net")]
    pub(crate) fn end_idle(&self, timeout: std::time::Duration) {
        let now = self.store.now();
        for (id, handle) in &self.clients {
            if handle.idle(now) > timeout
                && !self.waiting.contains(*id)
                && !self.store.is_subscribed(*id)
            {
                handle.end();
            }
        }
    }

    /// Ends all connections.
    #[cfg(feature = "net")]
    pub(crate) fn end_all(&self) {
        self.clients.values().for_each(|handle| handle.end());
    }

    /// A client is gone.
    pub(crate) fn detach(&mut self, id: u64) {
        self.waiting.remove(&mut self.store, id);
        self.clients.remove(&id);
        self.store.forget(id);
    }
}
