//! Reading RDB. It must not know types of values, and it trusts no byte it reads.

use std::borrow::Cow;

use super::{INT8, INT16, INT32, LZF, decompress};

/// A cursor over serialised bytes. Every method answers `None` when the bytes end too early or
/// are not what is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Starts at the beginning of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Reader { rest: bytes }
    }

    /// Whether everything has been read.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// What has not been read yet.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next `count` bytes.
    pub fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(bytes)
    }

    /// The next bytes as an array: for the fixed-width numbers of the format.
    pub fn chunk<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        Some(*bytes)
    }

    /// The next byte: an opcode or a type.
    pub fn byte(&mut self) -> Option<u8> {
        self.chunk().map(|[byte]| byte)
    }

    /// A length (`rdbLoadLen`); a specially encoded string is not one.
    pub fn length(&mut self) -> Option<u64> {
        let first = self.byte()?;
        match (first >> 6, first) {
            (0, _) => Some(u64::from(first)),
            (1, _) => Some(u64::from(first & 0x3f) << 8 | u64::from(self.byte()?)),
            (_, 0x80) => self.chunk().map(|bytes| u64::from(u32::from_be_bytes(bytes))),
            (_, 0x81) => self.chunk().map(u64::from_be_bytes),
            _ => None,
        }
    }

    /// A string in any of its encodings (`rdbGenericLoadStringObject`).
    pub fn string(&mut self) -> Option<Cow<'a, [u8]>> {
        let integer = match *self.rest.first()? {
            INT8 => self.skip().chunk().map(|bytes| i32::from(i8::from_le_bytes(bytes)))?,
            INT16 => self.skip().chunk().map(|bytes| i32::from(i16::from_le_bytes(bytes)))?,
            INT32 => self.skip().chunk().map(i32::from_le_bytes)?,
            LZF => {
                self.skip();
                let packed = usize::try_from(self.length()?).ok()?;
                let length = usize::try_from(self.length()?).ok()?;
                return decompress(self.bytes(packed)?, length).map(Cow::Owned);
            }
            _ => {
                let length = usize::try_from(self.length()?).ok()?;
                return self.bytes(length).map(Cow::Borrowed);
            }
        };
        Some(Cow::Owned(itoa::Buffer::new().format(integer).as_bytes().to_vec()))
    }

    fn skip(&mut self) -> &mut Self {
        self.rest = self.rest.get(1..).unwrap_or_default();
        self
    }
}
