//! Every workload does what it is for, on every backend of the build: a bench must not measure
//! an error.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use redlua::conversions::resp::RespWriter;
use redlua::{Client, Protocol};
use redlua_benches::{answer, client, examples, workloads};

fn run(client: &mut Client, argv: &[&str]) -> String {
    let mut buffer = RespWriter::new(Protocol::Resp2);
    let argv: Vec<&[u8]> = argv.iter().map(|word| word.as_bytes()).collect();
    answer(client, &argv, &mut buffer);
    String::from_utf8_lossy(buffer.bytes()).into_owned()
}

#[test]
fn workloads_run_twice() {
    for backend in redlua::backends() {
        let mut client = client(backend);
        for workload in workloads().iter().chain(&examples()) {
            let words: Vec<&str> = workload.words.iter().map(String::as_str).collect();
            let argv = [&["EVAL", &workload.source], &words[..]].concat();
            let replies = [run(&mut client, &argv), run(&mut client, &argv)];
            for reply in replies {
                assert!(!reply.starts_with('-'), "{}: {reply}", workload.name);
            }
        }
    }
}
