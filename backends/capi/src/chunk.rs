//! Compiling Lua 5.1 on an engine that speaks another language.
//!
//! Owns the way of a chunk: checked and rewritten as `redlua_conversions::syntax` says, compiled
//! by the engine, and on LuaJIT compiled code rewritten as `tailcall` says. It must not know what
//! either of them changes.

#[cfg(not(luau))]
use std::ffi::c_void;
use std::ffi::{CStr, c_char, c_int};
#[cfg(not(luau))]
use std::ptr;
use std::slice;

use redlua_conversions::syntax::{Target, Wanted, translate};

use crate::ffi::{self, lua_State};
use crate::interrupt;
use crate::state::{NO_MEMORY, push_unlimited, state_of};

/// The name of the function that makes floats integers; scripts do not see it.
#[cfg(lua54)]
pub(crate) const INTEGERS: &str = "__redlua_number";

#[cfg(lua54)]
const TARGET: Target =
    Target { integers: Some(INTEGERS), rename: Some(("_ENV", "_ENV51")), brackets: false };
#[cfg(not(lua54))]
const TARGET: Target = Target { integers: None, rename: None, brackets: false };

const LUA_ERRSYNTAX: c_int = 3;

/// Compiles `source` as Lua 5.1, whatever it begins with, and pushes the function or the message;
/// returns Lua's status.
///
/// # Safety
/// `source` points at `len` bytes, `name` is NUL-terminated; 4 slots are free. May raise only for
/// lack of memory.
pub(crate) unsafe fn load_text(
    lua: *mut lua_State,
    source: *const c_char,
    len: usize,
    name: *const c_char,
) -> c_int {
    // SAFETY: by contract; the text to compile stands on the stack while it is compiled.
    unsafe {
        let source = slice::from_raw_parts(source.cast(), len);
        let status = push_translation(lua, source, CStr::from_ptr(name));
        if status != 0 {
            return status;
        }
        let mut len = 0;
        let text = ffi::lua_tolstring(lua, -1, &mut len);
        let status = compile(lua, text, len, name);
        // The function or the message takes the place of the text.
        ffi::lua_replace(lua, -2);
        status
    }
}

/// What Luau's compiler takes for a token of the chunk outside of the state, where nobody counts:
/// a call of a global takes 320 bytes for three.
#[cfg(luau)]
const TOKEN: usize = 128;

/// Pushes the text that the engine has to compile, or the message; returns Lua's status.
///
/// # Safety
/// A slot is free. Stack +1. Does not raise.
unsafe fn push_translation(lua: *mut lua_State, source: &[u8], name: &CStr) -> c_int {
    // SAFETY: by contract.
    let (ask, room) = unsafe { (|| interrupt::note(lua, 0), state_of(lua).room()) };
    let wanted = Wanted::unless(&ask).within(room);
    let result = translate(source, name.to_bytes(), &TARGET, &wanted);
    let (text, status) = match &result {
        #[cfg(luau)]
        Ok(translated) if translated.tokens > room / TOKEN => (NO_MEMORY, ffi::LUA_ERRMEM),
        Err(_) if wanted.is_short() => (NO_MEMORY, ffi::LUA_ERRMEM),
        Ok(translated) => (&*translated.text, 0),
        Err(message) => (&**message, LUA_ERRSYNTAX),
    };
    // SAFETY: by contract.
    unsafe { push_unlimited(lua, text) };
    status
}

/// Compiles a text that is on the stack.
///
/// # Safety
/// As for [`load_text`].
#[cfg(luau)]
unsafe fn compile(
    lua: *mut lua_State,
    text: *const c_char,
    len: usize,
    name: *const c_char,
) -> c_int {
    // SAFETY: by contract; the limit is looked at when the chunk is there.
    unsafe {
        let state = state_of(lua);
        let text = slice::from_raw_parts(text.cast(), len);
        let Some(code) = state.compiler.compile(text, &|| interrupt::note(lua, 0)) else {
            push_unlimited(lua, NO_MEMORY);
            return ffi::LUA_ERRMEM;
        };
        let was = state.enforce(false);
        let mut status = ffi::load(lua, &code, name);
        if was && state.over_limit() {
            ffi::lua_settop(lua, -2);
            push_unlimited(lua, NO_MEMORY);
            status = ffi::LUA_ERRMEM;
        }
        state.enforce(was);
        status
    }
}

/// Compiles a text that is on the stack.
///
/// # Safety
/// As for [`load_text`].
#[cfg(not(luau))]
unsafe fn compile(
    lua: *mut lua_State,
    text: *const c_char,
    len: usize,
    name: *const c_char,
) -> c_int {
    // SAFETY: by contract.
    unsafe {
        let mut piece = Piece { bytes: text, len, first: true };
        let status = ffi::lua_load(lua, read, ptr::from_mut(&mut piece).cast(), name);
        #[cfg(luajit)]
        if status == 0 && !plain_calls(lua) {
            ffi::lua_settop(lua, -2);
            push_unlimited(lua, NO_MEMORY);
            return ffi::LUA_ERRMEM;
        }
        status
    }
}

/// What is left for the compiler to read.
#[cfg(not(luau))]
struct Piece {
    bytes: *const c_char,
    len: usize,
    /// Whether nothing was read yet.
    first: bool,
}

/// # Safety
/// Called by `lua_load` with a `Piece` whose bytes are alive.
#[cfg(not(luau))]
unsafe extern "C-unwind" fn read(
    lua: *mut lua_State,
    data: *mut c_void,
    size: *mut usize,
) -> *const c_char {
    // SAFETY: `data` is a `Piece`, `size` a valid out-pointer; pieces lie within the text.
    unsafe {
        let piece = &mut *data.cast::<Piece>();
        let bytes = piece.bytes;
        *size = piece.len.min(PIECE);
        let first = std::mem::replace(&mut piece.first, false);
        if *size == 0 || !first && interrupt::note(lua, interrupt::INTERVAL) {
            *size = 0;
            return ptr::null();
        }
        piece.bytes = bytes.add(*size);
        piece.len -= *size;
        bytes
    }
}

/// Bytes that the compiler gets at once: between two pieces somebody looks at the clock, because
/// its time grows with the square of what it has to jump over.
#[cfg(not(luau))]
const PIECE: usize = 512;

/// Replaces the chunk on top of the stack by the same without the tail calls that Lua 5.1 does
/// not make. `false` when there is no memory for that.
///
/// # Safety
/// A function of Lua is on top; 2 slots are free. Stack 0. Does not raise.
#[cfg(luajit)]
unsafe fn plain_calls(lua: *mut lua_State) -> bool {
    // SAFETY: LuaJIT dumps and loads under protection of its own, so nothing jumps over the
    // buffers here. What is loaded is what it has dumped, rewritten by a module that keeps its
    // form.
    unsafe {
        // It grows by doubling, and what is made of it is as long.
        let mut dump = Dump { bytes: Vec::new(), most: state_of(lua).room() / 3 };
        if ffi::lua_dump(lua, collect, ptr::from_mut(&mut dump).cast()) != 0 {
            return dump.bytes.len() <= dump.most;
        }
        let Some(chunk) = crate::tailcall::Chunk::read(&dump.bytes) else { return true };
        let Some(code) = chunk.plain_calls() else { return true };
        let mut piece = (code.as_ptr().cast::<c_char>(), code.len());
        let data = ptr::from_mut(&mut piece).cast();
        if ffi::lua_load(lua, read_whole, data, c"=chunk".as_ptr()) == 0 {
            ffi::lua_replace(lua, -2);
        } else {
            ffi::lua_settop(lua, -2);
        }
    }
    true
}

/// Compiled code on its way out.
#[cfg(luajit)]
struct Dump {
    bytes: Vec<u8>,
    /// Bytes that it may have.
    most: usize,
}

/// # Safety
/// Called by `lua_load` with a place and a length.
#[cfg(luajit)]
unsafe extern "C-unwind" fn read_whole(
    _lua: *mut lua_State,
    data: *mut c_void,
    size: *mut usize,
) -> *const c_char {
    // SAFETY: by contract.
    unsafe {
        let (bytes, len) = &mut *data.cast::<(*const c_char, usize)>();
        *size = std::mem::take(len);
        if *size == 0 { ptr::null() } else { *bytes }
    }
}

/// # Safety
/// Called by `lua_dump` with a [`Dump`].
#[cfg(luajit)]
unsafe extern "C-unwind" fn collect(
    _lua: *mut lua_State,
    bytes: *const c_void,
    len: usize,
    out: *mut c_void,
) -> c_int {
    // SAFETY: by contract.
    unsafe {
        let dump = &mut *out.cast::<Dump>();
        dump.bytes.extend_from_slice(slice::from_raw_parts(bytes.cast(), len));
        c_int::from(dump.bytes.len() > dump.most)
    }
}
