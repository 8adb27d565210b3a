//! Walking tables in the order of Lua 5.1, on engines that have another.
//!
//! Owns the order found for each table that is being walked. The rules of the order are in
//! `redlua_conversions::order`; it must not know who walks, nor which tables are stand-ins.
//!
//! LuaJIT and Lua 5.4 hash strings with a seed that is drawn at random. A
//! table that is no plain list is therefore put into Lua 5.1's order when a walk begins. What that
//! costs is bounded: tables of more than [`LIMIT`] keys keep the order of the engine.
//!
//! Between two steps of a script's walk anything may happen, so its order is a table of Lua. A
//! native's walk nobody disturbs: it has a list of [`Keys`].

use std::cell::Cell;
use std::ffi::c_int;

use redlua_conversions::order::{Key, order};
use smallvec::SmallVec;

use crate::ffi::{self, lua_State};
use crate::look::string_at;
use crate::state::{State, state_of};
use crate::writer::push_number;

/// How many keys are put into order.
const LIMIT: usize = 512;

/// Where an order keeps the place that was visited last.
const PLACE: c_int = 0;
/// Where it keeps how many walks over its table have begun and not come to their end.
const WALKS: c_int = -1;

/// The orders of the tables that are being walked: a table of Lua with weak keys, from each of them
/// to the list of its keys.
pub(crate) struct Orders(Cell<c_int>);

impl Default for Orders {
    fn default() -> Self {
        Orders(Cell::new(ffi::LUA_NOREF))
    }
}

/// `lua_next`: pops a key and pushes the next pair of the table at `table`, or nothing at the end.
///
/// # Safety
/// There is a table at the absolute index `table` and a key on top; 1 slot is free. Raises when the
/// table never had the key.
pub(crate) unsafe fn next(lua: *mut lua_State, table: c_int) -> c_int {
    // SAFETY: by contract. With the memory limit off and slots asked for `begin` and `resume` do not
    // raise, and nothing is owned here.
    unsafe {
        let state = state_of(lua);
        let was = state.enforce(false);
        let found = if ffi::lua_checkstack(lua, 8) == 0 {
            None
        } else if ffi::lua_type(lua, -1) == ffi::LUA_TNIL {
            begin(lua, state, table)
        } else {
            resume(lua, state, table)
        };
        state.enforce(was);
        match found {
            Some(true) => 1,
            Some(false) => 0,
            None => ffi::lua_next(lua, table),
        }
    }
}

/// How a walk that is not disturbed finds its way.
pub(crate) enum Way {
    /// The engine's order is as good.
    Engine,
    /// In this order.
    Keys(Keys),
    /// [`next`] must be asked.
    Asked,
}

/// The keys of a table in their order, for a walk that is not disturbed.
pub(crate) struct Keys(Vec<Key<'static>>);

impl Keys {
    /// The way through the table at the absolute index `table`.
    ///
    /// # Safety
    /// There is a table. The result is used only while nobody changes it and it stays reachable.
    /// Stack 0. Does not raise.
    pub(crate) unsafe fn of(lua: *mut lua_State, table: c_int) -> Way {
        // SAFETY: by contract; with the memory limit off and slots asked for nothing raises.
        unsafe {
            let state = state_of(lua);
            let was = state.enforce(false);
            let top = ffi::lua_gettop(lua);
            // Weak tables lose keys to the collector.
            let fit = ffi::lua_checkstack(lua, 8) != 0
                && ffi::lua_getmetatable(lua, table) == 0
                && !is_walked(lua, state, table);
            let way = if !fit {
                Way::Asked
            } else if is_list(lua, table) {
                Way::Engine
            } else {
                Self::collect(lua, table).map_or(Way::Asked, Way::Keys)
            };
            ffi::lua_settop(lua, top);
            state.enforce(was);
            way
        }
    }

    /// # Safety
    /// As for [`of`](Self::of); 2 slots are free. Leaves a key on the stack.
    unsafe fn collect(lua: *mut lua_State, table: c_int) -> Option<Self> {
        let mut found: SmallVec<[Key<'static>; 16]> = SmallVec::new();
        // SAFETY: by contract. Strings stay where they are as long as the table has them.
        unsafe {
            ffi::lua_pushnil(lua);
            while ffi::lua_next(lua, table) != 0 {
                ffi::lua_settop(lua, -2);
                found.push(match ffi::lua_type(lua, -1) {
                    ffi::LUA_TBOOLEAN => Key::Boolean(ffi::lua_toboolean(lua, -1) != 0),
                    ffi::LUA_TNUMBER => Key::Number(ffi::lua_tonumber(lua, -1)),
                    ffi::LUA_TSTRING => Key::Text(string_at(lua, -1)),
                    // It can be pushed only from where it is.
                    _ => return None,
                });
                if found.len() > LIMIT {
                    return None;
                }
            }
        }
        let sorted = order(&found).into_iter().filter_map(|place| found.get(place).copied());
        Some(Keys(sorted.collect()))
    }

    /// Pushes the first pair from the place `from` on, and returns the place behind it; `None` and
    /// nothing pushed at the end.
    ///
    /// # Safety
    /// As for [`of`](Self::of); 2 slots are free. Does not raise.
    pub(crate) unsafe fn push(
        &self,
        lua: *mut lua_State,
        table: c_int,
        from: usize,
    ) -> Option<usize> {
        // SAFETY: by contract; with the memory limit off nothing raises.
        unsafe {
            let was = state_of(lua).enforce(false);
            let found = (from..).zip(self.0.get(from..)?).find_map(|(place, key)| {
                match *key {
                    Key::Boolean(value) => ffi::lua_pushboolean(lua, value.into()),
                    Key::Number(number) => push_number(lua, number),
                    Key::Text(text) => {
                        ffi::lua_pushlstring(lua, text.as_ptr().cast(), text.len());
                    }
                    Key::Object(_) => return None,
                }
                ffi::lua_pushvalue(lua, -1);
                ffi::lua_rawget(lua, table);
                if ffi::lua_type(lua, -1) == ffi::LUA_TNIL {
                    ffi::lua_settop(lua, -3);
                    return None;
                }
                Some(place + 1)
            });
            state_of(lua).enforce(was);
            found
        }
    }
}

/// Whether a script walks over the table, in an order that is kept.
///
/// # Safety
/// There is a table; 2 slots are free. Stack 0.
unsafe fn is_walked(lua: *mut lua_State, state: &State, table: c_int) -> bool {
    if state.orders.0.get() == ffi::LUA_NOREF {
        return false;
    }
    // SAFETY: by contract.
    unsafe {
        push_orders(lua, state);
        ffi::lua_pushvalue(lua, table);
        ffi::lua_rawget(lua, -2);
        let walked = ffi::lua_type(lua, -1) != ffi::LUA_TNIL;
        ffi::lua_settop(lua, -3);
        walked
    }
}

/// Forgets all walks.
///
/// # Safety
/// The state is live and nothing runs in it. Stack 0.
pub(crate) unsafe fn forget(lua: *mut lua_State, state: &State) {
    let orders = state.orders.0.replace(ffi::LUA_NOREF);
    if orders != ffi::LUA_NOREF {
        // SAFETY: the reference is one of luaL_ref.
        unsafe { ffi::luaL_unref(lua, ffi::LUA_REGISTRYINDEX, orders) };
    }
}

// SAFETY of the functions below: memory is not limited and 8 slots are free above the key, which is
// on top when they are called; they take what they push away again. Nothing raises. While one of
// them works, the orders lie just above the key and the order of the table above them.

/// The first pair of a walk; `None` when the engine's order is as good.
///
/// # Safety
/// See above; the key is nil.
unsafe fn begin(lua: *mut lua_State, state: &State, table: c_int) -> Option<bool> {
    // SAFETY: see above.
    unsafe {
        let key = ffi::lua_gettop(lua);
        let list = is_list(lua, table);
        if list && state.orders.0.get() == ffi::LUA_NOREF {
            return None;
        }
        push_orders(lua, state);
        ffi::lua_pushvalue(lua, table);
        ffi::lua_rawget(lua, key + 1);
        // A walk that goes on elsewhere must find its keys again.
        let known = ffi::lua_type(lua, key + 2) == ffi::LUA_TTABLE;
        let ordered = || known && covers(lua, table, key + 2) || survey(lua, table, key + 2);
        if list || !ordered() {
            if known {
                set_order(lua, table, key + 1, |lua| ffi::lua_pushnil(lua));
            }
            ffi::lua_settop(lua, key);
            return None;
        }
        set_order(lua, table, key + 1, |lua| ffi::lua_pushvalue(lua, key + 2));
        push_number(lua, number_at(lua, key + 2, WALKS) + 1.0);
        ffi::lua_rawseti(lua, key + 2, WALKS);
        Some(advance(lua, table, key, 1))
    }
}

/// The pair after a key; `None` when no walk knows it.
///
/// # Safety
/// See above.
unsafe fn resume(lua: *mut lua_State, state: &State, table: c_int) -> Option<bool> {
    if state.orders.0.get() == ffi::LUA_NOREF {
        return None;
    }
    // SAFETY: see above.
    unsafe {
        let key = ffi::lua_gettop(lua);
        push_orders(lua, state);
        ffi::lua_pushvalue(lua, table);
        ffi::lua_rawget(lua, key + 1);
        if ffi::lua_type(lua, key + 2) != ffi::LUA_TTABLE {
            ffi::lua_settop(lua, key);
            return None;
        }
        // Another walk over the same table may have been here.
        let mut place = number_at(lua, key + 2, PLACE) as c_int;
        if !is_at(lua, key, place) {
            place = 1;
            while !is_at(lua, key, place) {
                ffi::lua_rawgeti(lua, key + 2, place);
                if ffi::lua_type(lua, -1) == ffi::LUA_TNIL {
                    ffi::lua_settop(lua, key);
                    return None;
                }
                ffi::lua_settop(lua, key + 2);
                place += 1;
            }
        }
        Some(advance(lua, table, key, place + 1))
    }
}

/// Replaces the key by the first pair from the place `from` of the order on that has a value, or
/// takes it away.
///
/// # Safety
/// See above.
unsafe fn advance(lua: *mut lua_State, table: c_int, key: c_int, from: c_int) -> bool {
    // SAFETY: see above.
    unsafe {
        for place in from.. {
            ffi::lua_rawgeti(lua, key + 2, place);
            if ffi::lua_type(lua, -1) == ffi::LUA_TNIL {
                break;
            }
            ffi::lua_pushvalue(lua, -1);
            ffi::lua_rawget(lua, table);
            if ffi::lua_type(lua, -1) != ffi::LUA_TNIL {
                push_number(lua, f64::from(place));
                ffi::lua_rawseti(lua, key + 2, PLACE);
                ffi::lua_replace(lua, key + 1);
                ffi::lua_replace(lua, key);
                ffi::lua_settop(lua, key + 1);
                return true;
            }
            ffi::lua_settop(lua, key + 2);
        }
        ffi::lua_settop(lua, key + 2);
        let left = number_at(lua, key + 2, WALKS) - 1.0;
        if left > 0.0 {
            push_number(lua, left);
            ffi::lua_rawseti(lua, key + 2, WALKS);
        } else {
            set_order(lua, table, key + 1, |lua| ffi::lua_pushnil(lua));
        }
        ffi::lua_settop(lua, key - 1);
        false
    }
}

/// Whether the table is empty or a list without anything else, which every engine walks alike: it
/// begins with the first element, and after the last there is nothing.
///
/// # Safety
/// See above. Stack 0.
unsafe fn is_list(lua: *mut lua_State, table: c_int) -> bool {
    // SAFETY: see above; the keys are nil, and one that has a value.
    unsafe {
        let top = ffi::lua_gettop(lua);
        ffi::lua_pushnil(lua);
        let empty = ffi::lua_next(lua, table) == 0;
        let first = !empty
            && ffi::lua_type(lua, top + 1) == ffi::LUA_TNUMBER
            && ffi::lua_tonumber(lua, top + 1) == 1.0;
        ffi::lua_settop(lua, top);
        let last = ffi::lua_objlen(lua, table);
        let list = first && last > 0 && {
            push_number(lua, last as f64);
            ffi::lua_next(lua, table) == 0
        };
        ffi::lua_settop(lua, top);
        empty || list
    }
}

/// Puts the keys of a table into order and the list of them at `index`; returns whether there are
/// not too many.
///
/// # Safety
/// See above; a value is on top, at `index`.
unsafe fn survey(lua: *mut lua_State, table: c_int, index: c_int) -> bool {
    // SAFETY: see above. Strings stay where they are, and the list of keys keeps them alive.
    unsafe {
        ffi::lua_createtable(lua, 8, 0);
        let mut found: Vec<Key<'_>> = Vec::new();
        ffi::lua_pushnil(lua);
        while ffi::lua_next(lua, table) != 0 {
            if found.len() == LIMIT {
                ffi::lua_settop(lua, index);
                return false;
            }
            ffi::lua_settop(lua, -2);
            found.push(match ffi::lua_type(lua, -1) {
                ffi::LUA_TBOOLEAN => Key::Boolean(ffi::lua_toboolean(lua, -1) != 0),
                ffi::LUA_TNUMBER => Key::Number(ffi::lua_tonumber(lua, -1)),
                ffi::LUA_TSTRING => Key::Text(string_at(lua, -1)),
                _ => Key::Object(ffi::lua_topointer(lua, -1).addr()),
            });
            ffi::lua_pushvalue(lua, -1);
            ffi::lua_rawseti(lua, index + 1, found.len() as c_int);
        }
        ffi::lua_createtable(lua, found.len() as c_int, 1);
        for (position, place) in order(&found).into_iter().zip(1..) {
            ffi::lua_rawgeti(lua, index + 1, position as c_int + 1);
            ffi::lua_rawseti(lua, index + 2, place);
        }
        ffi::lua_replace(lua, index);
        ffi::lua_settop(lua, index);
        true
    }
}

/// Whether the order at `index` has all keys that the table has.
///
/// # Safety
/// See above.
unsafe fn covers(lua: *mut lua_State, table: c_int, index: c_int) -> bool {
    // SAFETY: see above.
    unsafe {
        let (mut keys, mut known) = (0, 0);
        ffi::lua_pushnil(lua);
        while ffi::lua_next(lua, table) != 0 {
            ffi::lua_settop(lua, -2);
            keys += 1;
            if keys > LIMIT {
                ffi::lua_settop(lua, index);
                return false;
            }
        }
        for place in 1.. {
            ffi::lua_rawgeti(lua, index, place);
            if ffi::lua_type(lua, -1) == ffi::LUA_TNIL {
                break;
            }
            ffi::lua_rawget(lua, table);
            known += usize::from(ffi::lua_type(lua, -1) != ffi::LUA_TNIL);
            ffi::lua_settop(lua, index);
        }
        ffi::lua_settop(lua, index);
        keys == known
    }
}

/// Pushes the table of all orders.
///
/// # Safety
/// See above. Stack +1.
unsafe fn push_orders(lua: *mut lua_State, state: &State) {
    // SAFETY: see above.
    unsafe {
        if state.orders.0.get() == ffi::LUA_NOREF {
            ffi::lua_createtable(lua, 0, 4);
            ffi::lua_createtable(lua, 0, 1);
            ffi::lua_pushlstring(lua, c"__mode".as_ptr(), 6);
            ffi::lua_pushlstring(lua, c"k".as_ptr(), 1);
            ffi::lua_rawset(lua, -3);
            ffi::lua_setmetatable(lua, -2);
            state.orders.0.set(ffi::luaL_ref(lua, ffi::LUA_REGISTRYINDEX));
        }
        ffi::lua_rawgeti(lua, ffi::LUA_REGISTRYINDEX, state.orders.0.get());
    }
}

/// Makes what `push` pushes the order of a table.
///
/// # Safety
/// See above; the orders are at `orders`. Stack 0.
unsafe fn set_order(
    lua: *mut lua_State,
    table: c_int,
    orders: c_int,
    push: impl FnOnce(*mut lua_State),
) {
    // SAFETY: see above.
    unsafe {
        ffi::lua_pushvalue(lua, table);
        push(lua);
        ffi::lua_rawset(lua, orders);
    }
}

/// Whether the key is the one at a place of the order.
///
/// # Safety
/// See above. Stack 0.
unsafe fn is_at(lua: *mut lua_State, key: c_int, place: c_int) -> bool {
    // SAFETY: see above.
    unsafe {
        ffi::lua_rawgeti(lua, key + 2, place);
        let same = ffi::lua_rawequal(lua, key, -1) != 0;
        ffi::lua_settop(lua, key + 2);
        same
    }
}

/// A number in the order at `index`; 0 when there is none.
///
/// # Safety
/// See above. Stack 0.
unsafe fn number_at(lua: *mut lua_State, index: c_int, place: c_int) -> f64 {
    // SAFETY: see above.
    unsafe {
        ffi::lua_rawgeti(lua, index, place);
        let number = ffi::lua_tonumber(lua, -1);
        ffi::lua_settop(lua, -2);
        number
    }
}
