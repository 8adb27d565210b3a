//! What a library function may take: time and the size of its result.
//!
//! Owns [`Budget`], the engine's side of it, and the counter that makes asking cheap. Must not
//! know what runs out.

use redlua_core::Raise;

use crate::check::{LONGEST, out_of_memory};

/// Steps between two questions; a few ten microseconds.
const INTERVAL: usize = 10_000;

/// Bytes that are worth a question.
const LARGE: usize = 64 << 10;

/// What the engine lets a library function take.
pub trait Budget {
    /// Asked every ten thousand steps or so, which take less than a millisecond: whether the
    /// function is to end. Once it has said so, the function raises [`STOPPED`] and the engine,
    /// which knows why, ends the script.
    fn interrupted(&mut self) -> bool {
        false
    }

    /// The bytes that a result may have; beyond them the function raises `not enough memory`.
    fn room(&self) -> usize {
        LONGEST
    }
}

/// Neither ends: for tests and tools.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unlimited;

impl Budget for Unlimited {}

/// The text that an interrupted function raises.
pub const STOPPED: &str = "script stopped";

/// Asks at once when as many bytes are to be looked at as take a while; a loop of such calls
/// would otherwise run long between two looks of the engine's own.
///
/// # Errors
/// [`STOPPED`].
#[inline]
pub(super) fn ask_for(bytes: usize, budget: &mut dyn Budget) -> Result<(), Raise> {
    if bytes > LARGE && budget.interrupted() { Err(Raise::Text(STOPPED.into())) } else { Ok(()) }
}

/// The budget has said so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stopped;

impl From<Stopped> for Raise {
    #[cold]
    fn from(_: Stopped) -> Raise {
        Raise::Text(STOPPED.into())
    }
}

/// Counts steps and asks the budget now and then.
pub(super) struct Fuel<'b> {
    left: usize,
    budget: &'b mut dyn Budget,
}

impl<'b> Fuel<'b> {
    pub(super) fn new(budget: &'b mut dyn Budget) -> Self {
        Fuel { left: INTERVAL, budget }
    }

    /// Takes steps away.
    ///
    /// # Errors
    /// [`STOPPED`].
    #[inline]
    pub(super) fn burn(&mut self, steps: usize) -> Result<(), Stopped> {
        match self.left.checked_sub(steps) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => self.ask(),
        }
    }

    #[cold]
    fn ask(&mut self) -> Result<(), Stopped> {
        self.left = INTERVAL;
        if self.budget.interrupted() { Err(Stopped) } else { Ok(()) }
    }
}

/// Appends to a result, within the room there is.
#[inline]
pub(super) fn append(buffer: &mut Vec<u8>, room: usize, bytes: &[u8]) -> Result<(), Raise> {
    if bytes.len() > buffer.capacity() - buffer.len() {
        grow(buffer, room, bytes.len())?;
    }
    buffer.extend_from_slice(bytes);
    Ok(())
}

/// Makes place for more bytes: as many again as there are, unless that is more than there is room
/// for.
#[cold]
pub(super) fn grow(buffer: &mut Vec<u8>, room: usize, more: usize) -> Result<(), Raise> {
    let left = room.saturating_sub(buffer.len());
    if more > left {
        return Err(out_of_memory());
    }
    let wanted = buffer.len().max(256).min(left).max(more);
    buffer.try_reserve_exact(wanted).map_err(|_| out_of_memory())
}
