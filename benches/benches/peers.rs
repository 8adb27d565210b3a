//! The workloads on the mocks that people use today, each in its own language, beside every
//! backend of the build. What a mock cannot run is told and has no figure.
//!
//! ```sh
//! pip install 'fakeredis[lua]'         # REDLUA_PYTHON names another interpreter
//! npm install ioredis ioredis-mock     # REDLUA_NODE names the folder, if it is not benches/
//! cargo bench -p redlua-benches --bench peers
//! ```
//!
//! Must not know how a backend works.
#![allow(missing_docs, reason = "criterion's macros make public functions")]
#![allow(clippy::expect_used, reason = "a bench that cannot run measures nothing")]

use criterion::{Criterion, SamplingMode, criterion_group, criterion_main};
use redlua_benches::{Peer, evalsha, seed, workloads};

fn run(c: &mut Criterion) {
    let mut peers = Peer::all();
    for peer in &mut peers {
        for argv in seed() {
            let argv: Vec<&str> = argv.iter().map(String::as_str).collect();
            peer.ask(&argv).expect("a mock takes the data");
        }
    }
    for workload in workloads() {
        let words: Vec<&str> = workload.words.iter().map(String::as_str).collect();
        let argv = [&["EVAL", &workload.source], &words[..]].concat();
        let name = format!("workload/{}", workload.name);
        evalsha(c, &name, &workload.source, &words);
        let mut group = c.benchmark_group(&name);
        // A second or more an iteration: one each.
        group.sampling_mode(SamplingMode::Flat).sample_size(10);
        for peer in &mut peers {
            if let Err(error) = peer.ask(&argv) {
                eprintln!("{name}: {} does not run it: {error}", peer.name);
                continue;
            }
            group.bench_function(peer.name, |bencher| {
                bencher.iter(|| peer.ask(&argv).expect("it ran before"));
            });
        }
        group.finish();
    }
}

criterion_group!(benches, run);
criterion_main!(benches);
