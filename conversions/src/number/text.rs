//! Numbers as text that lives on the stack.
//!
//! Owns [`Text`] and the digits of integers. Must not know how fractions are spelt.

use std::fmt;
use std::ops::Deref;

/// A short piece of ASCII text that lives on the stack.
///
/// ```
/// use redlua_conversions::number::{g14, g17};
/// assert_eq!(&*g17(0.1), b"0.10000000000000001");
/// assert_eq!(&*g14(0.1), b"0.1");
/// assert_eq!(g14(1e100).as_str(), "1e+100");
/// ```
#[derive(Clone, Copy)]
pub struct Text {
    bytes: [u8; Text::CAPACITY],
    /// The text is between these two.
    start: u8,
    end: u8,
}

impl Text {
    /// What it can hold.
    pub const CAPACITY: usize = 40;

    pub(super) const fn new() -> Self {
        Text { bytes: [0; Text::CAPACITY], start: 0, end: 0 }
    }

    /// Decimal digits of an integer.
    #[inline]
    pub fn integer(value: i64) -> Self {
        let mut text = Text::new();
        // From the last digit to the first, ending where the room ends: unlike itoa's buffer,
        // nothing is copied.
        let mut start = Text::CAPACITY;
        let mut rest = value.unsigned_abs();
        while rest >= 100 {
            let pair = (rest % 100) as usize;
            rest /= 100;
            start -= 2;
            text.bytes[start] = PAIRS[2 * pair];
            text.bytes[start + 1] = PAIRS[2 * pair + 1];
        }
        if rest >= 10 {
            let pair = rest as usize;
            start -= 2;
            text.bytes[start] = PAIRS[2 * pair];
            text.bytes[start + 1] = PAIRS[2 * pair + 1];
        } else {
            start -= 1;
            text.bytes[start] = b'0' + rest as u8;
        }
        if value < 0 {
            start -= 1;
            text.bytes[start] = b'-';
        }
        text.start = start as u8;
        text.end = Text::CAPACITY as u8;
        text
    }

    /// The text; it is always ASCII.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self).unwrap_or_default()
    }

    /// Appends what fits; nothing written here is ever longer.
    #[inline]
    pub(super) fn push(&mut self, piece: &[u8]) {
        let end = usize::from(self.end);
        if let Some(room) = self.bytes.get_mut(end..end + piece.len()) {
            room.copy_from_slice(piece);
            self.end += piece.len() as u8;
        }
    }
}

/// `00` to `99`.
const PAIRS: [u8; 200] = {
    let mut pairs = [b'0'; 200];
    let mut pair = 0;
    while pair < 100 {
        pairs[2 * pair] = b'0' + (pair / 10) as u8;
        pairs[2 * pair + 1] = b'0' + (pair % 10) as u8;
        pair += 1;
    }
    pairs
};

impl Deref for Text {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        self.bytes.get(usize::from(self.start)..usize::from(self.end)).unwrap_or_default()
    }
}

impl AsRef<[u8]> for Text {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl fmt::Write for Text {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        self.push(piece.as_bytes());
        Ok(())
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}
