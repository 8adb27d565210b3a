//! What cases run on.
//!
//! Owns the contract of a target. Must not know any target.

use std::io;
use std::time::Duration;

/// Something that answers commands in RESP.
pub trait Target: Send + Sync {
    /// What reports call it: `redis-server`, `mlua-lua51`.
    fn name(&self) -> &str;

    /// How many cases may run at once; 1 where all share one server.
    fn parallel(&self) -> usize {
        std::thread::available_parallelism().map_or(1, usize::from)
    }

    /// A server in its initial state, for one case.
    ///
    /// # Errors
    /// It cannot be had.
    fn start(&self) -> io::Result<Box<dyn Instance>>;
}

/// The server of one case.
pub trait Instance {
    /// A new connection to it, speaking RESP2.
    ///
    /// # Errors
    /// It cannot be had.
    fn connect(&mut self) -> io::Result<Box<dyn Connection>>;
}

/// One client's connection.
pub trait Connection {
    /// Sends a command.
    ///
    /// # Errors
    /// The connection is gone.
    fn send(&mut self, argv: &[Vec<u8>]) -> io::Result<()>;

    /// Waits for the next reply and returns its bytes.
    ///
    /// # Errors
    /// [`io::ErrorKind::TimedOut`] when it does not come; any other when the connection is gone.
    fn receive(&mut self, timeout: Duration) -> io::Result<Vec<u8>>;
}
