//! `MEMORY` (`object.c memoryCommand`).
//!
//! Owns the subcommands. What things take is an estimate, made where they are.

use crate::arg;
use crate::context::Cx;
use crate::error::{CommandResult, SYNTAX};
use crate::keyspace::Keyspace;

/// What an empty server's memory comes to, about; `maxmemory` is compared with it.
pub(crate) const BASE_MEMORY: usize = 900_000;

/// What all takes.
pub(crate) fn used(keys: &Keyspace) -> usize {
    BASE_MEMORY + keys.memory()
}

/// A number of bytes for people (`bytesToHuman` in `util.c`).
pub(crate) fn human(bytes: usize) -> String {
    const UNITS: [(u32, char); 5] = [(50, 'P'), (40, 'T'), (30, 'G'), (20, 'M'), (10, 'K')];
    match UNITS.iter().find(|(bits, _)| bytes >= 1 << bits) {
        Some((bits, unit)) => format!("{:.2}{unit}", bytes as f64 / (1u64 << bits) as f64),
        None => format!("{bytes}B"),
    }
}

pub(crate) fn usage(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    match argv[3..] {
        [] => {}
        [word, count] if arg::is(word, "samples") => {
            if arg::integer(count)? < 0 {
                return Err(SYNTAX);
            }
        }
        _ => return Err(SYNTAX),
    }
    let key = argv[2];
    match cx.keys.peek(key) {
        None => cx.null(),
        Some(entry) => {
            let bytes = entry.value.memory() + key.len() + 48;
            cx.integer(bytes)
        }
    }
}

pub(crate) fn doctor(cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    /// Below this there is nothing to find out.
    const LITTLE: usize = 5 << 20;
    let report: &[u8] = if used(cx.keys) < LITTLE {
        b"Hi Sam, this instance is empty or is using very little memory, my issues detector \
          can't be used in these conditions. Please, leave for your mission on Earth and fill \
          it with some data. The new Sam and I will be back to our programming as soon as I \
          finished rebooting.\n"
    } else {
        b"Hi Sam, I can't find any memory issue in your instance. I can only account for what \
          occurs on this base.\n"
    };
    cx.sink.verbatim(*b"txt", report);
    Ok(())
}

pub(crate) fn stats(cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    let used = used(cx.keys);
    let peak = used.max(cx.server.stats.peak_memory);
    let dataset = used - BASE_MEMORY;
    let scripts = cx.server.scripts;
    let databases: Vec<usize> =
        (0..cx.keys.databases()).filter(|database| cx.keys.size(*database) > 0).collect();
    let keys: usize = databases.iter().map(|database| cx.keys.size(*database)).sum();
    let before = [
        ("peak.allocated", peak),
        ("total.allocated", used),
        ("startup.allocated", BASE_MEMORY),
        ("replication.backlog", 0),
        ("clients.slaves", 0),
        ("clients.normal", 0),
        ("cluster.links", 0),
        ("aof.buffer", 0),
        ("lua.caches", scripts.scripts * 100),
        ("functions.caches", scripts.functions * 100),
    ];
    let after = [
        ("overhead.total", BASE_MEMORY),
        ("keys.count", keys),
        ("keys.bytes-per-key", dataset.checked_div(keys).unwrap_or(0)),
        ("dataset.bytes", dataset),
    ];
    let share = |part: usize, whole: usize| 100.0 * part as f64 / whole.max(1) as f64;
    let ratios =
        [("dataset.percentage", share(dataset, dataset)), ("peak.percentage", share(used, peak))];
    let allocator = ["allocator.allocated", "allocator.active", "allocator.resident"];
    let overheads = [
        ("allocator-fragmentation.ratio", "allocator-fragmentation.bytes"),
        ("allocator-rss.ratio", "allocator-rss.bytes"),
        ("rss-overhead.ratio", "rss-overhead.bytes"),
        ("fragmentation", "fragmentation.bytes"),
    ];
    let fields = before.len() + databases.len() + after.len() + ratios.len();
    cx.sink.map(fields + allocator.len() + 2 * overheads.len());
    let mut number = |name: &str, value: usize| {
        cx.sink.bulk(name.as_bytes());
        cx.sink.integer(i64::try_from(value).unwrap_or(i64::MAX));
    };
    before.iter().for_each(|(name, value)| number(name, *value));
    for database in databases {
        let (keys, volatile) = (cx.keys.size(database), cx.keys.volatile(database));
        cx.sink.bulk(format!("db.{database}").as_bytes());
        cx.sink.map(3);
        for (name, value) in [
            ("overhead.hashtable.main", keys * 56),
            ("overhead.hashtable.expires", volatile * 56),
            ("overhead.hashtable.slot-to-keys", 0),
        ] {
            cx.sink.bulk(name.as_bytes());
            cx.sink.integer(i64::try_from(value).unwrap_or(i64::MAX));
        }
    }
    for (name, value) in after {
        cx.sink.bulk(name.as_bytes());
        cx.sink.integer(i64::try_from(value).unwrap_or(i64::MAX));
    }
    for (name, value) in ratios {
        cx.sink.bulk(name.as_bytes());
        cx.sink.double(value);
    }
    for name in allocator {
        cx.sink.bulk(name.as_bytes());
        cx.sink.integer(i64::try_from(used).unwrap_or(i64::MAX));
    }
    for (ratio, bytes) in overheads {
        cx.sink.bulk(ratio.as_bytes());
        cx.sink.double(1.0);
        cx.sink.bulk(bytes.as_bytes());
        cx.sink.integer(0);
    }
    Ok(())
}

/// What a server says that was built without its own allocator.
pub(crate) fn malloc_stats(cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    cx.sink.bulk(b"Stats not supported for the current allocator");
    Ok(())
}

pub(crate) fn purge(cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    cx.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_for_people() {
        assert_eq!([human(0), human(1023), human(1024)], ["0B", "1023B", "1.00K"]);
        assert_eq!(human(3 << 30), "3.00G");
    }
}
