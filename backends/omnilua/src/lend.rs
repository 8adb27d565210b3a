//! The two promises that safe Rust cannot express here, and all `unsafe` of this crate.
//!
//! Owns the lending of a bridge to callbacks that must be `'static`, and the claim that a whole
//! Lua state may move to another thread. It must not know what either is for.
#![allow(unsafe_code, reason = "see each block")]

use std::cell::Cell;
use std::ptr::NonNull;

use redlua_core::Bridge;

use crate::vm::OmniVm;

/// A place that holds a borrowed bridge while a closure runs.
#[derive(Default)]
pub(crate) struct BridgeSlot(Cell<Option<NonNull<dyn Bridge>>>);

impl BridgeSlot {
    /// Lends `bridge` to [`with`](Self::with) while `f` runs.
    pub(crate) fn lend<R>(&self, bridge: &mut dyn Bridge, f: impl FnOnce() -> R) -> R {
        // SAFETY: only the lifetime changes. The pointer leaves the slot before this function
        // returns or unwinds, and `bridge` stays exclusively borrowed until then.
        let erased = unsafe {
            std::mem::transmute::<NonNull<dyn Bridge + '_>, NonNull<dyn Bridge + 'static>>(
                NonNull::from(bridge),
            )
        };
        let _back = Restore { slot: &self.0, value: self.0.replace(Some(erased)) };
        f()
    }

    /// Runs `f` with the bridge that is lent now; `None` when none is, or when it is in use.
    pub(crate) fn with<R>(&self, f: impl FnOnce(&mut dyn Bridge) -> R) -> Option<R> {
        let mut bridge = self.0.take()?;
        let _back = Restore { slot: &self.0, value: Some(bridge) };
        // SAFETY: `lend` is running further up this thread's stack (the slot is not `Sync`), so
        // the bridge is alive; it was taken out of the slot, so nobody else uses it meanwhile.
        Some(f(unsafe { bridge.as_mut() }))
    }
}

/// Puts a value back into a slot, also when a panic passes.
struct Restore<'a> {
    slot: &'a Cell<Option<NonNull<dyn Bridge>>>,
    value: Option<NonNull<dyn Bridge>>,
}

impl Drop for Restore<'_> {
    fn drop(&mut self) {
        self.slot.set(self.value);
    }
}

// SAFETY: the `Rc`s and collected objects of a Lua state point only at one another and at what
// `OmniVm` owns; none is handed out (`Vm` gives out numbers and an atomic token, readers and
// writers end with the call they belong to). omniLua keeps thread-local state only while one of
// its functions runs: the stack of active heaps, which is balanced when `&mut OmniVm` is free
// again. So the graph moves as a whole, and one thread at a time uses it.
unsafe impl Send for OmniVm {}
