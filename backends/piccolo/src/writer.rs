//! Values built from outside.
//!
//! Owns [`Writer`]. It must not know what the values mean.

use std::cell::Cell;

use piccolo::{Context, Table, Value};
use redlua_core::{NativeId, Scalar, ValueWriter, Workspace};
use redlua_piccolo_arena::held;

use crate::machine::M;
use crate::reader::{STACK, scalar};
use crate::{meta, native, tables};

/// Strings of more bytes are looked at before they are made.
const LONG: usize = 4096;

/// The values that a function of the host makes: its results in the end.
pub(crate) struct Writer<'gc, 'a> {
    m: M<'gc>,
    ctx: Context<'gc>,
    args: &'a [Value<'gc>],
    pub(crate) values: Vec<Value<'gc>>,
    failed: bool,
    /// Whether the script was seen to hold more than it may.
    starved: Cell<bool>,
}

impl<'gc, 'a> Writer<'gc, 'a> {
    pub(crate) fn new(m: M<'gc>, ctx: Context<'gc>, args: &'a [Value<'gc>]) -> Self {
        Writer { m, ctx, args, values: Vec::new(), failed: false, starved: Cell::new(false) }
    }

    /// A writer that goes on with what another one left.
    pub(crate) fn resume(
        m: M<'gc>,
        ctx: Context<'gc>,
        args: &'a [Value<'gc>],
        values: Vec<Value<'gc>>,
    ) -> Self {
        Writer { m, ctx, args, values, failed: false, starved: Cell::new(false) }
    }

    /// Whether the script holds more than it may, or did so when it was last looked at: what was
    /// built since is not complete.
    pub(crate) fn is_starved(&self) -> bool {
        if held(self.ctx.metrics()) > self.m.run.memory.get() {
            self.starved.set(true);
        }
        self.starved.get()
    }

    fn set(&mut self, key: Value<'gc>) {
        let value = self.values.pop().unwrap_or_default();
        let Some(Value::Table(table)) = self.values.last() else {
            self.failed = true;
            return;
        };
        self.put(*table, key, value);
    }

    fn put(&mut self, table: Table<'gc>, key: Value<'gc>, value: Value<'gc>) {
        // What did not fit once would fit at the next key, which makes the table grow after all.
        if self.starved.get() || meta::wanting(self.m, self.ctx, table.into(), key) > 0 {
            self.starved.set(true);
        } else {
            self.failed |= tables::set(self.m, self.ctx, table, key, value).is_err();
        }
    }

    fn argument_table(&self, index: usize) -> Option<Table<'gc>> {
        match self.args.get(index) {
            Some(Value::Table(table)) => Some(*table),
            _ => None,
        }
    }
}

impl ValueWriter for Writer<'_, '_> {
    fn nil(&mut self) {
        self.values.push(Value::Nil);
    }

    fn boolean(&mut self, value: bool) {
        self.values.push(Value::Boolean(value));
    }

    fn number(&mut self, value: f64) {
        self.values.push(Value::Number(value));
    }

    fn string(&mut self, bytes: &[u8]) {
        if bytes.len() > LONG && bytes.len() > self.allowance() {
            self.starved.set(true);
            return self.nil();
        }
        self.values.push(self.m.string(self.ctx, bytes));
    }

    fn null_pointer(&mut self) {
        self.values.push(self.m.null.into());
    }

    fn argument(&mut self, index: usize) {
        self.values.push(self.args.get(index).copied().unwrap_or_default());
    }

    fn native(&mut self, id: NativeId) {
        self.values.push(native::native(self.m, self.ctx, id));
    }

    fn table(&mut self, array: usize, hash: usize) {
        // A hint only: never let a declared length allocate by itself.
        let (array, hash) = (array.min(1 << 20), hash.min(1 << 20));
        self.values.push(tables::create(self.m, self.ctx, array, hash).into());
    }

    fn set_index(&mut self, index: i64) {
        self.set(Value::Number(index as f64));
    }

    fn set_field(&mut self, name: &[u8]) {
        self.set(self.m.string(self.ctx, name));
    }

    fn set_pair(&mut self) {
        let value = self.values.pop().unwrap_or_default();
        let key = self.values.pop().unwrap_or_default();
        self.values.push(value);
        self.set(key);
    }

    fn room(&mut self, values: usize) -> bool {
        let held = self.args.len() + self.values.len();
        let room = held.saturating_add(values) <= STACK;
        self.failed |= !room;
        room
    }

    fn failed(&self) -> bool {
        self.failed || self.is_starved()
    }

    fn allowance(&self) -> usize {
        meta::room(self.m, self.ctx)
    }

    fn interrupted(&mut self) -> bool {
        self.m.run.verdict().is_some()
    }
}

impl Workspace for Writer<'_, '_> {
    fn top(&self) -> usize {
        self.values.len()
    }

    fn truncate(&mut self, top: usize) {
        self.values.truncate(top);
    }

    fn scalar(&self, value: usize) -> Scalar<'_> {
        scalar(self.values.get(value).copied())
    }

    fn copy(&mut self, value: usize) {
        self.values.push(self.values.get(value).copied().unwrap_or_default());
    }

    fn length(&mut self, table: usize) -> usize {
        self.argument_table(table).map_or(0, |table| tables::length(self.m, table))
    }

    fn fetch(&mut self, table: usize, index: i64) {
        let key = Value::Number(index as f64);
        let value = self.argument_table(table).map(|table| table.get_value(key));
        self.values.push(value.unwrap_or_default());
    }

    fn store(&mut self, table: usize, index: i64) {
        let value = self.values.pop().unwrap_or_default();
        if let Some(table) = self.argument_table(table) {
            self.put(table, Value::Number(index as f64), value);
        }
    }

    fn metafield(&mut self, argument: usize, name: &str) -> bool {
        let value = self.args.get(argument).copied().unwrap_or_default();
        let name = tables::string(self.ctx, name.as_bytes());
        let field = tables::event(self.m, value, name);
        if field.is_nil() {
            return false;
        }
        self.values.push(field);
        true
    }
}
