//! The commands a client sends, found in the bytes of its connection.
//!
//! Owns the request half of RESP: arrays of bulks and inline lines, with Redis' limits and error
//! texts (`networking.c processMultibulkBuffer`, `processInlineBuffer`). Must not know any
//! command, nor the socket.

use thiserror::Error;

use super::split_args;
use crate::number;

/// The longest inline request and the longest header line (`PROTO_INLINE_MAX_SIZE` in `server.h`).
const LINE_LIMIT: usize = 64 * 1024;
/// The longest argument (`proto-max-bulk-len`).
const BULK_LIMIT: i64 = 512 << 20;

/// A request that breaks the protocol: the server answers `-ERR` with this text and closes the
/// connection (`networking.c setProtocolError`).
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequestError {
    /// 64 KiB without a newline.
    #[error("Protocol error: too big inline request")]
    InlineTooBig,
    /// An inline request whose quotes do not match.
    #[error("Protocol error: unbalanced quotes in request")]
    UnbalancedQuotes,
    /// The `*` line does not end.
    #[error("Protocol error: too big mbulk count string")]
    CountTooBig,
    /// The `*` line holds no count.
    #[error("Protocol error: invalid multibulk length")]
    Count,
    /// A `$` line does not end.
    #[error("Protocol error: too big bulk count string")]
    LengthTooBig,
    /// An argument that is not a bulk; the byte found.
    #[error("Protocol error: expected '$', got '{}'", char::from(*.0))]
    NotBulk(u8),
    /// A `$` line holds no length, or one past the limit.
    #[error("Protocol error: invalid bulk length")]
    Length,
}

impl RequestError {
    /// The error line that the server answers, without its dash: bytes, because the byte found
    /// may be any.
    pub fn line(&self) -> Vec<u8> {
        let text = match self {
            RequestError::NotBulk(found) => {
                [b"Protocol error: expected '$', got '", &[*found][..], b"'"].concat()
            }
            other => other.to_string().into_bytes(),
        };
        [b"ERR ", &text[..]].concat()
    }
}

/// Takes the bytes of one connection in and gives commands out.
///
/// ```
/// use redlua_conversions::resp::RequestParser;
///
/// let mut parser = RequestParser::default();
/// parser.feed(b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\nPING\r\n*1");
/// assert_eq!(parser.next(), Ok(Some(vec![b"GET".to_vec(), b"k".to_vec()])));
/// assert_eq!(parser.next(), Ok(Some(vec![b"PING".to_vec()])));
/// assert_eq!(parser.next(), Ok(None));
/// ```
#[derive(Clone, Debug, Default)]
pub struct RequestParser {
    buffer: Vec<u8>,
    /// Where in `buffer` the next unread byte is.
    at: usize,
    /// Arguments of the present command still to come.
    missing: usize,
    argv: Vec<Vec<u8>>,
}

impl RequestParser {
    /// Takes bytes from the connection.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.at > 0 {
            self.buffer.drain(..self.at);
            self.at = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next command, never empty; `None` when more bytes are needed.
    ///
    /// # Errors
    /// The client breaks the protocol; nothing after it can be understood.
    #[allow(clippy::should_implement_trait, reason = "feeding may go on after None")]
    pub fn next(&mut self) -> Result<Option<Vec<Vec<u8>>>, RequestError> {
        loop {
            if self.missing == 0 {
                match self.unread().first() {
                    None => return Ok(None),
                    Some(b'*') => {
                        let Some(count) = self.count()? else { return Ok(None) };
                        self.missing = count;
                        // An empty array is no command (processMultibulkBuffer).
                        continue;
                    }
                    Some(_) => match self.inline()? {
                        Some(argv) if argv.is_empty() => continue,
                        other => return Ok(other),
                    },
                }
            }
            while self.missing > 0 {
                let Some(argument) = self.argument()? else { return Ok(None) };
                self.argv.push(argument);
                self.missing -= 1;
            }
            return Ok(Some(std::mem::take(&mut self.argv)));
        }
    }

    fn unread(&self) -> &[u8] {
        self.buffer.get(self.at..).unwrap_or_default()
    }

    fn inline(&mut self) -> Result<Option<Vec<Vec<u8>>>, RequestError> {
        let unread = self.unread();
        let Some(end) = find(unread, b'\n') else {
            return self.unfinished(RequestError::InlineTooBig);
        };
        let line = unread.get(..end).unwrap_or_default();
        let argv = split_args(line.strip_suffix(b"\r").unwrap_or(line))
            .map_err(|_| RequestError::UnbalancedQuotes)?;
        self.at += end + 1;
        Ok(Some(argv))
    }

    fn count(&mut self) -> Result<Option<usize>, RequestError> {
        let Some(line) = self.line(RequestError::CountTooBig)? else { return Ok(None) };
        let digits = line.get(1..).unwrap_or_default();
        let count = number::parse_i64(digits)
            .filter(|count| *count <= i64::from(i32::MAX))
            .ok_or(RequestError::Count)?;
        self.at += line.len() + 2;
        Ok(Some(usize::try_from(count).unwrap_or(0)))
    }

    fn argument(&mut self) -> Result<Option<Vec<u8>>, RequestError> {
        let Some(line) = self.line(RequestError::LengthTooBig)? else { return Ok(None) };
        let header = line.len() + 2;
        let len = match line.split_first() {
            Some((b'$', digits)) => number::parse_i64(digits)
                .filter(|len| (0..=BULK_LIMIT).contains(len))
                .and_then(|len| usize::try_from(len).ok())
                .ok_or(RequestError::Length)?,
            Some((other, _)) => return Err(RequestError::NotBulk(*other)),
            None => return Err(RequestError::NotBulk(b'\r')),
        };
        // The two bytes after the payload are skipped, whatever they are.
        let unread = self.unread();
        let Some(payload) = unread.get(header..header + len + 2) else { return Ok(None) };
        let argument = payload.get(..len).unwrap_or_default().to_vec();
        self.at += header + len + 2;
        Ok(Some(argument))
    }

    /// The next line without its newline; `None` when it has not arrived.
    fn line(&self, too_big: RequestError) -> Result<Option<Vec<u8>>, RequestError> {
        let unread = self.unread();
        let Some(end) = find(unread, b'\r') else {
            return self.unfinished(too_big);
        };
        // The LF is awaited but not looked at.
        if unread.len() < end + 2 {
            return Ok(None);
        }
        Ok(Some(unread.get(..end).unwrap_or_default().to_vec()))
    }

    fn unfinished<T>(&self, too_big: RequestError) -> Result<Option<T>, RequestError> {
        if self.unread().len() > LINE_LIMIT { Err(too_big) } else { Ok(None) }
    }
}

/// Finds a byte as `strchr` does: a NUL before it hides it.
fn find(bytes: &[u8], wanted: u8) -> Option<usize> {
    let end = bytes.iter().position(|byte| *byte == wanted || *byte == 0)?;
    (bytes.get(end) == Some(&wanted)).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8]) -> Result<Vec<Vec<Vec<u8>>>, RequestError> {
        let mut parser = RequestParser::default();
        parser.feed(bytes);
        let mut commands = Vec::new();
        while let Some(argv) = parser.next()? {
            commands.push(argv);
        }
        Ok(commands)
    }

    #[test]
    fn pieces_of_any_size_give_the_same_commands() {
        let bytes: &[u8] =
            b"*2\r\n$3\r\nGET\r\n$4\r\n\r\n\0x\r\n\r\n*0\r\n*-1\r\nSET k 'a b'\n*1\r\n$0\r\n\r\n";
        let whole = all(bytes).unwrap();
        assert_eq!(whole.len(), 3);
        assert_eq!(whole[1], [&b"SET"[..], b"k", b"a b"]);
        for size in 1..bytes.len() {
            let mut parser = RequestParser::default();
            let mut commands = Vec::new();
            for piece in bytes.chunks(size) {
                parser.feed(piece);
                while let Some(argv) = parser.next().unwrap() {
                    commands.push(argv);
                }
            }
            assert_eq!(commands, whole, "pieces of {size}");
        }
    }

    #[test]
    fn errors_read_as_the_server_words_them() {
        let cases: [(&[u8], &str); 8] = [
            (b"*x\r\n", "invalid multibulk length"),
            (b"*2147483648\r\n", "invalid multibulk length"),
            (b"*1\r\n:1\r\n", "expected '$', got ':'"),
            (b"*1\r\n$-1\r\n", "invalid bulk length"),
            (b"*1\r\n$536870913\r\n", "invalid bulk length"),
            (b"*1\r\n$ 3\r\n", "invalid bulk length"),
            (b"*1\r\n\r\n\r\n", "expected '$', got '\r'"),
            (b"a \"b\r\n", "unbalanced quotes in request"),
        ];
        for (bytes, text) in cases {
            assert_eq!(all(bytes).unwrap_err().to_string(), format!("Protocol error: {text}"));
        }
        let long = vec![b'x'; LINE_LIMIT + 1];
        assert_eq!(all(&long), Err(RequestError::InlineTooBig));
        assert_eq!(all(&[b"*", &long[..]].concat()), Err(RequestError::CountTooBig));
        assert_eq!(all(&[b"*1\r\n$", &long[..]].concat()), Err(RequestError::LengthTooBig));
    }

    #[test]
    fn the_error_line_holds_the_byte_found() {
        let error = all(b"*1\r\n\xff1\r\n").unwrap_err();
        assert_eq!(error.line(), b"ERR Protocol error: expected '$', got '\xff'");
        let error = all(b"*x\r\n").unwrap_err();
        assert_eq!(error.line(), b"ERR Protocol error: invalid multibulk length");
    }

    #[test]
    fn what_the_server_tolerates() {
        let ping = [[b"PING".to_vec()]];
        for bytes in
            [&b"*-5\r\nPING\r\n"[..], b"*1\r\n$4\r\nPINGxx", b"  \r\nPING\n", b"*1\rX$4\rYPING\r\n"]
        {
            assert_eq!(all(bytes).unwrap(), ping, "{:?}", String::from_utf8_lossy(bytes));
        }
        assert_eq!(all(b"PI\0NG\r\n"), Ok(vec![]));
    }

    #[test]
    fn a_declared_count_costs_nothing() {
        assert_eq!(all(b"*2147483647\r\n$536870912\r\n"), Ok(vec![]));
    }
}
