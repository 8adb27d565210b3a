//! One script on an embedded Redis.
//!
//! Owns the order: seed, script, reply, databases. Must not know what a script does.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use redlua::store::Clock;
use redlua::{Client, Connection, Engine, Session, Store, backend};

use crate::error::Error;
use crate::output::{print, print_failure, protocol, shown, together};
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
    let unreadable = |source| Error::File { path: file.to_owned(), source };
    let mut source = Vec::new();
    if file.as_os_str() == "-" {
        io::stdin().read_to_end(&mut source).map_err(unreadable)?;
    } else {
        source = fs::read(file).map_err(unreadable)?;
    }
    let keys = words.iter().position(|word| word == ",").unwrap_or(words.len());
    let words: Vec<&[u8]> = words
        .iter()
        .enumerate()
        .filter(|(index, _)| *index != keys)
        .map(|(_, word)| word.as_encoded_bytes())
        .collect();
    perform(options, &source, keys.to_string().as_bytes(), &words)
}

fn perform(
    options: &Options,
    source: &[u8],
    numkeys: &[u8],
    words: &[&[u8]],
) -> Result<ExitCode, Error> {
    let mut client = client(options)?;
    for path in &options.seed {
        seed::plant(&mut client, path)?;
    }
    client.session = Session { protocol: protocol(options), ..Session::default() };

    let eval: &[u8] = if options.read_only { b"EVAL_RO" } else { b"EVAL" };
    let mut argv = vec![eval, source, numkeys];
    argv.extend(words);
    let reply = client.request(&argv);
    client.session = Session::default();

    if options.db && options.format == Format::Json {
        print(&together(&reply, dump::json(&mut client)?)?)?;
    } else {
        if !reply.is_error() {
            print(&shown(options, &reply)?)?;
        }
        if options.db {
            print(&dump::commands(&mut client)?)?;
        }
    }
    if reply.is_error() {
        print_failure(&reply)?;
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

fn client(options: &Options) -> Result<Client, Error> {
    let clock = match options.now {
        Some(now) => Clock::manual(Duration::from_millis(now)),
        None => Clock::system(),
    };
    let mut client = Client::with_host(Store::with_clock(clock));
    if let Some(name) = &options.backend {
        client.engine = Engine::new(backend(name)?);
    }
    Ok(client)
}
