//! Tables as Lua 5.1 has them, on piccolo's.
//!
//! Owns raw access, order, length and metatables. piccolo's own metatable of a table is never the
//! one a script gave: it holds functions of the host that follow Lua 5.1's rules, and the
//! script's beside them. It must not know operators, nor which tables are read-only.

use gc_arena::Rootable;
use gc_arena::lock::RefLock;
use piccolo::table::{NextValue, RawTable};
use piccolo::{Context, String, Table, UserData, Value};

use crate::frontend::Op;
use crate::layout::{Holds, Layout};
use crate::machine::M;
use crate::value::number;

/// A key that no table may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadKey {
    Nil,
    Nan,
}

impl BadKey {
    /// What Lua says of it (`luaH_set`).
    pub(crate) fn message(self) -> &'static str {
        match self {
            BadKey::Nil => "table index is nil",
            BadKey::Nan => "table index is NaN",
        }
    }
}

/// Where a traversal is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place<'gc> {
    Begin,
    /// After this place of the layout.
    At(usize),
    /// After this key, in a table without a layout.
    After(Value<'gc>),
}

impl<'gc> Holds<'gc> for Table<'gc> {
    fn holds(&self, key: Value<'gc>) -> bool {
        !self.get_value(key).is_nil()
    }
}

type Order = Rootable![RefLock<Layout<'_>>];

/// A new table, as `lua_createtable` makes it.
pub(crate) fn create<'gc>(m: M<'gc>, ctx: Context<'gc>, array: usize, hash: usize) -> Table<'gc> {
    let mut raw = RawTable::new(&ctx);
    raw.reserve_array(array.min(1 << 16));
    let table = Table::from_parts(&ctx, raw, None);
    if hash > 0 {
        watch(m, ctx, table, Layout::new(array, hash));
    }
    table
}

/// Gives a table an order.
pub(crate) fn watch<'gc>(m: M<'gc>, ctx: Context<'gc>, table: Table<'gc>, mut layout: Layout<'gc>) {
    layout.weigh(ctx.metrics());
    let order = UserData::new::<Order>(&ctx, RefLock::new(layout));
    // The key is valid, so this cannot fail.
    let _ = table.set_value(&ctx, m.keys.layout, order.into());
    if table.metatable().is_none() {
        table.set_metatable(&ctx, Some(m.watched));
    }
}

fn order<'gc>(m: M<'gc>, table: Table<'gc>) -> Option<UserData<'gc>> {
    // Tables with an order have a metatable.
    table.metatable()?;
    match table.get_value(m.keys.layout) {
        Value::UserData(order) => Some(order),
        _ => None,
    }
}

fn layout<'gc>(order: UserData<'gc>) -> Option<&'gc RefLock<Layout<'gc>>> {
    order.downcast::<Order>().ok()
}

/// Sets a pair (`lua_rawset`); the key must be neither nil nor NaN.
pub(crate) fn set<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    table: Table<'gc>,
    key: Value<'gc>,
    value: Value<'gc>,
) -> Result<(), BadKey> {
    check_key(key)?;
    if table.holds(key) {
        if value.is_nil() {
            before_removal(m, ctx, table, key);
        }
    } else if value.is_nil() {
        return Ok(());
    } else {
        insert(m, ctx, table, key);
    }
    table.set_value(&ctx, key, value).map_err(|_| BadKey::Nan)?;
    Ok(())
}

/// Bytes that setting the pair takes at once, when a large part of the table grows for it: piccolo
/// makes the new part beside the old one and asks nobody. Of a new list the second half is written
/// when the old one is gone.
pub(crate) fn growth<'gc>(m: M<'gc>, table: Table<'gc>, key: Value<'gc>) -> usize {
    const LARGE: usize = 1 << 13;
    if table.holds(key) {
        return 0;
    }
    match order(m, table).and_then(layout) {
        Some(layout) => layout.try_borrow().map_or(0, |layout| layout.growth(&table)),
        None => {
            let length = table.length().max(0) as usize;
            let appends = number(key) == Some((length + 1) as f64);
            let full = length >= LARGE && length.is_power_of_two();
            if appends && full { length * size_of::<Value<'_>>() } else { 0 }
        }
    }
}

/// Elements of a list that grows within what a limit leaves for growing, a sixteenth of it.
pub(crate) fn longest(limit: usize) -> usize {
    if limit == usize::MAX { limit } else { limit / 16 / size_of::<Value<'_>>() }
}

/// Whether a table may have that key.
pub(crate) fn check_key(key: Value<'_>) -> Result<(), BadKey> {
    match key {
        Value::Nil => Err(BadKey::Nil),
        Value::Number(number) if number.is_nan() => Err(BadKey::Nan),
        _ => Ok(()),
    }
}

/// A list loses its end without anybody noticing; any other place makes a hole.
fn before_removal<'gc>(m: M<'gc>, ctx: Context<'gc>, table: Table<'gc>, key: Value<'gc>) {
    if order(m, table).is_none() {
        let length = table.length();
        if number(key) != Some(length as f64) {
            watch(m, ctx, table, Layout::new(length.max(0) as usize, 0));
        }
    }
}

/// Finds a place for a new key.
fn insert<'gc>(m: M<'gc>, ctx: Context<'gc>, table: Table<'gc>, key: Value<'gc>) {
    let order = match order(m, table) {
        Some(order) => order,
        None => {
            let length = table.length().max(0) as usize;
            if number(key) == Some((length + 1) as f64) {
                return;
            }
            // What appending one by one makes of the array part.
            let size = if length == 0 { 0 } else { length.next_power_of_two() };
            watch(m, ctx, table, Layout::new(size, 0));
            match self::order(m, table) {
                Some(order) => order,
                None => return,
            }
        }
    };
    if let Ok(write) = order.downcast_write::<Order>(&ctx)
        && let Ok(mut layout) = write.unlock().try_borrow_mut()
    {
        // Makes room now: piccolo panics when it grows a map from which objects were removed.
        if let Some(growth) = layout.map_growth(&table) {
            table.into_inner().borrow_mut(&ctx).raw_table.reserve_map(growth.keys);
            layout.map.grown(growth);
        }
        layout.map.take();
        layout.insert(key, &table);
    }
}

/// The first pair after a place of a traversal.
pub(crate) fn step<'gc>(
    m: M<'gc>,
    table: Table<'gc>,
    place: Place<'gc>,
) -> Option<(Place<'gc>, Value<'gc>, Value<'gc>)> {
    if let Some(layout) = order(m, table).and_then(layout) {
        let from = match place {
            Place::Begin => 0,
            Place::At(place) => place + 1,
            Place::After(key) => layout.borrow().place_of(key)? + 1,
        };
        let (place, key) = layout.borrow().occupied(from, &table)?;
        return Some((Place::At(place), key, table.get_value(key)));
    }
    let after = match place {
        Place::Begin => Value::Nil,
        Place::After(key) => key,
        Place::At(place) => Value::Number((place + 1) as f64),
    };
    match table.next(after) {
        NextValue::Found { key, value } => {
            let key = number(key).map_or(key, Value::Number);
            Some((Place::After(key), key, value))
        }
        _ => None,
    }
}

/// The pair after a key (`lua_next`): `Ok(None)` at the end, an error when there is no such key.
pub(crate) fn next<'gc>(
    m: M<'gc>,
    table: Table<'gc>,
    key: Value<'gc>,
) -> Result<Option<(Value<'gc>, Value<'gc>)>, &'static str> {
    const INVALID: &str = "invalid key to 'next'";
    let place = if key.is_nil() {
        Place::Begin
    } else if let Some(layout) = order(m, table).and_then(layout) {
        Place::At(layout.borrow().place_of(key).ok_or(INVALID)?)
    } else {
        if let NextValue::NotFound = table.next(key) {
            return Err(INVALID);
        }
        Place::After(key)
    };
    Ok(step(m, table, place).map(|(_, key, value)| (key, value)))
}

/// The length that `#` gives (`luaH_getn`).
pub(crate) fn length<'gc>(m: M<'gc>, table: Table<'gc>) -> usize {
    match order(m, table).and_then(layout) {
        Some(layout) => layout.borrow().border(&table),
        None => usize::try_from(table.length()).unwrap_or(0),
    }
}

/// The metatable that Lua consults.
pub(crate) fn metatable<'gc>(m: M<'gc>, table: Table<'gc>) -> Option<Table<'gc>> {
    match table.metatable()?.get_value(m.keys.events) {
        Value::Table(metatable) => Some(metatable),
        _ => None,
    }
}

/// What `getmetatable` shows of a read-only table; `None` when it is none.
pub(crate) fn shown<'gc>(m: M<'gc>, table: Table<'gc>) -> Option<Value<'gc>> {
    match table.metatable()?.get_value(m.keys.shown) {
        Value::Nil => None,
        Value::Boolean(_) => Some(Value::Nil),
        shown => Some(shown),
    }
}

/// Gives a table the metatable of a script, or takes it away.
pub(crate) fn set_metatable<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    table: Table<'gc>,
    metatable: Option<Table<'gc>>,
) {
    let stand_in = match metatable {
        None => order(m, table).map(|_| m.watched),
        Some(metatable) => match metatable.get_value(m.keys.stand_in) {
            Value::Table(stand_in) => Some(stand_in),
            _ => {
                let stand_in = stand_in(m, ctx, metatable.into(), true);
                let _ = metatable.set_value(&ctx, m.keys.stand_in, stand_in.into());
                // Only a table with an order hides keys such as this one.
                if order(m, metatable).is_none() {
                    let length = metatable.length().max(0) as usize;
                    watch(m, ctx, metatable, Layout::new(length, 0));
                }
                Some(stand_in)
            }
        },
    };
    table.set_metatable(&ctx, stand_in);
}

/// A metatable for piccolo whose functions follow the rules of Lua 5.1 for `events`.
pub(crate) fn stand_in<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    events: Value<'gc>,
    all: bool,
) -> Table<'gc> {
    let mut raw = RawTable::new(&ctx);
    raw.reserve_map(7);
    let table = Table::from_parts(&ctx, raw, None);
    let set = |key: Value<'gc>, value: Value<'gc>| {
        // The keys are valid.
        let _ = table.set_value(&ctx, key, value);
    };
    let op = |op| m.op(op).map_or(Value::Nil, Value::Function);
    set(m.keys.events, events);
    set(m.events.newindex, op(Op::SetIndex));
    set(m.events.len, op(Op::Length));
    if all {
        set(m.events.index, op(Op::Index));
        set(m.events.call, op(Op::Call));
        set(m.events.eq, op(Op::Equal));
    }
    table
}

/// Makes a table read-only: `events` is what Lua consults, `shown` what `getmetatable` shows.
pub(crate) fn protect<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    table: Table<'gc>,
    events: Table<'gc>,
    shown: Option<Table<'gc>>,
) {
    let metatable = stand_in(m, ctx, events.into(), true);
    let shown = shown.map_or(Value::Boolean(false), Value::Table);
    let _ = metatable.set_value(&ctx, m.keys.shown, shown);
    table.set_metatable(&ctx, Some(metatable));
}

/// A string.
pub(crate) fn string<'gc>(ctx: Context<'gc>, bytes: &[u8]) -> Value<'gc> {
    String::from_slice(&ctx, bytes).into()
}

/// The metamethod of a value (`luaT_gettmbyobj`).
pub(crate) fn event<'gc>(m: M<'gc>, value: Value<'gc>, name: Value<'gc>) -> Value<'gc> {
    match value {
        Value::Table(table) => {
            metatable(m, table).map_or(Value::Nil, |metatable| metatable.get_value(name))
        }
        Value::String(_) => match m.strings.get() {
            Some((library, _)) if crate::value::raw_equal(name, m.events.index) => library.into(),
            _ => Value::Nil,
        },
        _ => Value::Nil,
    }
}
