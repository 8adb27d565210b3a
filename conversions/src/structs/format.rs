//! Formats of the `struct` library.
//!
//! Owns the letters, their sizes, alignment and byte order (`optsize`, `gettoalign`,
//! `controloptions` in `lua_struct.c`). Must not know values.

use redlua_core::Raise;

/// The largest size of `iN` and `IN`.
pub(super) const MAX_INTEGER: usize = 32;

/// The alignment that `!` alone asks for.
const MAX_ALIGN: i32 = 8;

/// What an option stands for; `None` of [`Piece::of`] is a control option or no option at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Integer {
        signed: bool,
    },
    Pad,
    Float,
    Double,
    /// `cN`.
    Chars,
    /// `s`: ends at a zero byte.
    Text,
}

impl Piece {
    pub(super) fn of(option: u8) -> Option<Piece> {
        Some(match option {
            b'b' | b'h' | b'l' | b'i' => Piece::Integer { signed: true },
            b'B' | b'H' | b'L' | b'I' | b'T' => Piece::Integer { signed: false },
            b'x' => Piece::Pad,
            b'f' => Piece::Float,
            b'd' => Piece::Double,
            b'c' => Piece::Chars,
            b's' => Piece::Text,
            _ => return None,
        })
    }
}

/// A format being read, with the byte order and alignment in force.
#[derive(Clone, Copy, Debug)]
pub(super) struct Format<'a> {
    rest: &'a [u8],
    align: usize,
    pub(super) big_endian: bool,
}

impl<'a> Format<'a> {
    /// At its beginning: the byte order of little-endian machines, no alignment.
    pub(super) fn new(text: &'a [u8]) -> Self {
        Format { rest: text, align: 1, big_endian: false }
    }

    /// The next option and its size.
    pub(super) fn next_option(&mut self) -> Result<Option<(u8, usize)>, Raise> {
        let Some((&option, rest)) = self.rest.split_first() else { return Ok(None) };
        self.rest = rest;
        let size = match option {
            b'B' | b'b' | b'x' => 1,
            b'H' | b'h' => 2,
            b'f' => 4,
            b'L' | b'l' | b'T' | b'd' => 8,
            b'c' => self.count(1)? as usize,
            b'i' | b'I' => {
                let size = self.count(4)?;
                if size as usize > MAX_INTEGER {
                    return Err(Raise::message(format!(
                        "integral size {size} is larger than limit of {MAX_INTEGER}"
                    )));
                }
                size as usize
            }
            _ => 0,
        };
        Ok(Some((option, size)))
    }

    /// How many bytes to skip at position `at` before an element of `size` bytes.
    pub(super) fn padding(&self, at: usize, option: u8, size: usize) -> usize {
        if size == 0 || option == b'c' {
            return 0;
        }
        let size = size.min(self.align);
        // For sizes that are no power of 2 the result is as odd as the original's.
        (size - (at & (size - 1))) & (size - 1)
    }

    /// Obeys a control option.
    pub(super) fn control(&mut self, option: u8) -> Result<(), Raise> {
        match option {
            b' ' => {}
            b'>' => self.big_endian = true,
            b'<' => self.big_endian = false,
            b'!' => {
                let align = self.count(MAX_ALIGN)?;
                if align <= 0 || align & (align - 1) != 0 {
                    return Err(Raise::message(format!("alignment {align} is not a power of 2")));
                }
                self.align = align as usize;
            }
            _ => {
                let message = [&b"invalid format option '"[..], &[option], b"'"].concat();
                return Err(Raise::argument(1, message));
            }
        }
        Ok(())
    }

    /// The decimal number that comes next, or `default`. Never negative.
    fn count(&mut self, default: i32) -> Result<i32, Raise> {
        let digits = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 {
            return Ok(default);
        }
        let (digits, rest) = self.rest.split_at(digits);
        self.rest = rest;
        digits
            .iter()
            .try_fold(0i32, |sum, digit| sum.checked_mul(10)?.checked_add(i32::from(digit - b'0')))
            .ok_or_else(|| Raise::message("integral size overflow"))
    }
}
