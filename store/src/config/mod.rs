//! The server's configuration: what `CONFIG GET` shows and `CONFIG SET` accepts.
//!
//! Owns the values, their validation (`config.c`) and the figures that other parts read often.
//! It must not know what those parts do with them.

mod kinds;
mod table;

use std::borrow::Cow;
use std::sync::LazyLock;
use std::time::Duration;

use crate::events::Class;
use crate::keyspace::Tuning;
use crate::value::{NodeLimit, Threshold};
use hashbrown::HashMap;
use redlua_conversions::glob;

pub(crate) use kinds::Kind;
use table::PARAMETERS;

/// One parameter.
pub(crate) struct Parameter {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its older name; empty when it has none.
    pub(crate) alias: &'static str,
    default: &'static str,
    kind: Kind,
}

impl Parameter {
    const fn new(
        name: &'static str,
        alias: &'static str,
        default: &'static str,
        kind: Kind,
    ) -> Self {
        Parameter { name, alias, default, kind }
    }
}

/// Why `CONFIG SET` failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SetError {
    /// No parameter has this name.
    Unknown(Vec<u8>),
    /// A value is refused: the parameter as the caller named it, and why.
    Refused(Vec<u8>, String),
}

/// All parameters' values.
#[derive(Clone)]
pub(crate) struct Config {
    values: Vec<Cow<'static, [u8]>>,
    /// How often any value has been set.
    pub(crate) changes: u64,
    /// When collections change their layout.
    pub(crate) tuning: Tuning,
    /// `maxmemory`, 0 for no limit.
    pub(crate) maxmemory: usize,
    /// `proto-max-bulk-len`
    pub(crate) max_bulk: usize,
    /// `busy-reply-threshold`
    pub(crate) busy_threshold: Duration,
    /// `notify-keyspace-events`
    pub(crate) events: Class,
    /// `slowlog-log-slower-than`; `None` when nothing is logged.
    pub(crate) slow: Option<Duration>,
    /// `latency-monitor-threshold` in milliseconds, 0 for none.
    pub(crate) latency: u64,
    /// Whether every command is to be measured, those of scripts too: somebody looks for shorter
    /// ones than by default.
    pub(crate) measures: bool,
    /// `tracking-table-max-keys`, 0 for no limit.
    pub(crate) tracked: usize,
    /// `cluster-enabled`
    pub(crate) cluster: bool,
}

impl Default for Config {
    fn default() -> Self {
        let mut config = Config {
            values: PARAMETERS.iter().map(|p| Cow::Borrowed(p.default.as_bytes())).collect(),
            changes: 0,
            tuning: Tuning::default(),
            maxmemory: 0,
            max_bulk: 0,
            busy_threshold: Duration::ZERO,
            events: Class::empty(),
            slow: None,
            latency: 0,
            measures: false,
            tracked: 0,
            cluster: false,
        };
        config.refresh();
        config
    }
}

/// The parameter that says which events are published.
const EVENTS: &str = "notify-keyspace-events";

impl Config {
    /// The value of a parameter, by its current name.
    pub(crate) fn value(&self, name: &str) -> &[u8] {
        let at = PLACES.get(name).copied();
        at.and_then(|at| self.values.get(at)).map_or(&[], |value| value)
    }

    /// The value of a parameter that is a number.
    pub(crate) fn number(&self, name: &str) -> i64 {
        redlua_conversions::number::parse_i64(self.value(name)).unwrap_or(0)
    }

    /// What the server says it is: one by itself, or in a cluster.
    pub(crate) fn mode(&self) -> &'static str {
        if self.cluster { "cluster" } else { "standalone" }
    }

    /// The parameters that match one of the patterns, each once, with their values
    /// (`configGetCommand`). An older name is a parameter of its own here.
    pub(crate) fn matching(&self, patterns: &[&[u8]]) -> Vec<(&'static str, &[u8])> {
        let wanted = |name: &str| {
            !name.is_empty()
                && patterns.iter().any(|pattern| glob::matches_any_case(pattern, name.as_bytes()))
        };
        let mut found = Vec::new();
        for (parameter, value) in PARAMETERS.iter().zip(&self.values) {
            for name in [parameter.name, parameter.alias] {
                if wanted(name) {
                    found.push((name, value.as_ref()));
                }
            }
        }
        found
    }

    /// Sets parameters, all or none (`configSetCommand`).
    pub(crate) fn set(&mut self, pairs: &[[&[u8]; 2]]) -> Result<(), SetError> {
        let mut changes: Vec<(usize, Vec<u8>)> = Vec::with_capacity(pairs.len());
        // All names are looked at before any value.
        for [name, _] in pairs {
            let at = position(name).ok_or_else(|| SetError::Unknown(name.to_vec()))?;
            let refused = |reason: &str| Err(SetError::Refused(name.to_vec(), reason.to_owned()));
            match PARAMETERS.get(at).map(|parameter| &parameter.kind) {
                Some(Kind::Immutable) => return refused("can't set immutable config"),
                Some(Kind::Protected) => return refused("can't set protected config"),
                _ => {}
            }
            // The two names of one parameter may stand side by side.
            let earlier = pairs.iter().take(changes.len());
            if earlier.into_iter().any(|[other, _]| other.eq_ignore_ascii_case(name)) {
                return refused("duplicate parameter");
            }
            changes.push((at, Vec::new()));
        }
        for ([name, value], (at, change)) in pairs.iter().zip(&mut changes) {
            if let (Some(parameter), Some(old)) = (PARAMETERS.get(*at), self.values.get(*at)) {
                *change = parameter
                    .kind
                    .accept(value, old)
                    .map_err(|reason| SetError::Refused(name.to_vec(), reason))?;
            }
        }
        // The canonical text does not tell all classes.
        let events = pairs.iter().rfind(|[name, _]| name.eq_ignore_ascii_case(EVENTS.as_bytes()));
        if let Some(classes) = events.and_then(|[_, letters]| Class::parse(letters)) {
            self.events = classes;
        }
        for (at, change) in changes {
            if let Some(value) = self.values.get_mut(at) {
                *value = change.into();
            }
        }
        self.refresh();
        Ok(())
    }

    /// Sets a parameter before anybody is connected: also one that `CONFIG SET` may not set.
    pub(crate) fn set_at_start(&mut self, name: &[u8], value: &[u8]) -> Result<(), SetError> {
        let at = position(name).ok_or_else(|| SetError::Unknown(name.to_vec()))?;
        let Some((parameter, old)) = PARAMETERS.get(at).zip(self.values.get_mut(at)) else {
            return Err(SetError::Unknown(name.to_vec()));
        };
        *old = parameter
            .kind
            .accept_at_start(value, old)
            .map_err(|reason| SetError::Refused(name.to_vec(), reason))?
            .into();
        self.refresh();
        Ok(())
    }

    /// Sets a parameter that only the start of a server decides.
    pub(crate) fn settle(&mut self, name: &str, value: &str) {
        let place = position(name.as_bytes()).and_then(|at| self.values.get_mut(at));
        if let Some(place) = place {
            *place = value.as_bytes().to_vec().into();
        }
        self.refresh();
    }

    /// Reads the figures that are kept at hand.
    fn refresh(&mut self) {
        self.changes += 1;
        let size = |name: &str| usize::try_from(self.number(name)).unwrap_or(0);
        let tuning = Tuning {
            hash: Threshold {
                entries: size("hash-max-listpack-entries"),
                value: size("hash-max-listpack-value"),
            },
            zset: Threshold {
                entries: size("zset-max-listpack-entries"),
                value: size("zset-max-listpack-value"),
            },
            set_ints: size("set-max-intset-entries"),
            stream: NodeLimit {
                bytes: size("stream-node-max-bytes"),
                entries: size("stream-node-max-entries"),
            },
            hll_sparse: size("hll-sparse-max-bytes"),
        };
        let (maxmemory, max_bulk) = (size("maxmemory"), size("proto-max-bulk-len"));
        let busy_threshold = Duration::from_millis(size("busy-reply-threshold") as u64);
        self.tuning = tuning;
        self.maxmemory = maxmemory;
        self.max_bulk = max_bulk;
        self.busy_threshold = busy_threshold;
        let slow = u64::try_from(self.number("slowlog-log-slower-than"));
        self.slow = slow.ok().map(Duration::from_micros);
        self.latency = self.number("latency-monitor-threshold").unsigned_abs();
        let default = Duration::from_millis(10);
        self.measures = self.latency > 0 || self.slow.is_some_and(|slow| slow < default);
        self.tracked = usize::try_from(self.number("tracking-table-max-keys")).unwrap_or(0);
        self.cluster = self.value("cluster-enabled") == b"yes";
        // The timer's frequency is clipped, not refused (`updateHZ`).
        let asked = self.number("hz");
        let clipped = asked.clamp(1, 500);
        let place = PLACES.get("hz").and_then(|at| self.values.get_mut(*at));
        if let Some(value) = place.filter(|_| clipped != asked) {
            *value = clipped.to_string().into_bytes().into();
        }
    }
}

/// Where each parameter is, by its current name.
static PLACES: LazyLock<HashMap<&'static str, usize>> =
    LazyLock::new(|| PARAMETERS.iter().zip(0..).map(|(known, at)| (known.name, at)).collect());

fn position(name: &[u8]) -> Option<usize> {
    PARAMETERS.iter().position(|parameter| {
        [parameter.name, parameter.alias]
            .iter()
            .any(|known| !known.is_empty() && name.eq_ignore_ascii_case(known.as_bytes()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(config: &mut Config, name: &str, value: &str) -> Result<(), SetError> {
        config.set(&[[name.as_bytes(), value.as_bytes()]])
    }

    #[test]
    fn sets_all_or_none() {
        let mut config = Config::default();
        let pairs: [[&[u8]; 2]; 2] = [[b"maxmemory", b"1mb"], [b"appendonly", b"maybe"]];
        assert!(config.set(&pairs).is_err());
        assert_eq!(config.value("maxmemory"), b"0");
        assert_eq!(set(&mut config, "MaxMemory", "1mb"), Ok(()));
        assert_eq!(config.maxmemory, 1 << 20);
        assert_eq!(set(&mut config, "hash-max-ziplist-entries", "2"), Ok(()));
        assert_eq!(config.tuning.hash.entries, 2);
    }

    #[test]
    fn explains_refusals() {
        let mut config = Config::default();
        let refused = |name: &str, why: &str| {
            Err(SetError::Refused(name.as_bytes().to_vec(), why.to_owned()))
        };
        assert_eq!(
            set(&mut config, "databases", "3"),
            refused("databases", "can't set immutable config")
        );
        assert_eq!(
            set(&mut config, "maxmemory-samples", "0"),
            refused("maxmemory-samples", "argument must be between 1 and 2147483647 inclusive")
        );
        assert_eq!(set(&mut config, "nope", "1"), Err(SetError::Unknown(b"nope".to_vec())));
    }
}
