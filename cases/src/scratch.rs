//! One database of a real server as a target.
//!
//! Owns how that database is emptied before each case. Nothing else of the server is touched: who
//! runs cases here answers for their not reaching beyond it. Must not know cases.

use std::io;
use std::time::Duration;

use crate::{Connection, Instance, Socket, Target};

/// How long the server may take to empty a database.
const PATIENCE: Duration = Duration::from_secs(5);

/// A database of a server that holds other things too. It is emptied before each case, and so
/// should have been empty.
#[derive(Clone, Debug)]
pub struct Scratch {
    socket: Socket,
    db: String,
}

impl Scratch {
    /// The database of that number.
    pub fn new(socket: Socket, db: u32) -> Self {
        Scratch { socket, db: db.to_string() }
    }

    /// Empties it.
    ///
    /// # Errors
    /// The server refuses, or cannot be reached.
    pub fn clear(&self) -> io::Result<()> {
        let mut link = self.open()?;
        ask(&mut *link, &["FLUSHDB"])
    }

    fn open(&self) -> io::Result<Box<dyn Connection>> {
        let mut link = self.socket.open()?;
        ask(&mut *link, &["SELECT", &self.db])?;
        Ok(link)
    }
}

impl Target for Scratch {
    fn name(&self) -> &str {
        self.socket.name()
    }

    fn parallel(&self) -> usize {
        1
    }

    fn start(&self) -> io::Result<Box<dyn Instance>> {
        self.clear()?;
        Ok(Box::new(self.clone()))
    }
}

impl Instance for Scratch {
    fn connect(&mut self) -> io::Result<Box<dyn Connection>> {
        self.open()
    }
}

/// A command that must succeed: nothing else may run in the wrong database.
fn ask(link: &mut dyn Connection, words: &[&str]) -> io::Result<()> {
    let argv: Vec<Vec<u8>> = words.iter().map(|word| word.as_bytes().to_vec()).collect();
    link.send(&argv)?;
    let reply = link.receive(PATIENCE)?;
    match reply.strip_prefix(b"-") {
        Some(error) => Err(io::Error::other(String::from_utf8_lossy(error.trim_ascii_end()))),
        None => Ok(()),
    }
}
