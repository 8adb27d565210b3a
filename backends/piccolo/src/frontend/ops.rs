//! The operations of Lua 5.1 that piccolo's instructions lack, as functions the code calls.
//!
//! Owns their list and what each is given. It must not know how they work.

/// A function that compiled code finds among its upvalues.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Op {
    /// `(a, b) → a + b` on any values; the same for the next five.
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    Pow,
    /// `(a) → -a`
    Minus,
    /// `(a, b, …) → a .. b .. …`
    Concat,
    /// `(a, b) → a < b`
    Less,
    /// `(a, b) → a <= b`
    LessEqual,
    /// `(a) → #a`
    Length,
    /// `(t, k) → t[k]`
    Index,
    /// `(t, k, v)`: `t[k] = v`
    SetIndex,
    /// `(name, v)`: assigns to a global.
    SetGlobal,
    /// `(f, …) → f(…)`
    Call,
    /// `(f) → whether f is a function of Lua`
    IsLua,
    /// `(start, limit, step) → the same as numbers of a loop that ends`
    ForPrep,
    /// `(f) → a function that can be called as f`
    Iterator,
    /// `(array size, hash size, pairs, k, v, …, items…) → a table`
    Construct,
    /// `(t, index, items…)`: sets the items from the index on.
    Append,
    /// `(t, k, v, …)`: sets the pairs.
    Extend,
    /// `(…) → the table arg`
    Arg,
    /// Raises because calls nest too deeply.
    Overflow,
}

impl Op {
    /// All of them.
    pub(crate) const ALL: [Op; 23] = [
        Op::Add,
        Op::Sub,
        Op::Mul,
        Op::Div,
        Op::Mod,
        Op::Pow,
        Op::Minus,
        Op::Concat,
        Op::Less,
        Op::LessEqual,
        Op::Length,
        Op::Index,
        Op::SetIndex,
        Op::SetGlobal,
        Op::Call,
        Op::IsLua,
        Op::ForPrep,
        Op::Iterator,
        Op::Construct,
        Op::Append,
        Op::Extend,
        Op::Arg,
        Op::Overflow,
    ];
}
