//! Lua's library as redlua has it beside the one in C: what it costs that nothing in it can be
//! made to run for ever. The script is the same; only who runs it differs. On Lua 5.1 those that
//! run as they are in C are for comparison.
//!
//! Every function beside C's, in turns, as a table; it fails when one of `string` takes more than
//! 1.3 times as long:
//!
//! ```sh
//! cargo bench -p redlua-benches --bench library -- --beside
//! ```
//!
//! Must not know how a backend works.
#![allow(missing_docs, reason = "criterion's macros make public functions")]

use std::process::ExitCode;

use criterion::{Criterion, criterion_group};
use mlua::{Function, Lua, LuaString};
use redlua::conversions::resp::RespWriter;
use redlua::{Client, Protocol, Script};
use redlua_benches::{answer, client, evalsha, in_turns};

/// What the functions work on, a document of about a kilobyte.
const TEXT: &str =
    r#"{"id":17,"name":"widget","tags":["red","blue"],"price":12.5,"note":"the quick brown fox"},"#;

/// Name, what comes before the loop, the function that is called a thousand times, its arguments.
const CALLS: [(&str, &str, &str, &str); 25] = [
    ("find-plain", "", "string.find", "text, 'tags', 1, true"),
    ("find-plain-far", "", "string.find", "text, 'nowhere', 1, true"),
    ("find-literal", "", "string.find", "text, 'price'"),
    ("find-pattern", "", "string.find", "text, '\"note\":'"),
    ("find-class", "", "string.find", "text, '%d+%.%d'"),
    ("match-anchored", "", "string.match", "text, '^{\"id\":(%d+)'"),
    ("match-anchored-fails", "", "string.match", "text, '^(%w+):'"),
    ("match-capture", "", "string.match", "text, '\"name\":\"(%a+)\"'"),
    ("match-lazy", "", "string.match", "text, '\"tags\":%[(.-)%]'"),
    ("match-two", "local pair = 'user:1000'", "string.match", "pair, '^(%a+):(%d+)$'"),
    ("gmatch", "", "string.gmatch", "text, '%a+'"),
    ("gmatch-all", "", "(function(t, p) for w in string.gmatch(t, p) do end end)", "text, '%a+'"),
    ("gsub-string", "", "string.gsub", "text, '%d+', '#'"),
    ("gsub-none", "", "string.gsub", "text, '@', '#'"),
    ("gsub-captures", "", "string.gsub", "text, '\"(%a+)\":', '%1='"),
    ("gsub-function", "local g = function(w) return w end", "string.gsub", "text, '%a+', g"),
    ("gsub-words", WORDS, "string.gsub", "words, '%w+', g"),
    ("gsub-table", "local t = {name = 'n', tags = 't'}", "string.gsub", "text, '%a+', t"),
    ("rep-short", "", "string.rep", "'x', 10"),
    ("rep-100", "", "string.rep", "'x', 100"),
    ("rep-text", "", "string.rep", "text, 10"),
    ("sort-20", "", "table.sort", "{20,3,18,5,16,7,14,9,12,11,10,13,8,15,6,17,4,19,2,1}"),
    ("format", "", "string.format", "'%d %s %5.2f', i, 'text', i / 3"),
    ("sub", "", "string.sub", "text, 2, 10"),
    ("concat", "local t = {'a', 'b', 'c', 'd'}", "table.concat", "t, ','"),
];

/// The text of the workload `gsub`.
const WORDS: &str =
    "local words = string.rep('hello world ', 100) local g = function(w) return w end";

/// How much longer than C's a function of `string` may take.
const MOST: f64 = 1.3;

/// A thousand calls of the function, on the text that `text` stands for.
fn body((_, before, function, arguments): (&str, &str, &str, &str), text: &str) -> String {
    format!(
        "local text, f = {text}, {function} {before}
         local r for i = 1, 1000 do r = f({arguments}) end"
    )
}

/// The same for the library in C.
struct Stock {
    function: Option<Function>,
    text: Option<LuaString>,
}

impl Stock {
    fn new(lua: &Lua, call: (&str, &str, &str, &str)) -> Self {
        let function = lua.load(body(call, "...")).into_function().ok();
        Stock { function, text: lua.create_string(TEXT.repeat(10)).ok() }
    }

    fn run(&self) {
        let both = self.function.as_ref().zip(self.text.as_ref());
        let done = both.map(|(function, text)| function.call::<()>(text));
        assert!(matches!(done, Some(Ok(()))), "the function does not run in C");
    }
}

fn library(c: &mut Criterion) {
    for call in CALLS {
        let name = call.0;
        evalsha(c, &format!("lualib/{name}"), &body(call, "ARGV[1]"), &["0", &TEXT.repeat(10)]);

        let lua = Lua::new();
        let stock = Stock::new(&lua, call);
        c.bench_function(&format!("lualib/{name}/c"), |bencher| bencher.iter(|| stock.run()));
    }
}

/// Prints the table; whether no function of `string` takes too long.
fn beside(client: &mut Client) -> bool {
    let mut buffer = RespWriter::new(Protocol::Resp2);
    let text = TEXT.repeat(10);
    let mut slow = 0;
    println!("{:22} {:>10} {:>10} {:>6}", "a call", "redlua, ns", "C, ns", "ratio");
    for call in CALLS {
        let lua = Lua::new();
        let stock = Stock::new(&lua, call);
        let source = body(call, "ARGV[1]");
        let sha = Script::new(&source).sha().to_owned();
        answer(client, &[b"SCRIPT", b"LOAD", source.as_bytes()], &mut buffer);
        let argv: [&[u8]; 4] = [b"EVALSHA", sha.as_bytes(), b"0", text.as_bytes()];
        let run = || answer(client, &argv, &mut buffer);
        let (ours, theirs) = in_turns(run, || stock.run());
        let reply = buffer.bytes();
        assert!(!reply.starts_with(b"-"), "{}: {}", call.0, String::from_utf8_lossy(reply));
        // A thousand calls: the microseconds of all are the nanoseconds of one.
        let (ours, theirs) = (ours.as_secs_f64() * 1e6, theirs.as_secs_f64() * 1e6);
        let ratio = ours / theirs;
        let late = call.2.contains("string.") && ratio > MOST;
        slow += usize::from(late);
        let mark = if late { " !" } else { "" };
        println!("{:22} {ours:>10.0} {theirs:>10.0} {ratio:>6.2}{mark}", call.0);
    }
    println!("{slow} of `string` above {MOST}");
    slow == 0
}

criterion_group!(benches, library);

fn main() -> ExitCode {
    if !std::env::args().any(|argument| argument == "--beside") {
        benches();
        Criterion::default().configure_from_args().final_summary();
        return ExitCode::SUCCESS;
    }
    let within = redlua::backends().into_iter().all(|backend| {
        println!("{} beside the library of Lua 5.1 in C", backend.info().name);
        beside(&mut client(backend))
    });
    if within { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
