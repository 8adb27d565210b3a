//! Redis, Lua and Rust values into each other, and the libraries that scripts find.
//!
//! Everything here is written once against the traits of `redlua-core`, for every Lua engine.
//! It must not know scripts, hosts or backends.
#![forbid(unsafe_code)]

pub mod number;
pub mod reply;
pub mod resp;
mod skip;
pub mod typed;

pub use reply::{Items, Pairs, Reply, ReplyBuilder, human, quoted, raw};
pub use typed::{Error, from_reply, to_args};
