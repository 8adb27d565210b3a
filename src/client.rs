//! A host and an engine together: what runs commands.
//!
//! Must not know how commands work.

use redlua_conversions::reply::ReplyBuilder;
use redlua_conversions::{Reply, to_args};
use redlua_core::{Host, ReplySink, Session};
use redlua_engine::{Cluster, Engine};
use redlua_store::Store;
use serde::Serialize;

/// Something that answers commands: an embedded [`Client`], or whatever else scripts are to be
/// invoked on.
pub trait Connection {
    /// Runs one command and returns its reply; Redis errors are replies.
    fn request(&mut self, argv: &[&[u8]]) -> Reply;
}

/// An engine, the host its scripts run against, and a session of it.
///
/// ```
/// use redlua::{Client, Reply};
///
/// let mut client = Client::new();
/// client.command(("SET", "greeting", "hello"))?;
/// let reply = client.command(("EVAL", "return #redis.call('GET', KEYS[1])", 1, "greeting"))?;
/// assert_eq!(reply, Reply::Integer(5));
/// # Ok::<(), redlua::Error>(())
/// ```
pub struct Client<H = Store> {
    /// The scripts and libraries.
    pub engine: Engine,
    /// What `redis.call` runs against.
    pub host: H,
    /// The connection's state.
    pub session: Session,
}

impl Client {
    /// A client of an empty [`Store`], on the default backend.
    pub fn new() -> Self {
        Client::with_host(Store::new())
    }
}

impl Client {
    /// Puts everything into this cluster: scripts ([`Engine::set_cluster`]) and the store, which
    /// then has one database.
    ///
    /// ```
    /// use redlua::{Client, Cluster, Reply};
    ///
    /// let mut client = Client::new();
    /// client.set_cluster(Cluster::default());
    /// let reply = client.command(("EVAL", "return 1", 2, "a", "b"))?;
    /// assert_eq!(reply, Reply::error("CROSSSLOT Keys in request don't hash to the same slot"));
    /// # Ok::<(), redlua::Error>(())
    /// ```
    pub fn set_cluster(&mut self, cluster: Cluster) {
        self.engine.set_cluster(Some(cluster));
        // There is such a parameter.
        let _ = self.host.configure("cluster-enabled", "yes");
    }
}

impl Default for Client {
    fn default() -> Self {
        Client::new()
    }
}

impl<H: Host> Client<H> {
    /// A client of `host`, on the default backend.
    pub fn with_host(host: H) -> Self {
        Client { engine: Engine::new(crate::backends::first()), host, session: Session::default() }
    }

    /// Runs one command; its reply goes into `sink`.
    pub fn dispatch(&mut self, argv: &[&[u8]], sink: &mut dyn ReplySink) {
        self.engine.dispatch(&mut self.host, &mut self.session, argv, sink);
    }

    /// Runs one command given as a tuple, a slice or anything else that serializes to a flat
    /// list of arguments ([`to_args`]).
    ///
    /// # Errors
    /// The arguments cannot be serialized. An error of Redis is a [`Reply`].
    pub fn command(&mut self, args: impl Serialize) -> Result<Reply, redlua_conversions::Error> {
        let args = to_args(&args)?;
        let argv: Vec<&[u8]> = args.iter().map(Vec::as_slice).collect();
        Ok(self.request(&argv))
    }
}

impl<H: Host> Connection for Client<H> {
    fn request(&mut self, argv: &[&[u8]]) -> Reply {
        let mut reply = ReplyBuilder::new(self.session.protocol);
        self.dispatch(argv, &mut reply);
        reply.finish().unwrap_or(Reply::Null)
    }
}

impl<H> std::fmt::Debug for Client<H> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("engine", &self.engine)
            .field("session", &self.session)
            .finish_non_exhaustive()
    }
}
