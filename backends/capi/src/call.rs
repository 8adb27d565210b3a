//! `redis.call` and `redis.pcall`: the hot path from Lua to the bridge.
//!
//! Owns the gathering of arguments and the raising of error replies. It must not know what a
//! command is.

use std::ffi::c_int;
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::slice;

use redlua_conversions::number::{Text, g17};
use redlua_core::{CallMode, Flow, Scalar, ValueWriter};

use crate::ffi::{self, lua_State};
use crate::interrupt;
use crate::layout;
use crate::look::{scalar_at, string_at};
use crate::state::{State, state_of};
use crate::writer::StackWriter;

/// Calls with up to this many arguments are gathered on the C stack.
const INLINE: usize = 16;

/// Room for the arguments of longer calls.
#[derive(Default)]
pub(crate) struct Spare {
    argv: Vec<&'static [u8]>,
    texts: Vec<Text>,
}

/// How a call ended.
enum Ended {
    /// One value is on top of the stack.
    Flow(Flow),
    /// The reply is more than the script may hold, and perhaps not complete.
    Starved,
    /// The run ends.
    Stopped,
}

/// `redis.call`.
///
/// # Safety
/// Called by Lua.
pub(crate) unsafe extern "C-unwind" fn redis_call(lua: *mut lua_State) -> c_int {
    // SAFETY: called by Lua; nothing here needs dropping.
    unsafe { run(lua, CallMode::Call) }
}

/// `redis.pcall`.
///
/// # Safety
/// Called by Lua.
pub(crate) unsafe extern "C-unwind" fn redis_pcall(lua: *mut lua_State) -> c_int {
    // SAFETY: called by Lua; nothing here needs dropping.
    unsafe { run(lua, CallMode::Pcall) }
}

/// # Safety
/// Called by Lua, in a frame that owns nothing.
#[inline]
unsafe fn run(lua: *mut lua_State, mode: CallMode) -> c_int {
    // SAFETY: dispatch does not raise; after it nothing is owned here.
    unsafe {
        let state = state_of(lua);
        match dispatch(lua, state, mode) {
            Ended::Flow(Flow::Return) => 1,
            Ended::Flow(Flow::Raise) => ffi::lua_error(lua),
            Ended::Starved => {
                ffi::lua_settop(lua, 0);
                crate::native::raise_memory(lua)
            }
            Ended::Stopped => {
                ffi::lua_settop(lua, 0);
                interrupt::end(lua)
            }
        }
    }
}

/// Gathers the arguments and runs the bridge; leaves one value on top of the stack.
///
/// # Safety
/// Called in a C function called by Lua. Does not raise.
#[inline]
unsafe fn dispatch(lua: *mut lua_State, state: &State, mode: CallMode) -> Ended {
    // SAFETY: reads the arguments of the running C function.
    let count = unsafe { layout::top(lua) };
    let was = state.enforce(false);
    let flow = if count as usize <= INLINE {
        let mut argv = [const { MaybeUninit::<&[u8]>::uninit() }; INLINE];
        let mut texts = [const { MaybeUninit::<Text>::uninit() }; INLINE];
        let mut valid = true;
        for (i, (arg, text)) in argv.iter_mut().zip(&mut texts).enumerate() {
            if i == count as usize {
                break;
            }
            // SAFETY: index of an argument; a string is read in place, a number is not
            // converted.
            arg.write(match unsafe { scalar_at(lua, i as c_int + 1) } {
                Scalar::String(bytes) => bytes,
                Scalar::Number(number) => text.write(g17(number)),
                _ => {
                    valid = false;
                    &[]
                }
            });
        }
        // SAFETY: so many of them were written.
        let argv = unsafe { slice::from_raw_parts(argv.as_ptr().cast(), count as usize) };
        // SAFETY: as above.
        unsafe { bridge(lua, state, mode, valid.then_some(argv), count) }
    } else {
        // SAFETY: as above.
        unsafe { dispatch_many(lua, state, mode, count) }
    };
    state.enforce(was);
    flow
}

/// The same for more arguments than fit on the C stack.
///
/// # Safety
/// As for [`dispatch`].
#[cold]
unsafe fn dispatch_many(lua: *mut lua_State, state: &State, mode: CallMode, count: c_int) -> Ended {
    let Spare { mut argv, mut texts } = state.spare.take();
    let mut numbers = 0;
    let mut valid = true;
    for index in 1..=count {
        // SAFETY: index of an argument.
        match unsafe { ffi::lua_type(lua, index) } {
            ffi::LUA_TNUMBER => numbers += 1,
            ffi::LUA_TSTRING => {}
            _ => valid = false,
        }
    }
    let flow = if valid {
        // Reserved first, so that the texts stay where they are while argv points at them.
        texts.reserve(numbers);
        for index in 1..=count {
            // SAFETY: index of an argument; strings are read in place. The lifetimes are
            // extended for `argv`, which is emptied before the arguments can go.
            unsafe {
                if ffi::lua_type(lua, index) == ffi::LUA_TNUMBER {
                    texts.push(g17(ffi::lua_tonumber(lua, index)));
                    let text: *const [u8] = texts.last().map_or(&[][..], |text| &text[..]);
                    argv.push(&*text);
                } else {
                    argv.push(string_at(lua, index));
                }
            }
        }
        // SAFETY: as for the caller.
        unsafe { bridge(lua, state, mode, Some(&argv), count) }
    } else {
        // SAFETY: as for the caller.
        unsafe { bridge(lua, state, mode, None, count) }
    };
    argv.clear();
    texts.clear();
    state.spare.set(Spare { argv, texts });
    flow
}

/// Runs the bridge with panics caught.
///
/// # Safety
/// As for [`dispatch`]; memory is not limited.
#[inline]
unsafe fn bridge(
    lua: *mut lua_State,
    state: &State,
    mode: CallMode,
    argv: Option<&[&[u8]]>,
    count: c_int,
) -> Ended {
    let Some(mut bridge) = state.bridge.get() else {
        // SAFETY: pushes one string.
        unsafe { StackWriter::new(lua, 1, count).string(b"redis.call outside of a script") };
        return Ended::Flow(Flow::Raise);
    };
    // SAFETY: the writer pushes above the arguments; the bridge outlives the run, and only this
    // call uses it now: it cannot start another one in this Lua state.
    unsafe {
        let mut out = StackWriter::new(lua, 1, count);
        let result = catch_unwind(AssertUnwindSafe(|| bridge.as_mut().call(mode, argv, &mut out)));
        match result {
            // A run that must end has built nothing more either.
            Ok(_) if state.stopped.get().is_some() => Ended::Stopped,
            Ok(_) if out.is_starved() => Ended::Starved,
            Ok(_) if interrupt::told(lua, state) => Ended::Stopped,
            Ok(flow) => {
                // The contract is one value; whatever a faulty bridge left, Lua gets one.
                if layout::top(lua) <= count {
                    ffi::lua_pushnil(lua);
                }
                Ended::Flow(flow)
            }
            Err(panic) => {
                ffi::lua_settop(lua, count);
                out.string(&crate::native::panic_text(panic.as_ref()));
                Ended::Flow(Flow::Raise)
            }
        }
    }
}
