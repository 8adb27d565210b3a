//! The commands a client sends, found in the bytes of its connection.
//!
//! Owns the request half of RESP: arrays of bulks and inline lines, with Redis' limits and error
//! texts (`networking.c processMultibulkBuffer`, `processInlineBuffer`). Must not know any
//! command, nor the socket. A command's words stay where they arrived: nothing is copied or
//! allocated for them.

use thiserror::Error;

use super::split_args;
use crate::number;

/// The longest inline request and the longest header line (`PROTO_INLINE_MAX_SIZE` in `server.h`).
const LINE_LIMIT: usize = 64 * 1024;
/// The longest argument unless told otherwise (`proto-max-bulk-len`).
const BULK_LIMIT: usize = 512 << 20;
/// How many words of how many bytes a client may send before it logs in.
const STRANGER: (i64, usize) = (10, 16384);

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
    /// Too many words from a client that must log in first.
    #[error("Protocol error: unauthenticated multibulk length")]
    StrangersCount,
    /// Too long a word from a client that must log in first.
    #[error("Protocol error: unauthenticated bulk length")]
    StrangersLength,
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
/// assert_eq!(parser.advance(), Ok(true));
/// assert!(parser.argv().eq([&b"GET"[..], b"k"]));
/// assert_eq!(parser.next(), Ok(Some(vec![b"PING".to_vec()])));
/// assert_eq!(parser.next(), Ok(None));
/// ```
#[derive(Clone, Debug)]
pub struct RequestParser {
    buffer: Vec<u8>,
    /// Where the present command begins, or the next one when it is complete.
    start: usize,
    /// Where the present command begins, complete or not.
    begun: usize,
    /// The next unread byte.
    at: usize,
    /// Arguments of the present command still to come.
    missing: usize,
    /// The length of the argument whose header was read but which has not arrived.
    length: Option<usize>,
    /// Where the words of the present command are.
    words: Vec<(usize, usize)>,
    /// The words of an inline command.
    inline: Vec<Vec<u8>>,
    /// Whether the present command is complete and its words are for the caller.
    complete: bool,
    longest: usize,
    stranger: bool,
}

impl Default for RequestParser {
    fn default() -> Self {
        RequestParser {
            buffer: Vec::new(),
            start: 0,
            begun: 0,
            at: 0,
            missing: 0,
            length: None,
            words: Vec::new(),
            inline: Vec::new(),
            complete: false,
            longest: BULK_LIMIT,
            stranger: false,
        }
    }
}

impl RequestParser {
    /// Sets the longest argument (`proto-max-bulk-len`), and whether the client must log in
    /// first: then it may only send what logging in takes.
    pub fn set_limits(&mut self, longest: usize, stranger: bool) {
        self.longest = longest;
        self.stranger = stranger;
    }

    /// Takes bytes from the connection.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.room().extend_from_slice(bytes);
    }

    /// Where to append bytes from the connection; nothing else may be done with it. A complete
    /// command's words are gone.
    pub fn room(&mut self) -> &mut Vec<u8> {
        self.forget();
        if self.start > 0 {
            self.buffer.drain(..self.start);
            for (from, to) in &mut self.words {
                *from -= self.start;
                *to -= self.start;
            }
            self.at -= self.start;
            self.begun = self.begun.saturating_sub(self.start);
            self.start = 0;
        }
        &mut self.buffer
    }

    /// How many bytes the parser holds that belong to no complete command yet.
    pub fn pending(&self) -> usize {
        self.buffer.len() - self.start
    }

    /// How many bytes are known to be missing of the present argument.
    pub fn expected(&self) -> usize {
        let length = self.length.map_or(0, |length| length.saturating_add(2));
        length.saturating_sub(self.unread().len())
    }

    /// Gives memory back while nothing is pending.
    pub fn release(&mut self) {
        if self.pending() == 0 {
            *self.room() = Vec::new();
        }
    }

    /// Goes on to the next command, whose words are then [`argv`](Self::argv), never none;
    /// `false` when more bytes are needed.
    ///
    /// # Errors
    /// The client breaks the protocol; nothing after it can be understood.
    pub fn advance(&mut self) -> Result<bool, RequestError> {
        self.forget();
        loop {
            if self.missing == 0 {
                self.begun = self.at;
                match self.unread().first() {
                    None => return Ok(false),
                    Some(b'*') => {
                        let Some(count) = self.count()? else { return Ok(false) };
                        // An empty array is no command (processMultibulkBuffer).
                        if count == 0 {
                            self.start = self.at;
                        }
                        self.missing = count;
                        continue;
                    }
                    Some(_) => {
                        if !self.inline()? {
                            return Ok(false);
                        }
                        self.start = self.at;
                        if self.inline.is_empty() {
                            continue;
                        }
                        self.complete = true;
                        return Ok(true);
                    }
                }
            }
            while self.missing > 0 {
                if !self.argument()? {
                    return Ok(false);
                }
                self.missing -= 1;
            }
            self.start = self.at;
            self.complete = true;
            return Ok(true);
        }
    }

    /// The words of the command that [`advance`](Self::advance) has found.
    pub fn argv(&self) -> impl Iterator<Item = &[u8]> {
        let (words, inline) = match self.complete {
            true => (&self.words[..], &self.inline[..]),
            false => (&[][..], &[][..]),
        };
        let words = words.iter().map(|(from, to)| self.buffer.get(*from..*to).unwrap_or_default());
        words.chain(inline.iter().map(Vec::as_slice))
    }

    /// Puts the command that [`advance`](Self::advance) has found back: it will find it again.
    pub fn step_back(&mut self) {
        if self.complete {
            self.forget();
            (self.start, self.at) = (self.begun, self.begun);
        }
    }

    /// The next command with words of its own, never empty; `None` when more bytes are needed.
    ///
    /// # Errors
    /// As for [`advance`](Self::advance).
    #[allow(clippy::should_implement_trait, reason = "feeding may go on after None")]
    pub fn next(&mut self) -> Result<Option<Vec<Vec<u8>>>, RequestError> {
        Ok(self.advance()?.then(|| self.argv().map(<[u8]>::to_vec).collect()))
    }

    /// Forgets the words of a command that is complete.
    fn forget(&mut self) {
        if self.complete {
            self.complete = false;
            self.words.clear();
            self.inline.clear();
        }
    }

    fn unread(&self) -> &[u8] {
        self.buffer.get(self.at..).unwrap_or_default()
    }

    /// Reads an inline command into `inline`; `false` when its line has not arrived.
    fn inline(&mut self) -> Result<bool, RequestError> {
        let unread = self.unread();
        let Some(end) = find(unread, b'\n') else {
            return self.unfinished(RequestError::InlineTooBig);
        };
        let line = unread.get(..end).unwrap_or_default();
        let argv = split_args(line.strip_suffix(b"\r").unwrap_or(line))
            .map_err(|_| RequestError::UnbalancedQuotes)?;
        self.inline = argv;
        self.at += end + 1;
        Ok(true)
    }

    fn count(&mut self) -> Result<Option<usize>, RequestError> {
        let Some((count, len)) = self.header(RequestError::CountTooBig)? else { return Ok(None) };
        let count =
            count.filter(|count| *count <= i64::from(i32::MAX)).ok_or(RequestError::Count)?;
        if self.stranger && count > STRANGER.0 {
            return Err(RequestError::StrangersCount);
        }
        self.at += len;
        Ok(Some(usize::try_from(count).unwrap_or(0)))
    }

    /// Reads an argument; `false` when it has not arrived.
    fn argument(&mut self) -> Result<bool, RequestError> {
        let length = match self.length {
            Some(length) => length,
            None => {
                match self.unread().first() {
                    None | Some(b'$') => {}
                    // The line must have arrived before its first byte is looked at.
                    Some(&found) => {
                        return match self.line_end() {
                            Some(_) => Err(RequestError::NotBulk(found)),
                            None => self.unfinished(RequestError::LengthTooBig),
                        };
                    }
                }
                let Some((length, len)) = self.header(RequestError::LengthTooBig)? else {
                    return Ok(false);
                };
                let length = length
                    .and_then(|length| usize::try_from(length).ok())
                    .filter(|length| *length <= self.longest)
                    .ok_or(RequestError::Length)?;
                if self.stranger && length > STRANGER.1 {
                    return Err(RequestError::StrangersLength);
                }
                self.at += len;
                length
            }
        };
        // The two bytes after the payload are skipped, whatever they are.
        if self.unread().len() < length.saturating_add(2) {
            self.length = Some(length);
            return Ok(false);
        }
        self.length = None;
        self.words.push((self.at, self.at + length));
        self.at += length + 2;
        Ok(true)
    }

    /// The number of a `*` or `$` line, if it is one, and the length of the line with its
    /// newline; `None` when it has not arrived.
    #[inline]
    fn header(&self, too_big: RequestError) -> Result<Option<(Option<i64>, usize)>, RequestError> {
        // Nearly all numbers are short and plain.
        match *self.unread() {
            [_, a @ b'0'..=b'9', b'\r', _, ..] => return Ok(Some((Some(digit(a)), 4))),
            [_, a @ b'1'..=b'9', b @ b'0'..=b'9', b'\r', _, ..] => {
                return Ok(Some((Some(digit(a) * 10 + digit(b)), 5)));
            }
            _ => {}
        }
        let Some(end) = self.line_end() else {
            return self.unfinished(too_big).map(|_| None);
        };
        // The LF is awaited but not looked at.
        if self.unread().len() < end + 2 {
            return Ok(None);
        }
        let digits = self.unread().get(1..end).unwrap_or_default();
        Ok(Some((number::parse_i64(digits), end + 2)))
    }

    fn line_end(&self) -> Option<usize> {
        find(self.unread(), b'\r')
    }

    fn unfinished(&self, too_big: RequestError) -> Result<bool, RequestError> {
        if self.unread().len() > LINE_LIMIT { Err(too_big) } else { Ok(false) }
    }
}

fn digit(byte: u8) -> i64 {
    i64::from(byte - b'0')
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
    fn strangers_may_only_log_in() {
        let mut parser = RequestParser::default();
        parser.set_limits(1 << 20, true);
        parser.feed(b"*10\r\n$16384\r\n");
        assert_eq!(parser.advance(), Ok(false));
        for (bytes, text) in
            [(&b"*11\r\n"[..], "multibulk length"), (b"*1\r\n$16385\r\n", "bulk length")]
        {
            let mut parser = RequestParser::default();
            parser.set_limits(1 << 20, true);
            parser.feed(bytes);
            let text = format!("Protocol error: unauthenticated {text}");
            assert_eq!(parser.advance().unwrap_err().to_string(), text);
            parser.set_limits(1 << 20, false);
            assert_eq!(parser.advance(), Ok(false), "known clients may");
        }
    }

    #[test]
    fn words_stay_while_more_arrives() {
        let mut parser = RequestParser::default();
        parser.feed(b"*1\r\n$4\r\nPING\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$100\r\n");
        assert_eq!(parser.advance(), Ok(true));
        assert_eq!(parser.advance(), Ok(false));
        assert_eq!(parser.expected(), 102);
        assert_eq!(parser.argv().count(), 0);
        for _ in 0..10 {
            parser.feed(b"0123456789");
            assert_eq!(parser.advance(), Ok(false));
        }
        assert_eq!(parser.expected(), 2);
        parser.feed(b"\r\nPING\r\n");
        assert_eq!(parser.advance(), Ok(true));
        assert!(parser.argv().eq([&b"SET"[..], b"k", &b"0123456789".repeat(10)]));
        assert_eq!(parser.pending(), 6);
        parser.step_back();
        parser.feed(b"");
        assert_eq!(parser.advance(), Ok(true));
        assert_eq!(parser.argv().count(), 3);
        assert_eq!(parser.advance(), Ok(true));
        assert!(parser.argv().eq([b"PING"]));
        assert_eq!(parser.pending(), 0);
    }

    #[test]
    fn a_declared_count_costs_nothing() {
        assert_eq!(all(b"*2147483647\r\n$536870912\r\n"), Ok(vec![]));
    }
}
