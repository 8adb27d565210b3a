//! The functions of `table` that call nothing.
//!
//! Owns `concat`, `insert`, `remove`, `maxn`, `getn`, `setn` (`ltablib.c`). Must not know how
//! they are found by name.

use redlua_core::{Arguments, Kind, Raise, Step, ValueReader, ValueWriter, Workspace};

use super::Context;
use super::budget::{Fuel, append};
use crate::check::Check;
use crate::number;

/// `table.concat`.
pub(super) fn concat<A: Arguments + ?Sized, W: ValueWriter + ?Sized>(
    args: &mut A,
    out: &mut W,
    context: &mut Context<'_>,
) -> Result<(), Raise> {
    if !args.is_none_or_nil(1) {
        args.text(1)?;
    }
    args.check_table(0)?;
    let first = args.opt_integer(2, 1)? as i32;
    let last = if args.is_none_or_nil(3) {
        args.select(0);
        args.len() as i32
    } else {
        args.check_int(3)?
    };
    // The table is read while the separator is: it must not borrow the arguments.
    let separator = match args.is_none_or_nil(1) {
        true => Vec::new(),
        false => args.text(1)?.to_vec(),
    };
    args.select(0);
    let start = context.buffer.len();
    let result = join(args, (first, last), &separator, context);
    if result.is_ok() {
        args.select(0);
        out.string(context.buffer.get(start..).unwrap_or_default());
    }
    context.buffer.truncate(start);
    result
}

/// Appends the elements of the table under the cursor.
fn join<A: ValueReader + ?Sized>(
    table: &mut A,
    (first, last): (i32, i32),
    separator: &[u8],
    context: &mut Context<'_>,
) -> Result<(), Raise> {
    let room = context.buffer.len().saturating_add(context.budget.room());
    let mut fuel = Fuel::new(context.budget);
    for index in first..=last {
        fuel.burn(1)?;
        match table.enter_index(i64::from(index)) {
            Kind::String => append(context.buffer, room, table.bytes())?,
            Kind::Number => append(context.buffer, room, &number::g14(table.number()))?,
            other => {
                let kind = other.name();
                return Err(Raise::message(format!(
                    "invalid value ({kind}) at index {index} in table for 'concat'"
                )));
            }
        }
        table.leave();
        if index < last {
            append(context.buffer, room, separator)?;
        }
    }
    Ok(())
}

/// `table.getn`.
pub(super) fn getn<A: Arguments + ?Sized, W: ValueWriter + ?Sized>(
    args: &mut A,
    out: &mut W,
) -> Result<(), Raise> {
    args.check_table(0)?;
    args.select(0);
    out.number(args.len() as f64);
    Ok(())
}

/// `table.setn`.
pub(super) fn setn<A: Arguments + ?Sized>(args: &mut A) -> Result<(), Raise> {
    args.check_table(0)?;
    Err(Raise::message("'setn' is obsolete"))
}

/// `table.maxn`.
pub(super) fn maxn<A: Arguments + ?Sized, W: ValueWriter + ?Sized>(
    args: &mut A,
    out: &mut W,
) -> Result<(), Raise> {
    args.check_table(0)?;
    args.select(0);
    let mut most = 0.0f64;
    args.iterate();
    while args.next_key() {
        if args.kind() == Kind::Number {
            let key = args.number();
            if key > most {
                most = key;
            }
        }
        args.leave();
    }
    out.number(most);
    Ok(())
}

/// `table.insert`.
pub(super) fn insert<A: Arguments + ?Sized, W: Workspace + ?Sized>(
    args: &mut A,
    work: &mut W,
    context: &mut Context<'_>,
) -> Result<Step, Raise> {
    args.check_table(0)?;
    let mut end = work.length(0) as i64 + 1;
    let (place, value) = match args.count() {
        2 => (end, 1),
        3 => {
            let place = i64::from(args.check_int(1)?);
            end = end.max(place);
            let mut fuel = Fuel::new(context.budget);
            for index in (place + 1..=end).rev() {
                fuel.burn(1)?;
                work.fetch(0, index - 1);
                work.store(0, index);
            }
            (place, 2)
        }
        _ => return Err(Raise::message("wrong number of arguments to 'insert'")),
    };
    work.argument(value);
    work.store(0, place);
    Ok(Step::Return { results: 0 })
}

/// `table.remove`.
pub(super) fn remove<A: Arguments + ?Sized, W: Workspace + ?Sized>(
    args: &mut A,
    work: &mut W,
    context: &mut Context<'_>,
) -> Result<Step, Raise> {
    args.check_table(0)?;
    let end = work.length(0) as i64;
    let place = i64::from(args.opt_integer(1, end)? as i32);
    if !(1..=end).contains(&place) {
        return Ok(Step::Return { results: 0 });
    }
    work.fetch(0, place);
    let mut fuel = Fuel::new(context.budget);
    for index in place..end {
        fuel.burn(1)?;
        work.fetch(0, index + 1);
        work.store(0, index);
    }
    work.nil();
    work.store(0, end);
    Ok(Step::Return { results: 1 })
}
