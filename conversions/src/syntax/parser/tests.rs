//! What the checker says, as Lua 5.1 says it.

use super::super::{Target, Wanted, translate};

fn message(source: &str) -> String {
    let (target, wanted) = (Target::default(), Wanted::always());
    let error = translate(source.as_bytes(), b"@s", &target, &wanted).unwrap_err();
    String::from_utf8(error).unwrap()
}

#[test]
fn messages() {
    for (source, text) in [
        ("x", "s:1: '=' expected near '<eof>'"),
        ("x y", "s:1: '=' expected near 'y'"),
        ("f() = 1", "s:1: unexpected symbol near '='"),
        ("(x) = 1", "s:1: syntax error near '='"),
        ("if x then", "s:1: 'end' expected near '<eof>'"),
        ("if x then\n", "s:2: 'end' expected (to close 'if' at line 1) near '<eof>'"),
        ("return 1 2", "s:1: '<eof>' expected near '2'"),
        ("local 1", "s:1: '<name>' expected near '1'"),
        ("goto x", "s:1: '=' expected near 'x'"),
        ("break", "s:1: no loop to break near '<eof>'"),
        ("x = 'a\\400'", "s:1: escape sequence too large near ''a'"),
        ("x = 'a", "s:1: unfinished string near '<eof>'"),
        ("x = [[a", "s:1: unfinished long string near '<eof>'"),
        ("x = 1x", "s:1: malformed number near '1x'"),
        ("a.b:c = 1", "s:1: function arguments expected near '='"),
        ("f\n()", "s:2: ambiguous syntax (function call x new statement) near '('"),
        (
            "function f() return ... end",
            "s:1: cannot use '...' outside a vararg function near '...'",
        ),
        ("x = 5 // 2", "s:1: unexpected symbol near '/'"),
        ("local x <const> = 1", "s:1: unexpected symbol near '<'"),
        ("x = \u{1b}", "s:1: unexpected symbol near 'char(27)'"),
        ("return 1 \0", "s:1: '<eof>' expected"),
        ("for x do end", "s:1: '=' or 'in' expected near 'do'"),
    ] {
        assert_eq!(message(source), text, "{source}");
    }
    let deep = format!("return {}1{}", "(".repeat(250), ")".repeat(250));
    assert_eq!(message(&deep), "s:1: chunk has too many syntax levels");
    let locals = "local a ".repeat(201);
    assert_eq!(message(&locals), "s:1: main function has more than 200 local variables");
}

#[test]
fn what_is_right_passes_as_it_is() {
    let source = "local t, u = {1, x = 2, ['y'] = 3; 4, f(), ...}, nil
        for i = 1, #t, 2 do t[i] = -i ^ 2 .. 'x' end
        for k, v in pairs(t) do if k then break elseif v then f'x' else f{x} end end
        function t.a.b:c(d, ...) return self, d, ... end
        local function g(...) while true do break end repeat local x until x end
        return function() return g(t:c(1)) end, [==[ ]] ]==] -- end";
    let target = Target { integers: Some("N"), ..Target::default() };
    for target in [Target::default(), target] {
        let out = translate(source.as_bytes(), b"@s", &target, &Wanted::always()).unwrap().text;
        if target.integers.is_none() {
            assert_eq!(out, source.as_bytes());
        }
    }
}

#[test]
fn integers() {
    let target = Target { integers: Some("N"), rename: Some(("_ENV", "_E")), ..Target::default() };
    for (source, out) in [
        ("return 1e3", "return 1000"),
        ("return 0x10 + 1.5", "return 16 + 1.5"),
        ("return 1\0", "return 1"),
        ("return 1e14", "return 100000000000000.0"),
        ("return -0, - 0.0", "return -0.0, - 0.0"),
        ("return 123456789012345680", "return 1.2345678901234568e+17"),
        ("return a/b/c", "return N(N(a/b)/c)"),
        ("return x+a/2^2, 'y'", "return x+N(a/N(2^2)), 'y'"),
        ("return -a/b .. c", "return N(-a/b) .. c"),
        ("return _ENV.x", "return _E.x"),
        ("return '\\x41\\n\\065'", "return 'x41\\n\\065'"),
    ] {
        let found = translate(source.as_bytes(), b"@s", &target, &Wanted::always()).unwrap().text;
        assert_eq!(String::from_utf8_lossy(&found), out, "{source}");
    }
}

#[test]
fn brackets_within_brackets() {
    let target = Target { brackets: true, ..Target::default() };
    for (source, out) in [
        ("return [[a[[b]]", "return [=[a[[b]=]"),
        ("return [[a[b]], [[c]]", "return [[a[b]], [[c]]"),
        ("return [[\n[[ [=[ =]], 1", "return [==[\n[[ [=[ =]==], 1"),
        ("--[[ [[ ]] return 1", "--[=[ [[ ]=] return 1"),
        ("return [=[ [[ ]=]", "return [=[ [[ ]=]"),
    ] {
        let found = translate(source.as_bytes(), b"@s", &target, &Wanted::always()).unwrap().text;
        assert_eq!(String::from_utf8_lossy(&found), out);
        // Without the wish, nothing is in the way.
        let plain = translate(source.as_bytes(), b"@s", &Target::default(), &Wanted::always())
            .unwrap()
            .text;
        assert_eq!(plain, source.as_bytes());
    }
}
