//! The Lua engines of `rlua` 0.19.8, as redlua backends.
//!
//! Owns their names and versions. What they do is in `redlua-capi`, which makes its Lua states
//! itself: `rlua` ends the process when it is called at its memory limit.
#![forbid(unsafe_code)]

#[cfg(feature = "lua51")]
redlua_capi::backend!(
    /// PUC-Rio Lua 5.1.
    Lua51,
    "rlua-lua51",
    "Lua 5.1.5, of rlua 0.19.8",
    Lua51
);

#[cfg(feature = "lua54")]
redlua_capi::backend!(
    /// PUC-Rio Lua 5.4 with the library of Lua 5.1.
    Lua54,
    "rlua-lua54",
    "Lua 5.4.6, of rlua 0.19.8",
    Lua54
);
