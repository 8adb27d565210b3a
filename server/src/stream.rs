//! A client as a stream of bytes in memory.
//!
//! Owns [`Stream`]: RESP in, RESP out, for client libraries that take anything they can read and
//! write. Must not know how a command works, nor any executor.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use redlua_conversions::resp::RequestParser;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::handle::Handle;
use crate::link::Link;

/// One client of a [`Server`](crate::Server), to be written to and read from on any executor.
///
/// Commands run while it is read: no thread or task of its own works for it.
pub struct Stream {
    handle: Arc<Handle>,
    requests: RequestParser,
    state: State,
    /// What has not been read yet.
    out: VecDeque<u8>,
    /// Whoever waits for something to read.
    reader: Option<Waker>,
}

enum State {
    /// Between two commands.
    Idle(Link),
    /// A command runs, or waits.
    Runs(Pin<Box<dyn Future<Output = (Link, Vec<u8>)> + Send>>),
    /// Nothing more will come.
    Closed,
}

impl Stream {
    pub(crate) fn new(link: Link) -> Self {
        Stream {
            handle: link.handle().clone(),
            requests: RequestParser::default(),
            state: State::Idle(link),
            out: VecDeque::new(),
            reader: None,
        }
    }

    /// `CLIENT ID`.
    pub fn id(&self) -> u64 {
        self.handle.id
    }

    /// Runs what was written until there is something to read; an end when there never will be.
    fn poll_output(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            // Messages may come while a command waits.
            while let Poll::Ready(message) = self.handle.outbox.poll(cx) {
                self.out.extend(message);
            }
            if !self.out.is_empty() {
                return Poll::Ready(());
            }
            match std::mem::replace(&mut self.state, State::Closed) {
                State::Closed => return Poll::Ready(()),
                State::Idle(link) if link.is_closed() => return Poll::Ready(()),
                State::Idle(link) => match self.requests.next() {
                    Ok(Some(argv)) => self.state = State::Runs(Box::pin(run(link, argv))),
                    Ok(None) => {
                        self.state = State::Idle(link);
                        self.reader = Some(cx.waker().clone());
                        return Poll::Pending;
                    }
                    Err(error) => {
                        self.out.extend(b"-");
                        self.out.extend(error.line());
                        self.out.extend(b"\r\n");
                    }
                },
                State::Runs(mut running) => match running.as_mut().poll(cx) {
                    Poll::Ready((link, reply)) => {
                        self.state = State::Idle(link);
                        self.out.extend(reply);
                        while let Some(message) = self.handle.late.pop() {
                            self.out.extend(message);
                        }
                    }
                    Poll::Pending => {
                        self.state = State::Runs(running);
                        return Poll::Pending;
                    }
                },
            }
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let stream = &mut *self;
        if stream.poll_output(cx).is_pending() {
            return Poll::Pending;
        }
        while buffer.remaining() > 0 && !stream.out.is_empty() {
            let (front, _) = stream.out.as_slices();
            let count = front.len().min(buffer.remaining());
            buffer.put_slice(front.get(..count).unwrap_or_default());
            stream.out.drain(..count);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if matches!(self.state, State::Closed) {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        self.requests.feed(bytes);
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.state = State::Closed;
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
        Poll::Ready(Ok(()))
    }
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stream").field("id", &self.id()).finish_non_exhaustive()
    }
}

async fn run(mut link: Link, argv: Vec<Vec<u8>>) -> (Link, Vec<u8>) {
    let words: Vec<&[u8]> = argv.iter().map(Vec::as_slice).collect();
    let reply = link.request_async(&words).await;
    (link, reply)
}
