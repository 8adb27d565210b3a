//! Messages without a client library.
//!
//! Owns [`Subscription`] and [`Message`]. Must not know who publishes.

use std::borrow::Cow;
use std::time::Duration;

use redlua_conversions::Reply;
use redlua_conversions::reply::ReplyBuilder;
use redlua_conversions::resp::emit;
use redlua_core::Protocol;
use redlua_server::Link;

/// A client that listens. It leaves its channels when it is dropped.
#[derive(Debug)]
pub struct Subscription {
    link: Link,
}

impl Subscription {
    /// A client without subscriptions, in RESP3.
    pub(super) fn new(mut link: Link) -> Self {
        link.request(&[b"HELLO", b"3"]);
        Subscription { link }
    }

    /// Subscribes to further channels.
    pub fn subscribe<C: AsRef<[u8]>>(&mut self, channels: &[C]) {
        self.change(b"SUBSCRIBE", channels);
    }

    /// Subscribes to all channels whose names match one of the patterns.
    pub fn psubscribe<P: AsRef<[u8]>>(&mut self, patterns: &[P]) {
        self.change(b"PSUBSCRIBE", patterns);
    }

    /// Leaves channels.
    pub fn unsubscribe<C: AsRef<[u8]>>(&mut self, channels: &[C]) {
        self.change(b"UNSUBSCRIBE", channels);
    }

    /// Leaves patterns.
    pub fn punsubscribe<P: AsRef<[u8]>>(&mut self, patterns: &[P]) {
        self.change(b"PUNSUBSCRIBE", patterns);
    }

    /// The next message; `None` when none comes within `timeout`.
    pub fn next(&mut self, timeout: Duration) -> Option<Message> {
        loop {
            if let Some(message) = Message::of(&self.link.wait_message(timeout)?) {
                return Some(message);
            }
        }
    }

    /// The next message if it has come already.
    pub fn try_next(&mut self) -> Option<Message> {
        loop {
            if let Some(message) = Message::of(&self.link.message()?) {
                return Some(message);
            }
        }
    }

    /// The next message, on any executor; `None` when the connection has been closed.
    pub async fn next_async(&mut self) -> Option<Message> {
        loop {
            if let Some(message) = Message::of(&self.link.message_async().await?) {
                return Some(message);
            }
        }
    }

    fn change<W: AsRef<[u8]>>(&mut self, command: &[u8], names: &[W]) {
        // Without a name SUBSCRIBE is an error and UNSUBSCRIBE would leave everything.
        if !names.is_empty() {
            let mut argv = vec![command];
            argv.extend(names.iter().map(AsRef::as_ref));
            self.link.request(&argv);
        }
    }
}

/// Something published.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Message {
    /// The pattern that matched the channel, if that is why it came.
    pub pattern: Option<Vec<u8>>,
    /// The channel's name as it is.
    pub channel_bytes: Vec<u8>,
    /// What was published.
    pub payload_bytes: Vec<u8>,
}

impl Message {
    /// The channel as text.
    pub fn channel(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.channel_bytes)
    }

    /// What was published, as text.
    pub fn payload(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.payload_bytes)
    }

    /// Reads a message as the server sends it, in either protocol; `None` for another push.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        let mut reply = ReplyBuilder::new(Protocol::Resp3);
        emit(bytes, &mut reply).ok()?;
        let (Reply::Push(items) | Reply::Array(items)) = reply.finish()? else { return None };
        let words: Option<Vec<&[u8]>> = items.iter().map(Reply::bytes).collect();
        let (pattern, channel, payload) = match words?.as_slice() {
            [b"message" | b"smessage", channel, payload] => (None, *channel, *payload),
            [b"pmessage", pattern, channel, payload] => (Some(*pattern), *channel, *payload),
            _ => return None,
        };
        Some(Message {
            pattern: pattern.map(<[u8]>::to_vec),
            channel_bytes: channel.to_vec(),
            payload_bytes: payload.to_vec(),
        })
    }
}
