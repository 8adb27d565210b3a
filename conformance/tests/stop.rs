//! Any script ends soon after another thread has said so.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use redlua::{Client, Connection, Engine, Limits, Reply};

/// How long after the word a script may run. Without optimization everything is slow, and other
/// tests run at the same time.
const LATE: Duration = Duration::from_millis(if cfg!(debug_assertions) { 1500 } else { 50 });

const SCRIPTS: &[&str] = &[
    "while true do end",
    "while true do pcall(function() while true do end end) end",
    "while true do pcall(error) end",
    "while true do xpcall(function() while true do end end, function() while true do end end) end",
    "xpcall(function() error('x') end, function() while true do end end)",
    "xpcall(function() local function f() f() end f() end, function() while true do end end) while true do end",
    "coroutine.wrap(function() while true do end end)()",
    "coroutine.wrap(function() while true do pcall(function() while true do end end) end end)()",
    "while true do coroutine.wrap(function() pcall(function() while true do end end) end)() end",
    "local co=coroutine.wrap(function() while true do coroutine.yield() end end) while true do co() end",
    "local t=setmetatable({},{__index=function() while true do end end}) return t.x",
    "error(setmetatable({},{__index=function() while true do end end}))",
    "error(setmetatable({},{__tostring=function() while true do end end}))",
    "table.sort({5,4,3,2,1},function() while true do end end)",
    "local t={} for i=1,2e5 do t[i]=i%7 end while true do pcall(table.sort,t,rawequal) end",
    "local t={} for i=1,2e5 do t[i]=i%7 end while true do pcall(table.sort,t,function(a,b) return a<b end) end",
    "redis.call('SET','k',('x'):rep(1e6)) local t={} for i=1,7000 do t[i]='k' end while true do redis.call('MGET',unpack(t)) end",
    "string.gsub('abc','.',function() while true do end end)",
    "load(function() while true do end end)",
    "while true do loadstring('x=') end",
    "local s=('x=1 '):rep(100000) while true do loadstring(s) end",
    "local s='local a return '..('a and '):rep(60000)..'a' while true do loadstring(s) end",
    "while true do redis.call('ECHO','x') end",
    "while true do redis.pcall('FOO') end",
    "string.find(('a'):rep(100),('a?'):rep(100)..('a'):rep(101))",
    "while true do pcall(string.find,('a'):rep(100),('a?'):rep(100)..('a'):rep(101)) end",
    "string.rep('',2^31-1) while true do end",
    "table.insert({},-2^31,1)",
    "local s=('x'):rep(1e6) while true do s:upper() end",
    "local s=('x'):rep(1e6) while true do s:reverse() end",
    "local s=('x'):rep(1e6) while true do redis.sha1hex(s) end",
    "local t={} for i=1,1e5 do t[i]='x' end while true do table.concat(t) end",
    "local t={} for i=1,18 do t={t,t} end while true do cjson.encode(t) end",
    "local t={} for i=1,18 do t={t,t} end while true do pcall(cjson.encode,t) end",
    "local t={} for i=1,4 do local u={} for j=1,40 do u[j]=t end t=u end while true do cmsgpack.pack(t) end",
    "local s='['..('1,'):rep(200000)..'1]' while true do cjson.decode(s) end",
    "local s='\\221\\0\\3\\13\\64'..('\\1'):rep(200000) while true do cmsgpack.unpack(s) end",
    "local t={} for i=1,1e5 do t[i]={} end while true do collectgarbage() end",
    "local t={} for i=1,62 do t={t,t} end return t",
    "local s=('x'):rep(2e6) while true do redis.sha1hex(s) end",
    "local s=('x'):rep(2e6) while true do s:upper() s:reverse() s:rep(2) end",
    "local s=('x'):rep(2e6) while true do s:gsub('x','y') end",
    "local s=('x'):rep(2e6) while true do s:find('y',1,true) s:find('[^x]') end",
    "local s=('x'):rep(2e6) while true do s:byte(-1) string.format('%s%q',s,s) end",
    "local s=('\\1'):rep(1e6) while true do cjson.encode(s) end",
    "local s='[\"'..('x'):rep(2e6)..'\"]' while true do cjson.decode(s) end",
    "local s='['..('9'):rep(1e6)..']' while true do cjson.decode(s) end",
    "local s='['..('[],'):rep(1e6)..'1]' while true do cjson.decode(s) end",
    "local s=('x'):rep(2e6) while true do cmsgpack.unpack(cmsgpack.pack(s)) end",
    "local s=('x'):rep(2e6) while true do struct.unpack('s',struct.pack('s',s)) end",
    "local t={} for i=1,1e5 do t[i]=i end while true do table.concat(t,',') end",
    "local t={} for i=1,1e5 do t[i]=i end while true do table.insert(t,1,0) end",
    "local t={} for i=1,1e6 do t[i]=-i end while true do table.sort(t) for i=1,1e6 do t[i]=-t[i] end end",
    "local t={} for i=1,1e5 do t[i]=tostring(i*7919%1e5) end while true do table.sort(t,function(a,b) return a<b end) end",
    "local x=('x'):rep(2e5) local t={} for i=1,500 do t[i]=x..((i*7919)%503) end while true do local u={} for i=1,500 do u[i]=t[i] end table.sort(u) end",
    "local t={} for i=1,7000 do t[i]=i end while true do local u={unpack(t)} end",
    "local x=('x'):rep(1e5) local a,b=x..'a',x..'b' while true do local c=a<b end",
    "local t={} for i=1,5e5 do t[i]={i} end while true do local n=0 for k,v in pairs(t) do n=n+v[1] end end",
    "while true do local t={} for i=1,1e5 do t['k'..i]=i end end",
    "while true do local t={} for i=1,1e5 do t[i]={i,{i}} end end",
    "local s='' while true do s=s..'x' if #s>1e5 then s='' end end",
    "local s=('x'):rep(1e6) while true do redis.call('SET','k',s) redis.call('GET','k') end",
    "for i=1,1e5 do redis.call('RPUSH','l',i) end while true do redis.call('LRANGE','l',0,-1) end",
    "local function f(n) if n>0 then return 1+f(n-1) end return 0 end while true do f(150) end",
    "local s='return {'..('1,'):rep(1e5)..'}' while true do loadstring(s)() end",
];

#[test]
fn every_script_ends_soon() {
    for backend in redlua::backends() {
        let name = backend.info().name;
        let mut latest = (Duration::ZERO, "");
        let mut slow = Vec::new();
        for &script in SCRIPTS {
            let mut client = Client { engine: Engine::new(backend.clone()), ..Client::new() };
            client.engine.set_limits(Limits { time: None, ..Limits::default() });
            let mut late = stopped(&mut client, script);
            // A machine that does other work is late as well, but not always at the same script.
            for _ in 0..2 {
                if late >= LATE {
                    println!("{name}: once more, {late:?}: {script}");
                    late = late.min(stopped(&mut client, script));
                }
            }
            if late >= LATE {
                slow.push((late, script));
            }
            latest = latest.max((late, script));
            let next = client.request(&[b"EVAL", b"return 7", b"0"]);
            assert_eq!(next, Reply::Integer(7), "{name}: after {script}");
        }
        println!("{name}: latest {:?}: {}", latest.0, latest.1);
        assert!(slow.is_empty(), "{name}: {slow:#?}");
    }
}

/// Stops a script from another thread; how long after the word it has ended.
fn stopped(client: &mut Client, script: &str) -> Duration {
    let monitor = client.engine.monitor().clone();
    let (done, waits) = mpsc::channel();
    let stopper = thread::spawn(move || {
        while monitor.running().is_none() && waits.try_recv().is_err() {
            thread::yield_now();
        }
        thread::sleep(Duration::from_millis(60));
        let said = Instant::now();
        monitor.stop();
        said
    });
    let reply = client.request(&[b"EVAL", script.as_bytes(), b"0"]);
    let ended = Instant::now();
    let _ = done.send(());
    let late = ended.saturating_duration_since(stopper.join().unwrap());
    assert!(matches!(reply, Reply::Error(_)), "{script}: {reply:?}");
    late
}
