//! Many at once: threads on one store lose nothing, engines side by side share nothing.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use redlua::{Client, Connection, Limits, MockRedis, Reply};

#[test]
fn threads_on_one_store_lose_nothing() {
    const THREADS: i64 = 8;
    const TURNS: i64 = 300;
    let server = redlua::new_server();
    let library = b"#!lua name=l\nredis.register_function('add', function(keys, args) \
        local n = redis.call('GET', keys[1]) or 0 redis.call('SET', keys[1], n + args[1]) end)";
    server.link().request(&[b"FUNCTION", b"LOAD", library]);
    let threads: Vec<_> = (0..THREADS)
        .map(|number| {
            let server = server.clone();
            thread::spawn(move || {
                let mut link = server.link();
                for turn in 0..TURNS {
                    // Read, then written: only whole scripts one after another get this right.
                    let script = b"local n = tonumber(redis.call('GET', 'n') or 0) \
                        for i = 1, 20 do local x = i * i end redis.call('SET', 'n', n + 1) \
                        return redis.call('RPUSH', 'l', ARGV[1])";
                    let argument = format!("{number}:{turn}");
                    let reply = link.request(&[b"EVAL", script, b"0", argument.as_bytes()]);
                    assert_eq!(reply.first(), Some(&b':'), "{reply:?}");
                    let reply = link.request(&[b"FCALL", b"add", b"1", b"f", b"2"]);
                    assert_eq!(reply, b"$-1\r\n");
                    if turn % 50 == 0 {
                        link.request(&[b"EVAL", b"error('x')", b"0"]);
                        link.request(&[b"EVAL", b"local t={} t[1]=t return cjson.encode(t)", b"0"]);
                    }
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    let mut link = server.link();
    let all = THREADS * TURNS;
    let number = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    assert!(number(&link.request(&[b"GET", b"n"])).contains(&format!("\r\n{all}\r\n")));
    assert!(number(&link.request(&[b"GET", b"f"])).contains(&format!("\r\n{}\r\n", 2 * all)));
    assert_eq!(number(&link.request(&[b"LLEN", b"l"])), format!(":{all}\r\n"));
}

#[test]
fn stops_hit_the_script_that_runs_and_no_other() {
    let server = redlua::new_server();
    let stops = Arc::new(AtomicUsize::new(0));
    let (monitor, count) = (server.monitor().clone(), stops.clone());
    let stopper = thread::spawn(move || {
        while count.load(Ordering::Relaxed) < 20 {
            if monitor.running_for().is_some_and(|time| time > Duration::from_millis(30)) {
                monitor.stop();
            }
            thread::sleep(Duration::from_millis(1));
        }
    });
    let mut link = server.link();
    for _ in 0..20 {
        let reply = link.request(&[b"EVAL", b"while true do pcall(function() end) end", b"0"]);
        assert!(reply.starts_with(b"-ERR Script stopped by the host"), "{reply:?}");
        let reply = link.request(&[b"EVAL", b"return 7", b"0"]);
        assert_eq!(reply, b":7\r\n");
        stops.fetch_add(1, Ordering::Relaxed);
    }
    stopper.join().unwrap();
}

#[test]
fn engines_side_by_side_share_nothing() {
    let mut tenants: Vec<Client> = (0..20).map(|_| Client::new()).collect();
    for (number, tenant) in tenants.iter_mut().enumerate() {
        tenant.engine.set_limits(Limits { memory: Some(8 << 20), ..Limits::default() });
        let script = format!(
            "cjson.encode_number_precision({}) math.randomseed({number}) collectgarbage('stop') \
             redis.call('SET','k',{number}) return 1",
            number % 14 + 1
        );
        assert_eq!(tenant.request(&[b"EVAL", script.as_bytes(), b"0"]), Reply::Integer(1));
        let library = format!(
            "#!lua name=l\nlocal n = {number} redis.register_function('f', function() return n end)"
        );
        tenant.request(&[b"FUNCTION", b"LOAD", library.as_bytes()]);
    }
    for (number, tenant) in tenants.iter_mut().enumerate() {
        let id = i64::try_from(number).unwrap();
        assert_eq!(tenant.request(&[b"FCALL", b"f", b"0"]), Reply::Integer(id));
        let script = b"return {redis.call('GET','k'), cjson.encode(0.123456789012345678)}";
        let Reply::Array(all) = tenant.request(&[b"EVAL", script, b"0"]) else {
            panic!("no array")
        };
        assert_eq!(all[0], Reply::bulk(number.to_string()));
        let Reply::Bulk(digits) = &all[1] else { panic!("no text") };
        assert!(digits.len() <= 2 + number % 14 + 1, "{number}: {digits:?}");
        assert!(tenant.engine.memory_used() < 4 << 20, "{}", tenant.engine.memory_used());
    }
    // One that takes all it may harms none of the others.
    let greedy = b"local t={} while true do t[#t+1]=('x'):rep(1e5)..#t end";
    assert!(tenants[0].request(&[b"EVAL", greedy, b"0"]).is_error());
    for tenant in &mut tenants {
        assert!(matches!(tenant.request(&[b"FCALL", b"f", b"0"]), Reply::Integer(_)));
    }
}

#[test]
fn mocks_are_shared_by_threads() {
    let mock = MockRedis::new();
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let mock = mock.clone();
            thread::spawn(move || {
                for _ in 0..200 {
                    let script = "return redis.call('INCRBY', KEYS[1], 3)";
                    assert!(!mock.command(("EVAL", script, 1, "n")).unwrap().is_error());
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(mock.command(("GET", "n")).unwrap(), Reply::bulk("2400"));
}
