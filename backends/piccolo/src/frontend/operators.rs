//! Operators: arithmetic, concatenation, comparison, as instructions.
//!
//! Owns which of them the machine's own instructions may do and which go to a helper. Must not
//! know statements.

use piccolo::opcode::{Operation, RCIndex};
use piccolo::types::VarCount;
use smallvec::{SmallVec, smallvec};

use super::ast::{BinaryOp, Expr, Operand, UnaryOp};
use super::code::Generator;
use super::detour::Way;
use super::expr::constant;
use super::function::{Jumps, Made, reg};
use super::kinds::Kinds;
use super::names::Name;
use super::ops::Op;

impl Generator<'_> {
    pub(super) fn unary(
        &mut self,
        op: UnaryOp,
        operand: &Expr,
        line: u32,
        dest: usize,
    ) -> Made<()> {
        let free = self.f.free;
        let kinds = self.kinds(operand);
        let name = self.name(operand);
        let value = self.any(operand)?;
        self.f.at(line, &[name]);
        let (to, source) = (reg(dest), reg(value));
        match op {
            UnaryOp::Not => {
                self.f.emit(Operation::Not { dest: to, source });
            }
            UnaryOp::Minus if kinds.within(Kinds::NUMERIC) && kinds.meets(Kinds::INTEGER) => {
                // There is a minus zero.
                self.scale(source.into(), -1.0, dest)?;
            }
            UnaryOp::Minus if kinds.within(Kinds::ARITHMETIC) => {
                self.f.emit(Operation::Minus { dest: to, source });
            }
            UnaryOp::Length if kinds.within(Kinds::TABLE) || kinds.within(Kinds::STRING) => {
                self.f.emit(Operation::Length { dest: to, source });
                self.make_float(dest)?;
            }
            UnaryOp::Minus => self.op(Op::Minus, &[source.into()], 1, dest)?,
            UnaryOp::Length => self.op(Op::Length, &[source.into()], 1, dest)?,
        }
        self.f.free = free;
        Ok(())
    }

    /// Makes a double of the integer that piccolo left.
    fn make_float(&mut self, dest: usize) -> Made<()> {
        self.scale(reg(dest).into(), 1.0, dest)
    }

    /// A number as an operand: in a register when it has no place among the first constants.
    pub(super) fn number_operand(&mut self, number: f64) -> Made<RCIndex> {
        let number = self.f.number(number)?;
        match self.f.operand(number) {
            Some(operand) => Ok(operand),
            None => {
                let register = self.f.take(1)?;
                self.f.load(register, number);
                Ok(reg(register).into())
            }
        }
    }

    /// `dest = left * factor`, a double in any case.
    fn scale(&mut self, left: RCIndex, factor: f64, dest: usize) -> Made<()> {
        let free = self.f.free;
        let right = self.number_operand(factor)?;
        self.f.emit(Operation::Mul { dest: reg(dest), left, right });
        self.f.free = free;
        Ok(())
    }

    /// A chain of binary operations, from the left; those of `and` and `or` come last.
    pub(super) fn binary(&mut self, first: &Expr, rest: &[Operand], dest: usize) -> Made<()> {
        let logical = |operand: &Operand| matches!(operand.op, BinaryOp::And | BinaryOp::Or);
        let values = rest.iter().position(logical).unwrap_or(rest.len());
        let (rest, tail) = rest.split_at(values);
        self.arithmetic(first, rest, dest)?;
        for operand in tail {
            let is_true = operand.op == BinaryOp::And;
            self.f.emit(Operation::Test { value: reg(dest), is_true });
            let over = self.f.jump();
            let free = self.f.free;
            self.expr(&operand.right, dest)?;
            self.f.free = free;
            self.f.patch_here(vec![over])?;
        }
        Ok(())
    }

    /// Operations on values.
    pub(super) fn arithmetic(&mut self, first: &Expr, rest: &[Operand], dest: usize) -> Made<()> {
        let Some((operand, more)) = rest.split_first() else {
            return self.expr(first, dest);
        };
        let free = self.f.free;
        if operand.op == BinaryOp::Concat {
            return self.concat(first, rest, dest);
        }
        let mut value = self.facts.value(first);
        let name = self.name(first);
        let left = self.operand(first)?;
        let right = self.operand(&operand.right)?;
        self.operate(operand, (left, value.kinds, name), right, dest)?;
        value = self.facts.operation(value, operand);
        for operand in more {
            self.f.free = free;
            let right = self.operand(&operand.right)?;
            let left = (reg(dest).into(), value.kinds, Name::NONE);
            self.operate(operand, left, right, dest)?;
            value = self.facts.operation(value, operand);
        }
        self.f.free = free;
        Ok(())
    }

    /// Joins strings; the grammar reads `..` from the right, so that there is one more operand
    /// and perhaps another chain inside it.
    pub(super) fn concat(&mut self, first: &Expr, rest: &[Operand], dest: usize) -> Made<()> {
        let free = self.f.free;
        let base = self.f.take(1)?;
        let mut names = vec![self.name(first)];
        let mut short = Short::default();
        let register = self.next(first)?;
        short.add(first, self.kinds(first), register);
        let mut chain = rest;
        let mut line = self.f.line;
        while let Some(operand) = chain.first() {
            line = operand.line;
            let (next, inner) = match &operand.right {
                Expr::Binary { first, rest }
                    if names.len() < 150 && rest.iter().all(|o| o.op == BinaryOp::Concat) =>
                {
                    (&**first, rest.as_slice())
                }
                whole => (whole, &[][..]),
            };
            names.push(self.name(next));
            let register = self.next(next)?;
            short.add(next, self.kinds(next), register);
            chain = inner;
        }
        self.f.at(line, &names);
        let count = names.len();
        if self.guards && short.is_good() {
            let mut longs = Vec::new();
            for register in short.registers {
                self.measure(register, &mut longs)?;
            }
            let (to, source) = (reg(dest), reg(base + 1));
            let operands = u8::try_from(count).unwrap_or(0);
            self.f.emit(Operation::Concat { dest: to, source, count: operands });
            self.detour(longs, Way::Gathered(Op::Concat, base, count, dest));
        } else {
            self.load_op(Op::Concat, base)?;
            self.call_at(base, constant(count), VarCount::constant(1));
            self.move_to(dest, base);
        }
        self.f.free = free;
        // What binds as tightly cannot follow, but comparisons can.
        let after = rest.get(1..).unwrap_or_default();
        let mut kinds = Kinds::ANY;
        for operand in after {
            self.f.free = free;
            let right = self.operand(&operand.right)?;
            self.operate(operand, (reg(dest).into(), kinds, Name::NONE), right, dest)?;
            kinds = Kinds::BOOLEAN;
        }
        self.f.free = free;
        Ok(())
    }

    /// Whether the string in a register is short; the jump is taken when it is not.
    fn measure(&mut self, register: usize, longs: &mut Jumps) -> Made<()> {
        let scratch = self.f.take(1)?;
        let right = self.number_operand(SHORT as f64)?;
        self.f.emit(Operation::Length { dest: reg(scratch), source: reg(register) });
        self.f.emit(Operation::Less { skip_if: true, left: reg(scratch).into(), right });
        longs.push(self.f.jump());
        self.f.free = scratch;
        Ok(())
    }

    /// One operation on evaluated operands.
    pub(super) fn operate(
        &mut self,
        operand: &Operand,
        (left, kinds, name): (RCIndex, Kinds, Name),
        right: RCIndex,
        dest: usize,
    ) -> Made<()> {
        let names = [name, self.name(&operand.right)];
        let others = self.kinds(&operand.right);
        self.f.at(operand.line, &names);
        if let Some(test) = self.comparison(operand.op, (left, kinds), (right, others))? {
            match test {
                Test::Skip => {
                    self.boolean(dest, false, true);
                    self.boolean(dest, true, false);
                }
                Test::Value(register) => self.move_to(dest, register),
            }
            return Ok(());
        }
        let op = match operand.op {
            BinaryOp::Add => Op::Add,
            BinaryOp::Sub => Op::Sub,
            BinaryOp::Mul => Op::Mul,
            BinaryOp::Div => Op::Div,
            BinaryOp::Pow => Op::Pow,
            BinaryOp::Concat => return self.op(Op::Concat, &[left, right], 1, dest),
            _ => Op::Mod,
        };
        let direct = self.guardable(left, kinds, Kinds::NUMERIC)
            && self.guardable(right, others, Kinds::NUMERIC);
        if !direct {
            return self.op(op, &[left, right], 1, dest);
        }
        let mut nils = Vec::new();
        self.guard(left, kinds, &mut nils);
        self.guard(right, others, &mut nils);
        let (given, to) = (left, reg(dest));
        let mut left = left;
        if kinds.meets(Kinds::INTEGER) && others.meets(Kinds::INTEGER) {
            let double = self.f.take(1)?;
            self.scale(left, 1.0, double)?;
            left = reg(double).into();
        }
        match op {
            Op::Add => self.f.emit(Operation::Add { dest: to, left, right }),
            Op::Sub => self.f.emit(Operation::Sub { dest: to, left, right }),
            Op::Mul => self.f.emit(Operation::Mul { dest: to, left, right }),
            Op::Div => self.f.emit(Operation::Div { dest: to, left, right }),
            Op::Pow => self.f.emit(Operation::Pow { dest: to, left, right }),
            _ => self.modulo(left, right, dest)?,
        };
        self.detour(nils, Way::Result(op, smallvec![given, right], dest));
        Ok(())
    }

    /// `a - floor(a / b) * b`, which is what Lua 5.1 means by `%` (`luai_nummod`).
    fn modulo(&mut self, left: RCIndex, right: RCIndex, dest: usize) -> Made<usize> {
        let free = self.f.free;
        let scratch = self.f.take(1)?;
        let to = reg(scratch);
        self.f.emit(Operation::IDiv { dest: to, left, right });
        self.f.emit(Operation::Mul { dest: to, left: to.into(), right });
        let last = self.f.emit(Operation::Sub { dest: reg(dest), left, right: to.into() });
        self.f.free = free;
        Ok(last)
    }

    /// Code for a comparison; `None` when the operation is none.
    pub(super) fn comparison(
        &mut self,
        op: BinaryOp,
        one: (RCIndex, Kinds),
        other: (RCIndex, Kinds),
    ) -> Made<Option<Test>> {
        let (less, (left, kinds), (right, others)) = match op {
            BinaryOp::Equal | BinaryOp::NotEqual => {
                let skip_if = op == BinaryOp::Equal;
                self.f.emit(Operation::Eq { skip_if, left: one.0, right: other.0 });
                return Ok(Some(Test::Skip));
            }
            BinaryOp::Less => (true, one, other),
            BinaryOp::LessEqual => (false, one, other),
            BinaryOp::Greater => (true, other, one),
            BinaryOp::GreaterEqual => (false, other, one),
            _ => return Ok(None),
        };
        let direct = [Kinds::NUMERIC, Kinds::STRING]
            .into_iter()
            .any(|good| self.guardable(left, kinds, good) && self.guardable(right, others, good));
        let op = if less { Op::Less } else { Op::LessEqual };
        if direct {
            let mut nils = Vec::new();
            self.guard(left, kinds, &mut nils);
            self.guard(right, others, &mut nils);
            let skip_if = true;
            self.f.emit(if less {
                Operation::Less { skip_if, left, right }
            } else {
                Operation::LessEq { skip_if, left, right }
            });
            self.detour(nils, Way::Skip(op, smallvec![left, right]));
            return Ok(Some(Test::Skip));
        }
        let base = self.f.free;
        self.op(op, &[left, right], 1, base)?;
        self.f.ensure(base + 1)?;
        Ok(Some(Test::Value(base)))
    }
}

/// How long a string may be for piccolo to join it: the host cannot look at the memory meanwhile.
const SHORT: usize = 1024;

/// Operands of a concatenation that are strings, none of them long.
#[derive(Default)]
struct Short {
    operands: usize,
    /// Bytes of constants.
    fixed: usize,
    /// Registers of those whose length is known when the code runs.
    registers: SmallVec<[usize; 2]>,
    other: bool,
}

impl Short {
    fn add(&mut self, expr: &Expr, kinds: Kinds, register: usize) {
        self.operands += 1;
        match expr {
            Expr::String(text) => self.fixed += text.len(),
            _ if kinds == Kinds::STRING => self.registers.push(register),
            _ => self.other = true,
        }
    }

    fn is_good(&self) -> bool {
        !self.other && self.operands <= 8 && self.fixed <= SHORT && self.registers.len() <= 2
    }
}

/// How a comparison says whether it holds.
pub(super) enum Test {
    /// It skips the next instruction when it holds.
    Skip,
    /// As a boolean in a register.
    Value(usize),
}
