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
    /// It is there under another name.
    Alias(&'static str, &'static str),
    /// It is not there.
    Missing(lua_CFunction),
    /// It is there and differs; the stock one becomes upvalue 1.
    Over(lua_CFunction),
}

use Supply::{Alias, Missing, Over};

/// Library (empty for globals), name, and what to do. An alias or a missing function is skipped
/// when there is one already.
#[rustfmt::skip]
const SUPPLIES: &[(&str, &str, Supply)] = &[
    ("", "unpack", Alias("table", "unpack")),
    ("", "loadstring", Alias("", "load")),
    ("", "gcinfo", Missing(gcinfo)),
    ("", "assert", Over(assert)),
    ("coroutine", "create", Over(create)),
    ("table", "getn", Missing(getn)),
    ("table", "setn", Missing(setn)),
    ("table", "maxn", Missing(maxn)),
    ("table", "foreach", Missing(foreach)),
    ("table", "foreachi", Missing(foreachi)),
    ("string", "gfind", Alias("string", "gmatch")),
    ("string", "rep", Over(two_arguments)),
    ("math", "mod", Alias("math", "fmod")),
    ("math", "pow", Missing(pow)),
    ("math", "log10", Missing(log10)),
    ("math", "ldexp", Missing(ldexp)),
    ("math", "frexp", Missing(frexp)),
    ("math", "cosh", Missing(cosh)),
    ("math", "sinh", Missing(sinh)),
    ("math", "tanh", Missing(tanh)),
    ("math", "atan2", Missing(atan2)),
    #[cfg(lua54)]
    ("", "error", Over(error)),
    #[cfg(not(luajit))]
    ("coroutine", "status", Over(status)),
    #[cfg(lua54)]
    ("", "tostring", Over(tostring)),
    #[cfg(lua54)]
    ("", "tonumber", Over(integral)),
    #[cfg(lua54)]
    ("", "ipairs", Over(ipairs)),
    #[cfg(lua54)]
    ("coroutine", "running", Over(running)),
    #[cfg(lua54)]
    ("math", "log", Over(one_argument)),
    #[cfg(lua54)]
    ("math", "atan", Over(one_argument)),
    #[cfg(not(luajit))]
    ("coroutine", "resume", Over(resume)),
    #[cfg(not(luajit))]
    ("coroutine", "wrap", Over(create)),
];

/// The functions of `math` whose results Lua 5.4 may give as floats without a fraction.
#[cfg(lua54)]
const FLOATS: [&str; 17] = [
    "abs", "acos", "asin", "ceil", "cos", "deg", "exp", "floor", "fmod", "max", "min", "mod",
    "modf", "rad", "sin", "sqrt", "tan",
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
            let table = push_library(lua, globals, library);
            push_stock(lua, table, name);
            let there = ffi::lua_type(lua, -1) != ffi::LUA_TNIL;
            match supply {
                Over(function) if there => {
                    ffi::lua_pushcclosure(lua, *function, 1);
                    set_top(lua, table, name);
                }
                Alias(from, other) if !there => {
                    let from = push_library(lua, globals, from);
                    push_stock(lua, from, other);
                    set_top(lua, table, name);
                }
                Missing(function) if !there => {
                    ffi::lua_pushcclosure(lua, *function, 0);
                    set_top(lua, table, name);
                }
                _ => {}
            }
            ffi::lua_settop(lua, top);
        }
        #[cfg(lua54)]
        for name in FLOATS {
            let table = push_library(lua, globals, "math");
            push_stock(lua, table, name);
            ffi::lua_pushcclosure(lua, integral, 1);
            set_top(lua, table, name);
            ffi::lua_settop(lua, top);
        }
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

unsafe extern "C-unwind" fn gcinfo(lua: *mut lua_State) -> c_int {
    const LUA_GCCOUNT: c_int = 3;
    // SAFETY: see above.
    unsafe {
        let kilobytes = ffi::lua_gc(lua, LUA_GCCOUNT, 0);
        push_number(lua, kilobytes.into());
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
            tostring(lua);
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

unsafe extern "C-unwind" fn getn(lua: *mut lua_State) -> c_int {
    // SAFETY: see above.
    unsafe {
        ffi::luaL_checktype(lua, 1, ffi::LUA_TTABLE);
        push_number(lua, ffi::lua_objlen(lua, 1) as f64);
        1
    }
}

unsafe extern "C-unwind" fn setn(lua: *mut lua_State) -> c_int {
    // SAFETY: see above.
    unsafe {
        ffi::luaL_checktype(lua, 1, ffi::LUA_TTABLE);
        ffi::luaL_error(lua, c"'setn' is obsolete".as_ptr())
    }
}

unsafe extern "C-unwind" fn maxn(lua: *mut lua_State) -> c_int {
    // SAFETY: see above.
    unsafe {
        ffi::luaL_checktype(lua, 1, ffi::LUA_TTABLE);
        let mut largest = 0.0f64;
        ffi::lua_pushnil(lua);
        while ffi::lua_next(lua, 1) != 0 {
            ffi::lua_settop(lua, -2);
            if ffi::lua_type(lua, -1) == ffi::LUA_TNUMBER {
                largest = largest.max(ffi::lua_tonumber(lua, -1));
            }
        }
        push_number(lua, largest);
        1
    }
}

unsafe extern "C-unwind" fn foreach(lua: *mut lua_State) -> c_int {
    // SAFETY: see above; below the value that is left is its key.
    unsafe {
        ffi::luaL_checktype(lua, 1, ffi::LUA_TTABLE);
        ffi::luaL_checktype(lua, 2, ffi::LUA_TFUNCTION);
        ffi::lua_settop(lua, 2);
        ffi::lua_pushnil(lua);
        while ffi::lua_next(lua, 1) != 0 {
            ffi::lua_pushvalue(lua, 2);
            ffi::lua_pushvalue(lua, 3);
            ffi::lua_pushvalue(lua, 4);
            ffi::lua_call(lua, 2, 1);
            if ffi::lua_type(lua, -1) != ffi::LUA_TNIL {
                return 1;
            }
            ffi::lua_settop(lua, 3);
        }
        0
    }
}

unsafe extern "C-unwind" fn foreachi(lua: *mut lua_State) -> c_int {
    // SAFETY: see above.
    unsafe {
        ffi::luaL_checktype(lua, 1, ffi::LUA_TTABLE);
        ffi::luaL_checktype(lua, 2, ffi::LUA_TFUNCTION);
        let length = c_int::try_from(ffi::lua_objlen(lua, 1)).unwrap_or(c_int::MAX);
        for index in 1..=length {
            ffi::lua_settop(lua, 2);
            ffi::lua_pushvalue(lua, 2);
            push_number(lua, index.into());
            ffi::lua_rawgeti(lua, 1, index);
            ffi::lua_call(lua, 2, 1);
            if ffi::lua_type(lua, -1) != ffi::LUA_TNIL {
                return 1;
            }
        }
        0
    }
}

/// Functions that have got a third argument since.
unsafe extern "C-unwind" fn two_arguments(lua: *mut lua_State) -> c_int {
    // SAFETY: see above.
    unsafe {
        if ffi::lua_gettop(lua) > 2 {
            ffi::lua_settop(lua, 2);
        }
        stock(lua)
    }
}

/// Functions that have got a second argument since.
#[cfg(lua54)]
unsafe extern "C-unwind" fn one_argument(lua: *mut lua_State) -> c_int {
    // SAFETY: see above.
    unsafe {
        if ffi::lua_gettop(lua) > 1 {
            ffi::lua_settop(lua, 1);
        }
        integral(lua)
    }
}

/// Functions of one number.
macro_rules! math {
    ($($name:ident = $method:expr;)*) => {
        $(unsafe extern "C-unwind" fn $name(lua: *mut lua_State) -> c_int {
            let method: fn(f64) -> f64 = $method;
            // SAFETY: see above.
            unsafe {
                let value = method(ffi::luaL_checknumber(lua, 1));
                push_number(lua, value);
                1
            }
        })*
    };
}

math! {
    log10 = f64::log10;
    cosh = f64::cosh;
    sinh = f64::sinh;
    tanh = f64::tanh;
}

unsafe extern "C-unwind" fn pow(lua: *mut lua_State) -> c_int {
    // SAFETY: see above.
    unsafe {
        let base = ffi::luaL_checknumber(lua, 1);
        push_number(lua, base.powf(ffi::luaL_checknumber(lua, 2)));
        1
    }
}

unsafe extern "C-unwind" fn atan2(lua: *mut lua_State) -> c_int {
    // SAFETY: see above.
    unsafe {
        let y = ffi::luaL_checknumber(lua, 1);
        push_number(lua, y.atan2(ffi::luaL_checknumber(lua, 2)));
        1
    }
}

unsafe extern "C-unwind" fn ldexp(lua: *mut lua_State) -> c_int {
    // SAFETY: see above.
    unsafe {
        let mut value = ffi::luaL_checknumber(lua, 1);
        let mut exponent = (ffi::luaL_checkinteger(lua, 2) as i32).clamp(-4000, 4000);
        // In steps that are powers of two themselves.
        while exponent > 1000 {
            value *= 2f64.powi(1000);
            exponent -= 1000;
        }
        while exponent < -900 {
            value *= 2f64.powi(-900);
            exponent += 900;
        }
        push_number(lua, value * 2f64.powi(exponent));
        1
    }
}

unsafe extern "C-unwind" fn frexp(lua: *mut lua_State) -> c_int {
    // SAFETY: see above.
    unsafe {
        let (fraction, exponent) = split(ffi::luaL_checknumber(lua, 1));
        push_number(lua, fraction);
        push_number(lua, exponent.into());
        2
    }
}

/// `frexp` of C: a fraction from a half to one, and a power of two.
fn split(value: f64) -> (f64, i32) {
    if value == 0.0 || !value.is_finite() {
        return (value, 0);
    }
    let (normal, shift) =
        if value.is_subnormal() { (value * 2f64.powi(54), -54) } else { (value, 0) };
    let bits = normal.to_bits();
    let exponent = ((bits >> 52) & 0x7ff) as i32 - 1022;
    (f64::from_bits(bits & !(0x7ff << 52) | 1022 << 52), exponent + shift)
}

/// Numbers as Lua 5.1 writes them, whether they are integers or floats.
#[cfg(lua54)]
unsafe extern "C-unwind" fn tostring(lua: *mut lua_State) -> c_int {
    // SAFETY: see above; the text is copied.
    unsafe {
        if ffi::lua_type(lua, 1) == ffi::LUA_TNUMBER {
            let text = g14(ffi::lua_tonumber(lua, 1));
            ffi::lua_pushlstring(lua, text.as_ptr().cast(), text.len());
            return 1;
        }
        stock(lua)
    }
}

/// Functions whose results may be floats without a fraction, which Lua 5.4 would write with one.
#[cfg(lua54)]
unsafe extern "C-unwind" fn integral(lua: *mut lua_State) -> c_int {
    // SAFETY: see above; the results are on top.
    unsafe {
        let results = stock(lua);
        let top = ffi::lua_gettop(lua);
        for index in top - results + 1..=top {
            if ffi::lua_type(lua, index) == ffi::LUA_TNUMBER {
                push_number(lua, ffi::lua_tonumber(lua, index));
                ffi::lua_replace(lua, index);
            }
        }
        results
    }
}

/// `ipairs` that looks at no metatable (`lbaselib.c ipairsaux` of Lua 5.1).
#[cfg(lua54)]
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

#[cfg(lua54)]
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

/// `setmetatable` that marks no table for finalization: a `__gc` of a script would run outside
/// of every limit (`lgc.c luaC_checkfinalizer` looks for the field now and never again).
///
/// # Safety
/// Called in a wrapper of the stock function.
#[cfg(lua54)]
pub(crate) unsafe fn setmetatable(lua: *mut lua_State) -> c_int {
    const NAME: &std::ffi::CStr = c"__gc";
    // SAFETY: by contract; the field is put back before anybody sees the metatable. To set a
    // field that exists allocates nothing.
    unsafe {
        if ffi::lua_type(lua, 2) != ffi::LUA_TTABLE {
            return stock(lua);
        }
        ffi::lua_settop(lua, 2);
        ffi::lua_pushlstring(lua, NAME.as_ptr(), NAME.count_bytes());
        ffi::lua_rawget(lua, 2);
        if ffi::lua_type(lua, 3) == ffi::LUA_TNIL {
            ffi::lua_settop(lua, 2);
            return stock(lua);
        }
        ffi::lua_pushlstring(lua, NAME.as_ptr(), NAME.count_bytes());
        ffi::lua_pushvalue(lua, 4);
        ffi::lua_pushnil(lua);
        ffi::lua_rawset(lua, 2);
        ffi::lua_pushvalue(lua, ffi::lua_upvalueindex(1));
        ffi::lua_pushvalue(lua, 1);
        ffi::lua_pushvalue(lua, 2);
        let status = ffi::lua_pcall(lua, 2, 1, 0);
        ffi::lua_pushvalue(lua, 4);
        ffi::lua_pushvalue(lua, 3);
        ffi::lua_rawset(lua, 2);
        if status != 0 {
            return ffi::lua_error(lua);
        }
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

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn fractions_and_powers() {
        assert_eq!(split(8.0), (0.5, 4));
        assert_eq!(split(-0.75), (-0.75, 0));
        assert_eq!(split(f64::MIN_POSITIVE / 4.0), (0.5, -1023));
        assert_eq!(split(0.0), (0.0, 0));
    }
}
