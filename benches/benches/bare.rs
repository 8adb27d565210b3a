//! What redlua adds to the crates whose Lua it runs: the same scripts on the bare crate, with
//! functions in Rust given to it by its own API, and through redlua's engine traits, with the
//! limits that are on by default. Neither does anything behind `redis.call` but answer a string.
//! Where a crate has limits of its own they are on there, too: omniLua runs each instruction the
//! long way then. What it takes without is the last column.
//!
//! All of them as a table, in turns; it fails when one takes more than 1.25 times as long:
//!
//! ```sh
//! cargo bench -p redlua-benches --no-default-features --features omnilua,piccolo,rlua-lua51 \
//!     --bench bare -- --beside
//! ```
//!
//! One script of one backend a number of times, for a profiler that counts instructions:
//!
//! ```sh
//! valgrind --tool=callgrind target/release/deps/bare-… --only fib piccolo 20
//! valgrind --tool=callgrind target/release/deps/bare-… --only fib piccolo/crate 20
//! ```
//!
//! Must not know any command of Redis.
#![allow(missing_docs, reason = "criterion's macros make public functions")]
#![allow(clippy::expect_used, reason = "what does not run cannot be measured")]

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use criterion::{Criterion, criterion_group};
use redlua::core::{
    Arguments, Backend, Bridge, CallMode, Chunk, Entry, Environment, Flow, Invocation, Item, Kind,
    Limits, NativeId, Outcome, Passing, Raise, ValueWriter, View,
};
use redlua_benches::in_turns;

/// How much longer than the bare crate redlua may take.
const MOST: f64 = 1.25;

/// Name and script.
const SCRIPTS: [(&str, &str); 8] = [
    (
        "fib",
        "local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end
         return fib(18)",
    ),
    (
        "array",
        "local t = {} for i = 1, 2000 do t[i] = i * 2 end
         local sum = 0 for i = 1, #t do sum = sum + t[i] end return sum",
    ),
    ("fields", "local o = {n = 0} for i = 1, 5000 do o.n = o.n + i end return o.n"),
    (
        "closures",
        "local function adder(n) return function(x) return x + n end end
         local v = 0 for i = 1, 1000 do v = adder(i)(v) end return v",
    ),
    ("strings", "local s = '' for i = 1, 300 do s = s .. 'x' end return #s"),
    ("calls", "for i = 1, 1000 do redis.call('get', 'k') end return 0"),
    (
        "calls-kept",
        "local call, n = redis.call, 0
         for i = 1, 1000 do if call('get', 'k') == 'value' then n = n + 1 end end return n",
    ),
    (
        "calls-long",
        "for i = 1, 1000 do redis.call('hset', 'key:with:a:name', 'field', 'some value') end
         return 0",
    ),
];

/// What a call answers.
const ANSWER: &[u8] = b"value";

type Run = Box<dyn FnMut()>;

/// The script through redlua's traits.
fn ours(backend: &Arc<dyn Backend>, source: &str) -> Run {
    let call = Entry::new("redis", Item::Table(vec![Entry::new("call", Item::Call)]));
    let environment = Environment {
        globals: vec![call],
        views: vec![View::default()],
        missing_global: 0,
        readonly_message: "read-only",
        error_handler: 1,
        error_fields: &[],
        unwrap_field: "err",
    };
    let mut vm = backend.create(&environment, &Limits::default()).expect("a state");
    let chunk = Chunk { name: "@user_script", source: source.as_bytes() };
    let script = vm.compile(chunk).expect("the script compiles");
    Box::new(move || {
        let passing = Passing::Nothing;
        let invocation = Invocation {
            keys: &[],
            args: &[],
            passing,
            view: 0,
            lines: false,
            began: Instant::now(),
        };
        let mut answering = Answering { number: false };
        vm.run(script, &invocation, &mut answering);
        assert!(answering.number, "the script does not run");
    })
}

/// Answers every call, and notes whether the script returned a number.
struct Answering {
    number: bool,
}

impl Bridge for Answering {
    fn call(&mut self, _: CallMode, argv: Option<&[&[u8]]>, out: &mut dyn ValueWriter) -> Flow {
        assert!(argv.is_some_and(|argv| argv.len() > 1));
        out.string(ANSWER);
        Flow::Return
    }

    fn native(
        &mut self,
        _: NativeId,
        _: &mut dyn Arguments,
        out: &mut dyn ValueWriter,
    ) -> Result<(), Raise> {
        out.argument(0);
        Ok(())
    }

    fn finish(&mut self, outcome: Outcome<'_>) {
        self.number = matches!(outcome, Outcome::Returned(value) if value.kind() == Kind::Number);
    }
}

/// The script on the crate below the backend of that name; with the crate's own limits, when it
/// has any.
fn bare(backend: &str, source: &'static str) -> Option<Run> {
    #[cfg(feature = "omnilua")]
    if backend == "omnilua" {
        return Some(bare_omnilua(source, true));
    }
    unlimited(backend, source)
}

/// The same without limits.
#[allow(clippy::match_single_binding, reason = "a build may have no such crate")]
fn unlimited(backend: &str, source: &'static str) -> Option<Run> {
    match backend {
        #[cfg(feature = "omnilua")]
        "omnilua" => Some(bare_omnilua(source, false)),
        #[cfg(feature = "piccolo")]
        "piccolo" => Some(bare_piccolo(source)),
        #[cfg(any(feature = "rlua-lua51", feature = "rlua-lua54"))]
        "rlua-lua51" | "rlua-lua54" => Some(bare_rlua(source)),
        #[cfg(feature = "mlua-lua51")]
        "mlua-lua51" => Some(bare_mlua(source)),
        _ => {
            let _ = source;
            None
        }
    }
}

/// The script in a state of a crate whose interface is mlua's.
#[cfg(any(feature = "mlua-lua51", feature = "omnilua"))]
macro_rules! as_with_mlua {
    ($lua:ident, $source:ident) => {{
        let call = $lua.create_function(|lua, argv: Variadic<LuaString>| {
            assert!(argv.len() > 1);
            lua.create_string(ANSWER)
        });
        let table = $lua.create_table().expect("a table");
        table.set("call", call.expect("a function")).expect("a field");
        $lua.globals().set("redis", table).expect("a global");
        let function = $lua.load($source).into_function().expect("the script compiles");
        Box::new(move || {
            let _: f64 = function.call(()).expect("the script runs");
        })
    }};
}

#[cfg(feature = "omnilua")]
fn bare_omnilua(source: &str, limited: bool) -> Run {
    use omnilua::{Lua, LuaString, LuaVersion, SandboxConfig, Variadic};
    let lua = Lua::new_versioned(LuaVersion::V51);
    if limited {
        lua.install_sandbox(SandboxConfig {
            instruction_limit: Some(u64::MAX),
            memory_limit_bytes: Limits::default().memory,
            ..SandboxConfig::strict()
        })
        .expect("limits");
    }
    as_with_mlua!(lua, source)
}

#[cfg(feature = "piccolo")]
fn bare_piccolo(source: &str) -> Run {
    use piccolo::{
        Callback, CallbackReturn, Closure, Executor, Function, Lua, String, Table, Value, Variadic,
    };
    let mut lua = Lua::core();
    let stashed = lua.try_enter(|ctx| {
        let call = Callback::from_fn(&ctx, |ctx, _, mut stack| {
            let argv: Variadic<Vec<String<'_>>> = stack.consume(ctx)?;
            assert!(argv.len() > 1);
            stack.replace(ctx, Value::String(ctx.intern(ANSWER)));
            Ok(CallbackReturn::Return)
        });
        let table = Table::new(&ctx);
        table.set(ctx, "call", call)?;
        ctx.set_global("redis", table)?;
        let closure = Closure::load(ctx, None, source.as_bytes())?;
        let executor = ctx.stash(Executor::new(ctx));
        Ok((ctx.stash(Function::Closure(closure)), executor))
    });
    let (function, executor) = stashed.expect("the script compiles");
    Box::new(move || {
        lua.enter(|ctx| ctx.fetch(&executor).restart(ctx, ctx.fetch(&function), ()));
        let _: f64 = lua.execute(&executor).expect("the script runs");
    })
}

#[cfg(any(feature = "rlua-lua51", feature = "rlua-lua54"))]
fn bare_rlua(source: &str) -> Run {
    use rlua::{Function, Lua, RegistryKey, String, Variadic};
    let lua = Lua::new();
    let key: rlua::Result<RegistryKey> = lua.context(|ctx| {
        let call = ctx.create_function(|ctx, argv: Variadic<String<'_>>| {
            assert!(argv.len() > 1);
            ctx.create_string(ANSWER)
        })?;
        let table = ctx.create_table()?;
        table.set("call", call)?;
        ctx.globals().set("redis", table)?;
        ctx.create_registry_value(ctx.load(source).into_function()?)
    });
    let key = key.expect("the script compiles");
    Box::new(move || {
        let result: rlua::Result<f64> =
            lua.context(|ctx| ctx.registry_value::<Function<'_>>(&key)?.call(()));
        result.expect("the script runs");
    })
}

#[cfg(feature = "mlua-lua51")]
fn bare_mlua(source: &'static str) -> Run {
    use mlua::{Lua, LuaString, Variadic};
    let lua = Lua::new();
    as_with_mlua!(lua, source)
}

fn scripts(c: &mut Criterion) {
    for backend in redlua::backends() {
        let info = backend.info().name;
        for (name, source) in SCRIPTS {
            let Some(mut bare) = bare(info, source) else { continue };
            let mut ours = ours(&backend, source);
            c.bench_function(&format!("bare/{name}/{info}"), |bencher| bencher.iter(&mut ours));
            c.bench_function(&format!("bare/{name}/{info}/crate"), |b| b.iter(&mut bare));
        }
    }
}

/// Prints the table of a backend; whether nothing takes too long.
fn beside(backend: &Arc<dyn Backend>) -> bool {
    let info = backend.info();
    println!("{} beside the bare crate\n", info.name);
    println!(
        "{:14} {:>10} {:>10} {:>6} {:>13}",
        "script", "redlua, us", "crate, us", "ratio", "unlimited, us"
    );
    let mut slow = 0;
    for (name, source) in SCRIPTS {
        let both = bare(info.name, source).zip(unlimited(info.name, source));
        let Some((mut bare, unlimited)) = both else {
            println!("{name:14} has no bare counterpart here");
            continue;
        };
        let (_, unlimited) = in_turns(&mut bare, unlimited);
        let (ours, bare) = in_turns(ours(backend, source), bare);
        let (ours, bare) = (ours.as_secs_f64() * 1e6, bare.as_secs_f64() * 1e6);
        let ratio = ours / bare;
        slow += usize::from(ratio > MOST);
        let mark = if ratio > MOST { " !" } else { "" };
        let unlimited = unlimited.as_secs_f64() * 1e6;
        println!("{name:14} {ours:>10.1} {bare:>10.1} {ratio:>6.2} {unlimited:>13.1}{mark}");
    }
    println!("{slow} above {MOST}\n");
    slow == 0
}

criterion_group!(benches, scripts);

/// Runs a script so many times on a backend, or on its crate; whether there are such.
fn only(script: &str, name: &str, times: u32) -> bool {
    let source = SCRIPTS.iter().find(|(name, _)| *name == script);
    let side = name.split_once('/').map_or(name, |(backend, _)| backend);
    let backend = redlua::backends().into_iter().find(|backend| backend.info().name == side);
    let Some(((_, source), backend)) = source.zip(backend) else { return false };
    let run = if side == name { Some(ours(&backend, source)) } else { unlimited(side, source) };
    let Some(mut run) = run else { return false };
    (0..times).for_each(|_| run());
    true
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if let ["--only", script, name, times] = words[..] {
        let done = times.parse().is_ok_and(|times| only(script, name, times));
        return if done { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    if !std::env::args().any(|argument| argument == "--beside") {
        benches();
        Criterion::default().configure_from_args().final_summary();
        return ExitCode::SUCCESS;
    }
    // Each of them, even after one that is too slow.
    let within = redlua::backends().iter().filter(|backend| !beside(backend)).count() == 0;
    if within { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
