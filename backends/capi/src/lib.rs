//! What every Lua with the C interface shares: the trampolines between Lua and Rust, the cursor
//! and the builder on the Lua stack, read-only tables, interrupts and memory accounting.
//!
//! This crate owns all `unsafe` that touches a Lua state. It must not know any Redis rule: what
//! a script may see arrives as an [`Environment`](redlua_core::Environment), what it calls goes
//! to a [`Bridge`](redlua_core::Bridge).
//!
//! # How an error crosses
//!
//! Lua raises errors with `longjmp`, which runs no destructor. Every function that Lua calls
//! therefore has three phases:
//!
//! 1. **gather**: reads the arguments; owns nothing that needs dropping;
//! 2. **dispatch**: runs Rust code under `catch_unwind`; owns whatever it likes, and touches Lua
//!    only through operations that cannot raise (raw access, pushes; memory is not limited
//!    meanwhile, so they cannot fail for lack of it);
//! 3. **raise**: when there is something to raise, a frame without destructors does so.
//!
//! # Read-only tables
//!
//! Stock Lua has none. The tables a script must not change are kept where it cannot reach them;
//! what it sees are empty stand-ins (`proxy`) whose metatable reads through and refuses
//! writes. The few library functions that would see the difference (`next`, `rawget`,
//! `getmetatable`, …) are wrapped in `base`.
#![cfg(engine)]

mod backend;
mod base;
mod call;
#[cfg(not(lua51))]
mod chunk;
#[cfg(lua51)]
mod code;
#[cfg(luajit)]
#[path = "jitcode.rs"]
mod code;
#[cfg(luau)]
mod compiler;
#[cfg(luajit)]
mod coroutine;
mod debug;
#[cfg(not(lua51))]
mod dialect;
#[cfg(any(lua51, luajit))]
mod direct;
mod ffi;
#[cfg(lua51)]
mod guard;
mod interrupt;
#[cfg(luajit)]
mod jit;
mod known;
mod layout;
#[cfg(not(lua51))]
mod library;
mod look;
mod lualib;
mod native;
mod pool;
mod proxy;
mod reader;
mod sandbox;
mod scratch;
#[cfg(any(lua51, luajit))]
mod shorten;
#[cfg(lua51)]
mod source;
mod state;
#[cfg(luau)]
mod step;
#[cfg(luajit)]
mod tailcall;
mod vm;
#[cfg(any(luajit, lua54))]
mod walk;
#[cfg(luau)]
mod watch;
#[cfg(not(lua51))]
mod wording;
mod writer;

pub use vm::create;
#[cfg(luajit)]
pub use vm::create_compiling;
