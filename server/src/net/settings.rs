//! The parameters that sockets obey, at hand without the core.
//!
//! Owns [`Settings`], a copy of what the store's configuration says of connections. Must not
//! know who obeys.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use redlua_conversions::number::parse_i64;
use redlua_store::Store;

use super::buffer::Limit;

/// See the parameters of the same names in redis.conf.
#[derive(Debug, Default)]
pub(super) struct Settings {
    /// The store's count of changes at the last look.
    seen: AtomicU64,
    max_clients: AtomicU64,
    timeout: AtomicU64,
    query_buffer: AtomicU64,
    longest_bulk: AtomicU64,
    /// `client-output-buffer-limit` of the classes `normal` and `pubsub`.
    output: [[AtomicU64; 3]; 2],
}

impl Settings {
    /// Looks at the configuration, when it has changed.
    #[inline]
    pub(super) fn refresh(&self, store: &Store) {
        if self.is_stale(store) {
            self.seen.store(store.parameter_changes(), Ordering::Relaxed);
            self.read(store);
        }
    }

    /// Whether the configuration has changed.
    #[inline]
    pub(super) fn is_stale(&self, store: &Store) -> bool {
        self.seen.load(Ordering::Relaxed) != store.parameter_changes()
    }

    /// `maxclients`
    pub(super) fn max_clients(&self) -> u64 {
        self.max_clients.load(Ordering::Relaxed)
    }

    /// `timeout`: after which an idle client is cut off.
    pub(super) fn timeout(&self) -> Option<Duration> {
        let seconds = self.timeout.load(Ordering::Relaxed);
        (seconds > 0).then(|| Duration::from_secs(seconds))
    }

    /// `client-query-buffer-limit`
    pub(super) fn query_buffer(&self) -> usize {
        size(&self.query_buffer)
    }

    /// `proto-max-bulk-len`
    pub(super) fn longest_bulk(&self) -> usize {
        size(&self.longest_bulk)
    }

    /// `client-output-buffer-limit` of a client's class.
    pub(super) fn output(&self, subscribed: bool) -> Limit {
        let [hard, soft, seconds] = &self.output[usize::from(subscribed)];
        Limit {
            hard: size(hard),
            soft: size(soft),
            patience: Duration::from_secs(seconds.load(Ordering::Relaxed)),
        }
    }

    fn read(&self, store: &Store) {
        for (place, name) in [
            (&self.max_clients, "maxclients"),
            (&self.timeout, "timeout"),
            (&self.query_buffer, "client-query-buffer-limit"),
            (&self.longest_bulk, "proto-max-bulk-len"),
        ] {
            place.store(number(store.parameter(name)), Ordering::Relaxed);
        }
        let limits = store.parameter("client-output-buffer-limit");
        let words: Vec<&[u8]> = limits.split(|byte| *byte == b' ').collect();
        for class in words.chunks(4) {
            let [name, figures @ ..] = class else { continue };
            let Some(places) = self.output.get(usize::from(*name == b"pubsub")) else { continue };
            if matches!(*name, b"normal" | b"pubsub") {
                for (place, figure) in places.iter().zip(figures) {
                    place.store(number(figure), Ordering::Relaxed);
                }
            }
        }
    }
}

fn number(text: &[u8]) -> u64 {
    parse_i64(text).and_then(|number| u64::try_from(number).ok()).unwrap_or(0)
}

fn size(place: &AtomicU64) -> usize {
    usize::try_from(place.load(Ordering::Relaxed)).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_configuration() {
        let mut store = Store::new();
        let settings = Settings::default();
        settings.refresh(&store);
        assert_eq!(settings.max_clients(), 10_000);
        assert_eq!(settings.timeout(), None);
        assert_eq!(settings.output(true).hard, 32 << 20);
        assert_eq!(settings.output(true).patience, Duration::from_secs(60));
        assert_eq!(settings.output(false).hard, 0);
        store.configure("timeout", "3").unwrap();
        store.configure("client-output-buffer-limit", "normal 1kb 0 0").unwrap();
        settings.refresh(&store);
        assert_eq!(settings.timeout(), Some(Duration::from_secs(3)));
        assert_eq!(settings.output(false).hard, 1024);
    }
}
