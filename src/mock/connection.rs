//! One client of a mock.
//!
//! Owns [`MockConnection`]. Must not know how commands work.

use std::collections::VecDeque;
use std::time::Duration;

use redlua_conversions::reply::ReplyBuilder;
use redlua_conversions::resp::{Framer, emit};
use redlua_conversions::{Error, Reply, to_args};
use redlua_server::Link;
use serde::Serialize;

use super::Message;
use crate::Connection;

/// One client of a [`MockRedis`](crate::MockRedis): its database, its transaction, its
/// subscriptions. It leaves when it is dropped.
///
/// With the cargo feature `redis` it is a `redis::ConnectionLike` and a
/// `redis::aio::ConnectionLike`.
///
/// ```
/// use redlua::{MockRedis, Reply};
///
/// let mock = MockRedis::new();
/// let mut ada = mock.connection();
/// ada.command(("MULTI",))?;
/// ada.command(("INCR", "n"))?;
/// assert_eq!(mock.command(("EXISTS", "n"))?, Reply::Integer(0));
/// assert_eq!(ada.command(("EXEC",))?, Reply::array([Reply::Integer(1)]));
/// # Ok::<(), redlua::Error>(())
/// ```
#[derive(Debug)]
pub struct MockConnection {
    pub(super) link: Link,
    /// Pushes of RESP3 that stood among replies.
    pub(super) pushed: VecDeque<Vec<u8>>,
}

impl MockConnection {
    pub(super) fn new(link: Link) -> Self {
        MockConnection { link, pushed: VecDeque::new() }
    }

    /// `CLIENT ID`, which [`Call::session`](crate::mock::Call::session) names.
    pub fn id(&self) -> u64 {
        self.link.id()
    }

    /// Runs one command given as a tuple, a slice or anything else that serializes to a flat
    /// list of arguments ([`to_args`]). A command with several replies, `SUBSCRIBE` of several
    /// channels, returns the last.
    ///
    /// # Errors
    /// The arguments cannot be serialized. An error of Redis is a [`Reply`].
    pub fn command(&mut self, args: impl Serialize) -> Result<Reply, Error> {
        let args = to_args(&args)?;
        let argv: Vec<&[u8]> = args.iter().map(Vec::as_slice).collect();
        Ok(self.request(&argv))
    }

    /// The same without blocking the thread, on any executor.
    ///
    /// # Errors
    /// The arguments cannot be serialized. An error of Redis is a [`Reply`].
    pub async fn command_async(&mut self, args: impl Serialize) -> Result<Reply, Error> {
        let args = to_args(&args)?;
        let argv: Vec<&[u8]> = args.iter().map(Vec::as_slice).collect();
        let reply = self.link.request_async(&argv).await;
        Ok(self.reply(&reply))
    }

    /// The next message of a channel the connection is subscribed to; `None` when none comes
    /// within `timeout`.
    pub fn message(&mut self, timeout: Duration) -> Option<Message> {
        loop {
            let bytes = match self.pushed.pop_front() {
                Some(bytes) => bytes,
                None => self.link.wait_message(timeout)?,
            };
            if let Some(message) = Message::of(&bytes) {
                return Some(message);
            }
        }
    }

    /// Whether the server has not closed the connection.
    pub fn is_open(&self) -> bool {
        !self.link.is_closed()
    }

    fn reply(&self, bytes: &[u8]) -> Reply {
        let last = replies(bytes).last().unwrap_or_default();
        decode(last, &self.link).unwrap_or(Reply::Null)
    }
}

impl Connection for MockConnection {
    fn request(&mut self, argv: &[&[u8]]) -> Reply {
        let reply = self.link.request(argv);
        self.reply(&reply)
    }
}

/// The bytes of each reply.
pub(super) fn replies(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let length = Framer::default().advance(bytes).ok()??;
        let (reply, rest) = bytes.split_at_checked(length)?;
        bytes = rest;
        Some(reply)
    })
}

fn decode(bytes: &[u8], link: &Link) -> Option<Reply> {
    let mut reply = ReplyBuilder::new(link.protocol());
    emit(bytes, &mut reply).ok()?;
    reply.finish()
}
