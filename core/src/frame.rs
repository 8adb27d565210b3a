//! A running script as its debugger sees it.
//!
//! Owns [`Frame`], through which [`Bridge::line`] looks at the call stack of a script that has
//! paused. It must not know what a debugger does with it.

use std::time::Duration;

use crate::{Bridge, Chunk, ValueReader};

/// Why [`Bridge::line`] is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pause {
    /// A line begins: the first instruction of another line than the last one's, or a jump back.
    Line,
    /// Some 100,000 instructions have gone by, so that a loop on one line is noticed too.
    Tick,
}

/// A function on the call stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level<'a> {
    /// The chunk's name as error messages show it: `user_script`.
    pub source: &'a [u8],
    /// The line from 1, or -1 where there is none.
    pub line: i64,
    /// What the caller calls the function, when that can be told.
    pub name: Option<&'a [u8]>,
}

/// What became of a chunk that ran while the script stood still.
pub enum Evaluation<'a> {
    /// It does not compile; the compiler's message.
    Refused(&'a [u8]),
    /// It returned; the cursor is on its first result, nil when there is none.
    Returned(&'a mut dyn ValueReader),
    /// It raised this value.
    Raised(&'a mut dyn ValueReader),
    /// It did not end in time.
    Late,
}

/// The call stack of a script that stands still. Level 0 is the innermost function.
pub trait Frame {
    /// The function at a level; `None` beyond the outermost.
    fn level(&mut self, level: usize) -> Option<Level<'_>>;

    /// Shows `visit` the name and the value of local variable `index` (from 1, in the order in
    /// which they came into being) of the function at a level. Returns whether there is one.
    /// Names in parentheses are the engine's own (`(for index)`, `(*temporary)`).
    fn local(
        &mut self,
        level: usize,
        index: usize,
        visit: &mut dyn FnMut(&[u8], &mut dyn ValueReader),
    ) -> bool;

    /// Shows `visit` the value of a global, nil when there is none.
    fn global(&mut self, name: &[u8], visit: &mut dyn FnMut(&mut dyn ValueReader));

    /// Compiles a chunk and runs it among the globals of the script, for at most `limit`, with
    /// `bridge` (the one that was given this frame) for its calls. No line of it is reported.
    fn evaluate(
        &mut self,
        chunk: Chunk<'_>,
        limit: Duration,
        bridge: &mut dyn Bridge,
        visit: &mut dyn FnMut(Evaluation<'_>),
    );
}
