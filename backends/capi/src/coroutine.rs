//! Calls from C into Lua, counted: LuaJIT nests them on the C stack without counting.
//!
//! Owns the limit, which is that of Lua 5.1 (`LUAI_MAXCCALLS`), and the functions that call: those
//! of the C interface, of which some call metamethods, `coroutine.resume` and `coroutine.wrap`. PUC-Rio Lua and Luau count
//! themselves.

use std::ffi::c_int;

use crate::ffi::{self, lua_State};
use crate::state::state_of;

/// How many calls may be inside one another.
const LUAI_MAXCCALLS: u32 = 200;
const TEXT: &std::ffi::CStr = c"C stack overflow";

/// `lua_call`. An error leaves the count as it is: whoever catches it takes it back.
///
/// # Safety
/// As in Lua 5.1.
pub(crate) unsafe fn lua_call(lua: *mut lua_State, arguments: c_int, results: c_int) {
    // SAFETY: by contract.
    unsafe {
        nested(lua, || mlua::ffi::lua_call(lua, arguments, results));
    }
}

/// `lua_gettable`.
///
/// # Safety
/// As in Lua 5.1.
pub(crate) unsafe fn lua_gettable(lua: *mut lua_State, index: c_int) {
    // SAFETY: by contract.
    unsafe { nested(lua, || mlua::ffi::lua_gettable_(lua, index)) }
}

/// `lua_lessthan`.
///
/// # Safety
/// As in Lua 5.1.
pub(crate) unsafe fn lua_lessthan(lua: *mut lua_State, left: c_int, right: c_int) -> c_int {
    // SAFETY: by contract.
    unsafe { nested(lua, || mlua::ffi::lua_lessthan(lua, left, right)) }
}

/// Runs what calls into Lua one level deeper, or raises.
///
/// # Safety
/// `lua` is live, and nothing that needs dropping is owned by who is called nor by `call`.
pub(crate) unsafe fn nested<R>(lua: *mut lua_State, call: impl FnOnce() -> R) -> R {
    // SAFETY: by contract.
    unsafe {
        let nesting = &state_of(lua).nesting;
        let depth = nesting.get();
        if depth >= LUAI_MAXCCALLS {
            ffi::luaL_error(lua, TEXT.as_ptr());
        }
        nesting.set(depth + 1);
        let result = call();
        nesting.set(depth);
        result
    }
}

/// `lua_pcall`.
///
/// # Safety
/// As in Lua 5.1.
pub(crate) unsafe fn lua_pcall(
    lua: *mut lua_State,
    arguments: c_int,
    results: c_int,
    handler: c_int,
) -> c_int {
    // SAFETY: by contract; the function and its arguments give way to the message.
    unsafe {
        let nesting = &state_of(lua).nesting;
        let depth = nesting.get();
        if depth >= LUAI_MAXCCALLS {
            ffi::lua_settop(lua, -2 - arguments);
            ffi::lua_pushlstring(lua, TEXT.as_ptr(), TEXT.count_bytes());
            return ffi::LUA_ERRRUN;
        }
        nesting.set(depth + 1);
        let status = mlua::ffi::lua_pcall(lua, arguments, results, handler);
        nesting.set(depth);
        status
    }
}

/// `coroutine.resume`, with the stock one as its upvalue.
///
/// # Safety
/// Called by Lua.
unsafe extern "C-unwind" fn resume(lua: *mut lua_State) -> c_int {
    // SAFETY: the stock function checks its arguments itself; with a coroutine as the first one
    // it does not raise.
    unsafe {
        if ffi::lua_type(lua, 1) != ffi::LUA_TTHREAD {
            return ffi::luaL_argerror(lua, 1, c"coroutine expected".as_ptr());
        }
        let nesting = &state_of(lua).nesting;
        let depth = nesting.get();
        if depth >= LUAI_MAXCCALLS {
            ffi::lua_pushboolean(lua, 0);
            ffi::lua_pushlstring(lua, TEXT.as_ptr(), TEXT.count_bytes());
            return 2;
        }
        ffi::lua_pushvalue(lua, ffi::lua_upvalueindex(1));
        ffi::lua_insert(lua, 1);
        lua_call(lua, ffi::lua_gettop(lua) - 1, ffi::LUA_MULTRET);
        nesting.set(depth);
        if ffi::lua_toboolean(lua, 1) == 0 {
            crate::wording::reword_at(lua, 2);
        }
        ffi::lua_gettop(lua)
    }
}

/// `coroutine.wrap`: a function that resumes the coroutine and raises its errors. The upvalues
/// are the stock `coroutine.create` and `coroutine.resume`.
///
/// # Safety
/// Called by Lua.
unsafe extern "C-unwind" fn wrap(lua: *mut lua_State) -> c_int {
    // SAFETY: the stock function's result is the coroutine.
    unsafe {
        crate::dialect::check_lua_function(lua);
        ffi::lua_settop(lua, 1);
        ffi::lua_pushvalue(lua, ffi::lua_upvalueindex(1));
        ffi::lua_insert(lua, 1);
        lua_call(lua, 1, 1);
        ffi::lua_pushvalue(lua, ffi::lua_upvalueindex(2));
        ffi::lua_pushcclosure(lua, wrapped, 2);
        1
    }
}

/// What `wrap` returned.
///
/// # Safety
/// Called by Lua, with the coroutine and `coroutine.resume` as its upvalues.
unsafe extern "C-unwind" fn wrapped(lua: *mut lua_State) -> c_int {
    // SAFETY: the stock function returns a boolean and the results or the error.
    unsafe {
        let nesting = &state_of(lua).nesting;
        let depth = nesting.get();
        ffi::lua_pushvalue(lua, ffi::lua_upvalueindex(2));
        ffi::lua_insert(lua, 1);
        ffi::lua_pushvalue(lua, ffi::lua_upvalueindex(1));
        ffi::lua_insert(lua, 2);
        lua_call(lua, ffi::lua_gettop(lua) - 1, ffi::LUA_MULTRET);
        nesting.set(depth);
        if ffi::lua_toboolean(lua, 1) != 0 {
            return ffi::lua_gettop(lua) - 1;
        }
        ffi::lua_settop(lua, 2);
        crate::wording::reword_at(lua, 2);
        if ffi::lua_type(lua, 2) == ffi::LUA_TSTRING {
            ffi::luaL_where(lua, 1);
            ffi::lua_insert(lua, 2);
            ffi::lua_concat(lua, 2);
        }
        ffi::lua_error(lua)
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
        crate::sandbox::push_stock(lua, library, "create");
        crate::sandbox::push_stock(lua, library, "resume");
        ffi::lua_pushvalue(lua, -1);
        ffi::lua_pushcclosure(lua, resume, 1);
        crate::sandbox::set_top(lua, library, "resume");
        ffi::lua_pushcclosure(lua, wrap, 2);
        crate::sandbox::set_top(lua, library, "wrap");
        ffi::lua_settop(lua, library - 1);
    }
}
