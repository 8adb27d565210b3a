//! What the callbacks of one Lua state share.
//!
//! Owns the record that every native holds: the bridge of the run in progress, the limits, why
//! the run is being stopped, the stand-ins. It must not know what the callbacks do.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Weak;
use std::time::{Duration, Instant};

use lua_types::LuaValue;
use lua_types::gc::GcRef;
use lua_types::table::LuaTable;
use lua_vm::state::{CallInfo, ExternalRootKey, LuaCallable, LuaState, StackValue};
use redlua_core::{NativeId, ScriptId, StopReason, StopToken};

use crate::growth;
use crate::lend::BridgeSlot;
use crate::proxy::Proxy;

/// What a coroutine takes besides what the collector counts: its state, a stack of 45 values and
/// its call frames.
const THREAD: usize = 2048;
/// What an object takes besides what the collector counts: the allocator's part of its blocks, and
/// its places in the collector's set and queue while it marks.
const OBJECT: usize = 48;
/// What a short string takes in the table of strings, besides the place itself.
const STRING: usize = 64;

/// What a function of Rust takes: its place in omniLua's list, and a block for what it captures.
const FUNCTION: usize = size_of::<LuaCallable>() + 48;

/// How many places a table takes: when it is nearly full, those that will soon be made beside
/// them as well.
fn doubling(used: usize, places: usize) -> usize {
    if used > places - places / 8 { places * 3 } else { places }
}

/// The record of a Lua state.
#[derive(Default)]
pub(crate) struct Shared {
    /// This record, for functions that are made while one of them runs.
    pub(crate) this: OnceCell<Weak<Shared>>,
    /// Compiled scripts and pinned functions; a script's id is its index.
    pub(crate) scripts: RefCell<Vec<Option<ExternalRootKey>>>,
    /// The engine's side of the run in progress.
    pub(crate) bridge: BridgeSlot,
    /// Room for the results of library functions.
    pub(crate) buffer: Cell<Vec<u8>>,
    /// Stand-ins by the identity of the table that scripts see.
    pub(crate) proxies: RefCell<HashMap<usize, Proxy>>,
    /// The functions of natives that were asked for so far.
    pub(crate) natives: RefCell<HashMap<NativeId, LuaValue>>,
    /// What the sandbox fixes once.
    pub(crate) fixed: OnceCell<Fixed>,
    /// What the stacks of coroutines took when they were last looked at, and the looks since.
    pub(crate) stacks: Cell<usize>,
    pub(crate) looks: Cell<usize>,
    /// The table that may be about to grow.
    pub(crate) seen: growth::Seen,
    /// Whether a coroutine was ever made.
    pub(crate) coroutines: Cell<bool>,
    /// Bytes allowed; `usize::MAX` for no limit.
    pub(crate) limit: Cell<usize>,
    /// Wall-clock allowance of a run.
    pub(crate) time: Cell<Option<Duration>>,
    /// When the run in progress must end.
    pub(crate) deadline: Cell<Option<Instant>>,
    /// Instructions a run may execute; `u64::MAX` for no limit.
    pub(crate) instructions: Cell<u64>,
    /// Instructions the run in progress has executed, in steps of the hook's interval.
    pub(crate) executed: Cell<u64>,
    /// What another thread trips.
    pub(crate) stop: StopToken,
    /// Whether the run in progress is debugged.
    pub(crate) debugged: Cell<bool>,
    /// Whether the bridge hears of lines now: not while it looks at the stack.
    pub(crate) reporting: Cell<bool>,
    /// Intervals of the count hook that a debugged run has lasted.
    pub(crate) ticks: Cell<u32>,
    /// What the bridge raised at a line, until somebody catches it.
    pub(crate) thrown: Cell<Option<ExternalRootKey>>,
    /// Why the run in progress is being stopped.
    pub(crate) stopped: Cell<Option<StopReason>>,
    /// Chunk name and line at which it was interrupted.
    pub(crate) stopped_at: RefCell<(Vec<u8>, i64)>,
}

/// Values that every script of the state shares; all rooted.
pub(crate) struct Fixed {
    /// `next` as scripts see it.
    pub(crate) next: LuaValue,
    /// What `getmetatable` answers for strings.
    pub(crate) string_metatable: LuaValue,
    /// What stands for the null pointer: omniLua names a light userdata otherwise in messages.
    pub(crate) null: LuaValue,
    /// The message of a refused write.
    pub(crate) readonly_message: &'static str,
    /// The field `pcall` returns in place of an error table.
    pub(crate) unwrap_field: &'static str,
    /// The message handler of `pcall`.
    pub(crate) reword: LuaValue,
    /// The handler of `xpcall`, to be completed with the script's own as an upvalue.
    pub(crate) guarded_handler: usize,
    /// What `coroutine.wrap` returns, to be completed with the coroutine as an upvalue.
    pub(crate) wrapped: usize,
}

impl Shared {
    /// Bytes that the Lua state takes of the process.
    pub(crate) fn used(&self, state: &LuaState) -> usize {
        let global = state.global();
        let counted = global.total_bytes() + global.heap.allgc_count() * OBJECT;
        let strings = &global.interned_lt;
        let places = doubling(strings.len(), strings.bucket_count());
        let names = strings.len() * STRING + places * size_of::<Vec<LuaValue>>();
        let natives = self.natives.try_borrow().map_or(0, |natives| {
            doubling(natives.len(), natives.capacity()) * size_of::<(NativeId, LuaValue)>()
        });
        let functions = natives + global.c_functions.len() * FUNCTION;
        let threads = (global.threads.len() * THREAD).max(self.stacks.get());
        counted + names + functions + threads
    }

    /// Looks, now and then, how far the stacks of coroutines have grown, which nobody counts. The
    /// more there are the less often, so that a look at all takes no more than many at one.
    pub(crate) fn measure_stacks(&self, state: &LuaState) {
        let threads = &state.global().threads;
        let looks = self.looks.get() + 1;
        self.looks.set(looks);
        if looks * 16 >= threads.len() {
            self.sum_stacks(state);
        }
    }

    fn sum_stacks(&self, state: &LuaState) {
        let threads = &state.global().threads;
        self.looks.set(0);
        // Those that run are few.
        let stacks = threads.values().filter_map(|entry| entry.state.try_borrow().ok());
        let bytes = stacks.map(|thread| {
            thread.stack.capacity() * size_of::<StackValue>()
                + thread.call_info.capacity() * size_of::<CallInfo>()
        });
        self.stacks.set(bytes.sum::<usize>() + threads.len() * (THREAD / 2));
    }

    /// Whether more is held than allowed, even after a collection. Everything in use must be
    /// reachable.
    pub(crate) fn over_limit(&self, state: &mut LuaState) -> bool {
        let limit = self.limit.get();
        if self.used(state) <= limit {
            return false;
        }
        self.collect(state);
        // So close to the limit every look would collect again.
        self.used(state) > limit - limit / 16
    }

    /// A full collection.
    pub(crate) fn collect(&self, state: &mut LuaState) {
        state.gc_clear_dead_stack_tails();
        state.gc().full_collect();
        self.sum_stacks(state);
    }

    /// Bytes that may still be taken.
    pub(crate) fn room(&self, state: &LuaState) -> usize {
        self.limit.get().saturating_sub(self.used(state))
    }

    /// Keeps a function alive under an id.
    pub(crate) fn pin(&self, state: &mut LuaState, function: LuaValue) -> Option<ScriptId> {
        let key = state.external_root_value(function);
        let mut scripts = self.scripts.borrow_mut();
        let index = match scripts.iter().position(Option::is_none) {
            Some(free) => free,
            None => {
                scripts.push(None);
                scripts.len() - 1
            }
        };
        *scripts.get_mut(index)? = Some(key);
        u32::try_from(index).ok().map(ScriptId)
    }

    /// Runs `f` on the stand-in whose table scripts see as `table`.
    #[inline]
    pub(crate) fn proxy<R>(
        &self,
        table: &GcRef<LuaTable>,
        f: impl FnOnce(&Proxy) -> R,
    ) -> Option<R> {
        if !table.has_metatable() {
            return None;
        }
        self.proxies.borrow().get(&table.identity()).map(f)
    }

    /// The table behind a stand-in, or the table itself.
    #[inline]
    pub(crate) fn resolve(&self, table: GcRef<LuaTable>) -> GcRef<LuaTable> {
        self.proxy(&table, |proxy| proxy.real).unwrap_or(table)
    }
}
