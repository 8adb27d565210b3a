//! HyperLogLogs: strings that estimate how many different elements they have seen
//! (`hyperloglog.c`).
//!
//! Owns the header, the hash and the operations on both representations, byte for byte those of
//! Redis. It must not know keys or commands.

mod dense;
mod estimate;
mod sparse;

use std::ops::Range;

pub(crate) use sparse::Run;

/// How many registers there are.
pub(crate) const REGISTERS: usize = 1 << BITS;
/// Bits of the hash that choose a register.
const BITS: u32 = 14;
/// Bytes before the registers.
const HEADER: usize = 16;
/// The cached count, whose highest bit says that it is stale.
const CACHE: Range<usize> = 8..16;
const SEED: u64 = 0xadc8_3b19;

/// The registers are not what they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Corrupt;

/// How the registers are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Six bits each.
    Dense,
    /// Runs of equal registers.
    Sparse,
}

/// A HyperLogLog without elements.
pub(crate) fn empty() -> Vec<u8> {
    let mut bytes = b"HYLL\x01".to_vec();
    bytes.resize(HEADER, 0);
    sparse::push_zeros(&mut bytes, REGISTERS);
    bytes
}

/// The layout of a string; `None` when it is no HyperLogLog (`isHLLObjectOrReply`).
pub(crate) fn layout(bytes: &[u8]) -> Option<Layout> {
    match bytes {
        [b'H', b'Y', b'L', b'L', 0, ..] if bytes.len() == dense::SIZE => Some(Layout::Dense),
        [b'H', b'Y', b'L', b'L', 1, ..] if bytes.len() >= HEADER => Some(Layout::Sparse),
        _ => None,
    }
}

/// Adds an element; returns whether a register changed. `sparse_max` is `hll-sparse-max-bytes`.
pub(crate) fn add(bytes: &mut Vec<u8>, element: &[u8], sparse_max: usize) -> Result<bool, Corrupt> {
    let hash = murmur(element);
    let register = hash as usize & (REGISTERS - 1);
    // The bit that ends the row of zeros when there are only zeros.
    let rest = hash >> BITS | 1 << (64 - BITS);
    raise(bytes, register, rest.trailing_zeros() as u8 + 1, sparse_max)
}

/// Raises a register to at least `value`; returns whether it was lower.
pub(crate) fn raise(
    bytes: &mut Vec<u8>,
    register: usize,
    value: u8,
    sparse_max: usize,
) -> Result<bool, Corrupt> {
    if layout(bytes) == Some(Layout::Sparse) {
        match sparse::raise(bytes, register, value, sparse_max)? {
            Some(raised) => return Ok(raised),
            None => to_dense(bytes)?,
        }
    }
    Ok(dense::raise(bytes, register, value))
}

/// Makes it dense (`hllSparseToDense`).
pub(crate) fn to_dense(bytes: &mut Vec<u8>) -> Result<(), Corrupt> {
    if layout(bytes) == Some(Layout::Dense) {
        return Ok(());
    }
    let mut result = bytes.get(..HEADER).unwrap_or_default().to_vec();
    if let Some(layout) = result.get_mut(4) {
        *layout = 0;
    }
    result.resize(dense::SIZE, 0);
    for (register, value) in registers(bytes)?.into_iter().enumerate() {
        dense::raise(&mut result, register, value);
    }
    *bytes = result;
    Ok(())
}

/// All registers.
pub(crate) fn registers(bytes: &[u8]) -> Result<Vec<u8>, Corrupt> {
    match layout(bytes) {
        Some(Layout::Dense) => Ok(dense::registers(bytes)),
        Some(Layout::Sparse) => {
            let mut registers = Vec::with_capacity(REGISTERS);
            for run in sparse::runs(bytes) {
                let (value, len) = run.ok_or(Corrupt)?.parts();
                if registers.len() + len > REGISTERS {
                    return Err(Corrupt);
                }
                registers.resize(registers.len() + len, value);
            }
            if registers.len() == REGISTERS { Ok(registers) } else { Err(Corrupt) }
        }
        None => Err(Corrupt),
    }
}

/// The runs of a sparse one.
pub(crate) fn runs(bytes: &[u8]) -> impl Iterator<Item = Option<Run>> {
    sparse::runs(bytes)
}

/// The estimated number of elements behind these registers.
pub(crate) fn count(registers: &[u8]) -> u64 {
    estimate::count(registers)
}

/// The count of the last time, if nothing has changed since.
pub(crate) fn cached(bytes: &[u8]) -> Option<u64> {
    let cache = bytes.get(CACHE)?.first_chunk::<8>()?;
    let count = u64::from_le_bytes(*cache);
    (count >> 63 == 0).then_some(count)
}

/// Remembers a count.
pub(crate) fn cache(bytes: &mut [u8], count: u64) {
    if let Some(cache) = bytes.get_mut(CACHE) {
        cache.copy_from_slice(&count.to_le_bytes());
    }
}

/// Marks the remembered count as stale.
pub(crate) fn invalidate(bytes: &mut [u8]) {
    if let Some(byte) = bytes.get_mut(CACHE.end - 1) {
        *byte |= 0x80;
    }
}

/// MurmurHash2 of 64 bits, in the variant that reads little-endian on every machine.
fn murmur(data: &[u8]) -> u64 {
    const M: u64 = 0xc6a4_a793_5bd1_e995;
    let mix = |word: u64| {
        let word = word.wrapping_mul(M);
        (word ^ word >> 47).wrapping_mul(M)
    };
    let mut hash = SEED ^ (data.len() as u64).wrapping_mul(M);
    let (words, rest) = data.as_chunks::<8>();
    for word in words {
        hash = (hash ^ mix(u64::from_le_bytes(*word))).wrapping_mul(M);
    }
    if !rest.is_empty() {
        let tail = rest.iter().rev().fold(0, |tail, &byte| tail << 8 | u64::from(byte));
        hash = (hash ^ tail).wrapping_mul(M);
    }
    hash = (hash ^ hash >> 47).wrapping_mul(M);
    hash ^ hash >> 47
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn counts_about_right_and_changes_layout() {
        let mut bytes = empty();
        for number in 0..20_000_u32 {
            add(&mut bytes, number.to_string().as_bytes(), 3000).unwrap();
            if number == 100 {
                assert_eq!(layout(&bytes), Some(Layout::Sparse));
            }
        }
        assert_eq!(layout(&bytes), Some(Layout::Dense));
        let estimate = count(&registers(&bytes).unwrap());
        assert!((19_600..20_400).contains(&estimate), "{estimate}");
    }

    proptest! {
        #[test]
        fn both_layouts_agree(elements in proptest::collection::vec(any::<u16>(), 0..600)) {
            let (mut sparse, mut dense) = (empty(), empty());
            to_dense(&mut dense).unwrap();
            for element in elements {
                let element = element.to_le_bytes();
                let raised = add(&mut sparse, &element, usize::MAX).unwrap();
                prop_assert_eq!(add(&mut dense, &element, 0).unwrap(), raised);
            }
            prop_assert_eq!(registers(&sparse), registers(&dense));
        }

        #[test]
        fn garbage_never_panics(tail: Vec<u8>, register in 0..REGISTERS, value in 1_u8..60) {
            let mut bytes = empty();
            bytes.truncate(HEADER);
            bytes.extend(tail);
            let _ = registers(&bytes);
            let _ = raise(&mut bytes, register, value, 3000);
        }
    }
}
