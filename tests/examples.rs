//! The embedding example does what it says, in as many lines as it says.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../examples/custom_host.rs"]
mod custom_host;

const SOURCE: &str = include_str!("../examples/custom_host.rs");

#[test]
fn the_custom_host_runs() {
    custom_host::main().unwrap();
}

#[test]
fn the_custom_host_is_as_short_as_it_says() {
    let lines: Vec<&str> = SOURCE.lines().collect();
    assert!(lines.len() <= 60, "{} lines", lines.len());
    let mark = |text: &str| lines.iter().position(|line| line.trim() == text).unwrap();
    let block = &lines[mark("// redlua: from here") + 1..mark("// redlua: to here")];
    let code = block.iter().filter(|line| !line.trim().is_empty()).count();
    let marked = lines.iter().filter(|line| line.ends_with("; // redlua")).count();
    assert_eq!(code + marked, 20, "the header names another figure");
    // What is not marked does not mention redlua.
    let unmarked = lines.iter().filter(|line| {
        line.contains("redlua")
            && !line.trim_start().starts_with("//")
            && !line.ends_with("// redlua")
    });
    assert_eq!(unmarked.count(), 0);
}

#[test]
fn the_readme_shows_the_same_lines() {
    let readme = include_str!("../README.md");
    let from = SOURCE.find("impl Host for Mock").unwrap();
    let to = SOURCE.find("// redlua: to here").unwrap();
    assert!(readme.contains(SOURCE[from..to].trim_end()), "README.md shows another host");
}
