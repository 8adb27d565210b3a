//! What the store remembers besides keys.
//!
//! Owns [`Server`]. It must not know commands.

use crate::clock::Clock;
use crate::store::Blocked;

/// Everything that is not a key.
pub(crate) struct Server {
    /// The clock, for commands that tell the time.
    pub(crate) clock: Clock,
    /// The call that found nothing to take, until the server layer fetches it.
    pub(crate) blocked: Option<Blocked>,
    /// How many commands have run.
    pub(crate) calls: u64,
}

impl Server {
    /// A server that has just started.
    pub(crate) fn new(clock: Clock) -> Self {
        Server { clock, blocked: None, calls: 0 }
    }
}
