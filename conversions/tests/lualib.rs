//! Lua's library in Rust beside that of the `lua5.1` on this machine.
//!
//! Must not know how either works: random calls go to both, the answers must be the same.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test may panic")]

#[path = "lua51/driver.rs"]
mod driver;
#[path = "lua51/oracle.rs"]
mod oracle;

use std::cell::RefCell;

use oracle::Oracle;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use redlua_conversions::tree::Value;

/// Compares the answers to calls that `strategy` makes up.
fn compare(cases: u32, strategy: impl Strategy<Value = (&'static str, Vec<Value>)>) {
    let Some(oracle) = Oracle::start() else { return };
    let oracle = RefCell::new(oracle);
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&strategy, |(name, arguments)| {
        let expected = oracle.borrow_mut().call(name, &arguments);
        let found = driver::call(name, &arguments);
        prop_assert_eq!(unplaced(&found), unplaced(&expected), "{} {:?}", name, arguments);
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

/// An error without the position in the oracle's own source.
fn unplaced(answer: &str) -> String {
    let Some(text) = answer.strip_prefix("f s") else { return answer.to_owned() };
    let bytes: Vec<u8> = (0..text.len() / 2)
        .map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap())
        .collect();
    // What the oracle wraps is called `f` there.
    let text = String::from_utf8_lossy(&bytes).replace("to 'f' (", "to '?' (");
    match text.split_once(".lua:") {
        Some((_, rest)) => rest.split_once(": ").map_or("", |parts| parts.1).to_owned(),
        None => text.clone(),
    }
}

fn bytes(pattern: &'static str) -> impl Strategy<Value = Value> {
    pattern.prop_map(|text: String| Value::String(text.into_bytes()))
}

/// Texts over a small alphabet, so that patterns match.
fn subject() -> BoxedStrategy<Value> {
    prop_oneof![
        6 => bytes("[ab1 ()x-]{0,12}"),
        2 => bytes("[a-c]{0,30}"),
        1 => prop::collection::vec(any::<u8>(), 0..10).prop_map(Value::String),
        1 => (-1000i32..1000).prop_map(|number| Value::Number(f64::from(number) / 4.0)),
    ]
    .boxed()
}

/// Pieces of patterns, right and wrong ones.
fn pattern() -> BoxedStrategy<Value> {
    let single = prop_oneof![
        4 => "[ab1x -]",
        1 => Just(".".to_owned()),
        3 => "%[acdlpsuwxzADSWZ.%()b-]",
        3 => "\\[\\^?[ab1]?(a-c|%w|%]|-|[ab]-|\\]|x-1){0,3}\\]",
        1 => "%[0-9f]",
    ];
    let piece = prop_oneof![
        8 => (single, "[*+?-]?").prop_map(|(one, repeat)| one + &repeat),
        2 => Just("(".to_owned()),
        2 => Just(")".to_owned()),
        1 => Just("()".to_owned()),
        1 => Just("%b()".to_owned()),
        1 => Just("%f[%w]".to_owned()),
        1 => "%[1-3]",
        1 => "[$^\\[\\]%\\x00]",
        1 => "%[bf]",
    ];
    ("[\\^]?", prop::collection::vec(piece, 0..7), "[$%]?")
        .prop_map(|(start, pieces, end)| {
            Value::String((start + &pieces.concat() + &end).into_bytes())
        })
        .boxed()
}

fn position() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Nil),
        (-15i32..15).prop_map(|place| Value::Number(f64::from(place))),
        Just(Value::from("2")),
        Just(Value::Number(1e300)),
    ]
}

fn function(ids: &'static [u32]) -> impl Strategy<Value = Value> {
    prop::sample::select(ids).prop_map(Value::Native)
}

#[test]
fn patterns() {
    let calls = prop_oneof![
        (subject(), pattern(), position(), any::<bool>())
            .prop_map(|(s, p, i, plain)| ("string.find", vec![s, p, i, Value::Boolean(plain)])),
        (subject(), pattern(), position()).prop_map(|(s, p, i)| ("string.find", vec![s, p, i])),
        (subject(), pattern()).prop_map(|(s, p)| ("string.match", vec![s, p])),
        (subject(), pattern(), position()).prop_map(|(s, p, i)| ("string.match", vec![s, p, i])),
        (subject(), pattern()).prop_map(|(s, p)| ("string.gmatch", vec![s, p])),
    ];
    compare(12_000, calls);
}

#[test]
fn substitutions() {
    let replacement = prop_oneof![
        4 => bytes("[ab%0-3 x]{0,6}"),
        1 => Just(Value::Number(-0.5)),
        4 => function(&[4, 5, 6, 7, 8, 9, 10, 11]),
        2 => prop::collection::vec(bytes("[a-c]{0,2}"), 0..3).prop_map(Value::list),
        1 => Just(Value::Nil),
        2 => Just(Value::list([Value::from("x"), Value::Boolean(true), Value::Boolean(false)])),
    ];
    let most = prop_oneof![3 => Just(None), 1 => position().prop_map(Some)];
    let calls = (subject(), pattern(), replacement, most).prop_map(|(s, p, r, most)| {
        let mut arguments = vec![s, p, r];
        arguments.extend(most);
        ("string.gsub", arguments)
    });
    compare(12_000, calls);
}

fn number() -> BoxedStrategy<f64> {
    prop_oneof![
        3 => (-1000i32..1000).prop_map(|number| f64::from(number) / 8.0),
        3 => any::<f64>().prop_filter("NaN has two signs", |number| !number.is_nan()),
        2 => -1e10f64..1e10,
        2 => 0.0..1.0f64,
        1 => any::<i64>().prop_map(|number| number as f64),
        1 => prop::sample::select(&[0.0, -0.0, 0.5, 1.5, 2.5, 1e15, 9.5, 99.5, 999.5, 1e-5][..]),
        1 => prop::sample::select(&[f64::INFINITY, f64::NEG_INFINITY, 5e-324, 1e308][..]),
    ]
    .boxed()
}

#[test]
fn formats() {
    let item = ("[-+ #0]{0,3}", "([0-9]|[0-9][0-9])?", "(\\.[0-9]?[0-9]?)?", "[cdiouxXeEfgGqs]")
        .prop_map(|(flags, width, precision, letter)| {
            format!("%{flags}{width}{precision}{letter}")
        });
    let odd = "%[-+ #0]{0,7}[0-9]{0,3}(\\.[0-9]{0,3})?[a-zA-Z%\\x00]?";
    let piece =
        prop_oneof![12 => item, 2 => "[a-z%\\x00]{0,3}", 1 => odd, 1 => Just("%%".to_owned())];
    let argument = prop_oneof![
        6 => number().prop_map(Value::Number),
        2 => bytes("[a-z\"\\\\\\n\\r\\x00]{0,8}"),
        1 => bytes("[ab]{95,120}"),
        1 => bytes(" ?-?(0x)?[0-9]{1,4} ?"),
        1 => Just(Value::Nil),
    ];
    let calls =
        (prop::collection::vec((piece, argument), 1..4), 0usize..8).prop_map(|(parts, cut)| {
            let (pieces, arguments): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
            let mut all = vec![Value::String(pieces.concat().into_bytes())];
            all.extend(arguments);
            if cut == 0 {
                all.pop();
            }
            ("string.format", all)
        });
    compare(20_000, calls);
}

#[test]
fn numbers_and_texts() {
    let numeral = prop_oneof![
        bytes(
            "[ \\t]?[-+]?(0[xX])?[0-9a-fA-F]{0,6}(\\.[0-9a-f]{0,3})?([eEpP][-+]?[0-9]{0,3})?[ \\n]?"
        ),
        bytes("-?(inf|nan|Infinity|0x|\\.|e5|1e|--1|z)"),
        bytes("[ +-]{0,2}(0x)?[0-9a-z]{1,20}[ x]?"),
        number().prop_map(Value::Number),
        Just(Value::Nil),
        Just(Value::Boolean(true)),
        Just(Value::list([])),
    ];
    let base = prop_oneof![
        3 => Just(None),
        3 => (-1i32..40).prop_map(|base| Some(Value::Number(f64::from(base)))),
        2 => Just(Some(Value::Number(16.0))),
    ];
    let value = prop_oneof![
        number().prop_map(Value::Number),
        subject(),
        Just(Value::Nil),
        Just(Value::Boolean(false)),
    ];
    let whole = (-20i32..300).prop_map(|number| Value::Number(f64::from(number) / 2.0));
    let calls = prop_oneof![
        4 => (numeral, base).prop_map(|(text, base)| {
            (".tonumber", [Some(text), base].into_iter().flatten().collect())
        }),
        2 => prop::collection::vec(value.clone(), 0..2).prop_map(|args| (".tostring", args)),
        1 => (subject(), position(), position()).prop_map(|(s, i, j)| ("string.sub", vec![s, i, j])),
        1 => (subject(), position(), position()).prop_map(|(s, i, j)| ("string.byte", vec![s, i, j])),
        1 => prop::collection::vec(whole.clone(), 0..4).prop_map(|args| ("string.char", args)),
        1 => (subject(), whole).prop_map(|(s, n)| ("string.rep", vec![s, n])),
        1 => prop::collection::vec(value.clone(), 0..2).prop_map(|args| ("string.upper", args)),
        1 => subject().prop_map(|s| ("string.lower", vec![s])),
        1 => subject().prop_map(|s| ("string.reverse", vec![s])),
        1 => prop::collection::vec(value.clone(), 0..2).prop_map(|args| ("string.len", args)),
        1 => (position(), prop::collection::vec(value.clone(), 0..5)).prop_map(|(n, mut args)| {
            args.insert(0, n);
            (".select", args)
        }),
        1 => prop::collection::vec(value, 0..2).prop_map(|args| (".type", args)),
        1 => (list(), position(), position()).prop_map(|(t, i, j)| (".unpack", vec![t, i, j])),
    ];
    compare(16_000, calls);
}

fn list() -> BoxedStrategy<Value> {
    let element = prop_oneof![
        6 => (0i32..6).prop_map(|number| Value::Number(f64::from(number))),
        4 => bytes("[a-c]{1,2}"),
        1 => Just(Value::Boolean(true)),
    ];
    let short = prop::collection::vec(element, 0..8);
    let numbers = prop::collection::vec(0i32..50, 0..60);
    prop_oneof![
        2 => short.prop_map(Value::list),
        3 => numbers.prop_map(|all| {
            Value::list(all.into_iter().map(|number| Value::Number(f64::from(number))))
        }),
        1 => prop::collection::vec(bytes("[a-c]{0,3}"), 0..20).prop_map(Value::list),
    ]
    .boxed()
}

#[test]
fn tables() {
    let place = || {
        prop_oneof![
            2 => Just(None),
            4 => (-3i32..12).prop_map(|place| Some(Value::Number(f64::from(place)))),
            1 => Just(Some(Value::from("x"))),
        ]
    };
    let with = |name: &'static str, parts: Vec<Option<Value>>| {
        (name, parts.into_iter().flatten().collect::<Vec<_>>())
    };
    let order = function(&[1, 2, 3, 4, 5, 8]);
    let calls = prop_oneof![
        4 => list().prop_map(|list| ("table.sort", vec![list])),
        5 => (list(), order).prop_map(|(list, order)| ("table.sort", vec![list, order])),
        3 => (list(), bytes("[, ]{0,2}"), place(), place())
            .prop_map(move |(t, s, i, j)| with("table.concat", vec![Some(t), Some(s), i, j])),
        2 => (list(), place(), place()).prop_map(move |(t, i, v)| with("table.insert", vec![Some(t), i, v])),
        2 => (list(), place()).prop_map(move |(t, i)| with("table.remove", vec![Some(t), i])),
        1 => list().prop_map(|list| ("table.maxn", vec![list])),
        1 => prop_oneof![list(), subject()].prop_map(|list| ("table.getn", vec![list])),
        1 => prop_oneof![list(), subject()].prop_map(|list| ("table.setn", vec![list])),
        2 => (prop_oneof![9 => list(), 1 => subject()], function(&[4, 5, 6, 7]))
            .prop_map(|(list, f)| ("table.foreachi", vec![list, f])),
        2 => (list(), function(&[4, 5, 6, 7])).prop_map(|(list, f)| ("table.foreach", vec![list, f])),
        1 => list().prop_map(|list| ("table.foreach", vec![list])),
    ];
    compare(12_000, calls);
}

#[test]
fn mathematics() {
    let names = prop::sample::select(
        &[
            "math.abs",
            "math.acos",
            "math.asin",
            "math.atan",
            "math.ceil",
            "math.cos",
            "math.cosh",
            "math.deg",
            "math.exp",
            "math.floor",
            "math.frexp",
            "math.log",
            "math.log10",
            "math.max",
            "math.min",
            "math.modf",
            "math.rad",
            "math.sin",
            "math.sinh",
            "math.sqrt",
            "math.tan",
            "math.tanh",
            "math.atan2",
            "math.fmod",
            "math.ldexp",
            "math.mod",
            "math.pow",
        ][..],
    );
    let argument = prop_oneof![9 => number().prop_map(Value::Number), 1 => subject()];
    compare(8_000, (names, prop::collection::vec(argument, 0..4)));
}
