//! Rows of the command table: keys.
//!
//! The columns are those of [`Row::new`]; the facts are what a server's `COMMAND` answers.

use super::Row;
use crate::commands::absent;

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    Row::new("copy", -3, "write denyoom", "keyspace write slow", [1, 2, 1], "RO access@1;OW update@2", "", absent),
    Row::new("del", -2, "write", "keyspace write slow", [1, -1, 1], "RM delete@1 -1 1 0", "request_policy:multi_shard response_policy:agg_sum", absent),
    Row::new("dump", 2, "readonly", "keyspace read slow", [1, 1, 1], "RO access@1", "nondeterministic_output", absent),
    Row::new("exists", -2, "readonly fast", "keyspace read fast", [1, -1, 1], "RO@1 -1 1 0", "request_policy:multi_shard response_policy:agg_sum", absent),
    Row::new("expire", -3, "write fast", "keyspace write fast", [1, 1, 1], "RW update@1", "", absent),
    Row::new("expireat", -3, "write fast", "keyspace write fast", [1, 1, 1], "RW update@1", "", absent),
    Row::new("expiretime", 2, "readonly fast", "keyspace read fast", [1, 1, 1], "RO access@1", "", absent),
    Row::new("keys", 2, "readonly", "keyspace read slow dangerous", [0, 0, 0], "", "request_policy:all_shards nondeterministic_output_order", absent),
    Row::new("migrate", -6, "write movablekeys", "keyspace write slow dangerous", [3, 3, 1], "RW access delete@3;RW access delete incomplete@KEYS:-2 -1 1 0", "nondeterministic_output", absent),
    Row::new("move", 3, "write fast", "keyspace write fast", [1, 1, 1], "RW access update@1", "", absent),
    Row::new("object", -2, "", "slow", [0, 0, 0], "", "", absent),
    Row::new("object|encoding", 3, "readonly", "keyspace read slow", [2, 2, 1], "RO@2", "nondeterministic_output", absent),
    Row::new("object|freq", 3, "readonly", "keyspace read slow", [2, 2, 1], "RO@2", "nondeterministic_output", absent),
    Row::new("object|help", 2, "loading stale", "keyspace slow", [0, 0, 0], "", "", absent),
    Row::new("object|idletime", 3, "readonly", "keyspace read slow", [2, 2, 1], "RO@2", "nondeterministic_output", absent),
    Row::new("object|refcount", 3, "readonly", "keyspace read slow", [2, 2, 1], "RO@2", "nondeterministic_output", absent),
    Row::new("persist", 2, "write fast", "keyspace write fast", [1, 1, 1], "RW update@1", "", absent),
    Row::new("pexpire", -3, "write fast", "keyspace write fast", [1, 1, 1], "RW update@1", "", absent),
    Row::new("pexpireat", -3, "write fast", "keyspace write fast", [1, 1, 1], "RW update@1", "", absent),
    Row::new("pexpiretime", 2, "readonly fast", "keyspace read fast", [1, 1, 1], "RO access@1", "", absent),
    Row::new("pttl", 2, "readonly fast", "keyspace read fast", [1, 1, 1], "RO access@1", "nondeterministic_output", absent),
    Row::new("randomkey", 1, "readonly", "keyspace read slow", [0, 0, 0], "", "request_policy:all_shards nondeterministic_output", absent),
    Row::new("rename", 3, "write", "keyspace write slow", [1, 2, 1], "RW access delete@1;OW update@2", "", absent),
    Row::new("renamenx", 3, "write fast", "keyspace write fast", [1, 2, 1], "RW access delete@1;OW insert@2", "", absent),
    Row::new("restore", -4, "write denyoom", "keyspace write slow dangerous", [1, 1, 1], "OW update@1", "", absent),
    Row::new("scan", -2, "readonly", "keyspace read slow", [0, 0, 0], "", "nondeterministic_output request_policy:special", absent),
    Row::new("sort", -2, "write denyoom movablekeys", "write set sortedset list slow dangerous", [1, 1, 1], "RO access@1;RO access@? ?: For the optional BY/GET keyword. It is marked 'unknown' because the key names derive from the content of the key we sort;OW update@? ?: For the optional STORE keyword. It is marked 'unknown' because the keyword can appear anywhere in the argument array", "", absent),
    Row::new("sort_ro", -2, "readonly movablekeys", "read set sortedset list slow dangerous", [1, 1, 1], "RO access@1;RO access@? ?: For the optional BY/GET keyword. It is marked 'unknown' because the key names derive from the content of the key we sort", "", absent),
    Row::new("touch", -2, "readonly fast", "keyspace read fast", [1, -1, 1], "RO@1 -1 1 0", "request_policy:multi_shard response_policy:agg_sum", absent),
    Row::new("ttl", 2, "readonly fast", "keyspace read fast", [1, 1, 1], "RO access@1", "nondeterministic_output", absent),
    Row::new("type", 2, "readonly fast", "keyspace read fast", [1, 1, 1], "RO@1", "", absent),
    Row::new("unlink", -2, "write fast", "keyspace write fast", [1, -1, 1], "RM delete@1 -1 1 0", "request_policy:multi_shard response_policy:agg_sum", absent),
    Row::new("wait", 3, "noscript", "slow connection", [0, 0, 0], "", "request_policy:all_shards response_policy:agg_min", absent),
];
