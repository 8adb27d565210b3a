//! Evaluations without end, to see whether anything is left of them.
//!
//! Owns what is evaluated and the curve of memory. Must not know what a curve must look like.

use std::sync::Arc;

use redlua::core::Backend;
use redlua::server::Server;
use redlua::{Engine, Limits, Store};

use super::rss;

/// A point of the curve: evaluations done, bytes of the process.
pub type Point = (usize, usize);

/// Scripts that run again and again, each with its SHA1 in mind.
const SCRIPTS: [&str; 12] = [
    "return 1",
    "redis.call('SET', KEYS[1], ARGV[1]) return redis.call('GET', KEYS[1])",
    "local t = {} for i = 1, 50 do t[i] = {i, tostring(i)} end return t",
    "return cjson.encode(cjson.decode('{\"a\":[1,2,{\"b\":null}]}'))",
    "return cmsgpack.unpack(cmsgpack.pack({1, {a = 2}, 'x'}))[3]",
    "error({err = 'MINE went wrong'})",
    "return pcall(function() local t = nil; return t.x end) and 1 or 0",
    "local co = coroutine.wrap(function() for i = 1, 5 do coroutine.yield(i) end end) return co() + co()",
    "return (string.gsub(('ab'):rep(50), 'a(b)', '%1%1'))",
    "return loadstring('return ' .. #ARGV[1])()",
    "redis.call('HSET', KEYS[1] .. 'h', 'f', ARGV[1]) return redis.call('HGETALL', KEYS[1] .. 'h')",
    "return redis.pcall('NOTHING').err",
];

/// A library that is loaded again and again.
const LIBRARY: &str = "#!lua name=soak
local count = 0
redis.register_function('soak', function(keys, args) count = count + 1 return {count, args} end)";

/// Evaluates as often as asked; a point for each twentieth part.
pub fn soak(backend: Arc<dyn Backend>, evaluations: usize) -> Vec<Point> {
    let mut engine = Engine::new(backend);
    let memory = Some(64 << 20);
    engine.set_limits(Limits { memory, scripts: Some(500), ..Limits::default() });
    let server = Server::with(engine, Store::new());
    let mut link = server.link();
    let mut points = Vec::new();
    let part = (evaluations / 20).max(1);
    for turn in 0..evaluations {
        if turn % part == 0 {
            points.push((turn, rss::resident().unwrap_or_default()));
        }
        let key = format!("k{}", turn % 1000);
        let argument = format!("{:032}", turn);
        match turn % 16 {
            // One that nobody has seen, and nobody will again.
            12 => {
                let script = format!("local n = {turn} return {{n, 'x{turn}'}}");
                link.request(&[b"EVAL", script.as_bytes(), b"0"]);
            }
            13 => {
                if turn % 1000 < 16 {
                    link.request(&[b"FUNCTION", b"LOAD", b"REPLACE", LIBRARY.as_bytes()]);
                }
                link.request(&[b"FCALL", b"soak", b"0", argument.as_bytes()]);
            }
            // One that cannot be compiled.
            14 => {
                let script = format!("return {turn} return");
                link.request(&[b"EVAL", script.as_bytes(), b"0"]);
            }
            15 => {
                // Another connection, which goes again.
                server.link().request(&[b"EVAL", b"return {KEYS, ARGV}", b"1", b"k", b"a"]);
            }
            which => {
                let script = SCRIPTS.get(which).copied().unwrap_or_default();
                let words: [&[u8]; 5] =
                    [b"EVAL", script.as_bytes(), b"1", key.as_bytes(), argument.as_bytes()];
                link.request(&words);
            }
        }
    }
    points.push((evaluations, rss::resident().unwrap_or_default()));
    points
}
