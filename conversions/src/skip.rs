//! Values that a sink must let pass without looking at them.
//!
//! Owns the count of a skipped value's parts. Must not know why they are skipped.

/// How many values are still to be skipped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Skip(u64);

impl Skip {
    /// Skips the keys and values of an attribute.
    pub(crate) fn attribute(&mut self, pairs: usize) {
        self.0 = self.0.saturating_add((pairs as u64).saturating_mul(2));
    }

    /// Whether the present value is to be skipped; if it is, so are its `children`.
    #[inline]
    pub(crate) fn next(&mut self, children: usize) -> bool {
        if self.0 == 0 {
            return false;
        }
        self.0 = (self.0 - 1).saturating_add(children as u64);
        true
    }
}
