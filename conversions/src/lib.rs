//! Redis, Lua and Rust values into each other, and the libraries that scripts find.
//!
//! Everything here is written once against the traits of `redlua-core`, for every Lua engine.
//! It must not know scripts, hosts or backends.
#![forbid(unsafe_code)]

pub mod check;
pub mod number;
pub mod tree;

mod bit;
mod cjson;
mod cmsgpack;
mod library;
mod prng;
mod structs;

pub use library::Libraries;
