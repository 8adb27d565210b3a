//! The cursor on a tree: `ValueReader` and `Arguments`.
//!
//! Owns the cursor's stack. Must not know what is read.

use redlua_core::{Arguments, Kind, Location, Scalar, ScriptId, ValueReader};

use super::{Table, Value};
use crate::check::STACK;

/// Reads values of a tree; the values are a native's arguments.
///
/// ```
/// use redlua_conversions::tree::{Reader, Value};
/// use redlua_core::{Kind, ValueReader};
///
/// let values = [Value::list([Value::from("x")])];
/// let mut reader = Reader::new(&values);
/// assert_eq!(reader.kind(), Kind::Table);
/// assert_eq!(reader.enter_index(1), Kind::String);
/// assert_eq!(reader.bytes(), b"x");
/// reader.leave();
/// ```
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    arguments: &'a [Value],
    stack: Vec<Place<'a>>,
    /// How many slots a C engine's stack would have in use.
    slots: usize,
}

/// Where the cursor stands or stood.
#[derive(Clone, Copy, Debug)]
enum Place<'a> {
    /// On a value; `None` is nil or no value.
    Value(Option<&'a Value>, Kind),
    /// On the value of a pair of `table`, or before the first one.
    Walk { table: &'a Table, next: usize },
}

impl<'a> Reader<'a> {
    /// A reader on `arguments`, its cursor on the first one.
    pub fn new(arguments: &'a [Value]) -> Self {
        let mut reader = Reader { arguments, stack: Vec::new(), slots: 0 };
        reader.select(0);
        reader
    }

    fn value(&self) -> Option<&'a Value> {
        match self.stack.last()? {
            Place::Value(value, _) => *value,
            Place::Walk { table, next } => table.pair(next.checked_sub(1)?).map(|pair| &pair.1),
        }
    }

    fn table(&self) -> Option<&'a Table> {
        match self.value() {
            Some(Value::Table(table)) => Some(table),
            _ => None,
        }
    }

    fn enter(&mut self, value: Option<&'a Value>) -> Kind {
        let kind = value.map_or(Kind::Nil, Value::kind);
        self.stack.push(Place::Value(value, kind));
        self.slots += 1;
        kind
    }
}

impl ValueReader for Reader<'_> {
    fn kind(&self) -> Kind {
        match (self.stack.last(), self.value()) {
            (Some(Place::Value(None, kind)), _) => *kind,
            (_, value) => value.map_or(Kind::Nil, Value::kind),
        }
    }

    fn boolean(&self) -> bool {
        matches!(self.value(), Some(Value::Boolean(true)))
    }

    fn number(&self) -> f64 {
        match self.value() {
            Some(Value::Number(number)) => *number,
            _ => 0.0,
        }
    }

    fn bytes(&self) -> &[u8] {
        match self.value() {
            Some(Value::String(bytes)) => bytes,
            _ => b"",
        }
    }

    fn address(&self) -> usize {
        match self.value() {
            Some(Value::Table(table)) => std::ptr::from_ref(table) as usize,
            Some(value @ (Value::Native(_) | Value::Opaque(_))) => {
                std::ptr::from_ref(value) as usize
            }
            _ => 0,
        }
    }

    fn len(&self) -> usize {
        self.table().map_or(0, Table::len)
    }

    fn room(&mut self, levels: usize) -> bool {
        self.slots + levels <= STACK
    }

    fn enter_index(&mut self, index: i64) -> Kind {
        let value = self.table().and_then(|table| table.at(index));
        self.enter(value)
    }

    fn enter_field(&mut self, name: &[u8]) -> Kind {
        let value = self.table().and_then(|table| table.field(name));
        self.enter(value)
    }

    fn leave(&mut self) {
        if matches!(self.stack.last(), Some(Place::Value(..))) && self.stack.len() > 1 {
            self.stack.pop();
            self.slots -= 1;
        }
    }

    fn iterate(&mut self) {
        static EMPTY: Table = Table { pairs: Vec::new(), sequence: 0 };
        let table = self.table().unwrap_or(&EMPTY);
        self.stack.push(Place::Walk { table, next: 0 });
        self.slots += 2;
    }

    fn next(&mut self) -> bool {
        let Some(Place::Walk { table, next }) = self.stack.last_mut() else { return false };
        if table.pair(*next).is_some() {
            *next += 1;
            return true;
        }
        self.stop();
        false
    }

    fn key(&mut self) {
        let key = match self.stack.last() {
            Some(Place::Walk { table, next }) => {
                next.checked_sub(1).and_then(|at| table.pair(at)).map(|pair| &pair.0)
            }
            _ => None,
        };
        self.enter(key);
    }

    fn pair(&self) -> (Scalar<'_>, Scalar<'_>) {
        let pair = match self.stack.last() {
            Some(Place::Walk { table, next }) => next.checked_sub(1).and_then(|at| table.pair(at)),
            _ => None,
        };
        (pair.map_or(Scalar::Other(Kind::None), |pair| pair.0.scalar()), self.look())
    }

    fn stop(&mut self) {
        if matches!(self.stack.last(), Some(Place::Walk { .. })) {
            self.stack.pop();
            self.slots -= 2;
        }
    }
}

impl Arguments for Reader<'_> {
    fn count(&self) -> usize {
        self.arguments.len()
    }

    fn select(&mut self, index: usize) {
        let value = self.arguments.get(index);
        self.stack.clear();
        self.stack.push(Place::Value(value, value.map_or(Kind::None, Value::kind)));
        self.slots = self.arguments.len();
    }

    fn scalar(&self, index: usize) -> Scalar<'_> {
        self.arguments.get(index).map_or(Scalar::Other(Kind::None), Value::scalar)
    }

    fn pin(&mut self) -> Option<ScriptId> {
        None
    }

    fn is_read_only(&self, _: usize) -> bool {
        false
    }

    fn caller(&self) -> Option<Location<'_>> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn walks_and_returns() {
        let values = [
            Value::record([("a", Value::list([Value::from(1.0)])), ("b", Value::Nil)]),
            Value::from(true),
        ];
        let mut reader = Reader::new(&values);
        reader.iterate();
        assert!(reader.next());
        assert_eq!(reader.pair(), (Scalar::String(b"a"), Scalar::Other(Kind::Table)));
        reader.key();
        assert_eq!(reader.bytes(), b"a");
        reader.leave();
        assert_eq!((reader.kind(), reader.len()), (Kind::Table, 1));
        assert_eq!(reader.enter_index(2), Kind::Nil);
        reader.leave();
        assert!(!reader.is_empty());
        assert!(!reader.next());
        assert_eq!(reader.enter_field(b"a"), Kind::Table);
        reader.select(1);
        assert!(reader.boolean());
        reader.select(2);
        assert_eq!(reader.kind(), Kind::None);
    }
}
