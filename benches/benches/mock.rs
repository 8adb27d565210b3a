//! What a `MockRedis` costs a test: making one, a command, a first script.
#![allow(missing_docs, reason = "criterion's macros make public functions")]

use criterion::{Criterion, criterion_group, criterion_main};
use redlua::{Connection, MockRedis};

fn mock(c: &mut Criterion) {
    c.bench_function("mock/new", |b| b.iter(MockRedis::new));
    c.bench_function("mock/new-set-get", |b| {
        b.iter(|| {
            let mut connection = MockRedis::new().connection();
            connection.request(&[b"SET", b"k", b"v"]);
            connection.request(&[b"GET", b"k"])
        });
    });
    c.bench_function("mock/new-eval", |b| {
        b.iter(|| MockRedis::new().connection().request(&[b"EVAL", b"return 1", b"0"]));
    });
    let mock = MockRedis::new();
    c.bench_function("mock/connection-get", |b| {
        b.iter(|| mock.connection().request(&[b"GET", b"k"]));
    });
}

criterion_group!(benches, mock);
criterion_main!(benches);
