//! A piccolo Lua state that may be handed from thread to thread.
//!
//! Owns one promise to the compiler, the only `unsafe` of the piccolo backend, and nothing else.
#![deny(unsafe_code)]

use gc_arena::metrics::Metrics;
use piccolo::{Context, Lua};

/// A Lua state of its own: no library loaded, and nothing outside points into it.
///
/// Made for `redlua-piccolo`, which keeps the rule that makes it sound: neither the functions it
/// puts into the state nor the values it takes out share an `Rc`, a `Cell` or a handle of the
/// collector with anything that stays behind when the state moves.
pub struct Arena(Lua);

// SAFETY: piccolo's state is a tree of objects reached from one root, with reference counts that
// are not atomic (`gc_arena::metrics::Metrics`) among them. All of it is owned by this value: the
// field is private, `enter` lends contexts whose lifetime cannot escape, and by the rule above
// nothing else holds a part of it. It uses no thread-local storage. Whoever has the value is
// therefore its only user, on whichever thread.
#[allow(unsafe_code)]
unsafe impl Send for Arena {}

impl Arena {
    /// An empty state.
    #[must_use]
    #[allow(clippy::new_without_default, reason = "a state is made on purpose")]
    pub fn new() -> Self {
        Arena(Lua::empty())
    }

    /// Runs `f` inside of the state ([`Lua::enter`]).
    pub fn enter<F, T>(&mut self, f: F) -> T
    where
        F: for<'gc> FnOnce(Context<'gc>) -> T,
    {
        self.0.enter(f)
    }

    /// Bytes that the state [takes](held) of the process.
    #[must_use]
    pub fn memory(&self) -> usize {
        held(self.0.gc_metrics())
    }

    /// Frees all that is not used any more.
    pub fn collect(&mut self) {
        self.0.gc_collect();
    }
}

/// Bytes that a state with these metrics takes of the process: the collector counts the sizes of
/// its objects, which are small, and the allocator adds about a quarter.
#[must_use]
pub fn held(metrics: &Metrics) -> usize {
    metrics.total_allocation() + metrics.total_gc_allocation() / 4
}
