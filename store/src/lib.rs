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
//! | `events`, `tracking` | who hears of which change |
//! | `stats`, `slowlog`, `latency` | what has been counted and measured |
//!
//! What a server around the store adds: sockets, `MULTI`, waiting ([`Store::take_blocked`]),
//! delivery ([`Store::take_messages`]), acting upon other connections
//! ([`Store::take_actions`], [`Store::paused`]). What there is not: persistence, replication,
//! clusters; memory figures are estimates.
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
mod events;
mod eviction;
mod geo;
mod hyperloglog;
mod keyspace;
mod latency;
mod long_double;
mod pqsort;
mod pubsub;
mod random;
mod server;
mod slowlog;
mod stats;
mod store;
mod table;
mod tap;
mod tracking;
mod value;

pub use clock::Clock;
pub use pubsub::Message;
pub use store::{
    Action, Awaited, BadParameter, Blocked, LateStamp, LateWatches, Pause, Store, TimeoutReply,
    UNBLOCKED,
};
pub use tap::Tap;
