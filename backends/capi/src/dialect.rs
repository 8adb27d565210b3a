//! What a newer Lua lacks of Lua 5.1's library, or does in another way.
//!
//! Owns the functions put into the stock libraries before the sandbox takes its pick. It must not
//! know which names scripts see. Nothing here is on the way of a script that does not call it.

use std::ffi::c_int;

#[cfg(lua54)]
use redlua_conversions::number::g14;

use crate::base::stock;
use crate::ffi::{self, lua_CFunction, lua_State};
use crate::sandbox::{push_stock, set_top};
use crate::writer::push_number;

/// How a function gets into its library.
enum Supply {
    /// It is not there.
    Missing(lua_CFunction),
    /// It is there and differs; the stock one becomes upvalue 1.
    Over(lua_CFunction),
}

use Supply::{Missing, Over};

/// Library (empty for globals), name, and what to do. A missing function is skipped when there is
/// one already.
#[rustfmt::skip]
const SUPPLIES: &[(&str, &str, Supply)] = &[
    ("", "type", Over(kind)),
    ("", "load", Missing(nothing)),
    ("", "loadstring", Missing(nothing)),
    ("", "gcinfo", Missing(gcinfo)),
    ("", "assert", Over(assert)),
    ("coroutine", "create", Over(create)),
    #[cfg(lua54)]
    ("", "error", Over(error)),
    #[cfg(not(luajit))]
    ("coroutine", "status", Over(status)),
    ("", "collectgarbage", Missing(collectgarbage)),
    ("", "next", Over(next)),
    ("", "rawget", Over(rawget)),
    ("", "rawset", Over(rawset)),
    ("", "getmetatable", Over(getmetatable)),
    ("", "setmetatable", Over(setmetatable)),
    ("", "ipairs", Over(ipairs)),
    #[cfg(lua54)]
    ("coroutine", "running", Over(running)),
    #[cfg(not(luajit))]
    ("coroutine", "resume", Over(resume)),
    #[cfg(not(luajit))]
    ("coroutine", "wrap", Over(create)),
];

/// Puts Lua 5.1's functions into the stock libraries below the globals at `globals`.
///
/// # Safety
/// `globals` is the absolute index of the table of globals; memory is not limited; 8 slots are
/// free. Stack 0.
pub(crate) unsafe fn supply(lua: *mut lua_State, globals: c_int) {
    // SAFETY: by contract; the libraries are tables, all accesses are raw.
    unsafe {
        let top = ffi::lua_gettop(lua);
        for (library, name, supply) in SUPPLIES {
            ffi::named(name, || {
                let table = push_library(lua, globals, library);
                push_stock(lua, table, name);
                let there = ffi::lua_type(lua, -1) != ffi::LUA_TNIL;
                match supply {
                    Over(function) if there => {
                        ffi::lua_pushcclosure(lua, *function, 1);
                        set_top(lua, table, name);
                    }
                    Missing(function) if !there => {
                        ffi::lua_pushcclosure(lua, *function, 0);
                        set_top(lua, table, name);
                    }
                    _ => {}
                }
                ffi::lua_settop(lua, top);
            });
        }
        push_version(lua, globals);
    }
}

/// Says that this is Lua 5.1.
///
/// # Safety
/// As for [`supply`]. Stack 0.
unsafe fn push_version(lua: *mut lua_State, globals: c_int) {
    // SAFETY: by contract.
    unsafe {
        ffi::lua_pushlstring(lua, c"Lua 5.1".as_ptr(), 7);
        set_top(lua, globals, "_VERSION");
    }
}

/// Pushes a library, or the globals for an empty name; returns its index.
///
/// # Safety
/// As for [`supply`]. Stack +1.
unsafe fn push_library(lua: *mut lua_State, globals: c_int, library: &str) -> c_int {
    // SAFETY: by contract.
    unsafe {
        if library.is_empty() {
            ffi::lua_pushvalue(lua, globals);
        } else {
            push_stock(lua, globals, library);
        }
        ffi::lua_gettop(lua)
    }
}

// SAFETY of the functions below: they are called by Lua, with LUA_MINSTACK free slots, and own
// nothing that needs dropping, so that the checks in them may raise.

/// Stands for a function that a wrapper replaces whole.
unsafe extern "C-unwind" fn nothing(_lua: *mut lua_State) -> c_int {
    0
}

/// What the results of division and of powers go through on Lua 5.4: it would write a float
/// without a fraction with one.
#[cfg(lua54)]
pub(crate) unsafe extern "C-unwind" fn integer(lua: *mut lua_State) -> c_int {
    // SAFETY: see above.
    unsafe {
        ffi::lua_settop(lua, 1);
        if ffi::lua_type(lua, 1) == ffi::LUA_TNUMBER {
            push_number(lua, ffi::lua_tonumber(lua, 1));
        }
        1
    }
}

unsafe extern "C-unwind" fn gcinfo(lua: *mut lua_State) -> c_int {
    const LUA_GCCOUNT: c_int = 3;
    // SAFETY: see above.
    unsafe {
        let kilobytes = ffi::lua_gc(lua, LUA_GCCOUNT, 0);
        push_number(lua, kilobytes.into());
        1
    }
}

/// `type`, with Lua 5.1's words about a missing argument.
unsafe extern "C-unwind" fn kind(lua: *mut lua_State) -> c_int {
    // SAFETY: see above; the names of types are never freed.
    unsafe {
        ffi::luaL_checkany(lua, 1);
        let name = std::ffi::CStr::from_ptr(ffi::lua_typename(lua, ffi::lua_type(lua, 1)));
        ffi::lua_pushlstring(lua, name.as_ptr(), name.count_bytes());
        1
    }
}

/// `lbaselib.c luaB_assert` of Lua 5.1: the message is a string, and gets a position.
unsafe extern "C-unwind" fn assert(lua: *mut lua_State) -> c_int {
    // SAFETY: see above; the message stays on the stack.
    unsafe {
        ffi::luaL_checkany(lua, 1);
        if ffi::lua_toboolean(lua, 1) != 0 {
            return ffi::lua_gettop(lua);
        }
        let default = c"assertion failed!".as_ptr();
        let message = ffi::luaL_optlstring(lua, 2, default, std::ptr::null_mut());
        ffi::luaL_error(lua, c"%s".as_ptr(), message)
    }
}

/// `lbaselib.c luaB_error` of Lua 5.1: a number gets a position as a string does.
#[cfg(lua54)]
unsafe extern "C-unwind" fn error(lua: *mut lua_State) -> c_int {
    // SAFETY: see above.
    unsafe {
        let level = ffi::luaL_optinteger(lua, 2, 1) as c_int;
        ffi::lua_settop(lua, 1);
        if ffi::lua_type(lua, 1) == ffi::LUA_TNUMBER {
            let text = g14(ffi::lua_tonumber(lua, 1));
            ffi::lua_pushlstring(lua, text.as_ptr().cast(), text.len());
            ffi::lua_replace(lua, 1);
        }
        if ffi::lua_type(lua, 1) == ffi::LUA_TSTRING && level > 0 {
            ffi::luaL_where(lua, level);
            ffi::lua_insert(lua, 1);
            ffi::lua_concat(lua, 2);
        }
        ffi::lua_error(lua)
    }
}

/// `coroutine.resume` and `status` take coroutines (`lbaselib.c` of Lua 5.1).
///
/// # Safety
/// See above.
#[cfg(not(luajit))]
unsafe fn check_coroutine(lua: *mut lua_State) {
    // SAFETY: see above.
    unsafe {
        if ffi::lua_type(lua, 1) != ffi::LUA_TTHREAD {
            ffi::luaL_argerror(lua, 1, c"coroutine expected".as_ptr());
        }
    }
}

#[cfg(not(luajit))]
unsafe extern "C-unwind" fn status(lua: *mut lua_State) -> c_int {
    // SAFETY: see above.
    unsafe {
        check_coroutine(lua);
        stock(lua)
    }
}

/// `coroutine.create` and `wrap` take functions of Lua only (`lbaselib.c luaB_cocreate`).
unsafe extern "C-unwind" fn create(lua: *mut lua_State) -> c_int {
    // SAFETY: see above.
    unsafe {
        check_lua_function(lua);
        stock(lua)
    }
}

/// Raises when the first argument is not a function of Lua.
///
/// # Safety
/// See above.
pub(crate) unsafe fn check_lua_function(lua: *mut lua_State) {
    // SAFETY: see above.
    unsafe {
        if ffi::lua_type(lua, 1) != ffi::LUA_TFUNCTION || ffi::lua_iscfunction(lua, 1) != 0 {
            ffi::luaL_argerror(lua, 1, c"Lua function expected".as_ptr());
        }
    }
}

/// `coroutine.resume` with the words of Lua 5.1.
#[cfg(not(luajit))]
unsafe extern "C-unwind" fn resume(lua: *mut lua_State) -> c_int {
    // SAFETY: see above; a failure leaves false and the message.
    unsafe {
        check_coroutine(lua);
        let results = stock(lua);
        if results == 2 && ffi::lua_toboolean(lua, -2) == 0 {
            crate::wording::reword_at(lua, -1);
        }
        results
    }
}

/// `ipairs` that looks at no metatable (`lbaselib.c ipairsaux` of Lua 5.1).
unsafe extern "C-unwind" fn ipairs(lua: *mut lua_State) -> c_int {
    // SAFETY: see above.
    unsafe {
        ffi::luaL_checktype(lua, 1, ffi::LUA_TTABLE);
        ffi::lua_pushcclosure(lua, ipairs_step, 0);
        ffi::lua_pushvalue(lua, 1);
        push_number(lua, 0.0);
        3
    }
}

unsafe extern "C-unwind" fn ipairs_step(lua: *mut lua_State) -> c_int {
    // SAFETY: see above.
    unsafe {
        let index = ffi::luaL_checkinteger(lua, 2) as c_int;
        ffi::luaL_checktype(lua, 1, ffi::LUA_TTABLE);
        let index = index.wrapping_add(1);
        push_number(lua, index.into());
        ffi::lua_rawgeti(lua, 1, index);
        if ffi::lua_type(lua, -1) == ffi::LUA_TNIL { 0 } else { 2 }
    }
}

/// `luaL_getmetafield(…, "__metatable")` of a table: pushes the field unless it is nil.
///
/// # Safety
/// See above.
unsafe fn push_protection(lua: *mut lua_State, index: c_int) -> bool {
    const NAME: &std::ffi::CStr = c"__metatable";
    // SAFETY: see above.
    unsafe {
        if ffi::lua_getmetatable(lua, index) == 0 {
            return false;
        }
        ffi::lua_pushlstring(lua, NAME.as_ptr(), NAME.count_bytes());
        ffi::lua_rawget(lua, -2);
        ffi::lua_type(lua, -1) != ffi::LUA_TNIL
    }
}

// The five functions below do not use the stock ones: those of LuaJIT are no C functions, and a
// call of them would be one frame more, which shows in error messages.

unsafe extern "C-unwind" fn next(lua: *mut lua_State) -> c_int {
    // SAFETY: see above.
    unsafe {
        ffi::luaL_checktype(lua, 1, ffi::LUA_TTABLE);
        ffi::lua_settop(lua, 2);
        if crate::reader::next_pair(lua, 1) != 0 {
            return 2;
        }
        ffi::lua_pushnil(lua);
        1
    }
}

unsafe extern "C-unwind" fn rawget(lua: *mut lua_State) -> c_int {
    // SAFETY: see above.
    unsafe {
        ffi::luaL_checktype(lua, 1, ffi::LUA_TTABLE);
        ffi::luaL_checkany(lua, 2);
        ffi::lua_settop(lua, 2);
        ffi::lua_rawget(lua, 1);
        1
    }
}

unsafe extern "C-unwind" fn rawset(lua: *mut lua_State) -> c_int {
    // SAFETY: see above.
    unsafe {
        ffi::luaL_checktype(lua, 1, ffi::LUA_TTABLE);
        ffi::luaL_checkany(lua, 2);
        ffi::luaL_checkany(lua, 3);
        ffi::lua_settop(lua, 3);
        ffi::lua_rawset(lua, 1);
        1
    }
}

unsafe extern "C-unwind" fn getmetatable(lua: *mut lua_State) -> c_int {
    // SAFETY: see above.
    unsafe {
        ffi::luaL_checkany(lua, 1);
        if ffi::lua_getmetatable(lua, 1) == 0 {
            ffi::lua_pushnil(lua);
            return 1;
        }
        ffi::lua_settop(lua, -2);
        if !push_protection(lua, 1) {
            ffi::lua_settop(lua, -2);
        }
        1
    }
}

/// `setmetatable`, which marks no table for finalization on Lua 5.4: a `__gc` of a script would
/// run outside of every limit (`lgc.c luaC_checkfinalizer` looks for the field now and never
/// again).
unsafe extern "C-unwind" fn setmetatable(lua: *mut lua_State) -> c_int {
    // SAFETY: see above; the field is put back before anybody sees the metatable. To set a field
    // that exists allocates nothing.
    unsafe {
        let kind = ffi::lua_type(lua, 2);
        ffi::luaL_checktype(lua, 1, ffi::LUA_TTABLE);
        if kind != ffi::LUA_TNIL && kind != ffi::LUA_TTABLE {
            ffi::luaL_argerror(lua, 2, c"nil or table expected".as_ptr());
        }
        if push_protection(lua, 1) {
            return ffi::luaL_error(lua, c"cannot change a protected metatable".as_ptr());
        }
        ffi::lua_settop(lua, 2);
        #[cfg(lua54)]
        if kind == ffi::LUA_TTABLE {
            const NAME: &std::ffi::CStr = c"__gc";
            ffi::lua_pushlstring(lua, NAME.as_ptr(), NAME.count_bytes());
            ffi::lua_rawget(lua, 2);
            if ffi::lua_type(lua, 3) != ffi::LUA_TNIL {
                ffi::lua_pushlstring(lua, NAME.as_ptr(), NAME.count_bytes());
                ffi::lua_pushvalue(lua, 4);
                ffi::lua_pushnil(lua);
                ffi::lua_rawset(lua, 2);
                ffi::lua_pushvalue(lua, 2);
                ffi::lua_setmetatable(lua, 1);
                ffi::lua_pushvalue(lua, 3);
                ffi::lua_rawset(lua, 2);
                ffi::lua_settop(lua, 1);
                return 1;
            }
            ffi::lua_settop(lua, 2);
        }
        ffi::lua_setmetatable(lua, 1);
        ffi::lua_settop(lua, 1);
        1
    }
}

/// `collectgarbage` for Luau, which has taken it from scripts. What tunes the collector does
/// nothing.
unsafe extern "C-unwind" fn collectgarbage(lua: *mut lua_State) -> c_int {
    const LUA_GCCOUNT: c_int = 3;
    const LUA_GCCOUNTB: c_int = 4;
    // SAFETY: see above; the option is read in place.
    unsafe {
        let option = ffi::luaL_optlstring(lua, 1, c"collect".as_ptr(), std::ptr::null_mut());
        let value = match std::ffi::CStr::from_ptr(option).to_bytes() {
            b"collect" => {
                ffi::lua_gc(lua, ffi::LUA_GCCOLLECT, 0);
                0.0
            }
            b"count" => {
                let bytes = ffi::lua_gc(lua, LUA_GCCOUNTB, 0);
                f64::from(ffi::lua_gc(lua, LUA_GCCOUNT, 0)) + f64::from(bytes) / 1024.0
            }
            b"stop" | b"restart" => 0.0,
            b"setpause" | b"setstepmul" => 200.0,
            b"step" => {
                ffi::lua_gc(lua, ffi::LUA_GCCOLLECT, 0);
                ffi::lua_pushboolean(lua, 0);
                return 1;
            }
            _ => {
                return ffi::luaL_error(
                    lua,
                    c"bad argument #1 to 'collectgarbage' (invalid option '%s')".as_ptr(),
                    option,
                );
            }
        };
        push_number(lua, value);
        1
    }
}

/// `coroutine.running`, which answers nil outside of coroutines.
#[cfg(lua54)]
unsafe extern "C-unwind" fn running(lua: *mut lua_State) -> c_int {
    // SAFETY: see above; the stock function returns the coroutine and whether it is the main one.
    unsafe {
        let results = stock(lua);
        if results == 2 {
            if ffi::lua_toboolean(lua, -1) != 0 {
                ffi::lua_pushnil(lua);
            } else {
                ffi::lua_settop(lua, -2);
            }
        }
        1
    }
}
