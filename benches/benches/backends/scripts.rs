//! What a script costs, by what it does: an `EVALSHA` each, on every backend of the build.
//!
//! Loops run a thousand times inside one script, so that the figure is that of the call and not
//! of the `EVALSHA` around it. Must not know how a backend works.

use criterion::{Criterion, criterion_group};
use redlua_benches::{evalsha, evalsha_after};

fn thousand(body: &str) -> String {
    format!("for i = 1, 1000 do {body} end")
}

/// `redis.call` and `redis.pcall`, a thousand of each.
fn call(c: &mut Criterion) {
    evalsha(c, "call/get1000", &thousand("redis.call('get', KEYS[1])"), &["1", "k"]);
    evalsha(c, "call/set1000", &thousand("redis.call('set', KEYS[1], ARGV[1])"), &["1", "k", "v"]);
    evalsha(c, "call/incr1000", &thousand("redis.call('incr', KEYS[1])"), &["1", "n"]);
    evalsha(c, "call/pcall-fails1000", &thousand("redis.pcall('incr', KEYS[1])"), &["1", "k"]);
    evalsha(c, "call/pcall-catches1000", &thousand("pcall(redis.call, 'nope')"), &["0"]);
    let number = thousand("redis.call('set', KEYS[1], i)");
    evalsha(c, "call/integer-argument1000", &number, &["1", "k"]);
    let number = thousand("redis.call('set', KEYS[1], i + 0.1)");
    evalsha(c, "call/float-argument1000", &number, &["1", "k"]);
    evalsha(c, "call/arguments-1x1000", &thousand("redis.call('ping')"), &["0"]);
    for count in [5, 50] {
        let words = ", 'k'".repeat(count - 1);
        let body = thousand(&format!("redis.call('exists'{words})"));
        evalsha(c, &format!("call/arguments-{count}x1000"), &body, &["0"]);
    }
    for (name, size) in [("1k", 1 << 10), ("1m", 1 << 20)] {
        let value = "x".repeat(size);
        let body = "for i = 1, 10 do redis.call('set', KEYS[1], ARGV[1]) end";
        evalsha(c, &format!("call/set-{name}x10"), body, &["1", "k", &value]);
        let body = "redis.call('set', KEYS[1], ARGV[1])
                    for i = 1, 10 do redis.call('get', KEYS[1]) end";
        evalsha(c, &format!("call/get-{name}x10"), body, &["1", "k", &value]);
    }
}

/// What commands answer to scripts.
fn answered(c: &mut Criterion) {
    let list = |count: u32| {
        format!("for i = 1, {count} do redis.call('rpush', 'long', 'element:' .. i) end")
    };
    for (count, times) in [(10, 1000), (1000, 10), (100_000, 1)] {
        let body = format!("for i = 1, {times} do redis.call('lrange', 'long', 0, -1) end");
        evalsha_after(c, &format!("answer/array{count}x{times}"), &list(count), &body, &["0"]);
    }
    evalsha(c, "answer/array100x1000", &thousand("redis.call('lrange', 'list', 0, -1)"), &["0"]);
    evalsha(c, "answer/hash100x1000", &thousand("redis.call('hgetall', 'hash')"), &["0"]);
    let map = format!("redis.setresp(3) {}", thousand("redis.call('hgetall', 'hash')"));
    evalsha(c, "answer/map100x1000", &map, &["0"]);
    let nested = "for i = 1, 100 do redis.call('xadd', 'stream', '*', 'f', i) end";
    let body = thousand("redis.call('xrange', 'stream', '-', '+', 'COUNT', 10)");
    evalsha_after(c, "answer/nested10x1000", nested, &body, &["0"]);
    evalsha(c, "answer/null1000", &thousand("redis.call('get', 'missing')"), &["0"]);
    evalsha(c, "answer/status1000", &thousand("redis.call('type', 'k')"), &["0"]);
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
        (
            "library/struct-unpack1000",
            with("local p = struct.pack('>I4hs', 1, 7, 'text')", "struct.unpack('>I4hs', p)"),
        ),
        ("library/bit-band1000", with("", "bit.band(i, 0xff)")),
        ("library/sha1hex1000", with("", "redis.sha1hex(ARGV[1])")),
        ("library/format1000", with("", "string.format('%d %s %5.2f', i, 'text', i / 3)")),
        ("library/tostring1000", with("", "local s = tostring(i + 0.5)")),
        ("library/find-plain1000", with("", "string.find(ARGV[1], 'tags', 1, true)")),
        ("library/match1000", with("", "string.match(ARGV[1], '\"name\":\"(%a+)\"')")),
        ("library/gsub1000", with("", "string.gsub(ARGV[1], '%d+', '#')")),
        (
            "library/gsub-function1000",
            with("local f = function(w) return w end", "string.gsub(ARGV[1], '%a+', f)"),
        ),
        ("library/rep1000", with("", "string.rep('x', 100)")),
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
    let sort = "local t = {} for i = 1, 1000 do t[i] = (i * 7919) % 1000 end
                table.sort(t, function(a, b) return a < b end) return t[1]";
    evalsha(c, "lua/sort1000", sort, &["0"]);
    let closures = "local n = 0 for i = 1, 1000 do local f = function() n = n + i end f() end
                    return n";
    evalsha(c, "lua/closures1000", closures, &["0"]);
    let building = "local s = '' for i = 1, 1000 do s = s .. 'x' end return #s";
    evalsha(c, "lua/string-building1000", building, &["0"]);
}

/// What scripts answer with.
fn reply(c: &mut Criterion) {
    evalsha(c, "reply/integer", "return 7", &["0"]);
    evalsha(c, "reply/bulk", "return 'text'", &["0"]);
    evalsha(c, "reply/status", "return redis.status_reply('FINE')", &["0"]);
    evalsha(c, "reply/double", "return {double = 1.5}", &["0"]);
    evalsha(c, "reply/bulk64k", "return string.rep('x', 65536)", &["0"]);
    let array = |count: u32| format!("local t = {{}} for i = 1, {count} do t[i] = i end return t");
    for count in [10, 1000, 100_000] {
        evalsha(c, &format!("reply/array{count}"), &array(count), &["0"]);
    }
    let nested = "local t = {} for i = 1, 100 do t[i] = {i, {'a', {'b'}}} end return t";
    evalsha(c, "reply/nested100", nested, &["0"]);
    let map = "redis.setresp(3) local t = {} for i = 1, 100 do t['f' .. i] = i end
               return {map = t}";
    evalsha(c, "reply/map100", map, &["0"]);
}

criterion_group!(benches, call, answered, library, lua, reply);
