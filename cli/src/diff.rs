//! `redlua diff`: the same script on the embedded store and on a server, or beside what a server
//! once answered.
//!
//! Owns what counts as a difference. Must not know how differences are shown, nor what keeps a
//! server's data safe.

use std::ffi::OsString;
use std::io::{IsTerminal, stderr, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use redlua::conversions::human;
use redlua::conversions::resp::RespWriter;
use redlua::{Protocol, Reply};

use crate::case::Case;
use crate::dump::Entry;
use crate::error::Error;
use crate::output::print;
use crate::scratch::{self, Outcome, Scratch};
use crate::side::{Column, Style};
use crate::{recorded, script};

/// Times to live may differ by as much as the two runs lie apart.
const PATIENCE: Duration = Duration::from_secs(2);

/// How scripts are compared.
#[derive(Args)]
pub(crate) struct Options {
    /// The server: redis://, rediss://, unix:// or redis+cluster://. Without one, recorded cases
    /// are compared with what is answered here.
    #[arg(long, value_name = "URL")]
    redis: Option<String>,
    /// Compare every .lua file of this folder, or every case of this file that `redlua record`
    /// has made. Beside NAME.lua may lie NAME.args, a line of keys, comma and arguments for each
    /// run, and NAME.seed.
    #[arg(long, value_name = "PATH", conflicts_with = "file")]
    cases: Option<PathBuf>,
    /// Commands to run first, on both sides; may be given repeatedly.
    #[arg(long, value_name = "FILE")]
    seed: Vec<PathBuf>,
    #[command(flatten)]
    scratch: scratch::Options,
}

/// `redlua diff`.
pub(crate) fn diff(
    options: &Options,
    file: Option<&Path>,
    words: &[OsString],
) -> Result<ExitCode, Error> {
    if let Some(path) = options.cases.as_deref().filter(|path| recorded::is_file(path)) {
        return recorded::compare(path, options.redis.as_deref(), &options.scratch);
    }
    let Some(url) = &options.redis else { return Err(Error::NoServer) };
    let cases = Case::all(options.cases.as_deref(), file, words, &options.seed)?;
    let mut scratch = Scratch::open(&options.scratch, url)?;
    let style = Style::new(stdout().is_terminal());
    let progress = progress(options.cases.is_some(), cases.len());
    let (mut same, mut different) = (0, 0);
    for case in &cases {
        progress.set_message(case.file.display().to_string());
        match compare(&options.scratch, case, &mut scratch)? {
            None => same += 1,
            Some(sides) => {
                different += 1;
                let text = style.show(&case.title(), &sides);
                progress.suspend(|| print(text.as_bytes()))?;
            }
        }
        progress.inc(1);
    }
    progress.finish_and_clear();
    sum(same, different)
}

/// The last line, and the exit status.
pub(crate) fn sum(same: usize, different: usize) -> Result<ExitCode, Error> {
    print(format!("{same} identical, {different} different\n").as_bytes())?;
    Ok(if different == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs a case on both sides; `None` when they agree.
fn compare(
    options: &scratch::Options,
    case: &Case,
    scratch: &mut Scratch,
) -> Result<Option<[Column; 2]>, Error> {
    let source = script::read(&case.file)?;
    let ours = scratch.rehearse(options, case, &source)?;
    let theirs = scratch.perform(options, case, &source)?;
    let protocol = options.protocol();
    let equal = wire(&ours.reply, protocol) == wire(&theirs.reply, protocol)
        && alike(&ours.entries, &theirs.entries);
    let there = scratch.remote.address().to_string();
    Ok((!equal).then(|| {
        // The same lines for times to live that count as the same.
        let expiry = expiry(&ours.entries, &theirs.entries);
        [column(&ours, "redlua", &[]), column(&theirs, &there, &expiry)]
    }))
}

/// The lines that are shown of one side. Times to live are those given, where some are.
fn column(side: &Outcome, title: &str, expiry: &[Option<i64>]) -> Column {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut lines: Vec<String> = text(&human(&side.reply)).lines().map(str::to_owned).collect();
    for (index, entry) in side.entries.iter().enumerate() {
        let mut commands = Vec::new();
        let expires = expiry.get(index).copied().unwrap_or(entry.expires);
        entry.commands(expires, &mut commands);
        lines.extend(text(&commands).lines().map(str::to_owned));
    }
    Column { title: title.to_owned(), lines }
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

/// A bar on a terminal, where many cases make one wait.
pub(crate) fn progress(many: bool, cases: usize) -> ProgressBar {
    let bar = ProgressBar::new(cases as u64);
    bar.set_draw_target(match many && stderr().is_terminal() {
        true => ProgressDrawTarget::stderr(),
        false => ProgressDrawTarget::hidden(),
    });
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}") {
        bar.set_style(style);
    }
    bar
}
