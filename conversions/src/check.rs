//! Arguments of natives, checked and converted as Lua's auxiliary library does.
//!
//! Owns the coercions between numbers and strings and the wording of bad-argument errors. Must
//! not know any particular library. The index of an argument counts from 0, as in
//! [`Arguments::select`]; the errors count from 1.

use std::ops::Deref;

use redlua_core::{Arguments, Kind, Raise, Scalar, ValueWriter};

use crate::lualib::STOPPED;
use crate::number::{self, Text};

/// How many values a C function may hold on Lua 5.1's stack (`LUAI_MAXCSTACK`); what the bundled
/// libraries compare their nesting with (`lua_checkstack`).
pub(crate) const STACK: usize = 8000;

/// The most bytes that a library builds into one string, as much as Redis lets a value have. The
/// same table may be met again and again inside others, so text can outgrow any memory although
/// the script's own data is small.
pub(crate) const LONGEST: usize = 512 << 20;

/// Scratch space beyond this is given back after a call.
pub(crate) const KEPT: usize = 1 << 20;

/// Why a native gives up although nothing is wrong with its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Halt {
    /// The script may hold no more.
    Memory,
    /// The script is to end.
    Stopped,
}

impl From<Halt> for Raise {
    fn from(halt: Halt) -> Raise {
        match halt {
            Halt::Memory => out_of_memory(),
            Halt::Stopped => Raise::Text(STOPPED.into()),
        }
    }
}

/// Counts the steps of a native and looks now and then whether it may go on.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pace(u32);

impl Pace {
    /// One step: a value read or written.
    ///
    /// # Errors
    /// It may not go on.
    #[inline]
    pub(crate) fn step(&mut self, out: &mut dyn ValueWriter) -> Result<(), Halt> {
        self.0 = self.0.wrapping_add(1);
        if self.0.is_multiple_of(64) { self.look(out) } else { Ok(()) }
    }

    #[cold]
    fn look(self, out: &mut dyn ValueWriter) -> Result<(), Halt> {
        if out.failed() {
            return Err(Halt::Memory);
        }
        if self.0.is_multiple_of(8192) && out.interrupted() {
            return Err(Halt::Stopped);
        }
        Ok(())
    }
}

/// The most bytes that may be put together before they are appended to `out`: they are there twice
/// then.
pub(crate) fn text_room(out: &dyn ValueWriter) -> usize {
    (out.allowance() / 2).min(LONGEST)
}

/// Lua's error when memory is out (`MEMERRMSG`), which is what becomes of longer strings.
#[cold]
pub(crate) fn out_of_memory() -> Raise {
    Raise::Text(b"not enough memory".to_vec())
}

/// The bytes of a string argument, or the text of a number that stands for one.
#[derive(Clone, Copy, Debug)]
pub enum Bytes<'a> {
    /// The argument is a string.
    String(&'a [u8]),
    /// The argument is a number; this is its text.
    Number(Text),
}

impl Bytes<'_> {
    /// What C sees of it: all before the first zero byte.
    pub fn until_nul(&self) -> &[u8] {
        until_nul(self)
    }
}

impl Deref for Bytes<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Bytes::String(bytes) => bytes,
            Bytes::Number(text) => text,
        }
    }
}

/// What C sees of a string: all before the first zero byte.
pub(crate) fn until_nul(bytes: &[u8]) -> &[u8] {
    match memchr::memchr(0, bytes) {
        Some(end) => bytes.get(..end).unwrap_or_default(),
        None => bytes,
    }
}

/// The argument checks of `lauxlib.c`.
///
/// ```
/// use redlua_conversions::{check::Check, tree::{Reader, Value}};
/// use redlua_core::Raise;
///
/// let values = [Value::from("0x10"), Value::Nil];
/// let mut args = Reader::new(&values);
/// assert_eq!(args.check_number(0), Ok(16.0));
/// assert_eq!(args.check_number(1), Err(Raise::argument(2, "number expected, got nil")));
/// assert_eq!(args.opt_integer(1, 7), Ok(7));
/// ```
pub trait Check: Arguments {
    /// Whether argument `index` is absent or nil (`lua_isnoneornil`).
    fn is_none_or_nil(&mut self, index: usize) -> bool {
        self.select(index);
        matches!(self.kind(), Kind::None | Kind::Nil)
    }

    /// The argument as a number when it is one or a string that reads as one (`lua_tonumber`).
    #[inline]
    fn to_number(&mut self, index: usize) -> Option<f64> {
        self.select(index);
        match self.kind() {
            Kind::Number => Some(self.number()),
            Kind::String => number::lua_str2number(self.bytes()),
            _ => None,
        }
    }

    /// A number (`luaL_checknumber`).
    ///
    /// # Errors
    /// `number expected, got …`.
    fn check_number(&mut self, index: usize) -> Result<f64, Raise> {
        self.to_number(index).ok_or_else(|| self.expected(index, "number"))
    }

    /// A number cut to an integer (`luaL_checkinteger`).
    ///
    /// # Errors
    /// `number expected, got …`.
    fn check_integer(&mut self, index: usize) -> Result<i64, Raise> {
        self.check_number(index).map(number::c_i64)
    }

    /// The low 32 bits of an integer (`luaL_checkint`).
    ///
    /// # Errors
    /// `number expected, got …`.
    fn check_int(&mut self, index: usize) -> Result<i32, Raise> {
        self.check_integer(index).map(|integer| integer as i32)
    }

    /// An integer, or `default` when there is none (`luaL_optinteger`).
    ///
    /// # Errors
    /// `number expected, got …`.
    fn opt_integer(&mut self, index: usize, default: i64) -> Result<i64, Raise> {
        if self.is_none_or_nil(index) { Ok(default) } else { self.check_integer(index) }
    }

    /// A string, or a number's text (`luaL_checklstring`).
    ///
    /// # Errors
    /// `string expected, got …`.
    fn check_string(&mut self, index: usize) -> Result<Bytes<'_>, Raise> {
        self.select(index);
        self.text(index)
    }

    /// The same without moving the cursor, so that several strings can be held at once.
    ///
    /// # Errors
    /// `string expected, got …`.
    #[inline]
    fn text(&self, index: usize) -> Result<Bytes<'_>, Raise> {
        match self.scalar(index) {
            Scalar::String(bytes) => Ok(Bytes::String(bytes)),
            Scalar::Number(number) => Ok(Bytes::Number(number::g14(number))),
            other => Err(mismatch(index, "string", other.kind())),
        }
    }

    /// A number, or a string's value as one (`luaL_checknumber`), without moving the cursor.
    ///
    /// # Errors
    /// `number expected, got …`.
    #[inline]
    fn numeral(&self, index: usize) -> Result<f64, Raise> {
        let other = match self.scalar(index) {
            Scalar::Number(number) => return Ok(number),
            Scalar::String(bytes) => match number::lua_str2number(bytes) {
                Some(number) => return Ok(number),
                None => Kind::String,
            },
            other => other.kind(),
        };
        Err(mismatch(index, "number", other))
    }

    /// An integer, or `default` when there is none (`luaL_optinteger`), without moving the cursor.
    ///
    /// # Errors
    /// `number expected, got …`.
    #[inline]
    fn numeral_or(&self, index: usize, default: i64) -> Result<i64, Raise> {
        match self.scalar(index) {
            Scalar::Other(Kind::None | Kind::Nil) => Ok(default),
            _ => self.numeral(index).map(number::c_i64),
        }
    }

    /// A table (`luaL_checktype`), without moving the cursor.
    ///
    /// # Errors
    /// `table expected, got …`.
    fn check_table(&self, index: usize) -> Result<(), Raise> {
        self.check_kind(index, Kind::Table)
    }

    /// A value of that kind (`luaL_checktype`), without moving the cursor.
    ///
    /// # Errors
    /// `… expected, got …`.
    fn check_kind(&self, index: usize, kind: Kind) -> Result<(), Raise> {
        match self.scalar(index).kind() {
            found if found == kind => Ok(()),
            found => Err(mismatch(index, kind.name(), found)),
        }
    }

    /// Any value, nil included (`luaL_checkany`).
    ///
    /// # Errors
    /// `value expected`.
    fn check_any(&mut self, index: usize) -> Result<(), Raise> {
        self.select(index);
        match self.kind() {
            Kind::None => Err(Raise::argument(index + 1, "value expected")),
            _ => Ok(()),
        }
    }

    /// The position of a string among `options` (`luaL_checkoption` without a default).
    ///
    /// # Errors
    /// `string expected, got …` or `invalid option '…'`.
    fn check_option(&mut self, index: usize, options: &[&str]) -> Result<usize, Raise> {
        let name = self.check_string(index)?;
        let name = name.until_nul();
        match options.iter().position(|option| option.as_bytes() == name) {
            Some(position) => Ok(position),
            None => {
                Err(Raise::argument(index + 1, [&b"invalid option '"[..], name, b"'"].concat()))
            }
        }
    }

    /// The error of an argument of the wrong type (`luaL_typerror`).
    fn expected(&mut self, index: usize, what: &str) -> Raise {
        self.select(index);
        mismatch(index, what, self.kind())
    }
}

impl<A: Arguments + ?Sized> Check for A {}

#[cold]
fn mismatch(index: usize, what: &str, found: Kind) -> Raise {
    Raise::argument(index + 1, format!("{what} expected, got {}", found.name()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{Reader, Value};

    #[test]
    fn numbers() {
        let values = [
            Value::Number(1.9),
            Value::from(" 12 "),
            Value::from("x"),
            Value::Boolean(true),
            Value::Nil,
        ];
        let mut args = Reader::new(&values);
        assert_eq!(args.check_integer(0), Ok(1));
        assert_eq!(args.check_integer(1), Ok(12));
        for (index, message) in [
            (2, "number expected, got string"),
            (3, "number expected, got boolean"),
            (4, "number expected, got nil"),
            (5, "number expected, got no value"),
        ] {
            assert_eq!(args.check_number(index), Err(Raise::argument(index + 1, message)));
        }
        assert_eq!(args.opt_integer(4, 3), Ok(3));
        assert_eq!(args.opt_integer(9, 3), Ok(3));
        assert!(args.opt_integer(2, 3).is_err());
    }

    #[test]
    fn strings() {
        let values = [Value::Number(1e15), Value::from("off"), Value::NullPointer, Value::Nil];
        let mut args = Reader::new(&values);
        assert_eq!(&*args.check_string(0).unwrap(), b"1e+15");
        assert_eq!(args.check_option(1, &["on", "off"]), Ok(1));
        assert_eq!(args.check_option(1, &["on"]), Err(Raise::argument(2, "invalid option 'off'")));
        assert_eq!(
            args.check_string(2).unwrap_err(),
            Raise::argument(3, "string expected, got userdata")
        );
        assert_eq!(args.check_any(3), Ok(()));
        assert_eq!(args.check_any(4), Err(Raise::argument(5, "value expected")));
    }
}
