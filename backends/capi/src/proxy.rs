//! Read-only tables for a Lua that has none.
//!
//! Owns the stand-in: an empty table whose metatable reads from the real one and refuses writes.
//! It must not know which tables are read-only.

use std::ffi::{c_int, c_void};

use crate::ffi::{self, lua_State};
use crate::layout;

/// Addresses that serve as keys no script can make.
static TARGET: u8 = 0;
static SHOWN: u8 = 0;
static ORDER: u8 = 0;

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

/// Gives the table at the absolute index `table` a metatable that holds the order of its keys, the
/// list of their names on top of the stack, which is popped. `missing` is the absolute index of
/// its `__index`, or 0 for none.
///
/// # Safety
/// There is a table at `table` and another on top; 4 slots are free; memory is not limited.
pub(crate) unsafe fn set_order(lua: *mut lua_State, table: c_int, missing: c_int) {
    // SAFETY: by contract; all sets are raw, on a table made here.
    unsafe {
        let order = ffi::lua_gettop(lua);
        ffi::lua_createtable(lua, 0, 2);
        ffi::lua_pushlightuserdata(lua, key(&ORDER));
        ffi::lua_pushvalue(lua, order);
        ffi::lua_rawset(lua, -3);
        if missing != 0 {
            raw_field(lua, c"__index", missing);
        }
        ffi::lua_setmetatable(lua, table);
        ffi::lua_settop(lua, order - 1);
    }
}

/// `next` for the real table of a stand-in at index 1 and a key at index 2: pushes the next key
/// that has a value and its value, in the order of [`set_order`]; returns whether there was one,
/// or `None` when the key is not one of the table's.
///
/// # Safety
/// Called in a C function with those arguments. Stack +2 or 0. Neither raises nor allocates.
pub(crate) unsafe fn push_next(lua: *mut lua_State) -> Option<bool> {
    // SAFETY: by contract.
    unsafe {
        let top = ffi::lua_gettop(lua);
        if !push_marked(lua, 1, &ORDER) {
            return None;
        }
        let order = top + 1;
        let mut position = 0;
        // Few keys, and hardly anybody walks such a table: from the front.
        while ffi::lua_type(lua, 2) != ffi::LUA_TNIL {
            position += 1;
            ffi::lua_rawgeti(lua, order, position);
            if ffi::lua_type(lua, -1) == ffi::LUA_TNIL {
                ffi::lua_settop(lua, top);
                return None;
            }
            if ffi::lua_rawequal(lua, -1, 2) != 0 {
                break;
            }
            ffi::lua_settop(lua, order);
        }
        ffi::lua_settop(lua, top);
        Some(push_pair(lua, 1, position).is_some())
    }
}

/// Whether the table at the absolute `index` is one that has an order of its own.
///
/// # Safety
/// There is a table at `index`. Stack 0; 2 slots in between. Does not raise.
#[inline]
pub(crate) unsafe fn is_ordered(lua: *mut lua_State, index: c_int) -> bool {
    // SAFETY: by contract.
    unsafe {
        if layout::is_known() && !layout::has_metatable(&*layout::slot(lua, index))
            || ffi::lua_checkstack(lua, 2) == 0
        {
            return false;
        }
        let ordered = push_marked(lua, index, &ORDER);
        if ordered {
            ffi::lua_settop(lua, -2);
        }
        ordered
    }
}

/// Pushes the first key behind `position` in the order of the table at the absolute index `table`
/// and its value, and returns that key's position; `None` at the end.
///
/// # Safety
/// There is a table at `table`; 3 slots are free. Stack +2 or 0. Neither raises nor allocates.
pub(crate) unsafe fn push_pair(
    lua: *mut lua_State,
    table: c_int,
    mut position: c_int,
) -> Option<c_int> {
    // SAFETY: by contract.
    unsafe {
        if !push_marked(lua, table, &ORDER) {
            return None;
        }
        let order = ffi::lua_gettop(lua);
        loop {
            position += 1;
            ffi::lua_rawgeti(lua, order, position);
            if ffi::lua_type(lua, -1) == ffi::LUA_TNIL {
                ffi::lua_settop(lua, order - 1);
                return None;
            }
            ffi::lua_pushvalue(lua, -1);
            ffi::lua_rawget(lua, table);
            if ffi::lua_type(lua, -1) != ffi::LUA_TNIL {
                // The order goes from below the two.
                ffi::lua_insert(lua, order);
                ffi::lua_replace(lua, order + 1);
                ffi::lua_insert(lua, order);
                return Some(position);
            }
            ffi::lua_settop(lua, order);
        }
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
