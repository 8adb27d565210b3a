//! Rows of the command table: bitmaps.
//!
//! The columns are those of [`Row::new`]; the facts are what a server's `COMMAND` answers.

use super::Row;
use crate::commands::{bitfields, bitmaps};

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    Row::new("bitcount", -2, "readonly", "read bitmap slow", [1, 1, 1], "RO access@1", "", bitmaps::bitcount),
    Row::new("bitfield", -2, "write denyoom", "write bitmap slow", [1, 1, 1], "RW access update variable_flags@1: This command allows both access and modification of the key", "", bitfields::bitfield),
    Row::new("bitfield_ro", -2, "readonly fast", "read bitmap fast", [1, 1, 1], "RO access@1", "", bitfields::bitfield_ro),
    Row::new("bitop", -4, "write denyoom", "write bitmap slow", [2, -1, 1], "OW update@2;RO access@3 -1 1 0", "", bitmaps::bitop),
    Row::new("bitpos", -3, "readonly", "read bitmap slow", [1, 1, 1], "RO access@1", "", bitmaps::bitpos),
    Row::new("getbit", 3, "readonly fast", "read bitmap fast", [1, 1, 1], "RO access@1", "", bitmaps::getbit),
    Row::new("setbit", 4, "write denyoom", "write bitmap slow", [1, 1, 1], "RW access update@1", "", bitmaps::setbit),
];
