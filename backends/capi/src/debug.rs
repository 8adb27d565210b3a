//! Reporting every line of a script to the bridge, and what the bridge sees of the call stack.
//!
//! Owns the hook of a debugged run and the [`Frame`] it hands out. It must not know what a
//! debugger does.
//!
//! The hook also does the work of the one in `interrupt`. While the bridge looks at the stack
//! hooks are off; code that it evaluates therefore runs in a coroutine, which has its own switch
//! and can be interrupted (not on LuaJIT, where one switch serves the whole state). Luau has no such
//! hook; `step` stands for it.

use std::ffi::{CStr, CString, c_int};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;
use std::time::{Duration, Instant};

use redlua_core::{
    Bridge, Chunk, Evaluation, Flow, Frame, Level, Pause, StopReason, ValueReader, ValueWriter,
};

#[cfg(not(lua51))]
use crate::chunk::load_text;
use crate::ffi::{self, lua_State};
#[cfg(not(luau))]
use crate::interrupt;
use crate::look::string_at;
use crate::reader::StackReader;
#[cfg(lua51)]
use crate::source::load_text;
use crate::state::{State, state_of};
use crate::writer::StackWriter;

/// How many intervals of the count hook make a [`Pause::Tick`].
pub(crate) const TICK: u32 = 100;

/// Sets the hook of a debugged run.
///
/// # Safety
/// `lua` is live. Stack 0; neither raises nor allocates.
#[cfg(not(luau))]
pub(crate) unsafe fn arm(lua: *mut lua_State) {
    // SAFETY: by contract.
    unsafe {
        let state = state_of(lua);
        state.ticks.set(0);
        state.reporting.set(true);
        let mask = ffi::LUA_MASKLINE | ffi::LUA_MASKCOUNT;
        ffi::lua_sethook(lua, Some(hook), mask, interrupt::INTERVAL);
    }
}

/// # Safety
/// Called by Lua as a hook.
#[cfg(not(luau))]
unsafe extern "C-unwind" fn hook(lua: *mut lua_State, ar: *mut ffi::lua_Debug) {
    // SAFETY: `dispatch` does not raise and leaves nothing to drop; after it a value to raise is
    // on top of the stack.
    unsafe {
        let state = state_of(lua);
        let pause = if (*ar).event == ffi::LUA_HOOKCOUNT {
            if interrupt::note(lua, interrupt::INTERVAL) {
                interrupt::end(lua);
            }
            state.ticks.set(state.ticks.get().wrapping_add(1));
            if state.ticks.get() % TICK != 0 {
                return;
            }
            Pause::Tick
        } else {
            Pause::Line
        };
        if state.reporting.get() && dispatch(lua, state, pause) == Flow::Raise {
            ffi::lua_error(lua);
        }
    }
}

/// Runs [`Bridge::line`] with panics caught; leaves a value on top of the stack when that is to
/// be raised.
///
/// # Safety
/// Called in a hook. Does not raise.
pub(crate) unsafe fn dispatch(lua: *mut lua_State, state: &State, pause: Pause) -> Flow {
    let Some(mut bridge) = state.bridge.get() else { return Flow::Return };
    let was = state.enforce(false);
    state.reporting.set(false);
    // What passes while the script stands still is not its time.
    let left = state.deadline.take().map(|end| end.saturating_duration_since(Instant::now()));
    // SAFETY: a hook has LUA_MINSTACK slots above the stack as it found it; the bridge outlives
    // the run and only this call uses it, until it lends itself to the frame.
    let flow = unsafe {
        let top = ffi::lua_gettop(lua);
        let mut frame = StackFrame { lua, ar: mem::zeroed() };
        let mut out = StackWriter::new(lua, 1, 0);
        let result =
            catch_unwind(AssertUnwindSafe(|| bridge.as_mut().line(pause, &mut frame, &mut out)));
        match result {
            Ok(Flow::Raise) if ffi::lua_gettop(lua) > top => Flow::Raise,
            Ok(Flow::Raise) => {
                out.nil();
                Flow::Raise
            }
            Ok(Flow::Return) => {
                ffi::lua_settop(lua, top);
                Flow::Return
            }
            Err(panic) => {
                ffi::lua_settop(lua, top);
                out.string(&crate::native::panic_text(panic.as_ref()));
                Flow::Raise
            }
        }
    };
    state.deadline.set(left.and_then(|left| Instant::now().checked_add(left)));
    state.reporting.set(true);
    state.enforce(was);
    flow
}

/// The call stack of a coroutine that stands in a hook.
struct StackFrame {
    lua: *mut lua_State,
    /// The level last asked for.
    ar: ffi::lua_Debug,
}

// SAFETY of the block below: `lua` is live and stands in a hook while the frame exists; memory is
// not limited, so that nothing raises; every method leaves the stack as it found it.
impl Frame for StackFrame {
    fn level(&mut self, level: usize) -> Option<Level<'_>> {
        let level = c_int::try_from(level).ok()?;
        // SAFETY: see above; Lua fills `ar` in. The names belong to functions on the call stack.
        unsafe {
            if !ffi::describe(self.lua, level, &mut self.ar) {
                return None;
            }
            let name = self.ar.name;
            Some(Level {
                source: ffi::short_source(&self.ar).to_bytes(),
                line: i64::from(self.ar.currentline),
                name: (!name.is_null()).then(|| CStr::from_ptr(name).to_bytes()),
            })
        }
    }

    fn local(
        &mut self,
        level: usize,
        index: usize,
        visit: &mut dyn FnMut(&[u8], &mut dyn ValueReader),
    ) -> bool {
        let (Ok(level), Ok(index)) = (c_int::try_from(level), c_int::try_from(index)) else {
            return false;
        };
        // SAFETY: see above. Stack +1 when there is such a variable, then 0 again.
        unsafe {
            let top = ffi::lua_gettop(self.lua);
            let name = ffi::local(self.lua, level, index, &mut self.ar);
            if name.is_null() {
                return false;
            }
            let mut value = StackReader::new(self.lua, top + 1, 1);
            visit(CStr::from_ptr(name).to_bytes(), &mut value);
            ffi::lua_settop(self.lua, top);
            true
        }
    }

    fn global(&mut self, name: &[u8], visit: &mut dyn FnMut(&mut dyn ValueReader)) {
        // SAFETY: see above; the globals are a table, whose stand-in the reader looks through.
        unsafe {
            let top = ffi::lua_gettop(self.lua);
            ffi::push_globals(self.lua);
            let mut globals = StackReader::new(self.lua, top + 1, 1);
            globals.enter_field(name);
            visit(&mut globals);
            ffi::lua_settop(self.lua, top);
        }
    }

    fn evaluate(
        &mut self,
        chunk: Chunk<'_>,
        limit: Duration,
        bridge: &mut dyn Bridge,
        visit: &mut dyn FnMut(Evaluation<'_>),
    ) {
        let name = CString::new(chunk.name).unwrap_or_default();
        // SAFETY: see above; the coroutine stays on the stack while it is used.
        unsafe {
            let top = ffi::lua_gettop(self.lua);
            let thread = ffi::lua_newthread(self.lua);
            let (bytes, len) = (chunk.source.as_ptr().cast(), chunk.source.len());
            if load_text(thread, bytes, len, name.as_ptr()) != 0 {
                let message = match ffi::lua_type(thread, -1) {
                    ffi::LUA_TSTRING => string_at(thread, -1),
                    _ => b"",
                };
                visit(Evaluation::Refused(message));
            } else {
                let status = call(thread, limit, bridge);
                #[cfg(not(lua51))]
                if status.is_some_and(|status| status != 0) {
                    crate::wording::reword_at(thread, -1);
                }
                let mut value = StackReader::new(thread, ffi::lua_gettop(thread), 1);
                visit(match status {
                    None => Evaluation::Late,
                    Some(0) => Evaluation::Returned(&mut value),
                    Some(_) => Evaluation::Raised(&mut value),
                });
            }
            ffi::lua_settop(self.lua, top);
        }
    }
}

/// Calls the function on top of the stack for at most `limit`; leaves its result or its error.
/// Returns Lua's status, or `None` when the time was over.
///
/// # Safety
/// `thread` is a coroutine in which nothing runs, made while its state stands in a hook; memory
/// is not limited. Stack 0.
unsafe fn call(thread: *mut lua_State, limit: Duration, bridge: &mut dyn Bridge) -> Option<c_int> {
    // SAFETY: the bridge is used by callbacks only until its pointer is taken back below; who
    // lends it does not use it meanwhile. The call is protected.
    unsafe {
        let state = state_of(thread);
        let lent = mem::transmute::<NonNull<dyn Bridge + '_>, NonNull<dyn Bridge + 'static>>(
            NonNull::from(bridge),
        );
        let outer = state.bridge.replace(Some(lent));
        state.deadline.set(Instant::now().checked_add(limit));
        state.enforce(true);
        let status = ffi::lua_pcall(thread, 0, 1, 0);
        state.enforce(false);
        state.deadline.set(None);
        state.bridge.set(outer);
        if state.stopped.get() == Some(StopReason::Time) {
            // It was this code that ran out of time, not the script.
            state.stopped.set(None);
            return None;
        }
        Some(status)
    }
}
