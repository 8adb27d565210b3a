//! A reply as redis-cli prints it into a pipe.
//!
//! Owns the plain form of `redis-cli --raw` (`redis-cli.c cliFormatReplyRaw`). Must not know where
//! the text goes.

use super::{Children, Reply};
use crate::number;

/// The reply as plain bytes, newline at the end included: strings as they are, one element a line,
/// a map's key and value on one line.
///
/// ```
/// use redlua_conversions::{Reply, raw};
///
/// let reply = Reply::array([Reply::bulk("a b"), Reply::Null, Reply::Integer(3)]);
/// assert_eq!(raw(&reply), b"a b\n\n3\n");
/// ```
pub fn raw(reply: &Reply) -> Vec<u8> {
    let mut out = Vec::new();
    let mut open = Vec::new();
    write(reply, &mut out, &mut open);
    while let Some(level) = open.last_mut() {
        let Some(child) = level.children.next() else {
            open.pop();
            continue;
        };
        let written = level.written;
        level.written += 1;
        if written > 0 {
            out.push(if level.map && written % 2 == 1 { b' ' } else { b'\n' });
        }
        write(child, &mut out, &mut open);
    }
    out.push(b'\n');
    out
}

/// A container being written.
struct Level<'a> {
    children: Children<'a>,
    written: usize,
    map: bool,
}

fn write<'a>(reply: &'a Reply, out: &mut Vec<u8>, open: &mut Vec<Level<'a>>) {
    match reply {
        Reply::Null | Reply::NullArray => {}
        Reply::Integer(value) => out.extend_from_slice(&number::Text::integer(*value)),
        // redis-cli ends an error with a newline of its own.
        Reply::Error(text) => {
            out.extend_from_slice(text);
            out.push(b'\n');
        }
        Reply::Double { text: Some(text), .. } => out.extend_from_slice(text),
        Reply::Double { value, .. } => out.extend_from_slice(&number::g17(*value)),
        Reply::Boolean(value) => {
            out.extend_from_slice(if *value { b"(true)" } else { b"(false)" });
        }
        Reply::Bulk(bytes) | Reply::Status(bytes) | Reply::BigNumber(bytes) => {
            out.extend_from_slice(bytes);
        }
        Reply::Verbatim { text, .. } => out.extend_from_slice(text),
        Reply::Array(_) | Reply::Set(_) | Reply::Push(_) | Reply::Map(_) => {
            if let Some(children) = Children::of(reply) {
                open.push(Level { children, written: 0, map: matches!(reply, Reply::Map(_)) });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_forms() {
        let nested = Reply::array([
            Reply::map([
                (Reply::bulk("k"), Reply::array([Reply::Integer(1), Reply::Integer(2)])),
                (Reply::bulk("l"), Reply::Boolean(true)),
            ]),
            Reply::double(0.5),
            Reply::error("ERR x"),
            Reply::array([]),
        ]);
        assert_eq!(raw(&nested), b"k 1\n2\nl (true)\n0.5\nERR x\n\n\n");
        assert_eq!(raw(&Reply::Null), b"\n");
    }
}
