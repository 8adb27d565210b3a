//! What a real server answers, line by line, compared with the libraries called directly.
//!
//! Each file in `facts` has lines of two columns: Lua calls, separated by `; `, of which the last
//! one's outcome counts, and that outcome as recorded from redis-server 7.0.15. Results are
//! spelt as below in [`literal::show`], joined by ` | `; an error begins with `!`, one that begins
//! with the position of the calling code with `!@`. `REDLUA_FACTS` names another directory of
//! such files.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod literal;

use std::path::{Path, PathBuf};

use redlua_conversions::Libraries;
use redlua_conversions::tree::{Reader, Value, Writer};
use redlua_core::{Item, NativeId, Raise, ValueWriter};

fn id(library: &str, function: &str) -> NativeId {
    match (library, function) {
        ("math", "random") => return Libraries::RANDOM,
        ("math", "randomseed") => return Libraries::RANDOMSEED,
        _ => {}
    }
    for entry in Libraries::entries() {
        let Item::Table(fields) = entry.item else { panic!("{} is no table", entry.name) };
        for field in fields {
            if let (true, true, Item::Native(id)) =
                (entry.name == library, field.name == function, field.item)
            {
                return id;
            }
        }
    }
    panic!("no function {library}.{function}")
}

/// The outcome of a line's calls, in a fresh state.
fn outcome(calls: &str) -> String {
    let mut libraries = Libraries::default();
    let mut shown = String::new();
    for call in literal::calls(calls) {
        let id = id(&call.library, &call.function);
        let mut out = Writer::default();
        match libraries.call(id, &mut Reader::new(&call.arguments), &mut out) {
            Ok(()) => {
                assert!(!out.failed(), "the writer failed in {calls}");
                let results: Vec<_> = out.into_values().iter().map(literal::show).collect();
                shown = results.join(" | ");
            }
            Err(raise) => return error(&raise, &call.function),
        }
    }
    shown
}

fn error(raise: &Raise, function: &str) -> String {
    let escape = |bytes: &[u8]| {
        let quoted = literal::show(&Value::from(bytes));
        quoted[1..quoted.len() - 1].to_owned()
    };
    match raise {
        Raise::Message(message) => format!("!@{}", escape(message)),
        Raise::Text(message) => format!("!{}", escape(message)),
        Raise::Argument { index, message } => {
            format!("!@bad argument #{index} to '{function}' ({})", escape(message))
        }
        Raise::Value => "!value".to_owned(),
    }
}

fn compare(file: &str) {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/facts");
    let path = std::env::var_os("REDLUA_FACTS").map_or(own, PathBuf::from).join(file);
    let text = std::fs::read_to_string(path).unwrap();
    let mut wrong = Vec::new();
    let mut lines = 0;
    for line in text.lines() {
        let (calls, expected) = line.split_once('\t').unwrap();
        let found = outcome(calls);
        lines += 1;
        if found != expected {
            wrong.push(format!("{calls}\n  server: {expected}\n  here:   {found}"));
        }
    }
    let shown: Vec<_> = wrong.iter().take(40).map(String::as_str).collect();
    assert!(wrong.is_empty(), "{} of {lines} differ:\n{}", wrong.len(), shown.join("\n"));
}

#[test]
fn bit() {
    compare("bit.tsv");
}

#[test]
fn cjson_decode() {
    compare("cjson-decode.tsv");
}

#[test]
fn cjson_encode() {
    compare("cjson-encode.tsv");
}

#[test]
fn cjson_settings() {
    compare("cjson-settings.tsv");
}

#[test]
fn cmsgpack() {
    compare("cmsgpack.tsv");
}

#[test]
fn random() {
    compare("random.tsv");
}

#[test]
fn structs() {
    compare("struct.tsv");
}
