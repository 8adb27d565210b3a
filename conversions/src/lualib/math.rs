//! The functions of `math`, except for the random ones, which Redis replaces (`prng`).
//!
//! Owns what `lmathlib.c` takes from C's library. Must not know how they are found by name.

use std::f64::consts::PI;

use redlua_core::{Arguments, Raise, ValueWriter};

use crate::check::Check;
use crate::number::c_i64;

/// A function of `math`.
#[derive(Clone, Copy, Debug)]
pub(super) enum Math {
    /// One number from one.
    One(fn(f64) -> f64),
    /// One number from two.
    Two(fn(f64, f64) -> f64),
    Modf,
    Frexp,
    Ldexp,
    Min,
    Max,
}

/// The functions by name.
pub(super) const FUNCTIONS: [(&str, Math); 27] = [
    ("abs", Math::One(f64::abs)),
    ("acos", Math::One(f64::acos)),
    ("asin", Math::One(f64::asin)),
    ("atan", Math::One(f64::atan)),
    ("atan2", Math::Two(f64::atan2)),
    ("ceil", Math::One(f64::ceil)),
    ("cos", Math::One(f64::cos)),
    ("cosh", Math::One(f64::cosh)),
    ("deg", Math::One(|x| x / (PI / 180.0))),
    ("exp", Math::One(f64::exp)),
    ("floor", Math::One(f64::floor)),
    ("fmod", Math::Two(|x, y| x % y)),
    ("frexp", Math::Frexp),
    ("ldexp", Math::Ldexp),
    ("log", Math::One(f64::ln)),
    ("log10", Math::One(f64::log10)),
    ("max", Math::Max),
    ("min", Math::Min),
    ("mod", Math::Two(|x, y| x % y)),
    ("modf", Math::Modf),
    ("pow", Math::Two(f64::powf)),
    ("rad", Math::One(|x| x * (PI / 180.0))),
    ("sin", Math::One(f64::sin)),
    ("sinh", Math::One(f64::sinh)),
    ("sqrt", Math::One(f64::sqrt)),
    ("tan", Math::One(f64::tan)),
    ("tanh", Math::One(f64::tanh)),
];

/// Runs a function.
pub(super) fn call<A: Arguments + ?Sized, W: ValueWriter + ?Sized>(
    function: Math,
    args: &mut A,
    out: &mut W,
) -> Result<(), Raise> {
    // C compilers evaluate the last argument of a call first, which decides whose error shows.
    let second = match function {
        Math::Two(_) | Math::Ldexp => args.check_number(1)?,
        _ => 0.0,
    };
    let first = args.check_number(0)?;
    match function {
        Math::One(of) => out.number(of(first)),
        Math::Two(of) => out.number(of(first, second)),
        Math::Modf => {
            let whole = first.trunc();
            let fraction = if first.is_infinite() { 0.0 } else { first - whole };
            out.number(whole);
            out.number(fraction.copysign(first));
        }
        Math::Frexp => {
            let (fraction, exponent) = frexp(first);
            out.number(fraction);
            out.number(f64::from(exponent));
        }
        Math::Ldexp => out.number(ldexp(first, c_i64(second) as i32)),
        Math::Min | Math::Max => {
            let mut best = first;
            for index in 1..args.count() {
                let number = args.check_number(index)?;
                let least = matches!(function, Math::Min);
                let better = if least { number < best } else { number > best };
                if better {
                    best = number;
                }
            }
            out.number(best);
        }
    }
    Ok(())
}

/// A fraction from 0.5 to below 1 and the power of two to multiply it with.
fn frexp(number: f64) -> (f64, i32) {
    if number == 0.0 || !number.is_finite() {
        return (number, 0);
    }
    // A subnormal number is made normal first.
    let (number, scaled) =
        if number.is_subnormal() { (number * 18_014_398_509_481_984.0, 54) } else { (number, 0) };
    let bits = number.to_bits();
    let exponent = (bits >> 52 & 0x7ff) as i32 - 1022;
    (f64::from_bits(bits & !(0x7ff << 52) | 1022 << 52), exponent - scaled)
}

/// `number * 2^power`, rounded once.
fn ldexp(number: f64, power: i32) -> f64 {
    let mut number = number;
    let mut power = power.clamp(-2200, 2200);
    while power > 1023 {
        number *= f64::from_bits(0x7fe << 52);
        power -= 1023;
    }
    while power < -1022 {
        // 53 bits less than the smallest normal number, so that only the last step rounds.
        number *= f64::from_bits(1 << 52) * 9_007_199_254_740_992.0;
        power += 1022 - 53;
    }
    number * f64::from_bits(((power + 1023) as u64) << 52)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_of_two() {
        assert_eq!(frexp(8.0), (0.5, 4));
        assert_eq!(frexp(-0.75), (-0.75, 0));
        assert_eq!(frexp(5e-324), (0.5, -1073));
        assert_eq!(frexp(f64::INFINITY), (f64::INFINITY, 0));
        assert_eq!(ldexp(0.5, -1073), 5e-324);
        assert_eq!(ldexp(0.75, -1074), 5e-324);
        assert_eq!(ldexp(0.5, -1074), 0.0);
        assert_eq!(ldexp(1.0, 1023), f64::from_bits(0x7fe << 52));
        assert_eq!(ldexp(1.0, 1024), f64::INFINITY);
        assert_eq!(ldexp(5e-324, 2097), 2f64.powi(1023));
        assert_eq!(ldexp(3.0, i32::MIN), 0.0);
        for power in -1100..1000 {
            let number = ldexp(1.375, power);
            let (fraction, exponent) = frexp(number);
            assert_eq!(ldexp(fraction, exponent), number);
        }
    }
}
