//! Ways around piccolo's instructions for operands that these cannot take.
//!
//! Owns guards: where an operand may be nil besides what an instruction takes, the instruction is
//! preceded by a test, and a function of the host is called out of the way, behind the end of the
//! function. Must not know which operation takes what.

use piccolo::opcode::{Operation, RCIndex};
use piccolo::types::{RegisterIndex, VarCount};
use smallvec::SmallVec;

use super::code::Generator;
use super::expr::constant;
use super::function::{Jumps, Made, Mark, reg};
use super::kinds::Kinds;
use super::ops::Op;

/// Code that is left out for now.
#[derive(Debug)]
pub(super) struct Detour {
    /// The jumps that lead to it.
    jumps: Jumps,
    /// Where it leads back to.
    back: usize,
    way: Way,
    /// The first register that held nothing.
    free: usize,
    mark: Mark,
}

/// What happens on a detour.
#[derive(Debug)]
pub(super) enum Way {
    /// An operation, with its result in a register.
    Result(Op, SmallVec<[RCIndex; 3]>, usize),
    /// An operation whose result is tested: if it is true, the next instruction is skipped.
    Skip(Op, SmallVec<[RCIndex; 3]>),
    /// An operation without a result.
    Nothing(Op, SmallVec<[RCIndex; 3]>),
    /// An operation on so many values that lie above this register, with its result in another.
    Gathered(Op, usize, usize, usize),
}

impl Generator<'_> {
    /// Whether an operand of such kinds can be told by a test from one that is no good: it is
    /// `good` or nil.
    pub(super) fn guardable(&self, operand: RCIndex, kinds: Kinds, good: Kinds) -> bool {
        let register = matches!(operand, RCIndex::Register(_));
        kinds.within(good)
            || self.guards && register && kinds.within(good.or(Kinds::NIL)) && kinds.meets(good)
    }

    /// Tests an operand; the jump is taken when it is nil.
    pub(super) fn guard(&mut self, operand: RCIndex, kinds: Kinds, jumps: &mut Jumps) {
        if let RCIndex::Register(value) = operand
            && kinds.meets(Kinds::NIL)
        {
            self.f.emit(Operation::Test { value, is_true: true });
            jumps.push(self.f.jump());
        }
    }

    /// Sets a pair by piccolo's own instruction. A list in which the key may be beyond `most`
    /// elements may have to grow by much, which the host is asked for.
    pub(super) fn set_direct(
        &mut self,
        table: RegisterIndex,
        key: RCIndex,
        value: RCIndex,
        most: Option<usize>,
    ) -> Made<()> {
        let longest = self.facts.world.longest;
        if longest == usize::MAX || most.is_some_and(|most| most <= longest) {
            self.f.emit(Operation::SetTable { table, key, value });
            return Ok(());
        }
        let operands = [table.into(), key, value];
        if !self.guards {
            return self.op(Op::SetIndex, &operands, 0, self.f.free);
        }
        let right = self.number_operand(longest as f64)?;
        self.f.emit(Operation::LessEq { skip_if: true, left: key, right });
        let jump = self.f.jump();
        self.f.emit(Operation::SetTable { table, key, value });
        self.detour(vec![jump], Way::Nothing(Op::SetIndex, SmallVec::from(operands)));
        Ok(())
    }

    /// Leaves a detour for later; it leads back to the next instruction.
    pub(super) fn detour(&mut self, jumps: Jumps, way: Way) {
        if jumps.is_empty() {
            return;
        }
        let (back, free, mark) = (self.f.here(), self.f.free, self.f.mark());
        self.f.detours.push(Detour { jumps, back, way, free, mark });
    }

    /// Makes the code of all detours.
    pub(super) fn detours(&mut self) -> Made<()> {
        for Detour { jumps, back, way, free, mark } in std::mem::take(&mut self.f.detours) {
            self.f.patch_here(jumps)?;
            self.f.free = free;
            self.f.return_to(mark);
            match way {
                Way::Result(op, operands, dest) => self.op(op, &operands, 1, dest)?,
                Way::Nothing(op, operands) => self.op(op, &operands, 0, free)?,
                Way::Skip(op, operands) => {
                    self.op(op, &operands, 1, free)?;
                    self.f.emit(Operation::Test { value: reg(free), is_true: true });
                    let other = self.f.jump();
                    self.f.patch(other, back)?;
                    let skip = self.f.jump();
                    self.f.patch(skip, back + 1)?;
                    continue;
                }
                Way::Gathered(op, base, count, dest) => {
                    self.load_op(op, base)?;
                    self.call_at(base, constant(count), VarCount::constant(1));
                    self.move_to(dest, base);
                }
            }
            let jump = self.f.jump();
            self.f.patch(jump, back)?;
        }
        Ok(())
    }
}
