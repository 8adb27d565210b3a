//! Error messages of newer Luas in the words of Lua 5.1.
//!
//! Owns the rules by which a message is put back. It must not know where messages come from; the
//! handler of errors, `pcall`, `xpcall`, `coroutine.resume` and the compiler pass theirs through
//! here, so that only scripts that fail pay for it.

#[cfg(luau)]
mod luau;

use std::ffi::c_int;

use crate::ffi::{self, lua_State};
use crate::look::string_at;
use crate::state::state_of;

/// A longer message is a script's own, of which megabytes are not searched, or quotes a name that
/// nobody gives.
const LONGEST: usize = 64 << 10;

/// Replaces the string at `index` by what Lua 5.1 says; other values stay.
///
/// # Safety
/// `index` is the index of a value; 1 slot is free. Stack 0. Does not raise.
pub(crate) unsafe fn reword_at(lua: *mut lua_State, index: c_int) {
    // SAFETY: by contract; with the limit off the push does not raise.
    unsafe {
        if ffi::lua_type(lua, index) != ffi::LUA_TSTRING {
            return;
        }
        let text = string_at(lua, index);
        let Some(text) = (text.len() <= LONGEST).then(|| reword(text)).flatten() else { return };
        let index = if index < 0 { ffi::lua_gettop(lua) + 1 + index } else { index };
        let state = state_of(lua);
        let was = state.enforce(false);
        ffi::lua_pushlstring(lua, text.as_ptr().cast(), text.len());
        ffi::lua_replace(lua, index);
        state.enforce(was);
    }
}

/// Gives the message at `index` the position of the running function when it is one that LuaJIT
/// gives none.
///
/// # Safety
/// Called in a message handler, with an absolute index; 2 slots are free. Stack 0. Does not raise.
#[cfg(luajit)]
pub(crate) unsafe fn place_at(lua: *mut lua_State, index: c_int) {
    // SAFETY: by contract; with the limit off the pushes do not raise.
    unsafe {
        if ffi::lua_type(lua, index) == ffi::LUA_TSTRING
            && string_at(lua, index) == b"stack overflow"
        {
            let state = state_of(lua);
            let was = state.enforce(false);
            ffi::luaL_where(lua, 1);
            ffi::lua_pushvalue(lua, index);
            ffi::lua_concat(lua, 2);
            ffi::lua_replace(lua, index);
            state.enforce(was);
        }
    }
}

/// The message in the words of Lua 5.1, when they differ.
fn reword(text: &[u8]) -> Option<Vec<u8>> {
    #[cfg(luau)]
    if let Some(text) = luau::reword(text) {
        return Some(text);
    }
    variable(text).or_else(|| phrase(text))
}

/// `ldebug.c varinfo` names the variable last since Lua 5.2; Lua 5.1 (`luaG_typeerror`) names it
/// before the type, and knows neither constants nor metamethods.
fn variable(text: &[u8]) -> Option<Vec<u8>> {
    let inner = text.strip_suffix(b"')")?;
    let open = rfind(inner, b" value (")?;
    let (head, info) = (inner.get(..open)?, inner.get(open + 8..)?);
    let article = rfind(head, b" a ")?;
    let (operation, kind) = (head.get(..article)?, head.get(article + 3..)?);
    rfind(operation, b"attempt to ")?;
    let quote = rfind(info, b" '")?;
    let what = info.get(..quote)?;
    Some(match what {
        b"constant" | b"metamethod" | b"for iterator" => {
            join(&[operation, b" a ", kind, b" value"])
        }
        b"global" | b"local" | b"field" | b"method" | b"upvalue" => {
            join(&[operation, b" ", info, b"' (a ", kind, b" value)"])
        }
        _ => return None,
    })
}

/// Whole phrases that have changed: of the compiler (`llex.c luaX_token2str`,
/// `lparser.c exprstat`), of coroutines.
fn phrase(text: &[u8]) -> Option<Vec<u8>> {
    // `lvm.c luaG_forerror`, `lstrlib.c trymt`, `lvm.c luaV_finishget`, `lbaselib.c`.
    for what in [&b"initial value"[..], b"limit", b"step"] {
        if let Some(at) = rfind(text, &join(&[b"bad 'for' ", what, b" (number expected, got "])) {
            return Some(join(&[text.get(..at)?, b"'for' ", what, b" must be a number"]));
        }
    }
    if let Some(at) = rfind(text, b"attempt to ")
        && let Some(rest) = text.get(at + 11..)
        && let Some(quote) = rfind(rest, b" a '")
        && rfind(rest, b"' with a '").is_some_and(|with| with > quote || with + 6 == quote)
        && text.ends_with(b"'")
    {
        return Some(join(&[text.get(..at)?, b"attempt to perform arithmetic on a string value"]));
    }
    for (newer, older) in [
        (&b"'__index' chain too long; possibly a loop"[..], &b"loop in gettable"[..]),
        (b"'__index' chain too long; possible loop", b"loop in gettable"),
        (b"'__newindex' chain too long; possibly a loop", b"loop in settable"),
        (b"'__newindex' chain too long; possible loop", b"loop in settable"),
    ] {
        if let Some(head) = text.strip_suffix(newer) {
            return Some(join(&[head, older]));
        }
    }
    if let Some(at) = rfind(text, b"(nil or table expected, got ") {
        return Some(join(&[text.get(..at)?, b"(nil or table expected)"]));
    }
    // `lcode.c luaK_checkstack`.
    const REGISTERS: &[u8] = b"function or expression needs too many registers";
    if let Some(at) = rfind(text, REGISTERS) {
        let rest = text.get(at + REGISTERS.len()..)?;
        return Some(join(&[text.get(..at)?, b"function or expression too complex", rest]));
    }
    const YIELD: &[u8] = b"attempt to yield across metamethod/C-call boundary";
    for other in [
        &b"attempt to yield across C-call boundary"[..],
        b"attempt to yield across a C-call boundary",
        b"attempt to yield from outside a coroutine",
    ] {
        // The caller is a C function: there is no position.
        if text.ends_with(other) {
            return Some(YIELD.to_vec());
        }
    }
    for other in [&b"break outside a loop at line "[..], b"break outside loop at line "] {
        if let Some(start) = rfind(text, other) {
            // Lua 5.4 sees it where the function ends; Lua 5.1 tells the token after `break`.
            let token = rfind(text, b" near ").and_then(|near| text.get(near..));
            let token = token.filter(|token| *token != b" near <eof>");
            let token = token.unwrap_or(b" near '<eof>'");
            return Some(join(&[text.get(..start)?, b"no loop to break", token]));
        }
    }
    let mut out = text.to_vec();
    for token in [&b"<name>"[..], b"<eof>"] {
        let expected = join(&[b": ", token, b" expected"]);
        if let Some(at) = rfind(&out, &expected) {
            let rest = out.get(at + expected.len()..)?;
            out = join(&[out.get(..at)?, b": '", token, b"' expected", rest]);
        }
    }
    if let Some(at) = rfind(&out, b" (starting at line ")
        && let Some(near) = rfind(&out, b") near ")
        && near > at
    {
        out = join(&[out.get(..at)?, out.get(near + 1..)?]);
    }
    if let Some(head) = out.strip_suffix(b": syntax error") {
        out = join(&[head, b": '=' expected"]);
    }
    if let Some(head) = out.strip_suffix(b"near <eof>") {
        out = join(&[head, b"near '<eof>'"]);
    }
    if let Some(at) = rfind(&out, b": syntax error near ") {
        out = join(&[out.get(..at)?, b": '=' expected near ", out.get(at + 20..)?]);
    }
    // A byte that is no token: `'<\27>'`, in Lua 5.1 `'char(27)'`.
    if let Some(at) = rfind(&out, b"near '<\\")
        && let Some(code) = out.get(at + 8..).and_then(|rest| rest.strip_suffix(b">'"))
        && code.iter().all(u8::is_ascii_digit)
    {
        out = join(&[out.get(..at)?, b"near 'char(", code, b")'"]);
    }
    (out != text).then_some(out)
}

fn rfind(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).rposition(|window| window == part)
}

fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages() {
        for (newer, older) in [
            (
                "user_script:1: attempt to index a nil value (local 'x')",
                "user_script:1: attempt to index local 'x' (a nil value)",
            ),
            (
                "s:2: attempt to call a table value (method 'a b')",
                "s:2: attempt to call method 'a b' (a table value)",
            ),
            (
                "attempt to perform arithmetic on a string value (constant 'abc')",
                "attempt to perform arithmetic on a string value",
            ),
            ("s:1: unexpected symbol near <eof>", "s:1: unexpected symbol near '<eof>'"),
            ("s:1: syntax error near 'x'", "s:1: '=' expected near 'x'"),
            ("s:1: unexpected symbol near '<\\27>'", "s:1: unexpected symbol near 'char(27)'"),
            (
                "s:1: attempt to add a 'string' with a 'number'",
                "s:1: attempt to perform arithmetic on a string value",
            ),
            (
                "s:1: function or expression needs too many registers near '1'",
                "s:1: function or expression too complex near '1'",
            ),
            (
                "s:1: bad 'for' limit (number expected, got nil)",
                "s:1: 'for' limit must be a number",
            ),
            (
                "s:1: unfinished long string (starting at line 1) near '<eof>'",
                "s:1: unfinished long string near '<eof>'",
            ),
            ("s:1: <name> expected near 'end'", "s:1: '<name>' expected near 'end'"),
            (
                "s:1: break outside a loop at line 1 near <eof>",
                "s:1: no loop to break near '<eof>'",
            ),
        ] {
            assert_eq!(reword(newer.as_bytes()).as_deref(), Some(older.as_bytes()), "{newer}");
        }
        for same in ["", "x", "(a nil value)", "my value (local 'x')", "near 'x'", "'=' expected"] {
            assert_eq!(reword(same.as_bytes()), None, "{same}");
        }
    }
}
