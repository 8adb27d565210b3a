//! Lua values as an owned tree: a stand-in for a Lua state in tests, examples and tools.
//!
//! Owns [`Value`] and [`Table`]; [`Reader`] and [`Writer`] put the contracts of `redlua-core` on
//! them. Must not know any library or reply rule. Tables keep the order in which their pairs were
//! set (a real engine has its own), and since they are owned they cannot be cyclic.

mod reader;
mod writer;

use redlua_core::{Kind, Scalar};

pub use reader::Reader;
pub use writer::Writer;

/// A Lua value.
///
/// ```
/// use redlua_conversions::tree::Value;
///
/// let list = Value::list([Value::from(1.0), Value::from("two")]);
/// let Value::Table(table) = &list else { unreachable!() };
/// assert_eq!(table.at(2), Some(&Value::from("two")));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `nil`.
    Nil,
    /// `true` or `false`.
    Boolean(bool),
    /// A number.
    Number(f64),
    /// A byte string.
    String(Vec<u8>),
    /// A table.
    Table(Table),
    /// The light userdata whose pointer is null (`cjson.null`).
    NullPointer,
    /// A function of the host, by its number.
    Native(u32),
    /// A value of another type, of which nothing is known but that type.
    Opaque(Kind),
}

impl Value {
    /// A table with the elements `1, 2, …`.
    pub fn list(elements: impl IntoIterator<Item = Value>) -> Self {
        let mut table = Table::default();
        for (index, element) in elements.into_iter().enumerate() {
            table.set(Value::Number((index + 1) as f64), element);
        }
        Value::Table(table)
    }

    /// A table with string keys.
    pub fn record<'a>(fields: impl IntoIterator<Item = (&'a str, Value)>) -> Self {
        let mut table = Table::default();
        for (name, value) in fields {
            table.set(Value::from(name), value);
        }
        Value::Table(table)
    }

    /// The type of the value.
    pub fn kind(&self) -> Kind {
        match self {
            Value::Nil => Kind::Nil,
            Value::Boolean(_) => Kind::Boolean,
            Value::Number(_) => Kind::Number,
            Value::String(_) => Kind::String,
            Value::Table(_) => Kind::Table,
            Value::NullPointer => Kind::LightUserData,
            Value::Native(_) => Kind::Function,
            Value::Opaque(kind) => *kind,
        }
    }

    /// A look at the value.
    pub fn scalar(&self) -> Scalar<'_> {
        match self {
            Value::Number(number) => Scalar::Number(*number),
            Value::String(bytes) => Scalar::String(bytes),
            Value::Boolean(boolean) => Scalar::Boolean(*boolean),
            other => Scalar::Other(other.kind()),
        }
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Value::Number(number)
    }
}

impl From<bool> for Value {
    fn from(boolean: bool) -> Self {
        Value::Boolean(boolean)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::String(text.as_bytes().to_vec())
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Value::String(bytes.to_vec())
    }
}

/// A Lua table: pairs in the order in which they were set, those of the sequence `1, 2, …`
/// before all others.
#[derive(Clone, Debug, Default)]
pub struct Table {
    pairs: Vec<(Value, Value)>,
    /// How many pairs at the beginning have the keys `1, 2, …`.
    sequence: usize,
}

impl Table {
    /// `table[key] = value`; a nil value takes the pair away. Returns `false`, changing nothing,
    /// when the key is nil or NaN.
    pub fn set(&mut self, key: Value, value: Value) -> bool {
        match key {
            Value::Nil => return false,
            Value::Number(number) if number.is_nan() => return false,
            _ => {}
        }
        match (self.position(&key), value == Value::Nil) {
            (Some(position), true) => {
                self.pairs.remove(position);
                self.sequence = self.sequence.min(position);
            }
            (Some(position), false) => {
                if let Some(pair) = self.pairs.get_mut(position) {
                    pair.1 = value;
                }
            }
            (None, true) => {}
            (None, false) if key == self.successor() => self.extend(key, value),
            (None, false) => self.pairs.push((key, value)),
        }
        true
    }

    /// `table[key]`; `None` for nil.
    pub fn get(&self, key: &Value) -> Option<&Value> {
        let position = self.position(key)?;
        self.pairs.get(position).map(|pair| &pair.1)
    }

    /// `table[index]`.
    pub fn at(&self, index: i64) -> Option<&Value> {
        self.get(&Value::Number(index as f64))
    }

    /// `table[name]`.
    pub fn field(&self, name: &[u8]) -> Option<&Value> {
        let same = |key: &Value| matches!(key, Value::String(bytes) if bytes == name);
        self.pairs.iter().skip(self.sequence).find(|pair| same(&pair.0)).map(|pair| &pair.1)
    }

    /// The length of the sequence `1, 2, …`.
    pub fn len(&self) -> usize {
        self.sequence
    }

    /// Whether there is no pair at all.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// All pairs.
    pub fn pairs(&self) -> impl ExactSizeIterator<Item = (&Value, &Value)> {
        self.pairs.iter().map(|pair| (&pair.0, &pair.1))
    }

    fn pair(&self, position: usize) -> Option<&(Value, Value)> {
        self.pairs.get(position)
    }

    /// The key that would make the sequence longer.
    fn successor(&self) -> Value {
        Value::Number((self.sequence + 1) as f64)
    }

    /// Makes the sequence longer, by keys that were set before their turn as well.
    fn extend(&mut self, key: Value, value: Value) {
        self.pairs.insert(self.sequence, (key, value));
        self.sequence += 1;
        while self.sequence < self.pairs.len() {
            let next = self.successor();
            let rest = self.pairs.iter().skip(self.sequence);
            let Some(distance) = rest.map(|pair| &pair.0).position(|key| *key == next) else {
                return;
            };
            let pair = self.pairs.remove(self.sequence + distance);
            self.pairs.insert(self.sequence, pair);
            self.sequence += 1;
        }
    }

    fn position(&self, key: &Value) -> Option<usize> {
        if let Value::Number(number) = key {
            let index = *number as usize;
            if index as f64 == *number && (1..=self.sequence).contains(&index) {
                return Some(index - 1);
            }
        }
        // A table is a key of its own: it equals no other one.
        if let Value::Table(_) = key {
            return None;
        }
        let rest = self.pairs.iter().skip(self.sequence);
        rest.map(|pair| &pair.0).position(|other| other == key).map(|at| at + self.sequence)
    }
}

impl PartialEq for Table {
    /// Whether both have the same pairs, in whatever order.
    fn eq(&self, other: &Self) -> bool {
        let same = |(key, value): &(Value, Value)| match key {
            Value::Table(_) => other.pairs.iter().any(|pair| pair.0 == *key && pair.1 == *value),
            _ => other.get(key) == Some(value),
        };
        self.pairs.len() == other.pairs.len() && self.pairs.iter().all(same)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_grow_and_shrink() {
        let mut table = Table::default();
        for index in [3.0, 1.0, 2.0, 5.0] {
            assert!(table.set(Value::Number(index), Value::Boolean(true)));
        }
        assert_eq!(table.len(), 3);
        table.set(Value::Number(4.0), Value::Nil);
        table.set(Value::Number(2.0), Value::Nil);
        assert_eq!(table.len(), 1);
        assert_eq!(table.pairs().count(), 3);
        assert!(!table.set(Value::Nil, Value::Nil));
        assert!(!table.set(Value::Number(f64::NAN), Value::Nil));
    }

    #[test]
    fn order_does_not_matter_for_equality() {
        let one = Value::record([("a", Value::from(1.0)), ("b", Value::list([]))]);
        let two = Value::record([("b", Value::list([])), ("a", Value::from(1.0))]);
        assert_eq!(one, two);
        assert_ne!(one, Value::record([("a", Value::from(1.0))]));
    }
}
