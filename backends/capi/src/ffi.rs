//! The C interface of the Lua that this build links, in the form that Lua 5.1's headers give it.
//!
//! Owns what differs between the interfaces: the rest of the crate is written against the names
//! below, whichever Lua there is. It must not know what they are used for.
//!
//! | module | Lua | declared by |
//! |---|---|---|
//! | `mlua51` | Lua 5.1, LuaJIT | `mlua` |
//! | `puc` | Lua 5.1, Lua 5.4 | here; `rlua`'s or `mlua`'s crate links it |
//! | `luau` | Luau | `mlua` |

#[cfg(all(any(lua51, luajit), not(declared)))]
mod mlua51;
#[cfg(declared)]
mod puc;

#[cfg(all(any(lua51, luajit), not(declared)))]
pub(crate) use mlua51::*;
#[cfg(declared)]
pub(crate) use puc::*;
