//! Servers that are down, slow, shut, of another version, or gone: one clear line each.
//!
//! Needs a redis-server 7.0.15 on the PATH for most, and says so when there is none.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use redlua_conversions::{Reply, ReplyBuilder};
use redlua_core::{Host, Protocol, Session};
use redlua_remote::{Fault, Options, Remote};
use redlua_test_servers::{self as servers, Proxy, Server};

/// So short that a test can wait for it.
const SHORT: Options =
    Options { connect: Duration::from_secs(2), reply: Duration::from_millis(400) };

/// Opens what cannot be opened: the fault, and the line that tells of it.
fn fault(url: &str) -> (Fault, String) {
    let error = Remote::open(url, SHORT).unwrap_err();
    let line = error.line();
    assert!(!line.contains(['\r', '\n']), "{line:?}");
    // No part of it says the same twice.
    let parts: Vec<&str> = line.split(": ").collect();
    for pair in parts.windows(2) {
        assert_ne!(pair[0], pair[1], "{line}");
    }
    let chain: Vec<String> =
        std::iter::successors(std::error::Error::source(&error), |error| error.source())
            .map(ToString::to_string)
            .collect();
    assert!(chain.windows(2).all(|pair| pair[0] != pair[1]), "{chain:?}");
    (error.fault, line)
}

#[test]
fn nobody_listens() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (fault, line) = fault(&format!("redis://127.0.0.1:{port}"));
    assert_eq!(fault, Fault::Unreachable);
    let expected = format!("ERR redis://127.0.0.1:{port} cannot be reached: Connection refused");
    assert!(line.starts_with(&expected), "{line}");
}

#[test]
fn no_such_host_or_socket() {
    assert_eq!(fault("redis://host.invalid").0, Fault::Unreachable);
    assert_eq!(fault("unix:///nowhere/redis.sock").0, Fault::Unreachable);
}

#[test]
fn no_address() {
    for url in ["", "http://x", "redis://", "redis://x:y", "redis://x/db", "redis+cluster://"] {
        let (fault, line) = fault(url);
        assert_eq!(fault, Fault::Address, "{url}: {line}");
    }
    let line = fault("redis+x://me:secret@host").1;
    assert!(!line.contains("secret"), "{line}");
}

#[test]
fn somebody_else_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let (fault, line) = fault(&format!("redis://127.0.0.1:{port}"));
    assert_eq!(fault, Fault::Protocol, "{line}");
}

#[test]
fn nobody_answers() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let began = Instant::now();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    assert_eq!(fault(&url).0, Fault::Timeout);
    assert!(began.elapsed() < Duration::from_secs(3));
}

#[test]
fn a_password_is_wanted() {
    let Some(server) = Server::start(&["--requirepass", "secret"]) else { return };
    let (kind, line) = fault(&server.url());
    assert_eq!(kind, Fault::Authentication);
    let expected = format!("ERR {} refuses to let us in: ", server.url());
    assert!(line.starts_with(&expected), "{line}");
    let with = |word: &str| server.url().replace("redis://", &format!("redis://:{word}@"));
    let (kind, line) = fault(&with("wrong"));
    assert_eq!(kind, Fault::Authentication);
    assert!(!line.contains("wrong@"), "{line}");
    let mut remote = Remote::open(&with("secret"), SHORT).unwrap();
    assert_eq!(remote.request(&[b"PING"]).unwrap(), Reply::status("PONG"));
    let shown = format!("{remote:?} {}", remote.address());
    assert!(!shown.contains("secret"), "{shown}");
}

#[test]
fn there_is_no_such_database() {
    let Some(server) = Server::start(&["--databases", "4"]) else { return };
    let (fault, line) = fault(&format!("{}/9", server.url()));
    assert_eq!(fault, Fault::Protocol, "{line}");
    assert!(line.contains("out of range"), "{line}");
    let mut remote = Remote::open(&server.url(), SHORT).unwrap();
    let reply = remote.request(&[b"SELECT", b"9"]).unwrap();
    assert_eq!(reply, Reply::error("ERR DB index is out of range"));
    assert_eq!(remote.session().db, 0);
    assert_eq!(remote.request(&[b"SELECT", b"3"]).unwrap(), Reply::status("OK"));
    remote.request(&[b"SET", b"k", b"v"]).unwrap();
    assert!(server.ask("SELECT 3\r\nGET k").ends_with("$1\r\nv\r\n"));
}

#[test]
fn a_slow_server_is_given_up_and_asked_again() {
    let Some(server) = Server::start(&[]) else { return };
    let proxy = Proxy::start(&server, servers::Fault::SilentAt("slow"));
    let mut remote = Remote::open(&proxy.url(), SHORT).unwrap();
    let error = remote.request(&[b"GET", b"slow"]).unwrap_err();
    assert_eq!(error.fault, Fault::Timeout);
    assert!(error.line().starts_with(&format!("ERR {} does not answer in time", proxy.url())));
    // On a new connection, so that the late reply is nobody's.
    assert_eq!(remote.request(&[b"ECHO", b"x"]).unwrap(), Reply::bulk("x"));
}

#[test]
fn a_dropped_connection_is_told_and_made_again() {
    let Some(server) = Server::start(&[]) else { return };
    let proxy = Proxy::start(&server, servers::Fault::DropAt("boom"));
    let mut remote = Remote::open(&proxy.url(), SHORT).unwrap();
    let error = remote.request(&[b"SET", b"boom", b"1"]).unwrap_err();
    assert_eq!(error.fault, Fault::Dropped, "{}", error.line());
    assert_eq!(remote.request(&[b"EXISTS", b"k"]).unwrap(), Reply::Integer(0));
}

#[test]
fn the_version_is_the_servers() {
    let Some(server) = Server::start(&[]) else { return };
    let mut remote = Remote::open(&server.url(), SHORT).unwrap();
    assert_eq!(remote.version().unwrap().as_deref(), Some("7.0.15"));
    let proxy = Proxy::start(&server, servers::Fault::Version("7.2.99"));
    let mut remote = Remote::open(&proxy.url(), SHORT).unwrap();
    assert_eq!(remote.version().unwrap().as_deref(), Some("7.2.99"));
}

#[test]
fn a_unix_socket() {
    let Some(server) = Server::start(&["--unixsocket", "redis.sock"]) else { return };
    let url = format!("unix://{}", server.folder().join("redis.sock"));
    let mut remote = Remote::open(&format!("{url}?db=2"), SHORT).unwrap();
    assert_eq!(remote.request(&[b"SET", b"k", b"v"]).unwrap(), Reply::status("OK"));
    assert!(server.ask("SELECT 2\r\nGET k").ends_with("$1\r\nv\r\n"));
}

#[test]
fn nothing_blocks_inside_a_script() {
    let Some(server) = Server::start(&[]) else { return };
    let mut remote = Remote::open(&server.url(), SHORT).unwrap();
    let mut session = Session { script: true, ..Session::default() };
    let mut call = |words: &str| {
        let argv: Vec<&[u8]> = words.split(' ').map(str::as_bytes).collect();
        let spec = remote.command(&argv).unwrap();
        let mut reply = ReplyBuilder::new(Protocol::Resp2);
        remote.call(&mut session, &spec, &argv, &mut reply);
        reply.finish().unwrap()
    };
    let began = Instant::now();
    assert_eq!(call("BLPOP list 0"), Reply::Null);
    assert_eq!(call("XREAD BLOCK 0 STREAMS stream $"), Reply::Null);
    call("RPUSH list x");
    let pair = Reply::array([Reply::bulk("list"), Reply::bulk("x")]);
    assert_eq!(call("BLPOP list 0"), pair);
    assert_eq!(call("BLPOP list no"), Reply::error("ERR timeout is not a float or out of range"));
    assert!(began.elapsed() < SHORT.reply);
}

#[test]
fn the_keys_of_a_call_are_those_that_the_server_finds() {
    let Some(server) = Server::start(&[]) else { return };
    let mut remote = Remote::open(&server.url(), SHORT).unwrap();
    for call in [
        "GET a",
        "MSET a 1 b 2",
        "MSET a 1 b",
        "BLPOP a b 0",
        "OBJECT ENCODING a",
        "MEMORY USAGE a",
        "XGROUP CREATE a g $",
        "ZUNIONSTORE d 2 a b WEIGHTS 1 2",
        "ZINTER 2 a b",
        "ZDIFF 3 a b",
        "LMPOP 2 a b LEFT",
        "BZMPOP 0 1 a MIN",
        "SINTERCARD 2 a b LIMIT 1",
        "XREAD COUNT 1 STREAMS a b 0 0",
        "XREADGROUP GROUP g c STREAMS streams >",
        "SORT a BY x STORE b STORE c",
        "SORT_RO a BY x",
        "GEORADIUS a 1 1 1 m STORE b STOREDIST c",
        "GEORADIUSBYMEMBER a m 1 m STORE b",
        "MIGRATE host 1 a 0 1",
        "BITOP AND d a b",
        "LCS a b",
        "EVAL x 2 a b c",
        "FCALL f 1 a b",
    ] {
        let argv: Vec<&[u8]> = call.split(' ').map(str::as_bytes).collect();
        let spec = remote.command(&argv).unwrap();
        let keys = remote.keys(&spec, &argv).into_iter().map(|at| Reply::bulk(argv[at]));
        let keys = Reply::array(keys.collect::<Vec<_>>());
        let theirs = remote.request(&[&[&b"COMMAND"[..], b"GETKEYS"], &argv[..]].concat()).unwrap();
        match theirs {
            Reply::Error(_) => assert_eq!(keys, Reply::array([]), "{call}"),
            theirs => assert_eq!(keys, theirs, "{call}"),
        }
    }
}
