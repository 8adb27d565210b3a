//! `INFO` (`server.c genRedisInfoString`).
//!
//! Owns which field stands in which section. Figures about memory are estimates, and those of
//! what the store does not do (saving, replicating, defragmenting) are those of a server that
//! has not done it yet.

use std::fmt::{Display, Write};

use crate::arg;
use crate::commands::connection::VERSION;
use crate::commands::memory::{BASE_MEMORY, human, used};
use crate::context::Cx;
use crate::error::CommandResult;
use crate::table::Table;

/// A section's name, title, and whether it is shown unless asked for.
type Section = (&'static str, &'static str, bool, fn(&Cx<'_>, &mut Fields));

/// All sections in their order.
const SECTIONS: [Section; 13] = [
    ("server", "Server", true, server),
    ("clients", "Clients", true, clients),
    ("memory", "Memory", true, memory),
    ("persistence", "Persistence", true, persistence),
    ("stats", "Stats", true, stats),
    ("replication", "Replication", true, replication),
    ("cpu", "CPU", true, cpu),
    ("modules", "Modules", true, |_, _| {}),
    ("commandstats", "Commandstats", false, command_stats),
    ("errorstats", "Errorstats", true, error_stats),
    ("latencystats", "Latencystats", false, latency_stats),
    ("cluster", "Cluster", true, |cx, fields| {
        fields.add("cluster_enabled", u8::from(cx.server.config.cluster));
    }),
    ("keyspace", "Keyspace", true, keyspace),
];

pub(crate) fn info(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let words = argv.get(1..).unwrap_or_default();
    let asked = |name: &str| words.iter().any(|word| arg::is(word, name));
    let all = asked("all") || asked("everything");
    let default = words.is_empty() || asked("default");
    let mut text = String::new();
    for (name, title, common, fill) in SECTIONS {
        // `all` leaves out what modules add, which is nothing, but not their list.
        if !(all || default && common || asked(name)) {
            continue;
        }
        if !text.is_empty() {
            text.push_str("\r\n");
        }
        text.push_str(&format!("# {title}\r\n"));
        let mut fields = Fields(text);
        fill(cx, &mut fields);
        text = fields.0;
    }
    cx.sink.verbatim(*b"txt", text.as_bytes());
    Ok(())
}

/// The text as it grows.
struct Fields(String);

impl Fields {
    fn add(&mut self, name: impl Display, value: impl Display) {
        // Writing to a string does not fail.
        let _ = write!(self.0, "{name}:{value}\r\n");
    }

    /// Fields that are always the same here.
    fn constant(&mut self, fields: &[(&str, &str)]) {
        for (name, value) in fields {
            self.add(name, value);
        }
    }
}

fn server(cx: &Cx<'_>, fields: &mut Fields) {
    let (now, config) = (cx.server.clock.now(), &cx.server.config);
    let up = (cx.keys.now() - cx.server.started) / 1000;
    fields.constant(&[
        ("redis_version", VERSION),
        ("redis_git_sha1", "00000000"),
        ("redis_git_dirty", "0"),
        ("redis_build_id", "0"),
    ]);
    fields.add("redis_mode", config.mode());
    fields.constant(&[("os", std::env::consts::OS)]);
    fields.add("arch_bits", usize::BITS);
    fields.constant(&[
        ("monotonic_clock", "POSIX clock_gettime"),
        ("multiplexing_api", "epoll"),
        ("atomicvar_api", "c11-builtin"),
        ("gcc_version", "0.0.0"),
    ]);
    fields.add("process_id", std::process::id());
    fields.add("process_supervised", "no");
    fields.add("run_id", &cx.server.run_id);
    fields.add("tcp_port", config.number("port"));
    fields.add("server_time_usec", now.as_micros());
    fields.add("uptime_in_seconds", up);
    fields.add("uptime_in_days", up / 86400);
    fields.add("hz", config.number("hz"));
    fields.add("configured_hz", config.number("hz"));
    fields.add("lru_clock", now.as_secs() & 0xff_ffff);
    fields.add("executable", "");
    fields.add("config_file", "");
    fields.add("io_threads_active", 0);
}

fn clients(cx: &Cx<'_>, fields: &mut Fields) {
    fields.add("connected_clients", cx.server.clients.len());
    fields.add("cluster_connections", 0);
    fields.add("maxclients", cx.server.config.number("maxclients"));
    fields.add("client_recent_max_input_buffer", 0);
    fields.add("client_recent_max_output_buffer", 0);
    fields.add("blocked_clients", cx.server.clients.blocked());
    fields.add("tracking_clients", cx.server.clients.tracking);
    fields.add("clients_in_timeout_table", 0);
}

fn memory(cx: &Cx<'_>, fields: &mut Fields) {
    let used = used(cx.keys);
    let peak = used.max(cx.server.stats.peak_memory);
    let dataset = used - BASE_MEMORY;
    let percent = |part: usize, whole: usize| 100.0 * part as f64 / whole.max(1) as f64;
    fields.add("used_memory", used);
    fields.add("used_memory_human", human(used));
    fields.add("used_memory_rss", used);
    fields.add("used_memory_rss_human", human(used));
    fields.add("used_memory_peak", peak);
    fields.add("used_memory_peak_human", human(peak));
    fields.add("used_memory_peak_perc", format_args!("{:.2}%", percent(used, peak)));
    fields.add("used_memory_overhead", BASE_MEMORY);
    fields.add("used_memory_startup", BASE_MEMORY);
    fields.add("used_memory_dataset", dataset);
    fields.add("used_memory_dataset_perc", format_args!("{:.2}%", percent(dataset, dataset)));
    for name in ["allocator_allocated", "allocator_active", "allocator_resident"] {
        fields.add(name, used);
    }
    fields.add("total_system_memory", 0);
    fields.add("total_system_memory_human", human(0));
    let scripts = cx.server.scripts;
    let states = scripts.eval_memory + scripts.function_memory;
    // The cache's own share; the scripts themselves live in the Lua states.
    let cached = scripts.scripts * 100;
    let loaded = scripts.functions * 100;
    fields.add("used_memory_lua", scripts.eval_memory);
    fields.add("used_memory_vm_eval", scripts.eval_memory);
    fields.add("used_memory_lua_human", human(scripts.eval_memory));
    fields.add("used_memory_scripts_eval", cached);
    fields.add("number_of_cached_scripts", scripts.scripts);
    fields.add("number_of_functions", scripts.functions);
    fields.add("number_of_libraries", scripts.libraries);
    fields.add("used_memory_vm_functions", scripts.function_memory);
    fields.add("used_memory_vm_total", states);
    fields.add("used_memory_vm_total_human", human(states));
    fields.add("used_memory_functions", loaded);
    fields.add("used_memory_scripts", cached + loaded);
    fields.add("used_memory_scripts_human", human(cached + loaded));
    let limit = cx.server.config.maxmemory;
    fields.add("maxmemory", limit);
    fields.add("maxmemory_human", human(limit));
    let policy = cx.server.config.value("maxmemory-policy");
    fields.add("maxmemory_policy", String::from_utf8_lossy(policy));
    fields.constant(&[
        ("allocator_frag_ratio", "1.00"),
        ("allocator_frag_bytes", "0"),
        ("allocator_rss_ratio", "1.00"),
        ("allocator_rss_bytes", "0"),
        ("rss_overhead_ratio", "1.00"),
        ("rss_overhead_bytes", "0"),
        ("mem_fragmentation_ratio", "1.00"),
        ("mem_fragmentation_bytes", "0"),
        ("mem_not_counted_for_evict", "0"),
        ("mem_replication_backlog", "0"),
        ("mem_total_replication_buffers", "0"),
        ("mem_clients_slaves", "0"),
        ("mem_clients_normal", "0"),
        ("mem_cluster_links", "0"),
        ("mem_aof_buffer", "0"),
        ("mem_allocator", "libc"),
        ("active_defrag_running", "0"),
        ("lazyfree_pending_objects", "0"),
        ("lazyfreed_objects", "0"),
    ]);
}

fn persistence(cx: &Cx<'_>, fields: &mut Fields) {
    fields.constant(&[
        ("loading", "0"),
        ("async_loading", "0"),
        ("current_cow_peak", "0"),
        ("current_cow_size", "0"),
        ("current_cow_size_age", "0"),
        ("current_fork_perc", "0.00"),
        ("current_save_keys_processed", "0"),
        ("current_save_keys_total", "0"),
    ]);
    fields.add("rdb_changes_since_last_save", cx.keys.dirty() - cx.server.saved);
    fields.add("rdb_bgsave_in_progress", 0);
    fields.add("rdb_last_save_time", cx.server.last_save);
    fields.constant(&[
        ("rdb_last_bgsave_status", "ok"),
        ("rdb_last_bgsave_time_sec", "-1"),
        ("rdb_current_bgsave_time_sec", "-1"),
        ("rdb_saves", "0"),
        ("rdb_last_cow_size", "0"),
        ("rdb_last_load_keys_expired", "0"),
        ("rdb_last_load_keys_loaded", "0"),
        ("aof_enabled", "0"),
        ("aof_rewrite_in_progress", "0"),
        ("aof_rewrite_scheduled", "0"),
        ("aof_last_rewrite_time_sec", "-1"),
        ("aof_current_rewrite_time_sec", "-1"),
        ("aof_last_bgrewrite_status", "ok"),
        ("aof_rewrites", "0"),
        ("aof_rewrites_consecutive_failures", "0"),
        ("aof_last_write_status", "ok"),
        ("aof_last_cow_size", "0"),
        ("module_fork_in_progress", "0"),
        ("module_fork_last_cow_size", "0"),
    ]);
}

fn stats(cx: &Cx<'_>, fields: &mut Fields) {
    use crate::pubsub::Topic;
    let stats = &cx.server.stats;
    let channels = |topic| cx.server.pubsub.active(topic, None).len();
    fields.add("total_connections_received", cx.server.clients.received);
    fields.add("total_commands_processed", stats.processed);
    fields.add("instantaneous_ops_per_sec", stats.rate);
    fields.constant(&[
        ("total_net_input_bytes", "0"),
        ("total_net_output_bytes", "0"),
        ("total_net_repl_input_bytes", "0"),
        ("total_net_repl_output_bytes", "0"),
        ("instantaneous_input_kbps", "0.00"),
        ("instantaneous_output_kbps", "0.00"),
        ("instantaneous_input_repl_kbps", "0.00"),
        ("instantaneous_output_repl_kbps", "0.00"),
        ("rejected_connections", "0"),
        ("sync_full", "0"),
        ("sync_partial_ok", "0"),
        ("sync_partial_err", "0"),
    ]);
    fields.add("expired_keys", cx.keys.expired);
    fields.add("expired_stale_perc", "0.00");
    fields.add("expired_time_cap_reached_count", 0);
    fields.add("expire_cycle_cpu_milliseconds", 0);
    fields.add("evicted_keys", stats.evicted);
    fields.add("evicted_clients", 0);
    fields.add("total_eviction_exceeded_time", 0);
    fields.add("current_eviction_exceeded_time", 0);
    fields.add("keyspace_hits", cx.keys.hits);
    fields.add("keyspace_misses", cx.keys.misses);
    fields.add("pubsub_channels", channels(Topic::Channel));
    fields.add("pubsub_patterns", cx.server.pubsub.patterns());
    fields.add("pubsubshard_channels", channels(Topic::Shard));
    for name in [
        "latest_fork_usec",
        "total_forks",
        "migrate_cached_sockets",
        "slave_expires_tracked_keys",
        "active_defrag_hits",
        "active_defrag_misses",
        "active_defrag_key_hits",
        "active_defrag_key_misses",
        "total_active_defrag_time",
        "current_active_defrag_time",
    ] {
        fields.add(name, 0);
    }
    let [keys, items, prefixes] = cx.server.tracking.figures();
    fields.add("tracking_total_keys", keys);
    fields.add("tracking_total_items", items);
    fields.add("tracking_total_prefixes", prefixes);
    fields.add("unexpected_error_replies", 0);
    fields.add("total_error_replies", stats.error_replies);
    for name in [
        "dump_payload_sanitizations",
        "total_reads_processed",
        "total_writes_processed",
        "io_threaded_reads_processed",
        "io_threaded_writes_processed",
        "reply_buffer_shrinks",
        "reply_buffer_expands",
    ] {
        fields.add(name, 0);
    }
}

fn replication(cx: &Cx<'_>, fields: &mut Fields) {
    fields.add("role", "master");
    fields.add("connected_slaves", 0);
    fields.add("master_failover_state", "no-failover");
    fields.add("master_replid", &cx.server.run_id);
    fields.constant(&[
        ("master_replid2", "0000000000000000000000000000000000000000"),
        ("master_repl_offset", "0"),
        ("second_repl_offset", "-1"),
        ("repl_backlog_active", "0"),
    ]);
    fields.add("repl_backlog_size", cx.server.config.number("repl-backlog-size"));
    fields.add("repl_backlog_first_byte_offset", 0);
    fields.add("repl_backlog_histlen", 0);
}

fn cpu(_: &Cx<'_>, fields: &mut Fields) {
    for name in [
        "used_cpu_sys",
        "used_cpu_user",
        "used_cpu_sys_children",
        "used_cpu_user_children",
        "used_cpu_sys_main_thread",
        "used_cpu_user_main_thread",
    ] {
        fields.add(name, "0.000000");
    }
}

fn command_stats(cx: &Cx<'_>, fields: &mut Fields) {
    for command in Table::instance().all() {
        let Some(calls) = cx.server.stats.calls(command.spec.id) else { continue };
        if calls.calls + calls.rejected + calls.failed == 0 {
            continue;
        }
        let each = if calls.calls == 0 { 0.0 } else { calls.micros as f64 / calls.calls as f64 };
        fields.add(
            format_args!("cmdstat_{}", command.name),
            format_args!(
                "calls={},usec={},usec_per_call={each:.2},rejected_calls={},failed_calls={}",
                calls.calls, calls.micros, calls.rejected, calls.failed
            ),
        );
    }
}

fn error_stats(cx: &Cx<'_>, fields: &mut Fields) {
    for (code, count) in &cx.server.stats.errors {
        let code = String::from_utf8_lossy(code);
        fields.add(format_args!("errorstat_{code}"), format_args!("count={count}"));
    }
}

fn latency_stats(cx: &Cx<'_>, fields: &mut Fields) {
    let percentiles = cx.server.config.value("latency-tracking-info-percentiles");
    let percentiles = String::from_utf8_lossy(percentiles).into_owned();
    for command in Table::instance().all() {
        let calls = cx.server.stats.calls(command.spec.id).filter(|calls| calls.calls > 0);
        let Some(calls) = calls.filter(|_| cx.server.config.value("latency-tracking") == b"yes")
        else {
            continue;
        };
        let figures: Vec<String> = percentiles
            .split_whitespace()
            .map(|word| format!("p{word}={:.3}", calls.percentile(word.parse().unwrap_or(0.0))))
            .collect();
        fields.add(format_args!("latency_percentiles_usec_{}", command.name), figures.join(","));
    }
}

fn keyspace(cx: &Cx<'_>, fields: &mut Fields) {
    for database in 0..cx.keys.databases() {
        let (keys, expires) = (cx.keys.size(database), cx.keys.volatile(database));
        if keys > 0 {
            fields.add(
                format_args!("db{database}"),
                format_args!("keys={keys},expires={expires},avg_ttl=0"),
            );
        }
    }
}
