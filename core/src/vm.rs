//! A Lua engine as the rest of redlua sees it.
//!
//! Owns [`Vm`], [`Backend`] and what passes between a running script and the engine. No trait
//! here names a Lua value, a stack or a collector, so that a stackless engine fits as well as a
//! C one. It must not know any Redis rule.

use std::time::Instant;

use crate::{
    Arguments, CompileError, Environment, Frame, Limits, NativeId, Pause, Raise, StopReason,
    StopToken, ValueReader, ValueWriter, VmError,
};

/// Names a compiled script or a pinned function inside one [`Vm`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ScriptId(pub u32);

/// Source text to compile.
#[derive(Clone, Copy, Debug)]
pub struct Chunk<'a> {
    /// The chunk's name as Lua spells it, `@` included: `@user_script`.
    pub name: &'a str,
    /// The source; any bytes. Precompiled code is refused.
    pub source: &'a [u8],
}

/// How KEYS and ARGV reach a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passing {
    /// As the globals `KEYS` and `ARGV` (`EVAL`).
    Globals,
    /// As two tables, the function's arguments (`FCALL`).
    Arguments,
    /// Not at all (the top level of a library, `FUNCTION LOAD`).
    Nothing,
}

/// One call of a script.
#[derive(Clone, Copy, Debug)]
pub struct Invocation<'a> {
    /// KEYS.
    pub keys: &'a [&'a [u8]],
    /// ARGV.
    pub args: &'a [&'a [u8]],
    /// How the two are passed.
    pub passing: Passing,
    /// Index into [`Environment::views`].
    pub view: usize,
    /// Whether the bridge wants to hear of every line ([`Bridge::line`]).
    pub lines: bool,
    /// When the run began, which is when [`Limits::time`] begins to run.
    pub began: Instant,
}

/// Where in the Lua source something happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Location<'a> {
    /// The chunk's name as compiled (`@user_script`), or `=[C]`.
    pub source: &'a [u8],
    /// The line from 1, or -1 where there is none.
    pub line: i64,
}

/// How a run ended.
pub enum Outcome<'a> {
    /// The script returned; the cursor is on its first result ([`Kind::None`](crate::Kind::None)
    /// when there is none).
    Returned(&'a mut dyn ValueReader),
    /// The script raised an error that nothing caught.
    ///
    /// The cursor is on what [`Environment::error_handler`] made of the value raised; on a plain
    /// string when the handler could not run (no memory, an error in the handler).
    Raised(&'a mut dyn ValueReader),
    /// The script was stopped from outside.
    Stopped {
        /// Why.
        reason: StopReason,
        /// Where it was.
        at: Option<Location<'a>>,
    },
}

/// `redis.call` or `redis.pcall`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallMode {
    /// Error replies are raised.
    Call,
    /// Error replies are returned.
    Pcall,
}

/// What a backend does with the value that a bridge left in the writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Flow {
    /// Return it to the script.
    Return,
    /// Raise it.
    Raise,
}

/// The engine's side of one running script: the VM calls back into it.
///
/// No method may unwind into the VM: backends catch panics, end the script with an error and
/// report it.
pub trait Bridge {
    /// Runs `redis.call` / `redis.pcall` and leaves exactly one value in `out`.
    ///
    /// `argv` holds the arguments' bytes (numbers already formatted with 17 significant digits,
    /// [`redlua_conversions::number`](https://docs.rs/redlua-conversions)); it is `None` when
    /// some argument was neither a string nor a number.
    fn call(&mut self, mode: CallMode, argv: Option<&[&[u8]]>, out: &mut dyn ValueWriter) -> Flow;

    /// Runs the native `id` of the [`Environment`]. Its results are the values appended to
    /// `out`. `out` must not be used while the cursor of `args` is inside a table.
    ///
    /// # Errors
    /// What is to be raised in the script.
    fn native(
        &mut self,
        id: NativeId,
        args: &mut dyn Arguments,
        out: &mut dyn ValueWriter,
    ) -> Result<(), Raise>;

    /// Hears of a line that is about to run, when [`Invocation::lines`] asks for it; the script
    /// stands still meanwhile, and no time limit passes. With [`Flow::Raise`] the value left in
    /// `out` is raised in the script.
    fn line(&mut self, pause: Pause, frame: &mut dyn Frame, out: &mut dyn ValueWriter) -> Flow {
        let _ = (pause, frame, out);
        Flow::Return
    }

    /// Receives the end of the run, exactly once, before [`Vm::run`] returns.
    fn finish(&mut self, outcome: Outcome<'_>);
}

/// A Lua state with the scripts compiled into it. Owned by one thread at a time.
///
/// Whatever a script does, the VM is usable afterwards.
pub trait Vm: Send {
    /// What engine this is.
    fn info(&self) -> &'static BackendInfo;

    /// Compiles a chunk into a function without running it.
    ///
    /// # Errors
    /// The Lua compiler's message.
    fn compile(&mut self, chunk: Chunk<'_>) -> Result<ScriptId, CompileError>;

    /// Runs a compiled script or a pinned function to its end, which [`Bridge::finish`] receives.
    /// An unknown or released id raises an error there.
    ///
    /// The native or host call in progress is never interrupted; Lua code is, when `StopToken`
    /// or a limit says so.
    fn run(&mut self, script: ScriptId, invocation: &Invocation<'_>, bridge: &mut dyn Bridge);

    /// Forgets a script or a pinned function.
    fn release(&mut self, script: ScriptId);

    /// Bytes the Lua state holds.
    fn memory_used(&self) -> usize;

    /// Runs a full garbage collection.
    fn collect(&mut self);

    /// Replaces the limits, from the next run on.
    fn set_limits(&mut self, limits: &Limits);

    /// The handle that stops the script running in this VM.
    fn stop_token(&self) -> StopToken;

    /// Whether [`Invocation::lines`] is honoured: only then can scripts be debugged.
    fn reports_lines(&self) -> bool {
        false
    }
}

/// Which language a backend's scripts are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// Lua 5.1, what Redis speaks.
    Lua51,
    /// LuaJIT's Lua 5.1.
    LuaJit,
    /// Lua 5.4.
    Lua54,
    /// Luau.
    Luau,
}

/// What a Lua engine is and can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackendInfo {
    /// The cargo feature that compiles it in: `mlua-lua51`.
    pub name: &'static str,
    /// Engine and version: `Lua 5.1.5 (mlua 0.12)`.
    pub version: &'static str,
    /// The language.
    pub dialect: Dialect,
    /// Whether it is written in Rust alone.
    pub pure_rust: bool,
    /// Whether [`Limits::memory`] is honoured.
    pub limits_memory: bool,
    /// Whether [`Limits::time`] and the [`StopToken`] are honoured.
    pub limits_time: bool,
    /// Whether [`Limits::instructions`] is honoured.
    pub limits_instructions: bool,
    /// Whether [`Limits::depth`] is honoured; an engine that has a fixed depth of its own says no.
    pub limits_depth: bool,
}

/// Makes [`Vm`]s.
pub trait Backend: Send + Sync {
    /// What engine this is.
    fn info(&self) -> &'static BackendInfo;

    /// Makes a Lua state with `environment` in it.
    ///
    /// # Errors
    /// No memory, or an environment that the engine cannot build.
    fn create(&self, environment: &Environment, limits: &Limits) -> Result<Box<dyn Vm>, VmError>;
}
