//! What lies between a client and a server, and misbehaves.
//!
//! Owns the misbehaviour. A request is what the client writes at once, which holds for clients
//! that wait for each reply; must not know what it says.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;

use crate::Server;

/// How a [`Proxy`] misbehaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Ends the connection at the first request that contains this, which the server never sees.
    DropAt(&'static str),
    /// Passes the first request that contains this on, but never its reply.
    SilentAt(&'static str),
    /// Passes the first request that contains this on, and ends the connection in place of its
    /// reply.
    LostAt(&'static str),
    /// The same in the middle of its reply.
    CutAt(&'static str),
    /// Passes the first request that contains this on, and answers these bytes instead.
    AnswerAt(&'static str, &'static [u8]),
    /// Puts this version in place of the server's own, in `INFO`; as many letters.
    Version(&'static str),
}

/// A port that stands for a server's; it ends with the test's process.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
}

impl Proxy {
    /// Stands for a server.
    pub fn start(server: &Server, fault: Fault) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let upstream = server.port();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                thread::spawn(move || {
                    let server = TcpStream::connect(("127.0.0.1", upstream)).expect("it listens");
                    // Either side may end when it likes.
                    let _ = pass(client, server, fault);
                });
            }
        });
        Proxy { port }
    }

    /// `redis://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}

fn pass(mut client: TcpStream, mut server: TcpStream, fault: Fault) -> std::io::Result<()> {
    let (mut back, mut from) = (client.try_clone()?, server.try_clone()?);
    let (sender, receiver) = std::sync::mpsc::channel::<Fault>();
    thread::spawn(move || {
        let mut piece = vec![0; 256 * 1024];
        while let Ok(len @ 1..) = from.read(&mut piece) {
            let mut reply = piece[..len].to_vec();
            match receiver.try_recv() {
                Ok(Fault::LostAt(_)) => break,
                Ok(Fault::CutAt(_)) => {
                    let _ = back.write_all(&reply[..len / 2]);
                    break;
                }
                Ok(Fault::AnswerAt(_, bytes)) => reply = bytes.to_vec(),
                Ok(_) => return,
                Err(_) => {}
            }
            if let Fault::Version(version) = fault {
                let text = b"redis_version:7.0.15";
                if let Some(at) = reply.windows(text.len()).position(|window| window == text) {
                    let start = at + "redis_version:".len();
                    reply[start..start + version.len()].copy_from_slice(version.as_bytes());
                }
            }
            if back.write_all(&reply).is_err() {
                return;
            }
        }
        let _ = back.shutdown(Shutdown::Both);
    });
    let mut piece = vec![0; 256 * 1024];
    loop {
        let len = client.read(&mut piece)?;
        let request = &piece[..len];
        let names =
            |word: &str| request.windows(word.len()).any(|window| window == word.as_bytes());
        match fault {
            _ if len == 0 => return server.shutdown(Shutdown::Both),
            Fault::DropAt(word) if names(word) => {
                server.shutdown(Shutdown::Both)?;
                return client.shutdown(Shutdown::Both);
            }
            Fault::SilentAt(word)
            | Fault::LostAt(word)
            | Fault::CutAt(word)
            | Fault::AnswerAt(word, _)
                if names(word) =>
            {
                let _ = sender.send(fault);
            }
            _ => {}
        }
        server.write_all(request)?;
    }
}
