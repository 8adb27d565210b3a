//! A [`Vm`] on a C Lua.
//!
//! Owns the life of the Lua state, of its scripts and of a run. It must not know what a run is
//! for.

#[cfg(lua51)]
use std::ffi::c_void;
use std::ffi::{CString, c_int};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr::NonNull;
#[cfg(luau)]
use std::sync::Arc;
use std::time::Instant;

use redlua_core::{
    Arguments, BackendInfo, Bridge, Chunk, CompileError, Environment, Invocation, Limits, Location,
    Outcome, Passing, ScriptId, StopToken, Vm, VmError,
};

#[cfg(not(lua51))]
use crate::chunk::load_text;
#[cfg(not(luau))]
use crate::debug;
use crate::ffi::{self, lua_State};
use crate::interrupt;
use crate::layout;
use crate::look::string_at;
use crate::native;
use crate::reader::StackReader;
use crate::sandbox::{self, Globals, set_top};
#[cfg(lua51)]
use crate::source::load_text;
use crate::state::{State, new_state, state_of};
#[cfg(luau)]
use crate::watch::Watch;

/// Makes a Lua state with `environment` in it.
///
/// # Errors
/// No memory, or an environment that cannot be built.
pub fn create(
    info: &'static BackendInfo,
    environment: &Environment,
    limits: &Limits,
) -> Result<Box<dyn Vm>, VmError> {
    let mut vm = state(info, environment)?;
    vm.set_limits(limits);
    Ok(Box::new(vm))
}

/// The same with LuaJIT's compiler on while neither time nor instructions are limited. Compiled
/// loops look at no hook: then nothing stops a script, not even a [`StopToken`].
///
/// # Errors
/// As for [`create`].
#[cfg(luajit)]
pub fn create_compiling(
    info: &'static BackendInfo,
    environment: &Environment,
    limits: &Limits,
) -> Result<Box<dyn Vm>, VmError> {
    let mut vm = state(info, environment)?;
    vm.compiles = true;
    vm.set_limits(limits);
    Ok(Box::new(vm))
}

/// A Lua state with `environment` in it and no limits yet.
fn state(info: &'static BackendInfo, environment: &Environment) -> Result<CVm, VmError> {
    let state = Box::new(State::new(StopToken::default()));
    state.error_fields.set(environment.error_fields);
    state.unwrap_field.set(environment.unwrap_field);
    // SAFETY: the box is kept until the Lua state is closed and is never moved out of.
    let lua = unsafe { new_state(&raw const *state) };
    if lua.is_null() {
        return Err(VmError::NoMemory);
    }
    // From here on dropping `vm` closes the state.
    let mut vm = CVm {
        lua,
        state,
        info,
        globals: Globals {
            seen: ffi::LUA_NOREF,
            views: Vec::new(),
            #[cfg(any(lua51, luajit))]
            direct: None,
        },
        view: 0,
        // SAFETY: the state is live.
        #[cfg(lua51)]
        registry: unsafe { ffi::lua_topointer(lua, ffi::LUA_REGISTRYINDEX) },
        #[cfg(luau)]
        watch: None,
        #[cfg(luajit)]
        compiles: false,
    };
    // SAFETY: a fresh state, memory not limited.
    unsafe {
        layout::explore(lua);
        #[cfg(lua51)]
        crate::code::explore(lua);
        #[cfg(luajit)]
        {
            crate::jit::explore(lua);
            crate::code::explore(lua);
        }
        vm.globals = sandbox::build(lua, environment)?;
        // Lua makes the text of an error in the handler of errors outside of any protection, where
        // want of memory ends the process. It finds this one.
        ffi::lua_pushlstring(lua, c"error in error handling".as_ptr(), 23);
        ffi::luaL_ref(lua, ffi::LUA_REGISTRYINDEX);
        native::push_handler(lua, environment.error_handler);
        vm.state.handler.set(ffi::luaL_ref(lua, ffi::LUA_REGISTRYINDEX));
        interrupt::arm(lua);
        #[cfg(luau)]
        {
            if !crate::watch::works() {
                return Err(VmError::Environment("no thread to watch the clock".to_owned()));
            }
            let token = vm.state.stop.clone();
            let (place, interrupt) = (interrupt::place(lua), interrupt::address());
            vm.watch = Some(Watch::new(token, place, interrupt));
        }
    }
    Ok(vm)
}

struct CVm {
    lua: *mut lua_State,
    state: Box<State>,
    info: &'static BackendInfo,
    globals: Globals,
    /// The view whose globals scripts see now.
    view: usize,
    /// The registry, which stays where it is.
    #[cfg(lua51)]
    registry: *const c_void,
    /// Whether LuaJIT's compiler may be on when no limit needs the interpreter.
    #[cfg(luajit)]
    compiles: bool,
    /// Who stops a run that is late.
    #[cfg(luau)]
    watch: Option<Arc<Watch>>,
}

// SAFETY: the Lua state is owned by this value alone and uses no thread-local storage; whoever
// holds `&mut CVm` is its only user. What is shared with other threads is the StopToken, which
// is atomic.
unsafe impl Send for CVm {}

impl Drop for CVm {
    fn drop(&mut self) {
        self.state.enforce(false);
        #[cfg(luau)]
        if let Some(watch) = &self.watch {
            watch.end();
        }
        // SAFETY: the state was made by `new_state` and is closed once; no finalizer of a script
        // exists (Lua 5.1 has them for userdata only, and scripts cannot make any).
        unsafe { ffi::lua_close(self.lua) };
    }
}

impl CVm {
    /// Pushes what `luaL_ref` made that reference of; nil when there is nothing.
    ///
    /// # Safety
    /// A slot is free. Stack +1. Does not raise.
    unsafe fn push_reference(&self, reference: c_int) {
        // SAFETY: by contract; the registry is a table.
        unsafe {
            #[cfg(lua51)]
            if layout::is_known()
                && layout::push_element_of(self.lua, self.registry, reference.into())
            {
                return;
            }
            ffi::lua_rawgeti(self.lua, ffi::LUA_REGISTRYINDEX, reference);
        }
    }

    /// Pushes the globals' target for `view` when another one is active.
    ///
    /// # Safety
    /// Stack 0; memory is not limited.
    unsafe fn activate(&mut self, view: usize) {
        let Some(&table) = self.globals.views.get(view) else { return };
        if self.view != view {
            // SAFETY: both references were made by `sandbox::build`.
            unsafe {
                ffi::lua_rawgeti(self.lua, ffi::LUA_REGISTRYINDEX, self.globals.seen);
                let seen = ffi::lua_gettop(self.lua);
                ffi::lua_rawgeti(self.lua, ffi::LUA_REGISTRYINDEX, table);
                crate::proxy::retarget(self.lua, seen);
                ffi::lua_settop(self.lua, seen - 1);
            }
            self.view = view;
        }
    }

    /// Pushes KEYS and ARGV as the invocation wants them; returns how many arguments that makes.
    ///
    /// # Safety
    /// 5 slots are free; memory is not limited.
    unsafe fn pass(&mut self, invocation: &Invocation<'_>) -> c_int {
        // SAFETY: by contract; the view's reference is valid.
        unsafe {
            match invocation.passing {
                Passing::Nothing => 0,
                Passing::Arguments => {
                    push_list(self.lua, invocation.keys);
                    push_list(self.lua, invocation.args);
                    2
                }
                Passing::Globals => {
                    #[cfg(any(lua51, luajit))]
                    if let Some(direct) = &self.globals.direct {
                        direct.set_words(self.lua, [invocation.keys, invocation.args]);
                        return 0;
                    }
                    let Some(&table) = self.globals.views.get(self.view) else { return 0 };
                    ffi::lua_rawgeti(self.lua, ffi::LUA_REGISTRYINDEX, table);
                    let table = ffi::lua_gettop(self.lua);
                    push_list(self.lua, invocation.keys);
                    set_top(self.lua, table, "KEYS");
                    push_list(self.lua, invocation.args);
                    set_top(self.lua, table, "ARGV");
                    ffi::lua_settop(self.lua, table - 1);
                    0
                }
            }
        }
    }

    /// Reports the end of a run whose status and result are given.
    ///
    /// # Safety
    /// The result is on top of the stack; memory is not limited.
    unsafe fn report(&mut self, status: c_int, bridge: &mut dyn Bridge) {
        // SAFETY: by contract.
        unsafe {
            if status == 0 {
                let top = ffi::lua_gettop(self.lua);
                // In place: it is some hundred bytes long.
                let mut reader = StackReader::unplaced(self.lua, top, 1);
                reader.select(0);
                bridge.finish(Outcome::Returned(&mut reader));
                return;
            }
            if let Some(reason) = self.state.stopped.get() {
                let (source, line) = mem::take(&mut *self.state.stopped_at.borrow_mut());
                let at = (!source.is_empty()).then_some(Location { source: &source, line });
                bridge.finish(Outcome::Stopped { reason, at });
                return;
            }
            if ffi::lua_type(self.lua, -1) == ffi::LUA_TTABLE
                && ffi::lua_getmetatable(self.lua, -1) != 0
            {
                ffi::lua_settop(self.lua, -2);
                self.flatten_error();
            }
            let top = ffi::lua_gettop(self.lua);
            bridge.finish(Outcome::Raised(&mut StackReader::new(self.lua, top, 1)));
        }
    }

    /// Replaces the error table on top by a plain one, read through its metatable; keeps it when
    /// reading fails.
    ///
    /// # Safety
    /// A table is on top of the stack; 3 slots are free.
    unsafe fn flatten_error(&mut self) {
        // SAFETY: by contract; whatever the metatable does happens in a protected call.
        unsafe {
            ffi::lua_pushcclosure(self.lua, read_fields, 0);
            ffi::lua_pushvalue(self.lua, -2);
            self.state.enforce(true);
            let status = ffi::lua_pcall(self.lua, 1, 1, 0);
            self.state.enforce(false);
            if status == 0 {
                ffi::lua_replace(self.lua, -2);
            } else {
                ffi::lua_settop(self.lua, -2);
            }
        }
    }
}

impl Vm for CVm {
    fn info(&self) -> &'static BackendInfo {
        self.info
    }

    fn compile(&mut self, chunk: Chunk<'_>) -> Result<ScriptId, CompileError> {
        let name = CString::new(chunk.name).unwrap_or_default();
        // What stopped the last run does not stop this.
        self.state.stop.clear();
        interrupt::begin(&self.state, Instant::now());
        self.state.enforce(true);
        // SAFETY: source and name outlive the call, which is protected inside Lua; the stack is
        // empty before and after.
        unsafe {
            let source = chunk.source;
            let (bytes, len) = (source.as_ptr().cast(), source.len());
            let mut status = load_text(self.lua, bytes, len, name.as_ptr());
            self.state.enforce(false);
            if status == ffi::LUA_ERRMEM {
                // What is garbage may be room enough.
                ffi::lua_settop(self.lua, 0);
                self.collect();
                self.state.enforce(true);
                status = load_text(self.lua, bytes, len, name.as_ptr());
                self.state.enforce(false);
            }
            if self.state.stopped.get().is_some() {
                ffi::lua_settop(self.lua, 0);
                return Err(CompileError::time());
            }
            if status == 0 {
                #[cfg(any(lua51, luajit))]
                if let (Some(direct), 1) = (&self.globals.direct, self.globals.views.len()) {
                    direct.adopt(self.lua);
                }
                let reference = ffi::luaL_ref(self.lua, ffi::LUA_REGISTRYINDEX);
                if let Ok(id) = u32::try_from(reference) {
                    return Ok(ScriptId(id));
                }
            }
            #[cfg(not(lua51))]
            crate::wording::reword_at(self.lua, -1);
            let message = if ffi::lua_type(self.lua, -1) == ffi::LUA_TSTRING {
                string_at(self.lua, -1).to_vec()
            } else {
                Vec::new()
            };
            ffi::lua_settop(self.lua, 0);
            match status {
                ffi::LUA_ERRMEM => Err(CompileError::memory()),
                _ => Err(CompileError::syntax(message)),
            }
        }
    }

    fn run(&mut self, script: ScriptId, invocation: &Invocation<'_>, bridge: &mut dyn Bridge) {
        interrupt::begin(&self.state, invocation.began);
        #[cfg(luau)]
        if let Some(watch) = &self.watch {
            watch.begin(self.state.deadline.get());
        }
        // SAFETY: the bridge is used by callbacks only while this function runs; the pointer is
        // taken back before it returns.
        let erased = unsafe {
            mem::transmute::<NonNull<dyn Bridge + '_>, NonNull<dyn Bridge + 'static>>(
                NonNull::from(&mut *bridge),
            )
        };
        self.state.bridge.set(Some(erased));
        // SAFETY: the stack is empty; registry references are checked to hold a function.
        let status = unsafe {
            let handler = self.state.handler.get();
            self.push_reference(handler);
            let id = c_int::try_from(script.0).unwrap_or(ffi::LUA_NOREF);
            self.push_reference(id);
            if ffi::lua_type(self.lua, -1) == ffi::LUA_TFUNCTION && id != handler {
                self.activate(invocation.view);
                // A chunk may have given itself another `_ENV`.
                #[cfg(lua54)]
                {
                    ffi::lua_rawgeti(self.lua, ffi::LUA_REGISTRYINDEX, self.globals.seen);
                    ffi::reset_environment(self.lua, -2);
                }
                // In another view its chunk may have seen other globals.
                #[cfg(any(lua51, luajit))]
                if let (Some(direct), 2.., 0) =
                    (&self.globals.direct, self.globals.views.len(), invocation.view)
                {
                    direct.lend(self.lua);
                }
                let count = self.pass(invocation);
                if invocation.lines {
                    #[cfg(not(luau))]
                    debug::arm(self.lua);
                    #[cfg(luau)]
                    crate::step::arm(self.lua);
                }
                self.state.enforce(true);
                ffi::lua_pcall(self.lua, count, 1, 1)
            } else {
                ffi::lua_settop(self.lua, 0);
                ffi::lua_pushlstring(self.lua, c"no such script".as_ptr(), 14);
                ffi::LUA_ERRRUN
            }
        };
        self.state.enforce(false);
        // SAFETY: the result is on top.
        let reported = unsafe {
            // The caller's sink may panic: then the state is put in order first.
            let reported = catch_unwind(AssertUnwindSafe(|| self.report(status, bridge)));
            // Reading an error table may have run Lua, too.
            #[cfg(luau)]
            if let Some(watch) = &self.watch {
                watch.done();
            }
            self.state.bridge.set(None);
            self.state.clear_scratch();
            #[cfg(any(luajit, lua54))]
            crate::walk::forget(self.lua, &self.state);
            ffi::lua_settop(self.lua, 0);
            #[cfg(luau)]
            crate::step::disarm(self.lua);
            if self.state.reporting.take() | self.state.stopped.get().is_some() {
                interrupt::arm(self.lua);
            }
            if self.state.collector_tuned.replace(false) && !cfg!(luau) {
                ffi::lua_gc(self.lua, ffi::LUA_GCSETPAUSE, 200);
                ffi::lua_gc(self.lua, ffi::LUA_GCSETSTEPMUL, 200);
            }
            reported
        };
        if self.state.starved() {
            self.collect();
        }
        if let Err(panic) = reported {
            resume_unwind(panic);
        }
    }

    fn release(&mut self, script: ScriptId) {
        if let Ok(id) = c_int::try_from(script.0)
            && id != self.state.handler.get()
        {
            // SAFETY: frees a reference; unknown ones are ignored by Lua's free list only
            // when they were made by luaL_ref, which every ScriptId of this VM was.
            unsafe { ffi::luaL_unref(self.lua, ffi::LUA_REGISTRYINDEX, id) };
        }
    }

    fn memory_used(&self) -> usize {
        self.state.used()
    }

    fn collect(&mut self) {
        // SAFETY: no run is in progress.
        unsafe { ffi::lua_gc(self.lua, ffi::LUA_GCCOLLECT, 0) };
    }

    fn set_limits(&mut self, limits: &Limits) {
        self.state.limit.set(limits.memory.unwrap_or(usize::MAX));
        self.state.time.set(limits.time);
        self.state.instructions.set(limits.instructions.unwrap_or(u64::MAX));
        #[cfg(luau)]
        // SAFETY: no run is in progress.
        unsafe {
            interrupt::arm(self.lua);
        }
        #[cfg(luajit)]
        // SAFETY: no run is in progress.
        unsafe {
            let limited = limits.time.is_some() || limits.instructions.is_some();
            ffi::set_compiler(self.lua, self.compiles && !limited);
        }
    }

    fn stop_token(&self) -> StopToken {
        self.state.stop.clone()
    }

    fn reports_lines(&self) -> bool {
        true
    }
}

/// Pushes a list of strings.
///
/// # Safety
/// 3 slots are free; memory is not limited. Stack +1.
pub(crate) unsafe fn push_list(lua: *mut lua_State, list: &[&[u8]]) {
    // SAFETY: by contract.
    unsafe {
        ffi::lua_createtable(lua, list.len().min(1 << 20) as c_int, 0);
        set_elements(lua, list);
    }
}

/// Makes these strings the elements of the table on top of the stack.
///
/// # Safety
/// As said; 2 slots are free; memory is not limited. Stack 0.
pub(crate) unsafe fn set_elements(lua: *mut lua_State, list: &[&[u8]]) {
    // SAFETY: by contract.
    unsafe {
        for (item, index) in list.iter().zip(1..) {
            ffi::lua_pushlstring(lua, item.as_ptr().cast(), item.len());
            if !layout::is_known() || !layout::set_element(lua, index) {
                ffi::lua_rawseti(lua, -2, index);
            }
        }
    }
}

/// Copies the fields of an error table into a plain one, metatables and all.
///
/// # Safety
/// Called by Lua with the table as its argument.
unsafe extern "C-unwind" fn read_fields(lua: *mut lua_State) -> c_int {
    // SAFETY: nothing here needs dropping, so the accesses may raise.
    unsafe {
        ffi::lua_createtable(lua, 0, 4);
        for field in state_of(lua).error_fields.get() {
            ffi::lua_pushlstring(lua, field.as_ptr().cast(), field.len());
            ffi::lua_pushvalue(lua, -1);
            ffi::lua_gettable(lua, 1);
            ffi::lua_rawset(lua, 2);
        }
        1
    }
}
