//! Which commands a server has, from its own `COMMAND`.
//!
//! Owns the table: name, arity, flags, key positions. Must not know what a command does.

use std::collections::HashMap;

use redis::Value;
use redlua_core::{CommandFlags, CommandSpec, KeySpec};

/// The commands of one server.
#[derive(Debug, Default)]
pub(crate) struct Commands {
    /// By name in lower case, subcommands as `config|get`.
    by_name: HashMap<Vec<u8>, CommandSpec>,
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
        self.by_name.insert(name, CommandSpec { id, arity, flags, keys });
        Some(())
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
