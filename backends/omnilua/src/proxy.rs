//! Read-only tables for a Lua that has none.
//!
//! Owns the stand-in: an empty table whose metatable reads from the real one and refuses writes,
//! and the order in which the real one is walked. It must not know which tables are read-only.

use lua_types::gc::GcRef;
use lua_types::table::LuaTable;
use lua_types::{LuaError, LuaValue};
use lua_vm::state::LuaState;

use crate::frame::set_field;
use crate::shared::Shared;

/// What stands behind a table that scripts see.
pub(crate) struct Proxy {
    /// The table that holds the values.
    pub(crate) real: GcRef<LuaTable>,
    /// The order of its keys.
    pub(crate) order: Vec<LuaValue>,
    /// What `getmetatable` answers.
    pub(crate) shown: LuaValue,
}

impl Proxy {
    /// The first pair at or after `position` of the declared order, and where it is.
    pub(crate) fn pair_from(&self, position: usize) -> Option<(usize, LuaValue, LuaValue)> {
        let names = self.order.iter().enumerate().skip(position);
        names.map(|(at, name)| (at, *name, self.real.get(name))).find(|pair| !pair.2.is_nil())
    }

    /// `next`: the pair after `key` in the declared order, or the first one after nil; `Err` when
    /// the key is not one of the table's.
    pub(crate) fn next(&self, key: &LuaValue) -> Result<Option<(LuaValue, LuaValue)>, ()> {
        let start = match key {
            LuaValue::Nil => 0,
            key => self.order.iter().position(|name| name == key).ok_or(())? + 1,
        };
        Ok(self.order.iter().skip(start).find_map(|name| match self.real.get(name) {
            LuaValue::Nil => None,
            value => Some((*name, value)),
        }))
    }
}

/// Makes a stand-in for `real`, whose keys are walked in the order of `names`.
pub(crate) fn stand_in<'a>(
    state: &mut LuaState,
    shared: &Shared,
    real: GcRef<LuaTable>,
    refuse: LuaValue,
    shown: LuaValue,
    names: impl Iterator<Item = &'a str>,
) -> Result<GcRef<LuaTable>, LuaError> {
    let seen = state.new_table();
    let metatable = state.new_table();
    set_field(state, &metatable, b"__index", LuaValue::Table(real))?;
    set_field(state, &metatable, b"__newindex", refuse)?;
    seen.set_metatable(Some(metatable));
    let order = order(state, names)?;
    state.external_root_value(LuaValue::Table(seen));
    state.external_root_value(LuaValue::Table(real));
    state.external_root_value(shown);
    shared.proxies.borrow_mut().insert(seen.identity(), Proxy { real, order, shown });
    Ok(seen)
}

/// Makes the stand-in `seen` read from `real`.
pub(crate) fn retarget(
    state: &mut LuaState,
    shared: &Shared,
    seen: &GcRef<LuaTable>,
    real: GcRef<LuaTable>,
    names: &[LuaValue],
) -> Result<(), LuaError> {
    if let Some(proxy) = shared.proxies.borrow_mut().get_mut(&seen.identity()) {
        proxy.real = real;
        proxy.order = names.to_vec();
    }
    match seen.metatable() {
        Some(metatable) => set_field(state, &metatable, b"__index", LuaValue::Table(real)),
        None => Ok(()),
    }
}

/// The names as rooted strings.
pub(crate) fn order<'a>(
    state: &mut LuaState,
    names: impl Iterator<Item = &'a str>,
) -> Result<Vec<LuaValue>, LuaError> {
    names
        .map(|name| {
            let name = LuaValue::Str(state.intern_str(name.as_bytes())?);
            state.external_root_value(name);
            Ok(name)
        })
        .collect()
}
