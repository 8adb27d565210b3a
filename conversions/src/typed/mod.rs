//! Rust values to commands' arguments and from replies, through serde.
//!
//! Owns which Rust type becomes which arguments ([`to_args`]) and which reply fits which Rust type
//! ([`from_reply`]). Must not know any command.

mod elements;
mod enums;
mod error;
mod from_reply;
mod to_args;

pub use error::Error;
pub use from_reply::from_reply;
pub use to_args::to_args;
