//! An embedded in-memory Redis 7.0: data types, expiry under an injectable clock, the command
//! table.
//!
//! [`Store`] implements [`redlua_core::Host`]. It must not know Lua.
#![forbid(unsafe_code)]

mod arg;
mod clock;
mod commands;
mod config;
mod context;
mod dict;
mod dump;
mod error;
mod geo;
mod glob;
mod hyperloglog;
mod keyspace;
mod long_double;
mod pqsort;
mod random;
mod server;
mod store;
mod table;
mod value;

pub use clock::Clock;
pub use store::{Blocked, Store, TimeoutReply};
