//! Reply events to a [`Reply`].
//!
//! Owns which containers are open. Must not know where the events come from.

use redlua_core::{Protocol, ReplySink, Seq};

use super::Reply;
use crate::resp::{error_line, flatten, status_line};
use crate::skip::Skip;

/// The room reserved for a container at once; the rest comes with the elements.
const RESERVE: usize = 1024;
/// What a value weighs besides its text: its sign, its length, its line ends.
const FRAME: usize = 5;

/// A sink that keeps the reply it receives.
///
/// One for RESP2 receives what a client of that protocol would see: maps as flat arrays, doubles
/// as bulks. Newlines in errors and statuses become spaces, as on the wire. Attributes are dropped. The first complete reply is kept, what follows is ignored.
///
/// ```
/// use redlua_conversions::{Reply, ReplyBuilder};
/// use redlua_core::{Protocol, ReplySink};
///
/// let mut sink = ReplyBuilder::new(Protocol::Resp2);
/// sink.map(1);
/// sink.bulk(b"field");
/// assert_eq!(sink.take(), None);
/// sink.boolean(true);
/// assert_eq!(sink.finish(), Some(Reply::array([Reply::bulk("field"), Reply::Integer(1)])));
/// ```
#[derive(Clone, Debug)]
pub struct ReplyBuilder {
    protocol: Protocol,
    open: Vec<Open>,
    complete: Option<Reply>,
    skip: Skip,
    /// About how many bytes have come.
    weight: usize,
}

/// A container that waits for values.
#[derive(Clone, Debug)]
struct Open {
    kind: Kind,
    missing: usize,
    values: Vec<Reply>,
    /// What had come before it.
    mark: usize,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Seq(Seq),
    Map,
}

impl ReplyBuilder {
    /// An empty builder of that protocol.
    pub fn new(protocol: Protocol) -> Self {
        let skip = Skip::default();
        ReplyBuilder { protocol, open: Vec::new(), complete: None, skip, weight: 0 }
    }

    /// The reply, when it has come completely.
    pub fn finish(self) -> Option<Reply> {
        self.complete
    }

    /// The reply, when it has come completely; the builder is ready for the next one.
    pub fn take(&mut self) -> Option<Reply> {
        self.complete.take()
    }

    fn resp2(&self) -> bool {
        self.protocol == Protocol::Resp2
    }

    /// Keeps a value whose text is that long.
    fn scalar(&mut self, text: usize, reply: impl FnOnce() -> Reply) {
        if !self.skip.next(0) {
            self.weight = self.weight.saturating_add(text).saturating_add(FRAME);
            self.value(reply());
        }
    }

    fn container(&mut self, kind: Kind, missing: usize) {
        if self.skip.next(missing) {
            return;
        }
        let values = Vec::with_capacity(missing.min(RESERVE));
        let open = Open { kind, missing, values, mark: self.weight };
        self.weight = self.weight.saturating_add(FRAME);
        if missing == 0 {
            self.value(open.close());
        } else {
            self.open.push(open);
        }
    }

    /// Puts a complete value where it belongs, closing every container that it fills.
    fn value(&mut self, mut reply: Reply) {
        while let Some(mut open) = self.open.pop() {
            open.values.push(reply);
            open.missing -= 1;
            if open.missing > 0 {
                self.open.push(open);
                return;
            }
            reply = open.close();
        }
        if self.complete.is_none() {
            self.complete = Some(reply);
        }
    }
}

impl Open {
    fn close(self) -> Reply {
        match self.kind {
            Kind::Seq(Seq::Array) => Reply::Array(self.values.into()),
            Kind::Seq(Seq::Set) => Reply::Set(self.values.into()),
            Kind::Seq(Seq::Push) => Reply::Push(self.values.into()),
            Kind::Map => {
                let mut values = self.values.into_iter();
                let pairs = std::iter::from_fn(|| Some((values.next()?, values.next()?)));
                Reply::Map(pairs.collect())
            }
        }
    }
}

impl Default for ReplyBuilder {
    /// A builder of RESP3, which keeps every type.
    fn default() -> Self {
        ReplyBuilder::new(Protocol::Resp3)
    }
}

impl ReplySink for ReplyBuilder {
    fn protocol(&self) -> Protocol {
        self.protocol
    }

    fn null(&mut self) {
        self.scalar(0, || Reply::Null);
    }

    fn null_array(&mut self) {
        self.scalar(0, || Reply::NullArray);
    }

    fn integer(&mut self, value: i64) {
        self.scalar(0, || Reply::Integer(value));
    }

    fn bulk(&mut self, bytes: &[u8]) {
        self.scalar(bytes.len(), || Reply::bulk(bytes));
    }

    fn status(&mut self, text: &[u8]) {
        self.scalar(text.len(), || Reply::status(status_line(text)));
    }

    fn error(&mut self, text: &[u8]) {
        self.scalar(text.len(), || Reply::error(error_line(text)));
    }

    fn seq(&mut self, kind: Seq, len: usize) {
        match kind {
            Seq::Set | Seq::Push if self.resp2() => flatten::seq(self, len),
            _ => self.container(Kind::Seq(kind), len),
        }
    }

    fn map(&mut self, pairs: usize) {
        if self.resp2() {
            flatten::map(self, pairs);
        } else {
            self.container(Kind::Map, pairs.min(usize::MAX / 2) * 2);
        }
    }

    fn double(&mut self, value: f64) {
        if self.resp2() {
            flatten::double(self, value);
        } else {
            self.scalar(0, || Reply::double(value));
        }
    }

    fn double_text(&mut self, value: f64, text: &[u8]) {
        if self.resp2() {
            flatten::double_text(self, text);
        } else {
            self.scalar(text.len(), || Reply::Double { value, text: Some(text.to_vec()) });
        }
    }

    fn boolean(&mut self, value: bool) {
        if self.resp2() {
            flatten::boolean(self, value);
        } else {
            self.scalar(0, || Reply::Boolean(value));
        }
    }

    fn big_number(&mut self, digits: &[u8]) {
        if self.resp2() {
            flatten::big_number(self, digits);
        } else {
            self.scalar(digits.len(), || Reply::BigNumber(digits.to_vec()));
        }
    }

    fn verbatim(&mut self, format: [u8; 3], text: &[u8]) {
        if self.resp2() {
            flatten::verbatim(self, text);
        } else {
            self.scalar(text.len(), || Reply::Verbatim { format, text: text.to_vec() });
        }
    }

    fn attribute(&mut self, pairs: usize) {
        self.skip.attribute(pairs);
    }

    fn mark(&self) -> Option<usize> {
        Some(self.weight)
    }

    fn rewind(&mut self, mark: usize) {
        while self.open.last().is_some_and(|open| open.mark >= mark) {
            self.open.pop();
        }
        self.weight = mark;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::resp::{Parsed, RespWriter, parse};

    /// Any reply whose bytes tell it apart from every other.
    pub(crate) fn any_reply() -> impl Strategy<Value = Reply> {
        let line = "[a-zA-Z ]{0,8}";
        let leaf = prop_oneof![
            Just(Reply::Null),
            any::<i64>().prop_map(Reply::Integer),
            proptest::collection::vec(any::<u8>(), 0..8).prop_map(Reply::Bulk),
            line.prop_map(Reply::status),
            line.prop_map(Reply::error),
            any::<bool>().prop_map(Reply::Boolean),
            (-1e9..1e9f64).prop_map(|value| Reply::Double {
                value,
                text: Some(format!("{value}").into_bytes())
            }),
            "-?[1-9][0-9]{0,30}".prop_map(|digits| Reply::BigNumber(digits.into_bytes())),
            line.prop_map(|text| Reply::Verbatim { format: *b"txt", text: text.into_bytes() }),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            let items = proptest::collection::vec(inner.clone(), 0..5);
            prop_oneof![
                items.clone().prop_map(|items| Reply::Array(items.into())),
                items.clone().prop_map(|items| Reply::Set(items.into())),
                items.prop_map(|items| Reply::Push(items.into())),
                proptest::collection::vec((inner.clone(), inner), 0..4).prop_map(Reply::map),
            ]
        })
    }

    proptest! {
        #[test]
        fn bytes_and_back(reply in any_reply()) {
            let mut writer = RespWriter::new(Protocol::Resp3);
            reply.emit(&mut writer);
            let mut builder = ReplyBuilder::default();
            let len = writer.bytes().len();
            prop_assert_eq!(parse(writer.bytes(), &mut builder), Ok(Parsed::Complete(len)));
            prop_assert_eq!(builder.finish(), Some(reply));
        }

        #[test]
        fn resp2_is_flattened_the_same_everywhere(reply in any_reply()) {
            let mut writer = RespWriter::new(Protocol::Resp2);
            reply.emit(&mut writer);
            let mut parsed = ReplyBuilder::default();
            prop_assert!(parse(writer.bytes(), &mut parsed).is_ok());
            let mut direct = ReplyBuilder::new(Protocol::Resp2);
            reply.emit(&mut direct);
            prop_assert_eq!(parsed.finish(), direct.finish());
        }
    }

    #[test]
    fn depth_costs_no_stack() {
        let depth = 500_000;
        let mut builder = ReplyBuilder::default();
        for level in 0..depth {
            if level % 2 == 0 {
                builder.seq(Seq::Array, 1);
            } else {
                builder.map(1);
                builder.null();
            }
        }
        builder.integer(1);
        let reply = builder.finish().unwrap();
        let mut writer = RespWriter::new(Protocol::Resp3);
        reply.emit(&mut writer);
        assert_eq!(writer.bytes().len(), depth / 2 * (4 + 4 + 3) + 4);
    }

    #[test]
    fn attributes_are_dropped() {
        let mut builder = ReplyBuilder::default();
        builder.seq(Seq::Array, 1);
        builder.attribute(1);
        builder.bulk(b"ttl");
        builder.seq(Seq::Array, 1);
        builder.integer(3);
        builder.bulk(b"value");
        assert_eq!(builder.finish(), Some(Reply::array([Reply::bulk("value")])));
    }
}
