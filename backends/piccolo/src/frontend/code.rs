//! From the tree of a chunk to piccolo's instructions: functions, upvalues and what every part
//! of the generator uses.
//!
//! Owns the frame of each function: parameters, the count of nested calls, the way upvalues come
//! in from outside. It must not know statements or expressions: those are in `stat` and `expr`.

use piccolo::opcode::{Operation, RCIndex};
use piccolo::types::{UpValueDescriptor, UpValueIndex, VarCount};
use redlua_core::CompileError;
use smallvec::SmallVec;

use super::ast::{Expr, Function, Tree, VarId};
use super::chunkid::long_source;
use super::detour::Way;
use super::facts::{Count, Facts};
use super::function::{FunctionCode, Made, Prototype, Source, TooBig, reg};
use super::kinds::{Kinds, Value};
use super::names::{Name, NameKind};
use super::ops::Op;

/// Calls of Lua functions inside one another (`luaD_growCI`: the frames double until they pass `LUAI_MAXCALLS`).
const MAX_CALLS: i64 = 16_382;

/// Compiles a chunk.
///
/// # Errors
/// The message of Lua's compiler.
pub(super) fn generate(
    tree: &Tree,
    name: &[u8],
    facts: &Facts<'_>,
) -> Result<Prototype, CompileError> {
    // Detours lie behind the end of a function, which jumps may not reach.
    let made = attempt(tree, facts, true).or_else(|_| attempt(tree, facts, false));
    made.map_err(|(TooBig(what), line)| {
        let line = line.to_string();
        let parts: [&[u8]; 5] = [&long_source(name), b":", line.as_bytes(), b": ", what.as_bytes()];
        CompileError::syntax(parts.concat())
    })
}

/// Compiles a chunk, with detours or without; what goes wrong has a line.
fn attempt(tree: &Tree, facts: &Facts<'_>, guards: bool) -> Result<Prototype, (TooBig, u32)> {
    let f = FunctionCode::default();
    let mut generator = Generator { facts, guards, outer: Vec::new(), f };
    generator.function(&tree.main).map_err(|error| (error, generator.f.line))
}

pub(super) struct Generator<'a> {
    pub(super) facts: &'a Facts<'a>,
    /// Whether there may be detours.
    pub(super) guards: bool,
    /// The functions around the present one, outermost first.
    outer: Vec<FunctionCode>,
    /// The function whose code is being made.
    pub(super) f: FunctionCode,
}

impl Generator<'_> {
    /// Counts a part of the chunk; an error once nobody wants the chunk any more.
    pub(super) fn go_on(&self) -> Made<()> {
        if self.facts.world.wanted.tick() { Err(TooBig("given up")) } else { Ok(()) }
    }

    fn function(&mut self, function: &Function) -> Made<Prototype> {
        self.f.line = function.line.max(1);
        self.f.at(function.line.max(1), &[]);
        let count = self.facts.sites.get(function.site.0).map_or(Count::Shared, |s| s.count);
        let given = if count == Count::Given { Some(self.f.take(1)?) } else { None };
        for &param in &function.params {
            let register = self.f.take(1)?;
            self.bind(param, register);
        }
        if let Some((arg, filled)) = function.arg {
            let register = self.f.take(1)?;
            if filled {
                self.load_op(Op::Arg, register)?;
                let dest = reg(register + 1);
                self.f.ensure(register + 2)?;
                self.f.emit(Operation::VarArgs { dest, count: VarCount::variable() });
                self.call_at(register, VarCount::variable(), VarCount::constant(1));
            } else {
                self.f.emit(Operation::LoadNil { dest: reg(register), count: 1 });
            }
            self.bind(arg, register);
        }
        match given {
            Some(register) => self.check_depth(register)?,
            None if count == Count::Shared => self.count_depth()?,
            None => {}
        }
        self.statements(&function.body)?;
        self.f.at(function.last_line.max(1), &[]);
        self.leave_function()?;
        self.f.emit(Operation::Return { start: reg(0), count: VarCount::constant(0) });
        self.detours()?;
        let done = std::mem::take(&mut self.f);
        let params = function.params.len() + usize::from(given.is_some());
        done.finish(function.line, params, function.vararg)
    }

    /// Makes the closure of an inner function in `dest`.
    pub(super) fn closure(&mut self, function: &Function, dest: usize) -> Made<()> {
        let outer = std::mem::take(&mut self.f);
        self.outer.push(outer);
        let made = self.function(function);
        let line = self.f.line;
        self.f = self.outer.pop().unwrap_or_default();
        let made = made.inspect_err(|_| self.f.line = line)?;
        let proto = self.f.child(made.compiled)?;
        self.f.emit(Operation::Closure { dest: reg(dest), proto });
        Ok(())
    }

    /// Counts the call in the upvalue that is shared, and refuses to nest too deeply.
    fn count_depth(&mut self) -> Made<()> {
        let register = self.f.take(1)?;
        let depth = self.upvalue(Source::Depth)?;
        self.f.emit(Operation::GetUpValue { dest: reg(register), source: depth });
        let scratch = self.f.free;
        self.f.ensure(scratch + 3)?;
        self.f.depth = Some(register);
        self.deeper(scratch)?;
        self.f.emit(Operation::SetUpValue { dest: depth, source: reg(scratch) });
        self.f.shares = true;
        self.refuse(scratch, MAX_CALLS)
    }

    /// Refuses to nest too deeply; the caller has counted.
    fn check_depth(&mut self, register: usize) -> Made<()> {
        self.f.ensure(self.f.free + 3)?;
        self.f.depth = Some(register);
        self.refuse(register, MAX_CALLS - 1)
    }

    /// Raises unless there are fewer calls than `most`.
    fn refuse(&mut self, count: usize, most: i64) -> Made<()> {
        let most = self.f.integer(most)?;
        let right = self.f.operand(most).ok_or(TooBig("constant table overflow"))?;
        let left = reg(count).into();
        self.f.emit(Operation::Less { skip_if: self.guards, left, right });
        let jump = self.f.jump();
        let scratch = self.f.free;
        if self.guards {
            self.detour(vec![jump], Way::Result(Op::Overflow, SmallVec::new(), scratch));
            return Ok(());
        }
        self.load_op(Op::Overflow, scratch)?;
        self.call_at(scratch, VarCount::constant(0), VarCount::constant(0));
        self.f.patch_here(vec![jump])
    }

    /// The count for a function that is called from the present one.
    fn deeper(&mut self, dest: usize) -> Made<()> {
        let one = self.f.integer(1)?;
        let right = match self.f.operand(one) {
            Some(right) => right,
            None => {
                self.f.load(dest, one);
                reg(dest).into()
            }
        };
        let left = reg(self.f.depth.unwrap_or(0)).into();
        self.f.emit(Operation::Add { dest: reg(dest), left, right });
        Ok(())
    }

    /// Puts the count before the arguments of a call, if the function wants it; how many
    /// arguments that makes. A function that takes the place of the present one nests no deeper.
    pub(super) fn give_depth(&mut self, callee: &Value, tail: bool) -> Made<usize> {
        if !self.facts.counts(callee, &[Count::Given]) {
            return Ok(0);
        }
        let dest = self.f.take(1)?;
        if tail {
            self.move_to(dest, self.f.depth.unwrap_or(0));
        } else {
            self.deeper(dest)?;
        }
        Ok(1)
    }

    /// Undoes [`count_depth`](Self::count_depth), before every way out.
    pub(super) fn leave_function(&mut self) -> Made<()> {
        if let Some(register) = self.f.depth
            && self.f.shares
        {
            let dest = self.upvalue(Source::Depth)?;
            self.f.emit(Operation::SetUpValue { dest, source: reg(register) });
        }
        Ok(())
    }

    /// The upvalue of the present function that is `source`, brought in through all functions
    /// around it.
    pub(super) fn upvalue(&mut self, source: Source) -> Made<UpValueIndex> {
        if let Some(known) = self.f.upvalue(source) {
            return Ok(known);
        }
        // The outermost function that must get it, whose outer one has it or owns the variable.
        let owner = |function: &FunctionCode| match source {
            Source::Var(VarId(id)) => function.registers.get(&id).copied(),
            _ => None,
        };
        let mut from = self.outer.len();
        let mut descriptor = UpValueDescriptor::Environment;
        while let Some(outer) = from.checked_sub(1).and_then(|at| self.outer.get(at)) {
            if let Some(register) = owner(outer) {
                descriptor = UpValueDescriptor::ParentLocal(reg(register));
                break;
            }
            if let Some(known) = outer.upvalue(source) {
                descriptor = UpValueDescriptor::Outer(known);
                break;
            }
            from -= 1;
        }
        for function in self.outer.iter_mut().skip(from).chain([&mut self.f]) {
            let place = u8::try_from(function.upvalues.len())
                .map_err(|_| TooBig("function has too many upvalues"))?;
            function.upvalues.push(source);
            function.descriptors.push(descriptor);
            descriptor = UpValueDescriptor::Outer(UpValueIndex(place));
        }
        self.f.upvalue(source).ok_or(TooBig("function has too many upvalues"))
    }

    /// Gives a variable a register.
    pub(super) fn bind(&mut self, VarId(id): VarId, register: usize) {
        self.f.registers.insert(id, register);
        if self.facts.vars.get(id).is_some_and(|var| var.captured) {
            self.f.captured.push(register);
        }
    }

    /// The register of a variable of the present function.
    pub(super) fn register(&self, VarId(id): VarId) -> usize {
        self.f.registers.get(&id).copied().unwrap_or(0)
    }

    pub(super) fn kinds(&self, expr: &Expr) -> Kinds {
        self.facts.value(expr).kinds
    }

    /// Puts the function of an operation into a register.
    pub(super) fn load_op(&mut self, op: Op, dest: usize) -> Made<()> {
        self.f.ensure(dest + 1)?;
        let source = self.upvalue(Source::Op(op))?;
        self.f.emit(Operation::GetUpValue { dest: reg(dest), source });
        Ok(())
    }

    pub(super) fn call_at(&mut self, func: usize, args: VarCount, returns: VarCount) {
        self.f.emit(Operation::Call { func: reg(func), args, returns });
    }

    pub(super) fn move_to(&mut self, dest: usize, source: usize) {
        if dest != source {
            self.f.emit(Operation::Move { dest: reg(dest), source: reg(source) });
        }
    }

    /// What messages call the value of an expression (`getobjname`).
    pub(super) fn name(&self, expr: &Expr) -> Name {
        let var = |VarId(id): VarId, kind| {
            self.facts.vars.get(id).map_or(Name::NONE, |var| Name::new(kind, &var.name))
        };
        match expr {
            Expr::Local(id) => var(*id, NameKind::Local),
            Expr::Upvalue(id) => var(*id, NameKind::Upvalue),
            Expr::Global(name) => Name::new(NameKind::Global, name),
            Expr::Paren(inner) => self.name(inner),
            Expr::Suffixed { suffixes, .. } => match suffixes.last() {
                Some(super::ast::Suffix::Index { key, .. }) => field_name(key),
                _ => Name::NONE,
            },
            _ => Name::NONE,
        }
    }

    /// The constant operand that an expression is, if it is one.
    pub(super) fn constant(&mut self, expr: &Expr) -> Made<Option<RCIndex>> {
        let place = match expr {
            Expr::Number(number) => self.f.number(*number)?,
            Expr::String(text) => self.f.string(text)?,
            Expr::Nil => self.f.nil()?,
            _ => return Ok(None),
        };
        Ok(self.f.operand(place))
    }
}

/// What messages call a field: its key when that is a constant string (`kname`).
pub(super) fn field_name(key: &Expr) -> Name {
    match key {
        Expr::String(name) => Name::new(NameKind::Field, name),
        _ => Name::new(NameKind::Field, b"?"),
    }
}
