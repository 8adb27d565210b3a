//! The suite: cases with the replies of redis-server 7.0.15, the gaps of the backends, the report.
//!
//! Owns what is true of this suite alone. The form of a case, its running and its verdict are
//! `redlua-cases`'.
#![forbid(unsafe_code)]

mod attack;
mod commands;
mod compatibility;
mod figures;
mod gaps;
mod report;

pub use attack::{
    Attack, AttackPlayed, AttackRun, Expect, Outcome, Point, Real, attacks, peak, play_attack,
    reset_peak, resident, security, soak, watch,
};
pub use commands::{CommandState, State, command_table, commands};
pub use compatibility::compatibility;
pub use figures::{Figure, figure_lines, figures};
pub use gaps::{Gap, Gaps};
pub use redlua_cases::{
    Arg, Broken, Case, Connection, Embedded, Error, Finding, Instance, Played, Runner, Socket,
    Step, Target, Verdict, bytes_of, judge, load, load_dir, play, record, text_of,
};
pub use report::{EngineInfo, Report, Seconds, Tally, engines, markdown};
