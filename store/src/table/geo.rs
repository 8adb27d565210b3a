//! Rows of the command table: geospatial indexes.
//!
//! The columns are those of [`Row::new`]; the facts are what a server's `COMMAND` answers.

use super::Row;
use crate::commands::geo;

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    Row::new("geoadd", -5, "write denyoom", "write geo slow", [1, 1, 1], "RW update@1", "", geo::geoadd),
    Row::new("geodist", -4, "readonly", "read geo slow", [1, 1, 1], "RO access@1", "", geo::geodist),
    Row::new("geohash", -2, "readonly", "read geo slow", [1, 1, 1], "RO access@1", "", geo::geohash),
    Row::new("geopos", -2, "readonly", "read geo slow", [1, 1, 1], "RO access@1", "", geo::geopos),
    Row::new("georadius", -6, "write denyoom movablekeys", "write geo slow", [1, 1, 1], "RO access@1;OW update@STORE:6;OW update@STOREDIST:6", "", geo::georadius),
    Row::new("georadius_ro", -6, "readonly", "read geo slow", [1, 1, 1], "RO access@1", "", geo::georadius_ro),
    Row::new("georadiusbymember", -5, "write denyoom movablekeys", "write geo slow", [1, 1, 1], "RO access@1;OW update@STORE:5;OW update@STOREDIST:5", "", geo::georadiusbymember),
    Row::new("georadiusbymember_ro", -5, "readonly", "read geo slow", [1, 1, 1], "RO access@1", "", geo::georadiusbymember_ro),
    Row::new("geosearch", -7, "readonly", "read geo slow", [1, 1, 1], "RO access@1", "", geo::geosearch),
    Row::new("geosearchstore", -8, "write denyoom", "write geo slow", [1, 2, 1], "OW update@1;RO access@2", "", geo::geosearchstore),
];
