//! A reply in serde's data model, so that it can be printed as JSON.
//!
//! Owns which JSON value each type of reply becomes. Must not know the JSON syntax.

use std::borrow::Cow;

use serde::ser::{Error, SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};

use super::Reply;
use crate::number;

/// How deep containers may nest: serializers recurse.
const DEPTH: usize = 512;

/// Nulls are null; strings (bulk, status, verbatim, big number) are strings, bytes that are not
/// UTF-8 replaced by U+FFFD; an error is `{"error": text}`; arrays, sets and pushes are sequences;
/// maps are maps whose keys are text; an infinite double or NaN is a string.
///
/// ```
/// use redlua_conversions::Reply;
///
/// let reply = Reply::map([
///     (Reply::bulk("n"), Reply::Integer(1)),
///     (Reply::Integer(2), Reply::array([Reply::double(0.5), Reply::error("ERR no"), Reply::Null])),
/// ]);
/// let json = serde_json::to_string(&reply)?;
/// assert_eq!(json, r#"{"n":1,"2":[0.5,{"error":"ERR no"},null]}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
impl Serialize for Reply {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        At { reply: self, depth: 0 }.serialize(serializer)
    }
}

/// A reply at some depth.
struct At<'a> {
    reply: &'a Reply,
    depth: usize,
}

impl Serialize for At<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.depth > DEPTH {
            return Err(S::Error::custom("the reply is nested too deeply"));
        }
        let below = |reply| At { reply, depth: self.depth + 1 };
        match self.reply {
            Reply::Null | Reply::NullArray => serializer.serialize_unit(),
            Reply::Integer(value) => serializer.serialize_i64(*value),
            Reply::Boolean(value) => serializer.serialize_bool(*value),
            Reply::Double { value, .. } if value.is_finite() => serializer.serialize_f64(*value),
            Reply::Array(items) | Reply::Set(items) | Reply::Push(items) => {
                let mut seq = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    seq.serialize_element(&below(item))?;
                }
                seq.end()
            }
            Reply::Map(pairs) => {
                let mut map = serializer.serialize_map(Some(pairs.len()))?;
                for (key, value) in pairs {
                    map.serialize_entry(&text(key), &below(value))?;
                }
                map.end()
            }
            Reply::Error(_) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("error", &text(self.reply))?;
                map.end()
            }
            other => serializer.serialize_str(&text(other)),
        }
    }
}

/// A scalar as text; a container (as the key of a map) as redis-cli shows it.
fn text(reply: &Reply) -> Cow<'_, str> {
    match reply {
        Reply::Bulk(bytes)
        | Reply::Status(bytes)
        | Reply::Error(bytes)
        | Reply::BigNumber(bytes)
        | Reply::Verbatim { text: bytes, .. } => String::from_utf8_lossy(bytes),
        Reply::Integer(value) => Cow::Owned(value.to_string()),
        Reply::Boolean(value) => Cow::Owned(value.to_string()),
        Reply::Double { value, .. } => Cow::Owned(number::g17(*value).as_str().to_owned()),
        Reply::Null | Reply::NullArray => Cow::Borrowed("null"),
        container => Cow::Owned(String::from_utf8_lossy(&container.human()).trim_end().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_of_every_type() {
        let reply = Reply::array([
            Reply::NullArray,
            Reply::status("OK"),
            Reply::bulk([b'a', 0xff]),
            Reply::Set(vec![Reply::Boolean(false)].into()),
            Reply::double(f64::INFINITY),
            Reply::BigNumber(b"123".to_vec()),
            Reply::Verbatim { format: *b"txt", text: b"t".to_vec() },
            Reply::map([(Reply::Null, Reply::Null)]),
        ]);
        assert_eq!(
            serde_json::to_string(&reply).unwrap(),
            r#"[null,"OK","a�",[false],"inf","123","t",{"null":null}]"#
        );
    }

    #[test]
    fn depth_is_an_error_not_a_crash() {
        let mut reply = Reply::Null;
        for _ in 0..=DEPTH {
            reply = Reply::array([reply]);
        }
        assert!(serde_json::to_string(&reply).is_err());
    }
}
