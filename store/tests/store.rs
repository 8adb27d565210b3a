//! What a server around the store relies on: time, watching, blocking, messages, permissions.
#![allow(clippy::expect_used, reason = "a test may panic")]

use std::time::Duration;

use redlua_conversions::resp::RespWriter;
use redlua_core::{CommandFlags, Denied, Host, Protocol, Session, UserId};
use redlua_store::{Awaited, Blocked, Clock, Message, Store, TimeoutReply};

/// Runs a call and returns the reply's bytes.
fn run(store: &mut Store, session: &mut Session, call: &str) -> String {
    let argv: Vec<&[u8]> = call.split(' ').map(str::as_bytes).collect();
    let spec = store.command(&argv).expect("a known command");
    let mut reply = RespWriter::new(Store::reply_protocol(session, &argv));
    store.call(session, &spec, &argv, &mut reply);
    String::from_utf8(reply.into_bytes()).expect("text")
}

fn plain(store: &mut Store, call: &str) -> String {
    run(store, &mut Session::default(), call)
}

fn manual() -> (Store, Clock) {
    let clock = Clock::manual(Duration::from_secs(1_700_000_000));
    (Store::with_clock(clock.clone()), clock)
}

#[test]
fn stores_can_move_between_threads() {
    fn moves<T: Send>() {}
    moves::<Store>();
}

#[test]
fn keys_expire_with_the_clock() {
    let (mut store, clock) = manual();
    plain(&mut store, "SET k v PX 100");
    assert_eq!(plain(&mut store, "PTTL k"), ":100\r\n");
    clock.advance(Duration::from_millis(100));
    assert_eq!(plain(&mut store, "GET k"), "$1\r\nv\r\n");
    clock.advance(Duration::from_millis(1));
    assert_eq!(plain(&mut store, "GET k"), "$-1\r\n");
    assert_eq!(plain(&mut store, "DBSIZE"), ":0\r\n");
}

#[test]
fn nothing_expires_while_a_script_runs() {
    let (mut store, clock) = manual();
    plain(&mut store, "SET k v PX 100");
    store.script_started();
    clock.advance(Duration::from_secs(1));
    assert_eq!(plain(&mut store, "GET k"), "$1\r\nv\r\n");
    assert_eq!(plain(&mut store, "PTTL k"), ":0\r\n");
    store.script_ended();
    assert_eq!(plain(&mut store, "GET k"), "$-1\r\n");
}

#[test]
fn stamps_change_with_their_key_only() {
    let (mut store, clock) = manual();
    plain(&mut store, "SET k 1 PX 50");
    let (stamp, missing) = (store.watch(0, b"k"), store.watch(0, b"missing"));
    for call in ["GET k", "SET other 1", "DEL missing", "EXPIRE missing 1", "HDEL missing f"] {
        plain(&mut store, call);
        assert_eq!((store.stamp(0, b"k"), store.stamp(0, b"missing")), (stamp, missing), "{call}");
    }
    plain(&mut store, "SET missing 1");
    plain(&mut store, "DEL missing");
    assert_ne!(store.stamp(0, b"missing"), missing);
    assert_eq!(store.stamp(0, b"k"), stamp);
    clock.advance(Duration::from_millis(60));
    assert_ne!(store.stamp(0, b"k"), stamp);
    let other = store.watch(0, b"other");
    plain(&mut store, "FLUSHALL");
    assert_ne!(store.stamp(0, b"other"), other);
}

#[test]
fn a_stamp_is_kept_until_the_last_one_ceases_to_watch() {
    let mut store = Store::new();
    let stamp = store.watch(0, b"k");
    store.watch(0, b"k");
    plain(&mut store, "SET other 1");
    store.unwatch(0, b"k");
    assert_eq!(store.stamp(0, b"k"), stamp);
    plain(&mut store, "SET k 1");
    assert_ne!(store.stamp(0, b"k"), stamp);
}

#[test]
fn only_keys_that_somebody_waits_for_are_noted() {
    let mut store = Store::new();
    store.await_key(0, b"a");
    store.await_key(0, b"b");
    for call in ["RPUSH c 1", "RPUSH b 1", "SET a 1", "RPUSH b 1"] {
        plain(&mut store, call);
    }
    assert_eq!(store.take_ready(), [(0, b"b".to_vec()), (0, b"a".to_vec())]);
    store.forget_awaited(0, b"b");
    plain(&mut store, "RPUSH b 1");
    assert!(!store.has_ready());
}

/// A key that is waited for, the second word of its call.
fn awaited(call: &str) -> Awaited {
    let argv: Vec<Vec<u8>> = call.split(' ').map(Into::into).collect();
    Awaited { key: argv[1].clone(), argv }
}

#[test]
fn blocking_commands_wait_or_answer() {
    let mut store = Store::new();
    assert_eq!(plain(&mut store, "BLPOP a b 1.5"), "");
    let blocked = store.take_blocked();
    assert_eq!(
        blocked,
        Some(Blocked {
            db: 0,
            keys: vec![awaited("BLPOP a 1.5"), awaited("BLPOP b 1.5")],
            timeout: Some(Duration::from_millis(1500)),
            reply: TimeoutReply::NullArray,
        })
    );
    let mut script = Session { script: true, ..Session::default() };
    assert_eq!(run(&mut store, &mut script, "BLPOP a 0"), "*-1\r\n");
    assert_eq!(run(&mut store, &mut script, "BLMOVE a b LEFT LEFT 0"), "$-1\r\n");
    assert_eq!(store.take_blocked(), None);
    plain(&mut store, "RPUSH b x");
    assert_eq!(plain(&mut store, "BLPOP a b 1.5"), "*2\r\n$1\r\nb\r\n$1\r\nx\r\n");
}

#[test]
fn messages_reach_their_subscribers() {
    let mut store = Store::new();
    let mut one = Session { id: 1, protocol: Protocol::Resp3, ..Session::default() };
    let mut two = Session { id: 2, ..Session::default() };
    assert_eq!(
        run(&mut store, &mut one, "SUBSCRIBE a b"),
        ">3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n>3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2\r\n"
    );
    run(&mut store, &mut two, "PSUBSCRIBE a*");
    assert_eq!(plain(&mut store, "PUBLISH a hello"), ":2\r\n");
    let messages = store.take_messages();
    assert_eq!(messages.len(), 2);
    assert_eq!(
        messages[0],
        (1, Message::Channel { channel: b"a".to_vec(), payload: b"hello".to_vec() })
    );
    assert_eq!(messages[1].0, 2);
    assert!(store.is_subscribed(2));
    store.forget(2);
    assert_eq!(plain(&mut store, "PUBLISH a hello"), ":1\r\n");
}

#[test]
fn hello_switches_the_protocol() {
    let mut store = Store::new();
    let mut session = Session::default();
    plain(&mut store, "HSET h f v");
    assert!(run(&mut store, &mut session, "HELLO 3").starts_with("%7\r\n"));
    assert_eq!(run(&mut store, &mut session, "HGETALL h"), "%1\r\n$1\r\nf\r\n$1\r\nv\r\n");
    assert_eq!(run(&mut store, &mut session, "RESET"), "+RESET\r\n");
    assert_eq!(run(&mut store, &mut session, "HGETALL h"), "*2\r\n$1\r\nf\r\n$1\r\nv\r\n");
}

#[test]
fn users_are_held_to_their_rules() {
    let mut store = Store::new();
    plain(&mut store, "ACL SETUSER bob on >pw ~b:* +get");
    assert_eq!(store.authenticate(b"bob", b"no"), None);
    let user = store.authenticate(b"bob", b"pw").expect("the password");
    assert_ne!(user, UserId::default());
    let session = Session { user, ..Session::default() };
    let permits = |call: &str| {
        let argv: Vec<&[u8]> = call.split(' ').map(str::as_bytes).collect();
        let spec = store.command(&argv).expect("a known command");
        store.permits(&session, &spec, &argv)
    };
    assert_eq!(permits("GET b:1"), Ok(()));
    assert_eq!(permits("GET a:1"), Err(Denied::Key));
    assert_eq!(permits("CONFIG SET a b"), Err(Denied::Command(b"config|set".to_vec())));
}

#[test]
fn out_of_memory_is_a_condition() {
    let mut store = Store::new();
    assert!(!store.condition().out_of_memory);
    plain(&mut store, "CONFIG SET maxmemory 1");
    assert!(store.condition().out_of_memory);
    plain(&mut store, "CONFIG SET maxmemory 0");
    assert!(!store.condition().out_of_memory);
}

#[test]
fn keys_are_evicted_as_the_policy_says() {
    let (mut store, clock) = manual();
    plain(&mut store, "CONFIG SET maxmemory 1mb maxmemory-policy allkeys-lru");
    let value = "x".repeat(1000);
    for number in 0..300 {
        clock.advance(Duration::from_secs(1));
        plain(&mut store, "GET key:0");
        plain(&mut store, &format!("SET key:{number} {value}"));
        assert!(!store.condition().out_of_memory);
    }
    assert_eq!(plain(&mut store, "EXISTS key:299"), ":1\r\n");
    let kept: usize = plain(&mut store, "DBSIZE")[1..].trim().parse().expect("a number");
    assert!((50..290).contains(&kept), "{kept} keys are left");
    plain(&mut store, "FLUSHALL");
    plain(&mut store, "CONFIG SET maxmemory-policy volatile-ttl");
    for number in 0..300 {
        plain(&mut store, &format!("SET key:{number} {value}"));
    }
    assert!(store.condition().out_of_memory);
    assert_eq!(plain(&mut store, "DBSIZE"), ":300\r\n");
}

#[test]
fn deny_scripts_can_be_lifted() {
    let mut store = Store::new();
    let flags = |store: &Store| store.command(&[b"spop", b"k"]).map(|spec| spec.flags);
    let blpop = |store: &Store| store.command(&[b"blpop", b"k", b"0"]).map(|spec| spec.flags);
    assert!(blpop(&store).is_some_and(|flags| flags.contains(CommandFlags::NOSCRIPT)));
    plain(&mut store, "DEBUG SET-DISABLE-DENY-SCRIPTS 1");
    assert!(blpop(&store).is_some_and(|flags| !flags.contains(CommandFlags::NOSCRIPT)));
    assert!(flags(&store).is_some_and(|flags| flags.contains(CommandFlags::WRITE)));
}

#[test]
fn a_call_that_breaks_its_arity_is_refused() {
    let mut store = Store::new();
    let spec = store.command(&[b"set", b"k", b"v"]).expect("SET");
    let mut reply = RespWriter::new(Protocol::Resp2);
    store.call(&mut Session::default(), &spec, &[b"set"], &mut reply);
    assert_eq!(reply.bytes(), b"-ERR wrong number of arguments for 'set' command\r\n");
}

#[test]
fn scans_meet_every_key_that_stays() {
    let mut store = Store::new();
    for number in 0..500 {
        plain(&mut store, &format!("SET key:{number} v"));
    }
    let mut seen = std::collections::HashSet::new();
    let mut cursor = "0".to_owned();
    let mut deleted = 0;
    loop {
        let reply = plain(&mut store, &format!("SCAN {cursor} COUNT 7"));
        let words: Vec<&str> = reply.split("\r\n").collect();
        cursor = words[2].to_owned();
        seen.extend(words.iter().filter(|word| word.starts_with("key:")).map(|w| (*w).to_owned()));
        // Keys of odd numbers go and others come while the cursor walks.
        for _ in 0..3 {
            plain(&mut store, &format!("DEL key:{}", deleted * 2 + 1));
            plain(&mut store, &format!("SET new:{deleted} v"));
            deleted += 1;
        }
        if cursor == "0" {
            break;
        }
    }
    for number in (0..500).step_by(2) {
        assert!(seen.contains(&format!("key:{number}")), "key:{number}");
    }
}

#[test]
fn ranks_in_a_large_sorted_set() {
    let mut store = Store::new();
    for number in 0..3000 {
        let score = (number * 7919) % 3000;
        plain(&mut store, &format!("ZADD z {score} m{score:05}"));
    }
    assert_eq!(plain(&mut store, "OBJECT ENCODING z"), "$8\r\nskiplist\r\n");
    assert_eq!(plain(&mut store, "ZRANK z m01234"), ":1234\r\n");
    assert_eq!(plain(&mut store, "ZREVRANK z m01234"), ":1765\r\n");
    assert_eq!(plain(&mut store, "ZRANGE z 2000 2000"), "*1\r\n$6\r\nm02000\r\n");
    assert_eq!(plain(&mut store, "ZCOUNT z (10 20"), ":10\r\n");
    assert_eq!(plain(&mut store, "ZREMRANGEBYRANK z 0 999"), ":1000\r\n");
    assert_eq!(plain(&mut store, "ZRANK z m01234"), ":234\r\n");
}

#[test]
fn a_snapshot_goes_its_own_way() {
    let (mut store, clock) = manual();
    for call in [
        "SET text 1 EX 100",
        "RPUSH list a b",
        "SADD set 1 x",
        "HSET hash f v",
        "ZADD zset 1 m",
        "XADD stream 1-1 f v",
        "CONFIG SET hash-max-listpack-entries 7",
    ] {
        plain(&mut store, call);
    }
    let mut copy = store.snapshot();
    for key in ["text", "list", "set", "hash", "zset", "stream"] {
        let spec = copy.command(&[b"DUMP", b"k"]).expect("a known command");
        let dump = |store: &mut Store| {
            let mut reply = RespWriter::new(Protocol::Resp2);
            let argv: [&[u8]; 2] = [b"DUMP", key.as_bytes()];
            store.call(&mut Session::default(), &spec, &argv, &mut reply);
            reply.into_bytes()
        };
        assert_eq!(dump(&mut copy), dump(&mut store), "{key}");
    }
    plain(&mut copy, "FLUSHALL");
    plain(&mut store, "INCR text");
    clock.advance(Duration::from_secs(1));
    assert_eq!(plain(&mut copy, "DBSIZE"), ":0\r\n");
    assert!(plain(&mut copy, "CONFIG GET hash-max-listpack-entries").ends_with("\r\n7\r\n"));
    assert_eq!(plain(&mut store, "DBSIZE"), ":6\r\n");
    assert_eq!(plain(&mut store, "GET text"), "$1\r\n2\r\n");
    assert_eq!(plain(&mut store, "TTL text"), ":99\r\n");
}
