//! Functions of Lua's library that run in Rust, because C's cannot be stopped or take the C stack
//! that a pattern asks for.
//!
//! Owns the loop that does for them what only an engine can, step by step, and the list of those
//! that replace stock ones. What they compute is in `redlua_conversions::lualib`.

use std::ffi::c_int;
use std::panic::{AssertUnwindSafe, catch_unwind};

use redlua_conversions::lualib::{Budget, Context, Function, Task, gmatch_next};
use redlua_core::Step;

use crate::ffi::{self, lua_CFunction, lua_State};
use crate::interrupt;
use crate::native::{Verdict, conclude, failure, panicked, raise_memory};
use crate::reader::{StackReader, string_at};
use crate::sandbox::{push_stock, set_top};
use crate::scratch::stack_address;
use crate::state::{State, state_of};
use crate::writer::StackWriter;

/// The stock functions that are replaced.
const FUNCTIONS: [(&str, &str, lua_CFunction); 8] = [
    ("string", "find", find),
    ("string", "match", matching),
    ("string", "gmatch", gmatch),
    ("string", "gfind", gmatch),
    ("string", "gsub", gsub),
    ("string", "rep", rep),
    ("table", "sort", sort),
    ("table", "insert", insert),
];

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
            ffi::named(name, || ffi::lua_pushcclosure(lua, function, 0));
            set_top(lua, table, name);
            ffi::lua_settop(lua, table - 1);
        }
    }
}

/// Functions of the library by the names they have here.
macro_rules! functions {
    ($($name:ident = $function:expr;)*) => {
        $(
            /// # Safety
            /// Called by Lua.
            unsafe extern "C-unwind" fn $name(lua: *mut lua_State) -> c_int {
                // SAFETY: called by Lua; this frame owns nothing that needs dropping.
                unsafe { run(lua, $function) }
            }
        )*
    };
}

functions! {
    find = Function::FIND;
    matching = Function::MATCH;
    gsub = Function::GSUB;
    rep = Function::REP;
    sort = Function::SORT;
    insert = Function::INSERT;
}

/// Runs a function from step to step.
///
/// # Safety
/// Called in a C function called by Lua, in a frame that owns nothing.
#[inline]
pub(crate) unsafe fn run(lua: *mut lua_State, function: Function) -> c_int {
    // SAFETY: `Task` owns nothing, so the steps, which may raise, may jump over it. The indices
    // are those of arguments and of values that the task has appended above them.
    unsafe {
        let state = state_of(lua);
        let count = ffi::lua_gettop(lua);
        let mut task = Task::new(function);
        let mut call = Call { place: stack_address(), start: None };
        loop {
            match resume(lua, state, count, &mut task, &mut call) {
                Ok(Step::Return { results }) => return results as c_int,
                Ok(Step::Call { arguments }) => ffi::lua_call(lua, arguments as c_int, 1),
                Ok(Step::Index { table }) => ffi::lua_gettable(lua, table as c_int + 1),
                Ok(Step::Less { left, right }) => {
                    let (left, right) = (count + left as c_int + 1, count + right as c_int + 1);
                    let less = ffi::lua_lessthan(lua, left, right);
                    ffi::lua_pushboolean(lua, less);
                }
                Ok(Step::Next { table }) => {
                    if ffi::lua_next(lua, table as c_int + 1) == 0 {
                        ffi::lua_pushnil(lua);
                    }
                }
                Err(Verdict::Memory) => return raise_memory(lua),
                Err(_) if state.stopped.get().is_some() => return interrupt::end(lua),
                Err(verdict) => return conclude(lua, verdict),
            }
        }
    }
}

/// A call's part of the scratch.
#[derive(Clone, Copy)]
struct Call {
    /// Its place on the C stack.
    place: usize,
    /// Where its part begins, once it has begun.
    start: Option<usize>,
}

/// Runs the function to its next step.
///
/// # Safety
/// Called in a C function called by Lua with `count` arguments. Does not raise.
#[inline]
unsafe fn resume(
    lua: *mut lua_State,
    state: &State,
    count: c_int,
    task: &mut Task,
    call: &mut Call,
) -> Result<Step, Verdict> {
    let was = state.enforce(false);
    let mut scratch = state.scratch.take();
    let start = *call.start.get_or_insert_with(|| scratch.enter(call.place));
    // SAFETY: reader and writer work on the arguments and above them.
    let (mut args, mut work) =
        unsafe { (StackReader::unplaced(lua, 1, count), StackWriter::new(lua, 1, count)) };
    let mut budget = Allowance { lua, state };
    let result = catch_unwind(AssertUnwindSafe(|| {
        let mut context = Context { buffer: &mut scratch.bytes, budget: &mut budget };
        task.resume(&mut args, &mut work, &mut context)
    }));
    // SAFETY: as for the caller.
    let outcome = unsafe {
        match result {
            Ok(Ok(_)) if state.over_limit() => Err(Verdict::Memory),
            Ok(Ok(step)) => Ok(step),
            Ok(Err(raise)) => Err(failure(lua, count, raise)),
            Err(panic) => Err(panicked(lua, count, panic.as_ref())),
        }
    };
    match outcome {
        Ok(Step::Return { .. }) | Err(_) => scratch.leave(call.place, start),
        Ok(_) => scratch.wait(call.place, start),
    }
    state.scratch.set(scratch);
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
        unsafe { interrupt::note(self.lua) }
    }

    fn room(&self) -> usize {
        self.state.room()
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
            Err(Verdict::Memory) => raise_memory(lua),
            Err(_) if state_of(lua).stopped.get().is_some() => interrupt::end(lua),
            Err(verdict) => conclude(lua, verdict),
        }
    }
}

/// # Safety
/// As for `iterate`. Does not raise.
#[inline]
unsafe fn advance(lua: *mut lua_State) -> Result<c_int, Verdict> {
    // SAFETY: the upvalues are two strings, which live as long as the function that runs, and a
    // number. Pushes stay within LUA_MINSTACK or what `room` grants.
    unsafe {
        let state = state_of(lua);
        let count = ffi::lua_gettop(lua);
        let source = string_at(lua, ffi::lua_upvalueindex(1));
        let pattern = string_at(lua, ffi::lua_upvalueindex(2));
        let mut position = ffi::lua_tonumber(lua, ffi::lua_upvalueindex(3)) as usize;
        let was = state.enforce(false);
        let mut out = StackWriter::new(lua, 1, count);
        let mut budget = Allowance { lua, state };
        let result = catch_unwind(AssertUnwindSafe(|| {
            gmatch_next(source, pattern, &mut position, &mut out, &mut budget)
        }));
        let outcome = match result {
            Ok(Ok(())) if state.over_limit() => Err(Verdict::Memory),
            Ok(Ok(())) => {
                let results = ffi::lua_gettop(lua) - count;
                ffi::lua_pushnumber(lua, position as f64);
                ffi::lua_replace(lua, ffi::lua_upvalueindex(3));
                Ok(results)
            }
            Ok(Err(raise)) => Err(failure(lua, count, raise)),
            Err(panic) => Err(panicked(lua, count, panic.as_ref())),
        };
        state.enforce(was);
        outcome
    }
}
