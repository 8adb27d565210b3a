//! Lua 5.1's interface as `mlua` declares it.
//!
//! `mlua` lays newer names over Lua 5.1's functions (a push that also reads back, gets that
//! return types); the hot path wants the plain ones.

use std::ffi::{c_char, c_int, c_void};

#[cfg(luajit)]
pub(crate) use crate::coroutine::{lua_call, lua_gettable, lua_lessthan, lua_pcall};
pub(crate) use mlua::ffi::{
    LUA_ERRMEM, LUA_ERRRUN, LUA_GCCOLLECT, LUA_GCSETPAUSE, LUA_GCSETSTEPMUL, LUA_HOOKCOUNT,
    LUA_MASKCOUNT, LUA_MASKLINE, LUA_MULTRET, LUA_NOREF, LUA_REGISTRYINDEX, LUA_TBOOLEAN,
    LUA_TFUNCTION, LUA_TLIGHTUSERDATA, LUA_TNIL, LUA_TNUMBER, LUA_TSTRING, LUA_TTABLE, LUA_TTHREAD,
    LUA_TUSERDATA, lua_CFunction, lua_Debug, lua_State, lua_checkstack, lua_close, lua_concat,
    lua_createtable, lua_error, lua_gc, lua_getallocf, lua_gethookcount, lua_getinfo, lua_getlocal,
    lua_getmetatable, lua_getstack, lua_gettop, lua_insert, lua_isnumber, lua_isstring,
    lua_newstate, lua_newthread, lua_next, lua_objlen, lua_pushboolean, lua_pushcclosure,
    lua_pushlightuserdata, lua_pushnil, lua_pushnumber, lua_pushvalue, lua_rawequal, lua_rawset,
    lua_replace, lua_setfenv, lua_sethook, lua_setmetatable, lua_settop, lua_toboolean,
    lua_tocfunction, lua_tolstring, lua_tonumber, lua_topointer, lua_touserdata, lua_type,
    lua_upvalueindex, luaL_argerror, luaL_checkany, luaL_checkinteger, luaL_checklstring,
    luaL_checktype, luaL_error, luaL_optlstring, luaL_ref, luaL_unref, luaL_where,
};
use mlua::ffi::{
    LUA_GLOBALSINDEX, lua_Reader, luaopen_base, luaopen_math, luaopen_string, luaopen_table,
};
#[cfg(not(luajit))]
pub(crate) use mlua::ffi::{
    lua_call, lua_gettable_ as lua_gettable, lua_lessthan, lua_pcall,
    luaL_checkstack_ as luaL_checkstack, luaL_gsub, luaL_optinteger,
};
#[cfg(luajit)]
pub(crate) use mlua::ffi::{
    lua_dump_ as lua_dump, lua_iscfunction, lua_pushthread, lua_typename, luaopen_jit,
};
pub(crate) use mlua::ffi::{
    lua_pushlstring_ as lua_pushlstring, lua_rawget_ as lua_rawget, lua_rawgeti_ as lua_rawgeti,
    lua_rawseti_ as lua_rawseti,
};

/// Switches LuaJIT's compiler on, or off with all that it has compiled.
///
/// # Safety
/// `lua` is live, its library `jit` was opened, and nothing runs in it. Does not raise.
#[cfg(luajit)]
pub(crate) unsafe fn set_compiler(lua: *mut lua_State, on: bool) {
    const LUAJIT_MODE_ON: c_int = 0x100;
    const LUAJIT_MODE_FLUSH: c_int = 0x200;
    unsafe extern "C-unwind" {
        fn luaJIT_setmode(lua: *mut lua_State, index: c_int, mode: c_int) -> c_int;
    }
    // SAFETY: by contract; the mode 0 is that of the whole engine.
    unsafe {
        if on {
            luaJIT_setmode(lua, 0, LUAJIT_MODE_ON);
        } else {
            luaJIT_setmode(lua, 0, LUAJIT_MODE_FLUSH);
            luaJIT_setmode(lua, 0, 0);
        }
    }
}

/// `lua_load` of text.
///
/// # Safety
/// As for `lua_load`.
pub(crate) unsafe fn lua_load(
    lua: *mut lua_State,
    reader: lua_Reader,
    data: *mut c_void,
    name: *const c_char,
) -> c_int {
    // SAFETY: by contract.
    unsafe { mlua::ffi::lua_load(lua, reader, data, name) }
}

/// Pushes the table of globals.
///
/// # Safety
/// 1 slot is free. Neither raises nor allocates.
pub(crate) unsafe fn push_globals(lua: *mut lua_State) {
    // SAFETY: by contract.
    unsafe { lua_pushvalue(lua, LUA_GLOBALSINDEX) }
}

/// Makes the table on top of the stack, which is popped, the globals.
///
/// # Safety
/// A table is on top. Neither raises nor allocates.
pub(crate) unsafe fn set_globals(lua: *mut lua_State) {
    // SAFETY: by contract.
    unsafe { lua_replace(lua, LUA_GLOBALSINDEX) }
}

/// Opens the libraries that scripts see some of.
///
/// # Safety
/// `lua` is a fresh state; memory is not limited. Stack 0.
pub(crate) unsafe fn open_libraries(lua: *mut lua_State) {
    for open in [luaopen_base, luaopen_table, luaopen_string, luaopen_math] {
        // SAFETY: Lua 5.1 opens libraries by calling them; with unlimited memory they do not
        // raise.
        unsafe {
            lua_pushcclosure(lua, open, 0);
            lua_pushlstring(lua, c"".as_ptr(), 0);
            lua_call(lua, 1, 0);
        }
    }
}
