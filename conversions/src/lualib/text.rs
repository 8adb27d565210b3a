//! The functions of `string` without patterns and formats.
//!
//! Owns `len`, `sub`, `rep`, `byte`, `char` and the like (`lstrlib.c`). Must not know how they
//! are found by name.

use redlua_core::{Arguments, Kind, Raise, ValueWriter};

use super::Context;
use super::budget::{ask_for, grow};
use crate::check::{Check, STACK, out_of_memory};
use crate::number::c_i64;

/// `posrelat`: a position from the end when it is negative; 0 when that is before the beginning.
#[inline]
pub(super) fn place(position: i64, len: usize) -> i64 {
    let position = if position < 0 { position.wrapping_add(len as i64 + 1) } else { position };
    position.max(0)
}

/// `string.len`.
pub(super) fn len<A: Arguments + ?Sized, W: ValueWriter + ?Sized>(
    args: &mut A,
    out: &mut W,
) -> Result<(), Raise> {
    out.number(args.text(0)?.len() as f64);
    Ok(())
}

/// `string.sub`.
pub(super) fn sub<A: Arguments + ?Sized, W: ValueWriter + ?Sized>(
    args: &mut A,
    out: &mut W,
) -> Result<(), Raise> {
    let args = &*args;
    let text = args.text(0)?;
    let start = place(c_i64(args.numeral(1)?), text.len()).max(1);
    let end = place(args.numeral_or(2, -1)?, text.len()).min(text.len() as i64);
    let range = usize::try_from(start - 1).unwrap_or(0)..usize::try_from(end).unwrap_or(0);
    out.string(text.get(range).unwrap_or_default());
    Ok(())
}

/// `string.reverse`, `string.lower`, `string.upper`: a text of the same length.
pub(super) fn changed<A: Arguments + ?Sized, W: ValueWriter + ?Sized>(
    change: fn(&mut [u8]),
    args: &mut A,
    out: &mut W,
    context: &mut Context<'_>,
) -> Result<(), Raise> {
    let text = args.text(0)?;
    ask_for(text.len(), context.budget)?;
    if text.len() > context.budget.room() {
        return Err(out_of_memory());
    }
    let start = context.buffer.len();
    context.buffer.extend_from_slice(&text);
    let copy = context.buffer.get_mut(start..).unwrap_or_default();
    change(copy);
    out.string(copy);
    context.buffer.truncate(start);
    Ok(())
}

/// `string.rep`.
pub(super) fn rep<A: Arguments + ?Sized, W: ValueWriter + ?Sized>(
    args: &mut A,
    out: &mut W,
    context: &mut Context<'_>,
) -> Result<(), Raise> {
    let args = &*args;
    let text = args.text(0)?;
    let times = usize::try_from(c_i64(args.numeral(1)?) as i32).unwrap_or(0);
    match times {
        1 => {
            out.string(&text);
            return Ok(());
        }
        0 => {
            out.string(b"");
            return Ok(());
        }
        _ => {}
    }
    let whole = text.len().saturating_mul(times);
    ask_for(whole, context.budget)?;
    let start = context.buffer.len();
    if whole > context.buffer.capacity() - start {
        grow(context.buffer, start.saturating_add(context.budget.room()), whole)?;
    }
    let whole = start + whole;
    match &text[..] {
        [byte] => context.buffer.resize(whole, *byte),
        text => {
            context.buffer.extend_from_slice(text);
            // Twice as much each time, as long as all of it is wanted.
            while context.buffer.len() < whole {
                let end = context.buffer.len().min(start + (whole - context.buffer.len()));
                context.buffer.extend_from_within(start..end);
            }
        }
    }
    out.string(context.buffer.get(start..).unwrap_or_default());
    context.buffer.truncate(start);
    Ok(())
}

/// `string.byte`.
pub(super) fn byte<A: Arguments + ?Sized, W: ValueWriter + ?Sized>(
    args: &mut A,
    out: &mut W,
) -> Result<(), Raise> {
    let args = &*args;
    let text = args.text(0)?;
    let start = place(args.numeral_or(1, 1)?, text.len());
    let end = place(args.numeral_or(2, start)?, text.len()).min(text.len() as i64);
    let start = start.max(1);
    if start > end {
        return Ok(());
    }
    let count = usize::try_from(end - start + 1).unwrap_or(0);
    // luaL_checkstack
    if args.count() + count > STACK || !out.room(count) {
        return Err(Raise::message("stack overflow (string slice too long)"));
    }
    let skipped = usize::try_from(start - 1).unwrap_or(0);
    for &byte in text.iter().skip(skipped).take(count) {
        out.number(f64::from(byte));
    }
    Ok(())
}

/// `string.char`.
pub(super) fn char<A: Arguments + ?Sized, W: ValueWriter + ?Sized>(
    args: &mut A,
    out: &mut W,
    context: &mut Context<'_>,
) -> Result<(), Raise> {
    let start = context.buffer.len();
    for index in 0..args.count() {
        match args.check_int(index).map(u8::try_from) {
            Ok(Ok(byte)) => context.buffer.push(byte),
            other => {
                context.buffer.truncate(start);
                other?.map_err(|_| Raise::argument(index + 1, "invalid value"))?;
            }
        }
    }
    out.string(context.buffer.get(start..).unwrap_or_default());
    context.buffer.truncate(start);
    Ok(())
}

/// `string.dump`, which has nothing to give: precompiled code is refused everywhere.
pub(super) fn dump<A: Arguments + ?Sized>(args: &mut A) -> Result<(), Raise> {
    args.check_kind(0, Kind::Function)?;
    Err(Raise::message("unable to dump given function"))
}
