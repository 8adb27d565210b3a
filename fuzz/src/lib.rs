//! What is fed with bytes that nobody meant, and what must hold then.
//!
//! Owns the targets. A target panics when something is wrong; a crash is wrong by itself. Must
//! not know where the bytes come from: libFuzzer, or the plain driver in `main.rs`.
#![forbid(unsafe_code)]

mod grammar;
mod lua;

use std::time::Duration;

use redlua::conversions::rdb;
use redlua::conversions::resp::{Parsed, RequestParser, RespWriter, emit, parse};
use redlua::core::Protocol;
use redlua::{Client, Connection, Engine, Limits, Reply, Session, Store};

pub use lua::Oracle;

/// The targets by name.
pub const NAMES: [&str; 8] =
    ["resp", "cjson", "cmsgpack", "struct", "pattern", "restore", "library", "scripts"];

/// A target with what it works on.
pub struct Target {
    run: fn(&mut Target, &[u8]),
    /// A client on each backend of the build.
    clients: Vec<Client>,
    oracle: Option<Oracle>,
}

impl Target {
    /// The target of that name.
    pub fn named(name: &str) -> Option<Self> {
        let run: fn(&mut Target, &[u8]) = match name {
            "resp" => |_, data| resp(data),
            "cjson" => |target, data| target.each(|client| cjson(client, data)),
            "cmsgpack" => |target, data| target.each(|client| cmsgpack(client, data)),
            "struct" => |target, data| target.each(|client| structs(client, data)),
            "pattern" => Target::pattern,
            "restore" => |target, data| target.each(|client| restore(client, data)),
            "library" => |target, data| target.each(|client| library(client, data)),
            "scripts" => |target, data| {
                let script = grammar::script(data);
                target.each(|client| {
                    eval(client, script.as_bytes(), &[data]);
                });
            },
            _ => return None,
        };
        let clients = redlua::backends()
            .into_iter()
            .map(|backend| {
                let mut engine = Engine::new(backend);
                engine.set_limits(Limits {
                    memory: Some(16 << 20),
                    time: Some(Duration::from_millis(300)),
                    reply: Some(1 << 20),
                    scripts: Some(100),
                    ..Limits::default()
                });
                Client { engine, host: Store::new(), session: Session::default() }
            })
            .collect();
        Some(Target { run, clients, oracle: Oracle::find() })
    }

    /// Feeds it.
    pub fn run(&mut self, data: &[u8]) {
        (self.run)(self, data);
    }

    fn each(&mut self, feed: impl Fn(&mut Client)) {
        for client in &mut self.clients {
            feed(client);
            assert_eq!(client.request(&[b"EVAL", b"return 7", b"0"]), Reply::Integer(7));
        }
    }

    /// Patterns and formats answer what `lua5.1` answers, where there is one.
    fn pattern(&mut self, data: &[u8]) {
        let mut ours = Vec::new();
        for client in &mut self.clients {
            let words = words(data);
            match eval(client, lua::SNIPPET.as_bytes(), &words) {
                Reply::Bulk(text) => ours.push(text),
                // It took too long; so it may for the other.
                Reply::Error(_) => return,
                other => panic!("{other:?}"),
            }
        }
        if let Some(oracle) = &mut self.oracle {
            oracle.check(words(data), ours);
        }
    }

    /// Compares what was put off.
    pub fn finish(&mut self) {
        if let Some(oracle) = &mut self.oracle {
            oracle.flush();
        }
    }
}

/// Runs a script; what it answers may be anything but a fault of the engine's own.
fn eval(client: &mut Client, script: &[u8], args: &[&[u8]]) -> Reply {
    let mut argv: Vec<&[u8]> = vec![b"EVAL", script, b"0"];
    argv.extend(args);
    let reply = client.request(&argv);
    if let Reply::Error(text) = &reply {
        let text = String::from_utf8_lossy(text);
        assert!(!text.contains("internal error"), "{text}");
    }
    reply
}

/// Three words, cut at the bytes 255.
fn words(data: &[u8]) -> Vec<&[u8]> {
    let mut words: Vec<&[u8]> = data.splitn(3, |&byte| byte == 255).collect();
    words.resize(3, b"");
    words
}

/// Requests and replies: in one piece or in many, the same comes out.
fn resp(data: &[u8]) {
    let take = |pieces: &mut dyn Iterator<Item = &[u8]>| {
        let mut parser = RequestParser::default();
        let mut all = Vec::new();
        for piece in pieces {
            parser.feed(piece);
            loop {
                match parser.next() {
                    Ok(Some(words)) => all.push(words),
                    Ok(None) => break,
                    Err(error) => return (all, Some(error.line())),
                }
            }
        }
        (all, None)
    };
    let whole = take(&mut std::iter::once(data));
    let pieces = take(&mut data.chunks(1));
    // An error may be noticed before the rest has come.
    if whole.1.is_none() {
        assert_eq!(whole, pieces);
    }
    for protocol in [Protocol::Resp2, Protocol::Resp3] {
        let mut written = RespWriter::new(protocol);
        if let Ok(Parsed::Complete(_)) = parse(data, &mut written) {
            let mut again = RespWriter::new(protocol);
            emit(written.bytes(), &mut again).expect("what was written can be read");
            assert_eq!(again.bytes(), written.bytes());
        }
    }
}

fn cjson(client: &mut Client, data: &[u8]) {
    let script = b"local ok,v=pcall(cjson.decode,ARGV[1]) if not ok then return v end \
        local ok,e=pcall(cjson.encode,v) if not ok then return e end \
        local ok,w=pcall(cjson.decode,e) if not ok then return 'BAD '..e..w end \
        local f=cjson.encode(w) if #f~=#e then return 'BAD '..e..f end return {v,f}";
    good(&eval(client, script, &[data]));
}

fn cmsgpack(client: &mut Client, data: &[u8]) {
    let script = b"local r={pcall(cmsgpack.unpack,ARGV[1])} pcall(cmsgpack.unpack_one,ARGV[1],1) \
        pcall(cmsgpack.unpack_limit,ARGV[1],3,#ARGV[1]%5) if not r[1] then return r[2] end \
        local ok,e=pcall(cmsgpack.pack,r[2]) if not ok then return e end \
        local ok,w=pcall(cmsgpack.unpack,e) if not ok then return 'BAD '..w end return r";
    good(&eval(client, script, &[data]));
}

fn structs(client: &mut Client, data: &[u8]) {
    let script = b"local f,d=ARGV[1],ARGV[2] local n=pcall(struct.size,f) \
        local r={pcall(struct.unpack,f,d)} pcall(struct.unpack,f,d,#ARGV[3]) \
        pcall(struct.pack,f,1,-2,d,4.5,d,2^40,'7',d) \
        if r[1] then r[#r]=nil table.remove(r,1) local ok,p=pcall(struct.pack,f,unpack(r)) \
        if ok and pcall(struct.unpack,f,p)~=true then return 'BAD '..p end end return n";
    good(&eval(client, script, &words(data)));
}

/// Payloads of values and libraries, with a checksum that fits and without.
fn restore(client: &mut Client, data: &[u8]) {
    let mut sealed = data.to_vec();
    rdb::seal(&mut sealed);
    for payload in [data, &sealed] {
        client.request(&[b"FUNCTION", b"RESTORE", payload, b"FLUSH"]);
        client.request(&[b"FUNCTION", b"LIST", b"WITHCODE"]);
        if matches!(client.request(&[b"RESTORE", b"k", b"0", payload, b"REPLACE"]), Reply::Error(_))
        {
            continue;
        }
        // What was let in can be looked at, changed and given out again.
        let Reply::Bulk(dump) = client.request(&[b"DUMP", b"k"]) else { panic!("no dump") };
        assert!(!client.request(&[b"RESTORE", b"l", b"0", &dump, b"REPLACE"]).is_error());
        for call in [
            &[b"GET" as &[u8], b"k"] as &[&[u8]],
            &[b"APPEND", b"k", b"x"],
            &[b"LRANGE", b"k", b"0", b"-1"],
            &[b"RPUSH", b"k", b"x"],
            &[b"LREM", b"k", b"1", b"x"],
            &[b"SMEMBERS", b"k"],
            &[b"SADD", b"k", b"x"],
            &[b"SPOP", b"k"],
            &[b"HGETALL", b"k"],
            &[b"HSET", b"k", b"f", b"v"],
            &[b"ZRANGE", b"k", b"0", b"-1", b"WITHSCORES"],
            &[b"ZADD", b"k", b"1", b"x"],
            &[b"ZPOPMIN", b"k"],
            &[b"XRANGE", b"k", b"-", b"+"],
            &[b"XINFO", b"STREAM", b"k", b"FULL"],
            &[b"XADD", b"k", b"*", b"f", b"v"],
            &[b"XTRIM", b"k", b"MAXLEN", b"1"],
            &[b"PFCOUNT", b"k"],
            &[b"PFADD", b"k", b"x"],
            &[b"OBJECT", b"ENCODING", b"k"],
            &[b"COPY", b"k", b"m", b"REPLACE"],
            &[b"DUMP", b"k"],
            &[b"DEL", b"k", b"l", b"m"],
        ] {
            client.request(call);
        }
    }
}

/// Source text of libraries and scripts.
fn library(client: &mut Client, data: &[u8]) {
    let code = [b"#!lua name=l\n", data].concat();
    client.request(&[b"FUNCTION", b"LOAD", b"REPLACE", &code]);
    client.request(&[b"FUNCTION", b"LOAD", b"REPLACE", data]);
    client.request(&[b"FCALL", b"f", b"1", b"k", b"a"]);
    eval(client, data, &[b"a", b"b"]);
    eval(client, b"local f,e=loadstring(ARGV[1]) return e or type(f)", &[data]);
    client.request(&[b"FUNCTION", b"FLUSH"]);
}

#[track_caller]
fn good(reply: &Reply) {
    if let Reply::Bulk(text) = reply {
        assert!(!text.starts_with(b"BAD"), "{}", String::from_utf8_lossy(text));
    }
}
