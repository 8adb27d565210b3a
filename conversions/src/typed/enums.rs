//! Which variant of an enum a reply is.
//!
//! Owns the choice. Must not know what the variants hold.

use std::borrow::Cow;

use serde::de::value::{BorrowedStrDeserializer, CowStrDeserializer};
use serde::de::{self, DeserializeSeed, EnumAccess, IntoDeserializer, VariantAccess, Visitor};

use super::Error;
use super::elements::{Fields, Sequence};
use super::from_reply::{Source, mismatch};
use crate::Reply;

/// A variant chosen, and what it holds.
pub(super) struct Choice<'de> {
    variant: &'de str,
    content: Content<'de>,
    depth: usize,
}

enum Content<'de> {
    /// Nothing but the name.
    Unit,
    /// One reply.
    One(&'de Reply),
    /// The replies after the name in an array.
    Rest(&'de [Reply]),
    /// An error's text.
    Text(&'de [u8]),
}

impl<'de> Choice<'de> {
    /// Chooses among `variants`.
    pub(super) fn of(
        reply: &'de Reply,
        name: &'static str,
        variants: &'static [&'static str],
        depth: usize,
    ) -> Result<Self, Error> {
        let depth = depth + 1;
        if let Reply::Error(text) = reply {
            let variant = error_variant(text, variants).ok_or_else(|| Error::redis(text))?;
            return Ok(Choice { variant, content: Content::Text(text), depth });
        }
        // Rust's own Result wraps whatever is no error.
        if name == "Result" && variants == ["Ok", "Err"] {
            return Ok(Choice { variant: "Ok", content: Content::One(reply), depth });
        }
        let (name, content) = match reply {
            Reply::Map(pairs) => match &pairs[..] {
                [(name, value)] => (name, Content::One(value)),
                _ => return Err(Error::Length { expected: 1, found: pairs.len() }),
            },
            _ => match reply.items() {
                Some([name, value]) => (name, Content::One(value)),
                Some([name, rest @ ..]) => (name, Content::Rest(rest)),
                Some([]) => return Err(Error::Length { expected: 1, found: 0 }),
                None => (reply, Content::Unit),
            },
        };
        let bytes = name.bytes().ok_or_else(|| mismatch("a variant's name", name))?;
        let variant = std::str::from_utf8(bytes).map_err(|_| Error::Utf8)?;
        Ok(Choice { variant, content, depth })
    }

    /// The values of a tuple or struct variant.
    fn values(&self) -> Result<&'de [Reply], Error> {
        match self.content {
            Content::Rest(rest) => Ok(rest),
            Content::One(reply) => Ok(reply.items().unwrap_or(std::slice::from_ref(reply))),
            Content::Unit => Ok(&[]),
            Content::Text(text) => Err(Error::redis(text)),
        }
    }
}

/// The variant that stands for an error: named as its code, or for errors in general.
fn error_variant(text: &[u8], variants: &'static [&'static str]) -> Option<&'static str> {
    let code = text.split(|byte| *byte == b' ').next().unwrap_or_default();
    let named = |name: &[u8]| variants.iter().copied().find(|variant| variant.as_bytes() == name);
    named(code).or_else(|| named(b"Error")).or_else(|| named(b"Err"))
}

impl<'de> EnumAccess<'de> for Choice<'de> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Error> {
        let name: BorrowedStrDeserializer<'de, Error> = BorrowedStrDeserializer::new(self.variant);
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'de> VariantAccess<'de> for Choice<'de> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        match self.content {
            Content::Unit | Content::Text(_) => Ok(()),
            Content::Rest([]) => Ok(()),
            Content::Rest(rest) => Err(Error::Length { expected: 0, found: rest.len() }),
            Content::One(_) => Err(Error::Length { expected: 0, found: 1 }),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        match self.content {
            Content::One(reply) => seed.deserialize(Source::new(reply, self.depth)),
            Content::Text(text) => {
                let text: Cow<'_, str> = String::from_utf8_lossy(text);
                let text: CowStrDeserializer<'_, Error> = text.into_deserializer();
                seed.deserialize(text)
            }
            Content::Unit => Err(Error::Length { expected: 1, found: 0 }),
            Content::Rest(rest) => Err(Error::Length { expected: 1, found: rest.len() }),
        }
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Error> {
        let values = self.values()?;
        if values.len() != len {
            return Err(Error::Length { expected: len, found: values.len() });
        }
        visitor.visit_seq(Sequence::new(values, self.depth))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let fields = match self.content {
            Content::One(reply @ Reply::Map(_)) => Fields::of(reply, self.depth)?,
            _ => Fields::of_items(self.values()?, self.depth)?,
        };
        de::Visitor::visit_map(visitor, fields)
    }
}
