//! Broken callers: hosts that answer wrongly, panic or call back, sinks that panic, clocks that go
//! back. The script gets an error or a value, and the engine serves the next one.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;
use std::time::Duration;

use redlua::core::{Condition, LogLevel, Seq};
use redlua::store::Clock;
use redlua::{
    Client, CommandFlags, CommandSpec, Connection, Engine, Host, Limits, Protocol, Reply,
    ReplySink, Session, Store,
};

/// A host whose every command does something wrong, and `good` nothing.
#[derive(Default)]
struct Faulty {
    /// Where it panics besides.
    panics: &'static str,
    inner: Option<Box<Client>>,
    calls: usize,
}

impl Faulty {
    fn perhaps(&self, place: &str) {
        assert!(self.panics != place, "on purpose");
    }
}

impl Host for Faulty {
    fn command(&self, argv: &[&[u8]]) -> Option<CommandSpec> {
        self.perhaps("command");
        (argv[0] != b"unknown").then(|| CommandSpec::new(0, -1, CommandFlags::READONLY))
    }

    fn call(&mut self, _: &mut Session, _: &CommandSpec, argv: &[&[u8]], sink: &mut dyn ReplySink) {
        self.calls += 1;
        match argv[0] {
            b"nothing" => {}
            b"two" => {
                sink.integer(1);
                sink.integer(2);
            }
            b"short" => {
                sink.seq(Seq::Array, 3);
                sink.integer(1);
            }
            b"long" => {
                sink.seq(Seq::Array, 1);
                sink.integer(1);
                sink.integer(2);
                sink.seq(Seq::Array, 5);
            }
            b"open" => {
                for _ in 0..50 {
                    sink.seq(Seq::Array, 2);
                }
            }
            b"deep" => {
                for _ in 0..100_000 {
                    sink.seq(Seq::Array, 1);
                }
                sink.integer(1);
            }
            b"huge" => sink.seq(Seq::Array, usize::MAX),
            b"huge-map" => sink.map(usize::MAX),
            b"half-map" => {
                sink.map(2);
                sink.bulk(b"a");
                sink.integer(1);
                sink.bulk(b"b");
            }
            b"null-keys" => {
                sink.map(2);
                sink.null();
                sink.integer(1);
                sink.double(f64::NAN);
                sink.integer(2);
            }
            b"null-set" => {
                sink.seq(Seq::Set, 2);
                sink.null();
                sink.double(f64::NAN);
            }
            b"attribute" => {
                sink.attribute(usize::MAX);
                sink.integer(1);
            }
            b"late-error" => {
                sink.seq(Seq::Array, 2);
                sink.integer(1);
                sink.error(b"ERR in the middle");
            }
            b"lines" => sink.error(b"ERR a\r\n+OK\r\n:1"),
            b"bare" => sink.error(b""),
            b"panic" => panic!("on purpose"),
            b"late-panic" => {
                sink.seq(Seq::Array, 3);
                sink.bulk(b"x");
                panic!("on purpose");
            }
            b"odd-panic" => std::panic::panic_any(7),
            b"again" => {
                let inner = self.inner.get_or_insert_with(Box::default);
                let script = b"local t={} for i=1,100 do t[i]=redis.call('ECHO',i) end return #t";
                match inner.request(&[b"EVAL", script, b"0"]) {
                    Reply::Integer(number) => sink.integer(number),
                    _ => sink.error(b"ERR the inner engine failed"),
                }
            }
            _ => sink.bulk(b"good"),
        }
    }

    fn condition(&self) -> Condition {
        self.perhaps("condition");
        Condition::default()
    }

    fn log(&mut self, _: LogLevel, _: &[u8]) {
        self.perhaps("log");
    }

    fn script_started(&mut self) {
        self.perhaps("started");
    }

    fn script_ended(&mut self) {
        self.perhaps("ended");
    }

    fn now(&self) -> Duration {
        self.perhaps("now");
        Duration::ZERO
    }
}

/// Panics on purpose are not worth pages of text.
fn quietly() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let shown = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let text = info.payload().downcast_ref::<&str>().copied().unwrap_or("on purpose");
            if text != "on purpose" {
                shown(info);
            }
        }));
    });
}

fn client() -> Client<Faulty> {
    quietly();
    let mut client = Client::with_host(Faulty::default());
    client.engine.set_limits(Limits { memory: Some(64 << 20), ..Limits::default() });
    client
}

fn serves(client: &mut Client<Faulty>) {
    client.host.panics = "";
    let script = b"local t={} for i=1,20 do t[i]=redis.call('good') end return table.concat(t)";
    assert_eq!(client.request(&[b"EVAL", script, b"0"]), Reply::bulk("good".repeat(20)));
    assert!(client.engine.monitor().running().is_none());
}

const FAULTS: [&str; 19] = [
    "nothing",
    "two",
    "short",
    "long",
    "open",
    "deep",
    "huge",
    "huge-map",
    "half-map",
    "null-keys",
    "null-set",
    "attribute",
    "late-error",
    "lines",
    "bare",
    "panic",
    "late-panic",
    "odd-panic",
    "unknown",
];

#[test]
fn hosts_that_answer_wrongly() {
    let mut client = client();
    for fault in FAULTS {
        for resp in [2, 3] {
            for call in ["call", "pcall"] {
                let script = format!(
                    "redis.setresp({resp}) local r=redis.{call}('{fault}') \
                     redis.call('good') return type(r)"
                );
                let reply = client.request(&[b"EVAL", script.as_bytes(), b"0"]);
                assert!(matches!(reply, Reply::Bulk(_) | Reply::Error(_)), "{script}: {reply:?}");
                if let Reply::Error(text) = &reply {
                    assert!(!text.contains(&b'\n'), "{script}: {reply:?}");
                }
                serves(&mut client);
            }
        }
        // What it answers is passed on without harm.
        let script = format!("return redis.pcall('{fault}')");
        client.request(&[b"EVAL", script.as_bytes(), b"0"]);
        serves(&mut client);
    }
}

#[test]
fn errors_in_the_middle_of_a_reply_are_seen() {
    let mut client = client();
    let script = b"local r=redis.call('late-error') return {r[1], r[2].err}";
    let reply = client.request(&[b"EVAL", script, b"0"]);
    assert_eq!(
        reply,
        Reply::Array(vec![Reply::Integer(1), Reply::bulk("ERR in the middle")].into())
    );
    let script = b"return redis.call('late-error')";
    let Reply::Array(all) = client.request(&[b"EVAL", script, b"0"]) else { panic!("no array") };
    assert!(all[1].is_error());
}

#[test]
fn a_panic_in_a_command_is_an_error_of_the_script() {
    let mut client = client();
    for fault in ["panic", "late-panic", "odd-panic"] {
        let script = format!("redis.call('good') return redis.call('{fault}')");
        let Reply::Error(text) = client.request(&[b"EVAL", script.as_bytes(), b"0"]) else {
            panic!("{fault}: no error");
        };
        let text = String::from_utf8(text).unwrap();
        assert!(text.contains("the host panicked"), "{text}");
        let script = format!(
            "local n=0 for i=1,50 do if not pcall(redis.call,'{fault}') then n=n+1 end \
             coroutine.wrap(function() pcall(redis.call,'{fault}') end)() end return n"
        );
        assert_eq!(client.request(&[b"EVAL", script.as_bytes(), b"0"]), Reply::Integer(50));
        serves(&mut client);
    }
}

#[test]
fn a_panic_elsewhere_reaches_the_caller_and_harms_nothing() {
    for place in ["command", "condition", "started", "ended", "now", "log"] {
        let mut client = client();
        serves(&mut client);
        client.host.panics = place;
        for script in [
            "redis.log(redis.LOG_WARNING,'x') return redis.call('good')",
            "return pcall(redis.log,redis.LOG_WARNING,'x')",
            "return redis.call('good')",
        ] {
            // Either a reply says so or the panic comes through.
            let _ = catch_unwind(AssertUnwindSafe(|| {
                client.request(&[b"EVAL", script.as_bytes(), b"0"])
            }));
            assert!(client.engine.monitor().running().is_none(), "{place}");
        }
        serves(&mut client);
    }
}

/// A consumer of replies that panics at the first event.
struct Panics;

impl ReplySink for Panics {
    fn protocol(&self) -> Protocol {
        Protocol::Resp2
    }
    fn null(&mut self) {
        panic!("on purpose");
    }
    fn null_array(&mut self) {
        panic!("on purpose");
    }
    fn integer(&mut self, _: i64) {
        panic!("on purpose");
    }
    fn bulk(&mut self, _: &[u8]) {
        panic!("on purpose");
    }
    fn status(&mut self, _: &[u8]) {
        panic!("on purpose");
    }
    fn error(&mut self, _: &[u8]) {
        panic!("on purpose");
    }
    fn seq(&mut self, _: Seq, _: usize) {}
    fn map(&mut self, _: usize) {}
    fn double(&mut self, _: f64) {
        panic!("on purpose");
    }
    fn double_text(&mut self, _: f64, _: &[u8]) {
        panic!("on purpose");
    }
    fn boolean(&mut self, _: bool) {
        panic!("on purpose");
    }
    fn big_number(&mut self, _: &[u8]) {
        panic!("on purpose");
    }
    fn verbatim(&mut self, _: [u8; 3], _: &[u8]) {
        panic!("on purpose");
    }
    fn attribute(&mut self, _: usize) {}
}

#[test]
fn a_sink_that_panics_harms_nothing() {
    let mut client = client();
    for script in ["return 1", "return {1,{2,{3}}}", "error('x')", "return {err='x'}"] {
        for _ in 0..20 {
            let panicked = catch_unwind(AssertUnwindSafe(|| {
                client.dispatch(&[b"EVAL", script.as_bytes(), b"0"], &mut Panics);
            }));
            assert!(panicked.is_err(), "{script}");
            serves(&mut client);
        }
    }
}

#[test]
fn a_host_may_run_scripts_of_another_engine() {
    let mut client = client();
    let script = b"local n=0 for i=1,20 do n=n+redis.call('again') end return n";
    assert_eq!(client.request(&[b"EVAL", script, b"0"]), Reply::Integer(2000));
    let script = b"local co=coroutine.wrap(function() return redis.call('again') end) return co()";
    assert_eq!(client.request(&[b"EVAL", script, b"0"]), Reply::Integer(100));
    serves(&mut client);
}

#[test]
fn a_script_may_not_run_another() {
    let mut client = Client::new();
    for call in ["'EVAL','return 1',0", "'EVALSHA','x',0", "'FCALL','f',0", "'SCRIPT','FLUSH'"] {
        let script = format!("return redis.call({call})");
        let Reply::Error(text) = client.request(&[b"EVAL", script.as_bytes(), b"0"]) else {
            panic!("{call}: no error");
        };
        let text = String::from_utf8(text).unwrap();
        assert!(text.starts_with("ERR This Redis command is not allowed from script"), "{text}");
    }
}

#[test]
fn clocks_that_go_back() {
    let clock = Clock::manual(Duration::from_secs(1_000_000));
    let mut client = Client::with_host(Store::with_clock(clock.clone()));
    let set = b"redis.call('SET','k','v','EX',100) redis.call('XADD','s','*','f',1) return 1";
    assert_eq!(client.request(&[b"EVAL", set, b"0"]), Reply::Integer(1));
    for seconds in [999_000, 0, 1, 1_000_050] {
        clock.set(Duration::from_secs(seconds));
        let script = b"redis.call('XADD','s','*','f',1) \
            return {redis.call('GET','k'), redis.call('XLEN','s') > 1, redis.call('TTL','k') > 0}";
        let reply = client.request(&[b"EVAL", script, b"0"]);
        let all = vec![Reply::bulk("v"), Reply::Integer(1), Reply::Integer(1)];
        assert_eq!(reply, Reply::Array(all.into()), "at {seconds}");
    }
    clock.set(Duration::from_secs(1_000_101));
    assert_eq!(client.request(&[b"GET", b"k"]), Reply::Null);
    assert_eq!(client.request(&[b"XLEN", b"s"]), Reply::Integer(5));
}

#[test]
fn engines_move_between_threads() {
    fn is_send<T: Send>() {}
    is_send::<Engine>();
    is_send::<Client>();
    is_send::<redlua::Script>();
    is_send::<redlua::MockRedis>();
    is_send::<redlua::Monitor>();
    let mut client = Client::new();
    for turn in 1..20 {
        client = std::thread::spawn(move || {
            let script = b"local co=coroutine.wrap(function() return redis.call('INCR','n') end) \
                return co()";
            assert_eq!(client.request(&[b"EVAL", script, b"0"]), Reply::Integer(turn));
            client
        })
        .join()
        .unwrap();
    }
}
