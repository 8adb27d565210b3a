//! The command line of the conformance suite.
//!
//! Owns arguments and exit codes: 0 when all is well, 1 when cases fail, 2 when nothing can be
//! run. Must not know the form of a case.
#![forbid(unsafe_code)]

use std::error::Error as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{Args, Parser, Subcommand};
use redlua::core::Backend;
use redlua_conformance::{
    Case, Embedded, Error, Gaps, Report, Runner, Seconds, Socket, attacks, compatibility,
    figure_lines, figures, load, load_dir, markdown, play_attack, record, security, soak, watch,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Cases with the replies of redis-server 7.0.15.
#[derive(Parser)]
#[command(name = "redlua-conformance", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run cases and compare the replies.
    Run(Run),
    /// Run cases on a real server and write its replies into their files.
    ///
    /// The server is emptied before each case. Settings of cjson made inside a FUNCTION, and its
    /// random numbers, outlive that: give each recording a server of its own.
    Record {
        /// The server: redis://HOST:PORT.
        #[arg(long)]
        redis: String,
        /// The files; all of the suite's by default.
        files: Vec<PathBuf>,
    },
    /// Merge the JSON reports of several runs into one Markdown table.
    Report {
        /// Files written by `run --json`.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Print what the JSON reports of several runs reached, for figures.jsonl.
    Figures {
        /// Files written by `run --json`.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Run the attacks on a backend, in child processes.
    Attacks {
        /// The backend; the build's first by default.
        #[arg(long)]
        backend: Option<String>,
        /// Write the results there, for `security`.
        #[arg(long)]
        json: Option<PathBuf>,
    },
    /// Run the attacks in this process, a line of JSON for each that it survives.
    #[command(hide = true)]
    Attack {
        #[arg(long)]
        backend: Option<String>,
        /// The first one.
        #[arg(long, default_value_t = 0)]
        from: usize,
        /// Only those whose name contains this.
        #[arg(long, default_value = "")]
        filter: String,
    },
    /// Evaluate scripts again and again and show the memory of the process meanwhile.
    Soak {
        /// The backend; the build's first by default.
        #[arg(long)]
        backend: Option<String>,
        /// How often.
        #[arg(long, default_value_t = 1_000_000)]
        evaluations: usize,
    },
    /// Print SECURITY.md from the results of `attacks --json`.
    Security {
        /// The results, a file a backend.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Print COMPATIBILITY.md: backends by area, declared gaps, the command table.
    Compatibility {
        /// Files written by `run --json`; without any, the backends of this build are run.
        files: Vec<PathBuf>,
    },
}

#[derive(Args)]
struct Run {
    /// Only cases whose id contains this.
    #[arg(long)]
    filter: Option<String>,
    /// Show each failure.
    #[arg(long, short)]
    verbose: bool,
    /// A server, redis://HOST:PORT, instead of redlua in this process.
    #[arg(long)]
    socket: Option<String>,
    /// The backend; the build's first by default.
    #[arg(long)]
    backend: Option<String>,
    /// Expect the replies of this version where they are known.
    #[arg(long, default_value = "7.0.15")]
    server: String,
    /// Seconds that a case may take.
    #[arg(long, default_value_t = 5)]
    limit: u64,
    /// Write the report there, for `report`.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Write into the report that the build took so many seconds.
    #[arg(long)]
    build_seconds: Option<u64>,
    /// Fail as well when fewer cases are right than figures.jsonl says.
    #[arg(long)]
    check: bool,
    /// The files; all of the suite's by default.
    files: Vec<PathBuf>,
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Run(run) => run.perform(),
        Command::Record { redis, files } => record_all(&redis, files),
        Command::Report { files } => merge(&files),
        Command::Figures { files } => print_figures(&files),
        Command::Attacks { backend, json } => attack_all(backend.as_deref(), json),
        Command::Attack { backend, from, filter } => attack(backend.as_deref(), from, &filter),
        Command::Soak { backend, evaluations } => soaked(backend.as_deref(), evaluations),
        Command::Security { files } => secure(&files),
        Command::Compatibility { files } => compatible(&files),
    };
    outcome.unwrap_or_else(|error| {
        eprint!("{error}");
        let mut source = error.source();
        while let Some(cause) = source {
            eprint!(": {cause}");
            source = cause.source();
        }
        eprintln!();
        ExitCode::from(2)
    })
}

impl Run {
    fn perform(self) -> Result<ExitCode, Error> {
        let (runner, gaps, engine) = match &self.socket {
            Some(url) => (Runner::new(Socket::new(url)?), Gaps::default(), None),
            None => {
                let backend = self.backend()?;
                let info = backend.info();
                let gaps = Gaps::load(&here().join("gaps"), info.name)?;
                (Runner::new(Embedded::new(backend)), gaps, Some(info.into()))
            }
        };
        let runner = runner.server(&self.server).limit(Duration::from_secs(self.limit));
        let cases = self.cases()?;
        let start = Instant::now();
        let findings = runner.run(&cases);
        let seconds =
            Seconds { build: self.build_seconds, cases: Some(start.elapsed().as_secs().max(1)) };
        let pairs = cases.iter().map(AsRef::as_ref).zip(&findings);
        let report = Report { engine, seconds, ..Report::new(runner.name(), pairs, &gaps) };
        if self.verbose {
            report.failures.iter().for_each(|failure| println!("{failure}"));
        }
        print!("{report}");
        if let Some(path) = self.json {
            write_json(&path, &report)?;
        }
        let mut behind = Vec::new();
        if self.check {
            let kept = figures(&here().join("figures.jsonl"))?;
            let mine = kept.iter().find(|figure| figure.backend == report.target);
            behind = mine.map_or(vec!["no figures".into()], |figure| figure.behind(&report));
        }
        behind.iter().for_each(|fall| println!("{}: {fall}", report.target));
        let good = report.passed() && behind.is_empty();
        Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn backend(&self) -> Result<Arc<dyn Backend>, Error> {
        named(self.backend.as_deref())
    }

    fn cases(&self) -> Result<Vec<Arc<Case>>, Error> {
        let mut cases = Vec::new();
        if self.files.is_empty() {
            cases = load_dir(&suite())?;
        }
        for file in &self.files {
            cases.extend(load(file)?);
        }
        let wanted = |case: &Case| self.filter.as_ref().is_none_or(|part| case.id.contains(part));
        Ok(cases.into_iter().filter(wanted).map(Arc::new).collect())
    }
}

/// The backend of that name, or the build's first.
fn named(name: Option<&str>) -> Result<Arc<dyn Backend>, Error> {
    match name {
        Some(name) => redlua::backend(name).map_err(|error| Error::Backend(error.to_string())),
        None => redlua::backends()
            .into_iter()
            .next()
            .ok_or_else(|| Error::Backend("no backend in this build".into())),
    }
}

fn attack_all(backend: Option<&str>, json: Option<PathBuf>) -> Result<ExitCode, Error> {
    let info = named(backend)?.info();
    let catalogue = attacks(&here().join("attacks"))?;
    let run = watch(&std::env::current_exe()?, info.name, info.version, &catalogue)?;
    let failures = run.failures(&catalogue);
    failures.iter().for_each(|failure| println!("{failure}"));
    println!("{}: {} attacks, {} failures", info.name, catalogue.len(), failures.len());
    if let Some(path) = json {
        write_json(&path, &run)?;
    }
    Ok(if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn attack(backend: Option<&str>, from: usize, filter: &str) -> Result<ExitCode, Error> {
    let backend = named(backend)?;
    let catalogue = attacks(&here().join("attacks"))?;
    let wanted = catalogue.iter().skip(from).filter(|attack| attack.id.contains(filter));
    for attack in wanted {
        let played = play_attack(attack, backend.clone())?;
        println!("{}", serde_json::to_string(&played).map_err(std::io::Error::from)?);
    }
    Ok(ExitCode::SUCCESS)
}

fn soaked(backend: Option<&str>, evaluations: usize) -> Result<ExitCode, Error> {
    for (done, bytes) in soak(named(backend)?, evaluations) {
        println!("{done} {bytes}");
    }
    Ok(ExitCode::SUCCESS)
}

fn secure(files: &[PathBuf]) -> Result<ExitCode, Error> {
    let dir = here().join("attacks");
    let preface = dir.join("PREFACE.md");
    let text = fs::read_to_string(&preface)
        .map_err(|source| Error::File { path: preface.clone(), source })?;
    print!("{}", security(&text, &attacks(&dir)?, &read_json(files)?));
    Ok(ExitCode::SUCCESS)
}

fn record_all(url: &str, mut files: Vec<PathBuf>) -> Result<ExitCode, Error> {
    let socket = Socket::new(url)?;
    let version = socket.version()?;
    if version != "7.0.15" {
        eprintln!("the suite is recorded from redis-server 7.0.15, this is {version}");
        return Ok(ExitCode::from(2));
    }
    let runner = Runner::new(socket);
    if files.is_empty() {
        let unreadable = |source| Error::File { path: suite(), source };
        let entries = fs::read_dir(suite()).map_err(unreadable)?;
        files = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        files.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
        files.sort();
    }
    for file in files {
        println!("{}: {} replies changed", file.display(), record(&runner, &file)?);
    }
    Ok(ExitCode::SUCCESS)
}

fn merge(files: &[PathBuf]) -> Result<ExitCode, Error> {
    print!("{}", markdown(&read_json::<Report>(files)?));
    Ok(ExitCode::SUCCESS)
}

fn print_figures(files: &[PathBuf]) -> Result<ExitCode, Error> {
    let unwritable = |error: serde_json::Error| Error::File {
        path: "figures.jsonl".into(),
        source: error.into(),
    };
    print!("{}", figure_lines(&read_json(files)?).map_err(unwritable)?);
    Ok(ExitCode::SUCCESS)
}

fn compatible(files: &[PathBuf]) -> Result<ExitCode, Error> {
    let reports = if files.is_empty() { run_all()? } else { read_json(files)? };
    print!("{}", compatibility(&here(), &reports)?);
    Ok(ExitCode::SUCCESS)
}

/// The suite on every backend of this build.
fn run_all() -> Result<Vec<Report>, Error> {
    let cases: Vec<Arc<Case>> = load_dir(&suite())?.into_iter().map(Arc::new).collect();
    let run = |backend: Arc<dyn Backend>| {
        let engine = Some(backend.info().into());
        let runner = Runner::new(Embedded::new(backend));
        let gaps = Gaps::load(&here().join("gaps"), runner.name())?;
        let findings = runner.run(&cases);
        let pairs = cases.iter().map(AsRef::as_ref).zip(&findings);
        Ok(Report { engine, ..Report::new(runner.name(), pairs, &gaps) })
    };
    redlua::backends().into_iter().map(run).collect()
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<(), Error> {
    let unwritable = |source| Error::File { path: path.to_owned(), source };
    let json = serde_json::to_string(value).map_err(|error| unwritable(error.into()))?;
    fs::write(path, json).map_err(unwritable)
}

fn read_json<T: DeserializeOwned>(files: &[PathBuf]) -> Result<Vec<T>, Error> {
    let read = |path: &PathBuf| {
        let text = fs::read_to_string(path)
            .map_err(|source| Error::File { path: path.clone(), source })?;
        serde_json::from_str(&text).map_err(|source| Error::Line {
            path: path.clone(),
            line: 1,
            source,
        })
    };
    files.iter().map(read).collect()
}

/// The suite's own cases.
fn suite() -> PathBuf {
    here().join("cases")
}

/// The crate's directory.
fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}
