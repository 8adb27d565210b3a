//! The coroutine library of Lua 5.1 (`lbaselib.c`) on piccolo's threads.
//!
//! Owns who may resume and yield. It must not know what coroutines do.

use gc_arena::Collect;
use piccolo::{
    BoxSequence, Callback, CallbackReturn, Context, Error, Execution, Function, Sequence,
    SequencePoll, Stack, Thread, ThreadMode, Value,
};

use crate::machine::{Answer, Body, Caller, Levels, M};
use crate::protect::value_of;
use crate::tables;

/// The function of that name.
pub(crate) fn body(name: &str) -> Option<Body> {
    Some(match name {
        "create" => create,
        "resume" => resume,
        "running" => running,
        "status" => status,
        "wrap" => wrap,
        "yield" => yield_values,
        _ => return None,
    })
}

/// A coroutine that runs a function of Lua.
fn made<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    caller: Option<Caller<'gc>>,
    value: Value<'gc>,
) -> Result<Thread<'gc>, Error<'gc>> {
    let Value::Function(function @ Function::Closure(_)) = value else {
        return Err(m.argument_error(ctx, caller, 1, b"Lua function expected"));
    };
    let thread = Thread::new(ctx);
    thread.start_suspended(&ctx, function)?;
    Ok(thread)
}

fn create<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    exec: Execution<'gc, '_>,
    mut stack: Stack<'gc, '_>,
) -> Answer<'gc> {
    let thread = made(m, ctx, Caller::of(&exec), stack.get(0))?;
    stack.clear();
    stack.push_back(thread.into());
    Ok(CallbackReturn::Return)
}

/// `costatus`.
fn status_of<'gc>(exec: &Execution<'gc, '_>, thread: Thread<'gc>) -> &'static str {
    if exec.current_thread().thread == thread {
        return "running";
    }
    match thread.mode() {
        ThreadMode::Suspended => "suspended",
        ThreadMode::Stopped | ThreadMode::Result => "dead",
        ThreadMode::Running => "running",
        ThreadMode::Normal | ThreadMode::Waiting => "normal",
    }
}

fn thread<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    caller: Option<Caller<'gc>>,
    stack: &Stack<'gc, '_>,
) -> Result<Thread<'gc>, Error<'gc>> {
    match stack.get(0) {
        Value::Thread(thread) => Ok(thread),
        _ => Err(m.argument_error(ctx, caller, 1, b"coroutine expected")),
    }
}

fn status<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    exec: Execution<'gc, '_>,
    mut stack: Stack<'gc, '_>,
) -> Answer<'gc> {
    let thread = thread(m, ctx, Caller::of(&exec), &stack)?;
    let status = status_of(&exec, thread);
    stack.clear();
    stack.push_back(tables::string(ctx, status.as_bytes()));
    Ok(CallbackReturn::Return)
}

fn running<'gc>(
    _: M<'gc>,
    _: Context<'gc>,
    exec: Execution<'gc, '_>,
    mut stack: Stack<'gc, '_>,
) -> Answer<'gc> {
    let current = exec.current_thread();
    stack.clear();
    stack.push_back(if current.is_main { Value::Nil } else { current.thread.into() });
    Ok(CallbackReturn::Return)
}

/// Waits for a coroutine.
#[derive(Collect)]
#[collect(no_drop)]
struct Resumed<'gc> {
    m: M<'gc>,
    #[collect(require_static)]
    levels: Levels,
    /// Of a wrapped coroutine, which raises its errors.
    wrapped: bool,
    caller: Option<Caller<'gc>>,
}

/// Resumes a coroutine with what is on the stack, or says why not.
fn switch<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    exec: &Execution<'gc, '_>,
    thread: Thread<'gc>,
    wrapped: bool,
) -> Result<CallbackReturn<'gc>, String> {
    let status = status_of(exec, thread);
    if status != "suspended" {
        return Err(format!("cannot resume {status} coroutine"));
    }
    let caller = Caller::of(exec);
    let levels = m.levels();
    if m.run.calls.get() >= m.run.most_calls.get() {
        return Err("C stack overflow".to_owned());
    }
    m.remember(ctx, caller);
    m.run.calls.set(m.run.calls.get() + 1);
    m.run.barrier.set(0);
    let then = Resumed { m, levels, wrapped, caller };
    Ok(CallbackReturn::Resume { thread, then: Some(BoxSequence::new(&ctx, then)) })
}

fn resume<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    exec: Execution<'gc, '_>,
    mut stack: Stack<'gc, '_>,
) -> Answer<'gc> {
    let thread = thread(m, ctx, Caller::of(&exec), &stack)?;
    match switch(m, ctx, &exec, thread, false) {
        Ok(answer) => {
            stack.pop_front();
            Ok(answer)
        }
        Err(text) => {
            stack.clear();
            stack.extend([Value::Boolean(false), tables::string(ctx, text.as_bytes())]);
            Ok(CallbackReturn::Return)
        }
    }
}

fn wrap<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    exec: Execution<'gc, '_>,
    mut stack: Stack<'gc, '_>,
) -> Answer<'gc> {
    let thread = made(m, ctx, Caller::of(&exec), stack.get(0))?;
    let run = |&(m, thread): &(M<'gc>, Thread<'gc>),
               ctx: Context<'gc>,
               exec: Execution<'gc, '_>,
               _: Stack<'gc, '_>| {
        switch(m, ctx, &exec, thread, true).map_err(|text| m.error(ctx, Caller::of(&exec), text))
    };
    stack.clear();
    stack.push_back(Callback::from_fn_with(&ctx, (m, thread), run).into());
    Ok(CallbackReturn::Return)
}

impl<'gc> Sequence<'gc> for Resumed<'gc> {
    fn poll(
        &mut self,
        ctx: Context<'gc>,
        _: Execution<'gc, '_>,
        mut stack: Stack<'gc, '_>,
    ) -> Result<SequencePoll<'gc>, Error<'gc>> {
        self.m.restore(ctx, self.levels);
        if !self.wrapped {
            stack.push_front(Value::Boolean(true));
        }
        Ok(SequencePoll::Return)
    }

    fn error(
        &mut self,
        ctx: Context<'gc>,
        _: Execution<'gc, '_>,
        error: Error<'gc>,
        mut stack: Stack<'gc, '_>,
    ) -> Result<SequencePoll<'gc>, Error<'gc>> {
        self.m.restore(ctx, self.levels);
        let value = value_of(ctx, error);
        stack.clear();
        if self.wrapped {
            // `auxwrap` puts a position before a text.
            return Err(match value {
                Value::String(text) => self.m.error(ctx, self.caller, text.as_bytes()),
                other => self.m.raise(self.caller, other),
            });
        }
        stack.extend([Value::Boolean(false), value]);
        Ok(SequencePoll::Return)
    }
}

fn yield_values<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    exec: Execution<'gc, '_>,
    _: Stack<'gc, '_>,
) -> Answer<'gc> {
    if exec.current_thread().is_main || m.run.barrier.get() > 0 {
        let caller = Caller::of(&exec);
        return Err(m.text(ctx, caller, "attempt to yield across metamethod/C-call boundary"));
    }
    Ok(CallbackReturn::Yield { to_thread: None, then: None })
}
