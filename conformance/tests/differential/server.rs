//! A redis-server of the test's own.
//!
//! Owns the process: a free port, nothing on disk, killed when it is dropped. Must not know what
//! is sent to it.

use std::io;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use redlua_conformance::Socket;

/// A running redis-server.
pub(crate) struct Server {
    child: Child,
    port: u16,
}

impl Server {
    /// Starts one; `None` when there is no redis-server 7.0.15 on the PATH.
    pub(crate) fn start() -> io::Result<Option<Self>> {
        let version = match Command::new("redis-server").arg("--version").output() {
            Ok(output) => String::from_utf8_lossy(&output.stdout).into_owned(),
            Err(_) => return Ok(None),
        };
        if !version.contains("v=7.0.15") {
            return Ok(None);
        }
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let child = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--save", "", "--appendonly", "no"])
            .args(["--bind", "127.0.0.1", "--loglevel", "warning", "--crash-log-enabled", "no"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let server = Server { child, port };
        for _ in 0..200 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Ok(Some(server));
            }
            thread::sleep(Duration::from_millis(25));
        }
        Err(io::ErrorKind::TimedOut.into())
    }

    /// It as a target of cases.
    pub(crate) fn target(&self) -> Socket {
        Socket::new(&format!("redis://127.0.0.1:{}", self.port)).unwrap()
    }

    /// Whether it has not ended by itself.
    pub(crate) fn lives(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
