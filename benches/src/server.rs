//! A redis-server of the machine, to measure beside.
//!
//! Owns starting, asking and ending it. Must not know what is measured.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long it may take to start.
const PATIENCE: Duration = Duration::from_secs(10);

/// A redis-server on a free port of this machine; it ends with the value.
#[derive(Debug)]
pub struct RedisServer {
    process: Child,
    connection: BufReader<TcpStream>,
    /// What it calls itself: `redis-server 7.0.15`.
    pub name: String,
}

impl RedisServer {
    /// Starts the one on the `PATH`.
    ///
    /// # Errors
    /// There is none, or it does not start.
    pub fn start() -> io::Result<Self> {
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let mut process = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--appendonly", "no", "--dir"])
            .arg(std::env::temp_dir())
            .stdout(Stdio::null())
            .spawn()?;
        let began = Instant::now();
        let stream = loop {
            match TcpStream::connect(("127.0.0.1", port)) {
                Ok(stream) => break stream,
                Err(error) if began.elapsed() > PATIENCE => {
                    let _ = process.kill();
                    return Err(error);
                }
                Err(_) => std::thread::sleep(Duration::from_millis(20)),
            }
        };
        stream.set_nodelay(true)?;
        let mut server =
            RedisServer { process, connection: BufReader::new(stream), name: String::new() };
        let info = server.ask(&["INFO", "server"])?;
        let version = info.split("redis_version:").nth(1).and_then(|rest| rest.lines().next());
        server.name = format!("redis-server {}", version.unwrap_or("?").trim());
        Ok(server)
    }

    /// Sends a command and returns the bytes of its reply.
    ///
    /// # Errors
    /// The connection breaks, or the reply is an error.
    pub fn ask(&mut self, argv: &[&str]) -> io::Result<String> {
        let mut bytes = format!("*{}\r\n", argv.len());
        for word in argv {
            bytes.push_str(&format!("${}\r\n{word}\r\n", word.len()));
        }
        self.connection.get_mut().write_all(bytes.as_bytes())?;
        let mut reply = String::new();
        self.read(&mut reply)?;
        if reply.starts_with('-') {
            return Err(io::Error::other(reply));
        }
        Ok(reply)
    }

    /// Reads one reply of RESP2.
    fn read(&mut self, reply: &mut String) -> io::Result<()> {
        let start = reply.len();
        self.connection.read_line(reply)?;
        let line = reply.get(start..).unwrap_or_default().trim_end();
        let len = line.get(1..).and_then(|digits| digits.parse::<i64>().ok()).unwrap_or(-1);
        match (line.as_bytes().first(), usize::try_from(len)) {
            (None, _) => Err(io::ErrorKind::UnexpectedEof.into()),
            (Some(b'$'), Ok(len)) => {
                let mut bulk = vec![0; len + 2];
                self.connection.read_exact(&mut bulk)?;
                reply.push_str(&String::from_utf8_lossy(&bulk));
                Ok(())
            }
            (Some(b'*'), Ok(len)) => (0..len).try_for_each(|_| self.read(reply)),
            _ => Ok(()),
        }
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
