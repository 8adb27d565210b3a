//! Globals that a chunk reads without a stand-in between, on Lua 5.1 and LuaJIT.
//!
//! Owns the table of such globals and which chunks get it. It must not know which names there are,
//! nor how a chunk is rewritten.
//!
//! A stand-in costs three look-ups: in itself, in its metatable, in the real table. What reads a
//! global is an instruction of its own, and so is what writes one: a chunk without the latter can
//! have a table of values as its environment, which nothing gives away (there is no `getfenv`).

#[cfg(lua51)]
use std::cell::Cell;
use std::ffi::c_int;

use crate::code::{self, Function};
use crate::ffi::{self, lua_State};
#[cfg(lua51)]
use crate::layout::{self, Found, Slot};
use crate::shorten::{shorten, writes_globals};
use crate::vm::push_list;
#[cfg(lua51)]
use crate::vm::set_elements;

/// The values of a view's globals.
pub(crate) struct Direct {
    /// The real table behind the stand-in, and the one that chunks read.
    tables: [Pinned; 2],
    /// `KEYS` and `ARGV`.
    names: [Pinned; 2],
    /// Where these two were last, in the real table.
    #[cfg(lua51)]
    found: [Cell<Found>; 2],
    /// A table that nothing is ever put into.
    #[cfg(lua51)]
    bare: Pinned,
}

/// A value in the registry, which stays where it is.
#[derive(Clone, Copy)]
struct Pinned(#[cfg(lua51)] Slot, #[cfg(luajit)] c_int);

impl Pinned {
    /// Pops the value on top of the stack.
    ///
    /// # Safety
    /// There is one; memory is not limited.
    unsafe fn new(lua: *mut lua_State) -> Self {
        // SAFETY: by contract.
        unsafe {
            #[cfg(lua51)]
            let slot = *layout::slot(lua, ffi::lua_gettop(lua));
            let reference = ffi::luaL_ref(lua, ffi::LUA_REGISTRYINDEX);
            #[cfg(lua51)]
            {
                let _ = reference;
                Pinned(slot)
            }
            #[cfg(luajit)]
            Pinned(reference)
        }
    }

    /// # Safety
    /// A slot is free; `lua` is the state of [`new`](Self::new). Stack +1. Does not raise.
    unsafe fn push(self, lua: *mut lua_State) {
        // SAFETY: by contract.
        unsafe {
            #[cfg(lua51)]
            layout::push(lua, self.0);
            #[cfg(luajit)]
            ffi::lua_rawgeti(lua, ffi::LUA_REGISTRYINDEX, self.0);
        }
    }
}

impl Direct {
    /// Makes the table of the globals of a view, whose real table is on top of the stack; `None`
    /// when this library is not known well enough. `missing` and `refuse` are the absolute indices
    /// of its `__index` and `__newindex`.
    ///
    /// # Safety
    /// As said; 8 slots are free; memory is not limited. Stack 0.
    pub(crate) unsafe fn new(lua: *mut lua_State, missing: c_int, refuse: c_int) -> Option<Self> {
        if !code::is_known() {
            return None;
        }
        // SAFETY: by contract.
        unsafe {
            ffi::lua_pushvalue(lua, -1);
            let real = Pinned::new(lua);
            copy_globals(lua, missing, refuse);
            let tables = [real, Pinned::new(lua)];
            let names = ["KEYS", "ARGV"].map(|name| {
                ffi::lua_pushlstring(lua, name.as_ptr().cast(), name.len());
                Pinned::new(lua)
            });
            #[cfg(lua51)]
            let bare = {
                ffi::lua_createtable(lua, 0, 0);
                Pinned::new(lua)
            };
            Some(Direct {
                tables,
                names,
                #[cfg(lua51)]
                found: [const { Cell::new(Found::NONE) }; 2],
                #[cfg(lua51)]
                bare,
            })
        }
    }

    /// Makes these lists KEYS and ARGV.
    ///
    /// The tables of the last run serve again when their script left them as they were made: no
    /// other script holds them, for what a script can reach ends with its run.
    ///
    /// # Safety
    /// 5 slots are free; memory is not limited; nothing runs. Does not raise.
    pub(crate) unsafe fn set_words(&self, lua: *mut lua_State, lists: [&[&[u8]]; 2]) {
        // SAFETY: by contract; tables and names are alive as long as the state.
        unsafe {
            let top = ffi::lua_gettop(lua);
            for (at, (name, list)) in self.names.iter().zip(lists).enumerate() {
                #[cfg(luajit)]
                let _ = at;
                #[cfg(lua51)]
                if let Some(found) = self.found.get(at)
                    && let Some(last) = layout::field_again(&self.tables[0].0, &name.0, found)
                    && layout::is_list(&*last, list.len(), &self.bare.0)
                {
                    layout::push(lua, *last);
                    set_elements(lua, list);
                    ffi::lua_settop(lua, top);
                    continue;
                }
                push_list(lua, list);
                for table in &self.tables {
                    #[cfg(lua51)]
                    if layout::set_field(&table.0, &name.0, &*layout::slot(lua, top + 1)) {
                        continue;
                    }
                    table.push(lua);
                    name.push(lua);
                    ffi::lua_pushvalue(lua, top + 1);
                    ffi::lua_rawset(lua, -3);
                    ffi::lua_settop(lua, top + 1);
                }
                ffi::lua_settop(lua, top);
            }
        }
    }

    /// Lets the chunk on top of the stack read these globals, unless it writes globals.
    ///
    /// # Safety
    /// The chunk was compiled just now; 6 slots are free; memory is not limited. Stack 0. Does not
    /// raise.
    pub(crate) unsafe fn adopt(&self, lua: *mut lua_State) {
        let [_, table] = self.tables;
        // SAFETY: by contract.
        unsafe {
            let chunk = ffi::lua_gettop(lua);
            if writes_globals(Function::at(lua, chunk)) {
                return;
            }
            table.push(lua);
            shorten(lua, chunk + 1, Function::at(lua, chunk));
            ffi::lua_setfenv(lua, chunk);
        }
    }

    /// The same for the function on top of the stack, which may have run in another view and has
    /// other functions of its chunk around it: its code stays as it is.
    ///
    /// # Safety
    /// A function is on top; a slot is free. Stack 0. Does not raise.
    pub(crate) unsafe fn lend(&self, lua: *mut lua_State) {
        let [_, table] = self.tables;
        // SAFETY: by contract; only functions of Lua are looked at.
        unsafe {
            let function = ffi::lua_gettop(lua);
            if ffi::lua_tocfunction(lua, function).is_some() {
                return;
            }
            table.push(lua);
            if Function::environment(lua, function) == ffi::lua_topointer(lua, function + 1)
                || writes_globals(Function::at(lua, function))
            {
                ffi::lua_settop(lua, function);
                return;
            }
            ffi::lua_setfenv(lua, function);
        }
    }
}

/// Pushes a table with the globals in the real table on top of the stack.
///
/// # Safety
/// As for [`Direct::new`]. Stack +1.
unsafe fn copy_globals(lua: *mut lua_State, missing: c_int, refuse: c_int) {
    // SAFETY: by contract; all sets are raw, on tables made here.
    unsafe {
        let real = ffi::lua_gettop(lua);
        ffi::lua_createtable(lua, 0, 64);
        let table = real + 1;
        ffi::lua_pushnil(lua);
        while ffi::lua_next(lua, real) != 0 {
            ffi::lua_pushvalue(lua, -2);
            ffi::lua_insert(lua, -2);
            ffi::lua_rawset(lua, table);
        }
        ffi::lua_createtable(lua, 0, 2);
        ffi::lua_pushvalue(lua, missing);
        crate::sandbox::set_top(lua, table + 1, "__index");
        ffi::lua_pushvalue(lua, refuse);
        crate::sandbox::set_top(lua, table + 1, "__newindex");
        ffi::lua_setmetatable(lua, table);
    }
}
