//! The elements of containers, handed to serde one at a time.
//!
//! Owns how flat arrays stand in for tuples and maps, which is how RESP2 sends both. Must not know
//! how a single reply is read.

use std::slice::Iter;

use serde::de::value::U8Deserializer;
use serde::de::{self, DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess, Visitor};

use super::Error;
use super::from_reply::{Source, mismatch};
use crate::Reply;

/// The elements of an array.
pub(super) struct Sequence<'de> {
    items: Iter<'de, Reply>,
    depth: usize,
}

impl<'de> Sequence<'de> {
    pub(super) fn new(items: &'de [Reply], depth: usize) -> Self {
        Sequence { items: items.iter(), depth: depth + 1 }
    }
}

impl<'de> SeqAccess<'de> for Sequence<'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        let Some(reply) = self.items.next() else { return Ok(None) };
        let rest = Some(Rest(&mut self.items));
        seed.deserialize(Source { reply, depth: self.depth, rest }).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

/// What follows a reply in its array.
pub(super) struct Rest<'de, 'a>(&'a mut Iter<'de, Reply>);

impl<'de> Rest<'de, '_> {
    /// A tuple of `first` and of the replies that follow it in the flat array.
    pub(super) fn tuple<V: Visitor<'de>>(
        self,
        first: &'de Reply,
        len: usize,
        depth: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        let found = self.0.len() + 1;
        if found < len {
            return Err(Error::Length { expected: len, found });
        }
        visitor.visit_seq(FlatTuple { first: Some(first), rest: self.0, missing: len, depth })
    }
}

/// The elements of a tuple inside a flat array.
struct FlatTuple<'de, 'a> {
    first: Option<&'de Reply>,
    rest: &'a mut Iter<'de, Reply>,
    missing: usize,
    depth: usize,
}

impl<'de> SeqAccess<'de> for FlatTuple<'de, '_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        if self.missing == 0 {
            return Ok(None);
        }
        self.missing -= 1;
        match self.first.take().or_else(|| self.rest.next()) {
            None => Ok(None),
            Some(reply) => seed.deserialize(Source::new(reply, self.depth)).map(Some),
        }
    }
}

/// Fields and their values: a map, a flat array, or an array of pairs.
pub(super) struct Fields<'de> {
    pairs: PairIter<'de>,
    value: Option<&'de Reply>,
    depth: usize,
}

enum PairIter<'de> {
    Map(Iter<'de, (Reply, Reply)>),
    Flat(Iter<'de, Reply>),
    Nested(Iter<'de, Reply>),
}

impl<'de> Fields<'de> {
    /// The fields that a reply holds.
    pub(super) fn of(reply: &'de Reply, depth: usize) -> Result<Self, Error> {
        if let Reply::Map(pairs) = reply {
            return Ok(Self::of_pairs(pairs, depth));
        }
        let items = reply.items().ok_or_else(|| mismatch("a map", reply))?;
        Self::of_items(items, depth)
    }

    pub(super) fn of_pairs(pairs: &'de [(Reply, Reply)], depth: usize) -> Self {
        Fields { pairs: PairIter::Map(pairs.iter()), value: None, depth: depth + 1 }
    }

    pub(super) fn of_items(items: &'de [Reply], depth: usize) -> Result<Self, Error> {
        let is_pair = |item: &Reply| matches!(item, Reply::Array(pair) if pair.len() == 2);
        let pairs = if !items.is_empty() && items.iter().all(is_pair) {
            PairIter::Nested(items.iter())
        } else if items.len().is_multiple_of(2) {
            PairIter::Flat(items.iter())
        } else {
            return Err(Error::Unpaired(items.len()));
        };
        Ok(Fields { pairs, value: None, depth: depth + 1 })
    }

    fn next(&mut self) -> Option<(&'de Reply, &'de Reply)> {
        match &mut self.pairs {
            PairIter::Map(pairs) => pairs.next().map(|(key, value)| (key, value)),
            PairIter::Flat(items) => Some((items.next()?, items.next()?)),
            PairIter::Nested(items) => match items.next()?.items()? {
                [key, value] => Some((key, value)),
                _ => None,
            },
        }
    }
}

impl<'de> MapAccess<'de> for Fields<'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        let Some((key, value)) = self.next() else { return Ok(None) };
        self.value = Some(value);
        seed.deserialize(Source::new(key, self.depth)).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Error> {
        match self.value.take() {
            Some(value) => seed.deserialize(Source::new(value, self.depth)),
            None => Err(de::Error::custom("a value was asked for before its key")),
        }
    }
}

/// A map as a sequence of pairs.
impl<'de> SeqAccess<'de> for Fields<'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        let Some((key, value)) = self.next() else { return Ok(None) };
        seed.deserialize(Pair { key, value, depth: self.depth }).map(Some)
    }
}

/// One pair of a map, which deserializes as a tuple of two.
struct Pair<'de> {
    key: &'de Reply,
    value: &'de Reply,
    depth: usize,
}

impl<'de> de::Deserializer<'de> for Pair<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let mut rest = std::slice::from_ref(self.value).iter();
        let (first, rest) = (Some(self.key), &mut rest);
        visitor.visit_seq(FlatTuple { first, rest, missing: 2, depth: self.depth })
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        option unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
        ignored_any
    }
}

/// The bytes of a string, for those who ask for a sequence of `u8`. Any other element type is
/// refused, so that a string is not taken for an array of small numbers.
pub(super) struct Bytes<'de>(Iter<'de, u8>);

impl<'de> Bytes<'de> {
    pub(super) fn new(bytes: &'de [u8]) -> Self {
        Bytes(bytes.iter())
    }
}

impl<'de> SeqAccess<'de> for Bytes<'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        self.0.next().map(|byte| seed.deserialize(Byte(*byte))).transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

struct Byte(u8);

impl<'de> de::Deserializer<'de> for Byte {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Error> {
        Err(Error::Type { expected: "an array", found: "a string" })
    }

    fn deserialize_u8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let byte: U8Deserializer<Error> = self.0.into_deserializer();
        byte.deserialize_u8(visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        option unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
        ignored_any
    }
}
