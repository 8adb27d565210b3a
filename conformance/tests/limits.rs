//! What `Limits` says of replies, sources, scripts, libraries and functions, and that nothing is
//! left of what was refused.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::thread;
use std::time::{Duration, Instant};

use redlua::{Client, Connection, Limits, Reply};

fn client(limits: Limits) -> Client {
    let mut client = Client::new();
    client.engine.set_limits(limits);
    client
}

fn eval(client: &mut Client, script: &str) -> Reply {
    client.request(&[b"EVAL", script.as_bytes(), b"0"])
}

fn error(reply: &Reply) -> String {
    match reply {
        Reply::Error(text) => String::from_utf8_lossy(text).into_owned(),
        other => format!("no error: {other:?}"),
    }
}

fn library(name: &str, functions: &[&str]) -> Vec<u8> {
    let mut code = format!("#!lua name={name}\n");
    for function in functions {
        code += &format!("redis.register_function('{function}', function() return 1 end)\n");
    }
    code.into_bytes()
}

#[test]
fn replies_have_a_size() {
    let mut client = client(Limits { reply: Some(1000), ..Limits::default() });
    let small = "local t={} for i=1,100 do t[i]=i end return t";
    assert!(matches!(eval(&mut client, small), Reply::Array(all) if all.len() == 100));
    for large in [
        "local t={} for i=1,1000 do t[i]=i end return t",
        "return ('x'):rep(1001)",
        "local s=('x'):rep(100) return {s,s,s,s,s,s,s,s,s,s,s}",
        "local t={1,2} for i=1,40 do t={t,t} end return t",
        "return {{err=('x'):rep(2000)}}",
    ] {
        assert!(error(&eval(&mut client, large)).contains("reply limit"), "{large}");
    }
    assert_eq!(eval(&mut client, "return 7"), Reply::Integer(7));
    let most = "return #('x'):rep(1000)";
    assert_eq!(eval(&mut client, most), Reply::Integer(1000));
}

#[test]
fn sources_have_a_size() {
    let mut client = client(Limits { source: Some(100), ..Limits::default() });
    let long = format!("return 1 --{}", "x".repeat(100));
    assert!(error(&eval(&mut client, &long)).contains("longer than its limit"));
    let loaded = client.request(&[b"SCRIPT", b"LOAD", long.as_bytes()]);
    assert!(error(&loaded).contains("longer than its limit"));
    let code = [library("l", &["f"]), b"--".repeat(100)].concat();
    let loaded = client.request(&[b"FUNCTION", b"LOAD", &code]);
    assert!(error(&loaded).contains("longer than its limit"));
    assert_eq!(eval(&mut client, "return 1"), Reply::Integer(1));
    assert_eq!(client.engine.cached_scripts(), 1);
}

#[test]
fn scripts_that_have_not_run_for_long_are_forgotten() {
    let mut client = client(Limits { scripts: Some(40), ..Limits::default() });
    let kept = client.request(&[b"SCRIPT", b"LOAD", b"return 'kept'"]);
    let Reply::Bulk(kept) = kept else { panic!("{kept:?}") };
    assert_eq!(eval(&mut client, "return 'old'"), Reply::bulk("old"));
    let sha = |client: &mut Client, script: &str| {
        let reply = client.request(&[b"SCRIPT", b"LOAD", script.as_bytes()]);
        let Reply::Bulk(sha) = reply else { panic!("{reply:?}") };
        sha
    };
    let mut other = Client::new();
    let (old, busy) = (sha(&mut other, "return 'old'"), sha(&mut other, "return 'busy'"));
    for turn in 0..1000 {
        assert_eq!(eval(&mut client, &format!("return {turn}")), Reply::Integer(turn));
        assert_eq!(eval(&mut client, "return 'busy'"), Reply::bulk("busy"));
        assert!(client.engine.cached_scripts() <= 40);
    }
    assert_eq!(client.request(&[b"EVALSHA", &kept, b"0"]), Reply::bulk("kept"));
    assert_eq!(client.request(&[b"EVALSHA", &busy, b"0"]), Reply::bulk("busy"));
    assert!(error(&client.request(&[b"EVALSHA", &old, b"0"])).starts_with("NOSCRIPT"));
    // What stays is refused when there is as much of it, and nothing else suffers.
    let mut refused = 0;
    for turn in 0..100 {
        let reply = client.request(&[b"SCRIPT", b"LOAD", format!("return {turn},1").as_bytes()]);
        refused += usize::from(error(&reply).contains("Too many scripts"));
        assert_eq!(eval(&mut client, &format!("return {turn},2")), Reply::Integer(turn));
    }
    assert_eq!(refused, 61);
    assert_eq!(client.request(&[b"SCRIPT", b"FLUSH"]), Reply::status("OK"));
    assert_eq!(client.engine.cached_scripts(), 0);
    assert!(matches!(client.request(&[b"SCRIPT", b"LOAD", b"return 1,3"]), Reply::Bulk(_)));
}

#[test]
fn scripts_give_their_memory_up_to_others() {
    let mut client = client(Limits { memory: Some(16 << 20), ..Limits::default() });
    for turn in 0..300 {
        let script = format!("return {turn} --{{}}\n, {{{}}}", format!("'{turn}',").repeat(8000));
        assert_eq!(eval(&mut client, &script), Reply::Integer(turn));
    }
    assert!(client.engine.cached_scripts() < 300);
    assert!(client.engine.memory_used() <= 16 << 20);
    // Scripts that stay may not take all of it.
    let mut refused = 0;
    for turn in 0..300 {
        let script = format!("return {turn}, {{{}}}", format!("'{turn}',").repeat(8000));
        let reply = client.request(&[b"SCRIPT", b"LOAD", script.as_bytes()]);
        refused += usize::from(matches!(reply, Reply::Error(_)));
        assert_eq!(eval(&mut client, "return 1"), Reply::Integer(1));
    }
    assert!(refused > 0);
    assert_eq!(
        eval(&mut client, "local t={} for i=1,1e4 do t[i]=i end return #t"),
        Reply::Integer(10_000)
    );
}

#[test]
fn libraries_and_functions_are_counted() {
    let limits = Limits { libraries: Some(3), functions: Some(5), ..Limits::default() };
    let mut client = client(limits);
    let mut load = |name: &str, functions: &[&str], replace: bool| {
        let code = library(name, functions);
        let words: &[&[u8]] = if replace {
            &[b"FUNCTION", b"LOAD", b"REPLACE", &code]
        } else {
            &[b"FUNCTION", b"LOAD", &code]
        };
        client.request(words)
    };
    for name in ["a", "b", "c"] {
        assert_eq!(load(name, &[name], false), Reply::bulk(name));
    }
    assert_eq!(error(&load("d", &["d"], false)), "ERR Too many libraries");
    assert_eq!(load("c", &["c", "d", "e"], true), Reply::bulk("c"));
    assert_eq!(error(&load("b", &["b", "f"], true)), "ERR Too many functions");
    let six = ["g", "h", "i", "j", "k", "l"];
    assert!(error(&load("b", &six, true)).contains("Too many functions"));
    assert_eq!(load("b", &["b"], true), Reply::bulk("b"));
    assert_eq!(client.request(&[b"FCALL", b"e", b"0"]), Reply::Integer(1));
    assert_eq!((client.engine.libraries(), client.engine.functions()), (3, 5));
    let Reply::Bulk(dump) = client.request(&[b"FUNCTION", b"DUMP"]) else { panic!("no dump") };
    assert_eq!(client.request(&[b"FUNCTION", b"RESTORE", &dump, b"REPLACE"]), Reply::status("OK"));
    client.engine.set_limits(Limits { libraries: Some(2), ..Limits::default() });
    let restored = client.request(&[b"FUNCTION", b"RESTORE", &dump, b"REPLACE"]);
    assert_eq!(error(&restored), "ERR Too many libraries");
    assert_eq!(client.request(&[b"FCALL", b"a", b"0"]), Reply::Integer(1));
}

#[test]
fn what_was_refused_leaves_nothing() {
    let mut client = client(Limits::default());
    let broken = b"#!lua name=l
        local big = {}
        for i = 1, 1000 do big[i] = i end
        local function f() return big end
        redis.register_function('good', f)
        for i = 1, 20 do
            pcall(redis.register_function, 'no good name', f)
            pcall(redis.register_function, 'good', f)
            pcall(redis.register_function, {function_name = 'x', callback = f, nothing = 1})
        end
        error('no')";
    let mut after_some = 0;
    for turn in 0..400 {
        assert!(matches!(client.request(&[b"FUNCTION", b"LOAD", broken]), Reply::Error(_)));
        if turn == 100 {
            after_some = client.engine.memory_used();
        }
    }
    let grown = client.engine.memory_used().saturating_sub(after_some);
    assert!(grown < 2 << 20, "{grown} bytes of {after_some}");
    assert_eq!((client.engine.libraries(), client.engine.functions()), (0, 0));
}

#[test]
fn arguments_beyond_memory_are_refused_before_the_script() {
    let mut client = client(Limits { memory: Some(8 << 20), ..Limits::default() });
    let word = vec![b'x'; 1 << 20];
    let mut argv: Vec<&[u8]> = vec![b"EVAL", b"redis.call('SET','k',1) return #ARGV", b"0"];
    argv.extend([word.as_slice(); 10]);
    assert!(error(&client.request(&argv)).contains("memory limit"));
    assert_eq!(client.request(&[b"EXISTS", b"k"]), Reply::Integer(0));
    argv.truncate(5);
    assert_eq!(client.request(&argv), Reply::Integer(2));
}

#[test]
fn libraries_load_in_half_a_second_or_not() {
    // As on a server, scripts have no limit of time: the code of a library has one.
    let mut client = client(Limits { time: None, ..Limits::default() });
    let endless = b"#!lua name=l\nwhile true do end";
    let begun = Instant::now();
    let reply = client.request(&[b"FUNCTION", b"LOAD", endless]);
    assert_eq!(error(&reply), "ERR Error registering functions: ERR FUNCTION LOAD timeout");
    let took = begun.elapsed();
    assert!(took >= Duration::from_millis(500) && took < Duration::from_secs(5), "{took:?}");
    // And may be stopped before.
    let monitor = client.engine.monitor().clone();
    let stopper = thread::spawn(move || {
        for _ in 0..20 {
            thread::sleep(Duration::from_millis(20));
            monitor.stop();
        }
    });
    let begun = Instant::now();
    let reply = client.request(&[b"FUNCTION", b"LOAD", endless]);
    assert!(matches!(reply, Reply::Error(_)));
    assert!(begun.elapsed() < Duration::from_millis(450), "{:?}", begun.elapsed());
    stopper.join().unwrap();
    // The limit of others is what it was.
    let slow = b"local t=redis.call('TIME') repeat local n=redis.call('TIME') until \
        (n[1]-t[1])*1000+(n[2]-t[2])/1000 >= 0 for i=1,1e6 do end return 1";
    assert_eq!(client.request(&[b"EVAL", slow, b"0"]), Reply::Integer(1));
}
