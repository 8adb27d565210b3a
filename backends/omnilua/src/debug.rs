//! Reporting every line of a script to the bridge, and what the bridge sees of the call stack.
//!
//! Owns what happens at a line and the [`Frame`](redlua_core::Frame) that it hands out. It must
//! not know what a debugger does.
//!
//! omniLua's hooks cannot raise. What the bridge wants to be raised is kept in `thrown`, the run is
//! stopped, and whoever catches that takes the value in its place.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::{Duration, Instant};

use lua_types::{LuaError, LuaValue};
use lua_vm::debug::{LuaDebug, get_info, get_local, get_stack};
use lua_vm::state::LuaState;
use redlua_core::{
    Bridge, Chunk, CompileError, Evaluation, Flow, Level, Pause, StopReason, ValueReader,
};

use crate::frame::{Frame, Values};
use crate::native::panic_text;
use crate::reader::Reader;
use crate::shared::Shared;
use crate::writer::Writer;
use crate::{interrupt, load, protected};

/// How many intervals of the count hook make a [`Pause::Tick`].
const TICK: u32 = 200;

/// Begins a debugged run.
pub(crate) fn begin(state: &mut LuaState, shared: &Rc<Shared>) {
    shared.ticks.set(0);
    shared.debugged.set(true);
    shared.reporting.set(true);
    interrupt::arm(state, shared);
}

/// Ends it.
pub(crate) fn end(state: &mut LuaState, shared: &Rc<Shared>) {
    if let Some(key) = shared.thrown.take() {
        state.external_unroot_value(key);
    }
    shared.reporting.set(false);
    if shared.debugged.replace(false) {
        interrupt::arm(state, shared);
    }
}

/// An interval of the count hook has passed.
pub(crate) fn count(state: &mut LuaState, shared: &Shared) {
    let ticks = shared.ticks.get().wrapping_add(1);
    shared.ticks.set(ticks);
    if ticks.is_multiple_of(TICK) {
        pause(state, shared, Pause::Tick);
    }
}

/// Shows the bridge a script that stands still.
pub(crate) fn pause(state: &mut LuaState, shared: &Shared, why: Pause) {
    if !shared.reporting.replace(false) {
        return;
    }
    // What passes while the script stands still is not its time.
    let left = shared.deadline.take().map(|end| end.saturating_duration_since(Instant::now()));
    let (flow, values) = {
        let frame = Frame { state: RefCell::new(&mut *state), shared, arguments: &[], below: 0 };
        let mut stack = Stack { frame: &frame, debug: LuaDebug::default() };
        let mut out = Writer::on(&frame, Values::new());
        let flow = shared.bridge.with(|bridge| {
            catch_unwind(AssertUnwindSafe(|| bridge.line(why, &mut stack, &mut out)))
        });
        (flow, out.into_values())
    };
    let raised = match flow {
        Some(Ok(Flow::Raise)) => Some(values.last().copied().unwrap_or_default()),
        Some(Err(panic)) => {
            let text = state.intern_str(&panic_text(panic.as_ref()));
            Some(text.map(LuaValue::Str).unwrap_or_default())
        }
        Some(Ok(Flow::Return)) | None => None,
    };
    shared.deadline.set(left.and_then(|left| Instant::now().checked_add(left)));
    shared.reporting.set(true);
    if let Some(raised) = raised {
        let key = state.external_root_value(raised);
        if let Some(old) = shared.thrown.replace(Some(key)) {
            state.external_unroot_value(old);
        }
        interrupt::break_off(state);
    }
}

/// The value that the bridge has raised, for who catches the end of the run instead: it goes on.
pub(crate) fn caught(state: &mut LuaState, shared: &Shared) -> Option<LuaValue> {
    let key = shared.thrown.take()?;
    let value = state.external_rooted_value(key).unwrap_or_default();
    state.external_unroot_value(key);
    interrupt::go_on(state, shared);
    Some(value)
}

/// The call stack of a thread that stands in a hook.
struct Stack<'a> {
    frame: &'a Frame<'a>,
    /// The level last asked for.
    debug: LuaDebug,
}

impl redlua_core::Frame for Stack<'_> {
    fn level(&mut self, level: usize) -> Option<Level<'_>> {
        let mut state = self.frame.state.borrow_mut();
        self.debug = LuaDebug::default();
        if !get_stack(&state, i32::try_from(level).ok()?, &mut self.debug)
            || !get_info(&mut state, b"Snl", &mut self.debug)
        {
            return None;
        }
        let source = self.debug.short_src.split(|byte| *byte == 0).next().unwrap_or_default();
        Some(Level {
            source,
            line: i64::from(self.debug.currentline),
            name: self.debug.name.as_deref().filter(|name| !name.is_empty()),
        })
    }

    fn local(
        &mut self,
        level: usize,
        index: usize,
        visit: &mut dyn FnMut(&[u8], &mut dyn ValueReader),
    ) -> bool {
        let (Ok(level), Ok(index)) = (i32::try_from(level), i32::try_from(index)) else {
            return false;
        };
        let mut state = self.frame.state.borrow_mut();
        let mut debug = LuaDebug::default();
        if !get_stack(&state, level, &mut debug) {
            return false;
        }
        let Some(name) = get_local(&mut state, Some(&debug), index) else { return false };
        let value = state.pop();
        show(&mut state, self.frame.shared, value, |reader| visit(&name, reader));
        true
    }

    fn global(&mut self, name: &[u8], visit: &mut dyn FnMut(&mut dyn ValueReader)) {
        let mut state = self.frame.state.borrow_mut();
        let globals = state.global().globals;
        show(&mut state, self.frame.shared, globals, |reader| {
            reader.enter_field(name);
            visit(reader);
        });
    }

    fn evaluate(
        &mut self,
        chunk: Chunk<'_>,
        limit: Duration,
        bridge: &mut dyn Bridge,
        visit: &mut dyn FnMut(Evaluation<'_>),
    ) {
        let (mut state, shared) = (self.frame.state.borrow_mut(), self.frame.shared);
        let state: &mut LuaState = &mut state;
        let top = state.top_idx();
        let Some(record) = shared.this.get().and_then(std::rc::Weak::upgrade) else { return };
        match load::text(state, &record, chunk.source, chunk.name.as_bytes()) {
            Err(failed) => {
                visit(Evaluation::Refused(&CompileError::from(failed).message));
            }
            Ok(function) => {
                let result = call(state, shared, function, limit, bridge);
                match result {
                    None => visit(Evaluation::Late),
                    Some(Ok(value)) => {
                        show(state, shared, value, |value| visit(Evaluation::Returned(value)));
                    }
                    Some(Err(value)) => {
                        show(state, shared, value, |value| visit(Evaluation::Raised(value)));
                    }
                }
            }
        }
        state.set_top_idx(top);
    }
}

/// Puts a cursor on a value.
fn show(
    state: &mut LuaState,
    shared: &Shared,
    value: LuaValue,
    visit: impl FnOnce(&mut dyn ValueReader),
) {
    let arguments = [value];
    let frame = Frame { state: RefCell::new(state), shared, arguments: &arguments, below: 0 };
    visit(&mut Reader::new(&frame));
}

/// Calls a function for at most `limit`; `None` when the time was over. The hook that stands still
/// was taken away by omniLua and comes back when it returns; meanwhile there is another.
fn call(
    state: &mut LuaState,
    shared: &Shared,
    function: LuaValue,
    limit: Duration,
    bridge: &mut dyn Bridge,
) -> Option<Result<LuaValue, LuaValue>> {
    shared.deadline.set(Instant::now().checked_add(limit));
    interrupt::watch(state, shared);
    state.allowhook = true;
    let result = shared.bridge.lend(bridge, || {
        state.push(function);
        let call = || protected::call(state, 0, 1, 0);
        match catch_unwind(AssertUnwindSafe(call)) {
            Ok(Ok(())) => Ok(state.pop()),
            Ok(Err(raised)) => Err(raised),
            Err(panic) => {
                let text = state.intern_str(&panic_text(panic.as_ref()));
                Err(text.map(LuaValue::Str).unwrap_or_default())
            }
        }
    });
    state.allowhook = false;
    shared.deadline.set(None);
    let stopped = interrupt::tripped(state, shared);
    interrupt::unwatch(state);
    if stopped == Some(StopReason::Time) {
        // It was this code that ran out of time, not the script.
        interrupt::go_on(state, shared);
        return None;
    }
    Some(match result {
        Ok(value) => Ok(value),
        Err(LuaValue::Str(text)) => match protected::reworded(state, LuaValue::Str(text)) {
            Ok(value) => Err(value),
            Err(error) => Err(LuaError::into_value(error)),
        },
        Err(value) => Err(value),
    })
}
