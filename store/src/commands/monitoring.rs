//! What the server tells of itself: `INFO`, `MEMORY`, `LATENCY`, `SLOWLOG`.
//!
//! Owns the figures' presentation. The store measures no latencies and keeps no slow log, so
//! those are empty.

use redlua_core::Seq;

use crate::arg;
use crate::commands::connection::VERSION;
use crate::context::Cx;
use crate::error::{CommandError, CommandResult, SYNTAX};
use crate::keyspace::DATABASES;

/// What an empty server's memory comes to, about; `maxmemory` is compared with it.
pub(crate) const BASE_MEMORY: usize = 900_000;

const SECTIONS: [&str; 9] = [
    "server",
    "clients",
    "memory",
    "persistence",
    "stats",
    "replication",
    "cpu",
    "cluster",
    "keyspace",
];

pub(crate) fn info(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let all = argv.len() == 1
        || argv[1..]
            .iter()
            .any(|word| ["all", "default", "everything"].iter().any(|name| arg::is(word, name)));
    let mut text = String::new();
    for section in SECTIONS {
        if all || argv[1..].iter().any(|word| arg::is(word, section)) {
            if !text.is_empty() {
                text.push_str("\r\n");
            }
            let lines = section_lines(cx, section);
            text.push_str(&lines);
        }
    }
    cx.sink.verbatim(*b"txt", text.as_bytes());
    Ok(())
}

fn section_lines(cx: &Cx<'_>, section: &str) -> String {
    let mut lines: Vec<(String, String)> = Vec::new();
    let mut line = |name: &str, value: &dyn std::fmt::Display| {
        lines.push((name.to_owned(), value.to_string()));
    };
    let memory = BASE_MEMORY + cx.keys.memory();
    let (now, config) = (cx.keys.now(), &cx.server.config);
    let up = (now - cx.server.started) / 1000;
    let title = match section {
        "server" => {
            line("redis_version", &VERSION);
            line("redis_git_sha1", &"00000000");
            line("redis_git_dirty", &0);
            line("redis_build_id", &"0");
            line("redis_mode", &"standalone");
            line("os", &std::env::consts::OS);
            line("arch_bits", &usize::BITS);
            line("process_id", &std::process::id());
            line("run_id", &cx.server.run_id);
            line("tcp_port", &config.number("port"));
            line("server_time_usec", &(now * 1000));
            line("uptime_in_seconds", &up);
            line("uptime_in_days", &(up / 86400));
            line("hz", &config.number("hz"));
            line("configured_hz", &config.number("hz"));
            line("lru_clock", &((now / 1000) & 0xff_ffff));
            line("config_file", &"");
            "Server"
        }
        "clients" => {
            line("connected_clients", &cx.server.clients.len());
            line("maxclients", &config.number("maxclients"));
            line("blocked_clients", &0);
            "Clients"
        }
        "memory" => {
            line("used_memory", &memory);
            line("used_memory_peak", &memory);
            line("used_memory_dataset", &(memory - BASE_MEMORY));
            line("maxmemory", &config.maxmemory);
            line("maxmemory_policy", &String::from_utf8_lossy(config.value("maxmemory-policy")));
            "Memory"
        }
        "persistence" => {
            line("loading", &0);
            line("rdb_changes_since_last_save", &cx.keys.dirty());
            line("rdb_bgsave_in_progress", &0);
            line("rdb_last_save_time", &cx.server.last_save);
            line("rdb_last_bgsave_status", &"ok");
            line("aof_enabled", &0);
            "Persistence"
        }
        "stats" => {
            line("total_connections_received", &cx.server.clients.len());
            line("total_commands_processed", &cx.server.calls);
            line("expired_keys", &cx.keys.expired);
            line("evicted_keys", &cx.server.evicted);
            line("keyspace_hits", &cx.keys.hits);
            line("keyspace_misses", &cx.keys.misses);
            line("pubsub_patterns", &cx.server.pubsub.patterns());
            "Stats"
        }
        "replication" => {
            line("role", &"master");
            line("connected_slaves", &0);
            line("master_failover_state", &"no-failover");
            line("master_replid", &cx.server.run_id);
            line("master_repl_offset", &0);
            "Replication"
        }
        "cpu" => {
            line("used_cpu_sys", &"0.000000");
            line("used_cpu_user", &"0.000000");
            "CPU"
        }
        "cluster" => {
            line("cluster_enabled", &0);
            "Cluster"
        }
        _ => {
            for database in 0..DATABASES {
                let (keys, expires) = (cx.keys.size(database), cx.keys.volatile(database));
                if keys > 0 {
                    line(
                        &format!("db{database}"),
                        &format!("keys={keys},expires={expires},avg_ttl=0"),
                    );
                }
            }
            "Keyspace"
        }
    };
    let mut text = format!("# {title}\r\n");
    for (name, value) in lines {
        text.push_str(&format!("{name}:{value}\r\n"));
    }
    text
}

pub(crate) fn memory_usage(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
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

pub(crate) fn memory_doctor(cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    cx.sink.verbatim(
        *b"txt",
        b"Hi Sam, this instance is empty or is using very little memory, my issues detector \
          can't be used in these conditions. Please, leave for your mission on Earth and fill \
          it with some data. The new Sam and I will be back to our programming as soon as I \
          finished rebooting.\n",
    );
    Ok(())
}

pub(crate) fn memory_stats(cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    let used = BASE_MEMORY + cx.keys.memory();
    let keys: usize = (0..DATABASES).map(|database| cx.keys.size(database)).sum();
    let figures = [
        ("peak.allocated", used),
        ("total.allocated", used),
        ("startup.allocated", BASE_MEMORY),
        ("keys.count", keys),
        ("dataset.bytes", used - BASE_MEMORY),
    ];
    cx.sink.map(figures.len());
    for (name, value) in figures {
        cx.sink.bulk(name.as_bytes());
        cx.sink.integer(value as i64);
    }
    Ok(())
}

/// What a server says that was built without its own allocator.
pub(crate) fn memory_malloc_stats(cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    cx.sink.bulk(b"Stats not supported for the current allocator");
    Ok(())
}

pub(crate) fn memory_purge(cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    cx.ok()
}

pub(crate) fn latency_none(cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    cx.sink.seq(Seq::Array, 0);
    Ok(())
}

pub(crate) fn latency_histogram(cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    cx.sink.map(0);
    Ok(())
}

pub(crate) fn latency_reset(cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    cx.integer(0)
}

pub(crate) fn latency_graph(_cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let mut text = b"ERR No samples available for event '".to_vec();
    text.extend_from_slice(argv[2]);
    text.push(b'\'');
    Err(CommandError::new(text))
}

pub(crate) fn latency_doctor(cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    cx.sink.verbatim(
        *b"txt",
        b"I'm sorry, Dave, I can't do that. Latency monitoring is disabled in this Redis \
          instance. You may use \"CONFIG SET latency-monitor-threshold <milliseconds>.\" in \
          order to enable it. If we weren't in a deep space mission I'd suggest to take a look \
          at https://redis.io/topics/latency-monitor.\n",
    );
    Ok(())
}

pub(crate) fn slowlog_get(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    const RANGE: CommandError =
        CommandError::fixed("ERR count should be greater than or equal to -1");
    match argv[2..] {
        [] => {}
        [count] => {
            arg::ranged(count, -1, i64::MAX, RANGE)?;
        }
        _ => return Err(super::wrong_subcommand(cx, argv)),
    }
    cx.sink.seq(Seq::Array, 0);
    Ok(())
}

pub(crate) fn slowlog_len(cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    cx.integer(0)
}

pub(crate) fn slowlog_reset(cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    cx.ok()
}
