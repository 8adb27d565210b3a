//! Read-only tables for a Lua that has none.
//!
//! Owns the stand-in: an empty table whose metatable reads from the real one and refuses writes.
//! It must not know which tables are read-only.

use std::ffi::{c_int, c_void};

use crate::ffi::{self, lua_State};

/// Addresses that serve as keys no script can make.
static TARGET: u8 = 0;
static SHOWN: u8 = 0;

fn key(of: &'static u8) -> *mut c_void {
    std::ptr::from_ref(of).cast_mut().cast()
}

/// Replaces the table on top of the stack by a stand-in for it.
///
/// `refuse` is the absolute index of the function that raises on a write; `shown` that of the
/// value `getmetatable` is to answer, or 0 for nil.
///
/// # Safety
/// The top of the stack is a table; 5 slots are free; memory is not limited.
pub(crate) unsafe fn push_proxy(lua: *mut lua_State, refuse: c_int, shown: c_int) {
    // SAFETY: by contract; all sets are raw, on tables made here.
    unsafe {
        let real = ffi::lua_gettop(lua);
        ffi::lua_createtable(lua, 0, 0);
        ffi::lua_createtable(lua, 0, 4);
        ffi::lua_pushlightuserdata(lua, key(&TARGET));
        ffi::lua_pushvalue(lua, real);
        ffi::lua_rawset(lua, -3);
        if shown != 0 {
            ffi::lua_pushlightuserdata(lua, key(&SHOWN));
            ffi::lua_pushvalue(lua, shown);
            ffi::lua_rawset(lua, -3);
        }
        raw_field(lua, c"__index", real);
        raw_field(lua, c"__newindex", refuse);
        ffi::lua_setmetatable(lua, -2);
        ffi::lua_replace(lua, real);
    }
}

/// Makes the stand-in at `index` read from the table on top of the stack, which it pops.
///
/// # Safety
/// There is a stand-in at the absolute `index` and a table on top; 3 slots are free.
pub(crate) unsafe fn retarget(lua: *mut lua_State, index: c_int) {
    // SAFETY: by contract the stand-in has a metatable made by `push_proxy`; sets are raw.
    unsafe {
        let real = ffi::lua_gettop(lua);
        ffi::lua_getmetatable(lua, index);
        ffi::lua_pushlightuserdata(lua, key(&TARGET));
        ffi::lua_pushvalue(lua, real);
        ffi::lua_rawset(lua, -3);
        raw_field(lua, c"__index", real);
        ffi::lua_settop(lua, real - 1);
    }
}

/// When the table at `index` is a stand-in, pushes the real one and returns `true`.
///
/// # Safety
/// There is a table at `index`; 2 slots are free. Stack +1 or 0. Neither raises nor allocates.
#[inline]
pub(crate) unsafe fn push_target(lua: *mut lua_State, index: c_int) -> bool {
    // SAFETY: by contract.
    unsafe { push_marked(lua, index, &TARGET) }
}

/// When the table at `index` is a stand-in, pushes what `getmetatable` answers for it and
/// returns `true`.
///
/// # Safety
/// As for [`push_target`].
pub(crate) unsafe fn push_shown(lua: *mut lua_State, index: c_int) -> bool {
    // SAFETY: by contract.
    unsafe {
        if !is_proxy(lua, index) {
            return false;
        }
        if !push_marked(lua, index, &SHOWN) {
            ffi::lua_pushnil(lua);
        }
        true
    }
}

/// Whether the table at `index` is a stand-in.
///
/// # Safety
/// As for [`push_target`]. Stack 0.
pub(crate) unsafe fn is_proxy(lua: *mut lua_State, index: c_int) -> bool {
    // SAFETY: by contract.
    unsafe {
        let proxy = push_target(lua, index);
        if proxy {
            ffi::lua_settop(lua, -2);
        }
        proxy
    }
}

/// Pushes the field `mark` of the metatable at `index` when there is one.
///
/// # Safety
/// As for [`push_target`].
#[inline]
unsafe fn push_marked(lua: *mut lua_State, index: c_int, mark: &'static u8) -> bool {
    // SAFETY: by contract.
    unsafe {
        if ffi::lua_getmetatable(lua, index) == 0 {
            return false;
        }
        ffi::lua_pushlightuserdata(lua, key(mark));
        ffi::lua_rawget(lua, -2);
        if ffi::lua_type(lua, -1) == ffi::LUA_TNIL {
            ffi::lua_settop(lua, -3);
            return false;
        }
        ffi::lua_replace(lua, -2);
        true
    }
}

/// `table[name] = value at absolute index` (raw) on the table on top of the stack.
///
/// # Safety
/// The top is a table; 2 slots are free; memory is not limited.
unsafe fn raw_field(lua: *mut lua_State, name: &std::ffi::CStr, value: c_int) {
    // SAFETY: by contract.
    unsafe {
        ffi::lua_pushlstring(lua, name.as_ptr(), name.count_bytes());
        ffi::lua_pushvalue(lua, value);
        ffi::lua_rawset(lua, -3);
    }
}
