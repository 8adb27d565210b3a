//! While a script runs, the server stays answerable.

use std::time::{Duration, Instant};

use redlua_server::net::End;

use super::{Site, Socket};

const BUSY: &str =
    "-BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.\r\n";
const BUSY_FUNCTION: &str =
    "-BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.\r\n";

/// A server that is busy with a script of `body`, and the client that called it.
fn busy(site: &Site, body: &str) -> Socket<std::net::TcpStream> {
    let mut caller = site.connect();
    caller.ask("CONFIG SET busy-reply-threshold 50", "+OK\r\n");
    caller.send(format!("EVAL \"{body}\" 0\r\n").as_bytes());
    std::thread::sleep(Duration::from_millis(30));
    caller
}

#[test]
fn others_hear_that_it_is_busy_and_may_kill_it() {
    let site = Site::new();
    let mut early = site.connect();
    early.ask("PING", "+PONG\r\n");
    let mut caller = busy(&site, "while true do end");
    let mut others: Vec<_> = (0..20).map(|_| site.connect()).collect();
    for other in &mut others {
        other.ask("GET k", BUSY);
        other.ask("SHUTDOWN SAVE", BUSY);
    }
    early.send(b"GET a\r\nFUNCTION KILL\r\nFUNCTION STATS\r\nSCRIPT KILL\r\n");
    early.expect(BUSY);
    early.expect(BUSY);
    early.expect(BUSY);
    early.expect("+OK\r\n");
    assert!(caller.line().starts_with("-ERR Script killed by user with SCRIPT KILL"));
    for other in &mut others {
        other.ask("PING", "+PONG\r\n");
    }
    caller.ask("EVAL \"return 1\" 0", ":1\r\n");
    early.ask("SCRIPT KILL", "-NOTBUSY No scripts in execution right now.\r\n");
}

#[test]
fn logging_in_and_transactions_go_on() {
    let site = Site::new();
    let mut first = site.connect();
    first.ask("ACL SETUSER ada on >secret ~* +@all", "+OK\r\n");
    first.ask("CONFIG SET requirepass pw", "+OK\r\n");
    first.ask("WATCH w", "+OK\r\n");
    let mut caller = {
        let mut caller = site.connect();
        caller.ask("AUTH pw", "+OK\r\n");
        caller.ask("CONFIG SET busy-reply-threshold 50", "+OK\r\n");
        caller.send(b"EVAL \"while true do end\" 0\r\n");
        std::thread::sleep(Duration::from_millis(100));
        caller
    };
    first.ask("MULTI", "+OK\r\n");
    first.ask("GET k", BUSY);
    first.ask("EXEC", &format!("-EXECABORT Transaction discarded because of: {}", &BUSY[1..]));
    first.ask("MULTI", "+OK\r\n");
    first.ask("DISCARD", "+OK\r\n");
    let mut other = site.connect();
    other.ask("PING", "-NOAUTH Authentication required.\r\n");
    other.ask("nope", "-ERR unknown command 'nope', with args beginning with: \r\n");
    other.send(b"AUTH ada wrong\r\n");
    assert!(other.line().starts_with("-WRONGPASS"));
    other.ask("AUTH ada secret", "+OK\r\n");
    other.ask("PING", BUSY);
    other.ask("SHUTDOWN NOSAVE SAVE", "-ERR syntax error\r\n");
    other.send(b"HELLO 3 AUTH default pw\r\n");
    while other.line() != "*0" {}
    other.ask("SCRIPT KILL", "+OK\r\n");
    assert!(caller.line().starts_with("-ERR Script killed"));
    other.ask("ACL WHOAMI", "$7\r\ndefault\r\n");
    other.ask("GET k", "_\r\n");
}

#[test]
fn keys_are_watched_while_a_script_may_modify_them() {
    let site = Site::new();
    let (mut one, mut two) = (site.connect(), site.connect());
    two.ask("WATCH early", "+OK\r\n");
    let mut caller = busy(
        &site,
        "local function now() local t = redis.call('TIME') return t[1] * 1000 + t[2] / 1000 end \
         local began = now() repeat until now() - began > 500 redis.call('SET', 'k', 1) return redis.status_reply('done')",
    );
    std::thread::sleep(Duration::from_millis(100));
    one.ask("GET k", BUSY);
    one.ask("WATCH k", "+OK\r\n");
    two.ask("UNWATCH", "+OK\r\n");
    two.ask("WATCH other", "+OK\r\n");
    caller.expect("+done\r\n");
    for (client, reply) in [(&mut one, "*-1\r\n"), (&mut two, "*1\r\n+PONG\r\n")] {
        client.ask("MULTI", "+OK\r\n");
        client.ask("PING", "+QUEUED\r\n");
        client.ask("EXEC", reply);
    }
}

#[test]
fn a_connection_is_reset_while_a_script_is_busy() {
    let site = Site::new();
    let mut other = site.connect();
    other.ask("SELECT 3", "+OK\r\n");
    other.ask("CLIENT SETNAME ada", "+OK\r\n");
    other.ask("WATCH k", "+OK\r\n");
    let mut caller = busy(&site, "while true do end");
    std::thread::sleep(Duration::from_millis(50));
    other.ask("MULTI", "+OK\r\n");
    other.ask("RESET", "+RESET\r\n");
    other.ask("DISCARD", "-ERR DISCARD without MULTI\r\n");
    other.ask("SCRIPT KILL", "+OK\r\n");
    caller.line();
    other.ask("SET k 1", "+OK\r\n");
    other.ask("CLIENT GETNAME", "$-1\r\n");
    other.ask("SWAPDB 0 3", "+OK\r\n");
    other.ask("GET k", "$-1\r\n");
}

#[test]
fn many_busy_scripts_one_after_another() {
    let site = Site::new();
    let mut other = site.connect();
    for _ in 0..10 {
        let mut caller = busy(&site, "while true do end");
        other.ask("PING", BUSY);
        other.ask("SCRIPT KILL", "+OK\r\n");
        caller.line();
        other.ask("PING", "+PONG\r\n");
    }
}

#[test]
fn functions() {
    let site = Site::new();
    let mut caller = site.connect();
    caller.ask("CONFIG SET busy-reply-threshold 50", "+OK\r\n");
    let code = "#!lua name=l\\nredis.register_function('f', function() while true do end end)";
    caller.ask(&format!("FUNCTION LOAD \"{code}\""), "$1\r\nl\r\n");
    caller.send(b"FCALL f 0\r\n");
    std::thread::sleep(Duration::from_millis(80));
    let mut other = site.connect();
    other.ask("PING", BUSY_FUNCTION);
    other.send(b"FUNCTION STATS\r\n");
    other.expect("*4\r\n$14\r\nrunning_script\r\n*6\r\n$4\r\nname\r\n$1\r\nf\r\n");
    other.expect(
        "$7\r\ncommand\r\n*3\r\n$5\r\nFCALL\r\n$1\r\nf\r\n$1\r\n0\r\n$11\r\nduration_ms\r\n:",
    );
    other.line();
    other.expect("$7\r\nengines\r\n*2\r\n$3\r\nLUA\r\n*4\r\n$15\r\nlibraries_count\r\n:1\r\n");
    other.expect("$15\r\nfunctions_count\r\n:1\r\n");
    other.ask("FUNCTION KILL", "+OK\r\n");
    let line = caller.line();
    assert!(
        line.starts_with("-ERR Script killed by user with SCRIPT KILL... script: f,"),
        "{line}"
    );
}

#[test]
fn a_script_that_has_written_is_only_ended_by_shutdown() {
    let site = Site::new();
    let mut caller = busy(&site, "redis.call('set','k','v') while true do end");
    let mut other = site.connect();
    other.send(b"SCRIPT KILL\r\n");
    assert!(other.line().starts_with("-UNKILLABLE "));
    other.send(b"SHUTDOWN NOSAVE\r\n");
    assert_eq!(site.listening.wait(), End::Shutdown);
    assert_eq!(other.rest(), b"");
    let start = Instant::now();
    drop(site);
    assert!(start.elapsed() < Duration::from_secs(3));
    caller.rest();
}

#[test]
fn shutdown_when_nothing_is_busy() {
    let site = Site::new();
    let mut socket = site.connect();
    let mut other = site.connect();
    other.ask("PING", "+PONG\r\n");
    socket.ask("SHUTDOWN ABORT", "-ERR No shutdown in progress.\r\n");
    socket.ask("SHUTDOWN NOSAVE SAVE", "-ERR syntax error\r\n");
    socket.send(b"SHUTDOWN\r\n");
    assert_eq!(site.listening.wait(), End::Shutdown);
    assert_eq!(socket.rest(), b"");
    assert_eq!(other.rest(), b"");
}

#[test]
fn a_client_that_leaves_does_not_stop_its_script() {
    let site = Site::new();
    let body = "for i = 1, 300000 do redis.call('set', 'n', i) end redis.call('set','done',1)";
    drop(busy(&site, body));
    let mut other = site.connect();
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        other.send(b"GET done\r\n");
        match other.line().as_str() {
            "$1" => break other.expect("1\r\n"),
            "$-1" => {}
            line => assert!(line.starts_with("-BUSY"), "{line}"),
        }
        assert!(Instant::now() < end, "the script never ended");
        std::thread::sleep(Duration::from_millis(5));
    }
    other.ask("GET n", "$6\r\n300000\r\n");
}
