//! What is known of a backend besides its speed: how it was built, what it answers.
//!
//! Owns the files that `redlua-xtask` and `redlua-conformance` leave. Must not know how a fact is
//! shown.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;

/// A backend.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Facts {
    /// Its name.
    pub(crate) backend: String,
    /// Seconds it took to build the smallest program with it, in whatever state the build folder
    /// was.
    #[serde(default)]
    pub(crate) build_seconds: Option<f64>,
    /// The bytes of that program.
    #[serde(default)]
    pub(crate) binary_bytes: Option<u64>,
    /// Why there are no figures.
    #[serde(default)]
    pub(crate) failure: Option<String>,
    /// What the suite found, unless it was not run.
    #[serde(skip)]
    pub(crate) conformance: Option<Conformance>,
    /// What it found another day.
    #[serde(skip)]
    pub(crate) kept: Option<Tally>,
}

/// A line of `conformance/figures.jsonl`.
#[derive(Deserialize)]
struct Kept {
    backend: String,
    cases: u64,
    not_identical: u64,
    wrong: u64,
}

impl Kept {
    fn tally(&self) -> Tally {
        Tally {
            identical: self.cases - self.not_identical.min(self.cases),
            error_text: self.not_identical.saturating_sub(self.wrong),
            different: self.wrong,
            hung: 0,
        }
    }
}

impl Facts {
    /// What the suite found: now, or else another day.
    pub(crate) fn total(&self) -> Option<Tally> {
        self.conformance.as_ref().map(Conformance::total).or(self.kept)
    }
}

/// A report of `redlua-conformance run --json`.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Conformance {
    /// The cases by area.
    pub(crate) areas: BTreeMap<String, Tally>,
    /// The engine.
    #[serde(default)]
    pub(crate) engine: Option<Engine>,
}

/// How many cases went how.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[allow(missing_docs, reason = "named after what they count")]
pub(crate) struct Tally {
    pub(crate) identical: u64,
    pub(crate) error_text: u64,
    pub(crate) different: u64,
    pub(crate) hung: u64,
}

/// What an engine is.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Engine {
    /// Its name and version.
    pub(crate) version: String,
    /// Whether it is in Rust alone.
    pub(crate) pure_rust: bool,
    /// The limits it honours.
    pub(crate) limits: Vec<String>,
}

impl Tally {
    /// All cases.
    pub(crate) fn cases(&self) -> u64 {
        self.identical + self.error_text + self.different + self.hung
    }

    /// The share of identical replies, in percent.
    pub(crate) fn percent(&self) -> f64 {
        100.0 * self.identical as f64 / self.cases().max(1) as f64
    }

    /// The share of right values, whatever the words of errors, in percent.
    pub(crate) fn percent_values(&self) -> f64 {
        100.0 * (self.identical + self.error_text) as f64 / self.cases().max(1) as f64
    }
}

impl Conformance {
    /// All areas together.
    pub(crate) fn total(&self) -> Tally {
        self.areas.values().fold(Tally::default(), |sum, area| Tally {
            identical: sum.identical + area.identical,
            error_text: sum.error_text + area.error_text,
            different: sum.different + area.different,
            hung: sum.hung + area.hung,
        })
    }
}

/// Reads `<backend>.facts.json` and `<backend>.conformance.json` of a folder, for these backends
/// and in their order, and `kept`, the figures of another day. What is missing or broken counts
/// as not known.
pub(crate) fn read(folder: &Path, kept: Option<&Path>, backends: &[String]) -> Vec<Facts> {
    let kept = kept.and_then(|path| fs::read_to_string(path).ok()).unwrap_or_default();
    let kept: Vec<Kept> = kept.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let file = |name: String| fs::read(folder.join(name)).ok();
    let facts = |backend: &String| {
        let known = file(format!("{backend}.facts.json"));
        let known = known.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let suite = file(format!("{backend}.conformance.json"));
        Facts {
            backend: backend.clone(),
            conformance: suite.and_then(|bytes| serde_json::from_slice(&bytes).ok()),
            kept: kept.iter().find(|kept| kept.backend == *backend).map(Kept::tally),
            ..known.unwrap_or_default()
        }
    };
    backends.iter().map(facts).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_another_day_stand_in() {
        let line = r#"{"backend":"one","cases":200,"not_identical":5,"wrong":1}"#;
        let kept: Kept = serde_json::from_str(line).expect("the form of the file");
        let facts = Facts { kept: Some(kept.tally()), ..Facts::default() };
        let total = facts.total().expect("they are known");
        assert_eq!((total.cases(), total.percent(), total.percent_values()), (200, 97.5, 99.5));
    }
}
