//! The commands of the one who debugs, out of the bytes that come.
//!
//! Owns the parser that `ldbReplParseCommand` in `eval.c` is, forgiving in its own ways: whatever
//! precedes the first asterisk does not count, nor what follows a whole command in the same
//! bytes. Must not know commands.

use super::{Debugger, atoi, c_str};

/// More words, or longer ones, are no command.
const MOST: i32 = 1024;
/// More bytes without a whole command end the session.
const BUFFER: usize = 1024 * 1024;

/// Why there is no command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deaf {
    /// The one who debugs is gone.
    Closed,
    /// What came is no command: the error to raise in the script.
    Error(&'static [u8]),
}

impl Debugger<'_> {
    /// Waits for the next command.
    pub(super) fn listen(&mut self) -> Result<Vec<Vec<u8>>, Deaf> {
        loop {
            if let Some(words) = parse(&self.received).map_err(Deaf::Error)? {
                self.received.clear();
                return Ok(words);
            }
            let mut piece = [0; 1024];
            let count = match self.console.read(&mut piece) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Ok(count) if count > 0 => count,
                _ => return Err(Deaf::Closed),
            };
            self.received.extend_from_slice(piece.get(..count).unwrap_or_default());
            if self.received.len() > BUFFER {
                self.received.clear();
                return Err(Deaf::Error(b"max client buffer reached"));
            }
        }
    }
}

/// The first command in `bytes`; `None` when it is not there completely.
///
/// # Errors
/// There is something else.
fn parse(bytes: &[u8]) -> Result<Option<Vec<Vec<u8>>>, &'static [u8]> {
    const WRONG: &[u8] = b"protocol error";
    if bytes.is_empty() {
        return Ok(None);
    }
    let start = c_str(bytes).iter().position(|&byte| byte == b'*').ok_or(WRONG)?;
    let mut rest = bytes.get(start + 1..).unwrap_or_default();
    let Some(count) = number(&mut rest, WRONG)? else { return Ok(None) };
    let mut words = Vec::new();
    while words.len() < count {
        match rest.split_first() {
            None | Some((0, _)) => return Ok(None),
            Some((b'$', after)) => rest = after,
            Some(_) => return Err(WRONG),
        }
        let Some(len) = number(&mut rest, WRONG)? else { return Ok(None) };
        let Some((word, after)) = rest.split_at_checked(len) else { return Ok(None) };
        if after.len() < 2 {
            return Ok(None);
        }
        rest = after.strip_prefix(b"\r\n").ok_or(WRONG)?;
        words.push(word.to_vec());
    }
    Ok(Some(words))
}

/// Takes a number and its line end; `None` when the line end is not there.
fn number(rest: &mut &[u8], wrong: &'static [u8]) -> Result<Option<usize>, &'static [u8]> {
    let line = c_str(rest);
    let Some(end) = line.windows(2).position(|pair| pair == b"\r\n") else { return Ok(None) };
    let value = atoi(line.get(..end).unwrap_or_default());
    *rest = rest.get(end + 2..).unwrap_or_default();
    match usize::try_from(value) {
        Ok(value) if (1..=MOST as usize).contains(&value) => Ok(Some(value)),
        _ => Err(wrong),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands() {
        let words = |words: &[&str]| {
            Ok(Some(words.iter().map(|word| word.as_bytes().to_vec()).collect::<Vec<_>>()))
        };
        assert_eq!(parse(b"*1\r\n$1\r\ns\r\n"), words(&["s"]));
        assert_eq!(parse(b"x\r\n*1x\r\n$1y\r\ns\r\n*rest"), words(&["s"]));
        assert_eq!(parse(b"*2\r\n$1\r\np\r\n$3\r\na\r\n\r\n"), words(&["p", "a\r\n"]));
        for partial in ["", "*", "*1", "*1\r\n", "*1\r\n$", "*1\r\n$1\r\n", "*1\r\n$1\r\ns\r"] {
            assert_eq!(parse(partial.as_bytes()), Ok(None), "{partial:?}");
        }
        let long = format!("*1\r\n${}\r\n", MOST + 1);
        for wrong in [
            "s\r\n",
            "\0*1\r\n",
            "*0\r\n",
            "*-1\r\n",
            "*1025\r\n",
            "*1\r\nx",
            &long,
            "*1\r\n$0\r\n\r\n",
            "*1\r\n$1\r\nsxx",
            "*\r\n",
        ] {
            assert!(parse(wrong.as_bytes()).is_err(), "{wrong:?}");
        }
    }
}
