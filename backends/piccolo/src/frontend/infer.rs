//! What a local variable may hold, as far as the text tells.
//!
//! Owns the kinds and their inference. Where an operand is certainly a number, a table or a
//! function, piccolo's own instruction does what Lua 5.1 does and cannot fail; everywhere else a
//! function must be called. It must not know which instruction that is.
//!
//! A variable holds the union of what is assigned to it anywhere. The unions grow until nothing
//! changes.

use super::ast::{BinaryOp, Block, Expr, Field, Function, Numeric, Stat, Suffix, Target, Tree};
use super::ast::{UnaryOp, Var, VarId};
use super::{Known, World};

/// A set of kinds of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kinds(u16);

impl Kinds {
    pub(super) const NONE: Kinds = Kinds(0);
    pub(super) const NIL: Kinds = Kinds(1);
    pub(super) const BOOLEAN: Kinds = Kinds(2);
    /// A number that is one.
    pub(super) const NUMBER: Kinds = Kinds(4);
    pub(super) const NAN: Kinds = Kinds(8);
    pub(super) const STRING: Kinds = Kinds(16);
    pub(super) const TABLE: Kinds = Kinds(32);
    /// A function of Lua.
    pub(super) const CLOSURE: Kinds = Kinds(64);
    /// A function of the host.
    pub(super) const NATIVE: Kinds = Kinds(128);
    pub(super) const ANY: Kinds = Kinds(0x1ff);
    pub(super) const ARITHMETIC: Kinds = Kinds(4 | 8);
    pub(super) const FUNCTION: Kinds = Kinds(64 | 128);

    pub(super) const fn or(self, other: Kinds) -> Kinds {
        Kinds(self.0 | other.0)
    }

    const fn without(self, other: Kinds) -> Kinds {
        Kinds(self.0 & !other.0)
    }

    const fn and(self, other: Kinds) -> Kinds {
        Kinds(self.0 & other.0)
    }

    /// Whether nothing else is possible.
    pub(super) const fn within(self, other: Kinds) -> bool {
        self.0 & !other.0 == 0
    }
}

/// Passes over the tree before inference gives up.
const PASSES: usize = 12;

/// Fills in [`Var::kinds`].
pub(super) fn infer(tree: &mut Tree, world: &World<'_>) {
    let mut vars = std::mem::take(&mut tree.vars);
    let mut walk = Walk { vars: &mut vars, world, changed: true };
    let mut passes = 0;
    while walk.changed {
        walk.changed = false;
        walk.function(&tree.main);
        passes += 1;
        if passes > PASSES {
            for var in walk.vars.iter_mut() {
                var.kinds = Kinds::ANY;
            }
            break;
        }
    }
    tree.vars = vars;
}

/// What an expression may yield.
pub(super) fn kinds_of(expr: &Expr, vars: &[Var], world: &World<'_>) -> Kinds {
    match expr {
        Expr::Nil => Kinds::NIL,
        Expr::True | Expr::False => Kinds::BOOLEAN,
        Expr::Number(number) if number.is_nan() => Kinds::NAN,
        Expr::Number(_) => Kinds::NUMBER,
        Expr::String(_) => Kinds::STRING,
        Expr::Vararg => Kinds::ANY,
        Expr::Function(_) => Kinds::CLOSURE,
        Expr::Local(id) | Expr::Upvalue(id) => vars.get(id.0).map_or(Kinds::ANY, |var| var.kinds),
        Expr::Global(_) | Expr::Suffixed { .. } => of_known(known(expr, world)),
        Expr::Paren(inner) => kinds_of(inner, vars, world),
        Expr::Table(_) => Kinds::TABLE,
        Expr::Unary { op: UnaryOp::Not, .. } => Kinds::BOOLEAN,
        Expr::Unary { op: UnaryOp::Length, .. } => Kinds::NUMBER,
        Expr::Unary { op: UnaryOp::Minus, operand, .. } => {
            let kinds = kinds_of(operand, vars, world);
            if kinds.within(Kinds::ARITHMETIC) { kinds } else { Kinds::ANY }
        }
        Expr::Binary { first, rest } => {
            let mut left = kinds_of(first, vars, world);
            for operand in rest {
                let right = kinds_of(&operand.right, vars, world);
                left = binary(operand.op, left, right, &operand.right);
            }
            left
        }
    }
}

/// What an operation may yield.
pub(super) fn binary(op: BinaryOp, left: Kinds, right: Kinds, operand: &Expr) -> Kinds {
    match op {
        BinaryOp::Add | BinaryOp::Sub
            if matches!(operand, Expr::Number(n) if n.is_finite()) && left == Kinds::NUMBER =>
        {
            Kinds::NUMBER
        }
        BinaryOp::Add
        | BinaryOp::Sub
        | BinaryOp::Mul
        | BinaryOp::Div
        | BinaryOp::Mod
        | BinaryOp::Pow => {
            let numbers = left.or(right).within(Kinds::ARITHMETIC);
            if numbers { Kinds::ARITHMETIC } else { Kinds::ANY }
        }
        BinaryOp::Concat => {
            let plain = left.or(right).within(Kinds::ARITHMETIC.or(Kinds::STRING));
            if plain { Kinds::STRING } else { Kinds::ANY }
        }
        BinaryOp::NotEqual
        | BinaryOp::Equal
        | BinaryOp::Less
        | BinaryOp::LessEqual
        | BinaryOp::Greater
        | BinaryOp::GreaterEqual => Kinds::BOOLEAN,
        BinaryOp::And => left.and(Kinds::NIL.or(Kinds::BOOLEAN)).or(right),
        BinaryOp::Or => left.without(Kinds::NIL).or(right),
    }
}

/// What is known of a global, or of a field of one.
pub(super) fn known(expr: &Expr, world: &World<'_>) -> Known {
    match expr {
        Expr::Global(name) => (world.global)(name),
        Expr::Suffixed { head, suffixes } => match (&**head, suffixes.as_slice()) {
            (Expr::Global(library), [Suffix::Index { key: Expr::String(name), .. }]) => {
                (world.field)(library, name)
            }
            _ => Known::Anything,
        },
        _ => Known::Anything,
    }
}

fn of_known(known: Known) -> Kinds {
    match known {
        Known::Anything => Kinds::ANY,
        Known::Table => Kinds::TABLE,
        Known::Native | Known::Iterator | Known::Ipairs => Kinds::NATIVE,
    }
}

/// What is known of the function that a call calls, when that is all the expression is.
pub(super) fn called(expr: &Expr, world: &World<'_>) -> Known {
    let Expr::Suffixed { head, suffixes } = expr else { return Known::Anything };
    match (&**head, suffixes.as_slice()) {
        (Expr::Global(name), [Suffix::Call { .. }]) => (world.global)(name),
        (
            Expr::Global(library),
            [Suffix::Index { key: Expr::String(name), .. }, Suffix::Call { .. }],
        ) => (world.field)(library, name),
        _ => Known::Anything,
    }
}

struct Walk<'a, 'w> {
    vars: &'a mut Vec<Var>,
    world: &'a World<'w>,
    changed: bool,
}

impl Walk<'_, '_> {
    fn join(&mut self, id: VarId, kinds: Kinds) {
        if let Some(var) = self.vars.get_mut(id.0)
            && !kinds.within(var.kinds)
        {
            var.kinds = var.kinds.or(kinds);
            self.changed = true;
        }
    }

    fn kinds(&self, expr: &Expr) -> Kinds {
        kinds_of(expr, self.vars, self.world)
    }

    fn function(&mut self, function: &Function) {
        for &param in &function.params {
            self.join(param, Kinds::ANY);
        }
        if let Some((arg, filled)) = function.arg {
            self.join(arg, if filled { Kinds::TABLE } else { Kinds::NIL });
        }
        self.block(&function.body);
    }

    fn block(&mut self, block: &Block) {
        for stat in &block.stats {
            self.stat(stat);
        }
    }

    fn assign(&mut self, id: VarId, exprs: &[Expr], place: usize) {
        let kinds = match exprs.get(place) {
            Some(expr) => self.kinds(expr),
            None if exprs.last().is_some_and(Expr::is_multi) => Kinds::ANY,
            None => Kinds::NIL,
        };
        self.join(id, kinds);
    }

    fn stat(&mut self, stat: &Stat) {
        if self.world.wanted.tick() {
            return;
        }
        match stat {
            Stat::Local { vars, exprs, .. } => {
                self.exprs(exprs);
                for (place, var) in vars.iter().enumerate() {
                    self.assign(*var, exprs, place);
                }
            }
            Stat::LocalFunction { var, function, .. } => {
                self.join(*var, Kinds::CLOSURE);
                self.function(function);
            }
            Stat::Assign { targets, exprs, .. } => {
                self.exprs(exprs);
                for (place, target) in targets.iter().enumerate() {
                    match target {
                        Target::Local(id) | Target::Upvalue(id) => self.assign(*id, exprs, place),
                        Target::Global(_) => {}
                        Target::Index { table, key, .. } => {
                            self.expr(table);
                            self.expr(key);
                        }
                    }
                }
            }
            Stat::Call { call, .. } => self.expr(call),
            Stat::Do(body) => self.block(body),
            Stat::While { cond, body, .. } | Stat::Repeat { body, cond, .. } => {
                self.expr(cond);
                self.block(body);
            }
            Stat::If { arms, other, .. } => {
                for (cond, body) in arms {
                    self.expr(cond);
                    self.block(body);
                }
                if let Some(body) = other {
                    self.block(body);
                }
            }
            Stat::Numeric(numeric) => {
                let Numeric { var, start, limit, step, body, .. } = &**numeric;
                self.exprs([start, limit].into_iter().chain(step));
                self.join(*var, Kinds::NUMBER);
                self.block(body);
            }
            Stat::Generic { vars, exprs, body, .. } => {
                self.exprs(exprs);
                let counts = matches!(exprs.as_slice(), [expr]
                    if called(expr, self.world) == Known::Ipairs);
                for (place, var) in vars.iter().enumerate() {
                    let number = counts && place == 0;
                    self.join(*var, if number { Kinds::NUMBER } else { Kinds::ANY });
                }
                self.block(body);
            }
            Stat::Return { exprs, .. } => self.exprs(exprs),
            Stat::Break { .. } => {}
        }
    }

    fn exprs<'e>(&mut self, exprs: impl IntoIterator<Item = &'e Expr>) {
        for expr in exprs {
            self.expr(expr);
        }
    }

    /// Looks for functions inside of an expression.
    fn expr(&mut self, expr: &Expr) {
        if self.world.wanted.tick() {
            return;
        }
        match expr {
            Expr::Function(function) => self.function(function),
            Expr::Suffixed { head, suffixes } => {
                self.expr(head);
                for suffix in suffixes {
                    match suffix {
                        Suffix::Index { key, .. } => self.expr(key),
                        Suffix::Call { args, .. } | Suffix::Method { args, .. } => {
                            self.exprs(args);
                        }
                    }
                }
            }
            Expr::Paren(inner) | Expr::Unary { operand: inner, .. } => self.expr(inner),
            Expr::Table(table) => {
                for field in &table.fields {
                    match field {
                        Field::Item(item) => self.expr(item),
                        Field::Pair(key, value) => self.exprs([key, value]),
                    }
                }
            }
            Expr::Binary { first, rest } => {
                self.expr(first);
                self.exprs(rest.iter().map(|operand| &operand.right));
            }
            Expr::Nil
            | Expr::True
            | Expr::False
            | Expr::Number(_)
            | Expr::String(_)
            | Expr::Vararg
            | Expr::Local(_)
            | Expr::Upvalue(_)
            | Expr::Global(_) => {}
        }
    }
}
