//! Where Lua 5.1.5 keeps its values, for those who read many of them.
//!
//! Owns the layout of stacks, tables and strings as far as reading needs it (`lobject.h`,
//! `lstate.h`). The C interface takes three calls to look at one value and a search by hash to
//! step from one pair of a table to the next. Whether the library that is linked has this layout
//! is tried out with the first state; where it has not, everybody goes through the interface. It
//! must not know what the values mean.

#[cfg(lua51)]
use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::{ptr, slice};

use crate::ffi::{self, lua_State};
use crate::known::Known;

/// A value (`TValue`).
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Slot {
    value: Content,
    /// Its type, as `lua_type` answers.
    pub(crate) kind: c_int,
}

/// `Value`.
#[derive(Clone, Copy)]
#[repr(C)]
union Content {
    object: *const c_void,
    number: f64,
    boolean: c_int,
}

/// `TString`; its bytes follow.
#[repr(C)]
struct Text {
    next: *const c_void,
    kind: u8,
    marked: u8,
    reserved: u8,
    hash: u32,
    len: usize,
}

/// `Table`.
#[repr(C)]
struct Table {
    next: *const c_void,
    kind: u8,
    marked: u8,
    flags: u8,
    /// The logarithm of how many nodes there are.
    nodes: u8,
    metatable: *const c_void,
    array: *const Slot,
    node: *const Node,
    last_free: *const Node,
    gray: *const c_void,
    array_len: c_int,
}

/// `Node`.
#[repr(C)]
struct Node {
    value: Slot,
    key: Key,
}

/// `TKey`: a value whose padding holds more.
#[repr(C)]
struct Key {
    value: Content,
    kind: c_int,
    next: *const Node,
}

/// The beginning of a stack (`lua_State`).
#[repr(C)]
struct Stack {
    next: *const c_void,
    kind: u8,
    marked: u8,
    status: u8,
    top: *mut Slot,
    base: *mut Slot,
    shared: *const Shared,
}

/// The beginning of what all coroutines share (`global_State`).
#[repr(C)]
struct Shared {
    strings: *const c_void,
    string_len: u32,
    string_places: c_int,
    allocate: *const c_void,
    user_data: *mut c_void,
}

/// Whether the library is laid out so.
static KNOWN: Known = Known::new();

/// Whether the functions below may be called.
#[inline(always)]
pub(crate) fn is_known() -> bool {
    cfg!(lua51) && KNOWN.holds()
}

/// Tries the layout out, once in a process: there is one library in it.
///
/// # Safety
/// `lua` is live; 6 slots are free; memory is not limited. Stack 0. Does not raise.
pub(crate) unsafe fn explore(lua: *mut lua_State) {
    if cfg!(lua51) {
        // SAFETY: by contract.
        KNOWN.explore(|| unsafe { agrees(lua) });
    }
}

/// Whether a table and a stack of known contents look as they should. Each step relies only on
/// what those before it have shown.
///
/// # Safety
/// As for [`explore`].
unsafe fn agrees(lua: *mut lua_State) -> bool {
    // SAFETY: by contract. What is read lies within objects that are larger in any Lua 5.1 than
    // the parts read of them, behind pointers that were compared with those Lua gives out.
    unsafe {
        let bottom = ffi::lua_gettop(lua);
        ffi::lua_createtable(lua, 2, 2);
        ffi::lua_createtable(lua, 0, 0);
        ffi::lua_setmetatable(lua, -2);
        ffi::lua_pushlstring(lua, c"one".as_ptr(), 3);
        ffi::lua_pushvalue(lua, -1);
        ffi::lua_rawseti(lua, -3, 1);
        ffi::lua_pushvalue(lua, -1);
        ffi::lua_pushnumber(lua, 1.5);
        ffi::lua_rawset(lua, -4);
        ffi::lua_getmetatable(lua, -2);
        let (table, name, metatable) = (bottom + 1, bottom + 2, bottom + 3);
        let looks_right = || {
            let stack = &*lua.cast::<Stack>();
            let len = stack.top.addr().checked_sub(stack.base.addr());
            if len != Some(metatable as usize * size_of::<Slot>()) {
                return false;
            }
            let mut user_data = ptr::null_mut();
            ffi::lua_getallocf(lua, &mut user_data);
            if (*stack.shared).user_data != user_data {
                return false;
            }
            let at = |index: c_int| &*slot(lua, index);
            if at(table).kind != ffi::LUA_TTABLE
                || at(table).value.object != ffi::lua_topointer(lua, table)
                || at(metatable).value.object != ffi::lua_topointer(lua, metatable)
                || at(name).kind != ffi::LUA_TSTRING
            {
                return false;
            }
            let mut len = 0;
            let bytes = ffi::lua_tolstring(lua, name, &mut len);
            let object = at(name).value.object;
            if bytes.addr().checked_sub(object.addr()) != Some(size_of::<Text>()) {
                return false;
            }
            let object = &*at(table).value.object.cast::<Table>();
            if !object.metatable.eq(&at(metatable).value.object)
                || object.array_len != 2
                || object.nodes != 1
                || text(at(name)) != b"one"
            {
                return false;
            }
            let mut key = Slot { value: Content { boolean: 0 }, kind: 0 };
            let mut value = key;
            let first = step(at(table), 0, &mut key, &mut value) == Some(1)
                && (key.kind, number(&key)) == (ffi::LUA_TNUMBER, 1.0)
                && value.value.object == at(name).value.object;
            let mut from = 1;
            let second = match step(at(table), from, &mut key, &mut value) {
                Some(next) => {
                    from = next;
                    key.value.object == at(name).value.object
                        && (value.kind, number(&value)) == (ffi::LUA_TNUMBER, 1.5)
                }
                None => false,
            };
            first && second && step(at(table), from, &mut key, &mut value).is_none()
        };
        let agrees = looks_right();
        ffi::lua_settop(lua, bottom);
        agrees
    }
}

/// The value at a stack index, which must be positive.
///
/// # Safety
/// The layout [`is_known`]; there is a value at `index`. The result is good until the stack grows.
#[inline(always)]
pub(crate) unsafe fn slot(lua: *mut lua_State, index: c_int) -> *mut Slot {
    // SAFETY: by contract; index 1 is at the base.
    unsafe { (*lua.cast::<Stack>()).base.offset(index as isize - 1) }
}

/// How many values the running function has (`lua_gettop`).
///
/// # Safety
/// `lua` is live.
#[inline(always)]
pub(crate) unsafe fn top(lua: *mut lua_State) -> c_int {
    // SAFETY: by contract; the layout is known where it is relied on.
    unsafe {
        #[cfg(luajit)]
        if crate::jit::is_known() {
            return crate::jit::top(lua);
        }
        if !is_known() {
            return ffi::lua_gettop(lua);
        }
        let stack = &*lua.cast::<Stack>();
        ((stack.top.addr() - stack.base.addr()) / size_of::<Slot>()) as c_int
    }
}

/// What was given to `lua_newstate` (`lua_getallocf`).
///
/// # Safety
/// `lua` is live.
#[inline(always)]
pub(crate) unsafe fn user_data(lua: *mut lua_State) -> *mut c_void {
    // SAFETY: by contract; the layout is known where it is relied on.
    unsafe {
        if is_known() {
            return (*(*lua.cast::<Stack>()).shared).user_data;
        }
        #[cfg(luajit)]
        if crate::jit::is_known() {
            return crate::jit::user_data(lua);
        }
        let mut user_data = ptr::null_mut();
        ffi::lua_getallocf(lua, &mut user_data);
        user_data
    }
}

/// Drops what is above `index` (`lua_settop`).
///
/// # Safety
/// The layout [`is_known`]; there are so many values, or more.
#[inline(always)]
pub(crate) unsafe fn cut(lua: *mut lua_State, index: c_int) {
    // SAFETY: by contract.
    unsafe { (*lua.cast::<Stack>()).top = slot(lua, index + 1) }
}

/// The bytes of a string.
///
/// # Safety
/// The layout [`is_known`] and the value is a string, which stays reachable.
#[inline(always)]
pub(crate) unsafe fn text<'a>(slot: &Slot) -> &'a [u8] {
    // SAFETY: by contract.
    unsafe {
        let text = slot.value.object.cast::<Text>();
        slice::from_raw_parts(text.add(1).cast(), (*text).len)
    }
}

/// A number.
///
/// # Safety
/// The value is a number.
#[inline(always)]
pub(crate) unsafe fn number(slot: &Slot) -> f64 {
    // SAFETY: by contract.
    unsafe { slot.value.number }
}

/// A boolean.
///
/// # Safety
/// The value is a boolean.
#[inline(always)]
pub(crate) unsafe fn boolean(slot: &Slot) -> bool {
    // SAFETY: by contract.
    unsafe { slot.value.boolean != 0 }
}

/// Whether a table has a metatable.
///
/// # Safety
/// The layout [`is_known`] and the value is a table.
#[inline(always)]
pub(crate) unsafe fn has_metatable(slot: &Slot) -> bool {
    // SAFETY: by contract.
    unsafe { !(*slot.value.object.cast::<Table>()).metatable.is_null() }
}

/// Pushes the value at a stack index once more (`lua_pushvalue`).
///
/// # Safety
/// The layout [`is_known`]; there is a value at `index`; a slot is free. Stack +1.
#[inline(always)]
pub(crate) unsafe fn push_copy(lua: *mut lua_State, index: c_int) {
    // SAFETY: by contract.
    unsafe {
        let stack = lua.cast::<Stack>();
        *(*stack).top = *slot(lua, index);
        (*stack).top = (*stack).top.add(1);
    }
}

/// Pushes the element at `index` if the array part has it; nothing is pushed when not.
///
/// # Safety
/// The layout [`is_known`] and the value is a table; a slot is free. Stack +1 or 0.
#[inline(always)]
pub(crate) unsafe fn push_element(lua: *mut lua_State, table: c_int, index: i64) -> bool {
    // SAFETY: by contract.
    unsafe { push_element_of(lua, (*slot(lua, table)).value.object, index) }
}

/// The same of the table that `lua_topointer` shows there.
///
/// # Safety
/// As for [`push_element`].
#[inline(always)]
pub(crate) unsafe fn push_element_of(
    lua: *mut lua_State,
    table: *const c_void,
    index: i64,
) -> bool {
    // SAFETY: by contract; `array_len` elements are at `array`.
    unsafe {
        let table = table.cast::<Table>();
        if index < 1 || index > i64::from((*table).array_len) {
            return false;
        }
        let stack = lua.cast::<Stack>();
        *(*stack).top = *(*table).array.offset(index as isize - 1);
        (*stack).top = (*stack).top.add(1);
        true
    }
}

/// Pushes a value that is reachable.
///
/// # Safety
/// The layout [`is_known`]; a slot is free. Stack +1.
#[cfg(lua51)]
pub(crate) unsafe fn push(lua: *mut lua_State, value: Slot) {
    // SAFETY: by contract.
    unsafe {
        let stack = lua.cast::<Stack>();
        *(*stack).top = value;
        (*stack).top = (*stack).top.add(1);
    }
}

/// Whether the collector has been through an object and must be told of what it gets (`isblack` in
/// `lgc.h`).
fn is_done(table: &Table) -> bool {
    table.marked & 1 << 2 != 0
}

/// Where the value of the field of that name is; `None` when there is no such field.
///
/// # Safety
/// The layout [`is_known`]; `table` is a table, `name` a string. The result is good until the table
/// grows or is collected.
#[cfg(lua51)]
pub(crate) unsafe fn field(table: &Slot, name: &Slot) -> Option<*mut Slot> {
    // SAFETY: by contract; a string stands in the chain of nodes that begins at its hash.
    unsafe {
        let table = &*table.value.object.cast::<Table>();
        let hash = (*name.value.object.cast::<Text>()).hash;
        let mut at = table.node.add(hash as usize & ((1 << (table.nodes & 31)) - 1));
        while !at.is_null() {
            let node = &*at;
            if node.key.kind == ffi::LUA_TSTRING && node.key.value.object == name.value.object {
                // Empty fields have a node as well, but not one that is theirs for ever.
                let empty = node.value.kind == ffi::LUA_TNIL;
                return (!empty).then_some(&raw mut (*at.cast_mut()).value);
            }
            at = node.key.next;
        }
        None
    }
}

/// Where a field was found.
#[cfg(lua51)]
#[derive(Clone, Copy)]
pub(crate) struct Found {
    nodes: *const Node,
    /// The logarithm of how many there are.
    count: u8,
    /// One of them.
    node: *const Node,
}

#[cfg(lua51)]
impl Found {
    /// Nowhere.
    pub(crate) const NONE: Found = Found { nodes: ptr::null(), count: 0, node: ptr::null() };
}

/// As [`field`], which is asked only when the field is not where it was.
///
/// # Safety
/// As for [`field`]; `found` was written here, for the same table.
#[cfg(lua51)]
#[inline]
pub(crate) unsafe fn field_again(
    table: &Slot,
    name: &Slot,
    found: &Cell<Found>,
) -> Option<*mut Slot> {
    // SAFETY: by contract. Where there are as many nodes in the same place, the same one is among
    // them; the value is the first part of a node.
    unsafe {
        let Table { node, nodes, .. } = *table.value.object.cast::<Table>();
        let last = found.get();
        if (node, nodes) == (last.nodes, last.count)
            && let Node { value, key } = &*last.node
            && (key.kind, key.value.object) == (ffi::LUA_TSTRING, name.value.object)
            && value.kind != ffi::LUA_TNIL
        {
            return Some(last.node.cast_mut().cast());
        }
        let at = field(table, name)?;
        found.set(Found { nodes: node, count: nodes, node: at.cast_const().cast() });
        Some(at)
    }
}

/// Gives the field of that name another value and returns `true`; `false` when there is no such
/// field or Lua must be asked.
///
/// # Safety
/// As for [`field`].
#[cfg(lua51)]
pub(crate) unsafe fn set_field(table: &Slot, name: &Slot, value: &Slot) -> bool {
    // SAFETY: by contract.
    unsafe {
        if is_done(&*table.value.object.cast::<Table>()) {
            return false;
        }
        let Some(at) = field(table, name) else { return false };
        *at = *value;
        true
    }
}

/// Whether a value is a table as `lua_createtable` makes it for `len` elements, whatever these are:
/// no other places and no metatable. `bare` is a table that nothing was ever put into.
///
/// # Safety
/// The layout [`is_known`]; both are of one Lua state.
#[cfg(lua51)]
pub(crate) unsafe fn is_list(slot: &Slot, len: usize, bare: &Slot) -> bool {
    if slot.kind != ffi::LUA_TTABLE {
        return false;
    }
    // SAFETY: by contract; all tables without places for names share one that is never filled.
    unsafe {
        let table = &*slot.value.object.cast::<Table>();
        let bare = &*bare.value.object.cast::<Table>();
        table.array_len as usize == len && table.node == bare.node && table.metatable.is_null()
    }
}

/// Pops a value and makes it an element of the table below it, when the array part has the place
/// and Lua need not be asked; whether it did.
///
/// # Safety
/// The layout [`is_known`]; below the top is a table. Stack -1 or 0.
#[inline]
pub(crate) unsafe fn set_element(lua: *mut lua_State, index: c_int) -> bool {
    // SAFETY: by contract; `array_len` elements are at `array`.
    unsafe {
        let stack = lua.cast::<Stack>();
        let table = &*(*(*stack).top.sub(2)).value.object.cast::<Table>();
        if index < 1 || index > table.array_len || is_done(table) {
            return false;
        }
        (*stack).top = (*stack).top.sub(1);
        *table.array.cast_mut().offset(index as isize - 1) = *(*stack).top;
        true
    }
}

/// The first pair of a table at or behind the position `from`, and the position behind that
/// (`luaH_next`); `None` when there is none.
///
/// # Safety
/// The layout [`is_known`] and the value is a table, which nobody changes meanwhile.
#[inline(always)]
pub(crate) unsafe fn step(
    table: &Slot,
    from: u32,
    key: &mut Slot,
    value: &mut Slot,
) -> Option<u32> {
    // SAFETY: by contract; `array_len` elements are at `array`, two to the power of `nodes` nodes
    // at `node`.
    unsafe {
        let table = &*table.value.object.cast::<Table>();
        let array = table.array_len as u32;
        let mut at = from;
        while at < array {
            let element = &*table.array.add(at as usize);
            at += 1;
            if element.kind != ffi::LUA_TNIL {
                *key = Slot { value: Content { number: f64::from(at) }, kind: ffi::LUA_TNUMBER };
                *value = *element;
                return Some(at);
            }
        }
        let nodes = 1u32 << (table.nodes & 31);
        while at - array < nodes {
            let node = &*table.node.add((at - array) as usize);
            at += 1;
            if node.value.kind != ffi::LUA_TNIL {
                *key = Slot { value: node.key.value, kind: node.key.kind };
                *value = node.value;
                return Some(at);
            }
        }
        None
    }
}

#[cfg(all(test, lua51, target_pointer_width = "64"))]
mod tests {
    use super::*;
    use crate::state::in_state;

    #[test]
    fn the_vendored_library_has_this_layout() {
        // SAFETY: a state with nothing in it, memory not limited.
        in_state(|lua| unsafe {
            for _ in 0..3 {
                assert!(agrees(lua));
            }
            assert_eq!(ffi::lua_gettop(lua), 0);
            explore(lua);
            assert!(is_known());
        });
    }

    #[test]
    fn a_list_is_one_until_it_is_changed_otherwise_than_in_its_places() {
        // SAFETY: a state with nothing in it, memory not limited, few slots used.
        in_state(|lua| unsafe {
            explore(lua);
            ffi::lua_createtable(lua, 0, 0);
            let made = |changes: &dyn Fn()| {
                ffi::lua_settop(lua, 1);
                ffi::lua_createtable(lua, 2, 0);
                ffi::lua_pushnumber(lua, 1.0);
                ffi::lua_rawseti(lua, 2, 2);
                changes();
                is_list(&*slot(lua, 2), 2, &*slot(lua, 1))
            };
            assert!(made(&|| {}));
            let set = |index| {
                ffi::lua_pushnumber(lua, 1.0);
                ffi::lua_rawseti(lua, 2, index);
            };
            assert!(made(&|| set(1)));
            assert!(!made(&|| set(3)));
            assert!(!made(&|| {
                ffi::lua_pushlstring(lua, c"name".as_ptr(), 4);
                set(1);
                ffi::lua_pushboolean(lua, 1);
                ffi::lua_rawset(lua, 2);
            }));
            assert!(!made(&|| {
                ffi::lua_createtable(lua, 0, 0);
                ffi::lua_setmetatable(lua, 2);
            }));
        });
    }
}
