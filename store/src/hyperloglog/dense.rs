//! The dense representation: sixteen thousand registers of six bits.
//!
//! Owns how they are packed: from the low bits of each byte upwards. It must not know the
//! header's meaning.

use super::{HEADER, REGISTERS};

/// Bytes of a dense HyperLogLog.
pub(super) const SIZE: usize = HEADER + (REGISTERS * WIDTH).div_ceil(8);

const WIDTH: usize = 6;
const MASK: u16 = (1 << WIDTH) - 1;

/// All registers.
pub(super) fn registers(bytes: &[u8]) -> Vec<u8> {
    let packed = bytes.get(HEADER..).unwrap_or_default();
    (0..REGISTERS).map(|register| read(packed, register)).collect()
}

/// Raises a register to at least `value`; returns whether it was lower.
pub(super) fn raise(bytes: &mut [u8], register: usize, value: u8) -> bool {
    let Some(packed) = bytes.get_mut(HEADER..) else { return false };
    if read(packed, register) >= value {
        return false;
    }
    let (at, shift) = (register * WIDTH / 8, register * WIDTH % 8);
    let keep = !(MASK << shift);
    let set = (u16::from(value) & MASK) << shift;
    for (slot, (keep, set)) in packed
        .iter_mut()
        .skip(at)
        .zip([(keep as u8, set as u8), ((keep >> 8) as u8, (set >> 8) as u8)])
    {
        *slot = *slot & keep | set;
    }
    true
}

fn read(packed: &[u8], register: usize) -> u8 {
    let (at, shift) = (register * WIDTH / 8, register * WIDTH % 8);
    let byte = |at: usize| u16::from(packed.get(at).copied().unwrap_or(0));
    ((byte(at) | byte(at + 1) << 8) >> shift & MASK) as u8
}
