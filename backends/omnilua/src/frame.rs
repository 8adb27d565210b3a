//! The call of one function of this crate: its arguments, its errors.
//!
//! Owns what all such functions need: looking at arguments, raising as `lauxlib.c` does, making
//! functions of closures. It must not know any particular function.

use std::cell::RefCell;
use std::rc::Rc;

use lua_types::closure::{LuaCClosure, LuaClosure};
use lua_types::gc::GcRef;
use lua_types::table::LuaTable;
use lua_types::{LuaError, LuaValue, StackIdx};
use lua_vm::debug::{LuaDebug, c_api_runtime, get_info, get_stack};
use lua_vm::state::{LuaCallable, LuaState, LuaTableRefExt};
use redlua_core::Kind;
use smallvec::SmallVec;

use crate::shared::Shared;

/// The values of one call.
pub(crate) type Values = SmallVec<[LuaValue; 8]>;

/// A function of this crate.
pub(crate) type Function = fn(&mut LuaState, &Rc<Shared>) -> Result<usize, LuaError>;

/// What reader and writer of one call work on.
pub(crate) struct Frame<'a> {
    pub(crate) state: RefCell<&'a mut LuaState>,
    pub(crate) shared: &'a Shared,
    pub(crate) arguments: &'a [LuaValue],
    /// How many slots C Lua's stack would have below the arguments.
    pub(crate) below: usize,
}

/// The arguments of the running function.
#[inline]
pub(crate) fn arguments(state: &LuaState) -> Values {
    let first = state.current_call_info().func.0 + 1;
    (first..state.top_idx().0).map(|slot| state.get_at(StackIdx(slot))).collect()
}

/// How many there are.
pub(crate) fn count(state: &LuaState) -> usize {
    state.top_idx().0.saturating_sub(state.current_call_info().func.0 + 1) as usize
}

/// Argument `index`, from 1; nil past the last one.
pub(crate) fn argument(state: &LuaState, index: usize) -> LuaValue {
    let slot = state.current_call_info().func.0 as usize + index;
    if slot < state.top_idx().0 as usize {
        state.get_at(StackIdx(slot as u32))
    } else {
        LuaValue::Nil
    }
}

/// Cuts or fills the arguments to exactly `count`.
pub(crate) fn set_count(state: &mut LuaState, count: usize) {
    let wanted = state.current_call_info().func.0 + 1 + count as u32;
    while state.top_idx().0 < wanted {
        state.push(LuaValue::Nil);
    }
    state.set_top_idx(StackIdx(wanted));
}

/// Pushes results and says how many.
#[inline]
pub(crate) fn results(state: &mut LuaState, values: &[LuaValue]) -> Result<usize, LuaError> {
    if values.len() > 8 && !lua_vm::api::check_stack(state, values.len() as i32) {
        return Err(message(state, b"stack overflow"));
    }
    for value in values {
        state.push(*value);
    }
    Ok(values.len())
}

/// The kind of argument `index`, from 1.
pub(crate) fn kind(state: &LuaState, index: usize) -> Kind {
    if index > count(state) { Kind::None } else { kind_of(&argument(state, index)) }
}

/// `luaL_checktype` for a table (`lauxlib.c`).
pub(crate) fn table(state: &mut LuaState, index: usize) -> Result<GcRef<LuaTable>, LuaError> {
    match argument(state, index) {
        LuaValue::Table(table) => Ok(table),
        _ => Err(wrong_type(state, index, "table")),
    }
}

/// `luaL_checkany`.
pub(crate) fn any(state: &mut LuaState, index: usize) -> Result<LuaValue, LuaError> {
    if index > count(state) {
        return Err(argument_error(state, index, b"value expected"));
    }
    Ok(argument(state, index))
}

/// `luaL_typerror`.
pub(crate) fn wrong_type(state: &mut LuaState, index: usize, expected: &str) -> LuaError {
    let got = kind(state, index).name();
    argument_error(state, index, format!("{expected} expected, got {got}").as_bytes())
}

/// `luaL_argerror`; `index` counts from 1.
pub(crate) fn argument_error(state: &mut LuaState, index: usize, text: &[u8]) -> LuaError {
    let mut index = index as i64;
    let mut debug = LuaDebug::default();
    let mut name: Vec<u8> = b"?".to_vec();
    if get_stack(state, 0, &mut debug) {
        get_info(state, b"n", &mut debug);
        if let Some(found) = debug.name.take().filter(|name| !name.is_empty()) {
            name = found;
        }
        if debug.namewhat == Some(b"method") {
            index -= 1;
            if index == 0 {
                let parts: [&[u8]; 5] = [b"calling '", &name, b"' on bad self (", text, b")"];
                return message(state, &parts.concat());
            }
        }
    }
    let number = index.to_string();
    let parts: [&[u8]; 7] =
        [b"bad argument #", number.as_bytes(), b" to '", &name, b"' (", text, b")"];
    message(state, &parts.concat())
}

/// `luaL_error`: a message with the position of the caller.
pub(crate) fn message(state: &LuaState, text: &[u8]) -> LuaError {
    c_api_runtime(state, text.to_vec())
}

/// A message as it is.
pub(crate) fn plain(text: &[u8]) -> LuaError {
    LuaError::RuntimeMsg(text.into())
}

/// What is raised when there is no memory.
pub(crate) fn no_memory() -> LuaError {
    plain(b"not enough memory")
}

/// The value that a caught error is.
pub(crate) fn value_of(error: LuaError) -> Result<LuaValue, &'static [u8]> {
    match error {
        LuaError::Memory => Err(b"not enough memory"),
        LuaError::Error => Err(b"error in error handling"),
        error => Ok(error.into_value()),
    }
}

/// `table[name] = value`, raw.
pub(crate) fn set_field(
    state: &mut LuaState,
    table: &GcRef<LuaTable>,
    name: &[u8],
    value: LuaValue,
) -> Result<(), LuaError> {
    let key = state.intern_str(name)?;
    set(state, table, LuaValue::Str(key), value)
}

/// `table[key] = value`, raw; the key is neither nil nor NaN.
#[inline]
pub(crate) fn set(
    state: &mut LuaState,
    table: &GcRef<LuaTable>,
    key: LuaValue,
    value: LuaValue,
) -> Result<(), LuaError> {
    state.gc_table_barrier_back(table, &value);
    table.raw_set(state, key, value)
}

/// Makes a Lua function of a closure.
pub(crate) fn closure(
    state: &mut LuaState,
    f: impl Fn(&mut LuaState) -> Result<usize, LuaError> + 'static,
) -> LuaValue {
    LuaValue::Function(LuaClosure::LightC(register(state, f)))
}

/// Makes a Lua function of one of this crate's.
pub(crate) fn function(state: &mut LuaState, shared: &Rc<Shared>, f: Function) -> LuaValue {
    let shared = shared.clone();
    closure(state, move |state| f(state, &shared))
}

/// Registers a closure and returns its number.
pub(crate) fn register(
    state: &mut LuaState,
    f: impl Fn(&mut LuaState) -> Result<usize, LuaError> + 'static,
) -> usize {
    let functions = &mut state.global_mut().c_functions;
    functions.push(LuaCallable::rust(Rc::new(f)));
    functions.len() - 1
}

/// A function of that number with upvalues.
pub(crate) fn with_upvalues(number: usize, upvalues: Vec<LuaValue>) -> LuaValue {
    let upvalues = RefCell::new(upvalues);
    let function = GcRef::new(LuaCClosure { func: number, upvalues });
    function.account_buffer(function.buffer_bytes() as isize);
    LuaValue::Function(LuaClosure::C(function))
}

/// The first upvalue of the running function.
pub(crate) fn upvalue(state: &LuaState) -> LuaValue {
    match state.get_at(state.current_call_info().func) {
        LuaValue::Function(LuaClosure::C(function)) => {
            function.upvalues.borrow().first().copied().unwrap_or_default()
        }
        _ => LuaValue::Nil,
    }
}

/// The kind of a value.
#[inline]
pub(crate) fn kind_of(value: &LuaValue) -> Kind {
    match value {
        LuaValue::Nil => Kind::Nil,
        LuaValue::Bool(_) => Kind::Boolean,
        LuaValue::Int(_) | LuaValue::Float(_) => Kind::Number,
        LuaValue::Str(_) => Kind::String,
        LuaValue::Table(_) => Kind::Table,
        LuaValue::Function(_) => Kind::Function,
        // The only userdata there is stands for the null pointer.
        LuaValue::UserData(_) | LuaValue::LightUserData(_) => Kind::LightUserData,
        LuaValue::Thread(_) => Kind::Thread,
    }
}

/// Chunk name and line of the function at `level` of the call stack (0 is the running one), or
/// of its caller when that is not a Lua function.
pub(crate) fn location(state: &mut LuaState, level: i32) -> Option<(Vec<u8>, i64)> {
    for level in [level, level + 1] {
        let mut debug = LuaDebug::default();
        if !get_stack(state, level, &mut debug) {
            return None;
        }
        get_info(state, b"Sl", &mut debug);
        if debug.what != Some(b"C") {
            return Some((debug.source.unwrap_or_default(), i64::from(debug.currentline)));
        }
    }
    Some((b"=[C]".to_vec(), -1))
}
