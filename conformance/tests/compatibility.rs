//! COMPATIBILITY.md says what the command table says.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::Path;

use redlua_conformance::{State, command_table, commands};

#[test]
fn the_committed_table_of_commands_is_current() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let commands = commands(&here.join("commands.jsonl")).unwrap();
    assert!(commands.len() > 200, "{} commands", commands.len());
    for command in &commands {
        let silent = command.note.is_empty();
        assert!(command.state != State::Partial || !silent, "{} lacks what?", command.name);
    }
    let committed = fs::read_to_string(here.join("../COMPATIBILITY.md")).unwrap();
    assert!(
        committed.contains(&command_table(&commands)),
        "COMPATIBILITY.md is out of date: \
         cargo run -p redlua-conformance -- compatibility > COMPATIBILITY.md"
    );
}
