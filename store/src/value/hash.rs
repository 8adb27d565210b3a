//! Hashes.
//!
//! Owns [`Hash`] and when it stops being a listpack (`hashTypeTryConversion` in `t_hash.c`).
//! It must not know commands.

use crate::dict::Dict;
use crate::value::Bytes;

/// When a small collection becomes a large one; the figures of `CONFIG`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Threshold {
    /// The most entries of a small collection.
    pub(crate) entries: usize,
    /// The longest element of a small collection.
    pub(crate) value: usize,
}

/// A map from fields to values.
#[derive(Clone)]
pub(crate) struct Hash {
    dict: Dict<Bytes>,
    /// Whether Redis would still use a listpack: then the order of fields is that of insertion.
    compact: bool,
}

impl Default for Hash {
    fn default() -> Self {
        Hash { dict: Dict::default(), compact: true }
    }
}

impl Hash {
    /// How many fields there are.
    pub(crate) fn len(&self) -> usize {
        self.dict.len()
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.dict.is_empty()
    }

    /// The value of a field.
    pub(crate) fn find(&self, field: &[u8]) -> Option<&Bytes> {
        self.dict.find(field)
    }

    /// Sets a field; returns whether it is new.
    pub(crate) fn set(&mut self, field: &[u8], value: &[u8], threshold: Threshold) -> bool {
        let new = match self.dict.find_mut(field) {
            Some(old) if old.len() == value.len() => {
                old.copy_from_slice(value);
                false
            }
            Some(old) => {
                *old = value.into();
                false
            }
            None => {
                self.dict.push(field.into(), value.into());
                true
            }
        };
        self.settle(field.len().max(value.len()), threshold);
        new
    }

    /// Makes it a hash table when an element of `longest` bytes came in or it has too many
    /// fields. There is no way back.
    pub(crate) fn settle(&mut self, longest: usize, threshold: Threshold) {
        if longest > threshold.value || self.dict.len() > threshold.entries {
            self.compact = false;
        }
    }

    /// Removes a field.
    pub(crate) fn remove(&mut self, field: &[u8]) -> Option<Bytes> {
        if self.compact { self.dict.remove_ordered(field) } else { self.dict.remove(field) }
    }

    /// The field and value at a position below [`len`](Self::len).
    pub(crate) fn at(&self, at: usize) -> Option<(&Bytes, &Bytes)> {
        self.dict.at(at)
    }

    /// All fields and values.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (&Bytes, &Bytes)> {
        self.dict.iter()
    }

    /// Whether it is a listpack.
    pub(crate) fn is_compact(&self) -> bool {
        self.compact
    }

    /// What `OBJECT ENCODING` answers.
    pub(crate) fn encoding(&self) -> &'static str {
        if self.compact { "listpack" } else { "hashtable" }
    }
}
