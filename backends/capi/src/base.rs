//! Library functions of Lua 5.1 that must know about read-only tables, bytecode or
//! interruption: wrappers that fall through to the stock function.
//!
//! Owns the list of wrapped names. It must not know which names a script may see.

use std::ffi::c_int;
#[cfg(lua51)]
use std::ffi::{CStr, c_char, c_void};
use std::ptr;

#[cfg(not(lua51))]
use crate::chunk::load_text;
use crate::ffi::{self, lua_CFunction, lua_State};
#[cfg(lua51)]
use crate::guard;
use crate::interrupt;
use crate::proxy;
#[cfg(lua51)]
use crate::source::{Piece, load_text, read_piece, reveal};
use crate::state::state_of;

/// A wrapper and how it is installed.
struct Wrapper {
    /// The library's name, empty for globals.
    library: &'static str,
    name: &'static str,
    function: lua_CFunction,
}

const WRAPPERS: &[Wrapper] = &[
    Wrapper { library: "", name: "next", function: next },
    Wrapper { library: "", name: "rawget", function: through_first },
    Wrapper { library: "", name: "pairs", function: pairs },
    Wrapper { library: "", name: "rawset", function: refuse_pair },
    Wrapper { library: "", name: "setmetatable", function: refuse_metatable },
    Wrapper { library: "", name: "getmetatable", function: getmetatable },
    Wrapper { library: "", name: "load", function: load },
    Wrapper { library: "", name: "loadstring", function: loadstring },
    Wrapper { library: "", name: "pcall", function: pcall },
    Wrapper { library: "", name: "xpcall", function: xpcall },
    Wrapper { library: "", name: "collectgarbage", function: collectgarbage },
    Wrapper { library: "table", name: "insert", function: refuse_insert },
    Wrapper { library: "table", name: "foreach", function: foreach },
    Wrapper { library: "table", name: "foreachi", function: through_first },
    Wrapper { library: "table", name: "maxn", function: through_first },
    #[cfg(not(lua51))]
    Wrapper { library: "table", name: "concat", function: through_first },
    #[cfg(lua51)]
    Wrapper { library: "table", name: "concat", function: guard::concat },
    #[cfg(lua51)]
    Wrapper { library: "string", name: "upper", function: guard::long_first },
    #[cfg(lua51)]
    Wrapper { library: "string", name: "lower", function: guard::long_first },
    #[cfg(lua51)]
    Wrapper { library: "string", name: "reverse", function: guard::long_first },
    #[cfg(lua51)]
    Wrapper { library: "", name: "unpack", function: guard::unpack },
];

/// Stack index of the things every wrapper has as upvalues.
const STOCK: c_int = 1;
/// `pairs`: the wrapped `next`; `getmetatable`: what it answers for strings; the refusing ones:
/// the message.
const EXTRA: c_int = 2;

/// What the wrappers need besides the stock functions, as absolute stack indices.
pub(crate) struct Parts {
    /// The message of a refused write.
    pub(crate) message: c_int,
    /// What `getmetatable` answers for strings.
    pub(crate) string_metatable: c_int,
    /// The wrapped `next`.
    pub(crate) next: c_int,
}

/// Replaces the stock function on top of the stack by its wrapper, when it has one.
///
/// # Safety
/// The top is a value; 4 slots are free; memory is not limited; `parts` are valid indices.
pub(crate) unsafe fn wrap(lua: *mut lua_State, library: &str, name: &str, parts: &Parts) {
    let Some(wrapper) = WRAPPERS.iter().find(|w| w.library == library && w.name == name) else {
        return;
    };
    let extra = match name {
        "pairs" => parts.next,
        "getmetatable" => parts.string_metatable,
        _ => parts.message,
    };
    // SAFETY: by contract.
    unsafe {
        ffi::lua_pushvalue(lua, extra);
        ffi::lua_pushcclosure(lua, wrapper.function, 2);
    }
}

/// Runs the stock function of the wrapper in the same frame.
///
/// # Safety
/// Called in a wrapper.
pub(crate) unsafe fn stock(lua: *mut lua_State) -> c_int {
    // SAFETY: upvalue 1 of every wrapper is the stock C function; it finds its arguments in this
    // frame, and none of the wrapped ones uses upvalues of its own.
    unsafe {
        match ffi::lua_tocfunction(lua, ffi::lua_upvalueindex(STOCK)) {
            Some(function) => function(lua),
            // LuaJIT's own functions have no C form: call them.
            None => {
                ffi::lua_pushvalue(lua, ffi::lua_upvalueindex(STOCK));
                ffi::lua_insert(lua, 1);
                ffi::lua_call(lua, ffi::lua_gettop(lua) - 1, ffi::LUA_MULTRET);
                ffi::lua_gettop(lua)
            }
        }
    }
}

/// Raises the message of a refused write, without a position as for any C function.
///
/// # Safety
/// Called in a refusing wrapper.
unsafe fn refuse(lua: *mut lua_State) -> c_int {
    // SAFETY: upvalue 2 is the message.
    unsafe {
        ffi::lua_pushvalue(lua, ffi::lua_upvalueindex(EXTRA));
        ffi::lua_error(lua)
    }
}

/// Functions that only read their first argument: they see the real table.
///
/// # Safety
/// Called by Lua.
pub(crate) unsafe extern "C-unwind" fn through_first(lua: *mut lua_State) -> c_int {
    // SAFETY: C functions have LUA_MINSTACK slots.
    unsafe {
        if ffi::lua_type(lua, 1) == ffi::LUA_TTABLE && proxy::push_target(lua, 1) {
            ffi::lua_replace(lua, 1);
        }
        stock(lua)
    }
}

/// `table.foreach`: walks a read-only table in the order of its own.
///
/// # Safety
/// Called by Lua.
unsafe extern "C-unwind" fn foreach(lua: *mut lua_State) -> c_int {
    // SAFETY: as above; the frame owns nothing when the script's function raises.
    unsafe {
        let listed = ffi::lua_type(lua, 1) == ffi::LUA_TTABLE
            && ffi::lua_type(lua, 2) == ffi::LUA_TFUNCTION
            && proxy::push_target(lua, 1)
            && proxy::is_ordered(lua, ffi::lua_gettop(lua));
        if !listed {
            ffi::lua_settop(lua, ffi::lua_gettop(lua).min(2));
            return through_first(lua);
        }
        ffi::lua_insert(lua, 3);
        ffi::lua_settop(lua, 3);
        let mut position = 0;
        while let Some(found) = proxy::push_pair(lua, 3, position) {
            position = found;
            ffi::lua_pushvalue(lua, 2);
            ffi::lua_insert(lua, 4);
            ffi::lua_call(lua, 2, 1);
            if ffi::lua_type(lua, 4) != ffi::LUA_TNIL {
                return 1;
            }
            ffi::lua_settop(lua, 3);
        }
        0
    }
}

/// # Safety
/// Called by Lua.
unsafe extern "C-unwind" fn next(lua: *mut lua_State) -> c_int {
    // SAFETY: as above; the real table replaces its stand-in.
    unsafe {
        if ffi::lua_type(lua, 1) == ffi::LUA_TTABLE && proxy::push_target(lua, 1) {
            ffi::lua_replace(lua, 1);
            ffi::lua_settop(lua, 2);
            match proxy::push_next(lua) {
                Some(true) => return 2,
                Some(false) => {
                    ffi::lua_pushnil(lua);
                    return 1;
                }
                None => {}
            }
        }
        stock(lua)
    }
}

/// `rawset`: wants a key and a value before it writes.
///
/// # Safety
/// Called by Lua.
unsafe extern "C-unwind" fn refuse_pair(lua: *mut lua_State) -> c_int {
    // SAFETY: as above.
    unsafe { if ffi::lua_gettop(lua) >= 3 { refuse_first(lua) } else { stock(lua) } }
}

/// `setmetatable`: wants nil or a table before it writes.
///
/// # Safety
/// Called by Lua.
unsafe extern "C-unwind" fn refuse_metatable(lua: *mut lua_State) -> c_int {
    // SAFETY: as above.
    unsafe {
        match ffi::lua_type(lua, 2) {
            ffi::LUA_TNIL | ffi::LUA_TTABLE => refuse_first(lua),
            _ => stock(lua),
        }
    }
}

/// Functions that write their first argument.
///
/// # Safety
/// Called in such a function, with the arguments that it wants.
unsafe fn refuse_first(lua: *mut lua_State) -> c_int {
    // SAFETY: by contract.
    unsafe {
        if ffi::lua_type(lua, 1) == ffi::LUA_TTABLE && proxy::is_proxy(lua, 1) {
            return refuse(lua);
        }
        stock(lua)
    }
}

/// `table.insert`: checks its arguments before it writes.
///
/// # Safety
/// Called by Lua.
unsafe extern "C-unwind" fn refuse_insert(lua: *mut lua_State) -> c_int {
    // SAFETY: as above.
    unsafe {
        let top = ffi::lua_gettop(lua);
        if ffi::lua_type(lua, 1) == ffi::LUA_TTABLE
            && (top == 2 || top == 3 && ffi::lua_isnumber(lua, 2) != 0)
            && proxy::is_proxy(lua, 1)
        {
            return refuse(lua);
        }
        if top == 3 {
            return crate::lualib::insert(lua);
        }
        stock(lua)
    }
}

/// # Safety
/// Called by Lua.
unsafe extern "C-unwind" fn pairs(lua: *mut lua_State) -> c_int {
    // SAFETY: upvalue 2 is the wrapped next.
    unsafe {
        ffi::luaL_checktype(lua, 1, ffi::LUA_TTABLE);
        ffi::lua_pushvalue(lua, ffi::lua_upvalueindex(EXTRA));
        ffi::lua_pushvalue(lua, 1);
        ffi::lua_pushnil(lua);
        3
    }
}

/// # Safety
/// Called by Lua.
unsafe extern "C-unwind" fn getmetatable(lua: *mut lua_State) -> c_int {
    // SAFETY: upvalue 2 is the string metatable's stand-in.
    unsafe {
        match ffi::lua_type(lua, 1) {
            ffi::LUA_TSTRING => {
                ffi::lua_pushvalue(lua, ffi::lua_upvalueindex(EXTRA));
                1
            }
            ffi::LUA_TTABLE if proxy::push_shown(lua, 1) => 1,
            _ => stock(lua),
        }
    }
}

/// # Safety
/// Called by Lua.
unsafe extern "C-unwind" fn loadstring(lua: *mut lua_State) -> c_int {
    // SAFETY: the strings stay on the stack while they are used.
    unsafe {
        let mut len = 0;
        let source = ffi::luaL_checklstring(lua, 1, &mut len);
        let name = ffi::luaL_optlstring(lua, 2, source, ptr::null_mut());
        loaded(lua, load_text(lua, source, len, name))
    }
}

/// # Safety
/// Called by Lua.
#[cfg(not(lua51))]
unsafe extern "C-unwind" fn load(lua: *mut lua_State) -> c_int {
    // SAFETY: the pieces are put together on the stack, where the source stays while it is used.
    unsafe {
        let name = ffi::luaL_optlstring(lua, 2, c"=(load)".as_ptr(), ptr::null_mut());
        ffi::luaL_checktype(lua, 1, ffi::LUA_TFUNCTION);
        ffi::lua_settop(lua, 2);
        ffi::lua_pushlstring(lua, c"".as_ptr(), 0);
        loop {
            ffi::lua_pushvalue(lua, 1);
            // What the reader raises is the compiler's message, as in `lua_load`.
            if ffi::lua_pcall(lua, 0, 1, 0) != 0 {
                return unread(lua);
            }
            match ffi::lua_type(lua, -1) {
                ffi::LUA_TNIL => break,
                ffi::LUA_TSTRING if ffi::lua_objlen(lua, -1) == 0 => break,
                ffi::LUA_TSTRING | ffi::LUA_TNUMBER => ffi::lua_concat(lua, 2),
                _ => {
                    let text = c"reader function must return a string";
                    ffi::luaL_where(lua, 1);
                    ffi::lua_pushlstring(lua, text.as_ptr(), text.count_bytes());
                    ffi::lua_concat(lua, 2);
                    return unread(lua);
                }
            }
        }
        let source = crate::look::string_at(lua, 3);
        loaded(lua, load_text(lua, source.as_ptr().cast(), source.len(), name))
    }
}

/// The results of `load` when its reader failed with the value on top. Lua 5.1 compiles under the
/// error handler of whoever calls: that of uncaught errors, unless a function of C is below.
///
/// # Safety
/// Called in `load`.
#[cfg(not(lua51))]
unsafe fn unread(lua: *mut lua_State) -> c_int {
    // SAFETY: by contract; the handler is a function.
    unsafe {
        let main = ffi::lua_pushthread(lua) != 0;
        ffi::lua_settop(lua, -2);
        let mut below = (1..).map_while(|level| ffi::frame(lua, level));
        if main && below.all(|frame| !frame.native) {
            crate::wording::reword_at(lua, -1);
            let handler = state_of(lua).handler.get();
            ffi::lua_rawgeti(lua, ffi::LUA_REGISTRYINDEX, handler);
            ffi::lua_insert(lua, -2);
            ffi::lua_pcall(lua, 1, 1, 0);
        }
        loaded(lua, ffi::LUA_ERRRUN)
    }
}

/// # Safety
/// Called by Lua.
#[cfg(lua51)]
unsafe extern "C-unwind" fn load(lua: *mut lua_State) -> c_int {
    // SAFETY: slot 3 keeps the piece that is being read alive.
    unsafe {
        let name = ffi::luaL_optlstring(lua, 2, c"=(load)".as_ptr(), ptr::null_mut());
        ffi::luaL_checktype(lua, 1, ffi::LUA_TFUNCTION);
        ffi::lua_settop(lua, 3);
        // As in `load_text`.
        ffi::lua_pushlstring(lua, name, CStr::from_ptr(name).count_bytes());
        let mut piece = Piece::new(ptr::null(), 0);
        let data = ptr::from_mut(&mut piece).cast();
        let status = ffi::lua_load(lua, read_from_function, data, name);
        if status != 0 && piece.disguised {
            reveal(lua);
        }
        loaded(lua, status)
    }
}

/// # Safety
/// Called by `lua_load` in `load`.
#[cfg(lua51)]
unsafe extern "C-unwind" fn read_from_function(
    lua: *mut lua_State,
    data: *mut c_void,
    size: *mut usize,
) -> *const c_char {
    // SAFETY: `data` is the `Piece` of `load`; slot 1 holds the reader function, slot 3 its last
    // result.
    unsafe {
        let piece = &mut *data.cast::<Piece>();
        if piece.len > 0 {
            return read_piece(lua, data, size);
        }
        ffi::luaL_checkstack(lua, 2, c"too many nested functions".as_ptr());
        ffi::lua_pushvalue(lua, 1);
        ffi::lua_call(lua, 0, 1);
        match ffi::lua_type(lua, -1) {
            ffi::LUA_TNIL => {
                ffi::lua_settop(lua, -2);
                *size = 0;
                ptr::null()
            }
            ffi::LUA_TSTRING | ffi::LUA_TNUMBER => {
                ffi::lua_replace(lua, 3);
                piece.bytes = ffi::lua_tolstring(lua, 3, &mut piece.len);
                if piece.len == 0 {
                    *size = 0;
                    return ptr::null();
                }
                read_piece(lua, data, size)
            }
            _ => {
                ffi::luaL_error(lua, c"reader function must return a string".as_ptr());
                ptr::null()
            }
        }
    }
}

/// The results of `load` and `loadstring`.
///
/// # Safety
/// The top is what `lua_load` pushed.
unsafe fn loaded(lua: *mut lua_State, status: c_int) -> c_int {
    // SAFETY: by contract.
    unsafe {
        if state_of(lua).stopped.get().is_some() {
            return interrupt::end(lua);
        }
        if status == 0 {
            return 1;
        }
        #[cfg(not(lua51))]
        crate::wording::reword_at(lua, -1);
        ffi::lua_pushnil(lua);
        ffi::lua_insert(lua, -2);
        2
    }
}

/// `pcall` that returns the text of an error table in place of the table, or the table and what it
/// has instead of a text (`luaRedisPcall` in `script_lua.c`).
///
/// # Safety
/// Called by Lua.
unsafe extern "C-unwind" fn pcall(lua: *mut lua_State) -> c_int {
    // SAFETY: the field's name is pushed with its length.
    unsafe {
        let count = ffi::lua_gettop(lua);
        // Without arguments the real one calls what it has pushed itself; only Lua 5.1 forgives
        // the count of -1.
        #[cfg(not(lua51))]
        if count == 0 {
            ffi::lua_pushboolean(lua, 0);
            ffi::lua_pushlstring(lua, c"attempt to call a boolean value".as_ptr(), 31);
            return 2;
        }
        ffi::lua_pushboolean(lua, 1);
        ffi::lua_insert(lua, 1);
        if ffi::lua_pcall(lua, count - 1, ffi::LUA_MULTRET, 0) == 0 {
            return ffi::lua_gettop(lua);
        }
        #[cfg(not(lua51))]
        crate::wording::reword_at(lua, -1);
        let field = state_of(lua).unwrap_field.get();
        if ffi::lua_type(lua, -1) == ffi::LUA_TTABLE && !field.is_empty() {
            ffi::lua_pushlstring(lua, field.as_ptr().cast(), field.len());
            ffi::lua_gettable(lua, -2);
            // What is no text follows the table as one more result.
            if ffi::lua_isstring(lua, -1) != 0 {
                ffi::lua_replace(lua, -2);
            }
        }
        ffi::lua_pushboolean(lua, 0);
        ffi::lua_replace(lua, 1);
        ffi::lua_gettop(lua)
    }
}

/// `collectgarbage` that leaves the collector running for the next script.
///
/// # Safety
/// Called by Lua.
unsafe extern "C-unwind" fn collectgarbage(lua: *mut lua_State) -> c_int {
    // SAFETY: the option is read in place; the frame owns nothing.
    unsafe {
        // A collection takes long: several would lie between two looks of the hook.
        if crate::interrupt::note(lua, 1) {
            return crate::interrupt::end(lua);
        }
        if ffi::lua_type(lua, 1) == ffi::LUA_TSTRING {
            match crate::look::string_at(lua, 1) {
                b"stop" => {
                    ffi::lua_pushnumber(lua, 0.0);
                    return 1;
                }
                b"setpause" | b"setstepmul" => state_of(lua).collector_tuned.set(true),
                #[cfg(lua54)]
                b"step" => {
                    stock(lua);
                    ffi::lua_pushboolean(lua, 0);
                    return 1;
                }
                // The modes of Lua 5.4 would outlive the script, and Lua 5.1 has none.
                #[cfg(lua54)]
                b"generational" | b"incremental" | b"isrunning" => {
                    ffi::lua_pushlstring(lua, c"invalid option".as_ptr(), 14);
                    let message = ffi::lua_tolstring(lua, -1, ptr::null_mut());
                    return ffi::luaL_argerror(lua, 1, message);
                }
                _ => {}
            }
        }
        stock(lua)
    }
}

/// `xpcall` whose handler does not run when the script is being stopped: it would run with hooks
/// off and could not be stopped itself.
///
/// # Safety
/// Called by Lua.
unsafe extern "C-unwind" fn xpcall(lua: *mut lua_State) -> c_int {
    // SAFETY: stack is [function, handler]; the handler is wrapped and goes first.
    unsafe {
        ffi::luaL_checkany(lua, 2);
        ffi::lua_settop(lua, 2);
        ffi::lua_pushcclosure(lua, guarded_handler, 1);
        ffi::lua_insert(lua, 1);
        let status = ffi::lua_pcall(lua, 0, ffi::LUA_MULTRET, 1);
        ffi::lua_pushboolean(lua, c_int::from(status == 0));
        ffi::lua_replace(lua, 1);
        ffi::lua_gettop(lua)
    }
}

/// # Safety
/// Called by Lua as a message handler, with the script's handler as its upvalue.
unsafe extern "C-unwind" fn guarded_handler(lua: *mut lua_State) -> c_int {
    // SAFETY: by contract.
    unsafe {
        if state_of(lua).stopped.get().is_some() {
            return 1;
        }
        ffi::lua_settop(lua, 1);
        // Lua 5.1 calls a function only, no table that could be called (`luaG_errormsg`).
        if ffi::lua_type(lua, ffi::lua_upvalueindex(1)) != ffi::LUA_TFUNCTION {
            ffi::lua_pushlstring(lua, c"error in error handling".as_ptr(), 23);
            return 1;
        }
        #[cfg(not(lua51))]
        crate::wording::reword_at(lua, 1);
        ffi::lua_pushvalue(lua, ffi::lua_upvalueindex(1));
        ffi::lua_insert(lua, 1);
        ffi::lua_call(lua, 1, 1);
        1
    }
}
