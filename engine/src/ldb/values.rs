//! Lua values as the debugger shows them.
//!
//! Owns the rules of `ldbCatStackValueRec` in `eval.c`. Must not know who asks.

use redlua_conversions::number::g;
use redlua_conversions::quoted;
use redlua_core::{Kind, ValueReader};

/// Tables are shown this deep (`LDB_MAX_VALUES_DEPTH`).
const DEPTH: usize = 10;

/// Appends the text of the value under the cursor, or the beginning of it once `out` is longer
/// than `enough` bytes: a table that holds itself several times has a text without end.
pub(super) fn append(value: &mut dyn ValueReader, enough: usize, out: &mut Vec<u8>) {
    Printer { enough, out }.value(value, 0);
}

struct Printer<'a> {
    enough: usize,
    out: &'a mut Vec<u8>,
}

impl Printer<'_> {
    fn value(&mut self, value: &mut dyn ValueReader, level: usize) {
        if level == DEPTH {
            return self.text("<max recursion level reached! Nested table?>");
        }
        match value.kind() {
            Kind::String => self.out.extend(quoted(value.bytes())),
            Kind::Boolean => self.text(if value.boolean() { "true" } else { "false" }),
            Kind::Number => self.text(g(value.number(), 6).as_str()),
            Kind::None | Kind::Nil => self.text("nil"),
            Kind::Table => self.table(value, level),
            Kind::Function => self.object("function", value.address()),
            Kind::UserData => self.object("userdata", value.address()),
            Kind::Thread => self.object("thread", value.address()),
            Kind::LightUserData => self.object("light-userdata", value.address()),
        }
    }

    /// With its keys, unless they are 1, 2, 3 and so on in the order of traversal.
    fn table(&mut self, table: &mut dyn ValueReader, level: usize) {
        if !table.room(4) {
            return self.text("{}");
        }
        let list = is_list(table);
        let mut first = true;
        self.text("{");
        table.iterate();
        while table.next() {
            if self.out.len() > self.enough {
                return table.stop();
            }
            if !std::mem::take(&mut first) {
                self.text("; ");
            }
            if !list {
                self.text("[");
                table.key();
                self.value(table, level + 1);
                table.leave();
                self.text("]=");
            }
            self.value(table, level + 1);
        }
        self.text("}");
    }

    /// What only its address tells apart, as `%p` writes it.
    fn object(&mut self, kind: &str, address: usize) {
        let text = match address {
            0 => format!("\"{kind}@(nil)\""),
            _ => format!("\"{kind}@{address:#x}\""),
        };
        self.text(&text);
    }

    fn text(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }
}

fn is_list(table: &mut dyn ValueReader) -> bool {
    let mut expected = 1.0;
    table.iterate();
    while table.next() {
        table.key();
        let fits = table.kind() == Kind::Number && table.number() == expected;
        table.leave();
        if !fits {
            table.stop();
            return false;
        }
        expected += 1.0;
    }
    true
}
