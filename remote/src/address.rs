//! Where a server is.
//!
//! Owns the forms of an address: `redis://`, `rediss://`, `unix://` and, for a cluster, the same
//! with `+cluster` and several hosts. Must not connect.

use std::time::Duration;

use redis::{ConnectionInfo, IntoConnectionInfo, RedisError};

use crate::Error;

/// An address that has been understood.
#[derive(Clone, Debug)]
pub struct Address {
    /// The address as messages show it: without a password.
    pub(crate) shown: String,
    pub(crate) nodes: Vec<ConnectionInfo>,
    pub(crate) cluster: bool,
}

/// How long to wait for a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Until it accepts a connection.
    pub connect: Duration,
    /// Until a reply is complete.
    pub reply: Duration,
}

impl Default for Options {
    /// Five seconds to connect, thirty for a reply.
    fn default() -> Self {
        Options { connect: Duration::from_secs(5), reply: Duration::from_secs(30) }
    }
}

impl Address {
    /// Understands an address:
    ///
    /// - `redis://[USER:PASSWORD@]HOST[:PORT][/DB]`, `valkey://` alike;
    /// - `rediss://…` with TLS (cargo feature `tls`);
    /// - `unix:///PATH[?db=N]`;
    /// - `redis+cluster://HOST:PORT[,HOST:PORT…]`, `rediss+cluster://` alike (cargo feature
    ///   `cluster`).
    ///
    /// ```
    /// use redlua_remote::Address;
    ///
    /// assert_eq!(Address::parse("redis://me:secret@example.org/3")?.to_string(),
    ///            "redis://example.org:6379/3");
    /// assert!(Address::parse("http://example.org").is_err());
    /// # Ok::<(), redlua_remote::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Fault::Address`](crate::Fault::Address).
    pub fn parse(text: &str) -> Result<Self, Error> {
        let wrong = |source: RedisError| Error::new(&without_password(text), source);
        let (scheme, rest) = text.split_once("://").unwrap_or((text, ""));
        let Some(scheme) = scheme.strip_suffix("+cluster") else {
            let info = text.into_connection_info().map_err(wrong)?;
            let shown = shown(scheme, &info);
            return Ok(Address { shown, nodes: vec![info], cluster: false });
        };
        // A user and a password stand once, before the first host.
        let (login, hosts) = match rest.rsplit_once('@') {
            Some((login, hosts)) => (format!("{login}@"), hosts),
            None => (String::new(), rest),
        };
        let nodes = hosts
            .split(',')
            .map(|host| format!("{scheme}://{login}{host}").into_connection_info())
            .collect::<Result<Vec<_>, _>>()
            .map_err(wrong)?;
        Ok(Address { shown: format!("{scheme}+cluster://{hosts}"), nodes, cluster: true })
    }

    /// Whether it is a cluster's.
    pub fn is_cluster(&self) -> bool {
        self.cluster
    }

    /// The same server, but another database of it. A cluster has only database 0.
    #[must_use]
    pub fn with_db(mut self, db: u32) -> Self {
        for node in &mut self.nodes {
            let settings = node.redis_settings().clone().set_db(i64::from(db));
            *node = node.clone().set_redis_settings(settings);
        }
        if let (false, [node]) = (self.cluster, self.nodes.as_slice()) {
            let scheme = self.shown.split("://").next().unwrap_or_default();
            self.shown = shown(scheme, node);
        }
        self
    }

    /// The database that the address names.
    pub fn db(&self) -> u32 {
        let db = self.nodes.first().map_or(0, |node| node.redis_settings().db());
        u32::try_from(db).unwrap_or(0)
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown)
    }
}

fn shown(scheme: &str, info: &ConnectionInfo) -> String {
    match info.redis_settings().db() {
        0 => format!("{scheme}://{}", info.addr()),
        db => format!("{scheme}://{}/{db}", info.addr()),
    }
}

fn without_password(text: &str) -> String {
    match (text.split_once("://"), text.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{host}"),
        _ => text.to_owned(),
    }
}
