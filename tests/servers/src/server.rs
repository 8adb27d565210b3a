//! One redis-server process.
//!
//! Must not know what is sent to it.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::Folder;

/// A running redis-server 7.0.15 that keeps nothing on disk.
#[derive(Debug)]
pub struct Server {
    child: Child,
    port: u16,
    folder: Folder,
}

impl Server {
    /// Starts one with these options besides; `None` when there is none on the `PATH`.
    pub fn start(options: &[&str]) -> Option<Self> {
        Server::start_in(Folder::new(), options)
    }

    /// The same in a folder that already holds what the options name.
    pub(crate) fn start_in(folder: Folder, options: &[&str]) -> Option<Self> {
        let version = Command::new("redis-server").arg("--version").output();
        let version = version.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        if !version.is_ok_and(|version| version.contains("v=7.0.15")) {
            eprintln!("skipped: no redis-server 7.0.15 on the PATH");
            return None;
        }
        // Somebody else may take the port before the server does.
        let mut folder = Some(folder);
        for _ in 0..5 {
            let home = folder.take().unwrap_or_default();
            match Server::try_start(home, options) {
                Ok(server) => return Some(server),
                Err(home) => folder = Some(home),
            }
        }
        panic!("redis-server does not start");
    }

    fn try_start(folder: Folder, options: &[&str]) -> Result<Self, Folder> {
        let port = free_port();
        // Written once the port is bound: that somebody listens there says not that we do.
        let written = folder.join("redis.pid");
        let child = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--dir"])
            .arg(folder.path())
            .args(["--save", "", "--appendonly", "no", "--loglevel", "warning"])
            .args(["--crash-log-enabled", "no", "--pidfile", &written])
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("redis-server was there a moment ago");
        let mut server = Server { child, port, folder };
        for _ in 0..400 {
            let bound = Path::new(&written).exists();
            if bound && TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Ok(server);
            }
            if !server.lives() {
                break;
            }
            thread::sleep(Duration::from_millis(25));
        }
        server.stop();
        Err(std::mem::take(&mut server.folder))
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `redis://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Where it runs.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Sends commands as one types them, one a line, and returns the bytes of their replies.
    pub fn ask(&self, commands: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        stream.write_all(format!("{commands}\r\nQUIT\r\n").as_bytes()).expect("it reads");
        let mut reply = String::new();
        stream.read_to_string(&mut reply).expect("it answers");
        reply.strip_suffix("+OK\r\n").unwrap_or(&reply).to_owned()
    }

    /// Whether it has not ended by itself.
    pub fn lives(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Ends it.
    pub fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A port on which nobody listens.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("it is bound").port()
}
