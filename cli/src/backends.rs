//! The list of Lua engines.
//!
//! Owns the table. Must not know which engines there are.

use std::fmt::Write;

use redlua::core::Dialect;

/// One line for each engine of this build, the default first.
pub(crate) fn table() -> String {
    let mut text =
        format!("{:<14} {:<8} {:<5} {:<28} {}\n", "name", "dialect", "kind", "limits", "version");
    for backend in redlua::backends() {
        let info = backend.info();
        let dialect = match info.dialect {
            Dialect::Lua51 => "Lua 5.1",
            Dialect::LuaJit => "LuaJIT",
            Dialect::Lua54 => "Lua 5.4",
            Dialect::Luau => "Luau",
        };
        let kind = if info.pure_rust { "Rust" } else { "C" };
        let limits: Vec<&str> = [
            (info.limits_memory, "memory"),
            (info.limits_time, "time"),
            (info.limits_instructions, "instructions"),
            (info.limits_depth, "depth"),
        ]
        .into_iter()
        .filter_map(|(honoured, name)| honoured.then_some(name))
        .collect();
        // Writing into a String does not fail.
        let _ = writeln!(
            text,
            "{:<14} {dialect:<8} {kind:<5} {:<28} {}",
            info.name,
            limits.join(", "),
            info.version
        );
    }
    text
}
