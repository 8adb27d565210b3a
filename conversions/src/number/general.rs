//! C's `%g` for numbers that are no short integers.
//!
//! Owns exact digits and their layout. Must not know which precision stands for what.

use std::fmt::Write as _;

use super::text::Text;

/// C's `%g`: `precision` significant digits, trailing zeros dropped, an exponent of at least two
/// digits when it is below -4 or not below the precision.
pub(super) fn general(value: f64, precision: usize) -> Text {
    if !value.is_finite() {
        return special(value);
    }
    let (digits, exponent) = match scaled(value.abs(), precision) {
        Some((digits, exponent)) => (Text::integer(digits), exponent),
        None => scientific(value.abs(), precision),
    };
    let digits: &[u8] = &digits;
    let kept = digits.iter().rposition(|&digit| digit != b'0').map_or(1, |last| last + 1);
    let digits = digits.get(..kept).unwrap_or(digits);

    let mut text = Text::new();
    if value.is_sign_negative() {
        text.push(b"-");
    }
    if exponent < -4 || exponent >= precision as i32 {
        let (first, rest) = digits.split_at(digits.len().min(1));
        text.push(first);
        if !rest.is_empty() {
            text.push(b".");
            text.push(rest);
        }
        let _ =
            write!(text, "e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.unsigned_abs());
    } else if exponent < 0 {
        text.push(b"0.");
        for _ in 1..exponent.unsigned_abs() {
            text.push(b"0");
        }
        text.push(digits);
    } else {
        let whole = exponent.unsigned_abs() as usize + 1;
        if digits.len() <= whole {
            text.push(digits);
            for _ in digits.len()..whole {
                text.push(b"0");
            }
        } else {
            let (before, after) = digits.split_at(whole);
            text.push(before);
            text.push(b".");
            text.push(after);
        }
    }
    text
}

#[cold]
fn special(value: f64) -> Text {
    let mut text = Text::new();
    if value.is_sign_negative() {
        text.push(b"-");
    }
    text.push(if value.is_nan() { b"nan" } else { b"inf" });
    text
}

/// Powers of ten as far as [`scaled`] needs them.
const TENS: [u128; 23] = {
    let mut tens = [1; 23];
    let mut power = 1;
    while power < tens.len() {
        tens[power] = tens[power - 1] * 10;
        power += 1;
    }
    tens
};

/// The first `precision` significant digits of a number and the power of ten of the first one,
/// rounded exactly with halves to even, as glibc does. Only where 128 bits hold all there is.
fn scaled(magnitude: f64, precision: usize) -> Option<(i64, i32)> {
    if precision > 17 || !(1e-5..1e17).contains(&magnitude) {
        return None;
    }
    let bits = magnitude.to_bits();
    let mantissa = u128::from(bits & ((1 << 52) - 1) | 1 << 52);
    // The number is mantissa * 2^power; power is -69 to 4.
    let power = (bits >> 52) as i32 - 1075;
    // The logarithm of the leading bit alone: right or one too small.
    let mut exponent = (f64::from(power + 52) * std::f64::consts::LOG10_2).floor() as i32;
    let limit = TENS.get(precision).copied()?;
    loop {
        // At most 10^22, which leaves room for the 53 bits of the mantissa.
        let places = usize::try_from(precision as i32 - 1 - exponent).ok()?;
        let product = mantissa * TENS.get(places)?;
        let (whole, up) = if power >= 0 {
            (product << power, false)
        } else {
            let whole = product >> -power;
            let rest = product - (whole << -power);
            let half = 1 << (-power - 1);
            (whole, rest > half || rest == half && whole & 1 == 1)
        };
        if whole >= limit {
            exponent += 1;
            continue;
        }
        let digits = whole + u128::from(up);
        return if digits < limit {
            Some((digits as i64, exponent))
        } else {
            Some(((digits / 10) as i64, exponent + 1))
        };
    }
}

/// The same for any finite number that is not negative.
fn scientific(magnitude: f64, precision: usize) -> (Text, i32) {
    let mut text = Text::new();
    // Exact, halves to even. It cannot fail and cannot be too long.
    let _ = write!(text, "{:.*e}", precision - 1, magnitude);
    let (mantissa, exponent) = text.as_str().split_once('e').unwrap_or((text.as_str(), "0"));
    // `d.ddd` as one run of digits.
    let mut digits = Text::new();
    for piece in mantissa.split('.') {
        digits.push(piece.as_bytes());
    }
    (digits, exponent.parse().unwrap_or(0))
}
