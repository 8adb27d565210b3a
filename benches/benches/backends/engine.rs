//! What the engine costs around a script: states, compiling, `EVALSHA` of nothing, plain commands.
//!
//! Must not know how a backend works.

use criterion::{Criterion, criterion_group};
use redlua::conversions::resp::RespWriter;
use redlua::{Client, Engine, Protocol};
use redlua_benches::{answer, client, evalsha};

/// A new Lua state with its whole environment; what its first script waits for.
fn state(c: &mut Criterion) {
    c.bench_function("engine/client", |bencher| bencher.iter(Client::new));
    for backend in redlua::backends() {
        let name = backend.info().name;
        c.bench_function(&format!("engine/first-script/{name}"), |bencher| {
            let mut buffer = RespWriter::new(Protocol::Resp2);
            bencher.iter(|| {
                let mut client = Client { engine: Engine::new(backend.clone()), ..Client::new() };
                answer(&mut client, &[b"EVAL", b"return 1", b"0"], &mut buffer);
            });
        });
    }
}

/// `EVAL` of a source never seen before: hashing and compiling a script of about 2 kB.
fn compile(c: &mut Criterion) {
    let body = "if redis.call('exists', KEYS[1]) == 1 then ARGV[1] = ARGV[1] .. 'x' end\n";
    for backend in redlua::backends() {
        let id = format!("engine/compile2k/{}", backend.info().name);
        let mut client = client(backend);
        let mut buffer = RespWriter::new(Protocol::Resp2);
        let mut number = 0_u64;
        c.bench_function(&id, |bencher| {
            bencher.iter(|| {
                number += 1;
                // So that the scripts kept do not fill the memory.
                if number.is_multiple_of(1000) {
                    answer(&mut client, &[b"SCRIPT", b"FLUSH"], &mut buffer);
                }
                let source = format!("local n = {number}\n{}", body.repeat(28));
                answer(&mut client, &[b"SCRIPT", b"LOAD", source.as_bytes()], &mut buffer);
            });
        });
    }
}

/// The least a call can cost, and what KEYS and ARGV add.
fn call(c: &mut Criterion) {
    evalsha(c, "engine/evalsha-empty", "", &["0"]);
    evalsha(c, "engine/evalsha-return-1", "return 1", &["0"]);
    let words = ["3", "k1", "k2", "k3", "a1", "a2", "a3", "a4"];
    evalsha(c, "engine/evalsha-7-words", "return ARGV[4]", &words);
    evalsha(c, "engine/evalsha-incr", "return redis.call('incr', KEYS[1])", &["1", "n"]);
    for backend in redlua::backends() {
        let id = format!("engine/fcall-return-1/{}", backend.info().name);
        let mut client = client(backend);
        let mut buffer = RespWriter::new(Protocol::Resp2);
        let library = b"#!lua name=bench\nredis.register_function('one', function() return 1 end)";
        answer(&mut client, &[b"FUNCTION", b"LOAD", library], &mut buffer);
        c.bench_function(&id, |bencher| {
            bencher.iter(|| answer(&mut client, &[b"FCALL", b"one", b"0"], &mut buffer));
        });
    }
}

/// Commands without a script: the dispatcher and the store.
fn plain(c: &mut Criterion) {
    let mut client = Client::new();
    let mut buffer = RespWriter::new(Protocol::Resp2);
    let commands: [(&str, &[&[u8]]); 3] = [
        ("engine/plain-set", &[b"SET", b"k", b"value"]),
        ("engine/plain-get", &[b"GET", b"k"]),
        ("engine/plain-incr", &[b"INCR", b"n"]),
    ];
    for (name, argv) in commands {
        c.bench_function(name, |bencher| {
            bencher.iter(|| answer(&mut client, argv, &mut buffer));
        });
    }
}

criterion_group!(benches, state, compile, call, plain);
