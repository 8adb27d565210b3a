//! What the functions of a Lua state share.
//!
//! Owns [`Machine`], reached from every function, the state of the run in progress, and the
//! raising of errors with a position. It must not know what the functions do.

use std::cell::{Cell, RefCell};
use std::time::Instant;

use gc_arena::lock::{Lock, RefLock};
use gc_arena::{Collect, Gc};
use piccolo::closure::{Closure, UpValue, UpValueState};
use piccolo::compiler::FunctionRef;
use piccolo::{
    BoxSequence, Callback, CallbackReturn, Context, Error, Execution, Executor, Function, Stack,
    String, Table, UserData, Value,
};
use redlua_core::{NativeId, StopReason, StopToken};

use crate::load::Globals;

use crate::frontend::{Name, NameKind, Op, Site, line_of, names_at, short_source};

/// The machine as functions hold it.
pub(crate) type M<'gc> = Gc<'gc, Machine<'gc>>;

/// What a function of the host answers.
pub(crate) type Answer<'gc> = Result<CallbackReturn<'gc>, Error<'gc>>;

/// A function of the host.
pub(crate) type Body =
    for<'gc> fn(M<'gc>, Context<'gc>, Execution<'gc, '_>, Stack<'gc, '_>) -> Answer<'gc>;

/// What all functions of a Lua state share.
#[derive(Collect)]
#[collect(no_drop)]
pub(crate) struct Machine<'gc> {
    /// The globals that compiled code sees; replaced when the view changes.
    pub(crate) globals: UpValue<'gc>,
    /// How deeply calls of Lua functions are nested.
    pub(crate) depth: UpValue<'gc>,
    /// The operations, in the order of [`Op::ALL`].
    pub(crate) ops: Gc<'gc, RefLock<Vec<Function<'gc>>>>,
    /// The metatable of tables whose order is watched.
    pub(crate) watched: Table<'gc>,
    pub(crate) keys: Keys<'gc>,
    pub(crate) events: Events<'gc>,
    /// The light userdata whose pointer is null.
    pub(crate) null: UserData<'gc>,
    /// The library that strings are indexed in, and what `getmetatable` shows for strings.
    pub(crate) strings: Gc<'gc, Lock<Option<(Table<'gc>, Table<'gc>)>>>,
    /// What `pairs` and `ipairs` iterate with.
    pub(crate) iterators: Gc<'gc, Lock<Option<(Value<'gc>, Value<'gc>)>>>,
    /// What a run came to, while it is reported.
    pub(crate) outcome: Gc<'gc, Lock<Value<'gc>>>,
    /// Runs scripts.
    pub(crate) executor: Gc<'gc, Lock<Executor<'gc>>>,
    /// Compiled scripts and pinned functions.
    pub(crate) functions: Gc<'gc, RefLock<Vec<Option<Function<'gc>>>>>,
    /// Short strings that functions of the host made last: many make the same ones again.
    pub(crate) recent: Gc<'gc, RefLock<Vec<Option<String<'gc>>>>>,
    /// What functions of the host put their results in, empty between calls.
    pub(crate) spare: Gc<'gc, RefLock<Vec<Value<'gc>>>>,
    /// Where the last function of the host that calls others was called from.
    pub(crate) caller: Gc<'gc, Lock<Option<Caller<'gc>>>>,
    #[collect(require_static)]
    pub(crate) run: Run,
}

/// Keys that no script can make.
#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
pub(crate) struct Keys<'gc> {
    /// In a table: its [`Layout`](crate::layout::Layout).
    pub(crate) layout: Value<'gc>,
    /// In piccolo's metatable: the one that Lua 5.1 consults, or false.
    pub(crate) events: Value<'gc>,
    /// In piccolo's metatable: what `getmetatable` shows. Its presence makes a table read-only.
    pub(crate) shown: Value<'gc>,
    /// In a metatable of a script: the one that stands in for it in piccolo.
    pub(crate) stand_in: Value<'gc>,
}

/// The names of metamethods.
#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
pub(crate) struct Events<'gc> {
    pub(crate) index: Value<'gc>,
    pub(crate) newindex: Value<'gc>,
    pub(crate) call: Value<'gc>,
    pub(crate) eq: Value<'gc>,
    pub(crate) lt: Value<'gc>,
    pub(crate) le: Value<'gc>,
    pub(crate) len: Value<'gc>,
    pub(crate) concat: Value<'gc>,
    pub(crate) metatable: Value<'gc>,
    /// Of arithmetic, in the order of [`Op::Add`] to [`Op::Minus`].
    pub(crate) arithmetic: [Value<'gc>; 7],
}

/// The run in progress.
pub(crate) struct Run {
    /// What another thread trips.
    pub(crate) stop: StopToken,
    pub(crate) deadline: Cell<Option<Instant>>,
    /// Bytes allowed; `usize::MAX` for no limit.
    pub(crate) memory: Cell<usize>,
    /// Where strings are joined.
    pub(crate) joined: Cell<Vec<u8>>,
    /// Bytes for which a table waits, to grow.
    pub(crate) wanting: Cell<usize>,
    /// Fuel that is left.
    pub(crate) fuel: Cell<u64>,
    /// Nested calls of functions of the host (`nCcalls`).
    pub(crate) calls: Cell<u32>,
    /// Nested calls that the running coroutine may not yield across.
    pub(crate) barrier: Cell<u32>,
    /// Calls that catch errors around the running function; without any, errors go through the
    /// handler of uncaught ones.
    pub(crate) protected: Cell<u32>,
    /// How many there may be.
    pub(crate) most_calls: Cell<u32>,
    /// Chunk name and line where an error was raised last.
    pub(crate) raised: RefCell<(Vec<u8>, i64)>,
    /// Where library functions put results together.
    pub(crate) buffer: RefCell<Vec<u8>>,
    /// What scripts are compiled against.
    pub(crate) known: Globals,
    /// The native that uncaught errors pass through.
    pub(crate) handler: NativeId,
    pub(crate) readonly: &'static str,
    pub(crate) unwrap: &'static str,
    pub(crate) fields: &'static [&'static str],
}

impl Run {
    /// Why the run must end, if it must.
    pub(crate) fn verdict(&self) -> Option<StopReason> {
        if let Some(reason) = self.stop.reason() {
            return Some(reason);
        }
        if self.fuel.get() == 0 {
            return Some(StopReason::Instructions);
        }
        let late = self.deadline.get().is_some_and(|deadline| Instant::now() >= deadline);
        late.then_some(StopReason::Time)
    }

    /// Takes away what so many instructions would.
    pub(crate) fn spend(&self, instructions: u64) {
        if self.fuel.get() != u64::MAX {
            self.fuel.set(self.fuel.get().saturating_sub(instructions));
        }
    }
}

/// An instruction that calls a function of the host.
#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
pub(crate) struct Caller<'gc> {
    /// The chunk's name.
    pub(crate) chunk: String<'gc>,
    /// The names of the function's instructions.
    names: Option<String<'gc>>,
    site: u64,
}

impl<'gc> Caller<'gc> {
    /// Who called the function that runs, when that is a function of Lua.
    pub(crate) fn of(exec: &Execution<'gc, '_>) -> Option<Self> {
        let frame = exec.upper_lua_frame()?;
        let names = match frame.current_function {
            FunctionRef::Named(names, _) => Some(names),
            _ => None,
        };
        Some(Caller { chunk: frame.chunk_name, names, site: frame.current_line.0 })
    }

    /// The beginning of a function.
    pub(crate) fn of_function(closure: Closure<'gc>) -> Self {
        let prototype = closure.prototype();
        let line = match prototype.reference {
            FunctionRef::Named(_, line) => line.0,
            _ => 1,
        };
        Caller { chunk: prototype.chunk_name, names: None, site: line.max(1) }
    }

    /// The line of the call.
    pub(crate) fn line(&self) -> i64 {
        line_of(Site(self.site))
    }

    /// What the instruction's value `index` is called.
    pub(crate) fn name(&self, index: usize) -> Name {
        let bytes = self.names.map_or(&[][..], String::as_bytes);
        names_at(bytes, Site(self.site), index)
    }

    /// What messages begin with (`luaL_where`).
    pub(crate) fn position(&self) -> Vec<u8> {
        let line = self.line().to_string();
        [&short_source(self.chunk.as_bytes()), &b":"[..], line.as_bytes(), b": "].concat()
    }
}

impl<'gc> Machine<'gc> {
    /// A string, perhaps one that was made before.
    pub(crate) fn string(&self, ctx: Context<'gc>, bytes: &[u8]) -> Value<'gc> {
        /// Longer ones are seldom the same.
        const SHORT: usize = 24;
        let (Some(&first), Some(&last)) = (bytes.first(), bytes.last()) else {
            return String::from_slice(&ctx, bytes).into();
        };
        if bytes.len() > SHORT {
            return String::from_slice(&ctx, bytes).into();
        }
        let mixed = usize::from(first) * 7 + usize::from(last) * 3 + bytes.len();
        let place = mixed % RECENT;
        if let Some(Some(known)) = self.recent.borrow().get(place)
            && known.as_bytes() == bytes
        {
            return (*known).into();
        }
        let string = String::from_slice(&ctx, bytes);
        if let Some(recent) = self.recent.borrow_mut(&ctx).get_mut(place) {
            *recent = Some(string);
        }
        string.into()
    }

    /// An empty list for results, with room in it as a rule.
    pub(crate) fn results(&self, ctx: Context<'gc>) -> Vec<Value<'gc>> {
        std::mem::take(&mut *self.spare.borrow_mut(&ctx))
    }

    /// Takes such a list back.
    pub(crate) fn give_back(&self, ctx: Context<'gc>, mut results: Vec<Value<'gc>>) {
        /// Lists of more places are not worth keeping.
        const KEPT: usize = 256;
        results.clear();
        if results.capacity() <= KEPT {
            *self.spare.borrow_mut(&ctx) = results;
        }
    }

    /// The function of an operation.
    pub(crate) fn op(&self, op: Op) -> Option<Function<'gc>> {
        self.ops.borrow().get(op as usize).copied()
    }

    /// How deeply calls of Lua functions are nested.
    pub(crate) fn depth(&self) -> Value<'gc> {
        match self.depth.get() {
            UpValueState::Closed(value) => value,
            UpValueState::Open(_) => Value::Integer(0),
        }
    }

    /// Remembers where an error is raised.
    pub(crate) fn note(&self, caller: Option<Caller<'gc>>) {
        let Some(caller) = caller.or(self.caller.get()) else { return };
        if let Ok(mut raised) = self.run.raised.try_borrow_mut() {
            raised.0.clear();
            raised.0.extend_from_slice(caller.chunk.as_bytes());
            raised.1 = caller.line();
        }
    }

    /// The error that raises a value from a function called by `caller`.
    pub(crate) fn raise(&self, caller: Option<Caller<'gc>>, value: Value<'gc>) -> Error<'gc> {
        self.note(caller);
        Error::from_value(value)
    }

    /// The error that raises a text as it is.
    pub(crate) fn text(
        &self,
        ctx: Context<'gc>,
        caller: Option<Caller<'gc>>,
        text: impl AsRef<[u8]>,
    ) -> Error<'gc> {
        self.raise(caller, String::from_slice(&ctx, text).into())
    }

    /// The error that raises a text with the caller's position (`luaL_error`, `luaG_runerror`).
    pub(crate) fn error(
        &self,
        ctx: Context<'gc>,
        caller: Option<Caller<'gc>>,
        text: impl AsRef<[u8]>,
    ) -> Error<'gc> {
        let position = caller.map(|caller| caller.position()).unwrap_or_default();
        self.text(ctx, caller, [&position, text.as_ref()].concat())
    }

    /// `luaL_argerror`; `index` counts from 1.
    pub(crate) fn argument_error(
        &self,
        ctx: Context<'gc>,
        caller: Option<Caller<'gc>>,
        index: usize,
        message: &[u8],
    ) -> Error<'gc> {
        let mut name = caller.map_or(Name::NONE, |caller| caller.name(0));
        let mut number = index;
        if name.kind == NameKind::Method {
            number -= 1;
            if number == 0 {
                let text: [&[u8]; 5] =
                    [b"calling '", &name.text, b"' on bad self (", message, b")"];
                return self.error(ctx, caller, text.concat());
            }
        }
        if name.kind == NameKind::None {
            name.text = b"?".to_vec();
        }
        let number = number.to_string();
        let text: [&[u8]; 7] =
            [b"bad argument #", number.as_bytes(), b" to '", &name.text, b"' (", message, b")"];
        self.error(ctx, caller, text.concat())
    }

    /// Counts a call from the host into Lua; refuses to nest too deeply (`luaD_call`).
    pub(crate) fn enter_call(
        &self,
        ctx: Context<'gc>,
        caller: Option<Caller<'gc>>,
    ) -> Result<(), Error<'gc>> {
        let calls = self.run.calls.get() + 1;
        if calls >= self.run.most_calls.get() {
            return Err(self.error(ctx, caller, "C stack overflow"));
        }
        self.run.calls.set(calls);
        self.run.barrier.set(self.run.barrier.get() + 1);
        Ok(())
    }

    /// The call is over.
    pub(crate) fn leave_call(&self) {
        self.run.calls.set(self.run.calls.get().saturating_sub(1));
        self.run.barrier.set(self.run.barrier.get().saturating_sub(1));
    }

    /// How deep everything is, for [`restore`](Self::restore).
    pub(crate) fn levels(&self) -> Levels {
        let depth = match self.depth() {
            Value::Integer(depth) => depth,
            _ => 0,
        };
        let Run { calls, barrier, protected, .. } = &self.run;
        Levels { depth, calls: calls.get(), barrier: barrier.get(), protected: protected.get() }
    }

    /// Goes back to a depth, after an error or a change of coroutines.
    pub(crate) fn restore(&self, ctx: Context<'gc>, levels: Levels) {
        self.run.calls.set(levels.calls);
        self.run.barrier.set(levels.barrier);
        self.run.protected.set(levels.protected);
        self.depth.set(&ctx, UpValueState::Closed(Value::Integer(levels.depth)));
    }

    /// Remembers who called the function that runs, for functions it calls itself.
    pub(crate) fn remember(&self, ctx: Context<'gc>, caller: Option<Caller<'gc>>) {
        if caller.is_some() {
            self.caller.set(&ctx, caller);
        }
    }
}

/// How many strings are kept for the next who makes them.
pub(crate) const RECENT: usize = 64;

/// How deeply calls are nested.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Levels {
    depth: i64,
    calls: u32,
    barrier: u32,
    protected: u32,
}

/// A function of the host.
pub(crate) fn function<'gc>(ctx: Context<'gc>, m: M<'gc>, body: Body) -> Value<'gc> {
    callback(ctx, m, body).into()
}

pub(crate) fn callback<'gc>(ctx: Context<'gc>, m: M<'gc>, body: Body) -> Callback<'gc> {
    Callback::from_fn_with(&ctx, m, move |m, ctx, exec, stack| body(*m, ctx, exec, stack))
}

/// Calls a function with what is on the stack, and goes on with a sequence.
pub(crate) fn call_then<'gc>(
    ctx: Context<'gc>,
    function: Function<'gc>,
    then: impl piccolo::Sequence<'gc> + 'gc,
) -> CallbackReturn<'gc> {
    CallbackReturn::Call { function, then: Some(BoxSequence::new(&ctx, then)) }
}
