//! What RESP2 makes of the values that only RESP3 has.
//!
//! Owns the flattening rule, once: [`flatten`] holds it as functions, [`Resp2`] is the sink that
//! applies it before another one. Must not know what the inner sink does with the events: it may
//! write bytes or build Lua values under `redis.setresp(2)`.

use redlua_core::{Protocol, ReplySink, Seq};

use crate::skip::Skip;

/// A sink that passes only RESP2's own events on to another one.
///
/// ```
/// use redlua_conversions::resp::Resp2;
/// use redlua_conversions::{Reply, ReplyBuilder};
/// use redlua_core::ReplySink;
///
/// let mut sink = Resp2::new(ReplyBuilder::default());
/// sink.map(1);
/// sink.bulk(b"pi");
/// sink.double(3.5);
/// assert_eq!(
///     sink.into_inner().finish(),
///     Some(Reply::array([Reply::bulk("pi"), Reply::bulk("3.5")]))
/// );
/// ```
#[derive(Clone, Debug, Default)]
pub struct Resp2<S> {
    inner: S,
    /// What belongs to an attribute, which RESP2 has no place for.
    skip: Skip,
}

impl<S: ReplySink> Resp2<S> {
    /// Flattens what goes into `inner`.
    pub fn new(inner: S) -> Self {
        Resp2 { inner, skip: Skip::default() }
    }

    /// The sink behind.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

/// The RESP2 form of each RESP3 event, pushed into a sink that speaks RESP2.
pub mod flatten {
    use redlua_core::{ReplySink, Seq};

    use crate::number;

    /// A set or a push is an array (`networking.c addReplySetLen`, `addReplyPushLen`).
    pub fn seq<S: ReplySink + ?Sized>(sink: &mut S, len: usize) {
        sink.seq(Seq::Array, len);
    }

    /// A map is an array of keys and values (`networking.c addReplyMapLen`).
    pub fn map<S: ReplySink + ?Sized>(sink: &mut S, pairs: usize) {
        sink.seq(Seq::Array, pairs.saturating_mul(2));
    }

    /// A double is a bulk of its 17 significant digits (`networking.c addReplyDouble`).
    pub fn double<S: ReplySink + ?Sized>(sink: &mut S, value: f64) {
        sink.bulk(&number::g17(value));
    }

    /// A double with its own text is a bulk of that text (`networking.c
    /// addReplyHumanLongDouble`).
    pub fn double_text<S: ReplySink + ?Sized>(sink: &mut S, text: &[u8]) {
        sink.bulk(text);
    }

    /// A boolean is 1 or 0 (`networking.c addReplyBool`).
    pub fn boolean<S: ReplySink + ?Sized>(sink: &mut S, value: bool) {
        sink.integer(i64::from(value));
    }

    /// A big number is a bulk of its digits (`networking.c addReplyBigNum`).
    pub fn big_number<S: ReplySink + ?Sized>(sink: &mut S, digits: &[u8]) {
        sink.bulk(digits);
    }

    /// A verbatim string is a bulk without its format (`networking.c addReplyVerbatim`).
    pub fn verbatim<S: ReplySink + ?Sized>(sink: &mut S, text: &[u8]) {
        sink.bulk(text);
    }
}

impl<S: ReplySink> ReplySink for Resp2<S> {
    fn protocol(&self) -> Protocol {
        Protocol::Resp2
    }

    fn null(&mut self) {
        if !self.skip.next(0) {
            self.inner.null();
        }
    }

    fn null_array(&mut self) {
        if !self.skip.next(0) {
            self.inner.null_array();
        }
    }

    fn integer(&mut self, value: i64) {
        if !self.skip.next(0) {
            self.inner.integer(value);
        }
    }

    fn bulk(&mut self, bytes: &[u8]) {
        if !self.skip.next(0) {
            self.inner.bulk(bytes);
        }
    }

    fn status(&mut self, text: &[u8]) {
        if !self.skip.next(0) {
            self.inner.status(text);
        }
    }

    fn error(&mut self, text: &[u8]) {
        if !self.skip.next(0) {
            self.inner.error(text);
        }
    }

    fn seq(&mut self, _kind: Seq, len: usize) {
        if !self.skip.next(len) {
            flatten::seq(&mut self.inner, len);
        }
    }

    fn map(&mut self, pairs: usize) {
        if !self.skip.next(pairs.saturating_mul(2)) {
            flatten::map(&mut self.inner, pairs);
        }
    }

    fn double(&mut self, value: f64) {
        if !self.skip.next(0) {
            flatten::double(&mut self.inner, value);
        }
    }

    fn double_text(&mut self, _value: f64, text: &[u8]) {
        if !self.skip.next(0) {
            flatten::double_text(&mut self.inner, text);
        }
    }

    fn boolean(&mut self, value: bool) {
        if !self.skip.next(0) {
            flatten::boolean(&mut self.inner, value);
        }
    }

    fn big_number(&mut self, digits: &[u8]) {
        if !self.skip.next(0) {
            flatten::big_number(&mut self.inner, digits);
        }
    }

    fn verbatim(&mut self, _format: [u8; 3], text: &[u8]) {
        if !self.skip.next(0) {
            flatten::verbatim(&mut self.inner, text);
        }
    }

    /// The attribute and the values it announces are dropped; the value proper follows.
    fn attribute(&mut self, pairs: usize) {
        self.skip.attribute(pairs);
    }

    fn mark(&self) -> Option<usize> {
        self.inner.mark()
    }

    fn rewind(&mut self, mark: usize) {
        self.inner.rewind(mark);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::RespWriter;

    #[test]
    fn flattens_every_resp3_value() {
        let mut sink = Resp2::new(RespWriter::new(Protocol::Resp3));
        sink.seq(Seq::Set, 7);
        sink.boolean(true);
        sink.double(0.1);
        sink.double_text(0.1, b"0.1");
        sink.big_number(b"123");
        sink.verbatim(*b"txt", b"text");
        sink.map(1);
        sink.integer(1);
        sink.double(f64::NEG_INFINITY);
        sink.seq(Seq::Push, 0);
        assert_eq!(sink.protocol(), Protocol::Resp2);
        assert_eq!(
            sink.into_inner().bytes(),
            b"*7\r\n:1\r\n$19\r\n0.10000000000000001\r\n$3\r\n0.1\r\n$3\r\n123\r\n$4\r\ntext\r\n\
              *2\r\n:1\r\n$4\r\n-inf\r\n*0\r\n"
        );
    }

    #[test]
    fn drops_attributes_with_all_they_hold() {
        let mut sink = Resp2::new(RespWriter::new(Protocol::Resp2));
        sink.attribute(1);
        sink.bulk(b"popularity");
        sink.seq(Seq::Array, 2);
        sink.map(1);
        sink.bulk(b"a");
        sink.double(1.0);
        sink.null();
        sink.integer(7);
        assert_eq!(sink.into_inner().bytes(), b":7\r\n");
    }
}
