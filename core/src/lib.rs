//! The contracts of redlua: what a Lua engine, a Redis and a value conversion promise each other.
//!
//! This crate owns traits and the plain data they exchange. It must not know any Redis rule
//! (those live in `redlua-engine` and `redlua-conversions`), nor any Lua engine, nor any store.
//!
//! | to build | implement | see |
//! |---|---|---|
//! | a Redis for scripts to call | [`Host`] | [`CommandSpec`], [`Session`] |
//! | a Lua engine | [`Backend`] and [`Vm`] | [`Arguments`], [`ValueWriter`], [`Bridge`], [`Environment`] |
//! | a receiver of replies | [`ReplySink`] | [`Protocol`] |
//!
//! One `EVAL` passes through all of them: the engine looks a script up and calls [`Vm::run`];
//! the Lua engine hands each `redis.call` to [`Bridge::call`] with arguments that still lie in
//! Lua's memory; the bridge asks [`Host::command`] and [`Host::call`]; the host pushes its reply
//! into a [`ReplySink`] that builds the Lua value as it comes; at the end the engine reads the
//! script's result through a [`ValueReader`] straight into the caller's sink.
#![forbid(unsafe_code)]

mod environment;
mod error;
mod frame;
mod host;
mod limits;
mod reply;
mod steps;
mod value;
mod vm;

pub use environment::{Entry, Environment, Item, NativeId, View};
pub use error::{CompileError, CompileFault, VmError};
pub use frame::{Evaluation, Frame, Level, Pause};
pub use host::{
    CommandFlags, CommandSpec, Condition, Debugging, Denied, Host, KeySpec, LogLevel,
    ScriptFigures, Session, UserId,
};
pub use limits::{Limits, StopReason, StopToken};
pub use reply::{Protocol, ReplySink, Seq};
pub use steps::{Scalar, Step, Workspace};
pub use value::{Arguments, Kind, Raise, ValueReader, ValueWriter};
pub use vm::{
    Backend, BackendInfo, Bridge, CallMode, Chunk, Dialect, Flow, Invocation, Location, Outcome,
    Passing, ScriptId, Vm,
};
