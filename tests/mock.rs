//! What `MockRedis` promises to tests: its clock, its call log, failures on demand.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::thread;
use std::time::{Duration, Instant};

use redlua::store::Clock;
use redlua::{Limits, MockRedis, Reply, Script};

const SECOND: Duration = Duration::from_secs(1);

fn ok() -> Reply {
    Reply::status("OK")
}

#[test]
fn clones_share_one_server_and_connections_their_sessions_not() {
    let mock = MockRedis::new();
    let (mut one, mut two) = (mock.clone().connection(), mock.connection());
    assert_eq!(one.command(("SELECT", 3)).unwrap(), ok());
    assert_eq!(one.command(("SET", "k", "three")).unwrap(), ok());
    assert_eq!(two.command(("GET", "k")).unwrap(), Reply::Null);
    assert_eq!(two.command(("SELECT", 3)).unwrap(), ok());
    assert_eq!(two.command(("GET", "k")).unwrap(), Reply::bulk("three"));
    assert_ne!(one.id(), two.id());
}

#[test]
fn time_passes_when_it_is_told_to() {
    let mock = MockRedis::builder().clock(Clock::manual(1000 * SECOND)).build();
    mock.command(("SET", "k", "v", "EX", 60)).unwrap();
    thread::sleep(Duration::from_millis(5));
    assert_eq!(mock.command(("PTTL", "k")).unwrap(), Reply::Integer(60_000));
    mock.advance(59 * SECOND);
    assert_eq!(mock.command(("TTL", "k")).unwrap(), Reply::Integer(1));
    assert_eq!(
        mock.command(("EVAL", "return redis.call('TIME')[1]", 0)).unwrap(),
        Reply::bulk("1059")
    );
    // A key is there until its time is over (`db.c keyIsExpired`).
    mock.advance(SECOND);
    assert_eq!(mock.command(("PTTL", "k")).unwrap(), Reply::Integer(0));
    mock.advance(Duration::from_millis(1));
    assert_eq!(mock.command(("GET", "k")).unwrap(), Reply::Null);
    assert_eq!(mock.now(), 1060 * SECOND + Duration::from_millis(1));
}

#[test]
fn the_usual_clock_runs_and_jumps() {
    let mock = MockRedis::new();
    mock.command(("SET", "soon", "v", "PX", 5)).unwrap();
    mock.command(("SET", "late", "v", "EX", 3600)).unwrap();
    thread::sleep(Duration::from_millis(20));
    assert_eq!(mock.command(("EXISTS", "soon", "late")).unwrap(), Reply::Integer(1));
    mock.advance(3601 * SECOND);
    assert_eq!(mock.command(("EXISTS", "late")).unwrap(), Reply::Integer(0));
}

#[test]
fn a_blocked_client_is_answered_when_its_time_has_passed() {
    for clock in [Clock::adjustable(), Clock::manual(SECOND)] {
        let mock = MockRedis::builder().clock(clock).build();
        let mut waiting = mock.connection();
        let id = waiting.id();
        let thread = thread::spawn(move || waiting.command(("BLPOP", "list", 3600)).unwrap());
        until_blocked(&mock, id);
        mock.advance(3599 * SECOND);
        thread::sleep(Duration::from_millis(20));
        assert!(!thread.is_finished());
        mock.advance(SECOND);
        assert_eq!(thread.join().unwrap(), Reply::NullArray);
    }
}

#[test]
fn a_blocked_client_is_answered_when_a_script_pushes() {
    let mock = MockRedis::new();
    let mut waiting = mock.connection();
    let id = waiting.id();
    let thread = thread::spawn(move || waiting.command(("BLPOP", "list", 0)).unwrap());
    until_blocked(&mock, id);
    mock.command(("EVAL", "redis.call('RPUSH', KEYS[1], 'x')", 1, "list")).unwrap();
    assert_eq!(thread.join().unwrap(), Reply::array([Reply::bulk("list"), Reply::bulk("x")]));
}

#[test]
fn a_disconnected_client_stops_waiting() {
    let mock = MockRedis::new();
    let mut waiting = mock.connection();
    let id = waiting.id();
    let thread = thread::spawn(move || {
        waiting.command(("BLPOP", "list", 0)).unwrap();
        waiting.is_open()
    });
    until_blocked(&mock, id);
    assert!(mock.disconnect(id));
    assert!(!thread.join().unwrap());
    assert!(!mock.disconnect(id + 1000));
}

#[test]
fn calls_are_noted_in_order_those_of_scripts_too() {
    let mock = MockRedis::builder().clock(Clock::manual(7 * SECOND)).build();
    let mut one = mock.connection();
    one.command(("SELECT", 2)).unwrap();
    mock.clear_calls();
    let script = "redis.call('SET', KEYS[1], ARGV[1]) return redis.pcall('NOSUCH')";
    one.command(("EVAL", script, 1, "k", "a b")).unwrap();
    one.command(("MULTI",)).unwrap();
    one.command(("INCR", "n")).unwrap();
    assert_eq!(mock.calls().len(), 3);
    one.command(("EXEC",)).unwrap();
    one.command(("NOSUCH", "x")).unwrap();
    let calls = mock.calls();
    let lines: Vec<String> = calls.iter().skip(1).map(ToString::to_string).collect();
    assert_eq!(lines, [r#"SET k "a b""#, "MULTI", "EXEC", "INCR n", "NOSUCH x"]);
    assert!(calls[0].is("eval") && !calls[0].script);
    assert!(calls[1].script && calls[1].db == 2 && calls[1].session == one.id());
    assert!(calls.iter().all(|call| call.time == 7 * SECOND));
    mock.clear_calls();
    assert_eq!(mock.calls(), []);
}

#[test]
fn the_log_has_an_end() {
    let mock = MockRedis::builder().log(2).build();
    mock.command(("EVAL", "for i = 1, 5 do redis.call('INCR', 'n') end", 0)).unwrap();
    mock.command(("GET", "n")).unwrap();
    let lines: Vec<String> = mock.calls().iter().map(ToString::to_string).collect();
    assert_eq!(lines, ["INCR n", "GET n"]);
    let silent = MockRedis::builder().log(0).build();
    silent.command(("PING",)).unwrap();
    assert_eq!(silent.calls(), []);
}

#[test]
fn a_failure_happens_once_and_changes_nothing() {
    let mock = MockRedis::new();
    mock.fail_next("incr", "READONLY You can't write against a read only replica.");
    mock.fail_next("INCR", "LOADING Redis is loading the dataset in memory");
    let texts: Vec<Reply> = (0..3).map(|_| mock.command(("Incr", "n")).unwrap()).collect();
    assert!(matches!(&texts[0], Reply::Error(text) if text.starts_with(b"READONLY ")));
    assert!(matches!(&texts[1], Reply::Error(text) if text.starts_with(b"LOADING ")));
    assert_eq!(texts[2], Reply::Integer(1));
}

#[test]
fn a_failure_inside_a_script() {
    let mock = MockRedis::new();
    mock.fail_next("GET", "ERR on purpose");
    let caught =
        "local reply = redis.pcall('GET', KEYS[1]) return {reply.err, redis.call('GET', KEYS[1])}";
    mock.command(("SET", "k", "v")).unwrap();
    assert_eq!(
        mock.command(("EVAL", caught, 1, "k")).unwrap(),
        Reply::array([Reply::bulk("ERR on purpose"), Reply::bulk("v")])
    );
    mock.fail_next("GET", "ERR on purpose");
    let error = Script::new("return redis.call('GET', KEYS[1])")
        .key("k")
        .invoke::<String>(&mut mock.connection())
        .unwrap_err();
    assert!(error.to_string().starts_with("ERR on purpose script: "), "{error}");
}

#[test]
fn failures_of_scripts_subcommands_and_transactions() {
    let mock = MockRedis::new();
    mock.fail_next("EVALSHA", "NOSCRIPT No matching script. Please use EVAL.");
    let script = Script::new("return redis.call('INCR', 'n')");
    script.load(&mut mock.connection()).unwrap();
    assert_eq!(script.invoke::<i64>(&mut mock.connection()).unwrap(), 1);
    mock.fail_next("CONFIG GET", "ERR not today");
    assert!(!mock.command(("CONFIG", "SET", "maxmemory", 0)).unwrap().is_error());
    assert!(mock.command(("CONFIG", "GET", "maxmemory")).unwrap().is_error());
    let mut one = mock.connection();
    mock.fail_next("SET", "ERR not today");
    for argv in [vec!["MULTI"], vec!["SET", "k", "v"], vec!["INCR", "n"]] {
        assert!(!one.command(argv).unwrap().is_error());
    }
    assert_eq!(
        one.command(("EXEC",)).unwrap(),
        Reply::array([Reply::error("ERR not today"), Reply::Integer(2)])
    );
    mock.fail_next("DEL", "ERR never happens");
    assert_eq!(mock.clear_failures(), 1);
    assert_eq!(mock.command(("DEL", "n")).unwrap(), Reply::Integer(1));
}

#[test]
fn messages_by_name_and_pattern() {
    let mock = MockRedis::new();
    let mut all = mock.psubscribe(&["n*"]);
    let mut news = mock.subscribe(&["news", "other"]);
    assert_eq!(mock.command(("PUBLISH", "news", "hello")).unwrap(), Reply::Integer(2));
    let message = all.next(SECOND).unwrap();
    assert_eq!(message.pattern.as_deref(), Some(&b"n*"[..]));
    assert_eq!(news.next(SECOND).unwrap().payload(), "hello");
    news.unsubscribe(&["news"]);
    assert_eq!(mock.command(("PUBLISH", "news", "again")).unwrap(), Reply::Integer(1));
    assert_eq!(news.try_next(), None);
    drop((all, news));
    assert_eq!(mock.command(("PUBSUB", "NUMPAT")).unwrap(), Reply::Integer(0));
    let mut own = mock.connection();
    own.command(("SUBSCRIBE", "a", "b")).unwrap();
    mock.command(("PUBLISH", "b", "x")).unwrap();
    assert_eq!(own.message(SECOND).unwrap().channel(), "b");
}

#[test]
fn limits_stop_a_script() {
    let limits = Limits { time: Some(Duration::from_millis(50)), ..Limits::default() };
    let mock = MockRedis::builder().limits(limits).build();
    let begin = Instant::now();
    assert!(mock.command(("EVAL", "while true do end", 0)).unwrap().is_error());
    assert!(begin.elapsed() < 10 * SECOND);
    assert_eq!(mock.command(("PING",)).unwrap(), Reply::status("PONG"));
}

/// Waits until the client with that id waits: it is then blocked, by `CLIENT LIST`.
fn until_blocked(mock: &MockRedis, id: u64) {
    let begin = Instant::now();
    loop {
        let list = mock.command(("CLIENT", "LIST", "ID", id)).unwrap();
        let text = String::from_utf8_lossy(list.bytes().unwrap_or_default()).into_owned();
        if text.contains("cmd=blpop") {
            return;
        }
        assert!(begin.elapsed() < 10 * SECOND, "{text}");
        thread::yield_now();
    }
}
