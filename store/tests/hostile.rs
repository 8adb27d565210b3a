//! No call, however senseless, may panic or answer more than one thing.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use redlua_conversions::resp::{Parsed, RespWriter, parse};
use redlua_core::{CommandFlags, Host, Protocol, Session};
use redlua_store::Store;

use proptest::prelude::*;

/// Words that mean something to some command, and some that mean nothing.
#[rustfmt::skip]
const WORDS: &[&[u8]] = &[
    b"k1", b"k2", b"str", b"lst", b"hsh", b"set", b"iset", b"zs", b"st", b"none", b"", b"a", b"b",
    b"f", b"0", b"1", b"2", b"3", b"-1", b"-2", b"10", b"100", b"9223372036854775807",
    b"-9223372036854775808", b"9223372036854775808", b"1.5", b"-0", b"1e400", b"inf", b"-inf",
    b"nan", b"0x10", b"(1", b"[a", b"(a", b"-", b"+", b"*", b"$", b">", b"~", b"=", b"0-0", b"5-5",
    b"1-*", b"\xff\x00\r\n", b"#", b"@all", b"+@all", b"-get", b"~k*", b"&c", b"(", b"()", b"%R~x",
    b"NX", b"XX", b"GT", b"LT", b"CH", b"INCR", b"GET", b"SET", b"EX", b"PX", b"KEEPTTL",
    b"PERSIST", b"LIMIT", b"COUNT", b"MATCH", b"TYPE", b"BY", b"STORE", b"STOREDIST", b"ASC",
    b"DESC", b"ALPHA", b"BYSCORE", b"BYLEX", b"REV", b"WITHSCORES", b"WITHVALUES", b"WEIGHTS",
    b"AGGREGATE", b"SUM", b"LEFT", b"RIGHT", b"MIN", b"MAX", b"BEFORE", b"AFTER", b"RANK",
    b"MAXLEN", b"MINID", b"NOMKSTREAM", b"STREAMS", b"GROUP", b"NOACK", b"BLOCK", b"JUSTID", b"IDLE",
    b"FORCE", b"MKSTREAM", b"ENTRIESREAD", b"FULL", b"FROMMEMBER", b"FROMLONLAT", b"BYRADIUS",
    b"BYBOX", b"m", b"km", b"WITHCOORD", b"WITHDIST", b"WITHHASH", b"ANY", b"u8", b"i64", b"u63",
    b"u64", b"#1", b"OVERFLOW", b"SAT", b"WRAP", b"FAIL", b"INCRBY", b"AND", b"NOT", b"BIT", b"BYTE",
    b"LEN", b"IDX", b"MINMATCHLEN", b"WITHMATCHLEN", b"REPLACE", b"ABSTTL", b"IDLETIME", b"FREQ",
    b"DB", b"ASYNC", b"on", b"yes", b"no", b"maxmemory-samples", b"hash-max-listpack-entries",
    b"FILTERBY", b"ACLCAT", b"PATTERN", b"encoding", b"protocol", b"map", b"SAMPLES", b"KEYS",
    b"\x00\x01a\x0a\x00", b"\x0a\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", b"HYLL\x00\x00",
];

/// Calls that would end or hold up the test itself, or take gigabytes as they should; and one
/// that answers only once.
fn is_excluded(name: &str) -> bool {
    matches!(name, "debug" | "monitor" | "setrange" | "setbit" | "bitfield")
}

/// Fills a store with one key of each type.
fn prepare(store: &mut Store, session: &mut Session) {
    for call in [
        "SET str hello",
        "RPUSH lst a b c 1 2",
        "HSET hsh a 1 b 2 f 3",
        "SADD set a b 1",
        "SADD iset 1 2 3",
        "ZADD zs 1 a 2 b 3 c",
        "XADD st 5-5 f v",
        "XGROUP CREATE st a 0",
    ] {
        let argv: Vec<&[u8]> = call.split(' ').map(str::as_bytes).collect();
        let spec = store.command(&argv).expect("a known command");
        store.call(session, &spec, &argv, &mut RespWriter::new(Protocol::Resp3));
    }
}

/// The names of all commands, subcommands as two words.
fn names(store: &mut Store) -> Vec<Vec<String>> {
    let argv: [&[u8]; 4] = [b"COMMAND", b"LIST", b"FILTERBY", b"PATTERN"];
    let argv = [&argv[..], &[b"*"]].concat();
    let spec = store.command(&argv).expect("COMMAND LIST");
    let mut reply = RespWriter::new(Protocol::Resp2);
    store.call(&mut Session::default(), &spec, &argv, &mut reply);
    let text = String::from_utf8(reply.into_bytes()).expect("names");
    text.split("\r\n")
        .filter(|line| line.starts_with(|first: char| first.is_ascii_lowercase()))
        .filter(|name| !is_excluded(name))
        .map(|name| name.split('|').map(str::to_owned).collect())
        .collect()
}

/// How many complete replies there are in some bytes.
fn replies(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    let mut count = 0;
    while !rest.is_empty() {
        match parse(rest, &mut RespWriter::new(Protocol::Resp3)) {
            Ok(Parsed::Complete(len)) => rest = &rest[len..],
            _ => return usize::MAX,
        }
        count += 1;
    }
    count
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn senseless_calls(
        calls in proptest::collection::vec(
            (any::<prop::sample::Index>(),
             proptest::collection::vec(any::<prop::sample::Index>(), 0..8)),
            400,
        ),
        third in any::<bool>(),
    ) {
        let mut store = Store::new();
        let names = names(&mut store);
        let protocol = if third { Protocol::Resp3 } else { Protocol::Resp2 };
        let mut session = Session { id: 1, protocol, script: true, ..Session::default() };
        for (number, (name, words)) in calls.iter().enumerate() {
            if number % 40 == 0 {
                prepare(&mut store, &mut session);
            }
            let name = name.get(&names);
            let mut argv: Vec<&[u8]> = name.iter().map(|word| word.as_bytes()).collect();
            argv.extend(words.iter().map(|word| *word.get(WORDS)));
            let Some(spec) = store.command(&argv) else { continue };
            let _ = store.permits(&session, &spec, &argv);
            let mut sink = RespWriter::new(protocol);
            session.protocol = protocol;
            store.call(&mut session, &spec, &argv, &mut sink);
            let several = spec.flags.contains(CommandFlags::PUBSUB);
            let count = replies(sink.bytes());
            prop_assert!(count == 1 || several && count < 100, "{argv:?}: {count} replies");
            let _ = store.take_messages();
        }
    }
}
