//! `coroutine.create` and `coroutine.wrap`: coroutines that can be interrupted.
//!
//! Owns the arming of new threads. Resuming and yielding are omniLua's.

use std::rc::Rc;

use lua_types::closure::LuaClosure;
use lua_types::{LuaError, LuaValue};
use lua_vm::state::LuaState;

use crate::frame::{
    argument, argument_error, count, message, no_memory, upvalue, with_upvalues, wrong_type,
};
use crate::interrupt;
use crate::shared::Shared;

/// `coroutine.create`.
pub(crate) fn create(state: &mut LuaState, shared: &Rc<Shared>) -> Result<usize, LuaError> {
    // `luaB_cocreate` takes Lua functions only.
    let body = match argument(state, 1) {
        body @ LuaValue::Function(LuaClosure::Lua(_)) => body,
        LuaValue::Function(_) => {
            return Err(argument_error(state, 1, b"Lua function expected"));
        }
        _ if count(state) == 0 || !matches!(argument(state, 1), LuaValue::Function(_)) => {
            return Err(argument_error(state, 1, b"Lua function expected"));
        }
        _ => return Err(wrong_type(state, 1, "function")),
    };
    shared.coroutines.set(true);
    state.gc_check_step();
    lua_vm::state::new_thread(state, Some(body))?;
    if let LuaValue::Thread(thread) = state.peek_top() {
        let entry = state.global().threads.get(&thread.id).map(|entry| entry.state.clone());
        if let Some(entry) = entry {
            interrupt::arm(&mut entry.borrow_mut(), shared);
        }
    }
    if shared.over_limit(state) { Err(no_memory()) } else { Ok(1) }
}

/// `coroutine.wrap`.
pub(crate) fn wrap(state: &mut LuaState, shared: &Rc<Shared>) -> Result<usize, LuaError> {
    create(state, shared)?;
    let thread = state.pop();
    let function = shared.fixed.get().map_or(0, |fixed| fixed.wrapped);
    state.push(with_upvalues(function, vec![thread]));
    Ok(1)
}

/// What `wrap` returned: resumes the coroutine and raises its errors (`luaB_auxwrap`).
pub(crate) fn wrapped(state: &mut LuaState, shared: &Rc<Shared>) -> Result<usize, LuaError> {
    let thread = upvalue(state);
    state.push(thread);
    state.insert(1)?;
    let results = lua_stdlib::coro_lib::co_resume(state)?;
    let first = state.top_idx().0 - results as u32;
    if matches!(state.get_at(lua_types::StackIdx(first)), LuaValue::Bool(true)) {
        return Ok(results - 1);
    }
    let raised = state.pop();
    if interrupt::tripped(state, shared).is_some() {
        return Err(LuaError::from_value(raised));
    }
    Err(match &raised {
        LuaValue::Str(text) => message(state, text.as_bytes()),
        LuaValue::Int(_) | LuaValue::Float(_) => {
            let text = redlua_conversions::number::g14(crate::reader::number(&raised));
            message(state, &text)
        }
        _ => LuaError::from_value(raised),
    })
}
