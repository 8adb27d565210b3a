//! Whether a reply is the right one.
//!
//! Owns the comparison. Must not know how the reply was had.

use std::fmt;

use redlua_conversions::resp::{Parsed, parse};
use redlua_conversions::{Reply, ReplyBuilder};
use serde::{Deserialize, Serialize};

use crate::case::bytes_of;

/// How a case went; the worst of its steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every byte is the same.
    Identical,
    /// An error where an error belongs, worded differently; everything else is the same.
    ErrorText,
    /// Something else came.
    Different,
    /// Nothing came in time.
    Hung,
}

/// The first step that went as badly as the case as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How it went.
    pub verdict: Verdict,
    /// Which step, from 0.
    pub step: usize,
    /// The recorded reply.
    pub expected: String,
    /// What came instead.
    pub found: String,
}

impl Finding {
    /// Nothing to report.
    pub fn identical() -> Self {
        Finding {
            verdict: Verdict::Identical,
            step: 0,
            expected: String::new(),
            found: String::new(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Finding { verdict, step, expected, found } = self;
        write!(f, "step {step}: {verdict}\n  expected {expected:?}\n  found    {found:?}")
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Verdict::Identical => "identical",
            Verdict::ErrorText => "error text",
            Verdict::Different => "different",
            Verdict::Hung => "hung",
        })
    }
}

/// Compares two replies as they are kept.
pub fn judge(expected: &str, found: &str) -> Verdict {
    if expected == found {
        return Verdict::Identical;
    }
    match (worded_alike(expected), worded_alike(found)) {
        (Some(expected), Some(found)) if expected == found => Verdict::ErrorText,
        _ => Verdict::Different,
    }
}

/// The reply with every error's text made the same.
fn worded_alike(kept: &str) -> Option<Vec<u8>> {
    let bytes = bytes_of(kept)?;
    let mut builder = ReplyBuilder::default();
    match parse(&bytes, &mut builder) {
        Ok(Parsed::Complete(len)) if len == bytes.len() => {}
        _ => return None,
    }
    let mut writer = redlua_conversions::resp::RespWriter::new(redlua_core::Protocol::Resp3);
    let reply = builder.finish()?;
    let mut errors = false;
    blank(reply, &mut errors).emit(&mut writer);
    errors.then(|| writer.into_bytes())
}

/// Takes the text of the errors away, of this reply and of its direct and indirect elements.
fn blank(reply: Reply, errors: &mut bool) -> Reply {
    match reply {
        Reply::Error(_) => {
            *errors = true;
            Reply::error("")
        }
        Reply::Array(items) => Reply::array(items.into_iter().map(|item| blank(item, errors))),
        Reply::Map(pairs) => {
            Reply::map(pairs.into_iter().map(|(key, value)| (key, blank(value, errors))))
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_compared_by_kind_then_by_text() {
        assert_eq!(judge("+OK\r\n", "+OK\r\n"), Verdict::Identical);
        assert_eq!(judge("+OK\r\n", "+KO\r\n"), Verdict::Different);
        assert_eq!(judge("-ERR a\r\n", "-ERR b\r\n"), Verdict::ErrorText);
        assert_eq!(judge("-ERR a\r\n", "$1\r\na\r\n"), Verdict::Different);
        assert_eq!(judge("*2\r\n:1\r\n-a\r\n", "*2\r\n:1\r\n-b\r\n"), Verdict::ErrorText);
        assert_eq!(judge("*2\r\n:1\r\n-a\r\n", "*2\r\n:2\r\n-b\r\n"), Verdict::Different);
        assert_eq!(judge("<skipped $>", "<skipped $>"), Verdict::Identical);
        assert_eq!(judge("<skipped $>", "<skipped ->"), Verdict::Different);
    }
}
