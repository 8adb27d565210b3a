//! Compiled functions of Lua 5.1.5: where they keep their instructions and constants, and how an
//! instruction is put together.
//!
//! Owns the layout of functions (`lobject.h`) and the form of instructions (`lopcodes.h`) as far as
//! `shorten` needs them. As in `layout`, the library is tried out before anybody relies on it. It
//! must not know what a chunk is rewritten for.

use std::ffi::{c_int, c_void};
use std::slice;

use crate::ffi::{self, lua_State};
use crate::known::Known;
use crate::layout::{self, Slot};
use crate::source::load_text;

/// `LClosure`; its upvalues follow.
#[repr(C)]
struct Closure {
    next: *const c_void,
    kind: u8,
    marked: u8,
    native: u8,
    upvalues: u8,
    gray: *const c_void,
    environment: *const c_void,
    proto: *mut Proto,
}

/// The beginning of a `Proto`.
#[repr(C)]
struct Proto {
    next: *const c_void,
    kind: u8,
    marked: u8,
    constants: *mut Slot,
    code: *mut Word,
    children: *const *mut Proto,
    lines: *const c_int,
    locals: *const c_void,
    upvalues: *const c_void,
    source: *const c_void,
    upvalue_len: c_int,
    constant_len: c_int,
    code_len: c_int,
    line_len: c_int,
    child_len: c_int,
}

/// The type of a `Proto`, which is no value (`LUA_TPROTO`).
const PROTO: u8 = 9;

/// A string among the constants.
#[derive(Clone, Copy)]
pub(crate) struct Key(Slot);

impl Key {
    /// The string on top of the stack.
    ///
    /// # Safety
    /// The layout [`is_known`]; a string is there.
    pub(crate) unsafe fn top(lua: *mut lua_State) -> Self {
        // SAFETY: by contract.
        unsafe { Key(*layout::slot(lua, ffi::lua_gettop(lua))) }
    }
}

/// A compiled function, whose chunk is on the stack.
#[derive(Clone, Copy)]
pub(crate) struct Function(*mut Proto);

impl Function {
    /// The function at a stack index.
    ///
    /// # Safety
    /// The layout [`is_known`] and a Lua function is at `index`, where it stays while the result is
    /// used.
    pub(crate) unsafe fn at(lua: *mut lua_State, index: c_int) -> Self {
        // SAFETY: by contract.
        unsafe { Function((*ffi::lua_topointer(lua, index).cast::<Closure>()).proto) }
    }

    /// The environment of the function at a stack index, as `lua_topointer` shows it.
    ///
    /// # Safety
    /// As for [`at`](Self::at).
    pub(crate) unsafe fn environment(lua: *mut lua_State, index: c_int) -> *const c_void {
        // SAFETY: by contract.
        unsafe { (*ffi::lua_topointer(lua, index).cast::<Closure>()).environment }
    }

    /// Its instructions.
    pub(crate) fn code(&self) -> &[Word] {
        // SAFETY: `code_len` instructions are at `code` (`at`), and nobody else changes them.
        unsafe { part((*self.0).code, (*self.0).code_len) }
    }

    /// How many constants there are.
    pub(crate) fn constant_len(&self) -> usize {
        self.constants().len()
    }

    /// A constant that is a string.
    pub(crate) fn text(&self, at: usize) -> Option<&[u8]> {
        let constant = self.constants().get(at)?;
        // SAFETY: constants are alive as long as their function.
        (constant.kind == ffi::LUA_TSTRING).then(|| unsafe { layout::text(constant) })
    }

    /// Its constants.
    fn constants(&self) -> &[Slot] {
        // SAFETY: `constant_len` values are at `constants` (`at`).
        unsafe { part((*self.0).constants, (*self.0).constant_len) }
    }

    /// The functions in it.
    pub(crate) fn children(&self) -> impl Iterator<Item = Function> {
        // SAFETY: `child_len` pointers are at `children` (`at`).
        unsafe { part((*self.0).children, (*self.0).child_len) }.iter().copied().map(Function)
    }

    /// Puts another instruction in a place.
    pub(crate) fn set_code(&mut self, at: usize, word: Word) {
        if at < self.code().len() {
            // SAFETY: within the instructions.
            unsafe { *(*self.0).code.add(at) = word };
        }
    }

    /// Puts another constant in a place.
    ///
    /// # Safety
    /// The value stays reachable from elsewhere: the collector is not told.
    pub(crate) unsafe fn set_constant(&mut self, at: usize, value: Key) {
        if at < self.constants().len() {
            // SAFETY: within the constants.
            unsafe { *(*self.0).constants.add(at) = value.0 };
        }
    }
}

/// # Safety
/// `len` values are at `from`, unless it is not positive, and live as long as `'a`.
unsafe fn part<'a, T>(from: *const T, len: c_int) -> &'a [T] {
    match usize::try_from(len) {
        // SAFETY: by contract.
        Ok(len) if len > 0 && !from.is_null() => unsafe { slice::from_raw_parts(from, len) },
        _ => &[],
    }
}

/// An instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Word(u32);

/// The instructions that are told apart, by their numbers.
pub(crate) mod op {
    pub(crate) const MOVE: u32 = 0;
    pub(crate) const LOADK: u32 = 1;
    pub(crate) const LOADBOOL: u32 = 2;
    pub(crate) const LOADNIL: u32 = 3;
    pub(crate) const GETUPVAL: u32 = 4;
    pub(crate) const GETGLOBAL: u32 = 5;
    pub(crate) const GETTABLE: u32 = 6;
    pub(crate) const SETGLOBAL: u32 = 7;
    pub(crate) const SETUPVAL: u32 = 8;
    pub(crate) const SETTABLE: u32 = 9;
    pub(crate) const NEWTABLE: u32 = 10;
    pub(crate) const SELF: u32 = 11;
    pub(crate) const ADD: u32 = 12;
    pub(crate) const POW: u32 = 17;
    pub(crate) const UNM: u32 = 18;
    pub(crate) const LEN: u32 = 20;
    pub(crate) const CONCAT: u32 = 21;
    pub(crate) const JMP: u32 = 22;
    pub(crate) const EQ: u32 = 23;
    pub(crate) const LE: u32 = 25;
    pub(crate) const TEST: u32 = 26;
    pub(crate) const TESTSET: u32 = 27;
    pub(crate) const CALL: u32 = 28;
    pub(crate) const TAILCALL: u32 = 29;
    pub(crate) const FORLOOP: u32 = 31;
    pub(crate) const FORPREP: u32 = 32;
    pub(crate) const TFORLOOP: u32 = 33;
    pub(crate) const SETLIST: u32 = 34;
    pub(crate) const CLOSURE: u32 = 36;
    pub(crate) const VARARG: u32 = 37;
}

/// What is added to the distance of a jump.
const BIAS: u32 = (1 << 17) - 1;
/// The bit that makes an operand a constant.
const CONSTANT: u32 = 1 << 8;

impl Word {
    /// An instruction with a register and a long operand.
    pub(crate) fn new(op: u32, a: u32, bx: u32) -> Self {
        Word(op | a << 6 | bx << 14)
    }

    /// A jump to the next instruction.
    pub(crate) fn nothing() -> Self {
        Word::new(op::JMP, 0, BIAS)
    }

    /// Reads a global into a register.
    pub(crate) fn global(register: u32, constant: usize) -> Self {
        Word::new(op::GETGLOBAL, register, constant as u32)
    }

    /// Whether it sets a global.
    pub(crate) fn sets_global(self) -> bool {
        self.op() == op::SETGLOBAL
    }

    /// Register and name, if it reads a global.
    pub(crate) fn reads_global(self) -> Option<(u32, usize)> {
        (self.op() == op::GETGLOBAL).then(|| (self.a(), self.bx() as usize))
    }

    /// The name, if it reads a field of the table in a register into that register.
    pub(crate) fn reads_field(self, register: u32) -> Option<usize> {
        let reads = self.op() == op::GETTABLE && (self.a(), self.b()) == (register, register);
        if reads { self.constants().next() } else { None }
    }

    /// Whether it calls the function in a register.
    pub(crate) fn calls(self, register: u32) -> bool {
        matches!(self.op(), op::CALL | op::TAILCALL) && self.a() == register
    }

    pub(crate) fn op(self) -> u32 {
        self.0 & 0x3f
    }

    pub(crate) fn a(self) -> u32 {
        self.0 >> 6 & 0xff
    }

    pub(crate) fn b(self) -> u32 {
        self.0 >> 23
    }

    pub(crate) fn c(self) -> u32 {
        self.0 >> 14 & 0x1ff
    }

    /// B and C as one.
    pub(crate) fn bx(self) -> u32 {
        self.0 >> 14
    }

    /// Whether the word after this one is no instruction.
    pub(crate) fn has_operand_behind(self) -> bool {
        self.op() == op::SETLIST && self.c() == 0
    }

    /// Where it may go on from the place `at`, other than behind itself.
    pub(crate) fn target(self, at: usize) -> Option<usize> {
        match self.op() {
            op::JMP | op::FORLOOP | op::FORPREP => {
                (at as i64 + 1 + i64::from(self.bx()) - i64::from(BIAS)).try_into().ok()
            }
            op::LOADBOOL if self.c() == 0 => None,
            op::LOADBOOL | op::EQ..=op::TESTSET | op::TFORLOOP => Some(at + 2),
            _ => None,
        }
    }

    /// The constants among its operands.
    pub(crate) fn constants(self) -> impl Iterator<Item = usize> {
        let short = |operand: u32| (operand & CONSTANT != 0).then_some(operand & !CONSTANT);
        let (first, second) = match self.op() {
            op::LOADK | op::GETGLOBAL | op::SETGLOBAL => (Some(self.bx()), None),
            op::GETTABLE | op::SELF => (None, short(self.c())),
            op::SETTABLE | op::ADD..=op::POW | op::EQ..=op::LE => {
                (short(self.b()), short(self.c()))
            }
            _ => (None, None),
        };
        first.into_iter().chain(second).map(|at| at as usize)
    }

    /// Whether it may read or write a register, or is not one that stands within an expression.
    pub(crate) fn touches(self, register: u32) -> bool {
        let (a, b, c) = (self.a(), self.b(), self.c());
        let at_a = a == register;
        match self.op() {
            op::LOADK | op::LOADBOOL | op::GETUPVAL | op::GETGLOBAL | op::SETUPVAL => at_a,
            op::NEWTABLE | op::TEST | op::CLOSURE => at_a,
            op::MOVE | op::UNM..=op::LEN | op::TESTSET => at_a || b == register,
            op::LOADNIL => (a..=b).contains(&register),
            op::GETTABLE | op::SETTABLE | op::ADD..=op::POW => {
                at_a || b == register || c == register
            }
            op::SELF => at_a || a + 1 == register || b == register || c == register,
            op::CONCAT => at_a || (b..=c).contains(&register),
            op::JMP => false,
            op::EQ..=op::LE => b == register || c == register,
            op::CALL | op::VARARG => a <= register,
            op::SETLIST => a <= register || c == 0,
            _ => true,
        }
    }
}

/// Whether the library is laid out so.
static KNOWN: Known = Known::new();

/// Whether compiled functions may be looked at.
pub(crate) fn is_known() -> bool {
    KNOWN.holds()
}

/// Tries the layout out, once in a process, after [`layout::explore`].
///
/// # Safety
/// `lua` is live; 6 slots are free; memory is not limited. Stack 0. Does not raise.
pub(crate) unsafe fn explore(lua: *mut lua_State) {
    // SAFETY: by contract.
    KNOWN.explore(|| layout::is_known() && unsafe { agrees(lua) });
}

/// Whether a chunk of known contents looks as it should. Each step relies only on what those before
/// it have shown.
///
/// # Safety
/// As for [`explore`].
unsafe fn agrees(lua: *mut lua_State) -> bool {
    const SOURCE: &[u8] = b"return a.b(1, function() end)";
    // SAFETY: by contract. What is read lies within objects that are larger in any Lua 5.1 than
    // the parts read of them, behind pointers that were compared with those Lua gives out.
    unsafe {
        let bottom = ffi::lua_gettop(lua);
        let status = load_text(lua, SOURCE.as_ptr().cast(), SOURCE.len(), c"=".as_ptr());
        ffi::push_globals(lua);
        let looks_right = || {
            if status != 0 {
                return false;
            }
            let closure = &*ffi::lua_topointer(lua, bottom + 1).cast::<Closure>();
            let globals = ffi::lua_topointer(lua, bottom + 2);
            if closure.native != 0 || closure.upvalues != 0 || closure.environment != globals {
                return false;
            }
            if closure.proto.is_null() || (*closure.proto).kind != PROTO {
                return false;
            }
            let proto = &*closure.proto;
            let lens = [proto.upvalue_len, proto.constant_len, proto.code_len, proto.line_len];
            if lens != [0, 3, 7, 7] || proto.child_len != 1 {
                return false;
            }
            let function = Function(closure.proto);
            let expected = [
                Word::new(op::GETGLOBAL, 0, 0),
                Word(op::GETTABLE | (CONSTANT | 1) << 14),
                Word::new(op::LOADK, 1, 2),
                Word::new(op::CLOSURE, 2, 0),
                Word(op::TAILCALL | 3 << 23),
            ];
            let [a, b, one] = function.constants() else { return false };
            let mut children = function.children();
            function.code().starts_with(&expected)
                && (a.kind, b.kind, one.kind)
                    == (ffi::LUA_TSTRING, ffi::LUA_TSTRING, ffi::LUA_TNUMBER)
                && (layout::text(a), layout::text(b), layout::number(one)) == (b"a", b"b", 1.0)
                && children
                    .next()
                    .is_some_and(|child| (*child.0).kind == PROTO && child.code().len() == 1)
        };
        let agrees = looks_right();
        ffi::lua_settop(lua, bottom);
        agrees
    }
}

#[cfg(all(test, target_pointer_width = "64"))]
mod tests {
    use super::*;
    use crate::state::in_state;

    #[test]
    fn the_vendored_library_has_this_layout() {
        // SAFETY: a state with nothing in it, memory not limited.
        in_state(|lua| unsafe {
            layout::explore(lua);
            assert!(agrees(lua));
            assert_eq!(ffi::lua_gettop(lua), 0);
            explore(lua);
            assert!(is_known());
        });
    }

    #[test]
    fn operands_are_told_from_one_another() {
        let get = Word(op::GETTABLE | 3 << 6 | (CONSTANT | 7) << 14 | 5 << 23);
        assert_eq!(get.constants().collect::<Vec<_>>(), [7]);
        assert!(get.touches(3) && get.touches(5) && !get.touches(7));
        assert_eq!(Word::nothing().target(4), Some(5));
        assert!(!Word::nothing().touches(0));
        assert_eq!(Word::new(op::LOADK, 2, 9).constants().collect::<Vec<_>>(), [9]);
        let call = Word(op::CALL | 2 << 6);
        assert!(call.touches(2) && call.touches(3) && !call.touches(1));
    }
}
