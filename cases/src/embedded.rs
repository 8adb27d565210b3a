//! redlua itself as a target.
//!
//! Owns one fresh server a case, in this process. Must not know cases.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use redlua_core::Backend;
use redlua_server::Server;

use crate::{Connection, Instance, Target};

/// A backend of this build on the embedded store.
pub struct Embedded {
    backend: Arc<dyn Backend>,
}

impl Embedded {
    /// The backend to test.
    pub fn new(backend: Arc<dyn Backend>) -> Self {
        Embedded { backend }
    }
}

impl Target for Embedded {
    fn name(&self) -> &str {
        self.backend.info().name
    }

    fn start(&self) -> io::Result<Box<dyn Instance>> {
        Ok(Box::new(Fresh(Server::with_backend(self.backend.clone()))))
    }
}

/// The server of one case.
struct Fresh(Server);

impl Instance for Fresh {
    fn connect(&mut self) -> io::Result<Box<dyn Connection>> {
        Ok(Box::new(Client(self.0.connect())))
    }
}

struct Client(redlua_server::Connection);

impl Connection for Client {
    fn send(&mut self, argv: &[Vec<u8>]) -> io::Result<()> {
        self.0.send(argv);
        Ok(())
    }

    fn receive(&mut self, timeout: Duration) -> io::Result<Vec<u8>> {
        self.0.recv(timeout).ok_or_else(|| io::ErrorKind::TimedOut.into())
    }
}
