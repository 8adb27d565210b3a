//! Walking tables in the order of Lua 5.1, on engines that have another.
//!
//! Owns which tables are being walked and the order found for each. The rules of the order are in
//! `redlua_conversions::order`; it must not know who walks, nor which tables are stand-ins.
//!
//! LuaJIT and Lua 5.4 hash strings with a seed that is drawn at random. A
//! table that is no plain list is therefore put into Lua 5.1's order when a walk begins. What that
//! costs is bounded: tables of more than [`LIMIT`] keys keep the order of the engine.

use std::cell::RefCell;
use std::ffi::{c_int, c_void};

use redlua_conversions::order::{Key, order};

use crate::ffi::{self, lua_State};
use crate::reader::string_at;
use crate::state::{State, state_of};
use crate::writer::push_number;

/// How many keys are put into order.
const LIMIT: usize = 512;
/// How many tables may be walked at the same time; the oldest walk goes on in the engine's order.
const WALKS: usize = 16;

/// The tables that are being walked.
#[derive(Default)]
pub(crate) struct Walks {
    walks: RefCell<Vec<Walk>>,
}

/// A table that is being walked.
struct Walk {
    table: *const c_void,
    /// Registry reference of the list of its keys, in the order of the engine.
    keys: c_int,
    /// Positions in that list, from 1 on, in the order of Lua 5.1.
    order: Vec<c_int>,
    /// The last one that was visited.
    at: usize,
}

/// `lua_next`: pops a key and pushes the next pair of the table at `table`, or nothing at the end.
///
/// # Safety
/// There is a table at the absolute index `table` and a key on top; 1 slot is free. Raises when the
/// table never had the key.
pub(crate) unsafe fn next(lua: *mut lua_State, table: c_int) -> c_int {
    // SAFETY: by contract; `begin` and `resume` do not raise, and nothing is owned here.
    unsafe {
        let state = state_of(lua);
        let found = if ffi::lua_type(lua, -1) == ffi::LUA_TNIL {
            begin(lua, state, table)
        } else {
            resume(lua, state, table)
        };
        match found {
            Some(true) => 1,
            Some(false) => 0,
            None => ffi::lua_next(lua, table),
        }
    }
}

/// Forgets all walks.
///
/// # Safety
/// The state is live and nothing runs in it. Stack 0.
pub(crate) unsafe fn forget(lua: *mut lua_State, state: &State) {
    if let Ok(mut walks) = state.walks.walks.try_borrow_mut() {
        for walk in walks.drain(..) {
            // SAFETY: the reference is one of luaL_ref.
            unsafe { ffi::luaL_unref(lua, ffi::LUA_REGISTRYINDEX, walk.keys) };
        }
    }
}

/// The first pair of a walk; `None` when the engine's order is as good.
///
/// # Safety
/// As for [`next`], with nil on top. Does not raise.
unsafe fn begin(lua: *mut lua_State, state: &State, table: c_int) -> Option<bool> {
    // SAFETY: by contract; more slots are asked for, and memory is not limited meanwhile, so that
    // nothing raises.
    unsafe {
        let was = state.enforce(false);
        let walk = if ffi::lua_checkstack(lua, 6) == 0 || is_list(lua, table) {
            None
        } else {
            survey(lua, table)
        };
        let found = match (walk, state.walks.walks.try_borrow_mut()) {
            (Some(walk), Ok(mut walks)) => {
                let old = walks.iter().position(|old| old.table == walk.table);
                if let Some(old) = old.or((walks.len() >= WALKS).then_some(0)) {
                    let old = walks.remove(old);
                    ffi::luaL_unref(lua, ffi::LUA_REGISTRYINDEX, old.keys);
                }
                walks.push(walk);
                walks.last_mut().map(|walk| advance(lua, walk, 0, table))
            }
            _ => None,
        };
        state.enforce(was);
        found
    }
}

/// Whether the table is empty or a list without anything else, which every engine walks alike: it
/// begins with the first element, and after the last there is nothing.
///
/// # Safety
/// As for [`next`]; 3 slots are free. Stack 0. Does not raise.
unsafe fn is_list(lua: *mut lua_State, table: c_int) -> bool {
    // SAFETY: the keys are nil, and one that has a value.
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

/// Puts the keys of a table into order; `None` when there are too many.
///
/// # Safety
/// There is a table at `table`; 5 slots are free; memory is not limited. Stack 0. Does not raise.
unsafe fn survey(lua: *mut lua_State, table: c_int) -> Option<Walk> {
    // SAFETY: by contract. Strings stay where they are, and the list of keys keeps them alive.
    unsafe {
        let top = ffi::lua_gettop(lua);
        ffi::lua_createtable(lua, 8, 0);
        let list = top + 1;
        let mut found: Vec<Key<'_>> = Vec::new();
        ffi::lua_pushnil(lua);
        while ffi::lua_next(lua, table) != 0 {
            if found.len() == LIMIT {
                ffi::lua_settop(lua, top);
                return None;
            }
            ffi::lua_settop(lua, -2);
            found.push(match ffi::lua_type(lua, -1) {
                ffi::LUA_TBOOLEAN => Key::Boolean(ffi::lua_toboolean(lua, -1) != 0),
                ffi::LUA_TNUMBER => Key::Number(ffi::lua_tonumber(lua, -1)),
                ffi::LUA_TSTRING => Key::Text(string_at(lua, -1)),
                _ => Key::Object(ffi::lua_topointer(lua, -1).addr()),
            });
            ffi::lua_pushvalue(lua, -1);
            ffi::lua_rawseti(lua, list, found.len() as c_int);
        }
        let order = order(&found).into_iter().map(|position| position as c_int + 1).collect();
        ffi::lua_settop(lua, list);
        let keys = ffi::luaL_ref(lua, ffi::LUA_REGISTRYINDEX);
        Some(Walk { table: ffi::lua_topointer(lua, table), keys, order, at: 0 })
    }
}

/// The pair after the key on top; `None` when no walk knows it.
///
/// # Safety
/// As for [`next`]. Does not raise.
unsafe fn resume(lua: *mut lua_State, state: &State, table: c_int) -> Option<bool> {
    let mut walks = state.walks.walks.try_borrow_mut().ok()?;
    // SAFETY: by contract; the slots are asked for.
    unsafe {
        let pointer = ffi::lua_topointer(lua, table);
        let walk = walks.iter_mut().rev().find(|walk| walk.table == pointer)?;
        let was = state.enforce(false);
        let room = ffi::lua_checkstack(lua, 4) != 0;
        state.enforce(was);
        if !room {
            return None;
        }
        let key = ffi::lua_gettop(lua);
        ffi::lua_rawgeti(lua, ffi::LUA_REGISTRYINDEX, walk.keys);
        // Another walk over the same table may have been here.
        let is_here = |place: &c_int| {
            ffi::lua_rawgeti(lua, key + 1, *place);
            let same = ffi::lua_rawequal(lua, key, -1) != 0;
            ffi::lua_settop(lua, key + 1);
            same
        };
        let at = match walk.order.get(walk.at) {
            Some(place) if is_here(place) => Some(walk.at),
            _ => walk.order.iter().position(is_here),
        };
        ffi::lua_settop(lua, key);
        Some(advance(lua, walk, at? + 1, table))
    }
}

/// Pops a key and pushes the first pair from the place `from` of the order on that has a value.
///
/// # Safety
/// As for [`next`]; 4 slots are free. Does not raise.
unsafe fn advance(lua: *mut lua_State, walk: &mut Walk, from: usize, table: c_int) -> bool {
    // SAFETY: by contract.
    unsafe {
        ffi::lua_settop(lua, -2);
        let top = ffi::lua_gettop(lua);
        ffi::lua_rawgeti(lua, ffi::LUA_REGISTRYINDEX, walk.keys);
        for at in from..walk.order.len() {
            let Some(place) = walk.order.get(at) else { break };
            ffi::lua_rawgeti(lua, top + 1, *place);
            ffi::lua_pushvalue(lua, -1);
            ffi::lua_rawget(lua, table);
            if ffi::lua_type(lua, -1) != ffi::LUA_TNIL {
                walk.at = at;
                // The list of keys goes to the top.
                ffi::lua_insert(lua, top + 1);
                ffi::lua_insert(lua, top + 1);
                ffi::lua_settop(lua, top + 2);
                return true;
            }
            ffi::lua_settop(lua, top + 1);
        }
        ffi::lua_settop(lua, top);
        false
    }
}
