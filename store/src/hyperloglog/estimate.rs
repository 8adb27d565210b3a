//! From registers to a count: Ertl's estimator (`hllCount`).
//!
//! It must not know how registers are kept.

use super::{BITS, REGISTERS};

/// The largest value of a register that the formula treats as exact.
const LARGEST: usize = 64 - BITS as usize;
/// `0.5 / ln 2`
const ALPHA: f64 = 0.721_347_520_444_481_7;

/// The estimated number of different elements behind the registers.
pub(super) fn count(registers: &[u8]) -> u64 {
    let mut histogram = [0_u32; 64];
    for &register in registers {
        if let Some(slot) = histogram.get_mut(usize::from(register)) {
            *slot += 1;
        }
    }
    let m = REGISTERS as f64;
    let mut z = m * tau((m - f64::from(histogram[LARGEST + 1])) / m);
    for value in (1..=LARGEST).rev() {
        z += f64::from(histogram[value]);
        z *= 0.5;
    }
    z += m * sigma(f64::from(histogram[0]) / m);
    (ALPHA * m * m / z).round() as u64
}

fn sigma(mut x: f64) -> f64 {
    if x == 1.0 {
        return f64::INFINITY;
    }
    let mut y = 1.0;
    let mut z = x;
    loop {
        let before = z;
        x *= x;
        z += x * y;
        y += y;
        if before == z {
            return z;
        }
    }
}

fn tau(mut x: f64) -> f64 {
    if x == 0.0 || x == 1.0 {
        return 0.0;
    }
    let mut y = 1.0;
    let mut z = 1.0 - x;
    loop {
        let before = z;
        x = x.sqrt();
        y *= 0.5;
        z -= (1.0 - x) * (1.0 - x) * y;
        if before == z {
            return z / 3.0;
        }
    }
}
