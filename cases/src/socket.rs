//! A real server as a target.
//!
//! Owns the connection over TCP and how a server is brought back to its initial state. Must not
//! know cases.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use redlua_conversions::resp::{Framer, RespWriter};
use redlua_core::{Protocol, ReplySink, Seq};

use crate::{Connection, Error, Instance, Target};

/// How long the server may take for what puts it back.
const PATIENCE: Duration = Duration::from_secs(5);

/// What makes a used server like a new one. `SCRIPT FLUSH` also gives EVAL a new Lua state
/// (`eval.c scriptingReset`); that of FUNCTION lasts as long as the server.
const RESET: [&[&str]; 16] = [
    &["SCRIPT", "KILL"],
    &["FUNCTION", "KILL"],
    &["CONFIG", "SET", "maxmemory", "0", "busy-reply-threshold", "5000"],
    &["CONFIG", "SET", "proto-max-bulk-len", "536870912"],
    &["CONFIG", "SET", "notify-keyspace-events", "", "slowlog-log-slower-than", "10000"],
    &["CONFIG", "SET", "latency-monitor-threshold", "0", "requirepass", ""],
    &["REPLICAOF", "NO", "ONE"],
    &["SCRIPT", "FLUSH"],
    &["FUNCTION", "FLUSH"],
    &["FLUSHALL"],
    &["CLIENT", "UNPAUSE"],
    &["DEBUG", "SET-ACTIVE-EXPIRE", "1"],
    &["ACL", "LOG", "RESET"],
    &["SLOWLOG", "RESET"],
    &["LATENCY", "RESET"],
    &["CONFIG", "RESETSTAT"],
];

/// A server behind a TCP socket. It should be there for nothing else: each case begins with
/// `FLUSHALL`.
#[derive(Clone, Debug)]
pub struct Socket {
    address: String,
    name: String,
    /// The words of AUTH, where the URL has a password.
    login: Vec<Vec<u8>>,
}

impl Socket {
    /// The server at `redis://[[USER]:PASSWORD@]HOST:PORT`.
    ///
    /// # Errors
    /// The URL is of another form.
    pub fn new(url: &str) -> Result<Self, Error> {
        let rest = url.strip_prefix("redis://").unwrap_or(url).trim_end_matches('/');
        let (login, address) = rest.rsplit_once('@').unwrap_or(("", rest));
        // Not shown whole: there may be a password in it.
        let wrong = || Error::Url(address.into());
        if !address.contains(':') || address.contains('/') {
            return Err(wrong());
        }
        let login = match login.split_once(':') {
            _ if login.is_empty() => Vec::new(),
            Some(("", password)) => words(&["AUTH", password]),
            Some((user, password)) => words(&["AUTH", user, password]),
            None => return Err(wrong()),
        };
        Ok(Socket { address: address.into(), name: format!("server {address}"), login })
    }

    /// A connection, logged in.
    pub(crate) fn open(&self) -> io::Result<Box<dyn Connection>> {
        let mut link = Link::open(&self.address)?;
        if !self.login.is_empty() {
            link.send(&self.login)?;
            let reply = link.receive(PATIENCE)?;
            if let Some(error) = reply.strip_prefix(b"-") {
                let error = String::from_utf8_lossy(error.trim_ascii_end()).into_owned();
                return Err(io::Error::new(ErrorKind::PermissionDenied, error));
            }
        }
        Ok(Box::new(link))
    }

    /// `redis_version` of the server's `INFO`.
    ///
    /// # Errors
    /// The server cannot be reached.
    pub fn version(&self) -> Result<String, Error> {
        let mut link = self.open()?;
        link.send(&words(&["INFO", "server"]))?;
        let info = link.receive(PATIENCE)?;
        let info = String::from_utf8_lossy(&info);
        let version = info.lines().find_map(|line| line.strip_prefix("redis_version:"));
        Ok(version.unwrap_or("unknown").to_owned())
    }
}

impl Target for Socket {
    fn name(&self) -> &str {
        &self.name
    }

    fn parallel(&self) -> usize {
        1
    }

    fn start(&self) -> io::Result<Box<dyn Instance>> {
        let mut link = self.open()?;
        for command in RESET {
            link.send(&words(command))?;
        }
        for _ in RESET {
            link.receive(PATIENCE)?;
        }
        Ok(Box::new(self.clone()))
    }
}

impl Instance for Socket {
    fn connect(&mut self) -> io::Result<Box<dyn Connection>> {
        self.open()
    }
}

struct Link {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Link {
    fn open(address: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Link { stream, received: Vec::new() })
    }
}

impl Connection for Link {
    fn send(&mut self, argv: &[Vec<u8>]) -> io::Result<()> {
        let mut writer = RespWriter::new(Protocol::Resp2);
        writer.seq(Seq::Array, argv.len());
        for word in argv {
            writer.bulk(word);
        }
        self.stream.write_all(writer.bytes())
    }

    fn receive(&mut self, timeout: Duration) -> io::Result<Vec<u8>> {
        let deadline = Instant::now() + timeout;
        let mut framer = Framer::default();
        let mut piece = vec![0; 64 * 1024];
        loop {
            let complete = framer.advance(&self.received);
            let complete =
                complete.map_err(|wrong| io::Error::new(ErrorKind::InvalidData, wrong))?;
            if let Some(len) = complete {
                let rest = self.received.split_off(len);
                return Ok(std::mem::replace(&mut self.received, rest));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(ErrorKind::TimedOut.into());
            }
            self.stream.set_read_timeout(Some(left))?;
            match self.stream.read(&mut piece) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(len) => self.received.extend_from_slice(piece.get(..len).unwrap_or_default()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    return Err(ErrorKind::TimedOut.into());
                }
                Err(error) => return Err(error),
            }
        }
    }
}

fn words(command: &[&str]) -> Vec<Vec<u8>> {
    command.iter().map(|word| word.as_bytes().to_vec()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        assert!(Socket::new("redis://127.0.0.1:7000").is_ok());
        assert!(Socket::new("127.0.0.1:7000").is_ok());
        assert!(Socket::new("redis://:secret@host:1").is_ok());
        let error = Socket::new("redis://user@host:1").unwrap_err();
        assert!(!error.to_string().contains("user"), "{error}");
        assert!(Socket::new("redis://host").is_err());
    }
}
