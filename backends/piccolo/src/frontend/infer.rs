//! What a local variable, a function or a table of the text may hold.
//!
//! Owns the inference: where values go. Where an operand is certainly a number, a table or a
//! function, piccolo's own instruction does what Lua 5.1 does and cannot fail; everywhere else a
//! function must be called. It must not know which instruction that is.
//!
//! A variable, a field or a result holds the union of what is put there anywhere. What goes where
//! the text does not tell has escaped. The unions grow until nothing changes.

use std::cell::RefCell;

use super::ast::{
    BinaryOp, Block, Expr, Field, Function, Numeric, SiteId, Stat, Suffix, Target, Tree, UnaryOp,
    Var, VarId,
};
use super::facts::{Contents, Facts, Key, Link, Made, Signature, Site};
use super::kinds::{Kinds, Sites, Value};
use super::{Known, World};

/// Passes over the tree before inference gives up.
const PASSES: usize = 16;

/// Finds out what a text tells.
pub(super) fn infer<'w>(tree: &'w Tree, vars: Vec<Var>, world: &'w World<'w>) -> Facts<'w> {
    let sites = std::iter::repeat_with(Site::default).take(tree.sites).collect();
    let facts = Facts { vars, sites, world, found: RefCell::default() };
    let (functions, called) = (Vec::new(), Vec::new());
    let function = tree.main.site;
    let mut walk = Walk { facts, changed: true, function, functions, called };
    if let Some(main) = walk.facts.sites.get_mut(tree.main.site.0) {
        main.escaped = true;
    }
    let mut passes = 0;
    while walk.changed {
        walk.changed = false;
        walk.functions.clear();
        walk.called.clear();
        walk.facts.found.borrow_mut().clear();
        walk.function(&tree.main);
        passes += 1;
        if passes > PASSES {
            for var in &mut walk.facts.vars {
                var.value = Value::any();
            }
            walk.facts.sites.clear();
            walk.facts.found.borrow_mut().clear();
            break;
        }
    }
    let Walk { mut facts, functions, called, .. } = walk;
    facts.count_calls(&functions, &called);
    facts
}

struct Walk<'w> {
    facts: Facts<'w>,
    /// The functions that the last pass came across, and what was called.
    functions: Vec<&'w Function>,
    called: Vec<Value>,
    changed: bool,
    /// The function whose statements are walked over.
    function: SiteId,
}

/// A place that holds values.
#[derive(Clone, Copy)]
enum Place<'a> {
    Var(VarId),
    /// The first result of a function.
    First(SiteId),
    /// The tables of a constructor, by a key.
    In(SiteId, Key<'a>),
}

impl<'w> Walk<'w> {
    /// Adds to what a place may hold.
    fn join(&mut self, place: Place<'_>, value: &Value) {
        let facts = &mut self.facts;
        let (held, escaped) = match place {
            Place::Var(id) => match facts.vars.get_mut(id.0) {
                Some(var) => (&mut var.value, false),
                None => return,
            },
            Place::First(id) => match facts.sites.get_mut(id.0) {
                Some(Site { escaped, made: Made::Function(signature), .. }) => {
                    (&mut signature.first, *escaped)
                }
                _ => return,
            },
            Place::In(id, key) => match facts.sites.get_mut(id.0) {
                Some(Site { escaped, made: Made::Table(contents), .. }) => {
                    (contents.slot(key), *escaped)
                }
                _ => return,
            },
        };
        let (more, lost) = held.join(value);
        self.changed |= more;
        self.escape(&lost);
        if escaped {
            self.escape(&value.sites);
        }
    }

    fn var(&mut self, id: VarId, kinds: Kinds) {
        self.join(Place::Var(id), &Value::of(kinds));
    }

    /// Lets functions and tables go where the text does not tell, with all that is in them.
    fn escape(&mut self, sites: &[SiteId]) {
        let mut gone = Sites::from_slice(sites);
        while let Some(id) = gone.pop() {
            let Some(site) = self.facts.sites.get_mut(id.0) else { continue };
            if std::mem::replace(&mut site.escaped, true) {
                continue;
            }
            self.changed = true;
            match &site.made {
                Made::Nothing => {}
                Made::Function(signature) => gone.extend_from_slice(&signature.first.sites),
                Made::Table(contents) => {
                    let fields = contents.fields.values().map(|field| &field.value);
                    for value in fields.chain([&contents.items, &contents.rest]) {
                        gone.extend_from_slice(&value.sites);
                    }
                }
            }
        }
    }

    fn function(&mut self, function: &'w Function) {
        self.functions.push(function);
        let site = function.site;
        let mut escaped = true;
        if let Some(known) = self.facts.sites.get_mut(site.0) {
            escaped = known.escaped;
            if let Made::Nothing = known.made {
                let params = function.params.as_slice().into();
                let vararg = function.vararg;
                known.made = Made::Function(Signature { params, vararg, first: Value::default() });
                self.changed = true;
            }
        }
        if escaped {
            for &param in &function.params {
                self.join(Place::Var(param), &Value::any());
            }
        }
        if let Some((arg, filled)) = function.arg {
            let value = if filled { Value::known(Known::Table) } else { Value::of(Kinds::NIL) };
            self.join(Place::Var(arg), &value);
        }
        let outer = std::mem::replace(&mut self.function, site);
        self.block(&function.body);
        if !ends(&function.body) {
            self.join(Place::First(site), &Value::of(Kinds::NIL));
        }
        self.function = outer;
    }

    fn block(&mut self, block: &'w Block) {
        for stat in &block.stats {
            self.stat(stat);
        }
    }

    /// The value in a place of a list that is adjusted to as many as are wanted.
    fn adjusted(&self, exprs: &[Expr], place: usize) -> Value {
        match exprs.get(place) {
            Some(expr) => self.facts.value(expr),
            None if exprs.last().is_some_and(Expr::is_multi) => Value::any(),
            None => Value::of(Kinds::NIL),
        }
    }

    fn stat(&mut self, stat: &'w Stat) {
        if self.facts.world.wanted.tick() {
            return;
        }
        match stat {
            Stat::Local { vars, exprs, .. } => {
                self.exprs(exprs);
                for (place, var) in vars.iter().enumerate() {
                    let value = self.adjusted(exprs, place);
                    self.join(Place::Var(*var), &value);
                }
            }
            Stat::LocalFunction { var, function, .. } => {
                let value = Value::made(Kinds::CLOSURE, function.site);
                self.join(Place::Var(*var), &value);
                self.function(function);
            }
            Stat::Assign { targets, exprs, .. } => {
                self.exprs(exprs);
                for (place, target) in targets.iter().enumerate() {
                    let value = self.adjusted(exprs, place);
                    match target {
                        Target::Local(id) | Target::Upvalue(id) => {
                            self.join(Place::Var(*id), &value);
                        }
                        Target::Global(_) => self.escape(&value.sites),
                        Target::Index { table, key, .. } => {
                            self.expr(table);
                            self.expr(key);
                            let base = self.facts.value(table);
                            self.store(&base, key, &value);
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
                self.var(*var, Kinds::NUMBER.or(Kinds::INTEGER));
                self.block(body);
            }
            Stat::Generic { vars, exprs, body, .. } => {
                self.iteration(vars, exprs);
                self.block(body);
            }
            Stat::Return { exprs, .. } => {
                self.exprs(exprs);
                let first = self.adjusted(exprs, 0);
                self.join(Place::First(self.function), &first);
                for expr in exprs.iter().skip(1) {
                    self.lose(expr);
                }
            }
            Stat::Break { .. } => {}
        }
    }

    /// The variables of a generic loop.
    fn iteration(&mut self, vars: &[VarId], exprs: &'w [Expr]) {
        if let [expr @ Expr::Suffixed { suffixes, .. }] = exprs
            && let Known::Iterator | Known::Ipairs = self.facts.called(expr)
            && let Some(Suffix::Call { args, .. }) = suffixes.last()
            && let [of] = args.as_slice()
        {
            // Nobody sees the table but the loop.
            self.expr(of);
            let ipairs = self.facts.called(expr) == Known::Ipairs;
            let walked = self.facts.value(of);
            let key = if ipairs { Key::Number } else { Key::Other };
            let mut item = self.facts.index(&walked, key);
            item.kinds = item.kinds.present();
            for (place, &var) in vars.iter().enumerate() {
                match place {
                    0 if ipairs => self.var(var, Kinds::NUMBER),
                    1 => {
                        // After the end there is none.
                        self.join(Place::Var(var), &item);
                    }
                    _ => self.join(Place::Var(var), &Value::any()),
                }
            }
            return;
        }
        self.exprs(exprs);
        for expr in exprs {
            self.lose(expr);
        }
        for &var in vars {
            self.join(Place::Var(var), &Value::any());
        }
    }

    /// The value of an expression goes where the text does not tell.
    fn lose(&mut self, expr: &Expr) {
        let value = self.facts.value(expr);
        self.escape(&value.sites);
    }

    /// `base[key] = value`.
    fn store(&mut self, base: &Value, key: &Expr, value: &Value) {
        // A walk over the table brings keys to light.
        self.lose(key);
        if base.strange || !base.kinds.within(Kinds::TABLE.or(Kinds::NIL)) {
            self.escape(&value.sites);
        }
        let names: Key<'_> = self.facts.key(key);
        for &site in &base.sites {
            self.join(Place::In(site, names), value);
        }
    }

    fn exprs(&mut self, exprs: impl IntoIterator<Item = &'w Expr>) {
        for expr in exprs {
            self.expr(expr);
        }
    }

    /// Looks for functions, tables and calls inside of an expression.
    fn expr(&mut self, expr: &'w Expr) {
        if self.facts.world.wanted.tick() {
            return;
        }
        match expr {
            Expr::Function(function) => self.function(function),
            Expr::Suffixed { head, suffixes } => {
                self.expr(head);
                let mut link = self.facts.head(head);
                for (place, suffix) in suffixes.iter().enumerate() {
                    match suffix {
                        Suffix::Index { key, .. } => {
                            self.expr(key);
                            // A metamethod gets the key.
                            self.lose(key);
                        }
                        Suffix::Call { args, .. } => self.call(&link, None, args),
                        Suffix::Method { name, args, .. } => {
                            let method = self.facts.method(&link.value, name);
                            self.call(&method, Some(&link.value), args);
                        }
                    }
                    link = self.facts.link(&link, head, place, suffix);
                }
            }
            Expr::Paren(inner) => self.expr(inner),
            Expr::Unary { op, operand, .. } => {
                self.expr(operand);
                if *op == UnaryOp::Minus {
                    self.lose(operand);
                }
            }
            Expr::Table(table) => {
                if let Some(site) = self.facts.sites.get_mut(table.site.0)
                    && let Made::Nothing = site.made
                {
                    let hashed = table.fields.iter().any(|f| matches!(f, Field::Pair(..)));
                    site.made = Made::Table(Contents { hashed, ..Contents::default() });
                    self.changed = true;
                }
                for (place, field) in table.fields.iter().enumerate() {
                    self.field(table.site, field, place + 1 == table.fields.len());
                }
            }
            Expr::Binary { first, rest } => {
                self.expr(first);
                let mut left = self.facts.value(first);
                for operand in rest {
                    self.expr(&operand.right);
                    let compares = matches!(operand.op, BinaryOp::Equal | BinaryOp::NotEqual);
                    if !compares && !matches!(operand.op, BinaryOp::And | BinaryOp::Or) {
                        // A metamethod gets both.
                        self.escape(&left.sites);
                        self.lose(&operand.right);
                    }
                    left = self.facts.operation(left, operand);
                }
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

    /// A field of a constructor.
    fn field(&mut self, site: SiteId, field: &'w Field, last: bool) {
        match field {
            Field::Item(item) => {
                self.expr(item);
                let open = last && item.is_multi();
                let value = if open { Value::any() } else { self.facts.value(item) };
                if open {
                    self.lose(item);
                }
                self.join(Place::In(site, Key::Number), &value);
            }
            Field::Pair(key, item) => {
                self.exprs([key, item]);
                let value = self.facts.value(item);
                let base = Value::made(Kinds::TABLE, site);
                self.store(&base, key, &value);
                if let Expr::String(name) = key
                    && let Some(Site { made: Made::Table(contents), .. }) =
                        self.facts.sites.get_mut(site.0)
                {
                    contents.fields.entry(name.clone()).or_default().sure = true;
                }
            }
        }
    }

    /// A call: what is given becomes parameters.
    fn call(&mut self, callee: &Link, object: Option<&Value>, args: &'w [Expr]) {
        self.exprs(args);
        let mut given: Vec<Value> = object.into_iter().cloned().collect();
        given.extend(args.iter().map(|arg| self.facts.value(arg)));
        let open = args.last().is_some_and(Expr::is_multi);
        let mut called = callee.value.clone();
        // No object stands behind a count.
        called.strange |= object.is_some();
        self.called.push(called);
        let Value { kinds, strange, sites } = &callee.value;
        let told = kinds.within(Kinds::CLOSURE.or(Kinds::NIL)) && !strange;
        if !told && !callee.known.is_pure() {
            for value in &given {
                self.escape(&value.sites);
            }
        }
        for site in sites {
            let Some(Made::Function(signature)) =
                self.facts.sites.get(site.0).map(|site| &site.made)
            else {
                continue;
            };
            let (params, vararg) = (signature.params.clone(), signature.vararg);
            let missing = if open { Value::any() } else { Value::of(Kinds::NIL) };
            for (place, &param) in params.iter().enumerate() {
                self.join(Place::Var(param), given.get(place).unwrap_or(&missing));
            }
            for value in given.iter().skip(if vararg { params.len() } else { given.len() }) {
                self.escape(&value.sites);
            }
        }
    }
}

/// Whether a block is never left at its end.
fn ends(block: &Block) -> bool {
    match block.stats.last() {
        Some(Stat::Return { .. }) => true,
        Some(Stat::Do(body)) => ends(body),
        Some(Stat::If { arms, other: Some(other), .. }) => {
            ends(other) && arms.iter().all(|(_, body)| ends(body))
        }
        _ => false,
    }
}
