//! How the cost of a script grows: with its calls, keys and bytes, with the scripts in the cache
//! and with the threads at work. A line that bends upwards is a fault.
//!
//! The name of a bench is `growth/<what>/<how many>/<backend>`. Must not know how a backend
//! works.

use std::sync::Barrier;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group};
use redlua::conversions::resp::RespWriter;
use redlua::{Protocol, Script};
use redlua_benches::{answer, client, evalsha};

fn calls(c: &mut Criterion) {
    for count in ["100", "1000", "10000", "100000"] {
        let source = "for i = 1, tonumber(ARGV[1]) do redis.call('get', KEYS[1]) end";
        evalsha(c, &format!("growth/calls/{count}"), source, &["1", "k", count]);
    }
}

fn keys(c: &mut Criterion) {
    for count in [1, 10, 100, 1000, 10_000_usize] {
        let keys: Vec<String> = (0..count).map(|key| format!("key:{key}")).collect();
        let digits = count.to_string();
        let mut words = vec![digits.as_str()];
        words.extend(keys.iter().map(String::as_str));
        evalsha(c, &format!("growth/keys/{count}"), "return #KEYS", &words);
    }
}

fn bytes(c: &mut Criterion) {
    for count in [1_000, 10_000, 100_000, 1_000_000, 10_000_000] {
        let value = "x".repeat(count);
        let source = "redis.call('set', KEYS[1], ARGV[1]) return redis.call('get', KEYS[1])";
        evalsha(c, &format!("growth/bytes/{count}"), source, &["1", "k", &value]);
    }
}

fn scripts(c: &mut Criterion) {
    for backend in redlua::backends() {
        for count in [10, 100, 1000, 10_000] {
            let mut client = client(backend.clone());
            let mut buffer = RespWriter::new(Protocol::Resp2);
            for number in 0..count {
                let source = format!("return {number}");
                answer(&mut client, &[b"SCRIPT", b"LOAD", source.as_bytes()], &mut buffer);
            }
            let script = Script::new("return 7");
            let argv: [&[u8]; 3] = [b"EVALSHA", script.sha().as_bytes(), b"0"];
            let id = format!("growth/scripts/{count}/{}", backend.info().name);
            c.bench_function(&id, |bencher| {
                bencher.iter(|| answer(&mut client, &argv, &mut buffer));
            });
        }
    }
}

/// So many threads with a client each, a thousand scripts a thread: the time until all are done,
/// by thread.
fn threads(c: &mut Criterion) {
    const EACH: u64 = 1000;
    let script = Script::new("return redis.call('incr', KEYS[1])");
    let argv: [&[u8]; 4] = [b"EVALSHA", script.sha().as_bytes(), b"1", b"n"];
    for backend in redlua::backends() {
        for count in [1, 2, 4, 8_u32] {
            let id = format!("growth/threads/{count}/{}", backend.info().name);
            c.bench_function(&id, |bencher| {
                bencher.iter_custom(|times| {
                    let barrier = Barrier::new(count as usize + 1);
                    std::thread::scope(|scope| {
                        let work = || {
                            let mut client = client(backend.clone());
                            let mut buffer = RespWriter::new(Protocol::Resp2);
                            let source = b"return redis.call('incr', KEYS[1])";
                            answer(&mut client, &[b"SCRIPT", b"LOAD", source], &mut buffer);
                            barrier.wait();
                            for _ in 0..times * EACH {
                                answer(&mut client, &argv, &mut buffer);
                            }
                        };
                        let threads: Vec<_> = (0..count).map(|_| scope.spawn(work)).collect();
                        barrier.wait();
                        let began = Instant::now();
                        for thread in threads {
                            assert!(thread.join().is_ok());
                        }
                        began.elapsed().max(Duration::from_nanos(1))
                    })
                });
            });
        }
    }
}

criterion_group!(benches, calls, keys, bytes, scripts, threads);
