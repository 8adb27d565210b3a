//! Lua values into JSON.
//!
//! Owns what counts as an array, the spelling of strings and numbers, and the limits
//! (`json_append_*` in `lua_cjson.c`). Must not know where the text goes.

use redlua_core::{Arguments, Kind, Raise, Scalar, ValueWriter};

use super::config::{Config, InvalidNumbers};
use super::token::{repeated, zeros};
use crate::check::{Pace, STACK, out_of_memory, text_room};
use crate::number::{Text, c_i32, g, integral};
use crate::output::{Output, word};

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
    out: &mut Output,
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
    let mut of_pair = false;
    loop {
        pace.step(limits)?;
        // The cursor is on the value to come, which is an element or belongs to a pair.
        let value = if of_pair {
            let (name, value) = args.pair();
            key(config, name, out, room)?;
            value
        } else {
            args.look()
        };
        match value {
            Scalar::String(bytes) => string(bytes, b'"', out, room)?,
            Scalar::Number(value) => number(config, value, out)?,
            Scalar::Boolean(true) => out.word(word(b"true"), 4),
            Scalar::Boolean(false) => out.word(word(b"false"), 5),
            Scalar::Other(Kind::Table) => {
                let depth = frames.len() + 1;
                if depth > config.encode_max_depth as usize || slots + 3 > STACK || !args.room(3) {
                    return Err(Raise::message(format!(
                        "Cannot serialise, excessive nesting ({depth})"
                    )));
                }
                match shape(config, args, &mut pace, limits)? {
                    Shape::Empty => out.word(word(b"{}"), 2),
                    Shape::Array(len) => {
                        out.push(b'[');
                        args.enter_index(1);
                        frames.push(Frame::Array { index: 1, len });
                        slots += 1;
                        of_pair = false;
                        continue;
                    }
                    Shape::Object => {
                        out.push(b'{');
                        frames.push(Frame::Object);
                        slots += 2;
                        of_pair = true;
                        continue;
                    }
                }
            }
            Scalar::Other(kind) => other(kind, &*args, out)?,
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
                        of_pair = false;
                        break;
                    }
                    out.push(b']');
                    slots -= 1;
                }
                Some(Frame::Object) => {
                    if args.next() {
                        out.push(b',');
                        of_pair = true;
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

/// A value that is neither of those that JSON has nor a table.
#[cold]
fn other(kind: Kind, cursor: &dyn Arguments, out: &mut Output) -> Result<(), Raise> {
    match kind {
        Kind::Nil | Kind::None => {}
        Kind::LightUserData if cursor.address() == 0 => {}
        kind => return Err(exception(kind, "type not supported")),
    }
    out.word(word(b"null"), 4);
    Ok(())
}

/// The key of a pair and the colon.
#[inline]
fn key(config: &Config, key: Scalar<'_>, out: &mut Output, room: usize) -> Result<(), Raise> {
    match key {
        Scalar::String(bytes) => return string(bytes, b':', out, room),
        Scalar::Number(key) => {
            out.push(b'"');
            number(config, key, out)?;
            out.word(word(b"\":"), 2);
        }
        other => return Err(exception(other.kind(), "table key must be a number or string")),
    }
    Ok(())
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
    if let (Scalar::String(_), _) = args.pair() {
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
        let (Scalar::Number(key), _) = args.pair() else {
            args.stop();
            return Ok(None);
        };
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
fn number(config: &Config, number: f64, out: &mut Output) -> Result<(), Raise> {
    // Most numbers are integers that any precision but the smallest spells out.
    match integral(number, 1e14) {
        Some(digit @ 0..=9) => out.push(b'0' + digit as u8),
        Some(integer) if config.precision == 14 => out.extend(&Text::integer(integer)),
        _ => return other_number(config, number, out),
    }
    Ok(())
}

#[inline(never)]
fn other_number(config: &Config, number: f64, out: &mut Output) -> Result<(), Raise> {
    if !number.is_finite() {
        match config.encode_invalid {
            InvalidNumbers::Refuse => {
                return Err(exception(Kind::Number, "must not be NaN or Inf"));
            }
            // Without the sign that C gives to some.
            InvalidNumbers::Spell if number.is_nan() => out.extend(b"nan"),
            InvalidNumbers::Spell => out.extend(&g(number, 14)),
            InvalidNumbers::Null => out.extend(b"null"),
        }
        return Ok(());
    }
    out.extend(&g(number, usize::from(config.precision)));
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

/// A string, with `last` behind it unless that is the quote itself.
#[inline]
fn string(bytes: &[u8], last: u8, out: &mut Output, room: usize) -> Result<(), Raise> {
    let len = bytes.len();
    if len > 5 {
        return long_string(bytes, last, out, room);
    }
    // All of it in one word, what is behind the end being taken for letters.
    let text = word(bytes);
    if escapes(text | repeated(b'a') << (8 * len)) != 0 {
        return long_string(bytes, last, out, room);
    }
    let quotes = (u64::from(last) << 8 | u64::from(b'"')) << (8 * len);
    out.word((text | quotes) << 8 | u64::from(b'"'), len + 2 + usize::from(last != b'"'));
    Ok(())
}

#[inline(never)]
fn long_string(bytes: &[u8], last: u8, out: &mut Output, room: usize) -> Result<(), Raise> {
    // It becomes at least as long as it is.
    if bytes.len() > room.saturating_sub(out.len()) {
        return Err(out_of_memory());
    }
    // A quote, then chunks of eight bytes, the last of them with fewer and a quote behind.
    let space = out.space(bytes.len() + 9);
    if let Some(quote) = space.first_mut() {
        *quote = b'"';
    }
    let mut rest = bytes;
    loop {
        let len = rest.len().min(8);
        let text = word(rest);
        let plain = 1 + bytes.len() - rest.len();
        if escapes(text | repeated(b'a').unbounded_shl(8 * len as u32)) != 0 {
            out.take(plain);
            return escaped(rest, last, out, room);
        }
        let text = text | u64::from(b'"').unbounded_shl(8 * len as u32);
        if let Some(place) = space.get_mut(plain..).and_then(<[u8]>::first_chunk_mut::<8>) {
            *place = text.to_le_bytes();
        }
        if len < 8 {
            break;
        }
        rest = rest.get(8..).unwrap_or_default();
    }
    out.take(bytes.len() + 2);
    if last != b'"' {
        out.push(last);
    }
    Ok(())
}

/// The rest of a string in which something is escaped.
#[inline(never)]
fn escaped(bytes: &[u8], last: u8, out: &mut Output, room: usize) -> Result<(), Raise> {
    let mut rest = bytes;
    while !rest.is_empty() {
        // What is behind the end is taken for letters.
        let len = rest.len().min(8);
        let chunk = word(rest) | repeated(b'a').unbounded_shl(8 * len as u32);
        let plain = (escapes(chunk).trailing_zeros() as usize / 8).min(len);
        out.word(chunk, plain);
        rest = rest.get(plain..).unwrap_or_default();
        if plain < len
            && let Some((&byte, behind)) = rest.split_first()
        {
            escape(byte, out);
            rest = behind;
            if out.len() > room {
                return Err(out_of_memory());
            }
        }
    }
    out.push(b'"');
    if last != b'"' {
        out.push(last);
    }
    Ok(())
}

/// The top bits of the bytes of a word that are escaped; above the first one there may be false
/// ones.
#[inline]
fn escapes(word: u64) -> u64 {
    let control = word.wrapping_sub(repeated(0x20)) & !word & repeated(0x80);
    let others = [b'"', b'\\', b'/', 0x7f];
    others.iter().fold(control, |found, &byte| found | zeros(word ^ repeated(byte)))
}

fn escape(byte: u8, out: &mut Output) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    match ESCAPES[usize::from(byte)] {
        b'u' => {
            let (high, low) = (HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]);
            out.extend(&[b'\\', b'u', b'0', b'0', high, low]);
        }
        letter => out.extend(&[b'\\', letter]),
    }
}

/// `json_encode_exception`.
fn exception(kind: Kind, reason: &str) -> Raise {
    let name = if kind == Kind::None { Kind::Nil } else { kind }.name();
    Raise::message(format!("Cannot serialise {name}: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_and_the_test_of_words_agree() {
        for byte in 0..=255 {
            for place in 0..8 {
                let mut bytes = [b'a'; 8];
                bytes[place] = byte;
                let found = escapes(u64::from_le_bytes(bytes));
                let expected = if ESCAPES[usize::from(byte)] == 0 { 8 } else { place as u32 };
                assert_eq!(found.trailing_zeros() / 8, expected, "{byte} at {place}");
            }
        }
    }

    #[test]
    fn escapes_anywhere() {
        for len in 0..30 {
            for place in 0..len {
                let mut bytes = vec![b'x'; len];
                bytes[place] = b'\n';
                let mut out = Output::default();
                string(&bytes, b'"', &mut out, usize::MAX).unwrap();
                let text = String::from_utf8(bytes).unwrap().replace('\n', "\\n");
                assert_eq!(out.as_bytes(), format!("\"{text}\"").as_bytes());
            }
        }
    }
}
