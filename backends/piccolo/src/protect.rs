//! `pcall`, `xpcall`, `error` and `assert`.
//!
//! Owns what happens to an error that a script catches. It must not know how errors arise.

use gc_arena::Collect;
use piccolo::{
    CallbackReturn, Context, Error, Execution, Function, Sequence, SequencePoll, Stack, Value,
};

use crate::check;
use crate::frontend::Name;
use crate::machine::{Answer, Caller, Levels, M, call_then};
use crate::meta::{self, Outcome};
use crate::tables;
use crate::value::number;

/// The value that an error raised.
pub(crate) fn value_of<'gc>(ctx: Context<'gc>, error: Error<'gc>) -> Value<'gc> {
    match error {
        Error::Lua(error) => error.0,
        Error::Runtime(error) => tables::string(ctx, error.to_string().as_bytes()),
    }
}

/// A protected call in progress.
#[derive(Collect)]
#[collect(no_drop)]
struct Protected<'gc> {
    m: M<'gc>,
    #[collect(require_static)]
    levels: Levels,
    /// The handler of `xpcall`.
    handler: Option<Value<'gc>>,
    /// Whether the handler runs, and how often it may fail.
    #[collect(require_static)]
    tries: Option<u32>,
    /// The error table of `pcall` whose text a metamethod is asked for.
    unwrapping: Option<Value<'gc>>,
}

/// `pcall`.
pub(crate) fn pcall<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    exec: Execution<'gc, '_>,
    mut stack: Stack<'gc, '_>,
) -> Answer<'gc> {
    let caller = Caller::of(&exec);
    m.remember(ctx, caller);
    // `luaRedisPcall` puts a boolean below its arguments, which is what it calls without any.
    let function = if stack.is_empty() { Value::Boolean(true) } else { stack.pop_front() };
    begin(m, ctx, caller, stack, function, None)
}

/// `xpcall`.
pub(crate) fn xpcall<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    exec: Execution<'gc, '_>,
    mut stack: Stack<'gc, '_>,
) -> Answer<'gc> {
    let caller = Caller::of(&exec);
    check::any(m, ctx, caller, &stack, 1)?;
    m.remember(ctx, caller);
    let (function, handler) = (stack.get(0), stack.get(1));
    stack.clear();
    begin(m, ctx, caller, stack, function, Some(handler))
}

fn begin<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    caller: Option<Caller<'gc>>,
    mut stack: Stack<'gc, '_>,
    function: Value<'gc>,
    handler: Option<Value<'gc>>,
) -> Answer<'gc> {
    let levels = m.levels();
    m.run.protected.set(m.run.protected.get() + 1);
    let called = m.enter_call(ctx, None).and_then(|()| {
        meta::callable(m, function, || Name::NONE).map_err(|text| m.text(ctx, caller, text))
    });
    let mut protected = Protected { m, levels, handler, tries: None, unwrapping: None };
    match called {
        Ok((called, first)) => {
            if first {
                stack.push_front(function);
            }
            Ok(call_then(ctx, called, protected))
        }
        Err(error) => Ok(match protected.caught(ctx, error, &mut stack) {
            Some(function) => call_then(ctx, function, protected),
            None => CallbackReturn::Return,
        }),
    }
}

impl<'gc> Protected<'gc> {
    /// Leaves the results of a failed call on the stack, or the arguments of the handler to call.
    fn caught(
        &mut self,
        ctx: Context<'gc>,
        error: Error<'gc>,
        stack: &mut Stack<'gc, '_>,
    ) -> Option<Function<'gc>> {
        let m = self.m;
        m.restore(ctx, self.levels);
        let mut value = value_of(ctx, error);
        let mut more = None;
        stack.clear();
        match self.handler {
            None if self.unwrapping.is_some() => {}
            None => match field(m, ctx, value) {
                Some(Outcome::Value(field)) => (value, more) = unwrapped(value, field),
                Some(Outcome::Call(function, arguments, count)) => {
                    self.unwrapping = Some(value);
                    let _ = m.enter_call(ctx, None);
                    stack.extend(arguments.into_iter().take(count));
                    return Some(function);
                }
                _ => {}
            },
            Some(Value::Function(handler)) => {
                let most = m.run.most_calls.get().saturating_sub(m.run.calls.get());
                let tries = self.tries.map_or(most, |tries| tries.saturating_sub(1));
                self.tries = Some(tries);
                if tries > 0 {
                    let _ = m.enter_call(ctx, None);
                    stack.push_back(value);
                    return Some(handler);
                }
                value = tables::string(ctx, b"error in error handling");
            }
            Some(_) => value = tables::string(ctx, b"error in error handling"),
        }
        stack.extend([Value::Boolean(false), value]);
        stack.extend(more);
        None
    }
}

/// What an error table has as its text.
fn field<'gc>(m: M<'gc>, ctx: Context<'gc>, value: Value<'gc>) -> Option<Outcome<'gc>> {
    if m.run.unwrap.is_empty() || !matches!(value, Value::Table(_)) {
        return None;
    }
    let name = tables::string(ctx, m.run.unwrap.as_bytes());
    Some(meta::index(m, value, name, || Name::NONE))
}

/// The text of an error table, or the table and what it has instead (`luaRedisPcall` in
/// `script_lua.c`).
fn unwrapped<'gc>(table: Value<'gc>, field: Value<'gc>) -> (Value<'gc>, Option<Value<'gc>>) {
    match field {
        Value::String(_) | Value::Number(_) | Value::Integer(_) => (field, None),
        other => (table, Some(other)),
    }
}

impl<'gc> Sequence<'gc> for Protected<'gc> {
    fn poll(
        &mut self,
        ctx: Context<'gc>,
        _: Execution<'gc, '_>,
        mut stack: Stack<'gc, '_>,
    ) -> Result<SequencePoll<'gc>, Error<'gc>> {
        self.m.restore(ctx, self.levels);
        if let Some(table) = self.unwrapping {
            let (value, more) = unwrapped(table, stack.get(0));
            stack.clear();
            stack.extend([Value::Boolean(false), value]);
            stack.extend(more);
        } else if self.tries.is_some() {
            let value = stack.get(0);
            stack.clear();
            stack.extend([Value::Boolean(false), value]);
        } else {
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
        Ok(match self.caught(ctx, error, &mut stack) {
            Some(function) => SequencePoll::Call { function, is_tail: false },
            None => SequencePoll::Return,
        })
    }
}

/// `error`.
pub(crate) fn error<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    exec: Execution<'gc, '_>,
    stack: Stack<'gc, '_>,
) -> Answer<'gc> {
    let caller = Caller::of(&exec);
    let level = check::opt_integer(m, ctx, caller, &stack, 1, 1)?;
    let value = stack.get(0);
    let text = match (value, number(value)) {
        (Value::String(text), _) => text.as_bytes().to_vec(),
        (_, Some(number)) => redlua_conversions::number::g14(number).to_vec(),
        _ => return Err(m.raise(caller, value)),
    };
    Err(match level {
        ..=0 => m.raise(caller, value),
        1 => m.error(ctx, caller, text),
        // piccolo shows no frame but the caller's.
        _ => m.raise(caller, value),
    })
}

/// `assert`.
pub(crate) fn assert<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    exec: Execution<'gc, '_>,
    stack: Stack<'gc, '_>,
) -> Answer<'gc> {
    if stack.get(0).to_bool() {
        return Ok(CallbackReturn::Return);
    }
    let caller = Caller::of(&exec);
    check::any(m, ctx, caller, &stack, 0)?;
    let message = match stack.get(1) {
        Value::Nil => b"assertion failed!".to_vec(),
        _ => check::text(m, ctx, caller, &stack, 1)?,
    };
    // The message goes through a C format.
    let message = message.split(|&byte| byte == 0).next().unwrap_or_default();
    Err(m.error(ctx, caller, message))
}
