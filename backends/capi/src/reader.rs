//! Reading values on the Lua stack.
//!
//! Owns [`StackReader`]. It must not know what the values mean.

use std::ffi::c_int;

use redlua_core::{Arguments, Kind, Location, Scalar, ScriptId, ValueReader};
use smallvec::SmallVec;

use crate::ffi::{self, lua_State};
use crate::layout;
use crate::look::{kind_at, kind_of, number_at, scalar_at, scalar_in, string_at};
use crate::proxy;

/// `lua_next`, in the order of Lua 5.1; Luau has kept its hashes.
#[cfg(any(lua51, luau))]
pub(crate) use crate::ffi::lua_next as next_pair;
#[cfg(any(luajit, lua54))]
pub(crate) use crate::walk::next as next_pair;
#[cfg(any(luajit, lua54))]
use crate::walk::{Keys, Way};

/// A [`ValueReader`] on a value of a Lua stack, or an [`Arguments`] on a range of them.
///
/// Only raw access; in the dispatch phase, when the memory limit is off, nothing here raises.
pub(crate) struct StackReader {
    lua: *mut lua_State,
    /// Stack index of the first argument.
    base: c_int,
    /// How many arguments there are.
    count: c_int,
    /// Stack index of the value under the cursor; 0 for none.
    cursor: c_int,
    /// The type of that value: asked of Lua once, for every method looks at it.
    kind: Kind,
    /// The highest index that holds an argument or the resolved form of one.
    floor: c_int,
    /// On a pair: the stack index of its table, negative when the table has an order of its own;
    /// otherwise 0.
    table: c_int,
    /// On a pair of a table whose layout is known: the position behind it. On one of a table in
    /// `orders`: the place behind it there, counted from 1, or [`ENGINE`].
    position: u32,
    /// The keys of the tables that are walked in an order of their own, innermost last.
    #[cfg(any(luajit, lua54))]
    orders: Vec<Keys>,
    /// Where the cursor was before, innermost last.
    path: SmallVec<[Place; 16]>,
}

/// The position on a table that is walked as the engine does.
#[cfg(any(luajit, lua54))]
const ENGINE: u32 = u32::MAX;

/// Where a cursor was: its value's index and kind, the pair's table and the position.
type Place = (c_int, Kind, c_int, u32);

impl StackReader {
    /// A cursor on the first of `count` values that begin at the absolute index `base`.
    ///
    /// # Safety
    /// As for [`unplaced`](Self::unplaced).
    pub(crate) unsafe fn new(lua: *mut lua_State, base: c_int, count: c_int) -> Self {
        // SAFETY: by contract.
        let mut reader = unsafe { StackReader::unplaced(lua, base, count) };
        reader.select(0);
        reader
    }

    /// The same, on no value yet: nothing is pushed, whatever the first value is.
    ///
    /// # Safety
    /// `lua` stays live and unused by others while the reader is used, except by a
    /// [`StackWriter`](crate::writer::StackWriter) while the cursor is not inside a table.
    #[inline(always)]
    pub(crate) unsafe fn unplaced(lua: *mut lua_State, base: c_int, count: c_int) -> Self {
        let floor = base + count - 1;
        let (cursor, kind, path) = (0, Kind::None, SmallVec::new());
        StackReader {
            lua,
            base,
            count,
            cursor,
            kind,
            floor,
            table: 0,
            position: 0,
            #[cfg(any(luajit, lua54))]
            orders: Vec::new(),
            path,
        }
    }

    /// Puts the cursor on the value on top of the stack, which is at `index`.
    ///
    /// # Safety
    /// The top of the stack is that value. Stack: up to +1 while a stand-in is resolved.
    #[inline]
    unsafe fn arrive(&mut self, index: c_int) -> Kind {
        self.cursor = index;
        // SAFETY: the top of the stack is a value of this reader.
        unsafe {
            if layout::is_known() {
                let slot = &*layout::slot(self.lua, index);
                self.kind = kind_of(slot.kind);
                if self.kind != Kind::Table || !layout::has_metatable(slot) {
                    return self.kind;
                }
            } else {
                self.kind = kind_at(self.lua, index);
            }
            if self.kind == Kind::Table && proxy::push_target(self.lua, index) {
                ffi::lua_replace(self.lua, index);
            }
        }
        self.kind
    }

    /// The index of the next value to be pushed. Inside of a table the cursor is on top of the
    /// stack; an argument may have results above it.
    #[inline]
    fn above(&self) -> c_int {
        if self.path.is_empty() {
            // SAFETY: `lua` is live.
            unsafe { ffi::lua_gettop(self.lua) + 1 }
        } else {
            self.cursor + 1
        }
    }

    /// The highest stack index that holds an argument or the resolved form of one.
    pub(crate) fn floor(&self) -> c_int {
        self.floor
    }

    /// `next` of a table that has an order of its own; none without a table.
    #[cold]
    #[inline(never)]
    fn next_listed(&mut self) -> bool {
        if self.table == 0 {
            return false;
        }
        // SAFETY: key and value have the two slots that `iterate` pushed, the cursor being on the
        // second one; one more is taken in between. Stack 0 or -2.
        unsafe {
            ffi::lua_settop(self.lua, self.cursor - 2);
            match proxy::push_pair(self.lua, -self.table, self.position as c_int) {
                Some(position) => {
                    self.position = position as u32;
                    self.arrive(self.cursor);
                    true
                }
                None => {
                    self.ascend();
                    false
                }
            }
        }
    }

    /// `next` by the interface.
    #[inline(never)]
    fn next_asked(&mut self) -> bool {
        #[cfg(any(luajit, lua54))]
        let engine = match self.position() {
            0 => false,
            ENGINE => true,
            _ => return self.next_ordered(),
        };
        #[cfg(any(lua51, luau))]
        let engine = true;
        // SAFETY: below the cursor's value is the key that lua_next returned last (or the first
        // nil), so it is valid for the table. Stack -1, then +1 or -1.
        unsafe {
            ffi::lua_settop(self.lua, self.cursor - 1);
            let more = if engine {
                ffi::lua_next(self.lua, self.table)
            } else {
                next_pair(self.lua, self.table)
            };
            if more != 0 {
                self.arrive(self.cursor);
                true
            } else {
                self.ascend();
                false
            }
        }
    }

    /// The position; which way the walk goes is decided when it begins.
    #[cfg(any(luajit, lua54))]
    fn position(&mut self) -> u32 {
        /// So many lists of keys may be there at once, which are not counted.
        const DEPTH: usize = 16;
        // SAFETY: `iterate` pushed the key below the cursor's value; the table is below them, and a
        // reader's table is not changed while it is read.
        unsafe {
            if self.position == 0
                && self.orders.len() < DEPTH
                && ffi::lua_type(self.lua, self.cursor - 1) == ffi::LUA_TNIL
            {
                match Keys::of(self.lua, self.table) {
                    Way::Engine => self.position = ENGINE,
                    Way::Keys(keys) => {
                        self.orders.push(keys);
                        self.position = 1;
                    }
                    Way::Asked => {}
                }
            }
        }
        self.position
    }

    /// `next` by the innermost list of keys.
    #[cfg(any(luajit, lua54))]
    fn next_ordered(&mut self) -> bool {
        let Some(keys) = self.orders.last() else { return false };
        let from = self.position as usize - 1;
        // SAFETY: key and value take the two slots that `iterate` pushed; see `position`.
        let place = unsafe {
            ffi::lua_settop(self.lua, self.cursor - 2);
            keys.push(self.lua, self.table, from)
        };
        match place {
            Some(place) => {
                self.position = place as u32 + 1;
                // SAFETY: the value is on top, at the cursor.
                unsafe { self.arrive(self.cursor) };
                true
            }
            None => {
                self.orders.pop();
                self.ascend();
                false
            }
        }
    }

    #[inline]
    fn descend(&mut self) {
        self.path.push((self.cursor, self.kind, self.table, self.position));
        self.table = 0;
    }

    #[inline]
    fn ascend(&mut self) {
        if let Some(place) = self.path.pop() {
            (self.cursor, self.kind, self.table, self.position) = place;
        }
    }
}

// SAFETY of the blocks below: `lua` is live by the contract of `new`, `cursor` is the index of a
// value on its stack (or 0, for which every accessor answers without touching the stack), and
// pushes stay within LUA_MINSTACK or what `room` granted.
impl ValueReader for StackReader {
    #[inline]
    fn kind(&self) -> Kind {
        self.kind
    }

    fn boolean(&self) -> bool {
        // SAFETY: see above.
        self.kind == Kind::Boolean && unsafe { scalar_at(self.lua, self.cursor) }.truth()
    }

    #[inline]
    fn number(&self) -> f64 {
        if self.kind != Kind::Number {
            return 0.0;
        }
        // SAFETY: see above.
        unsafe { number_at(self.lua, self.cursor) }
    }

    #[inline]
    fn bytes(&self) -> &[u8] {
        if self.kind != Kind::String {
            return &[];
        }
        // SAFETY: the value is a string, so nothing is converted; it stays on the stack, hence
        // alive and unmoved, while `self` is borrowed.
        unsafe { string_at(self.lua, self.cursor) }
    }

    #[inline]
    fn look(&self) -> Scalar<'_> {
        if self.cursor <= 0 {
            return Scalar::Other(Kind::None);
        }
        // SAFETY: see above; a string stays on the stack, hence alive, while `self` is borrowed.
        unsafe { scalar_at(self.lua, self.cursor) }
    }

    fn address(&self) -> usize {
        match self.kind {
            // SAFETY: see above.
            Kind::LightUserData => unsafe { ffi::lua_touserdata(self.lua, self.cursor).addr() },
            Kind::None | Kind::Nil | Kind::Boolean | Kind::Number | Kind::String => 0,
            // SAFETY: see above.
            _ => unsafe { ffi::lua_topointer(self.lua, self.cursor).addr() },
        }
    }

    fn len(&self) -> usize {
        if self.kind != Kind::Table {
            return 0;
        }
        // SAFETY: see above; raw for tables in Lua 5.1.
        unsafe { ffi::lua_objlen(self.lua, self.cursor) }
    }

    fn room(&mut self, levels: usize) -> bool {
        // SAFETY: see above; with the memory limit off it does not raise.
        unsafe { room(self.lua, levels) }
    }

    #[inline]
    fn enter_index(&mut self, index: i64) -> Kind {
        let above = self.above();
        self.descend();
        // SAFETY: the cursor is on a table. Stack +1.
        unsafe {
            if layout::is_known()
                && self.kind == Kind::Table
                && layout::push_element(self.lua, self.cursor, index)
            {
                return self.arrive(above);
            }
            match c_int::try_from(index) {
                Ok(index) => ffi::lua_rawgeti(self.lua, self.cursor, index),
                Err(_) => {
                    ffi::lua_pushnumber(self.lua, index as f64);
                    ffi::lua_rawget(self.lua, self.cursor);
                }
            }
            self.arrive(above)
        }
    }

    #[inline]
    fn enter_field(&mut self, name: &[u8]) -> Kind {
        let above = self.above();
        self.descend();
        // SAFETY: the cursor is on a table. Stack +1; allocates the key.
        unsafe {
            ffi::lua_pushlstring(self.lua, name.as_ptr().cast(), name.len());
            ffi::lua_rawget(self.lua, self.cursor);
            self.arrive(above)
        }
    }

    #[inline]
    fn leave(&mut self) {
        // SAFETY: the value under the cursor was pushed by a descent. Stack -1.
        unsafe { cut(self.lua, self.cursor - 1) };
        self.ascend();
    }

    #[inline]
    fn iterate(&mut self) {
        let above = self.above();
        let (table, kind) = (self.cursor, self.kind);
        self.descend();
        // SAFETY: a nil key to begin with and a nil in place of the value. Stack +2.
        unsafe {
            ffi::lua_pushnil(self.lua);
            ffi::lua_pushnil(self.lua);
        }
        self.cursor = above + 1;
        self.kind = Kind::Nil;
        self.table = if kind == Kind::Table { table } else { 0 };
        self.position = 0;
        // SAFETY: the table is at that index. Stack 0.
        if self.table != 0 && unsafe { proxy::is_ordered(self.lua, table) } {
            self.table = -table;
        }
    }

    #[inline]
    fn next(&mut self) -> bool {
        if self.table <= 0 {
            return self.next_listed();
        }
        if !layout::is_known() {
            return self.next_asked();
        }
        // SAFETY: key and value have the two slots that `iterate` pushed, the cursor being on the
        // second one; the table is below them. Stack 0 or -2.
        unsafe {
            let value = layout::slot(self.lua, self.cursor);
            let table = &*layout::slot(self.lua, self.table);
            match layout::step(table, self.position, &mut *value.sub(1), &mut *value) {
                Some(position) => {
                    // After `next_key` and `leave` the value's slot is not on the stack.
                    layout::cut(self.lua, self.cursor);
                    self.position = position;
                    self.kind = kind_of((*value).kind);
                    if self.kind == Kind::Table && layout::has_metatable(&*value) {
                        self.arrive(self.cursor);
                    }
                    true
                }
                None => {
                    self.stop();
                    false
                }
            }
        }
    }

    #[inline]
    fn key(&mut self) {
        self.descend();
        // SAFETY: the key is just below the value. Stack +1.
        unsafe {
            ffi::lua_pushvalue(self.lua, self.cursor - 1);
            self.arrive(self.cursor + 1);
        }
    }

    #[inline]
    fn pair(&self) -> (Scalar<'_>, Scalar<'_>) {
        if self.table == 0 {
            return (Scalar::Other(Kind::None), self.look());
        }
        // SAFETY: there is a value below the cursor: on a pair's value its key. Only a string is
        // converted, to itself: a number would change under lua_next.
        unsafe {
            if layout::is_known() {
                let value = layout::slot(self.lua, self.cursor);
                return (scalar_in(&*value.sub(1)), scalar_in(&*value));
            }
            (scalar_at(self.lua, self.cursor - 1), scalar_at(self.lua, self.cursor))
        }
    }

    fn next_key(&mut self) -> bool {
        if !self.next() {
            return false;
        }
        // SAFETY: the value gives its place to a copy of the key below it. The place above the
        // key is where the cursor returns to, so that `next` finds the key. Stack 0.
        unsafe {
            ffi::lua_settop(self.lua, self.cursor - 1);
            ffi::lua_pushvalue(self.lua, -1);
            let index = self.cursor;
            self.descend();
            self.arrive(index);
        }
        true
    }

    fn stop(&mut self) {
        #[cfg(any(luajit, lua54))]
        if self.table > 0 && (1..ENGINE).contains(&self.position) {
            self.orders.pop();
        }
        // SAFETY: removes the value and its key. Stack -2.
        unsafe { cut(self.lua, self.cursor - 2) };
        self.ascend();
    }
}

impl Arguments for StackReader {
    fn count(&self) -> usize {
        self.count as usize
    }

    #[inline]
    fn select(&mut self, index: usize) {
        if !self.path.is_empty() {
            // SAFETY: what descents pushed lies above the floor, and no writer has pushed (it
            // must not while the cursor is inside a table).
            unsafe { ffi::lua_settop(self.lua, self.floor) };
            self.path.clear();
            #[cfg(any(luajit, lua54))]
            self.orders.clear();
            self.table = 0;
        }
        match c_int::try_from(index) {
            Ok(i) if i < self.count => {
                self.cursor = self.base + i;
                // SAFETY: the index is that of an argument. A stand-in's target is pushed and
                // stays on the stack until the native returns.
                unsafe {
                    self.kind = kind_at(self.lua, self.cursor);
                    if self.kind == Kind::Table && proxy::push_target(self.lua, self.cursor) {
                        self.cursor = ffi::lua_gettop(self.lua);
                        self.floor = self.cursor;
                    }
                }
            }
            _ => {
                self.cursor = 0;
                self.kind = Kind::None;
            }
        }
    }

    #[inline]
    fn scalar(&self, index: usize) -> Scalar<'_> {
        match c_int::try_from(index) {
            // SAFETY: the index is that of an argument, which stays on the stack while `self` is
            // borrowed.
            Ok(i) if i < self.count => unsafe { scalar_at(self.lua, self.base + i) },
            _ => Scalar::Other(Kind::None),
        }
    }

    fn pin(&mut self) -> Option<ScriptId> {
        if self.kind != Kind::Function {
            return None;
        }
        // SAFETY: pushes the function and moves it to the registry. Stack +1, -1; allocates.
        let reference = unsafe {
            ffi::lua_pushvalue(self.lua, self.cursor);
            ffi::luaL_ref(self.lua, ffi::LUA_REGISTRYINDEX)
        };
        u32::try_from(reference).ok().map(ScriptId)
    }

    fn is_read_only(&self, index: usize) -> bool {
        match c_int::try_from(index) {
            // SAFETY: the index is that of an argument. Stack 0; 2 slots in between.
            Ok(i) if i < self.count => unsafe {
                ffi::lua_type(self.lua, self.base + i) == ffi::LUA_TTABLE
                    && proxy::is_proxy(self.lua, self.base + i)
            },
            _ => false,
        }
    }

    fn caller(&self) -> Option<Location<'_>> {
        // SAFETY: see above; lua_getinfo with these options neither pushes nor raises. The
        // source text belongs to a function that is on the call stack.
        unsafe { location(self.lua, 1) }
    }
}

/// Position of the function at `level` of the call stack (0 is the running one), or of its
/// caller when that is a C function.
///
/// # Safety
/// `lua` is live; the result is used only while that function is on the call stack. Stack: 0.
/// Does not raise.
pub(crate) unsafe fn location<'a>(lua: *mut lua_State, level: c_int) -> Option<Location<'a>> {
    // SAFETY: by contract.
    unsafe {
        let mut frame = ffi::frame(lua, level)?;
        if frame.native {
            frame = ffi::frame(lua, level + 1)?;
        }
        Some(Location { source: frame.source.to_bytes(), line: i64::from(frame.line) })
    }
}

/// Drops what is above `index`.
///
/// # Safety
/// There are so many values or more. Stack as said. Neither raises nor allocates.
#[inline]
unsafe fn cut(lua: *mut lua_State, index: c_int) {
    // SAFETY: by contract.
    unsafe {
        if layout::is_known() { layout::cut(lua, index) } else { ffi::lua_settop(lua, index) }
    }
}

/// Whether the stack may grow by `slots`: to `LUAI_MAXCSTACK` of Lua 5.1, of which newer Luas have
/// more, because how deep a value may nest shows in replies.
///
/// # Safety
/// `lua` is live; memory is not limited. Stack 0. Does not raise.
pub(crate) unsafe fn room(lua: *mut lua_State, slots: usize) -> bool {
    const LUAI_MAXCSTACK: c_int = 8000;
    let slots = c_int::try_from(slots).unwrap_or(LUAI_MAXCSTACK + 1);
    // SAFETY: by contract.
    unsafe {
        ffi::lua_gettop(lua).saturating_add(slots) <= LUAI_MAXCSTACK
            && ffi::lua_checkstack(lua, slots) != 0
    }
}
