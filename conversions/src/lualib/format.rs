//! `string.format`.
//!
//! Owns the walk over the format and its arguments (`str_format` in `lstrlib.c`). Must not know
//! how an item is spelt.

use redlua_core::{Arguments, Raise, ValueWriter};

use super::Context;
use super::budget::append;
use super::spec::Spec;
use crate::check::Check;
use crate::number::{c_i32, c_i64, c_u64};

/// `string.format`.
pub(super) fn format<A: Arguments + ?Sized, W: ValueWriter + ?Sized>(
    args: &mut A,
    out: &mut W,
    context: &mut Context<'_>,
) -> Result<(), Raise> {
    let start = context.buffer.len();
    let room = start.saturating_add(context.budget.room());
    let result = build(&*args, context.buffer, room);
    if result.is_ok() {
        out.string(context.buffer.get(start..).unwrap_or_default());
    }
    context.buffer.truncate(start);
    result
}

fn build<A: Arguments + ?Sized>(args: &A, buffer: &mut Vec<u8>, room: usize) -> Result<(), Raise> {
    let format = args.text(0)?;
    let mut rest: &[u8] = &format;
    let mut argument = 0;
    while let Some(percent) = memchr::memchr(b'%', rest) {
        append(buffer, room, rest.get(..percent).unwrap_or_default())?;
        rest = rest.get(percent + 1..).unwrap_or_default();
        if let [b'%', tail @ ..] = rest {
            append(buffer, room, b"%")?;
            rest = tail;
            continue;
        }
        argument += 1;
        if argument >= args.count() {
            return Err(Raise::argument(argument + 1, "no value"));
        }
        let (spec, len) = Spec::parse(rest)?;
        let letter = rest.get(len).copied().unwrap_or(0);
        item(&spec, letter, args, argument, buffer, room)?;
        rest = rest.get(len + 1..).unwrap_or_default();
    }
    append(buffer, room, rest)
}

fn item<A: Arguments + ?Sized>(
    spec: &Spec,
    letter: u8,
    args: &A,
    argument: usize,
    buffer: &mut Vec<u8>,
    room: usize,
) -> Result<(), Raise> {
    match letter {
        b'c' => spec.character(c_i32(args.numeral(argument)?) as u8, buffer),
        b'd' | b'i' => spec.signed(c_i64(args.numeral(argument)?), buffer),
        b'o' | b'u' | b'x' | b'X' => {
            spec.unsigned(c_u64(args.numeral(argument)?), letter, buffer);
        }
        b'e' | b'E' | b'f' | b'g' | b'G' => spec.float(args.numeral(argument)?, letter, buffer),
        b'q' => return quoted(&args.text(argument)?, buffer, room),
        b's' => {
            let text = args.text(argument)?;
            if spec.keeps(text.len()) {
                return append(buffer, room, &text);
            }
            spec.string(&text, buffer);
        }
        _ => return Err(invalid(letter)),
    }
    // Nothing above is longer than some hundred bytes.
    append(buffer, room, b"")
}

/// The letter as C prints it: nothing when the format is at its end.
#[cold]
fn invalid(letter: u8) -> Raise {
    let letter = if letter == 0 { &[][..] } else { &[letter] };
    Raise::message([b"invalid option '%", letter, b"' to 'format'"].concat())
}

/// `addquoted`.
fn quoted(text: &[u8], buffer: &mut Vec<u8>, room: usize) -> Result<(), Raise> {
    append(buffer, room, b"\"")?;
    let special = |byte: &u8| matches!(byte, b'"' | b'\\' | b'\n' | b'\r' | 0);
    let mut rest = text;
    while let Some(at) = rest.iter().position(special) {
        append(buffer, room, rest.get(..at).unwrap_or_default())?;
        match rest.get(at) {
            Some(b'\r') => append(buffer, room, b"\\r")?,
            Some(0) => append(buffer, room, b"\\000")?,
            Some(&byte) => append(buffer, room, &[b'\\', byte])?,
            None => {}
        }
        rest = rest.get(at + 1..).unwrap_or_default();
    }
    append(buffer, room, rest)?;
    append(buffer, room, b"\"")
}
