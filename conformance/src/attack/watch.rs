//! Attacks in a process of their own, which may end or hang.
//!
//! Owns the child processes and the verdicts. Must not know how an attack is made.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Attack, AttackPlayed, play};
use crate::Error;

/// Within this time each attack must have ended, however slow the machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long after its limits an attack may end: without optimization everything is slow, and the
/// tests of others run at the same time.
const LATE: Duration = Duration::from_millis(if cfg!(debug_assertions) { 3000 } else { 1000 });

/// How the reason of a gap begins that is not there in every run.
const AT_TIMES: &str = "at times";

/// What a backend did under one attack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// What must come came, and nothing else happened.
    Held,
    /// Another reply came.
    Wrong(String),
    /// The next script found something changed.
    Polluted(String),
    /// It took this many milliseconds.
    Late(u64),
    /// The process grew by this many bytes.
    Fat(usize),
    /// It did not end.
    Hung,
    /// The process ended, in this way.
    Died(String),
}

/// The attacks on one backend.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The backend.
    pub backend: String,
    /// Engine and version.
    pub version: String,
    /// The attacks by name, with what came of them and, if the process lived, the figures.
    pub results: Vec<(String, Outcome, Option<AttackPlayed>)>,
}

impl Run {
    /// Those that did not go well and are not declared, with what happened.
    pub fn failures<'a>(&'a self, attacks: &'a [Attack]) -> Vec<String> {
        let mut failures = Vec::new();
        for (attack, (id, outcome, played)) in attacks.iter().zip(&self.results) {
            let reason = attack.gaps.get(&self.backend);
            match outcome {
                Outcome::Held if reason.is_some_and(|reason| !reason.starts_with(AT_TIMES)) => {
                    failures.push(format!("{id}: is declared as a gap and is none"));
                }
                Outcome::Wrong(_) | Outcome::Late(_) | Outcome::Fat(_) if reason.is_some() => {}
                Outcome::Held => {}
                other => {
                    let expected = &attack.expect;
                    failures.push(format!("{id}: {other:?}; expected {expected:?}; {played:?}"));
                }
            }
        }
        failures
    }
}

/// Runs the attacks on a backend, by starting `program` as `PROGRAM attack --backend NAME --from N`
/// as often as it takes: it prints a line of JSON for each attack that it survives.
///
/// # Errors
/// The program cannot be started.
pub fn watch(
    program: &Path,
    backend: &str,
    version: &str,
    attacks: &[Attack],
) -> Result<Run, Error> {
    let mut results = Vec::new();
    while results.len() < attacks.len() {
        let mut child = start(program, backend, results.len())?;
        let lines = lines_of(&mut child);
        while let Some(attack) = attacks.get(results.len()) {
            let (outcome, played) = match lines.recv_timeout(PATIENCE) {
                Ok(line) => judge(attack, &line),
                Err(RecvTimeoutError::Timeout) => (Outcome::Hung, None),
                Err(RecvTimeoutError::Disconnected) => {
                    let how = child.wait().map_or_else(|e| e.to_string(), |s| s.to_string());
                    (Outcome::Died(how), None)
                }
            };
            let over = matches!(outcome, Outcome::Hung | Outcome::Died(_));
            results.push((attack.id.clone(), outcome, played));
            if over {
                break;
            }
        }
        // It is gone, or it is not to go on.
        let _ = child.kill();
        let _ = child.wait();
    }
    // A machine that does other work is late as well: what was is tried once more, alone.
    for (position, (attack, (_, outcome, played))) in attacks.iter().zip(&mut results).enumerate() {
        if matches!(outcome, Outcome::Late(_)) {
            let mut child = start(program, backend, position)?;
            if let Ok(line) = lines_of(&mut child).recv_timeout(PATIENCE) {
                (*outcome, *played) = judge(attack, &line);
            }
            let _ = child.kill();
            let _ = child.wait();
        }
    }
    Ok(Run { backend: backend.into(), version: version.into(), results })
}

/// A child that runs the attacks from that one on.
fn start(program: &Path, backend: &str, from: usize) -> std::io::Result<Child> {
    Command::new(program)
        .args(["attack", "--backend", backend, "--from", &from.to_string()])
        // What is freed goes back to the system, so that each attack's growth is its own.
        .env("MALLOC_ARENA_MAX", "1")
        .env("MALLOC_MMAP_THRESHOLD_", "131072")
        .env("MALLOC_TRIM_THRESHOLD_", "131072")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
}

/// The lines that a child prints, as they come; they end when it does.
fn lines_of(child: &mut Child) -> Receiver<String> {
    let (sender, receiver) = channel();
    if let Some(output) = child.stdout.take() {
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
    }
    receiver
}

fn judge(attack: &Attack, line: &str) -> (Outcome, Option<AttackPlayed>) {
    let played: AttackPlayed = match serde_json::from_str(line) {
        Ok(played) => played,
        Err(_) => return (Outcome::Died(line.to_owned()), None),
    };
    // The cap and a tenth.
    let most = play::MEMORY + play::MEMORY / 10;
    let latest = u64::try_from((play::within(attack) + LATE).as_millis()).unwrap_or(u64::MAX);
    let outcome = if let Some(found) = &played.polluted {
        Outcome::Polluted(found.clone())
    } else if played.milliseconds > latest {
        Outcome::Late(played.milliseconds)
    } else if let Some(grown) = played.grown.filter(|&grown| grown > most) {
        Outcome::Fat(grown)
    } else if !played.satisfied {
        Outcome::Wrong(played.reply.clone())
    } else {
        Outcome::Held
    };
    (outcome, Some(played))
}
