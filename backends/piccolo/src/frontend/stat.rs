//! Code for statements.
//!
//! Owns blocks, conditions, assignments and returns. It must not know how an expression is
//! evaluated, nor loops, which are in `loops`.

use piccolo::opcode::{Operation, RCIndex};
use piccolo::types::VarCount;

use super::ast::{BinaryOp, Block, Expr, Operand, Stat, Suffix, Target, UnaryOp, VarId};
use super::code::{Generator, field_name};
use super::expr::one_more;
use super::function::{Jumps, Made, Source, reg};
use super::kinds::Kinds;
use super::names::Name;
use super::operators::Test;
use super::ops::Op;

impl Generator<'_> {
    /// A block with a scope of its own; closes what inner functions took from it.
    pub(super) fn block(&mut self, block: &Block) -> Made<()> {
        let (free, captured) = (self.f.free, self.f.captured.len());
        self.statements(block)?;
        if let Some(&first) = self.f.captured.get(captured..).and_then(|new| new.iter().min()) {
            self.f.jump_closing(Some(first));
        }
        self.f.captured.truncate(captured);
        self.f.free = free;
        Ok(())
    }

    /// Statements; what they declare stays in sight.
    pub(super) fn statements(&mut self, block: &Block) -> Made<()> {
        let counter = self.f.counter.take();
        block.stats.iter().try_for_each(|stat| {
            let assigns = matches!(stat, Stat::Assign { .. });
            self.f.counter = if assigns { counter } else { None };
            self.statement(stat)
        })?;
        self.f.counter = None;
        Ok(())
    }

    fn statement(&mut self, stat: &Stat) -> Made<()> {
        self.go_on()?;
        match stat {
            Stat::Local { vars, exprs, line } => {
                self.f.at(*line, &[]);
                let first = self.f.free;
                self.adjusted(exprs, vars.len())?;
                for (place, var) in vars.iter().enumerate() {
                    self.bind(*var, first + place);
                }
                self.f.free = first + vars.len();
            }
            Stat::LocalFunction { var, function, line } => {
                self.f.at(*line, &[]);
                let register = self.f.take(1)?;
                self.bind(*var, register);
                self.closure(function, register)?;
            }
            Stat::Assign { targets, exprs, line, end } => {
                self.f.at(*line, &[]);
                let free = self.f.free;
                match (targets.as_slice(), exprs.as_slice()) {
                    ([target], [expr]) => self.assign_one(target, expr, *end)?,
                    _ => self.assign_many(targets, exprs, *end)?,
                }
                self.f.free = free;
            }
            Stat::Call { call, line } => {
                self.f.at(*line, &[]);
                let free = self.f.free;
                self.multi_count(call, VarCount::constant(0))?;
                self.f.free = free;
            }
            Stat::Do(body) => self.block(body)?,
            Stat::While { cond, body, line } => self.while_loop(cond, body, *line)?,
            Stat::Repeat { body, cond, line } => self.repeat_loop(body, cond, *line)?,
            Stat::If { arms, other, line } => self.branches(arms, other.as_ref(), *line)?,
            Stat::Numeric(numeric) => self.numeric_loop(numeric)?,
            Stat::Generic { vars, exprs, body, line } => {
                self.generic_loop(vars, exprs, body, *line)?;
            }
            Stat::Return { exprs, line } => {
                self.f.at(*line, &[]);
                let free = self.f.free;
                self.return_values(exprs)?;
                self.f.free = free;
            }
            Stat::Break { line } => {
                self.f.at(*line, &[]);
                let from = self.f.loops.last().map_or(0, |(from, _)| *from);
                let inside = self.f.captured.iter().copied().filter(|at| *at >= from).min();
                let jump = self.f.jump_closing(inside);
                if let Some((_, jumps)) = self.f.loops.last_mut() {
                    jumps.push(jump);
                }
            }
        }
        Ok(())
    }

    fn assign_one(&mut self, target: &Target, expr: &Expr, line: u32) -> Made<()> {
        match target {
            Target::Local(id) => {
                let register = self.register(*id);
                if self.overwrites(expr) {
                    return self.expr(expr, register);
                }
                let value = self.any(expr)?;
                self.move_to(register, value);
            }
            Target::Upvalue(id) => {
                let source = self.any(expr)?;
                let dest = self.upvalue(Source::Var(*id))?;
                self.f.emit(Operation::SetUpValue { dest, source: reg(source) });
            }
            Target::Global(name) => {
                let value = self.any(expr)?;
                self.set_global(name, value, line)?;
            }
            Target::Index { table, key, .. } => {
                let direct = self.kinds(table).within(Kinds::TABLE) && self.appends(table, key)
                    || self.keeps_order(table, key, self.kinds(expr));
                let most = match key {
                    Expr::String(_) => Some(0),
                    Expr::Local(index) => self.counts(*index).flatten(),
                    _ => None,
                };
                let name = self.name(table);
                let at = self.any(table)?;
                let key = match self.constant(key)? {
                    Some(constant) => constant,
                    None => reg(self.any(key)?).into(),
                };
                let value = match self.constant(expr)? {
                    Some(constant) => constant,
                    None => reg(self.any(expr)?).into(),
                };
                self.f.at(line, &[name]);
                if direct {
                    self.set_direct(reg(at), key, value, most)?;
                } else {
                    let base = self.f.free;
                    self.op(Op::SetIndex, &[reg(at).into(), key, value], 0, base)?;
                }
            }
        }
        Ok(())
    }

    /// Whether evaluating the expression into a variable's own register is safe: it writes there
    /// last, after everything was read.
    fn overwrites(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Nil
            | Expr::True
            | Expr::False
            | Expr::Number(_)
            | Expr::String(_)
            | Expr::Local(_)
            | Expr::Upvalue(_) => true,
            Expr::Binary { rest, .. } => matches!(rest.as_slice(),
                [operand] if !matches!(operand.op, BinaryOp::And | BinaryOp::Or)),
            _ => false,
        }
    }

    /// Whether piccolo may set a field by itself: nothing changes the order of the table then
    /// that somebody watches.
    fn keeps_order(&self, table: &Expr, key: &Expr, value: Kinds) -> bool {
        let of = self.facts.value(table);
        match (table, key) {
            // The tables are watched, and the field is there.
            (_, Expr::String(name)) => self.facts.all_tables(&of, |_, contents| {
                contents.hashed && contents.fields.get(name).is_some_and(|field| field.sure)
            }),
            // The loop fills a list: each field it sets is there, or it is the next one, because
            // nothing takes away the one that the last round has set.
            (Expr::Local(list), Expr::Local(index)) if self.counts(*index).is_some() => {
                let one = self.facts.vars.get(list.0).is_some_and(|var| !var.assigned);
                one && !value.meets(Kinds::NIL)
                    && self.register(*list) < self.register(*index)
                    && self.facts.all_tables(&of, |site, contents| {
                        let kept = contents.items.kinds.or(contents.rest.kinds);
                        !site.escaped && !kept.meets(Kinds::NIL)
                    })
            }
            _ => false,
        }
    }

    /// Whether a variable counts the rounds of the loop, and up to where if the text tells.
    fn counts(&self, var: VarId) -> Option<Option<usize>> {
        self.f.counter.filter(|(counter, _)| *counter == var).map(|(_, last)| last)
    }

    /// Whether a key is the next one of the same list (`t[#t + 1]`): then the list keeps its order
    /// without anybody watching.
    fn appends(&self, table: &Expr, key: &Expr) -> bool {
        let Expr::Local(id) = table else { return false };
        match key {
            Expr::Binary { first, rest } => {
                let next = matches!(rest.as_slice(),
                    [Operand { op: BinaryOp::Add, right: Expr::Number(n), .. }] if *n == 1.0);
                next && matches!(&**first, Expr::Unary { op: UnaryOp::Length, operand, .. }
                    if matches!(&**operand, Expr::Local(of) if of == id))
            }
            _ => false,
        }
    }

    fn set_global(&mut self, name: &std::rc::Rc<[u8]>, value: usize, line: u32) -> Made<()> {
        let free = self.f.free;
        let key = self.f.take(1)?;
        let constant = self.f.string(name)?;
        self.f.load(key, constant);
        self.f.at(line, &[]);
        let base = self.f.free;
        self.op(Op::SetGlobal, &[reg(key).into(), reg(value).into()], 0, base)?;
        self.f.free = free;
        Ok(())
    }

    /// Assigns to several targets: their parts are evaluated first, then the values, and the
    /// last target is assigned first.
    fn assign_many(&mut self, targets: &[Target], exprs: &[Expr], line: u32) -> Made<()> {
        let mut places: Vec<(usize, RCIndex)> = Vec::new();
        for target in targets {
            let mut place = (0, RCIndex::Register(reg(0)));
            if let Target::Index { table, key, line } = target {
                self.f.at(*line, &[]);
                // Copies: another target may be the variable.
                let at = self.next(table)?;
                let key = match self.constant(key)? {
                    Some(constant) => constant,
                    None => reg(self.next(key)?).into(),
                };
                place = (at, key);
            }
            places.push(place);
        }
        let first = self.f.free;
        self.adjusted(exprs, targets.len().max(exprs.len()))?;
        for (at, target) in targets.iter().enumerate().rev() {
            let value = first + at;
            match (target, places.get(at)) {
                (Target::Local(id), _) => {
                    let register = self.register(*id);
                    self.move_to(register, value);
                }
                (Target::Upvalue(id), _) => {
                    let dest = self.upvalue(Source::Var(*id))?;
                    self.f.emit(Operation::SetUpValue { dest, source: reg(value) });
                }
                (Target::Global(name), _) => self.set_global(name, value, line)?,
                (Target::Index { table, .. }, Some(&(at, key))) => {
                    let name = self.name(table);
                    self.f.at(line, &[name]);
                    let base = self.f.free;
                    let operands = [reg(at).into(), key, reg(value).into()];
                    self.op(Op::SetIndex, &operands, 0, base)?;
                }
                (Target::Index { .. }, None) => {}
            }
        }
        Ok(())
    }

    /// Falls through when the condition holds; the jumps returned are taken when it does not.
    pub(super) fn unless(&mut self, cond: &Expr) -> Made<Jumps> {
        match cond {
            Expr::True | Expr::Number(_) | Expr::String(_) => Ok(Vec::new()),
            Expr::Nil | Expr::False => Ok(vec![self.f.jump()]),
            Expr::Paren(inner) if !inner.is_multi() => self.unless(inner),
            Expr::Binary { first, rest } => self.unless_chain(first, rest),
            _ => {
                let free = self.f.free;
                let value = self.any(cond)?;
                self.f.emit(Operation::Test { value: reg(value), is_true: true });
                self.f.free = free;
                Ok(vec![self.f.jump()])
            }
        }
    }

    /// A chain that ends in operations on conditions is tested one by one.
    fn unless_chain(&mut self, first: &Expr, rest: &[Operand]) -> Made<Jumps> {
        let logical = |operand: &Operand| matches!(operand.op, BinaryOp::And | BinaryOp::Or);
        let values = rest.iter().position(logical).unwrap_or(rest.len());
        let (rest, tail) = rest.split_at(values);
        let mut falses =
            if rest.is_empty() { self.unless(first)? } else { self.unless_compared(first, rest)? };
        let mut trues: Jumps = Vec::new();
        for operand in tail {
            if operand.op == BinaryOp::Or {
                trues.push(self.f.jump());
                let jumps = std::mem::take(&mut falses);
                self.f.patch_here(jumps)?;
            } else {
                let jumps = std::mem::take(&mut trues);
                self.f.patch_here(jumps)?;
            }
            falses.extend(self.unless(&operand.right)?);
        }
        self.f.patch_here(trues)?;
        Ok(falses)
    }

    fn unless_compared(&mut self, first: &Expr, rest: &[Operand]) -> Made<Jumps> {
        let free = self.f.free;
        if let [operand] = rest
            && operand.op != BinaryOp::Concat
        {
            let comparing = matches!(
                operand.op,
                BinaryOp::Equal
                    | BinaryOp::NotEqual
                    | BinaryOp::Less
                    | BinaryOp::LessEqual
                    | BinaryOp::Greater
                    | BinaryOp::GreaterEqual
            );
            if comparing {
                let left = (self.operand(first)?, self.kinds(first));
                let right = (self.operand(&operand.right)?, self.kinds(&operand.right));
                self.f.at(operand.line, &[]);
                let test = self.comparison(operand.op, left, right)?;
                if let Some(Test::Value(value)) = test {
                    self.f.emit(Operation::Test { value: reg(value), is_true: true });
                }
                self.f.free = free;
                return Ok(vec![self.f.jump()]);
            }
        }
        let dest = self.f.take(1)?;
        self.arithmetic(first, rest, dest)?;
        self.f.emit(Operation::Test { value: reg(dest), is_true: true });
        self.f.free = free;
        Ok(vec![self.f.jump()])
    }

    fn branches(&mut self, arms: &[(Expr, Block)], other: Option<&Block>, line: u32) -> Made<()> {
        self.f.at(line, &[]);
        let mut out = Vec::new();
        for (place, (cond, body)) in arms.iter().enumerate() {
            let falses = self.unless(cond)?;
            self.block(body)?;
            if place + 1 < arms.len() || other.is_some() {
                out.push(self.f.jump());
            }
            self.f.patch_here(falses)?;
        }
        if let Some(body) = other {
            self.block(body)?;
        }
        self.f.patch_here(out)
    }

    fn return_values(&mut self, exprs: &[Expr]) -> Made<()> {
        match exprs {
            [] => {
                self.leave_function()?;
                self.f.emit(Operation::Return { start: reg(0), count: VarCount::constant(0) });
            }
            [Expr::Suffixed { head, suffixes }] => match suffixes.split_last() {
                Some((Suffix::Call { args, line }, before)) => {
                    self.tail_call(head, before, args, *line)?;
                }
                _ => self.return_list(exprs)?,
            },
            [expr] if !expr.is_multi() => {
                let value = self.any(expr)?;
                self.leave_function()?;
                let count = VarCount::constant(1);
                self.f.emit(Operation::Return { start: reg(value), count });
            }
            _ => self.return_list(exprs)?,
        }
        Ok(())
    }

    fn return_list(&mut self, exprs: &[Expr]) -> Made<()> {
        let first = self.f.free;
        let count = self.list(exprs)?;
        self.leave_function()?;
        self.f.emit(Operation::Return { start: reg(first), count });
        Ok(())
    }

    /// `return f(args)`. A function of Lua takes the place of the present one; one of the host is
    /// called from it, as Lua 5.1 does, so that errors know where they happened.
    fn tail_call(&mut self, head: &Expr, before: &[Suffix], args: &[Expr], line: u32) -> Made<()> {
        let mut link = self.facts.head(head);
        for (place, suffix) in before.iter().enumerate() {
            link = self.facts.link(&link, head, place, suffix);
        }
        let name = match before.last() {
            None => self.name(head),
            Some(Suffix::Index { key, .. }) => field_name(key),
            Some(_) => Name::NONE,
        };
        let native = link.known.is_native();
        let lua = link.value.kinds == Kinds::CLOSURE;
        // The answer whether it is a function of Lua, the operation that calls any other, it.
        let answer = self.f.take(1)?;
        let operation = if native || lua { answer } else { self.f.take(1)? };
        let function = if native || lua { answer } else { self.f.take(1)? };
        if before.is_empty() {
            self.expr(head, function)?;
        } else {
            self.chain(head, before, function)?;
        }
        self.f.free = function + 1;
        if !native && !lua {
            self.f.at(line, &[]);
            self.op(Op::IsLua, &[reg(function).into()], 1, answer)?;
        }
        let depth = self.give_depth(&link.value, true)?;
        let mut count = self.list(args)?;
        if depth > 0 {
            count = one_more(count);
        }
        self.f.at(line, std::slice::from_ref(&name));
        if native {
            self.call_at(function, count, VarCount::variable());
            self.leave_function()?;
            let count = VarCount::variable();
            self.f.emit(Operation::Return { start: reg(function), count });
            return Ok(());
        }
        let mut other = None;
        if !lua {
            self.f.emit(Operation::Test { value: reg(answer), is_true: true });
            other = Some(self.f.jump());
        }
        self.leave_function()?;
        self.f.emit(Operation::TailCall { func: reg(function), args: count });
        if let Some(other) = other {
            self.f.patch_here(vec![other])?;
            self.load_op(Op::Call, operation)?;
            let count = match count.to_constant() {
                Some(count) => VarCount::constant(count + 1),
                None => count,
            };
            self.f.at(line, std::slice::from_ref(&name));
            self.call_at(operation, count, VarCount::variable());
            self.leave_function()?;
            let count = VarCount::variable();
            self.f.emit(Operation::Return { start: reg(operation), count });
        }
        Ok(())
    }
}
