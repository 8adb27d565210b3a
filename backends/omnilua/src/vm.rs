//! A [`Vm`] on omniLua.
//!
//! Owns the life of the Lua state, of its scripts and of a run. It must not know what a run is
//! for.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::time::Instant;

use corosensei::on_stack;
use corosensei::stack::DefaultStack;
use lua_gc::HeapGuard;
use lua_types::{CallInfoIdx, LuaError, LuaValue, LuaVersion, StackIdx};
use lua_vm::state::{LuaState, LuaTableRefExt};
use omnilua::{HostHooks, LuaRuntime};
use redlua_core::{
    BackendInfo, Bridge, Chunk, CompileError, Environment, Invocation, Limits, Location, Outcome,
    Passing, ScriptId, StopToken, Vm, VmError,
};

use crate::frame::{Frame, closure, set, set_field};
use crate::native::panic_text;
use crate::reader::Reader;
use crate::sandbox::{self, Globals};
use crate::shared::Shared;
use crate::{INFO, concat, debug, interrupt, load, native, protected};

/// The host stack on which Lua runs: omniLua nests 200 calls, some tens of kilobytes each, and
/// threads have 2 MiB. Pages that are never touched cost nothing.
const STACK: usize = 64 << 20;

/// Makes a Lua state with `environment` in it.
///
/// # Errors
/// No memory, or an environment that cannot be built.
pub(crate) fn create(environment: &Environment, limits: &Limits) -> Result<Box<dyn Vm>, VmError> {
    if environment.views.is_empty() {
        return Err(VmError::Environment("no view".to_owned()));
    }
    let stack = DefaultStack::new(STACK).map_err(|_| VmError::NoMemory)?;
    let unfit = |error: LuaError| VmError::Environment(error.message_lossy());
    let runtime = LuaRuntime::with_hooks_versioned(HostHooks::new(), LuaVersion::V51)
        .map_err(|error| unfit(error.into_lua_error()))?;
    let mut state = runtime.into_state();
    let heap = state.global().heap.clone();
    let _guard = HeapGuard::push(&heap);
    let shared = Rc::new(Shared::default());
    let _ = shared.this.set(Rc::downgrade(&shared));
    let globals = sandbox::build(&mut state, &shared, environment).map_err(unfit)?;
    let record = shared.clone();
    let id = environment.error_handler;
    let handler = closure(&mut state, move |state| {
        let raised = match debug::caught(state, &record) {
            Some(thrown) => thrown,
            None => protected::reworded(state, crate::frame::argument(state, 1))?,
        };
        crate::frame::set_count(state, 0);
        state.push(raised);
        native::handle(state, &record, id)
    });
    let fields = environment.error_fields;
    let read_fields = closure(&mut state, move |state| read_fields(state, fields));
    concat::install(&mut state, &shared).map_err(unfit)?;
    interrupt::install(&mut state, &shared);
    shared.collect(&mut state);
    let mut vm = OmniVm { state, shared, globals, handler, read_fields, view: 0, stack };
    vm.set_limits(limits);
    Ok(Box::new(vm))
}

pub(crate) struct OmniVm {
    state: LuaState,
    shared: Rc<Shared>,
    globals: Globals,
    /// The function every uncaught error passes through.
    handler: LuaValue,
    /// The function that copies the fields of an error table.
    read_fields: LuaValue,
    /// The view whose globals scripts see now.
    view: usize,
    stack: DefaultStack,
}

impl OmniVm {
    /// Makes scripts see the globals of `view`.
    fn activate(&mut self, view: usize) -> Result<(), LuaError> {
        let Globals { seen, views } = &self.globals;
        if self.view != view
            && let Some(world) = views.get(view)
        {
            crate::proxy::retarget(&mut self.state, &self.shared, seen, world.table, &world.order)?;
            self.view = view;
        }
        Ok(())
    }

    /// Pushes KEYS and ARGV as the invocation wants them; returns how many arguments that makes.
    fn pass(&mut self, invocation: &Invocation<'_>) -> Result<usize, LuaError> {
        match invocation.passing {
            Passing::Nothing => Ok(0),
            Passing::Arguments => {
                for list in [invocation.keys, invocation.args] {
                    let list = list_of(&mut self.state, list)?;
                    self.state.push(list);
                }
                Ok(2)
            }
            Passing::Globals => {
                if let Some(world) = self.globals.views.get(self.view) {
                    let table = world.table;
                    for (name, list) in [("KEYS", invocation.keys), ("ARGV", invocation.args)] {
                        let list = list_of(&mut self.state, list)?;
                        set_field(&mut self.state, &table, name.as_bytes(), list)?;
                    }
                }
                Ok(0)
            }
        }
    }

    /// Calls the script and leaves its result, or what the handler made of its error.
    fn call(&mut self, script: ScriptId, invocation: &Invocation<'_>) -> Result<(), LuaValue> {
        let function = {
            let scripts = self.shared.scripts.borrow();
            let key = scripts.get(script.0 as usize).copied().flatten();
            key.and_then(|key| self.state.external_rooted_value(key))
        };
        let Some(function) = function else {
            return Err(text(&mut self.state, b"no such script"));
        };
        self.state.push(self.handler);
        self.state.push(function);
        let count = match self.activate(invocation.view).and_then(|()| self.pass(invocation)) {
            Ok(count) => count,
            Err(error) => return Err(error.into_value()),
        };
        let (state, stack) = (&mut self.state, &mut self.stack);
        let result = on_stack(stack, || {
            catch_unwind(AssertUnwindSafe(|| protected::call(state, count, 1, 1)))
        });
        result.unwrap_or_else(|panic| {
            recover(&mut self.state);
            Err(text(&mut self.state, &panic_text(panic.as_ref())))
        })
    }

    /// Reports the end of a run.
    fn report(&mut self, result: Result<(), LuaValue>, bridge: &mut dyn Bridge) {
        let value = match &result {
            Ok(()) => self.state.peek_top(),
            Err(_) if interrupt::tripped(&self.state, &self.shared).is_some() => LuaValue::Nil,
            Err(raised) => self.flattened(*raised),
        };
        let stopped = interrupt::tripped(&self.state, &self.shared);
        let place = std::mem::take(&mut *self.shared.stopped_at.borrow_mut());
        let arguments = [value];
        let frame = Frame {
            state: RefCell::new(&mut self.state),
            shared: &self.shared,
            arguments: &arguments,
            below: 1,
        };
        let mut reader = Reader::new(&frame);
        bridge.finish(match (result, stopped) {
            (Ok(()), _) => Outcome::Returned(&mut reader),
            (Err(_), Some(reason)) => {
                let (source, line) = &place;
                let at = (!source.is_empty()).then_some(Location { source, line: *line });
                Outcome::Stopped { reason, at }
            }
            (Err(_), None) => Outcome::Raised(&mut reader),
        });
    }

    /// An error table with a metatable as a plain one, read through it; itself when reading
    /// fails.
    fn flattened(&mut self, raised: LuaValue) -> LuaValue {
        let LuaValue::Table(table) = &raised else { return raised };
        if !table.has_metatable() {
            return raised;
        }
        self.state.push(raised);
        self.state.push(self.read_fields);
        self.state.push(raised);
        let (state, stack) = (&mut self.state, &mut self.stack);
        let result =
            on_stack(stack, || catch_unwind(AssertUnwindSafe(|| protected::call(state, 1, 1, 0))));
        match result {
            Ok(Ok(())) => self.state.peek_top(),
            Ok(Err(_)) => raised,
            Err(_) => {
                recover(&mut self.state);
                raised
            }
        }
    }
}

impl Vm for OmniVm {
    fn info(&self) -> &'static BackendInfo {
        &INFO
    }

    fn compile(&mut self, chunk: Chunk<'_>) -> Result<ScriptId, CompileError> {
        let heap = self.state.global().heap.clone();
        let _guard = HeapGuard::push(&heap);
        // What stopped the last run does not stop this.
        self.shared.stop.clear();
        interrupt::begin(&self.state, &self.shared, Instant::now());
        let (state, shared, stack) = (&mut self.state, &self.shared, &mut self.stack);
        let mut compile = || {
            on_stack(&mut *stack, || {
                catch_unwind(AssertUnwindSafe(|| {
                    load::text(state, shared, chunk.source, chunk.name.as_bytes())
                }))
            })
        };
        let result = compile();
        let result = match result {
            Ok(result) => result,
            Err(panic) => {
                recover(&mut self.state);
                Err(load::Failed::Raised(text(&mut self.state, &panic_text(panic.as_ref()))))
            }
        };
        if interrupt::tripped(&self.state, &self.shared).is_some() {
            self.shared.stopped.set(None);
            self.state.sandbox_reset();
            return Err(CompileError::time());
        }
        match result {
            Ok(function) => {
                let pinned = self.shared.pin(&mut self.state, function);
                if self.shared.over_limit(&mut self.state) {
                    if let Some(id) = pinned {
                        self.release(id);
                    }
                    return Err(CompileError::memory());
                }
                pinned.ok_or_else(|| CompileError::syntax("too many scripts"))
            }
            Err(failed) => Err(failed.into()),
        }
    }

    fn run(&mut self, script: ScriptId, invocation: &Invocation<'_>, bridge: &mut dyn Bridge) {
        let heap = self.state.global().heap.clone();
        let _guard = HeapGuard::push(&heap);
        interrupt::begin(&self.state, &self.shared, invocation.began);
        let shared = self.shared.clone();
        if invocation.lines {
            debug::begin(&mut self.state, &shared);
        }
        let result = shared.bridge.lend(bridge, || self.call(script, invocation));
        // The caller's sink may panic: then the state is put in order first.
        let reported = catch_unwind(AssertUnwindSafe(|| self.report(result, bridge)));
        debug::end(&mut self.state, &shared);
        self.state.set_top_idx(StackIdx(1));
        self.state.clear_dead_stack_tail();
        self.shared.stopped.set(None);
        self.state.sandbox_reset();
        self.state.global_mut().set_gc_pause_param(200);
        if self.shared.used(&self.state) > self.shared.limit.get() / 2 {
            self.shared.collect(&mut self.state);
        }
        if let Err(panic) = reported {
            resume_unwind(panic);
        }
    }

    fn release(&mut self, script: ScriptId) {
        let slot =
            self.shared.scripts.borrow_mut().get_mut(script.0 as usize).and_then(Option::take);
        if let Some(key) = slot {
            self.state.external_unroot_value(key);
        }
    }

    fn memory_used(&self) -> usize {
        self.shared.used(&self.state)
    }

    fn collect(&mut self) {
        let heap = self.state.global().heap.clone();
        let _guard = HeapGuard::push(&heap);
        self.shared.collect(&mut self.state);
    }

    fn set_limits(&mut self, limits: &Limits) {
        self.shared.limit.set(limits.memory.unwrap_or(usize::MAX));
        self.shared.time.set(limits.time);
        self.shared.instructions.set(limits.instructions.unwrap_or(u64::MAX));
    }

    fn reports_lines(&self) -> bool {
        true
    }

    fn stop_token(&self) -> StopToken {
        self.shared.stop.clone()
    }
}

/// Brings the main thread back to where no call is in progress, after a panic passed through it.
fn recover(state: &mut LuaState) {
    state.ci = CallInfoIdx(0);
    state.set_top_idx(StackIdx(1));
    state.clear_dead_stack_tail();
    state.allowhook = true;
    state.status = 0;
    state.errfunc = 0;
    state.n_ccalls = 0;
    state.inc_nny();
    let main = state.global().main_thread_id;
    let mut global = state.global_mut();
    global.current_thread_id = main;
    global.suspended_parent_stacks.clear();
    global.suspended_parent_open_upvals.clear();
    global.clear_gc_stop();
}

/// A list of strings.
fn list_of(state: &mut LuaState, list: &[&[u8]]) -> Result<LuaValue, LuaError> {
    let table = state.new_table_with_sizes(list.len().min(1 << 20) as u32, 0)?;
    for (item, index) in list.iter().zip(1..) {
        let item = LuaValue::Str(state.intern_str(item)?);
        table.raw_set_int(state, index, item)?;
    }
    Ok(LuaValue::Table(table))
}

/// Copies the fields of an error table into a plain one, metatables and all.
fn read_fields(state: &mut LuaState, fields: &[&str]) -> Result<usize, LuaError> {
    let raised = crate::frame::argument(state, 1);
    let copy = state.new_table();
    state.push(LuaValue::Table(copy));
    for field in fields {
        let key = LuaValue::Str(state.intern_str(field.as_bytes())?);
        let value = state.table_get_with_tm(&raised, &key)?;
        if !value.is_nil() {
            set(state, &copy, key, value)?;
        }
    }
    Ok(1)
}

fn text(state: &mut LuaState, text: &[u8]) -> LuaValue {
    state.intern_str(text).map(LuaValue::Str).unwrap_or_default()
}
