//! `Script` as a user meets it: loading, sharing, bytes, types, errors.
//!
//! Owns the promises of `Script` and `Client`. Must not know how the engine keeps them.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;

use redlua::{Client, Connection, Error, Protocol, Reply, Script};
use serde::{Deserialize, Serialize};

/// Counts the commands that reach the client.
struct Counting {
    client: Client,
    seen: Vec<Vec<u8>>,
}

impl Connection for Counting {
    fn request(&mut self, argv: &[&[u8]]) -> Reply {
        self.seen.push(argv[0].to_vec());
        self.client.request(argv)
    }
}

fn counting() -> Counting {
    Counting { client: Client::new(), seen: Vec::new() }
}

#[test]
fn the_sha_is_known_before_anything_is_sent() {
    // `printf 'return 1' | sha1sum`
    assert_eq!(Script::new("return 1").sha(), "e0e1f9fabfc9d4800c877a703b823ac0578ff8db");
    assert_eq!(Script::new("").sha(), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    let mut client = Client::new();
    let script = Script::new("return 1");
    script.load(&mut client).unwrap();
    let known: Vec<bool> =
        redlua::from_reply(&client.command(("SCRIPT", "EXISTS", script.sha())).unwrap()).unwrap();
    assert_eq!(known, [true]);
}

#[test]
fn a_script_is_sent_once_and_again_after_a_flush() {
    let script = Script::new("return redis.call('INCR', KEYS[1])");
    let mut connection = counting();
    for expected in 1..=3 {
        let count: i64 = script.key("n").invoke(&mut connection).unwrap();
        assert_eq!(count, expected);
    }
    assert_eq!(connection.seen, [&b"EVALSHA"[..], b"EVAL", b"EVALSHA", b"EVALSHA"]);
    connection.client.command(("SCRIPT", "FLUSH")).unwrap();
    connection.seen.clear();
    let count: i64 = script.key("n").invoke(&mut connection).unwrap();
    assert_eq!(count, 4, "the reload runs the script once");
    assert_eq!(connection.seen, [&b"EVALSHA"[..], b"EVAL"]);
}

#[test]
fn one_script_on_two_clients() {
    let script = Script::new("return redis.call('INCRBY', KEYS[1], ARGV[1])");
    let (mut one, mut other) = (Client::new(), Client::new());
    script.load(&mut one).unwrap();
    assert_eq!(script.key("n").arg(5).invoke::<i64>(&mut one).unwrap(), 5);
    assert_eq!(script.key("n").arg(7).invoke::<i64>(&mut other).unwrap(), 7);
    assert_eq!(script.key("n").arg(1).invoke::<i64>(&mut one).unwrap(), 6);
}

#[test]
fn ten_threads_lose_nothing() {
    let script = Script::new(
        "redis.call('RPUSH', KEYS[2], ARGV[1])
         return redis.call('INCR', KEYS[1])",
    );
    let client = Mutex::new(Client::new());
    let mut answers: Vec<i64> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..10)
            .map(|thread| {
                let (script, mut client) = (&script, &client);
                scope.spawn(move || {
                    (0..500)
                        .map(|turn| {
                            let call = script.key(["n", "log"]).arg(thread * 1000 + turn);
                            call.invoke::<i64>(&mut client).unwrap()
                        })
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    answers.sort_unstable();
    assert!(answers.into_iter().eq(1..=5000), "each answer once");
    let mut client = client.into_inner().unwrap();
    let mut log: Vec<i64> =
        redlua::from_reply(&client.command(("LRANGE", "log", 0, -1)).unwrap()).unwrap();
    log.sort_unstable();
    let sent = (0..10).flat_map(|thread| (0..500).map(move |turn| thread * 1000 + turn));
    assert!(log.into_iter().eq(sent), "each argument once");
}

#[test]
fn any_bytes_in_and_out() {
    let every: Vec<u8> = (0..=255).collect();
    for bytes in [&b"\0"[..], b"a\0b", b"\xff\xfe", b"\r\n", b"", &every] {
        let script = Script::new(
            "redis.call('SET', KEYS[1], ARGV[1])
             return {KEYS[1], redis.call('GET', KEYS[1]), #ARGV[1]}",
        );
        let wrapped = Bytes(bytes.to_vec());
        let mut client = Client::new();
        let (key, value, len): (Bytes, Bytes, usize) =
            script.key(&wrapped).arg(&wrapped).invoke(&mut client).unwrap();
        assert_eq!((&key, &value, len), (&wrapped, &wrapped, bytes.len()));
    }
    // The source too.
    let mut source = b"return '".to_vec();
    source.extend(b"\0\xff");
    source.extend(b"'");
    let answer: Bytes = Script::new(&source).invoke(&mut Client::new()).unwrap();
    assert_eq!(answer.0, b"\0\xff");
    let text = Script::new("return '\\255'").invoke::<String>(&mut Client::new());
    assert_eq!(text, Err(Error::Utf8));
}

/// Bytes as serde's data model has them.
#[derive(Debug, PartialEq)]
struct Bytes(Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Bytes;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(bytes.to_vec()))
            }
        }
        deserializer.deserialize_bytes(Visitor)
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Player {
    name: String,
    score: f64,
    team: Option<u32>,
}

#[test]
fn results_have_types() {
    let mut client = Client::new();
    let mut run = |source: &str| Script::new(source).prepare().reply(&mut client).unwrap();
    let reply = run("return {1, 'two', {3, 4}, false}");
    type Mixed = (i64, String, Vec<u8>, Option<String>);
    assert_eq!(redlua::from_reply::<Mixed>(&reply).unwrap(), (1, "two".into(), vec![3, 4], None));
    assert_eq!(redlua::from_reply::<Option<i64>>(&run("return nil")).unwrap(), None);
    assert_eq!(redlua::from_reply::<Option<i64>>(&run("return 7.9")).unwrap(), Some(7));
    assert_eq!(redlua::from_reply::<f64>(&run("return '3.25'")).unwrap(), 3.25);
    assert!(redlua::from_reply::<bool>(&run("return true")).unwrap());
    redlua::from_reply::<()>(&run("return 'ignored'")).unwrap();
    let map: HashMap<String, i64> = redlua::from_reply(&run("return {'a', 1, 'b', 2}")).unwrap();
    assert_eq!(map, HashMap::from([("a".into(), 1), ("b".into(), 2)]));
    let wrong = redlua::from_reply::<(i64, i64)>(&run("return {1, 2, 3}"));
    assert_eq!(wrong, Err(Error::Length { expected: 2, found: 3 }));
    let wrong = redlua::from_reply::<i64>(&run("return {1}"));
    assert!(matches!(wrong, Err(Error::Type { .. })), "{wrong:?}");
}

#[test]
fn structs_go_in_and_come_out() {
    let ada = Player { name: "Ada".into(), score: 9.5, team: Some(3) };
    // HSET takes the fields as they are, HGETALL gives them back flat.
    let script = Script::new(
        "redis.call('HSET', KEYS[1], unpack(ARGV))
         return redis.call('HGETALL', KEYS[1])",
    );
    let mut client = Client::new();
    assert_eq!(script.key("ada").arg(&ada).invoke::<Player>(&mut client).unwrap(), ada);

    // Under RESP3 the same script's reply can be a map.
    client.session.protocol = Protocol::Resp3;
    let script = Script::new(
        "redis.setresp(3)
         return redis.call('HGETALL', KEYS[1])",
    );
    let reply = script.key("ada").reply(&mut client).unwrap();
    assert!(matches!(reply, Reply::Map(_)), "{reply:?}");
    assert_eq!(redlua::from_reply::<Player>(&reply).unwrap(), ada);
    let fields: BTreeMap<String, String> = script.key("ada").invoke(&mut client).unwrap();
    assert_eq!(fields["name"], "Ada");

    // What cjson reads is what serde wrote.
    let scores: Vec<(String, f64)> =
        Script::new("return {'a', '1.5', 'b', '2'}").invoke(&mut client).unwrap();
    assert_eq!(scores, [("a".into(), 1.5), ("b".into(), 2.0)]);
}

#[test]
fn error_replies_are_errors_with_a_code() {
    let mut client = Client::new();
    client.command(("LPUSH", "list", "x")).unwrap();
    let script = Script::new("return redis.call('INCR', KEYS[1])");
    let Err(Error::Redis { code, message }) = script.key("list").invoke::<i64>(&mut client) else {
        panic!("no error")
    };
    assert_eq!(code, "WRONGTYPE");
    let tail = format!("script: {}, on @user_script:1.", script.sha());
    assert!(message.starts_with("Operation against a key holding the wrong kind of value"));
    assert!(message.ends_with(&tail), "{message}");

    let own = Script::new("return redis.error_reply('STOCK none left')").invoke::<()>(&mut client);
    let (code, message) = ("STOCK".into(), "none left".into());
    assert_eq!(own, Err(Error::Redis { code, message }));

    let broken = Script::new("return +").invoke::<()>(&mut client).unwrap_err().to_string();
    assert!(broken.starts_with("ERR Error compiling script (new function): user_script:1:"));
    assert!(Script::new("return +").load(&mut client).is_err());
    // The next script is served, and nothing was lost.
    let left: i64 = Script::new("return redis.call('LLEN', 'list')").invoke(&mut client).unwrap();
    assert_eq!(left, 1);
}

#[test]
fn read_only_invocations_cannot_write() {
    let script = Script::new(
        "if ARGV[1] then redis.call('SET', KEYS[1], ARGV[1]) end
         return redis.call('GET', KEYS[1])",
    );
    let mut connection = counting();
    connection.client.command(("SET", "k", "v")).unwrap();
    let value: String = script.key("k").read_only().invoke(&mut connection).unwrap();
    assert_eq!(value, "v");
    assert_eq!(connection.seen, [&b"EVALSHA_RO"[..], b"EVAL_RO"]);
    let refused = script.key("k").arg("w").read_only().invoke::<String>(&mut connection);
    let text = refused.unwrap_err().to_string();
    assert!(text.starts_with("ERR Write commands are not allowed from read-only scripts."));
    assert_eq!(script.key("k").arg("w").invoke::<String>(&mut connection).unwrap(), "w");
}

#[test]
fn what_cannot_be_an_argument_is_an_error_before_anything_runs() {
    let mut connection = counting();
    let nested: HashMap<&str, Vec<i64>> = HashMap::from([("a", vec![1, 2])]);
    let refused = Script::new("return 1").arg(nested).arg(1).invoke::<i64>(&mut connection);
    assert!(matches!(refused, Err(Error::Compound(_))), "{refused:?}");
    assert!(connection.seen.is_empty());
}
