//! Tables that are about to grow beyond what there is room for.
//!
//! Owns what a growing hash part takes and the finding of one: omniLua makes the new part beside
//! the old one, notes the pairs in a third place, and asks nobody before. A look at the registers
//! of the running function finds the table that is being filled. It must not know what ends a run.

use std::cell::Cell;

use lua_types::LuaValue;
use lua_types::gc::GcRef;
use lua_types::table::{LuaTable, TableNode};
use lua_vm::state::LuaState;

use crate::shared::Shared;

/// Hash parts of fewer places may grow.
const LARGE: usize = 1 << 12;
/// What growing takes for each place that there is: two new ones and the note of a pair, in a list
/// that may be half empty.
const PLACE: usize = 2 * size_of::<TableNode>() + 4 * size_of::<LuaValue>();
/// When growing takes more than the limit leaves, this part of the limit is in use by the table.
const SHARE: usize = 6;

/// The table that was seen to be the largest: its identity, and how many of its places were not
/// looked at for a free one.
#[derive(Default)]
pub(crate) struct Seen(Cell<(usize, usize)>);

/// Whether a table in the registers of the running function will be full before the next looks and
/// has no room to grow. Everything in use must be reachable.
pub(crate) fn is_near(state: &mut LuaState, shared: &Shared) -> bool {
    let limit = shared.limit.get();
    if shared.used(state) < limit / SHARE {
        return false;
    }
    let Some(table) = largest(state) else { return false };
    let left = free(&table);
    let (identity, before) = shared.seen.0.replace((table.identity(), left));
    let filled = before.saturating_sub(left);
    // It is full when nothing is left, and took `filled` since the last look.
    let soon = identity == table.identity() && filled > 0 && left <= 3 * filled;
    if !soon || fits(state, shared, &table) {
        return false;
    }
    shared.collect(state);
    !fits(state, shared, &table)
}

/// Whether a table may get another key, as far as it has to grow for it.
pub(crate) fn may_grow(state: &LuaState, shared: &Shared, table: &LuaTable) -> bool {
    const FEW: usize = 8;
    table.with_inner(|table| table.node.len()) < LARGE
        || free(table) > FEW
        || fits(state, shared, table)
}

fn fits(state: &LuaState, shared: &Shared, table: &LuaTable) -> bool {
    let limit = shared.limit.get();
    // What is taken only for a while may be a sixteenth more.
    let most = limit.saturating_add(limit / 16);
    let growth = table.with_inner(|table| table.node.len()) * PLACE;
    shared.used(state).saturating_add(growth) <= most
}

/// The table with the largest hash part in the registers of the running function.
fn largest(state: &LuaState) -> Option<GcRef<LuaTable>> {
    let frame = state.call_info.get(state.current_ci_idx().0 as usize)?;
    let end = (frame.top.0 as usize).min(state.gc_trace_bound());
    let registers = state.stack.get(frame.func.0 as usize..end)?;
    let tables = registers.iter().filter_map(|register| match register.val {
        LuaValue::Table(table) => Some((table.with_inner(|table| table.node.len()), table)),
        _ => None,
    });
    let (places, table) = tables.max_by_key(|(places, _)| *places)?;
    (places >= LARGE).then_some(table)
}

/// How many places of the hash part may still be free.
fn free(table: &LuaTable) -> usize {
    table.with_inner(|table| (table.lastfree as usize).min(table.node.len()))
}
