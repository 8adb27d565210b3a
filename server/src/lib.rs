//! Sessions over an embedded redlua: many connections on one store and one engine.
//!
//! This crate owns what a connection remembers between commands (`MULTI`, `WATCH`), what it
//! waits for (blocking commands, messages), and what others hear while a script is busy. It must
//! not know how a command works, nor sockets: a [`Connection`] takes argvs and gives RESP bytes.
//!
//! ```
//! use std::time::Duration;
//! use redlua_server::Server;
//!
//! let server = Server::new();
//! let connection = server.connect();
//! connection.send(&["INCR", "n"]);
//! assert_eq!(connection.recv(Duration::from_secs(1)), Some(b":1\r\n".to_vec()));
//! ```
#![forbid(unsafe_code)]

mod client;
mod connection;
mod outbox;
mod server;
mod transaction;
mod waiting;

pub use connection::Connection;
pub use server::Server;
