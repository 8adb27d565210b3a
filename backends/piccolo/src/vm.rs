//! A [`Vm`] on piccolo.
//!
//! Owns the life of the state, of its scripts and of a run, and the limits of a run: the machine
//! runs for a while, then the host looks at the clock, the token and the memory. It must not know
//! what a run is for.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use piccolo::closure::UpValueState;
use piccolo::{Context, Executor, Fuel, Function, Table, Value, Variadic};
use redlua_core::{
    BackendInfo, Bridge, Chunk, CompileError, Environment, Invocation, Limits, Location, Outcome,
    Passing, Raise, ScriptId, StopReason, StopToken, Vm, VmError,
};
use redlua_piccolo_arena::Arena;

use crate::machine::{Caller, M};
use crate::native::BRIDGE;
use crate::protect::value_of;
use crate::reader::{Reader, pin};
use crate::sandbox::{self, Root, root};
use crate::writer::Writer;
use crate::{load, tables};

/// Fuel between two looks at the clock; about half a millisecond.
const SLICE: i32 = 8192;

/// Makes a state with `environment` in it.
///
/// # Errors
/// An environment that cannot be built.
pub(crate) fn create(
    info: &'static BackendInfo,
    environment: &Environment,
    limits: &Limits,
) -> Result<Box<dyn Vm>, VmError> {
    let mut arena = Arena::new();
    let stop = StopToken::default();
    arena.enter(|ctx| sandbox::build(ctx, environment, stop.clone()))?;
    let mut vm = Piccolo { arena, info, stop, limits: limits.clone() };
    vm.set_limits(limits);
    Ok(Box::new(vm))
}

struct Piccolo {
    arena: Arena,
    info: &'static BackendInfo,
    stop: StopToken,
    limits: Limits,
}

/// How the machine came to a halt.
enum Halt {
    Returned,
    Raised,
    Stopped(StopReason),
}

impl Piccolo {
    /// Runs inside of the state.
    fn enter<T>(&mut self, f: impl for<'gc> FnOnce(Root<'gc>, Context<'gc>) -> T) -> Option<T> {
        self.arena.enter(|ctx| root(ctx).map(|root| f(root, ctx)))
    }

    /// Runs what the executor has been given until it is done or must stop.
    fn drive(&mut self, bridge: &mut dyn Bridge) -> Halt {
        let memory = self.limits.memory.unwrap_or(usize::MAX);
        loop {
            let slice = catch_unwind(AssertUnwindSafe(|| {
                BRIDGE.set(&mut *bridge, || self.enter(|root, ctx| slice(root.m, ctx)))
            }));
            let done = match slice {
                Ok(Some(done)) => done,
                Ok(None) => return Halt::Raised,
                Err(_) => {
                    // A fault of piccolo's: what it was doing is given up.
                    self.enter(|root, ctx| {
                        root.m.executor.set(&ctx, Executor::new(ctx));
                        let text = b"internal error: the Lua machine failed";
                        root.m.outcome.set(&ctx, tables::string(ctx, text));
                    });
                    return Halt::Raised;
                }
            };
            if done {
                return Halt::Returned;
            }
            // A table that grows takes what it will not keep.
            let wanting = self.enter(|root, _| root.m.run.wanting.take()).unwrap_or(0);
            let more = wanting.saturating_sub(memory / 16);
            if self.arena.memory().saturating_add(more) > memory {
                self.arena.collect();
                if self.arena.memory().saturating_add(more) > memory {
                    return Halt::Stopped(StopReason::Memory);
                }
            }
            let verdict = self.enter(|root, _| root.m.run.verdict());
            if let Some(Some(reason)) = verdict {
                return Halt::Stopped(reason);
            }
        }
    }

    /// Prepares the counters of a run that began then.
    fn begin(&mut self, began: Instant) {
        let limits = self.limits.clone();
        // Natives that ask for room cannot collect what the last run has left.
        if limits.memory.is_some_and(|most| self.arena.memory() > most / 2) {
            self.arena.collect();
        }
        self.enter(|Root { m, .. }, ctx| {
            let run = &m.run;
            run.deadline.set(limits.time.and_then(|time| began.checked_add(time)));
            run.memory.set(limits.memory.unwrap_or(usize::MAX));
            run.wanting.set(0);
            run.fuel.set(limits.instructions.unwrap_or(u64::MAX));
            run.calls.set(1);
            run.barrier.set(0);
            run.protected.set(0);
            run.most_calls.set(limits.depth.max(2));
            run.buffer.borrow_mut().clear();
            run.raised.replace((Vec::new(), -1));
            m.caller.set(&ctx, None);
            m.depth.set(&ctx, UpValueState::Closed(Value::Integer(0)));
        });
    }

    /// Gives the executor the script; `false` when there is none of that name.
    fn start(&mut self, script: ScriptId, invocation: &Invocation<'_>) -> bool {
        let started = self.enter(|root, ctx| {
            let m = root.m;
            let place = usize::try_from(script.0).unwrap_or(usize::MAX);
            let function = m.functions.borrow().get(place).copied().flatten();
            let (Some(function), Some(view)) = (function, root.views.get(invocation.view)) else {
                return false;
            };
            m.globals.set(&ctx, UpValueState::Closed((*view).into()));
            if let Function::Closure(closure) = function {
                m.caller.set(&ctx, Some(Caller::of_function(closure)));
            }
            let list = |items: &[&[u8]]| -> Value<'_> { list(m, ctx, items).into() };
            let (keys, args) = match invocation.passing {
                Passing::Nothing => (None, None),
                _ => (Some(list(invocation.keys)), Some(list(invocation.args))),
            };
            match invocation.passing {
                Passing::Globals => {
                    for (name, value) in [("KEYS", keys), ("ARGV", args)] {
                        let key = tables::string(ctx, name.as_bytes());
                        let _ = view.set_value(&ctx, key, value.unwrap_or_default());
                    }
                    m.executor.get().restart(ctx, function, ());
                }
                _ => {
                    let given: Vec<Value<'_>> = [keys, args].into_iter().flatten().collect();
                    m.executor.get().restart(ctx, function, Variadic(given));
                }
            }
            true
        });
        started.unwrap_or(false)
    }

    /// Passes the error through the handler; whether it is then a table whose metatable must be
    /// asked.
    fn handle(&mut self, bridge: &mut dyn Bridge) -> bool {
        let handled = self.enter(|root, ctx| {
            let m = root.m;
            let value = handler_result(m, ctx, bridge, m.outcome.get());
            let asks = match value {
                Value::Table(table) => tables::metatable(m, table).is_some(),
                _ => false,
            };
            m.outcome.set(&ctx, value);
            if asks && let Value::Function(flatten) = root.flatten {
                m.run.calls.set(1);
                m.executor.get().restart(ctx, flatten, value);
            }
            asks
        });
        handled.unwrap_or(false)
    }

    /// Reports a stop.
    fn stopped(&mut self, reason: StopReason, bridge: &mut dyn Bridge) {
        let at = self.enter(|root, ctx| {
            root.m.executor.get().stop(&ctx);
            let caller = root.m.caller.get()?;
            Some((caller.chunk.as_bytes().to_vec(), caller.line()))
        });
        let at = at.flatten();
        let at = at.as_ref().map(|(source, line)| Location { source, line: *line });
        bridge.finish(Outcome::Stopped { reason, at });
    }

    /// The script raised an error that nothing caught.
    fn raised(&mut self, bridge: &mut dyn Bridge) {
        if self.handle(bridge) {
            match self.drive(bridge) {
                Halt::Returned | Halt::Raised => {
                    self.enter(|root, ctx| {
                        let result = root.m.executor.get().take_result::<Value<'_>>(ctx);
                        if let Ok(Ok(value)) = result {
                            root.m.outcome.set(&ctx, value);
                        }
                    });
                }
                Halt::Stopped(reason) => return self.stopped(reason, bridge),
            }
        }
        self.enter(|root, ctx| {
            let value = [root.m.outcome.get()];
            bridge.finish(Outcome::Raised(&mut Reader::new(root.m, ctx, &value, None)));
            root.m.outcome.set(&ctx, Value::Nil);
        });
    }
}

/// Runs the executor for a while; whether it is done.
fn slice<'gc>(m: M<'gc>, ctx: Context<'gc>) -> bool {
    let left = i32::try_from(m.run.fuel.get()).unwrap_or(i32::MAX);
    let mut fuel = Fuel::with(SLICE.min(left).max(1));
    let given = fuel.remaining();
    let done = m.executor.get().step(ctx, &mut fuel);
    let used = u64::try_from(given.saturating_sub(fuel.remaining())).unwrap_or(0);
    m.run.spend(used);
    done
}

fn list<'gc>(m: M<'gc>, ctx: Context<'gc>, items: &[&[u8]]) -> Table<'gc> {
    let table = tables::create(m, ctx, items.len(), 0);
    for (item, index) in items.iter().zip(1..) {
        // A number is a valid key.
        let key = Value::Number(f64::from(index));
        let _ = table.set_value(&ctx, key, tables::string(ctx, item));
    }
    table
}

/// What the handler of uncaught errors makes of a value; the value itself when it fails.
pub(crate) fn handler_result<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    bridge: &mut dyn Bridge,
    value: Value<'gc>,
) -> Value<'gc> {
    let raised = m.run.raised.take();
    let args = [value];
    let mut reader = Reader::new(m, ctx, &args, None);
    reader.place((!raised.0.is_empty()).then_some(raised));
    let mut writer = Writer::new(m, ctx, &args);
    let result =
        catch_unwind(AssertUnwindSafe(|| bridge.native(m.run.handler, &mut reader, &mut writer)));
    match result {
        Ok(Ok(()) | Err(Raise::Value)) => writer.values.last().copied().unwrap_or(value),
        Ok(Err(Raise::Message(text) | Raise::Text(text))) => tables::string(ctx, &text),
        Ok(Err(Raise::Argument { message, .. })) => tables::string(ctx, &message),
        Err(_) => value,
    }
}

impl Vm for Piccolo {
    fn info(&self) -> &'static BackendInfo {
        self.info
    }

    fn compile(&mut self, chunk: Chunk<'_>) -> Result<ScriptId, CompileError> {
        // What stopped the last run does not stop this.
        self.stop.clear();
        self.begin(Instant::now());
        let compiled = self.enter(|root, ctx| {
            root.m.run.calls.set(0);
            let closure = load::compile(root.m, ctx, chunk.source, chunk.name.as_bytes())?;
            pin(root.m, ctx, Function::Closure(closure)).ok_or_else(|| CompileError::syntax(""))
        });
        compiled.unwrap_or_else(|| Err(CompileError::syntax("")))
    }

    fn run(&mut self, script: ScriptId, invocation: &Invocation<'_>, bridge: &mut dyn Bridge) {
        self.begin(invocation.began);
        if !self.start(script, invocation) {
            self.enter(|root, ctx| {
                let text = [tables::string(ctx, b"no such script")];
                bridge.finish(Outcome::Raised(&mut Reader::new(root.m, ctx, &text, None)));
            });
            return;
        }
        match self.drive(bridge) {
            Halt::Stopped(reason) => self.stopped(reason, bridge),
            Halt::Raised => self.raised(bridge),
            Halt::Returned => {
                let returned = self.enter(|root, ctx| {
                    let m = root.m;
                    let executor = m.executor.get();
                    match executor.take_result::<Variadic<Vec<Value<'_>>>>(ctx) {
                        Ok(Ok(values)) => {
                            let first: Vec<Value<'_>> = values.into_iter().take(1).collect();
                            // Lua's host asks for one result.
                            let first = [first.first().copied().unwrap_or_default()];
                            let mut reader = Reader::new(m, ctx, &first, None);
                            // The handler of errors lies below the result.
                            reader.hold(1);
                            bridge.finish(Outcome::Returned(&mut reader));
                            true
                        }
                        Ok(Err(error)) => {
                            m.outcome.set(&ctx, value_of(ctx, error));
                            false
                        }
                        Err(_) => false,
                    }
                });
                if returned != Some(true) {
                    self.raised(bridge);
                }
            }
        }
    }

    fn release(&mut self, script: ScriptId) {
        self.enter(|root, ctx| {
            let place = usize::try_from(script.0).unwrap_or(usize::MAX);
            if let Some(function) = root.m.functions.borrow_mut(&ctx).get_mut(place) {
                *function = None;
            }
        });
    }

    fn memory_used(&self) -> usize {
        self.arena.memory()
    }

    fn collect(&mut self) {
        self.arena.collect();
    }

    fn set_limits(&mut self, limits: &Limits) {
        self.limits = limits.clone();
    }

    fn stop_token(&self) -> StopToken {
        self.stop.clone()
    }
}
