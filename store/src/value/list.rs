//! Lists.
//!
//! Owns [`List`]. It must not know commands.

use std::collections::VecDeque;

use crate::value::Bytes;

/// A list of byte strings.
#[derive(Clone, Default)]
pub(crate) struct List(VecDeque<Bytes>);

/// One end of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The head.
    Left,
    /// The tail.
    Right,
}

impl List {
    /// Appends at one end.
    pub(crate) fn push(&mut self, end: End, item: Bytes) {
        match end {
            End::Left => self.0.push_front(item),
            End::Right => self.0.push_back(item),
        }
    }

    /// Takes one item away from an end.
    pub(crate) fn pop(&mut self, end: End) -> Option<Bytes> {
        match end {
            End::Left => self.0.pop_front(),
            End::Right => self.0.pop_back(),
        }
    }

    /// The position an index means; negative ones count from the tail.
    pub(crate) fn position(&self, index: i64) -> Option<usize> {
        let at = if index < 0 { index.checked_add(self.0.len() as i64)? } else { index };
        usize::try_from(at).ok().filter(|&at| at < self.0.len())
    }
}

impl std::ops::Deref for List {
    type Target = VecDeque<Bytes>;
    fn deref(&self) -> &VecDeque<Bytes> {
        &self.0
    }
}

impl std::ops::DerefMut for List {
    fn deref_mut(&mut self) -> &mut VecDeque<Bytes> {
        &mut self.0
    }
}
