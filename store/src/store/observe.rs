//! What is done around each command besides running it: counting, measuring, and telling those
//! who listen (`call` in `server.c`).
//!
//! Owns the order of these. It must not know what commands do.

use std::time::Duration;

use redlua_core::{CommandFlags, CommandSpec, Denied, Session};

use super::Store;
use crate::clock::Moment;
use crate::commands::acl;
use crate::pubsub::Message;
use crate::server::Server;
use crate::slowlog;
use crate::table::Command;

/// What stands in a log for a word that nobody is to see.
const REDACTED: &[u8] = b"(redacted)";

impl Store {
    /// A command begins. Inside a script time stands still for keys, and only some commands
    /// are measured, as looking at the clock takes longer than most of them.
    #[inline]
    pub(super) fn begin(&mut self) -> Option<Moment> {
        self.admit_late();
        if self.scripts == 0 {
            Some(self.tick())
        } else if self.server.config.measures || self.server.stats.samples() {
            Some(self.clock.moment(&mut self.anchor))
        } else {
            None
        }
    }

    /// A command has run.
    #[inline]
    pub(super) fn observe(
        &mut self,
        session: &Session,
        command: &'static Command,
        argv: &[&[u8]],
        began: Option<Moment>,
    ) {
        let took = began.map(|began| self.clock.since(began));
        self.server.stats.called(command.spec.id, took);
        if let Some(took) = took {
            self.measured(session, command, argv, took);
        }
        if !self.keys.journal.is_empty() {
            self.settle(session.id, session.script);
        }
        if self.server.is_watched() {
            self.tell(session, command, argv);
        }
        if self.scripts == 0 {
            self.note(session, command.name);
            if self.server.clients.tracking > 0 {
                self.server.clients.done(session.id, command.name);
            }
        }
    }

    /// A command begins that the engine or the server answers. What is not for monitors in
    /// general shows itself now, before what it calls (`evalCommand`).
    pub(super) fn start(&mut self, session: &Session, spec: &CommandSpec, argv: &[&[u8]]) {
        let now = self.tick();
        self.began.push((now, self.server.stats.error_replies));
        if self.server.is_watched() {
            if spec.flags.contains(CommandFlags::SKIP_MONITOR) {
                self.feed(session, argv);
            }
            if let Some(command) = self.table.number(spec.id).filter(|_| self.scripts == 0) {
                let keys = command.keys(argv).unwrap_or_default();
                let key = |(at, _): &(usize, _)| argv.get(*at).map(|key| key.to_vec());
                self.server.script_keys = keys.iter().filter_map(key).collect();
            }
        }
        if self.scripts == 0
            && let Some(command) = self.table.number(spec.id)
        {
            self.note(session, command.name);
        }
    }

    /// It has ended.
    pub(super) fn end(
        &mut self,
        session: &Session,
        spec: &CommandSpec,
        argv: &[&[u8]],
        error: Option<&[u8]>,
    ) {
        let Some((began, errors)) = self.began.pop() else { return };
        let Some(command) = self.table.number(spec.id) else { return };
        let took = self.clock.since(began);
        let stats = &mut self.server.stats;
        if let Some(text) = error {
            stats.failed_since(spec.id, text, errors);
        }
        stats.called(spec.id, Some(took));
        self.measured(session, command, argv, took);
        if !self.server.clients.monitors.is_empty()
            && !spec.flags.intersects(CommandFlags::SKIP_MONITOR | CommandFlags::ADMIN)
        {
            self.feed(session, argv);
        }
        self.server.script_keys.clear();
        self.server.clients.done(session.id, command.name);
    }

    /// A command was refused before it ran.
    #[cold]
    pub(super) fn refuse(
        &mut self,
        session: &Session,
        argv: &[&[u8]],
        text: &[u8],
        denied: Option<&Denied>,
    ) {
        self.tick();
        let command = self.table.resolve(argv);
        self.server.stats.rejected(command.map(|command| command.spec.id), text);
        if let (Some(command), Some(denied)) = (command, denied) {
            if !session.script {
                self.note(session, command.name);
            }
            acl::record_refusal(&mut self.server, self.keys.now(), session, command, argv, denied);
        }
    }

    /// Tells listeners what has happened to keys, by the hand of connection `by` or of its
    /// script.
    pub(super) fn settle(&mut self, by: u64, script: bool) {
        let Server { pubsub, clients, tracking, config, .. } = &mut self.server;
        let journal = &mut self.keys.journal;
        if !journal.events.is_empty() {
            for event in std::mem::take(&mut journal.events) {
                pubsub.announce(config.events, &event);
            }
        }
        if !journal.touches.is_empty() {
            // A broadcast takes a script for nobody (`trackingRememberKeyToBroadcast`).
            let author = if script { 0 } else { by };
            let touches = std::mem::take(&mut journal.touches);
            tracking.invalidate(touches, (by, author), clients, pubsub);
        }
    }

    /// Notes a command that took long.
    #[inline]
    fn measured(&mut self, session: &Session, command: &Command, argv: &[&[u8]], took: Duration) {
        let config = &self.server.config;
        if config.slow.is_some_and(|slow| took >= slow) {
            self.log_slow(session, command, argv, took);
        }
        let millis = took.as_millis() as u64;
        if self.server.config.latency > 0 && millis >= self.server.config.latency {
            let fast = command.spec.flags.contains(CommandFlags::FAST);
            let event = if fast { "fast-command" } else { "command" };
            self.server.latency.add(event, self.clock.now().as_secs(), millis);
        }
    }

    /// `slowlogPushCurrentCommand`. A script's commands come from no address.
    #[cold]
    fn log_slow(&mut self, session: &Session, command: &Command, argv: &[&[u8]], took: Duration) {
        if command.spec.flags.contains(CommandFlags::SKIP_SLOWLOG) {
            return;
        }
        let most = usize::try_from(self.server.config.number("slowlog-max-len")).unwrap_or(0);
        let client = self.server.clients.find(session.id).filter(|_| !session.script);
        let who = client.map_or_else(
            || ("?:0".to_owned(), Vec::new()),
            |client| (client.address.clone(), client.name.clone()),
        );
        let words = slowlog::shorten(&redacted(argv));
        self.server.slowlog.push(self.clock.now().as_secs(), took, words, who, most);
    }

    /// Tells monitors of a command, and remembers what a tracking connection has read.
    #[cold]
    fn tell(&mut self, session: &Session, command: &Command, argv: &[&[u8]]) {
        let flags = command.spec.flags;
        if !flags.intersects(CommandFlags::SKIP_MONITOR | CommandFlags::ADMIN) {
            self.feed(session, argv);
        }
        if flags.contains(CommandFlags::PUBSUB) || !flags.contains(CommandFlags::READONLY) {
            return;
        }
        let Server { clients, tracking, script_keys, config, pubsub, .. } = &mut self.server;
        let known = clients.find(session.id).and_then(|client| client.tracking.as_deref());
        let Some(reader) = known else { return };
        if session.script {
            // `trackingRememberKeys` looks at the caller's words, not at the script's.
            tracking.remember(session.id, reader, script_keys.iter().map(Vec::as_slice));
        } else {
            let keys = command.keys(argv).unwrap_or_default();
            let keys = keys.iter().filter_map(|(at, _)| argv.get(*at).copied());
            tracking.remember(session.id, reader, keys);
        }
        tracking.shrink(config.tracked, clients, pubsub);
    }

    /// Tells monitors of a command (`replicationFeedMonitors`).
    fn feed(&mut self, session: &Session, argv: &[&[u8]]) {
        if self.server.clients.monitors.is_empty() {
            return;
        }
        let now = self.clock.now();
        let from = match self.server.clients.find(session.id) {
            _ if session.script => "lua",
            Some(client) => &client.address,
            None => "127.0.0.1:0",
        };
        let mut line =
            format!("{}.{:06} [{} {from}]", now.as_secs(), now.subsec_micros(), session.db,)
                .into_bytes();
        for word in redacted(argv) {
            line.push(b' ');
            line.extend_from_slice(&redlua_conversions::reply::quoted(word));
        }
        for monitor in &self.server.clients.monitors {
            self.server.pubsub.send(*monitor, Message::Command { line: line.clone() });
        }
    }
}

impl Server {
    /// A connection hears of no more changes.
    pub(crate) fn untrack(&mut self, id: u64) {
        let Some(client) = self.clients.find_mut(id) else { return };
        if let Some(tracking) = client.tracking.take() {
            self.clients.tracking -= 1;
            self.tracking.unsubscribe(id, &tracking.prefixes);
        }
    }
}

/// A command's words as logs and monitors show them: without passwords
/// (`redactClientCommandArgument` and its callers).
fn redacted<'a>(argv: &[&'a [u8]]) -> Vec<&'a [u8]> {
    let mut words = argv.to_vec();
    let is = |at: usize, word: &str| {
        argv.get(at).is_some_and(|arg| arg.eq_ignore_ascii_case(word.as_bytes()))
    };
    let hidden: Vec<usize> = if is(0, "auth") {
        (1..argv.len()).collect()
    } else if is(0, "acl") && is(1, "setuser") {
        (2..argv.len()).collect()
    } else if is(0, "hello") {
        (2..argv.len()).filter(|at| is(at - 1, "auth") || is(at - 2, "auth")).collect()
    } else if is(0, "migrate") {
        let user = |at: usize| is(at - 1, "auth") || is(at - 1, "auth2") || is(at - 2, "auth2");
        (6..argv.len()).filter(|at| user(*at)).collect()
    } else if is(0, "config") && is(1, "set") {
        let secret = ["requirepass", "masterauth", "masteruser", "tls-key-file-pass"];
        let secret = |at: usize| secret.iter().any(|name| is(at, name));
        (3..argv.len()).step_by(2).filter(|at| secret(at - 1)).collect()
    } else {
        Vec::new()
    };
    for at in hidden {
        if let Some(word) = words.get_mut(at) {
            *word = REDACTED;
        }
    }
    words
}
