//! Lua 5.1's library where the engine has another one.
//!
//! Owns the list of functions that come from `redlua_conversions::lualib` only where the stock
//! ones are not those of Lua 5.1. Those that replace stock functions everywhere are in `lualib`.

use std::ffi::c_int;
use std::sync::OnceLock;

use redlua_conversions::lualib::Function;

use crate::ffi::{self, lua_CFunction, lua_State};
use crate::lualib::run;
use crate::sandbox::{push_stock, set_top};

/// Library (empty for globals), name, function.
type Entry = (&'static str, &'static str, lua_CFunction);

/// A function of C for each function of the library.
macro_rules! entries {
    ($($library:literal, $name:literal;)*) => {
        [$(($library, $name, {
            /// # Safety
            /// Called by Lua.
            unsafe extern "C-unwind" fn call(lua: *mut lua_State) -> c_int {
                static FUNCTION: OnceLock<Option<Function>> = OnceLock::new();
                match FUNCTION.get_or_init(|| Function::named($library, $name)) {
                    // SAFETY: called by Lua; this frame owns nothing that needs dropping.
                    Some(function) => unsafe { run(lua, *function) },
                    None => 0,
                }
            }
            call as lua_CFunction
        })),*]
    };
}

#[rustfmt::skip]
const FUNCTIONS: [Entry; 47] = entries! {
    "string", "byte";
    "string", "char";
    "string", "dump";
    "string", "format";
    "string", "len";
    "string", "lower";
    "string", "reverse";
    "string", "sub";
    "string", "upper";
    "table", "concat";
    "table", "foreach";
    "table", "foreachi";
    "table", "getn";
    "table", "maxn";
    "table", "remove";
    "table", "setn";
    "math", "abs";
    "math", "acos";
    "math", "asin";
    "math", "atan";
    "math", "atan2";
    "math", "ceil";
    "math", "cos";
    "math", "cosh";
    "math", "deg";
    "math", "exp";
    "math", "floor";
    "math", "fmod";
    "math", "frexp";
    "math", "ldexp";
    "math", "log";
    "math", "log10";
    "math", "max";
    "math", "min";
    "math", "mod";
    "math", "modf";
    "math", "pow";
    "math", "rad";
    "math", "sin";
    "math", "sinh";
    "math", "sqrt";
    "math", "tan";
    "math", "tanh";
    "", "select";
    "", "tonumber";
    "", "tostring";
    "", "unpack";
};

/// Puts the functions into the stock libraries below the globals at `globals`.
///
/// # Safety
/// `globals` is the absolute index of the table of globals; memory is not limited; 5 slots are
/// free. Stack 0.
pub(crate) unsafe fn install(lua: *mut lua_State, globals: c_int) {
    // SAFETY: by contract; the libraries are tables, all accesses are raw.
    unsafe {
        let top = ffi::lua_gettop(lua);
        for (library, name, function) in FUNCTIONS {
            if library.is_empty() {
                ffi::lua_pushvalue(lua, globals);
            } else {
                push_stock(lua, globals, library);
            }
            let table = ffi::lua_gettop(lua);
            push_stock(lua, table, name);
            // Only Luau has no `string.dump`; this one has nothing to give.
            if name == "dump" && ffi::lua_type(lua, -1) != ffi::LUA_TNIL {
                ffi::lua_settop(lua, top);
                continue;
            }
            ffi::named(name, || ffi::lua_pushcclosure(lua, function, 0));
            set_top(lua, table, name);
            ffi::lua_settop(lua, top);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_one_of_the_library() {
        for (library, name, _) in FUNCTIONS {
            assert!(Function::named(library, name).is_some(), "{library}.{name}");
        }
    }
}
