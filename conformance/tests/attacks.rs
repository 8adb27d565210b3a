//! The catalogue of attacks on every backend of this build.
//!
//! Each runs within a child process that may end or hang; here it is only told.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::HashSet;
use std::path::Path;

use redlua_conformance::{Expect, Real, attacks, watch};

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("attacks")
}

#[test]
fn every_attack_is_held() {
    let catalogue = attacks(&folder()).unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_redlua-conformance"));
    for backend in redlua::backends() {
        let info = backend.info();
        let run = watch(program, info.name, info.version, &catalogue).unwrap();
        let failures = run.failures(&catalogue);
        assert!(failures.is_empty(), "{}:\n{}", info.name, failures.join("\n"));
    }
}

#[test]
fn the_catalogue_is_sound() {
    let mut seen = HashSet::new();
    for attack in attacks(&folder()).unwrap() {
        assert!(seen.insert(attack.id.clone()), "{} is there twice", attack.id);
        assert!(!attack.steps.is_empty(), "{} does nothing", attack.id);
        let recorded = matches!(attack.expect, Expect::Reply(_));
        assert_eq!(recorded, attack.real == Real::Answers, "{}", attack.id);
    }
}

#[test]
fn each_attack_stands_in_the_table() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let table = std::fs::read_to_string(root.join("SECURITY.md")).unwrap();
    for attack in attacks(&folder()).unwrap() {
        let what = attack.what.replace('|', "\\|");
        assert!(table.contains(&format!("| {what} |")), "{}: make SECURITY.md again", attack.id);
    }
}
