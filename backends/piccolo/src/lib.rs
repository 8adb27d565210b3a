//! piccolo, a Lua machine written in Rust that never uses the host's stack for Lua's calls, as a
//! redlua backend.
//!
//! piccolo speaks a part of Lua 5.4. What scripts see here is Lua 5.1: `frontend` reads that
//! language and makes piccolo's instructions of it; what these cannot do is done by functions of
//! the host that the instructions call (`ops`, by the rules in `meta`). Tables are piccolo's,
//! their order is Lua 5.1's (`layout`, `tables`). The library comes from `redlua-conversions`;
//! functions that call back into Lua are piccolo's sequences (`task`, `protect`, `coroutine`).
//!
//! This crate must not know any rule of Redis: what a script may see arrives as an
//! [`Environment`], what it calls goes to a bridge.
#![forbid(unsafe_code)]

mod base;
mod check;
mod coroutine;
mod flatten;
mod frontend;
mod growth;
mod layout;
mod load;
mod machine;
mod meta;
mod native;
mod ops;
mod protect;
mod reader;
mod sandbox;
mod tables;
mod task;
mod value;
mod vm;
mod writer;

use redlua_core::{Backend, BackendInfo, Dialect, Environment, Limits, Vm, VmError};

/// piccolo with a front end for Lua 5.1.
#[derive(Clone, Copy, Debug, Default)]
pub struct Piccolo;

static INFO: BackendInfo = BackendInfo {
    name: "piccolo",
    version: "piccolo 0.3.3 with redlua's front end for Lua 5.1",
    dialect: Dialect::Lua51,
    pure_rust: true,
    limits_memory: true,
    limits_time: true,
    limits_instructions: true,
    limits_depth: true,
};

impl Backend for Piccolo {
    fn info(&self) -> &'static BackendInfo {
        &INFO
    }

    fn create(&self, environment: &Environment, limits: &Limits) -> Result<Box<dyn Vm>, VmError> {
        vm::create(&INFO, environment, limits)
    }
}
