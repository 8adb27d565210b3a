//! `redis.call` and `redis.pcall`: the hot path from Lua to the bridge.
//!
//! Owns the gathering of arguments and the raising of error replies. It must not know what a
//! command is.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use lua_types::{LuaError, LuaValue};
use lua_vm::state::LuaState;
use redlua_conversions::number::{Text, g17};
use redlua_core::{CallMode, Flow};
use smallvec::SmallVec;

use crate::frame::{Frame, Values, arguments, no_memory, plain};
use crate::interrupt;
use crate::native::panic_text;
use crate::reader::number;
use crate::shared::Shared;
use crate::writer::Writer;

/// `redis.call`.
pub(crate) fn redis_call(state: &mut LuaState, shared: &Rc<Shared>) -> Result<usize, LuaError> {
    run(state, shared, CallMode::Call)
}

/// `redis.pcall`.
pub(crate) fn redis_pcall(state: &mut LuaState, shared: &Rc<Shared>) -> Result<usize, LuaError> {
    run(state, shared, CallMode::Pcall)
}

#[inline]
fn run(state: &mut LuaState, shared: &Shared, mode: CallMode) -> Result<usize, LuaError> {
    state.gc_check_step();
    let arguments = arguments(state);
    let frame = Frame { state: RefCell::new(&mut *state), shared, arguments: &arguments, below: 0 };
    let mut out = Writer::on(&frame, Values::new());
    let outcome = with_argv(&arguments, |argv| {
        shared
            .bridge
            .with(|bridge| catch_unwind(AssertUnwindSafe(|| bridge.call(mode, argv, &mut out))))
    });
    let starved = out.is_starved();
    let value = out.into_values().pop().unwrap_or_default();
    interrupt::listen(state, shared);
    match outcome {
        Some(Ok(_)) if starved => Err(no_memory()),
        Some(Ok(Flow::Return)) => {
            state.push(value);
            if shared.over_limit(state) { Err(no_memory()) } else { Ok(1) }
        }
        Some(Ok(Flow::Raise)) => Err(LuaError::from_value(value)),
        Some(Err(panic)) => Err(plain(&panic_text(panic.as_ref()))),
        None => Err(plain(b"redis.call outside of a script")),
    }
}

/// Runs `f` with the bytes of the arguments: strings where they lie, numbers written with 17
/// digits; `None` when there is something else among them.
#[inline]
fn with_argv<R>(arguments: &[LuaValue], f: impl FnOnce(Option<&[&[u8]]>) -> R) -> R {
    let mut texts: SmallVec<[Text; 4]> = SmallVec::new();
    for value in arguments {
        match value {
            LuaValue::Str(_) => {}
            LuaValue::Int(_) | LuaValue::Float(_) => texts.push(g17(number(value))),
            _ => return f(None),
        }
    }
    let mut numbers = texts.iter();
    let argv: SmallVec<[&[u8]; 16]> = arguments
        .iter()
        .map(|value| match value {
            LuaValue::Str(string) => string.as_bytes(),
            _ => numbers.next().map_or(&[][..], |text| &text[..]),
        })
        .collect();
    f(Some(&argv))
}
