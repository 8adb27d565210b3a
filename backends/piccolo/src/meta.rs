//! The rules of Lua 5.1's operators (`lvm.c`): what an operation gives, or which metamethod it
//! calls.
//!
//! Owns the rules and the wording of their errors. It must not know how a metamethod is called.

use piccolo::{Context, Function, Table, Value};
use redlua_conversions::number::g14;
use redlua_piccolo_arena::held;

use crate::frontend::{Name, NameKind, Op};
use crate::machine::M;
use crate::tables::{self, BadKey};
use crate::value::{kind, number, raw_equal, to_number};

/// `MAXTAGLOOP`.
const LOOP: usize = 100;

/// What an operation comes to.
pub(crate) enum Outcome<'gc> {
    Value(Value<'gc>),
    /// A metamethod is called with these.
    Call(Function<'gc>, [Value<'gc>; 3], usize),
    /// An error with this text, to be given a position.
    Error(Vec<u8>),
}

impl<'gc> Outcome<'gc> {
    fn error(text: impl AsRef<[u8]>) -> Self {
        Outcome::Error(text.as_ref().to_vec())
    }
}

/// How many bytes more a string may have.
pub(crate) fn room(m: M<'_>, ctx: Context<'_>) -> usize {
    m.run.memory.get().saturating_sub(held(ctx.metrics()))
}

/// Bytes that are wanting when the table gets that key, as far as it grows for it; 0 when there is
/// room. What a table takes only while it grows may be a sixteenth more than a script may hold.
#[inline]
pub(crate) fn wanting<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    table: Value<'gc>,
    key: Value<'gc>,
) -> usize {
    let most = m.run.memory.get();
    let used = held(ctx.metrics());
    // A part that grows is within what is used, and is to be twice as large beside itself.
    if used < most / 3 {
        return 0;
    }
    let Value::Table(table) = table else { return 0 };
    let growth = tables::growth(m, table, key);
    if used.saturating_add(growth) > most.saturating_add(most / 16) { growth } else { 0 }
}

/// `attempt to … local 'x' (a nil value)` (`luaG_typeerror`).
pub(crate) fn type_error(what: &str, value: Value<'_>, name: &Name) -> Vec<u8> {
    let kind = kind(value).name();
    if name.kind == NameKind::None {
        return format!("attempt to {what} a {kind} value").into_bytes();
    }
    let start = format!("attempt to {what} {} '", name.kind.text());
    [start.as_bytes(), &name.text, format!("' (a {kind} value)").as_bytes()].concat()
}

/// `attempt to compare …` (`luaG_ordererror`, which compares the third letters).
fn order_error(a: Value<'_>, b: Value<'_>) -> Vec<u8> {
    let (a, b) = (kind(a).name(), kind(b).name());
    if a.as_bytes().get(2) == b.as_bytes().get(2) {
        format!("attempt to compare two {a} values").into_bytes()
    } else {
        format!("attempt to compare {a} with {b}").into_bytes()
    }
}

/// A metamethod, which may be a table that can be called.
fn call<'gc>(m: M<'gc>, method: Value<'gc>, args: [Value<'gc>; 3], count: usize) -> Outcome<'gc> {
    if let Value::Function(function) = method {
        return Outcome::Call(function, args, count);
    }
    // `tryfuncTM`: the value itself goes before its arguments.
    match tables::event(m, method, m.events.call) {
        Value::Function(function) => {
            let [first, second, _] = args;
            Outcome::Call(function, [method, first, second], (count + 1).min(3))
        }
        _ => Outcome::Error(type_error("call", method, &Name::NONE)),
    }
}

/// `table[key]` (`luaV_gettable`).
pub(crate) fn index<'gc>(
    m: M<'gc>,
    table: Value<'gc>,
    key: Value<'gc>,
    name: impl Fn() -> Name,
) -> Outcome<'gc> {
    let mut at = table;
    for round in 0..LOOP {
        let method = match at {
            Value::Table(table) => {
                let value = table.get_value(key);
                if !value.is_nil() {
                    return Outcome::Value(value);
                }
                let Some(metatable) = tables::metatable(m, table) else {
                    return Outcome::Value(Value::Nil);
                };
                let method = metatable.get_value(m.events.index);
                if method.is_nil() {
                    return Outcome::Value(Value::Nil);
                }
                method
            }
            other => {
                let method = tables::event(m, other, m.events.index);
                if method.is_nil() {
                    let name = if round == 0 { name() } else { Name::NONE };
                    return Outcome::Error(type_error("index", other, &name));
                }
                method
            }
        };
        if let Value::Function(function) = method {
            return Outcome::Call(function, [at, key, Value::Nil], 2);
        }
        at = method;
    }
    Outcome::error("loop in gettable")
}

/// `table[key] = value` (`luaV_settable`); the value of the outcome means nothing.
pub(crate) fn set_index<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    (table, key, value): (Value<'gc>, Value<'gc>, Value<'gc>),
    name: impl Fn() -> Name,
) -> Outcome<'gc> {
    let mut at = table;
    for round in 0..LOOP {
        let method = match at {
            Value::Table(table) => match set_in_table(m, ctx, table, key, value) {
                Ok(None) => return Outcome::Value(Value::Nil),
                Ok(Some(method)) => method,
                Err(bad) => return Outcome::error(bad.message()),
            },
            other => {
                let name = if round == 0 { name() } else { Name::NONE };
                return Outcome::Error(type_error("index", other, &name));
            }
        };
        if let Value::Function(function) = method {
            return Outcome::Call(function, [at, key, value], 3);
        }
        at = method;
    }
    Outcome::error("loop in settable")
}

/// Sets the pair, or returns the metamethod that is to do so.
fn set_in_table<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    table: Table<'gc>,
    key: Value<'gc>,
    value: Value<'gc>,
) -> Result<Option<Value<'gc>>, BadKey> {
    let Some(metatable) = table.metatable() else {
        tables::set(m, ctx, table, key, value)?;
        return Ok(None);
    };
    tables::check_key(key)?;
    let read_only = tables::shown(m, table).is_some();
    if read_only || table.get_value(key).is_nil() {
        let method = match metatable.get_value(m.keys.events) {
            Value::Table(events) => events.get_value(m.events.newindex),
            _ => Value::Nil,
        };
        if !method.is_nil() {
            return Ok(Some(method));
        }
    }
    tables::set(m, ctx, table, key, value)?;
    Ok(None)
}

/// Arithmetic (`luaV_arith`); the operation is one of those from `Add` to `Minus`.
pub(crate) fn arithmetic<'gc>(
    m: M<'gc>,
    op: Op,
    a: Value<'gc>,
    b: Value<'gc>,
    name: impl Fn(usize) -> Name,
) -> Outcome<'gc> {
    if let (Some(a), Some(b)) = (to_number(a), to_number(b)) {
        return Outcome::Value(Value::Number(match op {
            Op::Add => a + b,
            Op::Sub => a - b,
            Op::Mul => a * b,
            Op::Div => a / b,
            Op::Mod => a - (a / b).floor() * b,
            Op::Pow => a.powf(b),
            _ => -a,
        }));
    }
    let event = m.events.arithmetic.get(op as usize).copied().unwrap_or_default();
    let method = binary_method(m, a, b, event);
    if !method.is_nil() {
        return call(m, method, [a, b, Value::Nil], 2);
    }
    // The first operand that is no number is to blame (`luaG_aritherror`).
    let (value, at) = if to_number(a).is_none() { (a, 0) } else { (b, 1) };
    Outcome::Error(type_error("perform arithmetic on", value, &name(at)))
}

/// The metamethod of the first operand, or else of the second (`call_binTM`).
fn binary_method<'gc>(m: M<'gc>, a: Value<'gc>, b: Value<'gc>, event: Value<'gc>) -> Value<'gc> {
    let method = tables::event(m, a, event);
    if method.is_nil() { tables::event(m, b, event) } else { method }
}

/// `a < b` (`luaV_lessthan`). The value of a call is to be taken for a boolean.
pub(crate) fn less<'gc>(m: M<'gc>, a: Value<'gc>, b: Value<'gc>) -> Outcome<'gc> {
    let result = match (a, b) {
        (Value::String(a), Value::String(b)) => a.as_bytes() < b.as_bytes(),
        (a, b) => match (number(a), number(b)) {
            (Some(a), Some(b)) => a < b,
            _ => {
                return match order_method(m, a, b, m.events.lt) {
                    Some(method) => call(m, method, [a, b, Value::Nil], 2),
                    None => Outcome::Error(order_error(a, b)),
                };
            }
        },
    };
    Outcome::Value(Value::Boolean(result))
}

/// What `a <= b` comes to (`lessequal`).
pub(crate) enum LessEqual<'gc> {
    Is(Outcome<'gc>),
    /// The opposite of this.
    Not(Outcome<'gc>),
}

/// `a <= b`.
pub(crate) fn less_equal<'gc>(m: M<'gc>, a: Value<'gc>, b: Value<'gc>) -> LessEqual<'gc> {
    let result = match (a, b) {
        (Value::String(a), Value::String(b)) => a.as_bytes() <= b.as_bytes(),
        (a, b) => match (number(a), number(b)) {
            (Some(a), Some(b)) => a <= b,
            _ => {
                if let Some(method) = order_method(m, a, b, m.events.le) {
                    return LessEqual::Is(call(m, method, [a, b, Value::Nil], 2));
                }
                return match order_method(m, b, a, m.events.lt) {
                    Some(method) => LessEqual::Not(call(m, method, [b, a, Value::Nil], 2)),
                    None => LessEqual::Is(Outcome::Error(order_error(a, b))),
                };
            }
        },
    };
    LessEqual::Is(Outcome::Value(Value::Boolean(result)))
}

/// The metamethod that both operands share (`call_orderTM`); none for values of two types.
fn order_method<'gc>(
    m: M<'gc>,
    a: Value<'gc>,
    b: Value<'gc>,
    event: Value<'gc>,
) -> Option<Value<'gc>> {
    if kind(a) != kind(b) {
        return None;
    }
    let method = tables::event(m, a, event);
    let shared = !method.is_nil() && raw_equal(method, tables::event(m, b, event));
    shared.then_some(method)
}

/// The metamethod that two different tables are compared with (`get_compTM`).
pub(crate) fn equal_method<'gc>(m: M<'gc>, a: Value<'gc>, b: Value<'gc>) -> Option<Function<'gc>> {
    match order_method(m, a, b, m.events.eq) {
        Some(Value::Function(function)) => Some(function),
        _ => None,
    }
}

/// `#value` (`OP_LEN`).
pub(crate) fn length<'gc>(m: M<'gc>, value: Value<'gc>, name: impl Fn() -> Name) -> Outcome<'gc> {
    match value {
        Value::String(text) => Outcome::Value(Value::Number(text.as_bytes().len() as f64)),
        Value::Table(table) => Outcome::Value(Value::Number(tables::length(m, table) as f64)),
        other => match tables::event(m, other, m.events.len) {
            Value::Nil => Outcome::Error(type_error("get length of", other, &name())),
            method => call(m, method, [other, Value::Nil, Value::Nil], 1),
        },
    }
}

/// A list for joining is kept up to that size.
const KEPT: usize = 1 << 16;

/// Joins as many values from the end as it can (`luaV_concat`): one value is left when it is
/// done, and otherwise the metamethod's result takes the place of the last two.
pub(crate) fn concat<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    values: &mut Vec<Value<'gc>>,
    name: impl Fn(usize) -> Name,
) -> Outcome<'gc> {
    loop {
        let total = values.len();
        let [.., a, b] = values.as_slice() else {
            return Outcome::Value(values.first().copied().unwrap_or_default());
        };
        let (a, b) = (*a, *b);
        if !(is_text(a) && is_text(b)) {
            let method = binary_method(m, a, b, m.events.concat);
            if !method.is_nil() {
                values.truncate(total - 2);
                return call(m, method, [a, b, Value::Nil], 2);
            }
            // `luaG_concaterror`.
            let (value, at) = if is_text(a) { (b, total - 1) } else { (a, total - 2) };
            return Outcome::Error(type_error("concatenate", value, &name(at)));
        }
        let texts = values.iter().rev().take_while(|value| is_text(**value)).count();
        let from = total - texts;
        // A list of its own each time would leave holes between the strings.
        let mut joined = m.run.joined.take();
        joined.clear();
        // While the result is given to Lua it is there twice.
        let room = room(m, ctx) / 2;
        for value in values.iter().skip(from) {
            match value {
                Value::String(text) => joined.extend_from_slice(text.as_bytes()),
                other => joined.extend_from_slice(&g14(number(*other).unwrap_or(0.0))),
            }
            if joined.len() > room {
                return Outcome::error("");
            }
        }
        values.truncate(from);
        values.push(tables::string(ctx, &joined));
        if joined.capacity() <= KEPT {
            m.run.joined.set(joined);
        }
    }
}

fn is_text(value: Value<'_>) -> bool {
    matches!(value, Value::String(_) | Value::Number(_) | Value::Integer(_))
}

/// The function that a call calls, and whether the value goes before the arguments
/// (`luaD_precall`).
pub(crate) fn callable<'gc>(
    m: M<'gc>,
    value: Value<'gc>,
    name: impl Fn() -> Name,
) -> Result<(Function<'gc>, bool), Vec<u8>> {
    if let Value::Function(function) = value {
        return Ok((function, false));
    }
    match tables::event(m, value, m.events.call) {
        Value::Function(function) => Ok((function, true)),
        _ => Err(type_error("call", value, &name())),
    }
}
