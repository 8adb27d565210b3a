//! Client-side caching: who has read what, and what they are told when it changes
//! (`tracking.c`).
//!
//! Owns the table of keys and the broadcasts. It must not know how messages reach their
//! connections, nor how a connection asks to be told.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashMap;

use crate::clients::{Clients, Tracking};
use crate::events::Touch;
use crate::pubsub::{Message, PubSub};

/// Who has to be told of which keys.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    /// The connections that have read a key.
    readers: HashMap<Vec<u8>, BTreeSet<u64>>,
    /// How many entries `readers` has altogether.
    items: usize,
    /// The broadcasts by prefix.
    prefixes: BTreeMap<Vec<u8>, Broadcast>,
}

/// The connections that hear of every key with a prefix.
#[derive(Clone, Debug, Default)]
struct Broadcast {
    clients: BTreeSet<u64>,
    /// The keys that have changed since the last message, each with the connection that did it.
    keys: BTreeMap<Vec<u8>, u64>,
}

impl Table {
    /// How many keys, readers of keys, and prefixes there are.
    pub(crate) fn figures(&self) -> [usize; 3] {
        [self.readers.len(), self.items, self.prefixes.len()]
    }

    /// A connection has read keys (`trackingRememberKeys`).
    pub(crate) fn remember<'a>(
        &mut self,
        id: u64,
        tracking: &Tracking,
        keys: impl Iterator<Item = &'a [u8]>,
    ) {
        let excepted = if tracking.opt_in { !tracking.caching } else { tracking.caching };
        if tracking.broadcast || (tracking.opt_in || tracking.opt_out) && excepted {
            return;
        }
        for key in keys {
            self.items += usize::from(self.readers.entry_ref(key).or_default().insert(id));
        }
    }

    /// A connection wants to hear of prefixes (`enableBcastTrackingForPrefix`).
    pub(crate) fn subscribe(&mut self, id: u64, prefixes: &BTreeSet<Vec<u8>>) {
        for prefix in prefixes {
            self.prefixes.entry(prefix.clone()).or_default().clients.insert(id);
        }
    }

    /// It does not any more (`disableTracking`). What it has read is told to nobody then.
    pub(crate) fn unsubscribe(&mut self, id: u64, prefixes: &BTreeSet<Vec<u8>>) {
        for prefix in prefixes {
            if let Some(broadcast) = self.prefixes.get_mut(prefix) {
                broadcast.clients.remove(&id);
                if broadcast.clients.is_empty() {
                    self.prefixes.remove(prefix);
                }
            }
        }
    }

    /// Keys have changed, by the hand of connection `by`: tells those who have read them. To
    /// broadcasts they are changed by `author`.
    pub(crate) fn invalidate(
        &mut self,
        touches: Vec<Touch>,
        by: (u64, u64),
        clients: &mut Clients,
        pubsub: &mut PubSub,
    ) {
        for touch in touches {
            match touch {
                Touch::Key(key) => self.invalidate_key(key, by, clients, pubsub),
                Touch::All => self.invalidate_all(clients, pubsub),
            }
        }
    }

    /// `trackingInvalidateKey`.
    fn invalidate_key(
        &mut self,
        key: Vec<u8>,
        (by, author): (u64, u64),
        clients: &mut Clients,
        pubsub: &mut PubSub,
    ) {
        for (prefix, broadcast) in &mut self.prefixes {
            if key.starts_with(prefix) {
                broadcast.keys.insert(key.clone(), author);
            }
        }
        let Some(readers) = self.readers.remove(&key) else { return };
        self.items -= readers.len();
        for id in readers {
            let tracking = clients.find(id).and_then(|client| client.tracking.as_deref());
            if tracking.is_some_and(|t| !(t.broadcast || t.no_loop && id == by)) {
                tell(id, Some(vec![key.clone()]), clients, pubsub);
            }
        }
    }

    /// `trackingInvalidateKeysOnFlush`.
    fn invalidate_all(&mut self, clients: &mut Clients, pubsub: &mut PubSub) {
        let all: Vec<u64> = clients
            .iter()
            .filter(|(_, client)| client.tracking.is_some())
            .map(|(id, _)| id)
            .collect();
        for id in all {
            tell(id, None, clients, pubsub);
        }
        self.readers.clear();
        self.items = 0;
    }

    /// Sends out the broadcasts (`trackingBroadcastInvalidationMessages`).
    pub(crate) fn broadcast(&mut self, clients: &mut Clients, pubsub: &mut PubSub) {
        for broadcast in self.prefixes.values_mut() {
            if broadcast.keys.is_empty() {
                continue;
            }
            let changed = std::mem::take(&mut broadcast.keys);
            for id in &broadcast.clients {
                let tracking = clients.find(*id).and_then(|client| client.tracking.as_deref());
                let deaf = tracking.is_some_and(|tracking| tracking.no_loop);
                let keys: Vec<Vec<u8>> = changed
                    .iter()
                    .filter(|(_, by)| !(deaf && *by == id))
                    .map(|(key, _)| key.clone())
                    .collect();
                if !keys.is_empty() {
                    tell(*id, Some(keys), clients, pubsub);
                }
            }
        }
    }

    /// Gives up keys while there are more than `most` (`trackingLimitUsedSlots`).
    pub(crate) fn shrink(&mut self, most: usize, clients: &mut Clients, pubsub: &mut PubSub) {
        while most > 0 && self.readers.len() > most {
            let Some(key) = self.readers.keys().next().cloned() else { break };
            // Nobody changed the key, so nobody is spared.
            self.invalidate_key(key, (u64::MAX, u64::MAX), clients, pubsub);
        }
    }
}

/// Tells a connection, or the one it redirects to, that keys have changed; all keys when `keys`
/// is `None` (`sendTrackingMessage`).
fn tell(id: u64, keys: Option<Vec<Vec<u8>>>, clients: &mut Clients, pubsub: &mut PubSub) {
    use redlua_core::Protocol::Resp3;
    let Some(client) = clients.find(id) else { return };
    let redirect = client.tracking.as_ref().map_or(0, |tracking| tracking.redirect);
    if redirect == 0 {
        // Under RESP2 there is no way to tell a connection of its own.
        if client.protocol == Resp3 {
            pubsub.send(id, Message::Invalidated { keys });
        }
        return;
    }
    match clients.find(redirect) {
        Some(target) => {
            if target.protocol == Resp3 || pubsub.is_subscribed(redirect) {
                pubsub.send(redirect, Message::Invalidated { keys });
            }
        }
        None => {
            let speaks = client.protocol == Resp3;
            if let Some(tracking) =
                clients.find_mut(id).and_then(|client| client.tracking.as_deref_mut())
            {
                tracking.broken = true;
            }
            if speaks {
                pubsub.send(id, Message::RedirectionBroken { client: redirect });
            }
        }
    }
}
