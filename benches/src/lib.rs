//! What the benches of redlua share: a client with data in it and the running of one script.
//!
//! The name of a bench is `<group>/<what>/<backend>` and stays the same, so that results of
//! several builds and dates can be laid side by side. Must not know what is measured.
//!
//! ```sh
//! cargo bench -p redlua-benches
//! cargo bench -p redlua-benches --bench scripts -- call/
//! ```
#![forbid(unsafe_code)]

use std::sync::Arc;

use criterion::Criterion;
use redlua::conversions::resp::RespWriter;
use redlua::core::Backend;
use redlua::{Client, Engine, Protocol, Script};

/// An engine of `backend` over a store with the keys that the scripts read.
pub fn client(backend: Arc<dyn Backend>) -> Client {
    let mut client = Client { engine: Engine::new(backend), ..Client::new() };
    let mut run = |argv: &[&[u8]]| answer(&mut client, argv, &mut RespWriter::new(Protocol::Resp2));
    run(&[b"SET", b"k", b"value"]);
    run(&[b"SET", b"n", b"0"]);
    for element in 0..100 {
        run(&[b"RPUSH", b"list", format!("element:{element}").as_bytes()]);
        let (field, value) = (format!("field:{element}"), format!("value:{element}"));
        run(&[b"HSET", b"hash", field.as_bytes(), value.as_bytes()]);
    }
    client
}

/// Runs one command into a buffer that is kept between commands.
pub fn answer(client: &mut Client, argv: &[&[u8]], buffer: &mut RespWriter) {
    buffer.clear();
    client.dispatch(argv, buffer);
}

/// Measures `EVALSHA` of a script, on every backend of the build.
///
/// # Panics
/// The script does not run: its figures would mean nothing.
pub fn evalsha(c: &mut Criterion, name: &str, source: &str, words: &[&str]) {
    for backend in redlua::backends() {
        let id = format!("{name}/{}", backend.info().name);
        let mut client = client(backend);
        let script = Script::new(source);
        assert!(script.load(&mut client).is_ok(), "{name} does not compile");
        let mut argv: Vec<&[u8]> = vec![b"EVALSHA", script.sha().as_bytes()];
        argv.extend(words.iter().map(|word| word.as_bytes()));
        let mut buffer = RespWriter::new(Protocol::Resp2);
        answer(&mut client, &argv, &mut buffer);
        let reply = buffer.bytes();
        assert!(!reply.starts_with(b"-"), "{name}: {}", String::from_utf8_lossy(reply));
        c.bench_function(&id, |bencher| {
            bencher.iter(|| answer(&mut client, &argv, &mut buffer));
        });
    }
}
