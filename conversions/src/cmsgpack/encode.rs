//! Lua values into MessagePack.
//!
//! Owns the choice of formats (`mp_encode_*` in `lua_cmsgpack.c`). Must not know how many values
//! are packed.

use redlua_core::{Arguments, Kind, Raise, Scalar, ValueWriter};

use crate::check::{Halt, Pace, STACK, out_of_memory, text_room};
use crate::number::{c_i32, c_i64};
use crate::output::Output;

/// Tables nested deeper than this become nil (`LUACMSGPACK_MAX_NESTING`).
const MAX_NESTING: usize = 16;

/// Appends the value under a cursor to a buffer.
pub(super) struct Encoder<'a> {
    out: &'a mut Output,
    cursor: &'a mut dyn Arguments,
    /// Who knows what the script may take.
    limits: &'a mut dyn ValueWriter,
    room: usize,
    pace: Pace,
}

impl<'a> Encoder<'a> {
    pub(super) fn new(
        out: &'a mut Output,
        cursor: &'a mut dyn Arguments,
        limits: &'a mut dyn ValueWriter,
    ) -> Self {
        let room = text_room(limits);
        Encoder { out, cursor, limits, room, pace: Pace::default() }
    }

    /// Appends the value under the cursor, inside `level` tables, while the original's stack
    /// holds `slots` values.
    pub(super) fn value(&mut self, level: usize, slots: usize) -> Result<(), Raise> {
        self.pace.step(self.limits)?;
        if self.out.len() > self.room {
            return Err(out_of_memory());
        }
        if scalar(self.out, self.cursor.look(), level, self.room)? {
            return Ok(());
        }
        self.table(level, slots)
    }

    fn table(&mut self, level: usize, slots: usize) -> Result<(), Raise> {
        self.check_room(slots, 2, "in function table_is_an_array")?;
        self.cursor.iterate();
        if !self.cursor.next() {
            self.check_room(slots, 1, "in function mp_encode_lua_table_as_array")?;
            self.out.push(0x90);
            return Ok(());
        }
        if !matches!(self.cursor.pair(), (Scalar::String(_), _)) {
            self.cursor.stop();
            if let Some(len) = self.sequence()? {
                self.check_room(slots, 1, "in function mp_encode_lua_table_as_array")?;
                collection(self.out, len, 0x90, 0xdc);
                for index in 1..=len {
                    self.cursor.enter_index(index as i64);
                    self.value(level + 1, slots + 1)?;
                    self.cursor.leave();
                }
                return Ok(());
            }
            self.cursor.iterate();
            self.cursor.next();
        }
        self.check_room(slots, 3, "in function mp_encode_lua_table_as_map")?;
        self.pairs(level, slots)
    }

    /// The pairs of a table as a map; the cursor is on the first one. The number of pairs goes
    /// before them but is known behind them: the byte kept for it does for most.
    fn pairs(&mut self, level: usize, slots: usize) -> Result<(), Raise> {
        let start = self.out.len();
        self.out.push(0x80);
        let mut len = 0;
        loop {
            self.pace.step(self.limits)?;
            if self.out.len() > self.room {
                return Err(out_of_memory());
            }
            let (key, value) = self.cursor.pair();
            if !scalar(self.out, key, level + 1, self.room)? {
                self.cursor.key();
                self.table(level + 1, slots + 3)?;
                self.cursor.leave();
                self.value(level + 1, slots + 2)?;
            } else if !scalar(self.out, value, level + 1, self.room)? {
                self.table(level + 1, slots + 2)?;
            }
            len += 1;
            if !self.cursor.next() {
                break;
            }
        }
        if len > 15 {
            let mut head = Output::default();
            collection(&mut head, len, 0x80, 0xde);
            self.out.splice(start, head.as_bytes());
        } else if let Some(head) = self.out.byte_mut(start) {
            *head |= len as u8;
        }
        Ok(())
    }

    /// The length of the table when its keys are 1 to that length (`table_is_an_array`).
    fn sequence(&mut self) -> Result<Option<usize>, Halt> {
        let mut count = 0;
        let mut max: i32 = 0;
        self.cursor.iterate();
        while self.cursor.next() {
            self.pace.step(self.limits)?;
            match self.cursor.pair().0 {
                Scalar::Number(key) if key > 0.0 && f64::from(c_i32(key)) == key => {
                    max = max.max(c_i32(key));
                }
                _ => {
                    self.cursor.stop();
                    return Ok(None);
                }
            }
            count += 1;
        }
        Ok((usize::try_from(max) == Ok(count)).then_some(count))
    }

    fn check_room(&mut self, slots: usize, more: usize, place: &str) -> Result<(), Raise> {
        if slots + more <= STACK && self.cursor.room(3) {
            Ok(())
        } else {
            Err(Raise::message(format!("stack overflow ({place})")))
        }
    }
}

/// A value that has no parts, and in the place of a table that is nested too deep nil; false when
/// it is another table.
#[inline]
fn scalar(out: &mut Output, value: Scalar<'_>, level: usize, room: usize) -> Result<bool, Raise> {
    match value {
        Scalar::String(bytes) => string(out, bytes, room)?,
        Scalar::Number(value) => number(out, value),
        Scalar::Boolean(value) => out.push(if value { 0xc3 } else { 0xc2 }),
        Scalar::Other(Kind::Table) if level < MAX_NESTING => return Ok(false),
        Scalar::Other(_) => out.push(0xc0),
    }
    Ok(true)
}

#[inline]
fn number(out: &mut Output, number: f64) {
    if number.is_finite() && c_i64(number) as f64 == number {
        integer(out, c_i64(number));
    } else if f64::from(number as f32) == number {
        tagged(out, 0xca, (number as f32).to_be_bytes());
    } else {
        tagged(out, 0xcb, number.to_be_bytes());
    }
}

#[inline]
fn integer(out: &mut Output, integer: i64) {
    match integer {
        -32..=127 => out.push(integer as u8),
        128..=0xff => tagged(out, 0xcc, [integer as u8]),
        0x100..=0xffff => tagged(out, 0xcd, (integer as u16).to_be_bytes()),
        0x1_0000..=0xffff_ffff => tagged(out, 0xce, (integer as u32).to_be_bytes()),
        0x1_0000_0000.. => tagged(out, 0xcf, integer.to_be_bytes()),
        -128..=-33 => tagged(out, 0xd0, [integer as u8]),
        -0x8000..=-129 => tagged(out, 0xd1, (integer as i16).to_be_bytes()),
        -0x8000_0000..=-0x8001 => tagged(out, 0xd2, (integer as i32).to_be_bytes()),
        _ => tagged(out, 0xd3, integer.to_be_bytes()),
    }
}

fn tagged<const N: usize>(out: &mut Output, tag: u8, bytes: [u8; N]) {
    out.push(tag);
    out.extend(&bytes);
}

#[inline]
fn string(out: &mut Output, bytes: &[u8], room: usize) -> Result<(), Raise> {
    if bytes.len() > room.saturating_sub(out.len()) {
        return Err(out_of_memory());
    }
    match bytes.len() {
        len @ ..32 => out.push(0xa0 | len as u8),
        len @ ..=0xff => tagged(out, 0xd9, [len as u8]),
        len => header(out, len, 0xda, 0xdb),
    }
    out.extend(bytes);
    Ok(())
}

/// The beginning of an array or a map of `len` elements.
fn collection(out: &mut Output, len: usize, fixed: u8, wide: u8) {
    match len {
        ..=15 => out.push(fixed | len as u8),
        _ => header(out, len, wide, wide + 1),
    }
}

/// A length of 16 or 32 bits; a longer one is cut like the original's.
fn header(out: &mut Output, len: usize, short: u8, long: u8) {
    match u16::try_from(len) {
        Ok(len) => tagged(out, short, len.to_be_bytes()),
        Err(_) => tagged(out, long, (len as u32).to_be_bytes()),
    }
}
