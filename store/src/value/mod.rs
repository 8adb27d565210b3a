//! The data types a key can hold.
//!
//! Owns [`Value`] and what is common to all types. It must not know keys or commands.

mod hash;
mod list;
mod order;
mod set;
mod stream;
mod text;
mod zset;

pub(crate) use hash::{Hash, Threshold};
pub(crate) use list::{End, List};
pub(crate) use set::Set;
pub(crate) use stream::{
    Entry, EntryRef, Group, Keep, NewId, Node, NodeLimit, Pending, Refused, Stream, StreamId, Trim,
};
pub(crate) use text::{Digits, Str};
pub(crate) use zset::{Bound, Lex, LexRange, ScoreRange, ZSet};

/// A byte string that does not change.
pub(crate) type Bytes = Box<[u8]>;

/// What a key holds.
#[derive(Clone)]
pub(crate) enum Value {
    /// A string.
    Str(Str),
    /// A list.
    List(Box<List>),
    /// A hash.
    Hash(Box<Hash>),
    /// A set.
    Set(Box<Set>),
    /// A sorted set.
    ZSet(Box<ZSet>),
    /// A stream.
    Stream(Box<Stream>),
}

impl Value {
    /// What `TYPE` answers.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Value::Str(_) => "string",
            Value::List(_) => "list",
            Value::Hash(_) => "hash",
            Value::Set(_) => "set",
            Value::ZSet(_) => "zset",
            Value::Stream(_) => "stream",
        }
    }

    /// What `OBJECT ENCODING` answers.
    pub(crate) fn encoding(&self) -> &'static str {
        match self {
            Value::Str(text) => text.encoding(),
            Value::List(_) => "quicklist",
            Value::Hash(hash) => hash.encoding(),
            Value::Set(set) => set.encoding(),
            Value::ZSet(zset) => zset.encoding(),
            Value::Stream(_) => "stream",
        }
    }

    /// Whether it is an aggregate without elements, which must not stay in the keyspace.
    pub(crate) fn is_hollow(&self) -> bool {
        match self {
            Value::Str(_) | Value::Stream(_) => false,
            Value::List(list) => list.is_empty(),
            Value::Hash(hash) => hash.is_empty(),
            Value::Set(set) => set.is_empty(),
            Value::ZSet(zset) => zset.is_empty(),
        }
    }

    /// About how many bytes it takes, from a sample of its elements.
    pub(crate) fn memory(&self) -> usize {
        match self {
            Value::Str(text) => 16 + text.len(),
            Value::List(list) => sampled(list.len(), list.iter().map(|item| item.len() + 11)),
            Value::Hash(hash) => sampled(
                hash.len(),
                hash.iter().map(|(field, value)| field.len() + value.len() + 24),
            ),
            Value::Set(set) => sampled(set.len(), set.iter().map(|member| member.len() + 24)),
            Value::ZSet(zset) => {
                sampled(zset.len(), zset.iter().map(|(member, _)| member.len() + 40))
            }
            Value::Stream(stream) => stream.memory(),
        }
    }
}

/// The size of a collection of `len` elements whose first few have these sizes.
fn sampled(len: usize, sizes: impl Iterator<Item = usize>) -> usize {
    const SAMPLE: usize = 32;
    let bytes: usize = sizes.take(SAMPLE).sum();
    64 + bytes * len / len.clamp(1, SAMPLE)
}

/// A type that a key can hold, for the keyspace's typed access.
pub(crate) trait Variant: Sized {
    /// The value, if it is of this type.
    fn of(value: &Value) -> Option<&Self>;
    /// The value, if it is of this type, to be changed.
    fn of_mut(value: &mut Value) -> Option<&mut Self>;
    /// As a value.
    fn wrap(self) -> Value;
}

impl Variant for Str {
    #[inline]
    fn of(value: &Value) -> Option<&Self> {
        if let Value::Str(text) = value { Some(text) } else { None }
    }
    #[inline]
    fn of_mut(value: &mut Value) -> Option<&mut Self> {
        if let Value::Str(text) = value { Some(text) } else { None }
    }
    fn wrap(self) -> Value {
        Value::Str(self)
    }
}

/// Implements [`Variant`] for a type that [`Value`] boxes.
macro_rules! variant {
    ($($name:ident),*) => {$(
        impl Variant for $name {
            fn of(value: &Value) -> Option<&Self> {
                if let Value::$name(inner) = value { Some(inner) } else { None }
            }
            fn of_mut(value: &mut Value) -> Option<&mut Self> {
                if let Value::$name(inner) = value { Some(inner) } else { None }
            }
            fn wrap(self) -> Value {
                Value::$name(Box::new(self))
            }
        }
    )*};
}

variant!(List, Hash, Set, ZSet, Stream);
