//! Names the families of Lua behind the cargo features, for `cfg`.
//!
//! Owns which feature belongs to which family; what differs between families stands in `src`.

use std::env;

/// A `cfg` and the features that set it.
const FAMILIES: [(&str, &[&str]); 6] = [
    // PUC-Rio Lua 5.1 itself.
    ("lua51", &["MLUA_LUA51", "RLUA_LUA51"]),
    ("luajit", &["MLUA_LUAJIT"]),
    ("lua54", &["MLUA_LUA54", "RLUA_LUA54"]),
    ("luau", &["MLUA_LUAU"]),
    // The C interface is declared here, because the crate that links the library declares
    // callbacks that must not raise.
    ("declared", &["RLUA_LUA51", "RLUA_LUA54", "MLUA_LUA54"]),
    // There is an engine at all.
    (
        "engine",
        &["MLUA_LUA51", "RLUA_LUA51", "MLUA_LUAJIT", "MLUA_LUA54", "RLUA_LUA54", "MLUA_LUAU"],
    ),
];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    for (family, features) in FAMILIES {
        println!("cargo::rustc-check-cfg=cfg({family})");
        if features.iter().any(|name| env::var_os(format!("CARGO_FEATURE_{name}")).is_some()) {
            println!("cargo::rustc-cfg={family}");
        }
    }
}
