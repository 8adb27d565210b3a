//! The settings of `cjson` and the functions that read and change them.
//!
//! Owns defaults, ranges and the errors of `json_cfg_*` in `lua_cjson.c`. Must not know JSON.

use redlua_core::{Arguments, Kind, Raise, ValueWriter};

use super::Function;
use crate::check::Check;

/// What becomes of infinities and NaN on encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum InvalidNumbers {
    /// An error.
    Refuse,
    /// Their names, which are not JSON.
    Spell,
    /// `null`.
    Null,
}

/// The settings of one instance.
#[derive(Clone, Debug)]
pub(super) struct Config {
    /// Whether excessively sparse arrays become objects rather than errors.
    pub(super) sparse_convert: bool,
    /// How many times as long as its items an array may be; 0 is any number.
    pub(super) sparse_ratio: i32,
    /// Up to which length no array is too sparse.
    pub(super) sparse_safe: i32,
    pub(super) encode_max_depth: i32,
    pub(super) decode_max_depth: i32,
    /// Significant digits.
    pub(super) precision: u8,
    /// Has no effect that a script could see.
    keep_buffer: bool,
    pub(super) encode_invalid: InvalidNumbers,
    /// Whether hexadecimal numbers, leading zeros, infinities and NaN are understood.
    pub(super) decode_invalid: bool,
}

impl Config {
    /// Runs the function of a setting: changes it as the arguments say, returns it.
    pub(super) fn set(
        &mut self,
        function: Function,
        args: &mut dyn Arguments,
        out: &mut dyn ValueWriter,
    ) -> Result<(), Raise> {
        let most = if function == Function::EncodeSparseArray { 3 } else { 1 };
        if args.count() > most {
            return Err(Raise::argument(most + 1, "found too many arguments"));
        }
        match function {
            Function::EncodeSparseArray => {
                switch(args, 0, &mut self.sparse_convert)?;
                integer(args, 1, &mut self.sparse_ratio, 0, i32::MAX)?;
                integer(args, 2, &mut self.sparse_safe, 0, i32::MAX)?;
                out.boolean(self.sparse_convert);
                out.number(f64::from(self.sparse_ratio));
                out.number(f64::from(self.sparse_safe));
            }
            Function::EncodeMaxDepth => {
                integer(args, 0, &mut self.encode_max_depth, 1, i32::MAX)?;
                out.number(f64::from(self.encode_max_depth));
            }
            Function::DecodeMaxDepth => {
                integer(args, 0, &mut self.decode_max_depth, 1, i32::MAX)?;
                out.number(f64::from(self.decode_max_depth));
            }
            Function::EncodeNumberPrecision => {
                let mut precision = i32::from(self.precision);
                integer(args, 0, &mut precision, 1, 14)?;
                self.precision = precision as u8;
                out.number(f64::from(precision));
            }
            Function::EncodeKeepBuffer => {
                switch(args, 0, &mut self.keep_buffer)?;
                out.boolean(self.keep_buffer);
            }
            Function::EncodeInvalidNumbers => {
                if let Some(position) = option(args, 0, &["off", "on", "null"])? {
                    self.encode_invalid = match position {
                        0 => InvalidNumbers::Refuse,
                        1 => InvalidNumbers::Spell,
                        _ => InvalidNumbers::Null,
                    };
                }
                match self.encode_invalid {
                    InvalidNumbers::Refuse => out.boolean(false),
                    InvalidNumbers::Spell => out.boolean(true),
                    InvalidNumbers::Null => out.string(b"null"),
                }
            }
            Function::DecodeInvalidNumbers => {
                switch(args, 0, &mut self.decode_invalid)?;
                out.boolean(self.decode_invalid);
            }
            Function::Encode | Function::Decode | Function::New => {}
        }
        Ok(())
    }
}

impl Default for Config {
    fn default() -> Self {
        Config {
            sparse_convert: false,
            sparse_ratio: 2,
            sparse_safe: 10,
            encode_max_depth: 1000,
            decode_max_depth: 1000,
            precision: 14,
            keep_buffer: true,
            encode_invalid: InvalidNumbers::Refuse,
            decode_invalid: true,
        }
    }
}

/// `json_integer_option`. Whichever argument is out of range, the error blames the first.
fn integer(
    args: &mut dyn Arguments,
    index: usize,
    setting: &mut i32,
    min: i32,
    max: i32,
) -> Result<(), Raise> {
    if args.is_none_or_nil(index) {
        return Ok(());
    }
    let value = args.check_int(index)?;
    if !(min..=max).contains(&value) {
        return Err(Raise::argument(1, format!("expected integer between {min} and {max}")));
    }
    *setting = value;
    Ok(())
}

/// `json_enum_option` with the two names of a boolean.
fn switch(args: &mut dyn Arguments, index: usize, setting: &mut bool) -> Result<(), Raise> {
    if let Some(position) = option(args, index, &["off", "on"])? {
        *setting = position == 1;
    }
    Ok(())
}

/// `json_enum_option`: a boolean counts as one of the first two names; nil leaves things alone.
fn option(args: &mut dyn Arguments, index: usize, names: &[&str]) -> Result<Option<usize>, Raise> {
    args.select(index);
    match args.kind() {
        Kind::None | Kind::Nil => Ok(None),
        Kind::Boolean => Ok(Some(usize::from(args.boolean()))),
        _ => args.check_option(index, names).map(Some),
    }
}
