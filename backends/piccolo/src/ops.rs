//! The operations that compiled code calls.
//!
//! Owns their functions and what happens to the result of a metamethod. The rules are in `meta`.

use gc_arena::Collect;
use piccolo::{
    BoxSequence, CallbackReturn, Context, Error, Execution, Function, Sequence, SequencePoll,
    Stack, Value,
};

use crate::frontend::{Name, Op};
use crate::layout::Layout;
use crate::machine::{Answer, Body, Caller, M, call_then};
use crate::meta::{self, LessEqual, Outcome};
use crate::tables;
use crate::value::to_number;

/// Bytes that one operation may make before the collector is given a turn.
const TURN: usize = 1 << 16;

/// The function of an operation.
pub(crate) fn body(op: Op) -> Body {
    match op {
        Op::Add => |m, ctx, exec, stack| arithmetic(Op::Add, m, ctx, exec, stack),
        Op::Sub => |m, ctx, exec, stack| arithmetic(Op::Sub, m, ctx, exec, stack),
        Op::Mul => |m, ctx, exec, stack| arithmetic(Op::Mul, m, ctx, exec, stack),
        Op::Div => |m, ctx, exec, stack| arithmetic(Op::Div, m, ctx, exec, stack),
        Op::Mod => |m, ctx, exec, stack| arithmetic(Op::Mod, m, ctx, exec, stack),
        Op::Pow => |m, ctx, exec, stack| arithmetic(Op::Pow, m, ctx, exec, stack),
        Op::Minus => |m, ctx, exec, stack| arithmetic(Op::Minus, m, ctx, exec, stack),
        Op::Concat => concat,
        Op::Less => less,
        Op::LessEqual => less_equal,
        Op::Length => length,
        Op::Index => index,
        Op::SetIndex => set_index,
        Op::SetGlobal => set_global,
        Op::Call => call,
        Op::IsLua => is_lua,
        Op::ForPrep => for_prep,
        Op::Iterator => iterator,
        Op::Construct => construct,
        Op::Append => append,
        Op::Extend => extend,
        Op::Arg => arg,
        Op::Overflow => overflow,
        Op::Equal => equal,
    }
}

/// What becomes of the result of a metamethod.
#[derive(Clone, Copy, Debug, Collect)]
#[collect(require_static)]
enum Result {
    One,
    Boolean,
    Opposite,
    Nothing,
}

/// Waits for a metamethod.
#[derive(Collect)]
#[collect(no_drop)]
struct Method<'gc> {
    m: M<'gc>,
    result: Result,
}

impl<'gc> Sequence<'gc> for Method<'gc> {
    fn poll(
        &mut self,
        _: Context<'gc>,
        _: Execution<'gc, '_>,
        mut stack: Stack<'gc, '_>,
    ) -> std::result::Result<SequencePoll<'gc>, Error<'gc>> {
        self.m.leave_call();
        let value = stack.get(0);
        stack.clear();
        match self.result {
            Result::One => stack.push_back(value),
            Result::Boolean => stack.push_back(Value::Boolean(value.to_bool())),
            Result::Opposite => stack.push_back(Value::Boolean(!value.to_bool())),
            Result::Nothing => {}
        }
        Ok(SequencePoll::Return)
    }
}

/// Returns the value, calls the metamethod or raises the error.
fn finish<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    caller: Option<Caller<'gc>>,
    mut stack: Stack<'gc, '_>,
    outcome: Outcome<'gc>,
    result: Result,
) -> Answer<'gc> {
    stack.clear();
    match outcome {
        Outcome::Value(value) => {
            match result {
                Result::Nothing => {}
                Result::Opposite => stack.push_back(Value::Boolean(!value.to_bool())),
                _ => stack.push_back(value),
            }
            Ok(CallbackReturn::Return)
        }
        Outcome::Call(function, args, count) => {
            stack.extend(args.into_iter().take(count));
            if let (Function::Callback(_), Result::One | Result::Nothing) = (function, result) {
                // In its own place, so that it sees who called.
                return Ok(CallbackReturn::Call { function, then: None });
            }
            m.remember(ctx, caller);
            m.enter_call(ctx, caller)?;
            Ok(call_then(ctx, function, Method { m, result }))
        }
        Outcome::Error(text) => Err(m.error(ctx, caller, text)),
    }
}

fn name_of<'gc>(caller: Option<Caller<'gc>>, index: usize) -> Name {
    caller.map_or(Name::NONE, |caller| caller.name(index))
}

fn arithmetic<'gc>(
    op: Op,
    m: M<'gc>,
    ctx: Context<'gc>,
    exec: Execution<'gc, '_>,
    mut stack: Stack<'gc, '_>,
) -> Answer<'gc> {
    let a = stack.get(0);
    let b = if op == Op::Minus { a } else { stack.get(1) };
    if let (Value::Number(x), Value::Number(y)) = (a, b) {
        let result = match op {
            Op::Add => Some(x + y),
            Op::Sub => Some(x - y),
            Op::Mul => Some(x * y),
            Op::Div => Some(x / y),
            _ => None,
        };
        if let Some(result) = result {
            stack.clear();
            stack.push_back(Value::Number(result));
            return Ok(CallbackReturn::Return);
        }
    }
    let caller = Caller::of(&exec);
    let outcome =
        meta::arithmetic(m, op, a, b, |at| name_of(caller, if op == Op::Minus { 0 } else { at }));
    finish(m, ctx, caller, stack, outcome, Result::One)
}

fn less<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    exec: Execution<'gc, '_>,
    stack: Stack<'gc, '_>,
) -> Answer<'gc> {
    let outcome = meta::less(m, stack.get(0), stack.get(1));
    let caller = if let Outcome::Value(_) = outcome { None } else { Caller::of(&exec) };
    finish(m, ctx, caller, stack, outcome, Result::Boolean)
}

fn less_equal<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    exec: Execution<'gc, '_>,
    stack: Stack<'gc, '_>,
) -> Answer<'gc> {
    let (outcome, result) = match meta::less_equal(m, stack.get(0), stack.get(1)) {
        LessEqual::Is(outcome) => (outcome, Result::Boolean),
        LessEqual::Not(outcome) => (outcome, Result::Opposite),
    };
    let caller = if let Outcome::Value(_) = outcome { None } else { Caller::of(&exec) };
    finish(m, ctx, caller, stack, outcome, result)
}

/// `__eq` of tables that are not the same one, called by piccolo.
fn equal<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    exec: Execution<'gc, '_>,
    stack: Stack<'gc, '_>,
) -> Answer<'gc> {
    let (a, b) = (stack.get(0), stack.get(1));
    let outcome = match meta::equal_method(m, a, b) {
        Some(method) => Outcome::Call(method, [a, b, Value::Nil], 2),
        None => Outcome::Value(Value::Boolean(false)),
    };
    finish(m, ctx, Caller::of(&exec), stack, outcome, Result::Boolean)
}

fn length<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    exec: Execution<'gc, '_>,
    stack: Stack<'gc, '_>,
) -> Answer<'gc> {
    let outcome = meta::length(m, stack.get(0), || name_of(Caller::of(&exec), 0));
    let caller = if let Outcome::Value(_) = outcome { None } else { Caller::of(&exec) };
    finish(m, ctx, caller, stack, outcome, Result::One)
}

fn index<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    exec: Execution<'gc, '_>,
    stack: Stack<'gc, '_>,
) -> Answer<'gc> {
    let outcome = meta::index(m, stack.get(0), stack.get(1), || name_of(Caller::of(&exec), 0));
    let caller = if let Outcome::Value(_) = outcome { None } else { Caller::of(&exec) };
    finish(m, ctx, caller, stack, outcome, Result::One)
}

fn set_index<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    mut exec: Execution<'gc, '_>,
    stack: Stack<'gc, '_>,
) -> Answer<'gc> {
    let parts = (stack.get(0), stack.get(1), stack.get(2));
    let wanting = meta::wanting(m, ctx, parts.0, parts.1);
    if wanting > 0 {
        m.run.wanting.set(wanting);
        exec.fuel().interrupt();
        return Ok(CallbackReturn::Sequence(BoxSequence::new(&ctx, Grown(m))));
    }
    let outcome = meta::set_index(m, ctx, parts, || name_of(Caller::of(&exec), 0));
    let caller = if let Outcome::Value(_) = outcome { None } else { Caller::of(&exec) };
    finish(m, ctx, caller, stack, outcome, Result::Nothing)
}

/// Sets a pair for which a table has to grow, once the host has found that there is room.
#[derive(Collect)]
#[collect(no_drop)]
struct Grown<'gc>(M<'gc>);

impl<'gc> Sequence<'gc> for Grown<'gc> {
    fn poll(
        &mut self,
        ctx: Context<'gc>,
        _: Execution<'gc, '_>,
        mut stack: Stack<'gc, '_>,
    ) -> std::result::Result<SequencePoll<'gc>, Error<'gc>> {
        let parts = (stack.get(0), stack.get(1), stack.get(2));
        stack.clear();
        match meta::set_index(self.0, ctx, parts, || Name::NONE) {
            Outcome::Call(function, args, count) => {
                stack.extend(args.into_iter().take(count));
                Ok(SequencePoll::Call { function, is_tail: true })
            }
            Outcome::Value(_) => Ok(SequencePoll::Return),
            Outcome::Error(text) => Err(self.0.error(ctx, None, text)),
        }
    }
}

fn set_global<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    exec: Execution<'gc, '_>,
    stack: Stack<'gc, '_>,
) -> Answer<'gc> {
    let globals = match m.globals.get() {
        piccolo::closure::UpValueState::Closed(globals) => globals,
        piccolo::closure::UpValueState::Open(_) => Value::Nil,
    };
    let parts = (globals, stack.get(0), stack.get(1));
    let outcome = meta::set_index(m, ctx, parts, || Name::NONE);
    finish(m, ctx, Caller::of(&exec), stack, outcome, Result::Nothing)
}

fn call<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    exec: Execution<'gc, '_>,
    mut stack: Stack<'gc, '_>,
) -> Answer<'gc> {
    let value = stack.pop_front();
    if let Value::Function(function) = value {
        return Ok(CallbackReturn::Call { function, then: None });
    }
    let caller = Caller::of(&exec);
    match meta::callable(m, value, || name_of(caller, 0)) {
        Ok((function, _)) => {
            stack.push_front(value);
            Ok(CallbackReturn::Call { function, then: None })
        }
        Err(text) => Err(m.error(ctx, caller, text)),
    }
}

fn is_lua<'gc>(
    _: M<'gc>,
    _: Context<'gc>,
    _: Execution<'gc, '_>,
    mut stack: Stack<'gc, '_>,
) -> Answer<'gc> {
    let lua = matches!(stack.get(0), Value::Function(Function::Closure(_)));
    stack.clear();
    stack.push_back(Value::Boolean(lua));
    Ok(CallbackReturn::Return)
}

/// `OP_FORPREP`; a loop that piccolo would not end is made empty.
fn for_prep<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    exec: Execution<'gc, '_>,
    mut stack: Stack<'gc, '_>,
) -> Answer<'gc> {
    let mut numbers = [0.0; 3];
    for (place, what) in ["initial value", "limit", "step"].into_iter().enumerate() {
        match (to_number(stack.get(place)), numbers.get_mut(place)) {
            (Some(number), Some(slot)) => *slot = number,
            _ => {
                let caller = Caller::of(&exec);
                return Err(m.error(ctx, caller, format!("'for' {what} must be a number")));
            }
        }
    }
    let [start, limit, step] = numbers;
    let first = start - step + step;
    let runs = if step > 0.0 { first <= limit } else { limit <= first };
    stack.clear();
    // Integers of piccolo's count faster, and no sum of these is too large for a double.
    let exact = |number: f64| number.abs() <= (1_u64 << 52) as f64;
    let whole = |number: f64| exact(number) && number.fract() == 0.0;
    if runs && step != 0.0 && whole(start) && whole(step) && exact(limit) {
        let limit = if step > 0.0 { limit.floor() } else { limit.ceil() };
        stack.extend([start, limit, step].map(|number| Value::Integer(number as i64)));
        return Ok(CallbackReturn::Return);
    }
    let values = match (runs, step == 0.0) {
        (false, _) => [1.0, 0.0, 1.0],
        // piccolo would stop at a limit below; Lua never does.
        (true, true) => [start, f64::INFINITY, 0.0],
        (true, false) => [start, limit, step],
    };
    stack.extend(values.map(Value::Number));
    Ok(CallbackReturn::Return)
}

/// What a generic loop calls.
fn iterator<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    exec: Execution<'gc, '_>,
    stack: Stack<'gc, '_>,
) -> Answer<'gc> {
    let value = stack.get(0);
    let caller = Caller::of(&exec);
    match meta::callable(m, value, || Name::NONE) {
        // A table is called by piccolo, through its stand-in.
        Ok(_) => Ok(CallbackReturn::Return),
        Err(text) => Err(m.error(ctx, caller, text)),
    }
}

/// Joins values from the end; a metamethod's result takes part in what follows.
#[derive(Collect)]
#[collect(no_drop)]
struct Concat<'gc> {
    m: M<'gc>,
    caller: Option<Caller<'gc>>,
    /// The values that are not joined yet.
    rest: Vec<Value<'gc>>,
}

fn concat<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    mut exec: Execution<'gc, '_>,
    mut stack: Stack<'gc, '_>,
) -> Answer<'gc> {
    let mut rest: Vec<Value<'gc>> = stack.into_iter().collect();
    stack.clear();
    let caller = Caller::of(&exec);
    match meta::concat(m, ctx, &mut rest, |at| name_of(caller, at)) {
        Outcome::Value(value) => {
            if let Value::String(text) = value
                && text.as_bytes().len() > TURN
            {
                exec.fuel().consume(i32::try_from(text.as_bytes().len() >> 8).unwrap_or(i32::MAX));
            }
            stack.push_back(value);
            Ok(CallbackReturn::Return)
        }
        Outcome::Call(function, args, count) => {
            m.remember(ctx, caller);
            m.enter_call(ctx, caller)?;
            stack.extend(args.into_iter().take(count));
            Ok(call_then(ctx, function, Concat { m, caller, rest }))
        }
        Outcome::Error(text) => Err(concat_error(m, ctx, caller, text)),
    }
}

fn concat_error<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    caller: Option<Caller<'gc>>,
    text: Vec<u8>,
) -> Error<'gc> {
    if text.is_empty() {
        return m.text(ctx, caller, "not enough memory");
    }
    m.error(ctx, caller, text)
}

impl<'gc> Sequence<'gc> for Concat<'gc> {
    fn poll(
        &mut self,
        ctx: Context<'gc>,
        _: Execution<'gc, '_>,
        mut stack: Stack<'gc, '_>,
    ) -> std::result::Result<SequencePoll<'gc>, Error<'gc>> {
        self.m.leave_call();
        self.rest.push(stack.get(0));
        stack.clear();
        // The names belong to the values as they were; the result of a metamethod has none.
        let last = self.rest.len() - 1;
        let caller = self.caller;
        let name = |at: usize| if at == last { Name::NONE } else { name_of(caller, at) };
        match meta::concat(self.m, ctx, &mut self.rest, name) {
            Outcome::Value(value) => {
                stack.push_back(value);
                Ok(SequencePoll::Return)
            }
            Outcome::Call(function, args, count) => {
                self.m.enter_call(ctx, caller)?;
                stack.extend(args.into_iter().take(count));
                Ok(SequencePoll::Call { function, is_tail: false })
            }
            Outcome::Error(text) => Err(concat_error(self.m, ctx, caller, text)),
        }
    }
}

/// A size as `OP_NEWTABLE` keeps it (`luaO_int2fb`, `luaO_fb2int`): rounded up.
fn rounded(size: usize) -> usize {
    let (mut small, mut exponent) = (size, 0);
    while small >= 16 {
        small = (small + 1) >> 1;
        exponent += 1;
    }
    small << exponent
}

fn count_at(stack: &Stack<'_, '_>, index: usize) -> usize {
    to_number(stack.get(index)).map_or(0, |number| number as usize)
}

fn construct<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    exec: Execution<'gc, '_>,
    mut stack: Stack<'gc, '_>,
) -> Answer<'gc> {
    let (array, hash, pairs) = (count_at(&stack, 0), count_at(&stack, 1), count_at(&stack, 2));
    let table = tables::create(m, ctx, rounded(array), rounded(hash));
    let mut at = 3;
    for _ in 0..pairs {
        set_pair(m, ctx, &exec, table, stack.get(at), stack.get(at + 1))?;
        at += 2;
    }
    let items = stack.len().saturating_sub(at);
    let holes = (at..stack.len()).any(|at| stack.get(at).is_nil());
    if hash == 0 && holes {
        tables::watch(m, ctx, table, Layout::new(rounded(array).max(items), 0));
    }
    set_items(m, ctx, table, &stack, at, 1);
    stack.clear();
    stack.push_back(table.into());
    Ok(CallbackReturn::Return)
}

fn set_items<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    table: piccolo::Table<'gc>,
    stack: &Stack<'gc, '_>,
    from: usize,
    first: usize,
) {
    for at in from..stack.len() {
        let key = Value::Number((first + at - from) as f64);
        // A number is a valid key.
        let _ = tables::set(m, ctx, table, key, stack.get(at));
    }
}

fn set_pair<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    exec: &Execution<'gc, '_>,
    table: piccolo::Table<'gc>,
    key: Value<'gc>,
    value: Value<'gc>,
) -> std::result::Result<(), Error<'gc>> {
    tables::set(m, ctx, table, key, value)
        .map_err(|bad| m.error(ctx, Caller::of(exec), bad.message()))
}

fn append<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    _: Execution<'gc, '_>,
    mut stack: Stack<'gc, '_>,
) -> Answer<'gc> {
    if let Value::Table(table) = stack.get(0) {
        let first = count_at(&stack, 1);
        set_items(m, ctx, table, &stack, 2, first);
    }
    stack.clear();
    Ok(CallbackReturn::Return)
}

fn extend<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    exec: Execution<'gc, '_>,
    mut stack: Stack<'gc, '_>,
) -> Answer<'gc> {
    if let Value::Table(table) = stack.get(0) {
        let mut at = 1;
        while at + 1 < stack.len() {
            set_pair(m, ctx, &exec, table, stack.get(at), stack.get(at + 1))?;
            at += 2;
        }
    }
    stack.clear();
    Ok(CallbackReturn::Return)
}

/// The table `arg` of a function with `...` (`adjust_varargs` in `ldo.c`).
fn arg<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    _: Execution<'gc, '_>,
    mut stack: Stack<'gc, '_>,
) -> Answer<'gc> {
    let count = stack.len();
    let table = tables::create(m, ctx, count, 1);
    set_items(m, ctx, table, &stack, 0, 1);
    let _ = tables::set(m, ctx, table, tables::string(ctx, b"n"), Value::Number(count as f64));
    stack.clear();
    stack.push_back(table.into());
    Ok(CallbackReturn::Return)
}

fn overflow<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    exec: Execution<'gc, '_>,
    _: Stack<'gc, '_>,
) -> Answer<'gc> {
    Err(m.error(ctx, Caller::of(&exec), "stack overflow"))
}
