//! Random sequences: data commands, scripts, libraries, transactions.
//!
//! Owns the shapes of the scripting commands. Must not know what a script consists of.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use sha1::{Digest, Sha1};

use crate::commands::{Argv, command, number_of_keys, word};
use crate::scripts::{Place, script};

/// Commands for one connection, in order.
pub(crate) fn sequence() -> BoxedStrategy<Vec<Argv>> {
    let phrase = prop_oneof![
        4 => command().prop_map(|argv| vec![argv]),
        6 => eval(),
        1 => cached(),
        1 => bulk(),
        2 => library(),
        1 => odd().prop_map(|argv| vec![argv]),
        1 => transaction(),
    ];
    vec(phrase, 1..10).prop_map(|phrases| phrases.concat()).boxed()
}

/// Data commands alone.
pub(crate) fn plain() -> BoxedStrategy<Vec<Argv>> {
    let phrase = prop_oneof![
        12 => command().prop_map(|argv| vec![argv]),
        1 => transaction(),
        1 => bulk(),
    ];
    vec(phrase, 1..40).prop_map(|phrases| phrases.concat()).boxed()
}

/// Collections that are not small any more; hashes and sets stay such that their order is known.
fn bulk() -> BoxedStrategy<Vec<Argv>> {
    let script = words(&[
        "for i=1,$ do redis.call('RPUSH','l2',i,('x'):rep(i%70)) end return redis.call('OBJECT','ENCODING','l2')",
        "for i=1,$ do redis.call('LPUSH','l1',i*1.5) end return redis.call('OBJECT','ENCODING','l1')",
        "for i=1,$ do redis.call('ZADD','z2',i%7+i/8,'m'..i) end return redis.call('OBJECT','ENCODING','z2')",
        "for i=1,$ do redis.call('ZADD','z1',0,'k'..(i*7919%1000)) end return redis.call('ZCARD','z1')",
        "for i=1,$ do redis.call('SADD','t2',i*i) end return redis.call('OBJECT','ENCODING','t2')",
        "for i=1,$ do redis.call('XADD','x2',(10+i)..'-1','f',i,'g'..i%3,'v') end return redis.call('XINFO','STREAM','x2')",
        "for i=1,$ do redis.call('PFADD','p1',i,'a'..i) end return redis.call('PFCOUNT','p1')",
        "for i=1,$*20 do redis.call('PFADD','p2',i) end return {redis.call('PFCOUNT','p2'),redis.call('STRLEN','p2')}",
        "for i=1,$ do redis.call('SETBIT','s2',i*i%1000,i%2) end return redis.call('BITCOUNT','s2')",
        "for i=1,$ do redis.call('GEOADD','g1',(i*37%360)-180,(i*13%170)-85,'m'..i) end return redis.call('ZCARD','g1')",
        "for i=1,$ do redis.call('APPEND','s1',i..',') end return redis.call('STRLEN','s1')",
        "for i=1,$/5 do redis.call('HSET','h2','f'..i,i) end return redis.call('OBJECT','ENCODING','h2')",
    ]);
    (script, select(vec!["50", "127", "130", "200", "500"]))
        .prop_map(|(script, count)| {
            let script = String::from_utf8_lossy(&script).replace('$', count);
            vec![vec![b"EVAL".to_vec(), script.into_bytes(), b"0".to_vec()]]
        })
        .boxed()
}

fn words(words: &[&str]) -> BoxedStrategy<Vec<u8>> {
    select(words.iter().map(|word| word.as_bytes().to_vec()).collect::<Vec<_>>()).boxed()
}

/// How many keys, keys and arguments.
fn tail() -> BoxedStrategy<Argv> {
    (number_of_keys(), vec(word(), 0..4))
        .prop_map(|(count, mut words)| {
            words.insert(0, count);
            words
        })
        .boxed()
}

fn body() -> BoxedStrategy<Vec<u8>> {
    let first = words(&[
        "#!lua",
        "#!lua flags=no-writes",
        "#!lua flags=no-writes,allow-stale",
        "#!lua flags=",
        "#!lua flags=foo",
        "#!lua name=x",
        "#!lua flags=allow-oom,no-cluster",
        "#!lua  flags=no-writes ",
        "#!python",
        "#!",
        "#!lua flags=allow-cross-slot-keys",
        "#!lua flags=no-writes flags=allow-oom",
        "#!LUA",
        "#!lua\t",
        "#!lua flags=no-writes,",
        "#!lua foo",
    ]);
    (script(Place::Eval), proptest::option::weighted(0.12, first))
        .prop_map(|(script, first)| match first {
            Some(first) => [first, script].join(&b'\n'),
            None => script,
        })
        .boxed()
}

fn eval() -> BoxedStrategy<Vec<Argv>> {
    let name = prop_oneof![6 => words(&["EVAL"]), 1 => words(&["EVAL_RO", "eval"])];
    (name, body(), tail())
        .prop_map(|(name, body, tail)| vec![[vec![name, body], tail].concat()])
        .boxed()
}

/// A script by its digest.
fn cached() -> BoxedStrategy<Vec<Argv>> {
    let name = words(&["EVALSHA", "EVALSHA_RO", "evalsha"]);
    (name, body(), tail(), any::<bool>(), any::<bool>())
        .prop_map(|(name, body, tail, upper, flush)| {
            let digest: String =
                Sha1::digest(&body).iter().map(|byte| format!("{byte:02x}")).collect();
            let sha = if upper { digest.to_uppercase() } else { digest }.into_bytes();
            let word = |text: &str| text.as_bytes().to_vec();
            let mut phrase = vec![
                vec![word("SCRIPT"), word("LOAD"), body],
                [vec![name, sha.clone()], tail].concat(),
                vec![word("SCRIPT"), word("EXISTS"), sha.clone(), word("x")],
            ];
            if flush {
                phrase.push(vec![word("SCRIPT"), word("FLUSH")]);
                phrase.push(vec![word("EVALSHA"), sha, word("0")]);
            }
            phrase
        })
        .boxed()
}

/// A library, calls of its functions, and what is known of it.
fn library() -> BoxedStrategy<Vec<Argv>> {
    let first = prop_oneof![8 => words(&["#!lua name=lib1"]), 2 => words(&[
        "#!lua name=lib1 name=lib2", "#!lua", "#!foo name=lib1", "#!lua name=", "#!lua name=a-b",
        "#!lua name=lib1 foo=bar", "name=lib1", "#!lua  name=lib1", "#!lua name=lib1\t", "#!lua name=\"lib1\"",
        "#!lua NAME=lib1", "#!",
    ])];
    let register = prop_oneof![
        6 => words(&["redis.register_function('f1', f)", "redis.register_function{function_name='f1', callback=f}"]),
        3 => words(&[
            "redis.register_function{function_name='f1', callback=f, flags={'no-writes'}}",
            "redis.register_function{function_name='f1', callback=f, description='what', flags={'allow-oom'}}",
            "redis.register_function{function_name='f1', callback=f, flags={'no-writes','allow-stale'}}",
        ]),
        3 => words(&[
            "redis.register_function{function_name='f1', callback=f, flags={'foo'}}",
            "redis.register_function{function_name='f1', callback=f, flags='no-writes'}",
            "redis.register_function{function_name='f1', callback=f, flags={1}}",
            "redis.register_function{function_name='f1', callback=f, foo=1}",
            "redis.register_function{function_name='f1'}", "redis.register_function{callback=f}",
            "redis.register_function{[1]='f1', callback=f}", "redis.register_function('f1')",
            "redis.register_function('f1', f, 1)", "redis.register_function(1, f)",
            "redis.register_function('f-1', f)", "redis.register_function('', f)", "redis.register_function(f)",
            "redis.register_function('f1', 1)", "redis.register_function({'f1', f})",
            "redis.register_function{function_name=1, callback=f}", "redis.register_function()",
            "redis.register_function('f1', f) redis.register_function('f1', f)", "redis.call('PING')",
            "redis.register_function{function_name='f1', callback=f, description=1}", "error('no')", "return 1", "x=1", "redis.log(1,'x')",
            "local a = redis.foo", "redis.setresp(3)", "redis.register_function('f1', pcall)", "string.x = 1",
            "error({err='ERR x'})", "error()", "redis.register_function('f1', f) error('late')",
            "redis.register_function('f1', loadstring('return 7'))", "undefined()", "y = ",
        ]),
    ];
    let load = (
        words(&["REPLACE", "REPLACE", "", "", "", "FOO"]),
        first,
        script(Place::Function),
        register,
    )
        .prop_map(|(option, first, script, register)| {
            let body = [
                first,
                b"\nlocal function f(KEYS, ARGV)\n".to_vec(),
                script,
                b"\nend\n".to_vec(),
                register,
            ];
            let mut argv = vec![b"FUNCTION".to_vec(), b"LOAD".to_vec()];
            if !option.is_empty() {
                argv.push(option);
            }
            argv.push(body.concat());
            argv
        });
    let call = (
        words(&["FCALL", "FCALL", "FCALL_RO", "fcall"]),
        words(&["f1", "f1", "f1", "F1", "f2"]),
        tail(),
    )
        .prop_map(|(name, function, tail)| [vec![name, function], tail].concat());
    let about = (
        words(&["FUNCTION"]),
        prop_oneof![
            words(&["LIST", "STATS", "FLUSH", "DUMP", "KILL", "HELP"]).prop_map(|word| vec![word]),
            words(&["WITHCODE", "LIBRARYNAME", "FOO"])
                .prop_map(|word| vec![b"LIST".to_vec(), word]),
            words(&["lib1", "LIB1", "l*", "lib?", "x"]).prop_map(|word| vec![
                b"LIST".to_vec(),
                b"LIBRARYNAME".to_vec(),
                word,
                b"WITHCODE".to_vec()
            ]),
            words(&["lib1", "LIB1", "x"]).prop_map(|word| vec![b"DELETE".to_vec(), word]),
        ],
    )
        .prop_map(|(name, rest)| [vec![name], rest].concat());
    (load, vec(prop_oneof![4 => call, 1 => about], 1..4))
        .prop_map(|(load, calls)| [vec![load], calls].concat())
        .boxed()
}

/// The scripting family with words of any kind.
fn odd() -> BoxedStrategy<Argv> {
    let family = words(&[
        "EVAL",
        "EVALSHA",
        "EVAL_RO",
        "EVALSHA_RO",
        "FCALL",
        "FCALL_RO",
        "SCRIPT",
        "FUNCTION",
    ]);
    let second = prop_oneof![
        words(&[
            "LOAD",
            "EXISTS",
            "FLUSH",
            "KILL",
            "HELP",
            "LIST",
            "DELETE",
            "RESTORE",
            "STATS",
            "DUMP",
            "return 1",
            "return KEYS",
            "return ARGV",
            "e0e1f9fabfc9d4800c877a703b823ac0578ff8db",
            "f1",
            "",
        ]),
        word(),
    ];
    let more = vec(
        prop_oneof![
            word(),
            words(&[
                "SYNC",
                "ASYNC",
                "NO",
                "REPLACE",
                "APPEND",
                "WITHCODE",
                "LIBRARYNAME",
                "return 1"
            ])
        ],
        0..4,
    );
    (family, proptest::option::weighted(0.95, second), more)
        .prop_map(|(name, second, more)| {
            let mut argv = vec![name];
            argv.extend(second);
            argv.extend(more);
            argv
        })
        .boxed()
}

fn transaction() -> BoxedStrategy<Vec<Argv>> {
    let command = prop_oneof![
        8 => command(),
        1 => words(&["MULTI", "EXEC", "DISCARD", "UNWATCH"]).prop_map(|word| vec![word]),
        1 => word().prop_map(|key| vec![b"WATCH".to_vec(), key]),
        1 => eval().prop_map(|phrase| phrase.concat()),
    ];
    let end = prop_oneof![4 => words(&["EXEC"]), 1 => words(&["DISCARD"])];
    (vec(command, 0..5), end)
        .prop_map(|(commands, end)| {
            let mut phrase = vec![vec![b"MULTI".to_vec()]];
            phrase.extend(commands);
            phrase.push(vec![end]);
            phrase
        })
        .boxed()
}
