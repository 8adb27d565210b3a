//! What the directives mean for this server.
//!
//! Owns which of them become sockets, which the store's configuration, and which a server
//! without a disk has no use for. Must not know their values' form: the store does.

use std::path::PathBuf;

use redlua::server::net::Options;
use redlua::store::BadParameter;
use redlua::{Server, Store};

use super::args::{Arguments, Directive};

/// Parameters that are kept for `CONFIG GET` but change nothing.
const NO_USE: [&str; 21] = [
    "save",
    "appendonly",
    "appendfsync",
    "appendfilename",
    "appenddirname",
    "dir",
    "dbfilename",
    "daemonize",
    "supervised",
    "pidfile",
    "rdbcompression",
    "rdbchecksum",
    "stop-writes-on-bgsave-error",
    "replicaof",
    "slaveof",
    "masterauth",
    "masteruser",
    "cluster-config-file",
    "io-threads",
    "tcp-backlog",
    "tls-port",
];

/// Directives that no store knows; a mock has no use for them either.
const UNKNOWN: [&str; 3] = ["loadmodule", "rename-command", "sentinel"];

/// How many databases there are to be: the one thing to be known before there is a store.
pub(super) fn databases(arguments: &Arguments) -> Result<usize, String> {
    let last = arguments.directives.iter().rfind(|it| it.name.eq_ignore_ascii_case("databases"));
    match last.map(|directive| (directive, directive.values.as_slice())) {
        Some((directive, [value])) => match value.parse::<i64>() {
            Ok(number) if (1..=i64::from(i32::MAX)).contains(&number) => {
                Ok(usize::try_from(number).unwrap_or(1))
            }
            Ok(_) => Err(directive.fatal("argument must be between 1 and 2147483647 inclusive")),
            Err(_) => Err(directive.fatal("argument couldn't be parsed into an integer")),
        },
        Some((directive, _)) => Err(directive.fatal("wrong number of arguments")),
        None => Ok(16),
    }
}

/// How the server is to be started.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) options: Options,
    pub(super) logfile: Option<PathBuf>,
    /// What clients must log in with.
    pub(super) password: Option<String>,
    /// Directives without effect.
    pub(super) ignored: Vec<(String, String)>,
    /// Users, as the words of `ACL SETUSER`.
    users: Vec<Directive>,
}

impl Plan {
    /// The plan without any directive; for a command the port is any free one.
    pub(super) fn new(command: bool) -> Self {
        let port = if command { 0 } else { 6379 };
        Plan {
            options: Options { port: Some(port), ..Options::default() },
            logfile: None,
            password: None,
            ignored: Vec::new(),
            users: Vec::new(),
        }
    }

    /// Takes the directives over, into the store or into the plan.
    pub(super) fn apply(&mut self, arguments: &Arguments, store: &mut Store) -> Result<(), String> {
        for directive in &arguments.directives {
            let name = directive.name.to_ascii_lowercase();
            let values = directive.values.join(" ");
            if UNKNOWN.contains(&name.as_str()) {
                self.ignored.push((name, values));
                continue;
            }
            if name == "user" && directive.values.len() >= 2 {
                self.users.push(directive.clone());
                continue;
            }
            if directive.values.is_empty() || (directive.values.len() > 1 && !is_list(&name)) {
                let unknown = store.configure(&name, "") == Err(BadParameter::Unknown);
                let why = "wrong number of arguments";
                let why = if unknown { "Bad directive or wrong number of arguments" } else { why };
                return Err(directive.fatal(why));
            }
            store.configure(&name, &values).map_err(|error| directive.fatal(&error.to_string()))?;
            self.note(&name, directive)?;
            if NO_USE.contains(&name.as_str()) {
                self.ignored.push((name, values));
            }
        }
        // With a Unix socket the port 0 means what it means to redis-server: no TCP.
        if self.options.unix.is_some() && self.options.port == Some(0) {
            self.options.port = None;
        }
        Ok(())
    }

    /// Makes the users that the configuration names.
    pub(super) fn log_in(&self, server: &Server) -> Result<(), String> {
        let mut link = server.link();
        for user in &self.users {
            let mut argv: Vec<&[u8]> = vec![b"ACL", b"SETUSER"];
            argv.extend(user.values.iter().map(String::as_bytes));
            let reply = link.request(&argv);
            if !reply.starts_with(b"+") {
                let why = String::from_utf8_lossy(&reply);
                return Err(user.fatal(why.trim_start_matches("-ERR ").trim_end()));
            }
        }
        Ok(())
    }

    /// What the sockets and the log need of a directive.
    fn note(&mut self, name: &str, directive: &Directive) -> Result<(), String> {
        let [value, ..] = directive.values.as_slice() else { return Ok(()) };
        let refused = |why: &str| Err(directive.fatal(why));
        match name {
            "port" => match value.parse() {
                Ok(port) => self.options.port = Some(port),
                Err(_) => return refused("argument must be between 0 and 65535 inclusive"),
            },
            "bind" => self.options.bind = directive.values.clone(),
            "unixsocket" => self.options.unix = Some(value.into()),
            "unixsocketperm" => match u32::from_str_radix(value, 8) {
                Ok(mode) if mode <= 0o777 => self.options.unix_mode = Some(mode),
                _ => return refused("argument must be between 0 and 777 inclusive"),
            },
            "logfile" if !value.is_empty() => self.logfile = Some(value.into()),
            "logfile" => self.logfile = None,
            "requirepass" => self.password = Some(value.clone()).filter(|word| !word.is_empty()),
            _ => {}
        }
        Ok(())
    }
}

/// Whether a directive takes several words.
fn is_list(name: &str) -> bool {
    matches!(
        name,
        "bind"
            | "save"
            | "client-output-buffer-limit"
            | "oom-score-adj-values"
            | "latency-tracking-info-percentiles"
            | "replicaof"
            | "slaveof"
            | "notify-keyspace-events"
            | "shutdown-on-sigint"
            | "shutdown-on-sigterm"
    )
}
