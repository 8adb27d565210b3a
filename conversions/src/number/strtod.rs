//! C's `strtod`: the longest number at the beginning of some bytes.
//!
//! Owns the grammar (decimal, hexadecimal, `inf`, `nan`) and correct rounding. Must not know
//! which of it Redis or Lua then refuses.

use super::is_space;

/// A number found at the beginning of some bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prefix {
    /// Its value: infinite when too large, zero when too small.
    pub value: f64,
    /// How many bytes it takes, white space before it included.
    pub len: usize,
    /// Whether it was finite and became infinite, or was not zero and became zero.
    pub out_of_range: bool,
}

/// The longest number that `bytes` begin with, white space before it skipped, as glibc's
/// `strtod` in the C locale finds it; `None` when there is none.
pub fn strtod(bytes: &[u8]) -> Option<Prefix> {
    let skipped = bytes.iter().take_while(|&&byte| is_space(byte)).count();
    let mut at = skipped;
    let negative = match bytes.get(at) {
        Some(b'-') => {
            at += 1;
            true
        }
        Some(b'+') => {
            at += 1;
            false
        }
        _ => false,
    };
    let rest = bytes.get(at..).unwrap_or_default();
    let number = match rest {
        [b'0', b'x' | b'X', hex @ ..] => hexadecimal(hex)
            .map(|number| Prefix { len: number.len + 2, ..number })
            .or_else(|| decimal(rest)),
        [b'i' | b'I' | b'n' | b'N', ..] => word(rest),
        _ => decimal(rest),
    }?;
    let value = if negative { -number.value } else { number.value };
    Some(Prefix { value, len: at + number.len, ..number })
}

/// `inf`, `infinity`, `nan`, `nan(chars)`, in any case.
fn word(bytes: &[u8]) -> Option<Prefix> {
    let starts = |word: &str| {
        bytes.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()))
    };
    let found = |value, len| Some(Prefix { value, len, out_of_range: false });
    if starts("infinity") {
        found(f64::INFINITY, 8)
    } else if starts("inf") {
        found(f64::INFINITY, 3)
    } else if starts("nan") {
        let tail = bytes.get(3..).unwrap_or_default();
        let len = match tail {
            [b'(', inner @ ..] => {
                let word = inner
                    .iter()
                    .take_while(|&&byte| byte.is_ascii_alphanumeric() || byte == b'_')
                    .count();
                if inner.get(word) == Some(&b')') { word + 2 } else { 0 }
            }
            _ => 0,
        };
        found(f64::NAN.copysign(1.0), 3 + len)
    } else {
        None
    }
}

fn decimal(bytes: &[u8]) -> Option<Prefix> {
    let digits = |from: usize| {
        bytes.get(from..).unwrap_or_default().iter().take_while(|b| b.is_ascii_digit()).count()
    };
    let whole = digits(0);
    let mut len = whole;
    let mut any = whole;
    if bytes.get(len) == Some(&b'.') {
        let fraction = digits(len + 1);
        any += fraction;
        if any > 0 {
            len += 1 + fraction;
        }
    }
    if any == 0 {
        return None;
    }
    let mantissa = len;
    len += exponent_len(bytes.get(len..).unwrap_or_default(), b'e');

    // Short integers, the common case, need no general parser.
    let value = if len == whole && whole <= 15 {
        let digits = bytes.iter().take(whole);
        digits.fold(0u64, |sum, digit| sum * 10 + u64::from(digit - b'0')) as f64
    } else {
        // Only digits, a point and an exponent: what Rust reads means the same there.
        let text = bytes.get(..len).and_then(|text| std::str::from_utf8(text).ok())?;
        text.parse().ok()?
    };
    let zero = bytes.iter().take(mantissa).all(|&byte| matches!(byte, b'0' | b'.'));
    Some(Prefix { value, len, out_of_range: value.is_infinite() || (value == 0.0 && !zero) })
}

/// The length of an exponent (`e-5`), 0 when there is none with at least one digit.
fn exponent_len(bytes: &[u8], letter: u8) -> usize {
    let Some((first, rest)) = bytes.split_first() else { return 0 };
    if first.to_ascii_lowercase() != letter {
        return 0;
    }
    let sign = usize::from(matches!(rest.first(), Some(b'+' | b'-')));
    let digits =
        rest.get(sign..).unwrap_or_default().iter().take_while(|b| b.is_ascii_digit()).count();
    if digits == 0 { 0 } else { 1 + sign + digits }
}

/// What follows `0x`: hexadecimal digits, a point among them, a binary exponent.
fn hexadecimal(bytes: &[u8]) -> Option<Prefix> {
    let mut mantissa: u64 = 0;
    // The weight of the mantissa's last bit, and whether bits below it were dropped.
    let mut exponent: i64 = 0;
    let mut sticky = false;
    let mut any = false;
    let mut point = false;
    let mut len = 0;
    for &byte in bytes {
        if byte == b'.' && !point {
            point = true;
        } else if let Some(digit) = (byte as char).to_digit(16) {
            any = true;
            if mantissa >> 60 == 0 {
                mantissa = mantissa << 4 | u64::from(digit);
                exponent -= if point { 4 } else { 0 };
            } else {
                sticky |= digit != 0;
                exponent += if point { 0 } else { 4 };
            }
        } else {
            break;
        }
        len += 1;
    }
    if !any {
        return None;
    }
    let tail = bytes.get(len..).unwrap_or_default();
    let exponent_len = exponent_len(tail, b'p');
    if exponent_len > 0 {
        let text = tail.get(1..exponent_len).unwrap_or_default();
        let (negative, digits) = match text {
            [b'-', digits @ ..] => (true, digits),
            [b'+', digits @ ..] => (false, digits),
            digits => (false, digits),
        };
        let given = digits.iter().fold(0i64, |sum, digit| {
            sum.saturating_mul(10).saturating_add(i64::from(digit - b'0'))
        });
        let given = given.min(i64::MAX / 4);
        exponent = exponent.saturating_add(if negative { -given } else { given });
    }
    let value = assemble(mantissa, exponent, sticky);
    let out_of_range = value.is_infinite() || (value == 0.0 && mantissa != 0);
    Some(Prefix { value, len: len + exponent_len, out_of_range })
}

/// `mantissa * 2^exponent` (plus something below when `sticky`), rounded to the nearest double,
/// halves to even.
fn assemble(mantissa: u64, exponent: i64, sticky: bool) -> f64 {
    if mantissa == 0 {
        return 0.0;
    }
    // The leading bit to the top: the value is 1.xxx * 2^(exponent + 63).
    let shift = mantissa.leading_zeros();
    let mantissa = mantissa << shift;
    let power = exponent.saturating_sub(i64::from(shift)).saturating_add(63);
    if power > 1023 {
        return f64::INFINITY;
    }
    if power < -1075 {
        return 0.0;
    }
    // 53 bits remain of a normal number, fewer of a subnormal one.
    let drop = if power >= -1022 { 11 } else { 11 + (-1022 - power) as u32 };
    let (kept, lost, half) = if drop >= 64 {
        (0, mantissa, 1u64 << 63)
    } else {
        (mantissa >> drop, mantissa & ((1 << drop) - 1), 1 << (drop - 1))
    };
    // With drop == 65 everything lies below the half of the last place.
    let up = drop <= 64 && (lost > half || (lost == half && (sticky || kept & 1 == 1)));
    let kept = kept + u64::from(up);
    // The hidden bit adds itself to the exponent field, as does a carry out of the mantissa.
    let biased = if power >= -1022 { (power + 1022) as u64 } else { 0 };
    f64::from_bits((biased << 52) + kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> f64 {
        let prefix = strtod(text.as_bytes()).unwrap();
        assert_eq!(prefix.len, text.len(), "{text}");
        prefix.value
    }

    #[test]
    fn hexadecimal_rounding() {
        assert_eq!(value("0x1"), 1.0);
        assert_eq!(value("0x.8"), 0.5);
        assert_eq!(value("0xA.8p-1"), 5.25);
        assert_eq!(value("-0xfffffffffffff8"), -(0xff_ffff_ffff_fff8u64 as f64));
        assert_eq!(value("0x1ffffffffffffff"), 2f64.powi(57));
        assert_eq!(value("0x20000000000001"), 2f64.powi(53));
        assert_eq!(value("0x20000000000001.00000000000000000001"), 2f64.powi(53) + 2.0);
        assert_eq!(value("0x20000000000003"), 2f64.powi(53) + 4.0);
        assert_eq!(value("0x1p-1074"), 5e-324);
        assert_eq!(value("0x1p-1075"), 0.0);
        assert_eq!(value("0x1.8p-1075"), 5e-324);
        assert_eq!(value("0x1.fffffffffffffp1023"), f64::MAX);
        assert_eq!(value("0x1.fffffffffffff8p1023"), f64::INFINITY);
        assert_eq!(value("0x1.fffffffffffff8p-1023"), f64::MIN_POSITIVE);
        assert_eq!(value("0x1p99999999999999999999"), f64::INFINITY);
        assert_eq!(value("0x0p99999999999999999999"), 0.0);
    }

    #[test]
    fn prefixes() {
        for (text, expected, len) in [
            ("1abc", 1.0, 1),
            ("0x", 0.0, 1),
            ("0x.", 0.0, 1),
            ("0x1p", 1.0, 3),
            ("1e+", 1.0, 1),
            ("1.e5", 1e5, 4),
            ("infinit", f64::INFINITY, 3),
            ("  -5,", -5.0, 4),
            ("1..2", 1.0, 2),
        ] {
            let prefix = strtod(text.as_bytes()).unwrap();
            assert_eq!((prefix.value, prefix.len), (expected, len), "{text}");
        }
        for text in ["", "-", ".", "+.e5", "e5", "in", "na", "--1"] {
            assert_eq!(strtod(text.as_bytes()), None, "{text}");
        }
        assert_eq!(strtod(b"nan(x_1)").unwrap().len, 8);
        assert_eq!(strtod(b"nan(x").unwrap().len, 3);
    }
}
