//! Random commands and scripts on redlua and on a live redis-server 7.0.15, byte by byte.
//!
//! Needs a redis-server on the PATH and says so when there is none. What it finds is shrunk and
//! shown as a case with the server's replies, ready for `cases/extra-fuzz.jsonl`, where every
//! difference ever found is kept and replayed by the suite.
//!
//! | variable | |
//! |---|---|
//! | `REDLUA_FUZZ_SECONDS` | how long to run; 10 by default |
//! | `REDLUA_FUZZ_SEED` | a number; 1 by default, so that two runs do the same |
//! | `REDLUA_FUZZ_MODE` | `plain` for data commands alone |
//! | `REDLUA_FUZZ_OUT` | a file to append the cases to |
//! | `REDLUA_FUZZ_FINDINGS` | how many differences to find before giving up; 10 by default |
//!
//! ```text
//! REDLUA_FUZZ_SECONDS=60 REDLUA_FUZZ_SEED=$RANDOM \
//!     cargo test --release -p redlua-conformance --test differential -- --nocapture
//! ```
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod calls;
mod commands;
mod reduce;
mod scripts;
mod templates;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use redlua_conformance::{Arg, Broken, Case, Embedded, Played, Runner, Socket, text_of};
use redlua_test_servers::Server;

use crate::commands::Argv;

/// How long one sequence may take on either side.
const LIMIT: Duration = Duration::from_secs(5);

#[test]
fn random_sequences_are_answered_alike() {
    let Some(mut sides) = Sides::start() else {
        println!("no redis-server 7.0.15 on the PATH: nothing to compare with");
        return;
    };
    let seed = setting("REDLUA_FUZZ_SEED", 1);
    let deadline = Instant::now() + Duration::from_secs(setting("REDLUA_FUZZ_SECONDS", 10));
    let wanted = setting("REDLUA_FUZZ_FINDINGS", 10) as usize;
    let sequences = match std::env::var("REDLUA_FUZZ_MODE").as_deref() {
        Ok("plain") => calls::plain(),
        _ => calls::sequence(),
    };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let (mut count, mut commands) = (0u64, 0usize);
    let mut found: BTreeSet<String> = BTreeSet::new();
    let mut cases = Vec::new();
    while Instant::now() < deadline && cases.len() < wanted {
        let resp = if count % 2 == 0 { 2 } else { 3 };
        let mut tree = sequences.new_tree(&mut runner).unwrap();
        let sequence = tree.current();
        count += 1;
        commands += sequence.len();
        let Some(difference) = sides.compare(&sequence, resp) else { continue };
        if !found.insert(difference.kind()) {
            continue;
        }
        let kind = difference.kind();
        let mut same = |sequence: &[Argv]| {
            sides.compare(sequence, resp).is_some_and(|difference| difference.kind() == kind)
        };
        let shrunk = shrink(&mut *tree, &mut same);
        let shrunk = reduce::reduce(shrunk, &mut same);
        let case = case(&shrunk, resp, &format!("fuzz/{seed}-{count}"));
        if let Some(finding) = sides.explain(case) {
            println!("{finding}\n");
            cases.push(finding);
        }
    }
    println!("seed {seed}: {count} sequences, {commands} commands, {} differences", cases.len());
    if let Ok(path) = std::env::var("REDLUA_FUZZ_OUT") {
        let mut file = std::fs::File::options().create(true).append(true).open(path).unwrap();
        for finding in &cases {
            writeln!(file, "{}", serde_json::to_string(&finding.case).unwrap()).unwrap();
        }
    }
    assert!(cases.is_empty(), "{} differences, shown above", cases.len());
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// proptest's own shrinking, bounded.
fn shrink(
    tree: &mut dyn ValueTree<Value = Vec<Argv>>,
    fails: &mut dyn FnMut(&[Argv]) -> bool,
) -> Vec<Argv> {
    let mut best = tree.current();
    for _ in 0..150 {
        if !tree.simplify() {
            break;
        }
        let current = tree.current();
        if fails(&current) {
            best = current;
        } else if !tree.complicate() {
            break;
        }
    }
    best
}

fn case(sequence: &[Argv], resp: u8, id: &str) -> Case {
    let words = |argv: &Argv| argv.iter().map(|word| Arg::Text(text_of(word))).collect();
    Case {
        id: id.into(),
        area: "extra".into(),
        resp,
        setup: Vec::new(),
        steps: sequence.iter().map(words).collect(),
        skip: Vec::new(),
        mask: Vec::new(),
        post: Vec::new(),
        replies: Vec::new(),
        also: BTreeMap::new(),
        folder: PathBuf::new(),
    }
}

/// The two that are compared.
struct Sides {
    server: Server,
    real: Runner,
    redlua: Runner,
}

/// The first reply that differs.
struct Difference {
    command: String,
    expected: String,
    found: String,
}

impl Difference {
    /// What two findings of one cause have in common, as a rule.
    fn kind(&self) -> String {
        let pairs = self.expected.chars().zip(self.found.chars());
        let same = pairs.take_while(|(expected, found)| expected == found).count();
        let head = |text: &str| {
            let around = text.chars().skip(same.saturating_sub(12));
            around.filter(|c| !c.is_ascii_digit()).take(30).collect::<String>()
        };
        format!("{} {} {}", self.command, head(&self.expected), head(&self.found))
    }
}

/// A shrunk sequence with the server's replies, and redlua's.
struct Finding {
    case: Case,
    found: Vec<String>,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{} (RESP{})", self.case.id, self.case.resp)?;
        for (at, step) in self.case.steps.iter().enumerate() {
            writeln!(f, "  {}", serde_json::to_string(step).unwrap_or_default())?;
            let expected = self.case.replies.get(at).map_or("(none)", String::as_str);
            let found = self.found.get(at).map_or("(none)", String::as_str);
            if expected != found {
                writeln!(f, "    server {expected:?}\n    redlua {found:?}")?;
            }
        }
        Ok(())
    }
}

impl Sides {
    fn start() -> Option<Self> {
        let server = Server::start(&[])?;
        let backend = redlua::backends().into_iter().next()?;
        let real = Runner::new(Socket::new(&server.url()).unwrap()).limit(LIMIT);
        let redlua = Runner::new(Embedded::new(backend)).limit(LIMIT);
        Some(Sides { server, real, redlua })
    }

    fn play(&mut self, case: Case) -> Option<(Played, Played)> {
        let case = std::sync::Arc::new(case);
        let expected = self.real.play(&case);
        if !self.server.lives() || expected.broken == Some(Broken::Hung) {
            let steps = serde_json::to_string(&case.steps).unwrap();
            let how = if self.server.lives() { "hung" } else { "ended" };
            println!("this {how} the real server: {steps}\n");
            self.server = Server::start(&[])?;
            self.real = Runner::new(Socket::new(&self.server.url()).unwrap()).limit(LIMIT);
            return None;
        }
        Some((expected, self.redlua.play(&case)))
    }

    fn compare(&mut self, sequence: &[Argv], resp: u8) -> Option<Difference> {
        let (expected, found) = self.play(case(sequence, resp, "fuzz"))?;
        let text = |played: &Played, at: usize| {
            played.replies.get(at).cloned().unwrap_or_else(|| format!("{:?}", played.broken))
        };
        (0..sequence.len()).find_map(|at| {
            let (expected, found) = (text(&expected, at), text(&found, at));
            let command = String::from_utf8_lossy(&sequence[at][0]).to_uppercase();
            (expected != found).then_some(Difference { command, expected, found })
        })
    }

    fn explain(&mut self, case: Case) -> Option<Finding> {
        let (expected, found) = self.play(case.clone())?;
        Some(Finding { case: Case { replies: expected.replies, ..case }, found: found.replies })
    }
}
