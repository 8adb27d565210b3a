//! The tree of a chunk, with its names already resolved.
//!
//! Owns the form of the tree. Chains that the grammar reads in a loop (`a.b.c…`, `a+b+c…`) are
//! lists here, so that the depth of the tree is bounded by the parser's limit of levels.

use std::rc::Rc;

use super::kinds::Value;

/// Names a local variable of a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct VarId(pub(super) usize);

/// Names a function or a table constructor of a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SiteId(pub(super) usize);

/// A local variable.
#[derive(Debug)]
pub(super) struct Var {
    pub(super) name: Rc<[u8]>,
    /// Whether an inner function uses it.
    pub(super) captured: bool,
    /// What it may hold.
    pub(super) value: Value,
    /// Whether something other than its declaration assigns to it.
    pub(super) assigned: bool,
}

/// A chunk.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) main: Function,
    /// All local variables of all functions.
    pub(super) vars: Vec<Var>,
    /// How many functions and constructors there are.
    pub(super) sites: usize,
}

/// A function.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) site: SiteId,
    pub(super) params: Vec<VarId>,
    pub(super) vararg: bool,
    /// The variable `arg` of a function with `...`, and whether it is filled
    /// (`LUA_COMPAT_VARARG`: not when the function uses `...`).
    pub(super) arg: Option<(VarId, bool)>,
    pub(super) body: Block,
    /// Where it is defined; 0 for a chunk.
    pub(super) line: u32,
    pub(super) last_line: u32,
}

/// Statements with a scope.
#[derive(Debug, Default)]
pub(super) struct Block {
    pub(super) stats: Vec<Stat>,
}

#[derive(Debug)]
pub(super) enum Stat {
    Local {
        vars: Vec<VarId>,
        exprs: Vec<Expr>,
        line: u32,
    },
    LocalFunction {
        var: VarId,
        function: Box<Function>,
        line: u32,
    },
    /// Values are stored on the line `end`.
    Assign {
        targets: Vec<Target>,
        exprs: Vec<Expr>,
        line: u32,
        end: u32,
    },
    Call {
        call: Expr,
        line: u32,
    },
    Do(Block),
    While {
        cond: Expr,
        body: Block,
        line: u32,
    },
    Repeat {
        body: Block,
        cond: Expr,
        line: u32,
    },
    If {
        arms: Vec<(Expr, Block)>,
        other: Option<Block>,
        line: u32,
    },
    Numeric(Box<Numeric>),
    Generic {
        vars: Vec<VarId>,
        exprs: Vec<Expr>,
        body: Block,
        line: u32,
    },
    Return {
        exprs: Vec<Expr>,
        line: u32,
    },
    Break {
        line: u32,
    },
}

/// `for var = start, limit, step do body end`.
#[derive(Debug)]
pub(super) struct Numeric {
    pub(super) var: VarId,
    pub(super) start: Expr,
    pub(super) limit: Expr,
    pub(super) step: Option<Expr>,
    pub(super) body: Block,
    pub(super) line: u32,
}

/// What can be assigned to.
#[derive(Debug)]
pub(super) enum Target {
    Local(VarId),
    Upvalue(VarId),
    Global(Rc<[u8]>),
    Index { table: Expr, key: Expr, line: u32 },
}

#[derive(Debug)]
pub(super) enum Expr {
    Nil,
    True,
    False,
    Number(f64),
    String(Rc<[u8]>),
    Vararg,
    Function(Box<Function>),
    Local(VarId),
    Upvalue(VarId),
    Global(Rc<[u8]>),
    Suffixed { head: Box<Expr>, suffixes: Vec<Suffix> },
    Paren(Box<Expr>),
    Table(Box<Constructor>),
    Unary { op: UnaryOp, operand: Box<Expr>, line: u32 },
    Binary { first: Box<Expr>, rest: Vec<Operand> },
}

/// One step of a chain `first op second op third`.
#[derive(Debug)]
pub(super) struct Operand {
    pub(super) op: BinaryOp,
    pub(super) right: Expr,
    pub(super) line: u32,
}

#[derive(Debug)]
pub(super) enum Suffix {
    Index { key: Expr, line: u32 },
    Call { args: Vec<Expr>, line: u32 },
    Method { name: Rc<[u8]>, args: Vec<Expr>, line: u32 },
}

#[derive(Debug)]
pub(super) struct Constructor {
    pub(super) site: SiteId,
    pub(super) fields: Vec<Field>,
    pub(super) line: u32,
}

#[derive(Debug)]
pub(super) enum Field {
    Item(Expr),
    Pair(Expr, Expr),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UnaryOp {
    Minus,
    Not,
    Length,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BinaryOp {
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    Pow,
    Concat,
    NotEqual,
    Equal,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    And,
    Or,
}

impl Expr {
    /// Whether it may yield any number of values.
    pub(super) fn is_multi(&self) -> bool {
        match self {
            Expr::Vararg => true,
            Expr::Suffixed { suffixes, .. } => {
                matches!(suffixes.last(), Some(Suffix::Call { .. } | Suffix::Method { .. }))
            }
            _ => false,
        }
    }
}
