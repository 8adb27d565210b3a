//! `OBJECT`: what is known about a key besides its value (`object.c objectCommand`).
//!
//! Owns the subcommands. It must not know how values are laid out.

use crate::context::Cx;
use crate::error::{CommandError, CommandResult};
use crate::value::{Str, Value};

/// Integers below this are objects that all keys share (`OBJ_SHARED_INTEGERS`).
const SHARED_INTEGERS: i64 = 10_000;
/// What a shared object's reference count looks like (`OBJ_SHARED_REFCOUNT`).
const SHARED_COUNT: i64 = i32::MAX as i64;

pub(crate) fn encoding(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    match cx.keys.inspect(argv[2]) {
        Some(entry) => cx.sink.bulk(entry.value.encoding().as_bytes()),
        None => cx.sink.null(),
    }
    Ok(())
}

pub(crate) fn refcount(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let shared = cx.server.shares_integers();
    match cx.keys.inspect(argv[2]) {
        Some(entry) => cx.sink.integer(match entry.value {
            Value::Str(Str::Int(number)) if shared && (0..SHARED_INTEGERS).contains(&number) => {
                SHARED_COUNT
            }
            _ => 1,
        }),
        None => cx.sink.null(),
    }
    Ok(())
}

pub(crate) fn idletime(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let now = cx.keys.now() / 1000;
    let lfu = cx.server.counts_frequency();
    match cx.keys.inspect(argv[2]) {
        Some(_) if lfu => Err(CommandError::fixed(
            "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that \
             when switching between policies at runtime LRU and LFU data will take some time to \
             adjust.",
        )),
        Some(entry) => {
            let idle = now - i64::from(entry.accessed());
            cx.integer(idle.max(0))
        }
        None => cx.null(),
    }
}

pub(crate) fn freq(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let lfu = cx.server.counts_frequency();
    match cx.keys.inspect(argv[2]) {
        Some(entry) if lfu => {
            let frequency = entry.frequency;
            cx.integer(frequency)
        }
        Some(_) => Err(CommandError::fixed(
            "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please \
             note that when switching between policies at runtime LRU and LFU data will take \
             some time to adjust.",
        )),
        None => cx.null(),
    }
}
