//! `rediss://`, from outside; in a build with the feature `tls`.
//!
//! Needs a redis-server 7.0.15 and an openssl on the PATH, and says so when there is none.
#![cfg(feature = "tls")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::process::Command;

use redlua_test_servers::{Folder, Tls};

/// Exit code, standard output and standard error, with these certificates trusted.
fn redlua(authority: &str, args: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_redlua"));
    let output = command.args(args).env("SSL_CERT_FILE", authority).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn run_and_diff_over_tls() {
    let Some(tls) = Tls::start() else { return };
    let (url, authority) = (tls.url(), tls.authority());
    let folder = Folder::new();
    let file = folder.write("bump.lua", "return redis.call('INCR', KEYS[1])");
    let run = redlua(&authority, &["run", "--redis", &url, &file, "n"]);
    assert_eq!(run, (0, "(integer) 1\n".into(), String::new()));
    let local = redlua(&authority, &["run", "--local", "--redis", &url, &file, "n"]);
    assert_eq!(local.1, "(integer) 2\n", "{}", local.2);
    assert_eq!(tls.server().ask("GET n"), "$1\r\n2\r\n");
    let diff = redlua(&authority, &["diff", "--redis", &url, &file, "n"]);
    assert_eq!(diff, (0, "1 identical, 0 different\n".into(), String::new()));
}

#[test]
fn a_certificate_that_nobody_trusts() {
    let Some(tls) = Tls::start() else { return };
    let Some(other) = Tls::start() else { return };
    let url = tls.url();
    for trusted in [other.authority().as_str(), "/nowhere.crt"] {
        let (code, out, error) = redlua(trusted, &["eval", "--redis", &url, "return 1", "0"]);
        assert_eq!((code, out.as_str(), error.lines().count()), (2, "", 1), "{error}");
        assert!(error.contains(&url), "{error}");
    }
    // TLS where there is none.
    let plain = tls.server().url().replace("redis://", "rediss://");
    let args = ["eval", "--timeout", "1", "--redis", &plain, "return 1", "0"];
    let (code, _, error) = redlua(&tls.authority(), &args);
    assert_eq!((code, error.lines().count()), (2, 1), "{error}");
}
