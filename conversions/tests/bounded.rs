//! Replies that may only be so long: what was pushed of one that is longer is taken back, from
//! every kind of sink.
#![allow(clippy::unwrap_used)]

use redlua_conversions::resp::RespWriter;
use redlua_conversions::script::bounded_reply;
use redlua_conversions::tree::{Reader, Value};
use redlua_conversions::{Reply, ReplyBuilder};
use redlua_core::{Protocol, ReplySink, Seq};

/// Pushes as an answer of a script in a transaction, which is an array of two.
fn push(value: Value, most: usize, sink: &mut dyn ReplySink) -> bool {
    sink.seq(Seq::Array, 2);
    sink.bulk(b"before");
    let values = [value];
    let mut reader = Reader::new(&values);
    let whole = bounded_reply(&mut reader, Protocol::Resp2, most, sink, || true);
    if !whole {
        sink.error(b"ERR too long");
    }
    whole
}

fn numbers(count: i32) -> Value {
    Value::list((0..count).map(|number| Value::Number(f64::from(number % 10))))
}

/// Each with what is too little and what is enough for it.
fn cases() -> Vec<(Value, usize, usize)> {
    let text = |len: usize| Value::from("x".repeat(len).as_str());
    let inner = Value::list([Value::list([Value::from("a"), numbers(50)]), text(90)]);
    vec![
        (text(100), 99, 200),
        (numbers(100), 150, 600),
        (Value::list([text(10), text(100)]), 60, 300),
        (inner, 250, 600),
    ]
}

#[test]
fn bytes_are_taken_back() {
    for (value, little, enough) in cases() {
        let mut writer = RespWriter::new(Protocol::Resp2);
        assert!(!push(value.clone(), little, &mut writer), "{value:?}");
        assert_eq!(writer.bytes(), b"*2\r\n$6\r\nbefore\r\n-ERR too long\r\n");
        assert!(push(value, enough, &mut writer));
    }
}

#[test]
fn trees_are_taken_back() {
    for (value, little, enough) in cases() {
        let mut builder = ReplyBuilder::new(Protocol::Resp2);
        assert!(!push(value.clone(), little, &mut builder), "{value:?}");
        let refused = Reply::array([Reply::bulk("before"), Reply::error("ERR too long")]);
        assert_eq!(builder.take(), Some(refused));

        assert!(push(value.clone(), enough, &mut builder));
        let mut writer = RespWriter::new(Protocol::Resp2);
        push(value, usize::MAX, &mut writer);
        let mut again = RespWriter::new(Protocol::Resp2);
        builder.take().unwrap().emit(&mut again);
        assert_eq!(again.bytes(), writer.bytes());
    }
}

/// A sink that cannot take anything back.
struct Passing(RespWriter);

impl ReplySink for Passing {
    fn protocol(&self) -> Protocol {
        self.0.protocol()
    }
    fn null(&mut self) {
        self.0.null();
    }
    fn null_array(&mut self) {
        self.0.null_array();
    }
    fn integer(&mut self, value: i64) {
        self.0.integer(value);
    }
    fn bulk(&mut self, bytes: &[u8]) {
        self.0.bulk(bytes);
    }
    fn status(&mut self, text: &[u8]) {
        self.0.status(text);
    }
    fn error(&mut self, text: &[u8]) {
        self.0.error(text);
    }
    fn seq(&mut self, kind: Seq, len: usize) {
        self.0.seq(kind, len);
    }
    fn map(&mut self, pairs: usize) {
        self.0.map(pairs);
    }
    fn double(&mut self, value: f64) {
        self.0.double(value);
    }
    fn double_text(&mut self, value: f64, text: &[u8]) {
        self.0.double_text(value, text);
    }
    fn boolean(&mut self, value: bool) {
        self.0.boolean(value);
    }
    fn big_number(&mut self, digits: &[u8]) {
        self.0.big_number(digits);
    }
    fn verbatim(&mut self, format: [u8; 3], text: &[u8]) {
        self.0.verbatim(format, text);
    }
    fn attribute(&mut self, pairs: usize) {
        self.0.attribute(pairs);
    }
}

#[test]
fn what_cannot_be_taken_back_is_never_begun() {
    for (value, little, enough) in cases() {
        let mut sink = Passing(RespWriter::new(Protocol::Resp2));
        assert!(!push(value.clone(), little, &mut sink), "{value:?}");
        assert_eq!(sink.0.bytes(), b"*2\r\n$6\r\nbefore\r\n-ERR too long\r\n");

        let mut sink = Passing(RespWriter::new(Protocol::Resp2));
        assert!(push(value.clone(), enough, &mut sink));
        let mut writer = RespWriter::new(Protocol::Resp2);
        push(value, usize::MAX, &mut writer);
        assert_eq!(sink.0.bytes(), writer.bytes());
    }
}

#[test]
fn who_says_no_ends_it() {
    let values = [numbers(20_000)];
    let mut writer = RespWriter::new(Protocol::Resp2);
    let mut asked = 0;
    let go_on = || {
        asked += 1;
        asked < 2
    };
    let mut reader = Reader::new(&values);
    assert!(!bounded_reply(&mut reader, Protocol::Resp2, usize::MAX, &mut writer, go_on));
    assert_eq!((asked, writer.bytes()), (2, &b""[..]));
}
