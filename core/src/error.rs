//! The errors of the contracts. Redis error *replies* are not among them: they are data.

use thiserror::Error;

/// Why a chunk does not compile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CompileFault {
    /// It is wrong.
    Syntax,
    /// There is no memory for it, or no room: it may be right.
    Memory,
    /// Compiling took longer than a script may run.
    Time,
}

/// A chunk does not compile.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{}", String::from_utf8_lossy(.message))]
pub struct CompileError {
    /// Why.
    pub fault: CompileFault,
    /// What the Lua compiler says, position included: `user_script:1: '=' expected near 'x'`.
    pub message: Vec<u8>,
}

impl CompileError {
    /// The chunk is wrong, in the compiler's words.
    pub fn syntax(message: impl Into<Vec<u8>>) -> Self {
        CompileError { fault: CompileFault::Syntax, message: message.into() }
    }

    /// There is no memory for it, in the words of Lua (`MEMERRMSG` of `lmem.h`).
    pub fn memory() -> Self {
        CompileError { fault: CompileFault::Memory, message: b"not enough memory".to_vec() }
    }

    /// Compiling took too long.
    pub fn time() -> Self {
        let message = b"compiling exceeded the time limit".to_vec();
        CompileError { fault: CompileFault::Time, message }
    }
}

/// A Lua engine cannot be made.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum VmError {
    /// There is no memory for a Lua state.
    #[error("no memory for a Lua state")]
    NoMemory,
    /// The [`Environment`](crate::Environment) asks for something the engine cannot build.
    #[error("the Lua environment cannot be built: {0}")]
    Environment(String),
}
