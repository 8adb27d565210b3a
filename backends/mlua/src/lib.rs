//! The Lua engines that the `mlua` crate vendors, as redlua backends.
//!
//! Owns their names and versions. What they do is in `redlua-capi`.
#![forbid(unsafe_code)]

#[cfg(feature = "lua51")]
redlua_capi::backend!(
    /// PUC-Rio Lua 5.1, the language of redis-server: the reference backend.
    Lua51,
    "mlua-lua51",
    "Lua 5.1.5, vendored by mlua 0.12",
    Lua51
);

#[cfg(feature = "luajit")]
redlua_capi::backend!(
    /// LuaJIT's interpreter. Its compiler is off: compiled code could not be stopped.
    LuaJit,
    "mlua-luajit",
    "LuaJIT 2.1, interpreter only, vendored by mlua 0.12",
    LuaJit
);

#[cfg(feature = "lua54")]
redlua_capi::backend!(
    /// PUC-Rio Lua 5.4 with the library of Lua 5.1.
    Lua54,
    "mlua-lua54",
    "Lua 5.4, vendored by mlua 0.12",
    Lua54
);

#[cfg(feature = "luau")]
redlua_capi::backend!(
    /// Luau with the library of Lua 5.1.
    Luau,
    "mlua-luau",
    "Luau, vendored by mlua 0.12",
    Luau
);
