//! `COMMAND`: what the table tells about itself (`server.c commandCommand`).
//!
//! Owns the subcommands. It must not know what commands do.

use redlua_conversions::glob;
use redlua_conversions::keys::{Find, Start};
use redlua_core::{CommandFlags, ReplySink, Seq};

use crate::arg;
use crate::commands::documents::DOCUMENTS;
use crate::context::Cx;
use crate::error::{CommandError, CommandResult, SYNTAX};
use crate::table::{Command, KeyUse, Rule, Table};

pub(crate) fn all(cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    push_all(cx.sink);
    Ok(())
}

fn push_all(sink: &mut dyn ReplySink) {
    let table = Table::instance();
    sink.seq(Seq::Array, table.tops().count());
    for command in table.tops() {
        push_info(sink, command);
    }
}

pub(crate) fn count(cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    cx.integer(Table::instance().tops().count())
}

pub(crate) fn info(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let names = &argv[2..];
    if names.is_empty() {
        push_all(cx.sink);
        return Ok(());
    }
    cx.sink.seq(Seq::Array, names.len());
    for name in names {
        match Table::instance().full(name) {
            Some(command) => push_info(cx.sink, command),
            None => cx.sink.null(),
        }
    }
    Ok(())
}

fn push_info(sink: &mut dyn ReplySink, command: &Command) {
    let table = Table::instance();
    sink.seq(Seq::Array, 10);
    sink.bulk(command.name.as_bytes());
    sink.integer(i64::from(command.spec.arity));
    push_words(sink, &command.flags, "");
    let keys = command.spec.keys;
    for position in [keys.first, keys.last, keys.step] {
        sink.integer(i64::from(position));
    }
    push_words(sink, &command.categories, "@");
    sink.seq(Seq::Set, command.tips.len());
    for tip in &command.tips {
        sink.bulk(tip.as_bytes());
    }
    sink.seq(Seq::Set, command.rules.len());
    for rule in &command.rules {
        push_rule(sink, rule);
    }
    // An empty list is a set, another an array (`addReplyCommandSubCommands`).
    let kind = if command.subcommands.is_empty() { Seq::Set } else { Seq::Array };
    sink.seq(kind, command.subcommands.len());
    for subcommand in command.subcommands.iter().filter_map(|id| table.number(*id)) {
        push_info(sink, subcommand);
    }
}

/// A set of words as status lines.
fn push_words(sink: &mut dyn ReplySink, words: &[&str], prefix: &str) {
    sink.seq(Seq::Set, words.len());
    for word in words {
        sink.status(format!("{prefix}{word}").as_bytes());
    }
}

fn push_rule(sink: &mut dyn ReplySink, rule: &Rule) {
    sink.map(3 + usize::from(!rule.notes.is_empty()));
    if !rule.notes.is_empty() {
        sink.bulk(b"notes");
        sink.bulk(rule.notes.as_bytes());
    }
    sink.bulk(b"flags");
    push_words(sink, &rule.flags, "");
    sink.bulk(b"begin_search");
    match &rule.place.start {
        Start::Index(at) => push_search(sink, "index", &[("index", *at)]),
        Start::Keyword(keyword, from) => {
            sink.map(2);
            sink.bulk(b"type");
            sink.bulk(b"keyword");
            sink.bulk(b"spec");
            sink.map(2);
            sink.bulk(b"keyword");
            sink.bulk(keyword.as_bytes());
            sink.bulk(b"startfrom");
            sink.integer(*from);
        }
        Start::Unknown => push_search(sink, "unknown", &[]),
    }
    sink.bulk(b"find_keys");
    match rule.place.find {
        Find::Range { last, step, limit } => {
            push_search(sink, "range", &[("lastkey", last), ("keystep", step), ("limit", limit)]);
        }
        Find::Count { number, first, step } => push_search(
            sink,
            "keynum",
            &[("keynumidx", number), ("firstkey", first), ("keystep", step)],
        ),
        Find::Unknown => push_search(sink, "unknown", &[]),
    }
}

fn push_search(sink: &mut dyn ReplySink, kind: &str, figures: &[(&str, i64)]) {
    sink.map(2);
    sink.bulk(b"type");
    sink.bulk(kind.as_bytes());
    sink.bulk(b"spec");
    sink.map(figures.len());
    for (name, value) in figures {
        sink.bulk(name.as_bytes());
        sink.integer(*value);
    }
}

pub(crate) fn docs(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let table = Table::instance();
    let commands: Vec<&Command> = match &argv[2..] {
        [] => table.tops().collect(),
        names => names.iter().filter_map(|name| table.full(name)).collect(),
    };
    cx.sink.map(commands.len());
    for command in commands {
        cx.sink.bulk(command.name.as_bytes());
        push_document(cx.sink, command);
    }
    Ok(())
}

/// Pushes a command's document; a subcommand's stands inside its container's.
fn push_document(sink: &mut dyn ReplySink, command: &Command) {
    let container = command.name.split('|').next().unwrap_or_default();
    let document = DOCUMENTS
        .binary_search_by(|(name, _)| (*name).cmp(container))
        .ok()
        .and_then(|at| DOCUMENTS.get(at))
        .map_or("%0", |(_, document)| *document);
    let mut lines = document.lines();
    if command.parent.is_some() {
        let title = format!("${}", command.name);
        lines.by_ref().find(|line| *line == title);
    }
    // How many values are still to come.
    let mut left = 1;
    while left > 0 {
        let Some(line) = lines.next() else { break };
        let Some((kind, rest)) = line.split_at_checked(1) else { break };
        let count = rest.parse().unwrap_or(0);
        left -= 1;
        match kind {
            "%" => {
                sink.map(count);
                left += 2 * count;
            }
            "*" | "~" => {
                sink.seq(if kind == "*" { Seq::Array } else { Seq::Set }, count);
                left += count;
            }
            ":" => sink.integer(count as i64),
            "+" => sink.status(rest.as_bytes()),
            _ => sink.bulk(rest.as_bytes()),
        }
    }
}

pub(crate) fn list(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let table = Table::instance();
    let names: Vec<&str> = match *argv {
        [_, _] => table.all().iter().map(|command| command.name).collect(),
        [_, _, filter, by, value] if arg::is(filter, "filterby") => {
            let all = table.all().iter();
            if arg::is(by, "module") {
                Vec::new()
            } else if arg::is(by, "aclcat") {
                all.filter(|c| c.categories.iter().any(|name| arg::is(value, name)))
                    .map(|command| command.name)
                    .collect()
            } else if arg::is(by, "pattern") {
                all.filter(|c| glob::matches_any_case(value, c.name.as_bytes()))
                    .map(|command| command.name)
                    .collect()
            } else {
                return Err(SYNTAX);
            }
        }
        _ => return Err(SYNTAX),
    };
    cx.sink.seq(Seq::Array, names.len());
    for name in names {
        cx.sink.bulk(name.as_bytes());
    }
    Ok(())
}

pub(crate) fn getkeys(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let keys = keys(&argv[2..])?;
    cx.sink.seq(Seq::Array, keys.len());
    for (at, _) in keys {
        cx.sink.bulk(argv.get(at + 2).copied().unwrap_or_default());
    }
    Ok(())
}

pub(crate) fn getkeysandflags(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let keys = keys(&argv[2..])?;
    cx.sink.seq(Seq::Array, keys.len());
    for (at, flags) in keys {
        cx.sink.seq(Seq::Array, 2);
        cx.sink.bulk(argv.get(at + 2).copied().unwrap_or_default());
        push_words(cx.sink, &flags, "");
    }
    Ok(())
}

/// The keys of a call (`getKeysSubcommandImpl`).
fn keys(call: &[&[u8]]) -> Result<Vec<KeyUse>, CommandError> {
    const NO_KEYS: CommandError = CommandError::fixed("ERR The command has no key arguments");
    let command = Table::instance()
        .resolve(call)
        .ok_or(CommandError::fixed("ERR Invalid command specified"))?;
    if !command.rules.iter().any(Rule::is_of_keys) {
        return Err(NO_KEYS);
    }
    if !command.spec.accepts(call.len()) {
        return Err(CommandError::fixed("ERR Invalid number of arguments specified for command"));
    }
    let keys = command.keys(call).unwrap_or_default();
    if keys.is_empty() && !command.spec.flags.contains(CommandFlags::NO_MANDATORY_KEYS) {
        return Err(CommandError::fixed("ERR Invalid arguments specified for command"));
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_document() {
        assert!(DOCUMENTS.is_sorted_by_key(|(name, _)| *name));
        for command in Table::instance().all() {
            let container = command.name.split('|').next().unwrap_or_default();
            let document = DOCUMENTS.iter().find(|(name, _)| *name == container);
            let text = document.map_or("", |(_, text)| *text);
            let title = format!("${}", command.name);
            assert!(
                !text.is_empty() && (command.parent.is_none() || text.lines().any(|l| l == title)),
                "{}",
                command.name
            );
        }
    }
}
