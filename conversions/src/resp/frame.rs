//! Where a RESP reply ends, without building it.
//!
//! Owns the grammar of RESP2 and RESP3: which bytes are a reply, which are the beginning of one,
//! which can never become one. Must not know what the values mean. Nothing here allocates or
//! recurses by what the bytes declare.

use thiserror::Error;

use crate::number;

/// How many containers may stand inside each other.
pub const MAX_DEPTH: usize = 1 << 16;

/// Bytes that cannot be the beginning of a reply.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("malformed RESP at byte {at}: {what}")]
pub struct RespError {
    /// The offset of the offending value.
    pub at: usize,
    /// What is wrong.
    pub what: &'static str,
}

/// Finds the end of a reply whose bytes arrive in pieces, reading no value twice.
///
/// ```
/// use redlua_conversions::resp::Framer;
///
/// let mut framer = Framer::default();
/// assert_eq!(framer.advance(b"*2\r\n:1\r\n"), Ok(None));
/// assert_eq!(framer.advance(b"*2\r\n:1\r\n:2\r\n+next"), Ok(Some(12)));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Framer {
    at: usize,
    started: bool,
    /// Values outstanding in each open container. A container leaves with its last value's
    /// beginning, so that a chain of single-element arrays is still counted as deep.
    open: Vec<u64>,
}

impl Framer {
    /// Looks at the bytes received so far, which begin with those of the last call. The length of
    /// the reply when it is complete, `None` when more bytes are needed.
    ///
    /// # Errors
    /// The bytes are not RESP.
    pub fn advance(&mut self, bytes: &[u8]) -> Result<Option<usize>, RespError> {
        if !self.started {
            self.started = true;
            self.open.push(1);
        }
        loop {
            while self.open.last() == Some(&0) {
                self.open.pop();
            }
            let Some(outstanding) = self.open.last_mut() else { return Ok(Some(self.at)) };
            let Some((token, next)) = token(bytes, self.at)? else { return Ok(None) };
            if !matches!(token, Token::Attribute(_)) {
                *outstanding -= 1;
            }
            if let Some(children) = token.children() {
                if self.open.len() >= MAX_DEPTH {
                    return Err(RespError { at: self.at, what: "nested too deeply" });
                }
                self.open.push(children);
            }
            self.at = next;
        }
    }
}

/// One scalar, or the header of a container.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Token<'a> {
    Null,
    NullArray,
    Integer(i64),
    Bulk(&'a [u8]),
    Status(&'a [u8]),
    Error(&'a [u8]),
    Array(usize),
    Set(usize),
    Push(usize),
    Map(usize),
    Attribute(usize),
    Double(f64, &'a [u8]),
    Boolean(bool),
    BigNumber(&'a [u8]),
    Verbatim([u8; 3], &'a [u8]),
}

impl Token<'_> {
    /// How many values stand inside; `None` for a scalar.
    fn children(&self) -> Option<u64> {
        match *self {
            Token::Array(len) | Token::Set(len) | Token::Push(len) => Some(len as u64),
            Token::Map(pairs) | Token::Attribute(pairs) => Some(pairs as u64 * 2),
            _ => None,
        }
    }
}

/// Reads the token at `at`: itself and where the next one begins.
pub(super) fn token(bytes: &[u8], at: usize) -> Result<Option<(Token<'_>, usize)>, RespError> {
    let wrong = |what| RespError { at, what };
    let Some((&marker, rest)) = bytes.get(at..).and_then(|rest| rest.split_first()) else {
        return Ok(None);
    };
    if !b"_:$+-*~>%|,#(=!".contains(&marker) {
        return Err(wrong("unknown type byte"));
    }
    let Some(end) = rest.windows(2).position(|pair| pair == b"\r\n") else { return Ok(None) };
    let line = rest.get(..end).unwrap_or_default();
    let body = at + 1 + end + 2;
    let token = match marker {
        b'_' if line.is_empty() => Token::Null,
        b'_' => return Err(wrong("a null with a value")),
        b':' => Token::Integer(number::parse_i64(line).ok_or_else(|| wrong("not an integer"))?),
        b'+' => Token::Status(line),
        b'-' => Token::Error(line),
        b'#' => match line {
            b"t" => Token::Boolean(true),
            b"f" => Token::Boolean(false),
            _ => return Err(wrong("not a boolean")),
        },
        b',' => Token::Double(double(line).ok_or_else(|| wrong("not a double"))?, line),
        // Any text: a script's `{big_number = …}` is sent as it is.
        b'(' => Token::BigNumber(line),
        b'$' | b'*' if line == b"-1" => {
            if marker == b'$' {
                Token::Null
            } else {
                Token::NullArray
            }
        }
        b'$' | b'=' | b'!' => {
            let len = length(line).ok_or_else(|| wrong("not a length"))?;
            let Some(payload) = bytes.get(body..body + len) else { return Ok(None) };
            let Some(newline) = bytes.get(body + len..body + len + 2) else { return Ok(None) };
            if newline != b"\r\n" {
                return Err(wrong("a string longer than its length"));
            }
            let token = match (marker, payload) {
                (b'$', _) => Token::Bulk(payload),
                (b'!', _) => Token::Error(payload),
                (_, [a, b, c, b':', text @ ..]) => Token::Verbatim([*a, *b, *c], text),
                _ => return Err(wrong("a verbatim string without a format")),
            };
            return Ok(Some((token, body + len + 2)));
        }
        _ => {
            let len = length(line).ok_or_else(|| wrong("not a length"))?;
            match marker {
                b'*' => Token::Array(len),
                b'~' => Token::Set(len),
                b'>' => Token::Push(len),
                b'%' => Token::Map(len),
                _ => Token::Attribute(len),
            }
        }
    };
    Ok(Some((token, body)))
}

/// A length: at most what 32 bits hold, so that no sum with it overflows.
fn length(line: &[u8]) -> Option<usize> {
    u32::try_from(number::parse_i64(line)?).ok().map(|len| len as usize)
}

/// A double as servers print them: decimal digits with an optional exponent, `inf`, `nan`.
fn double(line: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(line).ok()?;
    match text {
        "inf" => Some(f64::INFINITY),
        "-inf" => Some(f64::NEG_INFINITY),
        "nan" | "-nan" => Some(f64::NAN),
        _ if line.iter().any(u8::is_ascii_digit) => text.parse().ok(),
        _ => None,
    }
}
