//! How deep and how many: the limits that the bundled libraries inherit from Lua's C stack, as
//! redis-server 7.0.15 shows them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use redlua_conversions::Libraries;
use redlua_conversions::tree::{Reader, Value, Writer};
use redlua_core::{Item, NativeId, Raise};

fn id(library: &str, function: &str) -> NativeId {
    Libraries::entries()
        .into_iter()
        .filter(|entry| entry.name == library)
        .filter_map(|entry| if let Item::Table(fields) = entry.item { Some(fields) } else { None })
        .flatten()
        .find(|field| field.name == function)
        .and_then(|field| if let Item::Native(id) = field.item { Some(id) } else { None })
        .unwrap()
}

/// The message of the error, or `ok`.
fn outcome(libraries: &mut Libraries, library: &str, function: &str, args: &[Value]) -> String {
    let mut out = Writer::default();
    match libraries.call(id(library, function), &mut Reader::new(args), &mut out) {
        Ok(()) => "ok".to_owned(),
        Err(Raise::Message(message) | Raise::Argument { message, .. } | Raise::Text(message)) => {
            String::from_utf8(message).unwrap()
        }
        Err(Raise::Value) => "a value".to_owned(),
    }
}

fn bytes(text: Vec<u8>) -> Vec<Value> {
    vec![Value::String(text)]
}

/// As deep as it gets without a setting in the way.
fn unlimited() -> Libraries {
    let mut libraries = Libraries::default();
    for function in ["encode_max_depth", "decode_max_depth"] {
        let most = [Value::Number(f64::from(i32::MAX))];
        assert_eq!(outcome(&mut libraries, "cjson", function, &most), "ok");
    }
    libraries
}

/// Trees this deep need more stack to be dropped than a test thread has.
fn on_a_large_stack(test: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(256 << 20).spawn(test).unwrap().join().unwrap();
}

#[test]
fn cjson_encode() {
    on_a_large_stack(|| {
        let mut libraries = unlimited();
        let mut nested = |depth: usize, wrap: fn(Value) -> Value| {
            let value = (1..depth).fold(Value::list([]), |inner, _| wrap(inner));
            outcome(&mut libraries, "cjson", "encode", &[value])
        };
        let array = |inner| Value::list([inner]);
        let object = |inner| Value::record([("a", inner)]);
        assert_eq!(nested(7997, array), "ok");
        assert_eq!(nested(7998, array), "Cannot serialise, excessive nesting (7998)");
        assert_eq!(nested(3999, object), "ok");
        assert_eq!(nested(4000, object), "Cannot serialise, excessive nesting (4000)");
    });
}

#[test]
fn cjson_decode() {
    on_a_large_stack(|| {
        let mut libraries = unlimited();
        let mut nested = |open: &str, middle: &str, close: &str, depth: usize| {
            let text = format!("{}{middle}{}", open.repeat(depth), close.repeat(depth));
            outcome(&mut libraries, "cjson", "decode", &[Value::from(text.as_str())])
        };
        assert_eq!(nested("[", "", "]", 7998), "ok");
        assert_eq!(
            nested("[", "", "]", 7999),
            "Found too many nested data structures (7999) at character 7999"
        );
        assert_eq!(nested("{\"a\":", "1", "}", 3999), "ok");
        assert_eq!(
            nested("{\"a\":", "1", "}", 4000),
            "Found too many nested data structures (4000) at character 19996"
        );
    });
}

#[test]
fn cmsgpack_unpack() {
    const TOO_MANY: &str = "stack overflow (too many return values at once; \
                            use unpack_one or unpack_limit instead.)";
    on_a_large_stack(|| {
        let mut libraries = Libraries::default();
        let mut unpack =
            |text: Vec<u8>| outcome(&mut libraries, "cmsgpack", "unpack", &bytes(text));
        let nested = |open: &[u8], depth: usize, end: &[u8]| [&open.repeat(depth), end].concat();
        assert_eq!(unpack(nested(b"\x91", 3999, b"\xc0")), "ok");
        assert_eq!(
            unpack(nested(b"\x91", 4000, b"\xc0")),
            "stack overflow (in function mp_decode_to_lua_array)"
        );
        assert_eq!(unpack(nested(b"\x81\x01", 3999, b"\xc0")), "ok");
        assert_eq!(unpack(nested(b"\x81\x01", 4000, b"\xc0")), TOO_MANY);
        assert_eq!(unpack(nested(b"\x81", 7997, &[1; 7998])), "ok");
        assert_eq!(unpack(nested(b"\x81", 7998, &[1; 7999])), TOO_MANY);
        assert_eq!(unpack(vec![1; 7999]), "ok");
        assert_eq!(unpack(vec![1; 8000]), TOO_MANY);
        let mut limit = |count: usize| {
            let args = [Value::String(vec![1; 20000]), Value::Number(count as f64)];
            outcome(&mut libraries, "cmsgpack", "unpack_limit", &args)
        };
        assert_eq!(limit(7998), "ok");
        assert_eq!(limit(7999), "stack overflow (in function mp_unpack_full)");
    });
}

#[test]
fn cmsgpack_pack() {
    let mut libraries = Libraries::default();
    let mut pack = |value: Value, count: usize| {
        outcome(&mut libraries, "cmsgpack", "pack", &vec![value; count])
    };
    let (is_array, as_map) = (
        "stack overflow (in function table_is_an_array)",
        "stack overflow (in function mp_encode_lua_table_as_map)",
    );
    let map = || Value::record([("a", Value::Number(1.0))]);
    assert_eq!(pack(Value::Number(1.0), 4000), "ok");
    assert_eq!(pack(Value::Number(1.0), 4001), "Too many arguments for MessagePack pack.");
    assert_eq!(pack(Value::list([]), 3999), "ok");
    assert_eq!(pack(Value::list([]), 4000), is_array);
    assert_eq!(pack(map(), 3998), "ok");
    assert_eq!(pack(map(), 3999), as_map);
    assert_eq!(pack(Value::list([map()]), 3998), "ok");
    assert_eq!(pack(Value::list([map()]), 3999), as_map);
    let list = Value::list([Value::Number(1.0)]);
    assert_eq!(pack(Value::record([("a", list.clone())]), 3998), "ok");
    assert_eq!(pack(Value::record([("a", list)]), 3999), is_array);
}

#[test]
fn struct_unpack() {
    let mut libraries = Libraries::default();
    let mut unpack = |count: usize, end: &str| {
        let format = "b".repeat(count) + end;
        let args = [Value::from(format.as_str()), Value::from(format.as_str())];
        outcome(&mut libraries, "struct", "unpack", &args)
    };
    assert_eq!(unpack(7997, ""), "ok");
    assert_eq!(unpack(7998, ""), "stack overflow (too many results)");
    assert_eq!(unpack(7996, "x"), "ok");
    assert_eq!(unpack(7997, "x"), "stack overflow (too many results)");
}

#[test]
fn instances_have_settings_of_their_own() {
    let mut libraries = Libraries::default();
    let mut out = Writer::default();
    libraries.call(id("cjson", "new"), &mut Reader::new(&[]), &mut out).unwrap();
    let [Value::Table(instance)] = &out.into_values()[..] else { panic!("no table") };
    assert_eq!(instance.field(b"_VERSION"), Some(&Value::from("2.1.0")));
    assert_eq!(instance.field(b"null"), Some(&Value::NullPointer));
    let native = |name: &[u8]| match instance.field(name) {
        Some(Value::Native(id)) => *id,
        other => panic!("{other:?} is no function"),
    };
    let mut call = |id: NativeId, argument: Value| {
        assert!(Libraries::owns(id));
        let mut out = Writer::default();
        libraries.call(id, &mut Reader::new(&[argument]), &mut out).unwrap();
        out.into_values().remove(0)
    };
    call(native(b"encode_number_precision"), Value::Number(2.0));
    let third = || Value::Number(1.0 / 3.0);
    assert_eq!(call(native(b"encode"), third()), Value::from("0.33"));
    assert_eq!(call(id("cjson", "encode"), third()), Value::from("0.33333333333333"));
}
