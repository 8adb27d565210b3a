//! The Lua engines that the `mlua` crate vendors, as redlua backends.
//!
//! Owns their names and versions. What they do is in `redlua-capi`.

#[cfg(feature = "lua51")]
mod lua51 {
    use redlua_core::{Backend, BackendInfo, Dialect, Environment, Limits, Vm, VmError};

    /// PUC-Rio Lua 5.1, the language of redis-server: the reference backend.
    #[derive(Clone, Copy, Debug, Default)]
    pub struct Lua51;

    static INFO: BackendInfo = BackendInfo {
        name: "mlua-lua51",
        version: "Lua 5.1.5, vendored by mlua 0.12",
        dialect: Dialect::Lua51,
        pure_rust: false,
        limits_memory: true,
        limits_time: true,
        limits_instructions: true,
    };

    impl Backend for Lua51 {
        fn info(&self) -> &'static BackendInfo {
            &INFO
        }

        fn create(
            &self,
            environment: &Environment,
            limits: &Limits,
        ) -> Result<Box<dyn Vm>, VmError> {
            redlua_capi::create(&INFO, environment, limits)
        }
    }
}

#[cfg(feature = "lua51")]
pub use lua51::Lua51;
