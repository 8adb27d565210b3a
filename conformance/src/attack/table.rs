//! SECURITY.md: attacks by backend.
//!
//! Owns the table; what stands before and after it is kept in `attacks/`. Must not know how
//! attacks run.

use std::fmt::Write;

use super::{Attack, AttackRun, Expect, Outcome, Real};

/// The document, from its fixed text, the catalogue and the runs.
pub fn security(preface: &str, attacks: &[Attack], runs: &[AttackRun]) -> String {
    let mut text = preface.trim_end().to_owned();
    text.push_str("\n\n## Attacks by backend\n\n");
    let _ = writeln!(
        text,
        "{} attacks, each in its own fresh server within a child process. *Held*: the reply or \
         the error that must come came, the process lived, the time and the memory limit were \
         kept, and the next script found everything as it was.\n",
        attacks.len()
    );
    text.push_str("| backend | engine | held | declared | wrong reply | changed for others | late | too much memory | hung | process ended | slowest | grew at most |\n");
    text.push_str("|---|---|---|---|---|---|---|---|---|---|---|---|\n");
    for run in runs {
        let _ = writeln!(text, "{}", line(run, attacks));
    }
    text.push_str(
        "\nWhat each attack is, what redis-server 7.0.15 does under it, what comes here.",
    );
    text.push_str(" A backend is named where not all of that holds.\n");
    let mut topic = "";
    for (at, attack) in attacks.iter().enumerate() {
        if attack.topic() != topic {
            topic = attack.topic();
            let _ = writeln!(text, "\n### {topic}\n");
            text.push_str("| attack | published as | redis-server 7.0.15 | here | except |\n");
            text.push_str("|---|---|---|---|---|\n");
        }
        let except: Vec<String> = runs
            .iter()
            .filter_map(|run| {
                let (_, outcome, _) = run.results.get(at)?;
                let reason = attack.gaps.get(&run.backend);
                match (outcome, reason) {
                    (Outcome::Held, _) => None,
                    (_, Some(reason)) => Some(format!("{}: {reason}", run.backend)),
                    (other, None) => Some(format!("{}: {}", run.backend, name(other))),
                }
            })
            .collect();
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} |",
            cell(&attack.what),
            attack.cve.join(", "),
            real(attack.real),
            expected(&attack.expect),
            cell(&except.join("; "))
        );
    }
    text
}

fn line(run: &AttackRun, attacks: &[Attack]) -> String {
    let mut counts = [0_usize; 8];
    let (mut slowest, mut grown) = (0, 0);
    for (attack, (_, outcome, played)) in attacks.iter().zip(&run.results) {
        let declared = attack.gaps.contains_key(&run.backend);
        let column = match outcome {
            Outcome::Held => 0,
            Outcome::Wrong(_) | Outcome::Late(_) | Outcome::Fat(_) if declared => 1,
            Outcome::Wrong(_) => 2,
            Outcome::Polluted(_) => 3,
            Outcome::Late(_) => 4,
            Outcome::Fat(_) => 5,
            Outcome::Hung => 6,
            Outcome::Died(_) => 7,
        };
        counts[column] += 1;
        if let Some(played) = played {
            slowest = slowest.max(played.milliseconds);
            grown = grown.max(played.grown.unwrap_or_default());
        }
    }
    let counts: Vec<String> = counts.iter().map(usize::to_string).collect();
    format!(
        "| {} | {} | {} | {slowest} ms | {} MiB |",
        run.backend,
        run.version,
        counts.join(" | "),
        grown.div_ceil(1 << 20)
    )
}

fn name(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Held => "held",
        Outcome::Wrong(_) => "another reply",
        Outcome::Polluted(_) => "CHANGED FOR OTHERS",
        Outcome::Late(_) => "LATE",
        Outcome::Fat(_) => "TOO MUCH MEMORY",
        Outcome::Hung => "HUNG",
        Outcome::Died(_) => "PROCESS ENDED",
    }
}

fn real(real: Real) -> &'static str {
    match real {
        Real::Answers => "answers",
        Real::Differs => "answers otherwise",
        Real::Dies => "ends",
        Real::Hangs => "hangs",
    }
}

fn expected(expect: &Expect) -> String {
    match expect {
        Expect::Reply(_) => "the same bytes".into(),
        Expect::Error(part) if part.is_empty() => "an error".into(),
        Expect::Error(part) => format!("error: {}", cell(part)),
        Expect::Ends => "any reply".into(),
    }
}

/// Text that does not end its cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
