//! What a connection remembers and waits for, over sockets.

use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use redlua_server::Server;
use redlua_server::net::Options;

use super::{Site, Socket};

#[test]
fn pipelines_and_both_protocols() {
    let site = Site::new();
    let mut socket = site.connect();
    socket.send(b"SET k 1\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\nHELLO 3\r\nHGETALL h\r\nGET nope\r\n");
    socket.expect("+OK\r\n$1\r\n1\r\n%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n");
    socket.expect("$6\r\n7.0.15\r\n$5\r\nproto\r\n:3\r\n$2\r\nid\r\n:");
    socket.line();
    socket.expect("$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n");
    socket.expect("$7\r\nmodules\r\n*0\r\n%0\r\n_\r\n");
    socket.send(&b"INCR n\r\n".repeat(10_000));
    for n in 1..=10_000 {
        assert_eq!(socket.line(), format!(":{n}"));
    }
}

#[test]
fn messages_stand_where_they_arose() {
    let site = Site::new();
    let mut socket = site.connect();
    socket.send(b"HELLO 3\r\n");
    while socket.line() != "*0" {}
    socket.send(b"SUBSCRIBE c\r\nPUBLISH c x\r\nMULTI\r\nPUBLISH c y\r\nPING\r\nEXEC\r\n");
    socket.expect(">3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n");
    socket
        .expect(">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nx\r\n:1\r\n+OK\r\n+QUEUED\r\n+QUEUED\r\n");
    socket.expect("*2\r\n>3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\ny\r\n:1\r\n+PONG\r\n");
}

#[test]
fn subscribers_in_resp2_may_do_little() {
    let site = Site::new();
    let mut socket = site.connect();
    let mut other = site.connect();
    socket.ask("SUBSCRIBE c", "*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n");
    let refusal = "only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in \
                   this context\r\n";
    socket.ask("get x", &format!("-ERR Can't execute 'get': {refusal}"));
    socket.ask("CONFIG GET x", &format!("-ERR Can't execute 'config|get': {refusal}"));
    socket.ask("get", "-ERR wrong number of arguments for 'get' command\r\n");
    other.ask("EVAL \"return redis.call('PUBLISH', 'c', 'm')\" 0", ":1\r\n");
    socket.expect("*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nm\r\n");
    socket.ask("UNSUBSCRIBE", "*3\r\n$11\r\nunsubscribe\r\n$1\r\nc\r\n:0\r\n");
    socket.ask("GET x", "$-1\r\n");
}

#[test]
fn replies_that_are_not_wanted() {
    let site = Site::new();
    let mut socket = site.connect();
    socket.send(b"CLIENT REPLY OFF\r\nPING\r\nCLIENT REPLY ON\r\nCLIENT REPLY SKIP\r\nPING\r\n");
    socket.send(b"ECHO a\r\nCLIENT REPLY SKIP\r\nCLIENT REPLY FOO\r\nECHO b\r\n");
    socket.expect("+OK\r\n$1\r\na\r\n$1\r\nb\r\n");
    socket.send(b"MULTI\r\nCLIENT REPLY SKIP\r\nECHO c\r\nEXEC\r\nPING\r\nECHO d\r\n");
    socket.expect("+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n$1\r\nc\r\n$1\r\nd\r\n");
    socket.send(b"CLIENT REPLY OFF\r\nRESET\r\nPING\r\nQUIT\r\nPING\r\n");
    assert_eq!(socket.rest(), b"+RESET\r\n+PONG\r\n+OK\r\n");
}

#[test]
fn blocked_clients() {
    let site = Site::new();
    let (mut first, mut second, mut other) = (site.connect(), site.connect(), site.connect());
    // What follows waits as well.
    first.send(b"BLPOP l 0\r\nPING\r\n");
    std::thread::sleep(Duration::from_millis(50));
    second.send(b"BLPOP l 0\r\n");
    std::thread::sleep(Duration::from_millis(50));
    other.ask("EVAL \"return redis.call('RPUSH', 'l', 'a', 'b')\" 0", ":2\r\n");
    first.expect("*2\r\n$1\r\nl\r\n$1\r\na\r\n+PONG\r\n");
    second.expect("*2\r\n$1\r\nl\r\n$1\r\nb\r\n");
    let start = Instant::now();
    first.ask("BLPOP l 0.2", "*-1\r\n");
    assert!(start.elapsed() >= Duration::from_millis(199));
    assert!(start.elapsed() < Duration::from_secs(5));
    // One that leaves takes nothing.
    first.send(b"BLPOP l 0\r\n");
    std::thread::sleep(Duration::from_millis(50));
    drop(first);
    std::thread::sleep(Duration::from_millis(50));
    other.ask("RPUSH l c", ":1\r\n");
    second.ask("BLPOP l 0", "*2\r\n$1\r\nl\r\n$1\r\nc\r\n");
}

#[test]
fn passwords() {
    let site = Site::new();
    let mut socket = site.connect();
    socket.ask("CONFIG SET requirepass pw", "+OK\r\n");
    socket.ask("PING", "+PONG\r\n");
    let mut other = site.connect();
    other.ask("PING", "-NOAUTH Authentication required.\r\n");
    other.ask("get", "-ERR wrong number of arguments for 'get' command\r\n");
    other.ask("HELLO 3", "-NOAUTH HELLO must be called with the client already authenticated, ");
    other.line();
    other.ask("HELLO 4", "-NOPROTO unsupported protocol version\r\n");
    other.ask(
        "EXEC",
        "-EXECABORT Transaction discarded because of: NOAUTH Authentication required.\r\n",
    );
    other.send(b"AUTH no\r\n");
    assert!(other.line().starts_with("-WRONGPASS"));
    other.ask("AUTH pw", "+OK\r\n");
    other.ask("PING", "+PONG\r\n");
    other.ask("RESET", "+RESET\r\n");
    other.ask("PING", "-NOAUTH Authentication required.\r\n");
    assert_eq!(
        site.answer(b"*11\r\n$4\r\nPING\r\n"),
        b"-ERR Protocol error: unauthenticated multibulk length\r\n"
    );
    assert_eq!(
        site.answer(b"*2\r\n$16385\r\n"),
        b"-ERR Protocol error: unauthenticated bulk length\r\n"
    );
}

#[test]
fn too_many_and_idle_clients() {
    let site = Site::new();
    let mut socket = site.connect();
    socket.ask("CONFIG SET maxclients 2", "+OK\r\n");
    let mut second = site.connect();
    second.ask("PING", "+PONG\r\n");
    assert_eq!(site.connect().rest(), b"-ERR max number of clients reached\r\n");
    socket.ask("CONFIG SET timeout 1 maxclients 100", "+OK\r\n");
    let mut waiting = site.connect();
    waiting.send(b"BLPOP l 4\r\n");
    assert_eq!(second.rest(), b"");
    waiting.expect("*-1\r\n");
    let mut listening = site.connect();
    listening.ask("CONFIG SET timeout 0", "+OK\r\n");
}

#[test]
fn expired_keys_go_by_themselves() {
    let site = Site::new();
    let mut socket = site.connect();
    socket.ask("SET k v PX 50", "+OK\r\n");
    socket.ask("SET other v", "+OK\r\n");
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        // DBSIZE looks at no key.
        socket.send(b"DBSIZE\r\n");
        if socket.line() == ":1" {
            break;
        }
        assert!(Instant::now() < end);
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_unix_socket() {
    let path = std::env::temp_dir().join(format!("redlua-{}.sock", std::process::id()));
    let server = Server::with_backend(Arc::new(redlua_mlua::Lua51));
    let options = Options { port: None, unix: Some(path.clone()), ..Options::default() };
    let listening = server.listen(&options).unwrap();
    assert!(listening.addresses().is_empty());
    let mut socket = Socket(UnixStream::connect(&path).unwrap());
    socket.ask("EVAL \"return 'x'\" 0", "$1\r\nx\r\n");
    drop(listening);
    assert!(!path.exists());
    assert_eq!(socket.rest(), b"");
}

#[test]
fn a_port_in_use() {
    let site = Site::new();
    let options = Options { port: Some(site.address().port()), ..Options::default() };
    let error = site.server.listen(&options).unwrap_err().to_string();
    assert!(error.ends_with("bind: Address already in use"), "{error}");
}
