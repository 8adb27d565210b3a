//! Backends chosen at run time, side by side in one process: all that the build has.
//!
//! With the default features that is one; engines in Rust stand beside it:
//!
//! ```sh
//! cargo test -p redlua --features omnilua,piccolo --test backends
//! ```
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::thread;

use redlua::{Client, Connection, Engine, Reply, Script};

/// A client for each backend of the build, with its name.
fn clients() -> Vec<(&'static str, Client)> {
    let with = |name: &'static str| {
        let engine = Engine::new(redlua::backend(name).expect("it is listed"));
        (name, Client { engine, ..Client::new() })
    };
    redlua::backends().iter().map(|backend| with(backend.info().name)).collect()
}

fn eval(client: &mut Client, script: &str, words: &[&str]) -> Reply {
    let mut argv: Vec<&[u8]> = vec![b"EVAL", script.as_bytes()];
    argv.extend(words.iter().map(|word| word.as_bytes()));
    client.request(&argv)
}

fn text(text: &str) -> Reply {
    Reply::Bulk(text.as_bytes().to_vec())
}

#[test]
fn each_is_found_by_its_name() {
    let mut names: Vec<_> = redlua::backends().iter().map(|backend| backend.info().name).collect();
    for name in &names {
        assert_eq!(redlua::backend(name).expect("it is listed").info().name, *name);
    }
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count, "a name belongs to one backend");
    assert!(count > 0);
}

#[test]
fn an_unknown_name_lists_those_there_are() {
    for name in ["lua", "", "MLUA-LUA51", "mlua-lua51 "] {
        let error = redlua::backend(name).err().expect("there is no such backend").to_string();
        assert!(error.starts_with(&format!("no backend `{name}` in this build; it has ")));
        for backend in redlua::backends() {
            assert!(error.contains(backend.info().name), "{error}");
        }
    }
}

#[test]
fn they_answer_alike_and_do_not_share_a_state() {
    let mut clients = clients();
    // In turns, so that each runs while the states of the others are alive and half way.
    for round in 0..20 {
        for (name, client) in &mut clients {
            let script = "local n = redis.call('INCR', KEYS[1]) return ARGV[1] .. ':' .. n";
            let found = eval(client, script, &["1", "rounds", name]);
            assert_eq!(found, text(&format!("{name}:{}", round + 1)));
        }
    }
    // A script that one has loaded is unknown to the others.
    let script = Script::new("return 'loaded'");
    for at in 0..clients.len() {
        let (_, client) = &mut clients[at];
        client.request(&[b"SCRIPT".as_slice(), b"LOAD", b"return 'loaded'"]);
        for (other, (name, client)) in clients.iter_mut().enumerate() {
            let reply = client.request(&[b"EVALSHA".as_slice(), script.sha().as_bytes(), b"0"]);
            assert_eq!(reply == text("loaded"), other <= at, "{name}: {reply:?}");
        }
    }
}

#[test]
fn an_error_in_one_leaves_the_others_alone() {
    let mut clients = clients();
    for at in 0..clients.len() {
        let (name, client) = &mut clients[at];
        for script in ["error('x')", "local t = nil return t.x", "return redis.call('NONE')"] {
            assert!(matches!(eval(client, script, &["0"]), Reply::Error(_)), "{name}: {script}");
        }
        for (name, client) in &mut clients {
            assert_eq!(eval(client, "return 1 + 1", &["0"]), Reply::Integer(2), "{name}");
        }
    }
}

#[test]
fn they_run_in_threads_of_their_own() {
    let threads: Vec<_> = clients()
        .into_iter()
        .map(|(name, mut client)| {
            thread::spawn(move || {
                let script = "local t = {} for i = 1, 1000 do t[i] = i end return #cjson.encode(t)";
                (0..50)
                    .all(|_| eval(&mut client, script, &["0"]) == Reply::Integer(3894))
                    .then_some(name)
            })
        })
        .collect();
    for thread in threads {
        assert!(thread.join().expect("nothing panics").is_some());
    }
}
