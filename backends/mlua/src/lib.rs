//! The Lua engines that the `mlua` crate vendors, as redlua backends.
//!
//! Owns their names and versions. What they do is in `redlua-capi`.
#![forbid(unsafe_code)]

/// A backend of that name on the one C Lua that is linked.
#[cfg(any(feature = "lua51", feature = "luajit"))]
macro_rules! backend {
    ($(#[$doc:meta])* $name:ident, $info:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default)]
        pub struct $name;

        impl redlua_core::Backend for $name {
            fn info(&self) -> &'static redlua_core::BackendInfo {
                static INFO: redlua_core::BackendInfo = $info;
                &INFO
            }

            fn create(
                &self,
                environment: &redlua_core::Environment,
                limits: &redlua_core::Limits,
            ) -> Result<Box<dyn redlua_core::Vm>, redlua_core::VmError> {
                redlua_capi::create(redlua_core::Backend::info(self), environment, limits)
            }
        }
    };
}

#[cfg(feature = "lua51")]
backend!(
    /// PUC-Rio Lua 5.1, the language of redis-server: the reference backend.
    Lua51,
    redlua_core::BackendInfo {
        name: "mlua-lua51",
        version: "Lua 5.1.5, vendored by mlua 0.12",
        dialect: redlua_core::Dialect::Lua51,
        pure_rust: false,
        limits_memory: true,
        limits_time: true,
        limits_instructions: true,
        // LUAI_MAXCCALLS is compiled in.
        limits_depth: false,
    }
);

#[cfg(feature = "luajit")]
backend!(
    /// LuaJIT's interpreter. Its compiler is off: compiled code could not be stopped.
    LuaJit,
    redlua_core::BackendInfo {
        name: "mlua-luajit",
        version: "LuaJIT 2.1, interpreter only, vendored by mlua 0.12",
        dialect: redlua_core::Dialect::LuaJit,
        pure_rust: false,
        limits_memory: true,
        limits_time: true,
        limits_instructions: true,
        // LUAI_MAXCCALLS is compiled in.
        limits_depth: false,
    }
);
