//! LZF, the compression of long strings in RDB. It must not know RDB.
//!
//! The format is a row of runs. A control byte below 32 announces `c + 1` literal bytes. Any
//! other one is a reference backwards: its high three bits are the length less two (7: another
//! byte is to be added), its low five bits and the following byte the distance less one.
//!
//! The compressor finds the matches that liblzf finds as Redis configures it (`lzf_c.c`, table
//! of 2^16 slots, "very fast" mode), so that payloads come out the same.

const TABLE_BITS: u32 = 16;
const MAX_LITERALS: usize = 1 << 5;
const MAX_DISTANCE: usize = 1 << 13;
const MAX_MATCH: usize = (1 << 8) + (1 << 3);

/// Compresses `input` into fewer than `room` bytes or so (liblzf asks for some slack); `None`
/// when it does not fit.
pub fn compress(input: &[u8], room: usize) -> Option<Vec<u8>> {
    if input.is_empty() || room == 0 {
        return None;
    }
    // Positions plus one; 0 is an empty slot.
    let mut table = vec![0_u32; 1 << TABLE_BITS];
    let mut out = Output { bytes: Vec::with_capacity(room), literals: 0 };
    out.bytes.push(0);
    let mut at = 0;
    while let Some(slot) = slot(input, at) {
        let seen = std::mem::replace(&mut table[slot], (at + 1) as u32) as usize;
        let found = seen.checked_sub(1).filter(|&from| {
            // liblzf never refers to the very first byte.
            from > 0 && at - from <= MAX_DISTANCE && input[from..from + 3] == input[at..at + 3]
        });
        let Some(from) = found else {
            if out.bytes.len() >= room {
                return None;
            }
            out.literal(input[at]);
            at += 1;
            continue;
        };
        let spare = usize::from(out.literals == 0);
        if out.bytes.len() + 4 - spare >= room {
            return None;
        }
        let length = match_length(input, from, at);
        out.reference(at - from - 1, length - 2);
        at += length;
        if at + 2 >= input.len() {
            break;
        }
        for position in [at - 2, at - 1] {
            if let Some(slot) = self::slot(input, position) {
                table[slot] = (position + 1) as u32;
            }
        }
    }
    if out.bytes.len() + 3 > room {
        return None;
    }
    for &byte in input.get(at..).unwrap_or_default() {
        out.literal(byte);
    }
    Some(out.finish())
}

/// Decompresses `input`, which must give exactly `length` bytes; `None` when it does not.
pub fn decompress(input: &[u8], length: usize) -> Option<Vec<u8>> {
    // A payload may lie about its length: no more is reserved than references can expand to.
    let mut out = Vec::with_capacity(length.min(input.len().saturating_mul(MAX_MATCH)));
    let mut rest = input;
    while let Some((&control, tail)) = rest.split_first() {
        rest = tail;
        let control = usize::from(control);
        if control < MAX_LITERALS {
            let (literals, tail) = rest.split_at_checked(control + 1)?;
            out.extend_from_slice(literals);
            rest = tail;
        } else {
            let mut count = control >> 5;
            if count == 7 {
                let (&more, tail) = rest.split_first()?;
                count += usize::from(more);
                rest = tail;
            }
            let (&low, tail) = rest.split_first()?;
            rest = tail;
            let distance = ((control & 0x1f) << 8 | usize::from(low)) + 1;
            let from = out.len().checked_sub(distance)?;
            if out.len() + count + 2 > length {
                return None;
            }
            for index in from..from + count + 2 {
                let byte = *out.get(index)?;
                out.push(byte);
            }
        }
        if out.len() > length {
            return None;
        }
    }
    (out.len() == length).then_some(out)
}

/// The compressed bytes so far. The byte in front of the present run of literals is kept free
/// for its control byte.
struct Output {
    bytes: Vec<u8>,
    literals: usize,
}

impl Output {
    fn literal(&mut self, byte: u8) {
        self.bytes.push(byte);
        self.literals += 1;
        if self.literals == MAX_LITERALS {
            self.close();
            self.bytes.push(0);
        }
    }

    /// `length` is the number of bytes referred to, less two.
    fn reference(&mut self, distance: usize, length: usize) {
        self.close();
        let high = (distance >> 8) as u8;
        if length < 7 {
            self.bytes.push(high | (length as u8) << 5);
        } else {
            self.bytes.extend_from_slice(&[high | 7 << 5, (length - 7) as u8]);
        }
        self.bytes.extend_from_slice(&[distance as u8, 0]);
    }

    /// Writes the control byte of the present run, or takes its place away when it is empty.
    fn close(&mut self) {
        if self.literals == 0 {
            self.bytes.pop();
            return;
        }
        let place = self.bytes.len() - self.literals - 1;
        if let Some(control) = self.bytes.get_mut(place) {
            *control = (self.literals - 1) as u8;
        }
        self.literals = 0;
    }

    fn finish(mut self) -> Vec<u8> {
        self.close();
        self.bytes
    }
}

/// How far the bytes at `from` and `at` agree; three do. The limit leaves two bytes over for the
/// next slot, but liblzf compares the first nineteen without looking at it.
fn match_length(input: &[u8], from: usize, at: usize) -> usize {
    let limit = (input.len() - at - 2).min(MAX_MATCH);
    let same = |length: usize| input.get(from + length) == input.get(at + length);
    let mut length = 3;
    if limit > 16 {
        while length < 19 && same(length) {
            length += 1;
        }
        if length < 19 {
            return length;
        }
    }
    while length < limit && same(length) {
        length += 1;
    }
    length
}

/// The table's slot for the three bytes at `at`; `None` when fewer are left.
fn slot(input: &[u8], at: usize) -> Option<usize> {
    let three = input.get(at..at + 3)?;
    let key = u32::from(three[0]) << 16 | u32::from(three[1]) << 8 | u32::from(three[2]);
    let hash = (key >> (24 - TABLE_BITS)).wrapping_sub(key.wrapping_mul(5));
    Some((hash & ((1 << TABLE_BITS) - 1)) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_runs() {
        let packed = b"\x01aa\xe0\x1a\x00\x01aa";
        assert_eq!(decompress(packed, 39), Some(vec![b'a'; 39]));
        assert_eq!(decompress(packed, 38), None);
        assert_eq!(decompress(b"\x00a\x20\x00", 4).as_deref(), Some(&b"aaaa"[..]));
        assert_eq!(decompress(b"\x00a\x20\x01", 4), None);
    }

    proptest! {
        #[test]
        fn round_trip(input in proptest::collection::vec(0_u8..4, 0..2000)) {
            if let Some(packed) = compress(&input, input.len().saturating_sub(4)) {
                prop_assert_eq!(decompress(&packed, input.len()), Some(input));
            }
        }

        #[test]
        fn decompress_never_panics(input: Vec<u8>, length in 0_usize..4000) {
            let _ = decompress(&input, length);
        }
    }
}
