//! The example scripts are covered by cases, and say what they do.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use redlua_conformance::{Arg, load};

#[test]
fn every_example_script_has_cases_and_a_header() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let cases = load(&here.join("cases/examples.jsonl")).unwrap();
    let used: BTreeSet<&str> = cases
        .iter()
        .flat_map(|case| case.steps.iter().flatten())
        .filter_map(|arg| match arg {
            Arg::File { file } => Some(file.as_str()),
            _ => None,
        })
        .collect();
    let mut scripts = 0;
    for entry in fs::read_dir(here.join("../examples/scripts")).unwrap() {
        let path = entry.unwrap().path();
        // Beside a script lie arguments to try it with, for `redlua diff`.
        if path.extension().is_none_or(|extension| extension != "lua") {
            assert!(path.with_extension("lua").exists(), "{} without a script", path.display());
            continue;
        }
        let name = format!("examples/scripts/{}", path.file_name().unwrap().to_string_lossy());
        assert!(used.contains(name.as_str()), "{name} is in no case");
        let text = fs::read_to_string(&path).unwrap();
        for part in ["-- KEYS", "-- ARGV", "-- Returns"] {
            assert!(text.contains(part), "{name} does not say {part}");
        }
        scripts += 1;
    }
    assert!(scripts >= 10);
    assert_eq!(used.len(), scripts, "a case names a script that is not there");
}
