//! The server over real sockets.
//!
//! Owns the client side of the tests: a socket that sends bytes and compares bytes.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod busy;
mod debug;
mod hostile;
mod sessions;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use redlua_server::Server;
use redlua_server::net::{Listening, Options};

/// A server on a free port.
struct Site {
    server: Server,
    listening: Listening,
}

impl Site {
    fn new() -> Self {
        let server = Server::with_backend(Arc::new(redlua_mlua::Lua51));
        let listening = server.listen(&Options::default()).unwrap();
        Site { server, listening }
    }

    fn address(&self) -> SocketAddr {
        self.listening.addresses()[0]
    }

    fn connect(&self) -> Socket<TcpStream> {
        let stream = TcpStream::connect(self.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.set_nodelay(true).unwrap();
        Socket(stream)
    }

    /// Sends `request` on a connection of its own, ends its half, and reads to the end.
    fn answer(&self, request: &[u8]) -> Vec<u8> {
        let mut socket = self.connect();
        socket.send(request);
        socket.0.shutdown(std::net::Shutdown::Write).unwrap();
        socket.rest()
    }

    /// The server still answers.
    fn lives(&self) {
        self.connect().ask("PING", "+PONG\r\n");
    }

    /// Waits until only the asking client is connected.
    fn empties(&self) {
        self.empties_but(&mut self.connect());
    }

    /// Waits until only this client is connected.
    fn empties_but(&self, socket: &mut Socket<TcpStream>) {
        let mut list = String::new();
        for _ in 0..500 {
            socket.send(b"CLIENT LIST\r\n");
            list = socket.bulk();
            if list.lines().filter(|line| !line.is_empty()).count() == 1 {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("clients that are gone are still listed: {list}");
    }
}

/// A client's end of a socket.
struct Socket<S>(S);

impl<S: Read + Write> Socket<S> {
    fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).unwrap();
    }

    /// Reads as many bytes as `expected` has, and compares.
    #[track_caller]
    fn expect(&mut self, expected: &str) {
        let mut found = vec![0; expected.len()];
        let mut len = 0;
        while len < found.len() {
            match self.0.read(&mut found[len..]) {
                Ok(0) => break,
                Ok(more) => len += more,
                Err(error) => panic!("{error} after {:?}", String::from_utf8_lossy(&found[..len])),
            }
        }
        assert_eq!(String::from_utf8_lossy(&found[..len]), expected);
    }

    /// Sends an inline command and compares its reply.
    #[track_caller]
    fn ask(&mut self, command: &str, expected: &str) {
        self.send(format!("{command}\r\n").as_bytes());
        self.expect(expected);
    }

    /// Reads one line without its newline.
    fn line(&mut self) -> String {
        let mut line = Vec::new();
        let mut byte = [0];
        while !line.ends_with(b"\r\n") {
            self.0.read_exact(&mut byte).unwrap();
            line.push(byte[0]);
        }
        String::from_utf8_lossy(&line[..line.len() - 2]).into_owned()
    }

    /// Reads a bulk string.
    fn bulk(&mut self) -> String {
        let len: usize = self.line()[1..].parse().unwrap();
        let mut bytes = vec![0; len + 2];
        self.0.read_exact(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes[..len]).into_owned()
    }

    /// Reads until the server closes the connection.
    fn rest(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        // A reset ends it as well.
        let _ = self.0.read_to_end(&mut bytes);
        bytes
    }
}
