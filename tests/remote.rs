//! The same scripts on a server, here with the server's data, and on the embedded store.
//!
//! Needs a redis-server 7.0.15 on the PATH, and says so when there is none.
#![cfg(feature = "remote")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use redlua::conversions::resp::RespWriter;
use redlua::remote::{Options, Remote, redis};
use redlua::{Client, Connection, Endpoint, Protocol, Reply, Script};
use redlua_test_servers::{Fault, Proxy, Server};

/// Scripts whose replies must not depend on where they run; one after the other on the same data.
const SCRIPTS: [&str; 24] = [
    "return {1, 2.9, 'x', true, false, {}, {1, nil, 2}}",
    "return {map = {a = 1}}, 2",
    "redis.setresp(3) return {double = 1.5}",
    "return redis.call('SET', 'k', 'v')",
    "return redis.call('GET', 'k')",
    "return redis.call('GET', 'nosuch')",
    "return {redis.call('HSET', 'h', 'f', 'v', 'g', 'w'), redis.call('HGETALL', 'h')}",
    "redis.setresp(3) return redis.call('HGETALL', 'h')",
    "redis.setresp(3) local h = redis.call('HGETALL', 'h') return {type(h.map), h.map.f}",
    "redis.call('ZADD', 'z', 1.5, 'm') return redis.call('ZSCORE', 'z', 'm')",
    "redis.setresp(3) return redis.call('ZSCORE', 'z', 'm')",
    "redis.setresp(3) local d = redis.call('ZSCORE', 'z', 'm') return {type(d), d.double * 2}",
    "redis.call('SADD', 's', 'one') redis.setresp(3) return redis.call('SMEMBERS', 's')",
    "redis.setresp(3) return redis.call('GET', 'nosuch') == nil",
    "return redis.call('GET', 'nosuch') == false",
    "return redis.call('LPUSH', 'k', 'x')",
    "return redis.pcall('LPUSH', 'k', 'x')",
    "local e = redis.pcall('LPUSH', 'k', 'x') return {type(e), e.err}",
    "return redis.call('NOSUCH')",
    "return redis.call('GET')",
    "return redis.call('MULTI')",
    "return redis.call('CONFIG', 'NOSUCH')",
    "return redis.call('BLPOP', 'empty', 0)",
    "return redis.status_reply('FINE')",
];

const SHORT: Options =
    Options { connect: Duration::from_secs(2), reply: Duration::from_millis(400) };

fn remote(server: &Server) -> Remote {
    Remote::open(&server.url(), Options::default()).unwrap()
}

fn wire(reply: &Reply) -> String {
    let mut writer = RespWriter::new(Protocol::Resp3);
    reply.emit(&mut writer);
    String::from_utf8(writer.into_bytes()).unwrap()
}

fn error(reply: &Reply) -> String {
    match reply {
        Reply::Error(text) => String::from_utf8(text.clone()).unwrap(),
        other => panic!("{other:?}"),
    }
}

/// How often a server has run a command.
fn calls(server: &Server, command: &str) -> u64 {
    let stats = server.ask("INFO commandstats");
    let line = stats.lines().find_map(|line| line.strip_prefix(&format!("cmdstat_{command}:")));
    let calls = line.and_then(|line| line.strip_prefix("calls=")?.split(',').next());
    calls.map_or(0, |calls| calls.parse().unwrap())
}

#[test]
fn three_places_one_reply() {
    let Some(server) = Server::start(&[]) else { return };
    for protocol in [Protocol::Resp2, Protocol::Resp3] {
        server.ask("FLUSHALL");
        let mut embedded = Client::new();
        embedded.session.protocol = protocol;
        let here: Vec<Reply> = SCRIPTS
            .iter()
            .map(|text| embedded.request(&[b"EVAL", text.as_bytes(), b"0"]))
            .collect();

        let mut there = remote(&server);
        there.speak(protocol);
        for (script, here) in SCRIPTS.iter().zip(&here) {
            let reply = Connection::request(&mut there, &[b"EVAL", script.as_bytes(), b"0"]);
            assert_eq!(wire(&reply), wire(here), "on the server: {script}");
        }

        server.ask("FLUSHALL");
        let mut local = Client::with_host(remote(&server));
        local.session.protocol = protocol;
        for (script, here) in SCRIPTS.iter().zip(&here) {
            let reply = local.request(&[b"EVAL", script.as_bytes(), b"0"]);
            assert_eq!(wire(&reply), wire(here), "in local mode: {script}");
        }
    }
}

#[test]
fn local_mode_asks_for_the_commands_once_and_counts_its_trips() {
    let Some(server) = Server::start(&[]) else { return };
    let mut client = Client::with_host(remote(&server));
    assert_eq!(client.host.round_trips(), 0);
    let script = Script::new("for i = 1, ARGV[1] do redis.call('INCR', KEYS[1]) end return 1");
    let _: i64 = script.key("n").arg(5).invoke(&mut client).unwrap();
    assert_eq!(client.host.round_trips(), 5);
    let _: i64 = script.key("n").arg(2).invoke(&mut client).unwrap();
    assert_eq!(client.host.round_trips(), 7);
    assert_eq!(calls(&server, "incr"), 7);
    // The scripts themselves never went there.
    assert_eq!((calls(&server, "eval"), calls(&server, "evalsha")), (0, 0));
    assert_eq!(calls(&server, "command"), 1);
    // What the gate refuses does not travel.
    client.request(&[b"EVAL", b"return redis.call('NOSUCH')", b"0"]);
    client.request(&[b"EVAL", b"return redis.call('GET')", b"0"]);
    assert_eq!(client.host.round_trips(), 7);
}

#[test]
fn local_mode_honours_read_only() {
    let Some(server) = Server::start(&[]) else { return };
    let mut client = Client::with_host(remote(&server));
    let script = Script::new("return redis.call('SET', KEYS[1], 'v')");
    let reply = script.key("k").read_only().reply(&mut client).unwrap();
    let text = error(&reply);
    assert!(
        text.starts_with("ERR Write commands are not allowed from read-only scripts."),
        "{text}"
    );
    let flagged = b"#!lua flags=no-writes\nreturn redis.call('SET', 'k', 'v')";
    assert!(client.request(&[b"EVAL", flagged, b"0"]).is_error());
    assert_eq!(server.ask("EXISTS k"), ":0\r\n");
}

#[test]
fn a_connection_that_breaks_ends_the_script() {
    let Some(server) = Server::start(&[]) else { return };
    for (fault, what) in [
        (Fault::DropAt("boom"), "dropped the connection"),
        (Fault::SilentAt("boom"), "does not answer in time"),
    ] {
        server.ask("FLUSHALL");
        let proxy = Proxy::start(&server, fault);
        let mut client = Client::with_host(Remote::open(&proxy.url(), SHORT).unwrap());
        let script =
            "redis.call('SET', 'a', 1) redis.call('GET', 'boom') redis.call('SET', 'b', 1)";
        let reply = client.request(&[b"EVAL", script.as_bytes(), b"0"]);
        let text = error(&reply);
        assert!(text.starts_with(&format!("ERR {} {what}", proxy.url())), "{text}");
        assert!(text.ends_with("on @user_script:1."), "{text}");
        assert_eq!(server.ask("EXISTS a\r\nEXISTS b"), ":1\r\n:0\r\n");
        // Whoever catches the error does not go on as if nothing had been.
        let script = "redis.pcall('GET', 'boom') return redis.pcall('SET', 'b', 1)";
        assert!(client.request(&[b"EVAL", script.as_bytes(), b"0"]).is_error());
        assert_eq!(server.ask("EXISTS b"), ":0\r\n");
        // The next script has a new connection.
        let script = "return redis.call('SET', 'c', 1)";
        assert_eq!(client.request(&[b"EVAL", script.as_bytes(), b"0"]), Reply::status("OK"));
    }
}

/// What comes in place of a reply, or breaks off within it.
///
/// A negative length is none of these: the client library takes any for a null.
const BROKEN: [Fault; 12] = [
    Fault::LostAt("boom"),
    Fault::CutAt("boom"),
    Fault::AnswerAt("boom", b"$5\r\nab\r\n"),
    Fault::AnswerAt("boom", b"$1\r\nabc\r\n"),
    Fault::AnswerAt("boom", b"$99999999999999999999\r\nx\r\n"),
    Fault::AnswerAt("boom", b"$9223372036854775807\r\nx\r\n"),
    Fault::AnswerAt("boom", b"*3\r\n:1\r\n"),
    Fault::AnswerAt("boom", b"*2147483647\r\n:1\r\n"),
    Fault::AnswerAt("boom", b"*1\r\n*1\r\n$2\r\nx"),
    Fault::AnswerAt("boom", b":12x\r\n"),
    Fault::AnswerAt("boom", b"\0\xff\xfe garbage\r\n"),
    Fault::AnswerAt("boom", b"HTTP/1.1 400 Bad Request\r\n\r\n"),
];

#[test]
fn a_reply_that_breaks_off_hides_nothing() {
    let Some(server) = Server::start(&[]) else { return };
    for fault in BROKEN {
        server.ask("FLUSHALL");
        let proxy = Proxy::start(&server, fault);
        let mut client = Client::with_host(Remote::open(&proxy.url(), SHORT).unwrap());
        let mut eval = |script: &str| client.request(&[b"EVAL", script.as_bytes(), b"0"]);
        let reply =
            eval("redis.call('SET', 'a', 1) redis.call('INCR', 'boom') redis.call('SET', 'b', 1)");
        assert!(reply.is_error(), "{fault:?}: {reply:?}");
        let text = error(&reply);
        assert!(text.starts_with(&format!("ERR {} ", proxy.url())), "{fault:?}: {text}");
        assert!(text.ends_with("on @user_script:1."), "{fault:?}: {text}");
        assert!(!text.contains(['\r', '\n']), "{fault:?}: {text}");
        // What was written is there, what came after is not, and nothing was sent twice.
        assert_eq!(server.ask("GET a\r\nGET boom\r\nGET b"), "$1\r\n1\r\n$1\r\n1\r\n$-1\r\n");
        // The next script sees the server as it is, on a connection without rests of the last.
        let all = eval("return {redis.call('GET', 'a'), redis.call('EXISTS', 'b'), 7}");
        let expected = [Reply::bulk("1"), Reply::Integer(0), Reply::Integer(7)];
        assert_eq!(all, Reply::array(expected), "{fault:?}");
        // Whoever catches the error hears it again from each command until the end.
        let caught = eval(
            "local e = redis.pcall('INCR', 'boom').err \
             return {redis.pcall('SET', 'b', 1).err == e, (pcall(redis.call, 'GET', 'a'))}",
        );
        let expected = [Reply::Integer(1), Reply::Null];
        assert_eq!(caught, Reply::array(expected), "{fault:?}");
        assert_eq!(server.ask("GET boom\r\nEXISTS b"), "$1\r\n2\r\n:0\r\n");
        assert_eq!(eval("return redis.call('SET', 'c', 1)"), Reply::status("OK"), "{fault:?}");
    }
}

#[test]
fn long_replies_break_off_too() {
    let Some(server) = Server::start(&[]) else { return };
    let fill = "for i = 1, 200 do redis.call('RPUSH', 'boom', ('x'):rep(5000) .. i) end";
    let mut direct = Client::with_host(remote(&server));
    assert_eq!(direct.request(&[b"EVAL", fill.as_bytes(), b"0"]), Reply::Null);
    let proxy = Proxy::start(&server, Fault::CutAt("boom"));
    let mut client = Client::with_host(Remote::open(&proxy.url(), SHORT).unwrap());
    for resp in [2, 3] {
        let script = format!("redis.setresp({resp}) return #redis.call('LRANGE', 'boom', 0, -1)");
        let text = error(&client.request(&[b"EVAL", script.as_bytes(), b"0"]));
        assert!(text.contains(" dropped the connection"), "{text}");
        assert_eq!(client.request(&[b"EVAL", b"return 7", b"0"]), Reply::Integer(7));
    }
}

#[test]
fn a_script_on_a_connection_of_redis_rs() {
    let Some(server) = Server::start(&[]) else { return };
    let script = Script::new("return redis.call('INCRBY', KEYS[1], ARGV[1])");
    let mut connection = redis::Client::open(server.url()).unwrap().get_connection().unwrap();
    let invoke = |connection: &mut redis::Connection| -> i64 {
        script.key("n").arg(2).invoke(connection).unwrap()
    };
    assert_eq!(invoke(&mut connection), 2);
    assert_eq!((calls(&server, "evalsha"), calls(&server, "eval")), (1, 1));
    assert_eq!(invoke(&mut connection), 4);
    assert_eq!((calls(&server, "evalsha"), calls(&server, "eval")), (2, 1));
    // The server forgets it: the same value brings it back.
    server.ask("SCRIPT FLUSH");
    assert_eq!(invoke(&mut connection), 6);
    assert_eq!((calls(&server, "evalsha"), calls(&server, "eval")), (3, 2));
    let failing = Script::new("return redis.call('LPUSH', KEYS[1], 1)");
    let error = failing.key("n").invoke::<i64>(&mut connection).unwrap_err();
    assert!(error.to_string().contains("WRONGTYPE"), "{error}");
    let mut server = server;
    server.stop();
    let error = script.key("n").arg(2).invoke::<i64>(&mut connection).unwrap_err();
    assert!(error.to_string().contains("dropped the connection"), "{error}");
}

#[test]
fn one_type_opens_every_address() {
    let script = Script::new("return redis.call('INCR', KEYS[1])");
    let twice = |url: &str| {
        let mut endpoint = Endpoint::open(url).unwrap();
        let first: i64 = script.key("n").invoke(&mut endpoint).unwrap();
        let second: i64 = script.key("n").invoke(&mut endpoint).unwrap();
        (first, second)
    };
    assert_eq!(twice("embedded:"), (1, 2));
    assert_eq!(twice("embedded://"), (1, 2));
    assert!(Endpoint::open("embedded").is_err());
    let Some(server) = Server::start(&["--unixsocket", "redis.sock"]) else { return };
    assert_eq!(twice(&server.url()), (1, 2));
    assert_eq!(twice(&format!("unix://{}", server.folder().join("redis.sock"))), (3, 4));
    assert_eq!(twice(&format!("{}/5", server.url())), (1, 2));
}

#[test]
fn strict_keys_hold_for_a_servers_data_too() {
    let Some(server) = Server::start(&[]) else { return };
    let mut client = Client::with_host(remote(&server));
    client.engine.set_strict_keys(true);
    let mut eval = |script: &str| client.request(&[b"EVAL", script.as_bytes(), b"1", b"k"]);
    assert_eq!(eval("return redis.call('SET', KEYS[1], 1)"), Reply::status("OK"));
    let text = error(&eval("\nreturn redis.call('ZUNIONSTORE', 'k', 1, 'other')"));
    assert!(text.starts_with("ERR Script accesses the key \"other\" with 'zunionstore'"), "{text}");
    assert!(text.ends_with(", on @user_script:2."), "{text}");
    let text = error(&eval("return redis.call('SORT', 'k', 'BY', 'w_*')"));
    assert!(text.contains("the keys \"w_*\" with 'sort'"), "{text}");
    assert_eq!((calls(&server, "zunionstore"), calls(&server, "sort")), (0, 0));
}
