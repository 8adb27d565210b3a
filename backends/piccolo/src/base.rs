//! The functions of Lua's base library that know about metatables, order and the collector.
//!
//! Owns those; `pcall` and its like are in `protect`, compiling in `load`, what needs nothing of
//! the engine in the library that all backends share. It must not know which names a script may
//! see.

use std::cell::Cell;

use gc_arena::Collect;
use piccolo::{Callback, CallbackReturn, Context, Execution, Stack, String, Value};
use redlua_conversions::lualib::{self, Function};

use crate::machine::{Answer, Body, Caller, M, function};
use crate::task::Allowance;
use crate::value::{number, raw_equal};
use crate::writer::Writer;
use crate::{check, coroutine, load, native, protect, tables, task};

/// The function or value of that name in Lua's own libraries; nil when there is none.
pub(crate) fn stock<'gc>(m: M<'gc>, ctx: Context<'gc>, library: &str, name: &str) -> Value<'gc> {
    let body: Option<Body> = match (library, name) {
        ("", "_VERSION") => return tables::string(ctx, b"Lua 5.1"),
        ("math", "pi") => return Value::Number(std::f64::consts::PI),
        ("math", "huge") => return Value::Number(f64::INFINITY),
        ("", "assert") => Some(protect::assert),
        ("", "collectgarbage") => Some(collectgarbage),
        ("", "error") => Some(protect::error),
        ("", "gcinfo") => Some(gcinfo),
        ("", "getmetatable") => Some(getmetatable),
        ("", "ipairs") => Some(ipairs),
        ("", "load") => Some(load::load),
        ("", "loadstring") => Some(load::loadstring),
        ("", "next") => Some(next),
        ("", "pairs") => Some(pairs),
        ("", "pcall") => Some(protect::pcall),
        ("", "rawequal") => Some(rawequal),
        ("", "rawget") => Some(rawget),
        ("", "rawset") => Some(rawset),
        ("", "setmetatable") => Some(setmetatable),
        ("", "xpcall") => Some(protect::xpcall),
        ("string", "dump") => Some(dump),
        ("string", "gmatch" | "gfind") => Some(gmatch),
        ("coroutine", name) => coroutine::body(name),
        _ => None,
    };
    if let Some(body) = body {
        return function(ctx, m, body);
    }
    match Function::named(library, name) {
        Some(found) => task::function(m, ctx, found, (library, name) == ("table", "insert")),
        None => Value::Nil,
    }
}

fn collectgarbage<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    mut exec: Execution<'gc, '_>,
    mut stack: Stack<'gc, '_>,
) -> Answer<'gc> {
    const OPTIONS: [&str; 7] =
        ["collect", "stop", "restart", "count", "step", "setpause", "setstepmul"];
    let caller = Caller::of(&exec);
    let option = check::option(m, ctx, caller, &stack, &OPTIONS)?;
    check::opt_integer(m, ctx, caller, &stack, 1, 0)?;
    stack.clear();
    stack.push_back(match OPTIONS.get(option).copied() {
        Some("count") => Value::Number(ctx.metrics().total_allocation() as f64 / 1024.0),
        Some("step") => Value::Boolean(false),
        // The figures of a new state; the collector of piccolo has its own.
        Some("setpause" | "setstepmul") => Value::Number(200.0),
        Some("collect") => {
            exec.fuel().interrupt();
            Value::Number(0.0)
        }
        _ => Value::Number(0.0),
    });
    Ok(CallbackReturn::Return)
}

fn gcinfo<'gc>(
    _: M<'gc>,
    ctx: Context<'gc>,
    _: Execution<'gc, '_>,
    mut stack: Stack<'gc, '_>,
) -> Answer<'gc> {
    stack.clear();
    stack.push_back(Value::Number((ctx.metrics().total_allocation() >> 10) as f64));
    Ok(CallbackReturn::Return)
}

fn getmetatable<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    exec: Execution<'gc, '_>,
    mut stack: Stack<'gc, '_>,
) -> Answer<'gc> {
    check::any(m, ctx, Caller::of(&exec), &stack, 0)?;
    let shown = match stack.get(0) {
        Value::String(_) => m.strings.get().map_or(Value::Nil, |(_, shown)| shown.into()),
        Value::Table(table) => match tables::shown(m, table) {
            Some(shown) => shown,
            None => match tables::metatable(m, table) {
                Some(metatable) => match metatable.get_value(m.events.metatable) {
                    Value::Nil => metatable.into(),
                    hidden => hidden,
                },
                None => Value::Nil,
            },
        },
        _ => Value::Nil,
    };
    stack.clear();
    stack.push_back(shown);
    Ok(CallbackReturn::Return)
}

fn setmetatable<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    exec: Execution<'gc, '_>,
    mut stack: Stack<'gc, '_>,
) -> Answer<'gc> {
    let caller = Caller::of(&exec);
    let table = check::table(m, ctx, caller, &stack, 0)?;
    let metatable = match stack.get(1) {
        Value::Nil if stack.len() > 1 => None,
        Value::Table(metatable) => Some(metatable),
        _ => return Err(m.argument_error(ctx, caller, 2, b"nil or table expected")),
    };
    refuse(m, ctx, caller, &stack)?;
    let guarded =
        tables::metatable(m, table).is_some_and(|old| !old.get_value(m.events.metatable).is_nil());
    if guarded {
        return Err(m.error(ctx, caller, "cannot change a protected metatable"));
    }
    tables::set_metatable(m, ctx, table, metatable);
    stack.resize(1);
    Ok(CallbackReturn::Return)
}

/// Refuses to write to a read-only table, as functions do that get one with something to write.
fn refuse<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    caller: Option<Caller<'gc>>,
    stack: &Stack<'gc, '_>,
) -> Result<(), piccolo::Error<'gc>> {
    match stack.get(0) {
        Value::Table(table) if stack.len() >= 2 && tables::shown(m, table).is_some() => {
            Err(m.text(ctx, caller, m.run.readonly))
        }
        _ => Ok(()),
    }
}

fn next<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    exec: Execution<'gc, '_>,
    mut stack: Stack<'gc, '_>,
) -> Answer<'gc> {
    let table = match stack.get(0) {
        Value::Table(table) => table,
        _ => check::table(m, ctx, Caller::of(&exec), &stack, 0)?,
    };
    let key = stack.get(1);
    stack.clear();
    match tables::next(m, table, key) {
        Ok(Some((key, value))) => stack.extend([key, value]),
        Ok(None) => stack.push_back(Value::Nil),
        Err(text) => return Err(m.text(ctx, Caller::of(&exec), text)),
    }
    Ok(CallbackReturn::Return)
}

fn pairs<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    exec: Execution<'gc, '_>,
    mut stack: Stack<'gc, '_>,
) -> Answer<'gc> {
    let table = check::table(m, ctx, Caller::of(&exec), &stack, 0)?;
    stack.clear();
    let next = m.iterators.get().map_or(Value::Nil, |(next, _)| next);
    stack.extend([next, table.into(), Value::Nil]);
    Ok(CallbackReturn::Return)
}

fn ipairs<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    exec: Execution<'gc, '_>,
    mut stack: Stack<'gc, '_>,
) -> Answer<'gc> {
    let table = check::table(m, ctx, Caller::of(&exec), &stack, 0)?;
    stack.clear();
    let step = m.iterators.get().map_or(Value::Nil, |(_, step)| step);
    stack.extend([step, table.into(), Value::Number(0.0)]);
    Ok(CallbackReturn::Return)
}

/// What `ipairs` iterates with: the common case here, all others as the library has it.
pub(crate) fn ipairs_step<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    exec: Execution<'gc, '_>,
    mut stack: Stack<'gc, '_>,
) -> Answer<'gc> {
    if let (Value::Table(table), Some(index)) = (stack.get(0), number(stack.get(1)))
        && (0.0..1e9).contains(&index)
    {
        let key = Value::Number(index.trunc() + 1.0);
        let value = table.get_value(key);
        stack.clear();
        if !value.is_nil() {
            stack.extend([key, value]);
        }
        return Ok(CallbackReturn::Return);
    }
    task::run(m, ctx, exec, stack, lualib::Task::new(Function::IPAIRS_NEXT))
}

fn rawequal<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    exec: Execution<'gc, '_>,
    mut stack: Stack<'gc, '_>,
) -> Answer<'gc> {
    let caller = Caller::of(&exec);
    check::any(m, ctx, caller, &stack, 0)?;
    check::any(m, ctx, caller, &stack, 1)?;
    let equal = raw_equal(stack.get(0), stack.get(1));
    stack.clear();
    stack.push_back(Value::Boolean(equal));
    Ok(CallbackReturn::Return)
}

fn rawget<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    exec: Execution<'gc, '_>,
    mut stack: Stack<'gc, '_>,
) -> Answer<'gc> {
    let caller = Caller::of(&exec);
    let table = check::table(m, ctx, caller, &stack, 0)?;
    check::any(m, ctx, caller, &stack, 1)?;
    let value = table.get_value(stack.get(1));
    stack.clear();
    stack.push_back(value);
    Ok(CallbackReturn::Return)
}

fn rawset<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    exec: Execution<'gc, '_>,
    mut stack: Stack<'gc, '_>,
) -> Answer<'gc> {
    let caller = Caller::of(&exec);
    let table = check::table(m, ctx, caller, &stack, 0)?;
    check::any(m, ctx, caller, &stack, 1)?;
    check::any(m, ctx, caller, &stack, 2)?;
    refuse(m, ctx, caller, &stack)?;
    tables::set(m, ctx, table, stack.get(1), stack.get(2))
        .map_err(|bad| m.text(ctx, caller, bad.message()))?;
    stack.resize(1);
    Ok(CallbackReturn::Return)
}

/// `string.dump`: what it gives looks like precompiled code and is refused like that.
fn dump<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    exec: Execution<'gc, '_>,
    mut stack: Stack<'gc, '_>,
) -> Answer<'gc> {
    let caller = Caller::of(&exec);
    check::function(m, ctx, caller, &stack, 0)?;
    if let Value::Function(piccolo::Function::Callback(_)) = stack.get(0) {
        return Err(m.error(ctx, caller, "unable to dump given function"));
    }
    stack.clear();
    stack.push_back(tables::string(ctx, b"\x1bLuaQ\0"));
    Ok(CallbackReturn::Return)
}

/// A walk over the matches of a pattern.
#[derive(Collect)]
#[collect(no_drop)]
struct Matches<'gc> {
    m: M<'gc>,
    source: String<'gc>,
    pattern: String<'gc>,
    #[collect(require_static)]
    position: Cell<usize>,
}

/// `string.gmatch`.
fn gmatch<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    exec: Execution<'gc, '_>,
    mut stack: Stack<'gc, '_>,
) -> Answer<'gc> {
    let caller = Caller::of(&exec);
    let source = String::from_slice(&ctx, check::text(m, ctx, caller, &stack, 0)?);
    let pattern = String::from_slice(&ctx, check::text(m, ctx, caller, &stack, 1)?);
    let matches = Matches { m, source, pattern, position: Cell::new(0) };
    stack.clear();
    stack.push_back(Callback::from_fn_with(&ctx, matches, next_match).into());
    Ok(CallbackReturn::Return)
}

fn next_match<'gc>(
    matches: &Matches<'gc>,
    ctx: Context<'gc>,
    mut exec: Execution<'gc, '_>,
    mut stack: Stack<'gc, '_>,
) -> Answer<'gc> {
    let m = matches.m;
    let caller = Caller::of(&exec);
    stack.clear();
    let mut writer = Writer::new(m, ctx, &[]);
    let mut position = matches.position.get();
    let result = lualib::gmatch_next(
        matches.source.as_bytes(),
        matches.pattern.as_bytes(),
        &mut position,
        &mut writer,
        &mut Allowance::new(m, ctx),
    );
    matches.position.set(position);
    if m.run.verdict().is_some() {
        exec.fuel().interrupt();
    }
    result.map_err(|raise| native::raised(m, ctx, caller, raise, None))?;
    stack.extend(writer.values);
    Ok(CallbackReturn::Return)
}
