//! A reply as redis-cli shows it to a person.
//!
//! Owns the numbering, the indentation and the quoting of `redis-cli --no-raw`
//! (`redis-cli.c cliFormatReplyTTY`, `sds.c sdscatrepr`). Must not know where the text goes.

use super::{Children, Reply};
use crate::number;

/// The reply as redis-cli prints it on a terminal, newline at the end included.
///
/// Bytes, not a `String`: a status, an error or a verbatim string is shown as it is. Big numbers,
/// which redis-cli 7.0 cannot show, read `(big number) 123`.
///
/// ```
/// use redlua_conversions::{Reply, human};
///
/// let reply = Reply::map([
///     (Reply::bulk("a"), Reply::array([Reply::Null, Reply::error("ERR no")])),
///     (Reply::bulk("b"), Reply::Boolean(true)),
/// ]);
/// let text = "1# \"a\" => \n   1) (nil)\n   2) (error) ERR no\n2# \"b\" => (true)\n";
/// assert_eq!(human(&reply), text.as_bytes());
/// ```
pub fn human(reply: &Reply) -> Vec<u8> {
    let mut out = Vec::new();
    let mut open = Vec::new();
    show(reply, 0, &mut out, &mut open);
    while let Some(level) = open.last_mut() {
        let Some(child) = level.children.next() else {
            open.pop();
            continue;
        };
        let indent = level.indent + level.width + 2;
        level.introduce(child, indent, &mut out);
        show(child, indent, &mut out, &mut open);
    }
    out
}

/// A container being shown.
struct Level<'a> {
    children: Children<'a>,
    /// How many children have been introduced.
    shown: usize,
    map: bool,
    separator: char,
    indent: usize,
    /// How wide the widest number is.
    width: usize,
}

impl Level<'_> {
    /// Writes what stands before the next child, which is indented by `below`.
    fn introduce(&mut self, child: &Reply, below: usize, out: &mut Vec<u8>) {
        let shown = self.shown;
        self.shown += 1;
        if self.map && shown % 2 == 1 {
            // The value follows on its key's line, unless it needs several.
            out.pop();
            out.extend_from_slice(b" => ");
            if has_lines(child) {
                out.extend_from_slice(format!("\n{:below$}", "").as_bytes());
            }
            return;
        }
        let number = if self.map { shown / 2 } else { shown } + 1;
        // The first number stands behind what the parent has written.
        let indent = if shown == 0 { 0 } else { self.indent };
        let Level { width, separator, .. } = *self;
        out.extend_from_slice(format!("{:indent$}{number:width$}{separator} ", "").as_bytes());
    }
}

/// Writes a scalar or an empty container; opens any other.
fn show<'a>(reply: &'a Reply, indent: usize, out: &mut Vec<u8>, open: &mut Vec<Level<'a>>) {
    let mut line = |prefix: &str, text: &[u8]| {
        out.extend_from_slice(prefix.as_bytes());
        out.extend_from_slice(text);
        out.push(b'\n');
    };
    let (len, separator, empty) = match reply {
        Reply::Null | Reply::NullArray => return line("(nil)", b""),
        Reply::Integer(value) => return line("(integer) ", &number::Text::integer(*value)),
        Reply::Bulk(bytes) => return line("", &quoted(bytes)),
        Reply::Status(text) | Reply::Verbatim { text, .. } => return line("", text),
        Reply::Error(text) => return line("(error) ", text),
        Reply::Double { text: Some(text), .. } => return line("(double) ", text),
        Reply::Double { value, .. } => return line("(double) ", &number::g17(*value)),
        Reply::Boolean(true) => return line("(true)", b""),
        Reply::Boolean(false) => return line("(false)", b""),
        Reply::BigNumber(digits) => return line("(big number) ", digits),
        Reply::Array(items) => (items.len(), ')', "(empty array)"),
        Reply::Set(items) => (items.len(), '~', "(empty set)"),
        Reply::Push(items) => (items.len(), ')', "(empty push)"),
        Reply::Map(pairs) => (pairs.len(), '#', "(empty hash)"),
    };
    if len == 0 {
        return line(empty, b"");
    }
    if let Some(children) = Children::of(reply) {
        let map = matches!(reply, Reply::Map(_));
        let width = number::Text::integer(len as i64).len();
        open.push(Level { children, shown: 0, map, separator, indent, width });
    }
}

/// Whether a container is shown on more than one line. (A verbatim string does not count.)
fn has_lines(mut reply: &Reply) -> bool {
    loop {
        reply = match reply {
            Reply::Map(pairs) => match &pairs[..] {
                [] => return false,
                [(key, value)] if Children::of(key).is_none() => value,
                _ => return true,
            },
            other => match other.items() {
                None | Some([]) => return false,
                Some([only]) => only,
                Some(_) => return true,
            },
        };
    }
}

/// The bytes in double quotes, those that do not print escaped (`sds.c sdscatrepr`).
///
/// ```
/// use redlua_conversions::quoted;
/// assert_eq!(quoted(b"a\"\\\n\x00\xff"), br#""a\"\\\n\x00\xff""#);
/// ```
pub fn quoted(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 2);
    out.push(b'"');
    for &byte in bytes {
        match byte {
            b'\\' | b'"' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x07 => out.extend_from_slice(b"\\a"),
            0x08 => out.extend_from_slice(b"\\b"),
            b' '..=b'~' => out.push(byte),
            _ => out.extend_from_slice(format!("\\x{byte:02x}").as_bytes()),
        }
    }
    out.push(b'"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ReplyBuilder;
    use crate::resp::{parse, split_args};

    fn shown(resp: &str) -> String {
        let mut builder = ReplyBuilder::default();
        parse(resp.as_bytes(), &mut builder).unwrap();
        String::from_utf8(builder.finish().unwrap().human()).unwrap()
    }

    #[test]
    fn scalars_and_empty_containers() {
        assert_eq!(shown("$-1\r\n"), "(nil)\n");
        assert_eq!(shown("*-1\r\n"), "(nil)\n");
        assert_eq!(shown(":-3\r\n"), "(integer) -3\n");
        assert_eq!(shown("+OK\r\n"), "OK\n");
        assert_eq!(shown("-ERR x\r\n"), "(error) ERR x\n");
        assert_eq!(shown(",3.141\r\n"), "(double) 3.141\n");
        assert_eq!(shown("=6\r\ntxt:ab\r\n"), "ab\n");
        assert_eq!(shown("*0\r\n"), "(empty array)\n");
        assert_eq!(shown("%0\r\n"), "(empty hash)\n");
        assert_eq!(shown("~0\r\n"), "(empty set)\n");
    }

    #[test]
    fn nesting_is_indented_below_its_number() {
        assert_eq!(
            shown("*2\r\n*2\r\n:1\r\n*1\r\n:2\r\n*0\r\n"),
            "1) 1) (integer) 1\n   2) 1) (integer) 2\n2) (empty array)\n"
        );
        let ten = format!("*10\r\n{}*2\r\n:1\r\n:2\r\n", "+x\r\n".repeat(9));
        let text = shown(&ten);
        assert!(text.starts_with(" 1) x\n 2) x\n"), "{text}");
        assert!(text.ends_with("10) 1) (integer) 1\n    2) (integer) 2\n"), "{text}");
        assert_eq!(
            shown("%2\r\n+a\r\n%1\r\n+b\r\n~2\r\n:1\r\n:2\r\n:7\r\n#f\r\n"),
            "1# a => \n   1# b => \n      1~ (integer) 1\n      2~ (integer) 2\n\
             2# (integer) 7 => (false)\n"
        );
        assert_eq!(
            shown("%1\r\n+a\r\n%1\r\n+b\r\n~1\r\n:1\r\n"),
            "1# a => 1# b => 1~ (integer) 1\n"
        );
    }

    #[test]
    fn quoting_is_undone_by_splitting() {
        let bytes: Vec<u8> = (1..=255).collect();
        assert_eq!(split_args(&quoted(&bytes)).unwrap(), [bytes]);
    }
}
