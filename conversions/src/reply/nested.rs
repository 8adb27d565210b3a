//! The contents of containers.
//!
//! Owns how nested replies are freed: a script may nest them deeper than a thread's stack could
//! unwind. Must not know what the replies mean.

use std::ops::{Deref, DerefMut};

use super::Reply;

/// The elements of an array, a set or a push.
pub type Items = Nested<Reply>;
/// The keys and values of a map.
pub type Pairs = Nested<(Reply, Reply)>;

/// A `Vec` of replies, or of pairs of them, that is freed without recursion.
///
/// It reads like the `Vec` it is made from. (Cloning, comparing and printing do recurse.)
///
/// ```
/// use redlua_conversions::{Items, Reply};
///
/// let items: Items = vec![Reply::Integer(1), Reply::Null].into();
/// assert_eq!(items.len(), 2);
/// assert_eq!(items.into_iter().next(), Some(Reply::Integer(1)));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Nested<T: Element>(Vec<T>);

/// What stands in a container: one reply, or a pair of them.
pub trait Element {
    /// Gives the replies inside away.
    fn release(self, into: &mut Vec<Reply>);
    /// Whether there is nothing inside that nests.
    fn is_flat(&self) -> bool;
}

impl<T: Element> Nested<T> {
    /// The `Vec` itself.
    pub fn into_vec(mut self) -> Vec<T> {
        std::mem::take(&mut self.0)
    }
}

impl Element for Reply {
    fn release(self, into: &mut Vec<Reply>) {
        into.push(self);
    }

    fn is_flat(&self) -> bool {
        match self {
            Reply::Array(items) | Reply::Set(items) | Reply::Push(items) => items.0.is_empty(),
            Reply::Map(pairs) => pairs.0.is_empty(),
            _ => true,
        }
    }
}

impl Element for (Reply, Reply) {
    fn release(self, into: &mut Vec<Reply>) {
        into.push(self.0);
        into.push(self.1);
    }

    fn is_flat(&self) -> bool {
        self.0.is_flat() && self.1.is_flat()
    }
}

impl<T: Element> Drop for Nested<T> {
    fn drop(&mut self) {
        if self.0.iter().all(Element::is_flat) {
            return;
        }
        let mut pending = Vec::new();
        for element in self.0.drain(..) {
            element.release(&mut pending);
        }
        while let Some(reply) = pending.pop() {
            match reply {
                Reply::Array(items) | Reply::Set(items) | Reply::Push(items) => {
                    pending.extend(items.into_vec());
                }
                Reply::Map(pairs) => {
                    for pair in pairs.into_vec() {
                        pair.release(&mut pending);
                    }
                }
                _ => {}
            }
        }
    }
}

impl<T: Element> Deref for Nested<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T: Element> DerefMut for Nested<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.0
    }
}

impl<T: Element> From<Vec<T>> for Nested<T> {
    fn from(items: Vec<T>) -> Self {
        Nested(items)
    }
}

impl<T: Element> FromIterator<T> for Nested<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Nested(items.into_iter().collect())
    }
}

impl<T: Element> IntoIterator for Nested<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.into_vec().into_iter()
    }
}

impl<'a, T: Element> IntoIterator for &'a Nested<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}
