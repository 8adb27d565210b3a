//! RESP, the protocol of Redis, in both directions.
//!
//! Owns the bytes of RESP2 and RESP3: [`RespWriter`] makes them from reply events, [`parse`] makes
//! events from them, [`RequestParser`] finds the commands a client sends. Must not know what a
//! reply is kept in afterwards, nor any command.

mod args;
mod frame;
mod parser;
mod request;
mod resp2;
mod writer;

pub use args::{UnbalancedQuotes, split_args};
pub use frame::{Framer, MAX_DEPTH, RespError};
pub use parser::{Parsed, emit, parse};
pub use request::{RequestError, RequestParser};
pub use resp2::{Resp2, flatten};
pub use writer::{RespWriter, error_line, status_line};
