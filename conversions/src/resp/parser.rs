//! RESP bytes to reply events.
//!
//! Owns the translation of each token into its event. The grammar is `frame`'s; what is done with
//! the events is the sink's.

use redlua_core::{ReplySink, Seq};

use super::frame::{Framer, RespError, Token, token};

/// How much of a reply was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// All of it; it has this many bytes and the sink has received it.
    Complete(usize),
    /// Only the beginning; the sink has received nothing.
    Incomplete,
}

/// Pushes the reply at the beginning of `bytes` into `sink`, once it is there completely.
///
/// Who receives long replies in pieces keeps a [`Framer`] and calls [`emit`] at the end.
///
/// ```
/// use redlua_conversions::resp::{Parsed, parse};
/// use redlua_conversions::{Reply, ReplyBuilder};
///
/// let mut sink = ReplyBuilder::default();
/// assert_eq!(parse(b"*1\r\n$2\r\nh", &mut sink), Ok(Parsed::Incomplete));
/// assert_eq!(parse(b"*1\r\n$2\r\nhi\r\n:1", &mut sink), Ok(Parsed::Complete(12)));
/// assert_eq!(sink.finish(), Some(Reply::array([Reply::bulk("hi")])));
/// ```
///
/// # Errors
/// The bytes are not RESP.
pub fn parse(bytes: &[u8], sink: &mut dyn ReplySink) -> Result<Parsed, RespError> {
    match Framer::default().advance(bytes)? {
        None => Ok(Parsed::Incomplete),
        Some(len) => {
            emit(bytes.get(..len).unwrap_or(bytes), sink)?;
            Ok(Parsed::Complete(len))
        }
    }
}

/// Pushes complete replies into `sink`. Bytes that break off in the middle of a value end the
/// events there.
///
/// # Errors
/// The bytes are not RESP.
pub fn emit(bytes: &[u8], sink: &mut dyn ReplySink) -> Result<(), RespError> {
    let mut at = 0;
    while let Some((token, next)) = token(bytes, at)? {
        match token {
            Token::Null => sink.null(),
            Token::NullArray => sink.null_array(),
            Token::Integer(value) => sink.integer(value),
            Token::Bulk(bytes) => sink.bulk(bytes),
            Token::Status(text) => sink.status(text),
            Token::Error(text) => sink.error(text),
            Token::Array(len) => sink.seq(Seq::Array, len),
            Token::Set(len) => sink.seq(Seq::Set, len),
            Token::Push(len) => sink.seq(Seq::Push, len),
            Token::Map(pairs) => sink.map(pairs),
            Token::Attribute(pairs) => sink.attribute(pairs),
            Token::Double(value, text) => sink.double_text(value, text),
            Token::Boolean(value) => sink.boolean(value),
            Token::BigNumber(digits) => sink.big_number(digits),
            Token::Verbatim(format, text) => sink.verbatim(format, text),
        }
        at = next;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use redlua_core::Protocol;

    use super::*;
    use crate::resp::{MAX_DEPTH, RespWriter};

    fn echoed(bytes: &[u8]) -> Result<(Parsed, Vec<u8>), RespError> {
        let mut sink = RespWriter::new(Protocol::Resp3);
        let parsed = parse(bytes, &mut sink)?;
        Ok((parsed, sink.into_bytes()))
    }

    #[test]
    fn every_value_survives() {
        let resp: &[u8] = b"*15\r\n_\r\n:-5\r\n$3\r\na\r\n\r\n$0\r\n\r\n+OK\r\n-ERR x\r\n*0\r\n\
            ~1\r\n#t\r\n>1\r\n#f\r\n%1\r\n:1\r\n*1\r\n,1e300\r\n,-inf\r\n,nan\r\n(123\r\n\
            =5\r\ntxt:x\r\n|1\r\n+k\r\n+v\r\n:1\r\n";
        assert_eq!(echoed(resp), Ok((Parsed::Complete(resp.len()), resp.to_vec())));
        for cut in 0..resp.len() {
            assert_eq!(echoed(&resp[..cut]), Ok((Parsed::Incomplete, vec![])), "cut at {cut}");
        }
    }

    #[test]
    fn malformed_is_not_incomplete() {
        for bytes in [
            &b"?1\r\n"[..],
            b"\0",
            b":\r\n",
            b":1x\r\n",
            b"$-2\r\n",
            b"*-3\r\n",
            b"%-1\r\n",
            b"*99999999999\r\n",
            b"$1\r\nabc",
            b"#x\r\n",
            b",x\r\n",
            b",infinity\r\n",
            b"=2\r\nab\r\n",
            b"_x\r\n",
            b"*1\r\n*1\r\n:\r\n",
            b"$?\r\n",
        ] {
            assert!(echoed(bytes).is_err(), "{:?}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn declared_lengths_cost_nothing() {
        assert_eq!(echoed(b"*4000000000\r\n"), Ok((Parsed::Incomplete, vec![])));
        assert_eq!(echoed(b"%4000000000\r\n:1\r\n"), Ok((Parsed::Incomplete, vec![])));
    }

    #[test]
    fn depth_is_limited() {
        let deep = b"*1\r\n".repeat(MAX_DEPTH + 1);
        assert_eq!(echoed(&deep).unwrap_err().what, "nested too deeply");
        let mut allowed = b"*1\r\n".repeat(MAX_DEPTH - 2);
        allowed.extend_from_slice(b":1\r\n");
        assert_eq!(echoed(&allowed), Ok((Parsed::Complete(allowed.len()), allowed)));
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = echoed(&bytes);
        }

        #[test]
        fn resp_like_bytes_never_panic(text in "[:$*~%|,#(=!+_-]{0,3}(-?[0-9]{0,3}\r\n[a-z:]{0,4}(\r\n)?[:$*%]?){0,6}") {
            let _ = echoed(text.as_bytes());
        }
    }
}
