//! Whether the library that is linked keeps its values as this crate thinks.
//!
//! Owns the answer, which is sought once in a process: there is one library in it. It must not know
//! what is tried out.

use std::sync::atomic::{AtomicU8, Ordering};

/// Nothing was tried yet.
const UNKNOWN: u8 = 0;
/// It does otherwise.
const NO: u8 = 1;
/// It does so.
const YES: u8 = 2;

/// See the module.
pub(crate) struct Known(AtomicU8);

impl Known {
    /// Before anything was tried.
    pub(crate) const fn new() -> Self {
        Known(AtomicU8::new(UNKNOWN))
    }

    /// Whether it was tried and found so.
    #[inline(always)]
    pub(crate) fn holds(&self) -> bool {
        self.0.load(Ordering::Relaxed) == YES
    }

    /// Tries it, unless that was done before.
    pub(crate) fn explore(&self, agrees: impl FnOnce() -> bool) {
        if self.0.load(Ordering::Relaxed) == UNKNOWN {
            self.0.store(if agrees() { YES } else { NO }, Ordering::Relaxed);
        }
    }
}
