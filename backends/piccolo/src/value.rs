//! piccolo's values as Lua 5.1 sees them.
//!
//! Owns kinds, equality, numbers and addresses. It must not know tables or calls.

use gc_arena::Gc;
use piccolo::{Function, UserData, Value};
use redlua_conversions::number::lua_str2number;
use redlua_core::Kind;

/// What the light userdata whose pointer is null is here.
pub(crate) struct NullPointer;

/// Whether a userdata is the null pointer.
pub(crate) fn is_null(userdata: UserData<'_>) -> bool {
    userdata.is_static::<NullPointer>()
}

/// The kind of a value.
pub(crate) fn kind(value: Value<'_>) -> Kind {
    match value {
        Value::Nil => Kind::Nil,
        Value::Boolean(_) => Kind::Boolean,
        Value::Integer(_) | Value::Number(_) => Kind::Number,
        Value::String(_) => Kind::String,
        Value::Table(_) => Kind::Table,
        Value::Function(_) => Kind::Function,
        Value::Thread(_) => Kind::Thread,
        Value::UserData(userdata) if is_null(userdata) => Kind::LightUserData,
        Value::UserData(_) => Kind::UserData,
    }
}

/// What identifies an object; 0 for other values.
pub(crate) fn address(value: Value<'_>) -> usize {
    match value {
        Value::Table(table) => Gc::as_ptr(table.into_inner()).addr(),
        Value::Function(Function::Closure(closure)) => Gc::as_ptr(closure.into_inner()).addr(),
        Value::Function(Function::Callback(callback)) => Gc::as_ptr(callback.into_inner()).addr(),
        Value::Thread(thread) => Gc::as_ptr(thread.into_inner()).addr(),
        Value::UserData(userdata) if is_null(userdata) => 0,
        Value::UserData(userdata) => Gc::as_ptr(userdata.into_inner()).addr(),
        _ => 0,
    }
}

/// The number that a value is.
pub(crate) fn number(value: Value<'_>) -> Option<f64> {
    match value {
        Value::Number(number) => Some(number),
        Value::Integer(number) => Some(number as f64),
        _ => None,
    }
}

/// The number that a value is or that its text reads as (`luaV_tonumber`).
pub(crate) fn to_number(value: Value<'_>) -> Option<f64> {
    match value {
        Value::String(text) => lua_str2number(text.as_bytes()),
        other => number(other),
    }
}

/// `lua_rawequal`.
pub(crate) fn raw_equal<'gc>(a: Value<'gc>, b: Value<'gc>) -> bool {
    match (a, b) {
        (Value::Nil, Value::Nil) => true,
        (Value::Boolean(a), Value::Boolean(b)) => a == b,
        (Value::String(a), Value::String(b)) => a == b,
        (Value::Table(a), Value::Table(b)) => a == b,
        (Value::Function(a), Value::Function(b)) => a == b,
        (Value::Thread(a), Value::Thread(b)) => a == b,
        (Value::UserData(a), Value::UserData(b)) => a == b || is_null(a) && is_null(b),
        (a, b) => match (number(a), number(b)) {
            (Some(a), Some(b)) => a == b,
            _ => false,
        },
    }
}
