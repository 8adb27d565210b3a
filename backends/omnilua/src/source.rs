//! Where omniLua's lexer reads source otherwise than Lua 5.1's.
//!
//! Owns the change to a chunk before it is read, and the position in two messages that lack it.
//! It must not know what is done with the chunk.

/// The chunk as omniLua must get it: `#` at the beginning of a line is an operator (omniLua takes
/// it for the mark of a comment there), and a NUL behind a number belongs to the number
/// (`read_numeral` in `llex.c` looks for the character in C strings, which end with one).
pub(crate) fn tidied(text: Vec<u8>) -> Vec<u8> {
    let hashes = text.first() == Some(&b'#')
        || text.windows(2).any(|pair| matches!(pair, [b'\n' | b'\r', b'#']));
    if !hashes && !text.contains(&0) {
        return text;
    }
    let mut tidy = Vec::with_capacity(text.len() + 8);
    let mut rest = text.as_slice();
    let mut fresh = true;
    while let Some(&byte) = rest.first() {
        let length = token(rest);
        let (token, behind) = rest.split_at(length.clamp(1, rest.len()));
        if byte == b'#' && fresh {
            tidy.push(b' ');
        }
        tidy.extend_from_slice(token);
        fresh = matches!(byte, b'\n' | b'\r');
        rest = behind;
        if is_number(token)
            && let Some((0, behind)) = rest.split_first()
        {
            tidy.push(b' ');
            rest = behind;
        }
    }
    tidy
}

fn is_number(token: &[u8]) -> bool {
    match token {
        [b'.', digit, ..] | [digit, ..] => digit.is_ascii_digit(),
        [] => false,
    }
}

/// The length of the token, comment or space at the beginning of `text`.
fn token(text: &[u8]) -> usize {
    match text {
        [b'-', b'-', rest @ ..] => {
            2 + bracket(rest).unwrap_or_else(|| until(rest, |byte| matches!(byte, b'\n' | b'\r')))
        }
        [b'[', ..] => bracket(text).unwrap_or(1),
        [quote @ (b'"' | b'\''), rest @ ..] => {
            let mut escaped = false;
            let end = rest.iter().position(|byte| {
                let ends = !escaped && byte == quote;
                escaped = !escaped && *byte == b'\\';
                ends
            });
            end.map_or(text.len(), |end| end + 2)
        }
        [b'.', b'.', ..] => 2,
        _ if is_number(text) => {
            let body = until(text, |byte| !byte.is_ascii_digit() && byte != b'.');
            let sign = match text.get(body..) {
                Some([b'e' | b'E', b'+' | b'-', ..]) => 2,
                _ => 0,
            };
            let tail = text.get(body + sign..).unwrap_or_default();
            body + sign + until(tail, |byte| !is_name(byte))
        }
        [byte, ..] if is_name(*byte) => until(text, |byte| !is_name(byte)),
        _ => 1,
    }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn until(text: &[u8], ends: impl Fn(u8) -> bool) -> usize {
    text.iter().position(|byte| ends(*byte)).unwrap_or(text.len())
}

/// The length of a long bracket, when the text begins with one.
fn bracket(text: &[u8]) -> Option<usize> {
    let level = until(text.get(1..)?, |byte| byte != b'=');
    if text.first() != Some(&b'[') || text.get(level + 1) != Some(&b'[') {
        return None;
    }
    let closing = [b"]".as_slice(), &vec![b'='; level], b"]"].concat();
    let body = text.get(level + 2..)?;
    let end = body.windows(closing.len()).position(|part| part == closing);
    Some(end.map_or(text.len(), |end| level + 2 + end + closing.len()))
}

/// Syntax errors that omniLua raises without position.
const BARE: [&[u8]; 2] = [b"<name> or '...' expected", b"function arguments expected"];

/// The message with its position and the token it is about, when it lacks them; `read` is what
/// the lexer has taken of the chunk, the character behind the token included.
pub(crate) fn positioned(message: &[u8], name: &[u8], read: &[u8], ended: bool) -> Option<Vec<u8>> {
    if !BARE.contains(&message) {
        return None;
    }
    let mut chunk = [0; 64];
    let length = lua_vm::object::chunk_id(&mut chunk, name);
    let mut read = if ended { read } else { read.get(..read.len().saturating_sub(1))? };
    let last = last_token(read);
    // At the end of the chunk the lexer has nothing behind a token either.
    let complete = match message {
        b"function arguments expected" => last.first().is_some_and(|byte| is_name(*byte)),
        _ => matches!(last, [b'(' | b',']),
    };
    let near: &[u8] = if ended && complete { b"<eof>" } else { last };
    if !(ended && complete) {
        read = read.get(..read.len() - last.len())?;
    }
    let line = 1 + read.iter().filter(|byte| **byte == b'\n').count();
    let chunk = chunk.get(..length)?;
    let chunk = chunk.split(|byte| *byte == 0).next().unwrap_or_default();
    let line = line.to_string();
    Some([chunk, b":", line.as_bytes(), b": ", message, b" near '", near, b"'"].concat())
}

/// The last token of a text.
fn last_token(text: &[u8]) -> &[u8] {
    let mut rest = text;
    let mut last = text.get(..0).unwrap_or_default();
    while !rest.is_empty() {
        let (token, behind) = rest.split_at(token(rest).clamp(1, rest.len()));
        let space = token.iter().all(|byte| byte.is_ascii_whitespace());
        if !space && !token.starts_with(b"--") {
            last = token;
        }
        rest = behind;
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_at_line_starts_become_operators_outside_of_text() {
        let tidied = |text: &str| String::from_utf8(tidied(text.into())).unwrap_or_default();
        assert_eq!(tidied("#x"), " #x");
        assert_eq!(tidied("return\n#t"), "return\n #t");
        assert_eq!(tidied("a='\\\n#b' c=\"\\\"\n#\""), "a='\\\n#b' c=\"\\\"\n#\"");
        assert_eq!(tidied("[[\n#a]]\r#b--[=[\n#]]\n#]=]\n#"), "[[\n#a]]\r #b--[=[\n#]]\n#]=]\n #");
        assert_eq!(tidied("-- '\n#x"), "-- '\n #x");
        assert_eq!(tidied("return 1\0 x=1e5\0 '\0' a1\0"), "return 1  x=1e5  '\0' a1\0");
    }

    #[test]
    fn bare_messages_get_their_position() {
        let message = b"function arguments expected";
        let at = |read: &str, ended| {
            let text = positioned(message, b"@user_script", read.as_bytes(), ended);
            String::from_utf8(text.unwrap_or_default()).unwrap_or_default()
        };
        assert_eq!(at("x:y", true), "user_script:1: function arguments expected near '<eof>'");
        assert_eq!(at("\nx:y =1", false), "user_script:2: function arguments expected near '='");
        assert!(positioned(b"something else", b"@x", b"", true).is_none());
    }
}
