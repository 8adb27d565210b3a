//! [omniLua](https://github.com/ianm199/omnilua), a Lua 5.1 written in Rust, as a redlua backend.
//!
//! Owns everything that touches an omniLua state: natives, the cursor and the builder, read-only
//! tables, interrupts, limits. It must not know any Redis rule: what a script may see arrives as
//! an [`Environment`], what it calls goes to a [`Bridge`](redlua_core::Bridge).
//!
//! omniLua's public crate `omnilua` makes the state; the functions here are written against the
//! layer below it (`lua-vm`), which is shaped like Lua's C interface but made of ordinary values
//! and `Result`s. Nothing there collects garbage behind a function's back: only running Lua code
//! and the explicit steps of the trampolines do. That is why a [`LuaValue`] may be held in a Rust
//! variable while a native runs.
//!
//! `unsafe` is denied but for two promises that safe Rust has no words for; both are in `lend`.
//!
//! [`LuaValue`]: lua_types::LuaValue
#![deny(unsafe_code)]

mod base;
mod call;
mod concat;
mod coroutine;
mod debug;
mod frame;
mod growth;
mod interrupt;
mod lend;
mod library;
mod load;
mod native;
mod protected;
mod proxy;
mod reader;
mod sandbox;
mod shared;
mod source;
mod vm;
mod writer;

use redlua_core::{Backend, BackendInfo, Dialect, Environment, Limits, Vm, VmError};

/// omniLua speaking Lua 5.1.
#[derive(Clone, Copy, Debug, Default)]
pub struct OmniLua;

impl Backend for OmniLua {
    fn info(&self) -> &'static BackendInfo {
        &INFO
    }

    fn create(&self, environment: &Environment, limits: &Limits) -> Result<Box<dyn Vm>, VmError> {
        vm::create(environment, limits)
    }
}

pub(crate) static INFO: BackendInfo = BackendInfo {
    name: "omnilua",
    version: "omniLua 0.7.1, as Lua 5.1",
    dialect: Dialect::Lua51,
    pure_rust: true,
    limits_memory: true,
    limits_time: true,
    limits_instructions: true,
    // LUAI_MAXCCALLS is compiled in.
    limits_depth: false,
};
