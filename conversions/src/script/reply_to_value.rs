//! What `redis.call` returns: a reply, as it arrives, becomes a Lua value.
//!
//! Owns the rules of `redisProtocolToLuaType` in `script_lua.c`. Must not know where the reply
//! comes from.

use redlua_core::{Protocol, ReplySink, Seq, ValueWriter};
use smallvec::SmallVec;

use crate::resp::flatten;
use crate::skip::Skip;

/// A [`ReplySink`] that builds a Lua value in a [`ValueWriter`].
///
/// | reply | Lua value |
/// |---|---|
/// | integer | number |
/// | bulk | string |
/// | status | `{ok = text}` |
/// | error | `{err = text, ignore_error_stats_update = true}` |
/// | array | table from index 1 |
/// | null (RESP2) | `false` |
/// | null (RESP3) | `nil` |
/// | map | `{map = {key = value, …}}` |
/// | set | `{set = {member = true, …}}` |
/// | double | `{double = number}` |
/// | boolean | boolean |
/// | big number | `{big_number = digits}` |
/// | verbatim | `{verbatim_string = {format = f, string = text}}` |
///
/// Under RESP2 only the first six exist; the others are flattened first. Attributes are dropped.
pub struct ReplyToValue<'a> {
    out: &'a mut dyn ValueWriter,
    protocol: Protocol,
    /// Containers begun and not complete, innermost last.
    open: SmallVec<[Open; 4]>,
    skip: Skip,
    /// Whether the reply as a whole is an error.
    error: bool,
    /// Whether a complete value was built.
    done: bool,
}

/// How many elements are made up in place of those that a faulty host has announced.
const MADE_UP: usize = 64;

/// A container that waits for its elements.
struct Open {
    kind: Container,
    /// Values still to come: elements, or keys and values.
    left: usize,
    /// Values that came.
    came: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Container {
    Array,
    Set,
    Map,
}

impl<'a> ReplyToValue<'a> {
    /// A sink that builds one value in `out`, under `redis.setresp` of `protocol`.
    pub fn new(out: &'a mut dyn ValueWriter, protocol: Protocol) -> Self {
        ReplyToValue {
            out,
            protocol,
            open: SmallVec::new(),
            skip: Skip::default(),
            error: false,
            done: false,
        }
    }

    /// Ends the reply and tells whether it was an error. Whatever a faulty host left undone is
    /// made up, so that exactly one value stands in the writer.
    pub fn finish(mut self) -> bool {
        if !self.done && self.open.is_empty() {
            self.out.nil();
        }
        // A length that no reply has is not filled up.
        for open in &mut self.open {
            if open.left > MADE_UP {
                open.left = MADE_UP + open.left % 2;
            }
        }
        while !self.done && !self.open.is_empty() {
            self.null();
        }
        self.error
    }

    /// Whether the event at hand belongs to the reply: not when it is in an attribute, nor when
    /// a faulty host pushes a second one.
    #[inline]
    fn takes(&mut self, children: usize) -> bool {
        !self.done && !self.skip.next(children)
    }

    /// A value is complete on top of the writer: put it where it belongs.
    #[inline]
    fn complete(&mut self) {
        loop {
            let Some(open) = self.open.last_mut() else {
                self.done = true;
                return;
            };
            open.came += 1;
            open.left -= 1;
            match open.kind {
                Container::Array => {
                    self.out.set_index(open.came as i64);
                    // A reply may be larger than what the script may hold: the rest of it is
                    // not taken, and the engine raises.
                    if open.came.is_multiple_of(64) && self.out.failed() {
                        self.done = true;
                        return;
                    }
                }
                Container::Set => {
                    self.out.boolean(true);
                    self.out.set_pair();
                }
                Container::Map if open.left % 2 == 0 => self.out.set_pair(),
                Container::Map => {}
            }
            if open.left > 0 {
                return;
            }
            self.close();
        }
    }

    /// The innermost container is complete.
    #[inline]
    fn close(&mut self) {
        match self.open.pop().map(|open| open.kind) {
            Some(Container::Set) => self.out.set_field(b"set"),
            Some(Container::Map) => self.out.set_field(b"map"),
            Some(Container::Array) | None => {}
        }
    }

    fn begin(&mut self, kind: Container, values: usize) {
        self.out.room(6);
        match kind {
            Container::Array => self.out.table(values, 0),
            Container::Set => {
                self.out.table(0, 0);
                self.out.table(0, 0);
            }
            Container::Map => {
                self.out.table(0, 0);
                self.out.table(0, 0);
            }
        }
        if self.out.failed() {
            // No room on the Lua stack: nothing below can be built either.
            self.done = true;
            return;
        }
        self.open.push(Open { kind, left: values, came: 0 });
        if values == 0 {
            self.close();
            self.complete();
        }
    }

    /// `{name = text}`
    fn tagged(&mut self, name: &[u8], text: &[u8]) {
        self.out.table(0, 0);
        self.out.string(text);
        self.out.set_field(name);
    }
}

impl ReplySink for ReplyToValue<'_> {
    fn protocol(&self) -> Protocol {
        self.protocol
    }

    #[inline]
    fn null(&mut self) {
        if self.takes(0) {
            match self.protocol {
                Protocol::Resp2 => self.out.boolean(false),
                Protocol::Resp3 => self.out.nil(),
            }
            self.complete();
        }
    }

    fn null_array(&mut self) {
        self.null();
    }

    #[inline]
    fn integer(&mut self, value: i64) {
        if self.takes(0) {
            self.out.integer(value);
            self.complete();
        }
    }

    #[inline]
    fn bulk(&mut self, bytes: &[u8]) {
        if self.takes(0) {
            self.out.string(bytes);
            self.complete();
        }
    }

    fn status(&mut self, text: &[u8]) {
        if self.takes(0) {
            self.tagged(b"ok", text);
            self.complete();
        }
    }

    fn error(&mut self, text: &[u8]) {
        if self.takes(0) {
            self.error = self.open.is_empty();
            self.tagged(b"err", text);
            self.out.boolean(true);
            self.out.set_field(b"ignore_error_stats_update");
            self.complete();
        }
    }

    fn seq(&mut self, kind: Seq, len: usize) {
        if self.takes(len) {
            let set = kind == Seq::Set && self.protocol == Protocol::Resp3;
            self.begin(if set { Container::Set } else { Container::Array }, len);
        }
    }

    fn map(&mut self, pairs: usize) {
        match self.protocol {
            Protocol::Resp2 => flatten::map(self, pairs),
            Protocol::Resp3 => {
                // An even number, whatever a faulty host announces: a key without its value would
                // leave the writer with less than it takes away.
                let values = pairs.min(usize::MAX / 2) * 2;
                if self.takes(values) {
                    self.begin(Container::Map, values);
                }
            }
        }
    }

    fn double(&mut self, value: f64) {
        if self.protocol == Protocol::Resp2 {
            flatten::double(self, value);
        } else if self.takes(0) {
            self.out.table(0, 0);
            self.out.number(value);
            self.out.set_field(b"double");
            self.complete();
        }
    }

    fn double_text(&mut self, value: f64, text: &[u8]) {
        match self.protocol {
            Protocol::Resp2 => flatten::double_text(self, text),
            Protocol::Resp3 => self.double(value),
        }
    }

    fn boolean(&mut self, value: bool) {
        if self.protocol == Protocol::Resp2 {
            flatten::boolean(self, value);
        } else if self.takes(0) {
            self.out.boolean(value);
            self.complete();
        }
    }

    fn big_number(&mut self, digits: &[u8]) {
        if self.protocol == Protocol::Resp2 {
            flatten::big_number(self, digits);
        } else if self.takes(0) {
            self.tagged(b"big_number", digits);
            self.complete();
        }
    }

    fn verbatim(&mut self, format: [u8; 3], text: &[u8]) {
        if self.protocol == Protocol::Resp2 {
            flatten::verbatim(self, text);
        } else if self.takes(0) {
            self.out.table(0, 0);
            self.tagged(b"string", text);
            self.out.string(&format);
            self.out.set_field(b"format");
            self.out.set_field(b"verbatim_string");
            self.complete();
        }
    }

    fn attribute(&mut self, pairs: usize) {
        if !self.done {
            self.skip.attribute(pairs);
        }
    }
}
