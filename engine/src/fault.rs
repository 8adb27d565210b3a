//! Errors inside scripts: the tables that carry them and the reply they become.
//!
//! Owns the rules of `luaPushErrorBuff` and `luaExtractErrorInformation` in `script_lua.c`. Must
//! not know what went wrong.

use redlua_conversions::number::g14;
use redlua_core::{Kind, Location, ReplySink, ValueReader, ValueWriter};

use crate::text::join;

/// The text of an error as scripts see it: after a leading dash its own code word, else the
/// generic one; no line ends around the message.
pub(crate) fn with_code(text: &[u8]) -> Vec<u8> {
    let (code, message) = match text.strip_prefix(b"-") {
        Some(coded) => match coded.iter().position(|&byte| byte == b' ') {
            Some(space) => (&coded[..space], &coded[space + 1..]),
            None => (&b"ERR"[..], coded),
        },
        None => (&b"ERR"[..], text),
    };
    let inner = |byte: &u8| !matches!(byte, b'\r' | b'\n');
    let start = message.iter().position(inner).unwrap_or(message.len());
    let end = message.iter().rposition(inner).map_or(start, |last| last + 1);
    join(&[code, b" ", &message[start..end]])
}

/// Appends `{err = text}`.
pub(crate) fn push(out: &mut dyn ValueWriter, text: &[u8]) {
    out.table(0, 0);
    out.string(text);
    out.set_field(b"err");
}

/// What a script is told of a failed `redis.call` before any command ran; the text has its code
/// word.
pub(crate) fn push_refusal(out: &mut dyn ValueWriter, text: &[u8]) {
    push(out, text);
    out.boolean(true);
    out.set_field(b"ignore_error_stats_update");
}

/// Replies with the error table (or, when Lua itself failed, the string) under the cursor.
pub(crate) fn reply(value: &mut dyn ValueReader, script: &[u8], sink: &mut dyn ReplySink) {
    let mut line = message(value);
    if value.kind() != Kind::Table {
        sink.error(&line);
        return;
    }
    let source = field(value, b"source");
    let number = field(value, b"line");
    if let (Some(source), Some(number)) = (source, number) {
        position(&mut line, script, &source, &number);
    }
    sink.error(&line);
}

/// The text of the error table (or, when Lua itself failed, the string) under the cursor.
pub(crate) fn message(value: &mut dyn ValueReader) -> Vec<u8> {
    if value.kind() == Kind::Table {
        field(value, b"err")
            .unwrap_or_else(|| b"ERR the script raised a table without an err field".to_vec())
    } else {
        join(&[b"ERR ", &c_text(value).unwrap_or_default()])
    }
}

/// Replies with an error that interrupted the script.
pub(crate) fn reply_at(
    text: &[u8],
    at: Option<Location<'_>>,
    script: &[u8],
    sink: &mut dyn ReplySink,
) {
    let mut line = text.to_vec();
    if let Some(at) = at {
        position(&mut line, script, at.source, at.line.to_string().as_bytes());
    }
    sink.error(&line);
}

fn position(out: &mut Vec<u8>, script: &[u8], source: &[u8], line: &[u8]) {
    out.extend(join(&[b" script: ", script, b", on ", source, b":", line, b"."]));
}

/// A field as text, when it is a string or a number.
fn field(value: &mut dyn ValueReader, name: &[u8]) -> Option<Vec<u8>> {
    value.enter_field(name);
    let text = c_text(value);
    value.leave();
    text
}

/// A string up to its first NUL, or a number as Lua writes it.
fn c_text(value: &dyn ValueReader) -> Option<Vec<u8>> {
    match value.kind() {
        Kind::String => Some(value.bytes().iter().copied().take_while(|&b| b != 0).collect()),
        Kind::Number => Some(g14(value.number()).to_vec()),
        _ => None,
    }
}
