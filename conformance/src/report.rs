//! The outcome of a run, by area.
//!
//! Owns the counting and the tables. Must not know how cases run.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use serde::{Deserialize, Serialize};

use crate::{Case, Finding, Gaps, Verdict};

/// How many cases of an area went how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Every byte the same.
    pub identical: usize,
    /// Only the wording of an error differs.
    pub error_text: usize,
    /// Something else came.
    pub different: usize,
    /// Nothing came.
    pub hung: usize,
    /// Of those not identical, how many are declared gaps.
    pub declared: usize,
}

/// The outcome of one target.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The target's name.
    pub target: String,
    /// The areas.
    pub areas: BTreeMap<String, Tally>,
    /// What makes the run a failure: a line each.
    pub failures: Vec<String>,
    /// What the engine is and can do; nothing of a server behind a socket.
    #[serde(default)]
    pub engine: Option<EngineInfo>,
    /// How long it took.
    #[serde(default)]
    pub seconds: Seconds,
}

/// How long a run took and the build before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seconds {
    /// The build, by what somebody measured.
    pub build: Option<u64>,
    /// All cases.
    pub cases: Option<u64>,
}

/// What COMPATIBILITY.md says of an engine ([`BackendInfo`](redlua_core::BackendInfo), to keep).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineInfo {
    /// Engine and version.
    pub version: String,
    /// The language.
    pub dialect: String,
    /// Whether it is written in Rust alone.
    pub pure_rust: bool,
    /// The limits it honours, by name.
    pub limits: Vec<String>,
}

impl From<&redlua_core::BackendInfo> for EngineInfo {
    fn from(info: &redlua_core::BackendInfo) -> Self {
        let limits = [
            ("memory", info.limits_memory),
            ("time", info.limits_time),
            ("instructions", info.limits_instructions),
            ("depth", info.limits_depth),
        ];
        let limits = limits.into_iter().filter(|(_, honoured)| *honoured);
        EngineInfo {
            version: info.version.into(),
            dialect: format!("{:?}", info.dialect),
            pure_rust: info.pure_rust,
            limits: limits.map(|(name, _)| name.to_owned()).collect(),
        }
    }
}

impl Tally {
    /// How many cases there are.
    pub fn cases(&self) -> usize {
        self.identical + self.error_text + self.different + self.hung
    }

    /// The share of identical cases in percent.
    pub fn percent(&self) -> f64 {
        if self.cases() == 0 { 100.0 } else { 100.0 * self.identical as f64 / self.cases() as f64 }
    }

    /// The share of cases whose values are right, whatever the words of their errors, in percent.
    pub fn percent_values(&self) -> f64 {
        let right = self.identical + self.error_text;
        if self.cases() == 0 { 100.0 } else { 100.0 * right as f64 / self.cases() as f64 }
    }

    fn count(&mut self, verdict: Verdict) {
        *match verdict {
            Verdict::Identical => &mut self.identical,
            Verdict::ErrorText => &mut self.error_text,
            Verdict::Different => &mut self.different,
            Verdict::Hung => &mut self.hung,
        } += 1;
    }

    fn add(&mut self, other: &Tally) {
        self.identical += other.identical;
        self.error_text += other.error_text;
        self.different += other.different;
        self.hung += other.hung;
        self.declared += other.declared;
    }
}

impl Report {
    /// Counts findings. A case fails when it is not identical and no gap is declared for it, and
    /// when it is identical although one is.
    pub fn new<'a>(
        target: &str,
        findings: impl IntoIterator<Item = (&'a Case, &'a Finding)>,
        gaps: &Gaps,
    ) -> Self {
        let mut report = Report { target: target.into(), ..Report::default() };
        for (case, finding) in findings {
            let tally = report.areas.entry(case.area.clone()).or_default();
            tally.count(finding.verdict);
            match (finding.verdict, gaps.reason(&case.id)) {
                (Verdict::Identical, None) => {}
                (Verdict::Identical, Some(_)) if gaps.varies(&case.id) => {}
                (Verdict::Identical, Some(reason)) => report
                    .failures
                    .push(format!("{}: passes, but is declared a gap: {reason}", case.id)),
                (_, Some(_)) => tally.declared += 1,
                (_, None) => report.failures.push(format!("{}: {finding}", case.id)),
            }
        }
        report
    }

    /// All areas together.
    pub fn total(&self) -> Tally {
        let mut total = Tally::default();
        self.areas.values().for_each(|tally| total.add(tally));
        total
    }

    /// Whether nothing failed.
    pub fn passed(&self) -> bool {
        self.failures.is_empty()
    }
}

impl fmt::Display for Report {
    /// A table for a terminal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.target)?;
        writeln!(
            f,
            "{:<14} {:>6} {:>10} {:>11} {:>10} {:>5} {:>9} {:>7}",
            "area", "cases", "identical", "error text", "different", "hung", "declared", "%"
        )?;
        let total = self.total();
        let rows = self.areas.iter().map(|(area, tally)| (area.as_str(), tally));
        for (area, tally) in rows.chain([("all", &total)]) {
            writeln!(
                f,
                "{area:<14} {:>6} {:>10} {:>11} {:>10} {:>5} {:>9} {:>7.2}",
                tally.cases(),
                tally.identical,
                tally.error_text,
                tally.different,
                tally.hung,
                tally.declared,
                tally.percent()
            )?;
        }
        Ok(())
    }
}

/// Several targets in Markdown: a line a target, then a line an area with the cases that are
/// identical, and of the others how many differ in the text of an error (t), in a value (d), or
/// never came (h).
pub fn markdown(reports: &[Report]) -> String {
    let mut text = String::from(
        "| backend | cases | identical | text only | different | hung | declared | identical % | \
         values % |\n|---|---|---|---|---|---|---|---|---|\n",
    );
    for report in reports {
        let total = report.total();
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} | {:.2} | {:.2} |",
            report.target,
            total.cases(),
            total.identical,
            total.error_text,
            total.different,
            total.hung,
            total.declared,
            total.percent(),
            total.percent_values()
        );
    }
    let mut areas: BTreeMap<&str, usize> = BTreeMap::new();
    for report in reports {
        for (area, tally) in &report.areas {
            let cases = areas.entry(area).or_default();
            *cases = (*cases).max(tally.cases());
        }
    }
    text.push_str("\n| area | cases |");
    let mut rule = String::from("|---|---|");
    for report in reports {
        let _ = write!(text, " {} |", report.target);
        rule.push_str("---|");
    }
    let _ = writeln!(text, "\n{rule}");
    for (area, cases) in &areas {
        let _ = write!(text, "| {area} | {cases} |");
        for report in reports {
            text.push_str(&report.areas.get(*area).map_or(" – |".into(), cell));
        }
        text.push('\n');
    }
    let _ = write!(text, "| **all** | {} |", areas.values().sum::<usize>());
    for report in reports {
        text.push_str(&cell(&report.total()));
    }
    text.push('\n');
    text
}

/// One area on one target.
fn cell(tally: &Tally) -> String {
    let mut text = format!(" {}", tally.identical);
    for (count, mark) in [(tally.error_text, 't'), (tally.different, 'd'), (tally.hung, 'h')] {
        if count > 0 {
            let _ = write!(text, ", {count} {mark}");
        }
    }
    text.push_str(" |");
    text
}

/// What each engine is and can do, in Markdown; a line a target.
pub fn engines(reports: &[Report]) -> String {
    let mut text = String::from(
        "| backend | engine | language | in Rust alone | limits | build | cases |\n\
         |---|---|---|---|---|---|---|\n",
    );
    let seconds = |time: Option<u64>| time.map_or("–".into(), |time| format!("{time} s"));
    for report in reports {
        let Some(engine) = &report.engine else { continue };
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} |",
            report.target,
            engine.version,
            engine.dialect,
            if engine.pure_rust { "yes" } else { "no" },
            engine.limits.join(", "),
            seconds(report.seconds.build),
            seconds(report.seconds.cases)
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn report() -> Report {
        let case = |id: &str| -> Case {
            let json = format!(r#"{{"id":"{id}","area":"x","resp":2,"steps":[["PING"]]}}"#);
            serde_json::from_str(&json).unwrap()
        };
        // Tests run side by side: each has a folder of its own.
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("redlua-gaps-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let gaps = "{\"id\":\"x/b\",\"reason\":\"r\"}\n{\"id\":\"x/c\",\"reason\":\"r\"}\n";
        std::fs::write(dir.join("t.jsonl"), gaps).unwrap();
        let gaps = Gaps::load(&dir, "t").unwrap();
        std::fs::remove_dir_all(&dir).unwrap();
        let good = Finding::identical();
        let bad = Finding { verdict: Verdict::Different, ..Finding::identical() };
        let cases = ["x/a", "x/b", "x/c", "x/d"].map(case);
        Report::new("t", cases.iter().zip([&good, &good, &bad, &bad]), &gaps)
    }

    #[test]
    fn undeclared_failures_and_closed_gaps_fail() {
        let report = report();
        assert_eq!(report.failures.len(), 2);
        assert!(report.failures[0].starts_with("x/b: passes"));
        assert!(report.failures[1].starts_with("x/d: "));
        assert_eq!(
            report.total(),
            Tally { identical: 2, different: 2, declared: 1, ..Tally::default() }
        );
    }

    #[test]
    fn tables() {
        let report = report();
        assert!(report.to_string().contains("all                 4          2"));
        let text = markdown(&[report]);
        assert!(text.contains("| t | 4 | 2 | 0 | 2 | 0 | 1 | 50.00 | 50.00 |\n"), "{text}");
        assert!(text.ends_with("| x | 4 | 2, 2 d |\n| **all** | 4 | 2, 2 d |\n"), "{text}");
    }
}
