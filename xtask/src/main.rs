//! Chores that take more than one build: a binary links one C Lua, so comparing several needs a
//! build of each.
//!
//! Owns the list of builds and their order. Must not know how cases run or how a report looks:
//! it starts cargo and leaves those to `redlua-conformance`.
//!
//! ```text
//! cargo xtask matrix [--check] [--profile NAME] [BACKEND…]
//! cargo xtask test [--profile NAME] [BACKEND…]
//! cargo xtask attacks [--check] [--profile NAME] [BACKEND…]
//! cargo xtask report [--quick] [--filter REGEX] [--output FOLDER] [BACKEND…]
//! ```
//!
//! `attacks` runs the attacks on each backend and renews SECURITY.md from the results of all that
//! were ever run in this target folder. `report` lays the backends side by side on a page.
//! `matrix` runs the conformance suite on each backend and renews COMPATIBILITY.md and the figures
//! of `conformance/figures.jsonl`; some backends alone do not, they are only shown. With `--check`
//! it renews nothing and fails when a figure falls. `test` runs the lints and tests of the backend
//! and those of the suite on each. Both fail when one of the builds fails: a case that differs and
//! is not declared, or is declared and does not differ, is such a failure.
#![forbid(unsafe_code)]

mod report;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

/// Every backend, a build each, the reference first.
const BACKENDS: &[&str] = &[
    "mlua-lua51",
    "rlua-lua51",
    "mlua-luajit",
    "mlua-lua54",
    "rlua-lua54",
    "mlua-luau",
    "omnilua",
    "piccolo",
];

/// What the command line asks for.
struct Options {
    check: bool,
    profile: String,
    backends: Vec<String>,
}

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let command = arguments.next().unwrap_or_default();
    let outcome = if command == "report" {
        report::Report::parse(arguments).and_then(|report| report.run())
    } else {
        chore(&command, arguments)
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

fn chore(command: &str, arguments: impl Iterator<Item = String>) -> Result<bool, String> {
    Options::parse(arguments).and_then(|options| match command {
        "matrix" => options.matrix(),
        "test" => options.test(),
        "attacks" => options.attacks(),
        _ => Err("usage: redlua-xtask matrix|test|attacks|report [OPTION…] [BACKEND…]".into()),
    })
}

impl Options {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Options { check: false, profile: "dev".into(), backends: Vec::new() };
        while let Some(word) = arguments.next() {
            match word.as_str() {
                "--check" => options.check = true,
                "--profile" => {
                    options.profile = arguments.next().ok_or("--profile wants a name")?;
                }
                name if BACKENDS.contains(&name) => options.backends.push(name.into()),
                other => {
                    return Err(format!("no backend `{other}`; there are {}", BACKENDS.join(", ")));
                }
            }
        }
        if options.backends.is_empty() {
            options.backends = BACKENDS.iter().map(|name| (*name).into()).collect();
        }
        Ok(options)
    }

    /// Runs the suite on each backend; merges the reports into COMPATIBILITY.md and the figures.
    fn matrix(&self) -> Result<bool, String> {
        let folder = target().join("matrix");
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let mut passed = true;
        let mut reports: Vec<PathBuf> = Vec::new();
        for build in self.builds() {
            let features = build.join(",");
            let start = Instant::now();
            if !self.suite("build", &features).status_ok()? {
                eprintln!("{features}: does not build");
                passed = false;
                continue;
            }
            let seconds = start.elapsed().as_secs();
            println!("{features}: built in {seconds} s");
            for backend in build {
                let report = folder.join(format!("{backend}.json"));
                let mut suite = self.suite("run", &features);
                suite.args(["-q", "--", "run", "-v", "--backend", backend]);
                suite.args(["--build-seconds", &seconds.to_string()]).arg("--json").arg(&report);
                if self.check {
                    suite.arg("--check");
                }
                let good = shown(backend, &mut suite)?;
                passed &= good;
                reports.push(report);
            }
        }
        if self.check || !passed || self.backends.len() < BACKENDS.len() {
            return Ok(passed);
        }
        for (what, path) in
            [("compatibility", "COMPATIBILITY.md"), ("figures", "conformance/figures.jsonl")]
        {
            let Some(last) = self.backends.last() else { return Ok(passed) };
            let mut merge = self.suite("run", last);
            merge.args(["-q", "--", what]).args(&reports);
            let text = merge.output().map_err(|error| format!("cargo: {error}"))?;
            if !text.status.success() {
                return Err(String::from_utf8_lossy(&text.stderr).into_owned());
            }
            fs::write(path, text.stdout).map_err(|error| format!("{path}: {error}"))?;
        }
        Ok(passed)
    }

    /// What is built together: each backend alone, for that is what its build is measured by. Only
    /// when nothing is to be renewed, those in Rust stand beside the first C Lua.
    fn builds(&self) -> Vec<Vec<&str>> {
        let names = self.backends.iter().map(String::as_str);
        let (alone, beside): (Vec<&str>, Vec<&str>) =
            names.partition(|name| !self.check || is_c(name));
        let mut builds: Vec<Vec<&str>> = alone.into_iter().map(|name| vec![name]).collect();
        match builds.first_mut() {
            Some(first) => first.extend(beside),
            None => builds.push(beside),
        }
        builds
    }

    /// Runs the attacks on each backend; merges the results into SECURITY.md.
    fn attacks(&self) -> Result<bool, String> {
        let folder = target().join("attacks");
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let mut passed = true;
        for backend in &self.backends {
            let report = folder.join(format!("{backend}.json"));
            let mut suite = self.suite("run", backend);
            suite.args(["-q", "--", "attacks", "--json"]).arg(&report);
            passed &= suite.status_ok()?;
        }
        let Some(last) = self.backends.last() else { return Ok(passed) };
        let known = BACKENDS.iter().map(|name| folder.join(format!("{name}.json")));
        let mut merge = self.suite("run", last);
        merge.args(["-q", "--", "security"]).args(known.filter(|report| report.exists()));
        let text = merge.output().map_err(|error| format!("cargo: {error}"))?;
        if !text.status.success() {
            return Err(String::from_utf8_lossy(&text.stderr).into_owned());
        }
        if !self.check {
            fs::write("SECURITY.md", text.stdout)
                .map_err(|error| format!("SECURITY.md: {error}"))?;
        }
        Ok(passed)
    }

    /// Runs the tests that depend on the backend, on each.
    fn test(&self) -> Result<bool, String> {
        let mut passed = true;
        for backend in &self.backends {
            println!("{backend}: tests");
            // Those in Rust are linted and tested with the workspace.
            let c_lua = is_c(backend);
            let lint = !c_lua
                || self
                    .cargo("clippy")
                    .args(["-p", "redlua-capi", "--features", backend, "--all-targets"])
                    .args(["--", "-D", "warnings"])
                    .status_ok()?;
            let own = !c_lua
                || self
                    .cargo("test")
                    .args(["-p", "redlua-capi", "--features", backend])
                    .status_ok()?;
            let suite = self
                .suite("test", backend)
                .args(["--test", "hostile", "--test", "attacks", "--test", "conformance"])
                .status_ok()?;
            if !(lint && own && suite) {
                println!("{backend}: tests FAILED");
            }
            passed &= lint && own && suite;
        }
        Ok(passed)
    }

    /// A cargo command on the conformance suite with one backend.
    fn suite(&self, verb: &str, backend: &str) -> Command {
        let mut command = self.cargo(verb);
        command
            .args(["-p", "redlua-conformance", "--no-default-features", "--features"])
            .arg(backend);
        command
    }

    fn cargo(&self, verb: &str) -> Command {
        let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args([verb, "--profile", self.profile(verb)]);
        command
    }

    /// `cargo test` knows the ordinary profile by another name.
    fn profile(&self, verb: &str) -> &str {
        if verb == "test" && self.profile == "dev" { "test" } else { &self.profile }
    }
}

/// Whether a backend is one of C, of which a binary links one.
fn is_c(backend: &str) -> bool {
    backend.starts_with("mlua-") || backend.starts_with("rlua-")
}

/// Runs the suite on a backend and tells how it went; what failed is shown.
fn shown(backend: &str, suite: &mut Command) -> Result<bool, String> {
    let start = Instant::now();
    let shown = suite.output().map_err(|error| format!("cargo: {error}"))?;
    let good = shown.status.success();
    let verdict = if good { "as declared" } else { "NOT as declared" };
    println!("{backend}: {verdict}; run in {} s", start.elapsed().as_secs());
    if !good {
        for line in String::from_utf8_lossy(&shown.stdout).lines().take(40) {
            println!("{line}");
        }
        eprint!("{}", String::from_utf8_lossy(&shown.stderr));
    }
    Ok(good)
}

/// Where cargo builds.
fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| Path::new("target").into(), PathBuf::from)
}

/// Running a command to its end.
trait Status {
    fn status_ok(&mut self) -> Result<bool, String>;
}

impl Status for Command {
    fn status_ok(&mut self) -> Result<bool, String> {
        self.status().map(|status| status.success()).map_err(|error| format!("cargo: {error}"))
    }
}
