//! Lua values into MessagePack.
//!
//! Owns the choice of formats (`mp_encode_*` in `lua_cmsgpack.c`). Must not know how many values
//! are packed.

use redlua_core::{Arguments, Kind, Raise, ValueWriter};

use crate::check::{Halt, Pace, STACK, out_of_memory, text_room};
use crate::number::{c_i32, c_i64};

/// Tables nested deeper than this become nil (`LUACMSGPACK_MAX_NESTING`).
const MAX_NESTING: usize = 16;

/// Appends the value under a cursor to a buffer.
pub(super) struct Encoder<'a> {
    out: &'a mut Vec<u8>,
    cursor: &'a mut dyn Arguments,
    /// Who knows what the script may take.
    limits: &'a mut dyn ValueWriter,
    room: usize,
    pace: Pace,
}

impl<'a> Encoder<'a> {
    pub(super) fn new(
        out: &'a mut Vec<u8>,
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
        match self.cursor.kind() {
            Kind::String => string(self.out, self.cursor.bytes(), self.room)?,
            Kind::Number => self.number(self.cursor.number()),
            Kind::Boolean => self.out.push(if self.cursor.boolean() { 0xc3 } else { 0xc2 }),
            Kind::Table if level < MAX_NESTING => return self.table(level, slots),
            _ => self.out.push(0xc0),
        }
        Ok(())
    }

    fn number(&mut self, number: f64) {
        if number.is_finite() && c_i64(number) as f64 == number {
            self.integer(c_i64(number));
        } else if f64::from(number as f32) == number {
            self.out.push(0xca);
            self.out.extend((number as f32).to_be_bytes());
        } else {
            self.out.push(0xcb);
            self.out.extend(number.to_be_bytes());
        }
    }

    fn integer(&mut self, integer: i64) {
        match integer {
            -32..=127 => self.out.push(integer as u8),
            128..=0xff => self.out.extend([0xcc, integer as u8]),
            0x100..=0xffff => self.tagged(0xcd, (integer as u16).to_be_bytes()),
            0x1_0000..=0xffff_ffff => self.tagged(0xce, (integer as u32).to_be_bytes()),
            0x1_0000_0000.. => self.tagged(0xcf, integer.to_be_bytes()),
            -128..=-33 => self.out.extend([0xd0, integer as u8]),
            -0x8000..=-129 => self.tagged(0xd1, (integer as i16).to_be_bytes()),
            -0x8000_0000..=-0x8001 => self.tagged(0xd2, (integer as i32).to_be_bytes()),
            _ => self.tagged(0xd3, integer.to_be_bytes()),
        }
    }

    fn tagged<const N: usize>(&mut self, tag: u8, bytes: [u8; N]) {
        self.out.push(tag);
        self.out.extend(bytes);
    }

    fn table(&mut self, level: usize, slots: usize) -> Result<(), Raise> {
        self.check_room(slots, 2, "in function table_is_an_array")?;
        self.cursor.iterate();
        if !self.cursor.next() {
            self.check_room(slots, 1, "in function mp_encode_lua_table_as_array")?;
            self.out.push(0x90);
            return Ok(());
        }
        if self.cursor.key_bytes().is_none() {
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
            match self.cursor.key_bytes() {
                Some(bytes) => string(self.out, bytes, self.room)?,
                None => {
                    self.cursor.key();
                    self.value(level + 1, slots + 3)?;
                    self.cursor.leave();
                }
            }
            self.value(level + 1, slots + 2)?;
            len += 1;
            if !self.cursor.next() {
                break;
            }
        }
        if len > 15 {
            let mut head = Vec::new();
            collection(&mut head, len, 0x80, 0xde);
            self.out.splice(start..=start, head);
        } else if let Some(head) = self.out.get_mut(start) {
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
            self.cursor.key();
            let key = (self.cursor.kind() == Kind::Number).then(|| self.cursor.number());
            self.cursor.leave();
            match key {
                Some(key) if key > 0.0 && f64::from(c_i32(key)) == key => {
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

fn string(out: &mut Vec<u8>, bytes: &[u8], room: usize) -> Result<(), Raise> {
    if bytes.len() > room.saturating_sub(out.len()) {
        return Err(out_of_memory());
    }
    match bytes.len() {
        len @ ..32 => out.push(0xa0 | len as u8),
        len @ ..=0xff => out.extend([0xd9, len as u8]),
        len => header(out, len, 0xda, 0xdb),
    }
    out.extend_from_slice(bytes);
    Ok(())
}

/// The beginning of an array or a map of `len` elements.
fn collection(out: &mut Vec<u8>, len: usize, fixed: u8, wide: u8) {
    match len {
        ..=15 => out.push(fixed | len as u8),
        _ => header(out, len, wide, wide + 1),
    }
}

/// A length of 16 or 32 bits; a longer one is cut like the original's.
fn header(out: &mut Vec<u8>, len: usize, short: u8, long: u8) {
    match u16::try_from(len) {
        Ok(len) => {
            out.push(short);
            out.extend(len.to_be_bytes());
        }
        Err(_) => {
            out.push(long);
            out.extend((len as u32).to_be_bytes());
        }
    }
}
