//! Every case over a socket of `redlua`'s own server.
//!
//! Fails when a reply differs from the real server's although the same case in this process does
//! not: what is declared as a gap there is one here.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use std::sync::Arc;

use redlua::server::net::Options;
use redlua_conformance::{Case, Gaps, Report, Runner, Socket, load_dir};

#[test]
fn every_reply_is_the_same_over_a_socket() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let cases: Vec<Arc<Case>> =
        load_dir(&here.join("cases")).unwrap().into_iter().map(Arc::new).collect();
    let backend = redlua::backends().swap_remove(0);
    let gaps = Gaps::load(&here.join("gaps"), backend.info().name).unwrap();
    let server = redlua::new_server();
    let listening = server.listen(&Options::default()).unwrap();
    let url = format!("redis://{}", listening.addresses()[0]);
    let runner = Runner::new(Socket::new(&url).unwrap());
    let findings = runner.run(&cases);
    let pairs = cases.iter().map(AsRef::as_ref).zip(&findings);
    let report = Report::new(runner.name(), pairs, &gaps);
    println!("{report}");
    let shown: Vec<&str> = report.failures.iter().take(40).map(String::as_str).collect();
    assert!(shown.is_empty(), "{} failures, such as\n{}", report.failures.len(), shown.join("\n"));
}
