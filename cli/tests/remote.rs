//! `run --redis` and `diff`, from outside, against real servers.
//!
//! Needs a redis-server 7.0.15 on the PATH, and says so when there is none.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::net::TcpListener;
use std::process::Command;

use redlua_test_servers::{Fault, Folder, Proxy, Server};

/// Exit code, standard output and standard error.
fn redlua(args: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_redlua")).args(args).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// The one line of an error for which nothing could be run.
fn refused(args: &[&str]) -> String {
    let (code, out, error) = redlua(args);
    assert_eq!((code, out.as_str()), (2, ""), "{args:?}: {error}");
    assert_eq!(error.lines().count(), 1, "{error}");
    let parts: Vec<&str> = error.trim_end().split(": ").collect();
    assert!(parts.windows(2).all(|pair| pair[0] != pair[1]), "{error}");
    error.strip_prefix("redlua: ").unwrap().trim_end().to_owned()
}

/// Everything that a server holds.
fn content(server: &Server) -> String {
    server.ask("INFO keyspace")
}

const BUMP: &str = "redis.call('HSET', KEYS[1], 'by', ARGV[1])
return {redis.call('HINCRBY', KEYS[1], 'n', ARGV[1]), redis.call('HGETALL', KEYS[1])}";

#[test]
fn run_on_the_server_or_here_with_its_data() {
    let Some(server) = Server::start(&[]) else { return };
    let folder = Folder::new();
    let file = folder.write("bump.lua", BUMP);
    let url = server.url();
    let there = redlua(&["run", "--format", "json", "--redis", &url, &file, "h", ",", "2"]);
    assert_eq!(there, (0, "[2,[\"by\",\"2\",\"n\",\"2\"]]\n".into(), String::new()));
    let local =
        redlua(&["run", "--format", "json", "--redis", &url, "--local", &file, "h", ",", "2"]);
    let cost = format!("redlua: 3 round trips to {url}, not atomic\n");
    assert_eq!(local, (0, "[4,[\"by\",\"2\",\"n\",\"4\"]]\n".into(), cost));
    let failing = "return redis.call('GET', KEYS[1])";
    let (code, out, error) = redlua(&["eval", "--redis", &url, "--local", failing, "1", "h"]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(error.contains("(error) WRONGTYPE") && error.contains("1 round trip to"), "{error}");
    let map = "redis.setresp(3) return redis.call('HGETALL', KEYS[1])";
    for local in [&[][..], &["--local"]] {
        let args = [&["eval", "--resp", "3", "--redis", &url], local, &[map, "1", "h"]].concat();
        let (code, out, _) = redlua(&args);
        assert_eq!((code, out.as_str()), (0, "1# \"n\" => \"4\"\n2# \"by\" => \"2\"\n"));
        let args = [&["eval", "--read-only", "--redis", &url], local, &[BUMP, "1", "h", "1"]];
        let (code, _, error) = redlua(&args.concat());
        assert_eq!(code, 1);
        assert!(error.contains("Write commands are not allowed from read-only scripts"), "{error}");
    }
}

#[test]
fn servers_that_cannot_be_used() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let nobody = format!("redis://127.0.0.1:{port}");
    let folder = Folder::new();
    let file = folder.write("x.lua", "return 1");
    let refusal = format!("{nobody} cannot be reached: Connection refused (os error 111)");
    assert_eq!(refused(&["run", "--redis", &nobody, &file]), refusal);
    assert_eq!(refused(&["run", "--redis", &nobody, "--local", &file]), refusal);
    let refusal = refusal.replace(" cannot", "/15 cannot");
    assert_eq!(refused(&["diff", "--redis", &nobody, &file]), refusal);
    assert!(refused(&["run", "--redis", "x://y", &file]).starts_with("x://y is no address of a R"));

    let Some(server) = Server::start(&["--requirepass", "secret"]) else { return };
    for args in [&["run", "--redis"][..], &["eval", "--local", "--redis"], &["diff", "--redis"]] {
        let url = server.url();
        let mut args = [args, &[&url, &file]].concat();
        if args[0] == "eval" {
            args.push("0");
        }
        let error = refused(&args);
        let refusal = "refuses to let us in: NOAUTH Authentication required.";
        assert!(error.starts_with(&url) && error.ends_with(refusal), "{error}");
        let url = url.replace("//", "//:wrong@");
        args.iter_mut().filter(|arg| arg.starts_with("redis:")).for_each(|arg| *arg = &url);
        let error = refused(&args);
        assert!(error.contains("refuses to let us in") && !error.contains("wrong@"), "{error}");
    }
    let url = server.url().replace("//", "//:secret@");
    assert_eq!(redlua(&["diff", "--redis", &url, &file]).0, 0);
}

#[test]
fn diff_agrees() {
    let Some(server) = Server::start(&[]) else { return };
    server.ask("SET mine 1");
    let before = content(&server);
    let folder = Folder::new();
    let file = folder.write("bump.lua", BUMP);
    let seed = folder.write("seed", "HSET h n 40\nSET other x EX 100\n");
    let url = server.url();
    for resp in ["2", "3"] {
        let args = ["diff", "--redis", &url, "--resp", resp, "--seed", &seed, &file, "h", ",", "2"];
        let expected = (0, "1 identical, 0 different\n".into(), String::new());
        assert_eq!(redlua(&args), expected);
        let args = ["diff", &file, "h", ",", "2", "--seed", &seed, "--redis", &url, "--resp", resp];
        assert_eq!(redlua(&args), expected);
        assert_eq!(content(&server), before);
    }
    // An error on both sides is the same when its text is.
    let file = folder.write("wrong.lua", "redis.call('SET', 'k', 1)\nreturn redis.call('NOSUCH')");
    assert_eq!(redlua(&["diff", "--redis", &url, &file]).0, 0);
    assert_eq!(content(&server), before);
}

#[test]
fn diff_shows_both_sides() {
    let Some(server) = Server::start(&["--list-max-listpack-size", "1"]) else { return };
    let folder = Folder::new();
    let script = "redis.call('SET', 'run', redis.call('TIME')[2])
        redis.call('RPUSH', 'l', 1, 2)
        return redis.call('CONFIG', 'GET', 'maxmemory-samples')";
    let url = server.url();
    let reckless = folder.write("config.lua", script);
    let (code, _, error) = redlua(&["diff", "--redis", &url, &reckless]);
    // The gate refuses CONFIG on both sides; the time is what differs.
    assert_eq!(code, 1, "{error}");

    let port = "local info = redis.call('INFO', 'server')
        redis.call('SET', 'port', string.match(info, 'tcp_port:(%d+)'))
        redis.call('SET', 'same', 1)
        return {'x', string.match(info, 'tcp_port:(%d+)')}";
    let file = folder.write("port.lua", port);
    let (code, out, error) = redlua(&["diff", "--redis", &url, &file, "k", ",", "a b"]);
    assert_eq!((code, error.as_str()), (1, ""), "{out}");
    let port = server.port();
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines[0], format!("{file} k , a b"), "{out}");
    assert!(lines[1].contains("redlua") && lines[1].contains(&format!("{url}/15")), "{out}");
    assert_eq!(lines[2].split_whitespace().collect::<Vec<_>>(), ["1)", "\"x\"", "1)", "\"x\""]);
    assert!(lines[3].contains(" | ") && lines[3].ends_with(&format!("\"{port}\"")), "{out}");
    assert!(lines[4].contains(" | ") && lines[4].ends_with(&format!("SET port {port}")), "{out}");
    assert!(!lines[5].contains('|') && lines[5].contains("SET same 1"), "{out}");
    assert_eq!(lines[6], "0 identical, 1 different");
    // No terminal, no colour.
    assert!(!out.contains('\x1b'), "{out:?}");
    assert_eq!(content(&server), "$12\r\n# Keyspace\r\n\r\n");
}

#[test]
fn diff_runs_a_folder() {
    let Some(server) = Server::start(&[]) else { return };
    let folder = Folder::new();
    folder.write("bump.lua", BUMP);
    folder.write("bump.args", "h , 2\n\n\"a b\" , 3\n");
    folder.write("bump.seed", "# begin\nHSET h n 1\n");
    folder.write("plain.lua", "return #KEYS");
    folder.write("notes.txt", "no script");
    let url = server.url();
    let cases = folder.path().to_str().unwrap();
    let (code, out, error) = redlua(&["diff", "--redis", &url, "--cases", cases]);
    assert_eq!((code, out.as_str(), error.as_str()), (0, "3 identical, 0 different\n", ""));
    let time = "return redis.call('INFO', 'server')";
    folder.write("time.lua", time);
    let (code, out, _) = redlua(&["diff", "--redis", &url, "--cases", cases]);
    assert_eq!(code, 1);
    assert!(out.ends_with("3 identical, 1 different\n"), "{out}");
    folder.write("bump.args", "\"h , 2\n");
    let error = refused(&["diff", "--redis", &url, "--cases", cases]);
    assert!(error.ends_with("bump.args:1: unbalanced quotes"), "{error}");
    let empty = Folder::new();
    let error = refused(&["diff", "--redis", &url, "--cases", empty.path().to_str().unwrap()]);
    assert!(error.ends_with(": no .lua file"), "{error}");
    assert_eq!(content(&server), "$12\r\n# Keyspace\r\n\r\n");
}

#[test]
fn diff_touches_nobodys_data() {
    let Some(server) = Server::start(&[]) else { return };
    server.ask("SELECT 15\r\nSET mine 1\r\nSELECT 0\r\nSET mine 2");
    let before = content(&server);
    let folder = Folder::new();
    let file = folder.write("x.lua", "return redis.call('SET', 'mine', 'gone')");
    let url = server.url();
    let error = refused(&["diff", "--redis", &url, &file]);
    let expected = format!(
        "database 15 of {url}/15 holds 1 key; give the number of an empty one with --scratch-db"
    );
    assert_eq!(error, expected);
    assert!(
        refused(&["diff", "--redis", &url, "--scratch-db", "0", &file]).contains("holds 1 key")
    );
    assert!(refused(&["diff", "--redis", &url, "--scratch-db", "99", &file]).contains("DB index"));
    // The address' own database is not the one that is used.
    let zero = format!("{url}/0");
    let args = ["diff", "--redis", &zero, "--scratch-db", "7", &file];
    assert_eq!(redlua(&args).0, 0);
    // Whatever a script reaches for is known before it runs there.
    for call in ["'FLUSHALL'", "'SELECT', 0", "'SWAPDB', 0, 15", "'MOVE', 'mine', 0"] {
        let file = folder.write("far.lua", &format!("return redis.call({call})"));
        let error = refused(&["diff", "--redis", &url, "--scratch-db", "7", &file]);
        assert!(error.contains("reaches beyond the scratch database"), "{call}: {error}");
    }
    let file = folder.write("far.lua", "redis.call('SELECT', 0) return redis.call('GET', 'mine')");
    let args = ["diff", "--redis", &url, "--scratch-db", "7", "--reckless", &file];
    assert_eq!(redlua(&args).0, 1);
    let seed = folder.write("bad.seed", "SET k\n");
    let args = ["diff", "--redis", &url, "--scratch-db", "7", "--seed", &seed, &file];
    assert!(refused(&args).contains("bad.seed:1: SET k: ERR wrong number of arguments"));
    assert_eq!(content(&server), before);
}

#[test]
fn servers_that_fail_meanwhile() {
    let Some(server) = Server::start(&[]) else { return };
    server.ask("SET mine 1");
    let before = content(&server);
    let folder = Folder::new();
    let file = folder.write("x.lua", "redis.call('SET', 'a', 1) return redis.call('GET', 'boom')");
    for (fault, what) in [
        (Fault::DropAt("boom"), "dropped the connection"),
        (Fault::SilentAt("boom"), "does not answer in time"),
    ] {
        let proxy = Proxy::start(&server, fault);
        let url = proxy.url();
        // The script itself contains the word: the server is lost with it.
        let error = refused(&["diff", "--timeout", "1", "--redis", &url, &file]);
        assert!(error.starts_with(&format!("{url}/15 {what}: ")), "{error}");
        let args = ["run", "--timeout", "1", "--redis", &url, &file];
        let (code, out, error) = redlua(&args);
        assert_eq!((code, out.as_str()), (1, ""));
        assert!(error.starts_with(&format!("(error) ERR {url} {what}")), "{error}");
        let args = ["run", "--timeout", "1", "--local", "--redis", &format!("{url}/3"), &file];
        let (code, out, error) = redlua(&args);
        assert_eq!((code, out.as_str()), (1, ""));
        assert!(error.contains(&format!("(error) ERR {url}/3 {what}")), "{error}");
        assert!(error.contains(", on @user_script:1."), "{error}");
        assert!(error.contains("2 round trips to"), "{error}");
        server.ask("SELECT 3\r\nFLUSHDB\r\nSELECT 0\r\nDEL a");
    }
    assert_eq!(content(&server), before);
}

#[test]
fn another_version_is_told() {
    let Some(server) = Server::start(&[]) else { return };
    let proxy = Proxy::start(&server, Fault::Version("7.2.99"));
    let folder = Folder::new();
    let file = folder.write("x.lua", "return 1");
    let note = "redlua: the server is 7.2.99; redlua answers as 7.0 does\n";
    let (code, out, error) = redlua(&["diff", "--redis", &proxy.url(), &file]);
    assert_eq!((code, out.as_str()), (0, "1 identical, 0 different\n"));
    assert_eq!(error, note);
    let (code, _, error) = redlua(&["run", "--local", "--redis", &proxy.url(), &file]);
    assert_eq!((code, error.lines().next()), (0, Some(note.trim_end())));
}

#[test]
fn a_script_without_an_end_stays_here() {
    let Some(server) = Server::start(&[]) else { return };
    let folder = Folder::new();
    let file = folder.write("x.lua", "local s = 'x' while true do s = s .. s end");
    let error = refused(&["diff", "--redis", &server.url(), &file]);
    assert!(error.ends_with("x.lua: exceeds a limit here, so it was not run on the server"));
    assert!(!server.ask("INFO commandstats").contains("cmdstat_eval"));
}

#[test]
fn the_example_scripts_are_answered_alike() {
    let Some(server) = Server::start(&[]) else { return };
    let url = server.url();
    let cases = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/scripts");
    for resp in ["2", "3"] {
        let args = ["diff", "--redis", &url, "--resp", resp, "--cases", cases];
        let expected = (0, "47 identical, 0 different\n".into(), String::new());
        assert_eq!(redlua(&args), expected);
    }
    let script = format!("{cases}/token_bucket.lua");
    let args =
        ["run", "--local", "--redis", &url, &script, "bucket:ada", ",", "10", "1", "1000", "3"];
    let (code, out, error) = redlua(&args);
    assert_eq!((code, out.as_str()), (0, "1) (integer) 1\n2) (integer) 7\n3) (integer) 0\n"));
    assert_eq!(error, format!("redlua: 3 round trips to {url}, not atomic\n"));
}
