//! What Rust keeps for each Lua state, and the allocator that counts its memory.
//!
//! The record hangs on the allocator's user data pointer, so that every C function finds it
//! from any coroutine without a table look-up. It must not know what the functions do.

use std::alloc::{self, Layout};
use std::cell::{Cell, RefCell};
use std::ffi::{c_int, c_void};
use std::ptr::{self, NonNull};
use std::time::{Duration, Instant};

use redlua_core::{Bridge, StopReason, StopToken};

use crate::ffi::{self, lua_State};
use crate::layout;
use crate::pool::{self, Pool};

/// What Lua says when memory is out.
pub(crate) const NO_MEMORY: &[u8] = b"not enough memory";
/// Blocks of that size may be there twice while they grow.
const LARGE: usize = 1 << 20;
/// What the system's allocator adds to a block.
const ADDED: usize = 16;
/// Alignment of what `malloc` returns on 64-bit platforms; Lua asks for no more.
const ALIGN: usize = pool::UNIT;

/// Everything a running Lua state needs from Rust. Shared by reference with C callbacks that may
/// nest, hence the cells.
pub(crate) struct State {
    /// The engine's side of the run in progress.
    pub(crate) bridge: Cell<Option<NonNull<dyn Bridge>>>,
    /// Bytes allocated.
    used: Cell<usize>,
    /// What the blocks that are not in the pool take.
    large: Cell<usize>,
    /// Where small blocks come from.
    pool: Pool,
    /// Bytes allowed; `usize::MAX` for no limit.
    pub(crate) limit: Cell<usize>,
    /// Whether the limit applies now: only while Lua code itself runs.
    enforced: Cell<bool>,
    /// Whether memory was refused since the last collection.
    refused: Cell<bool>,
    /// Whether the system's memory went beyond what may be taken, where nothing could be refused.
    overfull: Cell<bool>,
    /// Wall-clock allowance of a run.
    pub(crate) time: Cell<Option<Duration>>,
    /// When the run in progress must end.
    pub(crate) deadline: Cell<Option<Instant>>,
    /// Instructions a run may execute; `u64::MAX` for no limit.
    pub(crate) instructions: Cell<u64>,
    /// Instructions the run in progress has executed, in steps of the hook's interval.
    pub(crate) executed: Cell<u64>,
    /// Instructions until the next look, and when the last one was.
    #[cfg(not(luau))]
    pub(crate) pace: Cell<(c_int, Option<Instant>)>,
    /// What another thread trips.
    pub(crate) stop: StopToken,
    /// Why the run in progress is being stopped.
    pub(crate) stopped: Cell<Option<StopReason>>,
    /// Chunk name and line at which it was last interrupted.
    pub(crate) stopped_at: RefCell<(Vec<u8>, i64)>,
    /// Whether the bridge hears of lines now: in a debugged run, while it does not look at the
    /// stack.
    pub(crate) reporting: Cell<bool>,
    /// Intervals of the count hook that a debugged run has lasted; on Luau single steps.
    pub(crate) ticks: Cell<u32>,
    /// Room for calls with many arguments, kept between calls.
    pub(crate) spare: Cell<crate::call::Spare>,
    /// Where the functions of Lua's library put their results together.
    pub(crate) scratch: RefCell<crate::scratch::Scratch>,
    /// The orders of tables that are walked otherwise than by the engine.
    #[cfg(any(luajit, lua54))]
    pub(crate) orders: crate::walk::Orders,
    /// What compiles texts.
    #[cfg(luau)]
    pub(crate) compiler: crate::compiler::Compiler,
    /// Where a debugged run is.
    #[cfg(luau)]
    pub(crate) trail: RefCell<crate::step::Trail>,
    /// Strings at the last look of the hook.
    #[cfg(luajit)]
    pub(crate) strings: Cell<usize>,
    /// Calls from C into Lua that are inside one another now.
    #[cfg(luajit)]
    pub(crate) nesting: Cell<u32>,
    /// Whether the script changed the collector's parameters.
    pub(crate) collector_tuned: Cell<bool>,
    /// Registry reference of the function every uncaught error passes through.
    pub(crate) handler: Cell<c_int>,
    /// The fields of an error table to be read through its metatable.
    pub(crate) error_fields: Cell<&'static [&'static str]>,
    /// The field `pcall` returns in place of an error table.
    pub(crate) unwrap_field: Cell<&'static str>,
}

impl State {
    pub(crate) fn new(stop: StopToken) -> Self {
        State {
            bridge: Cell::new(None),
            used: Cell::new(0),
            large: Cell::new(0),
            pool: Pool::default(),
            limit: Cell::new(usize::MAX),
            enforced: Cell::new(false),
            refused: Cell::new(false),
            overfull: Cell::new(false),
            time: Cell::new(None),
            deadline: Cell::new(None),
            instructions: Cell::new(u64::MAX),
            executed: Cell::new(0),
            #[cfg(not(luau))]
            pace: Cell::new((crate::interrupt::FINE, None)),
            stop,
            stopped: Cell::new(None),
            stopped_at: RefCell::new((Vec::new(), -1)),
            reporting: Cell::new(false),
            ticks: Cell::new(0),
            spare: Cell::new(crate::call::Spare::default()),
            scratch: RefCell::default(),
            #[cfg(any(luajit, lua54))]
            orders: crate::walk::Orders::default(),
            #[cfg(luau)]
            compiler: crate::compiler::Compiler::default(),
            #[cfg(luau)]
            trail: RefCell::default(),
            #[cfg(luajit)]
            strings: Cell::new(0),
            #[cfg(luajit)]
            nesting: Cell::new(0),
            collector_tuned: Cell::new(false),
            handler: Cell::new(ffi::LUA_NOREF),
            error_fields: Cell::new(&[]),
            unwrap_field: Cell::new(""),
        }
    }

    /// Bytes the Lua state holds.
    pub(crate) fn used(&self) -> usize {
        self.used.get()
    }

    /// Whether more is allocated than allowed (possible after a native ran).
    pub(crate) fn over_limit(&self) -> bool {
        self.used.get() > self.limit.get() || self.overfull.get() && self.is_overfull()
    }

    #[cold]
    fn is_overfull(&self) -> bool {
        self.pool.reclaim();
        self.overfull.set(self.crowded(0));
        self.overfull.get()
    }

    /// Bytes that may be allocated yet.
    pub(crate) fn room(&self) -> usize {
        self.limit.get().saturating_sub(self.used.get())
    }

    /// Whether what the last run left should be collected before the next: it was refused memory
    /// or left much of it taken, and Lua 5.1 does not collect before it gives up.
    pub(crate) fn starved(&self) -> bool {
        self.refused.replace(false) || self.used.get() > self.limit.get() / 2
    }

    /// A block of `size` bytes, small ones from the pool.
    #[inline]
    fn allocate(&self, size: usize) -> *mut u8 {
        if size <= pool::LARGEST {
            let block = self.pool.allocate(size);
            return if block.is_null() { self.refill(size) } else { block };
        }
        // SAFETY: the size is not zero and below isize::MAX.
        let block = unsafe { alloc::alloc(Layout::from_size_align_unchecked(size, ALIGN)) };
        if !block.is_null() {
            self.large.set(self.large.get() + size + ADDED);
        }
        block
    }

    /// Whether `more` bytes of the system would be more than the limit and a thirty-second of
    /// it: blocks that are not from the pool leave holes between them that nobody counts, and the
    /// process may grow by the limit and a tenth. The parts of Lua 5.4's functions leave more of
    /// them: a sixteenth less than the limit there.
    fn crowded(&self, more: usize) -> bool {
        let limit = self.limit.get();
        let most = if cfg!(lua54) { limit - limit / 16 } else { limit.saturating_add(limit / 32) };
        self.large.get().saturating_add(self.pool.held()).saturating_add(more) > most
    }

    /// Whether a block that is not from the pool may become larger, as far as the system's memory
    /// goes: small blocks that are free serve no large one.
    #[inline]
    fn may_grow(&self, old: usize, new: usize) -> bool {
        if new <= pool::LARGEST || new <= old || !self.crowded(new - old) {
            return true;
        }
        self.pool.reclaim();
        !self.crowded(new - old)
    }

    /// A small block when the pool has none. The pool may not hold much more than is allocated
    /// from it either, or blocks of all sizes in turn would take a multiple of the limit.
    #[cold]
    fn refill(&self, size: usize) -> *mut u8 {
        if self.crowded(pool::CHUNK) {
            self.pool.reclaim();
            if self.crowded(pool::CHUNK) {
                if self.enforced.get() {
                    self.refused.set(true);
                    return ptr::null_mut();
                }
                self.overfull.set(true);
            }
        }
        if self.pool.grow() { self.pool.allocate(size) } else { ptr::null_mut() }
    }

    /// # Safety
    /// `block` came from `allocate` or `resize` with that size and is not used any more.
    #[inline]
    unsafe fn release(&self, block: *mut u8, size: usize) {
        // SAFETY: by contract.
        unsafe {
            if size <= pool::LARGEST {
                self.pool.release(block, size);
            } else {
                self.large.set(self.large.get() - size - ADDED);
                alloc::dealloc(block, Layout::from_size_align_unchecked(size, ALIGN));
            }
        }
    }

    /// A block of at least `new` bytes with the contents of `block`, which is released; `block`
    /// stays as it is when the result is null.
    ///
    /// # Safety
    /// `block` came from here with `old` bytes, or `old` is 0; `new` is not 0 and below
    /// isize::MAX.
    #[inline]
    unsafe fn resize(&self, block: *mut u8, old: usize, new: usize) -> *mut u8 {
        if old == 0 {
            return self.allocate(new);
        }
        // SAFETY: by contract; blocks of the same class are as large as the class.
        unsafe {
            if old > pool::LARGEST && new > pool::LARGEST {
                let layout = Layout::from_size_align_unchecked(old, ALIGN);
                let block = alloc::realloc(block, layout, new);
                if !block.is_null() {
                    self.large.set(self.large.get() - old + new);
                }
                return block;
            }
            if old.max(new) <= pool::LARGEST && old.div_ceil(ALIGN) == new.div_ceil(ALIGN) {
                return block;
            }
            // Shrinking must not fail, whatever the limit is.
            let was = self.enforce(self.enforced.get() && new > old);
            let moved = self.allocate(new);
            self.enforce(was);
            if moved.is_null() {
                // The block stays, larger than it counts for.
                return if new <= old { block } else { moved };
            }
            ptr::copy_nonoverlapping(block, moved, old.min(new));
            self.release(block, old);
            moved
        }
    }

    /// Empties the scratch between runs.
    pub(crate) fn clear_scratch(&self) {
        if let Ok(mut scratch) = self.scratch.try_borrow_mut() {
            scratch.clear();
        }
    }

    /// Switches the memory limit on or off and returns what it was.
    pub(crate) fn enforce(&self, on: bool) -> bool {
        self.enforced.replace(on)
    }
}

/// The record of a Lua state.
///
/// # Safety
/// `lua` is a live state made by [`new_state`]. Stack: 0. Neither raises nor allocates.
#[inline]
pub(crate) unsafe fn state_of<'a>(lua: *mut lua_State) -> &'a State {
    // SAFETY: the state is live; its allocator's user data is the `State` given to `new_state`,
    // which outlives it.
    unsafe { &*layout::user_data(lua).cast::<State>() }
}

/// Pushes a text with the memory limit switched off, because the caller may not be protected.
///
/// # Safety
/// `lua` is live and a slot is free. Stack +1. Does not raise.
pub(crate) unsafe fn push_unlimited(lua: *mut lua_State, text: &[u8]) {
    // SAFETY: by contract; a push fails for lack of memory only.
    unsafe {
        let state = state_of(lua);
        let was = state.enforce(false);
        ffi::lua_pushlstring(lua, text.as_ptr().cast(), text.len());
        state.enforce(was);
    }
}

/// Makes a Lua state whose memory is counted in `state`; null when there is no memory.
///
/// # Safety
/// `state` stays where it is until the Lua state is closed.
pub(crate) unsafe fn new_state(state: *const State) -> *mut lua_State {
    // SAFETY: `allocate` fulfils the contract of lua_Alloc.
    unsafe { ffi::lua_newstate(allocate, state.cast_mut().cast()) }
}

/// `lua_Alloc`: Rust's global allocator, counted and limited. Shrinking never fails.
unsafe extern "C" fn allocate(
    ud: *mut c_void,
    block: *mut c_void,
    old_size: usize,
    new_size: usize,
) -> *mut c_void {
    // SAFETY: `ud` is the `State` of this Lua state, alive until after lua_close.
    let state = unsafe { &*ud.cast::<State>() };
    let old_size = if block.is_null() { 0 } else { old_size };
    if new_size == 0 {
        if !block.is_null() && old_size != 0 {
            state.used.set(state.used.get() - old_size);
            // SAFETY: the block was allocated below with this size.
            unsafe { state.release(block.cast(), old_size) };
        }
        return ptr::null_mut();
    }
    let used = state.used.get() - old_size + new_size;
    // While a large block is copied it is there twice.
    let most = if old_size >= LARGE { used + old_size } else { used };
    if state.enforced.get()
        && new_size > old_size
        && (most > state.limit.get() || !state.may_grow(old_size, new_size))
    {
        state.refused.set(true);
        return ptr::null_mut();
    }
    if new_size > isize::MAX as usize - ALIGN {
        return ptr::null_mut();
    }
    // SAFETY: a non-null block was allocated here with `old_size`.
    let new = unsafe { state.resize(block.cast(), old_size, new_size) };
    if !new.is_null() {
        state.used.set(used);
    }
    new.cast()
}

/// Shows a Lua state with nothing in it, whose memory is not limited.
#[cfg(all(test, any(lua51, luajit)))]
pub(crate) fn in_state(show: impl FnOnce(*mut lua_State)) {
    let state = State::new(StopToken::default());
    // SAFETY: the record outlives the Lua state, which is closed once.
    unsafe {
        let lua = new_state(&raw const state);
        assert!(!lua.is_null());
        show(lua);
        ffi::lua_close(lua);
    }
}
