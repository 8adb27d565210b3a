//! The functions of Lua's library, which take steps.
//!
//! Owns the driving of a [`Task`]: what it asks for happens as calls of piccolo's machine, so
//! that no step takes the host's stack. It must not know any function.

use gc_arena::Collect;
use piccolo::{
    Callback, CallbackReturn, Context, Error, Execution, Function, Sequence, SequencePoll, Stack,
    Value,
};
use redlua_conversions::lualib::{self, Budget, Task};
use redlua_core::Step;
use redlua_piccolo_arena::held;

use crate::frontend::Name;
use crate::machine::{Answer, Caller, M, call_then};
use crate::meta::{self, Outcome};
use crate::reader::Reader;
use crate::writer::Writer;
use crate::{native, tables};

/// What the buffer may keep between calls.
const KEPT: usize = 1 << 20;

/// The function of the host that runs a function of the library.
pub(crate) fn function<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    function: lualib::Function,
    read_only: bool,
) -> Value<'gc> {
    let run = move |m: &M<'gc>, ctx, exec: Execution<'gc, '_>, stack: Stack<'gc, '_>| {
        if read_only {
            refuse_insert(*m, ctx, &exec, &stack)?;
        }
        run(*m, ctx, exec, stack, Task::new(function))
    };
    Callback::from_fn_with(&ctx, m, run).into()
}

/// `table.insert` on a read-only table, once its arguments are right.
fn refuse_insert<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    exec: &Execution<'gc, '_>,
    stack: &Stack<'gc, '_>,
) -> Result<(), Error<'gc>> {
    let count = stack.len();
    let valid = count == 2 || count == 3 && crate::value::to_number(stack.get(1)).is_some();
    match stack.get(0) {
        Value::Table(table) if valid && tables::shown(m, table).is_some() => {
            Err(m.text(ctx, Caller::of(exec), m.run.readonly))
        }
        _ => Ok(()),
    }
}

/// What a function may take, for the library.
pub(crate) struct Allowance<'gc> {
    pub(crate) m: M<'gc>,
    pub(crate) room: usize,
}

impl<'gc> Allowance<'gc> {
    pub(crate) fn new(m: M<'gc>, ctx: Context<'gc>) -> Self {
        Allowance { m, room: meta::room(m, ctx) / 2 }
    }
}

impl Budget for Allowance<'_> {
    fn interrupted(&mut self) -> bool {
        /// What a look counts for.
        const LOOK: u64 = 1000;
        self.m.run.spend(LOOK);
        self.m.run.verdict().is_some()
    }

    fn room(&self) -> usize {
        self.room.min(512 << 20)
    }
}

/// A function that waits for what it asked for.
#[derive(Collect)]
#[collect(no_drop)]
struct Running<'gc> {
    m: M<'gc>,
    #[collect(require_static)]
    task: Task,
    args: Vec<Value<'gc>>,
    work: Vec<Value<'gc>>,
    caller: Option<Caller<'gc>>,
    /// Whether the answer is a truth value.
    #[collect(require_static)]
    truth: bool,
}

/// How a round of steps ends.
enum Round<'gc> {
    Done,
    Call(Function<'gc>),
}

pub(crate) fn run<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    mut exec: Execution<'gc, '_>,
    mut stack: Stack<'gc, '_>,
    task: Task,
) -> Answer<'gc> {
    let caller = Caller::of(&exec);
    let before = held(ctx.metrics());
    let args: Vec<Value<'gc>> = stack.into_iter().collect();
    let mut running = Running { m, task, args, work: Vec::new(), caller, truth: false };
    let round = running.steps(ctx, &mut exec, &mut stack);
    native::give_turn(m, ctx, &mut exec, before);
    Ok(match round? {
        Round::Done => CallbackReturn::Return,
        Round::Call(function) => {
            m.remember(ctx, caller);
            call_then(ctx, function, running)
        }
    })
}

impl<'gc> Running<'gc> {
    /// Goes on until something is to be called; its arguments, or the results, are then on the
    /// stack.
    fn steps(
        &mut self,
        ctx: Context<'gc>,
        exec: &mut Execution<'gc, '_>,
        stack: &mut Stack<'gc, '_>,
    ) -> Result<Round<'gc>, Error<'gc>> {
        let m = self.m;
        stack.clear();
        loop {
            match self.step(ctx, exec)? {
                Step::Return { results } => {
                    let from = self.work.len().saturating_sub(results);
                    stack.extend(self.work.drain(from..));
                    return Ok(Round::Done);
                }
                Step::Call { arguments } => {
                    let from = self.work.len().saturating_sub(arguments);
                    stack.extend(self.work.drain(from..));
                    let function = self.work.pop().unwrap_or_default();
                    let (called, first) = meta::callable(m, function, || Name::NONE)
                        .map_err(|text| m.text(ctx, self.caller, text))?;
                    if first {
                        stack.push_front(function);
                    }
                    m.enter_call(ctx, None)?;
                    self.truth = false;
                    return Ok(Round::Call(called));
                }
                Step::Less { left, right } => {
                    let value = |at: usize| self.work.get(at).copied().unwrap_or_default();
                    let outcome = meta::less(m, value(left), value(right));
                    if let Some(round) = self.take(ctx, stack, outcome, true)? {
                        return Ok(round);
                    }
                }
                Step::Index { table } => {
                    let key = self.work.pop().unwrap_or_default();
                    let table = self.args.get(table).copied().unwrap_or_default();
                    let outcome = meta::index(m, table, key, || Name::NONE);
                    if let Some(round) = self.take(ctx, stack, outcome, false)? {
                        return Ok(round);
                    }
                }
                Step::Next { table } => {
                    let key = self.work.pop().unwrap_or_default();
                    let Some(Value::Table(table)) = self.args.get(table).copied() else {
                        self.work.push(Value::Nil);
                        continue;
                    };
                    match tables::next(m, table, key) {
                        Ok(Some((key, value))) => self.work.extend([key, value]),
                        Ok(None) => self.work.push(Value::Nil),
                        Err(text) => return Err(m.text(ctx, self.caller, text)),
                    }
                }
            }
        }
    }

    fn step(
        &mut self,
        ctx: Context<'gc>,
        exec: &mut Execution<'gc, '_>,
    ) -> Result<Step, Error<'gc>> {
        let m = self.m;
        let mut buffer = m.run.buffer.take();
        let mut reader = Reader::new(m, ctx, &self.args, self.caller);
        let mut writer = Writer::resume(m, ctx, &self.args, std::mem::take(&mut self.work));
        let mut budget = Allowance::new(m, ctx);
        let mut context = lualib::Context { buffer: &mut buffer, budget: &mut budget };
        let step = self.task.resume(&mut reader, &mut writer, &mut context);
        self.work = writer.values;
        // Nobody counts it, and what was made of it is in Lua's memory now.
        if buffer.is_empty() && buffer.capacity() > KEPT {
            buffer = Vec::new();
        }
        m.run.buffer.replace(buffer);
        step.map_err(|raise| {
            if m.run.verdict().is_some() {
                exec.fuel().interrupt();
            }
            native::raised(m, ctx, self.caller, raise, self.work.last().copied())
        })
    }

    /// Takes an answer that is there already; calls the metamethod that gives it.
    fn take(
        &mut self,
        ctx: Context<'gc>,
        stack: &mut Stack<'gc, '_>,
        outcome: Outcome<'gc>,
        truth: bool,
    ) -> Result<Option<Round<'gc>>, Error<'gc>> {
        match outcome {
            Outcome::Value(value) => {
                self.work.push(value);
                Ok(None)
            }
            Outcome::Call(function, args, count) => {
                self.m.enter_call(ctx, None)?;
                stack.extend(args.into_iter().take(count));
                self.truth = truth;
                Ok(Some(Round::Call(function)))
            }
            Outcome::Error(text) => Err(self.m.text(ctx, self.caller, text)),
        }
    }
}

impl<'gc> Sequence<'gc> for Running<'gc> {
    fn poll(
        &mut self,
        ctx: Context<'gc>,
        mut exec: Execution<'gc, '_>,
        mut stack: Stack<'gc, '_>,
    ) -> Result<SequencePoll<'gc>, Error<'gc>> {
        self.m.leave_call();
        let answer = stack.get(0);
        self.work.push(if self.truth { Value::Boolean(answer.to_bool()) } else { answer });
        let before = held(ctx.metrics());
        let round = self.steps(ctx, &mut exec, &mut stack);
        native::give_turn(self.m, ctx, &mut exec, before);
        Ok(match round? {
            Round::Done => SequencePoll::Return,
            Round::Call(function) => SequencePoll::Call { function, is_tail: false },
        })
    }
}
