//! The checks of arguments that the backend's own functions make (`lauxlib.c`).
//!
//! Owns nothing but the way from piccolo's stack to the checks that all backends share. It must
//! not know any function.

use piccolo::{Context, Error, Stack, Table, Value};
use redlua_conversions::check::Check;
use redlua_core::{Kind, Raise};

use crate::machine::{Caller, M};
use crate::native;
use crate::reader::Reader;

/// Runs a check; the index of an argument counts from 0.
fn run<'gc, T>(
    m: M<'gc>,
    ctx: Context<'gc>,
    caller: Option<Caller<'gc>>,
    stack: &Stack<'gc, '_>,
    check: impl FnOnce(&mut Reader<'gc, '_>) -> Result<T, Raise>,
) -> Result<T, Error<'gc>> {
    let mut reader = Reader::new(m, ctx, &stack[..], caller);
    check(&mut reader).map_err(|raise| native::raised(m, ctx, caller, raise, None))
}

/// `luaL_checkany`.
pub(crate) fn any<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    caller: Option<Caller<'gc>>,
    stack: &Stack<'gc, '_>,
    index: usize,
) -> Result<(), Error<'gc>> {
    run(m, ctx, caller, stack, |args| args.check_any(index))
}

/// `luaL_checktype` for a table.
pub(crate) fn table<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    caller: Option<Caller<'gc>>,
    stack: &Stack<'gc, '_>,
    index: usize,
) -> Result<Table<'gc>, Error<'gc>> {
    match stack.get(index) {
        Value::Table(table) => Ok(table),
        _ => run(m, ctx, caller, stack, |args| Err(args.expected(index, "table"))),
    }
}

/// `luaL_checktype` for a function.
pub(crate) fn function<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    caller: Option<Caller<'gc>>,
    stack: &Stack<'gc, '_>,
    index: usize,
) -> Result<(), Error<'gc>> {
    match stack.get(index) {
        Value::Function(_) => Ok(()),
        _ => run(m, ctx, caller, stack, |args| Err(args.expected(index, Kind::Function.name()))),
    }
}

/// `luaL_checklstring`.
pub(crate) fn text<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    caller: Option<Caller<'gc>>,
    stack: &Stack<'gc, '_>,
    index: usize,
) -> Result<Vec<u8>, Error<'gc>> {
    run(m, ctx, caller, stack, |args| args.check_string(index).map(|text| text.to_vec()))
}

/// `luaL_optinteger`.
pub(crate) fn opt_integer<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    caller: Option<Caller<'gc>>,
    stack: &Stack<'gc, '_>,
    index: usize,
    default: i64,
) -> Result<i64, Error<'gc>> {
    run(m, ctx, caller, stack, |args| args.opt_integer(index, default))
}

/// `luaL_checkoption` with a default.
pub(crate) fn option<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    caller: Option<Caller<'gc>>,
    stack: &Stack<'gc, '_>,
    options: &[&str],
) -> Result<usize, Error<'gc>> {
    run(m, ctx, caller, stack, |args| {
        if args.is_none_or_nil(0) { Ok(0) } else { args.check_option(0, options) }
    })
}
