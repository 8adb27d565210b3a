//! The errors of the contracts. Redis error *replies* are not among them: they are data.

use thiserror::Error;

/// A chunk does not compile.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{}", String::from_utf8_lossy(.message))]
pub struct CompileError {
    /// What the Lua compiler says, position included: `user_script:1: '=' expected near 'x'`.
    pub message: Vec<u8>,
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
