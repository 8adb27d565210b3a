//! Every case on every backend of this build.
//!
//! Fails when a case that is not declared a gap differs from the real server, when one that is
//! declared does not, and when a gap names no case.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use redlua_conformance::{Case, Embedded, Gaps, Report, Runner, load_dir};

#[test]
fn every_reply_is_the_real_server_s() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let cases: Vec<Arc<Case>> =
        load_dir(&here.join("cases")).unwrap().into_iter().map(Arc::new).collect();
    let ids: BTreeSet<&str> = cases.iter().map(|case| case.id.as_str()).collect();
    assert_eq!(ids.len(), cases.len(), "two cases of one name");
    let mut failures = Vec::new();
    for backend in redlua::backends() {
        let runner = Runner::new(Embedded::new(backend));
        let gaps = Gaps::load(&here.join("gaps"), runner.name()).unwrap();
        let findings = runner.run(&cases);
        let pairs = cases.iter().map(AsRef::as_ref).zip(&findings);
        let mut report = Report::new(runner.name(), pairs, &gaps);
        println!("{report}");
        let stale = gaps.ids().filter(|id| !ids.contains(id));
        report.failures.extend(stale.map(|id| format!("{id}: a gap declared for no case")));
        failures
            .extend(report.failures.into_iter().map(|line| format!("{}: {line}", runner.name())));
    }
    let shown: Vec<&str> = failures.iter().take(40).map(String::as_str).collect();
    assert!(failures.is_empty(), "{} failures, such as\n{}", failures.len(), shown.join("\n"));
}
