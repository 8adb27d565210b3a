//! Lua's library as redlua has it beside the one in C: what it costs that nothing in it can be
//! made to run for ever. The script is the same; only who runs it differs. On Lua 5.1 those that
//! run as they are in C are for comparison.
//!
//! Must not know how a backend works.
#![allow(missing_docs, reason = "criterion's macros make public functions")]

use criterion::{Criterion, criterion_group, criterion_main};
use mlua::{Function, Lua};
use redlua_benches::evalsha;

/// What the functions work on, a document of about a kilobyte.
const TEXT: &str =
    r#"{"id":17,"name":"widget","tags":["red","blue"],"price":12.5,"note":"the quick brown fox"},"#;

/// Name, what comes before the loop, the function that is called a thousand times, its arguments.
const CALLS: [(&str, &str, &str, &str); 23] = [
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
    ("gsub-string", "", "string.gsub", "text, '%d+', '#'"),
    ("gsub-none", "", "string.gsub", "text, '@', '#'"),
    ("gsub-captures", "", "string.gsub", "text, '\"(%a+)\":', '%1='"),
    ("gsub-function", "local g = function(w) return w end", "string.gsub", "text, '%a+', g"),
    ("gsub-table", "local t = {name = 'n', tags = 't'}", "string.gsub", "text, '%a+', t"),
    ("rep-short", "", "string.rep", "'x', 10"),
    ("rep-100", "", "string.rep", "'x', 100"),
    ("rep-text", "", "string.rep", "text, 10"),
    ("sort-20", "", "table.sort", "{20,3,18,5,16,7,14,9,12,11,10,13,8,15,6,17,4,19,2,1}"),
    ("format", "", "string.format", "'%d %s %5.2f', i, 'text', i / 3"),
    ("sub", "", "string.sub", "text, 2, 10"),
    ("concat", "local t = {'a', 'b', 'c', 'd'}", "table.concat", "t, ','"),
];

fn library(c: &mut Criterion) {
    for (name, before, function, arguments) in CALLS {
        let body = |text: &str| {
            format!(
                "local text, f = {text}, {function} {before}
                 local r for i = 1, 1000 do r = f({arguments}) end"
            )
        };
        evalsha(c, &format!("lualib/{name}"), &body("ARGV[1]"), &["0", &TEXT.repeat(10)]);

        let lua = Lua::new();
        let function: Option<Function> = lua.load(body("...")).into_function().ok();
        let text = lua.create_string(TEXT.repeat(10)).ok();
        c.bench_function(&format!("lualib/{name}/c"), |bencher| {
            bencher.iter(|| {
                let done = function.as_ref().zip(text.as_ref()).map(|(f, text)| f.call::<()>(text));
                assert!(matches!(done, Some(Ok(()))), "{name} does not run");
            });
        });
    }
}

criterion_group!(benches, library);
criterion_main!(benches);
