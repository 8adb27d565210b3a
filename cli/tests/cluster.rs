//! `--cluster` and `--strict-keys`, from outside.
//!
//! Needs a redis-server 7.0.15 on the PATH for some, and says so when there is none.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use redlua_test_servers::{Cluster, Folder, Server};

/// Exit code, standard output and standard error.
fn redlua(args: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_redlua")).args(args).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

const OTHER: &str = "return redis.call('GET', 'd')";

#[test]
fn eval_in_a_cluster() {
    let crossed = "(error) CROSSSLOT Keys in request don't hash to the same slot\n";
    let args = ["eval", "--cluster", "return 1", "2", "a", "b"];
    assert_eq!(redlua(&args), (1, String::new(), crossed.into()));
    let (code, _, error) = redlua(&["eval", "--cluster", OTHER, "1", "a"]);
    assert_eq!(code, 1);
    assert!(error.contains("attempted to access a non local key in a cluster node"), "{error}");
    // On one of three nodes these two are together.
    assert_eq!(redlua(&["eval", "--cluster=3", OTHER, "1", "a"]).1, "(nil)\n");
    let (code, _, error) = redlua(&["eval", "--cluster", "redis.call('SELECT', 1)", "0"]);
    assert_eq!(code, 1);
    assert!(error.contains("SELECT is not allowed in cluster mode"), "{error}");
    assert_eq!(redlua(&["eval", "--cluster=0", "return 1", "0"]).0, 2);
    // Without a cluster nothing of that.
    assert_eq!(redlua(&["eval", "return 1", "2", "a", "b"]).0, 0);
}

#[test]
fn strict_keys_here_and_with_a_servers_data() {
    let text = "Script accesses the key \"d\" with 'get', which is not declared in KEYS script: ";
    let (code, _, error) = redlua(&["eval", "--strict-keys", OTHER, "1", "a"]);
    assert_eq!(code, 1);
    assert!(error.contains(text) && error.ends_with(", on @user_script:1.\n"), "{error}");
    assert_eq!(redlua(&["eval", "--strict-keys", OTHER, "1", "d"]).0, 0);
    let Some(server) = Server::start(&[]) else { return };
    let url = server.url();
    let args = ["eval", "--strict-keys", "--local", "--redis", &url, OTHER, "1", "a"];
    let (code, _, error) = redlua(&args);
    assert!(code == 1 && error.contains(text) && error.contains("0 round trips"), "{error}");
    let (code, _, error) = redlua(&["eval", "--strict-keys", "--redis", &url, OTHER, "1", "a"]);
    assert_eq!(code, 2);
    assert!(error.contains("add --local"), "{error}");
}

#[test]
fn run_and_diff_on_a_cluster() {
    let Some(cluster) = Cluster::start(3) else { return };
    let folder = Folder::new();
    let url = cluster.url();
    folder.write("bump.lua", "return {redis.call('INCR', KEYS[1]), redis.call('KEYS', '*')[1]}");
    folder.write("bump.args", "a\nb\nc\nfoo\n\"{a}x\"\n");
    folder.write("many.lua", "return redis.call('MGET', KEYS[1], KEYS[2])");
    folder.write("many.args", "a b\na {a}b\n");
    folder.write("other.lua", OTHER);
    folder.write("other.args", "a\nb\n");
    folder.write("strict.lua", &format!("#!lua\n{OTHER}"));
    folder.write("strict.args", "a\nb\n");
    let cases = folder.path().to_str().unwrap();
    let (code, out, error) = redlua(&["diff", "--redis", &url, "--cases", cases]);
    assert_eq!((code, out.as_str(), error.as_str()), (0, "11 identical, 0 different\n", ""));
    let file = folder.join("bump.lua");
    for local in [&[][..], &["--local"]] {
        let args = [&["run", "--redis", &url][..], local, &[&file, "c"]].concat();
        let (code, out, error) = redlua(&args);
        assert!(code == 0 && out.contains("\"c\""), "{out}{error}");
    }
    let error = redlua(&["diff", "--redis", &url, &file, "c"]).2;
    assert!(error.contains(&format!("{url} holds 1 key; give the address of an empty")), "{error}");
}

/// `redlua serve`, and what a client is to call it.
struct Serving(Child, String);

impl Serving {
    fn new(args: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_redlua"))
            .args([&["serve", "--port", "0"], args].concat())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let at = lines
            .map_while(Result::ok)
            .find_map(|line| Some(line.split_once("redis://")?.1.to_owned()));
        Serving(child, at.unwrap())
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_cluster_client_on_redlua_serve() {
    for args in [&["--cluster"][..], &["--cluster", "3"], &["--cluster-enabled", "yes"]] {
        let serving = Serving::new(args);
        let url = format!("redis+cluster://{}", serving.1);
        let eval = |script: &str, keys: &[&str]| {
            let count = keys.len().to_string();
            redlua(&[&["eval", "--redis", &url, script, &count][..], keys].concat())
        };
        assert_eq!(
            eval("return redis.call('INCR', KEYS[1])", &["a"]).1,
            "(integer) 1\n",
            "{args:?}"
        );
        assert!(eval("return 1", &["a", "b"]).2.contains("CROSSSLOT"), "{args:?}");
        let other = eval("return redis.call('GET', 'b')", &["a"]);
        assert_eq!(other.0, i32::from(args[0] == "--cluster"), "{args:?}: {}", other.2);
    }
    let serving = Serving::new(&["--strict-keys"]);
    let url = format!("redis://{}", serving.1);
    let (code, _, error) = redlua(&["eval", "--redis", &url, OTHER, "1", "a"]);
    assert!(code == 1 && error.contains("the key \"d\" with 'get'"), "{error}");
    let (code, _, error) = redlua(&["serve", "--cluster", "x"]);
    assert!(code == 1 && error.contains("--cluster takes a number"), "{error}");
}
