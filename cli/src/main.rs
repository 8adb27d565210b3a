//! redlua on the command line.
//!
//! Owns the arguments and the exit codes: 0 when the script succeeds, 1 when it fails (or `diff`
//! finds a difference), 2 when it could not be run; `serve` has those of redis-server. Must not
//! know any command of Redis.
#![forbid(unsafe_code)]

mod backends;
mod case;
mod diff;
mod dump;
mod error;
mod limited;
mod order;
mod output;
mod recorded;
mod scratch;
mod script;
mod seed;
mod serve;
mod side;
mod target;
mod watched;

use std::error::Error as _;
use std::ffi::OsString;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};

use crate::error::Error;

/// Redis Lua scripts without a Redis.
#[derive(Parser)]
#[command(name = "redlua", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a script given as text, with EVAL's own arguments.
    Eval {
        #[command(flatten)]
        options: Options,
        /// The script.
        #[arg(allow_hyphen_values = true)]
        script: OsString,
        /// How many of the following are keys.
        #[arg(allow_hyphen_values = true)]
        numkeys: OsString,
        /// Keys, then arguments.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<OsString>,
    },
    /// Run a script from a file: keys, a comma, arguments, as `redis-cli --eval`.
    Run {
        #[command(flatten)]
        options: Options,
        /// The file; `-` is the standard input.
        file: PathBuf,
        /// Keys, then a word that is only a comma, then arguments.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<OsString>,
    },
    /// Serve a throw-away Redis on sockets; `redlua serve --help` tells how.
    #[command(disable_help_flag = true)]
    Serve {
        /// What redis-server takes.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<OsString>,
    },
    /// Run a script here and on a server, and show where the two differ: 0 when nowhere, 1 else.
    Diff {
        #[command(flatten)]
        options: diff::Options,
        /// The file, unless --cases names a folder.
        #[arg(required_unless_present = "cases")]
        file: Option<PathBuf>,
        /// Keys, then a word that is only a comma, then arguments.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<OsString>,
    },
    /// Make cases of scripts: what a server answers, and what it holds afterwards.
    Record {
        #[command(flatten)]
        options: recorded::Options,
        /// The file, unless --cases names a folder.
        #[arg(required_unless_present = "cases")]
        file: Option<PathBuf>,
        /// Keys, then a word that is only a comma, then arguments.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<OsString>,
    },
    /// List the Lua engines in this build.
    Backends,
}

/// How a script is run and shown.
#[derive(Args)]
struct Options {
    /// The protocol whose replies are shown.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(2..=3))]
    resp: u8,
    /// How the reply is shown.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// Commands to run first, one a line, split as redis-cli splits them; may be given repeatedly.
    #[arg(long, value_name = "FILE")]
    seed: Vec<PathBuf>,
    /// Show what the databases hold afterwards, as commands that a seed may hold.
    #[arg(long)]
    db: bool,
    /// The Lua engine; `redlua backends` lists them.
    #[arg(long, value_name = "NAME")]
    backend: Option<String>,
    /// Refuse writes, as EVAL_RO does.
    #[arg(long)]
    read_only: bool,
    /// Let the clock stand at this time, in milliseconds since the epoch.
    #[arg(long, value_name = "MS", conflicts_with = "redis")]
    now: Option<u64>,
    /// Run the script on this server: redis://, rediss://, unix:// or redis+cluster://.
    #[arg(long, value_name = "URL", conflicts_with = "db")]
    redis: Option<String>,
    /// Run the script here and only its commands on the server; not atomic.
    #[arg(long, requires = "redis")]
    local: bool,
    /// Refuse calls that touch a key which is not among the script's KEYS.
    #[arg(long)]
    strict_keys: bool,
    /// Run the script in a cluster of so many nodes, each slot on a node of its own by default.
    #[arg(long, value_name = "NODES", num_args = 0..=1, require_equals = true,
          default_missing_value = "16384", conflicts_with = "redis",
          value_parser = clap::value_parser!(u16).range(1..=16384))]
    cluster: Option<u16>,
    #[command(flatten)]
    limited: limited::Limited,
    /// How long the server may take for a reply.
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..))]
    timeout: u64,
}

/// How replies are shown.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// As redis-cli shows them to a person.
    Human,
    /// As JSON; bytes that are not UTF-8 are replaced.
    Json,
    /// As redis-cli prints them into a pipe.
    Raw,
    /// The bytes of the protocol.
    Resp,
}

fn main() -> ExitCode {
    if let Some(words) = serving(std::env::args_os()) {
        return serve::run(words);
    }
    let args = order::ordered(&Cli::command(), std::env::args_os());
    match Cli::parse_from(args).perform() {
        Ok(code) => code,
        Err(error) => {
            let mut message = error.to_string();
            let mut source = error.source();
            while let Some(cause) = source {
                message.push_str(": ");
                message.push_str(&cause.to_string());
                source = cause.source();
            }
            // Nothing can be done when this cannot be written either.
            let _ = writeln!(std::io::stderr(), "redlua: {message}");
            ExitCode::from(2)
        }
    }
}

/// The words of `redlua serve`, which are redis-server's and not clap's: those after `serve`, or
/// all when the program is called by that server's name.
fn serving(mut args: std::env::ArgsOs) -> Option<std::env::ArgsOs> {
    let program = PathBuf::from(args.next()?);
    if program.file_name().is_some_and(|name| name == "redis-server") {
        return Some(args);
    }
    (args.next()? == "serve").then_some(args)
}

impl Cli {
    fn perform(self) -> Result<ExitCode, Error> {
        match self.command {
            Command::Eval { options, script, numkeys, words } => {
                script::eval(&options, &script, &numkeys, &words)
            }
            Command::Run { options, file, words } => script::run(&options, &file, &words),
            Command::Serve { words } => Ok(serve::run(words.into_iter())),
            Command::Diff { options, file, words } => diff::diff(&options, file.as_deref(), &words),
            Command::Record { options, file, words } => {
                recorded::record(&options, file.as_deref(), &words)
            }
            Command::Backends => {
                output::print(backends::table().as_bytes())?;
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}
