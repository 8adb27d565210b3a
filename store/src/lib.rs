//! An embedded in-memory Redis 7.0: data types, expiry under an injectable clock, the command
//! table.
//!
//! [`Store`] implements [`redlua_core::Host`]. It must not know Lua.
//!
//! | part | owns |
//! |---|---|
//! | `table` | every command of 7.0 with its facts, look-up by name |
//! | `commands` | what commands do, one file a family |
//! | `keyspace` | databases, expiry, type checks, stamps of modified keys |
//! | `value` | the data types and when they change their layout |
//! | `acl`, `config`, `clients`, `pubsub` | what a server remembers besides keys |
//!
//! What a server around the store adds: sockets, `MULTI`, waiting ([`Store::take_blocked`]),
//! delivery ([`Store::take_messages`]). What there is not: keyspace notifications, client-side
//! caching, persistence, replication, clusters; the slow log and latency figures stay empty and
//! memory figures are estimates.
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
mod eviction;
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
mod tap;
mod value;

pub use clock::Clock;
pub use pubsub::Message;
pub use store::{Blocked, Store, TimeoutReply};
pub use tap::Tap;
