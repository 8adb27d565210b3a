//! Replies of a real server into cases.
//!
//! Owns the recording. Must not know how a case is judged.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use crate::case::load;
use crate::runner::Broken;
use crate::{Error, Runner};

/// Runs the cases of a file and writes their replies back into it. Returns how many of them
/// changed.
///
/// # Errors
/// A case breaks off: the file is then left as it was.
pub fn record(runner: &Runner, path: &Path) -> Result<usize, Error> {
    let mut changed = 0;
    let mut text = String::new();
    for mut case in load(path)? {
        let played = runner.play(&Arc::new(case.clone()));
        if let Some(broken) = played.broken {
            let what = match broken {
                Broken::Hung => "no reply in time".to_owned(),
                Broken::Failed(why) => why,
            };
            return Err(Error::Form { id: case.id, what });
        }
        if case.replies != played.replies {
            changed += 1;
            case.replies = played.replies;
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
