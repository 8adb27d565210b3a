//! MessagePack into Lua values.
//!
//! Owns the formats understood and the errors of malformed input (`mp_decode_*` in
//! `lua_cmsgpack.c`). Must not know which values are asked for.

use redlua_core::{Raise, ValueWriter};

use crate::check::{Halt, Pace, STACK};

/// A table under construction.
#[derive(Clone, Copy, Debug)]
pub(super) enum Frame {
    /// An array: the index of the element to come, and the last one.
    Array { index: u32, len: u32 },
    /// A map before a key: how many pairs are to come.
    Key { pairs: u32 },
    /// A map before a value, and whether its key may be one (`settable` refuses some).
    Value { pairs: u32, key: Key },
}

/// What kind of key a map's pair has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Usable,
    Nil,
    Nan,
}

/// One item of the input: a scalar, or the beginning of a container.
enum Item<'a> {
    Nil,
    Boolean(bool),
    Number(f64),
    String(&'a [u8]),
    Array(u32),
    Map(u32),
}

/// What is wrong; small, since it travels with every item.
#[derive(Clone, Copy, Debug)]
enum Wrong {
    /// The input ends too early (`MP_CUR_ERROR_EOF`).
    Short,
    /// No such format (`MP_CUR_ERROR_BADFMT`).
    Format,
    /// A map's key is nil.
    NilKey,
    /// A map's key is NaN.
    NanKey,
    /// Too many values (`luaL_checkstack`), by the name that the original gives to the place.
    Overflow(&'static str),
    /// The script may not go on.
    Halt(Halt),
}

impl From<Halt> for Wrong {
    fn from(halt: Halt) -> Wrong {
        Wrong::Halt(halt)
    }
}

impl From<Wrong> for Raise {
    #[cold]
    fn from(wrong: Wrong) -> Raise {
        match wrong {
            Wrong::Short => Raise::message("Missing bytes in input."),
            Wrong::Format => Raise::message("Bad data format in input."),
            // Lua's own errors in a C function, hence without a position.
            Wrong::NilKey => Raise::Text(b"table index is nil".to_vec()),
            Wrong::NanKey => Raise::Text(b"table index is NaN".to_vec()),
            Wrong::Halt(halt) => halt.into(),
            Wrong::Overflow(place) => Raise::message(format!("stack overflow ({place})")),
        }
    }
}

/// Reads values from the beginning of some bytes.
pub(super) struct Decoder<'a> {
    rest: &'a [u8],
    frames: &'a mut Vec<Frame>,
    /// How many values the original's stack holds.
    slots: usize,
    pace: Pace,
}

impl<'a> Decoder<'a> {
    /// A decoder of `data` while the original's stack holds `slots` values.
    pub(super) fn new(data: &'a [u8], frames: &'a mut Vec<Frame>, slots: usize) -> Self {
        Decoder { rest: data, frames, slots, pace: Pace::default() }
    }

    pub(super) fn at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// Makes sure of the slot of the position that goes before the values.
    pub(super) fn finish(&self) -> Result<(), Raise> {
        if self.slots < STACK {
            Ok(())
        } else {
            Err(Wrong::Overflow("in function mp_unpack_full").into())
        }
    }

    /// Writes one value.
    pub(super) fn value(&mut self, out: &mut dyn ValueWriter) -> Result<(), Raise> {
        self.one(out).map_err(Raise::from)
    }

    fn one(&mut self, out: &mut dyn ValueWriter) -> Result<(), Wrong> {
        self.frames.clear();
        let bottom = self.slots;
        // Inside of tables, whoever opened one has asked for the room of a key and a value.
        if !out.room(1) {
            return Err(Wrong::Overflow(TOO_MANY));
        }
        loop {
            self.pace.step(out)?;
            if self.rest.is_empty() {
                return Err(Wrong::Short);
            }
            if self.slots >= STACK {
                return Err(Wrong::Overflow(TOO_MANY));
            }
            let item = item(&mut self.rest)?;
            self.slots += 1;
            let key = match item {
                Item::Nil => Key::Nil,
                Item::Number(number) if number.is_nan() => Key::Nan,
                _ => Key::Usable,
            };
            match item {
                Item::Nil => out.nil(),
                Item::Boolean(boolean) => out.boolean(boolean),
                Item::Number(number) => out.number(number),
                Item::String(bytes) => out.string(bytes),
                Item::Array(len) => {
                    out.table(0, 0);
                    if self.slots >= STACK || (len > 0 && !out.room(1)) {
                        return Err(Wrong::Overflow("in function mp_decode_to_lua_array"));
                    }
                    if len > 0 {
                        self.frames.push(Frame::Array { index: 1, len });
                        self.slots += 1;
                        continue;
                    }
                }
                Item::Map(pairs) => {
                    out.table(0, 0);
                    if pairs > 0 && !out.room(2) {
                        return Err(Wrong::Overflow(TOO_MANY));
                    }
                    if pairs > 0 {
                        self.frames.push(Frame::Key { pairs });
                        continue;
                    }
                }
            }
            if self.complete(key, out)? {
                self.slots = bottom + 1;
                return Ok(());
            }
        }
    }

    /// Puts the value just written where it belongs, and so on outwards while tables are
    /// complete. Returns whether nothing is left to come.
    #[inline]
    fn complete(&mut self, key: Key, out: &mut dyn ValueWriter) -> Result<bool, Wrong> {
        let mut key = key;
        while let Some(frame) = self.frames.last_mut() {
            match frame {
                Frame::Array { index, len } => {
                    out.set_index(i64::from(*index));
                    self.slots -= 1;
                    if *index < *len {
                        *index += 1;
                        return Ok(false);
                    }
                    self.slots -= 1;
                }
                Frame::Key { pairs } => {
                    *frame = Frame::Value { pairs: *pairs, key };
                    return Ok(false);
                }
                Frame::Value { key: Key::Nil, .. } => {
                    return Err(Wrong::NilKey);
                }
                Frame::Value { key: Key::Nan, .. } => {
                    return Err(Wrong::NanKey);
                }
                Frame::Value { pairs, key: Key::Usable } => {
                    out.set_pair();
                    self.slots -= 2;
                    if *pairs > 1 {
                        *frame = Frame::Key { pairs: *pairs - 1 };
                        return Ok(false);
                    }
                }
            }
            // The table is a value now, and may be a key.
            self.frames.pop();
            key = Key::Usable;
        }
        Ok(true)
    }
}

/// How many bytes up to `limit` values take; `None` when they are malformed.
pub(super) fn skip(data: &[u8], limit: u64) -> Option<usize> {
    let mut rest = data;
    for _ in 0..limit {
        if rest.is_empty() {
            break;
        }
        let mut pending: u64 = 1;
        while pending > 0 {
            pending -= 1;
            pending += match item(&mut rest).ok()? {
                Item::Array(len) => u64::from(len),
                Item::Map(pairs) => u64::from(pairs) * 2,
                _ => 0,
            };
        }
    }
    Some(data.len() - rest.len())
}

/// Takes one item off the input.
#[inline(always)]
fn item<'a>(rest: &mut &'a [u8]) -> Result<Item<'a>, Wrong> {
    let Some((&tag, mut data)) = rest.split_first() else { return Err(Wrong::Short) };
    let item = match tag {
        0x00..=0x7f => Item::Number(f64::from(tag)),
        0xe0..=0xff => Item::Number(f64::from(tag as i8)),
        0xa0..=0xbf => Item::String(take(&mut data, usize::from(tag & 31))?),
        0x90..=0x9f => Item::Array(u32::from(tag & 15)),
        0x80..=0x8f => Item::Map(u32::from(tag & 15)),
        0xc0 => Item::Nil,
        0xc2 => Item::Boolean(false),
        0xc3 => Item::Boolean(true),
        0xca => Item::Number(f64::from(f32::from_be_bytes(bytes(&mut data)?))),
        0xcb => Item::Number(f64::from_be_bytes(bytes(&mut data)?)),
        0xcc => Item::Number(f64::from(u8::from_be_bytes(bytes(&mut data)?))),
        0xcd => Item::Number(f64::from(u16::from_be_bytes(bytes(&mut data)?))),
        0xce => Item::Number(f64::from(u32::from_be_bytes(bytes(&mut data)?))),
        // Large unsigned numbers come out negative.
        0xcf | 0xd3 => Item::Number(i64::from_be_bytes(bytes(&mut data)?) as f64),
        0xd0 => Item::Number(f64::from(i8::from_be_bytes(bytes(&mut data)?))),
        0xd1 => Item::Number(f64::from(i16::from_be_bytes(bytes(&mut data)?))),
        0xd2 => Item::Number(f64::from(i32::from_be_bytes(bytes(&mut data)?))),
        0xd9 => {
            let len = u8::from_be_bytes(bytes(&mut data)?);
            Item::String(take(&mut data, usize::from(len))?)
        }
        0xda => {
            let len = u16::from_be_bytes(bytes(&mut data)?);
            Item::String(take(&mut data, usize::from(len))?)
        }
        0xdb => {
            let len = u32::from_be_bytes(bytes(&mut data)?);
            Item::String(take(&mut data, len as usize)?)
        }
        0xdc => Item::Array(u32::from(u16::from_be_bytes(bytes(&mut data)?))),
        0xdd => Item::Array(u32::from_be_bytes(bytes(&mut data)?)),
        0xde => Item::Map(u32::from(u16::from_be_bytes(bytes(&mut data)?))),
        0xdf => Item::Map(u32::from_be_bytes(bytes(&mut data)?)),
        // Binary strings and extensions are younger than the library.
        0xc1 | 0xc4..=0xc9 | 0xd4..=0xd8 => return Err(Wrong::Format),
    };
    *rest = data;
    Ok(item)
}

fn take<'a>(data: &mut &'a [u8], len: usize) -> Result<&'a [u8], Wrong> {
    let (taken, rest) = data.split_at_checked(len).ok_or(Wrong::Short)?;
    *data = rest;
    Ok(taken)
}

fn bytes<const N: usize>(data: &mut &[u8]) -> Result<[u8; N], Wrong> {
    let (taken, rest) = data.split_first_chunk::<N>().ok_or(Wrong::Short)?;
    *data = rest;
    Ok(*taken)
}

/// What the original says when a value would not fit on its stack.
const TOO_MANY: &str = "too many return values at once; use unpack_one or unpack_limit instead.";
