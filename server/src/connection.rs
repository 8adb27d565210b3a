//! A connection that any thread may send on and read from.
//!
//! Owns the thread that runs its commands one after another. Must not know what they do.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::Poll;
use std::time::{Duration, Instant};

use redlua_conversions::resp::RespWriter;
use redlua_core::{Protocol, ReplySink, Seq};

use crate::debug::Terminal;
use crate::handle::Handle;
use crate::link::Link;
use crate::park;

/// One client of a [`Server`](crate::Server). Ends with its last handle.
#[derive(Debug)]
pub struct Connection {
    requests: Sender<Vec<Vec<u8>>>,
    handle: Arc<Handle>,
}

impl Connection {
    pub(crate) fn spawn(link: Link) -> Self {
        let (requests, queue) = channel();
        let handle = link.handle().clone();
        std::thread::spawn(move || serve(link, &queue));
        Connection { requests, handle }
    }

    /// Sends a command, its words as bytes; does not wait.
    pub fn send<W: AsRef<[u8]>>(&self, argv: &[W]) {
        // The thread is gone only when the connection was closed; then nothing answers.
        let _ = self.requests.send(argv.iter().map(|word| word.as_ref().to_vec()).collect());
    }

    /// Takes the next reply or message as RESP bytes; `None` when it does not come within
    /// `timeout`, or when the connection has been closed.
    pub fn recv(&self, timeout: Duration) -> Option<Vec<u8>> {
        let deadline = Instant::now().checked_add(timeout);
        let next = park::wait(deadline, |cx| {
            // Asked first: what has been left before the end is read.
            let ended = self.handle.is_ended();
            match self.handle.outbox.poll(cx) {
                Poll::Ready(bytes) => Poll::Ready(Some(bytes)),
                Poll::Pending if ended => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            }
        });
        next.flatten()
    }
}

fn serve(mut link: Link, queue: &Receiver<Vec<Vec<u8>>>) {
    link.allow_debugging();
    while let Ok(words) = queue.recv() {
        let argv: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
        let mut reply = link.request(&argv);
        let handle = link.handle().clone();
        if link.is_debugging() {
            let next = || queue.recv().ok().map(|words| request(&words));
            reply = link.debug(&mut Terminal::new(handle.clone(), next));
        }
        handle.outbox.push(reply);
        while let Some(message) = handle.late.pop() {
            handle.outbox.push(message);
        }
        if link.is_closed() {
            break;
        }
    }
    // Whoever waits for more waits no longer.
    link.handle().end();
}

/// A command as the bytes that a socket would have brought.
fn request(words: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = RespWriter::new(Protocol::Resp2);
    bytes.seq(Seq::Array, words.len());
    words.iter().for_each(|word| bytes.bulk(word));
    bytes.into_bytes()
}
