//! What holds for all inputs: round trips, and that nothing a script passes makes a panic.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::collection::vec;
use proptest::prelude::*;
use redlua_conversions::Libraries;
use redlua_conversions::tree::{Reader, Table, Value, Writer};
use redlua_core::{Item, Kind, NativeId, Raise, ValueWriter};

fn id(library: &str, function: &str) -> NativeId {
    let native = |item: Item| match item {
        Item::Native(id) => Some(id),
        _ => None,
    };
    let fields = |item: Item| match item {
        Item::Table(fields) => fields,
        _ => Vec::new(),
    };
    let entries = Libraries::entries();
    let library = entries.into_iter().find(|entry| entry.name == library).unwrap();
    let field = fields(library.item).into_iter().find(|field| field.name == function).unwrap();
    native(field.item).unwrap()
}

fn call(library: &str, function: &str, arguments: &[Value]) -> Result<Vec<Value>, Raise> {
    let mut out = Writer::default();
    let mut libraries = Libraries::default();
    libraries.call(id(library, function), &mut Reader::new(arguments), &mut out)?;
    assert!(!out.failed());
    Ok(out.into_values())
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<i32>().prop_map(f64::from),
        (-(1i64 << 53)..1 << 53).prop_map(|integer| integer as f64),
        any::<f64>().prop_filter("NaN is not equal to itself", |number| !number.is_nan()),
    ]
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<bool>().prop_map(Value::Boolean),
        number().prop_map(Value::Number),
        vec(any::<u8>(), 0..40).prop_map(Value::String),
    ]
}

/// Lists and records of what both formats carry, three deep.
fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(3, 30, 5, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::list),
            vec((vec(any::<u8>(), 0..8), inner), 1..5).prop_map(|pairs| {
                let mut table = Table::default();
                for (key, value) in pairs {
                    table.set(Value::String(key), value);
                }
                Value::Table(table)
            }),
        ]
    })
}

/// Any argument at all.
fn argument() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => value(),
        1 => Just(Value::Nil),
        1 => Just(Value::NullPointer),
        1 => Just(Value::Opaque(Kind::Function)),
        1 => prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(-1e300)].prop_map(Value::Number),
        1 => (value(), value()).prop_map(|(key, value)| {
            let mut table = Table::default();
            table.set(key, value);
            Value::Table(table)
        }),
    ]
}

/// Numbers as cjson prints them by default, with 14 digits.
fn rounded(value: Value) -> Value {
    match value {
        Value::Number(number) => Value::Number(format!("{number:.13e}").parse().unwrap()),
        Value::Table(table) => {
            let mut copy = Table::default();
            for (key, value) in table.pairs() {
                copy.set(key.clone(), rounded(value.clone()));
            }
            Value::Table(copy)
        }
        other => other,
    }
}

fn finite(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_finite(),
        Value::Table(table) => table.pairs().all(|(_, value)| finite(value)),
        _ => true,
    }
}

proptest! {
    #[test]
    fn messagepack_round_trip(value in value()) {
        let packed = call("cmsgpack", "pack", std::slice::from_ref(&value)).unwrap();
        prop_assert_eq!(call("cmsgpack", "unpack", &packed).unwrap(), [value]);
    }

    #[test]
    fn json_round_trip(value in value().prop_filter("not JSON", finite)) {
        let text = call("cjson", "encode", std::slice::from_ref(&value)).unwrap();
        prop_assert_eq!(call("cjson", "decode", &text).unwrap(), [rounded(value)]);
    }

    #[test]
    fn json_agrees_with_serde(text in "[\\[\\]{}:,\" a-c0-9.eE\\\\u-]{0,40}|\\PC{0,30}") {
        let ours = call("cjson", "decode", &[Value::from(text.as_str())]);
        if serde_json::from_str::<serde_json::Value>(&text).is_ok() {
            prop_assert!(ours.is_ok(), "{:?}", ours);
        }
    }

    #[test]
    fn struct_round_trip(numbers in vec((0usize..8, any::<u64>()), 0..12), big in any::<bool>()) {
        let mut format = String::from(if big { ">!8" } else { "<!4" });
        let mut arguments = vec![Value::Nil];
        for (letter, bits) in numbers {
            format.push(b"bBhHiIlf"[letter] as char);
            arguments.push(Value::Number(match letter {
                0 => f64::from(bits as i8),
                1 => f64::from(bits as u8),
                2 => f64::from(bits as i16),
                3 => f64::from(bits as u16),
                4 => f64::from(bits as i32),
                5 => f64::from(bits as u32),
                6 => (bits as i64 >> 11) as f64,
                _ => f64::from(bits as u16) / 256.0,
            }));
        }
        arguments[0] = Value::from(format.as_str());
        let packed = call("struct", "pack", &arguments).unwrap().remove(0);
        let Value::String(bytes) = &packed else { panic!("not a string") };
        arguments.push(Value::Number((bytes.len() + 1) as f64));
        let unpacked = call("struct", "unpack", &[arguments.remove(0), packed]).unwrap();
        prop_assert_eq!(unpacked, arguments);
    }

    #[test]
    fn decoders_take_any_bytes(bytes in vec(any::<u8>(), 0..60), more in vec(argument(), 0..3)) {
        let mut arguments = vec![Value::String(bytes)];
        for (library, function) in [
            ("cjson", "decode"),
            ("cmsgpack", "unpack"),
            ("struct", "size"),
        ] {
            let _ = call(library, function, &arguments);
        }
        arguments.extend(more);
        for function in ["unpack_one", "unpack_limit"] {
            let _ = call("cmsgpack", function, &arguments);
        }
    }

    #[test]
    fn no_argument_makes_a_panic(arguments in vec(argument(), 0..4)) {
        for entry in Libraries::entries() {
            let Item::Table(fields) = entry.item else { continue };
            for field in fields {
                if let Item::Native(_) = field.item {
                    let _ = call(entry.name, field.name, &arguments);
                }
            }
        }
    }

    #[test]
    fn struct_formats_make_no_panic(
        format in "[bBhHlLTiIfdxcs<>! 0-9]{0,12}",
        data in vec(any::<u8>(), 0..40),
        position in number(),
        numbers in vec(scalar(), 0..6),
    ) {
        let format = Value::from(format.as_str());
        let _ = call("struct", "size", std::slice::from_ref(&format));
        let data = Value::String(data);
        let _ = call("struct", "unpack", &[format.clone(), data, Value::Number(position)]);
        let _ = call("struct", "pack", &[vec![format], numbers].concat());
    }
}
