//! The ziplist, the listpack's predecessor (`ziplist.c`): servers before 7.0 dump it.
//!
//! Owns reading it; it is never written. It must not know what the elements mean.

use super::listpack::{Element, signed};

const HEADER: usize = 10;
const END: u8 = 0xff;
/// The element before is so long that its length takes four more bytes.
const LONG: u8 = 0xfe;
/// The greatest length that is its own byte.
const SHORT: u8 = LONG - 1;

/// The elements of a ziplist; `None` when it is not a sound one: servers check every length of
/// it before they convert it (`ziplistValidateIntegrity`).
pub(super) fn parse(bytes: &[u8]) -> Option<Vec<Element<'_>>> {
    let (&[a, b, c, d, e, f, g, h, i, j], mut rest) = bytes.split_first_chunk::<HEADER>()?;
    let tail = u32::from_le_bytes([e, f, g, h]) as usize;
    let count = u16::from_le_bytes([i, j]);
    if u32::from_le_bytes([a, b, c, d]) as usize != bytes.len() {
        return None;
    }
    let mut elements = Vec::new();
    // Where the element before began and how long it was.
    let (mut last, mut previous) = (HEADER, 0);
    loop {
        let start = bytes.len() - rest.len();
        let (length, after) = match rest {
            [END] => {
                let counted = count == u16::MAX || usize::from(count) == elements.len();
                return (counted && tail == last).then_some(elements);
            }
            [LONG, a, b, c, d, after @ ..] => (u32::from_le_bytes([*a, *b, *c, *d]), after),
            [short @ ..=SHORT, after @ ..] => (u32::from(*short), after),
            _ => return None,
        };
        if length as usize != previous {
            return None;
        }
        let (element, after) = element(after)?;
        elements.push(element);
        (last, previous) = (start, rest.len() - after.len());
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
