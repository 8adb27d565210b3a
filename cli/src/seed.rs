//! What the databases hold before the script runs.
//!
//! Owns the form of a seed file: a command a line, empty lines and lines that begin with `#`
//! aside. Must not know the commands.

use std::fs;
use std::path::Path;

use redlua::conversions::resp::split_args;
use redlua::{Connection, Reply};

use crate::error::Error;

/// A command of a seed file.
pub(crate) struct Command {
    /// The line, from 1.
    line: usize,
    /// As it is written there.
    text: String,
    pub(crate) words: Vec<Vec<u8>>,
}

/// The commands of a seed file.
pub(crate) fn commands(path: &Path) -> Result<Vec<Command>, Error> {
    let text = fs::read(path).map_err(|source| Error::File { path: path.to_owned(), source })?;
    let mut commands = Vec::new();
    for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
        let text = line.trim_ascii();
        if text.is_empty() || text.starts_with(b"#") {
            continue;
        }
        let Ok(words) = split_args(line) else {
            return Err(Error::Quotes { path: path.to_owned(), line: index + 1 });
        };
        if !words.is_empty() {
            let text = String::from_utf8_lossy(text).into_owned();
            commands.push(Command { line: index + 1, text, words });
        }
    }
    Ok(commands)
}

/// Runs the commands of a seed file; the first that fails ends it.
pub(crate) fn plant(client: &mut dyn Connection, path: &Path) -> Result<(), Error> {
    for Command { line, text, words } in commands(path)? {
        let argv: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
        if let Reply::Error(reply) = client.request(&argv) {
            let reply = String::from_utf8_lossy(&reply).into_owned();
            return Err(Error::Seed { path: path.to_owned(), line, command: text, reply });
        }
    }
    Ok(())
}
