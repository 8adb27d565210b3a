//! The C interface of the Lua that this build links, in the form that Lua 5.1's headers give it.
//!
//! Owns what differs between the interfaces: the rest of the crate is written against the names
//! below, whichever Lua there is. It must not know what they are used for.
//!
//! | module | Lua | declared by |
//! |---|---|---|
//! | `mlua51` | Lua 5.1, LuaJIT | `mlua` |
//! | `puc` | Lua 5.1, Lua 5.4 | here; `rlua`'s or `mlua`'s crate links it |
//! | `luau` | Luau | `mlua` |

#[cfg(luau)]
mod luau;
#[cfg(all(any(lua51, luajit), not(declared)))]
mod mlua51;
#[cfg(declared)]
mod puc;

#[cfg(luau)]
pub(crate) use luau::*;
#[cfg(all(any(lua51, luajit), not(declared)))]
pub(crate) use mlua51::*;
#[cfg(declared)]
pub(crate) use puc::*;

/// Runs `push`; only Luau wants to know the name of the functions that it pushes.
#[cfg(not(luau))]
pub(crate) fn named<R>(_name: &str, push: impl FnOnce() -> R) -> R {
    push()
}

/// A frame of the call stack.
#[cfg(not(luau))]
pub(crate) struct Frame<'a> {
    /// Whether its function is one of C.
    pub(crate) native: bool,
    /// The chunk's name.
    pub(crate) source: &'a std::ffi::CStr,
    /// The line, or -1.
    pub(crate) line: std::ffi::c_int,
}

/// The frame at `level`, 0 being the running function.
///
/// # Safety
/// The result is used only while that function is on the call stack. Stack 0. Does not raise.
#[cfg(not(luau))]
pub(crate) unsafe fn frame<'a>(lua: *mut lua_State, level: std::ffi::c_int) -> Option<Frame<'a>> {
    use std::ffi::CStr;
    // SAFETY: lua_Debug is plain data that lua_getstack and lua_getinfo fill in.
    unsafe {
        let mut ar: lua_Debug = std::mem::zeroed();
        if lua_getstack(lua, level, &mut ar) == 0 {
            return None;
        }
        lua_getinfo(lua, c"Sl".as_ptr(), &mut ar);
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
#[cfg(not(luau))]
pub(crate) unsafe fn describe(
    lua: *mut lua_State,
    level: std::ffi::c_int,
    ar: &mut lua_Debug,
) -> bool {
    // SAFETY: by contract.
    unsafe { lua_getstack(lua, level, ar) != 0 && lua_getinfo(lua, c"Snl".as_ptr(), ar) != 0 }
}

/// The source as messages show it.
///
/// # Safety
/// [`describe`] has filled `ar` in.
#[cfg(not(luau))]
pub(crate) unsafe fn short_source(ar: &lua_Debug) -> &std::ffi::CStr {
    // SAFETY: by contract.
    unsafe { std::ffi::CStr::from_ptr(ar.short_src.as_ptr()) }
}

/// Pushes a local variable of the function at `level` and returns its name; null when there is none.
///
/// # Safety
/// `lua` is live; a slot is free. Stack +1 or 0. Does not raise.
#[cfg(not(luau))]
pub(crate) unsafe fn local(
    lua: *mut lua_State,
    level: std::ffi::c_int,
    index: std::ffi::c_int,
    ar: &mut lua_Debug,
) -> *const std::ffi::c_char {
    // SAFETY: by contract.
    unsafe {
        if lua_getstack(lua, level, ar) == 0 {
            return std::ptr::null();
        }
        lua_getlocal(lua, ar, index)
    }
}
