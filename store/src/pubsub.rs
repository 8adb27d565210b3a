//! Publish and subscribe: who listens to what (`pubsub.c`).
//!
//! Owns the registry and the outbox of messages. It must not know how messages reach their
//! connections.

use hashbrown::HashMap;

use redlua_conversions::glob;
use redlua_core::{Protocol, ReplySink, Seq};

use crate::events::{Class, Event};

/// What a connection is sent without having asked for it just now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// To a subscriber of the channel.
    Channel {
        /// The channel.
        channel: Vec<u8>,
        /// What was published.
        payload: Vec<u8>,
    },
    /// To a subscriber of a pattern.
    Pattern {
        /// The pattern.
        pattern: Vec<u8>,
        /// The channel.
        channel: Vec<u8>,
        /// What was published.
        payload: Vec<u8>,
    },
    /// To a subscriber of the shard channel.
    Shard {
        /// The channel.
        channel: Vec<u8>,
        /// What was published.
        payload: Vec<u8>,
    },
    /// To a connection that caches, or the one it redirects to: keys have changed.
    Invalidated {
        /// The keys; `None` means all.
        keys: Option<Vec<Vec<u8>>>,
    },
    /// To a connection whose invalidations went to another, which is gone.
    RedirectionBroken {
        /// The connection that is gone.
        client: u64,
    },
    /// To a connection that monitors: a command has run.
    Command {
        /// The line that describes it.
        line: Vec<u8>,
    },
}

impl Message {
    /// Whether it was published to a channel.
    pub fn is_published(&self) -> bool {
        matches!(self, Message::Channel { .. } | Message::Pattern { .. } | Message::Shard { .. })
    }

    /// Pushes the message as the subscriber receives it.
    pub fn push(&self, sink: &mut dyn ReplySink) {
        let parts: &[&[u8]] = match self {
            Message::Invalidated { keys } => return push_invalidated(keys.as_deref(), sink),
            Message::RedirectionBroken { client } => {
                sink.seq(Seq::Push, 2);
                sink.bulk(b"tracking-redir-broken");
                return sink.integer(i64::try_from(*client).unwrap_or(i64::MAX));
            }
            Message::Command { line } => return sink.status(line),
            Message::Channel { channel, payload } => &[b"message", channel, payload],
            Message::Pattern { pattern, channel, payload } => {
                &[b"pmessage", pattern, channel, payload]
            }
            Message::Shard { channel, payload } => &[b"smessage", channel, payload],
        };
        sink.seq(Seq::Push, parts.len());
        for part in parts {
            sink.bulk(part);
        }
    }
}

/// Under RESP2 an invalidation looks like a message of a channel (`sendTrackingMessage`).
fn push_invalidated(keys: Option<&[Vec<u8>]>, sink: &mut dyn ReplySink) {
    if sink.protocol() == Protocol::Resp3 {
        sink.seq(Seq::Push, 2);
        sink.bulk(b"invalidate");
    } else {
        sink.seq(Seq::Push, 3);
        sink.bulk(b"message");
        sink.bulk(b"__redis__:invalidate");
    }
    match keys {
        Some(keys) => {
            sink.seq(Seq::Array, keys.len());
            keys.iter().for_each(|key| sink.bulk(key));
        }
        None => sink.null(),
    }
}

/// What a subscription names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Topic {
    /// A channel.
    Channel,
    /// A pattern of channels.
    Pattern,
    /// A shard channel.
    Shard,
}

/// All subscriptions and the messages not yet fetched.
#[derive(Clone, Default)]
pub(crate) struct PubSub {
    channels: Subscriptions,
    patterns: Subscriptions,
    shards: Subscriptions,
    outbox: Vec<(u64, Message)>,
}

/// Subscribers by name, in the order they came.
type Subscriptions = HashMap<Vec<u8>, Vec<u64>>;

impl PubSub {
    fn topic(&self, topic: Topic) -> &Subscriptions {
        match topic {
            Topic::Channel => &self.channels,
            Topic::Pattern => &self.patterns,
            Topic::Shard => &self.shards,
        }
    }

    fn topic_mut(&mut self, topic: Topic) -> &mut Subscriptions {
        match topic {
            Topic::Channel => &mut self.channels,
            Topic::Pattern => &mut self.patterns,
            Topic::Shard => &mut self.shards,
        }
    }

    /// Subscribes a session.
    pub(crate) fn subscribe(&mut self, topic: Topic, name: &[u8], session: u64) {
        let subscribers = self.topic_mut(topic).entry_ref(name).or_default();
        if !subscribers.contains(&session) {
            subscribers.push(session);
        }
    }

    /// Ends a subscription.
    pub(crate) fn unsubscribe(&mut self, topic: Topic, name: &[u8], session: u64) {
        let names = self.topic_mut(topic);
        if let Some(subscribers) = names.get_mut(name) {
            subscribers.retain(|subscriber| *subscriber != session);
            if subscribers.is_empty() {
                names.remove(name);
            }
        }
    }

    /// The names a session is subscribed to.
    pub(crate) fn of(&self, topic: Topic, session: u64) -> Vec<Vec<u8>> {
        let names = self.topic(topic).iter();
        names.filter(|(_, who)| who.contains(&session)).map(|(name, _)| name.clone()).collect()
    }

    /// How many subscriptions a session has: of channels and patterns together, or of shards.
    pub(crate) fn count(&self, topic: Topic, session: u64) -> usize {
        let of = |names: &Subscriptions| names.values().filter(|w| w.contains(&session)).count();
        match topic {
            Topic::Shard => of(&self.shards),
            _ => of(&self.channels) + of(&self.patterns),
        }
    }

    /// Whether a session has any subscription.
    pub(crate) fn is_subscribed(&self, session: u64) -> bool {
        self.count(Topic::Channel, session) + self.count(Topic::Shard, session) > 0
    }

    /// Ends all subscriptions of a session.
    pub(crate) fn forget(&mut self, session: u64) {
        for topic in [Topic::Channel, Topic::Pattern, Topic::Shard] {
            for name in self.of(topic, session) {
                self.unsubscribe(topic, &name, session);
            }
        }
        self.outbox.retain(|(receiver, _)| *receiver != session);
    }

    /// Sends a connection something of another kind.
    pub(crate) fn send(&mut self, session: u64, message: Message) {
        self.outbox.push((session, message));
    }

    /// Publishes an event of a key (`notifyKeyspaceEvent` in `notify.c`).
    pub(crate) fn announce(&mut self, classes: Class, event: &Event) {
        let name = event.name.as_bytes();
        let channel = |kind: &str, rest: &[u8]| {
            let mut channel = format!("__{kind}@{}__:", event.database).into_bytes();
            channel.extend_from_slice(rest);
            channel
        };
        if classes.contains(Class::KEYSPACE) {
            self.publish(&channel("keyspace", &event.key), name);
        }
        if classes.contains(Class::KEYEVENT) {
            self.publish(&channel("keyevent", name), &event.key);
        }
    }

    /// Publishes to a channel and to the patterns that match it; returns how many receive it.
    pub(crate) fn publish(&mut self, channel: &[u8], payload: &[u8]) -> usize {
        let before = self.outbox.len();
        for session in self.channels.get(channel).into_iter().flatten() {
            let message = Message::Channel { channel: channel.to_vec(), payload: payload.to_vec() };
            self.outbox.push((*session, message));
        }
        for (pattern, sessions) in &self.patterns {
            if glob::matches(pattern, channel) {
                for session in sessions {
                    let message = Message::Pattern {
                        pattern: pattern.clone(),
                        channel: channel.to_vec(),
                        payload: payload.to_vec(),
                    };
                    self.outbox.push((*session, message));
                }
            }
        }
        self.outbox.len() - before
    }

    /// Publishes to a shard channel; returns how many receive it.
    pub(crate) fn publish_shard(&mut self, channel: &[u8], payload: &[u8]) -> usize {
        let before = self.outbox.len();
        for session in self.shards.get(channel).into_iter().flatten() {
            let message = Message::Shard { channel: channel.to_vec(), payload: payload.to_vec() };
            self.outbox.push((*session, message));
        }
        self.outbox.len() - before
    }

    /// The channels somebody listens to that match a pattern.
    pub(crate) fn active(&self, topic: Topic, pattern: Option<&[u8]>) -> Vec<&[u8]> {
        let names = self.topic(topic).keys().map(Vec::as_slice);
        names.filter(|name| pattern.is_none_or(|p| glob::matches(p, name))).collect()
    }

    /// How many listen to a channel.
    pub(crate) fn listeners(&self, topic: Topic, name: &[u8]) -> usize {
        self.topic(topic).get(name).map_or(0, Vec::len)
    }

    /// How many different patterns there are.
    pub(crate) fn patterns(&self) -> usize {
        self.patterns.len()
    }

    /// The messages since the last call, each with its receiver.
    pub(crate) fn take_messages(&mut self) -> Vec<(u64, Message)> {
        std::mem::take(&mut self.outbox)
    }
}
