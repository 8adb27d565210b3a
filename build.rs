//! Refuses a build with two C Luas before any of them is compiled: their symbols would mix, and
//! the error of a dependency that notices would name its features, not ours.

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
