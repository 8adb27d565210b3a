//! The binary, from outside.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

fn redlua(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_redlua")).args(args).output().unwrap()
}

/// Standard output of a run that succeeds.
fn shown(args: &[&str]) -> String {
    let output = redlua(args);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{args:?}: {error}");
    assert_eq!(error, "");
    String::from_utf8(output.stdout).unwrap()
}

/// Exit code, standard output and standard error.
fn failure(args: &[&str]) -> (i32, String, String) {
    let output = redlua(args);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

struct File(PathBuf);

impl File {
    fn new(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("redlua-{}-{name}", std::process::id()));
        fs::write(&path, text).unwrap();
        File(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[test]
fn eval_shows_the_reply_as_redis_cli_does() {
    assert_eq!(shown(&["eval", "return 1", "0"]), "(integer) 1\n");
    assert_eq!(
        shown(&["eval", "return {KEYS[1], ARGV[1], false, {}}", "1", "k", "-a \n"]),
        "1) \"k\"\n2) \"-a \\n\"\n3) (nil)\n4) (empty array)\n"
    );
    assert_eq!(shown(&["eval", "return redis.call('SET', KEYS[1], 'v')", "1", "k"]), "OK\n");
}

#[test]
fn the_protocol_and_the_format_can_be_chosen() {
    let map = "redis.setresp(3) return {map={a=true}}";
    assert_eq!(shown(&["eval", map, "0"]), "1) \"a\"\n2) (integer) 1\n");
    assert_eq!(shown(&["eval", "--resp", "3", map, "0"]), "1# \"a\" => (true)\n");
    assert_eq!(shown(&["eval", "--resp", "3", "--format", "json", map, "0"]), "{\"a\":true}\n");
    assert_eq!(shown(&["eval", "--resp", "3", "--format", "raw", map, "0"]), "a (true)\n");
    assert_eq!(shown(&["eval", "--format", "resp", map, "0"]), "*2\r\n$1\r\na\r\n:1\r\n");
    assert_eq!(
        shown(&["eval", "--resp", "3", "--format", "resp", map, "0"]),
        "%1\r\n$1\r\na\r\n#t\r\n"
    );
    assert_eq!(redlua(&["eval", "--resp", "4", "return 1", "0"]).status.code(), Some(2));
}

#[test]
fn a_failing_script_is_exit_code_1() {
    let (code, out, error) = failure(&["eval", "return redis.call('NOSUCH')", "0"]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(
        error.starts_with("(error) ERR Unknown Redis command called from script script: "),
        "{error}"
    );
    let (code, _, error) = failure(&["eval", "return 1", "-1"]);
    assert_eq!((code, error.as_str()), (1, "(error) ERR Number of keys can't be negative\n"));
    let (code, _, error) = failure(&["eval", "--read-only", "return redis.call('DEL', 'k')", "0"]);
    assert_eq!(code, 1);
    assert!(error.contains("Write commands are not allowed from read-only scripts"), "{error}");
}

#[test]
fn run_takes_keys_a_comma_and_arguments() {
    let script = File::new("run.lua", "return {#KEYS, #ARGV, KEYS[2] or '', ARGV[1] or ''}");
    let file = script.path();
    assert_eq!(
        shown(&["run", "--format", "json", file, "a", "b", ",", "x", ",", "-y"]),
        "[2,3,\"b\",\"x\"]\n"
    );
    assert_eq!(shown(&["run", "--format", "json", file]), "[0,0,\"\",\"\"]\n");
    assert_eq!(shown(&["run", "--format", "json", file, ",", "x"]), "[0,1,\"\",\"x\"]\n");
    // Options may stand behind; what is none, or stands behind `--`, is a word.
    assert_eq!(shown(&["run", file, "a", ",", "--x", "--format", "json"]), "[1,1,\"\",\"--x\"]\n");
    assert_eq!(
        shown(&["run", "--format", "raw", file, ",", "--", "--format"]),
        "0\n1\n\n--format\n"
    );
    let (code, _, error) = failure(&["run", "/nowhere/x.lua"]);
    assert_eq!(code, 2);
    assert!(error.starts_with("redlua: /nowhere/x.lua: "), "{error}");
}

#[test]
fn run_reads_the_standard_input() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_redlua"))
        .args(["run", "-", "k", ",", "v"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"return KEYS[1] .. ARGV[1]").unwrap();
    assert_eq!(child.wait_with_output().unwrap().stdout, b"\"kv\"\n");
}

#[test]
fn a_seed_is_planted_before_the_script() {
    let seed = File::new(
        "seed",
        "# a comment\n\nSET k \"a \\x41\"\r\nRPUSH l 'x y' z\nSELECT 3\nSET k 3\n",
    );
    let script = "return {redis.call('GET', 'k'), redis.call('LRANGE', 'l', 0, -1)}";
    assert_eq!(
        shown(&["eval", "--format", "json", "--seed", seed.path(), script, "0"]),
        "[\"a A\",[\"x y\",\"z\"]]\n"
    );
}

#[test]
fn a_bad_seed_names_its_line() {
    let wrong = File::new("wrong-type", "SET k v\n\nLPUSH k x\n");
    let (code, out, error) = failure(&["eval", "--seed", wrong.path(), "return 1", "0"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(error.contains("wrong-type:3: LPUSH k x: WRONGTYPE "), "{error}");
    let quotes = File::new("quotes", "SET k \"v\n");
    let (code, _, error) = failure(&["eval", "--seed", quotes.path(), "return 1", "0"]);
    assert_eq!(code, 2);
    assert!(error.ends_with("quotes:1: unbalanced quotes\n"), "{error}");
    let unknown = File::new("unknown", "NOSUCH\n");
    assert_eq!(failure(&["eval", "--seed", unknown.path(), "return 1", "0"]).0, 2);
    assert_eq!(failure(&["eval", "--seed", "/nowhere/seed", "return 1", "0"]).0, 2);
}

const FILL: &str = "
    redis.call('SET', 'b str', 'x\\0', 'PX', 60000)
    redis.call('RPUSH', 'list', '1', '', '#')
    redis.call('SADD', 'set', 'b', 'a')
    redis.call('ZADD', 'zset', 2, 'm', 1.5, 'n')
    redis.call('HSET', 'hash', 'f', 'v', 'a', 'w')
    redis.call('XADD', 'xs', '1-1', 'f', 'v')
    redis.call('SELECT', 2)
    redis.call('SET', 'other', '1')
    return 1";

const FILLED: &str = "\
SET \"b str\" \"x\\x00\"
PEXPIRE \"b str\" 60000
HSET hash a w f v
RPUSH list 1 \"\" \"#\"
SADD set a b
XADD xs 1-1 f v
ZADD zset 1.5 n 2 m
SELECT 2
SET other 1
";

#[test]
fn the_databases_are_shown_as_a_seed() {
    let now = "1700000000000";
    let first = shown(&["eval", "--db", "--now", now, FILL, "0"]);
    assert_eq!(first, format!("(integer) 1\n{FILLED}"));
    let seed = File::new("filled", FILLED);
    let again = shown(&["eval", "--db", "--now", now, "--seed", seed.path(), "return 1", "0"]);
    assert_eq!(again, first);
}

#[test]
fn the_databases_are_shown_as_json() {
    let json = shown(&["eval", "--db", "--format", "json", "--now", "1700000000000", FILL, "0"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["reply"], 1);
    assert_eq!(json["db"]["0"]["b str"]["pttl"], 60000);
    assert_eq!(json["db"]["0"]["hash"]["type"], "hash");
    assert_eq!(json["db"]["0"]["hash"]["value"]["f"], "v");
    assert_eq!(json["db"]["0"]["zset"]["value"][0], "n");
    assert_eq!(json["db"]["2"]["other"]["value"], "1");
}

#[test]
fn a_failing_script_still_shows_the_databases() {
    let script = "redis.call('SET', 'k', 'v') error('x')";
    let (code, out, error) = failure(&["eval", "--db", script, "0"]);
    assert_eq!((code, out.as_str()), (1, "SET k v\n"));
    assert!(error.starts_with("(error) ERR user_script:1: x"), "{error}");
}

#[test]
fn the_clock_can_stand_still() {
    let script = "local t = redis.call('TIME') return {t[1], t[2]}";
    assert_eq!(
        shown(&["eval", "--format", "json", "--now", "1700000000123", script, "0"]),
        "[\"1700000000\",\"123000\"]\n"
    );
}

#[test]
fn limits_can_be_chosen() {
    let stopped = |option: &str, count: &str, script: &str| {
        let (code, _, error) = failure(&["eval", option, count, script, "0"]);
        assert_eq!(code, 1, "{error}");
        error
    };
    let error = stopped("--time-limit", "50", "while true do end");
    assert!(error.contains("ERR Script exceeded its time limit"), "{error}");
    let error = stopped("--instruction-limit", "100000", "while true do end");
    assert!(error.contains("ERR Script exceeded its instruction limit"), "{error}");
    let error = stopped("--memory-limit", "4", "return #string.rep('x', 8000000)");
    assert!(error.contains("not enough memory"), "{error}");
    let reply = shown(&["eval", "--memory-limit", "16", "return #string.rep('x', 8000000)", "0"]);
    assert_eq!(reply, "(integer) 8000000\n");
    let refused =
        failure(&["eval", "--redis", "redis://127.0.0.1:1", "--time-limit", "1", "x", "0"]);
    assert_eq!(refused.0, 2);
    assert!(refused.2.contains("add --local"), "{}", refused.2);
}

#[test]
fn backends_are_listed_and_chosen() {
    let table = shown(&["backends"]);
    let name = table.lines().nth(1).unwrap().split(' ').next().unwrap().to_owned();
    assert_eq!(shown(&["eval", "--backend", &name, "return 7", "0"]), "(integer) 7\n");
    let (code, _, error) = failure(&["eval", "--backend", "none", "return 7", "0"]);
    assert_eq!(code, 2);
    assert!(error.contains(&name), "{error}");
}
