//! Watching a store from outside: which calls reach it, and failing some on purpose.
//!
//! Owns [`Tap`]. It must not know what a watcher does with what it sees.

use std::time::Duration;

use redlua_core::Session;

/// Sees each call before it runs, those of scripts included, and may refuse it.
///
/// [`Store::set_tap`](crate::Store::set_tap) attaches one.
pub trait Tap: Send {
    /// A call is about to run, at `now` by the store's clock. Returns the text of the error, code
    /// word first, that is to be answered instead.
    fn call(&mut self, now: Duration, session: &Session, argv: &[&[u8]]) -> Option<Vec<u8>>;
}
