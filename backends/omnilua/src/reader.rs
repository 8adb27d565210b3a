//! Reading Lua values.
//!
//! Owns [`Reader`]. It must not know what the values mean.

use std::cell::OnceCell;

use lua_types::LuaValue;
use lua_types::gc::GcRef;
use lua_types::table::LuaTable;
use redlua_core::{Arguments, Kind, Location, Scalar, ScriptId, ValueReader};
use smallvec::SmallVec;

use crate::frame::{Frame, kind_of, location};

/// What C Lua allows one function to have on its stack (`LUAI_MAXCSTACK`): conversions ask for
/// room in these terms, and how deep they get is visible to scripts.
const SLOTS: usize = 8000;

/// A [`ValueReader`] on the arguments of a call.
pub(crate) struct Reader<'a> {
    frame: &'a Frame<'a>,
    here: Place,
    /// Where the cursor was before, innermost last.
    path: SmallVec<[Place; 8]>,
    /// How many stack slots C Lua would have taken for the path.
    slots: usize,
    caller: OnceCell<Option<(Vec<u8>, i64)>>,
}

/// Where a cursor stands.
#[derive(Clone, Copy)]
struct Place {
    value: LuaValue,
    kind: Kind,
    /// The stand-in, when the value is what stands behind one.
    seen: Option<GcRef<LuaTable>>,
    /// On a pair's value: its key.
    key: LuaValue,
    /// On a pair's value: where the traversal goes on.
    position: usize,
    /// Slots taken to come here.
    cost: usize,
}

const NOWHERE: Place = Place {
    value: LuaValue::Nil,
    kind: Kind::None,
    seen: None,
    key: LuaValue::Nil,
    position: 0,
    cost: 0,
};

impl<'a> Reader<'a> {
    /// A cursor on the first argument of the frame.
    pub(crate) fn new(frame: &'a Frame<'a>) -> Self {
        let (path, caller) = (SmallVec::new(), OnceCell::new());
        let mut reader = Reader { frame, here: NOWHERE, path, slots: 0, caller };
        reader.select(0);
        reader
    }

    fn place(&self, value: LuaValue, cost: usize) -> Place {
        let place = Place { value, kind: kind_of(&value), cost, ..NOWHERE };
        let LuaValue::Table(seen) = value else { return place };
        match self.frame.shared.proxy(&seen, |proxy| proxy.real) {
            Some(real) => Place { value: LuaValue::Table(real), seen: Some(seen), ..place },
            None => place,
        }
    }

    fn descend(&mut self, value: LuaValue, cost: usize) {
        let place = self.place(value, cost);
        self.path.push(std::mem::replace(&mut self.here, place));
        self.slots += cost;
    }

    fn ascend(&mut self) {
        self.slots -= self.here.cost;
        self.here = self.path.pop().unwrap_or(NOWHERE);
    }

    fn table(&self) -> Option<&GcRef<LuaTable>> {
        match &self.here.value {
            LuaValue::Table(table) => Some(table),
            _ => None,
        }
    }
}

impl ValueReader for Reader<'_> {
    #[inline]
    fn kind(&self) -> Kind {
        self.here.kind
    }

    fn boolean(&self) -> bool {
        matches!(self.here.value, LuaValue::Bool(true))
    }

    #[inline]
    fn number(&self) -> f64 {
        number(&self.here.value)
    }

    #[inline]
    fn bytes(&self) -> &[u8] {
        match &self.here.value {
            LuaValue::Str(string) => string.as_bytes(),
            _ => &[],
        }
    }

    fn address(&self) -> usize {
        match &self.here.value {
            LuaValue::Table(_) | LuaValue::Function(_) | LuaValue::Thread(_) => {
                address(&self.frame.state.borrow(), &self.here.value)
            }
            _ => 0,
        }
    }

    fn len(&self) -> usize {
        self.table().map_or(0, |table| table.getn() as usize)
    }

    fn room(&mut self, levels: usize) -> bool {
        self.frame.below + self.frame.arguments.len() + self.slots + levels <= SLOTS
    }

    #[inline]
    fn enter_index(&mut self, index: i64) -> Kind {
        let value = self.table().map(|table| table.get_int(index)).unwrap_or_default();
        self.descend(value, 1);
        self.here.kind
    }

    #[inline]
    fn enter_field(&mut self, name: &[u8]) -> Kind {
        let value = self.table().map(|table| table.get_str_bytes(name)).unwrap_or_default();
        self.descend(value, 1);
        self.here.kind
    }

    #[inline]
    fn leave(&mut self) {
        self.ascend();
    }

    fn iterate(&mut self) {
        self.descend(LuaValue::Nil, 2);
    }

    #[inline]
    fn next(&mut self) -> bool {
        let Some(Place { value: LuaValue::Table(table), seen, .. }) = self.path.last() else {
            return false;
        };
        let from = self.here.position;
        let pair = match seen {
            Some(seen) => self.frame.shared.proxy(seen, |proxy| proxy.pair_from(from)).flatten(),
            None => pair_from(table, from),
        };
        match pair {
            Some((position, key, value)) => {
                let place = self.place(value, self.here.cost);
                self.here = Place { key, position: position + 1, ..place };
                true
            }
            None => {
                self.ascend();
                false
            }
        }
    }

    #[inline]
    fn key(&mut self) {
        self.descend(self.here.key, 1);
    }

    #[inline]
    fn pair(&self) -> (Scalar<'_>, Scalar<'_>) {
        (scalar(&self.here.key), self.look())
    }

    fn next_key(&mut self) -> bool {
        if !self.next() {
            return false;
        }
        // In the place of the value.
        self.descend(self.here.key, 0);
        true
    }

    fn stop(&mut self) {
        self.ascend();
    }
}

impl Arguments for Reader<'_> {
    fn count(&self) -> usize {
        self.frame.arguments.len()
    }

    #[inline]
    fn select(&mut self, index: usize) {
        self.path.clear();
        self.slots = 0;
        self.here = match self.frame.arguments.get(index) {
            Some(value) => self.place(*value, 0),
            None => NOWHERE,
        };
    }

    fn scalar(&self, index: usize) -> Scalar<'_> {
        self.frame.arguments.get(index).map_or(Scalar::Other(Kind::None), scalar)
    }

    fn pin(&mut self) -> Option<ScriptId> {
        if self.here.kind != Kind::Function {
            return None;
        }
        self.frame.shared.pin(&mut self.frame.state.borrow_mut(), self.here.value)
    }

    fn is_read_only(&self, index: usize) -> bool {
        match self.frame.arguments.get(index) {
            Some(LuaValue::Table(table)) => self.frame.shared.proxy(table, |_| ()).is_some(),
            _ => false,
        }
    }

    fn caller(&self) -> Option<Location<'_>> {
        let place = self.caller.get_or_init(|| location(&mut self.frame.state.borrow_mut(), 1));
        place.as_ref().map(|(source, line)| Location { source, line: *line })
    }
}

/// The first pair at or after `position` of a traversal, and where it is.
#[inline]
pub(crate) fn pair_from(
    table: &GcRef<LuaTable>,
    position: usize,
) -> Option<(usize, LuaValue, LuaValue)> {
    table.with_inner(|inner| {
        let array = inner.array.len();
        let mut at = position;
        while let Some(value) = inner.array.get(at) {
            if !value.is_nil() {
                return Some((at, LuaValue::Int(at as i64 + 1), *value));
            }
            at += 1;
        }
        let nodes = inner.node.get(at - array..)?;
        let found = nodes.iter().position(|node| !node.value.is_nil())?;
        let node = nodes.get(found)?;
        Some((at + found, node.key, node.value))
    })
}

/// What can be said of a value without descending into it.
pub(crate) fn scalar(value: &LuaValue) -> Scalar<'_> {
    match value {
        LuaValue::Int(_) | LuaValue::Float(_) => Scalar::Number(number(value)),
        LuaValue::Str(string) => Scalar::String(string.as_bytes()),
        LuaValue::Bool(value) => Scalar::Boolean(*value),
        value => Scalar::Other(kind_of(value)),
    }
}

/// The double that a number is; 0 for other values.
#[inline]
pub(crate) fn number(value: &LuaValue) -> f64 {
    match value {
        LuaValue::Float(value) => *value,
        LuaValue::Int(value) => *value as f64,
        _ => 0.0,
    }
}

/// What identifies an object; not 0.
fn address(state: &lua_vm::state::LuaState, value: &LuaValue) -> usize {
    use lua_types::closure::LuaClosure;
    match value {
        // Functions without upvalues are numbers.
        LuaValue::Function(LuaClosure::LightC(number)) => 0x0010_0000 + number * 16,
        value => lua_vm::api::value_identity_pointer(state, value).unwrap_or(1),
    }
}
