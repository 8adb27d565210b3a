//! Values as bytes: what `DUMP` writes and `RESTORE` reads (`rdb.c`).
//!
//! Owns the serialised forms of every data type. It must not know keys or commands.

pub(crate) mod listpack;
