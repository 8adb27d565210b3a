//! The `bit` library: operations on 32-bit integers.
//!
//! Owns the conversion of Lua numbers to bits (`barg` in BitOp's `bit.c`) and the operations on
//! them. Must not know how natives are numbered.

use redlua_core::{Arguments, Raise, ValueWriter};

use crate::check::Check;

/// The functions of the library, in the order in which the library registers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    Tobit,
    Bnot,
    Band,
    Bor,
    Bxor,
    Lshift,
    Rshift,
    Arshift,
    Rol,
    Ror,
    Bswap,
    Tohex,
}

/// Runs one function of the library.
pub(crate) fn call(
    function: Function,
    args: &mut dyn Arguments,
    out: &mut dyn ValueWriter,
) -> Result<(), Raise> {
    let first = bits(args, 0)?;
    let result = match function {
        Function::Tobit => first,
        Function::Bnot => !first,
        Function::Bswap => first.swap_bytes(),
        Function::Band => fold(args, first, |a, b| a & b)?,
        Function::Bor => fold(args, first, |a, b| a | b)?,
        Function::Bxor => fold(args, first, |a, b| a ^ b)?,
        // Only the low five bits of a distance count.
        Function::Lshift => first << (bits(args, 1)? & 31),
        Function::Rshift => first >> (bits(args, 1)? & 31),
        Function::Arshift => ((first as i32) >> (bits(args, 1)? & 31)) as u32,
        Function::Rol => first.rotate_left(bits(args, 1)? & 31),
        Function::Ror => first.rotate_right(bits(args, 1)? & 31),
        Function::Tohex => return tohex(first, args, out),
    };
    out.number(f64::from(result as i32));
    Ok(())
}

/// An argument's low 32 bits. Adding 2^52 + 2^51 shifts a double's integer part, rounded to
/// even, to the bottom of its mantissa; the huge and the infinite leave there what they leave.
fn bits(args: &mut dyn Arguments, index: usize) -> Result<u32, Raise> {
    let number = args.check_number(index)?;
    Ok((number + 6_755_399_441_055_744.0).to_bits() as u32)
}

/// The other arguments are taken from the last to the second, which decides whose error shows.
fn fold(
    args: &mut dyn Arguments,
    first: u32,
    operation: impl Fn(u32, u32) -> u32,
) -> Result<u32, Raise> {
    (1..args.count()).rev().try_fold(first, |sum, index| Ok(operation(sum, bits(args, index)?)))
}

/// `bit.tohex(x [, digits])`; a negative number of digits asks for capitals.
fn tohex(value: u32, args: &mut dyn Arguments, out: &mut dyn ValueWriter) -> Result<(), Raise> {
    let digits = if args.count() < 2 { 8 } else { bits(args, 1)? as i32 };
    let alphabet = if digits < 0 { b"0123456789ABCDEF" } else { b"0123456789abcdef" };
    let count = digits.unsigned_abs().min(8) as usize;
    let mut text = [0; 8];
    for (place, byte) in text.iter_mut().take(count).rev().enumerate() {
        *byte = alphabet[(value >> (4 * place)) as usize & 15];
    }
    out.string(text.get(..count).unwrap_or_default());
    Ok(())
}
