//! What can go wrong before a verdict is reached.
//!
//! Owns the crate's error. A wrong reply is none: that is a [`Verdict`](crate::Verdict).

use std::io;
use std::path::PathBuf;

/// A case cannot be read, a target not reached.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The backend is not in this build.
    #[error("{0}")]
    Backend(String),
    /// A file cannot be read or written.
    #[error("{}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line is not a case or a gap.
    #[error("{}:{line}", .path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A case asks for something that its form does not have.
    #[error("{id}: {what}")]
    Form {
        /// The case.
        id: String,
        /// What is wrong.
        what: String,
    },
    /// The target cannot be reached or breaks off.
    #[error("the target does not answer")]
    Target(#[from] io::Error),
    /// Not an address of a server.
    #[error("not redis://HOST:PORT: {0}")]
    Url(String),
}
