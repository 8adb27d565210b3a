//! The connection itself: `HELLO`, `AUTH`, `RESET` and their kin (`networking.c`, `acl.c`).
//!
//! Owns what changes a session. It must not know how a connection is closed.

use redlua_core::{Protocol, Seq, UserId};

use crate::arg;
use crate::context::Cx;
use crate::error::{CommandError, CommandResult, SYNTAX};

pub(crate) const VERSION: &str = "7.0.15";

const WRONG_PASSWORD: CommandError =
    CommandError::fixed("WRONGPASS invalid username-password pair or user is disabled.");

pub(crate) fn echo(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    cx.sink.bulk(argv[1]);
    Ok(())
}

pub(crate) fn quit(cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    cx.ok()
}

pub(crate) fn reset(cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    cx.server.pubsub.forget(cx.session.id);
    cx.server.untrack(cx.session.id);
    let tracks = cx.server.clients.tracking > 0;
    cx.keys.track(tracks);
    super::client::stop_monitoring(cx.server, cx.session.id);
    cx.session.db = 0;
    cx.session.protocol = Protocol::Resp2;
    cx.session.user = UserId::default();
    super::client::this(cx).name.clear();
    cx.sink.status(b"RESET");
    Ok(())
}

pub(crate) fn auth(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let (name, password) = match *argv {
        [_, password] => {
            if cx.server.acl.is_open() {
                return Err(CommandError::fixed(
                    "ERR AUTH <password> called without any password configured for the \
                     default user. Are you sure your configuration is correct?",
                ));
            }
            (&b"default"[..], password)
        }
        [_, name, password] => (name, password),
        _ => return Err(SYNTAX),
    };
    log_in(cx, argv[0], name, password)?;
    cx.ok()
}

fn log_in(cx: &mut Cx<'_>, command: &[u8], name: &[u8], password: &[u8]) -> CommandResult {
    match cx.server.acl.authenticate(name, password) {
        Some(user) => {
            cx.session.user = user;
            Ok(())
        }
        None => {
            super::acl::record_login(cx, command, name);
            Err(WRONG_PASSWORD)
        }
    }
}

pub(crate) fn hello(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let mut protocol = cx.session.protocol;
    if let Some(version) = argv.get(1) {
        const INVALID: CommandError =
            CommandError::fixed("ERR Protocol version is not an integer or out of range");
        protocol = match arg::integer_or(version, INVALID)? {
            2 => Protocol::Resp2,
            3 => Protocol::Resp3,
            _ => return Err(CommandError::fixed("NOPROTO unsupported protocol version")),
        };
    }
    let mut name = None;
    let mut at = 2;
    while let Some(word) = argv.get(at) {
        match argv.get(at + 1..).unwrap_or_default() {
            [user, password, ..] if arg::is(word, "auth") => {
                log_in(cx, argv[0], user, password)?;
                at += 3;
            }
            [new, ..] if arg::is(word, "setname") => {
                if !super::client::is_valid_name(new) {
                    return Err(super::client::INVALID_NAME);
                }
                name = Some(*new);
                at += 2;
            }
            _ => {
                let mut text = b"ERR Syntax error in HELLO option '".to_vec();
                text.extend_from_slice(word);
                text.push(b'\'');
                return Err(CommandError::new(text));
            }
        }
    }
    if let Some(name) = name {
        super::client::this(cx).name = name.to_vec();
    }
    cx.session.protocol = protocol;
    let sink = &mut *cx.sink;
    sink.map(7);
    for (field, value) in [("server", "redis"), ("version", VERSION)] {
        sink.bulk(field.as_bytes());
        sink.bulk(value.as_bytes());
    }
    sink.bulk(b"proto");
    sink.integer(if protocol == Protocol::Resp3 { 3 } else { 2 });
    sink.bulk(b"id");
    sink.integer(cx.session.id as i64);
    for (field, value) in [("mode", cx.server.config.mode()), ("role", "master")] {
        sink.bulk(field.as_bytes());
        sink.bulk(value.as_bytes());
    }
    sink.bulk(b"modules");
    sink.seq(Seq::Array, 0);
    Ok(())
}
