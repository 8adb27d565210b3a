//! Guards before functions of Lua 5.1 that take more of the Lua stack than there is, or long.
//!
//! Owns how much a call may take. It must not know what the function is for.

use std::ffi::c_int;

use crate::base::{stock, through_first};
use crate::ffi::{self, lua_State};
use crate::interrupt;

/// More results than this do not fit on the Lua stack (`LUAI_MAXCSTACK`).
const RESULTS: i64 = 8000;

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

/// A function that takes as long as its first argument is: the clock is looked at before.
///
/// # Safety
/// Called by Lua.
pub(crate) unsafe extern "C-unwind" fn long_first(lua: *mut lua_State) -> c_int {
    // SAFETY: called by Lua; nothing is owned here.
    unsafe {
        if ffi::lua_type(lua, 1) == ffi::LUA_TSTRING
            && ffi::lua_objlen(lua, 1) > MUCH
            && interrupt::note(lua, interrupt::INTERVAL)
        {
            return interrupt::end(lua);
        }
        stock(lua)
    }
}

/// `table.concat`, which takes as long as its table is: C's makes a string of each number before
/// anybody hears of a stop.
///
/// # Safety
/// Called by Lua.
pub(crate) unsafe extern "C-unwind" fn concat(lua: *mut lua_State) -> c_int {
    // SAFETY: called by Lua; nothing is owned here.
    unsafe {
        let table = ffi::lua_type(lua, 1) == ffi::LUA_TTABLE;
        if table && ffi::lua_objlen(lua, 1) > LONG {
            crate::lualib::concat(lua)
        } else {
            through_first(lua)
        }
    }
}

/// Elements that are joined in less than a millisecond.
const LONG: usize = 4096;

/// Bytes that are worth a look at the clock.
const MUCH: usize = 64 << 10;
