//! What a debugging session means for the connection it takes over and for all others. What the
//! debugger says is in the conformance cases.
#![allow(clippy::expect_used, reason = "a test may panic")]

use std::sync::Arc;
use std::time::Duration;

use redlua_server::{Connection, Server};

const SOON: Duration = Duration::from_secs(5);
const LATE: Duration = Duration::from_millis(150);

fn server() -> Server {
    Server::with_backend(Arc::new(redlua_mlua::Lua51))
}

fn call(connection: &Connection, command: &[&str]) -> String {
    connection.send(command);
    next(connection)
}

fn next(connection: &Connection) -> String {
    let bytes = connection.recv(SOON).expect("a reply");
    String::from_utf8(bytes).expect("text")
}

/// A connection in a session of this mode that stands at the first line of a script.
fn session(server: &Server, mode: &str, source: &str) -> Connection {
    let connection = server.connect();
    assert_eq!(call(&connection, &["SCRIPT", "DEBUG", mode]), "+OK\r\n");
    let stop = call(&connection, &["EVAL", source, "0"]);
    assert!(stop.starts_with("*2\r\n+* Stopped at 1, stop reason = step over\r\n"), "{stop}");
    connection
}

const COUNT: &str =
    "redis.call('incr', 'k')\nredis.call('incr', 'k')\nreturn redis.call('get', 'k')";

#[test]
fn a_session_ends_with_its_connection_closed() {
    let server = server();
    for mode in ["YES", "SYNC"] {
        let connection = session(&server, mode, "return 7");
        assert_eq!(call(&connection, &["c"]), "*1\r\n+<endsession>\r\n");
        assert_eq!(next(&connection), ":7\r\n");
        connection.send(&["PING"]);
        assert_eq!(connection.recv(LATE), None);
    }
    assert_eq!(call(&server.connect(), &["PING"]), "+PONG\r\n");
}

#[test]
fn a_forked_session_is_no_client_any_more_and_holds_nobody_up() {
    let server = server();
    let forked = session(&server, "YES", COUNT);
    let other = server.connect();
    let clients = call(&other, &["CLIENT", "LIST"]);
    assert_eq!(clients.matches("addr=").count(), 2, "laddr and addr of one: {clients}");
    assert_eq!(call(&other, &["INCRBY", "k", "5"]), ":5\r\n");
    assert!(call(&forked, &["s"]).contains("+<reply> 1\r\n"));
    drop(forked);
    assert_eq!(call(&other, &["GET", "k"]), "$1\r\n5\r\n");
}

#[test]
fn a_synchronous_session_lets_others_wait_without_telling_them() {
    let server = server();
    let other = server.connect();
    assert_eq!(call(&other, &["CONFIG", "SET", "busy-reply-threshold", "10"]), "+OK\r\n");
    let sync = session(&server, "SYNC", COUNT);
    other.send(&["GET", "k"]);
    assert_eq!(other.recv(LATE), None);
    // Who goes away lets the script run to its end.
    drop(sync);
    assert_eq!(next(&other), "$1\r\n2\r\n");
}

#[test]
fn a_synchronous_session_serves_those_who_wait() {
    let server = server();
    let waiting = server.connect();
    let listening = server.connect();
    waiting.send(&["BLPOP", "list", "0"]);
    assert!(call(&listening, &["SUBSCRIBE", "channel"]).contains("subscribe"));
    std::thread::sleep(Duration::from_millis(50));
    let source = "redis.call('rpush', 'list', 'x')\nreturn redis.call('publish', 'channel', 'm')";
    let sync = session(&server, "SYNC", source);
    assert!(call(&sync, &["c"]).contains("<endsession>"));
    assert_eq!(next(&sync), ":1\r\n");
    assert_eq!(next(&waiting), "*2\r\n$4\r\nlist\r\n$1\r\nx\r\n");
    assert!(next(&listening).contains("$1\r\nm\r\n"));
}

#[test]
fn nothing_leaves_a_forked_session() {
    let server = server();
    let listening = server.connect();
    assert!(call(&listening, &["SUBSCRIBE", "channel"]).contains("subscribe"));
    let forked = session(&server, "YES", "return redis.call('publish', 'channel', 'm')");
    assert!(call(&forked, &["c"]).contains("<endsession>"));
    assert_eq!(next(&forked), ":1\r\n");
    assert_eq!(listening.recv(LATE), None);
}

#[test]
fn a_loop_whose_debugger_is_gone_ends() {
    let server = server();
    let other = server.connect();
    assert_eq!(call(&other, &["CONFIG", "SET", "busy-reply-threshold", "50"]), "+OK\r\n");
    let sync =
        session(&server, "SYNC", "while true do pcall(function() while true do end end) end");
    assert!(call(&sync, &["c"]).contains("timeout reached, infinite loop?"));
    drop(sync);
    assert_eq!(call(&other, &["PING"]), "+PONG\r\n");
    assert_eq!(call(&other, &["EVAL", "return 3", "0"]), ":3\r\n");
}

#[test]
fn in_a_transaction_the_replies_end_with_the_session() {
    // As redis-server answers: the array is longer than what follows.
    let replies = "*4\r\n-ERR SCRIPT DEBUG must be called outside a pipeline\r\n+OK\r\n$1\r\n3\r\n";
    for (mode, left) in [("YES", "$2\r\n11\r\n"), ("SYNC", "$2\r\n13\r\n")] {
        let server = server();
        let connection = server.connect();
        assert_eq!(call(&connection, &["SCRIPT", "DEBUG", mode]), "+OK\r\n");
        assert_eq!(call(&connection, &["MULTI"]), "+OK\r\n");
        let commands: [&[&str]; 4] = [
            &["SCRIPT", "DEBUG", "NO"],
            &["SET", "k", "1"],
            &["EVAL", COUNT, "0"],
            &["INCRBY", "k", "10"],
        ];
        for command in commands {
            assert_eq!(call(&connection, command), "+QUEUED\r\n");
        }
        assert!(call(&connection, &["EXEC"]).contains("Stopped at 1"));
        assert_eq!(call(&connection, &["c"]), "*1\r\n+<endsession>\r\n");
        assert_eq!(next(&connection), replies);
        assert_eq!(call(&server.connect(), &["GET", "k"]), left);
    }
}

#[test]
fn replies_that_are_not_wanted_are_not_sent() {
    let server = server();
    let connection = server.connect();
    connection.send(&["CLIENT", "REPLY", "OFF"]);
    connection.send(&["SCRIPT", "DEBUG", "YES"]);
    assert!(call(&connection, &["EVAL", "return 1", "0"]).contains("Stopped at 1"));
    assert_eq!(call(&connection, &["c"]), "*1\r\n+<endsession>\r\n");
    assert_eq!(connection.recv(LATE), None);
}

#[test]
fn who_cannot_be_taken_over_is_told() {
    let server = server();
    let mut link = server.link();
    assert_eq!(link.request(&[b"SCRIPT", b"DEBUG", b"YES"]), b"+OK\r\n");
    let refused = b"-ERR Only a connection of its own can debug a script\r\n";
    assert_eq!(link.request(&[b"EVAL", b"return 1", b"0"]), refused);
    assert!(!link.is_debugging() && !link.is_closed());
    assert_eq!(link.request(&[b"SCRIPT", b"DEBUG", b"NO"]), b"+OK\r\n");
    assert_eq!(link.request(&[b"EVAL", b"return 1", b"0"]), b":1\r\n");
}
