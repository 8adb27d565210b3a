//! Which commands of Redis 7.0 there are, and how much of each.
//!
//! Owns the table of COMPATIBILITY.md: the names come from the command table itself (`COMMAND`),
//! absence from the reply to a call, restrictions from `commands.jsonl`. Must not know how a
//! command works.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use redlua::Client;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use redlua_cases::lines;

use crate::Error;

/// How much of a command there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// All that a script or a client of a single server can tell.
    Done,
    /// Some of it; the note says what.
    Partial,
    /// Nothing but a clear error, or the reply of a server that does not use the feature.
    Absent,
}

/// A top-level command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandState {
    /// Its name, in capitals.
    pub name: String,
    /// The group it is shown in.
    pub group: &'static str,
    /// How much there is; of a container, all of its subcommands together.
    pub state: State,
    /// What is missing.
    pub note: String,
}

/// A restriction that the command table cannot tell.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Note {
    /// The full name: `get`, `config|get`.
    command: String,
    state: State,
    note: String,
}

/// One entry of `COMMAND`'s reply: name, arity, flags, first key, last key, step, ACL categories,
/// tips, key specifications, subcommands.
#[derive(Deserialize)]
struct Entry(
    String,
    i64,
    IgnoredAny,
    IgnoredAny,
    IgnoredAny,
    IgnoredAny,
    Vec<String>,
    IgnoredAny,
    IgnoredAny,
    Vec<Entry>,
);

/// The groups, each with the ACL category that tells it; the first that fits counts.
const GROUPS: [(&str, &str); 14] = [
    ("@scripting", "scripting"),
    ("@transaction", "transactions"),
    ("@bitmap", "bitmaps"),
    ("@hyperloglog", "HyperLogLog"),
    ("@geo", "geo"),
    ("@stream", "streams"),
    ("@pubsub", "pub/sub"),
    ("@hash", "hashes"),
    ("@list", "lists"),
    ("@sortedset", "sorted sets"),
    ("@set", "sets"),
    ("@string", "strings"),
    ("@keyspace", "keys"),
    ("@connection", "connections"),
];

/// What has no category of its own.
const REST: &str = "server";

/// Every command of the table with its state; the notes are read from `notes`.
///
/// # Errors
/// The notes cannot be read, or one names no command.
pub fn commands(notes: &Path) -> Result<Vec<CommandState>, Error> {
    let mut notes: BTreeMap<String, Note> =
        lines::<Note>(notes)?.into_iter().map(|note| (note.command.clone(), note)).collect();
    let broken = |error: redlua::Error| Error::Target(std::io::Error::other(error.to_string()));
    let reply = Client::new().command(("COMMAND",)).map_err(broken)?;
    let mut entries: Vec<Entry> = redlua::from_reply(&reply).map_err(broken)?;
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    let states = entries.iter().map(|entry| state(entry, &mut notes)).collect();
    match notes.into_keys().next() {
        None => Ok(states),
        Some(id) => Err(Error::Form { id, what: "a note on no command".into() }),
    }
}

/// The table as Markdown, a line a command, after a line of counts.
pub fn command_table(commands: &[CommandState]) -> String {
    let count = |state| commands.iter().filter(|command| command.state == state).count();
    let mut text = format!(
        "{} commands: {} done, {} partial, {} absent.\n",
        commands.len(),
        count(State::Done),
        count(State::Partial),
        count(State::Absent)
    );
    for group in GROUPS.iter().map(|(_, group)| *group).chain([REST]) {
        let _ = write!(text, "\n### {group}\n\n| command | state | |\n|---|---|---|\n");
        for command in commands.iter().filter(|command| command.group == group) {
            let state = match command.state {
                State::Done => "done",
                State::Partial => "partial",
                State::Absent => "absent",
            };
            let _ = writeln!(text, "| {} | {state} | {} |", command.name, command.note);
        }
    }
    text
}

fn state(entry: &Entry, notes: &mut BTreeMap<String, Note>) -> CommandState {
    let Entry(name, _, _, _, _, _, categories, _, _, subcommands) = entry;
    let own = notes.remove(name);
    let (state, note) = match own {
        Some(note) => (note.state, note.note),
        None if subcommands.is_empty() => (probe(entry), String::new()),
        None => container(subcommands, notes),
    };
    // A container has few categories of its own.
    let words: Vec<&String> =
        categories.iter().chain(subcommands.iter().flat_map(|inner| &inner.6)).collect();
    let group = GROUPS
        .iter()
        .find(|(category, _)| words.iter().any(|word| word == category))
        .map_or(REST, |(_, group)| group);
    CommandState { name: name.to_ascii_uppercase(), group, state, note }
}

/// The state of a container and what is to be said of its subcommands.
fn container(subcommands: &[Entry], notes: &mut BTreeMap<String, Note>) -> (State, String) {
    let mut said: Vec<(String, State, String)> = Vec::new();
    for entry in subcommands {
        let word = entry.0.rsplit('|').next().unwrap_or_default().to_ascii_uppercase();
        let (state, note) = match notes.remove(&entry.0) {
            Some(note) => (note.state, note.note),
            None => (probe(entry), String::new()),
        };
        said.push((word, state, note));
    }
    said.sort();
    let useful = said.iter().filter(|(word, ..)| word != "HELP");
    let states: Vec<State> = useful.map(|(_, state, _)| *state).collect();
    let state = match states.first() {
        Some(first) if states.iter().all(|state| state == first) => *first,
        _ => State::Partial,
    };
    let notes = said.into_iter().filter(|(_, state, _)| *state != State::Done);
    let notes = notes.map(|(word, state, note)| match (state, note.is_empty()) {
        (State::Absent, true) => format!("{word}: absent"),
        (State::Absent, false) => format!("{word}: absent, {note}"),
        _ => format!("{word}: {note}"),
    });
    (state, notes.collect::<Vec<_>>().join("; "))
}

/// Asks a server of its own whether it has the command at all: calls it with as many words as
/// its arity asks for. What those words do to the command does not matter.
fn probe(entry: &Entry) -> State {
    let mut argv: Vec<&str> = entry.0.split('|').collect();
    argv.resize(argv.len().max(entry.1.unsigned_abs() as usize), "x");
    let connection = redlua::new_server().connect();
    connection.send(&argv);
    let reply = connection.recv(Duration::from_secs(5)).unwrap_or_default();
    if reply.ends_with(b"is not available in the embedded store\r\n") {
        State::Absent
    } else {
        State::Done
    }
}
