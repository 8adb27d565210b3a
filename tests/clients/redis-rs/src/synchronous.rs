//! Code on `redis::ConnectionLike`.
//!
//! Must not know what kind of connection it is.

use std::collections::{BTreeMap, HashMap};
use std::thread;
use std::time::Duration;

use redis::streams::{StreamReadOptions, StreamReadReply};
use redis::{Commands, ConnectionLike, ErrorKind, RedisResult, Script, ServerErrorKind, Value};

/// One way to use a connection; `connect` makes further ones to the same, empty server.
pub type Test<C> = fn(connect: &(dyn Fn() -> C + Sync));

/// All of them with their names.
pub fn tests<C: ConnectionLike + Send>() -> Vec<(&'static str, Test<C>)> {
    vec![
        ("scripts", scripts),
        ("errors of scripts", errors),
        ("pipelines", pipelines),
        ("transactions", transactions),
        ("watched keys", watched),
        ("types of replies", types),
        ("scans", scans),
        ("blocking commands", blocking),
        ("streams", streams),
        ("protocol 3", protocol),
        ("databases", databases),
        ("functions", functions),
    ]
}

fn scripts<C: ConnectionLike>(connect: &(dyn Fn() -> C + Sync)) {
    let mut con = connect();
    let script = Script::new(
        "local n = redis.call('INCRBY', KEYS[1], ARGV[1])
         return {n, redis.call('TYPE', KEYS[1]).ok, ARGV[2]}",
    );
    redis::cmd("SCRIPT").arg("FLUSH").exec(&mut con).unwrap();
    for total in [5, 10] {
        let reply: (i64, String, Vec<u8>) =
            script.key("n").arg(5).arg(&[0u8, 255][..]).invoke(&mut con).unwrap();
        assert_eq!(reply, (total, "string".to_owned(), vec![0, 255]));
    }
    let exists: Vec<bool> =
        redis::cmd("SCRIPT").arg("EXISTS").arg(script.get_hash()).query(&mut con).unwrap();
    assert_eq!(exists, [true]);
    let loaded: String = script.prepare_invoke().load(&mut con).unwrap();
    assert_eq!(loaded, script.get_hash());
    let piped: Vec<(i64, String, i64)> = redis::pipe()
        .invoke_script(script.key("n").arg(1).arg(7))
        .invoke_script(script.key("m").arg(1).arg(8))
        .query(&mut con)
        .unwrap();
    assert_eq!(piped, [(11, "string".to_owned(), 7), (1, "string".to_owned(), 8)]);
}

fn errors<C: ConnectionLike>(connect: &(dyn Fn() -> C + Sync)) {
    let mut con = connect();
    let run = |con: &mut C, source: &str| Script::new(source).invoke::<Value>(con).unwrap_err();
    let own = run(&mut con, "return redis.error_reply('MINE is here')");
    assert_eq!((own.code(), own.detail()), (Some("MINE"), Some("is here")));
    let compile = run(&mut con, "return (");
    assert_eq!(compile.kind(), ErrorKind::Server(ServerErrorKind::ResponseError));
    assert!(compile.to_string().contains("Error compiling script"));
    let raised = run(&mut con, "error({err = 'ERR raised'})");
    assert!(raised.to_string().contains("raised"));
    let unknown = redis::cmd("EVALSHA").arg("0".repeat(40)).arg(0).exec(&mut con).unwrap_err();
    assert_eq!(unknown.kind(), ErrorKind::Server(ServerErrorKind::NoScript));
    let wrong: RedisResult<i64> = redis::cmd("GET").query(&mut con);
    assert!(wrong.unwrap_err().to_string().contains("wrong number of arguments"));
}

fn pipelines<C: ConnectionLike>(connect: &(dyn Fn() -> C + Sync)) {
    let mut con = connect();
    let (a, b): (i64, Option<String>) =
        redis::pipe().set("a", 1).ignore().incr("a", 41).get("none").query(&mut con).unwrap();
    assert_eq!((a, b), (42, None));
    let mut pipe = redis::pipe();
    for n in 0..2000 {
        pipe.rpush("list", n).ignore();
    }
    pipe.exec(&mut con).unwrap();
    assert_eq!(con.lrange::<_, Vec<u32>>("list", -2, -1), Ok(vec![1998, 1999]));
    let failed: RedisResult<(String, i64)> = redis::pipe().get("a").incr("list", 1).query(&mut con);
    assert!(failed.unwrap_err().to_string().contains("WRONGTYPE"));
    assert_eq!(con.get("a"), Ok(42));
}

fn transactions<C: ConnectionLike>(connect: &(dyn Fn() -> C + Sync)) {
    let mut con = connect();
    let (n, all): (i64, Vec<String>) = redis::pipe()
        .atomic()
        .incr("n", 1)
        .rpush("l", "x")
        .ignore()
        .lrange("l", 0, -1)
        .query(&mut con)
        .unwrap();
    assert_eq!((n, all), (1, vec!["x".to_owned()]));
    let refused = redis::pipe().atomic().incr("n", 1).cmd("NOSUCH").exec(&mut con).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Server(ServerErrorKind::ExecAbort));
    assert_eq!(con.get("n"), Ok(1));
}

fn watched<C: ConnectionLike>(connect: &(dyn Fn() -> C + Sync)) {
    let (mut con, mut other) = (connect(), connect());
    let mut attempts = 0;
    let (n,): (i64,) = redis::transaction(&mut con, &["n"], |con, pipe| {
        attempts += 1;
        let n: Option<i64> = con.get("n")?;
        if attempts == 1 {
            // A script's write makes the first attempt fail.
            Script::new("redis.call('SET', KEYS[1], 10)").key("n").invoke::<()>(&mut other)?;
        }
        pipe.set("n", n.unwrap_or(0) + 1).ignore().get("n").query(con)
    })
    .unwrap();
    assert_eq!((n, attempts), (11, 2));
}

fn types<C: ConnectionLike>(connect: &(dyn Fn() -> C + Sync)) {
    let mut con = connect();
    con.hset_multiple::<_, _, _, ()>("h", &[("a", 1), ("b", 2)]).unwrap();
    let map: BTreeMap<String, i64> = con.hgetall("h").unwrap();
    assert_eq!(map, BTreeMap::from([("a".to_owned(), 1), ("b".to_owned(), 2)]));
    con.zadd::<_, _, _, ()>("z", "m", 1.5).unwrap();
    assert_eq!(con.zrange_withscores("z", 0, -1), Ok(vec![("m".to_owned(), 1.5)]));
    assert_eq!(con.zscore("z", "none"), Ok(None::<f64>));
    con.sadd::<_, _, ()>("s", &[1, 2, 3]).unwrap();
    assert_eq!(con.smembers::<_, std::collections::HashSet<u8>>("s").unwrap().len(), 3);
    assert_eq!(con.exists("none"), Ok(false));
    con.set_ex::<_, _, ()>("k", "v", 100).unwrap();
    assert_eq!(con.ttl("k"), Ok(100));
    let info: redis::InfoDict = redis::cmd("INFO").query(&mut con).unwrap();
    assert!(info.get::<String>("redis_version").unwrap().starts_with("7.0"));
}

fn scans<C: ConnectionLike>(connect: &(dyn Fn() -> C + Sync)) {
    let mut con = connect();
    let mut pipe = redis::pipe();
    for n in 0..500 {
        pipe.set(format!("k:{n}"), n).hset("h", n, n);
    }
    pipe.exec(&mut con).unwrap();
    let keys: Result<Vec<String>, _> = con.scan_match("k:*").unwrap().collect();
    assert_eq!(keys.unwrap().len(), 500);
    let fields: Result<HashMap<u32, u32>, _> = con.hscan("h").unwrap().collect();
    assert_eq!(fields.unwrap().get(&7), Some(&7));
}

fn blocking<C: ConnectionLike + Send>(connect: &(dyn Fn() -> C + Sync)) {
    thread::scope(|scope| {
        let (mut waiting, mut con) = (connect(), connect());
        let popped = scope.spawn(move || waiting.blpop::<_, (String, i64)>(&["a", "b"], 10.0));
        thread::sleep(Duration::from_millis(50));
        Script::new("redis.call('RPUSH', KEYS[1], 7)").key("b").invoke::<()>(&mut con).unwrap();
        assert_eq!(popped.join().unwrap(), Ok(("b".to_owned(), 7)));
    });
    let nothing: Option<(String, String)> = connect().brpop("none", 0.02).unwrap();
    assert_eq!(nothing, None);
}

fn streams<C: ConnectionLike + Send>(connect: &(dyn Fn() -> C + Sync)) {
    let mut con = connect();
    con.xgroup_create_mkstream::<_, _, _, ()>("s", "g", "$").unwrap();
    thread::scope(|scope| {
        let mut waiting = connect();
        let read = scope.spawn(move || {
            let options = StreamReadOptions::default().group("g", "ada").block(10_000);
            waiting.xread_options::<_, _, StreamReadReply>(&["s"], &[">"], &options)
        });
        thread::sleep(Duration::from_millis(50));
        con.xadd::<_, _, _, _, ()>("s", "1-1", &[("f", "v")]).unwrap();
        let reply = read.join().unwrap().unwrap();
        assert_eq!(reply.keys[0].ids[0].get::<String>("f"), Some("v".to_owned()));
    });
    assert_eq!(con.xack("s", "g", &["1-1"]), Ok(1));
}

fn protocol<C: ConnectionLike>(connect: &(dyn Fn() -> C + Sync)) {
    let mut con = connect();
    let hello: HashMap<String, Value> = redis::cmd("HELLO").arg(3).query(&mut con).unwrap();
    assert_eq!(hello.get("proto"), Some(&Value::Int(3)));
    con.hset::<_, _, _, ()>("h", "f", "v").unwrap();
    let raw: Value = redis::cmd("HGETALL").arg("h").query(&mut con).unwrap();
    let pair = |text: &str| Value::BulkString(text.into());
    assert_eq!(raw, Value::Map(vec![(pair("f"), pair("v"))]));
    let raw: Value =
        Script::new("redis.setresp(3) return {double = 1.5}").invoke(&mut con).unwrap();
    assert_eq!(raw, Value::Double(1.5));
}

fn databases<C: ConnectionLike>(connect: &(dyn Fn() -> C + Sync)) {
    let (mut con, mut other) = (connect(), connect());
    redis::cmd("SELECT").arg(3).exec(&mut con).unwrap();
    con.set::<_, _, ()>("k", "three").unwrap();
    assert_eq!(other.get("k"), Ok(None::<String>));
    redis::cmd("SELECT").arg(3).exec(&mut other).unwrap();
    assert_eq!(other.get("k"), Ok("three".to_owned()));
    assert!(con.check_connection() && con.is_open());
}

fn functions<C: ConnectionLike>(connect: &(dyn Fn() -> C + Sync)) {
    let mut con = connect();
    let code = "#!lua name=lib
        redis.register_function('put', function(keys, args)
            return redis.call('SET', keys[1], args[1])
        end)";
    redis::cmd("FUNCTION").arg("FLUSH").exec(&mut con).unwrap();
    redis::cmd("FUNCTION").arg("LOAD").arg(code).exec(&mut con).unwrap();
    redis::cmd("FCALL").arg("put").arg(1).arg("k").arg("v").exec(&mut con).unwrap();
    assert_eq!(con.get("k"), Ok("v".to_owned()));
    redis::cmd("FUNCTION").arg("FLUSH").exec(&mut con).unwrap();
}
