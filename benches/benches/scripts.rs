//! What a script costs, by what it does: an `EVALSHA` each, on every backend of the build.
//!
//! Loops run a thousand times inside one script, so that the figure is that of the call and not
//! of the `EVALSHA` around it. Must not know how a backend works.
#![allow(missing_docs, reason = "criterion's macros make public functions")]

use criterion::{Criterion, criterion_group, criterion_main};
use redlua_benches::evalsha;

/// `redis.call` and `redis.pcall`, a thousand of each.
fn call(c: &mut Criterion) {
    let thousand = |body: &str| format!("for i = 1, 1000 do {body} end");
    evalsha(c, "call/get1000", &thousand("redis.call('get', KEYS[1])"), &["1", "k"]);
    evalsha(c, "call/set1000", &thousand("redis.call('set', KEYS[1], ARGV[1])"), &["1", "k", "v"]);
    evalsha(c, "call/incr1000", &thousand("redis.call('incr', KEYS[1])"), &["1", "n"]);
    evalsha(
        c,
        "call/lrange100x1000",
        &thousand("redis.call('lrange', KEYS[1], 0, -1)"),
        &["1", "list"],
    );
    evalsha(c, "call/hgetall100x1000", &thousand("redis.call('hgetall', KEYS[1])"), &["1", "hash"]);
    evalsha(c, "call/pcall-fails1000", &thousand("redis.pcall('incr', KEYS[1])"), &["1", "k"]);
    evalsha(c, "call/pcall-catches1000", &thousand("pcall(redis.call, 'nope')"), &["0"]);
}

/// The libraries, a thousand calls each.
fn library(c: &mut Criterion) {
    let document = r#"{"id":12345,"name":"Ada","tags":["a","b","c"],"at":{"x":1.5,"y":-2}}"#;
    let with = |setup: &str, body: &str| format!("{setup} for i = 1, 1000 do {body} end");
    let decoded = "local v = cjson.decode(ARGV[1])";
    for (name, source) in [
        ("library/cjson-decode1000", with("", "cjson.decode(ARGV[1])")),
        ("library/cjson-encode1000", with(decoded, "cjson.encode(v)")),
        ("library/cmsgpack-pack1000", with(decoded, "cmsgpack.pack(v)")),
        (
            "library/cmsgpack-unpack1000",
            with(&format!("{decoded} local p = cmsgpack.pack(v)"), "cmsgpack.unpack(p)"),
        ),
        ("library/struct-pack1000", with("", "struct.pack('>I4hs', i, 7, 'text')")),
        ("library/bit-band1000", with("", "bit.band(i, 0xff)")),
        ("library/sha1hex1000", with("", "redis.sha1hex(ARGV[1])")),
    ] {
        evalsha(c, name, &source, &["0", document]);
    }
}

/// Lua alone: what the engine itself costs.
fn lua(c: &mut Criterion) {
    let fib = "local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end
               return fib(20)";
    evalsha(c, "lua/fib20", fib, &["0"]);
    let build = "local t = {} for i = 1, 10000 do t[i] = i * 2 end return #t";
    evalsha(c, "lua/table-build10000", build, &["0"]);
    let concat = "local t = {} for i = 1, 1000 do t[#t + 1] = 'item ' .. i end
                  return #table.concat(t, ',')";
    evalsha(c, "lua/concat1000", concat, &["0"]);
}

/// What scripts answer with.
fn reply(c: &mut Criterion) {
    evalsha(c, "reply/array1000", "local t = {} for i = 1, 1000 do t[i] = i end return t", &["0"]);
    evalsha(c, "reply/bulk64k", "return string.rep('x', 65536)", &["0"]);
}

criterion_group!(benches, call, library, lua, reply);
criterion_main!(benches);
