//! Lua values into JSON.
//!
//! Owns what counts as an array, the spelling of strings and numbers, and the limits
//! (`json_append_*` in `lua_cjson.c`). Must not know where the text goes.

use redlua_core::{Arguments, Kind, Raise, ValueWriter};

use super::config::{Config, InvalidNumbers};
use crate::check::{Pace, STACK, out_of_memory, text_room};
use crate::number::{c_i32, g, integral};

/// A table being written.
#[derive(Clone, Copy, Debug)]
pub(super) enum Frame {
    /// An array: the index of the element under the cursor and the last one.
    Array { index: i32, len: i32 },
    /// An object; the cursor walks over its pairs.
    Object,
}

/// Appends the value under the cursor to `out`. Nesting is kept in `frames`, not on the stack of
/// this thread: a script may ask for any depth. `limits` knows what the script may take.
pub(super) fn encode(
    config: &Config,
    out: &mut Vec<u8>,
    frames: &mut Vec<Frame>,
    args: &mut dyn Arguments,
    limits: &mut dyn ValueWriter,
) -> Result<(), Raise> {
    frames.clear();
    let room = text_room(limits);
    let mut pace = Pace::default();
    // The values that the original holds on its stack: the argument, then one a level of an
    // array and two a level of an object.
    let mut slots = 1;
    loop {
        pace.step(limits)?;
        match args.kind() {
            Kind::String => string(args.bytes(), out, room)?,
            Kind::Number => number(config, args.number(), out)?,
            Kind::Boolean => {
                out.extend_from_slice(if args.boolean() { b"true" } else { b"false" });
            }
            Kind::Nil | Kind::None => out.extend_from_slice(b"null"),
            Kind::LightUserData if args.address() == 0 => out.extend_from_slice(b"null"),
            Kind::Table => {
                let depth = frames.len() + 1;
                if depth > config.encode_max_depth as usize || slots + 3 > STACK || !args.room(3) {
                    return Err(Raise::message(format!(
                        "Cannot serialise, excessive nesting ({depth})"
                    )));
                }
                match shape(config, args, &mut pace, limits)? {
                    Shape::Empty => out.extend_from_slice(b"{}"),
                    Shape::Array(len) => {
                        out.push(b'[');
                        args.enter_index(1);
                        frames.push(Frame::Array { index: 1, len });
                        slots += 1;
                        continue;
                    }
                    Shape::Object => {
                        out.push(b'{');
                        key(config, args, out, room)?;
                        frames.push(Frame::Object);
                        slots += 2;
                        continue;
                    }
                }
            }
            kind => return Err(exception(kind, "type not supported")),
        }
        if out.len() > room {
            return Err(out_of_memory());
        }
        // The value is complete; so may be the tables around it.
        loop {
            match frames.last_mut() {
                None => return Ok(()),
                Some(Frame::Array { index, len }) => {
                    args.leave();
                    if *index < *len {
                        *index += 1;
                        out.push(b',');
                        args.enter_index(i64::from(*index));
                        break;
                    }
                    out.push(b']');
                    slots -= 1;
                }
                Some(Frame::Object) => {
                    if args.next() {
                        out.push(b',');
                        key(config, args, out, room)?;
                        break;
                    }
                    out.push(b'}');
                    slots -= 2;
                }
            }
            frames.pop();
        }
    }
}

/// What a table becomes.
enum Shape {
    /// An object without pairs.
    Empty,
    /// An array of that length.
    Array(i32),
    /// An object; the cursor is on its first pair.
    Object,
}

/// What the table under the cursor becomes. A first key that is a string decides at once.
fn shape(
    config: &Config,
    args: &mut dyn Arguments,
    pace: &mut Pace,
    limits: &mut dyn ValueWriter,
) -> Result<Shape, Raise> {
    args.iterate();
    if !args.next() {
        return Ok(Shape::Empty);
    }
    if args.key_bytes().is_some() {
        return Ok(Shape::Object);
    }
    args.stop();
    if let Some(len) = array_len(config, args, pace, limits)? {
        return Ok(Shape::Array(len));
    }
    args.iterate();
    args.next();
    Ok(Shape::Object)
}

/// The key of the pair under the cursor, and the colon.
fn key(
    config: &Config,
    args: &mut dyn Arguments,
    out: &mut Vec<u8>,
    room: usize,
) -> Result<(), Raise> {
    if let Some(bytes) = args.key_bytes() {
        string(bytes, out, room)?;
        out.push(b':');
        return Ok(());
    }
    args.key();
    match args.kind() {
        Kind::String => string(args.bytes(), out, room)?,
        Kind::Number => {
            out.push(b'"');
            number(config, args.number(), out)?;
            out.push(b'"');
        }
        kind => return Err(exception(kind, "table key must be a number or string")),
    }
    out.push(b':');
    args.leave();
    Ok(())
}

/// The length of the table under the cursor when it becomes an array (`lua_array_length`).
fn array_len(
    config: &Config,
    args: &mut dyn Arguments,
    pace: &mut Pace,
    limits: &mut dyn ValueWriter,
) -> Result<Option<i32>, Raise> {
    let mut max: i32 = 0;
    let mut items: i32 = 0;
    args.iterate();
    while args.next() {
        pace.step(limits)?;
        args.key();
        let key = if args.kind() == Kind::Number { args.number() } else { 0.0 };
        args.leave();
        if !(key >= 1.0 && key.floor() == key) {
            args.stop();
            return Ok(None);
        }
        if key > f64::from(max) {
            // The maximum is a C int: what is too large for one becomes the least.
            max = c_i32(key);
        }
        items = items.wrapping_add(1);
    }
    if config.sparse_ratio > 0
        && max > items.wrapping_mul(config.sparse_ratio)
        && max > config.sparse_safe
    {
        return if config.sparse_convert {
            Ok(None)
        } else {
            Err(exception(Kind::Table, "excessively sparse array"))
        };
    }
    Ok((max > 0).then_some(max))
}

#[inline]
fn number(config: &Config, number: f64, out: &mut Vec<u8>) -> Result<(), Raise> {
    // Most numbers are integers that any precision but the smallest spells out.
    if config.precision == 14
        && let Some(integer) = integral(number, 1e14)
    {
        out.extend_from_slice(itoa::Buffer::new().format(integer).as_bytes());
        return Ok(());
    }
    if !number.is_finite() {
        match config.encode_invalid {
            InvalidNumbers::Refuse => {
                return Err(exception(Kind::Number, "must not be NaN or Inf"));
            }
            // Without the sign that C gives to some.
            InvalidNumbers::Spell if number.is_nan() => out.extend_from_slice(b"nan"),
            InvalidNumbers::Spell => out.extend_from_slice(&g(number, 14)),
            InvalidNumbers::Null => out.extend_from_slice(b"null"),
        }
        return Ok(());
    }
    out.extend_from_slice(&g(number, usize::from(config.precision)));
    Ok(())
}

/// What stands for each byte: 0 for itself, a letter for a backslash and that letter, `u` for
/// four hexadecimal digits (`char2escape`).
const ESCAPES: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 32 {
        table[byte] = b'u';
        byte += 1;
    }
    table[0x08] = b'b';
    table[0x09] = b't';
    table[0x0a] = b'n';
    table[0x0c] = b'f';
    table[0x0d] = b'r';
    table[b'"' as usize] = b'"';
    table[b'\\' as usize] = b'\\';
    table[b'/' as usize] = b'/';
    table[0x7f] = b'u';
    table
};

fn string(bytes: &[u8], out: &mut Vec<u8>, room: usize) -> Result<(), Raise> {
    // It becomes at least as long as it is.
    if bytes.len() > room.saturating_sub(out.len()) {
        return Err(out_of_memory());
    }
    out.reserve(bytes.len() + 2);
    out.push(b'"');
    let mut rest = bytes;
    while let Some(plain) = rest.iter().position(|&byte| ESCAPES[usize::from(byte)] != 0) {
        let (before, after) = rest.split_at(plain);
        out.extend_from_slice(before);
        if let Some((&byte, after)) = after.split_first() {
            escape(byte, out);
            rest = after;
        }
        if out.len() > room {
            return Err(out_of_memory());
        }
    }
    out.extend_from_slice(rest);
    out.push(b'"');
    Ok(())
}

fn escape(byte: u8, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    match ESCAPES[usize::from(byte)] {
        b'u' => {
            let (high, low) = (HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]);
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', high, low]);
        }
        letter => out.extend_from_slice(&[b'\\', letter]),
    }
}

/// `json_encode_exception`.
fn exception(kind: Kind, reason: &str) -> Raise {
    let name = if kind == Kind::None { Kind::Nil } else { kind }.name();
    Raise::message(format!("Cannot serialise {name}: {reason}"))
}
