//! Arguments as numbers and keywords.
//!
//! Owns the parsing that all commands share (`getLongLongFromObjectOrReply` and its kin in
//! `object.c`). It must not know what the arguments are for.

use redlua_conversions::number;

use crate::error::{CommandError, MUST_BE_POSITIVE, NOT_FLOAT, NOT_INTEGER, SYNTAX};

/// Whether an argument is this word, in any case.
pub(crate) fn is(arg: &[u8], word: &str) -> bool {
    arg.eq_ignore_ascii_case(word.as_bytes())
}

/// A 64-bit integer.
pub(crate) fn integer(arg: &[u8]) -> Result<i64, CommandError> {
    number::parse_i64(arg).ok_or(NOT_INTEGER)
}

/// A 64-bit integer, or this error.
pub(crate) fn integer_or(arg: &[u8], error: CommandError) -> Result<i64, CommandError> {
    number::parse_i64(arg).ok_or(error)
}

/// An integer that is not negative (`getPositiveLongFromObjectOrReply`).
pub(crate) fn positive(arg: &[u8]) -> Result<usize, CommandError> {
    let value = number::parse_i64(arg).ok_or(MUST_BE_POSITIVE)?;
    usize::try_from(value).map_err(|_| MUST_BE_POSITIVE)
}

/// An integer between two bounds (`getRangeLongFromObjectOrReply`), or this error.
pub(crate) fn ranged(
    arg: &[u8],
    min: i64,
    max: i64,
    error: CommandError,
) -> Result<i64, CommandError> {
    let value = integer_or(arg, error.clone())?;
    if (min..=max).contains(&value) { Ok(value) } else { Err(error) }
}

/// A double that is not NaN.
pub(crate) fn float(arg: &[u8]) -> Result<f64, CommandError> {
    number::parse_f64(arg).ok_or(NOT_FLOAT)
}

/// A double that is not NaN, or this error.
pub(crate) fn float_or(arg: &[u8], error: CommandError) -> Result<f64, CommandError> {
    number::parse_f64(arg).ok_or(error)
}

/// The argument at `at`, or a syntax error when there are too few.
pub(crate) fn at<'a>(argv: &[&'a [u8]], at: usize) -> Result<&'a [u8], CommandError> {
    argv.get(at).copied().ok_or(SYNTAX)
}

/// An integer between two bounds, or the error that names them
/// (`getRangeLongFromObjectOrReply` without a message of its own).
pub(crate) fn ranged_long(arg: &[u8], min: i64, max: i64) -> Result<i64, CommandError> {
    let value = integer(arg)?;
    if (min..=max).contains(&value) {
        Ok(value)
    } else {
        Err(CommandError::new(format!(
            "ERR value is out of range, value must between {min} and {max}"
        )))
    }
}
