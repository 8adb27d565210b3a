//! A function while its instructions are being put together.
//!
//! Owns registers, constants, upvalues, jumps and sites. It must not know the language.

use std::collections::HashMap;
use std::rc::Rc;

use piccolo::Constant;
use piccolo::compiler::{CompiledPrototype, FunctionRef, LineNumber};
use piccolo::opcode::{OpCode, Operation, RCIndex};
use piccolo::types::{
    ConstantIndex8, ConstantIndex16, Opt254, PrototypeIndex, RegisterIndex, UpValueDescriptor,
    UpValueIndex,
};

use super::ast::VarId;
use super::detour::Detour;
use super::names::{Name, Names, Site};
use super::ops::Op;

/// `MAXSTACK` of `lparser.c`, which is also what piccolo's instructions can name.
const MAX_REGISTERS: usize = 250;

/// A compiled chunk.
#[derive(Debug)]
pub(crate) struct Prototype {
    /// For piccolo; the function's reference holds its line and the names of its sites.
    pub(crate) compiled: CompiledPrototype<Rc<[u8]>>,
    /// What the chunk's upvalues must be, in their order.
    pub(crate) upvalues: Vec<Source>,
}

/// What an upvalue is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The table of globals.
    Globals,
    /// How deeply calls are nested.
    Depth,
    /// A function of the host.
    Op(Op),
    /// A variable of an outer function.
    Var(VarId),
}

/// Why a function cannot be compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TooBig(pub(super) &'static str);

pub(super) type Made<T> = Result<T, TooBig>;

/// A place in the code that jumps will be pointed at.
pub(super) type Jumps = Vec<usize>;

/// A constant as a key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Nil,
    Number(u64),
    Integer(i64),
    String(Rc<[u8]>),
}

/// The line and the site of instructions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    line: u32,
    site: Option<Site>,
}

#[derive(Debug, Default)]
pub(super) struct FunctionCode {
    code: Vec<OpCode>,
    sites: Vec<(usize, LineNumber)>,
    site: Option<Site>,
    constants: Vec<Constant<Rc<[u8]>>>,
    known: HashMap<Key, usize>,
    pub(super) upvalues: Vec<Source>,
    pub(super) descriptors: Vec<UpValueDescriptor>,
    children: Vec<CompiledPrototype<Rc<[u8]>>>,
    pub(super) names: Names,
    /// The first register that holds nothing.
    pub(super) free: usize,
    highest: usize,
    /// Where variables live.
    pub(super) registers: HashMap<usize, usize>,
    /// Variables in sight, innermost last, that inner functions use: their registers.
    pub(super) captured: Vec<usize>,
    /// Loops around the present statement: where their variables begin, and the jumps out.
    pub(super) loops: Vec<(usize, Jumps)>,
    /// What will stand behind the end.
    pub(super) detours: Vec<Detour>,
    /// The variable that counts the rounds of the loop whose body the present statement is a part
    /// of, from 1 and one by one, and the last round as far as the text tells.
    pub(super) counter: Option<(VarId, Option<usize>)>,
    /// The register that holds the depth of calls on entry.
    pub(super) depth: Option<usize>,
    /// Whether that is the count that is shared.
    pub(super) shares: bool,
    pub(super) line: u32,
}

impl FunctionCode {
    /// Sets the site of the instructions that follow.
    pub(super) fn at(&mut self, line: u32, names: &[Name]) {
        self.line = line;
        self.site = Some(self.names.site(line, names));
    }

    /// The present site.
    pub(super) fn mark(&self) -> Mark {
        Mark { line: self.line, site: self.site }
    }

    /// Sets the site that was marked.
    pub(super) fn return_to(&mut self, mark: Mark) {
        self.line = mark.line;
        self.site = mark.site;
    }

    /// Appends an instruction; returns its place.
    pub(super) fn emit(&mut self, operation: Operation) -> usize {
        let place = self.code.len();
        let site = self.site.unwrap_or(Site(u64::from(self.line)));
        if self.sites.last().is_none_or(|(_, last)| last.0 != site.0) {
            self.sites.push((place, LineNumber(site.0)));
        }
        self.code.push(OpCode::encode(operation));
        place
    }

    /// Where the next instruction goes.
    pub(super) fn here(&self) -> usize {
        self.code.len()
    }

    /// Takes `count` registers; returns the first.
    pub(super) fn take(&mut self, count: usize) -> Made<usize> {
        let first = self.free;
        self.free += count;
        self.highest = self.highest.max(self.free);
        if self.free > MAX_REGISTERS {
            return Err(TooBig("function or expression too complex"));
        }
        Ok(first)
    }

    /// Sees to it that registers up to `end` exist.
    pub(super) fn ensure(&mut self, end: usize) -> Made<()> {
        self.highest = self.highest.max(end);
        if end > MAX_REGISTERS + 4 {
            return Err(TooBig("function or expression too complex"));
        }
        Ok(())
    }

    fn constant(&mut self, key: Key, constant: Constant<Rc<[u8]>>) -> Made<usize> {
        if let Some(&place) = self.known.get(&key) {
            return Ok(place);
        }
        let place = self.constants.len();
        if place > usize::from(u16::MAX) {
            return Err(TooBig("constant table overflow"));
        }
        self.constants.push(constant);
        self.known.insert(key, place);
        Ok(place)
    }

    pub(super) fn number(&mut self, number: f64) -> Made<usize> {
        self.constant(Key::Number(number.to_bits()), Constant::Number(number))
    }

    /// One of piccolo's integers.
    pub(super) fn integer(&mut self, number: i64) -> Made<usize> {
        self.constant(Key::Integer(number), Constant::Integer(number))
    }

    pub(super) fn string(&mut self, text: &Rc<[u8]>) -> Made<usize> {
        self.constant(Key::String(text.clone()), Constant::String(text.clone()))
    }

    pub(super) fn nil(&mut self) -> Made<usize> {
        self.constant(Key::Nil, Constant::Nil)
    }

    /// Loads a constant into a register.
    pub(super) fn load(&mut self, dest: usize, constant: usize) {
        let constant = ConstantIndex16(u16::try_from(constant).unwrap_or(u16::MAX));
        self.emit(Operation::LoadConstant { dest: reg(dest), constant });
    }

    /// The constant as an operand, when its place allows.
    pub(super) fn operand(&self, constant: usize) -> Option<RCIndex> {
        u8::try_from(constant).ok().map(|place| ConstantIndex8(place).into())
    }

    pub(super) fn child(&mut self, child: CompiledPrototype<Rc<[u8]>>) -> Made<PrototypeIndex> {
        let place = u8::try_from(self.children.len())
            .map_err(|_| TooBig("function has more than 256 functions inside"))?;
        self.children.push(child);
        Ok(PrototypeIndex(place))
    }

    /// Makes a jump whose target is not known yet.
    pub(super) fn jump(&mut self) -> usize {
        self.jump_closing(None)
    }

    pub(super) fn jump_closing(&mut self, close: Option<usize>) -> usize {
        let close = close.and_then(|register| u8::try_from(register).ok());
        let close_upvalues = Opt254::try_new(close).unwrap_or(Opt254::none());
        self.emit(Operation::Jump { offset: 0, close_upvalues })
    }

    /// Points a jump at a place.
    pub(super) fn patch(&mut self, jump: usize, target: usize) -> Made<()> {
        let distance = target as i64 - (jump as i64 + 1);
        let offset = i16::try_from(distance)
            .ok()
            .filter(|offset| *offset != i16::MIN)
            .ok_or(TooBig("control structure too long"))?;
        if let Some(code) = self.code.get_mut(jump) {
            let operation = match code.decode() {
                Operation::Jump { close_upvalues, .. } => {
                    Operation::Jump { offset, close_upvalues }
                }
                Operation::NumericForPrep { base, .. } => {
                    Operation::NumericForPrep { base, jump: offset }
                }
                Operation::NumericForLoop { base, .. } => {
                    Operation::NumericForLoop { base, jump: offset }
                }
                other => other,
            };
            *code = OpCode::encode(operation);
        }
        Ok(())
    }

    /// Points jumps at the next instruction.
    pub(super) fn patch_here(&mut self, jumps: Jumps) -> Made<()> {
        let here = self.here();
        jumps.into_iter().try_for_each(|jump| self.patch(jump, here))
    }

    /// The place of an upvalue that the function has already.
    pub(super) fn upvalue(&self, source: Source) -> Option<UpValueIndex> {
        let place = self.upvalues.iter().position(|known| *known == source)?;
        u8::try_from(place).ok().map(UpValueIndex)
    }

    /// The function as piccolo wants it.
    pub(super) fn finish(self, line: u32, params: usize, vararg: bool) -> Made<Prototype> {
        let names = Rc::from(self.names.into_bytes());
        let stack_size = u16::try_from(self.highest + 1).unwrap_or(u16::MAX);
        let fixed_params = u8::try_from(params).unwrap_or(u8::MAX);
        Ok(Prototype {
            compiled: CompiledPrototype {
                reference: FunctionRef::Named(names, LineNumber(u64::from(line))),
                fixed_params,
                has_varargs: vararg,
                stack_size,
                constants: self.constants,
                opcodes: self.code,
                opcode_line_numbers: self.sites,
                upvalues: self.descriptors,
                prototypes: self.children.into_iter().map(Box::new).collect(),
            },
            upvalues: self.upvalues,
        })
    }
}

/// A register as instructions name it; [`FunctionCode::take`] keeps the numbers small.
pub(super) fn reg(register: usize) -> RegisterIndex {
    RegisterIndex(u8::try_from(register).unwrap_or(u8::MAX))
}
