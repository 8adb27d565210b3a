//! Tables that are about to grow beyond what there is room for.
//!
//! Owns what a part of a table takes when it grows, and the finding of one that is full: omniLua
//! makes a new hash part beside the old one, notes the pairs in a third place, and asks nobody
//! before. A look at the registers of the running function finds the table that is being filled.
//! It must not know what ends a run.

use std::cell::Cell;

use lua_types::LuaValue;
use lua_types::gc::GcRef;
use lua_types::table::{LuaTable, TableNode};
use lua_vm::state::LuaState;

use crate::shared::Shared;

/// Parts of fewer places may grow.
const LARGE: usize = 1 << 12;
/// What growing takes for each place of a hash part: two new ones and the note of a pair, in a list
/// that may be half empty.
const NODE: usize = 2 * size_of::<TableNode>() + 4 * size_of::<LuaValue>();
/// The same for a list, which grows where it is.
const ELEMENT: usize = size_of::<LuaValue>();
/// When growing takes more than the limit leaves, this part of the limit is in use by the table.
const SHARE: usize = 6;

/// The table that was seen to be the largest: its identity, and the places left in its parts.
#[derive(Default)]
pub(crate) struct Seen(Cell<(usize, [usize; 2])>);

/// A part of a table that may grow.
struct Part {
    /// Places that may still be free.
    left: usize,
    /// Bytes that it takes to grow.
    growth: usize,
}

/// Whether a table in the registers of the running function will be full before the next looks and
/// has no room to grow. Everything in use must be reachable.
///
/// A register that is not in use holds what it held last. A collection empties those, but of a
/// thread that waits for another to return (`gc_clear_dead_stack_tails`): where there are
/// coroutines they may hold what is gone, so nobody looks.
pub(crate) fn is_near(state: &mut LuaState, shared: &Shared) -> bool {
    let limit = shared.limit.get();
    if shared.coroutines.get() || shared.used(state) < limit / SHARE {
        return false;
    }
    let Some(table) = largest(state) else { return false };
    let parts = parts(&table);
    let (identity, before) =
        shared.seen.0.replace((table.identity(), [parts[0].left, parts[1].left]));
    if identity != table.identity() {
        return false;
    }
    parts.iter().zip(before).any(|(part, before)| {
        // It is full when nothing is left, and took so many since the last look.
        let filled = before.saturating_sub(part.left);
        let soon = filled > 0 && part.left <= 3 * filled;
        if !soon || fits(state, shared, part) {
            return false;
        }
        shared.collect(state);
        !fits(state, shared, part)
    })
}

/// Whether a table may get another key, as far as its hash part has to grow for it.
pub(crate) fn may_grow(state: &LuaState, shared: &Shared, table: &LuaTable) -> bool {
    const FEW: usize = 8;
    let hash = hash(table);
    hash.growth == 0 || hash.left > FEW || fits(state, shared, &hash)
}

fn fits(state: &LuaState, shared: &Shared, part: &Part) -> bool {
    let limit = shared.limit.get();
    // What is taken only for a while may be a sixteenth more.
    let most = limit.saturating_add(limit / 16);
    shared.used(state).saturating_add(part.growth) <= most
}

/// The largest table in the registers of the running function.
fn largest(state: &LuaState) -> Option<GcRef<LuaTable>> {
    let frame = state.call_info.get(state.current_ci_idx().0 as usize)?;
    let end = (frame.top.0 as usize).min(state.gc_trace_bound());
    let registers = state.stack.get(frame.func.0 as usize..end)?;
    let tables = registers.iter().filter_map(|register| match register.val {
        LuaValue::Table(table) => Some((table.buffer_bytes(), table)),
        _ => None,
    });
    let (bytes, table) = tables.max_by_key(|(bytes, _)| *bytes)?;
    (bytes >= LARGE * ELEMENT).then_some(table)
}

/// The hash part and the list.
fn parts(table: &LuaTable) -> [Part; 2] {
    let list = table.with_inner(|table| table.array.len());
    let length = usize::try_from(table.getn()).unwrap_or(list);
    let growth = if list < LARGE { 0 } else { list * ELEMENT };
    [hash(table), Part { left: list.saturating_sub(length), growth }]
}

fn hash(table: &LuaTable) -> Part {
    table.with_inner(|table| {
        let places = table.node.len();
        let growth = if places < LARGE { 0 } else { places * NODE };
        // From here on nobody has looked for a free place.
        Part { left: (table.lastfree as usize).min(places), growth }
    })
}
