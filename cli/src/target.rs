//! Where a script runs: in this process, on a server, or here with a server's data.
//!
//! Owns the choice among them. Must not know what a script does.

use std::time::Duration;

use redlua::remote::{Address, Options as Waiting, Remote};
use redlua::store::Clock;
use redlua::{Client, Cluster, Connection, Engine, Protocol, Reply, Session, Store, backend};

use crate::Options;
use crate::error::Error;
use crate::output::{note, protocol};

/// See the module.
pub(crate) enum Target {
    /// The embedded store.
    Embedded(Box<Client>),
    /// A server runs the script.
    Server(Box<Remote>),
    /// The script runs here, its commands on a server; how many requests there had been before.
    Local(Box<Client<Remote>>, u64),
}

impl Target {
    /// The one that the options ask for.
    pub(crate) fn open(options: &Options) -> Result<Self, Error> {
        let engine = options.backend.as_deref().map(backend).transpose()?.map(Engine::new);
        let Some(address) = &options.redis else {
            let clock = match options.now {
                Some(now) => Clock::manual(Duration::from_millis(now)),
                None => Clock::system(),
            };
            let mut client = Client::with_host(Store::with_clock(clock));
            client.engine = engine.unwrap_or(client.engine);
            client.engine.set_strict_keys(options.strict_keys);
            options.limited.apply(&mut client.engine);
            if let Some(nodes) = options.cluster {
                client.set_cluster(Cluster::of(nodes));
            }
            return Ok(Target::Embedded(Box::new(client)));
        };
        if options.strict_keys && !options.local {
            return Err(Error::Strict);
        }
        if options.limited.is_any() && !options.local {
            return Err(Error::Limited);
        }
        let mut remote = connect(Address::parse(address)?, options.timeout)?;
        version(&mut remote)?;
        if !options.local {
            return Ok(Target::Server(Box::new(remote)));
        }
        let mut client = Client::with_host(remote);
        client.engine = engine.unwrap_or(client.engine);
        client.engine.set_strict_keys(options.strict_keys);
        options.limited.apply(&mut client.engine);
        client.session = client.host.session();
        Ok(Target::Local(Box::new(client), 0))
    }

    /// The protocol and the database of what is requested next.
    pub(crate) fn begin(&mut self, options: &Options) {
        let protocol = protocol(options);
        match self {
            Target::Embedded(client) => {
                client.session = Session { protocol, ..Session::default() };
            }
            Target::Server(remote) => remote.speak(protocol),
            Target::Local(client, before) => {
                client.session = Session { protocol, ..client.host.session() };
                *before = client.host.round_trips();
            }
        }
    }

    /// Back to RESP2, for reading what the script left.
    pub(crate) fn end(&mut self) {
        match self {
            Target::Embedded(client) => client.session = Session::default(),
            Target::Server(remote) => remote.speak(Protocol::Resp2),
            Target::Local(client, _) => client.session = client.host.session(),
        }
    }

    /// What running the script over the wire has cost; `None` where nothing went over it.
    pub(crate) fn cost(&self) -> Option<String> {
        let Target::Local(client, before) = self else { return None };
        let trips = client.host.round_trips() - before;
        let plural = if trips == 1 { "" } else { "s" };
        Some(format!("{trips} round trip{plural} to {}, not atomic", client.host.address()))
    }
}

impl Connection for Target {
    fn request(&mut self, argv: &[&[u8]]) -> Reply {
        match self {
            Target::Embedded(client) => client.request(argv),
            Target::Server(remote) => Connection::request(&mut **remote, argv),
            Target::Local(client, _) => client.request(argv),
        }
    }
}

/// Connects; each reply may take so many seconds.
pub(crate) fn connect(address: Address, timeout: u64) -> Result<Remote, Error> {
    let reply = Duration::from_secs(timeout);
    let waiting = Waiting::default();
    let connect = waiting.connect.min(reply);
    Ok(Remote::connect(address, Waiting { connect, reply })?)
}

/// Says so when the server is not of the version that redlua answers as.
pub(crate) fn version(remote: &mut Remote) -> Result<(), Error> {
    match remote.version()? {
        Some(version) if version.starts_with("7.0.") => Ok(()),
        Some(version) => note(&format!("the server is {version}; redlua answers as 7.0 does")),
        None => note("the server does not tell its version"),
    }
}
