//! MessagePack into Lua values.
//!
//! Owns the formats understood and the errors of malformed input (`mp_decode_*` in
//! `lua_cmsgpack.c`). Must not know which values are asked for.

use redlua_core::{Raise, ValueWriter};

use crate::check::{Halt, Pace, STACK};
use crate::gather::{Gather, LIST, Parts, RECORD, WAITING};

/// A table under construction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    state: State,
    /// What a map's key is, before its value.
    key: Key,
    /// How many elements or pairs are to come.
    left: u32,
    /// The index of the element to come, of one that is there.
    index: u32,
    /// What waits.
    parts: Parts,
}

/// What the next value of a table is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// An element of an array.
    Element,
    /// A key of a map.
    Key,
    /// A map's value.
    Value,
    /// The same of tables whose parts wait.
    WaitingElement,
    WaitingKey,
    WaitingValue,
}

/// What decoding uses again and again.
#[derive(Clone, Debug, Default)]
pub(super) struct Scratch {
    frames: Vec<Frame>,
    pub(super) gather: Gather,
    /// Whether the last value failed only because tables wait.
    pub(super) cramped: bool,
}

/// What kind of key a map's pair has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    String,
    /// Another that may be one.
    Other,
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
    scratch: &'a mut Scratch,
    /// How many values the original's stack holds.
    slots: usize,
    pace: Pace,
}

impl<'a> Decoder<'a> {
    /// A decoder of `data` while the original's stack holds `slots` values.
    pub(super) fn new(data: &'a [u8], scratch: &'a mut Scratch, slots: usize) -> Self {
        Decoder { rest: data, scratch, slots, pace: Pace::default() }
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
        self.scratch.frames.clear();
        let bottom = self.slots;
        // Inside of tables, whoever opened one has asked for the room of a key and a value.
        self.room(1, TOO_MANY, out)?;
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
            let mut key = Key::Other;
            let mut name: &[u8] = &[];
            match item {
                Item::Nil => {
                    key = Key::Nil;
                    out.nil();
                }
                Item::Boolean(boolean) => out.boolean(boolean),
                Item::Number(number) => {
                    if number.is_nan() {
                        key = Key::Nan;
                    }
                    out.number(number);
                }
                Item::String(bytes) => {
                    key = Key::String;
                    name = bytes;
                    out.string(bytes);
                }
                Item::Array(len) => {
                    if self.array(len, out)? {
                        continue;
                    }
                }
                Item::Map(pairs) => {
                    if self.map(pairs, out)? {
                        continue;
                    }
                }
            }
            if self.complete(key, name, out)? {
                self.slots = bottom + 1;
                return Ok(());
            }
        }
    }

    /// Makes sure that so many values more fit.
    #[inline]
    fn room(
        &mut self,
        values: usize,
        place: &'static str,
        out: &mut dyn ValueWriter,
    ) -> Result<(), Wrong> {
        if out.room(values) {
            return Ok(());
        }
        self.scratch.cramped = self.scratch.gather.is_on();
        Err(Wrong::Overflow(place))
    }

    /// Begins an array; returns whether there are elements to come.
    #[inline]
    fn array(&mut self, len: u32, out: &mut dyn ValueWriter) -> Result<bool, Wrong> {
        const PLACE: &str = "in function mp_decode_to_lua_array";
        if self.slots >= STACK {
            return Err(Wrong::Overflow(PLACE));
        }
        if len == 0 {
            out.table(0, 0);
            return Ok(false);
        }
        let waits = self.scratch.gather.allows(self.scratch.frames.len());
        let state = if waits {
            self.room(WAITING, PLACE, out)?;
            State::WaitingElement
        } else {
            out.table(0, 0);
            self.room(1, PLACE, out)?;
            State::Element
        };
        self.push(state, len, out);
        self.slots += 1;
        Ok(true)
    }

    /// Begins a map; returns whether there are pairs to come.
    #[inline]
    fn map(&mut self, pairs: u32, out: &mut dyn ValueWriter) -> Result<bool, Wrong> {
        if pairs == 0 {
            out.table(0, 0);
            return Ok(false);
        }
        let waits = self.scratch.gather.allows(self.scratch.frames.len());
        let state = if waits {
            self.room(WAITING, TOO_MANY, out)?;
            State::WaitingKey
        } else {
            out.table(0, 0);
            self.room(2, TOO_MANY, out)?;
            State::Key
        };
        self.push(state, pairs, out);
        Ok(true)
    }

    #[inline]
    fn push(&mut self, state: State, left: u32, out: &mut dyn ValueWriter) {
        let parts = match state {
            State::WaitingElement | State::WaitingKey => self.scratch.gather.table(out),
            _ => Parts::default(),
        };
        self.scratch.frames.push(Frame { state, key: Key::Other, left, index: 1, parts });
    }

    /// Puts the value just written where it belongs, and so on outwards while tables are
    /// complete. A string's bytes are `name`. Returns whether nothing is left to come.
    #[inline]
    fn complete(
        &mut self,
        key: Key,
        name: &[u8],
        out: &mut dyn ValueWriter,
    ) -> Result<bool, Wrong> {
        let Scratch { frames, gather, .. } = &mut *self.scratch;
        let mut key = key;
        while let Some(frame) = frames.last_mut() {
            match frame.state {
                State::Key => {
                    frame.key = key;
                    frame.state = State::Value;
                    return Ok(false);
                }
                State::WaitingKey => {
                    frame.key = key;
                    frame.state = State::WaitingValue;
                    if key == Key::String {
                        gather.key(name);
                    } else {
                        frame.parts.other_key();
                    }
                    return Ok(false);
                }
                State::Value | State::WaitingValue if frame.key == Key::Nil => {
                    return Err(Wrong::NilKey);
                }
                State::Value | State::WaitingValue if frame.key == Key::Nan => {
                    return Err(Wrong::NanKey);
                }
                State::WaitingValue => {
                    self.slots -= 2;
                    frame.left -= 1;
                    frame.parts.add(key == Key::Nil);
                    if frame.left > 0 {
                        frame.state = State::WaitingKey;
                        if frame.parts.len() == RECORD {
                            frame.state = State::Key;
                            gather.end_record(&frame.parts, out);
                        }
                        return Ok(false);
                    }
                    gather.end_record(&frame.parts, out);
                }
                State::WaitingElement => {
                    self.slots -= 1;
                    frame.left -= 1;
                    frame.parts.add(key == Key::Nil);
                    if frame.left > 0 {
                        if frame.parts.len() == LIST {
                            frame.state = State::Element;
                            frame.index = LIST + 1;
                            gather.end_list(&frame.parts, out);
                        }
                        return Ok(false);
                    }
                    gather.end_list(&frame.parts, out);
                    self.slots -= 1;
                }
                State::Element => {
                    out.set_index(i64::from(frame.index));
                    self.slots -= 1;
                    frame.left -= 1;
                    if frame.left > 0 {
                        frame.index += 1;
                        return Ok(false);
                    }
                    self.slots -= 1;
                }
                State::Value => {
                    out.set_pair();
                    self.slots -= 2;
                    frame.left -= 1;
                    if frame.left > 0 {
                        frame.state = State::Key;
                        return Ok(false);
                    }
                }
            }
            // The table is a value now, and may be a key.
            frames.pop();
            key = Key::Other;
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
