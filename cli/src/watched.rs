//! The embedded store, with an eye on commands that would reach far on a shared server.
//!
//! Owns the list of those. Must not know who runs them.

use redlua::{CommandSpec, Host, ReplySink, Session, Store};

/// Commands that touch more than the selected database, or leave it. Messages do: others hear
/// them.
const RECKLESS: [&str; 29] = [
    "acl",
    "bgrewriteaof",
    "bgsave",
    "client",
    "cluster",
    "config",
    "debug",
    "failover",
    "flushall",
    "function",
    "latency",
    "migrate",
    "module",
    "monitor",
    "move",
    "psync",
    "publish",
    "replconf",
    "replicaof",
    "reset",
    "save",
    "script",
    "select",
    "shutdown",
    "slaveof",
    "slowlog",
    "spublish",
    "swapdb",
    "sync",
];

/// See the module.
pub(crate) struct Watched {
    pub(crate) store: Store,
    /// The first of those commands that was run.
    pub(crate) reckless: Option<&'static str>,
}

impl Watched {
    /// Notes a command that reaches far.
    pub(crate) fn look(&mut self, argv: &[&[u8]]) {
        let name = argv.first().copied().unwrap_or_default();
        let known = RECKLESS.iter().find(|known| name.eq_ignore_ascii_case(known.as_bytes()));
        self.reckless = self.reckless.or(known.copied()).or_else(|| copies_away(argv));
    }
}

impl Host for Watched {
    fn command(&self, argv: &[&[u8]]) -> Option<CommandSpec> {
        self.store.command(argv)
    }

    fn call(
        &mut self,
        session: &mut Session,
        spec: &CommandSpec,
        argv: &[&[u8]],
        sink: &mut dyn ReplySink,
    ) {
        self.look(argv);
        self.store.call(session, spec, argv, sink);
    }

    fn keys(&self, spec: &CommandSpec, argv: &[&[u8]]) -> Vec<usize> {
        self.store.keys(spec, argv)
    }

    fn condition(&self) -> redlua::core::Condition {
        self.store.condition()
    }

    fn permits(
        &self,
        session: &Session,
        spec: &CommandSpec,
        argv: &[&[u8]],
    ) -> Result<(), redlua::core::Denied> {
        self.store.permits(session, spec, argv)
    }

    fn now(&self) -> std::time::Duration {
        self.store.now()
    }

    fn script_started(&mut self) {
        self.store.script_started();
    }

    fn script_ended(&mut self) {
        self.store.script_ended();
    }
}

/// `COPY … DB n`.
fn copies_away(argv: &[&[u8]]) -> Option<&'static str> {
    let [name, _, _, options @ ..] = argv else { return None };
    let away = name.eq_ignore_ascii_case(b"copy")
        && options.iter().any(|option| option.eq_ignore_ascii_case(b"db"));
    away.then_some("copy … db")
}
