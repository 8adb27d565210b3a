//! Functions of Lua's library that run in Rust, because C's cannot be stopped or take the C stack
//! that a pattern asks for.
//!
//! Owns the loop that does for them what only an engine can, step by step, and the list of those
//! that replace stock ones. What they compute is in `redlua_conversions::lualib`.

use std::ffi::c_int;
use std::panic::{AssertUnwindSafe, catch_unwind};

use redlua_conversions::lualib::{
    Budget, Context, Function, Search, Substitution, Task, call, gmatch_next,
};
use redlua_core::{Raise, Step, Workspace};

use crate::base::stock;
use crate::ffi::{self, lua_CFunction, lua_State};
use crate::interrupt;
use crate::look::string_at;
use crate::native::{Verdict, conclude, failure, panicked, raise_memory};
use crate::reader::{StackReader, next_pair};
use crate::sandbox::{push_stock, set_top};
use crate::state::{State, state_of};
use crate::writer::StackWriter;

/// The stock functions that are replaced.
const FUNCTIONS: [(&str, &str, lua_CFunction); 7] = [
    ("string", "find", find),
    ("string", "match", matching),
    ("string", "gmatch", gmatch),
    ("string", "gfind", gmatch),
    ("string", "gsub", gsub),
    ("string", "rep", rep),
    ("table", "sort", sort),
];

/// Elements that are sorted in a few milliseconds whatever their order.
const SHORT: usize = 500;
/// Bytes of a string that is compared in no time.
const LONG: usize = 1024;

/// Puts the functions into the stock libraries below the globals at `globals`.
///
/// # Safety
/// `globals` is the absolute index of the table of globals; memory is not limited; 4 slots are
/// free. Stack 0.
pub(crate) unsafe fn install(lua: *mut lua_State, globals: c_int) {
    // SAFETY: by contract; the libraries are tables, all accesses are raw.
    unsafe {
        for (library, name, function) in FUNCTIONS {
            push_stock(lua, globals, library);
            let table = ffi::lua_gettop(lua);
            push_stock(lua, table, name);
            ffi::named(name, || ffi::lua_pushcclosure(lua, function, 1));
            set_top(lua, table, name);
            ffi::lua_settop(lua, table - 1);
        }
    }
}

/// Functions of the library by the names they have here.
macro_rules! functions {
    ($($name:ident = $run:ident($what:expr);)*) => {
        $(
            /// # Safety
            /// Called by Lua.
            unsafe extern "C-unwind" fn $name(lua: *mut lua_State) -> c_int {
                // SAFETY: called by Lua; this frame owns nothing that needs dropping.
                unsafe { $run(lua, $what) }
            }
        )*
    };
}

functions! {
    find = search(true);
    matching = search(false);
    gsub = substitute(Function::GSUB);
    rep = once(Function::REP);
}

/// `string.find` and `string.match`.
///
/// # Safety
/// Called in a C function called by Lua, in a frame that owns nothing.
#[inline]
unsafe fn search(lua: *mut lua_State, positions: bool) -> c_int {
    // SAFETY: by contract; nothing is owned when something is raised. Strings among the arguments
    // live as long as the call.
    unsafe {
        let count = ffi::lua_gettop(lua);
        let Some(search) = asked(lua, count, positions) else {
            return once(lua, if positions { Function::FIND } else { Function::MATCH });
        };
        let state = state_of(lua);
        match write(lua, state, count, |out, budget| search.run(out, budget)) {
            Ok(results) => results as c_int,
            Err(verdict) => end(lua, state, verdict),
        }
    }
}

/// The arguments of a search, when they are of the types that they mostly are.
///
/// # Safety
/// Called in a C function called by Lua with `count` arguments. The result is used only while it
/// runs. Stack 0; neither raises nor allocates.
#[inline]
unsafe fn asked<'a>(lua: *mut lua_State, count: c_int, positions: bool) -> Option<Search<'a>> {
    // SAFETY: by contract; only a string is read as one.
    unsafe {
        if ffi::lua_type(lua, 1) != ffi::LUA_TSTRING || ffi::lua_type(lua, 2) != ffi::LUA_TSTRING {
            return None;
        }
        let init = match count {
            2 => 1.0,
            _ => match ffi::lua_type(lua, 3) {
                ffi::LUA_TNUMBER => ffi::lua_tonumber(lua, 3),
                ffi::LUA_TNIL => 1.0,
                _ => return None,
            },
        };
        let plain = positions && count > 3 && ffi::lua_toboolean(lua, 4) != 0;
        let (source, pattern) = (string_at(lua, 1), string_at(lua, 2));
        Some(Search { source, pattern, init, plain, positions })
    }
}

/// `string.gsub`.
///
/// # Safety
/// Called in a C function called by Lua, in a frame that owns nothing.
#[inline]
unsafe fn substitute(lua: *mut lua_State, function: Function) -> c_int {
    // SAFETY: by contract; `Substitution` owns nothing, and what it borrows are arguments, which
    // stay where they are.
    unsafe {
        let called = ffi::lua_gettop(lua) == 3
            && ffi::lua_type(lua, 1) == ffi::LUA_TSTRING
            && ffi::lua_type(lua, 2) == ffi::LUA_TSTRING
            && ffi::lua_type(lua, 3) == ffi::LUA_TFUNCTION;
        if !called {
            return run(lua, function);
        }
        let mut substitution = Substitution::new(string_at(lua, 1), string_at(lua, 2));
        steps(lua, |_, work, context| substitution.resume(work, context))
    }
}

/// `table.sort`: C's own where it cannot take long, because there is not much to sort, and on
/// Lua 5.1 and LuaJIT, where it is the same, also where a function of the script compares, which
/// can be stopped. LuaJIT's words errors of its own otherwise, and is a level of calls, which it
/// does not count.
///
/// # Safety
/// Called by Lua, with the stock function as its upvalue.
unsafe extern "C-unwind" fn sort(lua: *mut lua_State) -> c_int {
    // SAFETY: called by Lua; this frame owns nothing.
    unsafe {
        let table = ffi::lua_type(lua, 1) == ffi::LUA_TTABLE;
        let short = table && ffi::lua_objlen(lua, 1) <= SHORT;
        let compares = ffi::lua_type(lua, 2) == ffi::LUA_TFUNCTION;
        let scripted = compares && ffi::lua_tocfunction(lua, 2).is_none();
        #[cfg(luajit)]
        if table && (scripted || short && compares) {
            return crate::coroutine::nested(lua, || stock(lua));
        }
        if !cfg!(luajit) && (!table || short && are_small(lua) || cfg!(lua51) && scripted) {
            return stock(lua);
        }
        run(lua, Function::SORT)
    }
}

/// Whether no element of the table that is the first argument is a string that takes long to
/// compare.
///
/// # Safety
/// Called in a C function called by Lua, whose first argument is a table of few elements; 1 slot
/// is free. Stack 0; neither raises nor allocates.
unsafe fn are_small(lua: *mut lua_State) -> bool {
    // SAFETY: by contract; all accesses are raw.
    unsafe {
        (1..=ffi::lua_objlen(lua, 1)).all(|index| {
            ffi::lua_rawgeti(lua, 1, index as _);
            let small =
                ffi::lua_type(lua, -1) != ffi::LUA_TSTRING || ffi::lua_objlen(lua, -1) <= LONG;
            ffi::lua_settop(lua, -2);
            small
        })
    }
}

/// `table.insert` in the middle of a table, which takes as long as the table is.
///
/// # Safety
/// Called by Lua, in a frame that owns nothing.
pub(crate) unsafe fn insert(lua: *mut lua_State) -> c_int {
    // SAFETY: by contract.
    unsafe { run(lua, Function::INSERT) }
}

/// `table.concat` of a long table, which takes as long as the table is.
///
/// # Safety
/// Called by Lua, in a frame that owns nothing.
#[cfg(lua51)]
pub(crate) unsafe fn concat(lua: *mut lua_State) -> c_int {
    // SAFETY: by contract.
    unsafe { once(lua, Function::CONCAT) }
}

/// Runs a function that is done at once.
///
/// # Safety
/// Called in a C function called by Lua, in a frame that owns nothing.
#[inline]
unsafe fn once(lua: *mut lua_State, function: Function) -> c_int {
    // SAFETY: by contract; nothing is owned when something is raised.
    unsafe {
        let state = state_of(lua);
        let count = ffi::lua_gettop(lua);
        let mut at = Place::here();
        match dispatch(lua, state, count, &mut at, |args, work, context| {
            call(function, args, work, context)?;
            Ok(Step::Return { results: work.top() })
        }) {
            Ok(_) => ffi::lua_gettop(lua) - count,
            Err(verdict) => end(lua, state, verdict),
        }
    }
}

/// Raises.
///
/// # Safety
/// As for [`conclude`].
#[cold]
unsafe fn end(lua: *mut lua_State, state: &State, verdict: Verdict) -> c_int {
    // SAFETY: by contract.
    unsafe {
        match verdict {
            Verdict::Memory => raise_memory(lua),
            _ if state.stopped.get().is_some() => interrupt::end(lua),
            verdict => conclude(lua, verdict),
        }
    }
}

/// Runs a function from step to step.
///
/// # Safety
/// Called in a C function called by Lua, in a frame that owns nothing.
#[inline]
pub(crate) unsafe fn run(lua: *mut lua_State, function: Function) -> c_int {
    // SAFETY: by contract; `Task` owns nothing.
    unsafe {
        let mut task = Task::new(function);
        steps(lua, |args, work, context| task.resume(args, work, context))
    }
}

/// Does what each step asks for.
///
/// # Safety
/// Called in a C function called by Lua, in a frame that owns nothing; nor does `step`.
#[inline]
unsafe fn steps(
    lua: *mut lua_State,
    mut step: impl FnMut(&mut StackReader, &mut StackWriter, &mut Context<'_>) -> Result<Step, Raise>,
) -> c_int {
    // SAFETY: nothing is owned here, so the steps, which may raise, may jump over it. The indices
    // are those of arguments and of values that were appended above them.
    unsafe {
        let state = state_of(lua);
        let count = ffi::lua_gettop(lua);
        let mut at = Place::here();
        loop {
            match dispatch(lua, state, count, &mut at, &mut step) {
                Ok(Step::Return { results }) => return results as c_int,
                Ok(Step::Call { arguments }) => ffi::lua_call(lua, arguments as c_int, 1),
                Ok(Step::Index { table }) => ffi::lua_gettable(lua, table as c_int + 1),
                Ok(Step::Less { left, right }) => {
                    let (left, right) = (count + left as c_int + 1, count + right as c_int + 1);
                    let less = ffi::lua_lessthan(lua, left, right);
                    ffi::lua_pushboolean(lua, less);
                }
                Ok(Step::Next { table }) => {
                    if next_pair(lua, table as c_int + 1) == 0 {
                        ffi::lua_pushnil(lua);
                    }
                }
                Err(verdict) => return end(lua, state, verdict),
            }
        }
    }
}

/// A call's place in the scratch.
#[derive(Clone, Copy)]
struct Place {
    /// Where it is on the C stack, once it has begun.
    address: usize,
    /// Where its part begins, once it has begun.
    start: Option<usize>,
}

impl Place {
    fn here() -> Self {
        Place { address: 0, start: None }
    }

    /// Its own address is below those of who called it and above those of whom it calls.
    fn begin(&mut self) {
        if self.address == 0 {
            self.address = (&raw const *self).addr();
        }
    }
}

/// Runs a function to its next step.
///
/// # Safety
/// Called in a C function called by Lua with `count` arguments. Does not raise.
#[inline]
unsafe fn dispatch(
    lua: *mut lua_State,
    state: &State,
    count: c_int,
    at: &mut Place,
    function: impl FnOnce(&mut StackReader, &mut StackWriter, &mut Context<'_>) -> Result<Step, Raise>,
) -> Result<Step, Verdict> {
    let Ok(mut scratch) = state.scratch.try_borrow_mut() else { return Err(Verdict::Memory) };
    let was = state.enforce(false);
    at.begin();
    let start = match at.start {
        Some(start) => start,
        None => scratch.enter(at.address),
    };
    at.start = Some(start);
    let result = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: reader and writer work on the arguments and above them.
        let (mut args, mut work) =
            unsafe { (StackReader::unplaced(lua, 1, count), StackWriter::new(lua, 1, count)) };
        let mut budget = Allowance { lua, state };
        let mut context = Context { buffer: &mut scratch.bytes, budget: &mut budget };
        let step = function(&mut args, &mut work, &mut context)?;
        Ok((step, args.floor()))
    }));
    // SAFETY: as for the caller.
    let outcome = unsafe {
        match result {
            Ok(Ok(_)) if state.over_limit() => Err(Verdict::Memory),
            Ok(_) if interrupt::told(lua, state) => Err(Verdict::Stopped),
            // The tables behind stand-ins among the arguments lie below the results.
            Ok(Ok((Step::Return { results }, floor))) => {
                let above = ffi::lua_gettop(lua) - floor;
                Ok(Step::Return { results: results.min(usize::try_from(above).unwrap_or(0)) })
            }
            Ok(Ok((step, _))) => Ok(step),
            Ok(Err(raise)) => Err(failure(lua, count, raise)),
            Err(panic) => Err(panicked(lua, count, panic.as_ref())),
        }
    };
    match outcome {
        Ok(Step::Return { .. }) | Err(_) => scratch.leave(at.address, start),
        Ok(_) => scratch.wait(at.address, start),
    }
    state.enforce(was);
    outcome
}

/// What the limits of a run leave.
struct Allowance<'a> {
    lua: *mut lua_State,
    state: &'a State,
}

impl Budget for Allowance<'_> {
    fn interrupted(&mut self) -> bool {
        // SAFETY: the state is live, and a function called by Lua runs.
        unsafe { interrupt::note(self.lua, interrupt::INTERVAL) }
    }

    fn room(&self) -> usize {
        // While a result is given to Lua it is there twice.
        self.state.room() / 2
    }
}

/// `string.gmatch`: the function it returns has the text, the pattern and the position as its
/// upvalues.
///
/// # Safety
/// Called by Lua.
unsafe extern "C-unwind" fn gmatch(lua: *mut lua_State) -> c_int {
    // SAFETY: called by Lua; the checks turn numbers into strings.
    unsafe {
        ffi::luaL_checklstring(lua, 1, std::ptr::null_mut());
        ffi::luaL_checklstring(lua, 2, std::ptr::null_mut());
        ffi::lua_settop(lua, 2);
        ffi::lua_pushnumber(lua, 0.0);
        ffi::lua_pushcclosure(lua, iterate, 3);
        1
    }
}

/// # Safety
/// Called by Lua, with the upvalues that `gmatch` gave it.
unsafe extern "C-unwind" fn iterate(lua: *mut lua_State) -> c_int {
    // SAFETY: `advance` does not raise; then nothing is owned here.
    unsafe {
        match advance(lua) {
            Ok(results) => results,
            Err(verdict) => end(lua, state_of(lua), verdict),
        }
    }
}

/// # Safety
/// As for `iterate`. Does not raise.
#[inline]
unsafe fn advance(lua: *mut lua_State) -> Result<c_int, Verdict> {
    // SAFETY: the upvalues are two strings, which live as long as the function that runs, and a
    // number.
    unsafe {
        let state = state_of(lua);
        let count = ffi::lua_gettop(lua);
        let source = string_at(lua, ffi::lua_upvalueindex(1));
        let pattern = string_at(lua, ffi::lua_upvalueindex(2));
        let mut position = ffi::lua_tonumber(lua, ffi::lua_upvalueindex(3)) as usize;
        write(lua, state, count, |out, budget| {
            gmatch_next(source, pattern, &mut position, out, budget)
        })?;
        let results = ffi::lua_gettop(lua) - count;
        ffi::lua_pushnumber(lua, position as f64);
        ffi::lua_replace(lua, ffi::lua_upvalueindex(3));
        Ok(results)
    }
}

/// Runs what only writes results.
///
/// # Safety
/// Called in a C function called by Lua with `count` arguments. Does not raise.
#[inline]
unsafe fn write<T>(
    lua: *mut lua_State,
    state: &State,
    count: c_int,
    function: impl FnOnce(&mut StackWriter, &mut Allowance<'_>) -> Result<T, Raise>,
) -> Result<T, Verdict> {
    let was = state.enforce(false);
    let mut budget = Allowance { lua, state };
    let result = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: the writer works above the arguments.
        let mut out = unsafe { StackWriter::new(lua, 1, count) };
        function(&mut out, &mut budget)
    }));
    // SAFETY: as for the caller.
    let outcome = unsafe {
        match result {
            Ok(Ok(_)) if state.over_limit() => Err(Verdict::Memory),
            Ok(Ok(done)) => Ok(done),
            Ok(Err(raise)) => Err(failure(lua, count, raise)),
            Err(panic) => Err(panicked(lua, count, panic.as_ref())),
        }
    };
    state.enforce(was);
    outcome
}
