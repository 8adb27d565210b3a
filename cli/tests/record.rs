//! `record`, and `diff` with what was recorded, from outside.
//!
//! Needs a redis-server 7.0.15 on the PATH, and says so when there is none.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::process::Command;

use redlua_test_servers::{Folder, Server};

/// Exit code, standard output and standard error.
fn redlua(args: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_redlua")).args(args).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// A folder of scripts that leave something of every type behind.
fn scripts() -> Folder {
    let folder = Folder::new();
    folder.write(
        "all.lua",
        "redis.call('SET', KEYS[1], '\\255\\0x', 'EX', 100)
        redis.call('RPUSH', 'l', 'a', 'b')
        redis.call('SADD', 's', 'z', 'y', 'x')
        redis.call('ZADD', 'z', 1.5, 'm')
        redis.call('HSET', 'h', 'f', 'v', 'g', 'w')
        redis.call('XADD', 'x', '1-1', 'f', 'v')
        return {1, 'two', redis.call('GET', 'seeded')}",
    );
    folder.write("all.args", "k\nother\n");
    folder.write("all.seed", "# first\nSET seeded \"a b\"\n");
    folder.write("fails.lua", "redis.call('SET', 'k', 1)\nreturn redis.call('LPUSH', 'k', 1)");
    folder.write("clock.lua", "return {redis.call('TIME'), 'x'}");
    folder.write("random.lua", "return redis.call('SRANDMEMBER', 's')");
    let members: Vec<String> = (0..1000).map(|n| format!("m{n}x")).collect();
    folder.write("random.seed", &format!("SADD s {}\n", members.join(" ")));
    folder
}

#[test]
fn what_was_recorded_is_answered_here() {
    let Some(server) = Server::start(&[]) else { return };
    server.ask("SET mine 1");
    let before = server.ask("INFO keyspace");
    let (folder, out) = (scripts(), Folder::new());
    let file = out.join("mine.jsonl");
    let cases = folder.path().to_str().unwrap();
    let args =
        ["record", "--redis", &server.url(), "--area", "shop", "--cases", cases, "-o", &file];
    let noted = format!("redlua: 5 cases in {file}\n");
    assert_eq!(redlua(&args), (0, String::new(), noted));
    assert_eq!(server.ask("INFO keyspace"), before);

    let text = fs::read_to_string(&file).unwrap();
    let cases: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let ids: Vec<&str> = cases.iter().map(|case| case["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["shop/all", "shop/all-2", "shop/clock", "shop/fails", "shop/random"]);
    let all = &cases[0];
    assert_eq!(all["setup"][0], serde_json::json!(["SET", "seeded", "a b"]));
    assert_eq!(all["steps"][0][0], "EVAL");
    assert_eq!(all["replies"][0], "*3\r\n:1\r\n$3\r\ntwo\r\n$3\r\na b\r\n");
    let steps = all["steps"].as_array().unwrap();
    let reply = |words: &[&str]| {
        let at = steps.iter().position(|step| *step == serde_json::json!(words)).unwrap();
        all["replies"][at].as_str().unwrap().to_owned()
    };
    assert_eq!(reply(&["GET", "k"]), "$3\r\n\u{ff}\0x\r\n");
    assert_eq!(reply(&["SORT", "s", "ALPHA"]), "*3\r\n$1\r\nx\r\n$1\r\ny\r\n$1\r\nz\r\n");
    assert_eq!(reply(&["PTTL", "k"]), ":0\r\n");
    assert_eq!(reply(&["PTTL", "l"]), ":-0\r\n");
    // What differs from run to run is masked, or skipped.
    assert_eq!(cases[2]["replies"][0], "*0\r\n*0\r\n$0\r\n0\r\n$0\r\n0\r\n$0\r\nx\r\n");
    assert!(cases[3]["replies"][0].as_str().unwrap().starts_with("-WRONGTYPE "));
    assert_eq!(cases[4]["replies"][0], "$0\r\nm0x\r\n");

    // Here, and on the server again.
    assert_eq!(redlua(&["diff", "--cases", &file]).1, "5 identical, 0 different\n");
    let args = ["diff", "--cases", &file, "--redis", &server.url()];
    assert_eq!(redlua(&args), (0, "5 identical, 0 different\n".into(), String::new()));
    assert_eq!(server.ask("INFO keyspace"), before);

    fs::write(&file, text.replace("$3\\r\\ntwo", "$3\\r\\nTWO")).unwrap();
    let (code, out, _) = redlua(&["diff", "--cases", &file]);
    assert_eq!(code, 1);
    assert!(out.starts_with("shop/all step 0: different\n"), "{out}");
    assert!(out.ends_with("3 identical, 2 different\n"), "{out}");
}

#[test]
fn one_script_goes_to_the_standard_output() {
    let Some(server) = Server::start(&["--requirepass", "secret"]) else { return };
    let folder = scripts();
    let url = server.url().replace("//", "//:secret@");
    let file = folder.join("all.lua");
    let args = ["record", "--redis", &url, "--resp", "3", &file, "key", ",", "arg"];
    let (code, out, error) = redlua(&args);
    assert_eq!((code, error.as_str()), (0, ""));
    let case: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&case["id"], &case["resp"]), (&"scripts/all".into(), &3.into()));
    assert_eq!(case["steps"][0][3], "key");
    assert_eq!(case["replies"][0], "*3\r\n:1\r\n$3\r\ntwo\r\n_\r\n");
}

#[test]
fn nothing_else_of_the_server_is_touched() {
    let Some(server) = Server::start(&[]) else { return };
    server.ask("SELECT 15\r\nSET mine 1");
    let folder = scripts();
    let (url, file) = (server.url(), folder.join("fails.lua"));
    let refused = |args: &[&str]| {
        let (code, out, error) = redlua(args);
        assert_eq!((code, out.as_str(), error.lines().count()), (2, "", 1), "{error}");
        error
    };
    assert!(refused(&["record", "--redis", &url, &file]).contains("holds 1 key;"));
    let far = folder.write("far.lua", "return redis.call('PUBLISH', 'channel', 'message')");
    let error = refused(&["record", "--redis", &url, "--scratch-db", "3", &far]);
    assert!(error.contains("calls publish, which reaches beyond"), "{error}");
    let case = |steps: &str| {
        let head = r#"{"id":"x/y","area":"x","resp":2,"steps":"#;
        folder.write("far.jsonl", &format!("{head}{steps},\"replies\":[\"+OK\\r\\n\"]}}"))
    };
    for steps in [
        r#"[["FLUSHALL"]]"#,
        r#"[["@on","b","select","0"]]"#,
        r#"[["RESET"]]"#,
        r#"[["SCRIPT","FLUSH"]]"#,
        r#"[["EVAL","return redis.call('SWAPDB',0,1)","0"]]"#,
    ] {
        let file = case(steps);
        let args = ["diff", "--redis", &url, "--scratch-db", "3", "--cases", &file];
        let error = refused(&args);
        assert!(error.contains("reaches beyond the scratch database"), "{steps}: {error}");
    }
    assert_eq!(server.ask("SELECT 15\r\nKEYS *"), "+OK\r\n*1\r\n$4\r\nmine\r\n");
    // And files that are no cases.
    let file = folder.write("bad.jsonl", "{}\n");
    assert!(refused(&["diff", "--cases", &file]).contains("bad.jsonl:1: missing field `id`"));
    assert!(refused(&["diff", "--cases", "/nowhere.jsonl"]).contains("/nowhere.jsonl: "));
    assert!(refused(&["diff", &folder.join("fails.lua")]).contains("--redis is missing"));
    let url = "unix:///nowhere.sock";
    assert!(
        refused(&["record", "--redis", url, &folder.join("fails.lua")]).contains("not redis://")
    );
}
