//! An embedded in-memory Redis 7.0: data types, expiry under an injectable clock, the command
//! table.
//!
//! [`Store`] implements [`redlua_core::Host`]. It must not know Lua.
#![forbid(unsafe_code)]

mod acl;
mod arg;
mod clients;
mod clock;
mod commands;
mod config;
mod context;
mod dict;
mod dump;
mod error;
mod geo;
mod hyperloglog;
mod keyspace;
mod long_double;
mod pqsort;
mod pubsub;
mod random;
mod server;
mod store;
mod table;
mod value;

pub use clock::Clock;
pub use pubsub::Message;
pub use store::{Blocked, Store, TimeoutReply};
