//! The server as a process: persistence, replication, time, and what a store in memory can only
//! answer formally.
//!
//! Owns those commands. It must not know keys or values.

use std::time::Duration;

use redlua_core::Seq;

use crate::arg;
use crate::commands::connection::VERSION;
use crate::context::Cx;
use crate::error::{CommandError, CommandResult, SYNTAX};
use crate::store::{Blocked, TimeoutReply};

pub(crate) fn time(cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    let now = cx.server.clock.now();
    cx.sink.seq(Seq::Array, 2);
    cx.sink.bulk(now.as_secs().to_string().as_bytes());
    cx.sink.bulk(now.subsec_micros().to_string().as_bytes());
    Ok(())
}

pub(crate) fn role(cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    cx.sink.seq(Seq::Array, 3);
    cx.sink.bulk(b"master");
    cx.sink.integer(0);
    cx.sink.seq(Seq::Array, 0);
    Ok(())
}

pub(crate) fn save(cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    saved(cx);
    cx.ok()
}

fn saved(cx: &mut Cx<'_>) {
    cx.server.last_save = cx.keys.now() / 1000;
    cx.server.saved = cx.keys.dirty();
}

pub(crate) fn bgsave(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    match argv {
        [_] => {}
        [_, word] if arg::is(word, "schedule") => {}
        _ => return Err(SYNTAX),
    }
    saved(cx);
    cx.sink.status(b"Background saving started");
    Ok(())
}

pub(crate) fn bgrewriteaof(cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    cx.sink.status(b"Background append only file rewriting started");
    Ok(())
}

pub(crate) fn lastsave(cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    let time = cx.server.last_save;
    cx.integer(time)
}

pub(crate) fn replicaof(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    super::cluster::forbid(cx, "ERR REPLICAOF not allowed in cluster mode.")?;
    if arg::is(argv[1], "no") && arg::is(argv[2], "one") {
        return cx.ok();
    }
    const PORT: CommandError = CommandError::fixed("ERR Invalid master port");
    arg::ranged(argv[2], 0, 65535, PORT)?;
    super::absent(cx, argv)
}

/// What a replica says of itself before it asks for the data (`replconfCommand`); there are no
/// replicas, so nothing is kept.
pub(crate) fn replconf(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let (pairs, []) = argv[1..].as_chunks() else { return Err(SYNTAX) };
    for [option, value] in pairs {
        let known = ["ip-address", "capa", "ack", "getack", "rdb-only", "rdb-filter-only"];
        if arg::is(option, "listening-port") {
            arg::integer(value)?;
        } else if !known.iter().any(|name| arg::is(option, name)) {
            let mut text = b"ERR Unrecognized REPLCONF option: ".to_vec();
            text.extend_from_slice(option);
            return Err(CommandError::new(text));
        }
    }
    cx.ok()
}

pub(crate) fn failover(_cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    match argv {
        [_, word] if arg::is(word, "abort") => {
            Err(CommandError::fixed("ERR No failover in progress."))
        }
        _ => {
            let mut rest = argv.get(1..).unwrap_or_default();
            while let [word, after @ ..] = rest {
                rest = match after {
                    [_, _, after @ ..] if arg::is(word, "to") => after,
                    [_, after @ ..] if arg::is(word, "timeout") => after,
                    _ if arg::is(word, "force") => after,
                    _ => return Err(SYNTAX),
                };
            }
            Err(CommandError::fixed("ERR FAILOVER requires connected replicas."))
        }
    }
}

/// There are no replicas: whoever wants some waits for nothing until the time is over.
pub(crate) fn wait(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    const TIMEOUT: CommandError =
        CommandError::fixed("ERR timeout is not an integer or out of range");
    let replicas = arg::integer(argv[1])?;
    let timeout = u64::try_from(arg::integer_or(argv[2], TIMEOUT)?)
        .map_err(|_| CommandError::fixed("ERR timeout is negative"))?;
    if replicas <= 0 || cx.session.script {
        return cx.integer(0);
    }
    cx.server.blocked = Some(Blocked {
        db: cx.session.db,
        keys: Vec::new(),
        timeout: (timeout > 0).then(|| Duration::from_millis(timeout)),
        reply: TimeoutReply::Integer(0),
    });
    Ok(())
}

/// The version's name; the drawings are left to the original.
pub(crate) fn lolwut(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    if let [_, word, version, ..] = argv
        && arg::is(word, "version")
    {
        arg::integer(version)?;
    }
    cx.sink.verbatim(*b"txt", format!("Redis ver. {VERSION}\n").as_bytes());
    Ok(())
}

pub(crate) fn shutdown(_cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let known = ["nosave", "save", "now", "force", "abort"];
    if argv[1..].iter().any(|word| !known.iter().any(|name| arg::is(word, name))) {
        return Err(SYNTAX);
    }
    if argv.len() == 2 && arg::is(argv[1], "abort") {
        return Err(CommandError::fixed("ERR No shutdown in progress."));
    }
    // Ending the process is the embedder's decision.
    Err(CommandError::fixed("ERR Errors trying to SHUTDOWN. Check logs."))
}

pub(crate) fn modules(cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    cx.sink.seq(Seq::Array, 0);
    Ok(())
}

pub(crate) fn no_modules(_cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    Err(CommandError::fixed(
        "ERR MODULE command not allowed. If the enable-module-command option is set to \"local\", \
         you can run it from a local connection, otherwise you need to set this option in the \
         configuration file, and then restart the server.",
    ))
}
