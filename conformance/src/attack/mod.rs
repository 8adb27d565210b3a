//! Attacks: what a script, or whoever sends commands, may do to harm the process or others.
//!
//! Owns the form of an attack and the reading of the catalogue in `attacks/`. Must not know how
//! one is run ([`play`]) or watched ([`watch`]), nor how the results look ([`security`]).

mod play;
mod rss;
mod soak;
mod table;
mod watch;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use play::{Played as AttackPlayed, play as play_attack};
pub use rss::{peak, reset_peak, resident};
pub use soak::{Point, soak};
pub use table::security;
pub use watch::{Outcome, Run as AttackRun, watch};

use crate::{Error, Step};
use redlua_cases::{Arg, Case, lines};

/// One attack of the catalogue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attack {
    /// Unique name, `topic/what`.
    pub id: String,
    /// The published weaknesses that it tries.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cve: Vec<String>,
    /// What it tries.
    pub what: String,
    /// Commands, as in a case: sent in this order on a fresh server. The last reply counts.
    pub steps: Vec<Vec<Arg>>,
    /// What must come.
    pub expect: Expect,
    /// What redis-server 7.0.15 does.
    pub real: Real,
    /// Backends on which something else comes, and why that is no harm.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub gaps: BTreeMap<String, String>,
}

/// What an attack must end with. Whichever it is, the process lives, the limits hold and the next
/// script is served as if nothing had been.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Expect {
    /// These bytes, which a real server answered, as [`text_of`](crate::text_of) spells them.
    Reply(String),
    /// An error with this in its text.
    Error(String),
    /// Any reply.
    Ends,
}

/// What redis-server 7.0.15 does under an attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Real {
    /// Answers what is expected here.
    Answers,
    /// Answers something else: it has no limits.
    Differs,
    /// Ends.
    Dies,
    /// Answers nothing until it is killed.
    Hangs,
}

impl Attack {
    /// What step `index` does.
    ///
    /// # Errors
    /// It is not a step.
    pub(crate) fn step(&self, index: usize) -> Result<Step, Error> {
        self.case().step(index, &[])
    }

    /// Whether this reply to the last step is what must come.
    pub(crate) fn satisfied_by(&self, reply: &[u8]) -> bool {
        match &self.expect {
            Expect::Reply(text) => self.case().kept(self.steps.len(), reply) == *text,
            Expect::Error(part) => {
                reply.first() == Some(&b'-') && crate::text_of(reply).contains(part.as_str())
            }
            Expect::Ends => !reply.is_empty(),
        }
    }

    /// The topic, which is the part of the name before the slash.
    pub fn topic(&self) -> &str {
        self.id.split('/').next().unwrap_or_default()
    }

    fn case(&self) -> Case {
        Case {
            id: self.id.clone(),
            area: String::new(),
            resp: 2,
            setup: Vec::new(),
            steps: self.steps.clone(),
            skip: Vec::new(),
            mask: Vec::new(),
            post: Vec::new(),
            replies: Vec::new(),
            also: BTreeMap::new(),
            folder: PathBuf::new(),
        }
    }
}

/// The catalogue: every file of a folder, in the order of their names.
///
/// # Errors
/// A file cannot be read, or a line is no attack.
pub fn attacks(dir: &Path) -> Result<Vec<Attack>, Error> {
    let unreadable = |source| Error::File { path: dir.to_owned(), source };
    let entries = fs::read_dir(dir).map_err(unreadable)?;
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    files.sort();
    let mut all = Vec::new();
    for file in files {
        all.extend(lines::<Attack>(&file)?);
    }
    Ok(all)
}
