//! Stopping a script from outside: the count hook.
//!
//! Owns the decision when a run must end and the hook that ends it. It must not know who asked.
//!
//! On Luau the hook is an interrupt that `watch` sets when the time has come.
//!
//! A hook every 1,000 instructions costs nothing measurable. It comes more often at the beginning
//! and where instructions take long, because they call C functions with much to do. Once the run
//! must end, the hook is set for every line and every instruction, so that a script which catches
//! the error meets the next one at once.

use std::ffi::c_int;
#[cfg(luau)]
use std::sync::atomic::{AtomicUsize, Ordering};
#[cfg(not(any(luau, lua54)))]
use std::time::Duration;
use std::time::Instant;

use redlua_core::StopReason;

use crate::ffi::{self, lua_State};
use crate::reader::location;
use crate::state::{State, state_of};

/// Instructions between two looks at the clock and the token; what a look from elsewhere counts for.
pub(crate) const INTERVAL: c_int = 1000;
/// The same where they take long.
#[cfg(not(any(luau, lua54)))]
pub(crate) const FINE: c_int = 10;
/// Lua 5.4 visits every frame to set a hook: in a deep recursion its pace must not change.
#[cfg(lua54)]
pub(crate) const FINE: c_int = INTERVAL;
/// An interval that took so long is followed by short ones.
#[cfg(not(any(luau, lua54)))]
const SLOW: Duration = Duration::from_millis(2);
/// An interval that took no longer is followed by a longer one.
#[cfg(not(any(luau, lua54)))]
const QUICK: Duration = Duration::from_micros(200);
/// Luau's interrupt comes at each loop and call; this many instructions they count for.
#[cfg(luau)]
const LOOP: c_int = 10;

/// What a script that catches the interruption sees.
const TEXT: &std::ffi::CStr = c"script stopped";

/// Sets the hook as it is while nothing asks for an end.
///
/// # Safety
/// `lua` is live. Stack 0; neither raises nor allocates.
#[cfg(not(luau))]
pub(crate) unsafe fn arm(lua: *mut lua_State) {
    // SAFETY: by contract.
    unsafe {
        state_of(lua).pace.set((FINE, None));
        ffi::lua_sethook(lua, Some(hook), ffi::LUA_MASKCOUNT, FINE);
    }
}

/// Chooses how many instructions lie before the next look.
///
/// # Safety
/// Called in the hook. Stack 0; neither raises nor allocates.
#[cfg(not(luau))]
unsafe fn keep_pace(lua: *mut lua_State, state: &State) {
    let next = next_pace(state);
    // Each coroutine has a hook of its own, which may come from another time. Lua 5.4 visits every
    // frame to set one.
    // SAFETY: by contract.
    unsafe {
        if ffi::lua_gethookcount(lua) != next {
            ffi::lua_sethook(lua, Some(hook), ffi::LUA_MASKCOUNT, next);
        }
    }
}

/// Instructions until the next look, by what the last ones took.
#[cfg(not(any(luau, lua54)))]
fn next_pace(state: &State) -> c_int {
    let (pace, last) = state.pace.get();
    let now = Instant::now();
    let next = match last.map(|last| now.saturating_duration_since(last)) {
        Some(took) if took > SLOW => FINE,
        Some(took) if took < QUICK => INTERVAL.min(pace * 10),
        Some(_) => pace,
        None => FINE,
    };
    state.pace.set((next, Some(now)));
    next
}

/// Always the same number.
#[cfg(lua54)]
fn next_pace(_: &State) -> c_int {
    INTERVAL
}

/// Sets the interrupt as it is while nothing asks for an end: none, unless loops are counted.
///
/// # Safety
/// `lua` is live. Stack 0; neither raises nor allocates.
#[cfg(luau)]
pub(crate) unsafe fn arm(lua: *mut lua_State) {
    // SAFETY: by contract; the watching thread writes to the same place as an atomic.
    unsafe {
        let counted = state_of(lua).instructions.get() != u64::MAX;
        place(lua).store(if counted { address() } else { 0 }, Ordering::Release);
    }
}

/// Where Luau keeps the address of its interrupt.
///
/// # Safety
/// `lua` is live while the result is used.
#[cfg(luau)]
pub(crate) unsafe fn place<'a>(lua: *mut lua_State) -> &'a AtomicUsize {
    // SAFETY: by contract; the field is a function pointer that may be null.
    unsafe { AtomicUsize::from_ptr((&raw mut (*ffi::lua_callbacks(lua)).interrupt).cast()) }
}

/// The interrupt, as a number.
#[cfg(luau)]
pub(crate) fn address() -> usize {
    interrupt as *const () as usize
}

/// Prepares the counters of a new run.
pub(crate) fn begin(state: &State, began: Instant) {
    // The pace goes on from the last run, so that short scripts are not looked at all the time.
    #[cfg(not(luau))]
    state.pace.set((state.pace.get().0, Some(began)));
    #[cfg(luajit)]
    state.nesting.set(0);
    state.stopped.set(None);
    state.executed.set(0);
    state.deadline.set(state.time.get().and_then(|time| began.checked_add(time)));
}

/// # Safety
/// Called by Luau at a loop or a call, or while it collects garbage.
#[cfg(luau)]
unsafe extern "C-unwind" fn interrupt(lua: *mut lua_State, gc: c_int) {
    // SAFETY: as for the hook. While garbage is collected nothing may be raised.
    unsafe {
        if gc >= 0 {
            return;
        }
        if note(lua, LOOP) {
            ffi::lua_checkstack(lua, 1);
            end(lua);
        }
        // The run that was late is over, and this is another one.
        arm(lua);
    }
}

/// # Safety
/// Called by Lua as a hook.
#[cfg(not(luau))]
unsafe extern "C-unwind" fn hook(lua: *mut lua_State, _ar: *mut ffi::lua_Debug) {
    // SAFETY: `note` does not raise and leaves nothing to drop; the rest is the raise phase.
    unsafe {
        let state = state_of(lua);
        #[cfg(luajit)]
        if strings_near(lua, state) {
            state.stopped.set(Some(StopReason::Memory));
        }
        if note(lua, state.pace.get().0) {
            end(lua);
        }
        keep_pace(lua, state);
    }
}

/// Whether there will be as many strings before the next looks as the table of strings has places,
/// and no room for it to double: within a function of the host that must not fail
/// (`lj_str_resize`).
///
/// # Safety
/// Called in the hook. Stack 0; does not raise.
#[cfg(luajit)]
unsafe fn strings_near(lua: *mut lua_State, state: &State) -> bool {
    const FEW: usize = 1 << 13;
    // SAFETY: by contract; a hook may collect.
    unsafe {
        let (count, places) = crate::jit::strings(lua);
        let more = count.saturating_sub(state.strings.replace(count));
        let near = || {
            let (count, places) = crate::jit::strings(lua);
            count + 3 * more > places && places * 2 * size_of::<usize>() > state.room()
        };
        if places < FEW || more == 0 || !near() {
            return false;
        }
        let was = state.enforce(false);
        ffi::lua_gc(lua, ffi::LUA_GCCOLLECT, 0);
        state.enforce(was);
        near()
    }
}

/// Raises the interruption, which comes again at the next instruction.
///
/// # Safety
/// Called by Lua, in a frame that owns nothing, after [`note`] has said so; a slot is free.
pub(crate) unsafe fn end(lua: *mut lua_State) -> c_int {
    // SAFETY: by contract.
    unsafe {
        #[cfg(not(luau))]
        ffi::lua_sethook(lua, Some(hook), ffi::LUA_MASKCOUNT | ffi::LUA_MASKLINE, 1);
        #[cfg(luau)]
        place(lua).store(address(), Ordering::Release);
        ffi::lua_pushlstring(lua, TEXT.as_ptr(), TEXT.count_bytes());
        ffi::lua_error(lua)
    }
}

/// Whether somebody has stopped the run meanwhile, which a function that took long asks when it is
/// done: a thousand of its like may lie between two looks of the hook.
///
/// # Safety
/// As for [`note`].
#[inline]
pub(crate) unsafe fn told(lua: *mut lua_State, state: &State) -> bool {
    // SAFETY: by contract.
    state.stop.reason().is_some() && unsafe { note(lua, 0) }
}

/// Whether the run must end; remembers why and where. Each time counts for so many instructions.
///
/// # Safety
/// Called in a hook or in a function called by Lua. Stack 0; does not raise.
pub(crate) unsafe fn note(lua: *mut lua_State, instructions: c_int) -> bool {
    // SAFETY: called in a hook, so `lua` is live.
    let state = unsafe { state_of(lua) };
    let Some(reason) = verdict(state, instructions) else { return false };
    state.stopped.set(Some(reason));
    // SAFETY: level 0 is the function the hook interrupted.
    if let Some(at) = unsafe { location(lua, 0) }
        && let Ok(mut place) = state.stopped_at.try_borrow_mut()
    {
        place.0.clear();
        place.0.extend_from_slice(at.source);
        place.1 = at.line;
    }
    true
}

fn verdict(state: &State, instructions: c_int) -> Option<StopReason> {
    if let Some(reason) = state.stopped.get() {
        return Some(reason);
    }
    let executed = state.executed.get().saturating_add(instructions as u64);
    state.executed.set(executed);
    if let Some(reason) = state.stop.reason() {
        return Some(reason);
    }
    if executed > state.instructions.get() {
        return Some(StopReason::Instructions);
    }
    let late = state.deadline.get().is_some_and(|deadline| Instant::now() >= deadline);
    late.then_some(StopReason::Time)
}
