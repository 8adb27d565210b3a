//! Sessions over an embedded redlua: many connections on one store and one engine.
//!
//! This crate owns what a connection remembers between commands (`MULTI`, `WATCH`), what it
//! waits for (blocking commands, messages), and what others hear while a script is busy. It must
//! not know how a command works.
//!
//! | part | owns |
//! |---|---|
//! | [`Server`] | one store and one engine for all |
//! | [`Link`] | a client whose commands run on the caller's thread or task |
//! | [`Connection`] | a client that any thread sends on and reads from |
//! | `net` (with the feature of that name) | TCP and Unix sockets |
//! | [`Stream`] | a client as bytes in memory, for libraries that talk to sockets |
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//! use redlua_server::Server;
//!
//! let server = Server::with_backend(Arc::new(redlua_mlua::Lua51));
//! let connection = server.connect();
//! connection.send(&["INCR", "n"]);
//! assert_eq!(connection.recv(Duration::from_secs(1)), Some(b":1\r\n".to_vec()));
//! ```
#![forbid(unsafe_code)]

mod busy;
mod client;
mod connection;
mod core;
mod debug;
mod handle;
mod link;
#[cfg(feature = "net")]
pub mod net;
mod park;
mod server;
mod shared;
mod stream;
mod transaction;
mod verb;
mod waiting;

pub use connection::Connection;
pub use link::Link;
pub use server::Server;
pub use stream::Stream;
