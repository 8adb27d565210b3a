//! What safety costs, and how far a call is from the least that Lua can do.
//!
//! `cost/` has pairs: the limits that are on by default and none, the globals that scripts cannot
//! change and plain ones. `floor/` has the loop of `redis.call` around a function of stock Lua
//! that only looks at its two arguments, run by stock Lua 5.1.
//!
//! Must not know how a backend works.
#![allow(clippy::expect_used, reason = "a bench that cannot run measures nothing")]

use criterion::{Criterion, criterion_group};
use redlua::Limits;
use redlua_benches::{evalsha, evalsha_within};

const CALLS: &str = "for i = 1, 1000 do redis.call('get', 'k') end";

/// The scripts whose time and memory are watched, or not.
fn limits(c: &mut Criterion) {
    let fib = "local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end
               return fib(20)";
    let tables = "for i = 1, 100 do local t = {} for j = 1, 100 do t[j] = {j} end end";
    let strings = "for i = 1, 10000 do local s = 'item' .. i end";
    let decode = r#"for i = 1, 1000 do cjson.decode('{"a":[1,2,3],"b":"text"}') end"#;
    let list = "for i = 1, 100 do redis.call('lrange', 'list', 0, -1) end";
    for (name, source) in [
        ("call1000", CALLS),
        ("fib20", fib),
        ("tables10000", tables),
        ("strings10000", strings),
        ("cjson-decode1000", decode),
        ("lrange100x100", list),
    ] {
        for (kind, limits) in [("limits", Limits::default()), ("none", Limits::unlimited())] {
            evalsha_within(c, &format!("cost/{name}-{kind}"), limits, source, &["0"]);
        }
    }
}

/// `redis.call` through the globals of the sandbox, and through a plain table in a local variable,
/// which is less than a plain global would cost.
fn globals(c: &mut Criterion) {
    let plain = format!("local redis = {{call = redis.call}} {CALLS}");
    evalsha(c, "cost/globals-readonly", CALLS, &["0"]);
    evalsha(c, "cost/globals-plain", &plain, &["0"]);
}

#[cfg(feature = "mlua-lua51")]
fn floor(c: &mut Criterion) {
    let lua = mlua::Lua::new();
    let function = lua
        .load("local call = rawequal for i = 1, 1000 do call('get', 'k') end")
        .into_function()
        .expect("it compiles");
    c.bench_function("floor/call1000/lua5.1", |bencher| {
        bencher.iter(|| function.call::<()>(()).expect("it runs"));
    });
    let local = "local call = redis.call for i = 1, 1000 do call('get', 'k') end";
    evalsha(c, "floor/call1000", local, &["0"]);
}

#[cfg(not(feature = "mlua-lua51"))]
fn floor(c: &mut Criterion) {
    let local = "local call = redis.call for i = 1, 1000 do call('get', 'k') end";
    evalsha(c, "floor/call1000", local, &["0"]);
}

criterion_group!(benches, limits, globals, floor);
