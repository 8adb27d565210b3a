//! `CLIENT` (`networking.c clientCommand`) and `MONITOR`.
//!
//! Owns the subcommands, except those about caching. Connections belong to the server layer,
//! which alone can close, pause or unblock them: it is left an [`Action`].

use std::time::Duration;

use redlua_core::{Protocol, Session};

use crate::arg;
use crate::clients::{Client, KINDS};
use crate::context::Cx;
use crate::error::{CommandError, CommandResult, SYNTAX};
use crate::pubsub::Topic;
use crate::server::Server;
use crate::store::{Action, Pause};

pub(crate) const INVALID_NAME: CommandError =
    CommandError::fixed("ERR Client names cannot contain spaces, newlines or special characters.");

/// The calling connection.
pub(super) fn this<'a>(cx: &'a mut Cx<'_>) -> &'a mut Client {
    let clients = &mut cx.server.clients;
    clients.note(cx.session, cx.command.name, cx.keys.now());
    clients.client(cx.session.id, cx.keys.now())
}

/// Names consist of printable characters without blanks (`validateClientAttr`).
pub(super) fn is_valid_name(name: &[u8]) -> bool {
    name.iter().all(|byte| (b'!'..=b'~').contains(byte))
}

pub(crate) fn id(cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    let id = cx.session.id;
    cx.integer(id)
}

pub(crate) fn getname(cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    let name = this(cx).name.clone();
    if name.is_empty() {
        return cx.null();
    }
    cx.sink.bulk(&name);
    Ok(())
}

pub(crate) fn setname(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    if !is_valid_name(argv[2]) {
        return Err(INVALID_NAME);
    }
    this(cx).name = argv[2].to_vec();
    cx.ok()
}

pub(crate) fn info(cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    this(cx);
    let line = line(cx.server, cx.keys.now(), cx.session.id);
    cx.sink.verbatim(*b"txt", &line);
    Ok(())
}

pub(crate) fn list(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    this(cx);
    let mut wanted = None;
    match *argv {
        [_, _] => {}
        [_, _, word, kind] if arg::is(word, "type") => {
            let kind = kind_named(kind)?;
            let ids = cx.server.clients.iter().map(|(id, _)| id);
            wanted = Some(ids.filter(|id| is_kind(cx.server, *id, kind)).collect());
        }
        [_, _, word, ref ids @ ..] if arg::is(word, "id") && !ids.is_empty() => {
            const INVALID: CommandError = CommandError::fixed("ERR Invalid client ID");
            let mut numbers = Vec::new();
            for id in ids {
                numbers.push(u64::try_from(arg::integer_or(id, INVALID)?).unwrap_or(0));
            }
            wanted = Some(numbers);
        }
        _ => return Err(SYNTAX),
    }
    let ids = wanted.unwrap_or_else(|| cx.server.clients.iter().map(|(id, _)| id).collect());
    let now = cx.keys.now();
    let text: Vec<u8> = ids.into_iter().flat_map(|id| line(cx.server, now, id)).collect();
    cx.sink.verbatim(*b"txt", &text);
    Ok(())
}

/// A class of connections by its name (`getClientTypeByName`).
fn kind_named(word: &[u8]) -> Result<&'static str, CommandError> {
    let known = KINDS.iter().find(|name| arg::is(word, name));
    known.copied().ok_or_else(|| about("ERR Unknown client type '", word))
}

/// Whether a connection is of a class. There are no replicas, and monitors are normal.
fn is_kind(server: &Server, id: u64, kind: &str) -> bool {
    match kind {
        "normal" => !server.pubsub.is_subscribed(id),
        "pubsub" => server.pubsub.is_subscribed(id),
        _ => false,
    }
}

/// An error that ends with a word in quotes.
fn about(text: &str, word: &[u8]) -> CommandError {
    CommandError::new([text.as_bytes(), word, b"'"].concat())
}

/// A connection as a line (`catClientInfoString`); nothing for an unknown one. Figures of
/// buffers, which the store does not have, are those of an idle connection.
pub(crate) fn line(server: &Server, now: i64, id: u64) -> Vec<u8> {
    let Some(client) = server.clients.find(id) else { return Vec::new() };
    let count = |topic| server.pubsub.of(topic, id).len();
    let tracking = client.tracking.as_deref();
    let letters = [
        ('O', client.monitor),
        ('P', server.pubsub.is_subscribed(id)),
        ('x', client.queued.is_some()),
        ('b', client.blocked),
        ('t', tracking.is_some()),
        ('R', tracking.is_some_and(|tracking| tracking.broken)),
        ('B', tracking.is_some_and(|tracking| tracking.broadcast)),
        ('c', client.closing),
        ('U', client.local.starts_with('/')),
        ('e', client.no_evict),
    ];
    let mut flags: String =
        letters.into_iter().filter(|(_, on)| *on).map(|(letter, _)| letter).collect();
    if flags.is_empty() {
        flags.push('N');
    }
    let local = if client.local.is_empty() {
        format!("127.0.0.1:{}", server.config.number("port"))
    } else if client.local.starts_with('/') {
        format!("{}:0", client.local)
    } else {
        client.local.clone()
    };
    format!(
        "id={id} addr={} laddr={local} fd=8 name={} age={} idle={} flags={flags} db={} sub={} \
         psub={} ssub={} multi={} qbuf=0 qbuf-free=0 argv-mem=0 multi-mem=0 rbs=16384 rbp=0 \
         obl=0 oll=0 omem=0 tot-mem=0 events=r cmd={} user={} redir={} resp={}\n",
        client.address,
        String::from_utf8_lossy(&client.name),
        (now - client.since) / 1000,
        (now - client.active) / 1000,
        client.db,
        count(Topic::Channel),
        count(Topic::Pattern),
        count(Topic::Shard),
        client.queued.map_or(-1, |queued| i64::try_from(queued).unwrap_or(i64::MAX)),
        if client.command.is_empty() { "NULL" } else { client.command },
        String::from_utf8_lossy(match server.acl.name(client.user) {
            [] => b"(superuser)",
            name => name,
        }),
        tracking.map_or(-1, |tracking| tracking.redirect as i64),
        if client.protocol == Protocol::Resp3 { 3 } else { 2 },
    )
    .into_bytes()
}

pub(crate) fn no_evict(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let on = match argv[2] {
        word if arg::is(word, "on") => true,
        word if arg::is(word, "off") => false,
        _ => return Err(SYNTAX),
    };
    this(cx).no_evict = on;
    cx.ok()
}

/// Whoever sends the replies keeps back those to `OFF` and `SKIP`.
pub(crate) fn reply(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    if ["on", "off", "skip"].iter().any(|word| arg::is(argv[2], word)) {
        return cx.ok();
    }
    Err(SYNTAX)
}

/// What `CLIENT KILL` looks for.
#[derive(Default)]
struct Filter<'a> {
    id: Option<u64>,
    address: Option<&'a [u8]>,
    local: Option<&'a [u8]>,
    kind: Option<&'static str>,
    user: Option<redlua_core::UserId>,
    skip_self: bool,
}

impl<'a> Filter<'a> {
    fn read(server: &Server, words: &[&'a [u8]]) -> Result<Self, CommandError> {
        let mut filter = Filter { skip_self: true, ..Filter::default() };
        for option in words.chunks(2) {
            let &[name, value] = option else { return Err(SYNTAX) };
            if arg::is(name, "id") {
                const INVALID: CommandError =
                    CommandError::fixed("ERR client-id should be greater than 0");
                filter.id = Some(arg::ranged(value, 1, i64::MAX, INVALID)? as u64);
            } else if arg::is(name, "type") {
                filter.kind = Some(kind_named(value)?);
            } else if arg::is(name, "addr") {
                filter.address = Some(value);
            } else if arg::is(name, "laddr") {
                filter.local = Some(value);
            } else if arg::is(name, "user") {
                let user = server.acl.find(value);
                filter.user = Some(user.ok_or_else(|| about("ERR No such user '", value))?);
            } else if arg::is(name, "skipme") && arg::is(value, "yes") {
                filter.skip_self = true;
            } else if arg::is(name, "skipme") && arg::is(value, "no") {
                filter.skip_self = false;
            } else {
                return Err(SYNTAX);
            }
        }
        Ok(filter)
    }

    fn finds(&self, server: &Server, session: &Session, id: u64, client: &Client) -> bool {
        let matches = |wanted: Option<&[u8]>, text: &str| {
            wanted.is_none_or(|wanted| wanted == text.as_bytes())
        };
        matches(self.address, &client.address)
            && matches(self.local, &client.local)
            && self.id.is_none_or(|wanted| wanted == id)
            && self.user.is_none_or(|wanted| wanted == client.user)
            && self.kind.is_none_or(|kind| is_kind(server, id, kind))
            && !(self.skip_self && id == session.id)
    }
}

pub(crate) fn kill(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    this(cx);
    let filter = match *argv {
        [_, _, address] => Filter { address: Some(address), ..Filter::default() },
        _ => Filter::read(cx.server, &argv[2..])?,
    };
    let found = cx.server.clients.iter();
    let found: Vec<u64> = found
        .filter(|(id, client)| filter.finds(cx.server, cx.session, *id, client))
        .map(|(id, _)| id)
        .collect();
    for id in &found {
        cx.server.actions.push(Action::Close(*id));
        if let Some(client) = cx.server.clients.find_mut(*id) {
            client.closing = true;
        }
    }
    match (argv.len(), found.is_empty()) {
        (3, true) => Err(CommandError::fixed("ERR No such client")),
        (3, false) => cx.ok(),
        _ => cx.integer(found.len()),
    }
}

pub(crate) fn unblock(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let error = match argv {
        [_, _, _] => false,
        [_, _, _, reason] if arg::is(reason, "timeout") => false,
        [_, _, _, reason] if arg::is(reason, "error") => true,
        [_, _, _, _] => {
            return Err(CommandError::fixed(
                "ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR",
            ));
        }
        _ => return Err(super::wrong_subcommand(cx, argv)),
    };
    let id = u64::try_from(arg::integer(argv[2])?).unwrap_or(0);
    match cx.server.clients.find_mut(id) {
        Some(client) if client.blocked => {
            client.blocked = false;
            cx.server.actions.push(Action::Unblock { client: id, error });
            cx.integer(1)
        }
        _ => cx.integer(0),
    }
}

pub(crate) fn pause(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    const INVALID: CommandError =
        CommandError::fixed("ERR timeout is not an integer or out of range");
    let all = match argv {
        [_, _, _] => true,
        [_, _, _, mode] if arg::is(mode, "write") => false,
        [_, _, _, mode] if arg::is(mode, "all") => true,
        [_, _, _, _] => {
            return Err(CommandError::fixed("ERR CLIENT PAUSE mode must be WRITE or ALL"));
        }
        _ => return Err(super::wrong_subcommand(cx, argv)),
    };
    let millis = u64::try_from(arg::integer_or(argv[2], INVALID)?)
        .map_err(|_| CommandError::fixed("ERR timeout is negative"))?;
    let until = cx.server.clock.now().saturating_add(Duration::from_millis(millis));
    // A pause in force is neither shortened nor made milder (`pauseClients`).
    let old = cx.server.pause.filter(|old| old.until > cx.server.clock.now());
    cx.server.pause = Some(Pause {
        until: old.map_or(until, |old| old.until.max(until)),
        all: all || old.is_some_and(|old| old.all),
    });
    cx.ok()
}

pub(crate) fn unpause(cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    cx.server.pause = None;
    cx.ok()
}

/// A connection that monitors already hears nothing (`monitorCommand` in `replication.c`).
pub(crate) fn monitor(cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    let client = this(cx);
    if client.monitor {
        return Ok(());
    }
    client.monitor = true;
    cx.server.clients.monitors.push(cx.session.id);
    cx.ok()
}

/// A connection monitors no more.
pub(super) fn stop_monitoring(server: &mut Server, id: u64) {
    server.clients.monitors.retain(|monitor| *monitor != id);
    if let Some(client) = server.clients.find_mut(id) {
        client.monitor = false;
    }
}
