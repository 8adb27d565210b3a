//! Lua 5.1's library functions that are written in Rust, on omniLua.
//!
//! Owns the driving of a [`Task`] from step to step. It must not know any function.
//!
//! Between two steps, when Lua code may run and collect, the values that the function works on
//! lie on the Lua stack.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use lua_types::closure::LuaClosure;
use lua_types::{LuaError, LuaValue, StackIdx};
use lua_vm::state::LuaState;
use redlua_conversions::lualib::{Budget, Context, Function, Task, gmatch_next};
use redlua_core::{Step, StopReason};

use crate::frame::{
    Frame, Values, arguments, closure, no_memory, register, results, with_upvalues,
};
use crate::native::raised;
use crate::reader::{Reader, number};
use crate::shared::Shared;
use crate::writer::Writer;
use crate::{base, interrupt};

/// The largest string, as for C Lua in Redis.
const LONGEST: usize = (1 << 31) - 1;

/// The function of that name, when it is one of those written in Rust.
pub(crate) fn named(
    state: &mut LuaState,
    shared: &Rc<Shared>,
    library: &str,
    name: &str,
) -> Option<LuaValue> {
    if library == "string" && matches!(name, "gmatch" | "gfind") {
        let (record, next) = (shared.clone(), shared.clone());
        let next = register(state, move |state| gmatch_step(state, &next));
        return Some(closure(state, move |state| gmatch(state, &record, next)));
    }
    // omniLua's own are as good and need no cursor.
    if matches!((library, name), ("", "next" | "type" | "unpack") | ("string", "dump")) {
        return None;
    }
    let function = Function::named(library, name)?;
    let record = shared.clone();
    Some(closure(state, move |state| run(state, &record, function)))
}

/// What the buffer may keep between calls.
const KEPT: usize = 1 << 20;

/// What a function may take: looks at the clock and the token, remembers that time is over.
struct Watch<'a> {
    shared: &'a Shared,
    room: usize,
    reason: Cell<Option<StopReason>>,
}

impl<'a> Watch<'a> {
    fn new(state: &LuaState, shared: &'a Shared) -> Self {
        Watch { shared, room: (shared.room(state) / 2).min(LONGEST), reason: Cell::new(None) }
    }
}

impl Budget for Watch<'_> {
    fn interrupted(&mut self) -> bool {
        let reason = interrupt::reason(self.shared);
        self.reason.set(reason);
        reason.is_some()
    }

    fn room(&self) -> usize {
        self.room
    }
}

fn run(state: &mut LuaState, shared: &Shared, function: Function) -> Result<usize, LuaError> {
    state.gc_check_step();
    let arguments = arguments(state);
    let mut task = Task::new(function);
    let mut buffer = shared.buffer.take();
    buffer.clear();
    let result = drive(state, shared, &arguments, &mut task, &mut buffer);
    interrupt::listen(state, shared);
    // Nobody counts it, and what was made of it is in Lua's memory now.
    if buffer.capacity() > KEPT {
        buffer = Vec::new();
    }
    shared.buffer.set(buffer);
    result
}

fn drive(
    state: &mut LuaState,
    shared: &Shared,
    arguments: &[LuaValue],
    task: &mut Task,
    buffer: &mut Vec<u8>,
) -> Result<usize, LuaError> {
    let mut values = Values::new();
    loop {
        let mut watch = Watch::new(state, shared);
        let result = {
            let frame = Frame { state: RefCell::new(&mut *state), shared, arguments, below: 0 };
            let mut args = Reader::new(&frame);
            let mut work = Writer::on(&frame, values);
            let mut context = Context { buffer: &mut *buffer, budget: &mut watch };
            let result = task.resume(&mut args, &mut work, &mut context);
            values = work.into_values();
            result
        };
        if let Some(reason) = watch.reason.get() {
            interrupt::stop(state, shared, reason);
        }
        let step = match result {
            Ok(Step::Return { results: count }) => {
                let first = values.len().saturating_sub(count);
                let count = results(state, values.get(first..).unwrap_or_default())?;
                return if shared.over_limit(state) { Err(no_memory()) } else { Ok(count) };
            }
            Ok(step) => step,
            Err(raise) => return Err(raised(state, raise, values.last())),
        };
        // A call or metamethod may collect: what is worked on must be where it is seen.
        let base = state.top_idx();
        results(state, &values)?;
        take(state, shared, step, &mut values, arguments)?;
        state.set_top_idx(base);
    }
}

/// Does what a step asks for; `values` are on top of the stack as well.
fn take(
    state: &mut LuaState,
    shared: &Shared,
    step: Step,
    values: &mut Values,
    arguments: &[LuaValue],
) -> Result<(), LuaError> {
    let value = |index: usize| values.get(index).copied().unwrap_or_default();
    match step {
        Step::Call { arguments: count } => {
            lua_vm::api::call_k(state, count as i32, 1, 0, None)?;
            let result = state.peek_top();
            values.truncate(values.len().saturating_sub(count + 1));
            values.push(result);
        }
        Step::Less { left, right } => {
            let less = state.less_than(&value(left), &value(right))?;
            values.push(LuaValue::Bool(less));
        }
        Step::Index { table } => {
            let key = values.pop().unwrap_or_default();
            let table = arguments.get(table).copied().unwrap_or_default();
            values.push(state.table_get_with_tm(&table, &key)?);
        }
        Step::Next { table } => {
            let key = values.pop().unwrap_or_default();
            let pair = match arguments.get(table) {
                Some(LuaValue::Table(table)) => base::next_pair(shared, table, &key)?,
                _ => None,
            };
            match pair {
                Some((key, value)) => values.extend([key, value]),
                None => values.push(LuaValue::Nil),
            }
        }
        Step::Return { .. } => {}
    }
    Ok(())
}

/// `string.gmatch`: a function with the two strings and the position as its upvalues.
fn gmatch(state: &mut LuaState, shared: &Shared, next: usize) -> Result<usize, LuaError> {
    let arguments = arguments(state);
    let checked = {
        let frame =
            Frame { state: RefCell::new(&mut *state), shared, arguments: &arguments, below: 0 };
        Function::gmatch(&mut Reader::new(&frame)).map(|_| ())
    };
    if let Err(raise) = checked {
        return Err(raised(state, raise, None));
    }
    let mut upvalues = vec![LuaValue::Nil; 2];
    for (upvalue, argument) in upvalues.iter_mut().zip(&arguments) {
        *upvalue = match argument {
            LuaValue::Int(_) | LuaValue::Float(_) => {
                let text = redlua_conversions::number::g14(number(argument));
                LuaValue::Str(state.intern_str(&text)?)
            }
            other => *other,
        };
    }
    upvalues.push(LuaValue::Int(0));
    let function = with_upvalues(next, upvalues);
    state.push(function);
    Ok(1)
}

/// What `gmatch` returned.
fn gmatch_step(state: &mut LuaState, shared: &Shared) -> Result<usize, LuaError> {
    state.gc_check_step();
    let LuaValue::Function(LuaClosure::C(function)) =
        state.get_at(StackIdx(state.current_call_info().func.0))
    else {
        return Ok(0);
    };
    let (source, pattern, mut position) = match function.upvalues.borrow().as_slice() {
        [LuaValue::Str(source), LuaValue::Str(pattern), LuaValue::Int(position)] => {
            (*source, *pattern, *position as usize)
        }
        _ => return Ok(0),
    };
    let mut watch = Watch::new(state, shared);
    let (result, values) = {
        let frame = Frame { state: RefCell::new(&mut *state), shared, arguments: &[], below: 0 };
        let mut work = Writer::on(&frame, Values::new());
        let (source, pattern) = (source.as_bytes(), pattern.as_bytes());
        let result = gmatch_next(source, pattern, &mut position, &mut work, &mut watch);
        (result, work.into_values())
    };
    if let Some(reason) = watch.reason.get() {
        interrupt::stop(state, shared, reason);
    }
    if let Err(raise) = result {
        return Err(raised(state, raise, values.last()));
    }
    if let Some(upvalue) = function.upvalues.borrow_mut().get_mut(2) {
        *upvalue = LuaValue::Int(position as i64);
    }
    if values.is_empty() {
        state.push(LuaValue::Nil);
        return Ok(1);
    }
    results(state, &values)
}
