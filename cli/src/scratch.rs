//! A database of a server, for scripts that are only tried.
//!
//! Owns what keeps everybody else's data safe: the database is empty before and emptied
//! afterwards, and what runs there has run here first. Must not know what is compared.

use clap::Args;
use redlua::remote::{Address, Remote};
use redlua::{Client, Cluster, Connection, Engine, Protocol, Reply, Session, Store, backend};

use crate::case::Case;
use crate::dump::{self, Entry};
use crate::error::Error;
use crate::output::note;
use crate::watched::Watched;
use crate::{seed, target};

/// Which database, and how scripts are tried.
#[derive(Args)]
#[group(skip)]
pub(crate) struct Options {
    /// The database of the server in which the scripts run; it must be empty, and is emptied.
    #[arg(long, value_name = "N", default_value_t = 15)]
    pub(crate) scratch_db: u32,
    /// The protocol of the replies.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(2..=3))]
    pub(crate) resp: u8,
    /// The Lua engine; `redlua backends` lists them.
    #[arg(long, value_name = "NAME")]
    pub(crate) backend: Option<String>,
    /// How long the server may take for a reply.
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) timeout: u64,
    /// Run scripts on the server even when they call commands that reach beyond the database.
    #[arg(long)]
    pub(crate) reckless: bool,
}

impl Options {
    pub(crate) fn protocol(&self) -> Protocol {
        if self.resp == 3 { Protocol::Resp3 } else { Protocol::Resp2 }
    }
}

/// What one side made of a case.
pub(crate) struct Outcome {
    pub(crate) reply: Reply,
    pub(crate) entries: Vec<Entry>,
}

/// The database, which was empty.
pub(crate) struct Scratch {
    pub(crate) remote: Remote,
    /// Of how many nodes the server is a cluster.
    nodes: Option<u16>,
}

impl Scratch {
    /// Connects, and refuses a database that holds anything.
    pub(crate) fn open(options: &Options, url: &str) -> Result<Self, Error> {
        let address = Address::parse(url)?;
        let cluster = address.is_cluster();
        let db = if cluster { 0 } else { options.scratch_db };
        let mut remote = target::connect(address.with_db(db), options.timeout)?;
        match remote.request(&[b"DBSIZE"])? {
            Reply::Integer(0) => {}
            Reply::Integer(keys) => {
                let address = remote.address().to_string();
                return Err(match cluster {
                    true => Error::OccupiedCluster { address, keys },
                    false => Error::Occupied { db, address, keys },
                });
            }
            reply => return Err(Error::Unexpected { command: "DBSIZE", reply }),
        }
        target::version(&mut remote)?;
        let nodes = if cluster { Some(size(&mut remote)?) } else { None };
        Ok(Scratch { remote, nodes })
    }

    /// Runs a case here: what the server is to answer, if it may run there at all.
    pub(crate) fn rehearse(
        &self,
        options: &Options,
        case: &Case,
        source: &[u8],
    ) -> Result<Outcome, Error> {
        let mut store = Store::new();
        if self.nodes.is_some() {
            // There is such a parameter.
            let _ = store.configure("cluster-enabled", "yes");
        }
        let mut client = Client::with_host(Watched { store, reckless: None });
        if let Some(name) = &options.backend {
            client.engine = Engine::new(backend(name)?);
        }
        client.engine.set_cluster(self.nodes.map(Cluster::of));
        for path in &case.seeds {
            seed::plant(&mut client, path)?;
        }
        client.session.protocol = options.protocol();
        let reply = client.request(&case.argv(source));
        client.session = Session::default();
        let entries = dump::entries(&mut client)?;
        if exhausted(&reply) {
            return Err(Error::Endless { path: case.file.clone() });
        }
        if let (Some(command), false) = (client.host.reckless, options.reckless) {
            let path = case.file.clone();
            return Err(Error::Reckless { path, command: command.to_owned() });
        }
        Ok(Outcome { reply, entries })
    }

    /// Runs a case that has been rehearsed on the server. The database is empty afterwards,
    /// whatever happens.
    pub(crate) fn perform(
        &mut self,
        options: &Options,
        case: &Case,
        source: &[u8],
    ) -> Result<Outcome, Error> {
        let outcome = self.try_perform(options, case, source);
        self.remote.speak(Protocol::Resp2);
        let flushed = Connection::request(&mut self.remote, &[b"FLUSHDB"]);
        let emptied = !flushed.is_error();
        if let (Err(_), false) = (&outcome, emptied) {
            // A script that takes too long still runs there.
            note(&format!("what it wrote to {} may still be there", self.remote.address()))?;
        }
        let outcome = outcome?;
        if !emptied {
            return Err(Error::Unexpected { command: "FLUSHDB", reply: flushed });
        }
        Ok(outcome)
    }

    fn try_perform(
        &mut self,
        options: &Options,
        case: &Case,
        source: &[u8],
    ) -> Result<Outcome, Error> {
        for path in &case.seeds {
            seed::plant(&mut self.remote, path)?;
        }
        self.remote.speak(options.protocol());
        let reply = self.remote.request(&case.argv(source))?;
        self.remote.speak(Protocol::Resp2);
        Ok(Outcome { reply, entries: dump::entries(&mut self.remote)? })
    }
}

/// How many masters a cluster has.
fn size(remote: &mut Remote) -> Result<u16, Error> {
    let reply = remote.request(&[b"CLUSTER", b"INFO"])?;
    let text = String::from_utf8_lossy(reply.bytes().unwrap_or_default()).into_owned();
    let size = text.lines().find_map(|line| line.strip_prefix("cluster_size:")?.parse().ok());
    size.ok_or(Error::Unexpected { command: "CLUSTER INFO", reply })
}

/// Whether a script was stopped by one of the limits that there are only here.
fn exhausted(reply: &Reply) -> bool {
    let Reply::Error(text) = reply else { return false };
    let memory = b"not enough memory";
    text.starts_with(b"ERR Script exceeded its ")
        || text.windows(memory.len()).any(|window| window == memory)
}
