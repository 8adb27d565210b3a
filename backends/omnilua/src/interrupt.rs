//! Stopping a script from outside: the count hook.
//!
//! Owns the decision when a run must end and the hook that ends it. It must not know who asked.
//!
//! omniLua charges a budget of instructions at each count event, and an exhausted budget raises
//! an error that nothing catches (`sandbox.aborting`). The hook runs at the same event and merely
//! takes the budget away.

use std::rc::Rc;
use std::time::Instant;

use lua_vm::debug::{LuaDebug, set_hook};
use lua_vm::state::LuaState;
use redlua_core::{Pause, StopReason};

use crate::debug;
use crate::frame::location;
use crate::growth;
use crate::shared::Shared;

/// Instructions between two looks at the clock, the token and the memory.
const INTERVAL: i32 = 500;
/// `LUA_MASKCOUNT`.
const COUNT: i32 = 1 << 3;
/// `LUA_MASKLINE`.
const LINE: i32 = 1 << 2;
/// `LUA_HOOKLINE`.
const LINE_EVENT: i32 = 2;

/// Arms the main thread; coroutines are armed one by one.
pub(crate) fn install(state: &mut LuaState, shared: &Rc<Shared>) {
    state.install_sandbox_limits(INTERVAL, Some(u64::MAX), None);
    arm(state, shared);
}

/// Sets the hook of one thread; in a debugged run it hears of lines too.
pub(crate) fn arm(thread: &mut LuaState, shared: &Rc<Shared>) {
    let mask = if shared.debugged.get() { COUNT | LINE } else { COUNT };
    let shared = shared.clone();
    let hook = move |state: &mut LuaState, event: &LuaDebug| {
        if event.event == LINE_EVENT {
            debug::pause(state, &shared, Pause::Line);
        } else {
            look(state, &shared);
            if shared.debugged.get() {
                debug::count(state, &shared);
            }
        }
    };
    set_hook(thread, Some(Box::new(hook)), mask, INTERVAL);
}

/// Looks at the clock and the token while a script stands still and other code runs, until
/// [`unwatch`].
pub(crate) fn watch(thread: &mut LuaState, shared: &Shared) {
    let Some(shared) = shared.this.get().and_then(std::rc::Weak::upgrade) else { return };
    let hook = move |state: &mut LuaState, _: &LuaDebug| look(state, &shared);
    set_hook(thread, Some(Box::new(hook)), COUNT, INTERVAL);
}

/// Leaves the place to the hook of a debugged run.
pub(crate) fn unwatch(thread: &mut LuaState) {
    thread.set_hook(None);
    thread.set_hook_mask((COUNT | LINE) as u8);
}

/// Prepares the counters of a run that began then.
pub(crate) fn begin(state: &LuaState, shared: &Shared, began: Instant) {
    shared.stopped.set(None);
    shared.executed.set(0);
    shared.deadline.set(shared.time.get().and_then(|time| began.checked_add(time)));
    state.sandbox_reset();
    let limit = shared.limit.get();
    // Library functions ask before they make a large string.
    state.global().sandbox.mem_limit.set((limit < usize::MAX).then_some(limit));
}

/// Ends the run: the next instruction raises.
pub(crate) fn stop(state: &mut LuaState, shared: &Shared, reason: StopReason) {
    if shared.stopped.replace(Some(reason)).is_none()
        && let Some(place) = location(state, 0)
    {
        *shared.stopped_at.borrow_mut() = place;
    }
    break_off(state);
}

/// Ends the run when somebody has asked for it meanwhile, after a function that took long:
/// hundreds of its like may lie between two looks of the hook.
#[inline]
pub(crate) fn listen(state: &mut LuaState, shared: &Shared) {
    if let Some(reason) = shared.stop.reason() {
        stop(state, shared, reason);
    }
}

/// Makes the next instruction raise what nothing catches.
pub(crate) fn break_off(state: &mut LuaState) {
    {
        let global = state.global();
        global.sandbox.aborting.set(true);
        global.sandbox.instr_remaining.set(0);
    }
    state.set_hook_count(1);
}

/// Takes [`break_off`] back.
pub(crate) fn go_on(state: &mut LuaState, shared: &Shared) {
    shared.stopped.set(None);
    state.sandbox_reset();
    state.reset_hook_count();
}

/// Why a function that takes long is to end; each look counts for so many instructions.
pub(crate) fn reason(shared: &Shared) -> Option<StopReason> {
    const LOOK: u64 = 1000;
    verdict(shared, LOOK)
}

/// Why the run is to end now; a look that counts for nothing.
pub(crate) fn due(shared: &Shared) -> Option<StopReason> {
    verdict(shared, 0)
}

/// Whether the run must end after so many more instructions.
fn verdict(shared: &Shared, instructions: u64) -> Option<StopReason> {
    let executed = shared.executed.get().saturating_add(instructions);
    shared.executed.set(executed);
    let late = || shared.deadline.get().is_some_and(|deadline| Instant::now() >= deadline);
    if let Some(reason) = shared.stopped.get().or_else(|| shared.stop.reason()) {
        Some(reason)
    } else if executed > shared.instructions.get() {
        Some(StopReason::Instructions)
    } else {
        late().then_some(StopReason::Time)
    }
}

fn look(state: &mut LuaState, shared: &Shared) {
    shared.measure_stacks(state);
    let reason = verdict(shared, INTERVAL as u64).or_else(|| {
        let full = shared.over_limit(state) || growth::is_near(state, shared);
        full.then_some(StopReason::Memory)
    });
    if let Some(reason) = reason {
        stop(state, shared, reason);
    }
}

/// Why the run ends, when omniLua itself found that it must.
pub(crate) fn tripped(state: &LuaState, shared: &Shared) -> Option<StopReason> {
    shared.stopped.get().or_else(|| match state.sandbox_tripped_code() {
        lua_vm::state::SANDBOX_TRIP_MEMORY => Some(StopReason::Memory),
        lua_vm::state::SANDBOX_TRIP_INSTRUCTIONS => Some(StopReason::Time),
        _ => None,
    })
}
