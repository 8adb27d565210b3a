//! The ziplist, the listpack's predecessor (`ziplist.c`): servers before 7.0 dump it.
//!
//! Owns reading it; it is never written. It must not know what the elements mean.

use super::listpack::{Element, signed};

const HEADER: usize = 10;
const END: u8 = 0xff;

/// The elements of a ziplist; `None` when it is not a sound one.
pub(super) fn parse(bytes: &[u8]) -> Option<Vec<Element<'_>>> {
    let (header, mut rest) = bytes.split_first_chunk::<HEADER>()?;
    let total = u32::from_le_bytes(*header.first_chunk::<4>()?);
    let count = u16::from_le_bytes(*header.last_chunk::<2>()?);
    if total as usize != bytes.len() {
        return None;
    }
    let mut elements = Vec::new();
    loop {
        // The length of the element before, for reading backwards.
        let (&previous, tail) = rest.split_first()?;
        if previous == END {
            let counted = count == u16::MAX || usize::from(count) == elements.len();
            return (tail.is_empty() && counted).then_some(elements);
        }
        let tail = if previous == 254 { tail.get(4..)? } else { tail };
        let (element, after) = element(tail)?;
        elements.push(element);
        rest = after;
    }
}

fn element(bytes: &[u8]) -> Option<(Element<'_>, &[u8])> {
    let (&tag, tail) = bytes.split_first()?;
    let integer = |width: usize| {
        let (data, after) = tail.split_at_checked(width)?;
        Some((Element::Integer(signed(data)), after))
    };
    let (len, tail) = match tag {
        0x00..=0x3f => (usize::from(tag), tail),
        0x40..=0x7f => {
            let (&low, tail) = tail.split_first()?;
            (usize::from(tag & 0x3f) << 8 | usize::from(low), tail)
        }
        0x80..=0xbf => {
            let (len, tail) = tail.split_first_chunk::<4>()?;
            (u32::from_be_bytes(*len) as usize, tail)
        }
        0xc0 => return integer(2),
        0xd0 => return integer(4),
        0xe0 => return integer(8),
        0xf0 => return integer(3),
        0xfe => return integer(1),
        0xf1..=0xfd => return Some((Element::Integer(i64::from(tag) - 0xf1), tail)),
        _ => return None,
    };
    let (data, after) = tail.split_at_checked(len)?;
    Some((Element::Bytes(data), after))
}
