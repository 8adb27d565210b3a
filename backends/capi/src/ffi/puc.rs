//! The interface of PUC-Rio Lua 5.1 and 5.4, declared here.
//!
//! Owns the declarations and, for Lua 5.4, the older names that its headers have dropped. The
//! library itself comes from the crate that is named by the cargo feature. `rlua`'s crates
//! declare callbacks as `extern "C"`, which must not raise; ours do.

#![allow(non_camel_case_types, non_snake_case, reason = "the names are those of Lua's headers")]
#![allow(dead_code, reason = "some are for one of the two versions only")]

use std::ffi::{c_char, c_int, c_void};

#[cfg(feature = "mlua-lua54")]
use mlua as _;
#[cfg(feature = "rlua-lua51")]
use rlua_lua51_sys as _;
#[cfg(feature = "rlua-lua54")]
use rlua_lua54_sys as _;

/// A Lua state or a coroutine of one.
#[repr(C)]
pub(crate) struct lua_State {
    _opaque: [u8; 0],
}

/// A function that Lua calls.
pub(crate) type lua_CFunction = unsafe extern "C-unwind" fn(*mut lua_State) -> c_int;
/// Hands Lua's compiler a piece of source.
pub(crate) type lua_Reader =
    unsafe extern "C-unwind" fn(*mut lua_State, *mut c_void, *mut usize) -> *const c_char;
/// Receives the events that `lua_sethook` asked for.
pub(crate) type lua_Hook = unsafe extern "C-unwind" fn(*mut lua_State, *mut lua_Debug);
type lua_Alloc = unsafe extern "C" fn(*mut c_void, *mut c_void, usize, usize) -> *mut c_void;

/// A frame of the call stack (`lua_Debug`).
#[repr(C)]
pub(crate) struct lua_Debug {
    pub(crate) event: c_int,
    pub(crate) name: *const c_char,
    pub(crate) namewhat: *const c_char,
    pub(crate) what: *const c_char,
    pub(crate) source: *const c_char,
    #[cfg(lua54)]
    source_len: usize,
    pub(crate) currentline: c_int,
    #[cfg(lua51)]
    upvalues: c_int,
    line_defined: c_int,
    last_line_defined: c_int,
    #[cfg(lua54)]
    counts: [u8; 4],
    #[cfg(lua54)]
    transfer: [u16; 2],
    pub(crate) short_src: [c_char; 60],
    #[cfg(lua51)]
    frame: c_int,
    #[cfg(lua54)]
    frame: *mut c_void,
}

pub(crate) const LUA_MULTRET: c_int = -1;
pub(crate) const LUA_NOREF: c_int = -2;
pub(crate) const LUA_ERRRUN: c_int = 2;
pub(crate) const LUA_ERRMEM: c_int = 4;
pub(crate) const LUA_TNIL: c_int = 0;
pub(crate) const LUA_TBOOLEAN: c_int = 1;
pub(crate) const LUA_TLIGHTUSERDATA: c_int = 2;
pub(crate) const LUA_TNUMBER: c_int = 3;
pub(crate) const LUA_TSTRING: c_int = 4;
pub(crate) const LUA_TTABLE: c_int = 5;
pub(crate) const LUA_TFUNCTION: c_int = 6;
pub(crate) const LUA_TUSERDATA: c_int = 7;
pub(crate) const LUA_TTHREAD: c_int = 8;
pub(crate) const LUA_GCCOLLECT: c_int = 2;
pub(crate) const LUA_GCSETPAUSE: c_int = 6;
pub(crate) const LUA_GCSETSTEPMUL: c_int = 7;
pub(crate) const LUA_HOOKCOUNT: c_int = 3;
pub(crate) const LUA_MASKLINE: c_int = 1 << 2;
pub(crate) const LUA_MASKCOUNT: c_int = 1 << 3;

unsafe extern "C-unwind" {
    pub(crate) fn lua_newstate(allocate: lua_Alloc, ud: *mut c_void) -> *mut lua_State;
    pub(crate) fn lua_close(lua: *mut lua_State);
    pub(crate) fn lua_gettop(lua: *mut lua_State) -> c_int;
    pub(crate) fn lua_settop(lua: *mut lua_State, index: c_int);
    pub(crate) fn lua_pushvalue(lua: *mut lua_State, index: c_int);
    pub(crate) fn lua_checkstack(lua: *mut lua_State, slots: c_int) -> c_int;
    pub(crate) fn lua_type(lua: *mut lua_State, index: c_int) -> c_int;
    pub(crate) fn lua_typename(lua: *mut lua_State, kind: c_int) -> *const c_char;
    pub(crate) fn lua_iscfunction(lua: *mut lua_State, index: c_int) -> c_int;
    pub(crate) fn lua_isnumber(lua: *mut lua_State, index: c_int) -> c_int;
    pub(crate) fn lua_isstring(lua: *mut lua_State, index: c_int) -> c_int;
    pub(crate) fn lua_toboolean(lua: *mut lua_State, index: c_int) -> c_int;
    pub(crate) fn lua_tolstring(
        lua: *mut lua_State,
        index: c_int,
        len: *mut usize,
    ) -> *const c_char;
    pub(crate) fn lua_tocfunction(lua: *mut lua_State, index: c_int) -> Option<lua_CFunction>;
    pub(crate) fn lua_touserdata(lua: *mut lua_State, index: c_int) -> *mut c_void;
    pub(crate) fn lua_topointer(lua: *mut lua_State, index: c_int) -> *const c_void;
    pub(crate) fn lua_pushnil(lua: *mut lua_State);
    pub(crate) fn lua_pushnumber(lua: *mut lua_State, value: f64);
    pub(crate) fn lua_pushboolean(lua: *mut lua_State, value: c_int);
    pub(crate) fn lua_pushlightuserdata(lua: *mut lua_State, value: *mut c_void);
    pub(crate) fn lua_pushcclosure(lua: *mut lua_State, function: lua_CFunction, upvalues: c_int);
    pub(crate) fn lua_createtable(lua: *mut lua_State, array: c_int, hash: c_int);
    pub(crate) fn lua_getmetatable(lua: *mut lua_State, index: c_int) -> c_int;
    pub(crate) fn lua_setmetatable(lua: *mut lua_State, index: c_int) -> c_int;
    #[cfg(lua54)]
    pub(crate) fn lua_pushthread(lua: *mut lua_State) -> c_int;
    pub(crate) fn lua_rawequal(lua: *mut lua_State, left: c_int, right: c_int) -> c_int;
    pub(crate) fn lua_rawset(lua: *mut lua_State, index: c_int);
    #[cfg(lua51)]
    pub(crate) fn lua_setfenv(lua: *mut lua_State, index: c_int) -> c_int;
    pub(crate) fn lua_next(lua: *mut lua_State, index: c_int) -> c_int;
    pub(crate) fn lua_concat(lua: *mut lua_State, count: c_int);
    pub(crate) fn lua_error(lua: *mut lua_State) -> c_int;
    pub(crate) fn lua_getallocf(lua: *mut lua_State, ud: *mut *mut c_void) -> lua_Alloc;
    pub(crate) fn lua_getstack(lua: *mut lua_State, level: c_int, frame: *mut lua_Debug) -> c_int;
    pub(crate) fn lua_getinfo(
        lua: *mut lua_State,
        what: *const c_char,
        frame: *mut lua_Debug,
    ) -> c_int;
    pub(crate) fn lua_getlocal(
        lua: *mut lua_State,
        frame: *const lua_Debug,
        index: c_int,
    ) -> *const c_char;
    pub(crate) fn lua_newthread(lua: *mut lua_State) -> *mut lua_State;
    pub(crate) fn lua_gethookcount(lua: *mut lua_State) -> c_int;
    pub(crate) fn lua_sethook(
        lua: *mut lua_State,
        hook: Option<lua_Hook>,
        mask: c_int,
        count: c_int,
    );
    pub(crate) fn luaL_argerror(
        lua: *mut lua_State,
        argument: c_int,
        message: *const c_char,
    ) -> c_int;
    pub(crate) fn luaL_checkany(lua: *mut lua_State, argument: c_int);
    pub(crate) fn luaL_checklstring(
        lua: *mut lua_State,
        argument: c_int,
        len: *mut usize,
    ) -> *const c_char;
    pub(crate) fn luaL_optlstring(
        lua: *mut lua_State,
        argument: c_int,
        default: *const c_char,
        len: *mut usize,
    ) -> *const c_char;
    pub(crate) fn luaL_checknumber(lua: *mut lua_State, argument: c_int) -> f64;
    pub(crate) fn luaL_checktype(lua: *mut lua_State, argument: c_int, kind: c_int);
    pub(crate) fn luaL_checkstack(lua: *mut lua_State, slots: c_int, message: *const c_char);
    pub(crate) fn luaL_error(lua: *mut lua_State, format: *const c_char, ...) -> c_int;
    pub(crate) fn luaL_gsub(
        lua: *mut lua_State,
        text: *const c_char,
        pattern: *const c_char,
        replacement: *const c_char,
    ) -> *const c_char;
    pub(crate) fn luaL_ref(lua: *mut lua_State, table: c_int) -> c_int;
    pub(crate) fn luaL_unref(lua: *mut lua_State, table: c_int, reference: c_int);
    pub(crate) fn luaL_where(lua: *mut lua_State, level: c_int);
    fn luaopen_base(lua: *mut lua_State) -> c_int;
    fn luaopen_table(lua: *mut lua_State) -> c_int;
    fn luaopen_string(lua: *mut lua_State) -> c_int;
    fn luaopen_math(lua: *mut lua_State) -> c_int;
}

#[cfg(lua51)]
pub(crate) use lua51_only::*;
#[cfg(lua54)]
pub(crate) use lua54_only::*;

/// What is Lua 5.1's alone.
#[cfg(lua51)]
mod lua51_only {
    use super::*;

    const LUA_GLOBALSINDEX: c_int = -10002;
    pub(crate) const LUA_REGISTRYINDEX: c_int = -10000;

    unsafe extern "C-unwind" {
        pub(crate) fn lua_insert(lua: *mut lua_State, index: c_int);
        pub(crate) fn lua_replace(lua: *mut lua_State, index: c_int);
        pub(crate) fn lua_tonumber(lua: *mut lua_State, index: c_int) -> f64;
        pub(crate) fn lua_objlen(lua: *mut lua_State, index: c_int) -> usize;
        pub(crate) fn lua_pushlstring(lua: *mut lua_State, text: *const c_char, len: usize);
        pub(crate) fn lua_gettable(lua: *mut lua_State, index: c_int);
        pub(crate) fn lua_lessthan(lua: *mut lua_State, left: c_int, right: c_int) -> c_int;
        pub(crate) fn lua_rawget(lua: *mut lua_State, index: c_int);
        pub(crate) fn lua_rawgeti(lua: *mut lua_State, index: c_int, key: c_int);
        pub(crate) fn lua_rawseti(lua: *mut lua_State, index: c_int, key: c_int);
        pub(crate) fn lua_call(lua: *mut lua_State, arguments: c_int, results: c_int);
        pub(crate) fn lua_pcall(
            lua: *mut lua_State,
            arguments: c_int,
            results: c_int,
            handler: c_int,
        ) -> c_int;
        pub(crate) fn lua_load(
            lua: *mut lua_State,
            reader: lua_Reader,
            data: *mut c_void,
            name: *const c_char,
        ) -> c_int;
        pub(crate) fn lua_gc(lua: *mut lua_State, what: c_int, data: c_int) -> c_int;
        pub(crate) fn luaL_checkinteger(lua: *mut lua_State, argument: c_int) -> isize;
        pub(crate) fn luaL_optinteger(
            lua: *mut lua_State,
            argument: c_int,
            default: isize,
        ) -> isize;
    }

    /// The index of a C function's upvalue.
    pub(crate) const fn lua_upvalueindex(index: c_int) -> c_int {
        LUA_GLOBALSINDEX - index
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
            // SAFETY: Lua 5.1 opens libraries by calling them; with unlimited memory they do
            // not raise.
            unsafe {
                lua_pushcclosure(lua, open, 0);
                lua_pushlstring(lua, c"".as_ptr(), 0);
                lua_call(lua, 1, 0);
            }
        }
    }
}

/// Lua 5.4 under the names of Lua 5.1. Each function takes the slots and raises as the one of
/// Lua 5.1 does.
#[cfg(lua54)]
#[allow(clippy::missing_safety_doc, reason = "the contracts are those of Lua 5.1's functions")]
mod lua54_only {
    use super::*;

    pub(crate) const LUA_REGISTRYINDEX: c_int = -1_001_000;
    const LUA_RIDX_GLOBALS: i64 = 2;

    unsafe extern "C-unwind" {
        fn lua_rotate(lua: *mut lua_State, index: c_int, count: c_int);
        fn lua_copy(lua: *mut lua_State, from: c_int, to: c_int);
        fn lua_rawlen(lua: *mut lua_State, index: c_int) -> u64;
        fn lua_tonumberx(lua: *mut lua_State, index: c_int, is: *mut c_int) -> f64;
        fn lua_pushinteger(lua: *mut lua_State, value: i64);
        fn lua_callk(
            lua: *mut lua_State,
            arguments: c_int,
            results: c_int,
            context: isize,
            continuation: *const c_void,
        );
        fn lua_pcallk(
            lua: *mut lua_State,
            arguments: c_int,
            results: c_int,
            handler: c_int,
            context: isize,
            continuation: *const c_void,
        ) -> c_int;
        #[link_name = "lua_load"]
        fn load_with_mode(
            lua: *mut lua_State,
            reader: lua_Reader,
            data: *mut c_void,
            name: *const c_char,
            mode: *const c_char,
        ) -> c_int;
        #[link_name = "lua_pushlstring"]
        fn push_string(lua: *mut lua_State, text: *const c_char, len: usize) -> *const c_char;
        fn lua_compare(lua: *mut lua_State, left: c_int, right: c_int, operator: c_int) -> c_int;
        #[link_name = "lua_gettable"]
        fn get_table(lua: *mut lua_State, index: c_int) -> c_int;
        #[link_name = "lua_rawget"]
        fn raw_get(lua: *mut lua_State, index: c_int) -> c_int;
        #[link_name = "lua_rawgeti"]
        fn raw_get_i(lua: *mut lua_State, index: c_int, key: i64) -> c_int;
        #[link_name = "lua_rawseti"]
        fn raw_set_i(lua: *mut lua_State, index: c_int, key: i64);
        #[link_name = "lua_gc"]
        fn collector(lua: *mut lua_State, what: c_int, ...) -> c_int;
        fn lua_getupvalue(lua: *mut lua_State, index: c_int, upvalue: c_int) -> *const c_char;
        fn lua_setupvalue(lua: *mut lua_State, index: c_int, upvalue: c_int) -> *const c_char;
        fn luaopen_coroutine(lua: *mut lua_State) -> c_int;
        fn luaL_requiref(
            lua: *mut lua_State,
            name: *const c_char,
            open: lua_CFunction,
            global: c_int,
        );
    }

    /// The index of a C function's upvalue.
    pub(crate) const fn lua_upvalueindex(index: c_int) -> c_int {
        LUA_REGISTRYINDEX - index
    }

    // SAFETY of the blocks below: each function's contract is that of Lua 5.1's function of its
    // name, which is what the calls in it ask for.

    #[inline(always)]
    pub(crate) unsafe fn lua_insert(lua: *mut lua_State, index: c_int) {
        // SAFETY: see above.
        unsafe { lua_rotate(lua, index, 1) }
    }

    #[inline(always)]
    pub(crate) unsafe fn lua_replace(lua: *mut lua_State, index: c_int) {
        // SAFETY: see above.
        unsafe {
            lua_copy(lua, -1, index);
            lua_settop(lua, -2);
        }
    }

    #[inline(always)]
    pub(crate) unsafe fn lua_tonumber(lua: *mut lua_State, index: c_int) -> f64 {
        // SAFETY: see above.
        unsafe { lua_tonumberx(lua, index, std::ptr::null_mut()) }
    }

    #[inline(always)]
    pub(crate) unsafe fn lua_objlen(lua: *mut lua_State, index: c_int) -> usize {
        // SAFETY: see above.
        unsafe { lua_rawlen(lua, index) as usize }
    }

    #[inline(always)]
    pub(crate) unsafe fn lua_pushlstring(lua: *mut lua_State, text: *const c_char, len: usize) {
        // SAFETY: see above.
        unsafe {
            push_string(lua, text, len);
        }
    }

    #[inline(always)]
    pub(crate) unsafe fn lua_lessthan(lua: *mut lua_State, left: c_int, right: c_int) -> c_int {
        const LUA_OPLT: c_int = 1;
        // SAFETY: see above.
        unsafe { lua_compare(lua, left, right, LUA_OPLT) }
    }

    #[inline(always)]
    pub(crate) unsafe fn lua_gettable(lua: *mut lua_State, index: c_int) {
        // SAFETY: see above.
        unsafe {
            get_table(lua, index);
        }
    }

    #[inline(always)]
    pub(crate) unsafe fn lua_rawget(lua: *mut lua_State, index: c_int) {
        // SAFETY: see above.
        unsafe {
            raw_get(lua, index);
        }
    }

    #[inline(always)]
    pub(crate) unsafe fn lua_rawgeti(lua: *mut lua_State, index: c_int, key: c_int) {
        // SAFETY: see above.
        unsafe {
            raw_get_i(lua, index, key.into());
        }
    }

    #[inline(always)]
    pub(crate) unsafe fn lua_rawseti(lua: *mut lua_State, index: c_int, key: c_int) {
        // SAFETY: see above.
        unsafe { raw_set_i(lua, index, key.into()) }
    }

    #[inline(always)]
    pub(crate) unsafe fn lua_call(lua: *mut lua_State, arguments: c_int, results: c_int) {
        // SAFETY: see above.
        unsafe { lua_callk(lua, arguments, results, 0, std::ptr::null()) }
    }

    #[inline(always)]
    pub(crate) unsafe fn lua_pcall(
        lua: *mut lua_State,
        arguments: c_int,
        results: c_int,
        handler: c_int,
    ) -> c_int {
        // SAFETY: see above.
        unsafe { lua_pcallk(lua, arguments, results, handler, 0, std::ptr::null()) }
    }

    pub(crate) unsafe fn lua_load(
        lua: *mut lua_State,
        reader: lua_Reader,
        data: *mut c_void,
        name: *const c_char,
    ) -> c_int {
        // SAFETY: see above; the mode admits text only.
        unsafe { load_with_mode(lua, reader, data, name, c"t".as_ptr()) }
    }

    pub(crate) unsafe fn lua_gc(lua: *mut lua_State, what: c_int, data: c_int) -> c_int {
        // SAFETY: see above; the options used here take at most one int.
        unsafe { collector(lua, what, data) }
    }

    /// Pushes an integer: Lua 5.4 writes an integral float with a `.0`, Lua 5.1 without.
    #[inline(always)]
    pub(crate) unsafe fn push_integer(lua: *mut lua_State, value: i64) {
        // SAFETY: see above.
        unsafe { lua_pushinteger(lua, value) }
    }

    /// `luaL_checkinteger` as in Lua 5.1, which takes any number and cuts it off.
    pub(crate) unsafe fn luaL_checkinteger(lua: *mut lua_State, argument: c_int) -> isize {
        // SAFETY: see above.
        unsafe { luaL_checknumber(lua, argument) as isize }
    }

    pub(crate) unsafe fn luaL_optinteger(
        lua: *mut lua_State,
        argument: c_int,
        default: isize,
    ) -> isize {
        // SAFETY: see above.
        unsafe {
            if lua_type(lua, argument) <= LUA_TNIL {
                default
            } else {
                luaL_checkinteger(lua, argument)
            }
        }
    }

    /// Pushes the table of globals.
    pub(crate) unsafe fn push_globals(lua: *mut lua_State) {
        // SAFETY: see above.
        unsafe {
            raw_get_i(lua, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
        }
    }

    /// Makes the table on top of the stack, which is popped, the globals of what is compiled
    /// from now on.
    pub(crate) unsafe fn set_globals(lua: *mut lua_State) {
        // SAFETY: see above; the field exists, so nothing is allocated.
        unsafe { raw_set_i(lua, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS) }
    }

    /// Makes the table on top of the stack, which is popped, the environment of the chunk at
    /// `index`: its only upvalue. Functions pinned elsewhere have others.
    pub(crate) unsafe fn reset_environment(lua: *mut lua_State, index: c_int) {
        // SAFETY: see above; a name that is not `_ENV` or no upvalue at all is left alone.
        unsafe {
            let name = lua_getupvalue(lua, index, 1);
            if name.is_null() {
                lua_settop(lua, -2);
                return;
            }
            lua_settop(lua, -2);
            if std::ffi::CStr::from_ptr(name) == c"_ENV" {
                lua_setupvalue(lua, index, 1);
            } else {
                lua_settop(lua, -2);
            }
        }
    }

    /// Opens the libraries that scripts see some of. Stack 0; memory must not be limited.
    pub(crate) unsafe fn open_libraries(lua: *mut lua_State) {
        let libraries: [(&std::ffi::CStr, lua_CFunction); 5] = [
            (c"_G", luaopen_base),
            (c"table", luaopen_table),
            (c"string", luaopen_string),
            (c"math", luaopen_math),
            (c"coroutine", luaopen_coroutine),
        ];
        for (name, open) in libraries {
            // SAFETY: see above; with unlimited memory it does not raise.
            unsafe {
                luaL_requiref(lua, name.as_ptr(), open, 1);
                lua_settop(lua, -2);
            }
        }
    }
}
