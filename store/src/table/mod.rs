//! The command table: what `COMMAND INFO` shows and which function runs.
//!
//! Owns look-up by name and the compiled form of the rows; the rows themselves are in one file
//! a group. It must not know what commands do.

mod bitmap;
mod cluster;
mod connection;
mod generic;
mod geo;
mod hash;
mod hyperloglog;
mod index;
mod keys;
mod list;
mod pubsub;
mod scripting;
mod server;
mod set;
mod sorted_set;
mod spec;
mod stream;
mod string;
mod transactions;

use std::sync::LazyLock;

use redlua_core::{CommandFlags, CommandSpec, KeySpec};

use crate::context::Handler;
use index::Index;

pub(crate) use keys::KeyUse;
pub(crate) use spec::Rule;

/// One row of the table, as text.
pub(crate) struct Row {
    /// The full name: `get`, `config|get`.
    name: &'static str,
    /// How many words a call has; `-n` means at least `n`.
    arity: i16,
    /// The flags `COMMAND INFO` lists.
    flags: &'static str,
    /// The ACL categories, without `@`.
    categories: &'static str,
    /// First key, last key, step.
    keys: [i16; 3],
    /// The key specifications; see [`Rule::parse`].
    rules: &'static str,
    /// The command tips.
    tips: &'static str,
    /// The function.
    run: Handler,
}

impl Row {
    /// A row; the arguments are in the order of the fields.
    #[expect(clippy::too_many_arguments, reason = "a table row has as many columns")]
    const fn new(
        name: &'static str,
        arity: i16,
        flags: &'static str,
        categories: &'static str,
        keys: [i16; 3],
        rules: &'static str,
        tips: &'static str,
        run: Handler,
    ) -> Self {
        Row { name, arity, flags, categories, keys, rules, tips, run }
    }
}

/// A command or subcommand.
pub(crate) struct Command {
    /// The full name: `get`, `config|get`.
    pub(crate) name: &'static str,
    /// The facts the engine checks.
    pub(crate) spec: CommandSpec,
    /// The flags `COMMAND INFO` lists.
    pub(crate) flags: Vec<&'static str>,
    /// The ACL categories, without `@`.
    pub(crate) categories: Vec<&'static str>,
    /// The command tips.
    pub(crate) tips: Vec<&'static str>,
    /// The key specifications.
    pub(crate) rules: Vec<Rule>,
    /// The subcommands' numbers.
    pub(crate) subcommands: Vec<u32>,
    /// The container's number.
    pub(crate) parent: Option<u32>,
    /// The function.
    pub(crate) run: Handler,
}

impl Command {
    /// The name's last word: `get` of `config|get`.
    pub(crate) fn word(&self) -> &'static str {
        self.name.rsplit('|').next().unwrap_or(self.name)
    }
}

/// All commands.
pub(crate) struct Table {
    commands: Vec<Command>,
    /// The numbers of top-level commands by name.
    index: Index,
    /// The facts of each command once more, close together for look-ups.
    specs: Vec<CommandSpec>,
    /// Whether a command has no subcommands.
    plain: Vec<bool>,
}

/// Commands that may replicate although they do not write (`CMD_MAY_REPLICATE` in
/// `commands.c`); `COMMAND` does not show it.
const MAY_REPLICATE: [&str; 6] = ["publish", "spublish", "pfcount", "eval", "evalsha", "fcall"];

impl Table {
    /// The one table.
    pub(crate) fn instance() -> &'static Table {
        static TABLE: LazyLock<Table> = LazyLock::new(Table::build);
        &TABLE
    }

    /// The facts of the command that an argv names; see [`redlua_core::Host::command`].
    #[inline]
    pub(crate) fn spec(&self, argv: &[&[u8]]) -> Option<CommandSpec> {
        let name = argv.first()?;
        let number = usize::from(self.index.find(name)?);
        let spec = *self.specs.get(number)?;
        // The index tells shorter names for sure.
        let plain = self.plain.get(number).copied().unwrap_or(false);
        if plain && name.len() <= 16 {
            return Some(spec);
        }
        self.resolve(argv).map(|command| command.spec)
    }

    /// The command that an argv names.
    pub(crate) fn resolve(&self, argv: &[&[u8]]) -> Option<&Command> {
        let command = self.top(argv.first()?)?;
        match argv.get(1) {
            Some(word) if !command.subcommands.is_empty() => self.subcommand(command, word),
            _ => Some(command),
        }
    }

    /// The command of that number.
    #[inline]
    pub(crate) fn number(&self, id: u32) -> Option<&Command> {
        self.commands.get(id as usize)
    }

    /// The top-level command of that name, in any case.
    pub(crate) fn top(&self, name: &[u8]) -> Option<&Command> {
        let command = self.commands.get(usize::from(self.index.find(name)?))?;
        command.name.as_bytes().eq_ignore_ascii_case(name).then_some(command)
    }

    /// A container's subcommand of that name, in any case.
    pub(crate) fn subcommand(&self, container: &Command, word: &[u8]) -> Option<&Command> {
        container
            .subcommands
            .iter()
            .filter_map(|id| self.number(*id))
            .find(|command| command.word().as_bytes().eq_ignore_ascii_case(word))
    }

    /// The command of a full name: `get`, `config|get`.
    pub(crate) fn full(&self, name: &[u8]) -> Option<&Command> {
        match name.iter().position(|&byte| byte == b'|') {
            None => self.top(name),
            Some(bar) => self.subcommand(self.top(&name[..bar])?, &name[bar + 1..]),
        }
    }

    /// All commands and subcommands.
    pub(crate) fn all(&self) -> &[Command] {
        &self.commands
    }

    /// The commands that are not subcommands.
    pub(crate) fn tops(&self) -> impl Iterator<Item = &Command> {
        self.commands.iter().filter(|command| command.parent.is_none())
    }

    fn build() -> Self {
        let groups = [
            string::ROWS,
            generic::ROWS,
            hash::ROWS,
            list::ROWS,
            set::ROWS,
            sorted_set::ROWS,
            stream::ROWS,
            bitmap::ROWS,
            hyperloglog::ROWS,
            geo::ROWS,
            pubsub::ROWS,
            transactions::ROWS,
            scripting::ROWS,
            connection::ROWS,
            server::ROWS,
            cluster::ROWS,
        ];
        let mut table = Table {
            commands: Vec::new(),
            index: Index::new(),
            specs: Vec::new(),
            plain: Vec::new(),
        };
        for row in groups.into_iter().flatten() {
            table.add(row);
        }
        table.specs = table.commands.iter().map(|command| command.spec).collect();
        table.plain = table.commands.iter().map(|c| c.subcommands.is_empty()).collect();
        table
    }

    /// Adds a row; a container's row precedes those of its subcommands.
    fn add(&mut self, row: &'static Row) {
        let id = self.commands.len() as u32;
        let parent = row.name.split_once('|').and_then(|(container, _)| {
            self.commands.iter().position(|command| command.name == container)
        });
        let mut flags = row
            .flags
            .split_whitespace()
            .filter_map(|word| CommandFlags::from_name(&word.to_ascii_uppercase()))
            .fold(CommandFlags::empty(), CommandFlags::union);
        if row.flags.contains("movablekeys") {
            flags |= CommandFlags::MOVABLE_KEYS;
        }
        if MAY_REPLICATE.contains(&row.name) {
            flags |= CommandFlags::MAY_REPLICATE;
        }
        match parent.and_then(|parent| self.commands.get_mut(parent)) {
            Some(container) => {
                flags |= CommandFlags::SUBCOMMAND;
                container.subcommands.push(id);
                // COMMAND is the one container that can also run by itself.
                if container.name != "command" {
                    container.spec.flags |= CommandFlags::CONTAINER;
                }
            }
            None => self.index.insert(row.name.as_bytes(), id as u16),
        }
        let [first, last, step] = row.keys;
        self.commands.push(Command {
            name: row.name,
            spec: CommandSpec { id, arity: row.arity, flags, keys: KeySpec { first, last, step } },
            flags: row.flags.split_whitespace().collect(),
            categories: row.categories.split_whitespace().collect(),
            tips: row.tips.split_whitespace().collect(),
            rules: row.rules.split(';').filter_map(Rule::parse).collect(),
            subcommands: Vec::new(),
            parent: parent.map(|parent| parent as u32),
            run: row.run,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_commands_in_any_case() {
        let table = Table::instance();
        assert_eq!(table.tops().count(), 240);
        for command in table.all() {
            let found = table.full(command.name.to_ascii_uppercase().as_bytes());
            assert_eq!(found.map(|found| found.name), Some(command.name));
            assert_eq!(table.number(command.spec.id).map(|found| found.name), Some(command.name));
            let upper = command.name.to_ascii_uppercase();
            let words: Vec<&[u8]> = upper.split('|').map(str::as_bytes).collect();
            assert_eq!(table.spec(&words), Some(command.spec));
        }
        assert!(table.resolve(&[b"config", b"nosuch"]).is_none());
        assert!(table.resolve(&[b"nosuch"]).is_none());
        assert!(table.resolve(&[b""]).is_none());
        let name = |argv: &[&[u8]]| table.resolve(argv).map(|command| command.name);
        assert_eq!(name(&[b"Config", b"GET", b"x"]), Some("config|get"));
        assert_eq!(name(&[b"config"]), Some("config"));
        assert_eq!(name(&[b"get", b"x"]), Some("get"));
    }
}
