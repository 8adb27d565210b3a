//! Scripts in a cluster: what a real one of three nodes answers, the embedded store answers.
//!
//! Needs a redis-server 7.0.15 on the PATH for most, and says so when there is none.
#![cfg(feature = "remote-cluster")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use redlua::conversions::raw;
use redlua::conversions::resp::split_args;
use redlua::remote::{Options, Remote, redis};
use redlua::{Client, Cluster, Connection, Endpoint, Engine, Reply, Script, Store, backends};
use redlua_test_servers as servers;

/// What a client types on one connection, a line each. The keys `a`, `d` and `e` are in slots of
/// the third of three nodes, `b` and `f` in slots of the first, `c` in one of the second.
const SESSIONS: &[&str] = &[
    // Declared keys.
    "EVAL 'return 1' 2 a b",
    "EVAL 'return 1' 2 a d",
    "EVAL 'return 1' 2 a {a}x",
    "EVAL '#!lua flags=allow-cross-slot-keys\nreturn 1' 2 a d",
    "EVAL_RO 'return 1' 2 a d",
    "EVALSHA 0123456789012345678901234567890123456789 2 a d",
    "EVALSHA 0123456789012345678901234567890123456789 1 a",
    "EVAL 'return 1' x a d",
    "EVAL 'return 1' 5 a d",
    "EVAL 'return 1' -1 a d",
    "EVAL 'not Lua' 2 a d",
    "EVAL '#!lua flags=no-cluster\nreturn 1' 1 a",
    // Without a shebang: any key of the node.
    "EVAL 'return redis.call(\"set\", KEYS[1], 1)' 1 a",
    "EVAL 'return redis.call(\"get\", \"d\")' 1 a",
    "EVAL 'return redis.call(\"get\", \"b\")' 1 a",
    "EVAL 'return redis.pcall(\"get\", \"b\")' 1 a",
    "EVAL '\n\nreturn redis.call(\"get\", \"b\")' 1 a",
    "EVAL 'return redis.call(\"mget\", \"a\", \"d\")' 1 a",
    "EVAL 'return redis.call(\"mget\", \"a\", \"b\")' 1 a",
    "EVAL 'return redis.call(\"mget\", \"a\", \"{a}x\")' 1 a",
    "EVAL 'redis.call(\"get\", \"a\") return redis.call(\"get\", \"d\")' 0",
    // With one: one slot.
    "EVAL '#!lua\nreturn redis.call(\"get\", \"d\")' 1 a",
    "EVAL '#!lua\nreturn redis.call(\"get\", \"b\")' 1 a",
    "EVAL '#!lua\nreturn redis.call(\"get\", \"{a}x\")' 1 a",
    "EVAL '#!lua\nredis.call(\"get\", \"a\") return redis.call(\"get\", \"d\")' 0",
    "EVAL '#!lua\nredis.call(\"get\", \"a\") return redis.pcall(\"get\", \"d\")' 0",
    // With that flag: the node again.
    "EVAL '#!lua flags=allow-cross-slot-keys\nreturn redis.call(\"get\", \"d\")' 1 a",
    "EVAL '#!lua flags=allow-cross-slot-keys\nreturn redis.call(\"get\", \"b\")' 1 a",
    "EVAL '#!lua flags=allow-cross-slot-keys\nreturn redis.call(\"mget\", \"a\", \"d\")' 1 a",
    // Keys that only some words of a call tell, and calls without any.
    "EVAL 'return redis.call(\"zunionstore\", \"a\", 2, \"d\", \"e\")' 1 a",
    "EVAL 'return redis.call(\"zunionstore\", \"a\", 1, \"{a}x\")' 1 a",
    "EVAL 'return redis.call(\"xread\", \"streams\", \"a\", \"b\", 0, 0)' 1 a",
    "EVAL 'return redis.call(\"sort\", \"{a}l\", \"store\", \"b\")' 1 a",
    "EVAL 'return redis.call(\"object\", \"encoding\", \"b\")' 1 a",
    "EVAL 'return redis.call(\"memory\", \"usage\", \"b\")' 1 a",
    "EVAL 'return redis.call(\"spublish\", \"b\", \"m\")' 1 a",
    "EVAL 'return redis.call(\"publish\", \"b\", \"m\")' 1 a",
    "EVAL 'return redis.call(\"dbsize\")' 1 a",
    "EVAL 'return redis.call(\"cluster\", \"keyslot\", \"b\")' 1 a",
    // Refusals that come first.
    "EVAL 'return redis.call(\"nosuch\", \"b\")' 1 a",
    "EVAL 'return redis.call(\"get\")' 1 a",
    "EVAL 'return redis.call(\"config\", \"get\", \"b\")' 1 a",
    "EVAL_RO 'return redis.call(\"set\", \"b\", 1)' 1 a",
    // What there is no second database for.
    "EVAL 'return redis.call(\"select\", 1)' 1 a",
    "EVAL 'return redis.call(\"select\", 0)' 1 a",
    "EVAL 'return redis.call(\"move\", \"a\", 1)' 1 a",
    "EVAL 'return redis.call(\"copy\", \"a\", \"{a}y\", \"db\", 1)' 1 a",
    "EVAL 'return redis.call(\"sort\", \"{a}l\", \"by\", \"w_*\")' 1 a",
    "EVAL 'return redis.call(\"sort\", \"{a}l\", \"get\", \"w\")' 1 a",
    "SELECT x\r\nSELECT 1\r\nSELECT -1\r\nSELECT 0\r\nSWAPDB x 1\r\nMOVE a x",
    "COPY a d DB 0\r\nCOPY a {a}x DB x\r\nCOPY a {a}x DB 1 x\r\nCOPY a {a}x DB 1",
    "SORT {a}l BY w\r\nSORT {a}l BY w* LIMIT 1\r\nSORT {a}l GET # x\r\nSORT_RO {a}l GET x",
    // Functions.
    "FCALL f 2 a d",
    "FCALL nosuch 2 a d",
    "FCALL f 1 a d",
    "FCALL f 1 a b",
    "FCALL f 1 a {a}x",
    "FCALL x 1 a d",
    "FCALL x 1 a b",
    "FCALL n 1 a a",
    "FCALL f zz a d",
    "FCALL_RO f 2 a d",
    // Clients.
    "MGET a d\r\nMGET a {a}x\r\nMSET a 1 d\r\nDEL a d\r\nWATCH a d\r\nNOSUCH a d",
    "ZUNIONSTORE a 2 d e\r\nZUNIONSTORE a x d e\r\nXREAD STREAMS a d 0 0\r\nXREAD STREAMS a",
    "CLUSTER KEYSLOT {a}x\r\nCLUSTER COUNTKEYSINSLOT 15495\r\nCLUSTER COUNTKEYSINSLOT 16384",
    "CLUSTER GETKEYSINSLOT 15495 x\r\nCLUSTER GETKEYSINSLOT x 1\r\nCLUSTER GETKEYSINSLOT 1 -1",
    "CLUSTER HELP\r\nCLUSTER NOSUCH\r\nCLUSTER REPLICAS x\r\nREADONLY\r\nREADWRITE\r\nASKING",
    "INFO cluster\r\nREPLICAOF 1.1.1.1 1",
    // Transactions.
    "MULTI\r\nGET a\r\nGET d\r\nEXEC\r\nEXEC",
    "MULTI\r\nMGET a d\r\nGET a\r\nEXEC",
    "MULTI\r\nSET {a}1 1\r\nGET a\r\nEXEC",
    "MULTI\r\nSET a 1\r\nEVAL 'return redis.call(\"get\", \"d\")' 0\r\nEXEC",
    "MULTI\r\nSET a 1\r\nEVAL '#!lua\nreturn redis.call(\"get\", \"d\")' 0\r\nEXEC",
    "MULTI\r\nSET a 1\r\nEVAL 'return 1' 1 d\r\nEXEC\r\nGET a",
];

const LIBRARY: &str = "FUNCTION LOAD \"#!lua name=l
local function get(keys, args) return redis.call('get', args[1]) end
redis.register_function('f', get)
redis.register_function{function_name = 'x', callback = get, flags = {'allow-cross-slot-keys'}}
redis.register_function{function_name = 'n', callback = get, flags = {'no-cluster'}}\"";

/// Lines as a server reads them: a line end inside of quotes is written `\n`.
fn lines(session: &str) -> String {
    let quoted = session.replace("\r\n", "\0").replace('\n', "\\n").replace('\0', "\r\n");
    // Escapes count inside of double quotes alone.
    let swapped = |c| match c {
        '\'' => "\"".to_owned(),
        '"' => "\\\"".to_owned(),
        other => char::to_string(&other),
    };
    if session.contains('\'') && !session.starts_with("FUNCTION") {
        quoted.chars().map(swapped).collect()
    } else {
        quoted
    }
}

/// The replies of an embedded server in a cluster of so many nodes.
fn embedded(nodes: u16, session: &str) -> String {
    let mut store = Store::new();
    store.configure("cluster-enabled", "yes").unwrap();
    let mut engine = Engine::new(backends().swap_remove(0));
    engine.set_cluster(Some(Cluster::of(nodes)));
    let server = redlua::Server::with(engine, store);
    let mut link = server.link();
    let mut replies = Vec::new();
    for (index, line) in [LIBRARY, session].map(lines).join("\r\n").split("\r\n").enumerate() {
        let words = split_args(line.as_bytes()).unwrap();
        let argv: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
        let reply = link.request(&argv);
        if index > 0 {
            replies.extend(reply);
        }
    }
    String::from_utf8(replies).unwrap()
}

fn real(server: &servers::Server, session: &str) -> String {
    server.ask("FLUSHALL\r\nFUNCTION FLUSH\r\nSCRIPT FLUSH");
    assert_eq!(server.ask(&lines(LIBRARY)), "$1\r\nl\r\n");
    server.ask(&lines(session))
}

#[test]
fn a_real_cluster_says_the_same() {
    let mut said = String::new();
    for count in [3, 1] {
        let Some(cluster) = servers::Cluster::start(count) else { return };
        // The node of the keys that the sessions begin with.
        let node = cluster.nodes().last().unwrap();
        let mut different = Vec::new();
        for session in SESSIONS {
            let (expected, found) = (real(node, session), embedded(count as u16, session));
            said.push_str(&expected);
            if expected != found {
                different.push(format!("{session}\n  real     {expected:?}\n  embedded {found:?}"));
            }
        }
        println!("{count} nodes: {} sessions, {} different", SESSIONS.len(), different.len());
        assert!(different.is_empty(), "{count} nodes:\n{}", different.join("\n"));
    }
    for text in [
        "-CROSSSLOT Keys in request don't hash to the same slot\r\n",
        "-ERR Script attempted to access keys that do not hash to the same slot script: ",
        "-ERR Script attempted to access a non local key in a cluster node",
        ", on @user_script:3.",
        "-ERR Can not run script on cluster, 'no-cluster' flag is set.",
        "-ERR GET option of SORT denied in Cluster mode.",
        "-EXECABORT ",
    ] {
        assert!(said.contains(text), "nobody said {text:?}");
    }
}

#[test]
fn the_strictest_cluster_has_each_slot_on_a_node_of_its_own() {
    let mut client = Client::new();
    client.engine = Engine::new(backends().swap_remove(0)).cluster(true);
    let text = |client: &mut Client, script: &str, key: &str| {
        let reply = client.request(&[b"EVAL", script.as_bytes(), b"1", key.as_bytes()]);
        String::from_utf8(raw(&reply)).unwrap()
    };
    let other = "return redis.call('GET', 'd')";
    assert!(
        text(&mut client, other, "a").contains("ERR Script attempted to access a non local key")
    );
    assert!(text(&mut client, &format!("#!lua\n{other}"), "a").contains("non local key"));
    assert_eq!(text(&mut client, other, "{d}"), "\n");
    client.engine.set_cluster(None);
    assert_eq!(text(&mut client, other, "a"), "\n");
}

#[test]
fn a_cluster_through_the_client_library() {
    let Some(cluster) = servers::Cluster::start(3) else { return };
    let url = cluster.url();
    let local = Client::with_host(Remote::open(&url, Options::default()).unwrap());
    let mut local = local;
    let mut there = Endpoint::open(&url).unwrap();
    let mut here = Client::new();
    here.set_cluster(Cluster::of(3));

    // All over the cluster, each script where its key is.
    let bump = Script::new("return redis.call('INCR', KEYS[1])");
    for key in ["a", "b", "c", "d", "foo", "bar"] {
        assert_eq!(bump.key(key).invoke::<i64>(&mut there), Ok(1), "{key}");
        assert_eq!(bump.key(key).invoke::<i64>(&mut local), Ok(2), "{key}");
        assert_eq!(bump.key(key).invoke::<i64>(&mut here), Ok(1), "{key}");
    }
    let mut raw = redis::cluster::ClusterClient::new(
        cluster.nodes().iter().map(servers::Server::url).collect::<Vec<_>>(),
    )
    .unwrap()
    .get_connection()
    .unwrap();
    assert_eq!(bump.key("c").invoke::<i64>(&mut raw), Ok(3));

    // The same refusals, whoever runs the script.
    for (script, keys) in [
        ("return 1", &["a", "b"][..]),
        ("return 1", &["a", "d"]),
        ("#!lua\nreturn redis.call('GET', 'd')", &["a"]),
        ("#!lua flags=no-cluster\nreturn 1", &["a"]),
    ] {
        let count = keys.len().to_string();
        let mut argv: Vec<&[u8]> = vec![b"EVAL", script.as_bytes(), count.as_bytes()];
        argv.extend(keys.iter().map(|key| key.as_bytes()));
        let expected = there.request(&argv);
        assert!(matches!(expected, Reply::Error(_)), "{script}: {expected:?}");
        assert_eq!(here.request(&argv), expected, "{script}");
        assert_eq!(local.request(&argv), expected, "{script}");
    }
    // Where a node would refuse, local mode asks another: that is told in the documentation.
    let other: &[&[u8]] = &[b"EVAL", b"return redis.call('GET', 'b')", b"1", b"a"];
    assert!(there.request(other).is_error() && here.request(other).is_error());
    assert_eq!(local.request(other), Reply::bulk("2"));
}
