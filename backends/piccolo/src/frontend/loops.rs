//! Code for loops.
//!
//! Owns the four of them: where they begin, end and are left. It must not know other statements.

use piccolo::opcode::Operation;
use piccolo::types::VarCount;

use super::Known;
use super::ast::{Block, Expr, Numeric, UnaryOp, VarId};
use super::code::Generator;
use super::function::{Made, reg};
use super::kinds::Kinds;
use super::ops::Op;

impl Generator<'_> {
    fn jump_back(&mut self, start: usize) -> Made<()> {
        let back = self.f.jump();
        self.f.patch(back, start)
    }

    fn end_loop(&mut self) -> Made<()> {
        let (_, jumps) = self.f.loops.pop().unwrap_or_default();
        self.f.patch_here(jumps)
    }

    pub(super) fn while_loop(&mut self, cond: &Expr, body: &Block, line: u32) -> Made<()> {
        self.f.at(line, &[]);
        let start = self.f.here();
        let falses = self.unless(cond)?;
        self.f.loops.push((self.f.free, Vec::new()));
        self.block(body)?;
        self.jump_back(start)?;
        self.f.patch_here(falses)?;
        self.end_loop()
    }

    pub(super) fn repeat_loop(&mut self, body: &Block, cond: &Expr, line: u32) -> Made<()> {
        self.f.at(line, &[]);
        let start = self.f.here();
        let (free, captured) = (self.f.free, self.f.captured.len());
        self.f.loops.push((free, Vec::new()));
        self.statements(body)?;
        let falses = self.unless(cond)?;
        let close = self.f.captured.get(captured..).and_then(|new| new.iter().min()).copied();
        if close.is_some() {
            let out = self.f.jump_closing(close);
            self.f.patch_here(falses)?;
            let back = self.f.jump_closing(close);
            self.f.patch(back, start)?;
            self.f.patch_here(vec![out])?;
        } else {
            falses.into_iter().try_for_each(|jump| self.f.patch(jump, start))?;
        }
        self.f.captured.truncate(captured);
        self.f.free = free;
        self.end_loop()
    }

    pub(super) fn numeric_loop(&mut self, numeric: &Numeric) -> Made<()> {
        let Numeric { var, start, limit, step, body, line } = numeric;
        self.f.at(*line, &[]);
        let free = self.f.free;
        let captured = self.f.captured.len();
        let finite = |expr: &Expr| matches!(expr, Expr::Number(n) if n.is_finite() && *n != 0.0);
        let counts = step.as_ref().is_none_or(|step| finite(step) && whole(step).is_some())
            && whole(start).is_some()
            && (whole(limit).is_some() || self.is_length(limit));
        let certain = Kinds::NUMBER.or(Kinds::INTEGER);
        let direct = counts
            || self.kinds(start).within(certain)
                && self.kinds(limit).within(certain)
                && step.as_ref().is_none_or(finite);
        let base = self.f.free;
        if !direct {
            self.f.take(1)?;
        }
        self.bound(start, counts)?;
        self.bound(limit, counts)?;
        self.bound(step.as_ref().unwrap_or(&Expr::Number(1.0)), counts)?;
        self.f.at(*line, &[]);
        if !direct {
            self.load_op(Op::ForPrep, base)?;
            self.call_at(base, VarCount::constant(3), VarCount::constant(3));
        }
        self.f.free = base + 3;
        let register = self.f.take(1)?;
        let prep = self.f.emit(Operation::NumericForPrep { base: reg(base), jump: 0 });
        self.f.loops.push((register, Vec::new()));
        self.bind(*var, register);
        let first = self.f.here();
        let one = |expr: &Expr| matches!(expr, Expr::Number(n) if *n == 1.0);
        let counts = one(start) && step.as_ref().is_none_or(one);
        let kept = self.facts.vars.get(var.0).is_some_and(|var| !var.assigned);
        let last = whole(limit).and_then(|last| usize::try_from(last).ok());
        self.f.counter = (counts && kept).then_some((*var, last));
        self.block(body)?;
        if self.f.captured.len() > captured {
            self.f.jump_closing(Some(register));
        }
        self.f.captured.truncate(captured);
        let here = self.f.here();
        self.f.patch(prep, here)?;
        self.f.at(*line, &[]);
        let back = self.f.emit(Operation::NumericForLoop { base: reg(base), jump: 0 });
        self.f.patch(back, first)?;
        self.f.free = free;
        self.end_loop()
    }

    /// Whether an expression is a length that piccolo finds.
    fn is_length(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Unary { op: UnaryOp::Length, operand, .. } => {
                let kinds = self.kinds(operand);
                kinds.within(Kinds::TABLE) || kinds.within(Kinds::STRING)
            }
            _ => false,
        }
    }

    /// Evaluates one of the numbers of a loop into a new register; as an integer of piccolo's,
    /// when it can be one and all are, because that counts faster.
    fn bound(&mut self, expr: &Expr, counts: bool) -> Made<()> {
        match (expr, whole(expr)) {
            (_, Some(number)) if counts => {
                let register = self.f.take(1)?;
                let constant = self.f.integer(number)?;
                self.f.load(register, constant);
            }
            (Expr::Unary { operand, line, .. }, _) if counts => {
                let register = self.f.take(1)?;
                let name = self.name(operand);
                let source = reg(self.any(operand)?);
                self.f.at(*line, &[name]);
                self.f.emit(Operation::Length { dest: reg(register), source });
                self.f.free = register + 1;
            }
            _ => {
                self.next(expr)?;
            }
        }
        Ok(())
    }

    pub(super) fn generic_loop(
        &mut self,
        vars: &[VarId],
        exprs: &[Expr],
        body: &Block,
        line: u32,
    ) -> Made<()> {
        self.f.at(line, &[]);
        let free = self.f.free;
        let captured = self.f.captured.len();
        let base = self.f.free;
        self.adjusted(exprs, 3)?;
        let certain = matches!(exprs, [expr]
            if matches!(self.facts.called(expr), Known::Iterator | Known::Ipairs));
        self.f.at(line, &[]);
        if !certain {
            self.op(Op::Iterator, &[reg(base).into()], 1, base)?;
        }
        let prep = self.f.jump();
        let first_var = self.f.take(vars.len())?;
        self.f.loops.push((first_var, Vec::new()));
        for (place, var) in vars.iter().enumerate() {
            self.bind(*var, first_var + place);
        }
        let first = self.f.here();
        self.block(body)?;
        if self.f.captured.len() > captured {
            self.f.jump_closing(Some(first_var));
        }
        self.f.captured.truncate(captured);
        self.f.patch_here(vec![prep])?;
        self.f.at(line, &[]);
        let var_count = u8::try_from(vars.len()).unwrap_or(0);
        // The call needs room for its own arguments.
        self.f.ensure(base + 6)?;
        self.f.emit(Operation::GenericForCall { base: reg(base), var_count });
        let nil = self.f.nil()?;
        match self.f.operand(nil) {
            Some(right) => {
                let left = reg(first_var).into();
                self.f.emit(Operation::Eq { skip_if: false, left, right });
            }
            None => {
                let scratch = self.f.free;
                self.f.ensure(scratch + 1)?;
                self.f.emit(Operation::LoadNil { dest: reg(scratch), count: 1 });
                let (left, right) = (reg(first_var).into(), reg(scratch).into());
                self.f.emit(Operation::Eq { skip_if: false, left, right });
            }
        }
        let out = self.f.jump();
        self.move_to(base + 2, first_var);
        self.jump_back(first)?;
        self.f.patch_here(vec![out])?;
        self.f.free = free;
        self.end_loop()
    }
}

/// The integer that a number is, when none that it counts to or from is too large for a double.
fn whole(expr: &Expr) -> Option<i64> {
    match expr {
        Expr::Number(n) if n.fract() == 0.0 && n.abs() <= f64::from(i32::MAX) => Some(*n as i64),
        _ => None,
    }
}
