//! The list of backends that this build contains, and nowhere else.

use std::fmt;
use std::sync::Arc;

use redlua_core::Backend;
use redlua_server::Server;

/// The compiled-in backends, the default first.
///
/// ```
/// let names: Vec<_> = redlua::backends().iter().map(|backend| backend.info().name).collect();
/// assert!(!names.is_empty());
/// ```
pub fn backends() -> Vec<Arc<dyn Backend>> {
    vec![
        #[cfg(feature = "mlua-lua51")]
        Arc::new(redlua_mlua::Lua51),
        #[cfg(feature = "mlua-luajit")]
        Arc::new(redlua_mlua::LuaJit),
        #[cfg(feature = "omnilua")]
        Arc::new(redlua_omnilua::OmniLua),
        #[cfg(feature = "mlua-lua54")]
        Arc::new(redlua_mlua::Lua54),
        #[cfg(feature = "mlua-luau")]
        Arc::new(redlua_mlua::Luau),
        #[cfg(feature = "rlua-lua51")]
        Arc::new(redlua_rlua::Lua51),
        #[cfg(feature = "rlua-lua54")]
        Arc::new(redlua_rlua::Lua54),
        #[cfg(feature = "piccolo")]
        Arc::new(redlua_piccolo::Piccolo),
    ]
}

/// The compiled-in backend of that name.
///
/// # Errors
/// There is none; the error lists those there are.
pub fn backend(name: &str) -> Result<Arc<dyn Backend>, UnknownBackend> {
    backends()
        .into_iter()
        .find(|backend| backend.info().name == name)
        .ok_or_else(|| UnknownBackend { name: name.to_owned() })
}

/// A server of an empty store, on the default backend.
///
/// ```
/// use std::time::Duration;
///
/// let connection = redlua::new_server().connect();
/// connection.send(&["EVAL", "return {1, ARGV[1]}", "0", "x"]);
/// assert_eq!(connection.recv(Duration::from_secs(5)), Some(b"*2\r\n:1\r\n$1\r\nx\r\n".to_vec()));
/// ```
pub fn new_server() -> Server {
    Server::with_backend(first())
}

/// The backend a client gets when nobody chooses.
pub(crate) fn first() -> Arc<dyn Backend> {
    // The compile-time guard sees to it that there is one.
    backends().swap_remove(0)
}

/// A backend was asked for that this build does not contain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownBackend {
    name: String,
}

impl fmt::Display for UnknownBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = backends().iter().map(|backend| backend.info().name).collect();
        write!(f, "no backend `{}` in this build; it has {}", self.name, names.join(", "))
    }
}

impl std::error::Error for UnknownBackend {}
