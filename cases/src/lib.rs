//! Cases: commands, and the bytes that a real server answered to them.
//!
//! Owns the form of a case, its recording, its running and its verdict. Must not know how a
//! target answers: a [`Target`] is a server behind a socket, one database of such a server, or a
//! server inside this process.
//!
//! ```no_run
//! use redlua_cases::{Runner, Socket, load, record};
//!
//! let path = "cases/mine.jsonl".as_ref();
//! record(&Runner::new(Socket::new("redis://127.0.0.1:7777")?), path)?;
//! assert!(load(path)?.iter().all(|case| case.replies.len() == case.steps.len()));
//! # Ok::<(), redlua_cases::Error>(())
//! ```
#![forbid(unsafe_code)]

mod case;
mod embedded;
mod error;
mod record;
mod runner;
mod scratch;
mod socket;
mod target;
mod verdict;

pub use case::{Arg, Case, Step, bytes_of, lines, load, load_dir, text_of};
pub use embedded::Embedded;
pub use error::Error;
pub use record::{record, steady};
pub use runner::{Broken, Played, Runner, play};
pub use scratch::Scratch;
pub use socket::Socket;
pub use target::{Connection, Instance, Target};
pub use verdict::{Finding, Verdict, judge};
