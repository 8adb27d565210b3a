//! Compiling chunks in a running state: `load`, `loadstring` and what the VM compiles.
//!
//! Owns the way from a text to a function and what is known of the globals. It must not know the
//! language.

use std::collections::HashMap;

use gc_arena::{Collect, Gc, allocator_api::MetricsAlloc};
use piccolo::closure::{Closure, FunctionPrototype, UpValue, UpValueState};
use piccolo::{
    CallbackReturn, Context, Error, Execution, Sequence, SequencePoll, Stack, String, Value,
};
use redlua_conversions::syntax::Wanted;
use redlua_core::{CompileError, CompileFault};

use crate::check;
use crate::frontend::{self, Known, Prototype, Source, World};
use crate::machine::{Answer, Caller, Levels, M, call_then};
use crate::meta;
use crate::native::BRIDGE;
use crate::protect::value_of;
use crate::tables;
use crate::vm::handler_result;

/// What is known of globals that no script can change.
#[derive(Debug, Default)]
pub(crate) struct Globals {
    pub(crate) names: HashMap<Vec<u8>, Known>,
    /// Fields of library tables.
    pub(crate) fields: HashMap<(Vec<u8>, Vec<u8>), Known>,
}

/// Compiles a chunk into a function.
///
/// # Errors
/// The message of Lua's compiler.
pub(crate) fn compile<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    source: &[u8],
    name: &[u8],
) -> Result<Closure<'gc>, CompileError> {
    let known = &m.run.known;
    let anything = Known::Anything;
    let ask = || m.run.verdict().is_some();
    let world = World {
        global: &|name| known.names.get(name).copied().unwrap_or(anything),
        field: &|library, field| {
            let key = (library.to_vec(), field.to_vec());
            known.fields.get(&key).copied().unwrap_or(anything)
        },
        depth: m.run.calls.get(),
        room: meta::room(m, ctx),
        longest: tables::longest(m.run.memory.get()),
        wanted: &Wanted::unless(&ask),
    };
    let prototype = frontend::compile(source, name, &world)?;
    Ok(instantiate(m, ctx, &prototype, name))
}

fn instantiate<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    prototype: &Prototype,
    name: &[u8],
) -> Closure<'gc> {
    let chunk = String::from_slice(&ctx, name);
    let compiled =
        FunctionPrototype::from_compiled_map_strings(&ctx, chunk, &prototype.compiled, |text| {
            String::from_slice(&ctx, text)
        });
    let mut upvalues = allocator_api2_vec(ctx);
    for source in &prototype.upvalues {
        upvalues.push(match source {
            Source::Globals => m.globals,
            Source::Depth => m.depth,
            Source::Op(op) => {
                let function = m.op(*op).map_or(Value::Nil, Value::Function);
                UpValue::new(&ctx, UpValueState::Closed(function))
            }
            // A chunk has no outer function.
            Source::Var(_) => UpValue::new(&ctx, UpValueState::Closed(Value::Nil)),
        });
    }
    Closure::from_parts(&ctx, Gc::new(&ctx, compiled), upvalues)
}

fn allocator_api2_vec<'gc>(
    ctx: Context<'gc>,
) -> allocator_api2::vec::Vec<UpValue<'gc>, MetricsAlloc<'gc>> {
    allocator_api2::vec::Vec::new_in(MetricsAlloc::new(&ctx))
}

/// Puts the function on the stack, or nil and the message.
fn loaded<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    exec: &mut Execution<'gc, '_>,
    stack: &mut Stack<'gc, '_>,
    source: &[u8],
    name: &[u8],
) {
    // The host looks at the clock after much has been compiled.
    exec.fuel().consume(i32::try_from(source.len() / 8).unwrap_or(i32::MAX));
    stack.clear();
    match compile(m, ctx, source, name) {
        Ok(closure) => stack.push_back(closure.into()),
        Err(error) => {
            if error.fault == CompileFault::Time {
                exec.fuel().interrupt();
            }
            stack.extend([Value::Nil, tables::string(ctx, &error.message)]);
        }
    }
}

/// `loadstring`.
pub(crate) fn loadstring<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    mut exec: Execution<'gc, '_>,
    mut stack: Stack<'gc, '_>,
) -> Answer<'gc> {
    let caller = Caller::of(&exec);
    let source = check::text(m, ctx, caller, &stack, 0)?;
    let name = match stack.get(1) {
        Value::Nil => source.clone(),
        _ => check::text(m, ctx, caller, &stack, 1)?,
    };
    loaded(m, ctx, &mut exec, &mut stack, &source, &name);
    Ok(CallbackReturn::Return)
}

/// Gathers the pieces of a chunk.
#[derive(Collect)]
#[collect(no_drop)]
struct Pieces<'gc> {
    m: M<'gc>,
    reader: piccolo::Function<'gc>,
    #[collect(require_static)]
    levels: Levels,
    name: Vec<u8>,
    source: Vec<u8>,
    caller: Option<Caller<'gc>>,
}

/// `load`.
pub(crate) fn load<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    exec: Execution<'gc, '_>,
    mut stack: Stack<'gc, '_>,
) -> Answer<'gc> {
    let caller = Caller::of(&exec);
    let name = match stack.get(1) {
        Value::Nil => b"=(load)".to_vec(),
        _ => check::text(m, ctx, caller, &stack, 1)?,
    };
    check::function(m, ctx, caller, &stack, 0)?;
    let Value::Function(reader) = stack.get(0) else { return Ok(CallbackReturn::Return) };
    stack.clear();
    m.remember(ctx, caller);
    let levels = m.levels();
    m.enter_call(ctx, None)?;
    let pieces = Pieces { m, reader, levels, name, source: Vec::new(), caller };
    Ok(call_then(ctx, reader, pieces))
}

impl<'gc> Pieces<'gc> {
    /// The reader failed. `lua_load` keeps the handler of errors that there is around it, so that
    /// an error that nothing else would catch is what that handler makes of it.
    fn fail(&self, ctx: Context<'gc>, stack: &mut Stack<'gc, '_>, error: Error<'gc>) {
        let m = self.m;
        m.restore(ctx, self.levels);
        let mut value = value_of(ctx, error);
        if m.run.protected.get() == 0 {
            value = BRIDGE.with(|bridge| handler_result(m, ctx, bridge, value));
        }
        stack.clear();
        stack.extend([Value::Nil, value]);
    }
}

impl<'gc> Sequence<'gc> for Pieces<'gc> {
    fn poll(
        &mut self,
        ctx: Context<'gc>,
        mut exec: Execution<'gc, '_>,
        mut stack: Stack<'gc, '_>,
    ) -> Result<SequencePoll<'gc>, Error<'gc>> {
        let m = self.m;
        m.restore(ctx, self.levels);
        let end = match stack.get(0) {
            Value::Nil => true,
            Value::String(piece) => {
                self.source.extend_from_slice(piece.as_bytes());
                piece.as_bytes().is_empty()
            }
            other => match crate::value::number(other) {
                Some(number) => {
                    let text = redlua_conversions::number::g14(number);
                    self.source.extend_from_slice(&text);
                    false
                }
                None => {
                    let error = m.error(ctx, self.caller, "reader function must return a string");
                    self.fail(ctx, &mut stack, error);
                    return Ok(SequencePoll::Return);
                }
            },
        };
        if self.source.len() > meta::room(m, ctx) {
            let error = m.text(ctx, self.caller, "not enough memory");
            self.fail(ctx, &mut stack, error);
            return Ok(SequencePoll::Return);
        }
        if end {
            loaded(m, ctx, &mut exec, &mut stack, &self.source, &self.name);
            return Ok(SequencePoll::Return);
        }
        stack.clear();
        m.enter_call(ctx, None)?;
        Ok(SequencePoll::Call { function: self.reader, is_tail: false })
    }

    fn error(
        &mut self,
        ctx: Context<'gc>,
        _: Execution<'gc, '_>,
        error: Error<'gc>,
        mut stack: Stack<'gc, '_>,
    ) -> Result<SequencePoll<'gc>, Error<'gc>> {
        self.fail(ctx, &mut stack, error);
        Ok(SequencePoll::Return)
    }
}
