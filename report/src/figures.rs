//! What was measured: criterion's estimates, by bench and backend.
//!
//! Owns reading criterion's folder and the way a bench's name is taken apart. Must not know how
//! a figure is shown.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// The name under which the real server's figures stand; `redis-server@<backend>[+<backend>…]`
/// is one that was measured beside a build, in the same minutes.
pub(crate) const SERVER: &str = "redis-server";

/// What else is measured beside the backends.
const PEERS: [&str; 4] = [SERVER, "fakeredis", "ioredis-mock", "lua5.1"];

/// Medians in nanoseconds.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Figures {
    /// By group and bench.
    groups: BTreeMap<String, BTreeMap<String, Row>>,
}

/// What one bench took, in nanoseconds.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Row {
    /// By backend or peer. The real server's is the median of those beside the builds.
    times: BTreeMap<String, f64>,
    /// The real server's, by the backend beside which it was measured.
    beside: BTreeMap<String, f64>,
}

/// By backend, how many there are and the time for all of them.
pub(crate) type Curves<'a> = BTreeMap<&'a str, Vec<(f64, f64)>>;

#[derive(Deserialize)]
struct Benchmark {
    full_id: String,
}

#[derive(Deserialize)]
struct Estimates {
    median: Estimate,
}

#[derive(Deserialize)]
struct Estimate {
    point_estimate: f64,
}

impl Figures {
    /// Reads what criterion keeps in a folder, of these backends and the real server.
    ///
    /// # Errors
    /// The folder cannot be read. A bench that was broken off is left out.
    pub(crate) fn read(folder: &Path, backends: &[String]) -> std::io::Result<Self> {
        let mut figures = Figures::default();
        for bench in fs::read_dir(folder)? {
            let bench = bench?.path().join("new");
            let parts = (json::<Benchmark>(&bench, "benchmark"), json(&bench, "estimates"));
            let (Some(Benchmark { full_id }), Some(Estimates { median })) = parts else { continue };
            figures.add(&full_id, median.point_estimate, backends);
        }
        Ok(figures)
    }

    /// Adds a figure: `<group>/<what>/<backend>`. A bench that ends with no backend's name is
    /// not about backends and left out.
    pub(crate) fn add(&mut self, id: &str, nanoseconds: f64, backends: &[String]) {
        let Some((name, backend)) = id.rsplit_once('/') else { return };
        let Some((group, what)) = name.split_once('/') else { return };
        let beside = backend.strip_prefix(SERVER).and_then(|rest| rest.strip_prefix('@'));
        let known = PEERS.contains(&backend) || backends.iter().any(|known| known == backend);
        if !known && beside.is_none() {
            return;
        }
        let group = self.groups.entry(group.into()).or_default();
        let row = group.entry(what.into()).or_default();
        match beside {
            Some(build) => row.serve(build, nanoseconds),
            None => _ = row.times.insert(backend.into(), nanoseconds),
        }
    }

    /// The groups by name.
    pub(crate) fn groups(&self) -> impl Iterator<Item = &str> {
        self.groups.keys().map(String::as_str)
    }

    /// The benches of a group and their figures by backend.
    pub(crate) fn benches<'a>(&'a self, group: &str) -> impl Iterator<Item = (&'a str, &'a Row)> {
        self.groups.get(group).into_iter().flatten().map(|(name, row)| (name.as_str(), row))
    }

    /// One figure.
    pub(crate) fn of(&self, group: &str, what: &str, backend: &str) -> Option<f64> {
        self.groups.get(group)?.get(what)?.time(backend)
    }

    /// Whether anything was measured of a backend.
    pub(crate) fn knows(&self, backend: &str) -> bool {
        self.groups.values().flatten().any(|(_, row)| row.times.contains_key(backend))
    }

    /// A backend's time by that of another in a group: the geometric mean over the benches that
    /// both ran.
    pub(crate) fn ratio(&self, group: &str, backend: &str, base: &str) -> Option<f64> {
        let logarithms: Vec<f64> = self
            .benches(group)
            .filter_map(|(_, row)| Some(row.ratio(backend, base)?.ln()))
            .collect();
        let mean = logarithms.iter().sum::<f64>() / logarithms.len() as f64;
        (!logarithms.is_empty()).then(|| mean.exp())
    }

    /// The growth curves of each thing that grows.
    pub(crate) fn growth(&self) -> BTreeMap<&str, Curves<'_>> {
        let mut curves: BTreeMap<&str, Curves<'_>> = BTreeMap::new();
        for (name, row) in self.benches("growth") {
            let Some((what, count)) = name.split_once('/') else { continue };
            let Ok(count) = count.parse::<f64>() else { continue };
            for (backend, nanoseconds) in &row.times {
                let curve = curves.entry(what).or_default().entry(backend).or_default();
                curve.push((count, *nanoseconds));
            }
        }
        for curve in curves.values_mut().flat_map(BTreeMap::values_mut) {
            curve.sort_by(|one, other| one.0.total_cmp(&other.0));
        }
        curves
    }

    /// The backends with figures, in this order, then what else was measured, in a
    /// group.
    pub(crate) fn columns<'a>(&self, backends: &'a [String], group: &str) -> Vec<&'a str> {
        let known: BTreeSet<&str> = self
            .groups
            .iter()
            .filter(|(name, _)| *name == group)
            .flat_map(|(_, benches)| benches.values())
            .flat_map(|row| row.times.keys())
            .map(String::as_str)
            .collect();
        let all = backends.iter().map(String::as_str).chain(PEERS);
        all.filter(|backend| known.contains(backend)).collect()
    }
}

impl Row {
    /// The time of a backend or peer.
    pub(crate) fn time(&self, name: &str) -> Option<f64> {
        self.times.get(name).copied()
    }

    /// A backend's time by another's; by the real server's of the same minutes where there is
    /// one.
    pub(crate) fn ratio(&self, backend: &str, base: &str) -> Option<f64> {
        let beside = if base == SERVER { self.beside.get(backend).copied() } else { None };
        Some(self.time(backend)? / beside.or_else(|| self.time(base))?)
    }

    /// The shortest time.
    pub(crate) fn best(&self) -> f64 {
        self.times.values().copied().fold(f64::MAX, f64::min)
    }

    /// Adds what the real server took beside a build of these backends.
    fn serve(&mut self, build: &str, nanoseconds: f64) {
        self.beside.extend(build.split('+').map(|backend| (backend.to_owned(), nanoseconds)));
        let mut all: Vec<f64> = self.beside.values().copied().collect();
        all.sort_by(f64::total_cmp);
        let median = (all[(all.len() - 1) / 2] + all[all.len() / 2]) / 2.0;
        self.times.insert(SERVER.into(), median);
    }
}

fn json<T: DeserializeOwned>(folder: &Path, name: &str) -> Option<T> {
    serde_json::from_slice(&fs::read(folder.join(format!("{name}.json"))).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures() -> (Figures, Vec<String>) {
        let backends = vec!["one".to_owned(), "two".to_owned()];
        let mut figures = Figures::default();
        for (id, time) in [
            ("call/get/one", 100.0),
            ("call/get/two", 200.0),
            ("call/set/one", 100.0),
            ("call/set/two", 800.0),
            ("call/set/redis-server", 400.0),
            ("call/only/one", 1.0),
            ("engine/client", 5.0),
            ("growth/calls/1000/one", 30.0),
            ("growth/calls/10/one", 3.0),
        ] {
            figures.add(id, time, &backends);
        }
        (figures, backends)
    }

    #[test]
    fn names_are_taken_apart() {
        let (figures, backends) = figures();
        assert_eq!(figures.groups().collect::<Vec<_>>(), ["call", "growth"]);
        assert_eq!(figures.of("call", "set", "two"), Some(800.0));
        assert_eq!(figures.columns(&backends, "call"), ["one", "two", SERVER]);
        assert_eq!(figures.columns(&backends, "growth"), ["one"]);
        assert!(figures.knows(SERVER) && !figures.knows("three"));
    }

    #[test]
    fn ratios_are_geometric_means_of_what_both_ran() {
        let (figures, _) = figures();
        let ratio = figures.ratio("call", "two", "one").unwrap_or_default();
        assert!((ratio - 4.0).abs() < 1e-9, "{ratio}");
        assert_eq!(figures.ratio("growth", "two", "one"), None);
    }

    #[test]
    fn each_backend_stands_beside_the_server_of_its_minutes() {
        let backends = ["one", "two", "three"].map(str::to_owned);
        let mut figures = Figures::default();
        for (id, time) in [
            ("workload/get/one", 100.0),
            ("workload/get/two", 100.0),
            ("workload/get/three", 100.0),
            ("workload/get/redis-server@one+two", 400.0),
            ("workload/get/redis-server@three", 200.0),
            ("workload/get/redis-servers", 1.0),
        ] {
            figures.add(id, time, &backends);
        }
        let ratio = |backend| figures.ratio("workload", backend, SERVER).unwrap_or_default();
        assert_eq!(
            [ratio("one"), ratio("two"), ratio("three")].map(|r| (r * 1e9).round()),
            [25e7, 25e7, 5e8]
        );
        assert_eq!(figures.of("workload", "get", SERVER), Some(400.0));
        assert_eq!(figures.columns(&backends, "workload"), ["one", "two", "three", SERVER]);
    }

    #[test]
    fn curves_are_in_order() {
        let (figures, _) = figures();
        assert_eq!(figures.growth()["calls"]["one"], [(10.0, 3.0), (1000.0, 30.0)]);
    }
}
