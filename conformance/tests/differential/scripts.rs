//! Random Lua scripts, from templates.
//!
//! Owns how holes are filled. Must not know what stands in the templates, nor how a script is
//! sent.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::Union;

use crate::commands::{Argv, scripted, word};
use crate::templates::{
    ANYTHING, FORMATS, INTEGERS, NUMBERS, PATTERNS, STATEMENTS, STRINGS, TABLES,
};

/// Where a script is to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In EVAL, whose Lua state begins anew.
    Eval,
    /// In a function, whose state lives as long as the server.
    Function,
}

/// A script, one statement a line; now and then with a character missing.
pub(crate) fn script(place: Place) -> BoxedStrategy<Vec<u8>> {
    let grammar = Grammar::new(place);
    let lines = vec(grammar.statement.clone(), 0..5);
    let broken = proptest::option::weighted(0.04, any::<Index>());
    (lines, grammar.anything.clone(), broken)
        .prop_map(|(lines, result, broken)| {
            let mut text = String::from("local x,s,t=1,'abc',{1,'b',k='v'}\n");
            for line in lines {
                // What follows a `return` does not compile: a block makes it a statement.
                text.push_str(&match line.starts_with("return") {
                    true => format!("do {line} end\n"),
                    false => format!("{line}\n"),
                });
            }
            text.push_str(&format!("return {result}"));
            let mut text = text.into_bytes();
            // `error({err=…})` short of a letter would end a real server.
            let fragile = text.windows(6).any(|part| part == b"error(");
            if let Some(at) = broken.filter(|_| !fragile) {
                text.remove(at.index(text.len()));
            }
            text
        })
        .boxed()
}

/// Strategies for each kind of hole, at one depth.
#[derive(Clone)]
struct Grammar {
    number: BoxedStrategy<String>,
    string: BoxedStrategy<String>,
    table: BoxedStrategy<String>,
    anything: BoxedStrategy<String>,
    statement: BoxedStrategy<String>,
    call: BoxedStrategy<String>,
}

impl Grammar {
    fn new(place: Place) -> Self {
        let plain = |texts: &[&str]| {
            let texts: Vec<String> = texts
                .iter()
                .filter(|text| !text.contains('$') && allowed(text, place))
                .map(|text| (*text).to_owned())
                .collect();
            select(texts).boxed()
        };
        let call = scripted().prop_map(|argv| call_of(&argv, None)).boxed();
        let mut grammar = Grammar {
            number: plain(NUMBERS),
            string: plain(STRINGS),
            table: plain(TABLES),
            anything: prop_oneof![plain(ANYTHING), plain(NUMBERS), plain(STRINGS)].boxed(),
            statement: plain(STATEMENTS),
            call,
        };
        for _ in 0..3 {
            grammar = grammar.deeper(place);
        }
        grammar
    }

    fn deeper(&self, place: Place) -> Self {
        let all = |texts: &[&str]| {
            let texts = texts.iter().filter(|text| allowed(text, place));
            Union::new(texts.map(|text| self.fill(text))).boxed()
        };
        let mixed =
            (scripted(), proptest::option::weighted(0.25, (any::<Index>(), self.anything.clone())));
        Grammar {
            number: all(NUMBERS),
            string: all(STRINGS),
            table: all(TABLES),
            anything: all(ANYTHING),
            statement: all(STATEMENTS),
            call: mixed.prop_map(|(argv, odd)| call_of(&argv, odd)).boxed(),
        }
    }

    /// The template with its holes filled from this depth.
    fn fill(&self, template: &str) -> BoxedStrategy<String> {
        let mut pieces = template.split('$');
        let mut parts = vec![Just(pieces.next().unwrap_or_default().to_owned()).boxed()];
        for piece in pieces {
            let (hole, rest) = piece.split_at(1);
            parts.push(self.hole(hole));
            parts.push(Just(rest.to_owned()).boxed());
        }
        parts.prop_map(|parts: Vec<String>| parts.concat()).boxed()
    }

    fn hole(&self, name: &str) -> BoxedStrategy<String> {
        let one_of = |texts: &[&str]| {
            select(texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>()).boxed()
        };
        match name {
            "n" => self.number.clone(),
            "s" => self.string.clone(),
            "t" => self.table.clone(),
            "a" => self.anything.clone(),
            "S" => self.statement.clone(),
            "c" => self.call.clone(),
            "i" => one_of(INTEGERS),
            "r" => number(),
            "b" => vec(prop_oneof![any::<u8>(), 128..=223u8, 0..4u8], 0..12)
                .prop_map(|bytes| quoted(&bytes))
                .boxed(),
            "j" => letters("[]{}\"\":,,0123.e-+tfn\\u ax", 14)
                .prop_map(|text| quoted(text.as_bytes()))
                .boxed(),
            "f" => letters("-+ #0123.dicuxXeEfgGqs", 5),
            "P" => prop_oneof![one_of(PATTERNS), letters("ab.%*+-?[]^()wds1", 6)].boxed(),
            "F" => prop_oneof![one_of(FORMATS), letters("bBhHlLiIfdsc0123!<>= x", 5)].boxed(),
            _ => word().prop_map(|word| quoted(&word)).boxed(),
        }
    }
}

/// Text of some of these characters.
fn letters(alphabet: &str, most: usize) -> BoxedStrategy<String> {
    let alphabet: Vec<char> = alphabet.chars().collect();
    vec(select(alphabet), 0..=most).prop_map(|text| text.into_iter().collect()).boxed()
}

/// A number of any magnitude, as Lua and Redis read it.
fn number() -> BoxedStrategy<String> {
    let any_size = (any::<i64>(), -330..310i32)
        .prop_map(|(digits, power)| format!("{}e{}", digits, power - 18));
    let decimal = (-99_999..99_999i64, 0..5u32)
        .prop_map(|(digits, places)| format!("{}", digits as f64 / 10f64.powi(places as i32)));
    let bits = (any::<u64>(), 0..64u32).prop_map(|(bits, shift)| format!("{}", bits >> shift));
    prop_oneof![decimal, bits, any_size].boxed()
}

/// What outlives a script may not stand in a function.
fn allowed(template: &str, place: Place) -> bool {
    place == Place::Eval || !["encode_", "decode_"].iter().any(|word| template.contains(word))
}

/// `call('SET','k',1)`; `odd` takes the place of one argument.
fn call_of(argv: &Argv, odd: Option<(Index, String)>) -> String {
    // Strange members would make a set or a hash whose order is the server's own.
    const STRICT: [&[u8]; 13] = [
        b"SADD", b"SMOVE", b"HSET", b"HMSET", b"HSETNX", b"HINCRBY", b"ZADD", b"ZINCRBY", b"KEYS",
        b"SCAN", b"WAIT", b"COMMAND", b"XADD",
    ];
    let strict =
        argv.first().is_some_and(|name| STRICT.iter().any(|own| name.eq_ignore_ascii_case(own)));
    let mut words: Vec<String> = argv.iter().map(|word| literal(word)).collect();
    if let Some((at, text)) = odd
        && !strict
        && words.len() > 1
    {
        let at = 1 + at.index(words.len() - 1);
        words[at] = text;
    }
    format!("call({})", words.join(","))
}

/// A word as a number where that is the same to the server, else in quotes.
fn literal(word: &[u8]) -> String {
    match word {
        b"0" | b"1" | b"-1" | b"1.5" | b"100" => String::from_utf8_lossy(word).into_owned(),
        _ => quoted(word),
    }
}

fn quoted(word: &[u8]) -> String {
    let mut text = String::from("'");
    for &byte in word {
        match byte {
            b'\'' | b'\\' | b'$' | 0..=31 | 127..=255 => text.push_str(&format!("\\{byte:03}")),
            _ => text.push(char::from(byte)),
        }
    }
    text.push('\'');
    text
}
