//! Luau's interface under the names of Lua 5.1, from which it has grown.
//!
//! Owns what Luau does in another way: compiling is apart from loading, frames are asked for by
//! level, functions of C carry the name that error messages show.

#![allow(non_snake_case, reason = "the names are those of Lua's headers")]

use std::cell::Cell;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;

pub(crate) use mlua::ffi::{
    LUA_ERRMEM, LUA_ERRRUN, LUA_GCCOLLECT, LUA_MULTRET, LUA_NOREF, LUA_REGISTRYINDEX, LUA_TBOOLEAN,
    LUA_TFUNCTION, LUA_TLIGHTUSERDATA, LUA_TNIL, LUA_TNUMBER, LUA_TSTRING, LUA_TTABLE, LUA_TTHREAD,
    LUA_TUSERDATA, lua_CFunction, lua_State, lua_call, lua_callbacks, lua_checkstack, lua_close,
    lua_concat, lua_createtable, lua_gc, lua_getallocf, lua_getmetatable, lua_gettop, lua_insert,
    lua_iscfunction, lua_isnumber, lua_isstring, lua_lessthan, lua_newstate, lua_next, lua_objlen,
    lua_pcall, lua_pushboolean, lua_pushlightuserdata, lua_pushnil, lua_pushnumber, lua_pushthread,
    lua_pushvalue, lua_rawequal, lua_rawset, lua_replace, lua_setmetatable, lua_settop,
    lua_toboolean, lua_tocfunction, lua_tolstring, lua_tonumber, lua_topointer, lua_touserdata,
    lua_type, lua_typename, lua_upvalueindex, luaL_checklstring, luaL_checknumber, luaL_optlstring,
    luaL_ref, luaL_unref, luaL_where,
};
use mlua::ffi::{
    LUA_GLOBALSINDEX, lua_CompileOptions, lua_getinfo, lua_getlocal, lua_pushcclosurek,
    lua_pushfstring, luaopen_base, luaopen_coroutine, luaopen_math, luaopen_string, luaopen_table,
    luau_compile_, luau_load,
};
pub(crate) use mlua::ffi::{lua_Debug, lua_newthread, lua_singlestep, lua_stackdepth};
pub(crate) use mlua::ffi::{lua_pushlstring_ as lua_pushlstring, lua_rawseti_ as lua_rawseti};

/// Luau's collector is set up in other units; scripts see no difference.
pub(crate) const LUA_GCSETPAUSE: c_int = -1;
/// The same.
pub(crate) const LUA_GCSETSTEPMUL: c_int = -1;

thread_local! {
    /// The name of functions pushed next.
    static NAME: Cell<*const c_char> = const { Cell::new(ptr::null()) };
}

/// Runs `push` with `name` as the name of the functions that it pushes. Names of 63 bytes and
/// more are none.
pub(crate) fn named<R>(name: &str, push: impl FnOnce() -> R) -> R {
    let mut text = [0u8; 64];
    let mut pointer = ptr::null();
    if let Some(room) = text.get_mut(..name.len())
        && name.len() < 63
    {
        room.copy_from_slice(name.as_bytes());
        pointer = text.as_ptr().cast();
    }
    let before = NAME.replace(pointer);
    let result = push();
    NAME.set(before);
    result
}

// SAFETY of the blocks below: each function's contract is that of Lua 5.1's function of its name,
// which is what the calls in it ask for.

/// `lua_pushcclosure`, with the name of [`named`].
///
/// # Safety
/// As in Lua 5.1.
pub(crate) unsafe fn lua_pushcclosure(lua: *mut lua_State, function: lua_CFunction, count: c_int) {
    // SAFETY: see above; Luau copies the name.
    unsafe { lua_pushcclosurek(lua, function, NAME.get(), count, None) }
}

/// `lua_gettable`.
///
/// # Safety
/// As in Lua 5.1.
#[inline(always)]
pub(crate) unsafe fn lua_gettable(lua: *mut lua_State, index: c_int) {
    // SAFETY: see above.
    unsafe {
        mlua::ffi::lua_gettable(lua, index);
    }
}

/// `lua_rawget`.
///
/// # Safety
/// As in Lua 5.1.
#[inline(always)]
pub(crate) unsafe fn lua_rawget(lua: *mut lua_State, index: c_int) {
    // SAFETY: see above.
    unsafe {
        mlua::ffi::lua_rawget(lua, index);
    }
}

/// `lua_rawgeti`.
///
/// # Safety
/// As in Lua 5.1.
#[inline(always)]
pub(crate) unsafe fn lua_rawgeti(lua: *mut lua_State, index: c_int, key: c_int) {
    // SAFETY: see above.
    unsafe {
        mlua::ffi::lua_rawgeti_(lua, index, key);
    }
}

/// `luaL_checkinteger`, which takes any number and cuts it off.
///
/// # Safety
/// As in Lua 5.1.
pub(crate) unsafe fn luaL_checkinteger(lua: *mut lua_State, argument: c_int) -> isize {
    // SAFETY: see above.
    unsafe { luaL_checknumber(lua, argument) as isize }
}

// Luau declares that these do not return, the others that they return an int.
unsafe extern "C-unwind" {
    pub(crate) fn lua_error(lua: *mut lua_State) -> c_int;
    #[link_name = "luaL_errorL"]
    pub(crate) fn luaL_error(lua: *mut lua_State, format: *const c_char, ...) -> c_int;
}

/// `luaL_argerror` in the words of Lua 5.1. Luau's functions carry their own names; Lua 5.1 looks
/// at the call, which has none when a function of C makes it.
///
/// # Safety
/// As in Lua 5.1.
pub(crate) unsafe fn luaL_argerror(
    lua: *mut lua_State,
    argument: c_int,
    message: *const c_char,
) -> c_int {
    // SAFETY: see above; lua_Debug is plain data that lua_getinfo fills in.
    unsafe {
        let mut ar: lua_Debug = std::mem::zeroed();
        let known = lua_getinfo(lua, 0, c"n".as_ptr(), &mut ar) != 0 && !ar.name.is_null();
        let called = frame(lua, 1).is_some_and(|caller| !caller.native);
        let name = if known && called { ar.name } else { c"?".as_ptr() };
        luaL_error(lua, c"bad argument #%d to '%s' (%s)".as_ptr(), argument, name, message)
    }
}

/// `luaL_checkany`.
///
/// # Safety
/// As in Lua 5.1.
pub(crate) unsafe fn luaL_checkany(lua: *mut lua_State, argument: c_int) {
    // SAFETY: see above.
    unsafe {
        if lua_type(lua, argument) < LUA_TNIL {
            luaL_argerror(lua, argument, c"value expected".as_ptr());
        }
    }
}

/// `luaL_checktype`.
///
/// # Safety
/// As in Lua 5.1.
pub(crate) unsafe fn luaL_checktype(lua: *mut lua_State, argument: c_int, kind: c_int) {
    // SAFETY: see above; the names of types are never freed.
    unsafe {
        let found = lua_type(lua, argument);
        if found != kind {
            let name = |kind| match kind {
                ..LUA_TNIL => c"no value".as_ptr(),
                kind => lua_typename(lua, kind),
            };
            lua_pushfstring(lua, c"%s expected, got %s".as_ptr(), name(kind), name(found));
            luaL_argerror(lua, argument, lua_tolstring(lua, -1, ptr::null_mut()));
        }
    }
}

/// What Luau's compiler has made of a text.
pub(crate) struct Code {
    block: ptr::NonNull<c_char>,
    size: usize,
}

// SAFETY: the block is this value's alone, and `free` takes it on any thread.
unsafe impl Send for Code {}

impl Drop for Code {
    fn drop(&mut self) {
        unsafe extern "C" {
            fn free(block: *mut c_void);
        }
        // SAFETY: the compiler returns a block of `malloc`; nobody else frees it.
        unsafe { free(self.block.as_ptr().cast()) }
    }
}

/// Compiles text; a syntax error is put into the code. `None` for lack of memory.
pub(crate) fn compile(text: &[u8]) -> Option<Code> {
    let mut size = 0;
    // The names of variables, for who debugs a script.
    let mut options = lua_CompileOptions::default();
    options.debugLevel = 2;
    // SAFETY: the compiler reads the text and the options, and shares nothing with other calls.
    let block = unsafe { luau_compile_(text.as_ptr().cast(), text.len(), &mut options, &mut size) };
    ptr::NonNull::new(block).map(|block| Code { block, size })
}

/// Pushes the function of the code, or the message; returns Lua's status.
///
/// # Safety
/// `name` is a C string; a slot is free; memory is not limited. Does not raise.
pub(crate) unsafe fn load(lua: *mut lua_State, code: &Code, name: *const c_char) -> c_int {
    // SAFETY: by contract; with unlimited memory the loader does not raise.
    let status = unsafe { luau_load(lua, name, code.block.as_ptr(), code.size, 0) };
    if status == 0 { 0 } else { mlua::ffi::LUA_ERRSYNTAX }
}

/// Pushes the table of globals.
///
/// # Safety
/// 1 slot is free. Neither raises nor allocates.
pub(crate) unsafe fn push_globals(lua: *mut lua_State) {
    // SAFETY: see above.
    unsafe { lua_pushvalue(lua, LUA_GLOBALSINDEX) }
}

/// Makes the table on top of the stack, which is popped, the globals.
///
/// # Safety
/// A table is on top. Neither raises nor allocates.
pub(crate) unsafe fn set_globals(lua: *mut lua_State) {
    // SAFETY: see above.
    unsafe { lua_replace(lua, LUA_GLOBALSINDEX) }
}

/// Opens the libraries that scripts see some of.
///
/// # Safety
/// `lua` is a fresh state; memory is not limited. Stack 0.
pub(crate) unsafe fn open_libraries(lua: *mut lua_State) {
    let open = [luaopen_base, luaopen_table, luaopen_string, luaopen_math, luaopen_coroutine];
    for open in open {
        // SAFETY: libraries are opened by calling them; with unlimited memory they do not raise.
        unsafe {
            lua_pushcclosurek(lua, open, ptr::null(), 0, None);
            lua_call(lua, 0, 0);
        }
    }
}

/// A frame of the call stack.
pub(crate) struct Frame<'a> {
    /// Whether its function is one of C.
    pub(crate) native: bool,
    /// The chunk's name.
    pub(crate) source: &'a CStr,
    /// The line, or -1.
    pub(crate) line: c_int,
}

/// The frame at `level`, 0 being the running function.
///
/// # Safety
/// The result is used only while that function is on the call stack. Stack 0. Does not raise.
pub(crate) unsafe fn frame<'a>(lua: *mut lua_State, level: c_int) -> Option<Frame<'a>> {
    // SAFETY: lua_Debug is plain data that lua_getinfo fills in.
    unsafe {
        let mut ar: lua_Debug = std::mem::zeroed();
        if lua_getinfo(lua, level, c"sl".as_ptr(), &mut ar) == 0 {
            return None;
        }
        Some(Frame {
            native: CStr::from_ptr(ar.what) == c"C",
            source: CStr::from_ptr(ar.source),
            line: ar.currentline,
        })
    }
}

/// Describes the function at `level`: name, source and line. Returns whether there is one.
///
/// # Safety
/// `lua` is live; the names are used only while the function is on the call stack. Stack 0. Does
/// not raise.
pub(crate) unsafe fn describe(lua: *mut lua_State, level: c_int, ar: &mut lua_Debug) -> bool {
    // SAFETY: by contract.
    unsafe { lua_getinfo(lua, level, c"snl".as_ptr(), ar) != 0 }
}

/// The source as messages show it.
///
/// # Safety
/// [`describe`] has filled `ar` in.
pub(crate) unsafe fn short_source(ar: &lua_Debug) -> &CStr {
    // SAFETY: by contract.
    unsafe { CStr::from_ptr(ar.short_src) }
}

/// Pushes a local variable of the function at `level` and returns its name; null when there is none.
///
/// # Safety
/// `lua` is live; a slot is free. Stack +1 or 0. Does not raise.
pub(crate) unsafe fn local(
    lua: *mut lua_State,
    level: c_int,
    index: c_int,
    _ar: &mut lua_Debug,
) -> *const c_char {
    // SAFETY: by contract.
    unsafe { lua_getlocal(lua, level, index) }
}
