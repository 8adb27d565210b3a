//! Building Lua values.
//!
//! Owns [`Writer`]. It must not know what the values mean.
//!
//! The values built lie in Rust memory and not on a Lua stack: nothing collects garbage before
//! the native has returned.

use std::cell::Cell;

use lua_types::LuaValue;
use lua_types::gc::GcRef;
use lua_types::table::LuaTable;
use redlua_core::{Kind, NativeId, Scalar, StopReason, ValueWriter, Workspace};

use crate::frame::{Frame, Values, set};
use crate::reader::scalar;
use crate::{growth, interrupt, native};

/// See the reader: what C Lua allows one function to have on its stack.
const SLOTS: usize = 8000;
/// Strings of more bytes are looked at before they are made.
const LONG: usize = 4096;
/// Arrays of as many elements are looked at before they grow.
const LARGE: usize = 1 << 14;
/// A declared length allocates no more than this by itself.
const HINT: usize = 1 << 16;

/// A [`ValueWriter`] that collects the results of a call.
pub(crate) struct Writer<'a> {
    frame: &'a Frame<'a>,
    values: Values,
    failed: bool,
    /// Whether the script was seen to hold more than it may.
    starved: Cell<bool>,
    /// Why the script is to end, when something has asked.
    stop: Option<StopReason>,
}

impl<'a> Writer<'a> {
    /// A writer that goes on from `values`.
    #[inline]
    pub(crate) fn on(frame: &'a Frame<'a>, values: Values) -> Self {
        Writer { frame, values, failed: false, starved: Cell::new(false), stop: None }
    }

    /// What was built.
    pub(crate) fn into_values(self) -> Values {
        self.values
    }

    /// Why the script is to end, when what it was built for has asked.
    pub(crate) fn stop(&self) -> Option<StopReason> {
        self.stop
    }

    /// Whether the script holds more than it may, or did so when it was last looked at: what was
    /// built since is not complete.
    pub(crate) fn is_starved(&self) -> bool {
        let frame = self.frame;
        // Garbage is not collected meanwhile, so it counts for nothing here.
        let most = frame.shared.limit.get().saturating_add(frame.shared.limit.get() / 16);
        if frame.shared.used(&frame.state.borrow()) > most {
            self.starved.set(true);
        }
        self.starved.get()
    }

    /// Takes the last value away and gives the table before it.
    fn pop(&mut self) -> Option<(GcRef<LuaTable>, LuaValue)> {
        let value = self.values.pop();
        match (self.values.last(), value) {
            (Some(LuaValue::Table(table)), Some(value)) => Some((*table, value)),
            _ => {
                self.failed = true;
                None
            }
        }
    }

    /// An argument that is a table, the one behind it when it is a stand-in.
    #[inline]
    fn table_argument(&self, argument: usize) -> Option<GcRef<LuaTable>> {
        match self.frame.arguments.get(argument) {
            Some(LuaValue::Table(table)) => Some(self.frame.shared.resolve(*table)),
            _ => None,
        }
    }

    /// Puts an element into an array, unless it would have to grow beyond what there is room for:
    /// omniLua doubles it then and asks nobody.
    fn put_element(&mut self, table: &GcRef<LuaTable>, index: i64, value: LuaValue) {
        let before = usize::try_from(index).unwrap_or(0).saturating_sub(1);
        let grows = before >= LARGE && before.is_power_of_two() && before >= table.array_len();
        if grows && before.saturating_mul(size_of::<LuaValue>()) > self.allowance() {
            self.starved.set(true);
        } else {
            self.put(table, LuaValue::Int(index), value);
        }
    }

    fn put(&mut self, table: &GcRef<LuaTable>, key: LuaValue, value: LuaValue) {
        // What did not fit once would fit at the next key, which makes the table grow after all.
        if self.starved.get()
            || !growth::may_grow(&self.frame.state.borrow(), self.frame.shared, table)
        {
            self.starved.set(true);
            return;
        }
        self.failed |= set(&mut self.frame.state.borrow_mut(), table, key, value).is_err();
    }
}

impl ValueWriter for Writer<'_> {
    #[inline]
    fn nil(&mut self) {
        self.values.push(LuaValue::Nil);
    }

    #[inline]
    fn boolean(&mut self, value: bool) {
        self.values.push(LuaValue::Bool(value));
    }

    #[inline]
    fn number(&mut self, value: f64) {
        // Lua 5.1 has doubles only; an integer here would count as one in arithmetic.
        self.values.push(LuaValue::Float(value));
    }

    #[inline]
    fn string(&mut self, bytes: &[u8]) {
        if bytes.len() > LONG && bytes.len() > self.allowance() {
            self.starved.set(true);
            return self.nil();
        }
        match self.frame.state.borrow_mut().intern_str(bytes) {
            Ok(string) => self.values.push(LuaValue::Str(string)),
            Err(_) => {
                self.values.push(LuaValue::Nil);
                self.failed = true;
            }
        }
    }

    fn null_pointer(&mut self) {
        let null = self.frame.shared.fixed.get().map(|fixed| fixed.null);
        self.values.push(null.unwrap_or_default());
    }

    fn argument(&mut self, index: usize) {
        self.values.push(self.frame.arguments.get(index).copied().unwrap_or_default());
    }

    fn native(&mut self, id: NativeId) {
        let function = native::function(&mut self.frame.state.borrow_mut(), self.frame.shared, id);
        self.values.push(function);
    }

    #[inline]
    fn table(&mut self, array: usize, hash: usize) {
        let mut state = self.frame.state.borrow_mut();
        let table = if array == 0 && hash == 0 {
            Ok(state.new_table())
        } else {
            state.new_table_with_sizes(array.min(HINT) as u32, hash.min(HINT) as u32)
        };
        match table {
            Ok(table) => self.values.push(LuaValue::Table(table)),
            Err(_) => {
                self.values.push(LuaValue::Nil);
                self.failed = true;
            }
        }
    }

    #[inline]
    fn set_index(&mut self, index: i64) {
        if let Some((table, value)) = self.pop() {
            self.put_element(&table, index, value);
        }
    }

    #[inline]
    fn set_field(&mut self, name: &[u8]) {
        if let Some((table, value)) = self.pop() {
            let key = self.frame.state.borrow_mut().intern_str(name);
            match key {
                Ok(key) => self.put(&table, LuaValue::Str(key), value),
                Err(_) => self.failed = true,
            }
        }
    }

    #[inline]
    fn set_pair(&mut self) {
        let value = self.values.pop().unwrap_or_default();
        match self.pop() {
            Some((_, LuaValue::Nil)) => self.failed = true,
            Some((_, LuaValue::Float(key))) if key.is_nan() => self.failed = true,
            Some((table, key)) => self.put(&table, key, value),
            None => {}
        }
    }

    fn room(&mut self, values: usize) -> bool {
        let room =
            self.frame.below + self.frame.arguments.len() + self.values.len() + values <= SLOTS;
        self.failed |= !room;
        room
    }

    fn failed(&self) -> bool {
        self.failed || self.is_starved()
    }

    fn allowance(&self) -> usize {
        self.frame.shared.room(&self.frame.state.borrow())
    }

    fn interrupted(&mut self) -> bool {
        self.stop = interrupt::reason(self.frame.shared);
        self.stop.is_some()
    }
}

impl Workspace for Writer<'_> {
    #[inline]
    fn top(&self) -> usize {
        self.values.len()
    }

    #[inline]
    fn truncate(&mut self, top: usize) {
        self.values.truncate(top);
    }

    #[inline]
    fn scalar(&self, value: usize) -> Scalar<'_> {
        self.values.get(value).map_or(Scalar::Other(Kind::None), scalar)
    }

    #[inline]
    fn copy(&mut self, value: usize) {
        self.values.push(self.values.get(value).copied().unwrap_or_default());
    }

    fn length(&mut self, table: usize) -> usize {
        self.table_argument(table).map_or(0, |table| table.getn() as usize)
    }

    #[inline]
    fn fetch(&mut self, table: usize, index: i64) {
        let value = self.table_argument(table).map(|table| table.get_int(index));
        self.values.push(value.unwrap_or_default());
    }

    #[inline]
    fn store(&mut self, table: usize, index: i64) {
        let value = self.values.pop().unwrap_or_default();
        match self.frame.arguments.get(table) {
            // What is read-only is refused before.
            Some(LuaValue::Table(table)) if self.frame.shared.proxy(table, |_| ()).is_none() => {
                self.put_element(&table.clone(), index, value);
            }
            _ => self.failed = true,
        }
    }

    fn metafield(&mut self, argument: usize, name: &str) -> bool {
        let Some(value) = self.frame.arguments.get(argument) else { return false };
        let metatable = self.frame.state.borrow_mut().table_metatable(value);
        match metatable.map(|table| table.get_str_bytes(name.as_bytes())) {
            None | Some(LuaValue::Nil) => false,
            Some(field) => {
                self.values.push(field);
                true
            }
        }
    }
}
