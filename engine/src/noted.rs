//! A sink that remembers whether an error was among what passed through it.
//!
//! Owns that note, which a host's statistics need. Must not know what is replied.

use redlua_core::{Protocol, ReplySink, Seq};

/// Passes everything on.
pub(crate) struct Noted<'a> {
    sink: &'a mut dyn ReplySink,
    error: Option<Vec<u8>>,
}

impl<'a> Noted<'a> {
    pub(crate) fn new(sink: &'a mut dyn ReplySink) -> Self {
        Noted { sink, error: None }
    }

    /// The first error.
    pub(crate) fn error(&self) -> Option<&[u8]> {
        self.error.as_deref()
    }
}

impl ReplySink for Noted<'_> {
    fn error(&mut self, text: &[u8]) {
        self.error.get_or_insert_with(|| text.to_vec());
        self.sink.error(text);
    }

    fn protocol(&self) -> Protocol {
        self.sink.protocol()
    }

    fn null(&mut self) {
        self.sink.null();
    }

    fn null_array(&mut self) {
        self.sink.null_array();
    }

    fn integer(&mut self, value: i64) {
        self.sink.integer(value);
    }

    fn bulk(&mut self, bytes: &[u8]) {
        self.sink.bulk(bytes);
    }

    fn status(&mut self, text: &[u8]) {
        self.sink.status(text);
    }

    fn seq(&mut self, kind: Seq, len: usize) {
        self.sink.seq(kind, len);
    }

    fn map(&mut self, pairs: usize) {
        self.sink.map(pairs);
    }

    fn double(&mut self, value: f64) {
        self.sink.double(value);
    }

    fn double_text(&mut self, value: f64, text: &[u8]) {
        self.sink.double_text(value, text);
    }

    fn boolean(&mut self, value: bool) {
        self.sink.boolean(value);
    }

    fn big_number(&mut self, digits: &[u8]) {
        self.sink.big_number(digits);
    }

    fn verbatim(&mut self, format: [u8; 3], text: &[u8]) {
        self.sink.verbatim(format, text);
    }

    fn attribute(&mut self, pairs: usize) {
        self.sink.attribute(pairs);
    }

    fn mark(&self) -> Option<usize> {
        self.sink.mark()
    }

    fn rewind(&mut self, mark: usize) {
        // Errors are noted of one reply, so there is none from before it.
        self.error = None;
        self.sink.rewind(mark);
    }
}
