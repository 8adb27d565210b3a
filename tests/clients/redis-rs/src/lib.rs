//! What people do with redis-rs, written once for any connection.
//!
//! Owns the code; `tests/` runs it on `MockRedis` and on whatever server REDIS_URL names. Must
//! not know which of them it runs on.
#![allow(clippy::unwrap_used, reason = "everything here is a test")]

pub mod asynchronous;
pub mod synchronous;
