//! Selectors: one set of permitted commands, keys and channels.
//!
//! Owns [`Selector`], its rules (`ACLSetSelector` in `acl.c`) and its check of a call. It must
//! not know users.

use std::sync::LazyLock;

use hashbrown::{HashMap, HashSet};
use redlua_conversions::glob;

use crate::table::{Command, Table};

/// All categories, in the order Redis lists them.
#[rustfmt::skip]
pub(crate) const CATEGORIES: [&str; 21] = [
    "keyspace", "read", "write", "set", "sortedset", "list", "hash", "string", "bitmap",
    "hyperloglog", "geo", "stream", "pubsub", "admin", "fast", "slow", "blocking", "dangerous",
    "connection", "transaction", "scripting",
];

/// The numbers of all commands.
static ALL: LazyLock<HashSet<u32>> =
    LazyLock::new(|| Table::instance().all().iter().map(|command| command.spec.id).collect());

/// What a selector permits.
#[derive(Clone, Debug, Default)]
pub(super) struct Selector {
    /// Numbers of the permitted commands and subcommands.
    pub(super) commands: HashSet<u32>,
    /// Whether every command is permitted.
    pub(super) all_commands: bool,
    /// Whether commands that do not exist yet would be permitted.
    pub(super) future: bool,
    /// Commands permitted only with these first arguments.
    pub(super) first_args: HashMap<u32, Vec<Vec<u8>>>,
    /// Key patterns.
    pub(super) keys: Vec<KeyPattern>,
    /// Whether every key is permitted.
    pub(super) all_keys: bool,
    /// Channel patterns.
    pub(super) channels: Vec<Vec<u8>>,
    /// Whether every channel is permitted.
    pub(super) all_channels: bool,
}

/// A pattern of keys and what may be done with them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeyPattern {
    pub(super) pattern: Vec<u8>,
    pub(super) read: bool,
    pub(super) write: bool,
}

/// Why a rule is refused (`ACLSetUserStringError`).
pub(super) type RuleError = &'static str;

pub(super) const SYNTAX: RuleError = "Syntax error";
const UNKNOWN: RuleError = "Unknown command or category name in ACL";

/// How a check of one selector ends; later ones are more specific.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Refusal {
    Command,
    Key,
    Channel,
}

impl Selector {
    /// Whether it permits whatever there is.
    #[inline]
    pub(super) fn permits_all(&self) -> bool {
        self.all_commands && self.all_keys && self.all_channels
    }

    /// Applies one rule.
    pub(super) fn apply(&mut self, rule: &[u8]) -> Result<(), RuleError> {
        let lower = rule.to_ascii_lowercase();
        match lower.as_slice() {
            b"allkeys" | b"~*" => {
                self.all_keys = true;
                self.keys.clear();
            }
            b"resetkeys" => {
                self.all_keys = false;
                self.keys.clear();
            }
            b"allchannels" | b"&*" => {
                self.all_channels = true;
                self.channels.clear();
            }
            b"resetchannels" => {
                self.all_channels = false;
                self.channels.clear();
            }
            b"allcommands" | b"+@all" => {
                self.commands.clone_from(&ALL);
                self.all_commands = true;
                self.future = true;
                self.first_args.clear();
            }
            b"nocommands" | b"-@all" => {
                self.commands.clear();
                self.all_commands = false;
                self.future = false;
                self.first_args.clear();
            }
            [b'~' | b'%', ..] => return self.add_keys(rule),
            [b'&', ..] => return self.add_channel(&rule[1..]),
            [sign @ (b'+' | b'-'), b'@', name @ ..] => {
                return self.category(name, *sign == b'+');
            }
            [b'+', name @ ..] => return self.permit(name),
            [b'-', name @ ..] => {
                let command = Table::instance().full(name).ok_or(UNKNOWN)?;
                self.change(command, false);
            }
            _ => return Err(SYNTAX),
        }
        Ok(())
    }

    fn add_keys(&mut self, rule: &[u8]) -> Result<(), RuleError> {
        if self.all_keys {
            return Err("Adding a pattern after the * pattern (or the 'allkeys' flag) is not \
                        valid and does not have any effect. Try 'resetkeys' to start with an \
                        empty list of patterns");
        }
        // Without a tilde the pattern is empty.
        let tilde = rule.iter().position(|&byte| byte == b'~').unwrap_or(rule.len());
        let (flags, pattern) = (&rule[..tilde], rule.get(tilde + 1..).unwrap_or_default());
        let (read, write) = match flags {
            [] => (true, true),
            [b'%', flags @ ..] if !flags.is_empty() => {
                let upper = flags.to_ascii_uppercase();
                // Each once, in either order.
                match upper.as_slice() {
                    b"R" => (true, false),
                    b"W" => (false, true),
                    b"RW" | b"WR" => (true, true),
                    _ => return Err(SYNTAX),
                }
            }
            _ => return Err(SYNTAX),
        };
        if has_spaces(pattern) {
            return Err(SYNTAX);
        }
        match self.keys.iter_mut().find(|known| known.pattern == pattern) {
            Some(known) => {
                known.read |= read;
                known.write |= write;
            }
            None => self.keys.push(KeyPattern { pattern: pattern.to_vec(), read, write }),
        }
        Ok(())
    }

    fn add_channel(&mut self, pattern: &[u8]) -> Result<(), RuleError> {
        if self.all_channels {
            return Err("Adding a pattern after the * pattern (or the 'allchannels' flag) is \
                        not valid and does not have any effect. Try 'resetchannels' to start \
                        with an empty list of channels");
        }
        if has_spaces(pattern) {
            return Err(SYNTAX);
        }
        if !self.channels.iter().any(|known| known == pattern) {
            self.channels.push(pattern.to_vec());
        }
        Ok(())
    }

    fn category(&mut self, name: &[u8], permit: bool) -> Result<(), RuleError> {
        let name = CATEGORIES.iter().find(|known| known.as_bytes() == name).ok_or(UNKNOWN)?;
        for command in Table::instance().all() {
            if command.categories.contains(name) {
                self.change(command, permit);
            }
        }
        Ok(())
    }

    /// `+command`, `+container|subcommand` or `+command|first-argument`.
    fn permit(&mut self, name: &[u8]) -> Result<(), RuleError> {
        let table = Table::instance();
        let Some(bar) = name.iter().rposition(|&byte| byte == b'|') else {
            let command = table.top(name).ok_or(UNKNOWN)?;
            self.change(command, true);
            return Ok(());
        };
        let command = table.full(&name[..bar]).ok_or(UNKNOWN)?;
        let word = &name[bar + 1..];
        if command.parent.is_some() {
            return Err("Allowing first-arg of a subcommand is not supported");
        }
        if word.is_empty() {
            return Err(SYNTAX);
        }
        if !command.subcommands.is_empty() {
            let command = table.subcommand(command, word).ok_or(UNKNOWN)?;
            self.change(command, true);
        } else if !self.commands.contains(&command.spec.id) {
            let words = self.first_args.entry(command.spec.id).or_default();
            if !words.iter().any(|known| known == word) {
                words.push(word.to_vec());
            }
        }
        Ok(())
    }

    /// Permits or forbids a command with its subcommands (`ACLChangeSelectorPerm`).
    fn change(&mut self, command: &Command, permit: bool) {
        self.first_args.remove(&command.spec.id);
        for id in command.subcommands.iter().chain([&command.spec.id]) {
            if permit {
                self.commands.insert(*id);
            } else {
                self.commands.remove(id);
                self.all_commands = false;
            }
        }
    }

    /// Whether the selector permits a call (`ACLSelectorCheckCmd`).
    ///
    /// # Errors
    /// What is refused, and which word of the call it is.
    pub(super) fn check(&self, command: &Command, argv: &[&[u8]]) -> Result<(), (Refusal, usize)> {
        let free = command.spec.flags.contains(redlua_core::CommandFlags::NO_AUTH);
        if !self.all_commands && !free && !self.commands.contains(&command.spec.id) {
            let words = self.first_args.get(&command.spec.id).ok_or((Refusal::Command, 0))?;
            let word = argv.get(1).ok_or((Refusal::Command, 0))?;
            if !words.iter().any(|known| known.eq_ignore_ascii_case(word)) {
                return Err((Refusal::Command, 1));
            }
        }
        if !self.all_keys {
            for (at, flags) in command.keys(argv).unwrap_or_default() {
                let has = |name: &str| flags.contains(&name);
                let write = has("insert") || has("delete") || has("update");
                let key = argv.get(at).copied().unwrap_or_default();
                if !self.permits_key(key, has("access"), write) {
                    return Err((Refusal::Key, at));
                }
            }
        }
        if !self.all_channels {
            let (channels, literal) = channels(command, argv);
            if let Some(at) = channels.iter().position(|name| !self.permits_channel(name, literal))
            {
                return Err((Refusal::Channel, at + 1));
            }
        }
        Ok(())
    }

    /// Whether every key may be read (`ACLSelectorHasUnrestrictedKeyAccess`).
    pub(super) fn reads_any_key(&self) -> bool {
        self.all_keys || self.keys.iter().any(|known| known.read && known.pattern == b"*")
    }

    fn permits_key(&self, key: &[u8], read: bool, write: bool) -> bool {
        self.keys.iter().any(|known| {
            (known.read || !read) && (known.write || !write) && glob::matches(&known.pattern, key)
        })
    }

    /// A pattern to subscribe to must be permitted as it is written.
    fn permits_channel(&self, channel: &[u8], literal: bool) -> bool {
        self.channels
            .iter()
            .any(|known| if literal { known == channel } else { glob::matches(known, channel) })
    }
}

/// The channels of a call, and whether they are patterns.
fn channels<'a>(command: &Command, argv: &'a [&'a [u8]]) -> (&'a [&'a [u8]], bool) {
    let rest = argv.get(1..).unwrap_or_default();
    match command.name {
        "publish" | "spublish" => (rest.get(..1).unwrap_or_default(), false),
        "subscribe" | "ssubscribe" => (rest, false),
        "psubscribe" => (rest, true),
        _ => (&[], false),
    }
}

fn has_spaces(text: &[u8]) -> bool {
    text.iter().any(|byte| byte.is_ascii_whitespace() || *byte == 0 || *byte == 0x0b)
}
