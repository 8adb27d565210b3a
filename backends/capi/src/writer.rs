//! Building values on the Lua stack.
//!
//! Owns [`StackWriter`]. It must not know what the values mean.

use std::cell::Cell;
use std::ffi::c_int;

use redlua_core::{Kind, NativeId, Scalar, ValueWriter, Workspace};

use crate::ffi::{self, lua_State};
use crate::interrupt;
use crate::layout;
use crate::look::scalar_at;
use crate::state::state_of;

/// Arrays of that length are looked at before they grow.
const LARGE: i64 = 4096;
/// What a value takes in an array.
const SLOT: usize = 16;
/// Strings of more bytes are looked at before they are pushed.
const LONG: usize = 4096;
/// Before strings of more bytes are pushed, somebody asks whether the run must end.
const SLOW: usize = 1 << 16;

/// A [`ValueWriter`] that pushes onto a Lua stack.
///
/// Used in the dispatch phase only, when the memory limit is off: then none of the calls here
/// can raise.
pub(crate) struct StackWriter {
    lua: *mut lua_State,
    /// Stack index of the first argument; arguments follow it.
    arguments: c_int,
    /// How many arguments there are.
    count: c_int,
    failed: bool,
    /// Whether the script was seen to hold more than it may: nothing more is built then.
    starved: Cell<bool>,
}

impl StackWriter {
    /// A writer that pushes above what is on the stack of `lua`; the native's `count` arguments
    /// begin at index `arguments`.
    ///
    /// # Safety
    /// `lua` stays live and unused by others while the writer is used, except by a
    /// [`StackReader`](crate::reader::StackReader) of the same call. At least `LUA_MINSTACK`
    /// slots are free.
    pub(crate) unsafe fn new(lua: *mut lua_State, arguments: c_int, count: c_int) -> Self {
        StackWriter { lua, arguments, count, failed: false, starved: Cell::new(false) }
    }
}

// SAFETY of the blocks below: `lua` is live by the contract of `new`. Pushes stay within the
// slots guaranteed there or asked for with `room`. Raw sets are made on what `table` pushed.
impl ValueWriter for StackWriter {
    #[inline]
    fn nil(&mut self) {
        // SAFETY: see above. Stack +1.
        unsafe { ffi::lua_pushnil(self.lua) }
    }

    #[inline]
    fn boolean(&mut self, value: bool) {
        // SAFETY: see above. Stack +1.
        unsafe { ffi::lua_pushboolean(self.lua, c_int::from(value)) }
    }

    #[inline]
    fn number(&mut self, value: f64) {
        // SAFETY: see above. Stack +1.
        unsafe { push_number(self.lua, value) }
    }

    #[inline]
    fn string(&mut self, bytes: &[u8]) {
        // Without the limit a long one would be there before anybody looks, and many of them take
        // long: each is read, and compared with one that is there already.
        if bytes.len() > LONG
            && (bytes.len() > self.allowance() || bytes.len() > SLOW && self.is_over())
        {
            self.starved.set(true);
            return self.nil();
        }
        // SAFETY: see above. Stack +1; allocates.
        unsafe { ffi::lua_pushlstring(self.lua, bytes.as_ptr().cast(), bytes.len()) }
    }

    fn null_pointer(&mut self) {
        // SAFETY: see above. Stack +1.
        unsafe { ffi::lua_pushlightuserdata(self.lua, std::ptr::null_mut()) }
    }

    fn native(&mut self, id: NativeId) {
        // SAFETY: see above. Stack +2, -1; allocates.
        unsafe { crate::native::push_native(self.lua, id) }
    }

    fn argument(&mut self, index: usize) {
        match c_int::try_from(index) {
            // SAFETY: the index is that of an argument. Stack +1.
            Ok(i) if i < self.count => unsafe {
                ffi::lua_pushvalue(self.lua, self.arguments + i);
            },
            _ => self.nil(),
        }
    }

    #[inline]
    fn table(&mut self, array: usize, hash: usize) {
        // A hint only: never let a declared length allocate by itself.
        let hint = |n: usize| n.min(1 << 20) as c_int;
        // SAFETY: see above. Stack +1; allocates.
        unsafe { ffi::lua_createtable(self.lua, hint(array), hint(hash)) }
    }

    #[inline]
    fn set_index(&mut self, index: i64) {
        // From a power of two on the array becomes twice as large at once, beside the old one.
        if index >= LARGE {
            if (index & (index - 1)) == 0 && self.allowance() < index as usize * SLOT * 2 {
                self.starved.set(true);
            }
            // Until somebody asks whether this has failed, nothing may make it grow.
            if self.starved.get() {
                // SAFETY: [table, value] are on top. Stack -1.
                return unsafe { ffi::lua_settop(self.lua, -2) };
            }
        }
        match c_int::try_from(index) {
            // SAFETY: [table, value] are on top. Stack -1; allocates.
            Ok(index) => unsafe {
                if !layout::is_known() || !layout::set_element(self.lua, index) {
                    ffi::lua_rawseti(self.lua, -2, index);
                }
            },
            // SAFETY: as above; the number key is inserted below the value.
            Err(_) => unsafe {
                ffi::lua_pushnumber(self.lua, index as f64);
                ffi::lua_insert(self.lua, -2);
                ffi::lua_rawset(self.lua, -3);
            },
        }
    }

    #[inline]
    fn set_field(&mut self, name: &[u8]) {
        // SAFETY: [table, value] are on top; the key goes below the value. Stack +1, then -2.
        unsafe {
            ffi::lua_pushlstring(self.lua, name.as_ptr().cast(), name.len());
            ffi::lua_insert(self.lua, -2);
            ffi::lua_rawset(self.lua, -3);
        }
    }

    #[inline]
    fn set_pair(&mut self) {
        // SAFETY: [table, key, value] are on top. A nil or NaN key would raise in lua_rawset,
        // so it is refused here. Stack -2; allocates.
        unsafe {
            let valid = match ffi::lua_type(self.lua, -2) {
                ffi::LUA_TNIL => false,
                ffi::LUA_TNUMBER => !ffi::lua_tonumber(self.lua, -2).is_nan(),
                _ => true,
            };
            if valid {
                ffi::lua_rawset(self.lua, -3);
            } else {
                ffi::lua_settop(self.lua, -3);
                self.failed = true;
            }
        }
    }

    fn gathers(&self) -> bool {
        // The order of walks follows from how a table grows on Lua 5.1 alone; the others keep to
        // an order of their own.
        cfg!(lua51)
    }

    #[inline]
    fn list(&mut self, len: usize, dense: bool) {
        let Some((table, len)) = self.gathered(len) else { return };
        // SAFETY: above `table` there are `len` values, which are set away. Stack -len, with one
        // more in between; allocates.
        unsafe {
            if dense {
                // How far the array part grows with so many elements.
                let size = if len == 0 { 0 } else { len.unsigned_abs().next_power_of_two() };
                ffi::lua_createtable(self.lua, size as c_int, 0);
                ffi::lua_replace(self.lua, table);
                for index in (1..=len).rev() {
                    ffi::lua_rawseti(self.lua, table, index);
                }
            } else {
                ffi::lua_createtable(self.lua, 0, 0);
                ffi::lua_replace(self.lua, table);
                for index in 1..=len {
                    ffi::lua_pushvalue(self.lua, table + index);
                    ffi::lua_rawseti(self.lua, table, index);
                }
                ffi::lua_settop(self.lua, table);
            }
        }
    }

    #[inline]
    fn record(&mut self, pairs: usize, size: usize, order: &[u8]) {
        let Some((table, len)) = self.gathered(pairs * 2) else { return };
        // SAFETY: above `table` there are the pairs, whose keys are neither nil nor NaN by
        // contract. Stack -len, with two more in between; allocates.
        unsafe {
            ffi::lua_createtable(self.lua, 0, size.min(1 << 20) as c_int);
            ffi::lua_replace(self.lua, table);
            for &pair in order {
                let key = table + 1 + 2 * c_int::from(pair);
                if key < table + len {
                    if layout::is_known() {
                        layout::push_copy(self.lua, key);
                        layout::push_copy(self.lua, key + 1);
                    } else {
                        ffi::lua_pushvalue(self.lua, key);
                        ffi::lua_pushvalue(self.lua, key + 1);
                    }
                    ffi::lua_rawset(self.lua, table);
                }
            }
            ffi::lua_settop(self.lua, table);
        }
    }

    fn restart(&mut self) {
        self.truncate(0);
        self.failed = false;
    }

    fn room(&mut self, values: usize) -> bool {
        // SAFETY: see above; with the memory limit off it does not raise.
        let room = unsafe { crate::reader::room(self.lua, values) };
        self.failed |= !room;
        room
    }

    fn failed(&self) -> bool {
        self.failed || self.is_starved()
    }

    fn allowance(&self) -> usize {
        // SAFETY: see above.
        unsafe { state_of(self.lua) }.room()
    }

    fn interrupted(&mut self) -> bool {
        // SAFETY: see above; a function called by Lua runs.
        unsafe { interrupt::note(self.lua, interrupt::INTERVAL) }
    }
}

impl StackWriter {
    /// Whether the run must end.
    #[cold]
    fn is_over(&self) -> bool {
        // SAFETY: `lua` is live by the contract of `new`, and a function called by Lua runs.
        unsafe { interrupt::note(self.lua, 0) }
    }

    /// Whether the script holds more than it may, or did so when it was last looked at: what was
    /// built since is not complete.
    pub(crate) fn is_starved(&self) -> bool {
        // SAFETY: see above.
        let over = unsafe { state_of(self.lua) }.over_limit();
        if over {
            self.starved.set(true);
        }
        self.starved.get()
    }

    /// The stack index below the last `len` values, and `len`; a failure when there are not so
    /// many and one more.
    #[inline]
    fn gathered(&mut self, len: usize) -> Option<(c_int, c_int)> {
        if len >= self.top() {
            self.failed = true;
            return None;
        }
        let len = len as c_int;
        // SAFETY: see above.
        Some((unsafe { ffi::lua_gettop(self.lua) } - len, len))
    }

    /// The stack index of a value that was appended, when it is there.
    #[inline]
    fn index_of(&self, value: usize) -> Option<c_int> {
        if value < self.top() { Some(self.above() + value as c_int) } else { None }
    }

    /// The stack index of the first value that is appended.
    #[inline]
    fn above(&self) -> c_int {
        self.arguments + self.count
    }

    /// The stack index of an argument that is a table.
    #[inline]
    fn table_at(&self, argument: usize) -> Option<c_int> {
        let index = c_int::try_from(argument).ok().filter(|&index| index < self.count)?;
        let index = self.arguments + index;
        // SAFETY: the index is that of an argument.
        let table = unsafe { ffi::lua_type(self.lua, index) == ffi::LUA_TTABLE };
        table.then_some(index)
    }
}

// SAFETY of the blocks below: as above; indices are those of arguments or of values pushed here.
impl Workspace for StackWriter {
    #[inline]
    fn top(&self) -> usize {
        // SAFETY: see above.
        let top = unsafe { ffi::lua_gettop(self.lua) };
        usize::try_from(top + 1 - self.above()).unwrap_or(0)
    }

    #[inline]
    fn truncate(&mut self, top: usize) {
        if top < self.top() {
            // SAFETY: only values that were pushed here are dropped.
            unsafe { ffi::lua_settop(self.lua, self.above() - 1 + top as c_int) }
        }
    }

    #[inline]
    fn scalar(&self, value: usize) -> Scalar<'_> {
        match self.index_of(value) {
            // SAFETY: the value stays on the stack while `self` is borrowed.
            Some(index) => unsafe { scalar_at(self.lua, index) },
            None => Scalar::Other(Kind::Nil),
        }
    }

    #[inline]
    fn copy(&mut self, value: usize) {
        match self.index_of(value) {
            // SAFETY: see above. Stack +1.
            Some(index) => unsafe { ffi::lua_pushvalue(self.lua, index) },
            None => self.nil(),
        }
    }

    #[inline]
    fn length(&mut self, table: usize) -> usize {
        // SAFETY: a table is at that index.
        self.table_at(table).map_or(0, |index| unsafe { ffi::lua_objlen(self.lua, index) })
    }

    #[inline]
    fn fetch(&mut self, table: usize, index: i64) {
        match (self.table_at(table), c_int::try_from(index)) {
            // SAFETY: a table is there. Stack +1.
            (Some(table), Ok(index)) => unsafe { ffi::lua_rawgeti(self.lua, table, index) },
            _ => self.nil(),
        }
    }

    #[inline]
    fn look_up(&mut self, table: usize) -> bool {
        let Some(table) = self.table_at(table) else { return false };
        // SAFETY: a table is there and a key on top. Stack 0; neither raises nor allocates.
        unsafe {
            ffi::lua_pushvalue(self.lua, -1);
            ffi::lua_rawget(self.lua, table);
            if ffi::lua_type(self.lua, -1) == ffi::LUA_TNIL
                && ffi::lua_getmetatable(self.lua, table) != 0
            {
                ffi::lua_settop(self.lua, -3);
                return false;
            }
            ffi::lua_replace(self.lua, -2);
        }
        true
    }

    #[inline]
    fn store(&mut self, table: usize, index: i64) {
        match (self.table_at(table), c_int::try_from(index)) {
            // SAFETY: a table is there and a value on top. Stack -1; allocates.
            (Some(table), Ok(index)) => unsafe { ffi::lua_rawseti(self.lua, table, index) },
            _ => {
                self.truncate(self.top().saturating_sub(1));
                self.failed = true;
            }
        }
    }

    fn metafield(&mut self, argument: usize, name: &str) -> bool {
        let index = c_int::try_from(argument).ok().filter(|&index| index < self.count);
        let Some(index) = index else { return false };
        // SAFETY: the index is that of an argument. Stack +1 or 0; allocates the name.
        unsafe {
            if ffi::lua_getmetatable(self.lua, self.arguments + index) == 0 {
                return false;
            }
            ffi::lua_pushlstring(self.lua, name.as_ptr().cast(), name.len());
            ffi::lua_rawget(self.lua, -2);
            if ffi::lua_type(self.lua, -1) == ffi::LUA_TNIL {
                ffi::lua_settop(self.lua, -3);
                return false;
            }
            ffi::lua_replace(self.lua, -2);
        }
        true
    }
}

/// Pushes a number: where the engine tells integers from floats, an integral one as an integer,
/// because that is how it is written then.
///
/// # Safety
/// A slot is free. Stack +1. Neither raises nor allocates.
#[inline]
pub(crate) unsafe fn push_number(lua: *mut lua_State, value: f64) {
    #[cfg(lua54)]
    if let Some(integer) = exact(value) {
        // SAFETY: by contract.
        unsafe { ffi::push_integer(lua, integer) };
        return;
    }
    // SAFETY: by contract.
    unsafe { ffi::lua_pushnumber(lua, value) }
}

/// The integer that stands for the same number in every operation; a negative zero has none.
#[cfg(lua54)]
fn exact(value: f64) -> Option<i64> {
    // From here on Lua 5.1 writes an exponent, as Lua 5.4 does for floats.
    const LARGE: f64 = 1e14;
    let integer = value as i64;
    let same = (integer as f64).to_bits() == value.to_bits() && value.abs() < LARGE;
    same.then_some(integer)
}
