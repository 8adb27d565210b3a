//! Rows of the command table: sorted sets.
//!
//! The columns are those of [`Row::new`]; the facts are what a server's `COMMAND` answers.

use super::Row;
use crate::commands::absent;

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    Row::new("bzmpop", -5, "write blocking movablekeys", "write sortedset slow blocking", [0, 0, 0], "RW access delete@2 #0 1 1", "", absent),
    Row::new("bzpopmax", -3, "write noscript blocking fast", "write sortedset fast blocking", [1, -2, 1], "RW access delete@1 -2 1 0", "", absent),
    Row::new("bzpopmin", -3, "write noscript blocking fast", "write sortedset fast blocking", [1, -2, 1], "RW access delete@1 -2 1 0", "", absent),
    Row::new("zadd", -4, "write denyoom fast", "write sortedset fast", [1, 1, 1], "RW update@1", "", absent),
    Row::new("zcard", 2, "readonly fast", "read sortedset fast", [1, 1, 1], "RO@1", "", absent),
    Row::new("zcount", 4, "readonly fast", "read sortedset fast", [1, 1, 1], "RO access@1", "", absent),
    Row::new("zdiff", -3, "readonly movablekeys", "read sortedset slow", [0, 0, 0], "RO access@1 #0 1 1", "", absent),
    Row::new("zdiffstore", -4, "write denyoom movablekeys", "write sortedset slow", [1, 1, 1], "OW update@1;RO access@2 #0 1 1", "", absent),
    Row::new("zincrby", 4, "write denyoom fast", "write sortedset fast", [1, 1, 1], "RW access update@1", "", absent),
    Row::new("zinter", -3, "readonly movablekeys", "read sortedset slow", [0, 0, 0], "RO access@1 #0 1 1", "", absent),
    Row::new("zintercard", -3, "readonly movablekeys", "read sortedset slow", [0, 0, 0], "RO access@1 #0 1 1", "", absent),
    Row::new("zinterstore", -4, "write denyoom movablekeys", "write sortedset slow", [1, 1, 1], "OW update@1;RO access@2 #0 1 1", "", absent),
    Row::new("zlexcount", 4, "readonly fast", "read sortedset fast", [1, 1, 1], "RO access@1", "", absent),
    Row::new("zmpop", -4, "write movablekeys", "write sortedset slow", [0, 0, 0], "RW access delete@1 #0 1 1", "", absent),
    Row::new("zmscore", -3, "readonly fast", "read sortedset fast", [1, 1, 1], "RO access@1", "", absent),
    Row::new("zpopmax", -2, "write fast", "write sortedset fast", [1, 1, 1], "RW access delete@1", "", absent),
    Row::new("zpopmin", -2, "write fast", "write sortedset fast", [1, 1, 1], "RW access delete@1", "", absent),
    Row::new("zrandmember", -2, "readonly", "read sortedset slow", [1, 1, 1], "RO access@1", "nondeterministic_output", absent),
    Row::new("zrange", -4, "readonly", "read sortedset slow", [1, 1, 1], "RO access@1", "", absent),
    Row::new("zrangebylex", -4, "readonly", "read sortedset slow", [1, 1, 1], "RO access@1", "", absent),
    Row::new("zrangebyscore", -4, "readonly", "read sortedset slow", [1, 1, 1], "RO access@1", "", absent),
    Row::new("zrangestore", -5, "write denyoom", "write sortedset slow", [1, 2, 1], "OW update@1;RO access@2", "", absent),
    Row::new("zrank", 3, "readonly fast", "read sortedset fast", [1, 1, 1], "RO access@1", "", absent),
    Row::new("zrem", -3, "write fast", "write sortedset fast", [1, 1, 1], "RW delete@1", "", absent),
    Row::new("zremrangebylex", 4, "write", "write sortedset slow", [1, 1, 1], "RW delete@1", "", absent),
    Row::new("zremrangebyrank", 4, "write", "write sortedset slow", [1, 1, 1], "RW delete@1", "", absent),
    Row::new("zremrangebyscore", 4, "write", "write sortedset slow", [1, 1, 1], "RW delete@1", "", absent),
    Row::new("zrevrange", -4, "readonly", "read sortedset slow", [1, 1, 1], "RO access@1", "", absent),
    Row::new("zrevrangebylex", -4, "readonly", "read sortedset slow", [1, 1, 1], "RO access@1", "", absent),
    Row::new("zrevrangebyscore", -4, "readonly", "read sortedset slow", [1, 1, 1], "RO access@1", "", absent),
    Row::new("zrevrank", 3, "readonly fast", "read sortedset fast", [1, 1, 1], "RO access@1", "", absent),
    Row::new("zscan", -3, "readonly", "read sortedset slow", [1, 1, 1], "RO access@1", "nondeterministic_output", absent),
    Row::new("zscore", 3, "readonly fast", "read sortedset fast", [1, 1, 1], "RO access@1", "", absent),
    Row::new("zunion", -3, "readonly movablekeys", "read sortedset slow", [0, 0, 0], "RO access@1 #0 1 1", "", absent),
    Row::new("zunionstore", -4, "write denyoom movablekeys", "write sortedset slow", [1, 1, 1], "OW update@1;RO access@2 #0 1 1", "", absent),
];
