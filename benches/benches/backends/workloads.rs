//! The workloads of a real server, here and there: each on every backend of the build and, right
//! after, on the redis-server of the `PATH`, so that both see the same minute of the machine.
//!
//! The real server's name says beside which backends it was measured, since builds follow one
//! another over an hour. Must not know how a backend works.
#![allow(clippy::expect_used, reason = "a bench that cannot run measures nothing")]

use criterion::{Criterion, criterion_group};
use redlua_benches::{RedisServer, Workload, evalsha, examples, seed, workloads};

fn run(c: &mut Criterion) {
    let mut server = match RedisServer::start() {
        Ok(server) => Some(server),
        Err(error) => {
            eprintln!("no redis-server to measure beside: {error}");
            None
        }
    };
    if let Some(server) = &mut server {
        for argv in seed() {
            let argv: Vec<&str> = argv.iter().map(String::as_str).collect();
            server.ask(&argv).expect("the real server takes the data");
        }
    }
    for (group, list) in [("workload", workloads()), ("example", examples())] {
        for workload in list {
            here_and_there(c, group, &workload, server.as_mut());
        }
    }
}

fn here_and_there(
    c: &mut Criterion,
    group: &str,
    workload: &Workload,
    server: Option<&mut RedisServer>,
) {
    let name = format!("{group}/{}", workload.name);
    let words: Vec<&str> = workload.words.iter().map(String::as_str).collect();
    evalsha(c, &name, &workload.source, &words);
    let Some(server) = server else { return };
    let sha = redlua::Script::new(&workload.source);
    let argv = [&["EVALSHA", sha.sha()], &words[..]].concat();
    server.ask(&["SCRIPT", "LOAD", &workload.source]).expect("it compiles");
    server.ask(&argv).expect("it runs");
    let build: Vec<_> = redlua::backends().iter().map(|backend| backend.info().name).collect();
    c.bench_function(&format!("{name}/redis-server@{}", build.join("+")), |bencher| {
        bencher.iter(|| server.ask(&argv).expect("it runs"));
    });
}

criterion_group!(benches, run);
