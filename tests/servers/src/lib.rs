//! Real servers for tests, started on free ports and stopped when they are dropped.
//!
//! Owns the processes and what lies between a test and them: [`Server`], [`Cluster`], [`Tls`],
//! and a [`Proxy`] that misbehaves on purpose. Must not know redlua, nor what a test asks.
//!
//! Where there is no redis-server 7.0.15 on the `PATH`, each `start` says so on the standard error
//! and returns `None`: the test that wanted it counts as skipped.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod cluster;
mod folder;
mod proxy;
mod server;
mod tls;

pub use cluster::Cluster;
pub use folder::Folder;
pub use proxy::{Fault, Proxy};
pub use server::Server;
pub use tls::Tls;
