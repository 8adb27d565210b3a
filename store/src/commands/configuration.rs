//! `CONFIG` (`config.c`).
//!
//! Owns the subcommands. It must not know particular parameters beyond the password.

use crate::config::SetError;
use crate::context::Cx;
use crate::error::{CommandError, CommandResult, SYNTAX};
use crate::keyspace::Keyspace;
use crate::server::Server;

pub(crate) fn get(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let found = cx.server.config.matching(&argv[2..]);
    cx.sink.map(found.len());
    for (name, value) in found {
        cx.sink.bulk(name.as_bytes());
        cx.sink.bulk(value);
    }
    Ok(())
}

pub(crate) fn set(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let (pairs, []) = argv[2..].as_chunks() else { return Err(SYNTAX) };
    cx.server.config.set(pairs).map_err(explain)?;
    for [name, _] in pairs {
        take_effect(cx.keys, cx.server, name);
    }
    cx.ok()
}

/// A parameter has been set: whatever depends on it learns of it.
pub(crate) fn take_effect(keys: &mut Keyspace, server: &mut Server, name: &[u8]) {
    keys.tuning = server.config.tuning;
    keys.journal.listen(server.config.events);
    if name.eq_ignore_ascii_case(b"requirepass") {
        // The password is the default user's (`updateRequirePass`).
        let password = server.config.value("requirepass");
        let rule = if password.is_empty() { b"nopass".to_vec() } else { [b">", password].concat() };
        let rules = [b"resetpass".to_vec(), rule];
        let _ = server.acl.set(b"default", &rules, false);
    }
}

fn explain(error: SetError) -> CommandError {
    let (before, name, after) = match error {
        SetError::Unknown(name) => {
            ("ERR Unknown option or number of arguments for CONFIG SET - '", name, "'".to_owned())
        }
        SetError::Refused(name, reason) => (
            "ERR CONFIG SET failed (possibly related to argument '",
            name,
            format!("') - {reason}"),
        ),
    };
    CommandError::new([before.as_bytes(), &name, after.as_bytes()].concat())
}

pub(crate) fn resetstat(cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    cx.server.stats.reset();
    cx.server.clients.received = 0;
    cx.keys.expired = 0;
    cx.keys.hits = 0;
    cx.keys.misses = 0;
    cx.ok()
}

pub(crate) fn rewrite(_cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    Err(CommandError::fixed("ERR The server is running without a config file"))
}
