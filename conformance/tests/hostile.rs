//! Scripts that mean harm, on the embedded engine.
//!
//! Each runs with limits and on a thread with an ordinary stack of 2 MiB. Whatever it does, it
//! ends with a reply, the process lives, and the same engine serves the next script. Some of them
//! end a real redis-server, which is why they are no conformance cases.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use redlua::{Client, Connection, Limits, Reply};

const MEMORY: usize = 32 << 20;

/// A client whose scripts may take a second or so and 32 MiB.
fn client() -> Client {
    let mut client = Client::new();
    client.engine.set_limits(Limits {
        memory: Some(MEMORY),
        time: Some(Duration::from_millis(500)),
        ..Limits::default()
    });
    client
}

/// Runs the scripts one after another on one engine; returns their replies. After each of them
/// the engine must still work.
fn survive<S: AsRef<str> + Send + 'static>(scripts: Vec<S>) -> Vec<Reply> {
    let run = move || {
        let mut client = client();
        let mut replies = Vec::new();
        for script in scripts {
            replies.push(client.request(&[b"EVAL", script.as_ref().as_bytes(), b"0"]));
            serves(&mut client);
        }
        replies
    };
    let small = thread::Builder::new().stack_size(2 << 20).spawn(run);
    small.unwrap().join().expect("nothing panics")
}

/// The engine is as good as new.
fn serves(client: &mut Client) {
    let script =
        b"local t={} for i=1,50 do t[i]=redis.call('ECHO',i) end return table.concat(t):len()";
    assert_eq!(client.request(&[b"EVAL", script, b"0"]), Reply::Integer(91));
}

fn one(script: &str) -> Reply {
    survive(vec![script.to_owned()]).remove(0)
}

/// The text of an error reply; empty for others.
fn error(reply: &Reply) -> String {
    match reply {
        Reply::Error(text) => String::from_utf8_lossy(text).into_owned(),
        _ => String::new(),
    }
}

#[track_caller]
fn fails_with(script: &str, part: &str) {
    let reply = one(script);
    assert!(error(&reply).contains(part), "{script}: {reply:?}");
}

#[test]
fn strange_values_are_raised() {
    for script in [
        "error({})",
        "error({1,2})",
        "error({err={}})",
        "error({err=true})",
        "error({err=setmetatable({},{__index=error})})",
        "error(setmetatable({},{__index=function() error('again') end}))",
        "error(setmetatable({},{__index=function(t,k) return t[k] end}))",
        "error(setmetatable({},{__index=function() while true do end end}))",
        "error(function() end)",
        "error(coroutine.create(function() end))",
        "error(cjson.null)",
        "error(nil)",
        "error(true)",
        "error()",
        "local t={} t.err=t error(t)",
        "error({err=string.rep('x',1000000)})",
        "error({err='\\r\\n\\0+OK\\r\\n'})",
        "assert(false,{})",
        "error(redis.error_reply(''))",
        "return redis.error_reply({})",
    ] {
        let reply = one(script);
        assert!(matches!(reply, Reply::Error(_)), "{script}: {reply:?}");
    }
}

#[test]
fn returned_tables_have_no_end() {
    fails_or_nests("local t={} t[1]=t return t");
    fails_or_nests("local a,b={},{} a[1]=b b[1]=a return {a,b}");
    fails_or_nests("local t={} for i=1,100000 do t={t} end return t");
    fails_or_nests("local t={} t.map={x=t} return t");
    fails_or_nests("local t={} t.set={[t]=true} return t");
    fails_or_nests("return setmetatable({},{__index=function(t,k) return t end})");
    for script in [
        "local t={} t[1]=t return cjson.encode(t)",
        "local t={} for i=1,100000 do t={t} end return cjson.encode(t)",
        "return cjson.decode(string.rep('[',1000000))",
        "return cjson.decode(string.rep('{\"a\":',1000000))",
    ] {
        assert!(matches!(one(script), Reply::Error(_)), "{script}");
    }
    // Levels that are too deep become nil.
    one("local t={} t[1]=t return cmsgpack.pack(t)");
    one("local t={} for i=1,100000 do t={t} end return #cmsgpack.pack(t)");
    one("return cmsgpack.unpack(string.rep('\\145',1000000))");
    one("return cmsgpack.unpack('\\221\\255\\255\\255\\255')");
    one("return cmsgpack.unpack('\\219\\255\\255\\255\\255')");
}

/// Deep structures are answered; how deep is for the conformance cases to say.
#[track_caller]
fn fails_or_nests(script: &str) {
    let reply = one(script);
    assert!(
        matches!(reply, Reply::Error(_) | Reply::Array(_) | Reply::Map(_) | Reply::Set(_)),
        "{script}"
    );
}

#[test]
fn loops_end_when_their_time_is_over() {
    for script in [
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "while true do xpcall(function() while true do end end, function() while true do end end) end",
        "xpcall(function() error('x') end, function() while true do end end)",
        "xpcall(error, function() error('again') end) while true do end",
        "local function f() pcall(f) f() end f() while true do end",
        "local co=coroutine.wrap(function() while true do coroutine.yield() end end) while true do co() end",
        "coroutine.wrap(function() while true do end end)()",
        "coroutine.wrap(function() while true do pcall(function() while true do end end) end end)()",
        "repeat until false",
        "for i=1,1/0 do end",
        "local s=setmetatable({},{__index=function(t,k) return t[k+1] end}) while true do pcall(function() return s[1] end) end",
        "setmetatable({},{__lt=function() while true do end end}) while true do end",
        "table.sort({3,2,1,5,4},function() while true do end end)",
        "string.gsub('abc','.',function() while true do end end)",
        "load(function() while true do end end)",
        "load(function() return ' ' end)",
        "while true do redis.pcall('FOO') end",
        "while true do redis.call('ECHO','x') end",
        "while true do loadstring('x=')  end",
        "::a:: while true do end",
    ] {
        let reply = one(script);
        assert!(matches!(reply, Reply::Error(_)), "{script}: {reply:?}");
    }
}

#[test]
fn loops_end_when_another_thread_says_so() {
    for script in [
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "while true do xpcall(error, function() return 1 end) end",
        "while true do coroutine.wrap(function() while true do end end)() end",
    ] {
        let mut client = client();
        client.engine.set_limits(Limits { time: None, ..Limits::default() });
        let monitor = client.engine.monitor().clone();
        let stopper = thread::spawn(move || {
            while monitor.running().is_none() {
                thread::yield_now();
            }
            monitor.stop();
        });
        let reply = client.request(&[b"EVAL", script.as_bytes(), b"0"]);
        stopper.join().unwrap();
        assert!(matches!(reply, Reply::Error(_)), "{script}: {reply:?}");
        serves(&mut client);
    }
}

#[test]
fn memory_runs_out() {
    for script in [
        "local s='x' while true do s=s..s end",
        "local t={} local i=0 while true do i=i+1 t[i]=i end",
        "local t={} while true do t={t,t} t[#t+1]={} t[t]=t end",
        "local t={} while true do t[#t+1]=string.rep('x',100000) end",
        "return string.rep('x',2^31-1)",
        "return string.rep(string.rep('x',1e6),1e6)",
        "local t={} for i=1,1e6 do t[i]=string.rep('x',1000) end return table.concat(t)",
        "return string.format('%s%s',string.rep('x',2e7),string.rep('x',2e7))",
        "return (string.gsub(string.rep('x',1e5),'.',string.rep('y',1e5)))",
        "local t={} for i=1,1e7 do t[i]=coroutine.create(function() end) end",
        "local s=string.rep('x',1e7) local t={} for i=1,100 do t[i]=s..i end",
        "local s=string.rep('a',1e6) local t={} for i=1,1000 do t[i]=redis.call('ECHO',s..i) end",
        "local t={} for i=1,1000 do t[i]=cjson.encode(i..string.rep('\\1',1e6)) end",
        "local t={} while true do pcall(function() while true do t[#t+1]=string.rep('x',1e5)..#t end end) end",
        "local s='return {' for i=1,1e6 do s=s..'{},' end return loadstring(s..'}')()",
        "local t={} for i=1,1000 do t[i]=struct.pack('c1000000',i..string.rep('x',1e6)) end",
        "local t={} for i=1,1000 do t[i]=cmsgpack.pack(i..string.rep('x',1e6)) end",
        "local t={} for i=1,100000 do t[i]=bit.tohex(i)..string.rep('x',1e4) end",
        "return loadstring(string.rep('x=1 ',1e7))",
        "local t={} t[2^30]=1 for i=1,2^26 do t[i]=1 end",
    ] {
        let reply = one(script);
        assert!(matches!(reply, Reply::Error(_)), "{script}: {reply:?}");
    }
}

#[test]
fn recursion_ends() {
    for (script, part) in [
        ("local function f() return 1+f() end f()", "stack overflow"),
        ("local function f() f() end local ok,e=pcall(f) error(e)", "stack overflow"),
        ("local function f(...) return f(1,...) end f()", ""),
        (
            "local function f() return pcall(f) end local a={f()} error(tostring(a[#a]))",
            "stack overflow",
        ),
        ("local function f() string.gsub('a','a',f) end f()", "stack overflow"),
        ("local function f() table.sort({1,2,3},f) end f()", "stack overflow"),
        (
            "local t={} for i=1,20000 do t=setmetatable({},{__index=t}) end return t.x",
            "loop in gettable",
        ),
        ("local t=setmetatable({},{}) getmetatable(t).__index=t return t.x", "loop in gettable"),
        (
            "local t=setmetatable({},{__index=function(t,k) return t[k+1] end}) return t[1]",
            "stack overflow",
        ),
        (
            "local t=setmetatable({},{__newindex=function(t,k,v) t[k]=v end}) t.a=1",
            "stack overflow",
        ),
        (
            "local t=setmetatable({},{}) getmetatable(t).__call=function(t) return 1+t() end t()",
            "stack overflow",
        ),
        (
            "local t=setmetatable({},{}) getmetatable(t).__concat=function(t) return t..'' end return t..''",
            "stack overflow",
        ),
        (
            "local t=setmetatable({},{}) getmetatable(t).__eq=function(a,b) return a==setmetatable({},getmetatable(t)) end return t==setmetatable({},getmetatable(t))",
            "stack overflow",
        ),
        ("local function f() coroutine.wrap(f)() end f()", "stack overflow"),
        (
            "local function f() local ok,e=coroutine.resume(coroutine.create(f)) if not ok then error(e,0) end end f()",
            "stack overflow",
        ),
        (
            "local function f() string.gsub('a','a',function() coroutine.wrap(f)() end) end f()",
            "stack overflow",
        ),
        ("local function f() xpcall(f,f) end f() error('stack overflow')", "stack overflow"),
        ("local function f() error(xpcall(f,function(e) return f() end)) end f()", ""),
        ("local function f() load(f) end f()", ""),
        ("local function f() table.foreach({1},f) end f()", "stack overflow"),
        (
            "local t={} local function f() return string.gsub('a','a',setmetatable(t,{__index=f})) end f()",
            "stack overflow",
        ),
        ("return loadstring(string.rep('(',10000))", ""),
        ("return loadstring('return '..string.rep('(',300)..string.rep(')',300))()", ""),
        ("return loadstring('return '..string.rep('{',10000))", ""),
        ("return loadstring(string.rep('do ',10000))", ""),
        ("return loadstring(string.rep('function() return ',10000))", ""),
        ("return loadstring('return '..string.rep('-',100000)..'1')", ""),
        ("return loadstring('return '..string.rep('not ',100000)..'1')", ""),
        ("return loadstring('return '..string.rep('2^',100000)..'1')", ""),
        ("return loadstring('return '..string.rep('a..',100000)..'1')", ""),
        ("return loadstring('x='..string.rep('a.',100000)..'a')", ""),
        ("return loadstring(string.rep('local a ',300))", ""),
    ] {
        // Some engines nest so deeply that memory or time runs out before.
        let reply = one(script);
        let text = error(&reply);
        let other = ["not enough memory", "time limit"].iter().any(|limit| text.contains(limit));
        let ends = text.contains(part) || part == "stack overflow" && other;
        assert!(ends, "{script}: {reply:?}");
    }
}

#[test]
fn arguments_without_number() {
    for script in [
        "return {unpack({},0,2^31-1)}",
        "return unpack({},1,1e7)",
        "return unpack({},-2^31,2^31-1)",
        "return select('#',unpack({},1,1e6))",
        "local t={} for i=1,1e6 do t[i]='x' end redis.call(unpack(t))",
        "return string.char(unpack({},1,1e6))",
        "return string.byte(string.rep('x',1e7),1,1e7)",
        "local t={} for i=1,200 do t[i]='%s' end return string.format(table.concat(t))",
        "return string.format('%'..string.rep('0',1000)..'d',1)",
        "return string.format('%999999999d',1)",
        "return struct.pack('i'..string.rep('9',30),1)",
        "return struct.pack('c'..string.rep('9',30),'x')",
        "return struct.unpack('c2000000000','x')",
        "return string.rep('x',-1,2^60)+1",
        "return table.concat({},'',-2^31,2^31-1)",
        "return cmsgpack.unpack_limit('x',2^31,2^31)",
    ] {
        let reply = one(script);
        assert!(matches!(reply, Reply::Error(_)), "{script}: {reply:?}");
    }
    let many = "local t={} for i=1,7000 do t[i]='k' end return redis.call('EXISTS',unpack(t))";
    assert_eq!(one(many), Reply::Integer(0));
    // The numbers wrap; whatever it answers, it answers soon.
    survive(vec![
        "return bit.tohex(1,2^31)",
        "return ('x'):rep(0):byte(1,2^31)",
        "return ('x'):sub(-2^62,2^62)",
    ]);
}

#[test]
fn long_patterns_take_no_stack() {
    for call in [
        "string.find(s,p)",
        "string.match(s,p)",
        "string.gsub(s,p,'')",
        "string.gmatch(s,p)()",
        "s:find(p)",
        "string.gfind(s,p)()",
        "string.gsub(s,p,function() return string.match(s,p) end)",
    ] {
        for item in ["a?", "a*", "a-", "a+", "[ab]?", ".-", "%w*", "%f[a]a?", "()", "(a)", "%b()"] {
            let script = format!(
                "local p=string.rep('{item}',300000) local s=string.rep('a',300000) return {call}"
            );
            // Either it matches or there is too much to remember; the process lives.
            let reply = one(&script);
            let text = error(&reply);
            let known = ["pattern too complex", "too many captures", "time limit"];
            assert!(
                text.is_empty() || known.iter().any(|part| text.contains(part)),
                "{item} {call}: {reply:?}"
            );
        }
    }
    fails_with(
        "return string.find(string.rep('a',300000),string.rep('a?',300000))",
        "pattern too complex",
    );
    let optional = "return #string.match(string.rep('a',200000),string.rep('a?',200000))";
    assert_eq!(one(optional), Reply::Integer(200_000));
    let long = "return #string.match(string.rep('a',300000),string.rep('a',300000))";
    assert_eq!(one(long), Reply::Integer(300_000));
    let plain = "return string.find(string.rep('a?',3000),string.rep('a?',3000),1,true)";
    assert_eq!(one(plain), Reply::Integer(1));
    let nested = "return {string.find('a',string.rep('(',32)..'a'..string.rep(')',32))}";
    assert!(matches!(one(nested), Reply::Array(all) if all.len() == 34));
    fails_with("return string.find('a',string.rep('(',33)..'a')", "too many captures");
    fails_with("return string.find('a',string.rep('()',300000))", "too many captures");
    let balanced = "local n=2e6 return #string.match(string.rep('(',n)..string.rep(')',n),'%b()')";
    assert_eq!(one(balanced), Reply::Integer(4_000_000));
    // Callbacks nest as deeply as Lua lets them.
    survive(vec![
        "local p,s=string.rep('a?',190),string.rep('a',190)
         local function f() string.gsub(s,p,f) string.match(s,p) end f()",
        "local p,s=string.rep('a-',190)..'b',string.rep('a',190)
         local function f() string.gsub('x','x',f) end pcall(f)
         local function g() string.gsub('x','x',function() string.find('a',p) g() end) end g()",
        "local s=string.rep('x',1e5)
         local function f() string.gsub(s,'x$',function() pcall(f) error('again') end) end pcall(f)",
    ]);
}

/// Library calls that would take minutes or years.
const ENDLESS: [&str; 16] = [
    "string.find(string.rep('a',100),string.rep('a?',100)..string.rep('a',101))",
    "string.find(string.rep('a',3000),string.rep('a-',10)..'b')",
    "string.match(string.rep('a',3000),string.rep('.-',10)..'b')",
    "string.match(string.rep('a',100000),'(a*)(a*)(a*)%3%2%1b')",
    "string.gsub(string.rep('a',3000),string.rep('[ab]*',8)..'c','')",
    "for x in string.gmatch(string.rep('a',3000),string.rep('%w+',8)..'%s') do end",
    "string.find(string.rep('(a)',1e6),'%b()'..string.rep('.-',4)..'b')",
    "string.find(string.rep('(',2e6),'%b()')",
    "string.find(string.rep('ab',1e6),'(.-)%1%1%1c')",
    "string.rep('',2^31-1) while true do end",
    "table.insert({},-2^31,1)",
    "local t={} for i=1,2e5 do t[i]=i%2 end while true do pcall(table.sort,t,rawequal) end",
    "while true do pcall(string.find,string.rep('a',100),string.rep('a?',100)..string.rep('a',101)) end",
    "string.gsub('x','x',function() string.find(string.rep('a',100),string.rep('a?',100)..string.rep('a',101)) end)",
    "coroutine.wrap(function() string.find(string.rep('a',100),string.rep('a?',100)..string.rep('a',101)) end)()",
    "while true do string.find(string.rep('a',1e6),string.rep('a',5e5)..'b',1,true) end",
];

#[test]
fn backtracking_ends_when_its_time_is_over() {
    let run = || {
        let limit = Duration::from_millis(100);
        let mut client = client();
        client.engine.set_limits(Limits {
            memory: Some(MEMORY),
            time: Some(limit),
            ..Limits::default()
        });
        for script in ENDLESS {
            let begun = Instant::now();
            let reply = client.request(&[b"EVAL", script.as_bytes(), b"0"]);
            let late = begun.elapsed().saturating_sub(limit);
            assert!(error(&reply).contains("time limit"), "{script}: {reply:?}");
            assert!(late < LATE, "{script}: {late:?} late");
            serves(&mut client);
        }
    };
    thread::Builder::new().stack_size(2 << 20).spawn(run).unwrap().join().unwrap();
}

/// How long after its limit a script may run; without optimization everything is slow.
const LATE: Duration = Duration::from_millis(if cfg!(debug_assertions) { 500 } else { 50 });

#[test]
fn backtracking_ends_when_another_thread_says_so() {
    for script in ENDLESS {
        let mut client = client();
        client.engine.set_limits(Limits { time: None, ..Limits::default() });
        let monitor = client.engine.monitor().clone();
        let (done, waits) = mpsc::channel();
        let stopper = thread::spawn(move || {
            while monitor.running().is_none() && waits.try_recv().is_err() {
                thread::yield_now();
            }
            thread::sleep(Duration::from_millis(20));
            monitor.stop();
        });
        let reply = client.request(&[b"EVAL", script.as_bytes(), b"0"]);
        let _ = done.send(());
        stopper.join().unwrap();
        assert!(error(&reply).contains("stopped by the host"), "{script}: {reply:?}");
        serves(&mut client);
    }
}

#[test]
fn backtracking_counts_as_instructions() {
    let mut client = client();
    client.engine.set_limits(Limits {
        time: None,
        instructions: Some(100_000),
        ..Limits::default()
    });
    for script in ENDLESS {
        let reply = client.request(&[b"EVAL", script.as_bytes(), b"0"]);
        assert!(error(&reply).contains("instruction limit"), "{script}: {reply:?}");
    }
}

#[test]
fn substitutions_grow_to_the_limit() {
    for script in [
        "return (string.gsub(string.rep('x',1e5),'.',string.rep('y',1e5)))",
        "return (string.gsub(string.rep('x',1e5),'x','%0%0%0'..string.rep('%0',1e5)))",
        "local y=string.rep('y',1e5) return (string.gsub(string.rep('x',1e5),'.',function() return y end))",
        "local y=string.rep('y',1e5) return (string.gsub(string.rep('x',1e5),'.',{x=y}))",
        "return string.rep(string.rep('x',1e6),1e6)",
        "while true do pcall(string.gsub,string.rep('x',1e6),'x$',error) string.rep('x',1e8) end",
        "local s=string.rep('x',1e6) local function f() return (string.gsub(s,'x$',f)) end return f()",
    ] {
        let reply = one(script);
        assert!(matches!(reply, Reply::Error(_)), "{script}: {reply:?}");
    }
}

#[test]
fn one_engine_survives_them_all() {
    let mut scripts = Vec::new();
    for _ in 0..20 {
        scripts.extend([
            "error({})",
            "local t={} t[1]=t return t",
            "local function f() string.gsub('a','a',f) end f()",
            "local function f() coroutine.wrap(f)() end f()",
            "local s='x' while true do s=s..s end",
            "return setmetatable({},{__index=error})",
            "string.rep=nil",
            "redis=nil",
            "collectgarbage('stop') local t={} for i=1,1e4 do t[i]={} end return 1",
            "collectgarbage('setpause',100000) return 1",
            "cjson.encode_max_depth(1) return 1",
            "return cjson.encode(1/0)",
        ]);
    }
    survive(scripts);
}
