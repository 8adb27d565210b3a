//! String values.
//!
//! Owns the four layouts of a string and which of them `OBJECT ENCODING` calls what
//! (`tryObjectEncoding` in `object.c`). It must not know commands.

use redlua_conversions::number;
use redlua_core::ReplySink;

/// The longest string Redis keeps in one allocation with its object (`embstr`).
const EMBEDDED: usize = 44;
/// The longest string kept inside [`Str`] itself.
const INLINE: usize = 30;

/// A string value.
#[derive(Clone)]
pub(crate) enum Str {
    /// The decimal form of an integer.
    Int(i64),
    /// A short string, kept in place.
    Short(u8, [u8; INLINE]),
    /// A string too long for [`Str::Short`] that Redis still embeds.
    Embedded(Box<[u8]>),
    /// A long string, or one that has been edited in place.
    Raw(Vec<u8>),
}

/// Room for the text of a [`Str::Int`].
pub(crate) type Digits = itoa::Buffer;

impl Str {
    /// What `SET` stores for these bytes: an integer when they are the canonical form of one.
    pub(crate) fn new(bytes: &[u8]) -> Self {
        match integer(bytes) {
            Some(number) => Str::Int(number),
            None => Str::text(bytes),
        }
    }

    /// These bytes as text, even when they look like an integer.
    pub(crate) fn text(bytes: &[u8]) -> Self {
        if bytes.len() <= INLINE {
            let mut buffer = [0; INLINE];
            buffer[..bytes.len()].copy_from_slice(bytes);
            Str::Short(bytes.len() as u8, buffer)
        } else if bytes.len() <= EMBEDDED {
            Str::Embedded(bytes.into())
        } else {
            Str::Raw(bytes.to_vec())
        }
    }

    /// Replaces the value as `SET` does, reusing the buffer.
    #[inline]
    pub(crate) fn assign(&mut self, bytes: &[u8]) {
        match self {
            Str::Raw(buffer) if bytes.len() > EMBEDDED => {
                buffer.clear();
                buffer.extend_from_slice(bytes);
            }
            Str::Short(len, buffer) if bytes.len() <= INLINE && integer(bytes).is_none() => {
                if let Some(place) = buffer.get_mut(..bytes.len()) {
                    place.copy_from_slice(bytes);
                    *len = bytes.len() as u8;
                }
            }
            _ => *self = Str::new(bytes),
        }
    }

    /// The bytes; an integer's are written into `digits`.
    #[inline]
    pub(crate) fn bytes<'a>(&'a self, digits: &'a mut Digits) -> &'a [u8] {
        match self {
            Str::Int(number) => digits.format(*number).as_bytes(),
            Str::Short(len, buffer) => buffer.get(..usize::from(*len)).unwrap_or_default(),
            Str::Embedded(bytes) => bytes,
            Str::Raw(bytes) => bytes,
        }
    }

    /// The bytes, copied.
    pub(crate) fn to_vec(&self) -> Vec<u8> {
        self.bytes(&mut Digits::new()).to_vec()
    }

    /// Pushes the value as a bulk string.
    #[inline]
    pub(crate) fn push(&self, sink: &mut dyn ReplySink) {
        sink.bulk(self.bytes(&mut Digits::new()));
    }

    /// How many bytes it has.
    pub(crate) fn len(&self) -> usize {
        match self {
            Str::Int(number) => Digits::new().format(*number).len(),
            Str::Short(len, _) => usize::from(*len),
            Str::Embedded(bytes) => bytes.len(),
            Str::Raw(bytes) => bytes.len(),
        }
    }

    /// Turns it into an editable buffer (`dbUnshareStringValue` in `db.c`); from then on its
    /// encoding is `raw`.
    pub(crate) fn edit(&mut self) -> &mut Vec<u8> {
        if !matches!(self, Str::Raw(_)) {
            *self = Str::Raw(self.to_vec());
        }
        match self {
            Str::Raw(buffer) => buffer,
            _ => unreachable!("made raw above"),
        }
    }

    /// The integer it holds (`getLongLongFromObject`).
    pub(crate) fn integer(&self) -> Option<i64> {
        match self {
            Str::Int(number) => Some(*number),
            other => number::parse_i64(other.bytes(&mut Digits::new())),
        }
    }

    /// What `OBJECT ENCODING` answers.
    pub(crate) fn encoding(&self) -> &'static str {
        match self {
            Str::Int(_) => "int",
            Str::Short(..) | Str::Embedded(_) => "embstr",
            Str::Raw(_) => "raw",
        }
    }
}

/// The integer whose canonical decimal form `bytes` is.
#[inline]
fn integer(bytes: &[u8]) -> Option<i64> {
    match bytes.first() {
        Some(b'0'..=b'9' | b'-') if bytes.len() <= 20 => number::parse_i64(bytes),
        _ => None,
    }
}
