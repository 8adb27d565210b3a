//! Code for expressions.
//!
//! Owns the order of evaluation and the choice between piccolo's instructions and functions of
//! the host. It must not know statements.

use piccolo::opcode::{Operation, RCIndex};
use piccolo::types::VarCount;

use smallvec::smallvec;

use super::ast::{Expr, Suffix};
use super::code::{Generator, field_name};
use super::detour::Way;
use super::facts::Link;
use super::function::{Made, Source, reg};
use super::kinds::Kinds;
use super::names::{Name, NameKind};
use super::ops::Op;

impl Generator<'_> {
    /// Evaluates into `dest`, the last register taken or one that nothing reads meanwhile.
    pub(super) fn expr(&mut self, expr: &Expr, dest: usize) -> Made<()> {
        self.go_on()?;
        match expr {
            Expr::Nil => {
                self.f.emit(Operation::LoadNil { dest: reg(dest), count: 1 });
            }
            Expr::True | Expr::False => self.boolean(dest, matches!(expr, Expr::True), false),
            Expr::Number(number) => {
                let constant = self.f.number(*number)?;
                self.f.load(dest, constant);
            }
            Expr::String(text) => {
                let constant = self.f.string(text)?;
                self.f.load(dest, constant);
            }
            Expr::Vararg => {
                let count = VarCount::constant(1);
                self.f.emit(Operation::VarArgs { dest: reg(dest), count });
            }
            Expr::Function(function) => self.closure(function, dest)?,
            Expr::Local(id) => {
                let source = self.register(*id);
                self.move_to(dest, source);
            }
            Expr::Upvalue(id) => {
                let source = self.upvalue(Source::Var(*id))?;
                self.f.emit(Operation::GetUpValue { dest: reg(dest), source });
            }
            Expr::Global(name) => {
                let site = self.f.line;
                self.f.at(site, &[]);
                let table = self.upvalue(Source::Globals)?;
                let constant = self.f.string(name)?;
                let key = match self.f.operand(constant) {
                    Some(key) => key,
                    None => {
                        self.f.load(dest, constant);
                        reg(dest).into()
                    }
                };
                self.f.emit(Operation::GetUpTable { dest: reg(dest), table, key });
            }
            Expr::Suffixed { head, suffixes } => {
                self.suffixed(head, suffixes, dest, VarCount::constant(1))?;
            }
            Expr::Paren(inner) => self.expr(inner, dest)?,
            Expr::Table(table) => self.table(table, dest)?,
            Expr::Unary { op, operand, line } => self.unary(*op, operand, *line, dest)?,
            Expr::Binary { first, rest } => self.binary(first, rest, dest)?,
        }
        Ok(())
    }

    /// Evaluates into whatever register suits: a variable's own or a new one.
    pub(super) fn any(&mut self, expr: &Expr) -> Made<usize> {
        match expr {
            Expr::Local(id) => Ok(self.register(*id)),
            Expr::Paren(inner) if !inner.is_multi() => self.any(inner),
            _ => self.next(expr),
        }
    }

    /// Evaluates into a new register.
    pub(super) fn next(&mut self, expr: &Expr) -> Made<usize> {
        let dest = self.f.take(1)?;
        self.expr(expr, dest)?;
        Ok(dest)
    }

    /// Evaluates into an operand: a constant or any register.
    pub(super) fn operand(&mut self, expr: &Expr) -> Made<RCIndex> {
        match self.constant(expr)? {
            Some(constant) => Ok(constant),
            None => Ok(reg(self.any(expr)?).into()),
        }
    }

    pub(super) fn boolean(&mut self, dest: usize, value: bool, skip_next: bool) {
        self.f.emit(Operation::LoadBool { dest: reg(dest), value, skip_next });
    }

    /// Puts an operand where a call needs it.
    pub(super) fn place(&mut self, dest: usize, operand: RCIndex) {
        match operand {
            RCIndex::Register(source) => self.move_to(dest, usize::from(source.0)),
            RCIndex::Constant(constant) => self.f.load(dest, usize::from(constant.0)),
        }
    }

    /// Calls an operation on operands that are evaluated already; one result in `dest`.
    pub(super) fn op(
        &mut self,
        op: Op,
        operands: &[RCIndex],
        results: u8,
        dest: usize,
    ) -> Made<()> {
        let base = self.f.free;
        self.f.ensure(base + 1 + operands.len())?;
        self.load_op(op, base)?;
        for (place, operand) in operands.iter().enumerate() {
            self.place(base + 1 + place, *operand);
        }
        let count = u8::try_from(operands.len()).unwrap_or(0);
        self.call_at(base, VarCount::constant(count), VarCount::constant(results));
        if results == 1 {
            self.move_to(dest, base);
        }
        Ok(())
    }

    /// Evaluates a list into new registers; the last may leave any number of values. Returns how
    /// many there are.
    pub(super) fn list(&mut self, exprs: &[Expr]) -> Made<VarCount> {
        for (place, expr) in exprs.iter().enumerate() {
            let last = place + 1 == exprs.len();
            if last && expr.is_multi() {
                self.multi(expr)?;
                return Ok(VarCount::variable());
            }
            self.next(expr)?;
        }
        Ok(VarCount::constant(u8::try_from(exprs.len()).unwrap_or(0)))
    }

    /// Evaluates to any number of values, in registers from the first free one on.
    pub(super) fn multi(&mut self, expr: &Expr) -> Made<()> {
        let first = self.f.free;
        self.multi_count(expr, VarCount::variable())?;
        self.f.free = first;
        Ok(())
    }

    /// Evaluates to `count` values, in registers from the first free one on.
    pub(super) fn multi_count(&mut self, expr: &Expr, count: VarCount) -> Made<()> {
        match expr {
            Expr::Suffixed { head, suffixes } => {
                let dest = self.f.take(1)?;
                self.suffixed(head, suffixes, dest, count)
            }
            _ => {
                let dest = self.f.free;
                self.f.ensure(dest + 1)?;
                self.f.emit(Operation::VarArgs { dest: reg(dest), count });
                Ok(())
            }
        }
    }

    /// Evaluates exactly `wanted` values into new registers, in the manner of `adjust_assign`.
    pub(super) fn adjusted(&mut self, exprs: &[Expr], wanted: usize) -> Made<()> {
        let first = self.f.free;
        for (place, expr) in exprs.iter().enumerate() {
            let last = place + 1 == exprs.len();
            let missing = wanted.saturating_sub(place);
            if last && missing > 1 && expr.is_multi() {
                let count = u8::try_from(missing).unwrap_or(0);
                self.multi_count(expr, VarCount::constant(count))?;
                self.f.free = first;
                self.f.take(wanted)?;
                return Ok(());
            }
            self.next(expr)?;
        }
        if let Some(missing) = wanted.checked_sub(exprs.len()).filter(|missing| *missing > 0) {
            let dest = self.f.take(missing)?;
            let count = u8::try_from(missing).unwrap_or(0);
            self.f.emit(Operation::LoadNil { dest: reg(dest), count });
        }
        self.f.free = first + wanted;
        Ok(())
    }

    /// Reads a chain of suffixes; a call at its end leaves `count` values from `dest` on.
    pub(super) fn suffixed(
        &mut self,
        head: &Expr,
        suffixes: &[Suffix],
        dest: usize,
        count: VarCount,
    ) -> Made<()> {
        let free = self.f.free;
        // What the code so far denotes, and the register that holds it.
        let mut name = self.name(head);
        let mut link = self.facts.head(head);
        let mut at = match (head, suffixes.first()) {
            (Expr::Local(id), Some(Suffix::Index { .. } | Suffix::Method { .. })) => {
                self.register(*id)
            }
            _ => {
                // A call wants its function in the last register taken.
                let place = if dest + 1 == free { dest } else { self.f.take(1)? };
                self.expr(head, place)?;
                place
            }
        };
        // Where results go until the chain is done.
        let work = if dest + 1 == free {
            dest
        } else if at >= free {
            at
        } else {
            self.f.take(1)?
        };
        for (place, suffix) in suffixes.iter().enumerate() {
            let last = place + 1 == suffixes.len();
            let results = if last { count } else { VarCount::constant(1) };
            let kinds = link.value.kinds;
            match suffix {
                Suffix::Index { key, line } => {
                    self.index(at, kinds, key, *line, &name, work)?;
                    name = field_name(key);
                }
                Suffix::Call { args, line } => {
                    self.move_to(work, at);
                    self.call(work, &link, args, *line, &name, results)?;
                    name = Name::NONE;
                }
                Suffix::Method { name: method, args, line } => {
                    self.method((at, &link), method, args, *line, &name, results, work)?;
                    name = Name::NONE;
                }
            }
            link = self.facts.link(&link, head, place, suffix);
            at = work;
            self.f.free = work + 1;
        }
        self.f.free = free;
        if count == VarCount::constant(1) {
            self.move_to(dest, at);
        }
        Ok(())
    }

    /// A chain of suffixes with one result in `dest`, the last register taken.
    pub(super) fn chain(&mut self, head: &Expr, suffixes: &[Suffix], dest: usize) -> Made<()> {
        self.suffixed(head, suffixes, dest, VarCount::constant(1))
    }

    /// `work = at[key]`; `work` is the last register taken.
    pub(super) fn index(
        &mut self,
        at: usize,
        kinds: Kinds,
        key: &Expr,
        line: u32,
        name: &Name,
        work: usize,
    ) -> Made<()> {
        let key = self.operand(key)?;
        self.f.at(line, std::slice::from_ref(name));
        self.read(at, kinds, key, work)
    }

    /// `dest = at[key]`, the key evaluated.
    fn read(&mut self, at: usize, kinds: Kinds, key: RCIndex, dest: usize) -> Made<()> {
        let base = reg(at).into();
        if !self.guardable(base, kinds, Kinds::TABLE) {
            return self.op(Op::Index, &[base, key], 1, dest);
        }
        let mut nils = Vec::new();
        self.guard(base, kinds, &mut nils);
        self.f.emit(Operation::GetTable { dest: reg(dest), table: reg(at), key });
        self.detour(nils, Way::Result(Op::Index, smallvec![base, key], dest));
        Ok(())
    }

    /// Calls the function in `base`, the last register taken; the results begin there.
    pub(super) fn call(
        &mut self,
        base: usize,
        callee: &Link,
        args: &[Expr],
        line: u32,
        name: &Name,
        results: VarCount,
    ) -> Made<()> {
        let kinds = callee.value.kinds;
        // What no test may precede: the values of an open list are on top of the stack.
        let open = args.last().is_some_and(Expr::is_multi);
        let good = if open { kinds } else { kinds.present() };
        let direct = kinds.meets(Kinds::FUNCTION)
            && good.within(Kinds::FUNCTION)
            && (self.guards || good == kinds);
        let wanted = if open { Some(0) } else { self.facts.wanted(&callee.value, args.len()) };
        let direct = direct && wanted.is_some();
        if !direct {
            let function = self.f.take(1)?;
            self.move_to(function, base);
            self.load_op(Op::Call, base)?;
        }
        let depth = self.give_depth(&callee.value, false)?;
        let mut count = self.list(args)?;
        if let Some(wanted) = wanted.filter(|_| direct) {
            count = self.pad(count, wanted)?;
        }
        for _ in 0..depth + usize::from(!direct) {
            count = one_more(count);
        }
        self.f.at(line, std::slice::from_ref(name));
        let mut nils = Vec::new();
        if direct {
            self.guard(reg(base).into(), kinds, &mut nils);
        }
        self.call_at(base, count, results);
        // Raises what such a call raises.
        self.detour(nils, Way::Result(Op::Call, smallvec![reg(base).into()], base));
        Ok(())
    }

    /// `object:method(args)`, the object in `at`; the results begin in `work`, the last register
    /// taken.
    #[allow(clippy::too_many_arguments, reason = "the parts of one syntactic form")]
    fn method(
        &mut self,
        (at, object): (usize, &Link),
        method: &std::rc::Rc<[u8]>,
        args: &[Expr],
        line: u32,
        name: &Name,
        results: VarCount,
        work: usize,
    ) -> Made<()> {
        let called = self.facts.method(&object.value, method);
        let open = args.last().is_some_and(Expr::is_multi);
        let given = args.len() + 1;
        let wanted = if open { Some(0) } else { self.facts.wanted(&called.value, given) };
        let certain = called.value.kinds == Kinds::CLOSURE || called.known.is_native();
        let direct = certain && wanted.is_some();
        // The operation that calls the function, when it must be looked at, then the function and
        // its object.
        let function = if direct { work } else { self.f.take(1)? };
        let place = self.f.take(1)?;
        self.move_to(place, at);
        let key = self.name_key(method)?;
        self.f.at(line, std::slice::from_ref(name));
        if called.known.is_native() {
            let library = self.name_key(&std::rc::Rc::from(&b"string"[..]))?;
            let table = self.upvalue(Source::Globals)?;
            let dest = reg(function);
            self.f.emit(Operation::GetUpTable { dest, table, key: library });
            self.f.emit(Operation::GetTable { dest, table: dest, key });
        } else {
            self.read(place, object.value.kinds, key, function)?;
        }
        self.f.free = place + 1;
        if !direct {
            self.load_op(Op::Call, work)?;
        }
        let mut count = one_more(self.list(args)?);
        match wanted {
            Some(wanted) if direct => count = self.pad(count, wanted)?,
            _ => count = one_more(count),
        }
        self.f.at(line, &[Name::new(NameKind::Method, method)]);
        self.call_at(work, count, results);
        Ok(())
    }

    /// Gives nils for arguments that are missing after those in the last registers taken.
    fn pad(&mut self, given: VarCount, wanted: usize) -> Made<VarCount> {
        let Some(count) = given.to_constant() else { return Ok(given) };
        let missing = wanted.saturating_sub(usize::from(count));
        if missing > 0 {
            let dest = self.f.take(missing)?;
            let count = u8::try_from(missing).unwrap_or(0);
            self.f.emit(Operation::LoadNil { dest: reg(dest), count });
        }
        Ok(constant(usize::from(count) + missing))
    }

    /// A name as the key of an instruction.
    fn name_key(&mut self, name: &std::rc::Rc<[u8]>) -> Made<RCIndex> {
        let constant = self.f.string(name)?;
        if let Some(key) = self.f.operand(constant) {
            return Ok(key);
        }
        let place = self.f.take(1)?;
        self.f.load(place, constant);
        Ok(reg(place).into())
    }
}

pub(super) fn constant(count: usize) -> VarCount {
    VarCount::constant(u8::try_from(count).unwrap_or(0))
}

pub(super) fn one_more(count: VarCount) -> VarCount {
    match count.to_constant() {
        Some(count) => constant(usize::from(count) + 1),
        None => count,
    }
}
