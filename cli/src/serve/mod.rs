//! `redlua serve`: a Redis on sockets, for as long as somebody needs it.
//!
//! Owns the order: arguments, configuration, sockets, the end. Must not know what clients say.

mod args;
mod child;
mod config;
mod log;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use redlua::server::net::{End, Listening};
use redlua::store::Clock;
use redlua::{Cluster, Engine, Limits, Server, Store, backend};

use crate::output::print;
use args::{Arguments, Request};
use config::Plan;
use log::{Level, Log};

/// What is shown for `--help`.
pub(crate) const HELP: &str = "\
Serve a throw-away Redis.

Usage: redlua serve [CONFIG-FILE] [OPTIONS] [-] [-- COMMAND [ARGS]...]

With a COMMAND the server takes any free port, runs COMMAND with REDIS_URL, REDIS_HOST and
REDIS_PORT set, and ends with its exit status. `-` reads configuration from the standard input.

Options:
      --port <N>               The TCP port, 0 for any free one [default: 6379]
      --bind <ADDR>...         The addresses [default: 127.0.0.1 -::1]
      --unixsocket <PATH>      Listen on a Unix socket; with --port 0 on nothing else
      --databases <N>          How many databases there are [default: 16]
      --requirepass <PASSWORD> What clients must log in with
      --config-set <NAME=VALUE>
                               Any parameter of redis.conf; so does --NAME VALUE
      --logfile <FILE>         Write the log there instead of to the standard output
      --cluster [<NODES>]      One server with every slot, and scripts in a cluster of so many
                               nodes, each slot on a node of its own by default
      --cluster-enabled yes    The same with one node
      --strict-keys            Refuse calls of scripts that touch a key not among their KEYS
      --backend <NAME>         The Lua engine; `redlua backends` lists them
  -v, --version                Print the version as redis-server does
  -h, --help                   Print help
";

/// The version line of the server whose answers these are.
const VERSION: &str = "Redis server v=7.0.15 sha=00000000:0 malloc=libc bits=64 build=0\n";

/// Serves until a client, a signal or the end of a command ends it.
pub(crate) fn run(args: impl Iterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::parse(args) {
        Ok(Request::Help) => return shown(HELP),
        Ok(Request::Version) => return shown(VERSION),
        Ok(Request::Serve(arguments)) => arguments,
        Err(error) => return failed(&error),
    };
    match serve(arguments) {
        Ok(code) => code,
        Err(error) => failed(&error),
    }
}

fn serve(arguments: Arguments) -> Result<ExitCode, String> {
    let databases = config::databases(&arguments)?;
    let mut store = Store::with_databases(Clock::system(), databases);
    let mut plan = Plan::new(!arguments.command.is_empty());
    plan.apply(&arguments, &mut store)?;
    if arguments.cluster.is_some() {
        store.configure("cluster-enabled", "yes").map_err(|error| error.to_string())?;
    }
    let alone = store.parameter("cluster-enabled") != b"yes";
    let mut log = match (&plan.logfile, arguments.command.is_empty()) {
        (Some(path), _) => Log::file(path)?,
        (None, true) => Log::output(),
        // The standard output is the command's.
        (None, false) => Log::none(),
    };
    log.line(Level::Warning, "oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo");
    let version = format!(
        "Redis version=7.0.15, bits=64, commit=00000000, modified=0, pid={}, just started",
        std::process::id()
    );
    log.line(Level::Warning, &version);
    for (name, values) in &plan.ignored {
        log.line(
            Level::Warning,
            &format!("'{name} {values}' is ignored: redlua has no use for it"),
        );
    }
    let backend = match &arguments.backend {
        Some(name) => backend(name).map_err(|error| error.to_string())?,
        None => redlua::backends().into_iter().next().ok_or("no Lua engine in this build")?,
    };
    let info = backend.info();
    let mut engine = Engine::new(backend.clone());
    engine.set_limits(Limits { time: None, ..Limits::default() });
    engine.set_strict_keys(arguments.strict_keys);
    if !alone {
        engine.set_cluster(Some(Cluster::of(arguments.cluster.unwrap_or(1))));
    }
    let server = Server::with(engine, store);
    plan.log_in(&server)?;
    let listening = server.listen(&plan.options).map_err(|error| error.to_string())?;
    let about = format!(
        "redlua {}, answering as Redis 7.0.15, on {} ({})",
        env!("CARGO_PKG_VERSION"),
        info.name,
        info.version
    );
    log.line(Level::Notice, &about);
    let mode = if alone { "standalone" } else { "cluster" };
    announce(&listening, mode, &mut log);
    if arguments.command.is_empty() {
        let end = listening.ender();
        listening.on_signal(end).map_err(|error| error.to_string())?;
        let text = match listening.wait() {
            End::Shutdown => "User requested shutdown...",
            End::Interrupted => "Received SIGINT scheduling shutdown...",
            End::Terminated => "Received SIGTERM scheduling shutdown...",
        };
        log.line(Level::Warning, text);
        drop(listening);
        log.line(Level::Warning, "Redis is now ready to exit, bye bye...");
        Ok(ExitCode::SUCCESS)
    } else {
        child::run(&arguments.command, &listening, plan.password.as_deref())
    }
}

/// Says where the server listens, now that it does.
fn announce(listening: &Listening, mode: &str, log: &mut Log) {
    let addresses = listening.addresses();
    if let Some(address) = addresses.first() {
        log.line(Level::Notice, &format!("Running mode={mode}, port={}.", address.port()));
    }
    for address in addresses {
        log.line(Level::Notice, &format!("Listening on redis://{address}"));
    }
    if let Some(path) = listening.unix() {
        let text = format!("The server is now ready to accept connections at {}", path.display());
        log.line(Level::Notice, &text);
    }
    log.line(Level::Notice, "Ready to accept connections");
}

fn shown(text: &str) -> ExitCode {
    match print(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn failed(error: &str) -> ExitCode {
    // Redis' own errors bring their layout with them.
    let text =
        if error.starts_with('\n') { error.to_owned() } else { format!("redlua: {error}\n") };
    // Nothing can be done when this cannot be written either.
    let _ = std::io::stderr().write_all(text.as_bytes());
    ExitCode::FAILURE
}
