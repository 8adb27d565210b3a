//! Redis Lua scripting as a library: `EVAL`, `EVALSHA`, `FUNCTION`, `FCALL` and `redis.call`, on
//! the Lua engine that a cargo feature picks.
//!
//! This crate is the facade: it owns the list of backends, [`Client`] and [`Script`]. It must
//! not know how any of the parts works.
//!
//! ```
//! use redlua::{Client, Script};
//!
//! let script = Script::new(
//!     "local n = redis.call('INCRBY', KEYS[1], ARGV[1])
//!      return {n, redis.call('TYPE', KEYS[1])}",
//! );
//! let mut client = Client::new();
//! let (total, kind): (i64, String) =
//!     script.key("visits").arg(5).invoke(&mut client)?;
//! assert_eq!((total, kind.as_str()), (5, "string"));
//! # Ok::<(), redlua::Error>(())
//! ```
//!
//! # Which crate to look into
//!
//! | to | see |
//! |---|---|
//! | give scripting to your own Redis | [`core::Host`], [`Engine::dispatch`] |
//! | write a Lua backend | [`core::Backend`] |
//! | convert values | [`conversions`] |
//! | use the embedded Redis | [`Store`] |
//! | serve many connections | [`Server`], [`new_server`] |
//! | test code that talks to Redis | [`MockRedis`] |
#![forbid(unsafe_code)]

#[cfg(all(c_lua = "none", not(any(feature = "omnilua", feature = "piccolo"))))]
compile_error!(
    "redlua needs a Lua engine: enable one of the cargo features `mlua-lua51` (the default), \
     `mlua-luajit`, `mlua-lua54`, `mlua-luau`, `rlua-lua51`, `rlua-lua54`, `omnilua` and `piccolo`"
);

mod backends;
mod client;
#[cfg(feature = "remote")]
mod endpoint;
pub mod mock;
mod script;

pub use backends::{UnknownBackend, backend, backends, new_server};
pub use client::{Client, Connection};
#[cfg(feature = "remote")]
pub use endpoint::Endpoint;
pub use mock::{MockConnection, MockRedis};
pub use redlua_conversions as conversions;
pub use redlua_conversions::{Error, Reply, from_reply, to_args};
pub use redlua_core as core;
pub use redlua_core::{CommandFlags, CommandSpec, Host, Limits, Protocol, ReplySink, Session};
pub use redlua_engine as engine;
pub use redlua_engine::{Cluster, Engine, Monitor};
#[cfg(feature = "remote")]
pub use redlua_remote as remote;
pub use redlua_server as server;
pub use redlua_server::Server;
pub use redlua_store as store;
pub use redlua_store::Store;
pub use script::{Invocation, Script};

/// The examples of README.md run as documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
