//! The zipmap: a small hash of before Redis 2.6 (`zipmap.c`).
//!
//! Owns reading it; it is never written.

use super::listpack::Element;

const END: u8 = 0xff;
/// A length takes four more bytes.
const LONG: u8 = 0xfe;

/// The fields and values in turn; `None` when it is not a sound zipmap
/// (`zipmapValidateIntegrity`).
pub(super) fn parse(bytes: &[u8]) -> Option<Vec<Element<'_>>> {
    let (&count, mut rest) = bytes.split_first()?;
    let mut elements = Vec::new();
    loop {
        if let [END] = rest {
            let counted = count >= LONG || usize::from(count) * 2 == elements.len();
            return counted.then_some(elements);
        }
        let (len, after) = length(rest)?;
        let (field, after) = after.split_at_checked(len)?;
        let (len, after) = length(after)?;
        // Behind a value there may be bytes it once needed.
        let (&spare, after) = after.split_first()?;
        let (value, after) = after.split_at_checked(len)?;
        elements.extend([Element::Bytes(field), Element::Bytes(value)]);
        rest = after.get(usize::from(spare)..)?;
    }
}

fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    match bytes {
        [LONG, a, b, c, d, rest @ ..] => {
            Some((u32::from_le_bytes([*a, *b, *c, *d]) as usize, rest))
        }
        [short, rest @ ..] if *short < LONG => Some((usize::from(*short), rest)),
        _ => None,
    }
}
