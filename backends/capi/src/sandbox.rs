//! Building the world of scripts from an [`Environment`].
//!
//! Owns the translation of the description into tables of a Lua state. It must not know which
//! names are in it.

use std::ffi::c_int;

use redlua_core::{Entry, Environment, Item, VmError};

use crate::base::{self, Parts};
use crate::ffi::{self, lua_State};
use crate::{call, native, proxy};

/// As every Lua numbers them.
const LUA_GCSTOP: c_int = 0;
const LUA_GCRESTART: c_int = 1;

/// Registry references of what a VM needs to switch views and to pass KEYS and ARGV.
pub(crate) struct Globals {
    /// The stand-in that scripts see as their globals.
    pub(crate) seen: c_int,
    /// The real table of each view.
    pub(crate) views: Vec<c_int>,
    /// Those of the first view, for chunks that read them without a stand-in.
    #[cfg(any(lua51, luajit))]
    pub(crate) direct: Option<crate::direct::Direct>,
}

/// Opens the libraries, builds the environment and installs it as the globals of `lua`.
///
/// # Errors
/// When the environment has no view.
///
/// # Safety
/// `lua` is a fresh state whose memory is not limited yet. Stack 0.
pub(crate) unsafe fn build(
    lua: *mut lua_State,
    environment: &Environment,
) -> Result<Globals, VmError> {
    if environment.views.is_empty() {
        return Err(VmError::Environment("no view".to_owned()));
    }
    // SAFETY: a fresh state; each helper states what it needs; indices are absolute and stay
    // below the values pushed after them.
    unsafe {
        ffi::lua_checkstack(lua, 64);
        // Hardly anything of what is made here is garbage.
        ffi::lua_gc(lua, LUA_GCSTOP, 0);
        ffi::open_libraries(lua);
        #[cfg(luajit)]
        compile_nothing(lua);
        ffi::push_globals(lua);
        let stock = ffi::lua_gettop(lua);
        #[cfg(luajit)]
        crate::coroutine::install(lua, stock);
        #[cfg(not(lua51))]
        {
            crate::dialect::supply(lua, stock);
            crate::library::install(lua, stock);
        }
        crate::lualib::install(lua, stock);

        push_text(lua, environment.readonly_message.as_bytes());
        let message = ffi::lua_gettop(lua);
        ffi::lua_pushvalue(lua, message);
        ffi::lua_pushcclosure(lua, refuse_write, 1);
        let refuse = ffi::lua_gettop(lua);

        native::push_native(lua, environment.missing_global);
        let missing = ffi::lua_gettop(lua);

        // What getmetatable answers for the globals and for strings.
        push_metatable(lua, missing);
        proxy::push_proxy(lua, refuse, 0);
        let globals_metatable = ffi::lua_gettop(lua);
        ffi::lua_createtable(lua, 0, 1);
        let string_fields = ffi::lua_gettop(lua);
        ffi::lua_pushvalue(lua, string_fields);
        proxy::push_proxy(lua, refuse, 0);
        let string_metatable = ffi::lua_gettop(lua);

        // The stand-in for the globals; its target is set when the views exist.
        ffi::lua_createtable(lua, 0, 0);
        proxy::push_proxy(lua, refuse, globals_metatable);
        let seen = ffi::lua_gettop(lua);

        push_stock(lua, stock, "next");
        let mut parts = Parts { message, string_metatable, next: message };
        base::wrap(lua, "", "next", &parts);
        parts.next = ffi::lua_gettop(lua);

        let builder = Builder { lua, stock, refuse, missing, seen, parts };
        let shared = environment.globals.len() as c_int;
        ffi::lua_createtable(lua, 0, shared);
        let common = ffi::lua_gettop(lua);
        ffi::lua_createtable(lua, shared, 0);
        let names = ffi::lua_gettop(lua);
        builder.fill(common, names, 0, &environment.globals, "", stock);

        let mut views = Vec::with_capacity(environment.views.len());
        for view in &environment.views {
            let count = shared + view.globals.len() as c_int;
            ffi::lua_createtable(lua, 0, count);
            let table = ffi::lua_gettop(lua);
            ffi::lua_createtable(lua, count, 0);
            for position in 1..=shared {
                ffi::lua_rawgeti(lua, names, position);
                ffi::lua_pushvalue(lua, -1);
                ffi::lua_rawseti(lua, table + 1, position);
                ffi::lua_pushvalue(lua, -1);
                ffi::lua_rawget(lua, common);
                ffi::lua_rawset(lua, table);
            }
            builder.fill(table, table + 1, shared, &view.globals, "", stock);
            proxy::set_order(lua, table, missing);
            #[cfg(lua54)]
            {
                ffi::lua_pushcclosure(lua, crate::dialect::integer, 0);
                set_top(lua, table, crate::chunk::INTEGERS);
            }
            views.push(ffi::luaL_ref(lua, ffi::LUA_REGISTRYINDEX));
        }

        // Strings index the stand-in of the string library, as scripts see it.
        ffi::lua_rawgeti(lua, ffi::LUA_REGISTRYINDEX, views[0]);
        push_text(lua, b"string");
        ffi::lua_rawget(lua, -2);
        if ffi::lua_type(lua, -1) == ffi::LUA_TTABLE {
            let library = ffi::lua_gettop(lua);
            ffi::lua_pushvalue(lua, library);
            set_top(lua, string_fields, "__index");
            push_text(lua, b"");
            if ffi::lua_getmetatable(lua, -1) != 0 {
                // Nobody sees this metatable, and nothing writes through a string.
                let metatable = ffi::lua_gettop(lua);
                if !proxy::push_target(lua, library) {
                    ffi::lua_pushvalue(lua, library);
                }
                set_top(lua, metatable, "__index");
            }
        }

        ffi::lua_rawgeti(lua, ffi::LUA_REGISTRYINDEX, views[0]);
        proxy::retarget(lua, seen);
        ffi::lua_pushvalue(lua, seen);
        ffi::set_globals(lua);
        ffi::lua_pushvalue(lua, seen);
        let seen = ffi::luaL_ref(lua, ffi::LUA_REGISTRYINDEX);
        #[cfg(any(lua51, luajit))]
        let direct = {
            ffi::lua_rawgeti(lua, ffi::LUA_REGISTRYINDEX, views[0]);
            crate::direct::Direct::new(lua, missing, refuse)
        };
        ffi::lua_settop(lua, 0);
        ffi::lua_gc(lua, LUA_GCRESTART, 0);
        Ok(Globals {
            seen,
            views,
            #[cfg(any(lua51, luajit))]
            direct,
        })
    }
}

/// What the translation of an item needs, as absolute stack indices.
struct Builder {
    lua: *mut lua_State,
    /// The globals of the stock libraries.
    stock: c_int,
    /// The function that raises on a write.
    refuse: c_int,
    /// The native that is asked for missing globals.
    missing: c_int,
    /// The stand-in for the globals.
    seen: c_int,
    parts: Parts,
}

impl Builder {
    /// Sets the `entries` of `library` (empty for globals) in the table at `table`, and their names
    /// in the list at `order`, which holds `before` others. `stock` is the index of the stock
    /// library, or of another value where there is none. Every index is absolute.
    ///
    /// # Safety
    /// The indices are valid; 16 slots are free. Stack 0.
    unsafe fn fill(
        &self,
        table: c_int,
        order: c_int,
        before: c_int,
        entries: &[Entry],
        library: &str,
        stock: c_int,
    ) {
        let lua = self.lua;
        // SAFETY: by contract.
        unsafe {
            for (entry, position) in entries.iter().zip(before + 1..) {
                push_text(lua, entry.name.as_bytes());
                ffi::lua_pushvalue(lua, -1);
                ffi::lua_rawseti(lua, order, position);
                ffi::named(entry.name, || self.push(entry, library, stock));
                ffi::lua_rawset(lua, table);
            }
        }
    }

    /// Pushes the value of `entry`, whose name is on top of the stack; the rest as for
    /// [`fill`](Self::fill).
    ///
    /// # Safety
    /// As for [`fill`](Self::fill). Stack +1.
    unsafe fn push(&self, entry: &Entry, library: &str, stock: c_int) {
        let lua = self.lua;
        // SAFETY: by contract.
        unsafe {
            match &entry.item {
                Item::Stock if library.is_empty() && entry.name == "_G" => {
                    ffi::lua_pushvalue(lua, self.seen);
                }
                Item::Stock if library.is_empty() && entry.name == "next" => {
                    ffi::lua_pushvalue(lua, self.parts.next);
                }
                Item::Stock => {
                    push_same(lua, stock);
                    if ffi::lua_type(lua, -1) != ffi::LUA_TNIL {
                        base::wrap(lua, library, entry.name, &self.parts);
                    }
                }
                Item::Absent => ffi::lua_pushnil(lua),
                Item::Call => ffi::lua_pushcclosure(lua, call::redis_call, 0),
                Item::Pcall => ffi::lua_pushcclosure(lua, call::redis_pcall, 0),
                Item::Native(id) => native::push_native(lua, *id),
                Item::Number(value) => ffi::lua_pushnumber(lua, *value),
                Item::Text(text) => push_text(lua, text.as_bytes()),
                Item::NullPointer => ffi::lua_pushlightuserdata(lua, std::ptr::null_mut()),
                Item::Table(entries) | Item::StrictTable(entries) => {
                    push_same(lua, self.stock);
                    let stock = ffi::lua_gettop(lua);
                    ffi::lua_createtable(lua, 0, entries.len() as c_int);
                    ffi::lua_createtable(lua, entries.len() as c_int, 0);
                    self.fill(stock + 1, stock + 2, 0, entries, entry.name, stock);
                    let strict = matches!(entry.item, Item::StrictTable(_));
                    let missing = if strict { self.missing } else { 0 };
                    proxy::set_order(lua, stock + 1, missing);
                    proxy::push_proxy(lua, self.refuse, 0);
                    ffi::lua_replace(lua, stock);
                }
            }
        }
    }
}

/// Pushes the field of the table at `stock` whose name is on top of the stack; nil when there is
/// no table.
///
/// # Safety
/// `stock` is an absolute index; the top is a string; 1 slot is free. Stack +1.
unsafe fn push_same(lua: *mut lua_State, stock: c_int) {
    // SAFETY: by contract.
    unsafe {
        if ffi::lua_type(lua, stock) == ffi::LUA_TTABLE {
            ffi::lua_pushvalue(lua, -1);
            ffi::lua_rawget(lua, stock);
        } else {
            ffi::lua_pushnil(lua);
        }
    }
}

/// Switches LuaJIT's compiler off: compiled traces look at no hook, so nothing could stop them.
///
/// # Safety
/// `lua` is a fresh state. Stack 0.
#[cfg(luajit)]
unsafe fn compile_nothing(lua: *mut lua_State) {
    // SAFETY: luaopen_jit makes the global table `jit`, whose field `off` is a function; called
    // without arguments it does not raise.
    unsafe {
        ffi::lua_pushcclosure(lua, ffi::luaopen_jit, 0);
        ffi::lua_pushlstring(lua, c"jit".as_ptr(), 3);
        ffi::lua_call(lua, 1, 0);
        ffi::push_globals(lua);
        push_stock(lua, ffi::lua_gettop(lua), "jit");
        let jit = ffi::lua_gettop(lua);
        push_stock(lua, jit, "off");
        ffi::lua_call(lua, 0, 0);
        ffi::lua_settop(lua, jit - 2);
    }
}

/// Pushes `table[name]` (raw).
///
/// # Safety
/// `table` is the absolute index of a table; 1 slot is free.
pub(crate) unsafe fn push_stock(lua: *mut lua_State, table: c_int, name: &str) {
    // SAFETY: by contract.
    unsafe {
        push_text(lua, name.as_bytes());
        ffi::lua_rawget(lua, table);
    }
}

/// `table[name] = value on top` (raw); pops it.
///
/// # Safety
/// `table` is the absolute index of a table; 1 slot is free.
pub(crate) unsafe fn set_top(lua: *mut lua_State, table: c_int, name: &str) {
    // SAFETY: by contract.
    unsafe {
        push_text(lua, name.as_bytes());
        ffi::lua_insert(lua, -2);
        ffi::lua_rawset(lua, table);
    }
}

/// Pushes a table whose only field is `__index`.
///
/// # Safety
/// `index` is an absolute index; 3 slots are free.
unsafe fn push_metatable(lua: *mut lua_State, index: c_int) {
    // SAFETY: by contract.
    unsafe {
        ffi::lua_createtable(lua, 0, 1);
        let table = ffi::lua_gettop(lua);
        ffi::lua_pushvalue(lua, index);
        set_top(lua, table, "__index");
    }
}

/// # Safety
/// 1 slot is free.
unsafe fn push_text(lua: *mut lua_State, text: &[u8]) {
    // SAFETY: by contract.
    unsafe { ffi::lua_pushlstring(lua, text.as_ptr().cast(), text.len()) }
}

/// `__newindex` of every stand-in: raises the message with the position of the write.
///
/// # Safety
/// Called by Lua, with the message as its upvalue.
unsafe extern "C-unwind" fn refuse_write(lua: *mut lua_State) -> c_int {
    // SAFETY: by contract.
    unsafe {
        ffi::luaL_where(lua, 1);
        ffi::lua_pushvalue(lua, ffi::lua_upvalueindex(1));
        ffi::lua_concat(lua, 2);
        ffi::lua_error(lua)
    }
}
