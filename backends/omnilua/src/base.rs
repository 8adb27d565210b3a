//! Library functions of Lua 5.1 that must know about read-only tables, or that omniLua does in
//! the way of a later Lua.
//!
//! Owns the list of replaced names. It must not know which names a script may see.

use std::rc::Rc;

use lua_types::closure::LuaClosure;
use lua_types::gc::GcRef;
use lua_types::table::LuaTable;
use lua_types::{LuaError, LuaValue};
use lua_vm::state::LuaState;
use redlua_core::Kind;

use crate::frame::{
    Function, any, argument, argument_error, closure, count, function, kind, message, plain,
    set_count, table, wrong_type,
};
use crate::shared::Shared;
use crate::{coroutine, interrupt, library, load, protected};

/// Functions that take the place of omniLua's.
const OWN: &[(&str, &str, Function)] = &[
    ("", "pairs", pairs),
    ("", "rawget", rawget),
    ("", "setmetatable", setmetatable),
    ("", "getmetatable", getmetatable),
    ("", "load", load::load),
    ("", "loadstring", load::loadstring),
    ("", "pcall", protected::pcall),
    ("", "xpcall", protected::xpcall),
    ("", "unpack", unpack),
    ("coroutine", "create", coroutine::create),
    ("coroutine", "wrap", coroutine::wrap),
];

/// What happens before a function of omniLua runs.
type Before = fn(&mut LuaState, &Shared) -> Result<Option<usize>, LuaError>;

/// Functions that are called after a look at their arguments.
const GUARDED: &[(&str, &str, Before)] = &[
    ("", "rawset", refuse_pair),
    ("", "collectgarbage", collectgarbage),
    ("table", "insert", refuse_insert),
    ("table", "foreachi", through_first),
    ("table", "maxn", through_first),
    ("table", "concat", through_first),
];

/// More results than this do not fit on C Lua's stack (`LUAI_MAXCSTACK`).
const RESULTS: i64 = 8000;

/// The function that scripts get under that name in place of omniLua's `stock`.
pub(crate) fn replace(
    state: &mut LuaState,
    shared: &Rc<Shared>,
    library: &str,
    name: &str,
    stock: LuaValue,
) -> LuaValue {
    if let Some((_, _, own)) = OWN.iter().find(|own| (own.0, own.1) == (library, name)) {
        return function(state, shared, *own);
    }
    let stock = library::named(state, shared, library, name).unwrap_or(stock);
    let guard = GUARDED.iter().find(|guard| (guard.0, guard.1) == (library, name));
    match (guard, stock) {
        (Some((_, _, before)), LuaValue::Function(LuaClosure::LightC(number))) => {
            let (before, shared) = (*before, shared.clone());
            closure(state, move |state| match before(state, &shared)? {
                Some(results) => Ok(results),
                None => protected::stock(state, number),
            })
        }
        (_, stock) => stock,
    }
}

/// `next`.
pub(crate) fn next(state: &mut LuaState, shared: &Rc<Shared>) -> Result<usize, LuaError> {
    let table = table(state, 1)?;
    let key = match argument(state, 2) {
        LuaValue::Float(key) if key as i64 as f64 == key => LuaValue::Int(key as i64),
        key => key,
    };
    match next_pair(shared, &table, &key)? {
        Some((key, value)) => {
            state.push(key);
            state.push(value);
            Ok(2)
        }
        None => {
            state.push(LuaValue::Nil);
            Ok(1)
        }
    }
}

/// The pair after `key` in the traversal of a table.
pub(crate) fn next_pair(
    shared: &Shared,
    table: &GcRef<LuaTable>,
    key: &LuaValue,
) -> Result<Option<(LuaValue, LuaValue)>, LuaError> {
    match shared.proxy(table, |proxy| (proxy.next(key), proxy.real)) {
        Some((Ok(pair), _)) => Ok(pair),
        Some((Err(()), real)) => real.try_next_pair(key),
        None => table.try_next_pair(key),
    }
}

fn pairs(state: &mut LuaState, shared: &Rc<Shared>) -> Result<usize, LuaError> {
    let table = table(state, 1)?;
    let next = shared.fixed.get().map(|fixed| fixed.next).unwrap_or_default();
    state.push(next);
    state.push(LuaValue::Table(table));
    state.push(LuaValue::Nil);
    Ok(3)
}

fn rawget(state: &mut LuaState, shared: &Rc<Shared>) -> Result<usize, LuaError> {
    let table = table(state, 1)?;
    let key = any(state, 2)?;
    let value = shared.resolve(table).get(&key);
    state.push(value);
    Ok(1)
}

fn setmetatable(state: &mut LuaState, shared: &Rc<Shared>) -> Result<usize, LuaError> {
    let changed = table(state, 1)?;
    if !matches!(kind(state, 2), Kind::Nil | Kind::Table) {
        return Err(argument_error(state, 2, b"nil or table expected"));
    }
    if let Some(results) = refuse(&changed, shared)? {
        return Ok(results);
    }
    if protection(&changed).is_some() {
        return Err(message(state, b"cannot change a protected metatable"));
    }
    set_count(state, 2);
    lua_vm::api::set_metatable(state, 1)?;
    set_count(state, 1);
    Ok(1)
}

fn getmetatable(state: &mut LuaState, shared: &Rc<Shared>) -> Result<usize, LuaError> {
    let value = any(state, 1)?;
    let answer = match &value {
        LuaValue::Str(_) => {
            shared.fixed.get().map(|fixed| fixed.string_metatable).unwrap_or_default()
        }
        LuaValue::Table(table) => match shared.proxy(table, |proxy| proxy.shown) {
            Some(shown) => shown,
            None => protection(table)
                .or_else(|| table.metatable().map(LuaValue::Table))
                .unwrap_or_default(),
        },
        _ => state.table_metatable(&value).map(LuaValue::Table).unwrap_or_default(),
    };
    state.push(answer);
    Ok(1)
}

/// The field `__metatable` of a table's metatable.
fn protection(table: &GcRef<LuaTable>) -> Option<LuaValue> {
    let value = table.metatable()?.get_str_bytes(b"__metatable");
    (!value.is_nil()).then_some(value)
}

/// `unpack`: raw, as in Lua 5.1.
fn unpack(state: &mut LuaState, _: &Rc<Shared>) -> Result<usize, LuaError> {
    let list = table(state, 1)?;
    let first = integer(state, 2, 1)?;
    let last = match kind(state, 3) {
        Kind::None | Kind::Nil => list.getn() as i64,
        _ => integer(state, 3, 0)?,
    };
    if first > last {
        return Ok(0);
    }
    let results = last - first + 1;
    if results >= RESULTS || !lua_vm::api::check_stack(state, results as i32) {
        return Err(message(state, b"too many results to unpack"));
    }
    for index in first..=last {
        let value = list.get_int(index);
        state.push(value);
    }
    Ok(results as usize)
}

/// `luaL_optint`: a C int.
fn integer(state: &mut LuaState, index: usize, default: i64) -> Result<i64, LuaError> {
    let number = match argument(state, index) {
        LuaValue::Nil => return Ok(default),
        LuaValue::Int(value) => value as f64,
        LuaValue::Float(value) => value,
        LuaValue::Str(text) => match redlua_conversions::number::lua_str2number(text.as_bytes()) {
            Some(value) => value,
            None => return Err(wrong_type(state, index, "number")),
        },
        _ => return Err(wrong_type(state, index, "number")),
    };
    Ok(i64::from(number as i64 as i32))
}

/// Functions that only read their first argument: they see the real table.
fn through_first(state: &mut LuaState, shared: &Shared) -> Result<Option<usize>, LuaError> {
    if let LuaValue::Table(table) = argument(state, 1)
        && let Some(real) = shared.proxy(&table, |proxy| proxy.real)
    {
        let slot = state.current_call_info().func.0 + 1;
        state.set_at(slot, LuaValue::Table(real));
    }
    Ok(None)
}

/// `rawset`: wants a key and a value before it writes.
fn refuse_pair(state: &mut LuaState, shared: &Shared) -> Result<Option<usize>, LuaError> {
    match argument(state, 1) {
        LuaValue::Table(table) if count(state) >= 3 => refuse(&table, shared),
        _ => Ok(None),
    }
}

/// `table.insert`: checks its arguments before it writes.
fn refuse_insert(state: &mut LuaState, shared: &Shared) -> Result<Option<usize>, LuaError> {
    let position = matches!(kind(state, 2), Kind::Number);
    match (argument(state, 1), count(state)) {
        (LuaValue::Table(table), 2) => refuse(&table, shared),
        (LuaValue::Table(table), 3) if position => refuse(&table, shared),
        _ => Ok(None),
    }
}

/// Raises the message of a refused write when the table is read-only; without a position, as
/// from any C function.
fn refuse(table: &GcRef<LuaTable>, shared: &Shared) -> Result<Option<usize>, LuaError> {
    match shared.proxy(table, |_| ()) {
        Some(()) => {
            let text = shared.fixed.get().map_or("", |fixed| fixed.readonly_message);
            Err(plain(text.as_bytes()))
        }
        None => Ok(None),
    }
}

/// `collectgarbage` that leaves the collector running for the next script.
fn collectgarbage(state: &mut LuaState, shared: &Shared) -> Result<Option<usize>, LuaError> {
    // A collection takes long: hundreds of them would lie between two looks of the hook.
    if let Some(reason) = interrupt::reason(shared) {
        interrupt::stop(state, shared, reason);
        state.push(LuaValue::Float(0.0));
        return Ok(Some(1));
    }
    match argument(state, 1) {
        LuaValue::Str(option) if option.as_bytes() == b"stop" => {
            state.push(LuaValue::Float(0.0));
            Ok(Some(1))
        }
        _ => Ok(None),
    }
}
