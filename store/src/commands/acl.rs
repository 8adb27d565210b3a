//! `ACL` (`acl.c aclCommand`).
//!
//! Owns the subcommands. It must not know how rules are checked.

use redlua_core::{Denied, ReplySink, Seq, Session};

use crate::acl::{CATEGORIES, LogEntry, User};
use crate::arg;
use crate::context::Cx;
use crate::error::{CommandError, CommandResult};
use crate::server::Server;
use crate::table::{Command, Table};

const NO_FILE: CommandError = CommandError::fixed(
    "ERR This Redis instance is not configured to use an ACL file. You may want to specify users \
     via the ACL SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis \
     configuration file set) in order to store users in the Redis configuration.",
);

pub(crate) fn whoami(cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    cx.sink.bulk(cx.server.acl.name(cx.session.user));
    Ok(())
}

pub(crate) fn users(cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    let users = cx.server.acl.users();
    cx.sink.seq(Seq::Array, users.len());
    for user in users {
        cx.sink.bulk(user.name());
    }
    Ok(())
}

pub(crate) fn list(cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    let users = cx.server.acl.users();
    cx.sink.seq(Seq::Array, users.len());
    for user in users {
        cx.sink.bulk(&user.describe());
    }
    Ok(())
}

pub(crate) fn getuser(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let user = cx.server.acl.find(argv[2]).and_then(|id| cx.server.acl.user(id));
    match user {
        Some(user) => push_user(cx.sink, user),
        None => cx.sink.null(),
    }
    Ok(())
}

fn push_user(sink: &mut dyn ReplySink, user: &User) {
    sink.map(6);
    sink.bulk(b"flags");
    let flags = user.flags();
    sink.seq(Seq::Set, flags.len());
    for flag in flags {
        sink.bulk(flag.as_bytes());
    }
    sink.bulk(b"passwords");
    sink.seq(Seq::Array, user.passwords().len());
    for hash in user.passwords() {
        sink.bulk(hash);
    }
    let mut selectors = user.selectors();
    push_selector(sink, &selectors.next().unwrap_or_default());
    sink.bulk(b"selectors");
    sink.seq(Seq::Array, selectors.len());
    for selector in selectors {
        sink.map(3);
        push_selector(sink, &selector);
    }
}

fn push_selector(sink: &mut dyn ReplySink, parts: &[Vec<u8>; 3]) {
    for (name, part) in ["commands", "keys", "channels"].iter().zip(parts) {
        sink.bulk(name.as_bytes());
        sink.bulk(part);
    }
}

pub(crate) fn setuser(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let name = argv[2];
    if name.iter().any(|byte| byte.is_ascii_whitespace() || *byte == 0) {
        return Err(CommandError::fixed("ERR Usernames can't contain spaces or null characters"));
    }
    let rules = merge_selectors(&argv[3..])?;
    let channels = cx.server.config.value("acl-pubsub-default") == b"allchannels";
    cx.server.acl.set(name, &rules, channels).map_err(|(rule, reason)| {
        let mut text = b"ERR Error in ACL SETUSER modifier '".to_vec();
        text.extend(rule.iter().take_while(|&&byte| byte != 0));
        text.extend_from_slice(b"': ");
        text.extend_from_slice(reason.as_bytes());
        CommandError::new(text)
    })?;
    cx.ok()
}

/// Joins the words from an opening parenthesis to the closing one
/// (`ACLMergeSelectorArguments`).
fn merge_selectors(words: &[&[u8]]) -> Result<Vec<Vec<u8>>, CommandError> {
    let mut rules = Vec::new();
    let mut open: Option<(&[u8], Vec<u8>)> = None;
    for word in words {
        let rule = match open.take() {
            None => word.to_vec(),
            Some((first, mut rule)) => {
                rule.push(b' ');
                rule.extend_from_slice(word);
                if rule.last() != Some(&b')') {
                    open = Some((first, rule));
                    continue;
                }
                rule
            }
        };
        if rule.first() == Some(&b'(') && rule.last() != Some(&b')') {
            open = Some((word, rule));
        } else {
            rules.push(rule);
        }
    }
    match open {
        None => Ok(rules),
        Some((first, _)) => {
            let mut text = b"ERR Unmatched parenthesis in acl selector starting at '".to_vec();
            text.extend_from_slice(first);
            text.extend_from_slice(b"'.");
            Err(CommandError::new(text))
        }
    }
}

pub(crate) fn deluser(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    if argv[2..].contains(&&b"default"[..]) {
        return Err(CommandError::fixed("ERR The 'default' user cannot be removed"));
    }
    let removed = argv[2..].iter().filter(|name| cx.server.acl.remove(name)).count();
    cx.integer(removed)
}

pub(crate) fn cat(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let names: Vec<&str> = match *argv {
        [_, _] => CATEGORIES.to_vec(),
        [_, _, category] => {
            let Some(category) = CATEGORIES.iter().find(|name| arg::is(category, name)) else {
                let mut text = b"ERR Unknown category '".to_vec();
                text.extend(category.iter().take_while(|&&byte| byte != 0));
                text.push(b'\'');
                return Err(CommandError::new(text));
            };
            let commands = Table::instance().all().iter();
            commands.filter(|c| c.categories.contains(category)).map(|c| c.name).collect()
        }
        _ => return Err(super::wrong_subcommand(cx, argv)),
    };
    cx.sink.seq(Seq::Array, names.len());
    for name in names {
        cx.sink.bulk(name.as_bytes());
    }
    Ok(())
}

pub(crate) fn genpass(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    const RANGE: CommandError = CommandError::fixed(
        "ERR ACL GENPASS argument must be the number of bits for the output password, a \
         positive number up to 4096",
    );
    let bits = match *argv {
        [_, _] => 256,
        [_, _, bits] => {
            let bits = arg::integer(bits)?;
            if !(1..=4096).contains(&bits) {
                return Err(RANGE);
            }
            bits
        }
        _ => return Err(super::wrong_subcommand(cx, argv)),
    };
    let password = cx.server.random.hex((bits as usize).div_ceil(4));
    cx.sink.bulk(password.as_bytes());
    Ok(())
}

pub(crate) fn dryrun(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let not_found = |what: &str, name: &[u8]| {
        let mut text = format!("ERR {what} '").into_bytes();
        // A `%s` of C.
        text.extend(name.iter().take_while(|&&byte| byte != 0));
        text.extend_from_slice(b"' not found");
        CommandError::new(text)
    };
    let user = cx.server.acl.find(argv[2]).ok_or_else(|| not_found("User", argv[2]))?;
    let call = &argv[3..];
    let command = Table::instance().resolve(call).ok_or_else(|| not_found("Command", argv[3]))?;
    if !command.spec.accepts(call.len()) {
        return Err(CommandError::arity(command.name));
    }
    match cx.server.acl.check(user, command, call) {
        Ok(()) => cx.sink.status(b"OK"),
        Err((denied, at)) => {
            let word = call.get(at).copied().unwrap_or_default();
            let (verb, word, noun) = match &denied {
                Denied::Command(name) => ("run", name.as_slice(), "command"),
                Denied::Key => ("access", word, "key"),
                Denied::Channel => ("access", word, "channel"),
            };
            let start = format!("This user has no permissions to {verb} the '");
            let end = format!("' {noun}");
            cx.sink.bulk(&[start.as_bytes(), word, end.as_bytes()].concat());
        }
    }
    Ok(())
}

pub(crate) fn load(_cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    Err(NO_FILE)
}

/// Remembers a failed log-in for `ACL LOG`; `object` is the command's name as given.
pub(super) fn record_login(cx: &mut Cx<'_>, object: &[u8], username: &[u8]) {
    super::client::this(cx);
    let now = cx.keys.now();
    record(cx.server, now, cx.session, "auth", (object, username));
}

/// Remembers a call that was refused for want of a permission.
pub(crate) fn record_refusal(
    server: &mut Server,
    now: i64,
    session: &Session,
    command: &Command,
    argv: &[&[u8]],
    denied: &Denied,
) {
    let at = server.acl.check(session.user, command, argv).err().map_or(0, |(_, at)| at);
    let word = argv.get(at).copied().unwrap_or_default();
    let (reason, object) = match denied {
        Denied::Command(name) => ("command", name.as_slice()),
        Denied::Key => ("key", word),
        Denied::Channel => ("channel", word),
    };
    let username = server.acl.name(session.user).to_vec();
    record(server, now, session, reason, (object, &username));
}

/// Adds to the log (`addACLLogEntry`); repetitions within a minute count together.
fn record(
    server: &mut Server,
    now: i64,
    session: &Session,
    reason: &'static str,
    (object, username): (&[u8], &[u8]),
) {
    let client = super::client::line(server, now, session.id);
    let queued = server.clients.find(session.id).is_some_and(|client| client.queued.is_some());
    let context = match () {
        _ if session.script => "lua",
        _ if queued => "multi",
        _ => "toplevel",
    };
    let limit = usize::try_from(server.config.number("acllog-max-len")).unwrap_or(0);
    let log = &mut server.acl.log;
    let known = log.iter().position(|entry| {
        (entry.reason, entry.context) == (reason, context)
            && entry.object == object
            && entry.username == username
            && now - entry.at < 60_000
    });
    let count = known.map_or(0, |at| log.remove(at).count) + 1;
    let client = client.trim_ascii_end().to_vec();
    let entry = LogEntry {
        count,
        reason,
        context,
        object: object.to_vec(),
        username: username.to_vec(),
        at: now,
        client,
    };
    log.insert(0, entry);
    log.truncate(limit);
}

pub(crate) fn log(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let count = match *argv {
        [_, _] => 10,
        [_, _, word] if arg::is(word, "reset") => {
            cx.server.acl.log.clear();
            return cx.ok();
        }
        [_, _, count] => usize::try_from(arg::integer(count)?).unwrap_or(0),
        _ => return Err(super::wrong_subcommand(cx, argv)),
    };
    let now = cx.keys.now();
    let entries = cx.server.acl.log.iter().take(count);
    cx.sink.seq(Seq::Array, entries.len());
    for entry in entries {
        cx.sink.map(7);
        cx.sink.bulk(b"count");
        cx.sink.integer(entry.count);
        let texts: [(&str, &[u8]); 4] = [
            ("reason", entry.reason.as_bytes()),
            ("context", entry.context.as_bytes()),
            ("object", &entry.object),
            ("username", &entry.username),
        ];
        for (name, text) in texts {
            cx.sink.bulk(name.as_bytes());
            cx.sink.bulk(text);
        }
        cx.sink.bulk(b"age-seconds");
        cx.sink.double((now - entry.at) as f64 / 1000.0);
        cx.sink.bulk(b"client-info");
        cx.sink.bulk(&entry.client);
    }
    Ok(())
}
