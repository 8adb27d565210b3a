//! Whether a chunk is still wanted while it is compiled.
//!
//! Owns how often that is asked, and how much memory notes may take. Must not know who wants it, nor
//! what ends when nobody does.

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
///
/// let small = Wanted::always().within(1000);
/// let source = r"x = '\z' ".repeat(100);
/// assert!(translate(source.as_bytes(), b"@s", &Target::default(), &small).is_err());
/// assert!(small.is_short());
/// ```
pub struct Wanted<'a> {
    ask: Option<&'a dyn Fn() -> bool>,
    /// Parts until the next question.
    left: Cell<u32>,
    given_up: Cell<bool>,
    /// Bytes that notes may take.
    room: usize,
    short: Cell<bool>,
}

impl<'a> Wanted<'a> {
    /// Whatever happens.
    pub fn always() -> Self {
        Wanted {
            ask: None,
            left: Cell::new(PARTS),
            given_up: Cell::new(false),
            room: usize::MAX,
            short: Cell::new(false),
        }
    }

    /// Until `ask` says yes.
    pub fn unless(ask: &'a dyn Fn() -> bool) -> Self {
        Wanted { ask: Some(ask), ..Wanted::always() }
    }

    /// As long as the notes of what has to be rewritten take no more than `room` bytes, too.
    pub fn within(self, room: usize) -> Self {
        Wanted { room, ..self }
    }

    /// Whether so many bytes may be taken; if not, the chunk is to be given up.
    #[inline]
    pub fn fits(&self, bytes: usize) -> bool {
        let fits = bytes <= self.room;
        if !fits {
            self.short.set(true);
        }
        fits
    }

    /// Whether it was given up for lack of memory.
    pub fn is_short(&self) -> bool {
        self.short.get()
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
