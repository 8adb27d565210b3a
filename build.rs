//! Counts the Lua engines that are asked for: two in C would mix their symbols.
//!
//! Owns the list of features that name one. `mlua` refuses two of its own too, in the names of
//! its own features, and cargo may show only the first error it meets; with `--keep-going` both.
//! `rlua` and `mlua` refuse nothing: without this they may silently share one library.

/// The features of backends written in C.
const C_LUAS: [&str; 6] =
    ["mlua-lua51", "mlua-luajit", "mlua-lua54", "mlua-luau", "rlua-lua51", "rlua-lua54"];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(c_lua, values(\"none\", \"one\", \"many\"))");
    let asked: Vec<&str> = C_LUAS.into_iter().filter(|feature| is_asked(feature)).collect();
    let count = match asked.len() {
        0 => "none",
        1 => "one",
        _ => "many",
    };
    println!("cargo::rustc-cfg=c_lua=\"{count}\"");
    if asked.len() > 1 {
        println!(
            "cargo::error=redlua links one C Lua: the cargo features `{}` exclude each other",
            asked.join("` and `")
        );
    }
}

fn is_asked(feature: &str) -> bool {
    let variable = feature.to_ascii_uppercase().replace('-', "_");
    std::env::var_os(format!("CARGO_FEATURE_{variable}")).is_some()
}
