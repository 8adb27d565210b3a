//! What the benches of redlua share: a client with data in it, the running of one script, the
//! workloads that a real server runs as well.
//!
//! The name of a bench is `<group>/<what>/<backend>` and stays the same, so that results of
//! several builds and dates can be laid side by side. Must not know how a backend works.
//!
//! ```sh
//! cargo bench -p redlua-benches
//! cargo bench -p redlua-benches --bench backends -- call/
//! ```
#![forbid(unsafe_code)]

mod peer;
mod server;
mod turns;
mod workloads;

use std::sync::Arc;

use criterion::Criterion;
use redlua::conversions::resp::RespWriter;
use redlua::core::Backend;
use redlua::{Client, Engine, Limits, Protocol, Script};

pub use peer::Peer;
pub use server::RedisServer;
pub use turns::in_turns;
pub use workloads::{Workload, examples, workloads};

/// An engine of `backend` over a store with the keys that the scripts read.
pub fn client(backend: Arc<dyn Backend>) -> Client {
    let mut client = Client { engine: Engine::new(backend), ..Client::new() };
    let mut buffer = RespWriter::new(Protocol::Resp2);
    for argv in seed() {
        let argv: Vec<&[u8]> = argv.iter().map(String::as_bytes).collect();
        answer(&mut client, &argv, &mut buffer);
    }
    client
}

/// The commands that fill a store with what the scripts read.
pub fn seed() -> Vec<Vec<String>> {
    let words = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
    let mut commands = vec![words(&["SET", "k", "value"]), words(&["SET", "n", "0"])];
    let (mut list, mut hash) = (words(&["RPUSH", "list"]), words(&["HSET", "hash"]));
    for element in 0..100 {
        list.push(format!("element:{element}"));
        hash.extend([format!("field:{element}"), format!("value:{element}")]);
    }
    let mut feed = words(&["ZADD", "feed"]);
    feed.extend((0..100).flat_map(|entry| [entry.to_string(), format!("entry:{entry}")]));
    commands.extend([list, hash, feed]);
    commands
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
    evalsha_after(c, name, "", source, words);
}

/// The same after a script has prepared the store.
///
/// # Panics
/// One of the scripts does not run.
pub fn evalsha_after(c: &mut Criterion, name: &str, setup: &str, source: &str, words: &[&str]) {
    measure(c, name, &Limits::default(), setup, source, words);
}

/// The same within other limits than those that are on by default.
///
/// # Panics
/// The script does not run.
pub fn evalsha_within(c: &mut Criterion, name: &str, limits: Limits, source: &str, words: &[&str]) {
    measure(c, name, &limits, "", source, words);
}

fn measure(
    c: &mut Criterion,
    name: &str,
    limits: &Limits,
    setup: &str,
    source: &str,
    words: &[&str],
) {
    for backend in redlua::backends() {
        let id = format!("{name}/{}", backend.info().name);
        let mut client = client(backend);
        client.engine.set_limits(limits.clone());
        let mut buffer = RespWriter::new(Protocol::Resp2);
        let mut run = |client: &mut Client, argv: &[&[u8]]| {
            answer(client, argv, &mut buffer);
            let reply = buffer.bytes();
            assert!(!reply.starts_with(b"-"), "{name}: {}", String::from_utf8_lossy(reply));
        };
        run(&mut client, &[b"EVAL", setup.as_bytes(), b"0"]);
        let script = Script::new(source);
        run(&mut client, &[b"SCRIPT", b"LOAD", source.as_bytes()]);
        let mut argv: Vec<&[u8]> = vec![b"EVALSHA", script.sha().as_bytes()];
        argv.extend(words.iter().map(|word| word.as_bytes()));
        run(&mut client, &argv);
        c.bench_function(&id, |bencher| {
            bencher.iter(|| answer(&mut client, &argv, &mut buffer));
        });
    }
}
