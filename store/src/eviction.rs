//! Making room when `maxmemory` is exceeded (`evict.c`).
//!
//! Owns the choice of the keys that go. It must not know who needs the room; what keys take is
//! an estimate.

use crate::commands::memory::used;
use crate::config::Config;
use crate::events::Class;
use crate::keyspace::Keyspace;
use crate::random::Random;
use crate::value::Bytes;

/// What decides which of a few candidates goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    /// The one used longest ago; access frequency is not counted, so LFU means the same.
    Oldest,
    /// Any.
    Random,
    /// The one that expires first.
    Soonest,
}

/// Whether the keys take more than `maxmemory` allows.
pub(crate) fn is_full(keys: &Keyspace, config: &Config) -> bool {
    config.maxmemory > 0 && used(keys) > config.maxmemory
}

/// Removes keys as `maxmemory-policy` says until the rest fits; returns how many.
pub(crate) fn make_room(keys: &mut Keyspace, config: &Config, random: &mut Random) -> u64 {
    let policy = config.value("maxmemory-policy");
    let only_volatile = policy.starts_with(b"volatile-");
    let order = match policy {
        b"noeviction" => return 0,
        b"volatile-ttl" => Order::Soonest,
        policy if policy.ends_with(b"-random") => Order::Random,
        _ => Order::Oldest,
    };
    let samples = usize::try_from(config.number("maxmemory-samples")).unwrap_or(1).max(1);
    let selected = keys.selected();
    let mut evicted = 0;
    while is_full(keys, config) {
        let Some((database, key)) = victim(keys, random, samples, only_volatile, order) else {
            break;
        };
        keys.select(database);
        keys.remove(&key);
        keys.notify(Class::EVICTED, "evicted", &key);
        evicted += 1;
    }
    keys.select(selected);
    evicted
}

/// One of the keys that may go: the first in order among a sample of each database.
fn victim(
    keys: &mut Keyspace,
    random: &mut Random,
    samples: usize,
    only_volatile: bool,
    order: Order,
) -> Option<(usize, Bytes)> {
    let mut best: Option<(i64, usize, Bytes)> = None;
    for database in 0..keys.databases() {
        let size = keys.size(database);
        if size == 0 || only_volatile && keys.volatile(database) == 0 {
            continue;
        }
        keys.select(database);
        let start = random.below(size);
        let draw = random.bits() as i64;
        // Neighbours from a random place on; keys stand in no meaningful order.
        let candidates = (0..size)
            .filter_map(|step| keys.at((start + step) % size))
            .filter(|(_, entry)| !only_volatile || entry.expires().is_some())
            .take(if order == Order::Random { 1 } else { samples });
        for (key, entry) in candidates {
            let rank = match order {
                Order::Oldest => i64::from(entry.accessed()),
                Order::Random => draw,
                Order::Soonest => entry.expires().unwrap_or(i64::MAX),
            };
            if best.as_ref().is_none_or(|(least, ..)| rank < *least) {
                best = Some((rank, database, key.clone()));
            }
        }
    }
    best.map(|(_, database, key)| (database, key))
}
