//! Guards before functions of Lua 5.1 that take more of the C stack, or of the Lua stack, than
//! there is.
//!
//! Owns how much of either a call may take. It must not know what the functions are for.
//!
//! Lua 5.1 counts nested C calls (`LUAI_MAXCCALLS`, 200) and not what they take: each `gsub` has
//! a buffer of 8 KiB in its frame, and the matcher of patterns recurses once for each repeated
//! item without counting at all. LuaJIT has limits of its own, so that only the library table of
//! Lua 5.1 is guarded.

use std::ffi::c_int;

use crate::base::stock;
use crate::ffi::{self, lua_State};
use crate::reader::string_at;
use crate::state::state_of;

/// What a run may take of the C stack before a function that takes much is refused. Threads have
/// 2 MiB unless somebody asks for another size.
const C_STACK: usize = 1 << 20;
/// The repeated items that a pattern may have; some hundred bytes of C stack each.
const ITEMS: usize = 2000;
/// More results than this do not fit on the Lua stack (`LUAI_MAXCSTACK`).
const RESULTS: i64 = 8000;

/// Where the C stack is now.
#[inline(never)]
pub(crate) fn stack_address() -> usize {
    let here = 0u8;
    std::hint::black_box(&raw const here).addr()
}

/// `string.match`, `string.gmatch`: pattern first.
///
/// # Safety
/// Called by Lua.
pub(crate) unsafe extern "C-unwind" fn matching(lua: *mut lua_State) -> c_int {
    // SAFETY: called by Lua.
    unsafe {
        check_pattern(lua);
        stock(lua)
    }
}

/// `string.find`, which may look for a plain string.
///
/// # Safety
/// Called by Lua.
pub(crate) unsafe extern "C-unwind" fn find(lua: *mut lua_State) -> c_int {
    // SAFETY: called by Lua.
    unsafe {
        if ffi::lua_toboolean(lua, 4) == 0 {
            check_pattern(lua);
        }
        stock(lua)
    }
}

/// `string.gsub`, whose replacement may call it again.
///
/// # Safety
/// Called by Lua.
pub(crate) unsafe extern "C-unwind" fn gsub(lua: *mut lua_State) -> c_int {
    // SAFETY: called by Lua; nothing here needs dropping.
    unsafe {
        check_pattern(lua);
        if state_of(lua).stack_base.get().abs_diff(stack_address()) > C_STACK {
            return ffi::luaL_error(lua, c"C stack overflow".as_ptr());
        }
        stock(lua)
    }
}

/// `unpack`: counts its results without the overflow that the stock function has
/// (`lbaselib.c luaB_unpack` adds two ints).
///
/// # Safety
/// Called by Lua.
pub(crate) unsafe extern "C-unwind" fn unpack(lua: *mut lua_State) -> c_int {
    // SAFETY: called by Lua; the arguments are read as the stock function reads them.
    unsafe {
        if ffi::lua_type(lua, 1) == ffi::LUA_TTABLE {
            let first = ffi::luaL_optinteger(lua, 2, 1) as i32;
            let last = if ffi::lua_type(lua, 3) <= ffi::LUA_TNIL {
                ffi::lua_objlen(lua, 1) as i32
            } else {
                ffi::luaL_checkinteger(lua, 3) as i32
            };
            if i64::from(last) - i64::from(first) >= RESULTS {
                return ffi::luaL_error(lua, c"too many results to unpack".as_ptr());
            }
        }
        stock(lua)
    }
}

/// Raises when the second argument is a pattern that would take too much of the C stack.
///
/// # Safety
/// Called in a C function called by Lua, in a frame that owns nothing.
unsafe fn check_pattern(lua: *mut lua_State) {
    // SAFETY: the string is read in place and only if it is one.
    unsafe {
        if ffi::lua_type(lua, 2) != ffi::LUA_TSTRING {
            return;
        }
        let pattern = string_at(lua, 2);
        let repeats = |byte: &&u8| matches!(byte, b'?' | b'*' | b'+' | b'-');
        if pattern.len() > ITEMS && pattern.iter().filter(repeats).count() > ITEMS {
            ffi::luaL_error(lua, c"pattern too complex".as_ptr());
        }
    }
}
