//! Sets.
//!
//! Owns [`Set`] and when it stops being an intset (`setTypeAdd` in `t_set.c`). It must not know
//! commands.

use std::borrow::Cow;

use redlua_conversions::number;

use crate::dict::Dict;
use crate::value::Bytes;

/// A set of byte strings.
#[derive(Clone)]
pub(crate) enum Set {
    /// Only integers, sorted.
    Ints(Vec<i64>),
    /// Any members.
    Table(Dict<()>),
}

impl Default for Set {
    fn default() -> Self {
        Set::Ints(Vec::new())
    }
}

impl Set {
    /// How many members there are.
    pub(crate) fn len(&self) -> usize {
        match self {
            Set::Ints(ints) => ints.len(),
            Set::Table(dict) => dict.len(),
        }
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether `member` is in the set.
    pub(crate) fn contains(&self, member: &[u8]) -> bool {
        match self {
            Set::Ints(ints) => {
                number::parse_i64(member).is_some_and(|int| ints.binary_search(&int).is_ok())
            }
            Set::Table(dict) => dict.contains(member),
        }
    }

    /// Adds a member; returns whether it is new. `max_ints` is `set-max-intset-entries`.
    pub(crate) fn add(&mut self, member: &[u8], max_ints: usize) -> bool {
        if let Set::Ints(ints) = self {
            match number::parse_i64(member) {
                Some(int) => match ints.binary_search(&int) {
                    Ok(_) => return false,
                    Err(at) => {
                        ints.insert(at, int);
                        if ints.len() > max_ints {
                            self.become_table();
                        }
                        return true;
                    }
                },
                None => self.become_table(),
            }
        }
        match self {
            Set::Table(dict) if !dict.contains(member) => {
                dict.push(member.into(), ());
                true
            }
            _ => false,
        }
    }

    /// Removes a member.
    pub(crate) fn remove(&mut self, member: &[u8]) -> bool {
        match self {
            Set::Ints(ints) => {
                match number::parse_i64(member).map(|int| ints.binary_search(&int)) {
                    Some(Ok(at)) => {
                        ints.remove(at);
                        true
                    }
                    _ => false,
                }
            }
            Set::Table(dict) => dict.remove(member).is_some(),
        }
    }

    /// The member at a position below [`len`](Self::len).
    pub(crate) fn at(&self, at: usize) -> Option<Cow<'_, [u8]>> {
        match self {
            Set::Ints(ints) => ints.get(at).map(|int| Cow::Owned(digits(*int))),
            Set::Table(dict) => dict.at(at).map(|(key, ())| Cow::Borrowed(&**key)),
        }
    }

    /// All members.
    pub(crate) fn iter(&self) -> Box<dyn Iterator<Item = Cow<'_, [u8]>> + '_> {
        match self {
            Set::Ints(ints) => Box::new(ints.iter().map(|int| Cow::Owned(digits(*int)))),
            Set::Table(dict) => Box::new(dict.keys().map(|key| Cow::Borrowed(&**key))),
        }
    }

    /// Whether it is an intset.
    pub(crate) fn is_compact(&self) -> bool {
        matches!(self, Set::Ints(_))
    }

    /// What `OBJECT ENCODING` answers.
    pub(crate) fn encoding(&self) -> &'static str {
        if self.is_compact() { "intset" } else { "hashtable" }
    }

    /// Makes it a hash table.
    pub(crate) fn become_table(&mut self) {
        if let Set::Ints(ints) = self {
            let mut dict = Dict::default();
            for int in ints {
                dict.push(Bytes::from(digits(*int)), ());
            }
            *self = Set::Table(dict);
        }
    }
}

fn digits(int: i64) -> Vec<u8> {
    itoa::Buffer::new().format(int).as_bytes().to_vec()
}
