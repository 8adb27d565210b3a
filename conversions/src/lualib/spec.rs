//! One item of a format: flags, width, precision, and the spelling of C's `printf`.
//!
//! Owns the parsing of an item (`scanformat` in `lstrlib.c`) and what `sprintf` makes of it on
//! Linux. Must not know Lua values.

use std::fmt::Write as _;

use redlua_core::Raise;

use crate::check::until_nul;
use crate::number;

/// What stands between the `%` and the letter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Spec {
    left: bool,
    plus: bool,
    space: bool,
    alternate: bool,
    zero: bool,
    width: usize,
    precision: Option<usize>,
}

/// How many flags there may be.
const FLAGS: usize = 5;

impl Spec {
    /// The item at the beginning of `format`, behind its `%`, and how many bytes it takes up to
    /// its letter.
    pub(super) fn parse(format: &[u8]) -> Result<(Spec, usize), Raise> {
        let mut spec = Spec::default();
        let mut at = 0;
        loop {
            match format.get(at) {
                Some(b'-') => spec.left = true,
                Some(b'+') => spec.plus = true,
                Some(b' ') => spec.space = true,
                Some(b'#') => spec.alternate = true,
                Some(b'0') => spec.zero = true,
                _ => break,
            }
            at += 1;
        }
        if at > FLAGS {
            return Err(Raise::message("invalid format (repeated flags)"));
        }
        spec.width = two_digits(format, &mut at).unwrap_or(0);
        if format.get(at) == Some(&b'.') {
            at += 1;
            spec.precision = Some(two_digits(format, &mut at).unwrap_or(0));
        }
        if format.get(at).is_some_and(u8::is_ascii_digit) {
            return Err(Raise::message("invalid format (width or precision too long)"));
        }
        Ok((spec, at))
    }

    /// Whether there is neither flag nor width nor precision.
    pub(super) fn is_plain(&self) -> bool {
        *self == Spec::default()
    }

    /// Whether `%s` leaves a string of that length as it is, zero bytes and all.
    pub(super) fn keeps(&self, len: usize) -> bool {
        self.precision.is_none() && len >= 100
    }

    /// `%c`; Lua takes the item's text to end before the first zero byte.
    pub(super) fn character(&self, byte: u8, out: &mut Vec<u8>) {
        if byte != 0 {
            self.pad(&[], &[byte], false, out);
        } else if !self.left {
            out.resize(out.len() + self.width.saturating_sub(1), b' ');
        }
    }

    /// `%s`.
    pub(super) fn string(&self, text: &[u8], out: &mut Vec<u8>) {
        let text = until_nul(text);
        let text = text.get(..self.precision.unwrap_or(text.len())).unwrap_or(text);
        self.pad(&[], text, false, out);
    }

    /// `%d`, `%i`.
    pub(super) fn signed(&self, value: i64, out: &mut Vec<u8>) {
        if self.is_plain() {
            out.extend_from_slice(&number::Text::integer(value));
            return;
        }
        let mut digits = Digits::default();
        let _ = write!(digits, "{}", value.unsigned_abs());
        self.integer(self.sign(value < 0), digits, value == 0, out);
    }

    /// `%o`, `%u`, `%x`, `%X`.
    pub(super) fn unsigned(&self, value: u64, letter: u8, out: &mut Vec<u8>) {
        let mut digits = Digits::default();
        let _ = match letter {
            b'o' => write!(digits, "{value:o}"),
            b'x' => write!(digits, "{value:x}"),
            b'X' => write!(digits, "{value:X}"),
            _ => write!(digits, "{value}"),
        };
        let prefix: &[u8] = match letter {
            b'x' if self.alternate && value != 0 => b"0x",
            b'X' if self.alternate && value != 0 => b"0X",
            // The zero counts as a digit of the precision.
            b'o' if self.alternate
                && self.precision.unwrap_or(0) <= digits.len
                && (value != 0 || self.precision == Some(0)) =>
            {
                b"0"
            }
            _ => b"",
        };
        self.integer(prefix, digits, value == 0, out);
    }

    /// `%e`, `%E`, `%f`, `%g`, `%G`.
    pub(super) fn float(&self, value: f64, letter: u8, out: &mut Vec<u8>) {
        if letter == b'g' && !self.alternate {
            let text = match self.precision {
                Some(14) => Some(number::g14(value)),
                Some(precision @ 0..=17) => Some(number::g(value, precision)),
                None => Some(number::g(value, 6)),
                _ => None,
            };
            if let Some(text) = text {
                if self.is_plain() || self.width == 0 && !self.plus && !self.space {
                    out.extend_from_slice(&text);
                    return;
                }
                let digits = text.strip_prefix(b"-").unwrap_or(&text);
                self.pad(self.sign(value.is_sign_negative()), digits, value.is_finite(), out);
                return;
            }
        }
        let sign = self.sign(value.is_sign_negative());
        if !value.is_finite() {
            let upper = letter.is_ascii_uppercase();
            let text: &[u8] = match (value.is_nan(), upper) {
                (true, false) => b"nan",
                (true, true) => b"NAN",
                (false, false) => b"inf",
                (false, true) => b"INF",
            };
            self.pad(sign, text, false, out);
            return;
        }
        let precision = self.precision.unwrap_or(6);
        let mut text = match letter {
            b'f' => self.fixed(value.abs(), precision),
            b'e' | b'E' => self.scientific(value.abs(), precision),
            _ => self.shorter(value.abs(), precision.max(1)),
        };
        if letter.is_ascii_uppercase() {
            text.make_ascii_uppercase();
        }
        self.pad(sign, text.as_bytes(), true, out);
    }

    fn fixed(&self, magnitude: f64, precision: usize) -> String {
        let mut text = format!("{magnitude:.precision$}");
        if precision == 0 && self.alternate {
            text.push('.');
        }
        text
    }

    /// A mantissa and an exponent of at least two digits.
    fn scientific(&self, magnitude: f64, precision: usize) -> String {
        let (mantissa, exponent) = parts(magnitude, precision);
        let point = if precision == 0 && self.alternate { "." } else { "" };
        exponential(&mantissa, point, exponent)
    }

    /// `%g`: whichever of the two suits, without trailing zeros.
    fn shorter(&self, magnitude: f64, precision: usize) -> String {
        let (mantissa, exponent) = parts(magnitude, precision - 1);
        if exponent < -4 || exponent >= precision as i32 {
            if self.alternate {
                // glibc, which has chosen the other form before it rounded up, writes no zeros.
                let rounded = exponent == precision as i32 && magnitude < 10f64.powi(exponent);
                let decimals = if rounded { 0 } else { precision - 1 };
                return self.scientific(magnitude, decimals);
            }
            return exponential(without_zeros(&mantissa), "", exponent);
        }
        let decimals = usize::try_from(precision as i32 - 1 - exponent).unwrap_or(0);
        let text = self.fixed(magnitude, decimals);
        if self.alternate { text } else { without_zeros(&text).to_owned() }
    }

    fn sign(&self, negative: bool) -> &'static [u8] {
        match (negative, self.plus, self.space) {
            (true, ..) => b"-",
            (_, true, _) => b"+",
            (_, _, true) => b" ",
            _ => b"",
        }
    }

    /// Digits with at least as many as the precision asks for, which takes the place of the flag
    /// for zeros; a zero of precision 0 has none.
    fn integer(&self, prefix: &[u8], digits: Digits, zero: bool, out: &mut Vec<u8>) {
        let digits = if zero && self.precision == Some(0) { &[][..] } else { digits.as_bytes() };
        match self.precision {
            None => self.pad(prefix, digits, true, out),
            Some(precision) => {
                let zeros = precision.saturating_sub(digits.len() + octal(prefix));
                let used = prefix.len() + zeros + digits.len();
                let spaces = self.width.saturating_sub(used);
                let start = out.len();
                if !self.left {
                    out.resize(start + spaces, b' ');
                }
                out.extend_from_slice(prefix);
                out.resize(out.len() + zeros, b'0');
                out.extend_from_slice(digits);
                if self.left {
                    out.resize(start + spaces + used, b' ');
                }
            }
        }
    }

    /// `prefix` and `body` on the width: zeros go between the two, spaces around both.
    fn pad(&self, prefix: &[u8], body: &[u8], numeric: bool, out: &mut Vec<u8>) {
        let start = out.len();
        let missing = self.width.saturating_sub(prefix.len() + body.len());
        let zeros = self.zero && numeric && !self.left;
        if !self.left && !zeros {
            out.resize(start + missing, b' ');
        }
        out.extend_from_slice(prefix);
        if zeros {
            out.resize(out.len() + missing, b'0');
        }
        out.extend_from_slice(body);
        if self.left {
            out.resize(out.len() + missing, b' ');
        }
    }
}

/// The length of an octal prefix, which is a digit.
fn octal(prefix: &[u8]) -> usize {
    usize::from(prefix == b"0")
}

/// Up to two digits.
fn two_digits(format: &[u8], at: &mut usize) -> Option<usize> {
    let mut value = None;
    for _ in 0..2 {
        match format.get(*at) {
            Some(digit) if digit.is_ascii_digit() => {
                value = Some(value.unwrap_or(0) * 10 + usize::from(digit - b'0'));
                *at += 1;
            }
            _ => break,
        }
    }
    value
}

/// A mantissa with that many decimals, exact and rounded to even, and its power of ten.
fn parts(magnitude: f64, decimals: usize) -> (String, i32) {
    let mut text = format!("{magnitude:.decimals$e}");
    let at = text.find('e').unwrap_or(text.len());
    let exponent = text.get(at + 1..).and_then(|digits| digits.parse().ok()).unwrap_or(0);
    text.truncate(at);
    (text, exponent)
}

fn exponential(mantissa: &str, point: &str, exponent: i32) -> String {
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}{point}e{sign}{:02}", exponent.unsigned_abs())
}

fn without_zeros(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

/// The digits of an integer: 22 of them in octal.
#[derive(Default)]
struct Digits {
    bytes: [u8; 24],
    len: usize,
}

impl Digits {
    fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

impl std::fmt::Write for Digits {
    fn write_str(&mut self, piece: &str) -> std::fmt::Result {
        let end = self.len + piece.len();
        let room = self.bytes.get_mut(self.len..end).ok_or(std::fmt::Error)?;
        room.copy_from_slice(piece.as_bytes());
        self.len = end;
        Ok(())
    }
}
