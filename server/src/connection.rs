//! A connection that any thread may send on and read from.
//!
//! Owns the thread that runs its commands one after another. Must not know what they do.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use redlua_conversions::resp::RespWriter;
use redlua_core::{Protocol, ReplySink, Seq};

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
    /// `timeout`.
    pub fn recv(&self, timeout: Duration) -> Option<Vec<u8>> {
        let deadline = Instant::now().checked_add(timeout);
        park::wait(deadline, |cx| self.handle.outbox.poll(cx))
    }
}

fn serve(mut link: Link, queue: &Receiver<Vec<Vec<u8>>>) {
    link.allow_debugging();
    while let Ok(words) = queue.recv() {
        let argv: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
        let mut reply = link.request(&argv);
        let handle = link.handle().clone();
        if link.is_debugging() {
            let mut console = Terminal { queue, handle: handle.clone(), unread: VecDeque::new() };
            reply = link.debug(&mut console);
        }
        handle.outbox.push(reply);
        while let Some(message) = handle.late.pop() {
            handle.outbox.push(message);
        }
        if link.is_closed() {
            break;
        }
    }
}

/// The connection while a debugger has it: what is sent to it, as bytes.
struct Terminal<'a> {
    queue: &'a Receiver<Vec<Vec<u8>>>,
    handle: Arc<Handle>,
    unread: VecDeque<u8>,
}

impl Read for Terminal<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.unread.is_empty() {
            // Nothing more comes when the last handle is gone.
            let Ok(argv) = self.queue.recv() else { return Ok(0) };
            let mut bytes = RespWriter::new(Protocol::Resp2);
            bytes.seq(Seq::Array, argv.len());
            argv.iter().for_each(|word| bytes.bulk(word));
            self.unread = bytes.into_bytes().into();
        }
        self.unread.read(buffer)
    }
}

impl Write for Terminal<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.handle.outbox.push(bytes.to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
