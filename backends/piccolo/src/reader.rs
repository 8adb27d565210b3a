//! Values read from outside.
//!
//! Owns [`Reader`]. It must not know what the values mean.

use gc_arena::lock::RefLock;
use piccolo::{Context, String, Table, Value};
use redlua_core::{Arguments, Kind, Location, Scalar, ScriptId, ValueReader};
use smallvec::SmallVec;

use crate::machine::{Caller, M};
use crate::tables::{self, Place};
use crate::value::{address, kind, number};

/// How many values a C function may hold on Lua 5.1's stack (`LUAI_MAXCSTACK`).
pub(crate) const STACK: usize = 8000;

/// How many names of fields are remembered.
const NAMES: usize = 16;

/// A cursor on one of the arguments of a function, or inside it.
pub(crate) struct Reader<'gc, 'a> {
    m: M<'gc>,
    ctx: Context<'gc>,
    args: &'a [Value<'gc>],
    cursor: Option<Value<'gc>>,
    path: SmallVec<[Level<'gc>; 8]>,
    /// What Lua 5.1 would have on its stack.
    held: usize,
    caller: Option<Caller<'gc>>,
    /// Names of fields that were asked for: each would be garbage otherwise.
    names: SmallVec<[String<'gc>; 8]>,
    /// Another place to be taken for the caller's.
    place: Option<(Vec<u8>, i64)>,
}

/// Where the cursor came from.
enum Level<'gc> {
    /// From this value.
    Value(Option<Value<'gc>>),
    /// From the value of a pair, which its key has replaced.
    Key,
    /// From a table that is being walked over.
    Walk { table: Table<'gc>, place: Place<'gc>, key: Value<'gc> },
}

impl<'gc, 'a> Reader<'gc, 'a> {
    pub(crate) fn new(
        m: M<'gc>,
        ctx: Context<'gc>,
        args: &'a [Value<'gc>],
        caller: Option<Caller<'gc>>,
    ) -> Self {
        let cursor = args.first().copied();
        Reader {
            m,
            ctx,
            args,
            cursor,
            path: SmallVec::new(),
            held: args.len(),
            caller,
            names: SmallVec::new(),
            place: None,
        }
    }

    /// Counts values that Lua's host would have below the arguments.
    pub(crate) fn hold(&mut self, values: usize) {
        self.held += values;
    }

    /// Sets what [`Arguments::caller`] answers.
    pub(crate) fn place(&mut self, place: Option<(Vec<u8>, i64)>) {
        self.place = place;
    }

    fn table(&self) -> Option<Table<'gc>> {
        match self.cursor {
            Some(Value::Table(table)) => Some(table),
            _ => None,
        }
    }

    fn enter(&mut self, value: Value<'gc>) -> Kind {
        self.path.push(Level::Value(self.cursor));
        self.held += 1;
        self.cursor = Some(value);
        kind(value)
    }
}

impl ValueReader for Reader<'_, '_> {
    fn kind(&self) -> Kind {
        self.cursor.map_or(Kind::None, kind)
    }

    fn boolean(&self) -> bool {
        matches!(self.cursor, Some(Value::Boolean(true)))
    }

    fn number(&self) -> f64 {
        self.cursor.and_then(number).unwrap_or(0.0)
    }

    fn bytes(&self) -> &[u8] {
        match self.cursor {
            Some(Value::String(text)) => text.as_bytes(),
            _ => &[],
        }
    }

    fn address(&self) -> usize {
        self.cursor.map_or(0, address)
    }

    fn len(&self) -> usize {
        self.table().map_or(0, |table| tables::length(self.m, table))
    }

    fn room(&mut self, levels: usize) -> bool {
        self.held.saturating_add(levels) <= STACK
    }

    fn enter_index(&mut self, index: i64) -> Kind {
        let value = self.table().map(|table| table.get_value(Value::Number(index as f64)));
        self.enter(value.unwrap_or_default())
    }

    fn enter_field(&mut self, name: &[u8]) -> Kind {
        let known = self.names.iter().find(|known| known.as_bytes() == name).copied();
        let key = known.unwrap_or_else(|| {
            let key = String::from_slice(&self.ctx, name);
            if self.names.len() < NAMES {
                self.names.push(key);
            }
            key
        });
        let value = self.table().map(|table| table.get_value(Value::String(key)));
        self.enter(value.unwrap_or_default())
    }

    fn leave(&mut self) {
        match self.path.pop() {
            Some(Level::Value(value)) => {
                self.held = self.held.saturating_sub(1);
                self.cursor = value;
            }
            Some(Level::Key) => self.cursor = Some(Value::Nil),
            Some(walk) => self.path.push(walk),
            None => {}
        }
    }

    fn iterate(&mut self) {
        self.path.push(Level::Value(self.cursor));
        self.held += 1;
        if let Some(table) = self.table() {
            self.path.push(Level::Walk { table, place: Place::Begin, key: Value::Nil });
            self.held += 1;
        }
        self.cursor = Some(Value::Nil);
    }

    fn next(&mut self) -> bool {
        if let Some(Level::Walk { table, place, key }) = self.path.last_mut() {
            if let Some((at, found, value)) = tables::step(self.m, *table, *place) {
                *place = at;
                *key = found;
                self.cursor = Some(value);
                return true;
            }
            self.path.pop();
            self.held = self.held.saturating_sub(1);
        }
        self.leave();
        false
    }

    fn key(&mut self) {
        if let Some(Level::Walk { key, .. }) = self.path.last() {
            let key = *key;
            self.enter(key);
        }
    }

    fn pair(&self) -> (Scalar<'_>, Scalar<'_>) {
        let key = match self.path.last() {
            Some(Level::Walk { key, .. }) => scalar(Some(*key)),
            _ => Scalar::Other(Kind::None),
        };
        (key, self.look())
    }

    fn next_key(&mut self) -> bool {
        if !self.next() {
            return false;
        }
        if let Some(Level::Walk { key, .. }) = self.path.last() {
            self.cursor = Some(*key);
            self.path.push(Level::Key);
        }
        true
    }

    fn stop(&mut self) {
        if let Some(Level::Walk { .. }) = self.path.last() {
            self.path.pop();
            self.held = self.held.saturating_sub(1);
        }
        self.leave();
    }
}

impl Arguments for Reader<'_, '_> {
    fn count(&self) -> usize {
        self.args.len()
    }

    fn select(&mut self, index: usize) {
        self.path.clear();
        self.held = self.args.len();
        self.cursor = self.args.get(index).copied();
    }

    fn scalar(&self, index: usize) -> Scalar<'_> {
        scalar(self.args.get(index).copied())
    }

    fn pin(&mut self) -> Option<ScriptId> {
        let Some(Value::Function(function)) = self.cursor else { return None };
        pin(self.m, self.ctx, function)
    }

    fn is_read_only(&self, index: usize) -> bool {
        match self.args.get(index) {
            Some(Value::Table(table)) => tables::shown(self.m, *table).is_some(),
            _ => false,
        }
    }

    fn caller(&self) -> Option<Location<'_>> {
        if let Some((source, line)) = &self.place {
            return Some(Location { source, line: *line });
        }
        let caller = self.caller.as_ref()?;
        Some(Location { source: caller.chunk.as_bytes(), line: caller.line() })
    }
}

/// A look at a value.
pub(crate) fn scalar(value: Option<Value<'_>>) -> Scalar<'_> {
    match value {
        None => Scalar::Other(Kind::None),
        Some(Value::String(text)) => Scalar::String(text.as_bytes()),
        Some(Value::Boolean(value)) => Scalar::Boolean(value),
        Some(other) => match number(other) {
            Some(number) => Scalar::Number(number),
            None => Scalar::Other(kind(other)),
        },
    }
}

/// Keeps a function alive under a number.
pub(crate) fn pin<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    function: piccolo::Function<'gc>,
) -> Option<ScriptId> {
    let functions: gc_arena::Gc<'gc, RefLock<_>> = m.functions;
    let mut functions = functions.borrow_mut(&ctx);
    let free = functions.iter().position(Option::is_none);
    let place = match free {
        Some(place) => place,
        None => {
            functions.push(None);
            functions.len() - 1
        }
    };
    *functions.get_mut(place)? = Some(function);
    u32::try_from(place).ok().map(ScriptId)
}
