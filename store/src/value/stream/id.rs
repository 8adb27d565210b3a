//! Entry IDs of streams.
//!
//! Owns [`StreamId`], its text and its order. It must not know streams.

use redlua_conversions::number::parse_i64;

/// The ID of a stream entry: milliseconds and a sequence number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct StreamId {
    /// Milliseconds since the epoch, or whatever the client chose.
    pub(crate) ms: u64,
    /// Tells apart the entries of one millisecond.
    pub(crate) seq: u64,
}

/// An ID as `XADD` takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NewId {
    /// `*`: whatever comes next.
    Auto,
    /// `ms-*`: the next one of that millisecond.
    Next(u64),
    /// A full one.
    Exact(StreamId),
}

impl StreamId {
    /// The smallest one.
    pub(crate) const MIN: StreamId = StreamId { ms: 0, seq: 0 };
    /// The largest one.
    pub(crate) const MAX: StreamId = StreamId { ms: u64::MAX, seq: u64::MAX };

    /// Reads `ms-seq`, `ms` (then `missing` is the sequence number), `-` or `+`
    /// (`streamGenericParseIDOrReply` in `t_stream.c`).
    pub(crate) fn parse(text: &[u8], missing: u64) -> Option<Self> {
        match text {
            b"-" => Some(StreamId::MIN),
            b"+" => Some(StreamId::MAX),
            _ => StreamId::parse_strict(text, missing),
        }
    }

    /// The same without `-` and `+`.
    pub(crate) fn parse_strict(text: &[u8], missing: u64) -> Option<Self> {
        let (ms, seq) = halves(text)?;
        let seq = match seq {
            Some(seq) => unsigned(seq)?,
            None => missing,
        };
        Some(StreamId { ms: unsigned(ms)?, seq })
    }

    /// The ID after this one.
    pub(crate) fn next(self) -> Option<Self> {
        match (self.ms, self.seq.checked_add(1)) {
            (ms, Some(seq)) => Some(StreamId { ms, seq }),
            (ms, None) => ms.checked_add(1).map(|ms| StreamId { ms, seq: 0 }),
        }
    }

    /// The ID before this one.
    pub(crate) fn previous(self) -> Option<Self> {
        match (self.ms, self.seq.checked_sub(1)) {
            (ms, Some(seq)) => Some(StreamId { ms, seq }),
            (ms, None) => ms.checked_sub(1).map(|ms| StreamId { ms, seq: u64::MAX }),
        }
    }

    /// The sixteen bytes by which Redis sorts it in radix trees and DUMP payloads.
    pub(crate) fn to_bytes(self) -> [u8; 16] {
        (u128::from(self.ms) << 64 | u128::from(self.seq)).to_be_bytes()
    }

    /// From those sixteen bytes.
    pub(crate) fn from_bytes(bytes: [u8; 16]) -> Self {
        let bits = u128::from_be_bytes(bytes);
        StreamId { ms: (bits >> 64) as u64, seq: bits as u64 }
    }
}

impl NewId {
    /// Reads what `XADD` accepts besides `*`.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        match halves(text)? {
            (ms, Some(b"*")) => unsigned(ms).map(NewId::Next),
            _ => StreamId::parse_strict(text, 0).map(NewId::Exact),
        }
    }
}

impl std::fmt::Display for StreamId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.ms, self.seq)
    }
}

/// What stands before and after the first dash. The server copies the text into a buffer of 128
/// bytes and reads it as a C string.
fn halves(text: &[u8]) -> Option<(&[u8], Option<&[u8]>)> {
    if text.len() > 127 {
        return None;
    }
    let text = text.split(|&byte| byte == 0).next()?;
    let mut halves = text.splitn(2, |&byte| byte == b'-');
    Some((halves.next()?, halves.next()))
}

/// `string2ull` in `util.c`: a canonical integer, or whatever `strtoull` makes of it.
fn unsigned(text: &[u8]) -> Option<u64> {
    if let Some(value) = parse_i64(text) {
        return u64::try_from(value).ok();
    }
    let start = text.iter().position(|byte| !matches!(byte, b' ' | 9..=13))?;
    let (digits, negative) = match text.get(start..)? {
        [b'-', digits @ ..] => (digits, true),
        [b'+', digits @ ..] => (digits, false),
        digits => (digits, false),
    };
    if digits.is_empty() {
        return None;
    }
    let value = digits.iter().try_fold(0_u64, |value, byte| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit < 10)?;
        value.checked_mul(10)?.checked_add(u64::from(digit))
    })?;
    Some(if negative { value.wrapping_neg() } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_strtoull_reads() {
        let id = |ms, seq| Some(StreamId { ms, seq });
        assert_eq!(StreamId::parse(b"5", 7), id(5, 7));
        assert_eq!(StreamId::parse(b"5-6", 7), id(5, 6));
        assert_eq!(StreamId::parse(b"05-+6", 7), id(5, 6));
        assert_eq!(StreamId::parse(b"1- -1", 7), id(1, u64::MAX));
        assert_eq!(StreamId::parse(b"18446744073709551615-0", 7), id(u64::MAX, 0));
        assert_eq!(StreamId::parse(b"18446744073709551616-0", 7), None);
        for bad in [&b""[..], b"-1", b"1-", b"1-2-3", b"a", b"1-*", b"1.0"] {
            assert_eq!(StreamId::parse(bad, 0), None);
        }
        assert_eq!(NewId::parse(b"5-*"), Some(NewId::Next(5)));
        assert_eq!(StreamId::MAX.next(), None);
        assert_eq!(StreamId { ms: 1, seq: u64::MAX }.next(), id(2, 0));
        assert_eq!(StreamId { ms: 1, seq: 0 }.previous(), id(0, u64::MAX));
    }
}
