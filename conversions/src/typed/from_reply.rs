//! A reply to a Rust value.
//!
//! Owns which reply fits which kind of serde's data model. Must not know commands. How a
//! container's elements are handed out is `elements`', how enums are chosen is `enums`'.

use serde::de::{self, Deserialize, Visitor};

use super::Error;
use super::elements::{Bytes, Fields, Rest, Sequence};
use super::enums::Choice;
use crate::{Reply, number};

/// How deep a value may nest: deserializers recurse.
const DEPTH: usize = 512;

/// Turns a reply into a Rust value.
///
/// The same type fits what a server answers in RESP2 and in RESP3:
///
/// | Rust | replies |
/// |---|---|
/// | integers | integers; strings of digits (`util.c string2ll`); doubles without a fraction; booleans as 1 and 0 |
/// | floats | doubles, integers, strings that are numbers (`util.c string2d`) |
/// | `bool` | booleans; `1`, `0`, `true`, `false` as integer or string; null, which is a script's `false` in RESP2 |
/// | `String`, `&str`, `char` | strings of any kind, UTF-8 checked; for `String` numbers too, as digits |
/// | bytes, `Vec<u8>` | strings of any kind, unchecked |
/// | `Option` | null is `None` |
/// | `()` | anything but an error |
/// | sequences | arrays, sets, pushes; a map as a sequence of pairs; a flat array as a sequence of tuples |
/// | tuples | arrays of that length |
/// | structs, maps | maps; flat arrays of fields and values; arrays of pairs. Unknown fields are ignored |
/// | `Result<T, E>` | an error is `Err` of its text, anything else `Ok` |
/// | other enums | a string names a unit variant; `[name, value…]` and `{name: value}` any other; an error is the variant named as its code, or else the one named `Error` or `Err`, which may hold its text |
///
/// ```
/// use redlua_conversions::{Error, Reply, from_reply};
/// use serde::Deserialize;
///
/// #[derive(Debug, PartialEq, Deserialize)]
/// struct User {
///     name: String,
///     visits: u32,
///     email: Option<String>,
/// }
///
/// let flat = Reply::array(["name", "Ada", "visits", "7"].map(Reply::bulk));
/// let map = Reply::map([
///     (Reply::bulk("visits"), Reply::Integer(7)),
///     (Reply::bulk("name"), Reply::bulk("Ada")),
/// ]);
/// let ada = User { name: "Ada".into(), visits: 7, email: None };
/// assert_eq!(from_reply::<User>(&flat)?, ada);
/// assert_eq!(from_reply::<User>(&map)?, ada);
///
/// let refused = from_reply::<User>(&Reply::error("WRONGTYPE not a hash"));
/// let (code, message) = ("WRONGTYPE".into(), "not a hash".into());
/// assert_eq!(refused, Err(Error::Redis { code, message }));
/// # Ok::<(), Error>(())
/// ```
///
/// # Errors
/// The reply is an error (and the type no enum), or does not fit.
pub fn from_reply<'de, T: Deserialize<'de>>(reply: &'de Reply) -> Result<T, Error> {
    T::deserialize(Source::new(reply, 0))
}

/// The deserializer of one reply.
pub(super) struct Source<'de, 'a> {
    pub(super) reply: &'de Reply,
    pub(super) depth: usize,
    /// The replies after it in a flat array, from which a tuple may take its other elements.
    pub(super) rest: Option<Rest<'de, 'a>>,
}

impl<'de> Source<'de, '_> {
    /// A reply that stands alone.
    pub(super) fn new(reply: &'de Reply, depth: usize) -> Self {
        Source { reply, depth, rest: None }
    }

    /// The reply, unless it is an error.
    fn value(&self) -> Result<&'de Reply, Error> {
        match self.reply {
            Reply::Error(text) => Err(Error::redis(text)),
            _ if self.depth > DEPTH => Err(Error::Depth),
            reply => Ok(reply),
        }
    }

    fn bytes(&self, expected: &'static str) -> Result<&'de [u8], Error> {
        let reply = self.value()?;
        reply.bytes().ok_or_else(|| mismatch(expected, reply))
    }

    fn text(&self, expected: &'static str) -> Result<&'de str, Error> {
        std::str::from_utf8(self.bytes(expected)?).map_err(|_| Error::Utf8)
    }

    fn integer(&self) -> Result<i128, Error> {
        let reply = self.value()?;
        let found = match reply {
            Reply::Integer(value) => Some(i128::from(*value)),
            Reply::Boolean(value) => Some(i128::from(*value)),
            // Beyond 2^53 a double no longer names one integer.
            Reply::Double { value, .. } if value.fract() == 0.0 && value.abs() < 9e15 => {
                Some(*value as i128)
            }
            _ => reply.bytes().and_then(digits),
        };
        found.ok_or_else(|| mismatch("an integer", reply))
    }

    fn float(&self) -> Result<f64, Error> {
        let reply = self.value()?;
        let found = match reply {
            Reply::Integer(value) => Some(*value as f64),
            Reply::Double { value, .. } => Some(*value),
            _ => reply.bytes().and_then(number::parse_f64),
        };
        found.ok_or_else(|| mismatch("a number", reply))
    }

    fn truth(&self) -> Result<bool, Error> {
        let reply = self.value()?;
        match reply {
            Reply::Boolean(value) => Ok(*value),
            Reply::Integer(0) | Reply::Null => Ok(false),
            Reply::Integer(1) => Ok(true),
            _ => match reply.bytes() {
                Some(b"1" | b"true") => Ok(true),
                Some(b"0" | b"false") => Ok(false),
                _ => Err(mismatch("a boolean", reply)),
            },
        }
    }
}

/// Says what a reply is instead of what was expected.
pub(super) fn mismatch(expected: &'static str, found: &Reply) -> Error {
    let found = match found {
        Reply::Null | Reply::NullArray => "null",
        Reply::Integer(_) => "an integer",
        Reply::Bulk(_) => "a string",
        Reply::Status(_) => "a status",
        Reply::Error(_) => "an error",
        Reply::Array(_) => "an array",
        Reply::Set(_) => "a set",
        Reply::Push(_) => "a push",
        Reply::Map(_) => "a map",
        Reply::Double { .. } => "a double",
        Reply::Boolean(_) => "a boolean",
        Reply::BigNumber(_) => "a big number",
        Reply::Verbatim { .. } => "a verbatim string",
    };
    Error::Type { expected, found }
}

/// Digits as the server accepts them, or more of them than 64 bits hold.
fn digits(bytes: &[u8]) -> Option<i128> {
    number::parse_i64(bytes).map(i128::from).or_else(|| {
        let text = std::str::from_utf8(bytes).ok()?;
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        if unsigned.starts_with(|first: char| first.is_ascii_digit() && first != '0') {
            text.parse().ok()
        } else {
            None
        }
    })
}

macro_rules! integers {
    ($($method:ident),*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            let value = self.integer()?;
            // The visitors of all integer types check the range of an i64 or u64.
            if let Ok(value) = i64::try_from(value) {
                visitor.visit_i64(value)
            } else if let Ok(value) = u64::try_from(value) {
                visitor.visit_u64(value)
            } else {
                visitor.visit_i128(value)
            }
        })*
    };
}

impl<'de> de::Deserializer<'de> for Source<'de, '_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value()? {
            Reply::Null | Reply::NullArray => visitor.visit_none(),
            Reply::Integer(value) => visitor.visit_i64(*value),
            Reply::Boolean(value) => visitor.visit_bool(*value),
            Reply::Double { value, .. } => visitor.visit_f64(*value),
            Reply::Map(_) => self.deserialize_map(visitor),
            Reply::Array(_) | Reply::Set(_) | Reply::Push(_) => self.deserialize_seq(visitor),
            other => {
                let bytes = other.bytes().unwrap_or_default();
                match std::str::from_utf8(bytes) {
                    Ok(text) => visitor.visit_borrowed_str(text),
                    Err(_) => visitor.visit_borrowed_bytes(bytes),
                }
            }
        }
    }

    integers! {
        deserialize_i8, deserialize_i16, deserialize_i32, deserialize_i64, deserialize_i128,
        deserialize_u8, deserialize_u16, deserialize_u32, deserialize_u64, deserialize_u128
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_bool(self.truth()?)
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_f64(self.float()?)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_borrowed_str(self.text("a character")?)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_borrowed_str(self.text("a string")?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value()? {
            Reply::Integer(value) => visitor.visit_string(value.to_string()),
            Reply::Double { value, text: None } => visitor.visit_str(number::g17(*value).as_str()),
            Reply::Double { text: Some(text), .. } => {
                visitor.visit_str(std::str::from_utf8(text).map_err(|_| Error::Utf8)?)
            }
            _ => self.deserialize_str(visitor),
        }
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_borrowed_bytes(self.bytes("a string")?)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.reply.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.value()?;
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let reply = self.value()?;
        if let Some(bytes) = reply.bytes() {
            return visitor.visit_seq(Bytes::new(bytes));
        }
        if let Reply::Map(pairs) = reply {
            return visitor.visit_seq(Fields::of_pairs(pairs, self.depth));
        }
        let items = reply.items().ok_or_else(|| mismatch("an array", reply))?;
        visitor.visit_seq(Sequence::new(items, self.depth))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Error> {
        let reply = self.value()?;
        if let Some(items) = reply.items() {
            if items.len() != len {
                return Err(Error::Length { expected: len, found: items.len() });
            }
            return visitor.visit_seq(Sequence::new(items, self.depth));
        }
        match (self.rest, reply.bytes()) {
            // One tuple of many in a flat array: `ZRANGE … WITHSCORES` in RESP2.
            (Some(rest), _) if len > 0 => rest.tuple(reply, len, self.depth, visitor),
            // A fixed number of bytes: `[u8; 16]`.
            (_, Some(bytes)) if bytes.len() == len => visitor.visit_seq(Bytes::new(bytes)),
            (_, Some(bytes)) if len > 1 => Err(Error::Length { expected: len, found: bytes.len() }),
            _ => Err(mismatch("an array", reply)),
        }
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_tuple(len, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_map(Fields::of(self.value()?, self.depth)?)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_enum(Choice::of(self.reply, name, variants, self.depth)?)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_string(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    fn is_human_readable(&self) -> bool {
        true
    }
}
