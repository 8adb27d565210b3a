//! The `struct` library: Lua values to and from packed C structures.
//!
//! Owns `struct.pack`, `struct.unpack` and `struct.size` (`lua_struct.c`); the format's letters
//! are in `format`. Must not know how natives are numbered.

mod format;

use redlua_core::{Arguments, Raise, ValueWriter};
use smallvec::SmallVec;

use crate::check::{Check, KEPT, STACK, out_of_memory, text_room};
use crate::number::{c_u64, lua_str2number};
use format::{Format, MAX_INTEGER, Piece};

/// The functions of the library, in the order in which the library registers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    Pack,
    Unpack,
    Size,
}

/// Runs one function of the library; `buffer` is scratch space.
pub(crate) fn call(
    function: Function,
    buffer: &mut Vec<u8>,
    args: &mut dyn Arguments,
    out: &mut dyn ValueWriter,
) -> Result<(), Raise> {
    let format = args.check_string(0)?;
    // The rest of the arguments is read while the format is: it must not borrow them.
    let copy: SmallVec<[u8; 64]> = SmallVec::from_slice(format.until_nul());
    let format = Format::new(&copy);
    match function {
        Function::Pack => {
            buffer.clear();
            let room = text_room(out).saturating_sub(copy.len());
            let packed = pack(format, buffer, args, room);
            if packed.is_ok() {
                out.string(buffer);
            }
            buffer.shrink_to(KEPT);
            packed
        }
        Function::Unpack => unpack(format, args, out),
        Function::Size => {
            out.number(size(format)? as i64 as f64);
            Ok(())
        }
    }
}

fn pack(
    mut format: Format<'_>,
    out: &mut Vec<u8>,
    args: &mut dyn Arguments,
    room: usize,
) -> Result<(), Raise> {
    let mut index = 1;
    let mut total: usize = 0;
    while let Some((option, mut size)) = format.next_option()? {
        if out.len() > room {
            return Err(out_of_memory());
        }
        let padding = format.padding(total, option, size);
        total += padding;
        out.resize(out.len() + padding, 0);
        match Piece::of(option) {
            Some(Piece::Integer { .. }) => {
                let number = number(args, index)?;
                index += 1;
                integer_bytes(number, size, format.big_endian, out);
            }
            Some(Piece::Pad) => out.push(0),
            Some(Piece::Float) => {
                let number = number(args, index)? as f32;
                index += 1;
                ordered(number.to_le_bytes(), format.big_endian, out);
            }
            Some(Piece::Double) => {
                let number = number(args, index)?;
                index += 1;
                ordered(number.to_le_bytes(), format.big_endian, out);
            }
            Some(piece @ (Piece::Chars | Piece::Text)) => {
                let last = index >= args.count();
                let bytes = args
                    .check_string(index)
                    .map_err(|error| if last { missing(index, "string") } else { error })?;
                index += 1;
                if size == 0 {
                    size = bytes.len();
                }
                let Some(bytes) = bytes.get(..size) else {
                    // The error names the argument after the short one.
                    return Err(Raise::argument(index + 1, "string too short"));
                };
                if bytes.len() > room.saturating_sub(out.len()) {
                    return Err(out_of_memory());
                }
                out.extend_from_slice(bytes);
                if piece == Piece::Text {
                    out.push(0);
                    size += 1;
                }
            }
            None => format.control(option)?,
        }
        total += size;
    }
    Ok(())
}

/// A number to pack. Behind the last argument `b_pack` has pushed a nil, which is what it finds
/// when one is missing.
fn number(args: &mut dyn Arguments, index: usize) -> Result<f64, Raise> {
    match args.check_number(index) {
        Err(_) if index >= args.count() => Err(missing(index, "number")),
        number => number,
    }
}

fn missing(index: usize, what: &str) -> Raise {
    Raise::argument(index + 1, format!("{what} expected, got nil"))
}

/// The low `size` bytes of a number; beyond the eighth they are 0 (`putinteger`).
fn integer_bytes(number: f64, size: usize, big_endian: bool, out: &mut Vec<u8>) {
    let value = c_u64(number);
    let mut bytes = [0; MAX_INTEGER];
    for (byte, low) in bytes.iter_mut().zip(value.to_le_bytes()) {
        *byte = low;
    }
    let start = out.len();
    out.extend_from_slice(bytes.get(..size).unwrap_or(&bytes));
    if big_endian && let Some(packed) = out.get_mut(start..) {
        packed.reverse();
    }
}

fn ordered<const N: usize>(mut little: [u8; N], big_endian: bool, out: &mut Vec<u8>) {
    if big_endian {
        little.reverse();
    }
    out.extend_from_slice(&little);
}

/// A value that is unpacked but not yet written: `c0` takes the one before it away again.
enum Last<'a> {
    None,
    Number(f64),
    Text(&'a [u8]),
}

impl<'a> Last<'a> {
    /// Puts `next` in its place and writes what was there.
    fn replace(&mut self, next: Last<'a>, out: &mut dyn ValueWriter) {
        match std::mem::replace(self, next) {
            Last::None => {}
            Last::Number(number) => out.number(number),
            Last::Text(bytes) => out.string(bytes),
        }
    }

    /// The size that the value means (`b_unpack`'s case 'c').
    fn size(&self) -> Result<u64, Raise> {
        match self {
            Last::None => None,
            Last::Number(number) => Some(*number),
            Last::Text(bytes) => lua_str2number(bytes),
        }
        .map(c_u64)
        .ok_or_else(|| Raise::message("format 'c0' needs a previous size"))
    }
}

fn unpack(
    mut format: Format<'_>,
    args: &mut dyn Arguments,
    out: &mut dyn ValueWriter,
) -> Result<(), Raise> {
    // `b_unpack` looks at the data before the position, but cannot fail in between.
    args.check_string(1)?;
    let start = args.opt_integer(2, 1)?;
    if start == 0 {
        return Err(Raise::argument(3, "offset must be 1 or greater"));
    }
    let mut slots = args.count();
    // How many pieces there is room for yet.
    let mut room = 0;
    let data = args.check_string(1)?;
    let data: &[u8] = &data;
    let mut at = start.wrapping_sub(1) as usize;
    let mut last = Last::None;
    // The number of values so far matters to `c0`: what follows it may take it away, only once.
    while let Some((option, size)) = format.next_option()? {
        at = at.wrapping_add(format.padding(at, option, size));
        let bytes = piece(data, at, size as u64)?;
        if slots + 2 > STACK {
            return Err(too_many());
        }
        if room == 0 {
            // One more for the value that is held back, one for the position.
            room = (STACK - slots - 1).min(16);
            if !out.room(room + 2) {
                return Err(too_many());
            }
        }
        room -= 1;
        let mut taken = size;
        match Piece::of(option) {
            Some(Piece::Integer { signed }) => {
                let number = integer_value(bytes, signed, format.big_endian);
                last.replace(Last::Number(number), out);
                slots += 1;
            }
            Some(Piece::Pad) => {}
            Some(Piece::Float) => {
                let number = f32::from_le_bytes(unordered(bytes, format.big_endian));
                last.replace(Last::Number(f64::from(number)), out);
                slots += 1;
            }
            Some(Piece::Double) => {
                let number = f64::from_le_bytes(unordered(bytes, format.big_endian));
                last.replace(Last::Number(number), out);
                slots += 1;
            }
            Some(Piece::Chars) if size == 0 => {
                let bytes = piece(data, at, last.size()?)?;
                taken = bytes.len();
                last = Last::Text(bytes);
            }
            Some(Piece::Chars) => {
                last.replace(Last::Text(bytes), out);
                slots += 1;
            }
            Some(Piece::Text) => {
                let rest = data.get(at..).unwrap_or_default();
                let Some(end) = rest.iter().position(|&byte| byte == 0) else {
                    return Err(Raise::message("unfinished string in data"));
                };
                last.replace(Last::Text(rest.get(..end).unwrap_or_default()), out);
                slots += 1;
                taken = end + 1;
            }
            None => format.control(option)?,
        }
        at += taken;
    }
    last.replace(Last::None, out);
    out.number((at + 1) as i64 as f64);
    Ok(())
}

#[cold]
fn too_many() -> Raise {
    Raise::message("stack overflow (too many results)")
}

fn piece(data: &[u8], at: usize, size: u64) -> Result<&[u8], Raise> {
    usize::try_from(size)
        .ok()
        .and_then(|size| data.get(at..at.checked_add(size)?))
        .ok_or_else(|| Raise::argument(2, "data string too short"))
}

/// `getinteger`: the low 64 bits; the sign bit of sizes other than 1 to 8 is where x86 shifts it.
fn integer_value(bytes: &[u8], signed: bool, big_endian: bool) -> f64 {
    let join = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
    let value =
        if big_endian { bytes.iter().fold(0, join) } else { bytes.iter().rev().fold(0, join) };
    if !signed {
        return value as f64;
    }
    let mask = u64::MAX.wrapping_shl((bytes.len() as u32 * 8).wrapping_sub(1));
    (if value & mask == 0 { value } else { value | mask }) as i64 as f64
}

fn unordered<const N: usize>(bytes: &[u8], big_endian: bool) -> [u8; N] {
    let mut little = [0; N];
    if let Ok(bytes) = bytes.try_into() {
        little = bytes;
    }
    if big_endian {
        little.reverse();
    }
    little
}

fn size(mut format: Format<'_>) -> Result<usize, Raise> {
    let mut total: usize = 0;
    while let Some((option, size)) = format.next_option()? {
        total += format.padding(total, option, size);
        match option {
            b's' => return Err(Raise::argument(1, "option 's' has no fixed size")),
            b'c' if size == 0 => {
                return Err(Raise::argument(1, "option 'c0' has no fixed size"));
            }
            // Unknown letters and digits pass here, unlike in the other two functions.
            _ if !option.is_ascii_alphanumeric() => format.control(option)?,
            _ => {}
        }
        total += size;
    }
    Ok(total)
}
