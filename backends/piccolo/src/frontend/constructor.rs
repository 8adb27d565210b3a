//! Table constructors as instructions.
//!
//! Owns how many items and pairs one instruction is given. Must not know statements.

use piccolo::opcode::Operation;
use piccolo::types::VarCount;

use super::ast::{Constructor, Expr, Field};
use super::code::Generator;
use super::expr::{constant, one_more};
use super::function::{Made, reg};
use super::ops::Op;

/// Values that one call of a constructor is given.
const ITEMS: usize = 50;
/// Pairs that one call of a constructor is given.
const PAIRS: usize = 24;

impl Generator<'_> {
    /// A table with its first values. Pairs are set as they come, items fifty at a time or at the
    /// end (`lparser.c constructor`).
    pub(super) fn table(&mut self, table: &Constructor, dest: usize) -> Made<()> {
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
        if let [Field::Item(item)] = table.fields.as_slice()
            && !open
        {
            return self.table_of_one(item, table.line, dest);
        }
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

    /// A table with one item, which needs no register of its own while the item is evaluated, so
    /// that such tables nest as deeply as the grammar lets them.
    pub(super) fn table_of_one(&mut self, item: &Expr, line: u32, dest: usize) -> Made<()> {
        let free = self.f.free;
        let base = self.f.take(1)?;
        self.expr(item, base)?;
        self.f.take(4)?;
        self.move_to(base + 4, base);
        for (place, count) in [1.0, 0.0, 0.0].into_iter().enumerate() {
            let constant = self.f.number(count)?;
            self.f.load(base + 1 + place, constant);
        }
        self.load_op(Op::Construct, base)?;
        self.f.at(line, &[]);
        self.call_at(base, constant(4), VarCount::constant(1));
        self.move_to(dest, base);
        self.f.free = free;
        Ok(())
    }

    /// The fields that did not go into the first call.
    pub(super) fn more_fields(
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

    pub(super) fn pairs(&mut self, fields: &[Field]) -> Made<()> {
        for field in fields {
            if let Field::Pair(key, value) = field {
                self.next(key)?;
                self.next(value)?;
            }
        }
        Ok(())
    }

    /// Stores the items that wait above `base`, after `stored` earlier ones.
    pub(super) fn append(
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
