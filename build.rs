//! Refuses a build with two C Luas: their symbols would mix. `mlua` refuses too, in the names of
//! its own features, and cargo may show only the first error it meets; with `--keep-going` both.

fn main() {
    const C_LUAS: [(&str, &str); 2] =
        [("mlua-lua51", "CARGO_FEATURE_MLUA_LUA51"), ("mlua-luajit", "CARGO_FEATURE_MLUA_LUAJIT")];
    println!("cargo::rerun-if-changed=build.rs");
    let asked: Vec<&str> = C_LUAS
        .into_iter()
        .filter(|(_, variable)| std::env::var_os(variable).is_some())
        .map(|(feature, _)| feature)
        .collect();
    if asked.len() > 1 {
        println!(
            "cargo::error=redlua links one C Lua: the cargo features `{}` exclude each other",
            asked.join("` and `")
        );
    }
}
