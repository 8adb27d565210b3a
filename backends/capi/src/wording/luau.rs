//! Luau's error messages in the words of Lua 5.1.
//!
//! Owns what `VM/src/ldebug.cpp` and `laux.cpp` of Luau word in their own way. Luau does not keep
//! the names of variables, which Lua 5.1 puts into most of these: those messages differ still.

use super::{join, rfind};

/// The message in the words of Lua 5.1, when they differ.
pub(super) fn reword(text: &[u8]) -> Option<Vec<u8>> {
    argument(text).or_else(|| operation(text)).or_else(|| several(text))
}

/// `luaL_argerrorL`, `luaL_typeerrorL`.
fn argument(text: &[u8]) -> Option<Vec<u8>> {
    if let Some(at) = rfind(text, b"invalid argument #") {
        return Some(join(&[text.get(..at)?, b"bad", text.get(at + 7..)?]));
    }
    let at = rfind(text, b"missing argument #")?;
    let rest = text.get(at + 7..)?.strip_suffix(b" expected)")?;
    Some(join(&[text.get(..at)?, b"bad", rest, b" expected, got no value)"]))
}

/// `luaG_aritherror`, `luaG_concaterror`, `luaG_indexerror`, `luaG_ordererror`.
fn operation(text: &[u8]) -> Option<Vec<u8>> {
    if let Some(at) = rfind(text, b"attempt to perform arithmetic (") {
        let rest = text.get(at..)?;
        let operands = rest.get(rfind(rest, b") on ")? + 5..)?;
        let culprit = culprit(operands, b" and ", &[b"number"])?;
        let head = text.get(..at)?;
        return Some(join(&[head, b"attempt to perform arithmetic on a ", culprit, b" value"]));
    }
    if let Some(at) = rfind(text, b"attempt to concatenate ") {
        let operands = text.get(at + 23..)?;
        let culprit = culprit(operands, b" with ", &[b"string", b"number"])?;
        return Some(join(&[text.get(..at)?, b"attempt to concatenate a ", culprit, b" value"]));
    }
    if let Some(at) = rfind(text, b"attempt to index ") {
        let rest = text.get(at + 17..)?;
        let kind = rest.get(..rest.windows(6).position(|part| part == b" with ")?)?;
        return Some(join(&[text.get(..at)?, b"attempt to index a ", kind, b" value"]));
    }
    if let Some(at) = rfind(text, b"attempt to compare ") {
        let rest = text.get(at + 19..)?;
        let words: Vec<&[u8]> = rest.split(|&byte| byte == b' ').collect();
        let [left, b"<" | b"<=" | b"==", right] = words.as_slice() else { return None };
        let head = text.get(..at)?;
        return Some(if left == right {
            join(&[head, b"attempt to compare two ", left, b" values"])
        } else {
            join(&[head, b"attempt to compare ", left, b" with ", right])
        });
    }
    None
}

/// The operand whose type does not fit: the second one when both do not, as in
/// `ldebug.c luaG_aritherror` and `luaG_concaterror`.
fn culprit<'a>(operands: &'a [u8], between: &[u8], fit: &[&[u8]]) -> Option<&'a [u8]> {
    let Some(at) = rfind(operands, between) else { return Some(operands) };
    let (left, right) = (operands.get(..at)?, operands.get(at + between.len()..)?);
    Some(if fit.contains(&left) { right } else { left })
}

/// Messages of one kind each.
fn several(text: &[u8]) -> Option<Vec<u8>> {
    for what in [&b"initial"[..], b"limit", b"step"] {
        if let Some(at) = rfind(text, &join(&[b"invalid 'for' ", what])) {
            let value: &[u8] = if what == b"initial" { b" value" } else { b"" };
            return Some(join(&[text.get(..at)?, b"'for' ", what, value, b" must be a number"]));
        }
    }
    if let Some(at) = rfind(text, b"attempt to call missing method '") {
        let rest = text.get(at + 32..)?;
        let name = rest.get(..rfind(rest, b"' of ")?)?;
        let head = text.get(..at)?;
        return Some(join(&[head, b"attempt to call method '", name, b"' (a nil value)"]));
    }
    for (newer, older) in [
        (&b"'__index' chain too long; possible loop"[..], &b"loop in gettable"[..]),
        (b"'__newindex' chain too long; possible loop", b"loop in settable"),
    ] {
        if let Some(head) = text.strip_suffix(newer) {
            return Some(join(&[head, older]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages() {
        for (newer, older) in [
            ("s:1: invalid argument #1 to 'f' (x)", "s:1: bad argument #1 to 'f' (x)"),
            (
                "missing argument #2 to 'rep' (number expected)",
                "bad argument #2 to 'rep' (number expected, got no value)",
            ),
            (
                "s:1: attempt to perform arithmetic (add) on nil and number",
                "s:1: attempt to perform arithmetic on a nil value",
            ),
            ("attempt to concatenate string with table", "attempt to concatenate a table value"),
            ("attempt to compare nil < nil", "attempt to compare two nil values"),
            ("attempt to compare number <= nil", "attempt to compare number with nil"),
            ("attempt to index nil with 'x'", "attempt to index a nil value"),
            (
                "attempt to call missing method 'f' of table",
                "attempt to call method 'f' (a nil value)",
            ),
        ] {
            assert_eq!(reword(newer.as_bytes()).as_deref(), Some(older.as_bytes()), "{newer}");
        }
    }
}
