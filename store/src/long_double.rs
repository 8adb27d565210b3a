//! The x87 `long double` that Redis computes `INCRBYFLOAT` with.
//!
//! Owns [`LongDouble`]: a 64-bit mantissa, correctly rounded reading, adding and printing
//! (`string2ld` and `ld2string` in `util.c`). It must not know commands.

use std::cmp::Ordering;

/// The exponent of the smallest normal number's lowest bit.
const MIN_EXPONENT: i64 = -16445;
/// The exponent of the largest number's lowest bit.
const MAX_EXPONENT: i64 = 16320;
/// The longest text that is read (`MAX_LONG_DOUBLE_CHARS`).
const MAX_TEXT: usize = 5 * 1024;

/// A finite number `± mantissa × 2^exponent`, the mantissa's top bit set unless it is zero or
/// denormal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LongDouble {
    negative: bool,
    mantissa: u64,
    exponent: i64,
}

/// What a text means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parsed {
    /// A finite number.
    Finite(LongDouble),
    /// An infinity.
    Infinite,
}

impl LongDouble {
    const ZERO: LongDouble = LongDouble { negative: false, mantissa: 0, exponent: 0 };

    /// An integer, exactly.
    pub(crate) fn from_integer(value: i64) -> Self {
        if value == 0 {
            return LongDouble::ZERO;
        }
        LongDouble::normal(value < 0, value.unsigned_abs(), 0)
    }

    /// Reads a number as `strtold` does; the whole text must be one, and neither NaN nor out of
    /// range (`string2ld`).
    pub(crate) fn parse(text: &[u8]) -> Option<Parsed> {
        if text.len() >= MAX_TEXT {
            return None;
        }
        let (negative, digits) = match text.split_first()? {
            (b'-', rest) => (true, rest),
            (b'+', rest) => (false, rest),
            _ => (false, text),
        };
        if digits.eq_ignore_ascii_case(b"inf") || digits.eq_ignore_ascii_case(b"infinity") {
            return Some(Parsed::Infinite);
        }
        let hexadecimal = digits.len() > 2 && digits[..2].eq_ignore_ascii_case(b"0x");
        let parts =
            if hexadecimal { Literal::read(&digits[2..], 16)? } else { Literal::read(digits, 10)? };
        let value = parts.value(negative)?;
        Some(Parsed::Finite(value))
    }

    /// The sum, rounded to nearest, ties to even; `None` when it overflows.
    pub(crate) fn add(self, other: Self) -> Option<Self> {
        if self.mantissa == 0 || other.mantissa == 0 {
            return Some(match (self.mantissa, other.mantissa) {
                (0, 0) => {
                    LongDouble { negative: self.negative && other.negative, ..LongDouble::ZERO }
                }
                (0, _) => other,
                _ => self,
            });
        }
        let (high, low) =
            if self.exponent >= other.exponent { (self, other) } else { (other, self) };
        // Beyond this distance the lower number is only a sticky bit.
        let shift = (high.exponent - low.exponent).min(200);
        let mut one = Big::from(high.mantissa);
        let two = Big::from(low.mantissa);
        one.shift_left(shift as u32);
        let exponent = if shift == 200 { high.exponent - 200 } else { low.exponent };
        let (negative, sum) = if high.negative == low.negative {
            one.add(&two);
            (high.negative, one)
        } else {
            match one.cmp(&two) {
                Ordering::Equal => return Some(LongDouble::ZERO),
                Ordering::Greater => {
                    one.subtract(&two);
                    (high.negative, one)
                }
                Ordering::Less => {
                    let mut rest = two;
                    rest.subtract(&one);
                    (low.negative, rest)
                }
            }
        };
        round(negative, &sum, exponent, false)
    }

    /// The number with 17 digits after the point, trailing zeros removed
    /// (`LD_STR_HUMAN` of `ld2string`).
    pub(crate) fn human(self) -> Vec<u8> {
        let mut scaled = Big::from(self.mantissa);
        scaled.multiply(10u64.pow(17));
        if self.exponent >= 0 {
            scaled.shift_left(self.exponent as u32);
        } else {
            scaled.shift_right_rounding(self.exponent.unsigned_abs() as u32);
        }
        let mut digits = scaled.decimal();
        while digits.len() < 18 {
            digits.insert(0, b'0');
        }
        digits.insert(digits.len() - 17, b'.');
        while digits.last() == Some(&b'0') {
            digits.pop();
        }
        if digits.last() == Some(&b'.') {
            digits.pop();
        }
        if self.negative && digits != b"0" {
            digits.insert(0, b'-');
        }
        digits
    }

    fn normal(negative: bool, mantissa: u64, exponent: i64) -> Self {
        let shift = mantissa.leading_zeros();
        LongDouble { negative, mantissa: mantissa << shift, exponent: exponent - i64::from(shift) }
    }
}

/// A number as written: digits in a base and an exponent.
struct Literal {
    digits: Big,
    zero: bool,
    base: u32,
    /// Of ten, or of two when the base is sixteen.
    exponent: i64,
}

impl Literal {
    fn read(text: &[u8], base: u32) -> Option<Literal> {
        let mut literal = Literal { digits: Big::from(0), zero: true, base, exponent: 0 };
        let mut any = false;
        let mut point = false;
        let step = if base == 16 { 4 } else { 1 };
        let mut at = 0;
        while let Some(&byte) = text.get(at) {
            match (byte as char).to_digit(base) {
                Some(digit) => {
                    any = true;
                    literal.zero &= digit == 0;
                    literal.digits.multiply(u64::from(base));
                    literal.digits.add(&Big::from(u64::from(digit)));
                    literal.exponent -= if point { step } else { 0 };
                }
                None if byte == b'.' && !point => point = true,
                None => break,
            }
            at += 1;
        }
        if !any {
            return None;
        }
        let rest = text.get(at..).unwrap_or_default();
        let Some((mark, rest)) = rest.split_first() else { return Some(literal) };
        if mark.to_ascii_lowercase() != if base == 16 { b'p' } else { b'e' } {
            return None;
        }
        let (negative, digits) = match rest.split_first()? {
            (b'-', digits) => (true, digits),
            (b'+', digits) => (false, digits),
            _ => (false, rest),
        };
        if digits.is_empty() {
            return None;
        }
        let mut exponent: i64 = 0;
        for byte in digits {
            let digit = (*byte as char).to_digit(10)?;
            exponent = (exponent * 10 + i64::from(digit)).min(1_000_000);
        }
        literal.exponent += if negative { -exponent } else { exponent };
        Some(literal)
    }

    /// The nearest number; `None` when it is out of range (`ERANGE`).
    fn value(mut self, negative: bool) -> Option<LongDouble> {
        if self.zero {
            return Some(LongDouble { negative, ..LongDouble::ZERO });
        }
        if self.base == 16 {
            return round(negative, &self.digits, self.exponent, false);
        }
        // No text of the permitted length comes back into range from there.
        if self.exponent.abs() > 12_000 {
            return None;
        }
        if self.exponent >= 0 {
            self.digits.multiply_power_of_ten(self.exponent as u32);
            return round(negative, &self.digits, 0, false);
        }
        // digits / 10^n, with enough bits for the quotient to be rounded from.
        let mut divisor = Big::from(1);
        divisor.multiply_power_of_ten(self.exponent.unsigned_abs() as u32);
        let wanted = divisor.bits() + 70;
        let shift = wanted.saturating_sub(self.digits.bits());
        self.digits.shift_left(shift);
        let (quotient, exact) = self.digits.divide(&divisor);
        round(negative, &quotient, -i64::from(shift), !exact)
    }
}

/// The number nearest to `± (value + a little when sticky) × 2^exponent`.
fn round(negative: bool, value: &Big, exponent: i64, sticky: bool) -> Option<LongDouble> {
    let bits = i64::from(value.bits());
    if bits == 0 {
        return Some(LongDouble { negative, ..LongDouble::ZERO });
    }
    // Denormal numbers have fewer bits.
    let drop = (bits - 64).max(MIN_EXPONENT - exponent);
    if drop <= 0 {
        let mut whole = value.clone();
        whole.shift_left((-drop) as u32);
        return in_range(LongDouble { negative, mantissa: whole.low(), exponent: exponent + drop });
    }
    if drop > bits + 1 {
        return None;
    }
    let drop32 = drop as u32;
    let mut top = value.clone();
    top.shift_right(drop32);
    let mantissa = top.low();
    let half = value.bit(drop32 - 1);
    let below = sticky || value.any_below(drop32 - 1);
    let up = half && (below || mantissa & 1 == 1);
    let exponent = exponent + drop;
    let rounded = match mantissa.checked_add(u64::from(up)) {
        Some(mantissa) => LongDouble { negative, mantissa, exponent },
        None => LongDouble { negative, mantissa: 1 << 63, exponent: exponent + 1 },
    };
    if rounded.mantissa == 0 {
        return None;
    }
    in_range(rounded)
}

fn in_range(value: LongDouble) -> Option<LongDouble> {
    (value.exponent <= MAX_EXPONENT).then_some(value)
}

/// A natural number of any size, in 32-bit limbs, lowest first, without leading zeros.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Big(Vec<u32>);

impl From<u64> for Big {
    fn from(value: u64) -> Self {
        let mut big = Big(vec![value as u32, (value >> 32) as u32]);
        big.trim();
        big
    }
}

impl Big {
    fn trim(&mut self) {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }

    fn bits(&self) -> u32 {
        self.0.last().map_or(0, |top| self.0.len() as u32 * 32 - top.leading_zeros())
    }

    fn bit(&self, at: u32) -> bool {
        self.0.get(at as usize / 32).is_some_and(|limb| limb >> (at % 32) & 1 == 1)
    }

    fn any_below(&self, at: u32) -> bool {
        let whole = at as usize / 32;
        self.0.iter().take(whole).any(|limb| *limb != 0)
            || self.0.get(whole).is_some_and(|limb| limb & ((1 << (at % 32)) - 1) != 0)
    }

    fn low(&self) -> u64 {
        let limb = |at: usize| u64::from(self.0.get(at).copied().unwrap_or(0));
        limb(0) | limb(1) << 32
    }

    fn cmp(&self, other: &Big) -> Ordering {
        self.0.len().cmp(&other.0.len()).then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }

    fn add(&mut self, other: &Big) {
        let mut carry = 0u64;
        let len = self.0.len().max(other.0.len());
        self.0.resize(len, 0);
        for (at, limb) in self.0.iter_mut().enumerate() {
            let sum = u64::from(*limb) + u64::from(other.0.get(at).copied().unwrap_or(0)) + carry;
            *limb = sum as u32;
            carry = sum >> 32;
        }
        if carry > 0 {
            self.0.push(carry as u32);
        }
    }

    /// Subtracts a number that is not larger.
    fn subtract(&mut self, other: &Big) {
        let mut borrow = 0i64;
        for (at, limb) in self.0.iter_mut().enumerate() {
            let mut rest =
                i64::from(*limb) - i64::from(other.0.get(at).copied().unwrap_or(0)) - borrow;
            borrow = i64::from(rest < 0);
            rest += borrow << 32;
            *limb = rest as u32;
        }
        self.trim();
    }

    fn multiply(&mut self, factor: u64) {
        let mut carry = 0u128;
        for limb in &mut self.0 {
            let product = u128::from(*limb) * u128::from(factor) + carry;
            *limb = product as u32;
            carry = product >> 32;
        }
        while carry > 0 {
            self.0.push(carry as u32);
            carry >>= 32;
        }
    }

    fn multiply_power_of_ten(&mut self, mut power: u32) {
        while power > 0 {
            let step = power.min(19);
            self.multiply(10u64.pow(step));
            power -= step;
        }
    }

    fn shift_left(&mut self, bits: u32) {
        if self.0.is_empty() {
            return;
        }
        let rest = bits % 32;
        if rest > 0 {
            self.multiply(1 << rest);
        }
        self.0.splice(0..0, std::iter::repeat_n(0, bits as usize / 32));
    }

    fn shift_right(&mut self, bits: u32) {
        let whole = (bits as usize / 32).min(self.0.len());
        self.0.drain(..whole);
        let rest = bits % 32;
        if rest > 0 {
            let mut carry = 0u32;
            for limb in self.0.iter_mut().rev() {
                let next = *limb << (32 - rest);
                *limb = *limb >> rest | carry;
                carry = next;
            }
        }
        self.trim();
    }

    /// Divides by a power of two, to nearest, ties to even.
    fn shift_right_rounding(&mut self, bits: u32) {
        let half = self.bit(bits - 1);
        let below = self.any_below(bits - 1);
        self.shift_right(bits);
        if half && (below || self.bit(0)) {
            self.add(&Big::from(1));
        }
    }

    /// The quotient, which must be short, and whether nothing remains. One bit at a time: the
    /// quotient has about 70 bits.
    fn divide(&self, divisor: &Big) -> (Big, bool) {
        let mut rest = self.clone();
        let steps = self.bits().saturating_sub(divisor.bits()) + 1;
        let mut shifted = divisor.clone();
        shifted.shift_left(steps);
        let mut quotient = Big::from(0);
        for _ in 0..=steps {
            quotient.shift_left(1);
            if rest.cmp(&shifted) != Ordering::Less {
                rest.subtract(&shifted);
                quotient.add(&Big::from(1));
            }
            shifted.shift_right(1);
        }
        (quotient, rest.0.is_empty())
    }

    fn decimal(&self) -> Vec<u8> {
        const CHUNK: u64 = 1_000_000_000;
        let mut rest = self.clone();
        let mut chunks = Vec::new();
        while !rest.0.is_empty() {
            let mut remainder = 0u64;
            for limb in rest.0.iter_mut().rev() {
                let value = remainder << 32 | u64::from(*limb);
                *limb = (value / CHUNK) as u32;
                remainder = value % CHUNK;
            }
            rest.trim();
            chunks.push(remainder);
        }
        let mut text = String::new();
        for (at, chunk) in chunks.iter().rev().enumerate() {
            if at == 0 {
                text.push_str(&chunk.to_string());
            } else {
                text.push_str(&format!("{chunk:09}"));
            }
        }
        if text.is_empty() {
            text.push('0');
        }
        text.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(one: &str, two: &str) -> String {
        let read = |text: &str| match LongDouble::parse(text.as_bytes()) {
            Some(Parsed::Finite(value)) => value,
            other => panic!("{text}: {other:?}"),
        };
        String::from_utf8(read(one).add(read(two)).unwrap().human()).unwrap()
    }

    #[test]
    fn adds_as_incrbyfloat_does() {
        for (one, two, expected) in [
            ("0.1", "0.2", "0.3"),
            ("10.50", "0.1", "10.6"),
            ("5.0e3", "2.0e2", "5200"),
            ("3", "-3", "0"),
            ("-0.1", "0", "-0.1"),
            ("1e20", "1", "100000000000000000000"),
            ("1e19", "1", "10000000000000000001"),
            ("0x1p4", "1", "17"),
            ("1", "1e-30", "1"),
            ("0", "1e-18", "0"),
        ] {
            assert_eq!(sum(one, two), expected, "{one} + {two}");
        }
    }

    #[test]
    fn refuses_what_strtold_refuses() {
        for text in ["", " 1", "1 ", "abc", "nan", "1e", "1e5000", "0x", "1e-5000", "--1"] {
            assert_eq!(LongDouble::parse(text.as_bytes()), None, "{text}");
        }
        assert_eq!(LongDouble::parse(b"-inf"), Some(Parsed::Infinite));
    }
}
