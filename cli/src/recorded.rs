//! Cases that a server has answered once: making them, and comparing with them.
//!
//! Owns which commands follow a script, so that a case also says what the keyspace held
//! afterwards. The form of a case is `redlua-cases`'; must not know what counts as identical.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use redlua::{Client, Connection, Store, backend};
use redlua_cases::{Arg, Embedded, Finding, Runner, Socket, Step, Verdict, load, steady, text_of};

use crate::case::Case;
use crate::error::Error;
use crate::output::{note, print};
use crate::scratch::{self, Scratch};
use crate::watched::Watched;
use crate::{diff, script, seed};

/// What is recorded, and where to.
#[derive(Args)]
pub(crate) struct Options {
    /// The server: redis://HOST:PORT.
    #[arg(long, value_name = "URL")]
    redis: String,
    /// Record every .lua file of this folder; see `redlua diff --cases`.
    #[arg(long, value_name = "DIR", conflicts_with = "file")]
    cases: Option<PathBuf>,
    /// Commands to run first; may be given repeatedly.
    #[arg(long, value_name = "FILE")]
    seed: Vec<PathBuf>,
    /// Write the cases there instead of to the standard output.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// What the cases are about: the first part of their names.
    #[arg(long, value_name = "NAME", default_value = "scripts")]
    area: String,
    #[command(flatten)]
    scratch: scratch::Options,
}

/// Whether a path names a file of recorded cases.
pub(crate) fn is_file(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "jsonl")
}

/// `redlua record`.
pub(crate) fn record(
    options: &Options,
    file: Option<&Path>,
    words: &[OsString],
) -> Result<ExitCode, Error> {
    let socket = Socket::new(&options.redis)?;
    let cases = Case::all(options.cases.as_deref(), file, words, &options.seed)?;
    let mut scratch = Scratch::open(&options.scratch, &options.redis)?;
    let place = redlua_cases::Scratch::new(socket, options.scratch.scratch_db);
    let limit = Duration::from_secs(options.scratch.timeout);
    let runner = Runner::new(place.clone()).limit(limit);
    let progress = diff::progress(options.cases.is_some(), cases.len());
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    let mut text = String::new();
    for case in &cases {
        progress.set_message(case.file.display().to_string());
        let stem = case.file.file_stem().unwrap_or_default().to_string_lossy();
        let count = names.entry(stem.to_string()).or_default();
        *count += 1;
        let id = match *count {
            1 => format!("{}/{stem}", options.area),
            count => format!("{}/{stem}-{count}", options.area),
        };
        let blank = blank(options, &mut scratch, case, id)?;
        let steady = steady(&runner, blank);
        place.clear().map_err(redlua_cases::Error::from)?;
        text.push_str(&serde_json::to_string(&steady?).map_err(Error::Json)?);
        text.push('\n');
        progress.inc(1);
    }
    progress.finish_and_clear();
    let Some(path) = &options.output else {
        print(text.as_bytes())?;
        return Ok(ExitCode::SUCCESS);
    };
    fs::write(path, text).map_err(|source| Error::File { path: path.clone(), source })?;
    let plural = if cases.len() == 1 { "" } else { "s" };
    note(&format!("{} case{plural} in {}", cases.len(), path.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// A case without replies: the seeds, the script, and what reads all that it leaves behind.
fn blank(
    options: &Options,
    scratch: &mut Scratch,
    case: &Case,
    id: String,
) -> Result<redlua_cases::Case, Error> {
    let source = script::read(&case.file)?;
    scratch.rehearse(&options.scratch, case, &source)?;
    let left = scratch.perform(&options.scratch, case, &source)?;
    let mut setup = Vec::new();
    for path in &case.seeds {
        setup.extend(seed::commands(path)?.into_iter().map(|command| command.words));
    }
    let mut steps = vec![case.argv(&source).iter().map(|word| word.to_vec()).collect()];
    let mut mask = Vec::new();
    steps.push(vec![b"DBSIZE".to_vec()]);
    for entry in &left.entries {
        mask.push(steps.len());
        steps.push(vec![b"PTTL".to_vec(), entry.key.clone()]);
        steps.extend(entry.readers());
    }
    let spelt = |commands: Vec<Vec<Vec<u8>>>| {
        let spell = |words: &Vec<Vec<u8>>| words.iter().map(|w| Arg::Text(text_of(w))).collect();
        commands.iter().map(spell).collect()
    };
    Ok(redlua_cases::Case {
        id,
        area: options.area.clone(),
        resp: options.scratch.resp,
        setup: spelt(setup),
        steps: spelt(steps),
        skip: Vec::new(),
        mask,
        post: Vec::new(),
        replies: Vec::new(),
        also: BTreeMap::new(),
        folder: PathBuf::new(),
    })
}

/// `redlua diff --cases FILE.jsonl`: with what is answered here, or by a server.
pub(crate) fn compare(
    path: &Path,
    redis: Option<&str>,
    options: &scratch::Options,
) -> Result<ExitCode, Error> {
    let cases: Vec<Arc<redlua_cases::Case>> = load(path)?.into_iter().map(Arc::new).collect();
    let limit = Duration::from_secs(options.timeout);
    let findings = match redis {
        None => {
            let backend = match &options.backend {
                Some(name) => backend(name)?,
                None => redlua::backends().into_iter().next().ok_or(Error::NoEngine)?,
            };
            Runner::new(Embedded::new(backend)).limit(limit).run(&cases)
        }
        Some(url) => {
            let place = redlua_cases::Scratch::new(Socket::new(url)?, options.scratch_db);
            // Refuses a database that holds anything.
            Scratch::open(options, url)?;
            // The cases come from a file, so what they do is looked at here first.
            if !options.reckless {
                for case in &cases {
                    watch(case, path)?;
                }
            }
            let findings = Runner::new(place.clone()).limit(limit).run(&cases);
            place.clear().map_err(redlua_cases::Error::from)?;
            findings
        }
    };
    let mut different = 0;
    for (case, finding) in cases.iter().zip(&findings) {
        if finding.verdict != Verdict::Identical {
            different += 1;
            print(shown(case, finding).as_bytes())?;
        }
    }
    diff::sum(cases.len() - different, different)
}

/// Refuses a case that reaches beyond the scratch database.
fn watch(case: &redlua_cases::Case, path: &Path) -> Result<(), Error> {
    let mut client = Client::with_host(Watched { store: Store::new(), reckless: None });
    let mut calls = Vec::new();
    for words in case.setup.iter().chain(&case.post) {
        calls.push(case.argv(words, &[])?);
    }
    for index in 0..case.steps.len() {
        if let Step::Call(_, argv) | Step::Send(_, argv) = case.step(index, &[])? {
            calls.push(argv);
        }
    }
    for words in calls {
        let argv: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
        client.host.look(&argv);
        client.request(&argv);
    }
    match client.host.reckless {
        None => Ok(()),
        Some(command) => {
            let path = path.join(&case.id);
            Err(Error::Reckless { path, command: command.to_owned() })
        }
    }
}

fn shown(case: &redlua_cases::Case, finding: &Finding) -> String {
    format!("{} {finding}\n", case.id)
}
