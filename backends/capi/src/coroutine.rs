//! Coroutines for LuaJIT, which nests them on the C stack without counting.
//!
//! Owns `coroutine.resume` and `coroutine.wrap` with a limit of their nesting. PUC-Rio Lua counts
//! itself (`LUAI_MAXCCALLS`) and needs neither.

use std::ffi::c_int;

use crate::ffi::{self, lua_State};
use crate::state::state_of;

/// How many coroutines may run inside one another.
const NESTING: u32 = 100;

/// `coroutine.resume`, with the stock one as its first upvalue.
///
/// # Safety
/// Called by Lua.
pub(crate) unsafe extern "C-unwind" fn resume(lua: *mut lua_State) -> c_int {
    // SAFETY: the stock function checks its arguments itself; with a coroutine as the first one
    // it does not raise, so the count is always taken back.
    unsafe {
        if ffi::lua_type(lua, 1) != ffi::LUA_TTHREAD {
            return call_stock(lua);
        }
        let nesting = &state_of(lua).nesting;
        if nesting.get() >= NESTING {
            ffi::lua_pushboolean(lua, 0);
            ffi::lua_pushlstring(lua, c"C stack overflow".as_ptr(), 16);
            return 2;
        }
        nesting.set(nesting.get() + 1);
        let results = call_stock(lua);
        nesting.set(nesting.get() - 1);
        if ffi::lua_toboolean(lua, 1) == 0 {
            crate::wording::reword_at(lua, 2);
        }
        results
    }
}

/// `coroutine.wrap`: a function that resumes the coroutine and raises its errors. The upvalues
/// are the stock `coroutine.create` and the counting `coroutine.resume`.
///
/// # Safety
/// Called by Lua.
pub(crate) unsafe extern "C-unwind" fn wrap(lua: *mut lua_State) -> c_int {
    // SAFETY: the stock function checks the argument; its result is the coroutine.
    unsafe {
        crate::dialect::check_lua_function(lua);
        ffi::lua_settop(lua, 1);
        ffi::lua_pushvalue(lua, ffi::lua_upvalueindex(1));
        ffi::lua_insert(lua, 1);
        ffi::lua_call(lua, 1, 1);
        ffi::lua_pushvalue(lua, ffi::lua_upvalueindex(2));
        ffi::lua_pushcclosure(lua, wrapped, 2);
        1
    }
}

/// What `wrap` returned.
///
/// # Safety
/// Called by Lua, with the coroutine and `resume` as its upvalues.
unsafe extern "C-unwind" fn wrapped(lua: *mut lua_State) -> c_int {
    // SAFETY: `resume` returns a boolean and the results or the error.
    unsafe {
        ffi::lua_pushvalue(lua, ffi::lua_upvalueindex(2));
        ffi::lua_insert(lua, 1);
        ffi::lua_pushvalue(lua, ffi::lua_upvalueindex(1));
        ffi::lua_insert(lua, 2);
        ffi::lua_call(lua, ffi::lua_gettop(lua) - 1, ffi::LUA_MULTRET);
        if ffi::lua_toboolean(lua, 1) != 0 {
            return ffi::lua_gettop(lua) - 1;
        }
        ffi::lua_settop(lua, 2);
        if ffi::lua_type(lua, 2) == ffi::LUA_TSTRING {
            ffi::luaL_where(lua, 1);
            ffi::lua_insert(lua, 2);
            ffi::lua_concat(lua, 2);
        }
        ffi::lua_error(lua)
    }
}

/// Runs the stock function with the arguments of this call.
///
/// # Safety
/// Called in a C function whose first upvalue is that function.
unsafe fn call_stock(lua: *mut lua_State) -> c_int {
    // SAFETY: by contract.
    unsafe {
        ffi::lua_pushvalue(lua, ffi::lua_upvalueindex(1));
        ffi::lua_insert(lua, 1);
        ffi::lua_call(lua, ffi::lua_gettop(lua) - 1, ffi::LUA_MULTRET);
        ffi::lua_gettop(lua)
    }
}

/// Puts both in place of the stock functions.
///
/// # Safety
/// The globals are the table at the absolute index `globals`, memory is not limited, 5 slots are
/// free. Stack 0.
pub(crate) unsafe fn install(lua: *mut lua_State, globals: c_int) {
    // SAFETY: the library is a table of functions; sets are raw.
    unsafe {
        crate::sandbox::push_stock(lua, globals, "coroutine");
        let library = ffi::lua_gettop(lua);
        crate::sandbox::push_stock(lua, library, "resume");
        ffi::lua_pushcclosure(lua, resume, 1);
        crate::sandbox::set_top(lua, library, "resume");
        crate::sandbox::push_stock(lua, library, "create");
        crate::sandbox::push_stock(lua, library, "resume");
        ffi::lua_pushcclosure(lua, wrap, 2);
        crate::sandbox::set_top(lua, library, "wrap");
        ffi::lua_settop(lua, library - 1);
    }
}
