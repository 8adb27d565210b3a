//! Rust values to the arguments of a command.
//!
//! Owns how each kind of serde's data model is flattened. Must not know replies.

use serde::{Serialize, ser};

use super::Error;
use crate::number;

/// The arguments that a value stands for.
///
/// | Rust | arguments |
/// |---|---|
/// | integers, `bool` | decimal digits; `1` and `0` |
/// | floats | 17 significant digits, as a script's numbers are passed (`script_lua.c luaArgsToRedisArgv`) |
/// | `&str`, `char`, bytes | their bytes |
/// | `None`, `()` | nothing; as a value in a struct or map, its field is left out too |
/// | `Some`, newtypes | what is inside |
/// | sequences, tuples | each element's arguments, one after another |
/// | structs, maps | name and value of each field; both must be one argument |
/// | unit variant | its name |
/// | other variants | the name, then what is inside as above |
///
/// `Vec<u8>` is a sequence of numbers to serde; use `&str`, `serde_bytes` or a byte string type
/// for one binary argument.
///
/// ```
/// use redlua_conversions::to_args;
/// use serde::Serialize;
///
/// #[derive(Serialize)]
/// struct User<'a> {
///     name: &'a str,
///     score: f64,
///     email: Option<&'a str>,
/// }
///
/// let user = User { name: "Ada", score: 0.1, email: None };
/// let args = to_args(&("HSET", "user:1", user))?;
/// assert_eq!(args, ["HSET", "user:1", "name", "Ada", "score", "0.10000000000000001"]
///     .map(|arg| arg.as_bytes().to_vec()));
/// # Ok::<(), redlua_conversions::Error>(())
/// ```
///
/// # Errors
/// A field, a key or a value of a struct or map is a sequence, a struct or a map itself, or what
/// the type's own `Serialize` reports.
pub fn to_args<T: Serialize + ?Sized>(value: &T) -> Result<Vec<Vec<u8>>, Error> {
    let mut args = Vec::new();
    value.serialize(Args { out: &mut args, single: false })?;
    Ok(args)
}

/// Appends a value's arguments.
struct Args<'a> {
    out: &'a mut Vec<Vec<u8>>,
    /// Only one argument, or none, may come.
    single: bool,
}

impl<'a> Args<'a> {
    fn push(self, argument: impl Into<Vec<u8>>) -> Result<(), Error> {
        self.out.push(argument.into());
        Ok(())
    }

    fn compound(self, what: &'static str) -> Result<Compound<'a>, Error> {
        if self.single {
            return Err(Error::Compound(what));
        }
        Ok(Compound { out: self.out })
    }
}

/// Appends the parts of a sequence, a struct or a map.
struct Compound<'a> {
    out: &'a mut Vec<Vec<u8>>,
}

impl Compound<'_> {
    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        value.serialize(Args { out: self.out, single: false })
    }

    fn key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        let before = self.out.len();
        key.serialize(Args { out: self.out, single: true })?;
        if self.out.len() == before { Err(Error::Compound("nothing")) } else { Ok(()) }
    }

    /// The value of the key just appended, which goes away again when there is none.
    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        let before = self.out.len();
        value.serialize(Args { out: self.out, single: true })?;
        if self.out.len() == before {
            self.out.pop();
        }
        Ok(())
    }
}

macro_rules! integers {
    ($($method:ident: $type:ty),*) => {
        $(fn $method(self, value: $type) -> Result<(), Error> {
            self.push(itoa::Buffer::new().format(value))
        })*
    };
}

impl<'a> ser::Serializer for Args<'a> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Compound<'a>;
    type SerializeTuple = Compound<'a>;
    type SerializeTupleStruct = Compound<'a>;
    type SerializeTupleVariant = Compound<'a>;
    type SerializeMap = Compound<'a>;
    type SerializeStruct = Compound<'a>;
    type SerializeStructVariant = Compound<'a>;

    integers! {
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_i128: i128, serialize_u8: u8, serialize_u16: u16, serialize_u32: u32,
        serialize_u64: u64, serialize_u128: u128
    }

    fn serialize_bool(self, value: bool) -> Result<(), Error> {
        self.push(if value { "1" } else { "0" })
    }

    fn serialize_f32(self, value: f32) -> Result<(), Error> {
        self.serialize_f64(f64::from(value))
    }

    fn serialize_f64(self, value: f64) -> Result<(), Error> {
        self.push(number::g17(value).to_vec())
    }

    fn serialize_char(self, value: char) -> Result<(), Error> {
        self.push(value.to_string())
    }

    fn serialize_str(self, value: &str) -> Result<(), Error> {
        self.push(value)
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), Error> {
        self.push(value)
    }

    fn serialize_none(self) -> Result<(), Error> {
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        Ok(())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), Error> {
        Ok(())
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<(), Error> {
        self.push(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        let mut parts = self.compound("an enum with a value")?;
        parts.out.push(variant.into());
        parts.element(value)
    }

    fn serialize_seq(self, _len: Option<usize>) -> Result<Compound<'a>, Error> {
        self.compound("a sequence")
    }

    fn serialize_tuple(self, _len: usize) -> Result<Compound<'a>, Error> {
        self.compound("a tuple")
    }

    fn serialize_tuple_struct(
        self,
        _name: &'static str,
        _len: usize,
    ) -> Result<Compound<'a>, Error> {
        self.compound("a tuple")
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Compound<'a>, Error> {
        let parts = self.compound("an enum with values")?;
        parts.out.push(variant.into());
        Ok(parts)
    }

    fn serialize_map(self, _len: Option<usize>) -> Result<Compound<'a>, Error> {
        self.compound("a map")
    }

    fn serialize_struct(self, _name: &'static str, _len: usize) -> Result<Compound<'a>, Error> {
        self.compound("a struct")
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Compound<'a>, Error> {
        let parts = self.compound("an enum with fields")?;
        parts.out.push(variant.into());
        Ok(parts)
    }
}

macro_rules! elements {
    ($($part:ident :: $method:ident),*) => {
        $(impl ser::$part for Compound<'_> {
            type Ok = ();
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
                self.element(value)
            }

            fn end(self) -> Result<(), Error> {
                Ok(())
            }
        })*
    };
}

elements! {
    SerializeSeq::serialize_element, SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field, SerializeTupleVariant::serialize_field
}

macro_rules! fields {
    ($($part:ident),*) => {
        $(impl ser::$part for Compound<'_> {
            type Ok = ();
            type Error = Error;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), Error> {
                self.out.push(name.into());
                self.value(value)
            }

            fn end(self) -> Result<(), Error> {
                Ok(())
            }
        })*
    };
}

fields!(SerializeStruct, SerializeStructVariant);

impl ser::SerializeMap for Compound<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.key(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.value(value)
    }

    fn end(self) -> Result<(), Error> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn args<T: Serialize>(value: T) -> Vec<String> {
        let args = to_args(&value).unwrap();
        args.into_iter().map(|arg| String::from_utf8(arg).unwrap()).collect()
    }

    #[derive(Serialize)]
    enum Part {
        Unit,
        Newtype(i32),
        Tuple(i32, &'static str),
        Struct { a: i32 },
    }

    #[test]
    fn scalars_are_one_argument() {
        assert_eq!(args(-5), ["-5"]);
        assert_eq!(args(u128::MAX), ["340282366920938463463374607431768211455"]);
        assert_eq!(args(true), ["1"]);
        assert_eq!(args(1e21), ["1e+21"]);
        assert_eq!(args('é'), ["é"]);
        assert_eq!(args(Some("x")), ["x"]);
    }

    #[test]
    fn compounds_flatten() {
        assert_eq!(args(("a", [1, 2], ((), None::<i32>, vec![Some(3)]))), ["a", "1", "2", "3"]);
        assert_eq!(args(BTreeMap::from([(2, Some("b")), (1, None)])), ["2", "b"]);
        assert_eq!(
            args([Part::Unit, Part::Newtype(1), Part::Tuple(2, "x"), Part::Struct { a: 3 }]),
            ["Unit", "Newtype", "1", "Tuple", "2", "x", "Struct", "a", "3"]
        );
    }

    #[test]
    fn fields_and_values_stay_paired() {
        let nested = BTreeMap::from([("a", vec![1, 2])]);
        assert_eq!(to_args(&nested), Err(Error::Compound("a sequence")));
        assert_eq!(to_args(&BTreeMap::from([((), 1)])), Err(Error::Compound("nothing")));
    }
}
