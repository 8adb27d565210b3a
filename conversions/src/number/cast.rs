//! C's casts from double to integer, as x86-64 executes them.
//!
//! Owns what happens out of range, where C promises nothing but every server shows the same. Must
//! not know why a library casts.

/// `(long)value`: cut towards zero; out of range and NaN give the smallest integer (`cvttsd2si`).
/// Lua's `lua_number2integer`.
#[inline]
pub(crate) fn c_i64(value: f64) -> i64 {
    // 2^63 itself is the first double out of range; -2^63 is in range.
    if (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&value) {
        value as i64
    } else {
        i64::MIN
    }
}

/// `(int)value`.
#[inline]
pub(crate) fn c_i32(value: f64) -> i32 {
    if value > -2_147_483_649.0 && value < 2_147_483_648.0 { value as i32 } else { i32::MIN }
}

/// `(unsigned long)value`: negative numbers wrap, 2^64 and more give 0.
#[inline]
pub(crate) fn c_u64(value: f64) -> u64 {
    const HALF: f64 = 9_223_372_036_854_775_808.0;
    if value >= HALF { c_i64(value - HALF) as u64 ^ (1 << 63) } else { c_i64(value) as u64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn out_of_range() {
        assert_eq!(c_i64(-1.9), -1);
        assert_eq!(c_i64(1e20), i64::MIN);
        assert_eq!(c_i64(f64::NAN), i64::MIN);
        assert_eq!(c_i32(2147483647.5), i32::MAX);
        assert_eq!(c_i32(2147483648.0), i32::MIN);
        assert_eq!(c_i32(-2147483648.9), i32::MIN);
        assert_eq!(c_u64(1.844_674_407_370_955e19), 18_446_744_073_709_549_568);
        assert_eq!(c_u64(1.8446744073709552e19), 0);
        assert_eq!(c_u64(f64::INFINITY), 0);
        assert_eq!(c_u64(-1.0), u64::MAX);
        assert_eq!(c_u64(f64::NAN), 1 << 63);
    }
}
