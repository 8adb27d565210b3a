//! Redis scripting: `EVAL` and its forms, `SCRIPT`, `FUNCTION`, `FCALL`, and what `redis.call`
//! may do.
//!
//! This crate owns the semantics of `script.c`, `script_lua.c`, `eval.c`, `functions.c` and
//! `function_lua.c` of redis-server 7.0. It must not know which Lua engine runs the scripts nor
//! which store they run against: it sees a [`Backend`](redlua_core::Backend) and a
//! [`Host`](redlua_core::Host).
//!
//! The one entry is [`Engine::dispatch`].
#![forbid(unsafe_code)]

mod api;
mod cache;
mod dispatch;
mod engine;
mod fault;
mod functions;
mod gate;
mod help;
mod ldb;
mod monitor;
mod noted;
mod payload;
mod places;
mod register;
mod run;
mod sandbox;
mod scripts;
mod shebang;
mod text;
mod world;

pub use api::sha1;
pub use engine::Engine;
pub use functions::push_busy_stats;
pub use ldb::Console;
pub use monitor::{KillOutcome, Monitor, RunKind, RunningFunction};
pub use places::{Cluster, CrossSlot};
pub use scripts::push_kill;
pub use text::OOM as OUT_OF_MEMORY;
