//! The figures in short, as Markdown.
//!
//! Must not know how they were read.

use std::fmt::Write as _;

use crate::chart;
use crate::page::Report;

/// A table of the workloads by backend, with the ratio to what they are compared with.
pub(crate) fn markdown(report: &Report) -> String {
    let names = report.names();
    let base = report.base();
    let columns = report.figures.columns(&names, "workload");
    let mut text = String::from("| script |");
    for name in &columns {
        let _ = write!(text, " {name} |");
    }
    text.push_str("\n|---|");
    text.push_str(&"---:|".repeat(columns.len()));
    text.push('\n');
    for (what, row) in report.figures.benches("workload") {
        let _ = write!(text, "| {what} |");
        for name in &columns {
            let time = row.time(name).map_or_else(|| "–".to_owned(), chart::time);
            let _ = write!(text, " {time}");
            // Builds run one after another: times of one line are not of the same minutes.
            let ratio = base.as_deref().filter(|base| base != name);
            if let Some(ratio) = ratio.and_then(|base| row.ratio(name, base)) {
                let _ = write!(text, " ({ratio:.2})");
            }
            text.push_str(" |");
        }
        text.push('\n');
    }
    if let Some(base) = base {
        let _ = write!(text, "| **all, {base} = 1** |");
        for name in &columns {
            match report.figures.ratio("workload", name, &base) {
                Some(ratio) => {
                    let _ = write!(text, " **{ratio:.2}** |");
                }
                None => text.push_str(" – |"),
            }
        }
        text.push('\n');
    }
    for facts in &report.backends {
        if let Some(failure) = &facts.failure {
            let _ = write!(text, "\n{}: {failure}\n", facts.backend);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Facts;
    use crate::figures::Figures;

    #[test]
    fn a_line_for_each_script() {
        let names = ["one".to_owned()];
        let mut figures = Figures::default();
        figures.add("workload/get/one", 2e6, &names);
        figures.add("workload/get/redis-server", 5e6, &names);
        figures.add("workload/set/one", 1e6, &names);
        let backends = vec![Facts { backend: "one".into(), ..Facts::default() }];
        let text = markdown(&Report { backends, figures, notes: Vec::new() });
        assert_eq!(
            text,
            "| script | one | redis-server |\n|---|---:|---:|\n| get | 2.00 ms (0.40) | 5.00 ms |\n\
             | set | 1.00 ms | – |\n| **all, redis-server = 1** | **0.40** | **1.00** |\n"
        );
    }
}
