//! Nothing is left of evaluations: the memory of a process that makes many does not grow.
//!
//! `REDLUA_SOAK=1000000` makes a million; a thousandth part of that time is enough to see a leak
//! of a few bytes an evaluation.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::process::Command;

/// What a process may take more in the end than it took after the first quarter: the allocator's
/// own unrest. A leak of 100 bytes an evaluation is more than that after 40,000.
const UNREST: usize = 3 << 20;

#[test]
fn memory_is_flat() {
    let evaluations = std::env::var("REDLUA_SOAK").unwrap_or_else(|_| "60000".into());
    for backend in redlua::backends() {
        let name = backend.info().name;
        let output = Command::new(env!("CARGO_BIN_EXE_redlua-conformance"))
            .args(["soak", "--backend", name, "--evaluations", &evaluations])
            .output()
            .unwrap();
        assert!(output.status.success(), "{name}: {}", output.status);
        let text = String::from_utf8(output.stdout).unwrap();
        let curve: Vec<usize> =
            text.lines().map(|line| line.split(' ').nth(1).unwrap().parse().unwrap()).collect();
        println!("{name}: {curve:?}");
        assert_eq!(curve.len(), 21, "{text}");
        // Where the system does not tell, the figures are 0.
        let early = *curve[5..8].iter().max().unwrap();
        let late = *curve[18..].iter().min().unwrap();
        assert!(late <= early + UNREST, "{name}: from {early} to {late}: {curve:?}");
    }
}
