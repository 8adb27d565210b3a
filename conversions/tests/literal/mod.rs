//! Calls and values in the spelling of Lua's literals.
//!
//! Owns a parser of what the recorded facts use (constants, tables, `string.rep`, `..`) and the
//! spelling of results. Must not know what is called.

use redlua_conversions::number::{g17, lua_str2number};
use redlua_conversions::tree::{Table, Value};
use redlua_core::Kind;

/// `library.function(arguments)`.
pub(crate) struct Call {
    /// The table.
    pub(crate) library: String,
    /// Its field.
    pub(crate) function: String,
    /// What it is called with.
    pub(crate) arguments: Vec<Value>,
}

/// The calls of a line.
pub(crate) fn calls(text: &str) -> Vec<Call> {
    let mut parser = Parser { text: text.as_bytes(), at: 0 };
    let mut calls = Vec::new();
    loop {
        let library = parser.name();
        parser.expect(b".");
        let function = parser.name();
        parser.expect(b"(");
        let mut arguments = Vec::new();
        while !parser.accept(b")") {
            arguments.push(parser.value());
            parser.accept(b",");
        }
        calls.push(Call { library, function, arguments });
        if !parser.accept(b";") {
            assert_eq!(parser.at, text.len(), "what follows in {text}?");
            return calls;
        }
    }
}

struct Parser<'a> {
    text: &'a [u8],
    at: usize,
}

impl Parser<'_> {
    fn rest(&self) -> &[u8] {
        &self.text[self.at..]
    }

    fn accept(&mut self, token: &[u8]) -> bool {
        while self.rest().first() == Some(&b' ') {
            self.at += 1;
        }
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn expect(&mut self, token: &[u8]) {
        assert!(self.accept(token), "{} in {}", token.escape_ascii(), self.rest().escape_ascii());
    }

    fn name(&mut self) -> String {
        self.accept(b" ");
        let name: Vec<u8> = self
            .rest()
            .iter()
            .copied()
            .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
            .collect();
        self.at += name.len();
        String::from_utf8(name).unwrap()
    }

    fn value(&mut self) -> Value {
        let mut value = self.operand();
        while self.accept(b"..") {
            let (Value::String(mut left), Value::String(right)) = (value, self.operand()) else {
                panic!("only strings are joined")
            };
            left.extend(right);
            value = Value::String(left);
        }
        value
    }

    fn operand(&mut self) -> Value {
        for (word, value) in [
            (&b"nil"[..], Value::Nil),
            (b"true", Value::Boolean(true)),
            (b"false", Value::Boolean(false)),
            (b"cjson.null", Value::NullPointer),
            (b"tostring", Value::Opaque(Kind::Function)),
            (b"coroutine.create(function() end)", Value::Opaque(Kind::Thread)),
            (b"1/0", Value::Number(f64::INFINITY)),
            (b"-1/0", Value::Number(f64::NEG_INFINITY)),
            // On x86 the quotient is negative.
            (b"0/0", Value::Number(f64::NAN.copysign(-1.0))),
            (b"-(0/0)", Value::Number(f64::NAN.copysign(1.0))),
        ] {
            if self.accept(word) {
                return value;
            }
        }
        if self.accept(b"string.rep(") {
            let Value::String(piece) = self.value() else { panic!("a string is repeated") };
            self.expect(b",");
            let Value::Number(times) = self.value() else { panic!("how often?") };
            self.expect(b")");
            return Value::String(piece.repeat(times as usize));
        }
        if self.accept(b"{") {
            return self.table();
        }
        if self.accept(b"\"") {
            return self.string();
        }
        let number: Vec<u8> = self
            .rest()
            .iter()
            .copied()
            .take_while(|byte| byte.is_ascii_alphanumeric() || b".+-".contains(byte))
            .collect();
        self.at += number.len();
        Value::Number(lua_str2number(&number).expect("a number"))
    }

    fn table(&mut self) -> Value {
        let mut table = Table::default();
        let mut index = 0.0;
        while !self.accept(b"}") {
            let key = if self.accept(b"[") {
                let key = self.value();
                self.expect(b"]");
                self.expect(b"=");
                key
            } else {
                index += 1.0;
                Value::Number(index)
            };
            let value = self.value();
            table.set(key, value);
            self.accept(b",");
        }
        Value::Table(table)
    }

    fn string(&mut self) -> Value {
        let mut bytes = Vec::new();
        loop {
            match self.text[self.at] {
                b'"' => break,
                b'\\' => {
                    let digits = &self.text[self.at + 1..self.at + 4];
                    bytes.push(std::str::from_utf8(digits).unwrap().parse().unwrap());
                    self.at += 4;
                }
                byte => {
                    bytes.push(byte);
                    self.at += 1;
                }
            }
        }
        self.at += 1;
        Value::String(bytes)
    }
}

/// A value as the facts spell it: numbers with 17 digits, bytes that are not plain ASCII in
/// decimal, tables in the order of their spelt keys.
pub(crate) fn show(value: &Value) -> String {
    match value {
        Value::Nil => "nil".to_owned(),
        Value::Boolean(boolean) => boolean.to_string(),
        Value::Number(number) => g17(*number).to_string(),
        Value::NullPointer => "null".to_owned(),
        Value::Native(_) => "function".to_owned(),
        Value::Opaque(kind) => kind.name().to_owned(),
        Value::String(bytes) => {
            let mut text = String::from("\"");
            for &byte in bytes {
                match byte {
                    b'"' | b'\\' | ..=31 | 127.. => text.push_str(&format!("\\{byte:03}")),
                    _ => text.push(byte as char),
                }
            }
            text + "\""
        }
        Value::Table(table) => {
            let mut pairs: Vec<_> = table
                .pairs()
                .map(|(key, value)| format!("[{}]={}", show(key), show(value)))
                .collect();
            pairs.sort();
            format!("{{{}}}", pairs.join(","))
        }
    }
}
