//! `CLIENT` (`networking.c clientCommand`).
//!
//! Owns the subcommands. Connections belong to the server layer, which alone can close, pause
//! or unblock them; what asks for that finds nobody here.

use redlua_core::Seq;

use crate::arg;
use crate::clients::Client;
use crate::context::Cx;
use crate::error::{CommandError, CommandResult, SYNTAX};

pub(crate) const INVALID_NAME: CommandError =
    CommandError::fixed("ERR Client names cannot contain spaces, newlines or special characters.");

/// The calling connection.
pub(super) fn this<'a>(cx: &'a mut Cx<'_>) -> &'a mut Client {
    let now = cx.keys.now();
    let user = cx.server.acl.name(cx.session.user).to_vec();
    let client = cx.server.clients.client(cx.session.id, now);
    client.active = now;
    client.command = cx.command.name;
    client.db = cx.session.db;
    client.resp = if cx.session.protocol == redlua_core::Protocol::Resp3 { 3 } else { 2 };
    client.user = user;
    client
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
    let line = line(cx, cx.session.id);
    cx.sink.verbatim(*b"txt", &line);
    Ok(())
}

pub(crate) fn list(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    this(cx);
    let mut wanted = None;
    match *argv {
        [_, _] => {}
        [_, _, word, kind] if arg::is(word, "type") => {
            let kinds = ["normal", "slave", "replica", "master", "pubsub"];
            let Some(kind) = kinds.iter().find(|name| arg::is(kind, name)) else {
                return Err(unknown_type(kind));
            };
            let subscribed = |id: &u64| cx.server.pubsub.is_subscribed(*id);
            let ids = cx.server.clients.iter().map(|(id, _)| id);
            wanted = Some(match *kind {
                "normal" => ids.filter(|id| !subscribed(id)).collect(),
                "pubsub" => ids.filter(subscribed).collect(),
                _ => Vec::new(),
            });
        }
        [_, _, word, ref ids @ ..] if arg::is(word, "id") && !ids.is_empty() => {
            const INVALID: CommandError = CommandError::fixed("ERR Invalid client ID");
            let mut numbers = Vec::new();
            for id in ids {
                numbers.push(arg::ranged(id, 1, i64::MAX, INVALID)? as u64);
            }
            wanted = Some(numbers);
        }
        _ => return Err(SYNTAX),
    }
    let ids = wanted.unwrap_or_else(|| cx.server.clients.iter().map(|(id, _)| id).collect());
    let text: Vec<u8> = ids.into_iter().flat_map(|id| line(cx, id)).collect();
    cx.sink.verbatim(*b"txt", &text);
    Ok(())
}

fn unknown_type(kind: &[u8]) -> CommandError {
    let mut text = b"ERR Unknown client type '".to_vec();
    text.extend_from_slice(kind);
    text.push(b'\'');
    CommandError::new(text)
}

/// A connection as a line (`catClientInfoString`); nothing for an unknown one. Figures of
/// buffers, which the store does not have, are 0.
pub(super) fn line(cx: &Cx<'_>, id: u64) -> Vec<u8> {
    use crate::pubsub::Topic;
    let Some(client) = cx.server.clients.find(id) else { return Vec::new() };
    let now = cx.keys.now();
    let count = |topic| cx.server.pubsub.of(topic, id).len();
    let flags = if client.no_evict { "e" } else { "" };
    let subscribed = if cx.server.pubsub.is_subscribed(id) { "P" } else { "" };
    let flags = format!("{subscribed}{flags}");
    format!(
        "id={id} addr={} laddr=127.0.0.1:{} fd=8 name={} age={} idle={} flags={} db={} sub={} \
         psub={} ssub={} multi=-1 qbuf=0 qbuf-free=0 argv-mem=0 multi-mem=0 rbs=16384 rbp=0 \
         obl=0 oll=0 omem=0 tot-mem=0 events=r cmd={} user={} redir=-1 resp={}\n",
        client.address,
        String::from_utf8_lossy(cx.server.config.value("port")),
        String::from_utf8_lossy(&client.name),
        (now - client.since) / 1000,
        (now - client.active) / 1000,
        if flags.is_empty() { "N" } else { &flags },
        client.db,
        count(Topic::Channel),
        count(Topic::Pattern),
        count(Topic::Shard),
        client.command,
        String::from_utf8_lossy(&client.user),
        client.resp,
    )
    .into_bytes()
}

pub(crate) fn no_evict(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let on = switch(argv[2])?;
    this(cx).no_evict = on;
    cx.ok()
}

fn switch(word: &[u8]) -> Result<bool, CommandError> {
    match word {
        word if arg::is(word, "on") => Ok(true),
        word if arg::is(word, "off") => Ok(false),
        _ => Err(SYNTAX),
    }
}

/// The server layer sees `OFF` and `SKIP` before this does; only `ON` has an answer.
pub(crate) fn reply(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    if ["on", "off", "skip"].iter().any(|word| arg::is(argv[2], word)) {
        return cx.ok();
    }
    Err(SYNTAX)
}

pub(crate) fn kill(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    if let [_, _, _address] = argv {
        return Err(CommandError::fixed("ERR No such client"));
    }
    for option in argv[2..].chunks(2) {
        let [name, value] = option else { return Err(SYNTAX) };
        if arg::is(name, "id") {
            const INVALID: CommandError =
                CommandError::fixed("ERR client-id should be greater than 0");
            arg::ranged(value, 1, i64::MAX, INVALID)?;
        } else if arg::is(name, "type") {
            let kinds = ["normal", "slave", "replica", "master", "pubsub"];
            if !kinds.iter().any(|kind| arg::is(value, kind)) {
                return Err(unknown_type(value));
            }
        } else if arg::is(name, "user") {
            if cx.server.acl.find(value).is_none() {
                let mut text = b"ERR No such user '".to_vec();
                text.extend_from_slice(value);
                text.push(b'\'');
                return Err(CommandError::new(text));
            }
        } else if arg::is(name, "skipme") {
            if !arg::is(value, "yes") && !arg::is(value, "no") {
                return Err(SYNTAX);
            }
        } else if !arg::is(name, "addr") && !arg::is(name, "laddr") {
            return Err(SYNTAX);
        }
    }
    cx.integer(0)
}

pub(crate) fn unblock(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    match argv {
        [_, _, _] => {}
        [_, _, _, reason] if arg::is(reason, "timeout") || arg::is(reason, "error") => {}
        [_, _, _, _] => {
            return Err(CommandError::fixed(
                "ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR",
            ));
        }
        _ => return Err(super::wrong_subcommand(cx, argv)),
    }
    arg::integer(argv[2])?;
    cx.integer(0)
}

pub(crate) fn pause(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    const INVALID: CommandError =
        CommandError::fixed("ERR timeout is not an integer or out of range");
    if let [_, _, _, mode] = argv
        && !arg::is(mode, "write")
        && !arg::is(mode, "all")
    {
        return Err(CommandError::fixed("ERR CLIENT PAUSE mode must be WRITE or ALL"));
    }
    if argv.len() > 4 {
        return Err(super::wrong_subcommand(cx, argv));
    }
    if arg::integer_or(argv[2], INVALID)? < 0 {
        return Err(CommandError::fixed("ERR timeout is negative"));
    }
    cx.ok()
}

pub(crate) fn unpause(cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    cx.ok()
}

pub(crate) fn getredir(cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    cx.integer(-1)
}

pub(crate) fn trackinginfo(cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    cx.sink.map(3);
    cx.sink.bulk(b"flags");
    cx.sink.seq(Seq::Set, 1);
    cx.sink.bulk(b"off");
    cx.sink.bulk(b"redirect");
    cx.sink.integer(-1);
    cx.sink.bulk(b"prefixes");
    cx.sink.seq(Seq::Array, 0);
    Ok(())
}
