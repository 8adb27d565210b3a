//! Code for expressions.
//!
//! Owns the order of evaluation and the choice between piccolo's instructions and functions of
//! the host. It must not know statements.

use piccolo::opcode::{Operation, RCIndex};
use piccolo::types::VarCount;

use super::Known;
use super::ast::{BinaryOp, Constructor, Expr, Field, Operand, Suffix, UnaryOp};
use super::code::{Generator, field_name};
use super::function::{Made, Source, reg};
use super::infer::{self, Kinds};
use super::names::{Name, NameKind};
use super::ops::Op;

/// Values that one call of a constructor is given.
const ITEMS: usize = 50;
/// Pairs that one call of a constructor is given.
const PAIRS: usize = 24;

impl Generator<'_> {
    /// Evaluates into `dest`, the last register taken or one that nothing reads meanwhile.
    pub(super) fn expr(&mut self, expr: &Expr, dest: usize) -> Made<()> {
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
    fn operand(&mut self, expr: &Expr) -> Made<RCIndex> {
        match self.constant(expr)? {
            Some(constant) => Ok(constant),
            None => Ok(reg(self.any(expr)?).into()),
        }
    }

    fn boolean(&mut self, dest: usize, value: bool, skip_next: bool) {
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
    fn suffixed(
        &mut self,
        head: &Expr,
        suffixes: &[Suffix],
        dest: usize,
        count: VarCount,
    ) -> Made<()> {
        let free = self.f.free;
        // What the code so far denotes, and the register that holds it.
        let mut name = self.name(head);
        let mut kinds = self.kinds(head);
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
            let mut known = Known::Anything;
            match suffix {
                Suffix::Index { key, line } => {
                    self.index(at, kinds, key, *line, &name, work)?;
                    known = match (head, place, key) {
                        (Expr::Global(library), 0, Expr::String(field)) => {
                            (self.world.field)(library, field)
                        }
                        _ => Known::Anything,
                    };
                    name = field_name(key);
                }
                Suffix::Call { args, line } => {
                    self.move_to(work, at);
                    self.call(work, kinds, args, *line, &name, results)?;
                    name = Name::NONE;
                }
                Suffix::Method { name: method, args, line } => {
                    self.method(at, kinds, method, args, *line, &name, results, work)?;
                    name = Name::NONE;
                }
            }
            kinds = match known {
                Known::Anything => Kinds::ANY,
                Known::Table => Kinds::TABLE,
                Known::Native | Known::Iterator | Known::Ipairs => Kinds::NATIVE,
            };
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
    fn index(
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
        if kinds.within(Kinds::TABLE) {
            let (dest, table) = (reg(work), reg(at));
            self.f.emit(Operation::GetTable { dest, table, key });
            return Ok(());
        }
        self.op(Op::Index, &[reg(at).into(), key], 1, work)
    }

    /// Calls the function in `base`, the last register taken; the results begin there.
    fn call(
        &mut self,
        base: usize,
        kinds: Kinds,
        args: &[Expr],
        line: u32,
        name: &Name,
        results: VarCount,
    ) -> Made<()> {
        let direct = kinds.within(Kinds::FUNCTION) && kinds != Kinds::NONE;
        if !direct {
            let function = self.f.take(1)?;
            self.move_to(function, base);
            self.load_op(Op::Call, base)?;
        }
        let mut count = self.list(args)?;
        if !direct {
            count = one_more(count);
        }
        self.f.at(line, std::slice::from_ref(name));
        self.call_at(base, count, results);
        Ok(())
    }

    /// `object:method(args)`, the object in `at`; the results begin in `work`.
    #[allow(clippy::too_many_arguments, reason = "the parts of one syntactic form")]
    fn method(
        &mut self,
        at: usize,
        kinds: Kinds,
        method: &std::rc::Rc<[u8]>,
        args: &[Expr],
        line: u32,
        name: &Name,
        results: VarCount,
        work: usize,
    ) -> Made<()> {
        // work: the operation, then the function and its object.
        let function = self.f.take(2)?;
        let object = function + 1;
        self.move_to(object, at);
        let constant = self.f.string(method)?;
        let key = match self.f.operand(constant) {
            Some(key) => key,
            None => {
                let place = self.f.take(1)?;
                self.f.load(place, constant);
                reg(place).into()
            }
        };
        self.f.at(line, std::slice::from_ref(name));
        if kinds.within(Kinds::TABLE) {
            let (dest, table) = (reg(function), reg(object));
            self.f.emit(Operation::GetTable { dest, table, key });
        } else {
            self.op(Op::Index, &[reg(object).into(), key], 1, function)?;
        }
        self.f.free = object + 1;
        self.load_op(Op::Call, work)?;
        let count = one_more(one_more(self.list(args)?));
        self.f.at(line, &[Name::new(NameKind::Method, method)]);
        self.call_at(work, count, results);
        Ok(())
    }

    fn unary(&mut self, op: UnaryOp, operand: &Expr, line: u32, dest: usize) -> Made<()> {
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
                self.to_float(dest)?;
            }
            UnaryOp::Minus => self.op(Op::Minus, &[source.into()], 1, dest)?,
            UnaryOp::Length => self.op(Op::Length, &[source.into()], 1, dest)?,
        }
        self.f.free = free;
        Ok(())
    }

    /// Makes a double of the integer that piccolo left.
    fn to_float(&mut self, dest: usize) -> Made<()> {
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
    fn binary(&mut self, first: &Expr, rest: &[Operand], dest: usize) -> Made<()> {
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
    fn concat(&mut self, first: &Expr, rest: &[Operand], dest: usize) -> Made<()> {
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
    fn operate(
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
    fn modulo(&mut self, left: RCIndex, right: RCIndex, dest: usize) -> Made<()> {
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

    /// A table with its first values. Pairs are set as they come, items fifty at a time or at the
    /// end (`lparser.c constructor`).
    fn table(&mut self, table: &Constructor, dest: usize) -> Made<()> {
        let free = self.f.free;
        if table.fields.is_empty() {
            self.f.at(table.line, &[]);
            let (array_size, map_size) = (0, 0);
            self.f.emit(Operation::NewTable { dest: reg(dest), array_size, map_size });
            return Ok(());
        }
        let is_pair = |field: &&Field| matches!(field, Field::Pair(..));
        let pairs = table.fields.iter().filter(is_pair).count();
        let items = table.fields.len() - pairs;
        // The last item may be any number of values; Lua does not count it then.
        let open = matches!(table.fields.last(), Some(Field::Item(last)) if last.is_multi());
        let lead = table.fields.iter().take_while(is_pair).take(PAIRS).count();
        let (first, rest) = table.fields.split_at(lead);
        let base = self.f.take(4)?;
        for (place, count) in [items - usize::from(open), pairs, lead].into_iter().enumerate() {
            let constant = self.f.number(count as f64)?;
            self.f.load(base + 1 + place, constant);
        }
        self.pairs(first)?;
        let mut args = constant(3 + 2 * lead);
        let whole = rest.len() <= ITEMS && !rest.iter().any(|field| is_pair(&field));
        if whole {
            for (place, field) in rest.iter().enumerate() {
                if let Field::Item(item) = field {
                    if open && place + 1 == rest.len() {
                        self.multi(item)?;
                        args = VarCount::variable();
                    } else {
                        self.next(item)?;
                        args = one_more(args);
                    }
                }
            }
        }
        self.load_op(Op::Construct, base)?;
        self.f.at(table.line, &[]);
        self.call_at(base, args, VarCount::constant(1));
        if !whole {
            self.f.free = base + 1;
            self.more_fields(table, rest, base, open)?;
        }
        self.move_to(dest, base);
        self.f.free = free;
        Ok(())
    }

    /// The fields that did not go into the first call.
    fn more_fields(
        &mut self,
        table: &Constructor,
        rest: &[Field],
        created: usize,
        open: bool,
    ) -> Made<()> {
        let base = self.f.take(3)?;
        let (mut pending, mut stored) = (0, 0);
        let mut at = 0;
        while let Some(field) = rest.get(at) {
            if pending == ITEMS {
                self.append(table.line, base, created, stored, constant(2 + pending))?;
                stored += pending;
                pending = 0;
            }
            match field {
                Field::Pair(..) => {
                    let run = rest.get(at..).unwrap_or_default();
                    let run =
                        run.iter().take(PAIRS).take_while(|f| matches!(f, Field::Pair(..))).count();
                    let call = self.f.take(2)?;
                    self.pairs(rest.get(at..at + run).unwrap_or_default())?;
                    self.load_op(Op::Extend, call)?;
                    self.move_to(call + 1, created);
                    self.f.at(table.line, &[]);
                    self.call_at(call, constant(1 + 2 * run), VarCount::constant(0));
                    self.f.free = call;
                    at += run;
                    continue;
                }
                Field::Item(item) if open && at + 1 == rest.len() => {
                    self.multi(item)?;
                    return self.append(table.line, base, created, stored, VarCount::variable());
                }
                Field::Item(item) => {
                    self.next(item)?;
                    pending += 1;
                }
            }
            at += 1;
        }
        if pending > 0 {
            self.append(table.line, base, created, stored, constant(2 + pending))?;
        }
        Ok(())
    }

    fn pairs(&mut self, fields: &[Field]) -> Made<()> {
        for field in fields {
            if let Field::Pair(key, value) = field {
                self.next(key)?;
                self.next(value)?;
            }
        }
        Ok(())
    }

    /// Stores the items that wait above `base`, after `stored` earlier ones.
    fn append(
        &mut self,
        line: u32,
        base: usize,
        table: usize,
        stored: usize,
        args: VarCount,
    ) -> Made<()> {
        self.load_op(Op::Append, base)?;
        self.move_to(base + 1, table);
        let first = self.f.number((stored + 1) as f64)?;
        self.f.load(base + 2, first);
        self.f.at(line, &[]);
        self.call_at(base, args, VarCount::constant(0));
        self.f.free = base + 3;
        Ok(())
    }
}

/// How a comparison says whether it holds.
pub(super) enum Test {
    /// It skips the next instruction when it holds.
    Skip,
    /// As a boolean in a register.
    Value(usize),
}

fn constant(count: usize) -> VarCount {
    VarCount::constant(u8::try_from(count).unwrap_or(0))
}

fn one_more(count: VarCount) -> VarCount {
    match count.to_constant() {
        Some(count) => constant(usize::from(count) + 1),
        None => count,
    }
}
