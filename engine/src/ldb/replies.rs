//! Replies as the debugger shows them.
//!
//! Owns the rules of the `ldbRedisProtocolToHuman` functions in `eval.c`. Must not know commands.

use redlua_conversions::quoted;
use redlua_conversions::resp::emit;
use redlua_core::{Protocol, ReplySink, Seq};

/// Appends the text of a complete reply.
pub(super) fn append(resp: &[u8], protocol: Protocol, out: &mut Vec<u8>) {
    let mut human = Human { out, protocol, open: Vec::new(), stuck: false, skip: 0 };
    // What a host pushes was made RESP by our own writer.
    let _ = emit(resp, &mut human);
}

struct Human<'a> {
    out: &'a mut Vec<u8>,
    protocol: Protocol,
    /// Containers begun and not complete, innermost last.
    open: Vec<Open>,
    /// Whether something was met that the debugger of 7.0 cannot read: nothing after it is shown
    /// but the separators.
    stuck: bool,
    /// Values to be passed over.
    skip: usize,
}

struct Open {
    end: &'static str,
    map: bool,
    left: usize,
    came: usize,
}

impl Human<'_> {
    /// Whether the value at hand is shown; what separates it from the last one is.
    fn begins(&mut self, children: usize) -> bool {
        if self.skip > 0 {
            self.skip += children;
            self.skip -= 1;
            return false;
        }
        if let Some(open) = self.open.last_mut() {
            let separator = match (open.came, open.map) {
                (0, _) => "",
                (came, true) if came % 2 == 1 => " => ",
                _ => ",",
            };
            self.out.extend_from_slice(separator.as_bytes());
            open.came += 1;
            open.left -= 1;
        }
        if self.stuck {
            self.skip = children;
            self.close();
        }
        !self.stuck
    }

    /// Ends the containers that are complete.
    fn close(&mut self) {
        while let Some(open) = self.open.pop_if(|open| open.left == 0) {
            self.out.extend_from_slice(open.end.as_bytes());
        }
    }

    fn scalar(&mut self, text: &[u8]) {
        if self.begins(0) {
            self.out.extend_from_slice(text);
            self.close();
        }
    }

    fn container(&mut self, begin: &str, end: &'static str, left: usize, map: bool) {
        if self.begins(left) {
            self.out.extend_from_slice(begin.as_bytes());
            self.open.push(Open { end, map, left, came: 0 });
            self.close();
        }
    }

    fn unreadable(&mut self, children: usize) {
        if self.begins(children) {
            self.stuck = true;
            self.skip = children;
            self.close();
        }
    }
}

impl ReplySink for Human<'_> {
    fn protocol(&self) -> Protocol {
        self.protocol
    }

    fn null(&mut self) {
        self.scalar(match self.protocol {
            Protocol::Resp2 => b"NULL",
            Protocol::Resp3 => b"(null)",
        });
    }

    fn null_array(&mut self) {
        self.null();
    }

    fn integer(&mut self, value: i64) {
        self.scalar(value.to_string().as_bytes());
    }

    fn bulk(&mut self, bytes: &[u8]) {
        self.scalar(&quoted(bytes));
    }

    fn status(&mut self, text: &[u8]) {
        self.scalar(&quoted(&[b"+", text].concat()));
    }

    fn error(&mut self, text: &[u8]) {
        self.scalar(&quoted(&[b"-", text].concat()));
    }

    fn seq(&mut self, kind: Seq, len: usize) {
        match kind {
            Seq::Array => self.container("[", "]", len, false),
            Seq::Set => self.container("~(", ")", len, false),
            Seq::Push => self.unreadable(len),
        }
    }

    fn map(&mut self, pairs: usize) {
        self.container("{", "}", pairs * 2, true);
    }

    fn double(&mut self, value: f64) {
        self.double_text(value, &redlua_conversions::number::g17(value));
    }

    fn double_text(&mut self, _: f64, text: &[u8]) {
        self.scalar(&[b"(double) ", text].concat());
    }

    fn boolean(&mut self, value: bool) {
        self.scalar(if value { b"#true" } else { b"#false" });
    }

    fn big_number(&mut self, _: &[u8]) {
        self.unreadable(0);
    }

    fn verbatim(&mut self, _: [u8; 3], _: &[u8]) {
        self.unreadable(0);
    }

    fn attribute(&mut self, _: usize) {
        // No command that a script may call sends attributes.
        self.unreadable(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(resp: &str, protocol: Protocol) -> String {
        let mut out = Vec::new();
        append(resp.as_bytes(), protocol, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_kind() {
        let resp3 = |resp| shown(resp, Protocol::Resp3);
        assert_eq!(shown("*3\r\n$-1\r\n*-1\r\n*0\r\n", Protocol::Resp2), "[NULL,NULL,[]]");
        assert_eq!(resp3("*2\r\n+OK\r\n-ERR \"x\"\r\n"), r#"["+OK","-ERR \"x\""]"#);
        assert_eq!(
            resp3("%2\r\n$1\r\na\r\n~2\r\n:1\r\n_\r\n,1.50\r\n%0\r\n"),
            r#"{"a" => ~(1,(null)),(double) 1.50 => {}}"#
        );
        assert_eq!(resp3("*2\r\n#t\r\n#f\r\n"), "[#true,#false]");
    }

    #[test]
    fn what_cannot_be_read_hides_the_rest() {
        let resp3 = |resp| shown(resp, Protocol::Resp3);
        assert_eq!(resp3("(123\r\n"), "");
        assert_eq!(resp3("*3\r\n:1\r\n=5\r\ntxt:x\r\n:3\r\n"), "[1,,]");
        assert_eq!(resp3("*2\r\n*1\r\n(1\r\n*2\r\n:1\r\n*1\r\n:2\r\n"), "[[],]");
        assert_eq!(resp3("*2\r\n>2\r\n:1\r\n:2\r\n:3\r\n"), "[,]");
    }
}
