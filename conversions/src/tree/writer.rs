//! The builder of trees: `ValueWriter`.
//!
//! Owns the list of values under construction. Must not know what is written.

use redlua_core::{Kind, NativeId, Scalar, ValueWriter, Workspace};

use super::{Table, Value};
use crate::check::STACK;

/// Builds values of a tree.
///
/// ```
/// use redlua_conversions::tree::{Value, Writer};
/// use redlua_core::ValueWriter;
///
/// let mut writer = Writer::default();
/// writer.table(0, 0);
/// writer.number(10.0);
/// writer.set_index(1);
/// assert_eq!(writer.into_values(), [Value::list([Value::from(10.0)])]);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Writer {
    arguments: Vec<Value>,
    values: Vec<Value>,
    failed: bool,
}

impl Writer {
    /// A writer that can append these arguments of its native.
    pub fn with_arguments(arguments: impl Into<Vec<Value>>) -> Self {
        Writer { arguments: arguments.into(), ..Writer::default() }
    }

    /// What was built.
    pub fn into_values(self) -> Vec<Value> {
        self.values
    }

    /// The arguments, as the native has left them.
    pub fn arguments(&self) -> &[Value] {
        &self.arguments
    }

    /// What was built so far.
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    fn push(&mut self, value: Value) {
        self.values.push(value);
    }

    fn set(&mut self, key: Option<Value>, value: Option<Value>) {
        let set = match (self.values.last_mut(), key, value) {
            (Some(Value::Table(table)), Some(key), Some(value)) => table.set(key, value),
            _ => false,
        };
        self.failed |= !set;
    }
}

impl ValueWriter for Writer {
    fn nil(&mut self) {
        self.push(Value::Nil);
    }

    fn boolean(&mut self, value: bool) {
        self.push(Value::Boolean(value));
    }

    fn number(&mut self, value: f64) {
        self.push(Value::Number(value));
    }

    fn string(&mut self, bytes: &[u8]) {
        self.push(Value::String(bytes.to_vec()));
    }

    fn null_pointer(&mut self) {
        self.push(Value::NullPointer);
    }

    fn argument(&mut self, index: usize) {
        let value = self.arguments.get(index).cloned().unwrap_or(Value::Nil);
        self.push(value);
    }

    fn native(&mut self, id: NativeId) {
        self.push(Value::Native(id));
    }

    fn table(&mut self, _array: usize, _hash: usize) {
        self.push(Value::Table(Table::default()));
    }

    fn set_index(&mut self, index: i64) {
        let value = self.values.pop();
        self.set(Some(Value::Number(index as f64)), value);
    }

    fn set_field(&mut self, name: &[u8]) {
        let value = self.values.pop();
        self.set(Some(Value::from(name)), value);
    }

    fn set_pair(&mut self) {
        let value = self.values.pop();
        let key = self.values.pop();
        self.set(key, value);
    }

    fn room(&mut self, values: usize) -> bool {
        self.values.len() + values <= STACK
    }

    fn failed(&self) -> bool {
        self.failed
    }
}

/// Tables are values here, not references: what [`copy`](Workspace::copy) and
/// [`fetch`](Workspace::fetch) append is a table of its own.
impl Workspace for Writer {
    fn top(&self) -> usize {
        self.values.len()
    }

    fn truncate(&mut self, top: usize) {
        self.values.truncate(top);
    }

    fn scalar(&self, value: usize) -> Scalar<'_> {
        self.values.get(value).map_or(Scalar::Other(Kind::Nil), Value::scalar)
    }

    fn copy(&mut self, value: usize) {
        let value = self.values.get(value).cloned().unwrap_or(Value::Nil);
        self.push(value);
    }

    fn length(&mut self, table: usize) -> usize {
        match self.arguments.get(table) {
            Some(Value::Table(table)) => table.len(),
            _ => 0,
        }
    }

    fn fetch(&mut self, table: usize, index: i64) {
        let value = match self.arguments.get(table) {
            Some(Value::Table(table)) => table.at(index).cloned(),
            _ => None,
        };
        self.push(value.unwrap_or(Value::Nil));
    }

    fn look_up(&mut self, table: usize) -> bool {
        let key = self.values.pop().unwrap_or(Value::Nil);
        let value = match self.arguments.get(table) {
            Some(Value::Table(table)) => table.get(&key).cloned(),
            _ => None,
        };
        self.push(value.unwrap_or(Value::Nil));
        true
    }

    fn store(&mut self, table: usize, index: i64) {
        let value = self.values.pop();
        let set = match (self.arguments.get_mut(table), value) {
            (Some(Value::Table(table)), Some(value)) => {
                table.set(Value::Number(index as f64), value)
            }
            _ => false,
        };
        self.failed |= !set;
    }

    fn metafield(&mut self, _argument: usize, _name: &str) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_stick() {
        let mut writer = Writer::default();
        writer.set_pair();
        assert!(writer.failed());

        let mut writer = Writer::default();
        writer.table(0, 0);
        writer.nil();
        writer.number(1.0);
        writer.set_pair();
        assert!(writer.failed());
        assert_eq!(writer.into_values(), [Value::list([])]);
    }
}
