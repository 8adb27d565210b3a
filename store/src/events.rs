//! What happens to keys, for those who want to hear of it: keyspace notifications (`notify.c`)
//! and client-side caching (`tracking.c`).
//!
//! Owns the classes of events and the record of one call. It must not know who listens.

use bitflags::bitflags;

bitflags! {
    /// Classes of events (`NOTIFY_*` in `server.h`).
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub(crate) struct Class: u16 {
        /// Publish to `__keyspace@0__:key`.
        const KEYSPACE = 1 << 0;
        /// Publish to `__keyevent@0__:event`.
        const KEYEVENT = 1 << 1;
        /// Commands on keys of any type.
        const GENERIC = 1 << 2;
        /// Strings.
        const STRING = 1 << 3;
        /// Lists.
        const LIST = 1 << 4;
        /// Sets.
        const SET = 1 << 5;
        /// Hashes.
        const HASH = 1 << 6;
        /// Sorted sets.
        const ZSET = 1 << 7;
        /// Keys that expired.
        const EXPIRED = 1 << 8;
        /// Keys that were evicted.
        const EVICTED = 1 << 9;
        /// Streams.
        const STREAM = 1 << 10;
        /// Reads of keys that are not there.
        const KEY_MISS = 1 << 11;
        /// Modules' own.
        const MODULE = 1 << 12;
        /// Keys that were not there before.
        const NEW = 1 << 13;
    }
}

/// The letters of the classes that `A` stands for, in canonical order.
const ALL: [(u8, Class); 10] = [
    (b'g', Class::GENERIC),
    (b'$', Class::STRING),
    (b'l', Class::LIST),
    (b's', Class::SET),
    (b'h', Class::HASH),
    (b'z', Class::ZSET),
    (b'x', Class::EXPIRED),
    (b'e', Class::EVICTED),
    (b't', Class::STREAM),
    (b'd', Class::MODULE),
];

impl Class {
    /// Reads a value of `notify-keyspace-events`.
    pub(crate) fn parse(letters: &[u8]) -> Option<Class> {
        let mut classes = Class::empty();
        for letter in letters {
            classes |= match letter {
                b'A' => ALL.iter().fold(Class::empty(), |all, (_, class)| all | *class),
                b'K' => Class::KEYSPACE,
                b'E' => Class::KEYEVENT,
                b'm' => Class::KEY_MISS,
                b'n' => Class::NEW,
                letter => ALL.iter().find(|(known, _)| known == letter)?.1,
            };
        }
        Some(classes)
    }

    /// The canonical form (`keyspaceEventsFlagsToString`), which hides `n` behind `A`.
    pub(crate) fn letters(self) -> Vec<u8> {
        let mut text = Vec::new();
        if ALL.iter().all(|(_, class)| self.contains(*class)) {
            text.push(b'A');
        } else {
            let single = ALL.iter().chain([&(b'n', Class::NEW)]);
            text.extend(
                single.filter(|(_, class)| self.contains(*class)).map(|(letter, _)| *letter),
            );
        }
        let rest = [(b'K', Class::KEYSPACE), (b'E', Class::KEYEVENT), (b'm', Class::KEY_MISS)];
        text.extend(
            rest.iter().filter(|(_, class)| self.contains(*class)).map(|(letter, _)| *letter),
        );
        text
    }

    /// Whether anything is published at all.
    pub(crate) fn publishes(self) -> bool {
        self.intersects(Class::KEYSPACE | Class::KEYEVENT)
    }
}

/// Something that happened to a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    /// What: `set`, `expired`.
    pub(crate) name: &'static str,
    /// The database.
    pub(crate) database: usize,
    /// The key.
    pub(crate) key: Vec<u8>,
}

/// A change that makes what clients have cached invalid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Touch {
    /// Of one key.
    Key(Vec<u8>),
    /// Of every key.
    All,
}

/// What has happened since it was last looked at. Nothing is noted unless somebody asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Journal {
    /// The classes that are noted.
    classes: Class,
    /// Whether changes are noted.
    pub(crate) tracks: bool,
    /// What happened, first things first.
    pub(crate) events: Vec<Event>,
    /// What changed, first things first.
    pub(crate) touches: Vec<Touch>,
}

impl Journal {
    /// Notes these classes of events from now on.
    pub(crate) fn listen(&mut self, classes: Class) {
        self.classes = if classes.publishes() { classes } else { Class::empty() };
    }

    /// Whether events of this class are noted.
    #[inline]
    pub(crate) fn hears(&self, class: Class) -> bool {
        self.classes.intersects(class)
    }

    /// Whether there is nothing to look at.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.events.is_empty() && self.touches.is_empty()
    }

    /// Notes an event.
    #[cold]
    pub(crate) fn record(&mut self, name: &'static str, database: usize, key: &[u8]) {
        self.events.push(Event { name, database, key: key.to_vec() });
    }

    /// Notes a change.
    #[cold]
    pub(crate) fn touch(&mut self, touch: Touch) {
        self.touches.push(touch);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_have_a_canonical_form() {
        let form = |text: &str| {
            Class::parse(text.as_bytes()).map(|class| String::from_utf8(class.letters()).unwrap())
        };
        assert_eq!(form("KEA").as_deref(), Some("AKE"));
        assert_eq!(form("gxK").as_deref(), Some("gxK"));
        assert_eq!(form("tn$E").as_deref(), Some("$tnE"));
        assert_eq!(form(""), Some(String::new()));
        assert_eq!(form("!"), None);
    }
}
