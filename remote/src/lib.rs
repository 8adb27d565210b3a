//! A real Redis, Valkey or cluster behind redlua.
//!
//! This crate owns [`Remote`], a [`Host`](redlua_core::Host) whose commands a server runs: a script
//! runs in the engine of this process while each `redis.call` travels. It also sends whole
//! requests ([`Remote::request`]), so that the same connection can run a script *on* the server.
//! It must not know Lua, nor which engine runs.
//!
//! ```no_run
//! use redlua_remote::{Options, Remote};
//!
//! let mut remote = Remote::open("redis://127.0.0.1:6379", Options::default())?;
//! let reply = remote.request(&[b"PING"])?;
//! # Ok::<(), redlua_remote::Error>(())
//! ```
#![forbid(unsafe_code)]

mod address;
mod commands;
mod error;
mod host;
mod link;
mod value;

pub use address::{Address, Options};
pub use error::{Error, Fault};
pub use host::Remote;
/// The client library, in the version whose connections [`ask`] takes.
pub use redis;
pub use value::ask;
