//! Replies as a stream of events: what a command answers, pushed into whoever consumes it.
//!
//! Owns the event vocabulary of RESP2 and RESP3. It must not know how events become bytes, Lua
//! values or Rust values: that is `redlua-conversions`.
//!
//! Events are pushed, not returned, because a reply usually ends in a buffer or in a Lua state
//! and a tree in between would be built only to be taken apart. A container announces its length
//! first, so there is no closing event; the next `len` values (each possibly a container) are its
//! elements.

/// Which RESP version the consumer of a reply speaks.
///
/// Some commands answer in another *shape* under RESP3 (`ZRANGE … WITHSCORES` nests its pairs);
/// they ask [`ReplySink::protocol`]. What merely encodes differently (maps, doubles, nulls) is
/// pushed as the RESP3 event and flattened by the sink.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// RESP2, what a connection speaks before `HELLO 3`.
    #[default]
    Resp2,
    /// RESP3.
    Resp3,
}

/// Which kind of sequence follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Seq {
    /// An array (`*`).
    Array,
    /// A set (`~`); an array under RESP2.
    Set,
    /// An out-of-band push (`>`); an array under RESP2.
    Push,
}

/// Receives one reply as events.
///
/// A complete reply is one value: a scalar event, or a container event followed by its elements.
/// No method fails: a sink that cannot go on (its buffer is full, its connection is gone)
/// remembers that and ignores the rest, because a command that has run cannot be undone.
///
/// ```
/// use redlua_core::{Protocol, ReplySink, Seq};
///
/// // `["a", 1]`
/// fn answer(sink: &mut dyn ReplySink) {
///     sink.seq(Seq::Array, 2);
///     sink.bulk(b"a");
///     sink.integer(1);
/// }
/// ```
pub trait ReplySink {
    /// The RESP version the consumer speaks; constant for the duration of one reply.
    fn protocol(&self) -> Protocol;
    /// No value: `_` in RESP3, the null bulk `$-1` in RESP2.
    fn null(&mut self);
    /// No array: `_` in RESP3, the null array `*-1` in RESP2.
    fn null_array(&mut self);
    /// A signed 64-bit integer (`:`).
    fn integer(&mut self, value: i64);
    /// A binary-safe string (`$`).
    fn bulk(&mut self, bytes: &[u8]);
    /// A status line (`+`) without CR or LF, such as `OK`.
    fn status(&mut self, text: &[u8]);
    /// An error line (`-`) without the dash, code word first: `ERR syntax error`.
    fn error(&mut self, text: &[u8]);
    /// A sequence of `len` values.
    fn seq(&mut self, kind: Seq, len: usize);
    /// A map of `pairs` keys, each followed by its value (`%`); a flat array in RESP2.
    fn map(&mut self, pairs: usize);
    /// A double (`,`), printed with 17 significant digits; a bulk in RESP2.
    fn double(&mut self, value: f64);
    /// A double whose decimal text the command determines (`addReplyHumanLongDouble` in
    /// `networking.c`): `text` is what goes over the wire, `value` what it means.
    fn double_text(&mut self, value: f64, text: &[u8]);
    /// A boolean (`#t`, `#f`); `:1` and `:0` in RESP2.
    fn boolean(&mut self, value: bool);
    /// A number of any size as decimal digits (`(`); a bulk in RESP2.
    fn big_number(&mut self, digits: &[u8]);
    /// A string that names its format, such as `txt` or `mkd` (`=`); a bulk in RESP2.
    fn verbatim(&mut self, format: [u8; 3], text: &[u8]);
    /// `pairs` attributes (`|`) which precede the value proper. Only sent under RESP3.
    fn attribute(&mut self, pairs: usize);

    /// How many bytes have come so far, roughly or exactly, when the sink keeps count and can
    /// [`rewind`](ReplySink::rewind). One that passes on at once what it gets cannot: whoever may
    /// have to take a reply back then keeps it until it is complete.
    fn mark(&self) -> Option<usize> {
        None
    }

    /// Takes back the reply that was begun at that [`mark`](ReplySink::mark) and is not complete
    /// yet.
    fn rewind(&mut self, mark: usize) {
        let _ = mark;
    }
}
