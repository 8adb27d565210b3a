//! Rows of the command table: keys.
//!
//! The columns are those of [`Row::new`]; the facts are what a server's `COMMAND` answers.

use super::Row;
use crate::commands::{admin, container, dump, expiry, help, keys, object, scan, sort};

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    Row::new("copy", -3, "write denyoom", "keyspace write slow", [1, 2, 1], "RO access@1;OW update@2", "", keys::copy),
    Row::new("del", -2, "write", "keyspace write slow", [1, -1, 1], "RM delete@1 -1 1 0", "request_policy:multi_shard response_policy:agg_sum", keys::del),
    Row::new("dump", 2, "readonly", "keyspace read slow", [1, 1, 1], "RO access@1", "nondeterministic_output", dump::dump),
    Row::new("exists", -2, "readonly fast", "keyspace read fast", [1, -1, 1], "RO@1 -1 1 0", "request_policy:multi_shard response_policy:agg_sum", keys::exists),
    Row::new("expire", -3, "write fast", "keyspace write fast", [1, 1, 1], "RW update@1", "", expiry::expire),
    Row::new("expireat", -3, "write fast", "keyspace write fast", [1, 1, 1], "RW update@1", "", expiry::expireat),
    Row::new("expiretime", 2, "readonly fast", "keyspace read fast", [1, 1, 1], "RO access@1", "", expiry::expiretime),
    Row::new("keys", 2, "readonly", "keyspace read slow dangerous", [0, 0, 0], "", "request_policy:all_shards nondeterministic_output_order", keys::keys),
    Row::new("migrate", -6, "write movablekeys", "keyspace write slow dangerous", [3, 3, 1], "RW access delete@3;RW access delete incomplete@KEYS:-2 -1 1 0", "nondeterministic_output", dump::migrate),
    Row::new("move", 3, "write fast", "keyspace write fast", [1, 1, 1], "RW access update@1", "", keys::move_key),
    Row::new("object", -2, "", "slow", [0, 0, 0], "", "", container),
    Row::new("object|encoding", 3, "readonly", "keyspace read slow", [2, 2, 1], "RO@2", "nondeterministic_output", object::encoding),
    Row::new("object|freq", 3, "readonly", "keyspace read slow", [2, 2, 1], "RO@2", "nondeterministic_output", object::freq),
    Row::new("object|help", 2, "loading stale", "keyspace slow", [0, 0, 0], "", "", help::show),
    Row::new("object|idletime", 3, "readonly", "keyspace read slow", [2, 2, 1], "RO@2", "nondeterministic_output", object::idletime),
    Row::new("object|refcount", 3, "readonly", "keyspace read slow", [2, 2, 1], "RO@2", "nondeterministic_output", object::refcount),
    Row::new("persist", 2, "write fast", "keyspace write fast", [1, 1, 1], "RW update@1", "", expiry::persist),
    Row::new("pexpire", -3, "write fast", "keyspace write fast", [1, 1, 1], "RW update@1", "", expiry::pexpire),
    Row::new("pexpireat", -3, "write fast", "keyspace write fast", [1, 1, 1], "RW update@1", "", expiry::pexpireat),
    Row::new("pexpiretime", 2, "readonly fast", "keyspace read fast", [1, 1, 1], "RO access@1", "", expiry::pexpiretime),
    Row::new("pttl", 2, "readonly fast", "keyspace read fast", [1, 1, 1], "RO access@1", "nondeterministic_output", expiry::pttl),
    Row::new("randomkey", 1, "readonly", "keyspace read slow", [0, 0, 0], "", "request_policy:all_shards nondeterministic_output", keys::randomkey),
    Row::new("rename", 3, "write", "keyspace write slow", [1, 2, 1], "RW access delete@1;OW update@2", "", keys::rename),
    Row::new("renamenx", 3, "write fast", "keyspace write fast", [1, 2, 1], "RW access delete@1;OW insert@2", "", keys::renamenx),
    Row::new("restore", -4, "write denyoom", "keyspace write slow dangerous", [1, 1, 1], "OW update@1", "", dump::restore),
    Row::new("scan", -2, "readonly", "keyspace read slow", [0, 0, 0], "", "nondeterministic_output request_policy:special", scan::scan),
    Row::new("sort", -2, "write denyoom movablekeys", "write set sortedset list slow dangerous", [1, 1, 1], "RO access@1;RO access@? ?: For the optional BY/GET keyword. It is marked 'unknown' because the key names derive from the content of the key we sort;OW update@? ?: For the optional STORE keyword. It is marked 'unknown' because the keyword can appear anywhere in the argument array", "", sort::sort),
    Row::new("sort_ro", -2, "readonly movablekeys", "read set sortedset list slow dangerous", [1, 1, 1], "RO access@1;RO access@? ?: For the optional BY/GET keyword. It is marked 'unknown' because the key names derive from the content of the key we sort", "", sort::sort_ro),
    Row::new("touch", -2, "readonly fast", "keyspace read fast", [1, -1, 1], "RO@1 -1 1 0", "request_policy:multi_shard response_policy:agg_sum", keys::touch),
    Row::new("ttl", 2, "readonly fast", "keyspace read fast", [1, 1, 1], "RO access@1", "nondeterministic_output", expiry::ttl),
    Row::new("type", 2, "readonly fast", "keyspace read fast", [1, 1, 1], "RO@1", "", keys::type_of),
    Row::new("unlink", -2, "write fast", "keyspace write fast", [1, -1, 1], "RM delete@1 -1 1 0", "request_policy:multi_shard response_policy:agg_sum", keys::del),
    Row::new("wait", 3, "noscript", "slow connection", [0, 0, 0], "", "request_policy:all_shards response_policy:agg_min", admin::wait),
];
