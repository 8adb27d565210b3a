//! The libraries that scripts find besides Lua's own, as one numbered set of natives.
//!
//! Owns the numbering and the state between calls. Must not know what any of the functions does.

use redlua_core::{Arguments, Entry, Item, NativeId, Raise, ValueWriter};

use crate::cjson::{self, Cjson};
use crate::cmsgpack::{self, Cmsgpack};
use crate::prng::Prng;
use crate::{bit, structs};

/// `cjson`, `cmsgpack`, `struct`, `bit` and the two random functions, with their state.
///
/// ```
/// use redlua_conversions::{Libraries, tree::{Reader, Value, Writer}};
/// use redlua_core::Item;
///
/// let mut libraries = Libraries::default();
/// let entries = Libraries::entries();
/// let Item::Table(cjson) = &entries[0].item else { unreachable!() };
/// let Item::Native(encode) = cjson[0].item else { unreachable!() };
///
/// let args = [Value::list([Value::from(1.0), Value::from("two")])];
/// let mut out = Writer::default();
/// libraries.call(encode, &mut Reader::new(&args), &mut out)?;
/// assert_eq!(out.into_values(), [Value::from(r#"[1,"two"]"#)]);
/// # Ok::<(), redlua_core::Raise>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Libraries {
    prng: Prng,
    cjson: Cjson,
    cmsgpack: Cmsgpack,
    /// Scratch space of `struct.pack`.
    buffer: Vec<u8>,
}

/// What a native is; the number of one is its place in this order.
#[derive(Clone, Copy, Debug)]
enum Native {
    Random,
    Randomseed,
    Cjson(cjson::Function),
    Cmsgpack(cmsgpack::Function),
    Struct(structs::Function),
    Bit(bit::Function),
}

const CJSON: [(&str, cjson::Function); 10] = [
    ("encode", cjson::Function::Encode),
    ("decode", cjson::Function::Decode),
    ("encode_sparse_array", cjson::Function::EncodeSparseArray),
    ("encode_max_depth", cjson::Function::EncodeMaxDepth),
    ("decode_max_depth", cjson::Function::DecodeMaxDepth),
    ("encode_number_precision", cjson::Function::EncodeNumberPrecision),
    ("encode_keep_buffer", cjson::Function::EncodeKeepBuffer),
    ("encode_invalid_numbers", cjson::Function::EncodeInvalidNumbers),
    ("decode_invalid_numbers", cjson::Function::DecodeInvalidNumbers),
    ("new", cjson::Function::New),
];

const CMSGPACK: [(&str, cmsgpack::Function); 4] = [
    ("pack", cmsgpack::Function::Pack),
    ("unpack", cmsgpack::Function::Unpack),
    ("unpack_one", cmsgpack::Function::UnpackOne),
    ("unpack_limit", cmsgpack::Function::UnpackLimit),
];

const STRUCT: [(&str, structs::Function); 3] = [
    ("pack", structs::Function::Pack),
    ("unpack", structs::Function::Unpack),
    ("size", structs::Function::Size),
];

const BIT: [(&str, bit::Function); 12] = [
    ("tobit", bit::Function::Tobit),
    ("bnot", bit::Function::Bnot),
    ("band", bit::Function::Band),
    ("bor", bit::Function::Bor),
    ("bxor", bit::Function::Bxor),
    ("lshift", bit::Function::Lshift),
    ("rshift", bit::Function::Rshift),
    ("arshift", bit::Function::Arshift),
    ("rol", bit::Function::Rol),
    ("ror", bit::Function::Ror),
    ("bswap", bit::Function::Bswap),
    ("tohex", bit::Function::Tohex),
];

const FIRST_CJSON: NativeId = 2;
const FIRST_CMSGPACK: NativeId = FIRST_CJSON + CJSON.len() as NativeId;
const FIRST_STRUCT: NativeId = FIRST_CMSGPACK + CMSGPACK.len() as NativeId;
const FIRST_BIT: NativeId = FIRST_STRUCT + STRUCT.len() as NativeId;

/// The bits of an id that number the function; those above number the instance of `cjson`.
const FUNCTION: NativeId = 0xff;

impl Libraries {
    /// `math.random`.
    pub const RANDOM: NativeId = 0;
    /// `math.randomseed`.
    pub const RANDOMSEED: NativeId = 1;
    /// The ids below are the libraries'. The engine's own begin here and end below 256.
    pub const COUNT: NativeId = FIRST_BIT + BIT.len() as NativeId;

    /// Whether an id is the libraries': below [`COUNT`](Self::COUNT), or given out by
    /// `cjson.new`. What it says no to is the engine's.
    #[inline]
    pub fn owns(id: NativeId) -> bool {
        id & FUNCTION < Self::COUNT
    }

    /// The libraries of another Lua state of the same server: with settings of its own, drawing
    /// from the same sequence of random numbers.
    pub fn sibling(&self) -> Self {
        Libraries { prng: self.prng.clone(), ..Libraries::default() }
    }

    /// The state of a copied engine: the same settings, and the same random numbers from here on.
    pub fn fork(&self) -> Self {
        let mut fork = self.clone();
        fork.prng = self.prng.fork();
        fork
    }

    /// The globals `cjson`, `cmsgpack`, `struct` and `bit`, their fields in the order in which
    /// the bundled libraries set them.
    pub fn entries() -> Vec<Entry> {
        let mut cjson = functions(FIRST_CJSON, &CJSON);
        cjson.push(Entry::new("null", Item::NullPointer));
        cjson.push(Entry::new("_NAME", Item::Text(cjson::NAME)));
        cjson.push(Entry::new("_VERSION", Item::Text(cjson::VERSION)));
        let mut cmsgpack = functions(FIRST_CMSGPACK, &CMSGPACK);
        for (name, text) in [
            ("_NAME", "cmsgpack"),
            ("_VERSION", "lua-cmsgpack 0.4.0"),
            ("_COPYRIGHT", "Copyright (C) 2012, Salvatore Sanfilippo"),
            ("_DESCRIPTION", "MessagePack C implementation for Lua"),
        ] {
            cmsgpack.push(Entry::new(name, Item::Text(text)));
        }
        vec![
            Entry::new("cjson", Item::Table(cjson)),
            Entry::new("struct", Item::Table(functions(FIRST_STRUCT, &STRUCT))),
            Entry::new("cmsgpack", Item::Table(cmsgpack)),
            Entry::new("bit", Item::Table(functions(FIRST_BIT, &BIT))),
        ]
    }

    /// Runs a native.
    ///
    /// # Errors
    /// What is to be raised in the script.
    pub fn call(
        &mut self,
        id: NativeId,
        args: &mut dyn Arguments,
        out: &mut dyn ValueWriter,
    ) -> Result<(), Raise> {
        match native(id) {
            Some(Native::Random) => self.prng.random(args, out),
            Some(Native::Randomseed) => self.prng.randomseed(args),
            Some(Native::Cjson(cjson::Function::New)) => {
                self.cjson.instantiate(&CJSON, instance_id, out)
            }
            Some(Native::Cjson(function)) => {
                self.cjson.call(function, (id >> 8) as usize, args, out)
            }
            Some(Native::Cmsgpack(function)) => self.cmsgpack.call(function, args, out),
            Some(Native::Struct(function)) => structs::call(function, &mut self.buffer, args, out),
            Some(Native::Bit(function)) => bit::call(function, args, out),
            None => Err(Raise::message(format!("no native function has the number {id}"))),
        }
    }

    /// Forgets what lives in a Lua state, as `SCRIPT FLUSH` replaces it: the settings of
    /// `cjson`. The sequence of random numbers goes on, over scripts and over this.
    pub fn reset_for_flush(&mut self) {
        self.cjson = Cjson::default();
    }
}

fn native(id: NativeId) -> Option<Native> {
    let function = id & FUNCTION;
    let within = |first: NativeId| function.checked_sub(first).map(|place| place as usize);
    if let Some(place) = within(FIRST_BIT) {
        BIT.get(place).map(|entry| Native::Bit(entry.1))
    } else if let Some(place) = within(FIRST_STRUCT) {
        STRUCT.get(place).map(|entry| Native::Struct(entry.1))
    } else if let Some(place) = within(FIRST_CMSGPACK) {
        CMSGPACK.get(place).map(|entry| Native::Cmsgpack(entry.1))
    } else if let Some(place) = within(FIRST_CJSON) {
        CJSON.get(place).map(|entry| Native::Cjson(entry.1))
    } else if function == Libraries::RANDOMSEED {
        Some(Native::Randomseed)
    } else {
        Some(Native::Random)
    }
}

fn functions<F>(first: NativeId, names: &[(&'static str, F)]) -> Vec<Entry> {
    let entry = |(place, (name, _)): (usize, &(&'static str, F))| {
        Entry::new(name, Item::Native(first + place as NativeId))
    };
    names.iter().enumerate().map(entry).collect()
}

/// The id of a function of an instance of `cjson`.
fn instance_id(function: cjson::Function, instance: usize) -> NativeId {
    let place = CJSON.iter().position(|entry| entry.1 == function).unwrap_or_default();
    (instance as NativeId) << 8 | (FIRST_CJSON + place as NativeId)
}
