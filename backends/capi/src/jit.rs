//! Where LuaJIT keeps the arguments of a call, for the path of `redis.call`.
//!
//! Owns the layout of stacks and strings as far as reading them needs it (`lj_obj.h`). As in
//! `layout`, the library is tried out with the first state, and the C interface serves where it is
//! another one. It must not know what the values mean.

use std::ffi::{c_int, c_void};
use std::{ptr, slice};

use redlua_core::Scalar;

use crate::ffi::{self, lua_State};
use crate::known::Known;

/// The beginning of a stack (`lua_State`).
#[repr(C)]
struct Stack {
    next: *const c_void,
    marked: u8,
    kind: u8,
    function: u8,
    status: u8,
    shared: *const Shared,
    gray: *const c_void,
    base: *const u64,
    top: *const u64,
}

/// The beginning of `global_State`.
#[repr(C)]
struct Shared {
    allocate: *const c_void,
    user_data: *mut c_void,
    /// `GCState`.
    collector: [u64; 13],
    empty: Text,
    /// The end of the empty string, and what hooks there are.
    flags: u64,
    strings: *const c_void,
    /// Places in the table of strings, but one.
    places: u32,
    /// Strings in it.
    count: u32,
}

/// `GCstr`; its bytes follow.
#[repr(C)]
struct Text {
    next: *const c_void,
    marked: u8,
    kind: u8,
    reserved: u8,
    algorithm: u8,
    id: u32,
    hash: u32,
    len: u32,
}

/// Bytes of a string's head.
pub(crate) const TEXT: usize = size_of::<Text>();

/// The bytes of a string.
///
/// # Safety
/// The layout [`is_known`]; `object` is a string that stays reachable.
#[inline(always)]
pub(crate) unsafe fn text<'a>(object: *const c_void) -> &'a [u8] {
    // SAFETY: by contract.
    unsafe {
        let text = object.cast::<Text>();
        slice::from_raw_parts(text.add(1).cast(), (*text).len as usize)
    }
}

/// What stands above the 47 bits of a string's address.
const STRING: u32 = !4;
/// What stands there is less when the value is a number (`LJ_TISNUM`).
const NUMBER: u32 = !13;

/// Whether the library is laid out so.
static KNOWN: Known = Known::new();

/// Whether the functions below may be called.
#[inline(always)]
pub(crate) fn is_known() -> bool {
    KNOWN.holds()
}

/// Tries the layout out, once in a process.
///
/// # Safety
/// `lua` is live; 4 slots are free; memory is not limited. Stack 0. Does not raise.
pub(crate) unsafe fn explore(lua: *mut lua_State) {
    // SAFETY: by contract. A layout with 32-bit references has other sizes.
    KNOWN.explore(|| size_of::<usize>() == 8 && unsafe { agrees(lua) });
}

/// Whether a stack of known contents looks as it should. Each step relies only on what those before
/// it have shown.
///
/// # Safety
/// As for [`explore`].
unsafe fn agrees(lua: *mut lua_State) -> bool {
    // SAFETY: by contract. What is read lies within objects that are larger in any LuaJIT than the
    // parts read of them, behind pointers that were compared with those it gives out.
    unsafe {
        let bottom = ffi::lua_gettop(lua);
        ffi::lua_pushnumber(lua, -1.5);
        ffi::lua_pushlstring(lua, c"one".as_ptr(), 3);
        ffi::lua_pushboolean(lua, 1);
        let looks_right = || {
            let stack = &*lua.cast::<Stack>();
            let len = stack.top.addr().checked_sub(stack.base.addr());
            if len != Some((bottom as usize + 3) * size_of::<u64>()) {
                return false;
            }
            let mut user_data = ptr::null_mut();
            let allocate = ffi::lua_getallocf(lua, &mut user_data) as *const c_void;
            let shared = &*stack.shared;
            if shared.allocate != allocate || shared.user_data != user_data {
                return false;
            }
            let string = *stack.base.add(bottom as usize + 1);
            let bytes = ffi::lua_tolstring(lua, bottom + 2, ptr::null_mut());
            let object = address(string).addr();
            matches!(scalar(lua, bottom + 1), Some(Scalar::Number(-1.5)))
                && (string >> 47) as u32 == STRING & 0x1ffff
                && bytes.addr().checked_sub(object) == Some(size_of::<Text>())
                && matches!(scalar(lua, bottom + 2), Some(Scalar::String(b"one")))
                && scalar(lua, bottom + 3).is_none()
        };
        let agrees = looks_right() && strings_are_counted(lua);
        ffi::lua_settop(lua, bottom);
        agrees
    }
}

/// Whether the count of strings is where it should be: it grows by a new one. A collection may take
/// one away meanwhile, but not each time.
///
/// # Safety
/// As for [`explore`]; the beginning of the layout agrees.
unsafe fn strings_are_counted(lua: *mut lua_State) -> bool {
    // SAFETY: by contract; what is read lies within `global_State`, which is much larger.
    unsafe {
        let shared = &raw const *(*lua.cast::<Stack>()).shared;
        let power = (*shared).places.wrapping_add(1).is_power_of_two();
        power
            && [c"a new string", c"another new string", c"one more new string"].iter().any(|text| {
                let before = (*shared).count;
                ffi::lua_pushlstring(lua, text.as_ptr(), text.count_bytes());
                let after = (*shared).count;
                ffi::lua_settop(lua, -2);
                before > 0 && after == before + 1
            })
    }
}

/// Strings, and places in the table of them, which doubles when they are more (`lj_str_alloc`).
///
/// # Safety
/// `lua` is live.
pub(crate) unsafe fn strings(lua: *mut lua_State) -> (usize, usize) {
    if !is_known() {
        return (0, usize::MAX);
    }
    // SAFETY: by contract, and the layout is known.
    unsafe {
        let shared = &*(*lua.cast::<Stack>()).shared;
        (shared.count as usize, shared.places as usize + 1)
    }
}

fn address(value: u64) -> *const Text {
    ptr::with_exposed_provenance((value & ((1 << 47) - 1)) as usize)
}

/// The number or string at a stack index, which must be positive; `None` for what is neither.
///
/// # Safety
/// The layout [`is_known`]; there is a value at `index`, a string staying reachable.
#[inline(always)]
pub(crate) unsafe fn scalar<'a>(lua: *mut lua_State, index: c_int) -> Option<Scalar<'a>> {
    // SAFETY: by contract; index 1 is at the base.
    unsafe {
        let value = *(*lua.cast::<Stack>()).base.offset(index as isize - 1);
        match (value.cast_signed() >> 47) as u32 {
            STRING => Some(Scalar::String(text(address(value).cast()))),
            kind if kind < NUMBER => Some(Scalar::Number(f64::from_bits(value))),
            _ => None,
        }
    }
}

/// How many values the running function has (`lua_gettop`).
///
/// # Safety
/// The layout [`is_known`].
#[inline(always)]
pub(crate) unsafe fn top(lua: *mut lua_State) -> c_int {
    // SAFETY: by contract.
    unsafe {
        let stack = &*lua.cast::<Stack>();
        ((stack.top.addr() - stack.base.addr()) / size_of::<u64>()) as c_int
    }
}

/// What was given to `lua_newstate` (`lua_getallocf`).
///
/// # Safety
/// The layout [`is_known`].
#[inline(always)]
pub(crate) unsafe fn user_data(lua: *mut lua_State) -> *mut c_void {
    // SAFETY: by contract.
    unsafe { (*(*lua.cast::<Stack>()).shared).user_data }
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;
    use crate::state::in_state;

    #[test]
    fn the_vendored_library_has_this_layout() {
        // SAFETY: a state with nothing in it, memory not limited.
        in_state(|lua| unsafe {
            assert!(agrees(lua));
            assert_eq!(ffi::lua_gettop(lua), 0);
            explore(lua);
            assert!(is_known());
        });
    }
}
