//! How long the commonest commands take inside the store, in nanoseconds a call.
//!
//! A quick look; the criterion benches of the workspace measure the same through a script.

use std::hint::black_box;
use std::time::Instant;

use redlua_core::{Host, Protocol, ReplySink, Seq, Session};
use redlua_store::Store;

/// A sink that only looks at what it gets.
struct Nothing;

impl ReplySink for Nothing {
    fn protocol(&self) -> Protocol {
        Protocol::Resp2
    }
    fn null(&mut self) {}
    fn null_array(&mut self) {}
    fn integer(&mut self, value: i64) {
        black_box(value);
    }
    fn bulk(&mut self, bytes: &[u8]) {
        black_box(bytes);
    }
    fn status(&mut self, text: &[u8]) {
        black_box(text);
    }
    fn error(&mut self, text: &[u8]) {
        black_box(text);
    }
    fn seq(&mut self, _kind: Seq, _len: usize) {}
    fn map(&mut self, _pairs: usize) {}
    fn double(&mut self, value: f64) {
        black_box(value);
    }
    fn double_text(&mut self, _value: f64, _text: &[u8]) {}
    fn boolean(&mut self, _value: bool) {}
    fn big_number(&mut self, _digits: &[u8]) {}
    fn verbatim(&mut self, _format: [u8; 3], _text: &[u8]) {}
    fn attribute(&mut self, _pairs: usize) {}
}

fn main() {
    let mut store = Store::new();
    let mut session = Session { script: true, ..Session::default() };
    store.script_started();
    let calls: &[&[&[u8]]] = &[
        &[b"set", b"k", b"v"],
        &[b"get", b"k"],
        &[b"GET", b"missing"],
        &[b"incr", b"counter"],
        &[b"hset", b"hash", b"field", b"value"],
        &[b"hget", b"hash", b"field"],
        &[b"zadd", b"zset", b"1", b"member"],
        &[b"zscore", b"zset", b"member"],
        &[b"lpush", b"list", b"x"],
        &[b"lpop", b"list"],
        &[b"exists", b"k"],
    ];
    for keys in [0, 1000] {
        for number in 0..keys {
            let key = format!("key:{number}");
            run(&mut store, &mut session, &[b"set", key.as_bytes(), b"v"]);
        }
        for call in calls {
            let name = String::from_utf8_lossy(call[0]);
            let each = fastest(|| run(&mut store, &mut session, black_box(call)));
            let look_up = fastest(|| {
                black_box(store.command(black_box(call)));
            });
            println!("{keys:5} keys  {name:8} {each:6.1} ns, of it look-up {look_up:5.1} ns");
        }
    }
}

/// The time of the fastest of many rounds: what the machine's other work leaves alone.
fn fastest(mut work: impl FnMut()) -> f64 {
    const CALLS: u32 = 10_000;
    let round = |work: &mut dyn FnMut()| {
        let start = Instant::now();
        for _ in 0..CALLS {
            work();
        }
        start.elapsed().as_nanos() as f64 / f64::from(CALLS)
    };
    (0..200).map(|_| round(&mut work)).fold(f64::MAX, f64::min)
}

fn run(store: &mut Store, session: &mut Session, argv: &[&[u8]]) {
    if let Some(spec) = store.command(argv) {
        store.call(session, &spec, argv, &mut Nothing);
    }
}
