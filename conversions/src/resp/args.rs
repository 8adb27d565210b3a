//! One line of text to the words of a command.
//!
//! Owns the quoting that redis-cli and inline requests share. Must not know what the words mean.

use thiserror::Error;

/// A quote that is not closed, or closed in the middle of a word.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("unbalanced quotes")]
pub struct UnbalancedQuotes;

/// Splits a line into words as `sds.c sdssplitargs` does.
///
/// Words are separated by white space. Inside double quotes `\xHH`, `\n`, `\r`, `\t`, `\a`, `\b`
/// are bytes and a backslash before anything else gives that; inside single quotes only `\'` is
/// special. A closing quote ends the word. The line ends at its first NUL.
///
/// ```
/// use redlua_conversions::resp::split_args;
/// let words = split_args(br#"SET key "a \x41\n" 'it\'s'"#)?;
/// assert_eq!(words, [&b"SET"[..], b"key", b"a A\n", b"it's"]);
/// # Ok::<(), redlua_conversions::resp::UnbalancedQuotes>(())
/// ```
///
/// # Errors
/// A quote is not closed, or something other than white space follows the closing one.
pub fn split_args(line: &[u8]) -> Result<Vec<Vec<u8>>, UnbalancedQuotes> {
    let line = line.split(|byte| *byte == 0).next().unwrap_or(line);
    let mut rest = line;
    let mut words = Vec::new();
    loop {
        let start = rest.iter().position(|byte| !is_space(*byte)).unwrap_or(rest.len());
        rest = rest.get(start..).unwrap_or_default();
        if rest.is_empty() {
            return Ok(words);
        }
        let (word, after) = word(rest)?;
        words.push(word);
        rest = after;
    }
}

/// The word at the beginning of `rest`, and what follows it.
fn word(mut rest: &[u8]) -> Result<(Vec<u8>, &[u8]), UnbalancedQuotes> {
    let mut word = Vec::new();
    while let [first, after @ ..] = rest {
        match first {
            // sdssplitargs ends an open word at these only: not at vertical tab or form feed.
            b' ' | b'\n' | b'\r' | b'\t' => break,
            b'"' => {
                let after = quoted(after, &mut word)?;
                return Ok((word, after));
            }
            b'\'' => {
                let after = single_quoted(after, &mut word)?;
                return Ok((word, after));
            }
            _ => {
                word.push(*first);
                rest = after;
            }
        }
    }
    Ok((word, rest))
}

fn quoted<'a>(mut rest: &'a [u8], word: &mut Vec<u8>) -> Result<&'a [u8], UnbalancedQuotes> {
    loop {
        rest = match rest {
            [b'\\', b'x', high, low, after @ ..]
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                word.push(nibble(*high) << 4 | nibble(*low));
                after
            }
            [b'\\', escaped, after @ ..] => {
                word.push(match escaped {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'b' => 0x08,
                    b'a' => 0x07,
                    other => *other,
                });
                after
            }
            [b'"', after @ ..] => return closed(after),
            [byte, after @ ..] => {
                word.push(*byte);
                after
            }
            [] => return Err(UnbalancedQuotes),
        };
    }
}

fn single_quoted<'a>(mut rest: &'a [u8], word: &mut Vec<u8>) -> Result<&'a [u8], UnbalancedQuotes> {
    loop {
        rest = match rest {
            [b'\\', b'\'', after @ ..] => {
                word.push(b'\'');
                after
            }
            [b'\'', after @ ..] => return closed(after),
            [byte, after @ ..] => {
                word.push(*byte);
                after
            }
            [] => return Err(UnbalancedQuotes),
        };
    }
}

/// After a closing quote: white space or the end.
fn closed(after: &[u8]) -> Result<&[u8], UnbalancedQuotes> {
    match after.first() {
        Some(byte) if !is_space(*byte) => Err(UnbalancedQuotes),
        _ => Ok(after),
    }
}

/// `isspace` of the C locale.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

fn nibble(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => digit.wrapping_sub(b'A').wrapping_add(10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Option<Vec<String>> {
        let words = split_args(line.as_bytes()).ok()?;
        Some(words.into_iter().map(|word| String::from_utf8(word).unwrap()).collect())
    }

    #[test]
    fn splits_as_redis_cli() {
        assert_eq!(words(""), Some(vec![]));
        assert_eq!(words("  \t\r\n"), Some(vec![]));
        assert_eq!(words("a  b\tc"), Some(vec!["a".into(), "b".into(), "c".into()]));
        assert_eq!(words(r#""" ''"#), Some(vec![String::new(), String::new()]));
        assert_eq!(words(r#"foo"bar" x"#), Some(vec!["foobar".into(), "x".into()]));
        assert_eq!(words(r#"'a\nb' "\q\x4g""#), Some(vec![r"a\nb".into(), "qx4g".into()]));
        assert_eq!(words("a\0b c"), Some(vec!["a".into()]));
    }

    #[test]
    fn refuses_unbalanced_quotes() {
        for line in [r#"""#, "'", r#""a"#, r#""a"b"#, "'a'b", r#""a\"#, r#""a\""#] {
            assert_eq!(words(line), None, "{line}");
        }
    }
}
