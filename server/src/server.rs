//! The server: what every way to connect begins with.
//!
//! Must not know how a command works.

use std::sync::Arc;

use redlua_core::{Backend, Limits};
use redlua_engine::{Engine, Monitor};
use redlua_store::Store;

use crate::shared::Shared;
use crate::{Connection, Link, Stream};

/// A Redis for many clients. Clones share one server.
#[derive(Clone)]
pub struct Server {
    pub(crate) shared: Arc<Shared>,
}

impl Server {
    /// A server of an empty store on this backend. Scripts run as long as they like, as in
    /// redis-server, until somebody kills them.
    pub fn with_backend(backend: Arc<dyn Backend>) -> Self {
        let mut engine = Engine::new(backend);
        engine.set_limits(Limits { time: None, ..Limits::default() });
        Server::with(engine, Store::new())
    }

    /// A server of this engine and this store.
    pub fn with(engine: Engine, store: Store) -> Self {
        Server { shared: Arc::new(Shared::new(engine, store)) }
    }

    /// A new connection with a thread of its own, in RESP2 and database 0.
    pub fn connect(&self) -> Connection {
        Connection::spawn(self.link())
    }

    /// A new client that runs its commands on the caller's thread or task, in RESP2 and
    /// database 0.
    pub fn link(&self) -> Link {
        Link::new(self.shared.clone())
    }

    /// A new client that sends and receives bytes in memory, as others do over a socket.
    pub fn stream(&self) -> Stream {
        Stream::new(self.link())
    }

    /// Looks at the clock at once, for whoever has moved it: what has expired is removed, and
    /// blocked clients whose time is over are answered.
    pub fn catch_up(&self) {
        let mut core = self.shared.lock();
        core.store.purge();
        core.expire_waiting();
        core.settle(0);
    }

    /// Closes the connection of a client; returns whether there was one of that id.
    pub fn disconnect(&self, id: u64) -> bool {
        self.shared.lock().disconnect(id)
    }

    /// What script runs, and how to stop it.
    pub fn monitor(&self) -> &Monitor {
        &self.shared.monitor
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").finish_non_exhaustive()
    }
}
