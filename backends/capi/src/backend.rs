//! A backend as the crates that link a Lua declare it.
//!
//! Owns the one form they have: a name, a version and a dialect. It must not know which there are.

/// Declares a backend on the C Lua that is linked: a unit struct that implements
/// [`Backend`](redlua_core::Backend).
#[macro_export]
macro_rules! backend {
    ($(#[$doc:meta])* $name:ident, $feature:literal, $version:literal, $dialect:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default)]
        pub struct $name;

        impl redlua_core::Backend for $name {
            fn info(&self) -> &'static redlua_core::BackendInfo {
                static INFO: redlua_core::BackendInfo = redlua_core::BackendInfo {
                    name: $feature,
                    version: $version,
                    dialect: redlua_core::Dialect::$dialect,
                    pure_rust: false,
                    limits_memory: true,
                    limits_time: true,
                    limits_instructions: true,
                    // LUAI_MAXCCALLS is compiled in.
                    limits_depth: false,
                };
                &INFO
            }

            fn create(
                &self,
                environment: &redlua_core::Environment,
                limits: &redlua_core::Limits,
            ) -> Result<Box<dyn redlua_core::Vm>, redlua_core::VmError> {
                $crate::create(redlua_core::Backend::info(self), environment, limits)
            }
        }
    };
}
