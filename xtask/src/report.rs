//! The report: builds each backend, runs the benches and the suite, and has the page written.
//!
//! Owns the order of the builds, what is told meanwhile, and the facts about each build. Must not
//! know what a bench measures nor how the page looks.

use std::collections::VecDeque;
use std::env;
use std::fs;
use std::io::{BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use crate::{BACKENDS, target};

/// The bench that is about backends.
const BACKENDS_BENCH: &str = "backends";
/// The bench that is about mocks of other languages, and runs once.
const PEERS: &str = "peers";
/// The names of the benches that a real server runs as well.
const SERVED: &str = "^(workload|example)/";
/// The smallest program that embeds redlua: how long it takes to build and what it weighs.
const PROGRAM: &str = "custom_host";

/// What the command line asks for.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// One build with the backends that stand side by side, few samples, no link-time
    /// optimization, the suite's figures of another day.
    quick: bool,
    /// Only benches whose name matches this.
    filter: Option<String>,
    backends: Vec<String>,
    output: Option<PathBuf>,
}

/// Backends that are built into one program.
struct Build {
    backends: Vec<String>,
    features: String,
}

impl Report {
    /// Reads the arguments after `report`.
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut report = Report::default();
        while let Some(word) = arguments.next() {
            let mut value = |what| arguments.next().ok_or(format!("{word} wants {what}"));
            match word.as_str() {
                "--quick" => report.quick = true,
                "--filter" => {
                    report.filter = Some(value("a regular expression for names of benches")?)
                }
                "--output" => report.output = Some(value("a folder")?.into()),
                name if BACKENDS.contains(&name) => report.backends.push(name.into()),
                other => {
                    return Err(format!("no backend `{other}`; there are {}", BACKENDS.join(", ")));
                }
            }
        }
        let all = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        if report.backends.is_empty() && report.quick {
            report.backends = all(&["mlua-lua51", "omnilua", "piccolo"]);
        } else if report.backends.is_empty() {
            report.backends = all(BACKENDS);
        }
        if report.quick {
            report.filter.get_or_insert_with(|| SERVED.into());
        }
        Ok(report)
    }

    /// Measures and writes. `false` when something failed; the rest is reported all the same.
    pub(crate) fn run(&self) -> Result<bool, String> {
        let folder = target().join("report");
        let criterion = target().join("criterion");
        for old in [&folder, &criterion] {
            // Figures of another day do not belong into this page.
            let _ = fs::remove_dir_all(old);
        }
        fs::create_dir_all(&criterion)
            .map_err(|error| format!("{}: {error}", criterion.display()))?;
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        if !is_on_path("redis-server") {
            eprintln!("no redis-server on the PATH: its column stays empty");
        }
        let builds = self.builds();
        let mut good = true;
        let mut measured = Vec::new();
        for (number, build) in builds.iter().enumerate() {
            println!("[{}/{}] {}", number + 1, builds.len(), build.backends.join(" "));
            if let Err(failure) = self.measure(build, number == 0, &folder) {
                eprintln!("{}: {failure}", build.backends.join(" "));
                for backend in &build.backends {
                    write_facts(&folder, backend, &format!("\"failure\":{failure:?}"))?;
                }
                good = false;
            }
            measured.extend_from_slice(&build.backends);
            // Whoever stops it in the middle has the page of what is there.
            if number + 1 < builds.len() {
                self.page(&measured, &folder, &criterion);
            }
        }
        Ok(self.page(&self.backends, &folder, &criterion) && good)
    }

    /// Has the page written that shows these backends; whether it was.
    fn page(&self, backends: &[String], folder: &Path, criterion: &Path) -> bool {
        let mut page = Command::new(cargo());
        page.args(["run", "-q", "--profile", "quick", "-p", "redlua-report", "--", "--criterion"])
            .arg(criterion);
        page.args(["--figures", "conformance/figures.jsonl"]).arg("--facts").arg(folder);
        page.arg("--output").arg(self.output.as_deref().unwrap_or(folder));
        for note in self.notes() {
            page.args(["--note", &note]);
        }
        page.args(backends).status().is_ok_and(|status| status.success())
    }

    /// One program for the backends that stand side by side when time is short; otherwise one
    /// for each, as users have it.
    fn builds(&self) -> Vec<Build> {
        if self.quick && self.backends.iter().filter(|name| is_c(name)).count() <= 1 {
            return vec![Build::of(&self.backends)];
        }
        self.backends.iter().map(|name| Build::of(std::slice::from_ref(name))).collect()
    }

    /// Builds, runs the suite and the benches, with the `first` build those that run once.
    fn measure(&self, build: &Build, first: bool, folder: &Path) -> Result<(), String> {
        if !self.quick {
            self.look_closely(build, folder)?;
        }
        self.bench(build, BACKENDS_BENCH)?;
        if first && self.filter.is_none() {
            self.bench(build, PEERS)?;
        }
        Ok(())
    }

    fn bench(&self, build: &Build, name: &str) -> Result<(), String> {
        let mut run = self.cargo("bench", build, &["-p", "redlua-benches", "--bench", name]);
        run.args(["--", "--noplot"]);
        let [warm, time, samples] =
            if self.quick { ["0.1", "0.4", "10"] } else { ["0.3", "1", "15"] };
        run.args(["--warm-up-time", warm, "--measurement-time", time, "--sample-size", samples]);
        run.args(&self.filter);
        step(&format!("bench {name}"), run)
    }

    /// What takes builds of its own: the smallest program, and the suite.
    fn look_closely(&self, build: &Build, folder: &Path) -> Result<(), String> {
        let began = Instant::now();
        let program = self.cargo("build", build, &["-p", "redlua", "--example", PROGRAM]);
        step("building", program)?;
        let took = began.elapsed().as_secs_f64();
        println!("  built in {took:.0} s");
        let bytes = fs::metadata(target().join(self.folder()).join("examples").join(PROGRAM));
        if let ([backend], Ok(bytes)) = (&build.backends[..], bytes) {
            let facts = format!("\"build_seconds\":{took:.1},\"binary_bytes\":{}", bytes.len());
            write_facts(folder, backend, &facts)?;
        }
        for backend in &build.backends {
            let report = folder.join(format!("{backend}.conformance.json"));
            let mut suite = self.cargo("run", build, &["-q", "-p", "redlua-conformance"]);
            suite.args(["--", "run", "--backend", backend, "--json"]).arg(&report);
            // Undeclared differences are for the suite's own run to judge: here they are figures.
            let _ = step(&format!("the suite on {backend}"), suite);
            if !report.exists() {
                return Err("the suite does not run".into());
            }
        }
        Ok(())
    }

    fn cargo(&self, verb: &str, build: &Build, words: &[&str]) -> Command {
        let mut command = Command::new(cargo());
        command.args([verb, "--profile", self.profile(verb)]).args(words);
        command.args(["--no-default-features", "--features", &build.features]);
        command
    }

    fn profile(&self, verb: &str) -> &'static str {
        match (self.quick, verb) {
            (true, _) => "quick",
            (false, "bench") => "bench",
            (false, _) => "release",
        }
    }

    /// The folder of the profile's programs.
    fn folder(&self) -> &'static str {
        if self.quick { "quick" } else { "release" }
    }

    fn notes(&self) -> Vec<String> {
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = processor.lines().find_map(|line| line.strip_prefix("model name"));
        let model =
            model.map_or("an unknown processor", |name| name.trim_start_matches(['\t', ' ', ':']));
        let words: Vec<String> = env::args().skip(1).collect();
        let flags = if self.quick {
            "without link-time optimization, few samples"
        } else {
            "release profile"
        };
        vec![
            format!("Measured by `cargo xtask {}`: {flags}.", words.join(" ")),
            format!("{cores} cores, {model}."),
            "Times are medians of one run; on a machine that does other work, trust ratios.".into(),
        ]
    }
}

impl Build {
    fn of(backends: &[String]) -> Self {
        Build { backends: backends.to_vec(), features: backends.join(",") }
    }
}

/// Whether it is a Lua in C, of which a program holds one.
fn is_c(backend: &str) -> bool {
    backend.starts_with("mlua-") || backend.starts_with("rlua-")
}

/// Runs a command; shows what it is at meanwhile, how long it took, and its last lines when it
/// failed.
fn step(what: &str, mut command: Command) -> Result<(), String> {
    let began = Instant::now();
    let does_not_run = |error: std::io::Error| format!("cargo does not run: {error}");
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(does_not_run)?;
    // On a terminal; elsewhere nothing is drawn.
    let progress = ProgressBar::new_spinner().with_message(what.to_owned());
    progress.enable_steady_tick(Duration::from_millis(200));
    let errors = child.stderr.take().map(|pipe| {
        let progress = progress.clone();
        thread::spawn(move || last_lines(pipe, 12, |line| show(&progress, line)))
    });
    if let Some(pipe) = child.stdout.take() {
        last_lines(pipe, 0, |line| show(&progress, line));
    }
    let status = child.wait().map_err(does_not_run)?;
    let lines = errors.and_then(|thread| thread.join().ok()).unwrap_or_default();
    progress.finish_and_clear();
    println!("  {what}: {:.0} s", began.elapsed().as_secs_f64());
    if status.success() {
        return Ok(());
    }
    for line in &lines {
        eprintln!("    {line}");
    }
    Err(format!("{what} failed"))
}

/// Shows the bench that criterion begins, or the crate that cargo compiles.
fn show(progress: &ProgressBar, line: &str) {
    let line = line.trim();
    if line.starts_with("Compiling ") || line.starts_with("Benchmarking ") {
        progress.set_message(line.split(": ").next().unwrap_or(line).to_owned());
    }
}

/// Reads lines to the end; returns the last of them.
fn last_lines(pipe: impl Read, count: usize, mut each: impl FnMut(&str)) -> VecDeque<String> {
    let mut lines = VecDeque::new();
    for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line);
        each(&line);
        lines.push_back(line.into_owned());
        if lines.len() > count {
            lines.pop_front();
        }
    }
    lines
}

fn write_facts(folder: &Path, backend: &str, members: &str) -> Result<(), String> {
    let path = folder.join(format!("{backend}.facts.json"));
    fs::write(&path, format!("{{\"backend\":\"{backend}\",{members}}}\n"))
        .map_err(|error| format!("{}: {error}", path.display()))
}

fn is_on_path(program: &str) -> bool {
    env::var_os("PATH")
        .is_some_and(|path| env::split_paths(&path).any(|folder| folder.join(program).is_file()))
}

fn cargo() -> PathBuf {
    env::var_os("CARGO").map_or_else(|| "cargo".into(), PathBuf::from)
}
