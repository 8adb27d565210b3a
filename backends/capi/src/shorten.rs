//! Chunks of Lua 5.1 and LuaJIT whose calls of a library's functions take one look-up.
//!
//! Owns the rewriting of compiled functions. It must not know which names there are, nor who gives
//! a chunk its environment.
//!
//! Where a library's function is called by both names, `string.rep(…)`, the two reads become one of
//! a key that no script can write, `rep\0string`. To messages, which end at the NUL, the function
//! has the name it had.

use std::ffi::c_int;

use crate::code::{Function, Key, Word};
use crate::ffi::{self, lua_State};
use crate::proxy;

/// How far from its name a call may stand, in instructions.
const FAR: usize = 256;
/// A function of more instructions is left as it is.
const LARGE: usize = 1 << 16;
/// A name of more bytes is none of ours.
const LONG: usize = 32;

/// Whether a function or one in it sets a global.
pub(crate) fn writes_globals(function: Function) -> bool {
    let mut operand = false;
    for word in function.code() {
        // What is no instruction may look like one.
        if !std::mem::replace(&mut operand, word.has_operand_behind()) && word.sets_global() {
            return true;
        }
    }
    function.children().any(writes_globals)
}

/// Two names of a function that is called, as places.
#[derive(Clone, Copy)]
struct Call {
    /// The first of the two instructions.
    at: usize,
    register: u32,
    /// The constants.
    library: usize,
    field: usize,
}

/// Makes one look-up of two wherever a library's function is called.
///
/// # Safety
/// The table of globals is at the index `direct`, which is the top; 5 slots are free; memory is not
/// limited. Stack 0. Does not raise.
pub(crate) unsafe fn shorten(lua: *mut lua_State, direct: c_int, mut function: Function) {
    for child in function.children() {
        // SAFETY: by contract.
        unsafe { shorten(lua, direct, child) };
    }
    let mut calls = calls(&function);
    if calls.is_empty() {
        return;
    }
    let uses = keep_whole(&function, &mut calls);
    calls.sort_unstable_by_key(|call| call.field);
    for group in calls.chunk_by(|a, b| a.field == b.field) {
        let Some(first) = group.first() else { continue };
        // The field's name gives way to the key, so nothing else may use it.
        if uses.get(first.field) != Some(&group.len())
            || group.iter().any(|call| call.library != first.library)
        {
            continue;
        }
        let (Some(library), Some(field)) =
            (function.text(first.library), function.text(first.field))
        else {
            continue;
        };
        // SAFETY: by contract; the key stays reachable as one of the table's, which is at `direct`
        // and in the registry.
        unsafe {
            let Some(key) = key_of(lua, direct, library, field) else { continue };
            function.set_constant(first.field, key);
        }
        for call in group {
            function.set_code(call.at, Word::global(call.register, call.field));
            function.set_code(call.at + 1, Word::nothing());
        }
    }
}

/// The places where a function calls something by two names, one of a global and one of a field.
fn calls(function: &Function) -> Vec<Call> {
    let code = function.code();
    let mut calls = Vec::new();
    if code.len() > LARGE {
        return calls;
    }
    for (at, pair) in code.windows(2).enumerate() {
        let &[global, field] = pair else { continue };
        let Some((register, library)) = global.reads_global() else { continue };
        let Some(field) = field.reads_field(register) else { continue };
        let rest = code.get(at + 2..).unwrap_or_default();
        let user = rest.iter().take(FAR).find(|word| word.touches(register));
        if user.is_some_and(|word| word.calls(register)) {
            calls.push(Call { at, register, library, field });
        }
    }
    calls
}

/// Keeps the calls between whose two instructions nothing jumps, and returns how many instructions
/// use each constant.
fn keep_whole(function: &Function, calls: &mut Vec<Call>) -> Vec<usize> {
    let code = function.code();
    let mut entered = vec![false; code.len() + 2];
    let mut uses = vec![0; function.constant_len()];
    let mut operand = false;
    for (at, word) in code.iter().enumerate() {
        if std::mem::replace(&mut operand, word.has_operand_behind()) {
            // No instruction, but one might have been seen in it.
            if let Some(entered) = entered.get_mut(at + 1) {
                *entered = true;
            }
            continue;
        }
        if let Some(entered) = word.target(at).and_then(|target| entered.get_mut(target)) {
            *entered = true;
        }
        for constant in word.constants() {
            if let Some(uses) = uses.get_mut(constant) {
                *uses += 1;
            }
        }
    }
    calls.retain(|call| entered.get(call.at + 1) == Some(&false));
    uses
}

/// The key of a library's function, which is put into the table at `direct` if it is not there;
/// `None` when there is no such function.
///
/// # Safety
/// As for [`shorten`].
unsafe fn key_of(lua: *mut lua_State, direct: c_int, library: &[u8], field: &[u8]) -> Option<Key> {
    // SAFETY: by contract.
    unsafe {
        if library.len().max(field.len()) > LONG || field.contains(&0) {
            return None;
        }
        let mut name = [0; 2 * LONG + 1];
        let name = name.get_mut(..field.len() + 1 + library.len())?;
        name.get_mut(..field.len())?.copy_from_slice(field);
        name.get_mut(field.len() + 1..)?.copy_from_slice(library);
        let push = |text: &[u8]| ffi::lua_pushlstring(lua, text.as_ptr().cast(), text.len());

        push(library);
        ffi::lua_rawget(lua, direct);
        let found = ffi::lua_type(lua, direct + 1) == ffi::LUA_TTABLE
            && proxy::push_target(lua, direct + 1)
            && {
                push(field);
                ffi::lua_rawget(lua, -2);
                ffi::lua_type(lua, -1) == ffi::LUA_TFUNCTION
            };
        let key = found.then(|| {
            push(name);
            ffi::lua_pushvalue(lua, -1);
            ffi::lua_pushvalue(lua, -3);
            ffi::lua_rawset(lua, direct);
            Key::top(lua)
        });
        ffi::lua_settop(lua, direct);
        key
    }
}
