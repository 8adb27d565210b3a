//! One script, embedded or on a server.
//!
//! Owns the order: seed, script, reply, databases. Must not know what a script does.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::process::ExitCode;

use redlua::Connection;

use crate::error::Error;
use crate::output::{note, print, print_failure, shown, together};
use crate::target::Target;
use crate::{Format, Options, dump, seed};

/// `redlua eval`: NUMKEYS goes to the engine as it is.
pub(crate) fn eval(
    options: &Options,
    script: &OsString,
    numkeys: &OsString,
    words: &[OsString],
) -> Result<ExitCode, Error> {
    let words: Vec<&[u8]> = words.iter().map(|word| word.as_encoded_bytes()).collect();
    perform(options, script.as_encoded_bytes(), numkeys.as_encoded_bytes(), &words)
}

/// `redlua run`: a comma ends the keys.
pub(crate) fn run(options: &Options, file: &Path, words: &[OsString]) -> Result<ExitCode, Error> {
    let source = read(file)?;
    let words: Vec<&[u8]> = words.iter().map(|word| word.as_encoded_bytes()).collect();
    let (keys, words) = split(&words);
    perform(options, &source, keys.to_string().as_bytes(), &words)
}

/// A script's source; `-` is the standard input.
pub(crate) fn read(file: &Path) -> Result<Vec<u8>, Error> {
    let unreadable = |source| Error::File { path: file.to_owned(), source };
    let mut source = Vec::new();
    if file.as_os_str() == "-" {
        io::stdin().read_to_end(&mut source).map_err(unreadable)?;
    } else {
        source = fs::read(file).map_err(unreadable)?;
    }
    Ok(source)
}

/// How many of the words are keys, and the words without the comma that ends these.
pub(crate) fn split<'a>(words: &[&'a [u8]]) -> (usize, Vec<&'a [u8]>) {
    let keys = words.iter().position(|word| *word == b",").unwrap_or(words.len());
    let rest = words.iter().enumerate().filter(|(index, _)| *index != keys);
    (keys, rest.map(|(_, word)| *word).collect())
}

fn perform(
    options: &Options,
    source: &[u8],
    numkeys: &[u8],
    words: &[&[u8]],
) -> Result<ExitCode, Error> {
    let mut target = Target::open(options)?;
    for path in &options.seed {
        seed::plant(&mut target, path)?;
    }
    target.begin(options);

    let eval: &[u8] = if options.read_only { b"EVAL_RO" } else { b"EVAL" };
    let mut argv = vec![eval, source, numkeys];
    argv.extend(words);
    let reply = target.request(&argv);
    if let Some(cost) = target.cost() {
        note(&cost)?;
    }
    target.end();

    if options.db && options.format == Format::Json {
        print(&together(&reply, dump::json(&mut target)?)?)?;
    } else {
        if !reply.is_error() {
            print(&shown(options, &reply)?)?;
        }
        if options.db {
            print(&dump::commands(&mut target)?)?;
        }
    }
    if reply.is_error() {
        print_failure(&reply)?;
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}
