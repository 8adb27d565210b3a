//! Operators: arithmetic, concatenation, comparison, as instructions.
//!
//! Owns which of them the machine's own instructions may do and which go to a helper. Must not
//! know statements.

use piccolo::opcode::{Operation, RCIndex};
use piccolo::types::VarCount;

use super::ast::{BinaryOp, Expr, Operand, UnaryOp};
use super::code::Generator;
use super::function::{Made, reg};
use super::infer::{self, Kinds};
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
            UnaryOp::Minus if kinds.within(Kinds::ARITHMETIC) => {
                self.f.emit(Operation::Minus { dest: to, source });
            }
            UnaryOp::Length if kinds.within(Kinds::TABLE) => {
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
    pub(super) fn make_float(&mut self, dest: usize) -> Made<()> {
        let one = self.f.number(1.0)?;
        let left: RCIndex = reg(dest).into();
        match self.f.operand(one) {
            Some(right) => {
                self.f.emit(Operation::Mul { dest: reg(dest), left, right });
            }
            None => {
                let register = self.f.take(1)?;
                self.f.load(register, one);
                let right = reg(register).into();
                self.f.emit(Operation::Mul { dest: reg(dest), left, right });
                self.f.free = register;
            }
        }
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
        let mut kinds = self.kinds(first);
        let name = self.name(first);
        let left = self.operand(first)?;
        let right = self.operand(&operand.right)?;
        self.operate(operand, (left, kinds, name), right, dest)?;
        kinds = infer::binary(operand.op, kinds, self.kinds(&operand.right), &operand.right);
        for operand in more {
            self.f.free = free;
            let right = self.operand(&operand.right)?;
            let left = (reg(dest).into(), kinds, Name::NONE);
            self.operate(operand, left, right, dest)?;
            kinds = infer::binary(operand.op, kinds, self.kinds(&operand.right), &operand.right);
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
        self.next(first)?;
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
            self.next(next)?;
            chain = inner;
        }
        self.load_op(Op::Concat, base)?;
        self.f.at(line, &names);
        let count = u8::try_from(names.len()).unwrap_or(0);
        self.call_at(base, VarCount::constant(count), VarCount::constant(1));
        self.move_to(dest, base);
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

    /// One operation on evaluated operands.
    pub(super) fn operate(
        &mut self,
        operand: &Operand,
        (left, kinds, name): (RCIndex, Kinds, Name),
        right: RCIndex,
        dest: usize,
    ) -> Made<()> {
        let names = [name, self.name(&operand.right)];
        let both = kinds.or(self.kinds(&operand.right));
        self.f.at(operand.line, &names);
        if let Some(test) = self.comparison(operand.op, left, right, both)? {
            match test {
                Test::Skip => {
                    self.boolean(dest, false, true);
                    self.boolean(dest, true, false);
                }
                Test::Value(register) => self.move_to(dest, register),
            }
            return Ok(());
        }
        let numbers = both.within(Kinds::ARITHMETIC);
        let to = reg(dest);
        let operation = match operand.op {
            BinaryOp::Add => Operation::Add { dest: to, left, right },
            BinaryOp::Sub => Operation::Sub { dest: to, left, right },
            BinaryOp::Mul => Operation::Mul { dest: to, left, right },
            BinaryOp::Div => Operation::Div { dest: to, left, right },
            BinaryOp::Pow => Operation::Pow { dest: to, left, right },
            BinaryOp::Mod if numbers => return self.modulo(left, right, dest),
            BinaryOp::Concat => return self.op(Op::Concat, &[left, right], 1, dest),
            _ => return self.op(Op::Mod, &[left, right], 1, dest),
        };
        if numbers {
            self.f.emit(operation);
            return Ok(());
        }
        let op = match operand.op {
            BinaryOp::Add => Op::Add,
            BinaryOp::Sub => Op::Sub,
            BinaryOp::Mul => Op::Mul,
            BinaryOp::Div => Op::Div,
            _ => Op::Pow,
        };
        self.op(op, &[left, right], 1, dest)
    }

    /// `a - floor(a / b) * b`, which is what Lua 5.1 means by `%` (`luai_nummod`).
    pub(super) fn modulo(&mut self, left: RCIndex, right: RCIndex, dest: usize) -> Made<()> {
        let free = self.f.free;
        let scratch = self.f.take(1)?;
        let to = reg(scratch);
        self.f.emit(Operation::IDiv { dest: to, left, right });
        self.f.emit(Operation::Mul { dest: to, left: to.into(), right });
        self.f.emit(Operation::Sub { dest: reg(dest), left, right: to.into() });
        self.f.free = free;
        Ok(())
    }

    /// Code for a comparison; `None` when the operation is none.
    pub(super) fn comparison(
        &mut self,
        op: BinaryOp,
        left: RCIndex,
        right: RCIndex,
        both: Kinds,
    ) -> Made<Option<Test>> {
        let direct = both.within(Kinds::ARITHMETIC) || both.within(Kinds::STRING);
        let (less, left, right) = match op {
            BinaryOp::Equal | BinaryOp::NotEqual => {
                let skip_if = op == BinaryOp::Equal;
                self.f.emit(Operation::Eq { skip_if, left, right });
                return Ok(Some(Test::Skip));
            }
            BinaryOp::Less => (true, left, right),
            BinaryOp::LessEqual => (false, left, right),
            BinaryOp::Greater => (true, right, left),
            BinaryOp::GreaterEqual => (false, right, left),
            _ => return Ok(None),
        };
        if direct {
            let skip_if = true;
            self.f.emit(if less {
                Operation::Less { skip_if, left, right }
            } else {
                Operation::LessEq { skip_if, left, right }
            });
            return Ok(Some(Test::Skip));
        }
        let op = if less { Op::Less } else { Op::LessEqual };
        let base = self.f.free;
        self.op(op, &[left, right], 1, base)?;
        self.f.ensure(base + 1)?;
        Ok(Some(Test::Value(base)))
    }
}

/// How a comparison says whether it holds.
pub(super) enum Test {
    /// It skips the next instruction when it holds.
    Skip,
    /// As a boolean in a register.
    Value(usize),
}
