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

/// LuaJIT with its compiler, for scripts that are trusted: while neither time nor instructions are
/// limited, loops are compiled, and compiled loops cannot be stopped, not by `SCRIPT KILL` either.
/// With such a limit it is the interpreter.
#[cfg(feature = "luajit")]
#[derive(Clone, Copy, Debug, Default)]
pub struct LuaJitCompiled;

#[cfg(feature = "luajit")]
impl redlua_core::Backend for LuaJitCompiled {
    fn info(&self) -> &'static redlua_core::BackendInfo {
        static INFO: redlua_core::BackendInfo = redlua_core::BackendInfo {
            name: "mlua-luajit-compiled",
            version: "LuaJIT 2.1, compiler on while nothing limits time, vendored by mlua 0.12",
            dialect: redlua_core::Dialect::LuaJit,
            pure_rust: false,
            limits_memory: true,
            limits_time: false,
            limits_instructions: false,
            limits_depth: false,
        };
        &INFO
    }

    fn create(
        &self,
        environment: &redlua_core::Environment,
        limits: &redlua_core::Limits,
    ) -> Result<Box<dyn redlua_core::Vm>, redlua_core::VmError> {
        redlua_capi::create_compiling(self.info(), environment, limits)
    }
}

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
