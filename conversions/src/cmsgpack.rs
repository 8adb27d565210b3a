//! The `cmsgpack` library: Lua values to and from MessagePack.
//!
//! Owns the library's limits and how its functions take arguments (`lua_cmsgpack.c`); the
//! formats are in `encode` and `decode`. Must not know how natives are numbered.

mod decode;
mod encode;

use redlua_core::{Arguments, Raise, ValueWriter};

use crate::check::{Check, STACK};
use crate::output::Output;
use decode::Decoder;
use encode::Encoder;

/// The functions of the library, in the order in which the library registers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    Pack,
    Unpack,
    UnpackOne,
    UnpackLimit,
}

/// Scratch space that calls reuse.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cmsgpack {
    output: Output,
    scratch: decode::Scratch,
}

impl Cmsgpack {
    /// Runs one function of the library.
    pub(crate) fn call(
        &mut self,
        function: Function,
        args: &mut dyn Arguments,
        out: &mut dyn ValueWriter,
    ) -> Result<(), Raise> {
        match function {
            Function::Pack => self.pack(args, out),
            _ => {
                self.scratch.gather.begin(out.gathers());
                let done = self.unpacked(function, args, out);
                if done.is_ok() || !self.scratch.cramped {
                    return done;
                }
                // What waits took room that so deep a value needs.
                out.restart();
                self.scratch.gather.begin(false);
                self.unpacked(function, args, out)
            }
        }
    }

    fn unpacked(
        &mut self,
        function: Function,
        args: &mut dyn Arguments,
        out: &mut dyn ValueWriter,
    ) -> Result<(), Raise> {
        self.scratch.cramped = false;
        match function {
            Function::Pack => Ok(()),
            Function::Unpack => self.unpack(args, out),
            // The others drop their further arguments before they look at the first.
            Function::UnpackOne => {
                let offset = args.opt_integer(1, 0)?;
                self.unpack_some(1, offset, args, out)
            }
            Function::UnpackLimit => {
                let limit = args.check_integer(1)?;
                let offset = args.opt_integer(2, 0)?;
                self.unpack_some(limit, offset, args, out)
            }
        }
    }

    /// `mp_pack`: its arguments one after the other.
    fn pack(&mut self, args: &mut dyn Arguments, out: &mut dyn ValueWriter) -> Result<(), Raise> {
        let count = args.count();
        if count == 0 {
            return Err(Raise::argument(0, "MessagePack pack needs input."));
        }
        if count * 2 > STACK {
            return Err(Raise::argument(0, "Too many arguments for MessagePack pack."));
        }
        self.output.clear();
        let packed = (0..count).try_for_each(|index| {
            args.select(index);
            Encoder::new(&mut self.output, args, out).value(0, count + index + 1)
        });
        if packed.is_ok() {
            out.string(self.output.as_bytes());
        }
        self.output.shrink();
        packed
    }

    /// `mp_unpack`: all values there are.
    fn unpack(&mut self, args: &mut dyn Arguments, out: &mut dyn ValueWriter) -> Result<(), Raise> {
        let slots = args.count();
        let data = args.check_string(0)?;
        let mut decoder = Decoder::new(&data, &mut self.scratch, slots);
        while !decoder.at_end() {
            decoder.value(out)?;
        }
        Ok(())
    }

    /// `mp_unpack_full` with a limit or an offset: first where to go on, or -1 at the end, then
    /// the values.
    fn unpack_some(
        &mut self,
        limit: i64,
        offset: i64,
        args: &mut dyn Arguments,
        out: &mut dyn ValueWriter,
    ) -> Result<(), Raise> {
        let data = args.check_string(0)?;
        let (Ok(limit), Ok(start)) = (u64::try_from(limit), usize::try_from(offset)) else {
            // What it calls the limit is the length; both are printed as C ints.
            let (offset, length) = (offset as i32, data.len() as i32);
            return Err(Raise::message(format!(
                "Invalid request to unpack with offset of {offset} and limit of {length}."
            )));
        };
        let Some(rest) = data.get(start..) else {
            let (offset, length) = (offset as i32, data.len() as i32);
            return Err(Raise::message(format!(
                "Start offset {offset} greater than input length {length}."
            )));
        };
        if limit == 0 && start == 0 {
            let mut decoder = Decoder::new(rest, &mut self.scratch, 1);
            while !decoder.at_end() {
                decoder.value(out)?;
            }
            return Ok(());
        }
        // The position comes before the values, so it is found first. Where that fails, decoding
        // fails too, with the right error.
        match decode::skip(rest, limit) {
            Some(taken) if taken < rest.len() => out.number((start + taken) as f64),
            _ => out.number(-1.0),
        }
        let mut decoder = Decoder::new(rest, &mut self.scratch, 1);
        for _ in 0..limit {
            if decoder.at_end() {
                break;
            }
            decoder.value(out)?;
        }
        decoder.finish()
    }
}
