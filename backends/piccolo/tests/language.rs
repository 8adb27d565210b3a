//! The language as lua5.1 has it: values, errors, positions and syntax.
//!
//! Each snippet is run here and by Debian's `lua5.1`, and what both print is compared. Without
//! `lua5.1` on the `PATH` the comparison is skipped.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Instant;

use redlua_core::{
    Arguments, Backend, Bridge, CallMode, Chunk, Entry, Environment, Flow, Invocation, Item, Kind,
    Limits, NativeId, Outcome, Passing, Raise, ValueReader, ValueWriter, View, Vm,
};
use redlua_piccolo::Piccolo;

mod inferred;

/// Values and control flow.
const PROGRAMS: &[&str] = &[
    "return 1, 2.5, 1e15, 1e100, 0x10, .5, 3., 1/0, -1/0",
    "return 7 % 3, -7 % 3, 7 % -3, 5.5 % 2, 2^10, 7/2, -2^2, 1e308*10",
    "return '10' + 5, 10 .. 20, '0x10' * 1, ' 5 ' + 1, 2^'3', -'2'",
    "return 1 < 2, 'a' < 'b', 'a' <= 'a', 1 == 1.0, '1' == 1, nil == false, not nil",
    "return 1 and 2, nil and 1, false or 3, nil or false, 1 and nil or 4, (1 or 2) and 3",
    "local a, b, c = (function() return 1, 2, 3 end)() return a, b, c, (select('#', a, b, c))",
    "local a, b = 1, 2 a, b = b, a return a, b",
    "local t = {1, 2, 3} local i = 1 i, t[i] = i + 1, 20 return i, t[1], t[2]",
    "local t = {} t.x, t.y, t.z = 1, 2 return t.x, t.y, t.z",
    "local t = {n = 1, [2] = 'b', 'a', 'c', x = {y = {z = 5}}} return t.n, t[1], t[2], t.x.y.z",
    "local t = {f = function(self, a) return self.v + a end, v = 10} return t:f(5), t.f(t, 6)",
    "local s = 0 for i = 1, 10 do if i % 2 == 0 then s = s + i end end return s",
    "local s = '' for i = 10, 1, -3 do s = s .. i .. ' ' end return s",
    "local n = 0 for i = 1, 0 do n = n + 1 end for i = 3, 3 do n = n + 10 end return n",
    "local n = 0 for i = 1, 3, 0.5 do n = n + i end return n",
    "local n = 0 for i = '1', '3' do n = n + i end return n",
    "local n = 0 for i = 1, 10, 0 do n = n + 1 end return n",
    "local n = 0 for i = 0/0, 10 do n = n + 1 end for i = 1, 0/0 do n = n + 1 end return n",
    "local f = {} for i = 1, 3 do f[i] = function() i = i + 1 return i end end \
     return f[1](), f[1](), f[2](), f[3]()",
    "local f = {} local i = 1 while i <= 3 do local j = i f[i] = function() j = j + 1 return j end \
     i = i + 1 end return f[1](), f[1](), f[3]()",
    "local f = {} local i = 0 repeat local j = i f[#f + 1] = function() return j end i = i + 1 \
     until j >= 2 return #f, f[1](), f[3]()",
    "local f for i = 1, 5 do local k = i f = function() return k end if i == 3 then break end end \
     return f()",
    "local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end \
     return fib(15)",
    "local function loop(n) if n == 0 then return 'done' end return loop(n - 1) end \
     return loop(50000)",
    "local a, b function a(n) if n == 0 then return 'a' end return b(n - 1) end \
     function b(n) if n == 0 then return 'b' end return a(n - 1) end return a(30001)",
    "local function v(...) return select('#', ...), ... end return v(), v(nil), v(1, nil, nil)",
    "local function v(...) local a, b = ... return a, b, {...}[2] and 1 end return pcall(v, 5, 6)",
    "local function v(...) local t = {..., 'x'} return #t, t[1], t[2] end return v(7, 8, 9)",
    "local function v(...) return arg.n, arg[1], arg[3] end return v(4, nil, 6)",
    "local function v(a, ...) local f = function() return a end return f(), (...) end return v(1, 2)",
    "return (function(...) return ... end)(1, 2, 3), (function(...) return ... end)(4, 5)",
    "return ((function() return 1, 2, 3 end)())",
    "local t = {(function() return 1, 2, 3 end)(), (function() return 1, 2, 3 end)()} return #t",
    "local x = 5 do local x = 6 x = x + 1 end return x",
    "local goto = 3 return goto",
    "local t = {} for w in ('one two  three'):gmatch('%a+') do t[#t + 1] = w end \
     return #t, t[1], t[3]",
    "local n, s = 0, 0 for k, v in pairs({10, 20, 30, x = 40}) do n = n + 1 s = s + v end return n, s",
    "local s = '' for i, v in ipairs({1, 2, nil, 4}) do s = s .. i .. v end return s",
    "local function it(s, i) if i < s then return i + 1, i * i end end \
     local r = '' for i, q in it, 4, 0 do r = r .. i .. ':' .. q .. ' ' end return r",
    "return #'abc', #{1, 2, 3}, #{1, nil, 3}, #{n = 1}, #{nil}, #{nil, 2}",
    "local t = {} for i = 1, 10 do t[i] = i end for i = 1, 5 do t[i] = nil end return #t",
    "local t = {} t[1.5] = 'a' t[-1] = 'b' t[true] = 'c' t[0] = 'd' \
     return t[1.5], t[-1], t[true], t[0], t[1]",
    "local s = '' for k in pairs({a = 1, b = 2, c = 3, d = 4, e = 5, f = 6}) do s = s .. k end return s",
    "local t = {} for i = 1, 20 do t['k' .. i] = i end for i = 1, 20, 3 do t['k' .. i] = nil end \
     t.z = 1 local s = '' for k in pairs(t) do s = s .. k .. ' ' end return s",
    "local t = {[10] = 1, [20] = 2, [30] = 3, [1] = 4, [2] = 5, [3] = 6, x = 7} local s = '' \
     for k in pairs(t) do s = s .. tostring(k) .. ' ' end return s",
    "local t = {} for i = 10, 1, -1 do t[i] = i end local s = '' \
     for k in pairs(t) do s = s .. k .. ' ' end return s",
    "local t = setmetatable({}, {__index = function(t, k) return k .. '!' end}) return t.a, t[1]",
    "local t = setmetatable({}, {__index = setmetatable({a = 1}, {__index = {b = 2}})}) \
     return t.a, t.b, t.c",
    "local log = '' local t = setmetatable({}, {__newindex = function(t, k, v) \
     log = log .. k rawset(t, k, v) end}) t.a = 1 t.a = 2 t.b = 3 return log, t.a, t.b",
    "local mt = {__add = function(a, b) return 'add' end, __concat = function(a, b) return 'cat' end, \
     __unm = function() return 'unm' end, __call = function(self, ...) return select('#', ...) end} \
     local t = setmetatable({}, mt) return t + 1, 1 + t, t .. 'x', 'x' .. t, 1 .. t, -t, t(1, 2)",
    "local mt = {} mt.__lt = function(a, b) return a.v < b.v end mt.__le = function(a, b) \
     return a.v <= b.v end mt.__eq = function(a, b) return a.v == b.v end \
     local function n(v) return setmetatable({v = v}, mt) end \
     return n(1) < n(2), n(2) > n(3), n(1) <= n(1), n(1) >= n(2), n(1) == n(1), n(1) ~= n(1)",
    "local mt = {__lt = function(a, b) return a.v < b.v end} \
     local function n(v) return setmetatable({v = v}, mt) end return n(1) <= n(2), n(2) <= n(1)",
    "local a = setmetatable({}, {__eq = function() return true end}) \
     local b = setmetatable({}, {__eq = function() return true end}) return a == b, a ~= b, a == 1",
    "local t = setmetatable({}, {__len = function() return 42 end}) return #t",
    "local C = {} C.__index = C function C.new(v) return setmetatable({v = v}, C) end \
     function C:get() return self.v end return C.new(3):get()",
    "return ('x'):rep(3), ('abc'):upper():lower():len(), #('x'):rep(10), ('a').b, (5 .. ''):len()",
    "local s = 'abc' return s.len, s[1], s.x == nil",
    "return pcall(error, {1}) , select('#', pcall(error))",
    "return select('#', pcall(function() return 1, nil, nil end))",
    "return xpcall(function() error('x', 0) end, function(e) return e .. '!' end)",
    "return xpcall(function() error('a') end, function(e) error('b') end)",
    "local co = coroutine.create(function(a, b) local c = coroutine.yield(a + b) \
     local d, e = coroutine.yield(c * 2) return d + e end) \
     local _, x = coroutine.resume(co, 1, 2) local _, y = coroutine.resume(co, 10) \
     local _, z = coroutine.resume(co, 3, 4) return x, y, z, coroutine.status(co), coroutine.resume(co)",
    "local f = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end end) \
     return f(), f(), f(), f()",
    "local co co = coroutine.create(function() return coroutine.status(co), coroutine.running() == co \
     end) return coroutine.resume(co)",
    "return coroutine.resume(coroutine.create(function() return pcall(coroutine.yield) end))",
    "local t = {5, 3, 8, 1} table.sort(t, function(a, b) return a > b end) return t[1], t[4]",
    "return (('hello'):gsub('l', function(c) return c:upper() end))",
    "return loadstring('return ...')(1, 2), loadstring('x='), (loadstring('return 5', '=n'))()",
    "local t = {'return ', '4', '2'} local i = 0 \
     return load(function() i = i + 1 return t[i] end)()",
    "return tostring(nil), tostring(1e20), tostring(-0), tostring(2^53), tostring(0.1)",
    "local a <const> = 1",
    "local x = 1 local function f() x = x + 1 return x end return x + f(), f() + x",
    "local t = {} local function f() t[#t + 1] = #t return #t end local r = {f(), f(), x = f()} \
     return #r, r[1], r[2], r.x",
    "return 2^-1, -2^-2, 2^3^2, 1 .. 2 .. 3, 'a' .. 1 + 2 .. 'b', not 1 == 2, -3 % 5 * 2",
    "return 1 < 2 == true, 'x' .. 'y' == 'xy', 1 + 1 == 2 and 'yes' or 'no'",
    "local t = {} for i = 1, 120 do t[i] = i end return #t, t[120], #{unpack(t)}, (select(120, unpack(t)))",
    "return [[a\nb]], [==[]]]==], 'a\\\nb', '\\65\\066\\n\\x', \"q'q\"",
    "return --[[ long ]] 1 --[==[ longer\n]]]==] + 2 -- short",
];

/// Errors at run time, with names and lines.
const ERRORS: &[&str] = &[
    "local x x()",
    "x()",
    "local t = {} t.a.b = 1",
    "local t = {} t.a.b.c()",
    "local t = {} t:m()",
    "local t = {} return t.x + 1",
    "local t = {} return 1 + t.x",
    "local a = 'x' return a * 2",
    "return {} + 1",
    "return nil .. 'x'",
    "local a = {} return 'x' .. a .. 'y'",
    "return #5",
    "local n return #n",
    "return -{}",
    "local t = {} return -t.x",
    "return {} < {}",
    "return 1 < 'x'",
    "return nil > 1",
    "return {} <= 1",
    "local t = {} t[nil] = 1",
    "local t = {} t[0/0] = 1",
    "for i = 'x', 2 do end",
    "for i = 1, {} do end",
    "for i = 1, 2, {} do end",
    "for i in nil do end",
    "for i in 5 do end",
    "local u local function f() return u.x end f()",
    "local u local function f() u() end f()",
    "(1)()",
    "('x')()",
    "local t = {{}} t[1][2][3] = 4",
    "error('m')",
    "error('m', 0)",
    "error()",
    "error(nil)",
    "assert(false)",
    "assert(nil, 'm')",
    "assert(false, {})",
    "string.rep()",
    "('x'):rep()",
    "('x'):rep({})",
    "string.char(256)",
    "math.floor({})",
    "setmetatable({})",
    "setmetatable(1, {})",
    "rawset({}, nil, 1)",
    "next({}, 'nope')",
    "pairs()",
    "ipairs(1)",
    "tonumber()",
    "tostring()",
    "select(0)",
    "return table.concat({{}})",
    "return ('x'):bad()",
    "coroutine.yield()",
    "coroutine.wrap(function() error('z') end)()",
    "coroutine.create(print)",
    "local function f()\n\n  local y = nil + 1\nend\nf()",
    "return 1,\n2,\nnil .. 'x'",
    "string.gsub('a', 'a', function() error('in') end)",
    "table.sort({3, 2, 1}, function(a, b) return a.x < b end)",
    "return ({}).x.y",
    "local function f() return 1 + f() end f()",
    "pcall(5)()",
    "return math.huge.x",
    "return setmetatable({}, {__index = 5}).x",
    "setmetatable({}, {__newindex = 5}).x = 1",
    "setmetatable({}, {__call = 5})()",
    "local t = setmetatable({}, {__index = function(t, k) \
     error('no ' .. k) end}) return t.q",
];

/// Chunks that do not compile.
const SYNTAX: &[&str] = &[
    "x =",
    "x = = 1",
    "return return",
    "if x then",
    "if x the",
    "while true do",
    "for i = 1 do end",
    "for 1 = 2",
    "for i, in x do end",
    "function f( end",
    "function f(a,) end",
    "function f(..., a) end",
    "local function",
    "local 1 = 2",
    "local x = ",
    "f(",
    "f(1, ",
    "t[1",
    "t.1",
    "t.",
    "t:m",
    "t:m x",
    "x 1",
    "x, y",
    "x, f() = 1",
    "f() = 1",
    "(x) = 1",
    "'abc",
    "\"abc\ndef\"",
    "[[abc",
    "[=[abc]]",
    "--[[ abc",
    "1 = 2",
    "x = 1e",
    "x = 0x",
    "x = 3..4",
    "x = 1..2..3",
    "x = 5x",
    "x = '\\300'",
    "break",
    "while x do break end break",
    "return 1 2",
    "do return end x = 1 end",
    "end",
    "until x",
    "repeat",
    "repeat until",
    "x = }",
    "x = {1, 2",
    "x = {1 2}",
    "x = {[1 = 2}",
    "x = {a = }",
    "function f() return ... end",
    "x = function( return end",
    "x = a.b:c",
    "a.b:c = 1",
    "x = #",
    "x = not",
    "x = 1 +",
    "x = ~1",
    "x ~= 1",
    "x == 1",
    "@",
    "x = @",
    "\\",
    "x = 'a' 'b'",
    "a\n(b)()",
    "goto = 1 goto x",
    "::a::",
    "x = 1 // 2",
    "x = 1 << 2",
    "local a <const> = 1",
    "[=abc",
    "x = [=abc",
    "if x then\n\n\nelse\n",
    "function f()\n  if x then\n  return 1\nend",
    "x = {\n1,\n2\ny = 3}",
    "x = \"a\\",
    "x = 'a\\\n",
    "for i = 1, 2, 3, 4 do end",
    "local t = {f = function() end end}",
    "return (1",
    "return ((1)\n",
    "\u{e9} = 1",
];

struct Nothing;

/// Prints what a run came to as the driver of `lua5.1` does.
struct Printed(String);

impl Bridge for Printed {
    fn call(&mut self, _: CallMode, _: Option<&[&[u8]]>, out: &mut dyn ValueWriter) -> Flow {
        out.nil();
        Flow::Return
    }

    fn native(
        &mut self,
        id: NativeId,
        args: &mut dyn Arguments,
        out: &mut dyn ValueWriter,
    ) -> Result<(), Raise> {
        match id {
            0 => Ok(()),
            _ => {
                args.select(0);
                out.argument(0);
                Ok(())
            }
        }
    }

    fn finish(&mut self, outcome: Outcome<'_>) {
        self.0 = match outcome {
            Outcome::Returned(value) => text(value),
            Outcome::Raised(value) => format!("uncaught {}", text(value)),
            Outcome::Stopped { reason, .. } => format!("stopped {reason:?}"),
        };
    }
}

fn text(value: &mut dyn ValueReader) -> String {
    match value.kind() {
        Kind::String => value.bytes().escape_ascii().to_string(),
        other => other.name().to_owned(),
    }
}

impl Nothing {
    fn vm() -> Box<dyn Vm> {
        let stock = |name| Entry::new(name, Item::Stock);
        let library = |name, functions: &[&'static str]| {
            Entry::new(name, Item::Table(functions.iter().map(|name| stock(name)).collect()))
        };
        let mut globals: Vec<Entry> = [
            "assert",
            "error",
            "getmetatable",
            "ipairs",
            "load",
            "loadstring",
            "next",
            "pairs",
            "pcall",
            "rawequal",
            "rawget",
            "rawset",
            "select",
            "setmetatable",
            "tonumber",
            "tostring",
            "type",
            "unpack",
            "xpcall",
        ]
        .map(stock)
        .to_vec();
        globals.push(library(
            "coroutine",
            &["create", "resume", "running", "status", "wrap", "yield"],
        ));
        globals.push(library(
            "string",
            &[
                "byte", "char", "find", "format", "gmatch", "gsub", "len", "lower", "match", "rep",
                "sub", "upper",
            ],
        ));
        globals.push(library("table", &["concat", "insert", "remove", "sort"]));
        globals.push(library("math", &["floor", "huge"]));
        let environment = Environment {
            globals,
            views: vec![View::default()],
            missing_global: 0,
            readonly_message: "read-only",
            error_handler: 1,
            error_fields: &[],
            unwrap_field: "",
        };
        Piccolo.create(&environment, &Limits::default()).unwrap()
    }
}

/// Calls the snippet, or says why it does not compile, and puts what it gives into one string.
const DRIVER: &str = r#"
local function show(...)
  local parts = {}
  for i = 1, select('#', ...) do
    local v = select(i, ...)
    if type(v) == 'string' then parts[i] = string.format('%q', v)
    elseif type(v) == 'table' or type(v) == 'function' or type(v) == 'thread' then parts[i] = type(v)
    else parts[i] = tostring(v) end
  end
  return table.concat(parts, ', ')
end
local function run(source)
  local f, message = loadstring(source, '=s')
  if not f then return 'syntax ' .. message end
  return show(pcall(f))
end
"#;

fn here(vm: &mut dyn Vm, snippet: &str) -> String {
    let source = format!("{DRIVER} return run({})", quoted(snippet));
    let id = vm.compile(Chunk { name: "@driver", source: source.as_bytes() }).unwrap();
    let mut printed = Printed(String::new());
    let invocation = Invocation {
        keys: &[],
        args: &[],
        passing: Passing::Nothing,
        view: 0,
        lines: false,
        began: Instant::now(),
    };
    vm.run(id, &invocation, &mut printed);
    vm.release(id);
    printed.0
}

fn quoted(text: &str) -> String {
    let escaped: Vec<String> = text.bytes().map(|byte| format!("\\{byte:03}")).collect();
    format!("'{}'", escaped.concat())
}

/// What lua5.1 prints for each snippet; `None` without it.
fn there(snippets: &[&str]) -> Option<Vec<String>> {
    let mut source = DRIVER.to_owned();
    for snippet in snippets {
        source += &format!(
            "io.write((run({}):gsub('[^ -~]', function(c) return ({{['\\n']='\\\\n',['\\r']='\\\\r',['\\t']='\\\\t'}})[c] or ('\\\\x%02x'):format(c:byte()) end)), '\\0')\n",
            quoted(snippet)
        );
    }
    let mut child = Command::new("lua5.1")
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .inspect_err(|_| println!("skipped: there is no lua5.1"))
        .ok()?;
    child.stdin.take()?.write_all(source.as_bytes()).ok()?;
    let output = child.wait_with_output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.split_terminator('\0').map(str::to_owned).collect())
}

#[track_caller]
fn compare(snippets: &[&str]) {
    let Some(expected) = there(snippets) else { return };
    assert_eq!(expected.len(), snippets.len(), "lua5.1 ended early");
    let mut vm = Nothing::vm();
    let mut failures = Vec::new();
    for (snippet, expected) in snippets.iter().zip(expected) {
        // Quotes and backslashes are shown as they are by lua5.1.
        let found =
            here(&mut *vm, snippet).replace("\\\"", "\"").replace("\\'", "'").replace("\\\\", "\\");
        if found != expected {
            failures.push(format!("{snippet:?}\n  lua5.1:  {expected}\n  piccolo: {found}"));
        }
    }
    assert!(failures.is_empty(), "{} differ:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn programs_give_the_same_values() {
    compare(PROGRAMS);
}

#[test]
fn what_is_inferred_is_true() {
    compare(inferred::PROGRAMS);
}

#[test]
fn errors_have_the_same_texts() {
    compare(ERRORS);
}

#[test]
fn syntax_errors_have_the_same_texts() {
    compare(SYNTAX);
}

#[test]
fn long_chains_and_deep_nests_end() {
    let mut vm = Nothing::vm();
    let n = 100_000;
    for source in [
        format!("return a{}", ".a".repeat(n)),
        format!("return 1{}", "+1".repeat(n)),
        format!("return 1{}", " and 1".repeat(n)),
        format!("return 'x'{}", "..'x'".repeat(n)),
        format!("return {}1{}", "(".repeat(n), ")".repeat(n)),
        format!("return {}1", "-".repeat(n)),
        format!("return f{}", "()".repeat(n)),
        format!("return {}", "{".repeat(n)),
        "do ".repeat(n),
        "if x then ".repeat(n),
        "function f() ".repeat(n),
        "local a ".repeat(n),
        format!("x = {}", "function() return ".repeat(n)),
        format!("return {{{}}}", "1,".repeat(n)),
        format!("f({})", "1,".repeat(n)),
        format!("x = 1 {}", "x = 1 ".repeat(n)),
    ] {
        // Whatever it says of them, it says it.
        if let Ok(id) = vm.compile(Chunk { name: "@s", source: source.as_bytes() }) {
            vm.release(id);
        }
    }
    assert_eq!(here(&mut *vm, "return 1"), "true, 1");
}
