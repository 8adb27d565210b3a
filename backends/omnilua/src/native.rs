//! The natives of the environment: functions whose Rust side is [`Bridge::native`].
//!
//! Owns their trampoline and the ways a native raises. It must not know what they compute.
//!
//! [`Bridge::native`]: redlua_core::Bridge::native

use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use lua_types::{LuaError, LuaValue};
use lua_vm::state::LuaState;
use redlua_core::{NativeId, Raise};

use crate::frame::{
    Frame, Values, argument_error, arguments, closure, message, no_memory, plain, results,
};
use crate::interrupt;
use crate::reader::Reader;
use crate::shared::Shared;
use crate::writer::Writer;

/// The function that runs the native `id`; the same one every time.
pub(crate) fn function(state: &mut LuaState, shared: &Shared, id: NativeId) -> LuaValue {
    if let Some(function) = shared.natives.borrow().get(&id) {
        return *function;
    }
    let Some(record) = shared.this.get().and_then(std::rc::Weak::upgrade) else {
        return LuaValue::Nil;
    };
    let function = closure(state, move |state| run(state, &record, id));
    shared.natives.borrow_mut().insert(id, function);
    function
}

/// The native `id` as the handler of errors: with no memory left it has to do its work all the
/// same, or it would be called again for its own failure.
pub(crate) fn handle(
    state: &mut LuaState,
    shared: &Rc<Shared>,
    id: NativeId,
) -> Result<usize, LuaError> {
    run_native(state, shared, id, false)
}

pub(crate) fn run(
    state: &mut LuaState,
    shared: &Rc<Shared>,
    id: NativeId,
) -> Result<usize, LuaError> {
    run_native(state, shared, id, true)
}

fn run_native(
    state: &mut LuaState,
    shared: &Rc<Shared>,
    id: NativeId,
    limited: bool,
) -> Result<usize, LuaError> {
    // Lua code that only calls natives would never collect what they make.
    state.gc_check_step();
    let arguments = arguments(state);
    let (result, stop, starved, values) = {
        let frame =
            Frame { state: RefCell::new(&mut *state), shared, arguments: &arguments, below: 0 };
        let mut args = Reader::new(&frame);
        let mut out = Writer::on(&frame, Values::new());
        let result = shared.bridge.with(|bridge| {
            catch_unwind(AssertUnwindSafe(|| bridge.native(id, &mut args, &mut out)))
        });
        (result, out.stop(), out.is_starved(), out.into_values())
    };
    if let Some(reason) = stop {
        interrupt::stop(state, shared, reason);
    }
    interrupt::listen(state, shared);
    match result {
        Some(Ok(Ok(()))) if starved && limited => Err(no_memory()),
        Some(Ok(Ok(()))) => {
            let count = results(state, &values)?;
            if limited && shared.over_limit(state) { Err(no_memory()) } else { Ok(count) }
        }
        Some(Ok(Err(raise))) => Err(raised(state, raise, values.last())),
        Some(Err(panic)) => Err(plain(&panic_text(panic.as_ref()))),
        None => Err(plain(b"a native ran outside of a script")),
    }
}

/// The error that a native or a library function ends with; `value` is the last one it built.
pub(crate) fn raised(state: &mut LuaState, raise: Raise, value: Option<&LuaValue>) -> LuaError {
    match raise {
        Raise::Message(text) => message(state, &text),
        Raise::Text(text) => plain(&text),
        Raise::Argument { index, message } => argument_error(state, index, &message),
        Raise::Value => LuaError::from_value(value.copied().unwrap_or_default()),
    }
}

/// What a script is told of a panic in the host or in a native.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> Vec<u8> {
    let message = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("unknown cause");
    format!("internal error: the host panicked: {message}").into_bytes()
}
