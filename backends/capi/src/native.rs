//! The natives of the environment: functions whose Rust side is [`Bridge::native`].
//!
//! Owns their trampoline and the ways a native raises. It must not know what they compute.
//!
//! [`Bridge::native`]: redlua_core::Bridge::native

use std::any::Any;
use std::ffi::c_int;
use std::panic::{AssertUnwindSafe, catch_unwind};

use redlua_core::{NativeId, Raise, ValueWriter};

use crate::ffi::{self, lua_State};
use crate::interrupt;
use crate::reader::StackReader;
use crate::state::{NO_MEMORY, state_of};
use crate::writer::StackWriter;

/// What is left to do when no Rust value is alive any more. A message or value to raise is on
/// top of the stack.
pub(crate) enum Verdict {
    Return(c_int),
    Message,
    Argument(c_int),
    Value,
    Memory,
    /// The run ends.
    Stopped,
}

/// Pushes the function that runs the native `id`.
///
/// # Safety
/// 2 slots are free; memory is not limited. Stack +1.
pub(crate) unsafe fn push_native(lua: *mut lua_State, id: NativeId) {
    // SAFETY: by contract.
    unsafe {
        ffi::lua_pushnumber(lua, f64::from(id));
        ffi::lua_pushcclosure(lua, trampoline, 1);
    }
}

/// Pushes the handler of uncaught errors, which the native `id` is.
///
/// # Safety
/// 2 slots are free; memory is not limited. Stack +1.
pub(crate) unsafe fn push_handler(lua: *mut lua_State, id: NativeId) {
    // SAFETY: by contract.
    unsafe {
        ffi::lua_pushnumber(lua, f64::from(id));
        ffi::lua_pushcclosure(lua, handler, 1);
    }
}

/// # Safety
/// Called by Lua with what was raised, with the native's id as its upvalue.
unsafe extern "C-unwind" fn handler(lua: *mut lua_State) -> c_int {
    // SAFETY: the argument is there; dispatch does not raise, and then nothing is owned here.
    unsafe {
        #[cfg(not(lua51))]
        crate::wording::reword_at(lua, 1);
        #[cfg(luajit)]
        crate::wording::place_at(lua, 1);
        // With no memory left it has to do its work all the same.
        let verdict = match dispatch(lua) {
            Verdict::Memory => Verdict::Return(1.min(ffi::lua_gettop(lua))),
            verdict => verdict,
        };
        conclude(lua, verdict)
    }
}

/// # Safety
/// Called by Lua, with the id as its upvalue.
unsafe extern "C-unwind" fn trampoline(lua: *mut lua_State) -> c_int {
    // SAFETY: dispatch does not raise; afterwards this frame owns nothing, so the raising calls
    // may jump over it.
    unsafe {
        let verdict = dispatch(lua);
        conclude(lua, verdict)
    }
}

/// Returns from a function called by Lua, or raises.
///
/// # Safety
/// Called in a C function called by Lua, in a frame that owns nothing; on top of the stack is
/// what the verdict says.
pub(crate) unsafe fn conclude(lua: *mut lua_State, verdict: Verdict) -> c_int {
    // SAFETY: by contract.
    unsafe {
        match verdict {
            Verdict::Return(results) => results,
            Verdict::Message => {
                ffi::luaL_where(lua, 1);
                ffi::lua_insert(lua, -2);
                ffi::lua_concat(lua, 2);
                ffi::lua_error(lua)
            }
            Verdict::Argument(index) => {
                let message = ffi::lua_tolstring(lua, -1, std::ptr::null_mut());
                ffi::luaL_argerror(lua, index, message)
            }
            Verdict::Value => ffi::lua_error(lua),
            Verdict::Memory => raise_memory(lua),
            Verdict::Stopped => {
                ffi::lua_settop(lua, 0);
                interrupt::end(lua)
            }
        }
    }
}

/// # Safety
/// Called in a C function called by Lua. Does not raise.
unsafe fn dispatch(lua: *mut lua_State) -> Verdict {
    // SAFETY: the upvalue is a number pushed by `push_native`; reader and writer work on the
    // arguments and above them.
    unsafe {
        let id = ffi::lua_tonumber(lua, ffi::lua_upvalueindex(1)) as NativeId;
        let count = ffi::lua_gettop(lua);
        let state = state_of(lua);
        let mut out = StackWriter::new(lua, 1, count);
        let Some(mut bridge) = state.bridge.get() else {
            out.string(b"a native ran outside of a script");
            return Verdict::Value;
        };
        let was = state.enforce(false);
        let mut args = StackReader::new(lua, 1, count);
        let result =
            catch_unwind(AssertUnwindSafe(|| bridge.as_mut().native(id, &mut args, &mut out)));
        let verdict = match result {
            Ok(_) if state.stopped.get().is_some() || interrupt::told(lua, state) => {
                Verdict::Stopped
            }
            Ok(Ok(())) if out.is_starved() => Verdict::Memory,
            Ok(Ok(())) => Verdict::Return(ffi::lua_gettop(lua) - args.floor()),
            Ok(Err(raise)) => failure(lua, count, raise),
            Err(panic) => panicked(lua, count, panic.as_ref()),
        };
        state.enforce(was);
        verdict
    }
}

/// What a function with `count` arguments raises. What it has built is dropped first: it may have
/// filled the stack.
///
/// # Safety
/// As for [`push_message`].
pub(crate) unsafe fn failure(lua: *mut lua_State, count: c_int, raise: Raise) -> Verdict {
    // SAFETY: by contract.
    unsafe {
        match raise {
            Raise::Message(text) => {
                push_message(lua, count, &text);
                Verdict::Message
            }
            Raise::Text(text) => {
                push_message(lua, count, &text);
                Verdict::Value
            }
            Raise::Argument { index, message } => {
                push_message(lua, count, &message);
                Verdict::Argument(c_int::try_from(index).unwrap_or(c_int::MAX))
            }
            Raise::Value => Verdict::Value,
        }
    }
}

/// The same for a panic.
///
/// # Safety
/// As for [`push_message`].
#[cold]
pub(crate) unsafe fn panicked(
    lua: *mut lua_State,
    count: c_int,
    panic: &(dyn Any + Send),
) -> Verdict {
    // SAFETY: by contract.
    unsafe { push_message(lua, count, &panic_text(panic)) };
    Verdict::Value
}

/// Pushes the text to raise in place of whatever the native left: deep inside of a table it may
/// have used the stack up.
///
/// # Safety
/// Called in a C function with `count` arguments; memory is not limited. Does not raise.
unsafe fn push_message(lua: *mut lua_State, count: c_int, text: &[u8]) {
    // SAFETY: by contract; above the arguments there are LUA_MINSTACK slots.
    unsafe {
        ffi::lua_settop(lua, count);
        StackWriter::new(lua, 1, count).string(text);
    }
}

/// Raises Lua's out-of-memory text.
///
/// # Safety
/// Called in a C function called by Lua, in a frame that owns nothing; a slot is free.
pub(crate) unsafe fn raise_memory(lua: *mut lua_State) -> c_int {
    // SAFETY: by contract.
    unsafe {
        let state = state_of(lua);
        let was = state.enforce(false);
        ffi::lua_pushlstring(lua, NO_MEMORY.as_ptr().cast(), NO_MEMORY.len());
        // What the native left is garbage now; collect it before Lua asks for more.
        ffi::lua_gc(lua, ffi::LUA_GCCOLLECT, 0);
        state.enforce(was);
        ffi::lua_error(lua)
    }
}

/// What a script is told of a panic in the host or in a native.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> Vec<u8> {
    let message = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("unknown cause");
    format!("internal error: the host panicked: {message}").into_bytes()
}
