//! Whether a chunk is still wanted while it is compiled.
//!
//! Owns how often that is asked. Must not know who wants it, nor what ends when nobody does.

use std::cell::Cell;

/// Parts of a chunk, tokens or nodes of a tree, between two questions: a tenth of a millisecond.
const PARTS: u32 = 512;

/// Asks now and then whether a chunk is to be given up, because the script that compiles it must
/// end.
///
/// ```
/// use redlua_conversions::syntax::{Target, Wanted, translate};
///
/// let source = "x = 1 ".repeat(1000);
/// let stopped = Wanted::unless(&|| true);
/// assert!(translate(source.as_bytes(), b"@s", &Target::default(), &stopped).is_err());
/// assert!(stopped.given_up());
/// ```
pub struct Wanted<'a> {
    ask: Option<&'a dyn Fn() -> bool>,
    /// Parts until the next question.
    left: Cell<u32>,
    given_up: Cell<bool>,
}

impl<'a> Wanted<'a> {
    /// Whatever happens.
    pub fn always() -> Self {
        Wanted { ask: None, left: Cell::new(PARTS), given_up: Cell::new(false) }
    }

    /// Until `ask` says yes.
    pub fn unless(ask: &'a dyn Fn() -> bool) -> Self {
        Wanted { ask: Some(ask), ..Wanted::always() }
    }

    /// Counts a part; whether to give up.
    #[inline]
    pub fn tick(&self) -> bool {
        match self.left.get() {
            0 => self.question(),
            left => {
                self.left.set(left - 1);
                false
            }
        }
    }

    /// Whether it was given up.
    pub fn given_up(&self) -> bool {
        self.given_up.get()
    }

    #[cold]
    fn question(&self) -> bool {
        if self.given_up() || self.ask.is_some_and(|ask| ask()) {
            // Whoever goes on nevertheless hears it at each part.
            self.given_up.set(true);
            return true;
        }
        self.left.set(PARTS);
        false
    }
}
