//! Rows of the command table: HyperLogLogs.
//!
//! The columns are those of [`Row::new`]; the facts are what a server's `COMMAND` answers.

use super::Row;
use crate::commands::hyperloglogs;

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    Row::new("pfadd", -2, "write denyoom fast", "write hyperloglog fast", [1, 1, 1], "RW insert@1", "", hyperloglogs::pfadd),
    Row::new("pfcount", -2, "readonly", "read hyperloglog slow", [1, -1, 1], "RW access@1 -1 1 0: RW because it may change the internal representation of the key, and propagate to replicas", "", hyperloglogs::pfcount),
    Row::new("pfdebug", 3, "write denyoom admin", "write hyperloglog admin slow dangerous", [2, 2, 1], "RW access@2", "", hyperloglogs::pfdebug),
    Row::new("pfmerge", -2, "write denyoom", "write hyperloglog slow", [1, -1, 1], "RW access insert@1;RO access@2 -1 1 0", "", hyperloglogs::pfmerge),
    Row::new("pfselftest", 1, "admin", "hyperloglog admin slow dangerous", [0, 0, 0], "", "", hyperloglogs::pfselftest),
];
