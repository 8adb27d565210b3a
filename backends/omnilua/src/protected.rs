//! `pcall`, `xpcall` and the calls that must not raise.
//!
//! Owns what happens to a caught error. It must not know what is called.
//!
//! Lua 5.1 cannot yield across `pcall`; omniLua's own can, so these are not its own.

use std::rc::Rc;

use lua_types::{LuaError, LuaStatus, LuaValue};
use lua_vm::state::LuaState;

use crate::debug;
use crate::frame::{
    any, argument, arguments, count, message, set_count, upvalue, value_of, with_upvalues,
};
use crate::interrupt;
use crate::shared::Shared;

/// All results.
const ALL: i32 = -1;
/// How often a message handler that fails is called with its own error: until C Lua gives up
/// (`LUAI_MAXCCALLS`).
const HANDLERS: usize = 200;

/// Calls the function below the last `arguments` values and leaves one result; the value raised
/// when it fails.
pub(crate) fn call(
    state: &mut LuaState,
    arguments: usize,
    results: i32,
    handler: i32,
) -> Result<(), LuaValue> {
    match lua_vm::api::pcall_k(state, arguments as i32, results, handler, 0, None) {
        Ok(LuaStatus::Ok) => Ok(()),
        Ok(_) => Err(state.pop()),
        Err(error) => Err(match value_of(error) {
            Ok(value) => value,
            Err(text) => state.intern_str(text).map(LuaValue::Str).unwrap_or_default(),
        }),
    }
}

/// `pcall` that returns the text of an error table in place of the table (`luaRedisPcall` in
/// `script_lua.c`).
pub(crate) fn pcall(state: &mut LuaState, shared: &Rc<Shared>) -> Result<usize, LuaError> {
    // Redis' own checks nothing: it calls what it has pushed itself.
    if count(state) == 0 {
        state.push(LuaValue::Bool(false));
        let text = state.intern_str(b"attempt to call a boolean value")?;
        state.push(LuaValue::Str(text));
        return Ok(2);
    }
    let passed = count(state) - 1;
    let reword = shared.fixed.get().map(|fixed| fixed.reword).unwrap_or_default();
    state.push(reword);
    state.insert(1)?;
    match call(state, passed, ALL, 1) {
        Ok(()) => {
            state.push(LuaValue::Bool(true));
            state.insert(2)?;
            Ok(count(state) - 1)
        }
        Err(raised) => {
            let raised = debug::caught(state, shared).unwrap_or(raised);
            stopped(state, shared, raised)?;
            set_count(state, 0);
            state.push(raised);
            let (raised, more) = unwrapped(state, shared, raised)?;
            set_count(state, 0);
            state.push(LuaValue::Bool(false));
            state.push(raised);
            Ok(match more {
                Some(field) => {
                    state.push(field);
                    3
                }
                None => 2,
            })
        }
    }
}

/// What `pcall` returns for an error: of a table its text, or itself and what it has instead.
fn unwrapped(
    state: &mut LuaState,
    shared: &Shared,
    raised: LuaValue,
) -> Result<(LuaValue, Option<LuaValue>), LuaError> {
    let field = shared.fixed.get().map_or("", |fixed| fixed.unwrap_field);
    if field.is_empty() || !matches!(raised, LuaValue::Table(_)) {
        return Ok((raised, None));
    }
    let key = LuaValue::Str(state.intern_str(field.as_bytes())?);
    let text = state.table_get_with_tm(&raised, &key)?;
    let string = matches!(text, LuaValue::Str(_) | LuaValue::Int(_) | LuaValue::Float(_));
    Ok(if string { (text, None) } else { (raised, Some(text)) })
}

/// `xpcall`.
pub(crate) fn xpcall(state: &mut LuaState, shared: &Rc<Shared>) -> Result<usize, LuaError> {
    any(state, 2)?;
    let (function, handler) = (argument(state, 1), argument(state, 2));
    let guarded = shared.fixed.get().map_or(0, |fixed| fixed.guarded_handler);
    set_count(state, 2);
    let handler = with_upvalues(guarded, vec![handler]);
    state.push(handler);
    state.insert(1)?;
    set_count(state, 1);
    state.push(function);
    match call(state, 0, ALL, 1) {
        Ok(()) => {
            state.push(LuaValue::Bool(true));
            state.insert(2)?;
            Ok(count(state) - 1)
        }
        Err(raised) => {
            let raised = debug::caught(state, shared).unwrap_or(raised);
            stopped(state, shared, raised)?;
            set_count(state, 0);
            state.push(LuaValue::Bool(false));
            state.push(raised);
            Ok(2)
        }
    }
}

/// The message handler of `xpcall`, with the script's own as its upvalue. It does not run when
/// the script is being stopped, and does not fail: omniLua would call it again for ever.
pub(crate) fn guarded_handler(
    state: &mut LuaState,
    shared: &Rc<Shared>,
) -> Result<usize, LuaError> {
    let handler = upvalue(state);
    let mut raised = reworded(state, argument(state, 1))?;
    if interrupt::tripped(state, shared).is_some() {
        state.push(raised);
        return Ok(1);
    }
    if matches!(handler, LuaValue::Function(_)) {
        for _ in 0..HANDLERS {
            set_count(state, 0);
            state.push(handler);
            state.push(raised);
            match call(state, 1, 1, 0) {
                Ok(()) => return Ok(1),
                Err(again) => raised = again,
            }
            if interrupt::tripped(state, shared).is_some() {
                break;
            }
        }
    }
    let text = state.intern_str(b"error in error handling")?;
    state.push(LuaValue::Str(text));
    Ok(1)
}

/// Messages that omniLua words in its own way, or raises without a position.
const WORDS: [(&[u8], &[u8]); 3] = [
    (b"'__index' chain too long; possible loop", b"loop in gettable"),
    (b"'__newindex' chain too long; possible loop", b"loop in settable"),
    (b"table index is NaN", b"table index is NaN"),
];

/// The message handler of `pcall`: words an error as Lua 5.1 does.
pub(crate) fn reword(state: &mut LuaState, _: &Rc<Shared>) -> Result<usize, LuaError> {
    let raised = reworded(state, argument(state, 1))?;
    state.push(raised);
    Ok(1)
}

/// A message as Lua 5.1 words it; called in a message handler.
pub(crate) fn reworded(state: &mut LuaState, raised: LuaValue) -> Result<LuaValue, LuaError> {
    let LuaValue::Str(text) = &raised else { return Ok(raised) };
    let known = WORDS.iter().find(|(theirs, _)| *theirs == text.as_bytes());
    let Some((_, ours)) = known else { return Ok(raised) };
    match message(state, ours) {
        LuaError::RuntimeMsg(text) => Ok(LuaValue::Str(state.intern_str(&text)?)),
        error => Ok(error.into_value()),
    }
}

/// Raises again what nothing may catch.
pub(crate) fn stopped(state: &LuaState, shared: &Shared, raised: LuaValue) -> Result<(), LuaError> {
    match interrupt::tripped(state, shared) {
        Some(_) => Err(LuaError::from_value(raised)),
        None => Ok(()),
    }
}

/// Runs a library function of omniLua in the present frame.
pub(crate) fn stock(state: &mut LuaState, number: usize) -> Result<usize, LuaError> {
    let function = state.global().c_functions.get(number).cloned();
    match function {
        Some(function) => function.call(state),
        None => Ok(arguments(state).len()),
    }
}
