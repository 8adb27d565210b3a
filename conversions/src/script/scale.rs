//! A reply that is only weighed.
//!
//! Owns [`Scale`]. Must not know what is done with a reply that is too heavy.

use std::cell::Cell;

use redlua_core::{Protocol, ReplySink, Seq};

/// What a value counts for besides its text: its sign, its length, its line ends.
const FRAME: usize = 5;

/// A [`ReplySink`] that counts about how many bytes a reply takes in RESP.
pub(super) struct Scale<'a>(pub(super) &'a Cell<usize>);

impl Scale<'_> {
    #[inline]
    fn add(&self, bytes: usize) {
        self.0.set(self.0.get().saturating_add(bytes).saturating_add(FRAME));
    }
}

impl ReplySink for Scale<'_> {
    fn protocol(&self) -> Protocol {
        Protocol::Resp3
    }

    fn null(&mut self) {
        self.add(0);
    }

    fn null_array(&mut self) {
        self.add(0);
    }

    fn integer(&mut self, _value: i64) {
        self.add(0);
    }

    fn bulk(&mut self, bytes: &[u8]) {
        self.add(bytes.len());
    }

    fn status(&mut self, text: &[u8]) {
        self.add(text.len());
    }

    fn error(&mut self, text: &[u8]) {
        self.add(text.len());
    }

    fn seq(&mut self, _kind: Seq, _len: usize) {
        self.add(0);
    }

    fn map(&mut self, _pairs: usize) {
        self.add(0);
    }

    fn double(&mut self, _value: f64) {
        self.add(8);
    }

    fn double_text(&mut self, _value: f64, text: &[u8]) {
        self.add(text.len());
    }

    fn boolean(&mut self, _value: bool) {
        self.add(0);
    }

    fn big_number(&mut self, digits: &[u8]) {
        self.add(digits.len());
    }

    fn verbatim(&mut self, _format: [u8; 3], text: &[u8]) {
        self.add(text.len());
    }

    fn attribute(&mut self, _pairs: usize) {
        self.add(0);
    }
}
