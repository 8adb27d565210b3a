//! Every case over sockets of `redlua`'s own server, a fresh one each.
//!
//! Fails when a reply differs from the real server's although the same case in this process does
//! not: what is declared as a gap there is one here.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::io;
use std::path::Path;
use std::sync::Arc;

use redlua::Server;
use redlua::core::Backend;
use redlua::server::net::{Listening, Options};
use redlua_conformance::{
    Case, Connection, Gaps, Instance, Report, Runner, Socket, Target, load_dir,
};

/// A backend of this build behind a socket.
struct Served(Arc<dyn Backend>);

/// The server of one case.
struct Fresh {
    _listening: Listening,
    socket: Socket,
}

impl Target for Served {
    fn name(&self) -> &str {
        self.0.info().name
    }

    fn start(&self) -> io::Result<Box<dyn Instance>> {
        let listening = Server::with_backend(self.0.clone()).listen(&Options::default())?;
        let address = listening.addresses().first().copied().unwrap();
        let socket = Socket::new(&format!("redis://{address}")).map_err(io::Error::other)?;
        Ok(Box::new(Fresh { _listening: listening, socket }))
    }
}

impl Instance for Fresh {
    fn connect(&mut self) -> io::Result<Box<dyn Connection>> {
        self.socket.connect()
    }
}

#[test]
fn every_reply_is_the_same_over_a_socket() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let cases: Vec<Arc<Case>> =
        load_dir(&here.join("cases")).unwrap().into_iter().map(Arc::new).collect();
    let runner = Runner::new(Served(redlua::backends().swap_remove(0)));
    let gaps = Gaps::load(&here.join("gaps"), runner.name()).unwrap();
    let findings = runner.run(&cases);
    let pairs = cases.iter().map(AsRef::as_ref).zip(&findings);
    let report = Report::new(runner.name(), pairs, &gaps);
    println!("{report}");
    let shown: Vec<&str> = report.failures.iter().take(40).map(String::as_str).collect();
    assert!(shown.is_empty(), "{} failures, such as\n{}", report.failures.len(), shown.join("\n"));
}
