//! An insertion-ordered hash map from byte strings, the one table under keys, hashes, sets and
//! sorted sets.
//!
//! Owns the layout: a dense list of slots and, above a handful of them, an index of positions.
//! Dense slots make random members, cursors and insertion order (what a listpack shows) cheap.
//! It must not know what the values are.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use crate::value::Bytes;

/// Up to this many slots are searched one by one, without hashing.
const LINEAR: usize = 8;

/// A map from byte strings to `V`.
#[derive(Clone)]
pub(crate) struct Dict<V> {
    slots: Vec<Slot<V>>,
    /// Positions in `slots`; empty while there are at most [`LINEAR`] slots.
    index: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

#[derive(Clone)]
struct Slot<V> {
    /// The key's hash; meaningless while there is no index.
    hash: u64,
    key: Bytes,
    value: V,
}

impl<V> Default for Dict<V> {
    fn default() -> Self {
        Dict { slots: Vec::new(), index: HashTable::new(), hasher: DefaultHashBuilder::default() }
    }
}

impl<V> Dict<V> {
    /// How many entries there are.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Where `key` stands.
    #[inline]
    pub(crate) fn position(&self, key: &[u8]) -> Option<usize> {
        if self.index.is_empty() {
            return self.slots.iter().position(|slot| *slot.key == *key);
        }
        self.indexed(self.hasher.hash_one(key), key)
    }

    #[inline]
    fn indexed(&self, hash: u64, key: &[u8]) -> Option<usize> {
        self.index
            .find(hash, |&at| self.slots.get(at as usize).is_some_and(|slot| *slot.key == *key))
            .map(|&at| at as usize)
    }

    /// Whether `key` is there.
    pub(crate) fn contains(&self, key: &[u8]) -> bool {
        self.position(key).is_some()
    }

    /// The value of `key`.
    #[inline]
    pub(crate) fn find(&self, key: &[u8]) -> Option<&V> {
        self.position(key).and_then(|at| self.slots.get(at)).map(|slot| &slot.value)
    }

    /// The value of `key`, to be changed.
    #[inline]
    pub(crate) fn find_mut(&mut self, key: &[u8]) -> Option<&mut V> {
        let at = self.position(key)?;
        self.slots.get_mut(at).map(|slot| &mut slot.value)
    }

    /// The entry at `at`.
    pub(crate) fn at(&self, at: usize) -> Option<(&Bytes, &V)> {
        self.slots.get(at).map(|slot| (&slot.key, &slot.value))
    }

    /// The value at `at`, to be changed.
    #[inline]
    pub(crate) fn at_mut(&mut self, at: usize) -> Option<&mut V> {
        self.slots.get_mut(at).map(|slot| &mut slot.value)
    }

    /// Sets `key`; returns the value it had.
    pub(crate) fn insert(&mut self, key: &[u8], value: V) -> Option<V> {
        match self.find_mut(key) {
            Some(old) => Some(std::mem::replace(old, value)),
            None => {
                self.push(key.into(), value);
                None
            }
        }
    }

    /// Appends a key that is known to be absent; returns its position.
    pub(crate) fn push(&mut self, key: Bytes, value: V) -> usize {
        let at = self.slots.len();
        let hash = if at < LINEAR { 0 } else { self.hasher.hash_one(&*key) };
        self.slots.push(Slot { hash, key, value });
        if at == LINEAR {
            for slot in &mut self.slots {
                slot.hash = self.hasher.hash_one(&*slot.key);
            }
            self.rebuild();
        } else if at > LINEAR {
            let slots = &self.slots;
            self.index
                .insert_unique(hash, at as u32, |&at| slots.get(at as usize).map_or(0, |s| s.hash));
        }
        at
    }

    /// Removes `key`; the last entry takes its place.
    pub(crate) fn remove(&mut self, key: &[u8]) -> Option<V> {
        let at = self.position(key)?;
        self.remove_at(at).map(|(_, value)| value)
    }

    /// Removes `key` and keeps the order of the others.
    pub(crate) fn remove_ordered(&mut self, key: &[u8]) -> Option<V> {
        let at = self.position(key)?;
        let slot = self.slots.remove(at);
        self.rebuild();
        Some(slot.value)
    }

    /// Removes the entry at `at`; the last entry takes its place. A cursor that walks down from
    /// the end therefore meets every entry that stays.
    pub(crate) fn remove_at(&mut self, at: usize) -> Option<(Bytes, V)> {
        let hash = self.slots.get(at)?.hash;
        let last = self.slots.len() - 1;
        if !self.index.is_empty() {
            if let Ok(entry) = self.index.find_entry(hash, |&p| p as usize == at) {
                entry.remove();
            }
            if last != at {
                let moved = self.slots.get(last).map_or(0, |slot| slot.hash);
                if let Some(position) = self.index.find_mut(moved, |&p| p as usize == last) {
                    *position = at as u32;
                }
            }
        }
        let slot = self.slots.swap_remove(at);
        if self.slots.len() <= LINEAR {
            self.index.clear();
        }
        Some((slot.key, slot.value))
    }

    /// The entries in order.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (&Bytes, &V)> + ExactSizeIterator {
        self.slots.iter().map(|slot| (&slot.key, &slot.value))
    }

    /// The keys in order.
    pub(crate) fn keys(&self) -> impl DoubleEndedIterator<Item = &Bytes> + ExactSizeIterator {
        self.slots.iter().map(|slot| &slot.key)
    }

    fn rebuild(&mut self) {
        self.index.clear();
        if self.slots.len() <= LINEAR {
            return;
        }
        let slots = &self.slots;
        let hash = |&at: &u32| slots.get(at as usize).map_or(0, |slot: &Slot<V>| slot.hash);
        self.index.reserve(slots.len(), hash);
        for (at, slot) in slots.iter().enumerate() {
            self.index.insert_unique(slot.hash, at as u32, hash);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    proptest! {
        #[test]
        fn agrees_with_a_hash_map(steps in proptest::collection::vec((0u8..40, 0u8..4), 0..300)) {
            let mut dict = Dict::default();
            let mut model: HashMap<Vec<u8>, usize> = HashMap::new();
            for (number, (key, step)) in steps.into_iter().enumerate() {
                let key = vec![key; usize::from(key)];
                match step {
                    0 | 1 => assert_eq!(dict.insert(&key, number), model.insert(key, number)),
                    2 => assert_eq!(dict.remove(&key), model.remove(&key)),
                    _ => assert_eq!(dict.remove_ordered(&key), model.remove(&key)),
                }
                assert_eq!(dict.len(), model.len());
                for (key, value) in &model {
                    assert_eq!(dict.find(key), Some(value));
                }
            }
        }
    }
}
