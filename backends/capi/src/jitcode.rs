//! Compiled functions of LuaJIT: where they keep their instructions and constants, and how an
//! instruction is put together.
//!
//! Owns the layout of functions (`lj_obj.h`, with references of 64 bits) and the form of
//! instructions (`lj_bc.h`) as far as `shorten` and `tailcall` need them. As in `jit`, the library
//! is tried out before anybody relies on the layout. It must not know what a chunk is rewritten for.

use std::ffi::{c_int, c_void};
use std::{ptr, slice};

use crate::chunk::load_text;
use crate::ffi::{self, lua_State};
use crate::jit;
use crate::known::Known;

/// `GCfuncL`; its upvalues follow.
#[repr(C)]
struct Closure {
    next: *const c_void,
    marked: u8,
    kind: u8,
    /// 0 for a function of Lua.
    native: u8,
    upvalues: u8,
    environment: *const c_void,
    gray: *const c_void,
    code: *mut Word,
}

/// `GCproto`; its instructions follow, the first of which is the function's head.
#[repr(C)]
struct Proto {
    next: *const c_void,
    marked: u8,
    kind: u8,
    parameters: u8,
    frame: u8,
    code_len: u32,
    unused: u32,
    gray: *const c_void,
    /// Objects lie before it, the first one next to it, numbers behind it.
    constants: *mut Key,
    captured: *const u16,
    object_len: u32,
    number_len: u32,
    len: u32,
    upvalues: u8,
    flags: u8,
    trace: u16,
    name: *const c_void,
    lines: [u32; 2],
    debug: [*const c_void; 3],
}

/// What every object begins with.
#[repr(C)]
struct Object {
    next: *const c_void,
    marked: u8,
    kind: u8,
}

/// The type of a string (`LJ_TSTR`, inverted).
const STRING: u8 = 4;
/// The type of a [`Proto`] (`LJ_TPROTO`, inverted).
const PROTO: u8 = 7;

/// A string among the constants.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Key(*const Object);

impl Key {
    /// The string on top of the stack.
    ///
    /// # Safety
    /// The layout [`is_known`]; a string is there.
    pub(crate) unsafe fn top(lua: *mut lua_State) -> Self {
        // SAFETY: by contract; the bytes of a string follow its head.
        let bytes = unsafe { ffi::lua_tolstring(lua, -1, ptr::null_mut()) };
        Key(bytes.wrapping_byte_sub(jit::TEXT).cast())
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
        // SAFETY: by contract; the code stands behind the rest of the function.
        unsafe {
            let code = (*ffi::lua_topointer(lua, index).cast::<Closure>()).code;
            Function(code.byte_sub(size_of::<Proto>()).cast())
        }
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
        // SAFETY: `code_len` instructions follow (`at`), and nobody else changes them.
        unsafe { slice::from_raw_parts(self.0.add(1).cast(), (*self.0).code_len as usize) }
    }

    /// How many constants there are, numbers aside.
    pub(crate) fn constant_len(&self) -> usize {
        // SAFETY: the function is alive (`at`).
        unsafe { (*self.0).object_len as usize }
    }

    /// A constant, other than a number.
    fn constant(&self, at: usize) -> Option<Key> {
        // SAFETY: `object_len` objects lie before `constants`.
        (at < self.constant_len()).then(|| unsafe { *(*self.0).constants.sub(at + 1) })
    }

    /// A constant that is a string.
    pub(crate) fn text(&self, at: usize) -> Option<&[u8]> {
        let Key(object) = self.constant(at)?;
        // SAFETY: constants are alive as long as their function.
        unsafe { ((*object).kind == STRING).then(|| jit::text(object.cast())) }
    }

    /// The functions in it.
    pub(crate) fn children(&self) -> impl Iterator<Item = Function> {
        let objects = (0..self.constant_len()).filter_map(|at| self.constant(at));
        // SAFETY: as for `text`; what has the type of a proto is one.
        let protos = objects.filter(|object| unsafe { (*object.0).kind == PROTO });
        protos.map(|object| Function(object.0.cast_mut().cast()))
    }

    /// Puts another instruction in a place.
    pub(crate) fn set_code(&mut self, at: usize, word: Word) {
        if at < self.code().len() {
            // SAFETY: within the instructions.
            unsafe { *self.0.add(1).cast::<Word>().add(at) = word };
        }
    }

    /// Puts another constant in a place.
    ///
    /// # Safety
    /// The value stays reachable from elsewhere: the collector is not told.
    pub(crate) unsafe fn set_constant(&mut self, at: usize, value: Key) {
        if at < self.constant_len() {
            // SAFETY: within the objects.
            unsafe { *(*self.0).constants.sub(at + 1) = value };
        }
    }
}

/// An instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Word(pub(crate) u32);

/// The instructions that are told apart, by their numbers.
pub(crate) mod op {
    pub(crate) const ISNEV: u8 = 5;
    pub(crate) const ISEQS: u8 = 6;
    pub(crate) const ISNES: u8 = 7;
    pub(crate) const ISNEP: u8 = 11;
    pub(crate) const ISTC: u8 = 12;
    pub(crate) const ISFC: u8 = 13;
    pub(crate) const IST: u8 = 14;
    pub(crate) const ISF: u8 = 15;
    pub(crate) const MOV: u8 = 18;
    pub(crate) const LEN: u8 = 21;
    pub(crate) const ADDVN: u8 = 22;
    pub(crate) const MODNV: u8 = 31;
    pub(crate) const ADDVV: u8 = 32;
    pub(crate) const POW: u8 = 37;
    pub(crate) const CAT: u8 = 38;
    pub(crate) const KSTR: u8 = 39;
    pub(crate) const KCDATA: u8 = 40;
    pub(crate) const KPRI: u8 = 43;
    pub(crate) const KNIL: u8 = 44;
    pub(crate) const UGET: u8 = 45;
    pub(crate) const USETV: u8 = 46;
    pub(crate) const USETS: u8 = 47;
    pub(crate) const USETP: u8 = 49;
    pub(crate) const UCLO: u8 = 50;
    pub(crate) const FNEW: u8 = 51;
    pub(crate) const TNEW: u8 = 52;
    pub(crate) const TDUP: u8 = 53;
    pub(crate) const GGET: u8 = 54;
    pub(crate) const GSET: u8 = 55;
    pub(crate) const TGETV: u8 = 56;
    pub(crate) const TGETS: u8 = 57;
    pub(crate) const TGETB: u8 = 58;
    pub(crate) const TGETR: u8 = 59;
    pub(crate) const TSETV: u8 = 60;
    pub(crate) const TSETS: u8 = 61;
    pub(crate) const TSETB: u8 = 62;
    pub(crate) const TSETR: u8 = 64;
    pub(crate) const CALLM: u8 = 65;
    pub(crate) const CALL: u8 = 66;
    pub(crate) const CALLMT: u8 = 67;
    pub(crate) const CALLT: u8 = 68;
    pub(crate) const VARG: u8 = 71;
    pub(crate) const RETM: u8 = 73;
    pub(crate) const JMP: u8 = 88;
    /// A call is its tail call less this.
    pub(crate) const TAIL: u8 = 2;
    /// Instructions whose second operand is the distance of a jump.
    pub(crate) const JUMPS: [u8; 11] = [UCLO, 72, 77, 78, 79, 80, 82, 83, 85, 86, JMP];
    /// Instructions that write the register in their first operand, `MOV` to `KNIL`.
    pub(crate) const WRITES: std::ops::RangeInclusive<u8> = MOV..=KNIL;
    /// The same among the table instructions, `TNEW` to `TGETR` less `GSET`.
    pub(crate) const READS: [u8; 7] = [TNEW, TDUP, GGET, TGETV, TGETS, TGETB, TGETR];
}

/// What is added to the distance of a jump.
pub(crate) const BIAS: u32 = 0x8000;

impl Word {
    /// An instruction with a register and a long operand.
    pub(crate) fn new(op: u8, a: u32, d: u32) -> Self {
        Word(u32::from(op) | a << 8 | d << 16)
    }

    /// A jump to the next instruction.
    pub(crate) fn nothing() -> Self {
        Word::new(op::JMP, 0, BIAS)
    }

    /// Reads a global into a register.
    pub(crate) fn global(register: u32, constant: usize) -> Self {
        Word::new(op::GGET, register, constant as u32)
    }

    pub(crate) fn op(self) -> u8 {
        self.0 as u8
    }

    pub(crate) fn a(self) -> u32 {
        self.0 >> 8 & 0xff
    }

    pub(crate) fn b(self) -> u32 {
        self.0 >> 24
    }

    pub(crate) fn c(self) -> u32 {
        self.0 >> 16 & 0xff
    }

    /// C and B as one.
    pub(crate) fn d(self) -> u32 {
        self.0 >> 16
    }

    /// Whether the word after this one is no instruction: there are no such words here.
    pub(crate) fn has_operand_behind(self) -> bool {
        false
    }

    /// Whether it sets a global.
    pub(crate) fn sets_global(self) -> bool {
        self.op() == op::GSET
    }

    /// Register and name, if it reads a global.
    pub(crate) fn reads_global(self) -> Option<(u32, usize)> {
        (self.op() == op::GGET).then(|| (self.a(), self.d() as usize))
    }

    /// The name, if it reads a field of the table in a register into that register.
    pub(crate) fn reads_field(self, register: u32) -> Option<usize> {
        let reads = self.op() == op::TGETS && (self.a(), self.b()) == (register, register);
        reads.then(|| self.c() as usize)
    }

    /// Whether it calls the function in a register.
    pub(crate) fn calls(self, register: u32) -> bool {
        (op::CALLM..=op::CALLT).contains(&self.op()) && self.a() == register
    }

    /// Where it may go on from the place `at`, other than behind itself.
    pub(crate) fn target(self, at: usize) -> Option<usize> {
        match self.op() {
            0..=op::ISF => Some(at + 2),
            jump if op::JUMPS.contains(&jump) => {
                (at as i64 + 1 + i64::from(self.d()) - i64::from(BIAS)).try_into().ok()
            }
            _ => None,
        }
    }

    /// The constants among its operands, numbers aside.
    pub(crate) fn constants(self) -> impl Iterator<Item = usize> {
        let constant = match self.op() {
            op::ISEQS
            | op::ISNES
            | op::KSTR
            | op::KCDATA
            | op::USETS
            | op::FNEW
            | op::TDUP
            | op::GGET
            | op::GSET => Some(self.d()),
            op::TGETS | op::TSETS => Some(self.c()),
            _ => None,
        };
        constant.into_iter().map(|at| at as usize)
    }

    /// Whether it may read or write a register, or is not one that stands within an expression.
    pub(crate) fn touches(self, register: u32) -> bool {
        let (a, b, c, d) = (self.a(), self.b(), self.c(), self.d());
        let at_a = a == register;
        match self.op() {
            0..=op::ISNEV | op::ISTC | op::ISFC | op::MOV..=op::LEN => at_a || d == register,
            op::ISEQS..=op::ISNEP | op::KSTR..=op::KPRI => at_a,
            op::UGET | op::FNEW..=op::GSET => at_a,
            op::IST | op::ISF | op::USETV => d == register,
            op::USETS..=op::USETP | op::JMP => false,
            op::ADDVN..=op::MODNV | op::TGETS | op::TGETB | op::TSETS | op::TSETB => {
                at_a || b == register
            }
            op::ADDVV..=op::POW | op::TGETV | op::TGETR | op::TSETV | op::TSETR => {
                at_a || b == register || c == register
            }
            op::CAT => at_a || (b..=c).contains(&register),
            op::KNIL => (a..=d).contains(&register),
            op::CALLM | op::CALL | op::VARG => a <= register,
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

/// Tries the layout out, once in a process, after [`jit::explore`].
///
/// # Safety
/// `lua` is live; 6 slots are free; memory is not limited. Stack 0. Does not raise.
pub(crate) unsafe fn explore(lua: *mut lua_State) {
    // SAFETY: by contract.
    KNOWN.explore(|| jit::is_known() && unsafe { agrees(lua) });
}

/// Whether a chunk of known contents looks as it should. Each step relies only on what those before
/// it have shown.
///
/// # Safety
/// As for [`explore`].
unsafe fn agrees(lua: *mut lua_State) -> bool {
    const SOURCE: &[u8] = b"return a.b('c', function() end)";
    // SAFETY: by contract. What is read lies within objects that are larger in any LuaJIT than
    // the parts read of them, behind pointers that were compared with those it gives out.
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
            if (closure.native, closure.upvalues) != (0, 0) || closure.environment != globals {
                return false;
            }
            if closure.code.is_null() {
                return false;
            }
            let function = Function::at(lua, bottom + 1);
            let proto = &*function.0;
            let lens = [proto.code_len, proto.object_len, proto.number_len];
            if proto.kind != PROTO || lens != [8, 4, 0] {
                return false;
            }
            // The order of constants is LuaJIT's affair.
            let place = |text: &[u8]| (0..4).find(|at| function.text(*at) == Some(text));
            let child = (0..4).find(|at| function.text(*at).is_none());
            let [Some(a), Some(b), Some(c), Some(child)] =
                [place(b"a"), place(b"b"), place(b"c"), child]
            else {
                return false;
            };
            let expected = [
                Word::global(0, a),
                Word(u32::from(op::TGETS) | (b as u32) << 16),
                Word::new(op::KSTR, 2, c as u32),
                Word::new(op::FNEW, 3, child as u32),
                Word::new(op::UCLO, 0, BIAS),
                Word(u32::from(op::CALL) | 3 << 16),
                Word::new(op::RETM, 0, 0),
            ];
            let mut children = function.children();
            function.code().get(1..) == Some(&expected)
                && children.next().is_some_and(|child| child.code().len() == 2)
                && children.next().is_none()
        };
        let agrees = looks_right();
        ffi::lua_settop(lua, bottom);
        agrees
    }
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;
    use crate::state::in_state;

    #[test]
    fn the_vendored_library_has_this_layout() {
        // SAFETY: a state with nothing in it, memory not limited.
        in_state(|lua| unsafe {
            jit::explore(lua);
            assert!(agrees(lua));
            assert_eq!(ffi::lua_gettop(lua), 0);
            explore(lua);
            assert!(is_known());
        });
    }

    #[test]
    fn operands_are_told_from_one_another() {
        let get = Word(u32::from(op::TGETS) | 3 << 8 | 7 << 16 | 5 << 24);
        assert_eq!(get.constants().collect::<Vec<_>>(), [7]);
        assert!(get.touches(3) && get.touches(5) && !get.touches(7));
        assert_eq!(get.reads_field(3), None);
        assert_eq!(Word(get.0 & 0x00ff_ffff | 3 << 24).reads_field(3), Some(7));
        assert_eq!(Word::nothing().target(4), Some(5));
        assert!(!Word::nothing().touches(0));
        let call = Word::new(op::CALL, 2, 0);
        assert!(call.touches(2) && call.touches(3) && !call.touches(1));
        assert!(call.calls(2) && !call.calls(3));
    }
}
