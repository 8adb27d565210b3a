//! Replies of a real server into cases.
//!
//! Owns the recording. Must not know how a case is judged.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use crate::case::load;
use crate::runner::Broken;
use crate::{Case, Error, Runner};

/// Runs the cases of a file and writes their replies back into it. Returns how many of them
/// changed.
///
/// # Errors
/// A case breaks off: the file is then left as it was.
pub fn record(runner: &Runner, path: &Path) -> Result<usize, Error> {
    let mut changed = 0;
    let mut text = String::new();
    for mut case in load(path)? {
        let replies = replies(runner, &case)?;
        if case.replies != replies {
            changed += 1;
            case.replies = replies;
        }
        let line = serde_json::to_string(&case).map_err(|source| Error::Line {
            path: path.to_owned(),
            line: 0,
            source,
        })?;
        text.push_str(&line);
        text.push('\n');
    }
    fs::write(path, text).map_err(|source| Error::File { path: path.to_owned(), source })?;
    Ok(changed)
}

/// Records a case that has no replies yet, twice: steps whose replies differ from run to run are
/// masked, or skipped where more than numbers differ.
///
/// # Errors
/// The case breaks off.
pub fn steady(runner: &Runner, mut case: Case) -> Result<Case, Error> {
    let first = replies(runner, &case)?;
    let second = replies(runner, &case)?;
    let differing = |one: &[String], other: &[String]| -> Vec<usize> {
        let pairs = one.iter().zip(other).enumerate();
        pairs.filter(|(_, (one, other))| one != other).map(|(index, _)| index).collect()
    };
    case.mask.extend(differing(&first, &second));
    // Masked now, and different all the same.
    let (third, fourth) = (replies(runner, &case)?, replies(runner, &case)?);
    case.skip.extend(differing(&third, &fourth));
    case.replies = replies(runner, &case)?;
    Ok(case)
}

/// What the target answers to a case.
fn replies(runner: &Runner, case: &Case) -> Result<Vec<String>, Error> {
    let played = runner.play(&Arc::new(case.clone()));
    match played.broken {
        None => Ok(played.replies),
        Some(Broken::Hung) => {
            Err(Error::Form { id: case.id.clone(), what: "no reply in time".to_owned() })
        }
        Some(Broken::Failed(what)) => Err(Error::Form { id: case.id.clone(), what }),
    }
}
