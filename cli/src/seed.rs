//! What the databases hold before the script runs.
//!
//! Owns the form of a seed file: a command a line, empty lines and lines that begin with `#`
//! aside. Must not know the commands.

use std::fs;
use std::path::Path;

use redlua::conversions::resp::split_args;
use redlua::{Connection, Reply};

use crate::error::Error;

/// Runs the commands of a seed file; the first that fails ends it.
pub(crate) fn plant(client: &mut dyn Connection, path: &Path) -> Result<(), Error> {
    let text = fs::read(path).map_err(|source| Error::File { path: path.to_owned(), source })?;
    for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
        if line.trim_ascii().is_empty() || line.trim_ascii_start().starts_with(b"#") {
            continue;
        }
        let (path, number) = (path.to_owned(), index + 1);
        let Ok(words) = split_args(line) else {
            return Err(Error::Quotes { path, line: number });
        };
        let argv: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
        if argv.is_empty() {
            continue;
        }
        if let Reply::Error(text) = client.request(&argv) {
            return Err(Error::Seed {
                path,
                line: number,
                command: String::from_utf8_lossy(line.trim_ascii()).into_owned(),
                reply: String::from_utf8_lossy(&text).into_owned(),
            });
        }
    }
    Ok(())
}
