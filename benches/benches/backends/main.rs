//! All that is measured of the backends of a build, in one program: its long link is the cost of
//! measuring eight builds.
//!
//! Owns the order of the groups. Must not know what they measure.
//!
//! ```sh
//! cargo bench -p redlua-benches --bench backends -- call/
//! ```
#![allow(missing_docs, reason = "criterion's macros make public functions")]

mod costs;
mod engine;
mod growth;
mod scripts;
mod workloads;

use criterion::criterion_main;

criterion_main!(
    engine::benches,
    scripts::benches,
    growth::benches,
    workloads::benches,
    costs::benches
);
