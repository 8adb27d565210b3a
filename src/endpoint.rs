//! One type for wherever scripts may run: in this process or on a server.
//!
//! Owns the addresses' first word. Must not know how a server is spoken to.

use redlua_conversions::Reply;
use redlua_remote::{Error, Options, Remote, redis};

use crate::{Client, Connection};

/// The embedded Redis or a real one, by its address.
///
/// ```
/// use redlua::{Endpoint, Script};
///
/// // Or redis://…, rediss://…, unix://…, redis+cluster://…
/// let mut endpoint = Endpoint::open("embedded:")?;
/// let script = Script::new("return redis.call('INCR', KEYS[1])");
/// let n: i64 = script.key("n").invoke(&mut endpoint)?;
/// assert_eq!(n, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub enum Endpoint {
    /// In this process: nothing is shared with anybody.
    Embedded(Box<Client>),
    /// A server: scripts run on it (`EVALSHA`), atomically.
    Remote(Box<Remote>),
}

impl Endpoint {
    /// Opens `embedded:` or whatever [`remote::Address`](redlua_remote::Address::parse)
    /// understands.
    ///
    /// # Errors
    /// The address is none, or there is no server.
    pub fn open(address: &str) -> Result<Self, Error> {
        Endpoint::open_with(address, Options::default())
    }

    /// The same, with these waiting times.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub fn open_with(address: &str, options: Options) -> Result<Self, Error> {
        if address.trim_end_matches("//") == "embedded:" {
            return Ok(Endpoint::Embedded(Box::default()));
        }
        Remote::open(address, options).map(|remote| Endpoint::Remote(Box::new(remote)))
    }
}

impl Connection for Endpoint {
    fn request(&mut self, argv: &[&[u8]]) -> Reply {
        match self {
            Endpoint::Embedded(client) => client.request(argv),
            Endpoint::Remote(remote) => Connection::request(&mut **remote, argv),
        }
    }
}

/// A server that is gone answers with an error that says so.
impl Connection for Remote {
    fn request(&mut self, argv: &[&[u8]]) -> Reply {
        Remote::request(self, argv).unwrap_or_else(|error| Reply::Error(error.line().into_bytes()))
    }
}

/// redis-rs' own connections: a [`Script`](crate::Script) runs on them as on any other.
///
/// ```no_run
/// use redlua::Script;
/// use redlua::remote::redis;
///
/// let mut connection = redis::Client::open("redis://127.0.0.1")?.get_connection()?;
/// let script = Script::new("return redis.call('INCR', KEYS[1])");
/// let n: i64 = script.key("n").invoke(&mut connection)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl Connection for redis::Connection {
    fn request(&mut self, argv: &[&[u8]]) -> Reply {
        redlua_remote::ask(self, argv)
    }
}

#[cfg(feature = "remote-cluster")]
impl Connection for redis::cluster::ClusterConnection {
    fn request(&mut self, argv: &[&[u8]]) -> Reply {
        redlua_remote::ask(self, argv)
    }
}

/// The example of the page about moving to a server runs as a documentation test.
#[cfg(doctest)]
#[doc = include_str!("../docs/from-mock-to-production.md")]
mod production {}
