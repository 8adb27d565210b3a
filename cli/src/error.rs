//! Why a script could not be run.
//!
//! Owns the messages. The script's own failure is none of them: that is its reply.

use std::io;
use std::path::PathBuf;

use redlua::{Reply, UnknownBackend};

/// Why a script could not be run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A file cannot be read.
    #[error("{}", .path.display())]
    File { path: PathBuf, source: io::Error },
    /// Neither can anything be written.
    #[error("cannot write")]
    Output(#[source] io::Error),
    /// A line of a seed is no command.
    #[error("{}:{line}: unbalanced quotes", .path.display())]
    Quotes { path: PathBuf, line: usize },
    /// A command of a seed fails.
    #[error("{}:{line}: {command}: {reply}", .path.display())]
    Seed { path: PathBuf, line: usize, command: String, reply: String },
    /// There is no such Lua engine in this build.
    #[error(transparent)]
    Backend(#[from] UnknownBackend),
    /// A server cannot be used.
    #[error(transparent)]
    Remote(#[from] redlua::remote::Error),
    /// Scripts have nothing to be compared with.
    #[error("--redis is missing: the server to compare with")]
    NoServer,
    /// A build without any.
    #[error("no Lua engine in this build")]
    NoEngine,
    /// Recorded cases cannot be read, made or run.
    #[error(transparent)]
    Cases(#[from] redlua_cases::Error),
    /// The server does not watch keys.
    #[error("--strict-keys works where the script runs here: add --local")]
    Strict,
    /// The server has limits of its own.
    #[error("limits work where the script runs here: add --local")]
    Limited,
    /// There are keys where the scripts would run.
    #[error(
        "database {db} of {address} holds {keys} key{}; give the number of an empty one with --scratch-db",
        if *keys == 1 { "" } else { "s" }
    )]
    Occupied { db: u32, address: String, keys: i64 },
    /// The same of a cluster, which has one database only.
    #[error("{address} holds {keys} key{}; give the address of an empty cluster", if *keys == 1 { "" } else { "s" })]
    OccupiedCluster { address: String, keys: i64 },
    /// A script does what would reach beyond the scratch database.
    #[error("{}: calls {command}, which reaches beyond the scratch database; --reckless runs it on the server all the same", .path.display())]
    Reckless { path: PathBuf, command: String },
    /// A script that reaches a limit here would run for as long as it likes there.
    #[error("{}: exceeds a limit here, so it was not run on the server", .path.display())]
    Endless { path: PathBuf },
    /// A folder without scripts.
    #[error("{}: no .lua file", .path.display())]
    Empty { path: PathBuf },
    /// A command that must succeed does not.
    #[error("{command}: unexpected reply: {}", String::from_utf8_lossy(&.reply.human()).trim_end())]
    Unexpected { command: &'static str, reply: Reply },
    /// A reply cannot be shown as JSON.
    #[error("no JSON of the reply")]
    Json(#[source] serde_json::Error),
}
