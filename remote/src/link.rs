//! One connection, to a server or to a cluster.
//!
//! Owns connecting and the exchange of one request for one reply. Must not know commands.

use redis::{Cmd, ConnectionLike, ProtocolVersion, RedisError, RedisResult, Value};
use redlua_core::Protocol;

use crate::{Address, Error, Options};

/// A connection that speaks one version of the protocol.
pub(crate) enum Link {
    Single(Box<redis::Connection>),
    #[cfg(feature = "cluster")]
    Cluster(Box<redis::cluster::ClusterConnection>),
}

impl Link {
    /// Connects.
    pub(crate) fn open(
        address: &Address,
        options: Options,
        protocol: Protocol,
    ) -> Result<Self, Error> {
        let wrong = |source| Error::new(&address.shown, source);
        cryptography();
        let version = match protocol {
            Protocol::Resp2 => ProtocolVersion::RESP2,
            Protocol::Resp3 => ProtocolVersion::RESP3,
        };
        let nodes: Vec<_> = address
            .nodes
            .iter()
            .map(|node| {
                let settings = node.redis_settings().clone();
                // The database is selected by whoever asks, who hears why when that fails.
                let settings = settings.set_protocol(version).set_skip_set_lib_name().set_db(0);
                node.clone().set_redis_settings(settings)
            })
            .collect();
        if address.cluster {
            return Link::cluster(nodes, options, version).map_err(wrong);
        }
        let Some(node) = nodes.into_iter().next() else {
            return Err(wrong(RedisError::from((
                redis::ErrorKind::InvalidClientConfig,
                "no host in the address",
            ))));
        };
        let connection = redis::Client::open(node)
            .and_then(|client| client.get_connection_with_timeout(options.connect))
            .map_err(wrong)?;
        connection.set_read_timeout(Some(options.reply)).map_err(wrong)?;
        connection.set_write_timeout(Some(options.reply)).map_err(wrong)?;
        Ok(Link::Single(Box::new(connection)))
    }

    #[cfg(feature = "cluster")]
    fn cluster(
        nodes: Vec<redis::ConnectionInfo>,
        options: Options,
        version: ProtocolVersion,
    ) -> RedisResult<Self> {
        let connection = redis::cluster::ClusterClient::builder(nodes)
            .use_protocol(version)
            // A redirection or two; not so many that a node which hangs is waited for all day.
            .retries(2)
            .connection_timeout(options.connect)
            .response_timeout(options.reply)
            .build()?
            .get_connection()?;
        Ok(Link::Cluster(Box::new(connection)))
    }

    #[cfg(not(feature = "cluster"))]
    fn cluster(
        _nodes: Vec<redis::ConnectionInfo>,
        _options: Options,
        _version: ProtocolVersion,
    ) -> RedisResult<Self> {
        Err(RedisError::from((
            redis::ErrorKind::InvalidClientConfig,
            "built without the cargo feature `cluster`",
        )))
    }

    /// Sends one request and waits for its reply; error replies are values too.
    pub(crate) fn request(&mut self, argv: &[&[u8]]) -> RedisResult<Value> {
        match self {
            Link::Single(connection) => request(&mut **connection, argv),
            #[cfg(feature = "cluster")]
            Link::Cluster(connection) => request(&mut **connection, argv),
        }
    }

    /// The same for a command that would block: in a transaction of its own it answers at once,
    /// as inside a script (`CLIENT_DENY_BLOCKING` in `server.h`).
    pub(crate) fn request_now(&mut self, argv: &[&[u8]]) -> RedisResult<Value> {
        let mut transaction = redis::pipe();
        transaction.atomic().add_command(command(argv));
        let packed = transaction.get_packed_pipeline();
        // The replies to MULTI and to the queueing are left out: that of EXEC remains.
        let replies = match self {
            Link::Single(connection) => connection.req_packed_commands(&packed, 2, 1),
            #[cfg(feature = "cluster")]
            Link::Cluster(connection) => connection.req_packed_commands(&packed, 2, 1),
        }?;
        match replies.into_iter().next() {
            Some(Value::Array(replies)) => Ok(replies.into_iter().next().unwrap_or(Value::Nil)),
            other => Ok(other.unwrap_or(Value::Nil)),
        }
    }
}

/// Sees to it that TLS has its ciphers: the client library chooses none.
fn cryptography() {
    #[cfg(feature = "tls")]
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Whoever was quicker has chosen as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}

/// Sends one request over a connection of the client library and waits for its reply.
pub(crate) fn request(
    connection: &mut (impl ConnectionLike + ?Sized),
    argv: &[&[u8]],
) -> RedisResult<Value> {
    connection.req_command(&command(argv))
}

fn command(argv: &[&[u8]]) -> Cmd {
    let mut command = Cmd::with_capacity(argv.len(), argv.iter().map(|word| word.len()).sum());
    for word in argv {
        command.arg(*word);
    }
    command
}
