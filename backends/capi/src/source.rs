//! Source text on its way to the compiler of Lua 5.1.
//!
//! Owns what keeps precompiled code out, looks at the clock meanwhile, and hides that this Lua is
//! built with other options than the server's. It must not know who compiles.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::{ptr, slice};

use redlua_conversions::syntax::{Target, Wanted, translate};

use crate::ffi::{self, lua_State};
use crate::interrupt;
use crate::look::string_at;
use crate::state::{NO_MEMORY, push_unlimited, state_of};

/// What Lua puts first in precompiled code.
const SIGNATURE: u8 = 0x1b;

/// Compiles `source` as text, whatever it begins with, and pushes the function or the message;
/// returns Lua's status. `name` is a C string.
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
    // SAFETY: by contract.
    unsafe {
        let status = load_as_it_is(lua, source, len, name);
        if status == 0 || !refuses_brackets(lua) {
            return status;
        }
        ffi::lua_settop(lua, -2);
        let source = slice::from_raw_parts(source.cast(), len);
        if !push_rewritten(lua, source, CStr::from_ptr(name).to_bytes()) {
            return status;
        }
        let mut len = 0;
        let text = ffi::lua_tolstring(lua, -1, &mut len);
        let status = load_as_it_is(lua, text, len, name);
        // The function or the message takes the place of the text.
        ffi::lua_replace(lua, -2);
        status
    }
}

/// Whether the message on top of the stack is that of a bracket which is opened twice: Lua 5.1 is
/// built so that it refuses that (`LUA_COMPAT_LSTR`), the server's so that it does not.
///
/// # Safety
/// The top is a value. Stack 0; does not raise.
unsafe fn refuses_brackets(lua: *mut lua_State) -> bool {
    const REFUSED: &[u8] = b": nesting of [[...]] is deprecated near '['";
    // SAFETY: by contract.
    unsafe { ffi::lua_type(lua, -1) == ffi::LUA_TSTRING && string_at(lua, -1).ends_with(REFUSED) }
}

/// Pushes the chunk with other brackets, or the message that it deserves and returns `false`.
///
/// # Safety
/// A slot is free. Stack +1. Does not raise.
unsafe fn push_rewritten(lua: *mut lua_State, source: &[u8], name: &[u8]) -> bool {
    let target = Target { brackets: true, ..Target::default() };
    // SAFETY: by contract.
    let (ask, room) = unsafe { (|| interrupt::note(lua, 0), state_of(lua).room()) };
    let wanted = Wanted::unless(&ask).within(room);
    let result = translate(source, name, &target, &wanted);
    let (text, good) = match &result {
        Err(_) if wanted.is_short() => (NO_MEMORY, false),
        Ok(translated) => (&*translated.text, true),
        Err(message) => (&**message, false),
    };
    // SAFETY: by contract.
    unsafe { push_unlimited(lua, text) };
    good
}

/// # Safety
/// As for [`load_text`].
unsafe fn load_as_it_is(
    lua: *mut lua_State,
    source: *const c_char,
    len: usize,
    name: *const c_char,
) -> c_int {
    // SAFETY: by contract; `source` points at `len` bytes.
    unsafe {
        let state = state_of(lua);
        // The compiler itself does not hold on to the name before it has a function for it.
        push_unlimited(lua, CStr::from_ptr(name).to_bytes());
        let mut piece = Piece::new(source, len);
        let status = ffi::lua_load(lua, read_piece, ptr::from_mut(&mut piece).cast(), name);
        ffi::lua_replace(lua, -2);
        if status != 0 && piece.disguised {
            // The caller may not be protected.
            let was = state.enforce(false);
            reveal(lua);
            state.enforce(was);
        }
        status
    }
}

/// Bytes that the compiler gets at once: between two pieces somebody looks at the clock, because
/// its time grows with the square of what it has to jump over.
const PIECE: usize = 512;

/// A string on its way to the Lua compiler.
pub(crate) struct Piece {
    pub(crate) bytes: *const c_char,
    /// How much of it is left.
    pub(crate) len: usize,
    /// Whether nothing was read yet.
    first: bool,
    /// Whether the signature of precompiled code was replaced.
    pub(crate) disguised: bool,
}

impl Piece {
    /// All of these bytes.
    pub(crate) fn new(bytes: *const c_char, len: usize) -> Self {
        Piece { bytes, len, first: true, disguised: false }
    }
}

/// A byte the compiler refuses as it refuses the signature, naming it in the message.
const DISGUISE: &CStr = c"\x01";

/// # Safety
/// Called by `lua_load` with a `Piece` whose bytes are alive.
pub(crate) unsafe extern "C-unwind" fn read_piece(
    lua: *mut lua_State,
    data: *mut c_void,
    size: *mut usize,
) -> *const c_char {
    // SAFETY: `data` is a `Piece`, `size` a valid out-pointer; pieces lie within the source.
    unsafe {
        let piece = &mut *data.cast::<Piece>();
        let first = std::mem::replace(&mut piece.first, false);
        if first && piece.len > 0 && *piece.bytes.cast::<u8>() == SIGNATURE {
            piece.disguised = true;
            piece.bytes = piece.bytes.add(1);
            piece.len -= 1;
            *size = 1;
            return DISGUISE.as_ptr();
        }
        let bytes = piece.bytes;
        *size = piece.len.min(PIECE);
        if *size == 0 || !first && interrupt::note(lua, interrupt::INTERVAL) {
            // What ends here is wrong in most cases, and the run ends in all.
            *size = 0;
            return ptr::null();
        }
        piece.bytes = bytes.add(*size);
        piece.len -= *size;
        bytes
    }
}

/// Names the signature in the message on top of the stack, where the disguise stands.
///
/// # Safety
/// The top is a string; 2 slots are free. May raise for lack of memory.
pub(crate) unsafe fn reveal(lua: *mut lua_State) {
    // SAFETY: by contract; luaL_gsub pushes its result.
    unsafe {
        let message = ffi::lua_tolstring(lua, -1, ptr::null_mut());
        if !message.is_null() {
            ffi::luaL_gsub(lua, message, c"near 'char(1)'".as_ptr(), c"near 'char(27)'".as_ptr());
            ffi::lua_replace(lua, -2);
        }
    }
}
