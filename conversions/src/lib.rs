//! Redis, Lua and Rust values into each other, and the libraries that scripts find.
//!
//! Everything here is written once against the traits of `redlua-core`, for every Lua engine.
//! It must not know scripts, hosts or backends.
#![forbid(unsafe_code)]

pub mod check;
pub mod glob;
pub mod keys;
pub mod lualib;
pub mod number;
pub mod order;
pub mod rdb;
pub mod reply;
pub mod resp;
pub mod script;
pub mod slot;
pub mod syntax;
pub mod tree;
pub mod typed;

mod bit;
mod cjson;
mod cmsgpack;
mod gather;
mod library;
mod output;
mod prng;
mod skip;
mod structs;

pub use library::Libraries;
pub use reply::{Items, Pairs, Reply, ReplyBuilder, human, quoted, raw};
pub use typed::{Error, from_reply, to_args};
