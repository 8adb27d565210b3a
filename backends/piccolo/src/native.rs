//! Functions whose other side is the bridge: the natives of the environment and `redis.call`.
//!
//! Owns the way to the bridge of the run and the raising of what natives raise. It must not know
//! what they compute.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use piccolo::{Callback, CallbackReturn, Context, Error, Execution, Stack, Value};
use redlua_conversions::number::{Text, g17};
use redlua_core::{Bridge, CallMode, Flow, NativeId, Raise, ValueWriter};
use redlua_piccolo_arena::held;
use scoped_tls_hkt::scoped_thread_local;
use smallvec::SmallVec;

use crate::machine::{Answer, Caller, M};
use crate::reader::Reader;
use crate::value::number;
use crate::writer::Writer;

/// Lua's error when memory is out (`MEMERRMSG`).
const NO_MEMORY: &str = "not enough memory";

scoped_thread_local! {
    /// The engine's side of the run on this thread. piccolo's functions must be `'static`, the
    /// bridge is not.
    pub(crate) static mut BRIDGE: for<'a> &'a mut (dyn Bridge + 'a)
}

/// The function that runs the native `id`.
pub(crate) fn native<'gc>(m: M<'gc>, ctx: Context<'gc>, id: NativeId) -> Value<'gc> {
    let run = move |m: &M<'gc>, ctx, exec: Execution<'gc, '_>, stack: Stack<'gc, '_>| {
        run_native(*m, ctx, exec, stack, id)
    };
    Callback::from_fn_with(&ctx, m, run).into()
}

fn run_native<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    mut exec: Execution<'gc, '_>,
    mut stack: Stack<'gc, '_>,
    id: NativeId,
) -> Answer<'gc> {
    let caller = Caller::of(&exec);
    let before = held(ctx.metrics());
    let args = &stack[..];
    let mut reader = Reader::new(m, ctx, args, caller.or(m.caller.get()));
    let mut writer = Writer::resume(m, ctx, args, m.results(ctx));
    let result = BRIDGE.with(|bridge| {
        catch_unwind(AssertUnwindSafe(|| bridge.native(id, &mut reader, &mut writer)))
    });
    drop(reader);
    let starved = writer.is_starved();
    let mut values = writer.values;
    let answer = match result {
        Ok(Ok(())) if starved => Err(m.text(ctx, caller, NO_MEMORY)),
        Ok(Ok(())) => {
            stack.clear();
            stack.extend(values.drain(..));
            Ok(CallbackReturn::Return)
        }
        Ok(Err(raise)) => Err(raised(m, ctx, caller, raise, values.last().copied())),
        Err(panic) => Err(m.text(ctx, caller, panic_text(panic.as_ref()))),
    };
    m.give_back(ctx, values);
    if answer.is_err() && m.run.verdict().is_some() {
        exec.fuel().interrupt();
    }
    give_turn(m, ctx, &mut exec, before);
    answer
}

/// Lets the host collect garbage when a function has made much of it, or end the run when somebody
/// has asked for that.
pub(crate) fn give_turn<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    exec: &mut Execution<'gc, '_>,
    before: usize,
) {
    let now = held(ctx.metrics());
    // Many that take long may lie between two turns of the host.
    if now > m.run.memory.get() || m.run.stop.reason().is_some() {
        exec.fuel().interrupt();
        return;
    }
    let made = now.saturating_sub(before) >> 6;
    if made > 64 {
        exec.fuel().consume(i32::try_from(made).unwrap_or(i32::MAX));
    }
}

/// The error that a native raises; `last` is the last value it made.
pub(crate) fn raised<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    caller: Option<Caller<'gc>>,
    raise: Raise,
    last: Option<Value<'gc>>,
) -> Error<'gc> {
    match raise {
        Raise::Message(text) => m.error(ctx, caller, text),
        Raise::Text(text) => m.text(ctx, caller, text),
        Raise::Argument { index, message } => m.argument_error(ctx, caller, index, &message),
        Raise::Value => m.raise(caller, last.unwrap_or_default()),
    }
}

/// `redis.call`.
pub(crate) fn redis_call<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    exec: Execution<'gc, '_>,
    stack: Stack<'gc, '_>,
) -> Answer<'gc> {
    call(m, ctx, exec, stack, CallMode::Call)
}

/// `redis.pcall`.
pub(crate) fn redis_pcall<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    exec: Execution<'gc, '_>,
    stack: Stack<'gc, '_>,
) -> Answer<'gc> {
    call(m, ctx, exec, stack, CallMode::Pcall)
}

fn call<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    mut exec: Execution<'gc, '_>,
    mut stack: Stack<'gc, '_>,
    mode: CallMode,
) -> Answer<'gc> {
    let before = held(ctx.metrics());
    let args = &stack[..];
    let mut writer = Writer::resume(m, ctx, args, m.results(ctx));
    let mut texts: SmallVec<[Text; 8]> = SmallVec::new();
    let mut valid = true;
    let mut argv: SmallVec<[&[u8]; 8]> = SmallVec::new();
    for arg in args {
        match (arg, number(*arg)) {
            (Value::String(text), _) => argv.push(text.as_bytes()),
            (_, Some(number)) => texts.push(g17(number)),
            _ => valid = false,
        }
    }
    if valid && argv.len() < args.len() {
        // The numbers stand among the strings.
        let mut numbers = texts.iter();
        argv.clear();
        argv.extend(args.iter().map(|arg| match arg {
            Value::String(text) => text.as_bytes(),
            _ => numbers.next().map_or(&[][..], |text| &text[..]),
        }));
    }
    let argv = valid.then_some(&argv[..]);
    let flow = BRIDGE
        .with(|bridge| catch_unwind(AssertUnwindSafe(|| bridge.call(mode, argv, &mut writer))));
    let flow = flow.unwrap_or_else(|panic| {
        writer.string(panic_text(panic.as_ref()).as_bytes());
        Flow::Raise
    });
    if writer.is_starved() {
        let error = m.text(ctx, Caller::of(&exec), NO_MEMORY);
        give_turn(m, ctx, &mut exec, before);
        return Err(error);
    }
    // The contract is one value; whatever a faulty bridge left, Lua gets one.
    let value = writer.values.last().copied().unwrap_or_default();
    m.give_back(ctx, writer.values);
    give_turn(m, ctx, &mut exec, before);
    match flow {
        Flow::Return => {
            stack.clear();
            stack.push_back(value);
            Ok(CallbackReturn::Return)
        }
        Flow::Raise => Err(m.raise(Caller::of(&exec), value)),
    }
}

/// What a script is told of a panic in the host or in a native.
fn panic_text(panic: &(dyn Any + Send)) -> String {
    let message = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("unknown cause");
    format!("internal error: the host panicked: {message}")
}
