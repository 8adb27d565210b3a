//! Other people's mocks, to measure beside.
//!
//! Owns starting, asking and ending the program that runs one. Must not know what is measured.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A mock in a process of its own, which reads commands from a pipe; it ends with the value.
#[derive(Debug)]
pub struct Peer {
    /// Under which name its figures stand.
    pub name: &'static str,
    process: Child,
    commands: ChildStdin,
    replies: BufReader<ChildStdout>,
}

impl Peer {
    /// The mocks whose language and library are installed: those that a script can be given to.
    /// For the others, how to install them is told on standard error.
    pub fn all() -> Vec<Self> {
        let python = std::env::var("REDLUA_PYTHON").unwrap_or_else(|_| "python3".into());
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/");
        [
            ("fakeredis", python.as_str(), "with_fakeredis.py", "pip install 'fakeredis[lua]'"),
            ("ioredis-mock", "node", "with_ioredis_mock.js", "npm install ioredis ioredis-mock"),
        ]
        .into_iter()
        .filter_map(|(name, program, file, install)| {
            match Self::start(name, program, &format!("{folder}{file}")) {
                Ok(peer) => Some(peer),
                Err(error) => {
                    eprintln!("no {name} to measure beside ({error}): {install}");
                    None
                }
            }
        })
        .collect()
    }

    fn start(name: &'static str, program: &str, file: &str) -> io::Result<Self> {
        let mut command = Command::new(program);
        // Libraries of node are looked for in the folder it is started in; cargo starts benches
        // in the folder of their crate.
        if let Some(folder) = std::env::var_os("REDLUA_NODE") {
            command.current_dir(folder);
        }
        let mut process = command
            .arg(file)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let (Some(commands), Some(replies)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let mut peer = Peer { name, process, commands, replies: BufReader::new(replies) };
        peer.ask(&["PING"])?;
        Ok(peer)
    }

    /// Has a command run.
    ///
    /// # Errors
    /// The process has ended, or the reply is an error.
    pub fn ask(&mut self, argv: &[&str]) -> io::Result<()> {
        let mut line = serde_json::to_string(argv)?;
        line.push('\n');
        self.commands.write_all(line.as_bytes())?;
        self.commands.flush()?;
        let mut reply = String::new();
        self.replies.read_line(&mut reply)?;
        match reply.trim_end() {
            "+" => Ok(()),
            "" => Err(io::ErrorKind::UnexpectedEof.into()),
            error => Err(io::Error::other(error.to_owned())),
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
