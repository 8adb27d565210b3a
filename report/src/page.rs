//! The page: one HTML file that needs nothing else.
//!
//! Owns what stands where. Must not know how figures were read or charts drawn.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::chart::{self, Failure};
use crate::facts::Facts;
use crate::figures::{Figures, SERVER};

/// All that a report is made of.
#[derive(Debug)]
pub(crate) struct Report {
    /// The backends, the reference first.
    pub(crate) backends: Vec<Facts>,
    /// The times.
    pub(crate) figures: Figures,
    /// What was measured on, and how: lines of text.
    pub(crate) notes: Vec<String>,
}

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:76rem;margin:2rem auto;\
padding:0 1rem;color:#222}table{border-collapse:collapse;margin:1rem 0;display:block;\
overflow-x:auto}th,td{padding:.25rem .6rem;border-bottom:1px solid #ddd;text-align:right;\
white-space:nowrap}th{white-space:normal;vertical-align:bottom}table.summary \
td:nth-child(2),table.summary td:nth-child(9){white-space:normal;text-align:left}th:first-child,td:first-child{text-align:left}td.best{font-weight:700}\
td.none{color:#aaa}svg{max-width:100%;height:auto}.plots{display:flex;flex-wrap:wrap;gap:1rem}\
h2{margin-top:2.5rem}.note{color:#666}";

impl Report {
    /// The backends' names.
    pub(crate) fn names(&self) -> Vec<String> {
        self.backends.iter().map(|facts| facts.backend.clone()).collect()
    }

    /// What times are compared with: the real server where it was measured, else the first
    /// backend.
    pub(crate) fn base(&self) -> Option<String> {
        let names = self.names();
        let columns = self.figures.columns(&names, "workload");
        let server = columns.iter().find(|name| **name == SERVER);
        server.or(columns.first()).map(ToString::to_string)
    }

    /// The chart of the workloads, as SVG; `None` when none was run.
    ///
    /// # Errors
    /// It cannot be drawn.
    pub(crate) fn chart(&self) -> Result<Option<String>, Failure> {
        let Some(base) = self.base() else { return Ok(None) };
        let names = self.names();
        let columns = self.figures.columns(&names, "workload");
        // Mocks of other languages would press all bars into one corner.
        let series: Vec<&str> = columns
            .into_iter()
            .filter(|name| *name != base && names.iter().any(|known| known == name))
            .collect();
        let rows: Vec<_> = self
            .figures
            .benches("workload")
            .filter(|(_, row)| row.time(&base).is_some())
            .map(|(what, row)| {
                let values = series.iter().map(|name| row.ratio(name, &base)).collect();
                (what.to_owned(), values)
            })
            .collect();
        if rows.is_empty() || series.is_empty() {
            return Ok(None);
        }
        chart::bars(&format!("Time of a script, {base} = 1 (less is better)"), &series, &rows)
            .map(Some)
    }

    /// The page.
    ///
    /// # Errors
    /// A chart cannot be drawn.
    pub(crate) fn html(&self) -> Result<String, Failure> {
        let names = self.names();
        let groups = self.figures.groups().filter(|group| *group != "growth");
        let plots: Vec<String> = self
            .figures
            .growth()
            .iter()
            .map(|(what, curves)| {
                chart::growth(&format!("time by number of {what}"), &names, curves)
            })
            .collect::<Result<_, _>>()?;
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width";
                    title { "redlua: the backends side by side" }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    h1 { "redlua: the backends side by side" }
                    @for note in &self.notes { p.note { (note) } }
                    h2 { "Which one?" }
                    (self.summary())
                    h2 { "Scripts, beside the real server" }
                    @match self.chart()? {
                        Some(svg) => (PreEscaped(svg)),
                        None => p { "The workloads were not run." },
                    }
                    (self.ratios(&names))
                    p.note {
                        "Each build is compared with a redis-server of its own minutes; the column \
                         of redis-server below is the median of those."
                    }
                    h2 { "How the cost grows" }
                    @if plots.is_empty() { p { "Not measured." } }
                    div.plots { @for svg in &plots { div { (PreEscaped(svg)) } } }
                    h2 { "Every bench" }
                    p.note { "Medians. The best of a line is bold." }
                    @for group in groups {
                        h3 { (group) }
                        (self.times(group, &self.figures.columns(&names, group)))
                    }
                    h2 { "The same answers as redis-server 7.0.15" }
                    (self.fidelity())
                }
            }
        };
        Ok(page.into_string())
    }

    fn summary(&self) -> Markup {
        let base = self.base();
        html! {
            table.summary {
                thead { tr {
                    th { "backend" }
                    th { "engine" }
                    th { "written in" }
                    th { "identical replies" }
                    th { "right values" }
                    th { @if let Some(base) = &base { "scripts, " (base) " = 1" } }
                    th { "redis.call" }
                    th { "first script" }
                    th { "limits" }
                    th { "build" }
                    th { "program" }
                } }
                tbody { @for facts in &self.backends { (self.line(facts, base.as_deref())) } }
            }
        }
    }

    fn line(&self, facts: &Facts, base: Option<&str>) -> Markup {
        let name = facts.backend.as_str();
        if let Some(failure) = &facts.failure {
            return html! { tr { td { (name) } td colspan="10" { (failure) } } };
        }
        let suite = facts.conformance.as_ref();
        let engine = suite.and_then(|suite| suite.engine.as_ref());
        let total = facts.total();
        let of = |group, what, times: f64| {
            self.figures.of(group, what, name).map(|all| chart::time(all / times))
        };
        let percent = |value: f64| format!("{value:.2} %");
        let cells = [
            engine.map(|engine| engine.version.clone()),
            engine.map(|engine| if engine.pure_rust { "Rust" } else { "C" }.into()),
            total.map(|total| percent(total.percent())),
            total.map(|total| percent(total.percent_values())),
            base.and_then(|base| self.figures.ratio("workload", name, base))
                .map(|ratio| format!("{ratio:.2}")),
            of("call", "get1000", 1000.0),
            of("engine", "first-script", 1.0),
            engine.map(|engine| engine.limits.join(", ")),
            facts.build_seconds.map(|seconds| format!("{seconds:.0} s")),
            facts.binary_bytes.map(|bytes| format!("{:.1} MB", bytes as f64 / 1e6)),
        ];
        html! { tr { td { (name) } @for cell in cells { (value(cell.as_deref(), false)) } } }
    }

    /// The workloads' times as multiples of what they are compared with.
    fn ratios(&self, names: &[String]) -> Markup {
        let Some(base) = self.base() else { return html! {} };
        let columns = self.figures.columns(names, "workload");
        let columns: Vec<&str> = columns.into_iter().filter(|name| *name != base).collect();
        html! {
            table {
                thead { tr { th { (base) " = 1" } @for name in &columns { th { (name) } } } }
                tbody {
                    @for (what, row) in self.figures.benches("workload") {
                        tr {
                            td { (what) }
                            @for name in &columns {
                                @let ratio = row.ratio(name, &base).map(|ratio| format!("{ratio:.2}"));
                                (value(ratio.as_deref(), false))
                            }
                        }
                    }
                }
            }
        }
    }

    fn times(&self, group: &str, columns: &[&str]) -> Markup {
        html! {
            table {
                thead { tr { th {} @for name in columns { th { (name) } } } }
                tbody {
                    @for (what, row) in self.figures.benches(group) {
                        @let best = row.best();
                        tr {
                            td { (what) }
                            @for name in columns {
                                @let time = row.time(name);
                                (value(time.map(chart::time).as_deref(), time == Some(best)))
                            }
                        }
                    }
                }
            }
        }
    }

    fn fidelity(&self) -> Markup {
        let known: Vec<_> = self
            .backends
            .iter()
            .filter_map(|facts| Some((&facts.backend, facts.conformance.as_ref()?)))
            .collect();
        let Some((_, first)) = known.first() else {
            return html! { p { "The suite was not run." } };
        };
        html! {
            p.note { "Cases whose every byte is the same, of those in the area." }
            table {
                thead { tr { th { "area" } th { "cases" } @for (name, _) in &known { th { (name) } } } }
                tbody {
                    @for (area, tally) in &first.areas {
                        tr {
                            td { (area) }
                            td { (tally.cases()) }
                            @for (_, suite) in &known {
                                @let found = suite.areas.get(area);
                                @let whole = found.is_some_and(|found| found.identical == found.cases());
                                (value(found.map(|found| found.identical.to_string()).as_deref(), whole))
                            }
                        }
                    }
                }
            }
        }
    }
}

fn value(text: Option<&str>, best: bool) -> Markup {
    html! {
        @match text {
            Some(text) if best => td.best { (text) },
            Some(text) => td { (text) },
            None => td.none { "–" },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_a_dash_and_a_failure_is_told() -> Result<(), Failure> {
        let backends =
            ["one", "two"].map(|name| Facts { backend: name.into(), ..Facts::default() });
        let mut backends = Vec::from(backends);
        backends[1].failure = Some("does not build <here>".into());
        let mut figures = Figures::default();
        figures.add("workload/get/one", 2e6, &["one".to_owned()]);
        figures.add("workload/get/redis-server", 5e6, &[]);
        let html = Report { backends, figures, notes: vec!["two cores".into()] }.html()?;
        for part in ["0.40", "does not build &lt;here&gt;", "2.00 ms", "–", "two cores", "<svg"] {
            assert!(html.contains(part), "{part} is missing");
        }
        Ok(())
    }
}
