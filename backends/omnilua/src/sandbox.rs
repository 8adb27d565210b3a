//! Building the world of scripts from an [`Environment`].
//!
//! Owns the translation of the description into tables of a Lua state. It must not know which
//! names are in it.

use std::rc::Rc;

use lua_types::gc::GcRef;
use lua_types::table::LuaTable;
use lua_types::{LuaError, LuaType, LuaValue};
use lua_vm::state::LuaState;
use redlua_core::{Entry, Environment, Item};

use crate::frame::{closure, function, message, register, set, set_field};
use crate::reader::pair_from;
use crate::shared::{Fixed, Shared};
use crate::{base, call, coroutine, native, protected, proxy};

/// What a VM needs to switch views and to pass KEYS and ARGV.
pub(crate) struct Globals {
    /// The stand-in that scripts see as their globals.
    pub(crate) seen: GcRef<LuaTable>,
    pub(crate) views: Vec<World>,
}

/// The globals of one view.
pub(crate) struct World {
    /// The table that holds them.
    pub(crate) table: GcRef<LuaTable>,
    /// Their order.
    pub(crate) order: Vec<LuaValue>,
}

/// Builds the environment and installs it as the globals of `state`.
pub(crate) fn build(
    state: &mut LuaState,
    shared: &Rc<Shared>,
    environment: &Environment,
) -> Result<Globals, LuaError> {
    let stock = state.global().globals;
    let text = environment.readonly_message;
    let refuse = closure(state, move |state| Err(message(state, text.as_bytes())));
    let missing = native::function(state, shared, environment.missing_global);

    // What getmetatable answers for the globals and for strings.
    let index = || std::iter::once("__index");
    let fields = state.new_table();
    set_field(state, &fields, b"__index", missing)?;
    let shown = proxy::stand_in(state, shared, fields, refuse, LuaValue::Nil, index())?;
    let string_fields = state.new_table();
    let string_shown =
        proxy::stand_in(state, shared, string_fields, refuse, LuaValue::Nil, index())?;

    // The stand-in for the globals; its target is set when the views exist.
    let none = state.new_table();
    let shown = LuaValue::Table(shown);
    let seen = proxy::stand_in(state, shared, none, refuse, shown, std::iter::empty())?;

    let next = function(state, shared, base::next);
    let handler = shared.clone();
    let guarded = move |state: &mut LuaState| protected::guarded_handler(state, &handler);
    let record = shared.clone();
    let wrapped = move |state: &mut LuaState| coroutine::wrapped(state, &record);
    let null = LuaValue::UserData(state.new_userdata(0, 0)?);
    state.external_root_value(null);
    let reword = function(state, shared, protected::reword);
    let fixed = Fixed {
        null,
        reword,
        next,
        string_metatable: LuaValue::Table(string_shown),
        readonly_message: environment.readonly_message,
        unwrap_field: environment.unwrap_field,
        guarded_handler: register(state, guarded),
        wrapped: register(state, wrapped),
    };
    // The record is new, so the cell is empty.
    let _ = shared.fixed.set(fixed);

    let mut builder = Builder { state, shared, stock, refuse, missing, seen, next };
    let mut common = Vec::with_capacity(environment.globals.len());
    for entry in &environment.globals {
        common.push((entry.name, builder.value(entry, "")?));
    }
    let mut views = Vec::with_capacity(environment.views.len());
    for view in &environment.views {
        let table = builder.state.new_table();
        builder.state.external_root_value(LuaValue::Table(table));
        for (name, value) in &common {
            set_field(builder.state, &table, name.as_bytes(), *value)?;
        }
        for entry in &view.globals {
            let value = builder.value(entry, "")?;
            set_field(builder.state, &table, entry.name.as_bytes(), value)?;
        }
        builder.strict(&table)?;
        let names = environment.globals.iter().chain(&view.globals).map(|entry| entry.name);
        let order = proxy::order(builder.state, names)?;
        views.push(World { table, order });
    }

    if let Some(first) = views.first() {
        // Strings index the stand-in of the string library, as scripts see it.
        let library = first.table.get_str_bytes(b"string");
        set_field(state, &string_fields, b"__index", library)?;
        // omniLua's own has the arithmetic of numeric strings.
        let metatable = string_metatable(state)?;
        set_field(state, &metatable, b"__index", library)?;
        if let Some(slot) = state.global_mut().mt.get_mut(LuaType::String as usize) {
            *slot = Some(metatable);
        }
        proxy::retarget(state, shared, &seen, first.table, &first.order)?;
    }
    state.global_mut().globals = LuaValue::Table(seen);
    Ok(Globals { seen, views })
}

/// A copy of omniLua's metatable of strings.
fn string_metatable(state: &mut LuaState) -> Result<GcRef<LuaTable>, LuaError> {
    let copy = state.new_table();
    let stock = state.global().mt.get(LuaType::String as usize).copied().flatten();
    if let Some(stock) = stock {
        let mut position = 0;
        while let Some((at, key, value)) = pair_from(&stock, position) {
            set(state, &copy, key, value)?;
            position = at + 1;
        }
    }
    Ok(copy)
}

/// What the translation of an item needs.
struct Builder<'a> {
    state: &'a mut LuaState,
    shared: &'a Rc<Shared>,
    /// The globals of omniLua's libraries.
    stock: LuaValue,
    /// The function that raises on a write.
    refuse: LuaValue,
    /// The native that is asked for missing globals.
    missing: LuaValue,
    /// The stand-in for the globals.
    seen: GcRef<LuaTable>,
    /// `next` as scripts see it.
    next: LuaValue,
}

impl Builder<'_> {
    /// The value of `entry`, which stands in `library` (empty for globals).
    fn value(&mut self, entry: &Entry, library: &str) -> Result<LuaValue, LuaError> {
        Ok(match &entry.item {
            Item::Stock if library.is_empty() && entry.name == "_G" => LuaValue::Table(self.seen),
            Item::Stock if library.is_empty() && entry.name == "next" => self.next,
            Item::Stock => self.stock(library, entry.name),
            Item::Absent => LuaValue::Nil,
            Item::Call => function(self.state, self.shared, call::redis_call),
            Item::Pcall => function(self.state, self.shared, call::redis_pcall),
            Item::Native(id) => native::function(self.state, self.shared, *id),
            Item::Number(value) => LuaValue::Float(*value),
            Item::Text(text) => LuaValue::Str(self.state.intern_str(text.as_bytes())?),
            Item::NullPointer => {
                self.shared.fixed.get().map(|fixed| fixed.null).unwrap_or_default()
            }
            Item::Table(entries) | Item::StrictTable(entries) => {
                let table = self.state.new_table();
                for inner in entries {
                    let value = self.value(inner, entry.name)?;
                    set_field(self.state, &table, inner.name.as_bytes(), value)?;
                }
                if matches!(entry.item, Item::StrictTable(_)) {
                    self.strict(&table)?;
                }
                let names = entries.iter().map(|inner| inner.name);
                let (refuse, shown) = (self.refuse, LuaValue::Nil);
                LuaValue::Table(proxy::stand_in(
                    self.state,
                    self.shared,
                    table,
                    refuse,
                    shown,
                    names,
                )?)
            }
        })
    }

    /// omniLua's own function or value, made safe.
    fn stock(&mut self, library: &str, name: &str) -> LuaValue {
        let field = |table: &LuaValue, name: &str| match table {
            LuaValue::Table(table) => table.get_str_bytes(name.as_bytes()),
            _ => LuaValue::Nil,
        };
        let stock = match library {
            "" => field(&self.stock, name),
            library => field(&field(&self.stock, library), name),
        };
        base::replace(self.state, self.shared, library, name, stock)
    }

    /// Makes reading a missing field of `table` run the native for it.
    fn strict(&mut self, table: &GcRef<LuaTable>) -> Result<(), LuaError> {
        let metatable = self.state.new_table();
        set_field(self.state, &metatable, b"__index", self.missing)?;
        table.set_metatable(Some(metatable));
        Ok(())
    }
}
