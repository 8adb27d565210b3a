//! `DEBUG` (`debug.c`), as far as it makes sense on a store in memory.
//!
//! Owns the subcommands. It must not know how replies are encoded.

use std::time::Duration;

use redlua_core::{Protocol, ReplySink, Seq};

use super::digest;
use crate::arg;
use crate::context::Cx;
use crate::error::{CommandError, CommandResult, NO_SUCH_KEY};
use crate::value::{Str, Value};

pub(crate) fn debug(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let rest = &argv[2..];
    match (argv[1].to_ascii_lowercase().as_slice(), rest) {
        (b"help", _) => super::help::show(cx, argv),
        (b"protocol", [name]) => protocol(cx.sink, name),
        (b"sleep", [seconds]) => {
            let seconds = arg::float(seconds).unwrap_or(0.0).clamp(0.0, 1e9);
            sleep(cx, Duration::from_secs_f64(seconds));
            cx.ok()
        }
        (b"error", [text]) => Err(CommandError::new(*text)),
        (b"set-disable-deny-scripts", [flag]) => {
            cx.server.scripts_may_all =
                flag.first().is_some_and(|byte| (b'1'..=b'9').contains(byte));
            cx.ok()
        }
        (b"object", [key, ..]) => object(cx, key),
        (b"sdslen", [key]) => match cx.keys.peek(key).map(|entry| &entry.value) {
            None => Err(NO_SUCH_KEY),
            Some(Value::Str(text)) if !matches!(text, Str::Int(_)) => {
                let (key, len) = (key.len(), text.len());
                let line = format!(
                    "key_sds_len:{key}, key_sds_avail:0, key_zmalloc: {key}, val_sds_len:{len}, \
                     val_sds_avail:0, val_zmalloc: {len}"
                );
                cx.sink.status(line.as_bytes());
                Ok(())
            }
            Some(_) => Err(CommandError::fixed("ERR Not an sds encoded string.")),
        },
        (b"set-active-expire", [flag]) => {
            cx.server.active_expire = flag.first().is_some_and(|byte| (b'1'..=b'9').contains(byte));
            cx.ok()
        }
        (b"populate", [count, rest @ ..]) if rest.len() <= 2 => populate(cx, count, rest),
        (b"digest", []) => digest::whole(cx),
        (b"digest-value", keys) => digest::of_keys(cx, keys),
        (b"structsize", []) => {
            // Those of a 64-bit build.
            cx.sink.bulk(
                b"bits:64 robj:16 dictentry:24 sdshdr5:1 sdshdr8:3 sdshdr16:5 sdshdr32:9 \
                  sdshdr64:17 ",
            );
            Ok(())
        }
        (b"change-repl-id", _)
        | (b"reload", _)
        | (b"log", [_])
        | (b"quicklist-packed-threshold" | b"pause-cron" | b"set-skip-checksum-validation", [_])
        | (b"drop-cluster-packet-filter", [_])
        | (b"replybuffer", [_, _]) => cx.ok(),
        _ => Err(super::wrong_subcommand(cx, argv)),
    }
}

/// Makes strings that are called alike, unless they are there (`debug.c debugCommand`).
fn populate(cx: &mut Cx<'_>, count: &[u8], rest: &[&[u8]]) -> CommandResult {
    let count = arg::positive(count)?;
    let prefix = rest.first().copied().unwrap_or(b"key");
    let size = rest.get(1).map(|size| arg::positive(size)).transpose()?;
    for number in 0..count {
        let digits = number.to_string();
        let key = [prefix, b":", digits.as_bytes()].concat();
        if cx.keys.exists(&key) {
            continue;
        }
        let mut value = format!("value:{number}").into_bytes();
        if let Some(size) = size.filter(|size| *size > 0) {
            value.resize(size.min(cx.server.max_bulk()), 0);
        }
        cx.keys.set_string(&key, &value);
    }
    cx.ok()
}

/// Lets time pass: a manual clock is moved, otherwise the thread sleeps.
fn sleep(cx: &mut Cx<'_>, time: Duration) {
    let before = cx.server.clock.now();
    cx.server.clock.advance(time);
    if cx.server.clock.now().saturating_sub(before) < time {
        std::thread::sleep(time);
    }
}

fn object(cx: &mut Cx<'_>, key: &[u8]) -> CommandResult {
    let now = cx.keys.now() / 1000;
    let entry = cx.keys.peek(key).ok_or(NO_SUCH_KEY)?;
    let idle = (now - i64::from(entry.accessed())).max(0);
    let line = format!(
        "Value at:0x{:012x} refcount:1 encoding:{} serializedlength:{} lru:{} lru_seconds_idle:{}",
        0x7f00_0000_0000_u64,
        entry.value.encoding(),
        entry.value.memory(),
        entry.accessed() & 0xff_ffff,
        idle
    );
    cx.sink.status(line.as_bytes());
    Ok(())
}

/// A reply of each type (`DEBUG PROTOCOL`).
fn protocol(sink: &mut dyn ReplySink, name: &[u8]) -> CommandResult {
    match name.to_ascii_lowercase().as_slice() {
        b"string" => sink.bulk(b"Hello World"),
        b"integer" => sink.integer(12345),
        b"double" => sink.double(3141.0 / 1000.0),
        b"bignum" => sink.big_number(b"1234567999999999999999999999999999999"),
        b"null" => sink.null(),
        b"array" => {
            sink.seq(Seq::Array, 3);
            (0..3).for_each(|number| sink.integer(number));
        }
        b"set" => {
            sink.seq(Seq::Set, 3);
            (0..3).for_each(|number| sink.integer(number));
        }
        b"map" => {
            sink.map(3);
            for number in 0..3 {
                sink.integer(number);
                sink.boolean(number == 1);
            }
        }
        b"attrib" => {
            if sink.protocol() == Protocol::Resp3 {
                sink.attribute(1);
                sink.bulk(b"key-popularity");
                sink.seq(Seq::Array, 2);
                sink.bulk(b"key:123");
                sink.integer(90);
            }
            sink.bulk(b"Some real reply following the attribute");
        }
        b"push" => {
            if sink.protocol() == Protocol::Resp2 {
                return Err(CommandError::fixed("ERR RESP2 is not supported by this command"));
            }
            sink.seq(Seq::Push, 2);
            sink.bulk(b"server-cpu-usage");
            sink.integer(42);
        }
        b"true" => sink.boolean(true),
        b"false" => sink.boolean(false),
        b"verbatim" => sink.verbatim(*b"txt", b"This is a verbatim\nstring"),
        _ => {
            return Err(CommandError::fixed(
                "ERR Wrong protocol type name. Please use one of the following: \
                 string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false",
            ));
        }
    }
    Ok(())
}
