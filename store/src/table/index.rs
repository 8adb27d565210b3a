//! From a command's name to its number, in a few nanoseconds.
//!
//! Owns the hash index over top-level names. A name is compared as two lower-cased words, so
//! no byte loop runs on the hot path. It must not know what a command is.

/// How many slots there are; a power of two, several times the number of commands.
const SLOTS: usize = 1024;

/// Numbers by name, in any case.
pub(super) struct Index {
    slots: Vec<Slot>,
}

#[derive(Clone, Copy, Default)]
struct Slot {
    name: Name,
    /// The number plus one; 0 when the slot is free.
    number: u16,
}

/// A name of up to 24 letters: its first eight, its last eight, lower-cased, and its length.
/// Longer than 16, two names may look the same.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Name {
    head: u64,
    tail: u64,
    len: usize,
}

impl Index {
    /// Indexes names in the order of their numbers.
    pub(super) fn new() -> Self {
        Index { slots: vec![Slot::default(); SLOTS] }
    }

    /// Adds a name that is not there.
    pub(super) fn insert(&mut self, name: &[u8], number: u16) {
        let name = Name::new(name);
        let mut at = name.slot();
        while self.slots.get(at).is_some_and(|slot| slot.number != 0) {
            at = (at + 1) % SLOTS;
        }
        if let Some(slot) = self.slots.get_mut(at) {
            *slot = Slot { name, number: number + 1 };
        }
    }

    /// The number of a name; for names longer than 16 letters, one that may be its.
    #[inline]
    pub(super) fn find(&self, name: &[u8]) -> Option<u16> {
        let name = Name::new(name);
        let mut at = name.slot();
        loop {
            let slot = self.slots.get(at)?;
            if slot.name == name {
                return slot.number.checked_sub(1);
            }
            if slot.number == 0 {
                return None;
            }
            at = (at + 1) % SLOTS;
        }
    }
}

impl Name {
    #[inline]
    fn new(name: &[u8]) -> Self {
        let len = name.len();
        let (head, tail) = match (name.first_chunk::<8>(), name.last_chunk::<8>()) {
            (Some(head), Some(tail)) => (u64::from_le_bytes(*head), u64::from_le_bytes(*tail)),
            _ => match (name.first_chunk::<4>(), name.last_chunk::<4>()) {
                // The two halves overlap; together with the length they tell the name.
                (Some(head), Some(tail)) => (
                    u64::from(u32::from_le_bytes(*head))
                        | u64::from(u32::from_le_bytes(*tail)) << 32,
                    0,
                ),
                _ => (name.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)), 0),
            },
        };
        Name { head: lower(head), tail: lower(tail), len }
    }

    #[inline]
    fn slot(self) -> usize {
        let word = self.head ^ self.tail.rotate_left(29) ^ self.len as u64;
        (word.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 54) as usize % SLOTS
    }
}

/// Lower-cases eight ASCII letters at once.
#[inline]
fn lower(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let low = word & (0x7f * ONES);
    let from_a = low + (0x80 - b'A' as u64) * ONES;
    let above_z = low + (0x7f - b'Z' as u64) * ONES;
    let upper = (from_a ^ above_z) & !word & (0x80 * ONES);
    word | upper >> 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn lower_cases_every_byte(bytes: [u8; 8]) {
            let expected = u64::from_le_bytes(bytes.map(|byte| byte.to_ascii_lowercase()));
            prop_assert_eq!(lower(u64::from_le_bytes(bytes)), expected);
        }
    }

    #[test]
    fn finds_what_it_holds() {
        let mut index = Index::new();
        let names = ["get", "set", "mget", "zrangebyscore", "georadiusbymember_ro", "a", ""];
        for (number, name) in names.iter().enumerate() {
            index.insert(name.as_bytes(), number as u16);
        }
        for (number, name) in names.iter().enumerate() {
            let upper = name.to_ascii_uppercase();
            assert_eq!(index.find(upper.as_bytes()), Some(number as u16), "{name}");
        }
        for name in ["gets", "ge", "zrangebyscorf", "b", "zrangebylex"] {
            assert_eq!(index.find(name.as_bytes()), None, "{name}");
        }
    }
}
