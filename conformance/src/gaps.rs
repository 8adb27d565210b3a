//! Differences that are known and accepted.
//!
//! Owns the files `gaps/<target>.jsonl`. Must not know why a gap exists beyond the reason given.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use redlua_cases::lines;

use crate::Error;

/// One case that a target is known to answer differently.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gap {
    /// The case.
    pub id: String,
    /// Why this target cannot do it.
    pub reason: String,
    /// Whether it differs in some runs only: an engine may seed its hash tables at random, and
    /// the order in which they are walked is then sometimes the right one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub varies: bool,
}

/// The gaps of one target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gaps(BTreeMap<String, Gap>);

impl Gaps {
    /// Reads `DIR/TARGET.jsonl`; a target without that file has no gaps.
    ///
    /// # Errors
    /// The file cannot be read, or a line is no gap.
    pub fn load(dir: &Path, target: &str) -> Result<Self, Error> {
        let path = dir.join(format!("{target}.jsonl"));
        if !path.exists() {
            return Ok(Gaps::default());
        }
        let gaps: Vec<Gap> = lines(&path)?;
        Ok(Gaps(gaps.into_iter().map(|gap| (gap.id.clone(), gap)).collect()))
    }

    /// The reason why a case is declared, if it is.
    pub fn reason(&self, id: &str) -> Option<&str> {
        self.0.get(id).map(|gap| gap.reason.as_str())
    }

    /// Whether a declared case may also be identical.
    pub fn varies(&self, id: &str) -> bool {
        self.0.get(id).is_some_and(|gap| gap.varies)
    }

    /// How many cases are declared for each reason.
    pub fn reasons(&self) -> BTreeMap<&str, usize> {
        let mut reasons = BTreeMap::new();
        for gap in self.0.values() {
            *reasons.entry(gap.reason.as_str()).or_default() += 1;
        }
        reasons
    }

    /// The cases declared.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
