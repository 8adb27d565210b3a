//! Looks at single values on the Lua stack.
//!
//! Owns the choice between the C interface and the places where values lie. It must not know what
//! the values mean, nor who looks.

use std::ffi::c_int;
use std::slice;

use redlua_core::{Kind, Scalar};

use crate::ffi::{self, lua_State};
use crate::layout;

/// The bytes of the string at `index`.
///
/// # Safety
/// There is a string at `index`, and it stays reachable while the slice is used. Stack: 0.
/// Neither raises nor allocates (a number would be converted in place, hence the demand).
#[inline]
pub(crate) unsafe fn string_at<'a>(lua: *mut lua_State, index: c_int) -> &'a [u8] {
    let mut len = 0;
    // SAFETY: by contract.
    unsafe {
        if index > 0 && layout::is_known() {
            return layout::text(&*layout::slot(lua, index));
        }
        if let Some(Scalar::String(bytes)) = seen(lua, index) {
            return bytes;
        }
        let bytes = ffi::lua_tolstring(lua, index, &mut len);
        slice::from_raw_parts(bytes.cast(), len)
    }
}

/// The number at `index`.
///
/// # Safety
/// There is a number at `index`. Stack: 0. Neither raises nor allocates.
#[inline]
pub(crate) unsafe fn number_at(lua: *mut lua_State, index: c_int) -> f64 {
    // SAFETY: by contract.
    unsafe {
        if index > 0 && layout::is_known() {
            return layout::number(&*layout::slot(lua, index));
        }
        if let Some(Scalar::Number(number)) = seen(lua, index) {
            return number;
        }
        ffi::lua_tonumber(lua, index)
    }
}

/// A look at the value at `index`.
///
/// # Safety
/// As for [`string_at`], but any value may be there.
#[inline]
pub(crate) unsafe fn scalar_at<'a>(lua: *mut lua_State, index: c_int) -> Scalar<'a> {
    // SAFETY: by contract.
    unsafe {
        if index > 0 && layout::is_known() {
            return scalar_in(&*layout::slot(lua, index));
        }
        seen(lua, index).unwrap_or_else(|| asked(lua, index))
    }
}

/// A look at a number or string where LuaJIT has it; `None` when that is not known.
///
/// # Safety
/// As for [`scalar_at`].
#[inline(always)]
unsafe fn seen<'a>(lua: *mut lua_State, index: c_int) -> Option<Scalar<'a>> {
    #[cfg(luajit)]
    if index > 0 && crate::jit::is_known() {
        // SAFETY: by contract.
        return unsafe { crate::jit::scalar(lua, index) };
    }
    let _ = (lua, index);
    None
}

/// What kind of value is at `index`.
///
/// # Safety
/// As for [`scalar_at`].
#[inline]
pub(crate) unsafe fn kind_at(lua: *mut lua_State, index: c_int) -> Kind {
    // SAFETY: by contract.
    match unsafe { seen(lua, index) } {
        Some(Scalar::String(_)) => Kind::String,
        Some(Scalar::Number(_)) => Kind::Number,
        // SAFETY: by contract.
        _ => kind_of(unsafe { ffi::lua_type(lua, index) }),
    }
}

/// The same by the interface.
///
/// # Safety
/// As for [`scalar_at`].
#[inline(never)]
unsafe fn asked<'a>(lua: *mut lua_State, index: c_int) -> Scalar<'a> {
    // SAFETY: by contract; only a string is read as one.
    unsafe {
        match ffi::lua_type(lua, index) {
            ffi::LUA_TSTRING => Scalar::String(string_at(lua, index)),
            ffi::LUA_TNUMBER => Scalar::Number(ffi::lua_tonumber(lua, index)),
            ffi::LUA_TBOOLEAN => Scalar::Boolean(ffi::lua_toboolean(lua, index) != 0),
            other => Scalar::Other(kind_of(other)),
        }
    }
}

/// A look at a value whose layout is known.
///
/// # Safety
/// As for [`layout::text`].
#[inline(always)]
pub(crate) unsafe fn scalar_in<'a>(slot: &layout::Slot) -> Scalar<'a> {
    // SAFETY: by contract, after a look at the type.
    unsafe {
        match slot.kind {
            ffi::LUA_TSTRING => Scalar::String(layout::text(slot)),
            ffi::LUA_TNUMBER => Scalar::Number(layout::number(slot)),
            ffi::LUA_TBOOLEAN => Scalar::Boolean(layout::boolean(slot)),
            other => Scalar::Other(kind_of(other)),
        }
    }
}

#[inline]
pub(crate) fn kind_of(lua_type: c_int) -> Kind {
    KINDS.get(lua_type as usize).copied().unwrap_or(Kind::None)
}

/// What Lua's types are.
const KINDS: [Kind; 16] = {
    let mut kinds = [Kind::None; 16];
    kinds[ffi::LUA_TNIL as usize] = Kind::Nil;
    kinds[ffi::LUA_TBOOLEAN as usize] = Kind::Boolean;
    kinds[ffi::LUA_TLIGHTUSERDATA as usize] = Kind::LightUserData;
    kinds[ffi::LUA_TNUMBER as usize] = Kind::Number;
    kinds[ffi::LUA_TSTRING as usize] = Kind::String;
    kinds[ffi::LUA_TTABLE as usize] = Kind::Table;
    kinds[ffi::LUA_TFUNCTION as usize] = Kind::Function;
    kinds[ffi::LUA_TUSERDATA as usize] = Kind::UserData;
    kinds[ffi::LUA_TTHREAD as usize] = Kind::Thread;
    kinds
};
