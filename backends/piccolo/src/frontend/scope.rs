//! Which variable a name means (`lparser.c singlevaraux`), and the limits of functions.
//!
//! Owns scopes and upvalues. It must not know the grammar.

use std::rc::Rc;

use super::ast::{Expr, SiteId, Target, Var, VarId};
use super::kinds::Value;

/// `LUAI_MAXVARS`.
pub(super) const MAX_VARS: usize = 200;
/// `LUAI_MAXUPVALUES`.
const MAX_UPVALUES: usize = 60;

/// A function that is being read.
#[derive(Debug, Default)]
pub(super) struct Scope {
    /// The variables in sight, innermost last.
    active: Vec<VarId>,
    /// Declared but not in sight yet.
    pending: usize,
    upvalues: Vec<VarId>,
    /// Loops around the present statement.
    pub(super) loops: u32,
    pub(super) vararg: bool,
    /// Whether `arg` exists and is filled unless `...` is used.
    pub(super) needs_arg: bool,
    pub(super) line: u32,
}

/// The functions around the present statement, outermost first.
#[derive(Debug, Default)]
pub(super) struct Scopes {
    pub(super) vars: Vec<Var>,
    /// Functions and constructors that have a name.
    pub(super) sites: usize,
    functions: Vec<Scope>,
    /// The one inside of all.
    pub(super) current: Scope,
}

/// A limit was passed: the words of `errorlimit`.
pub(super) type Limit = Vec<u8>;

impl Scopes {
    /// Begins a function.
    pub(super) fn open(&mut self, line: u32) {
        let new = Scope { line, ..Scope::default() };
        self.functions.push(std::mem::replace(&mut self.current, new));
    }

    /// Ends it.
    pub(super) fn close(&mut self) -> Scope {
        let outer = self.functions.pop().unwrap_or_default();
        std::mem::replace(&mut self.current, outer)
    }

    /// Names a function or a constructor.
    pub(super) fn site(&mut self) -> SiteId {
        self.sites += 1;
        SiteId(self.sites - 1)
    }

    /// Makes a variable that [`activate`](Self::activate) brings into sight.
    pub(super) fn declare(&mut self, name: Rc<[u8]>) -> Result<VarId, Limit> {
        self.reserve(1)?;
        let id = VarId(self.vars.len());
        self.vars.push(Var { name, captured: false, value: Value::default(), assigned: false });
        Ok(id)
    }

    /// Counts `count` hidden variables, such as the three of a loop.
    pub(super) fn reserve(&mut self, count: usize) -> Result<(), Limit> {
        let scope = &mut self.current;
        scope.pending += count;
        if scope.active.len() + scope.pending > MAX_VARS {
            return Err(limit(scope.line, MAX_VARS, "local variables"));
        }
        Ok(())
    }

    /// Brings declared variables into sight.
    pub(super) fn activate(&mut self, vars: &[VarId]) {
        let scope = &mut self.current;
        scope.pending = scope.pending.saturating_sub(vars.len());
        scope.active.extend_from_slice(vars);
    }

    /// Gives back what `reserve` counted.
    pub(super) fn unreserve(&mut self, count: usize) {
        self.current.pending = self.current.pending.saturating_sub(count);
    }

    /// How many variables are in sight, for [`leave`](Self::leave).
    pub(super) fn level(&self) -> usize {
        self.current.active.len()
    }

    /// Ends a block.
    pub(super) fn leave(&mut self, level: usize) {
        self.current.active.truncate(level);
    }

    /// The variable that a name means.
    pub(super) fn resolve(&mut self, name: &Rc<[u8]>) -> Result<Expr, Limit> {
        let find = |scope: &Scope, vars: &[Var]| {
            let of = |id: &&VarId| vars.get(id.0).is_some_and(|var| var.name == *name);
            scope.active.iter().rev().find(of).copied()
        };
        if let Some(id) = find(&self.current, &self.vars) {
            return Ok(Expr::Local(id));
        }
        let outer = self.functions.iter().enumerate().rev();
        let found = outer.filter_map(|(at, scope)| Some((at, find(scope, &self.vars)?))).next();
        let Some((at, id)) = found else { return Ok(Expr::Global(name.clone())) };
        if let Some(var) = self.vars.get_mut(id.0) {
            var.captured = true;
        }
        for scope in self.functions.iter_mut().skip(at + 1) {
            scope.add_upvalue(id)?;
        }
        self.current.add_upvalue(id)?;
        Ok(Expr::Upvalue(id))
    }
}

impl Scope {
    fn add_upvalue(&mut self, id: VarId) -> Result<(), Limit> {
        if self.upvalues.contains(&id) {
            return Ok(());
        }
        if self.upvalues.len() >= MAX_UPVALUES {
            return Err(limit(self.line, MAX_UPVALUES, "upvalues"));
        }
        self.upvalues.push(id);
        Ok(())
    }
}

impl Target {
    /// The target that an expression denotes; `None` when it can not be assigned to.
    pub(super) fn from_expr(expr: Expr) -> Option<Target> {
        use super::ast::Suffix;
        match expr {
            Expr::Local(id) => Some(Target::Local(id)),
            Expr::Upvalue(id) => Some(Target::Upvalue(id)),
            Expr::Global(name) => Some(Target::Global(name)),
            Expr::Suffixed { head, mut suffixes } => match suffixes.pop()? {
                Suffix::Index { key, line } => {
                    let table =
                        if suffixes.is_empty() { *head } else { Expr::Suffixed { head, suffixes } };
                    Some(Target::Index { table, key, line })
                }
                _ => None,
            },
            _ => None,
        }
    }
}

/// `errorlimit` in `lparser.c`.
pub(super) fn limit(line: u32, limit: usize, what: &str) -> Limit {
    if line == 0 {
        format!("main function has more than {limit} {what}").into_bytes()
    } else {
        format!("function at line {line} has more than {limit} {what}").into_bytes()
    }
}
