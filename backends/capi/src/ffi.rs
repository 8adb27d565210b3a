//! The C interface of the Lua that this build links, as Lua 5.1's own headers have it.
//!
//! `mlua` lays newer names over Lua 5.1's functions (a push that also reads back, gets that
//! return types); the hot path wants the plain ones.

#[cfg(feature = "mlua-luajit")]
pub(crate) use mlua::ffi::luaopen_jit;
pub(crate) use mlua::ffi::{
    LUA_ERRMEM, LUA_ERRRUN, LUA_GCCOLLECT, LUA_GCSETPAUSE, LUA_GCSETSTEPMUL, LUA_GLOBALSINDEX,
    LUA_HOOKCOUNT, LUA_MASKCOUNT, LUA_MASKLINE, LUA_MULTRET, LUA_NOREF, LUA_REGISTRYINDEX,
    LUA_TBOOLEAN, LUA_TFUNCTION, LUA_TLIGHTUSERDATA, LUA_TNIL, LUA_TNUMBER, LUA_TSTRING,
    LUA_TTABLE, LUA_TTHREAD, LUA_TUSERDATA, lua_CFunction, lua_Debug, lua_State, lua_call,
    lua_checkstack, lua_close, lua_concat, lua_createtable, lua_error, lua_gc, lua_getallocf,
    lua_getinfo, lua_getlocal, lua_getmetatable, lua_getstack, lua_gettop, lua_insert,
    lua_isnumber, lua_isstring, lua_load, lua_newstate, lua_newthread, lua_next, lua_objlen,
    lua_pcall, lua_pushboolean, lua_pushcclosure, lua_pushlightuserdata, lua_pushnil,
    lua_pushnumber, lua_pushvalue, lua_rawset, lua_replace, lua_sethook, lua_setmetatable,
    lua_settop, lua_toboolean, lua_tocfunction, lua_tolstring, lua_tonumber, lua_topointer,
    lua_touserdata, lua_type, lua_upvalueindex, luaL_argerror, luaL_checkany, luaL_checkinteger,
    luaL_checklstring, luaL_checktype, luaL_error, luaL_gsub, luaL_optinteger, luaL_optlstring,
    luaL_ref, luaL_unref, luaL_where, luaopen_base, luaopen_math, luaopen_string, luaopen_table,
};
pub(crate) use mlua::ffi::{
    lua_gettable_ as lua_gettable, lua_pushlstring_ as lua_pushlstring, lua_rawget_ as lua_rawget,
    lua_rawgeti_ as lua_rawgeti, lua_rawseti_ as lua_rawseti, luaL_checkstack_ as luaL_checkstack,
};
