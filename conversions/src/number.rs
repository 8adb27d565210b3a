//! Numbers as text and back, in the exact spelling of C's `printf`, of Lua and of Redis.
//!
//! Owns `%.17g` (call arguments, RESP doubles), `%.14g` (Lua's `tostring`, cjson), and the rules
//! by which Redis and Lua accept a number. Must not know who asks.

mod cast;
mod general;
mod strtod;
mod text;

pub(crate) use cast::{c_i32, c_i64, c_u64};
use general::general;
pub use strtod::{Prefix, strtod};
pub use text::Text;

/// `%.17g`: how Redis spells a Lua number in a command's argument and a double in a reply.
#[inline]
pub fn g17(value: f64) -> Text {
    match integral(value, 1e17) {
        Some(integer) => Text::integer(integer),
        None => general(value, 17),
    }
}

/// `%.14g`: how Lua spells a number (`LUAI_NUMFFORMAT`).
#[inline]
pub fn g14(value: f64) -> Text {
    match integral(value, 1e14) {
        Some(integer) => Text::integer(integer),
        None => general(value, 14),
    }
}

/// `%.{precision}g` with a precision of 0 (which C takes for 1) to 32; more is cut to 32.
#[inline]
pub fn g(value: f64, precision: usize) -> Text {
    let precision = precision.clamp(1, 32);
    let bound = POWERS.get(precision).copied().unwrap_or(1e17);
    match integral(value, bound) {
        Some(integer) => Text::integer(integer),
        None => general(value, precision),
    }
}

/// `10^n`: the first integer that `%.ng` spells with an exponent.
pub(crate) const POWERS: [f64; 18] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17,
];

/// `value` as an integer when it is one below `bound` (at most 1e17) and spelt as one: minus
/// zero is not.
#[inline]
pub(crate) fn integral(value: f64, bound: f64) -> Option<i64> {
    let integer = value as i64;
    let same = integer as f64 == value && value.abs() < bound;
    (same && (integer != 0 || value.is_sign_positive())).then_some(integer)
}

/// An integer as commands accept it (`util.c` `string2ll`): no space, no plus sign, no leading
/// zero, no minus zero, within 64 bits.
///
/// ```
/// use redlua_conversions::number::parse_i64;
/// assert_eq!(parse_i64(b"-12"), Some(-12));
/// assert_eq!(parse_i64(b"012"), None);
/// ```
pub fn parse_i64(bytes: &[u8]) -> Option<i64> {
    let (negative, digits) = match bytes {
        [b'0'] => return Some(0),
        [b'-', rest @ ..] => (true, rest),
        _ => (false, bytes),
    };
    if !matches!(digits, [b'1'..=b'9', ..]) || digits.len() > 19 {
        return None;
    }
    let mut magnitude: u64 = 0;
    for &digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        // 19 digits fit into 64 unsigned bits.
        magnitude = magnitude * 10 + u64::from(digit - b'0');
    }
    if negative {
        (magnitude <= i64::MIN.unsigned_abs()).then(|| (magnitude as i64).wrapping_neg())
    } else {
        i64::try_from(magnitude).ok()
    }
}

/// A double as commands accept it (`object.c` `getDoubleFromObject`): what C's `strtod` takes,
/// all of it, without leading space; neither NaN nor a number out of range.
///
/// ```
/// use redlua_conversions::number::parse_f64;
/// assert_eq!(parse_f64(b"1.5e3"), Some(1500.0));
/// assert_eq!(parse_f64(b"-INF"), Some(f64::NEG_INFINITY));
/// assert_eq!(parse_f64(b" 1"), None);
/// ```
pub fn parse_f64(bytes: &[u8]) -> Option<f64> {
    if is_space(*bytes.first()?) {
        return None;
    }
    let number = strtod(bytes)?;
    let whole = number.len == bytes.len();
    (whole && !number.out_of_range && !number.value.is_nan()).then_some(number.value)
}

/// A string as Lua 5.1 coerces it to a number (`lobject.c` `luaO_str2d`, glibc's `strtod`):
/// white space around it, hexadecimal, `inf` and `nan` are fine. Like C, it sees nothing behind
/// a zero byte.
///
/// ```
/// use redlua_conversions::number::lua_str2number;
/// assert_eq!(lua_str2number(b" 0x10 "), Some(16.0));
/// assert_eq!(lua_str2number(b"1e"), None);
/// ```
pub fn lua_str2number(bytes: &[u8]) -> Option<f64> {
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    let bytes = bytes.get(..end).unwrap_or(bytes);
    let number = strtod(bytes)?;
    let rest = bytes.get(number.len..).unwrap_or_default();
    rest.iter().all(|&byte| is_space(byte)).then_some(number.value)
}

/// C's `isspace` in the C locale.
pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// The doubles whose spelling is compared with C's.
    fn doubles() -> Vec<f64> {
        let mut list = vec![
            0.0,
            -0.0,
            0.1,
            0.5,
            1.5,
            2.5,
            -2.5,
            1e14,
            1e15,
            1e16,
            1e17,
            1e-4,
            1e-5,
            123456.5,
            99999999999999.5,
            99999999999999984.0,
            1e16 + 2.0,
            4503599627370497.5,
            0.00001,
            9.99999999999999e-6,
            999999999999999.5,
            99999999999999984.0,
            1e16 + 2.0,
            4503599627370497.5,
            0.00001,
            9.99999999999999e-6,
            0.0001,
            9.9999999999999e-5,
            1e21,
            1e100,
            1e-100,
            5e-324,
            f64::MAX,
            f64::MIN_POSITIVE,
            1.0 / 3.0,
            2f64.powi(53),
            2f64.powi(63),
            -(2f64.powi(63)),
            2f64.powi(64),
            123456789012345680.0,
            f64::INFINITY,
            f64::NEG_INFINITY,
        ];
        // A fixed walk over all exponents and over exact halves.
        let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
        for step in 0..4000u32 {
            let logarithm = f64::from(step) / 4000.0 * 24.0 - 6.0;
            list.push(-(10f64.powf(logarithm)));
            list.push(f64::from(step * 7919) / 10f64.powi((step % 9) as i32));
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let value = f64::from_bits(state);
            if value.is_finite() {
                list.push(value);
            }
            list.push((state >> 40) as f64 / f64::from(1u32 << (step % 20)));
        }
        list
    }

    /// `string.format` of the lua5.1 on this machine, when there is one.
    fn c_spelling(format: &str, list: &[f64]) -> Option<Vec<String>> {
        let mut program = String::from("local f = ...\nfor _, v in ipairs{\n");
        for value in list {
            let literal = if value.is_infinite() {
                if *value > 0.0 { "1/0".to_owned() } else { "-1/0".to_owned() }
            } else {
                // Hexadecimal floats are exact, so the literal cannot be misread.
                let bits = value.abs().to_bits();
                let (exponent, fraction) = (bits >> 52, bits & ((1 << 52) - 1));
                let (lead, exponent) =
                    if exponent == 0 { (0, -1022) } else { (1, exponent as i64 - 1023) };
                let sign = if value.is_sign_negative() { "-" } else { "" };
                format!("tonumber('{sign}0x{lead}.{fraction:013x}p{exponent}')")
            };
            program.push_str(&literal);
            program.push_str(",\n");
        }
        program.push_str("} do print(string.format(f, v)) end\n");
        let path = std::env::temp_dir().join(format!("redlua-number-{}.lua", &format[2..]));
        std::fs::write(&path, program).unwrap();
        let output = Command::new("lua5.1").arg(&path).arg(format).output().ok()?;
        let _ = std::fs::remove_file(&path);
        let text = String::from_utf8(output.stdout).unwrap();
        Some(text.lines().map(str::to_owned).collect())
    }

    #[test]
    fn spells_as_c_does() {
        let list = doubles();
        for (format, precision) in
            [("%.17g", 17), ("%.14g", 14), ("%.1g", 1), ("%.3g", 3), ("%.16g", 16), ("%.30g", 30)]
        {
            let Some(expected) = c_spelling(format, &list) else { return };
            assert_eq!(expected.len(), list.len());
            for (value, expected) in list.iter().zip(expected) {
                assert_eq!(g(*value, precision).as_str(), expected, "{format} of {value:e}");
                match precision {
                    17 => assert_eq!(g17(*value).as_str(), expected),
                    14 => assert_eq!(g14(*value).as_str(), expected),
                    _ => {}
                }
            }
        }
    }

    #[test]
    fn spells_without_an_oracle() {
        for (value, seventeen, fourteen) in [
            (0.0, "0", "0"),
            (-0.0, "-0", "-0"),
            (0.1, "0.10000000000000001", "0.1"),
            (3.0, "3", "3"),
            (-7.25, "-7.25", "-7.25"),
            (1e14, "100000000000000", "1e+14"),
            (1e17, "1e+17", "1e+17"),
            (1e-5, "1.0000000000000001e-05", "1e-05"),
            (5e-324, "4.9406564584124654e-324", "4.9406564584125e-324"),
            (f64::INFINITY, "inf", "inf"),
            (f64::NEG_INFINITY, "-inf", "-inf"),
        ] {
            assert_eq!(g17(value).as_str(), seventeen);
            assert_eq!(g14(value).as_str(), fourteen);
        }
        assert_eq!(g14(f64::NAN.copysign(1.0)).as_str(), "nan");
        assert_eq!(g14(f64::NAN.copysign(-1.0)).as_str(), "-nan");
    }

    #[test]
    fn integers_are_strict() {
        for (text, expected) in [
            ("0", Some(0)),
            ("1", Some(1)),
            ("-1", Some(-1)),
            ("9223372036854775807", Some(i64::MAX)),
            ("9223372036854775808", None),
            ("-9223372036854775808", Some(i64::MIN)),
            ("-9223372036854775809", None),
            ("18446744073709551617", None),
            ("99999999999999999999", None),
            ("", None),
            ("-", None),
            ("-0", None),
            ("00", None),
            ("01", None),
            ("+1", None),
            (" 1", None),
            ("1 ", None),
            ("1a", None),
        ] {
            assert_eq!(parse_i64(text.as_bytes()), expected, "{text:?}");
        }
    }

    #[test]
    fn doubles_of_commands() {
        for (text, expected) in [
            ("1", Some(1.0)),
            ("+1", Some(1.0)),
            (".5", Some(0.5)),
            ("5.", Some(5.0)),
            ("1e3", Some(1000.0)),
            ("0x10", Some(16.0)),
            ("0x1.8p1", Some(3.0)),
            ("inf", Some(f64::INFINITY)),
            ("+Infinity", Some(f64::INFINITY)),
            ("-inf", Some(f64::NEG_INFINITY)),
            ("1e400", None),
            ("1e-400", None),
            ("1e-310", Some(1e-310)),
            ("0e-400", Some(0.0)),
            ("nan", None),
            ("", None),
            (" 1", None),
            ("1 ", None),
            ("1e", None),
            ("0x", None),
            (".", None),
            ("infinit", None),
        ] {
            assert_eq!(parse_f64(text.as_bytes()), expected, "{text:?}");
        }
    }

    #[test]
    fn strings_of_lua() {
        for (text, expected) in [
            (&b" 10 "[..], Some(10.0)),
            (b"\t\n\x0b\x0c\r10\r\n", Some(10.0)),
            (b"0x1F", Some(31.0)),
            (b"-0x1F", Some(-31.0)),
            (b"10\x00abc", Some(10.0)),
            (b"1e1", Some(10.0)),
            (b"1e400", Some(f64::INFINITY)),
            (b"inf", Some(f64::INFINITY)),
            (b"0x", None),
            (b"", None),
            (b" ", None),
            (b"1 0", None),
            (b"1e+", None),
            (b"x10", None),
        ] {
            assert_eq!(lua_str2number(text), expected, "{text:?}");
        }
        assert!(lua_str2number(b"nan").unwrap().is_nan());
    }
}
