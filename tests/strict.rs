//! Strict keys: a script touches what it declared, on every backend of the build.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use redlua::conversions::raw;
use redlua::{Client, Connection, Engine, backends};

/// The reply to an `EVAL` with these keys, on every backend; they must agree.
fn eval(script: &str, keys: &[&str]) -> String {
    let replies: Vec<String> = backends()
        .into_iter()
        .map(|backend| {
            let mut client = Client::new();
            client.engine = Engine::new(backend).strict_keys(true);
            client.command(("RPUSH", "list", 2, 1)).unwrap();
            let count = keys.len().to_string();
            let mut argv: Vec<&[u8]> = vec![b"EVAL", script.as_bytes(), count.as_bytes()];
            argv.extend(keys.iter().map(|key| key.as_bytes()));
            String::from_utf8(raw(&client.request(&argv))).unwrap()
        })
        .collect();
    assert!(replies.windows(2).all(|pair| pair[0] == pair[1]), "{replies:?}");
    replies[0].clone()
}

/// The error that a script ends with: its text without the SHA1.
fn refused(script: &str, keys: &[&str]) -> String {
    let reply = eval(script, keys);
    let (text, rest) = reply.split_once(" script: ").unwrap_or_else(|| panic!("{reply}"));
    let (_, place) = rest.split_once(", on @user_script:").unwrap();
    format!("{text} in line {}", place.trim_end().trim_end_matches('.'))
}

#[test]
fn declared_keys_are_free() {
    assert_eq!(eval("return redis.call('SET', KEYS[1], 'v')", &["k"]), "OK\n");
    assert_eq!(eval("return redis.call('MGET', KEYS[2], KEYS[1])", &["a", "b"]), "\n\n");
    assert_eq!(eval("return redis.call('PING')", &[]), "PONG\n");
    assert_eq!(eval("return redis.call('PUBLISH', 'channel', 'm')", &[]), "0\n");
    assert_eq!(eval("return redis.call('SPUBLISH', 'channel', 'm')", &[]), "0\n");
    assert_eq!(eval("return redis.call('SORT', 'list')", &["list"]), "1\n2\n");
    let get = "return redis.call('SORT', 'list', 'BY', 'nosort', 'GET', '#')";
    assert_eq!(eval(get, &["list"]), "2\n1\n");
}

#[test]
fn others_are_named_with_command_and_line() {
    let script = "local k = 'other'\nredis.call('SET', KEYS[1], 1)\nreturn redis.call('GET', k)";
    assert_eq!(
        refused(script, &["k"]),
        "ERR Script accesses the key \"other\" with 'get', which is not declared in KEYS in line 3"
    );
    let key = |script: &str, keys: &[&str]| {
        let text = refused(script, keys);
        let (_, rest) = text.split_once("ERR Script accesses the key").unwrap();
        rest.split_once(", which").unwrap().0.trim().to_owned()
    };
    let call = |words: &str| format!("return redis.call({words})");
    assert_eq!(key(&call("'MSET', 'a', 1, 'b', 2"), &["a"]), "\"b\" with 'mset'");
    assert_eq!(
        key(&call("'ZUNIONSTORE', 'a', 2, 'b', 'c'"), &["a", "b"]),
        "\"c\" with 'zunionstore'"
    );
    assert_eq!(key(&call("'XREAD', 'STREAMS', 'x', 0"), &[]), "\"x\" with 'xread'");
    assert_eq!(key(&call("'SORT', 'list', 'STORE', 's'"), &["list"]), "\"s\" with 'sort'");
    assert_eq!(key(&call("'OBJECT', 'ENCODING', 'o'"), &[]), "\"o\" with 'object|encoding'");
    assert_eq!(
        key(&call("'GEORADIUS', 'g', 1, 1, 1, 'm', 'STORE', 't'"), &["g"]),
        "\"t\" with 'georadius'"
    );
    assert_eq!(key(&call("'LMPOP', '1', 'l', 'LEFT'"), &[]), "\"l\" with 'lmpop'");
    // Bytes that no line of text holds.
    assert_eq!(key(&call("'GET', 'a\\n\\0b'"), &[]), "\"a\\n\\x00b\" with 'get'");
    let text = refused("return redis.call('SORT', 'list', 'GET', 'w_*')", &["list"]);
    assert!(text.contains("the keys \"w_*\" with 'sort', which cannot be declared"), "{text}");
}

#[test]
fn pcall_raises_it_too() {
    let text = refused("local r = redis.pcall('GET', 'x')\nreturn 'unseen'", &[]);
    assert!(text.ends_with("in line 1"), "{text}");
    // An error of another kind is returned as ever.
    assert_eq!(eval("return redis.pcall('LPUSH', 'list').err ~= nil", &["list"]), "1\n");
}

#[test]
fn a_refused_write_writes_nothing() {
    let mut client = Client::new();
    client.engine.set_strict_keys(true);
    assert!(client.command(("EVAL", "redis.call('SET', 'x', 1)", 0)).unwrap().is_error());
    let library = "#!lua name=l\nredis.register_function('f', function(keys, args)\n\
                   return redis.call('INCR', args[1]) end)";
    client.command(("FUNCTION", "LOAD", library)).unwrap();
    let reply = client.command(("FCALL", "f", 0, "x")).unwrap();
    let text = String::from_utf8(raw(&reply)).unwrap();
    assert!(text.contains("the key \"x\" with 'incr'"), "{text}");
    assert!(text.contains("script: f, on @user_function:3."), "{text}");
    let reply = client.command(("FCALL", "f", 1, "x", "x")).unwrap();
    assert_eq!(reply.integer(), Some(1));
    client.engine.set_strict_keys(false);
    assert_eq!(client.command(("FCALL", "f", 0, "x")).unwrap().integer(), Some(2));
}
