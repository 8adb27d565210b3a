//! Which commands a server has, from its own `COMMAND`.
//!
//! Owns the table: name, arity, flags, key positions. Must not know what a command does.

use std::collections::HashMap;

use redis::Value;
use redlua_conversions::keys::{self, Find, KeyRule, Start};
use redlua_core::{CommandFlags, CommandSpec, KeySpec};

/// The commands of one server.
#[derive(Debug, Default)]
pub(crate) struct Commands {
    /// By name in lower case, subcommands as `config|get`.
    by_name: HashMap<Vec<u8>, CommandSpec>,
    /// By number, of those whose positions do not tell their keys: name and key specifications.
    movable: HashMap<u32, (String, Vec<KeyRule>)>,
}

impl Commands {
    /// Reads the reply to `COMMAND`; `None` when it is of another form.
    pub(crate) fn parse(reply: &Value) -> Option<Self> {
        let Value::Array(entries) = reply else { return None };
        let mut commands = Commands::default();
        for entry in entries {
            commands.add(entry, CommandFlags::empty());
        }
        (!commands.by_name.is_empty()).then_some(commands)
    }

    fn add(&mut self, entry: &Value, kind: CommandFlags) -> Option<()> {
        let Value::Array(fields) = entry else { return None };
        let name = text(fields.first()?)?.to_ascii_lowercase();
        let arity = i16::try_from(integer(fields.get(1)?)?).ok()?;
        let mut flags = flags(fields.get(2)?) | kind;
        let position = |index: usize| {
            let value = integer(fields.get(index)?)?;
            i16::try_from(value).ok()
        };
        let keys = KeySpec {
            first: position(3).unwrap_or(0),
            last: position(4).unwrap_or(0),
            step: position(5).unwrap_or(0),
        };
        // Servers before 7.0 do not list subcommands: there the container itself runs.
        if let Some(Value::Array(subcommands)) = fields.get(9)
            && !subcommands.is_empty()
        {
            flags |= CommandFlags::CONTAINER;
            for subcommand in subcommands {
                self.add(subcommand, CommandFlags::SUBCOMMAND);
            }
        }
        let id = u32::try_from(self.by_name.len()).unwrap_or(u32::MAX);
        if let (true, Some(Value::Array(rules))) =
            (flags.contains(CommandFlags::MOVABLE_KEYS), fields.get(8))
        {
            let rules = rules.iter().filter_map(rule).collect();
            self.movable.insert(id, (String::from_utf8_lossy(&name).into_owned(), rules));
        }
        self.by_name.insert(name, CommandSpec { id, arity, flags, keys });
        Some(())
    }

    /// See [`Host::keys`](redlua_core::Host::keys). Servers before 7.0 tell positions only.
    pub(crate) fn keys(&self, spec: &CommandSpec, argv: &[&[u8]]) -> Vec<usize> {
        match self.movable.get(&spec.id) {
            Some((name, rules)) => {
                let keys = keys::keys(name, rules, argv).unwrap_or_default();
                keys.into_iter().map(|key| key.at).collect()
            }
            None => spec.keys.positions(argv.len()),
        }
    }

    /// See [`Host::command`](redlua_core::Host::command).
    pub(crate) fn find(&self, argv: &[&[u8]]) -> Option<CommandSpec> {
        let name = argv.first()?.to_ascii_lowercase();
        let spec = self.by_name.get(&name)?;
        match argv.get(1) {
            Some(second) if spec.flags.contains(CommandFlags::CONTAINER) => {
                let mut full = name;
                full.push(b'|');
                full.extend(second.iter().map(u8::to_ascii_lowercase));
                self.by_name.get(&full).copied()
            }
            _ => Some(*spec),
        }
    }
}

/// One key specification: `flags`, `begin_search`, `find_keys`.
fn rule(value: &Value) -> Option<KeyRule> {
    let start = field(value, "begin_search")?;
    let start = match text(field(start, "type")?)? {
        b"index" => Start::Index(figure(start, "index")?),
        b"keyword" => {
            let keyword = text(field(field(start, "spec")?, "keyword")?)?;
            let keyword = String::from_utf8_lossy(keyword).into_owned();
            Start::Keyword(keyword.into(), figure(start, "startfrom")?)
        }
        _ => Start::Unknown,
    };
    let find = field(value, "find_keys")?;
    let find = match text(field(find, "type")?)? {
        b"range" => Find::Range {
            last: figure(find, "lastkey")?,
            step: figure(find, "keystep")?,
            limit: figure(find, "limit")?,
        },
        b"keynum" => Find::Count {
            number: figure(find, "keynumidx")?,
            first: figure(find, "firstkey")?,
            step: figure(find, "keystep")?,
        },
        _ => Find::Unknown,
    };
    Some(KeyRule { start, find })
}

/// A figure among the details of a specification.
fn figure(value: &Value, name: &str) -> Option<i64> {
    integer(field(field(value, "spec")?, name)?)
}

/// A field of a map, which is an array in RESP2.
fn field<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    let Value::Array(words) = value else { return None };
    let pair = words
        .chunks_exact(2)
        .find(|pair| pair.first().and_then(text).is_some_and(|word| word == name.as_bytes()));
    pair.and_then(|pair| pair.get(1))
}

fn text(value: &Value) -> Option<&[u8]> {
    match value {
        Value::BulkString(bytes) => Some(bytes),
        Value::SimpleString(text) => Some(text.as_bytes()),
        _ => None,
    }
}

fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Int(value) => Some(*value),
        _ => None,
    }
}

fn flags(value: &Value) -> CommandFlags {
    let (Value::Array(names) | Value::Set(names)) = value else { return CommandFlags::empty() };
    names.iter().filter_map(text).map(flag).fold(CommandFlags::empty(), CommandFlags::union)
}

/// A flag by its name in `COMMAND` (`commandFlagNames` in `server.c`); those the engine has no
/// use for are none.
fn flag(name: &[u8]) -> CommandFlags {
    match name {
        b"write" => CommandFlags::WRITE,
        b"readonly" => CommandFlags::READONLY,
        b"denyoom" => CommandFlags::DENYOOM,
        b"admin" => CommandFlags::ADMIN,
        b"pubsub" => CommandFlags::PUBSUB,
        b"noscript" => CommandFlags::NOSCRIPT,
        b"blocking" => CommandFlags::BLOCKING,
        b"loading" => CommandFlags::LOADING,
        b"stale" => CommandFlags::STALE,
        b"skip_monitor" => CommandFlags::SKIP_MONITOR,
        b"skip_slowlog" => CommandFlags::SKIP_SLOWLOG,
        b"fast" => CommandFlags::FAST,
        b"no_auth" => CommandFlags::NO_AUTH,
        b"may_replicate" => CommandFlags::MAY_REPLICATE,
        b"no_multi" => CommandFlags::NO_MULTI,
        b"allow_busy" => CommandFlags::ALLOW_BUSY,
        b"movablekeys" => CommandFlags::MOVABLE_KEYS,
        b"asking" => CommandFlags::ASKING,
        b"no_async_loading" => CommandFlags::NO_ASYNC_LOADING,
        b"no_mandatory_keys" => CommandFlags::NO_MANDATORY_KEYS,
        _ => CommandFlags::empty(),
    }
}
