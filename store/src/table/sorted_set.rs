//! Rows of the command table: sorted sets.
//!
//! The columns are those of [`Row::new`]; the facts are what a server's `COMMAND` answers.

use super::Row;
use crate::commands::{scan, zset_algebra, zset_ranges, zsets};

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    Row::new("bzmpop", -5, "write blocking movablekeys", "write sortedset slow blocking", [0, 0, 0], "RW access delete@2 #0 1 1", "", zsets::bzmpop),
    Row::new("bzpopmax", -3, "write noscript blocking fast", "write sortedset fast blocking", [1, -2, 1], "RW access delete@1 -2 1 0", "", zsets::bzpopmax),
    Row::new("bzpopmin", -3, "write noscript blocking fast", "write sortedset fast blocking", [1, -2, 1], "RW access delete@1 -2 1 0", "", zsets::bzpopmin),
    Row::new("zadd", -4, "write denyoom fast", "write sortedset fast", [1, 1, 1], "RW update@1", "", zsets::zadd),
    Row::new("zcard", 2, "readonly fast", "read sortedset fast", [1, 1, 1], "RO@1", "", zsets::zcard),
    Row::new("zcount", 4, "readonly fast", "read sortedset fast", [1, 1, 1], "RO access@1", "", zset_ranges::zcount),
    Row::new("zdiff", -3, "readonly movablekeys", "read sortedset slow", [0, 0, 0], "RO access@1 #0 1 1", "", zset_algebra::zdiff),
    Row::new("zdiffstore", -4, "write denyoom movablekeys", "write sortedset slow", [1, 1, 1], "OW update@1;RO access@2 #0 1 1", "", zset_algebra::zdiffstore),
    Row::new("zincrby", 4, "write denyoom fast", "write sortedset fast", [1, 1, 1], "RW access update@1", "", zsets::zincrby),
    Row::new("zinter", -3, "readonly movablekeys", "read sortedset slow", [0, 0, 0], "RO access@1 #0 1 1", "", zset_algebra::zinter),
    Row::new("zintercard", -3, "readonly movablekeys", "read sortedset slow", [0, 0, 0], "RO access@1 #0 1 1", "", zset_algebra::zintercard),
    Row::new("zinterstore", -4, "write denyoom movablekeys", "write sortedset slow", [1, 1, 1], "OW update@1;RO access@2 #0 1 1", "", zset_algebra::zinterstore),
    Row::new("zlexcount", 4, "readonly fast", "read sortedset fast", [1, 1, 1], "RO access@1", "", zset_ranges::zlexcount),
    Row::new("zmpop", -4, "write movablekeys", "write sortedset slow", [0, 0, 0], "RW access delete@1 #0 1 1", "", zsets::zmpop),
    Row::new("zmscore", -3, "readonly fast", "read sortedset fast", [1, 1, 1], "RO access@1", "", zsets::zmscore),
    Row::new("zpopmax", -2, "write fast", "write sortedset fast", [1, 1, 1], "RW access delete@1", "", zsets::zpopmax),
    Row::new("zpopmin", -2, "write fast", "write sortedset fast", [1, 1, 1], "RW access delete@1", "", zsets::zpopmin),
    Row::new("zrandmember", -2, "readonly", "read sortedset slow", [1, 1, 1], "RO access@1", "nondeterministic_output", zsets::zrandmember),
    Row::new("zrange", -4, "readonly", "read sortedset slow", [1, 1, 1], "RO access@1", "", zset_ranges::zrange),
    Row::new("zrangebylex", -4, "readonly", "read sortedset slow", [1, 1, 1], "RO access@1", "", zset_ranges::zrangebylex),
    Row::new("zrangebyscore", -4, "readonly", "read sortedset slow", [1, 1, 1], "RO access@1", "", zset_ranges::zrangebyscore),
    Row::new("zrangestore", -5, "write denyoom", "write sortedset slow", [1, 2, 1], "OW update@1;RO access@2", "", zset_ranges::zrangestore),
    Row::new("zrank", 3, "readonly fast", "read sortedset fast", [1, 1, 1], "RO access@1", "", zsets::zrank),
    Row::new("zrem", -3, "write fast", "write sortedset fast", [1, 1, 1], "RW delete@1", "", zsets::zrem),
    Row::new("zremrangebylex", 4, "write", "write sortedset slow", [1, 1, 1], "RW delete@1", "", zset_ranges::zremrangebylex),
    Row::new("zremrangebyrank", 4, "write", "write sortedset slow", [1, 1, 1], "RW delete@1", "", zset_ranges::zremrangebyrank),
    Row::new("zremrangebyscore", 4, "write", "write sortedset slow", [1, 1, 1], "RW delete@1", "", zset_ranges::zremrangebyscore),
    Row::new("zrevrange", -4, "readonly", "read sortedset slow", [1, 1, 1], "RO access@1", "", zset_ranges::zrevrange),
    Row::new("zrevrangebylex", -4, "readonly", "read sortedset slow", [1, 1, 1], "RO access@1", "", zset_ranges::zrevrangebylex),
    Row::new("zrevrangebyscore", -4, "readonly", "read sortedset slow", [1, 1, 1], "RO access@1", "", zset_ranges::zrevrangebyscore),
    Row::new("zrevrank", 3, "readonly fast", "read sortedset fast", [1, 1, 1], "RO access@1", "", zsets::zrevrank),
    Row::new("zscan", -3, "readonly", "read sortedset slow", [1, 1, 1], "RO access@1", "nondeterministic_output", scan::zscan),
    Row::new("zscore", 3, "readonly fast", "read sortedset fast", [1, 1, 1], "RO access@1", "", zsets::zscore),
    Row::new("zunion", -3, "readonly movablekeys", "read sortedset slow", [0, 0, 0], "RO access@1 #0 1 1", "", zset_algebra::zunion),
    Row::new("zunionstore", -4, "write denyoom movablekeys", "write sortedset slow", [1, 1, 1], "OW update@1;RO access@2 #0 1 1", "", zset_algebra::zunionstore),
];
