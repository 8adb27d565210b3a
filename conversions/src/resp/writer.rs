//! Reply events to RESP bytes.
//!
//! Owns the encoding of each event in both protocols and what may stand on an error or status
//! line. The shape RESP3 values take in RESP2 is `resp2`'s. Must not know where the bytes go.

use std::borrow::Cow;

use redlua_core::{Protocol, ReplySink, Seq};

use super::resp2::flatten;
use crate::number;

/// A sink that appends RESP bytes to a buffer of its own.
///
/// ```
/// use redlua_conversions::resp::RespWriter;
/// use redlua_core::{Protocol, ReplySink};
///
/// let mut writer = RespWriter::new(Protocol::Resp3);
/// writer.map(1);
/// writer.bulk(b"ready");
/// writer.boolean(true);
/// assert_eq!(writer.bytes(), b"%1\r\n$5\r\nready\r\n#t\r\n");
/// ```
#[derive(Clone, Debug, Default)]
pub struct RespWriter {
    protocol: Protocol,
    buffer: Vec<u8>,
}

impl RespWriter {
    /// An empty writer of that protocol.
    pub fn new(protocol: Protocol) -> Self {
        Self::with_buffer(protocol, Vec::new())
    }

    /// A writer that appends to `buffer`, whose contents stay in front.
    pub fn with_buffer(protocol: Protocol, buffer: Vec<u8>) -> Self {
        RespWriter { protocol, buffer }
    }

    /// The bytes written so far.
    pub fn bytes(&self) -> &[u8] {
        &self.buffer
    }

    /// The buffer itself.
    pub fn into_bytes(self) -> Vec<u8> {
        self.buffer
    }

    /// Forgets what was written; the buffer keeps its room.
    pub fn clear(&mut self) {
        self.buffer.clear();
    }

    /// Forgets what was written after the first `len` bytes.
    pub fn truncate(&mut self, len: usize) {
        self.buffer.truncate(len);
    }

    /// Puts bytes that are RESP already in front of what was written after the first `at`.
    pub fn insert(&mut self, at: usize, resp: &[u8]) {
        let at = at.min(self.buffer.len());
        self.buffer.splice(at..at, resp.iter().copied());
    }

    /// Speaks another protocol from the next reply on (`HELLO`).
    pub fn set_protocol(&mut self, protocol: Protocol) {
        self.protocol = protocol;
    }

    /// Appends bytes that are RESP already.
    pub fn raw(&mut self, resp: &[u8]) {
        self.buffer.extend_from_slice(resp);
    }

    fn resp2(&self) -> bool {
        self.protocol == Protocol::Resp2
    }

    fn header(&mut self, marker: u8, len: usize) {
        self.line(marker, itoa::Buffer::new().format(len).as_bytes());
    }

    fn line(&mut self, marker: u8, text: &[u8]) {
        self.buffer.reserve(text.len() + 3);
        self.buffer.push(marker);
        self.buffer.extend_from_slice(text);
        self.buffer.extend_from_slice(b"\r\n");
    }
}

impl ReplySink for RespWriter {
    fn protocol(&self) -> Protocol {
        self.protocol
    }

    fn null(&mut self) {
        self.raw(if self.resp2() { b"$-1\r\n" } else { b"_\r\n" });
    }

    fn null_array(&mut self) {
        self.raw(if self.resp2() { b"*-1\r\n" } else { b"_\r\n" });
    }

    fn integer(&mut self, value: i64) {
        self.line(b':', itoa::Buffer::new().format(value).as_bytes());
    }

    fn bulk(&mut self, bytes: &[u8]) {
        self.header(b'$', bytes.len());
        self.buffer.reserve(bytes.len() + 2);
        self.buffer.extend_from_slice(bytes);
        self.buffer.extend_from_slice(b"\r\n");
    }

    fn status(&mut self, text: &[u8]) {
        self.line(b'+', &status_line(text));
    }

    fn error(&mut self, text: &[u8]) {
        self.line(b'-', &error_line(text));
    }

    fn seq(&mut self, kind: Seq, len: usize) {
        match kind {
            Seq::Array => self.header(b'*', len),
            _ if self.resp2() => flatten::seq(self, len),
            Seq::Set => self.header(b'~', len),
            Seq::Push => self.header(b'>', len),
        }
    }

    fn map(&mut self, pairs: usize) {
        if self.resp2() {
            flatten::map(self, pairs);
        } else {
            self.header(b'%', pairs);
        }
    }

    fn double(&mut self, value: f64) {
        if self.resp2() {
            flatten::double(self, value);
        } else {
            self.line(b',', &number::g17(value));
        }
    }

    fn double_text(&mut self, _value: f64, text: &[u8]) {
        if self.resp2() {
            flatten::double_text(self, text);
        } else {
            self.line(b',', text);
        }
    }

    fn boolean(&mut self, value: bool) {
        if self.resp2() {
            flatten::boolean(self, value);
        } else {
            self.raw(if value { b"#t\r\n" } else { b"#f\r\n" });
        }
    }

    fn big_number(&mut self, digits: &[u8]) {
        if self.resp2() {
            flatten::big_number(self, digits);
        } else {
            self.line(b'(', digits);
        }
    }

    fn verbatim(&mut self, format: [u8; 3], text: &[u8]) {
        if self.resp2() {
            flatten::verbatim(self, text);
        } else {
            self.header(b'=', text.len() + format.len() + 1);
            self.buffer.extend_from_slice(&format);
            self.buffer.push(b':');
            self.buffer.extend_from_slice(text);
            self.buffer.extend_from_slice(b"\r\n");
        }
    }

    /// Sent under RESP3 only, as [`ReplySink`] promises.
    fn attribute(&mut self, pairs: usize) {
        self.header(b'|', pairs);
    }

    fn mark(&self) -> Option<usize> {
        Some(self.buffer.len())
    }

    fn rewind(&mut self, mark: usize) {
        self.truncate(mark);
    }
}

/// An error's text as it may stand on its line: CR and LF at the end are cut, each one inside is a
/// space (`networking.c addReplyErrorFormatInternal`).
pub fn error_line(text: &[u8]) -> Cow<'_, [u8]> {
    let end = text.iter().rposition(|byte| !is_newline(byte)).map_or(0, |last| last + 1);
    status_line(text.get(..end).unwrap_or(text))
}

/// A status' text as it may stand on its line: each CR and LF is a space
/// (`script_lua.c luaReplyToRedisReply`).
pub fn status_line(text: &[u8]) -> Cow<'_, [u8]> {
    if text.iter().any(is_newline) {
        text.iter().map(|byte| if is_newline(byte) { b' ' } else { *byte }).collect()
    } else {
        Cow::Borrowed(text)
    }
}

fn is_newline(byte: &u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(protocol: Protocol, answer: impl Fn(&mut RespWriter)) -> String {
        let mut writer = RespWriter::new(protocol);
        answer(&mut writer);
        String::from_utf8(writer.into_bytes()).unwrap()
    }

    #[test]
    fn encodes_both_protocols() {
        let all = |writer: &mut RespWriter| {
            writer.null();
            writer.null_array();
            writer.integer(i64::MIN);
            writer.status(b"OK");
            writer.seq(Seq::Array, 0);
            writer.seq(Seq::Set, 1);
            writer.boolean(false);
            writer.map(2);
            writer.double(f64::INFINITY);
            writer.double(3.0);
            writer.double_text(0.1, b"0.1");
            writer.big_number(b"-12");
            writer.verbatim(*b"mkd", b"# x");
        };
        assert_eq!(
            written(Protocol::Resp2, all),
            "$-1\r\n*-1\r\n:-9223372036854775808\r\n+OK\r\n*0\r\n*1\r\n:0\r\n*4\r\n$3\r\ninf\r\n\
             $1\r\n3\r\n$3\r\n0.1\r\n$3\r\n-12\r\n$3\r\n# x\r\n"
        );
        assert_eq!(
            written(Protocol::Resp3, all),
            "_\r\n_\r\n:-9223372036854775808\r\n+OK\r\n*0\r\n~1\r\n#f\r\n%2\r\n,inf\r\n,3\r\n\
             ,0.1\r\n(-12\r\n=7\r\nmkd:# x\r\n"
        );
    }

    #[test]
    fn lines_never_hold_newlines() {
        let lines = |writer: &mut RespWriter| {
            writer.error(b"ERR a\r\n\nb\r\n");
            writer.error(b"\r\n");
            writer.status(b"a\nb\n");
        };
        assert_eq!(written(Protocol::Resp2, lines), "-ERR a   b\r\n-\r\n+a b \r\n");
    }
}
