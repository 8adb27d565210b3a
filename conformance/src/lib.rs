//! Cases with the replies of a real server, and what runs them on anything that speaks RESP.
//!
//! Owns the form of a case, its running, its verdict and the report. Must not know how a target
//! answers: a [`Target`] is a server behind a socket or one inside this process.
#![forbid(unsafe_code)]

mod attack;
mod case;
mod commands;
mod compatibility;
mod embedded;
mod error;
mod gaps;
mod record;
mod report;
mod runner;
mod socket;
mod target;
mod verdict;

pub use attack::{
    Attack, AttackPlayed, AttackRun, Expect, Outcome, Point, Real, attacks, peak, play_attack,
    reset_peak, resident, security, soak, watch,
};
pub use case::{Arg, Case, Step, bytes_of, load, load_dir, text_of};
pub use commands::{CommandState, State, command_table, commands};
pub use compatibility::compatibility;
pub use embedded::Embedded;
pub use error::Error;
pub use gaps::{Gap, Gaps};
pub use record::record;
pub use report::{EngineInfo, Report, Tally, engines, markdown};
pub use runner::{Broken, Played, Runner, play};
pub use socket::Socket;
pub use target::{Connection, Instance, Target};
pub use verdict::{Finding, Verdict, judge};
