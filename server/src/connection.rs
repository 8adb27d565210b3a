//! A connection that any thread may send on and read from.
//!
//! Owns the thread that runs its commands one after another. Must not know what they do.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use redlua::conversions::resp::RespWriter;
use redlua::core::Protocol;

use crate::client::Client;
use crate::outbox::Outbox;
use crate::server::Shared;

/// One client of a [`Server`](crate::Server). Ends with its last handle.
#[derive(Debug)]
pub struct Connection {
    requests: Sender<Vec<Vec<u8>>>,
    outbox: Arc<Outbox>,
}

impl Connection {
    pub(crate) fn spawn(shared: Arc<Shared>, client: Client, outbox: Arc<Outbox>) -> Self {
        let (requests, queue) = channel();
        let replies = outbox.clone();
        std::thread::spawn(move || serve(&shared, client, &queue, &replies));
        Connection { requests, outbox }
    }

    /// Sends a command, its words as bytes; does not wait.
    pub fn send<W: AsRef<[u8]>>(&self, argv: &[W]) {
        // The thread is gone only when the server panicked; then nothing answers.
        let _ = self.requests.send(argv.iter().map(|word| word.as_ref().to_vec()).collect());
    }

    /// Takes the next reply or message as RESP bytes; `None` when it does not come within
    /// `timeout`.
    pub fn recv(&self, timeout: Duration) -> Option<Vec<u8>> {
        self.outbox.pop(timeout)
    }
}

fn serve(shared: &Shared, mut client: Client, queue: &Receiver<Vec<Vec<u8>>>, out: &Outbox) {
    while let Ok(words) = queue.recv() {
        let argv: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
        let mut reply = RespWriter::new(Protocol::Resp2);
        shared.handle(&mut client, &argv, &mut reply);
        out.push(reply.into_bytes());
    }
    shared.forget(&mut client);
}
