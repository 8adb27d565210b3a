//! `redlua diff`: the same script on the embedded store and on a server.
//!
//! Owns the scratch database, which is checked to be empty before and emptied afterwards, and what
//! counts as a difference. Must not know how differences are shown.

use std::ffi::OsString;
use std::fs;
use std::io::{IsTerminal, stderr, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use redlua::conversions::human;
use redlua::conversions::resp::{RespWriter, split_args};
use redlua::remote::{Address, Remote};
use redlua::{Client, Connection, Engine, Protocol, Reply, Session, Store, backend};

use crate::dump::{self, Entry};
use crate::error::Error;
use crate::output::print;
use crate::side::{Column, Style};
use crate::watched::Watched;
use crate::{script, seed, target};

/// Times to live may differ by as much as the two runs lie apart.
const PATIENCE: Duration = Duration::from_secs(2);

/// How scripts are compared.
#[derive(Args)]
pub(crate) struct Options {
    /// The server: redis://, rediss:// or unix://.
    #[arg(long, value_name = "URL")]
    redis: String,
    /// The database of the server in which the scripts run; it must be empty, and is emptied.
    #[arg(long, value_name = "N", default_value_t = 15)]
    scratch_db: u32,
    /// Compare every .lua file of this folder. Beside NAME.lua may lie NAME.args, a line of keys,
    /// comma and arguments for each run, and NAME.seed.
    #[arg(long, value_name = "DIR", conflicts_with = "file")]
    cases: Option<PathBuf>,
    /// Commands to run first, on both sides; may be given repeatedly.
    #[arg(long, value_name = "FILE")]
    seed: Vec<PathBuf>,
    /// The protocol whose replies are compared.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(2..=3))]
    resp: u8,
    /// The Lua engine; `redlua backends` lists them.
    #[arg(long, value_name = "NAME")]
    backend: Option<String>,
    /// How long the server may take for a reply.
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..))]
    timeout: u64,
    /// Run scripts on the server even when they call commands that reach beyond the database.
    #[arg(long)]
    reckless: bool,
}

/// One run of one script.
struct Case {
    file: PathBuf,
    seeds: Vec<PathBuf>,
    /// Keys, then arguments.
    words: Vec<Vec<u8>>,
    keys: usize,
    numkeys: String,
}

/// What one side made of a case.
struct Outcome {
    reply: Reply,
    entries: Vec<Entry>,
}

/// `redlua diff`.
pub(crate) fn diff(
    options: &Options,
    file: Option<&Path>,
    words: &[OsString],
) -> Result<ExitCode, Error> {
    let cases = match (&options.cases, file) {
        (Some(folder), _) => folder_cases(options, folder)?,
        (None, file) => {
            let words: Vec<&[u8]> = words.iter().map(|word| word.as_encoded_bytes()).collect();
            vec![Case::new(file.unwrap_or(Path::new("-")), options.seed.clone(), &words)]
        }
    };
    let address = Address::parse(&options.redis)?;
    let db = if address.is_cluster() { 0 } else { options.scratch_db };
    let mut remote = target::connect(address.with_db(db), options.timeout)?;
    vacant(&mut remote, db)?;
    target::version(&mut remote)?;

    let style = Style::new(stdout().is_terminal());
    let progress = progress(options.cases.is_some() && stderr().is_terminal(), cases.len());
    let (mut same, mut different) = (0, 0);
    for case in &cases {
        progress.set_message(case.file.display().to_string());
        let result = compare(options, case, &mut remote);
        // Whatever happened: the database was empty, and is so again.
        remote.speak(Protocol::Resp2);
        let flushed = Connection::request(&mut remote, &[b"FLUSHDB"]);
        let result = result?;
        if flushed.is_error() {
            return Err(Error::Unexpected { command: "FLUSHDB", reply: flushed });
        }
        let shown = result.map(|sides| style.show(&case.title(), &sides));
        match shown {
            None => same += 1,
            Some(text) => {
                different += 1;
                progress.suspend(|| print(text.as_bytes()))?;
            }
        }
        progress.inc(1);
    }
    progress.finish_and_clear();
    print(format!("{same} identical, {different} different\n").as_bytes())?;
    Ok(if different == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs a case on both sides; `None` when they agree.
fn compare(
    options: &Options,
    case: &Case,
    remote: &mut Remote,
) -> Result<Option<[Column; 2]>, Error> {
    let source = script::read(&case.file)?;
    let mut client = Client::with_host(Watched { store: Store::new(), reckless: None });
    if let Some(name) = &options.backend {
        client.engine = Engine::new(backend(name)?);
    }
    let protocol = if options.resp == 3 { Protocol::Resp3 } else { Protocol::Resp2 };

    for path in &case.seeds {
        seed::plant(&mut client, path)?;
    }
    client.session.protocol = protocol;
    let reply = client.request(&case.argv(&source));
    client.session = Session::default();
    let ours = Outcome { reply, entries: dump::entries(&mut client)? };
    if exhausted(&ours.reply) {
        return Err(Error::Endless { path: case.file.clone() });
    }
    if let (Some(command), false) = (client.host.reckless, options.reckless) {
        let path = case.file.clone();
        return Err(Error::Reckless { path, command: command.to_owned() });
    }

    for path in &case.seeds {
        seed::plant(remote, path)?;
    }
    remote.speak(protocol);
    let reply = remote.request(&case.argv(&source))?;
    remote.speak(Protocol::Resp2);
    let theirs = Outcome { reply, entries: dump::entries(remote)? };

    let equal = wire(&ours.reply, protocol) == wire(&theirs.reply, protocol)
        && alike(&ours.entries, &theirs.entries);
    let there = remote.address().to_string();
    Ok((!equal).then(|| {
        // The same lines for times to live that count as the same.
        let expiry = expiry(&ours.entries, &theirs.entries);
        [ours.column("redlua", &[]), theirs.column(&there, &expiry)]
    }))
}

impl Case {
    fn new(file: &Path, seeds: Vec<PathBuf>, words: &[&[u8]]) -> Self {
        let (keys, words) = script::split(words);
        let words = words.into_iter().map(<[u8]>::to_vec).collect();
        Case { file: file.to_owned(), seeds, words, keys, numkeys: keys.to_string() }
    }

    fn argv<'a>(&'a self, source: &'a [u8]) -> Vec<&'a [u8]> {
        let mut argv: Vec<&[u8]> = vec![b"EVAL", source, self.numkeys.as_bytes()];
        argv.extend(self.words.iter().map(Vec::as_slice));
        argv
    }

    fn title(&self) -> String {
        let mut title = self.file.display().to_string();
        for (index, word) in self.words.iter().enumerate() {
            title.push_str(if index == self.keys { " , " } else { " " });
            title.push_str(&String::from_utf8_lossy(word));
        }
        title
    }
}

impl Outcome {
    /// The lines that are shown. Times to live are those given, where some are.
    fn column(&self, title: &str, expiry: &[Option<i64>]) -> Column {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut lines: Vec<String> = text(&human(&self.reply)).lines().map(str::to_owned).collect();
        for (index, entry) in self.entries.iter().enumerate() {
            let mut commands = Vec::new();
            let expires = expiry.get(index).copied().unwrap_or(entry.expires);
            entry.commands(expires, &mut commands);
            lines.extend(text(&commands).lines().map(str::to_owned));
        }
        Column { title: title.to_owned(), lines }
    }
}

/// Whether a script was stopped by one of the limits that there are only here.
fn exhausted(reply: &Reply) -> bool {
    let Reply::Error(text) = reply else { return false };
    let memory = b"not enough memory";
    text.starts_with(b"ERR Script exceeded its ")
        || text.windows(memory.len()).any(|window| window == memory)
}

/// The bytes that a client would read.
fn wire(reply: &Reply, protocol: Protocol) -> Vec<u8> {
    let mut writer = RespWriter::new(protocol);
    reply.emit(&mut writer);
    writer.into_bytes()
}

/// Whether both sides hold the same, times to live aside that nearly agree.
fn alike(ours: &[Entry], theirs: &[Entry]) -> bool {
    let form = |entry: &Entry, expires| {
        let mut commands = Vec::new();
        entry.commands(expires, &mut commands);
        commands
    };
    ours.len() == theirs.len()
        && ours
            .iter()
            .zip(theirs)
            .zip(expiry(ours, theirs))
            .all(|((ours, theirs), expires)| form(ours, ours.expires) == form(theirs, expires))
}

/// Their times to live, or ours for the same key where they nearly agree.
fn expiry(ours: &[Entry], theirs: &[Entry]) -> Vec<Option<i64>> {
    let patience = PATIENCE.as_millis() as u64;
    let near = |theirs: &Entry| {
        let left = theirs.expires?;
        let same =
            ours.iter().find(|entry| entry.key == theirs.key).and_then(|entry| entry.expires);
        Some(same.filter(|ours| ours.abs_diff(left) <= patience).unwrap_or(left))
    };
    theirs.iter().map(near).collect()
}

/// The scripts of a folder, by name.
fn folder_cases(options: &Options, folder: &Path) -> Result<Vec<Case>, Error> {
    let unreadable = |source| Error::File { path: folder.to_owned(), source };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "lua") {
            files.push(path);
        }
    }
    if files.is_empty() {
        return Err(Error::Empty { path: folder.to_owned() });
    }
    files.sort_unstable();
    let mut cases = Vec::new();
    for file in files {
        let mut seeds = options.seed.clone();
        seeds.extend(Some(file.with_extension("seed")).filter(|path| path.exists()));
        let path = file.with_extension("args");
        if !path.exists() {
            cases.push(Case::new(&file, seeds, &[]));
            continue;
        }
        let text = fs::read(&path).map_err(|source| Error::File { path: path.clone(), source })?;
        for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
            let Ok(words) = split_args(line) else {
                return Err(Error::Quotes { path, line: index + 1 });
            };
            if !words.is_empty() {
                let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
                cases.push(Case::new(&file, seeds.clone(), &words));
            }
        }
    }
    Ok(cases)
}

/// Nobody's data may be in the way.
fn vacant(remote: &mut Remote, db: u32) -> Result<(), Error> {
    match remote.request(&[b"DBSIZE"])? {
        Reply::Integer(0) => Ok(()),
        Reply::Integer(keys) => {
            Err(Error::Occupied { db, address: remote.address().to_string(), keys })
        }
        reply => Err(Error::Unexpected { command: "DBSIZE", reply }),
    }
}

fn progress(shown: bool, cases: usize) -> ProgressBar {
    let bar = ProgressBar::new(cases as u64);
    bar.set_draw_target(match shown {
        true => ProgressDrawTarget::stderr(),
        false => ProgressDrawTarget::hidden(),
    });
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}") {
        bar.set_style(style);
    }
    bar
}
