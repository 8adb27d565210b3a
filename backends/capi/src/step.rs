//! Lines of a debugged script on Luau, which has no hook for them.
//!
//! Owns the callback of single steps and what it remembers: a line begins when the instruction
//! about to run is of another line than the last one of its function, or the first of a call. What
//! happens then is in `debug`. It must not know what a debugger does.
//!
//! Luau does not tell which instruction runs: a loop on one line is one line.

use crate::debug::{TICK, dispatch};
use crate::ffi::{self, lua_State};
use crate::interrupt;
use crate::state::state_of;
use redlua_core::{Flow, Pause};
use std::ffi::c_int;

/// Steps between two looks at the clock and the token.
const INTERVAL: u32 = interrupt::INTERVAL as u32;

/// Where the functions of a run are, the innermost last: coroutine, depth in it, line.
#[derive(Default)]
pub(crate) struct Trail(Vec<(*mut lua_State, c_int, c_int)>);

impl Trail {
    /// Remembers an instruction; returns whether a line begins with it.
    fn arrive(&mut self, lua: *mut lua_State, depth: c_int, line: c_int) -> bool {
        // Who called whom is not lost: what lies above has returned or yielded.
        let known = self.0.iter().rposition(|place| place.0 == lua && place.1 <= depth);
        if let Some(known) = known {
            self.0.truncate(known + 1);
        }
        match self.0.last_mut() {
            Some(place) if place.0 == lua && place.1 == depth => {
                std::mem::replace(&mut place.2, line) != line
            }
            _ => {
                self.0.push((lua, depth, line));
                true
            }
        }
    }
}

/// Makes Luau call back at each step of a run.
///
/// # Safety
/// `lua` is live. Stack 0; neither raises nor allocates.
pub(crate) unsafe fn arm(lua: *mut lua_State) {
    // SAFETY: by contract.
    unsafe {
        let state = state_of(lua);
        state.ticks.set(0);
        state.trail.take();
        state.reporting.set(true);
        (*ffi::lua_callbacks(lua)).debugstep = Some(step);
        ffi::lua_singlestep(lua, 1);
    }
}

/// No callbacks any more.
///
/// # Safety
/// As for [`arm`].
pub(crate) unsafe fn disarm(lua: *mut lua_State) {
    // SAFETY: by contract.
    unsafe { ffi::lua_singlestep(lua, 0) }
}

/// # Safety
/// Called by Luau before an instruction runs.
unsafe extern "C-unwind" fn step(lua: *mut lua_State, ar: *mut ffi::lua_Debug) {
    // SAFETY: `dispatch` does not raise and leaves nothing to drop; after it a value to raise is
    // on top of the stack. The trail is not borrowed when something is raised.
    unsafe {
        let state = state_of(lua);
        let ticks = state.ticks.get().wrapping_add(1);
        state.ticks.set(ticks);
        if ticks % INTERVAL == 0 && interrupt::note(lua, interrupt::INTERVAL) {
            interrupt::end(lua);
        }
        if !state.reporting.get() {
            return;
        }
        let line = match state.trail.try_borrow_mut() {
            Ok(mut trail) => trail.arrive(lua, ffi::lua_stackdepth(lua), (*ar).currentline),
            Err(_) => false,
        };
        let tick = ticks % (INTERVAL * TICK) == 0;
        if tick && dispatch(lua, state, Pause::Tick) == Flow::Raise {
            ffi::lua_error(lua);
        }
        if line && dispatch(lua, state, Pause::Line) == Flow::Raise {
            ffi::lua_error(lua);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_begin() {
        let (main, other) = (std::ptr::null_mut(), std::ptr::dangling_mut::<lua_State>());
        let mut trail = Trail::default();
        assert!(trail.arrive(main, 1, 1));
        assert!(!trail.arrive(main, 1, 1));
        assert!(trail.arrive(main, 1, 2), "another line");
        assert!(trail.arrive(main, 2, 2), "a call");
        assert!(!trail.arrive(main, 1, 2), "the caller goes on");
        assert!(trail.arrive(other, 1, 7), "a coroutine");
        assert!(!trail.arrive(main, 1, 2), "it yields");
        assert!(trail.arrive(main, 2, 2), "another call");
    }
}
