//! A reply kept as a value.
//!
//! Owns [`Reply`] and how it is pushed into another sink. Must not know protocols' bytes nor Lua.
//! `redlua` itself never builds one on the way from a command to a client: it is for those who
//! want to look at a reply.

mod builder;
mod human;
mod json;
mod nested;
mod raw;

pub use builder::ReplyBuilder;
pub use human::{human, quoted};
pub use nested::{Element, Items, Nested, Pairs};
pub use raw::raw;

use redlua_core::{ReplySink, Seq};

/// One reply, of RESP2 or RESP3.
///
/// ```
/// use redlua_conversions::Reply;
///
/// let reply = Reply::array([Reply::Integer(1), Reply::bulk("two")]);
/// if let Reply::Array(items) = &reply {
///     assert_eq!(items[1].bytes(), Some(&b"two"[..]));
/// }
/// assert_eq!(String::from_utf8_lossy(&reply.human()), "1) (integer) 1\n2) \"two\"\n");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// No value.
    Null,
    /// No array, which RESP2 tells apart.
    NullArray,
    /// An integer.
    Integer(i64),
    /// A binary-safe string.
    Bulk(Vec<u8>),
    /// A status such as `OK`.
    Status(Vec<u8>),
    /// An error's text, code word first, without the dash.
    Error(Vec<u8>),
    /// An array.
    Array(Items),
    /// A set (RESP3).
    Set(Items),
    /// An out-of-band message (RESP3).
    Push(Items),
    /// A map (RESP3); the order is the server's and keys may repeat.
    Map(Pairs),
    /// A double (RESP3).
    Double {
        /// Its value.
        value: f64,
        /// Its decimal text, where the server determines it.
        text: Option<Vec<u8>>,
    },
    /// A boolean (RESP3).
    Boolean(bool),
    /// A number of any size as decimal digits (RESP3).
    BigNumber(Vec<u8>),
    /// A string that names its format (RESP3).
    Verbatim {
        /// Three letters: `txt`, `mkd`.
        format: [u8; 3],
        /// The string.
        text: Vec<u8>,
    },
}

impl Reply {
    /// A bulk string.
    pub fn bulk(bytes: impl Into<Vec<u8>>) -> Self {
        Reply::Bulk(bytes.into())
    }

    /// A status.
    pub fn status(text: impl Into<Vec<u8>>) -> Self {
        Reply::Status(text.into())
    }

    /// An error, code word first.
    pub fn error(text: impl Into<Vec<u8>>) -> Self {
        Reply::Error(text.into())
    }

    /// An array.
    pub fn array(items: impl IntoIterator<Item = Reply>) -> Self {
        Reply::Array(items.into_iter().collect())
    }

    /// A map.
    pub fn map(pairs: impl IntoIterator<Item = (Reply, Reply)>) -> Self {
        Reply::Map(pairs.into_iter().collect())
    }

    /// A double printed with 17 significant digits.
    pub fn double(value: f64) -> Self {
        Reply::Double { value, text: None }
    }

    /// Whether it is an error.
    pub fn is_error(&self) -> bool {
        matches!(self, Reply::Error(_))
    }

    /// Whether it is one of the two nulls.
    pub fn is_null(&self) -> bool {
        matches!(self, Reply::Null | Reply::NullArray)
    }

    /// The bytes of a bulk, a status, a verbatim string or a big number.
    pub fn bytes(&self) -> Option<&[u8]> {
        match self {
            Reply::Bulk(bytes) | Reply::Status(bytes) | Reply::BigNumber(bytes) => Some(bytes),
            Reply::Verbatim { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The integer.
    pub fn integer(&self) -> Option<i64> {
        match self {
            Reply::Integer(value) => Some(*value),
            _ => None,
        }
    }

    /// The elements of an array, a set or a push.
    pub fn items(&self) -> Option<&[Reply]> {
        match self {
            Reply::Array(items) | Reply::Set(items) | Reply::Push(items) => Some(items),
            _ => None,
        }
    }

    /// Pushes it into `sink`.
    pub fn emit(&self, sink: &mut dyn ReplySink) {
        let mut open = Vec::new();
        self.emit_one(sink, &mut open);
        while let Some(children) = open.last_mut() {
            match children.next() {
                Some(child) => child.emit_one(sink, &mut open),
                None => {
                    open.pop();
                }
            }
        }
    }

    /// Formats it as redis-cli shows it to a person: see [`human`].
    pub fn human(&self) -> Vec<u8> {
        human(self)
    }

    /// Pushes a scalar, or a container's header while its elements are left in `open`.
    fn emit_one<'a>(&'a self, sink: &mut dyn ReplySink, open: &mut Vec<Children<'a>>) {
        match self {
            Reply::Null => sink.null(),
            Reply::NullArray => sink.null_array(),
            Reply::Integer(value) => sink.integer(*value),
            Reply::Bulk(bytes) => sink.bulk(bytes),
            Reply::Status(text) => sink.status(text),
            Reply::Error(text) => sink.error(text),
            Reply::Array(items) => sink.seq(Seq::Array, items.len()),
            Reply::Set(items) => sink.seq(Seq::Set, items.len()),
            Reply::Push(items) => sink.seq(Seq::Push, items.len()),
            Reply::Map(pairs) => sink.map(pairs.len()),
            Reply::Double { value, text: None } => sink.double(*value),
            Reply::Double { value, text: Some(text) } => sink.double_text(*value, text),
            Reply::Boolean(value) => sink.boolean(*value),
            Reply::BigNumber(digits) => sink.big_number(digits),
            Reply::Verbatim { format, text } => sink.verbatim(*format, text),
        }
        if let Some(children) = Children::of(self) {
            open.push(children);
        }
    }
}

/// The values inside a container, a map's keys and values alternating.
enum Children<'a> {
    Items(std::slice::Iter<'a, Reply>),
    Pairs { pairs: std::slice::Iter<'a, (Reply, Reply)>, value: Option<&'a Reply> },
}

impl<'a> Children<'a> {
    /// `None` for a scalar.
    fn of(reply: &'a Reply) -> Option<Self> {
        match reply {
            Reply::Map(pairs) => Some(Children::Pairs { pairs: pairs.iter(), value: None }),
            other => other.items().map(|items| Children::Items(items.iter())),
        }
    }
}

impl<'a> Iterator for Children<'a> {
    type Item = &'a Reply;

    fn next(&mut self) -> Option<&'a Reply> {
        match self {
            Children::Items(items) => items.next(),
            Children::Pairs { pairs, value } => value.take().or_else(|| {
                let (key, next) = pairs.next()?;
                *value = Some(next);
                Some(key)
            }),
        }
    }
}
