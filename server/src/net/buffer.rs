//! What is still to be written to a socket.
//!
//! Owns [`Output`] and the limits of what may wait in it (`networking.c
//! checkClientOutputBufferLimits`). Must not know sockets beyond writing to them.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use redlua_conversions::resp::RespWriter;
use tokio::io::AsyncWrite;

/// A buffer that was empty keeps at most this much memory.
const KEPT: usize = 16 << 10;

/// How much may wait to be written; 0 is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limit {
    /// Past this many bytes the client is cut off at once.
    pub(super) hard: usize,
    /// Past this many bytes it is cut off after a while.
    pub(super) soft: usize,
    /// After how long.
    pub(super) patience: Duration,
}

/// Replies and messages on their way to a socket.
#[derive(Debug, Default)]
pub(super) struct Output {
    /// Where replies are written to.
    pub(super) writer: RespWriter,
    /// How much of the writer's bytes has been written to the socket.
    written: usize,
    /// Since when the soft limit has been exceeded.
    over: Option<Instant>,
}

impl Output {
    /// How many bytes wait.
    pub(super) fn pending(&self) -> usize {
        self.writer.bytes().len() - self.written
    }

    /// Writes as much as the socket takes; ready once all is written.
    pub(super) fn poll_write(
        &mut self,
        mut socket: Pin<&mut impl AsyncWrite>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while let Some(rest) = self.writer.bytes().get(self.written..).filter(|r| !r.is_empty()) {
            match socket.as_mut().poll_write(cx, rest) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(len)) => self.written += len,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    self.compact();
                    return Poll::Pending;
                }
            }
        }
        self.written = 0;
        self.over = None;
        self.writer.clear();
        Poll::Ready(Ok(()))
    }

    /// Gives memory back while nothing waits.
    pub(super) fn release(&mut self) {
        if self.pending() == 0 {
            self.written = 0;
            self.writer = RespWriter::default();
        }
    }

    /// Whether a limit is exceeded: `Some(None)` now, `Some(Some(time))` from then on.
    pub(super) fn exceeds(&mut self, limit: Limit) -> Option<Option<Instant>> {
        let pending = self.pending();
        if limit.hard > 0 && pending >= limit.hard {
            return Some(None);
        }
        if limit.soft == 0 || pending < limit.soft {
            self.over = None;
            return None;
        }
        let since = *self.over.get_or_insert_with(Instant::now);
        let end = since.checked_add(limit.patience)?;
        Some(if end <= Instant::now() { None } else { Some(end) })
    }

    /// Forgets what is written, once that is more than what is not.
    fn compact(&mut self) {
        if self.written > KEPT && self.written >= self.pending() {
            let rest = self.writer.bytes().get(self.written..).unwrap_or_default().to_vec();
            self.writer = RespWriter::with_buffer(redlua_core::Protocol::Resp2, rest);
            self.written = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits() {
        let mut output = Output::default();
        output.writer.raw(&[b'x'; 100]);
        let limit =
            |hard, soft, seconds| Limit { hard, soft, patience: Duration::from_secs(seconds) };
        assert_eq!(output.exceeds(limit(0, 0, 0)), None);
        assert_eq!(output.exceeds(limit(101, 0, 0)), None);
        assert_eq!(output.exceeds(limit(100, 0, 0)), Some(None));
        assert!(matches!(output.exceeds(limit(0, 50, 60)), Some(Some(_))));
        assert_eq!(output.exceeds(limit(0, 50, 0)), Some(None));
        assert_eq!(output.exceeds(limit(0, 101, 0)), None);
    }
}
