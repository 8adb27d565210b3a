//! The listpack: a row of strings and integers in one allocation (`listpack.c`).
//!
//! Owns its layout and the size each element takes, which also decides when a stream begins a
//! new node. It must not know what the elements mean.
//!
//! A listpack is a header (total bytes, number of elements), the elements and an end mark. An
//! element is its encoding, its data and its own length once more, written so that it can be
//! read backwards.

use redlua_conversions::number::parse_i64;

/// Bytes of an empty listpack: header and end mark.
pub(crate) const EMPTY: usize = HEADER + 1;

const HEADER: usize = 6;
const END: u8 = 0xff;
/// The count of elements when it does not fit the header.
const UNKNOWN: u16 = u16::MAX;

/// Builds a listpack.
pub(crate) struct Writer {
    bytes: Vec<u8>,
    count: usize,
}

/// One element of a listpack or ziplist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Element<'a> {
    /// A string.
    Bytes(&'a [u8]),
    /// An integer, kept as such.
    Integer(i64),
}

impl Writer {
    /// An empty listpack.
    pub(crate) fn new() -> Self {
        Writer { bytes: vec![0; HEADER], count: 0 }
    }

    /// Appends a string; as an integer when it is the decimal form of one (`lpAppend`).
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        if let Some(value) = parse_i64(bytes) {
            return self.push_integer(value);
        }
        let start = self.bytes.len();
        let len = bytes.len();
        if len < 64 {
            self.bytes.push(0x80 | len as u8);
        } else if len < 4096 {
            self.bytes.extend_from_slice(&[0xe0 | (len >> 8) as u8, len as u8]);
        } else {
            self.bytes.push(0xf0);
            self.bytes.extend_from_slice(&(len as u32).to_le_bytes());
        }
        self.bytes.extend_from_slice(bytes);
        self.close(start);
    }

    /// Appends an integer (`lpEncodeIntegerGetType`).
    pub(crate) fn push_integer(&mut self, value: i64) {
        let start = self.bytes.len();
        let little = value.to_le_bytes();
        match integer_size(value) {
            1 => self.bytes.push(value as u8),
            2 => self.bytes.extend_from_slice(&[0xc0 | (value >> 8) as u8 & 0x1f, value as u8]),
            3 => self.tagged(0xf1, &little[..2]),
            4 => self.tagged(0xf2, &little[..3]),
            5 => self.tagged(0xf3, &little[..4]),
            _ => self.tagged(0xf4, &little),
        }
        self.close(start);
    }

    /// The finished listpack.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.bytes.push(END);
        let total = (self.bytes.len() as u32).to_le_bytes();
        let count = u16::try_from(self.count).unwrap_or(UNKNOWN).to_le_bytes();
        for (slot, byte) in self.bytes.iter_mut().zip(total.into_iter().chain(count)) {
            *slot = byte;
        }
        self.bytes
    }

    fn tagged(&mut self, tag: u8, data: &[u8]) {
        self.bytes.push(tag);
        self.bytes.extend_from_slice(data);
    }

    /// Ends the element that began at `start` with its length for reading backwards
    /// (`lpEncodeBacklen`): big-endian groups of seven bits, all but the first marked.
    fn close(&mut self, start: usize) {
        let len = self.bytes.len() - start;
        let groups = back_size(len);
        for group in (0..groups).rev() {
            let bits = (len >> (7 * group)) as u8 & 0x7f;
            self.bytes.push(if group + 1 == groups { bits } else { bits | 0x80 });
        }
        self.count += 1;
    }
}

impl Element<'_> {
    /// The element as a string.
    pub(crate) fn to_vec(self) -> Vec<u8> {
        match self {
            Element::Bytes(bytes) => bytes.to_vec(),
            Element::Integer(value) => itoa::Buffer::new().format(value).as_bytes().to_vec(),
        }
    }

    /// The element as an integer, if it is one.
    pub(crate) fn integer(self) -> Option<i64> {
        match self {
            Element::Bytes(bytes) => parse_i64(bytes),
            Element::Integer(value) => Some(value),
        }
    }
}

/// Bytes an element takes in a listpack.
pub(crate) fn size(bytes: &[u8]) -> usize {
    if let Some(value) = parse_i64(bytes) {
        return size_of_integer(value);
    }
    let len = bytes.len();
    let head = if len < 64 {
        1
    } else if len < 4096 {
        2
    } else {
        5
    };
    head + len + back_size(head + len)
}

/// Bytes an integer takes in a listpack.
pub(crate) fn size_of_integer(value: i64) -> usize {
    integer_size(value) + 1
}

/// The elements of a listpack; `None` when it is not a sound one (`lpValidateIntegrity`).
pub(crate) fn parse(bytes: &[u8]) -> Option<Vec<Element<'_>>> {
    let (&[a, b, c, d, e, f], mut rest) = bytes.split_first_chunk::<HEADER>()?;
    if u32::from_le_bytes([a, b, c, d]) as usize != bytes.len() {
        return None;
    }
    let mut elements = Vec::new();
    loop {
        let (&tag, tail) = rest.split_first()?;
        if tag == END {
            let count = u16::from_le_bytes([e, f]);
            let counted = count == UNKNOWN || usize::from(count) == elements.len();
            return (tail.is_empty() && counted).then_some(elements);
        }
        let (element, after) = element(tag, tail)?;
        let len = rest.len() - after.len();
        elements.push(element);
        rest = after.get(back_size(len)..)?;
    }
}

fn element(tag: u8, tail: &[u8]) -> Option<(Element<'_>, &[u8])> {
    let integer = |width: usize| {
        let (data, after) = tail.split_at_checked(width)?;
        Some((Element::Integer(signed(data)), after))
    };
    let string = |len: usize, data: &'_ [u8]| -> Option<(usize, usize)> {
        (len <= data.len()).then_some((len, tail.len() - data.len()))
    };
    let (len, skip) = match tag {
        0..=0x7f => return Some((Element::Integer(i64::from(tag)), tail)),
        0x80..=0xbf => string(usize::from(tag & 0x3f), tail)?,
        0xc0..=0xdf => {
            let (&low, after) = tail.split_first()?;
            let bits = i64::from(tag & 0x1f) << 8 | i64::from(low);
            // Thirteen bits, sign included.
            return Some((Element::Integer(bits << 51 >> 51), after));
        }
        0xe0..=0xef => {
            let (&low, after) = tail.split_first()?;
            string(usize::from(tag & 0x0f) << 8 | usize::from(low), after)?
        }
        0xf0 => {
            let (len, after) = tail.split_first_chunk::<4>()?;
            string(u32::from_le_bytes(*len) as usize, after)?
        }
        0xf1 => return integer(2),
        0xf2 => return integer(3),
        0xf3 => return integer(4),
        0xf4 => return integer(8),
        _ => return None,
    };
    let (data, after) = tail.get(skip..)?.split_at_checked(len)?;
    Some((Element::Bytes(data), after))
}

/// A little-endian signed integer of at most eight bytes.
pub(crate) fn signed(data: &[u8]) -> i64 {
    let bits = data.iter().rev().fold(0_u64, |bits, &byte| bits << 8 | u64::from(byte));
    let unused = 64 - 8 * data.len().clamp(1, 8) as u32;
    (bits << unused) as i64 >> unused
}

/// Bytes of an integer's encoding and data.
fn integer_size(value: i64) -> usize {
    match value {
        0..=127 => 1,
        -4096..=4095 => 2,
        -0x8000..=0x7fff => 3,
        -0x80_0000..=0x7f_ffff => 4,
        -0x8000_0000..=0x7fff_ffff => 5,
        _ => 9,
    }
}

/// Bytes of the length at an element's end.
fn back_size(len: usize) -> usize {
    match len {
        0..=127 => 1,
        128..=16_383 => 2,
        16_384..=2_097_151 => 3,
        2_097_152..=268_435_455 => 4,
        _ => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn element() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            any::<i64>().prop_map(|value| value.to_string().into_bytes()),
            any::<i16>().prop_map(|value| value.to_string().into_bytes()),
            any::<Vec<u8>>(),
            (0..9000_usize).prop_map(|len| vec![b'x'; len]),
        ]
    }

    proptest! {
        #[test]
        fn round_trip(elements in proptest::collection::vec(element(), 0..20)) {
            let mut writer = Writer::new();
            for element in &elements {
                writer.push(element);
            }
            let bytes = writer.finish();
            let sizes: usize = elements.iter().map(|element| size(element)).sum();
            prop_assert_eq!(bytes.len(), EMPTY + sizes);
            let parsed: Vec<_> = parse(&bytes).unwrap().into_iter().map(Element::to_vec).collect();
            prop_assert_eq!(parsed, elements);
        }

        #[test]
        fn parse_never_panics(mut bytes: Vec<u8>) {
            let _ = parse(&bytes);
            bytes.splice(0..0, [0; 6]);
            let total = (bytes.len() as u32).to_le_bytes();
            bytes[..4].copy_from_slice(&total);
            bytes[4..6].fill(0xff);
            let _ = parse(&bytes);
        }
    }
}
