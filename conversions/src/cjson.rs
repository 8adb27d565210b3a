//! The `cjson` library: Lua values to and from JSON.
//!
//! Owns the functions and their scratch space; `config` owns the settings, `encode` and `decode`
//! the formats. Must not know how natives are numbered: whoever calls gives `cjson.new` the
//! numbers of the functions it returns.

mod config;
mod decode;
mod encode;
mod token;

use redlua_core::{Arguments, NativeId, Raise, ValueWriter};

use crate::check::{Check, KEPT, out_of_memory};
use crate::output::Output;
use config::Config;

/// The functions of the library, in the order in which the library registers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    Encode,
    Decode,
    EncodeSparseArray,
    EncodeMaxDepth,
    DecodeMaxDepth,
    EncodeNumberPrecision,
    EncodeKeepBuffer,
    EncodeInvalidNumbers,
    DecodeInvalidNumbers,
    New,
}

/// `cjson._NAME`.
pub(crate) const NAME: &str = "cjson";
/// `cjson._VERSION`.
pub(crate) const VERSION: &str = "2.1.0";

/// How many instances `cjson.new` makes before it reports that memory is out. An instance lives
/// as long as the Lua state, since nothing tells when a script drops it.
const INSTANCES: usize = 1 << 20;

/// The state of the library.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cjson {
    /// The settings of the global `cjson`.
    main: Config,
    /// The settings of the instances that `cjson.new` has returned.
    instances: Vec<Config>,
    /// What is encoded.
    output: Output,
    /// Strings with escapes, undone.
    unescaped: Vec<u8>,
    encoder: Vec<encode::Frame>,
    decoder: decode::Scratch,
}

impl Cjson {
    /// Runs one function of the library; instance 0 is the global one.
    pub(crate) fn call(
        &mut self,
        function: Function,
        instance: usize,
        args: &mut dyn Arguments,
        out: &mut dyn ValueWriter,
    ) -> Result<(), Raise> {
        let config = match instance.checked_sub(1) {
            None => &mut self.main,
            Some(index) => self.instances.get_mut(index).unwrap_or(&mut self.main),
        };
        match function {
            Function::Encode => {
                one_argument(args)?;
                self.output.clear();
                args.select(0);
                let done = encode::encode(config, &mut self.output, &mut self.encoder, args, out);
                if done.is_ok() {
                    out.string(self.output.as_bytes());
                }
                self.output.shrink();
                done
            }
            Function::Decode => {
                one_argument(args)?;
                let data = args.check_string(0)?;
                let unescaped = &mut self.unescaped;
                let done = decode::decode(config, &data, unescaped, &mut self.decoder, out);
                self.unescaped.shrink_to(KEPT);
                done
            }
            // `cjson.new` hands its arguments to nobody.
            Function::New => Ok(()),
            setting => config.set(setting, args, out),
        }
    }

    /// `cjson.new`: a table like the global one, with settings of its own. `id` numbers the
    /// functions of an instance.
    pub(crate) fn instantiate(
        &mut self,
        names: &[(&str, Function)],
        id: impl Fn(Function, usize) -> NativeId,
        out: &mut dyn ValueWriter,
    ) -> Result<(), Raise> {
        if self.instances.len() >= INSTANCES {
            return Err(out_of_memory());
        }
        self.instances.push(Config::default());
        let instance = self.instances.len();
        out.table(0, 0);
        for &(name, function) in names {
            out.native(id(function, instance));
            out.set_field(name.as_bytes());
        }
        out.null_pointer();
        out.set_field(b"null");
        out.string(NAME.as_bytes());
        out.set_field(b"_NAME");
        out.string(VERSION.as_bytes());
        out.set_field(b"_VERSION");
        Ok(())
    }
}

fn one_argument(args: &mut dyn Arguments) -> Result<(), Raise> {
    if args.count() == 1 { Ok(()) } else { Err(Raise::argument(1, "expected 1 argument")) }
}
