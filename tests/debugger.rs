//! The step debugger as one who embeds the engine meets it: the bytes of a console. What each
//! command prints is in the conformance cases.
#![cfg(any(
    feature = "mlua-lua51",
    feature = "mlua-luajit",
    feature = "mlua-lua54",
    feature = "rlua-lua51",
    feature = "rlua-lua54"
))]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

use redlua::conversions::resp::RespWriter;
use redlua::core::Debugging;
use redlua::{Client, Limits, Protocol, Reply};

/// Gives one piece of input a read, then nothing; keeps what was written.
#[derive(Default)]
struct Script {
    input: VecDeque<Vec<u8>>,
    output: Vec<u8>,
}

impl Read for Script {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(piece) = self.input.front_mut() else { return Ok(0) };
        let count = piece.len().min(buffer.len());
        buffer[..count].copy_from_slice(&piece[..count]);
        piece.drain(..count);
        if piece.is_empty() {
            self.input.pop_front();
        }
        Ok(count)
    }
}

impl Write for Script {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.output.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A command as redis-cli sends it.
fn words(line: &str) -> Vec<u8> {
    let words: Vec<&str> = line.split(' ').collect();
    let mut bytes = format!("*{}\r\n", words.len());
    for word in words {
        bytes += &format!("${}\r\n{word}\r\n", word.len());
    }
    bytes.into_bytes()
}

/// What the console was told, its arrays without their headers, then the reply.
fn debug(client: &mut Client, source: &str, input: Vec<Vec<u8>>) -> (Vec<String>, String) {
    let mut console = Script { input: input.into(), output: Vec::new() };
    let argv: [&[u8]; 5] = [b"EVAL", source.as_bytes(), b"1", b"k", b"v"];
    client.session.debug = Debugging::Sync;
    assert!(client.engine.debugs(&client.host, &client.session, &argv));
    let mut reply = RespWriter::new(Protocol::Resp2);
    let Client { engine, host, session } = client;
    engine.debug(host, session, &argv, &mut console, &mut reply);
    client.session.debug = Debugging::Off;
    let text = String::from_utf8(console.output).unwrap();
    let lines = text.split("\r\n").filter(|line| !line.is_empty() && !line.starts_with('*'));
    (lines.map(str::to_owned).collect(), String::from_utf8(reply.into_bytes()).unwrap())
}

const TWO: &str = "redis.call('incr', KEYS[1])\nredis.call('incr', KEYS[1])\nreturn 3";

#[test]
fn what_is_no_command_ends_the_script() {
    for wrong in [&b"s\r\n"[..], b"*0\r\n", b"*1\r\n$1025\r\n", b"*1\r\n$1\r\nsxx", b"\0"] {
        let mut client = Client::new();
        let (lines, reply) = debug(&mut client, TWO, vec![words("s"), wrong.to_vec()]);
        assert_eq!(lines.last().unwrap(), "+<endsession>");
        assert!(reply.starts_with("-ERR protocol error script: "), "{reply}");
        assert!(reply.ends_with(", on @user_script:2.\r\n"), "{reply}");
        assert_eq!(client.command(("GET", "k")).unwrap(), Reply::bulk("1"));
    }
}

#[test]
fn pieces_make_a_command_and_what_follows_one_is_dropped() {
    let both = [words("p x"), words("s")].concat();
    let halves = [words("s")[..6].to_vec(), words("s")[6..].to_vec(), words("c")];
    let input = [vec![both], halves.to_vec()].concat();
    let (lines, reply) = debug(&mut Client::new(), TWO, input);
    let expected = [
        "+* Stopped at 1, stop reason = step over",
        "+-> 1   redis.call('incr', KEYS[1])",
        "+No such variable.",
        "+<redis> incr k",
        "+<reply> 1",
        "+* Stopped at 2, stop reason = step over",
        "+-> 2   redis.call('incr', KEYS[1])",
        "+<endsession>",
    ];
    assert_eq!(lines, expected);
    assert_eq!(reply, ":3\r\n");
}

#[test]
fn who_goes_away_lets_the_script_run_on() {
    let mut client = Client::new();
    let source = "redis.call('incr', KEYS[1])\nredis.breakpoint()\nreturn redis.call('incr', 'k')";
    let (_, reply) = debug(&mut client, source, vec![words("b 3")]);
    assert_eq!(reply, ":2\r\n");
    assert_eq!(client.command(("GET", "k")).unwrap(), Reply::bulk("2"));
}

#[test]
fn a_loop_stops_and_ends_when_nobody_is_there() {
    let mut client = Client::new();
    client.command(("CONFIG", "SET", "busy-reply-threshold", 50)).unwrap();
    let source =
        "local n = 0\nwhile true do\n pcall(function() while true do n = n + 1 end end)\nend";
    let (lines, reply) = debug(&mut client, source, vec![words("c"), words("c")]);
    let stops = lines.iter().filter(|line| line.ends_with("timeout reached, infinite loop?"));
    assert_eq!(stops.count(), 2);
    assert!(reply.starts_with("-ERR "), "{reply}");
    // The engine is as before.
    assert_eq!(client.command(("EVAL", "return 7", 0)).unwrap(), Reply::Integer(7));
}

// LuaJIT has one switch for all hooks, which is off while one runs.
#[cfg(not(feature = "mlua-luajit"))]
#[test]
fn evaluations_end_and_time_at_the_prompt_does_not_count() {
    let mut client = Client::new();
    client.command(("CONFIG", "SET", "busy-reply-threshold", 200)).unwrap();
    client
        .engine
        .set_limits(Limits { time: Some(Duration::from_millis(100)), ..Limits::default() });
    let input = vec![
        words("e while true do end"),
        words("e (function() while true do end end)()"),
        words("e string.rep('x', 1e9)"),
        words("e 7"),
        words("c"),
    ];
    let started = Instant::now();
    let (lines, reply) = debug(&mut client, "local a = 1\nreturn a", input);
    let expected = [
        "+* Stopped at 1, stop reason = step over",
        "+-> 1   local a = 1",
        "+<error> the evaluation took too long",
        "+<error> the evaluation took too long",
        "+<error> not enough memory",
        "+<retval> 7",
        "+<endsession>",
    ];
    assert_eq!(lines, expected);
    assert_eq!(reply, ":1\r\n");
    assert!(started.elapsed() >= Duration::from_millis(400));
}

#[test]
fn limits_hold_in_a_session() {
    let mut client = Client::new();
    client
        .engine
        .set_limits(Limits { time: Some(Duration::from_millis(100)), ..Limits::default() });
    let (_, reply) = debug(&mut client, "while true do pcall(error) end", vec![words("c")]);
    assert!(reply.starts_with("-ERR Script exceeded its time limit script: "), "{reply}");
    let monitor = client.engine.monitor().clone();
    client.engine.set_limits(Limits::unlimited());
    let stopper = std::thread::spawn(move || {
        while monitor.running().is_none() {
            std::thread::yield_now();
        }
        std::thread::sleep(Duration::from_millis(20));
        monitor.stop();
    });
    let source = "while true do pcall(function() local n = 1 end) end";
    let (_, reply) = debug(&mut client, source, vec![words("c")]);
    assert!(reply.starts_with("-ERR Script stopped by the host"), "{reply}");
    stopper.join().unwrap();
}

#[test]
fn tables_without_end_are_shown_to_the_limit() {
    let source = "local t = {}\nfor i = 1, 100 do t[i] = t end\nreturn 1";
    let (lines, _) =
        debug(&mut Client::new(), source, vec![words("b 3"), words("c"), words("p t"), words("c")]);
    let shown = lines.iter().find(|line| line.starts_with("+<value>")).unwrap();
    assert_eq!(shown.len(), 1 + 256 + " ...".len());
}

#[test]
fn without_a_console_there_is_no_session() {
    let mut client = Client::new();
    assert_eq!(client.command(("SCRIPT", "DEBUG", "YES")).unwrap(), Reply::status("OK"));
    let reply = client.command(("EVAL", "return 1", 0)).unwrap();
    assert_eq!(reply, Reply::error("ERR Only a connection of its own can debug a script"));
    assert_eq!(client.command(("SCRIPT", "DEBUG", "NO")).unwrap(), Reply::status("OK"));
    assert_eq!(client.command(("EVAL", "return 1", 0)).unwrap(), Reply::Integer(1));
}

#[test]
fn a_fork_leaves_nothing_behind() {
    let mut client = Client::new();
    client.command(("EVAL", "math.randomseed(5)", 0)).unwrap();
    let mut copy = Client {
        engine: client.engine.fork(),
        host: client.host.snapshot(),
        session: client.session,
    };
    let source = "redis.call('set', 'k', 1)\nreturn tostring(math.random())";
    let (_, there) = debug(&mut copy, source, vec![words("c")]);
    assert_eq!(client.command(("EXISTS", "k")).unwrap(), Reply::Integer(0));
    let here = client.command(("EVAL", "return tostring(math.random())", 0)).unwrap();
    let Reply::Bulk(here) = here else { panic!("{here:?}") };
    assert!(there.contains(&String::from_utf8(here).unwrap()), "{there}");
}
