//! Library functions that call back into Lua, as steps that an engine drives.
//!
//! Owns [`Step`], what such a function asks of the engine, and [`Workspace`], the values it works
//! on meanwhile. Must not know any function, nor how an engine makes a call: a C engine loops
//! over the steps, a stackless one returns to its own loop in between.

use crate::{Kind, ValueWriter};

/// What can be said of a value without descending into it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalar<'a> {
    /// A number.
    Number(f64),
    /// A string.
    String(&'a [u8]),
    /// A boolean.
    Boolean(bool),
    /// A value of another kind, or none at all.
    Other(Kind),
}

impl Scalar<'_> {
    /// The kind of the value.
    pub fn kind(self) -> Kind {
        match self {
            Scalar::Number(_) => Kind::Number,
            Scalar::String(_) => Kind::String,
            Scalar::Boolean(_) => Kind::Boolean,
            Scalar::Other(kind) => kind,
        }
    }

    /// Whether a condition takes it for true (`lua_toboolean`).
    #[inline]
    pub fn truth(self) -> bool {
        !matches!(
            self,
            Scalar::Boolean(false) | Scalar::Other(Kind::Nil) | Scalar::Other(Kind::None)
        )
    }
}

/// What a library function asks the engine to do before it is resumed.
///
/// Values are counted from 0, the first one that was appended to the [`Workspace`]; arguments
/// are counted apart, from 0 as well. Every step may run Lua code or raise; then the function is
/// not resumed and what it holds is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Calls the value that lies below the last `arguments` ones with these as its arguments.
    /// All of them give their place to the first result, nil when there is none.
    Call {
        /// How many arguments there are.
        arguments: usize,
    },
    /// Appends whether value `left` is less than value `right`, as the operator `<` says, with
    /// metamethods and its errors.
    Less {
        /// The value on the left.
        left: usize,
        /// The value on the right.
        right: usize,
    },
    /// Replaces the last value, a key, by what `table[key]` gives, with metamethods.
    Index {
        /// The argument that is the table.
        table: usize,
    },
    /// Takes the last value, a key, away and appends the key and the value of the pair that
    /// follows it in the traversal of a table; after the last pair a single nil (`lua_next`).
    Next {
        /// The argument that is the table.
        table: usize,
    },
    /// The function is done; its results are the last values.
    Return {
        /// How many.
        results: usize,
    },
}

/// The values that a library function works on: a [`ValueWriter`] that can also look at what it
/// has appended, and move values between there and the tables among the arguments.
///
/// All access is raw. A value or an argument that is not there is nil.
pub trait Workspace: ValueWriter {
    /// How many values there are.
    fn top(&self) -> usize;
    /// Takes the last values away until there are `top`.
    fn truncate(&mut self, top: usize);
    /// A look at a value.
    fn scalar(&self, value: usize) -> Scalar<'_>;
    /// Appends a copy of a value.
    fn copy(&mut self, value: usize);
    /// The raw length of an argument that is a table (`lua_objlen`); 0 for others.
    fn length(&mut self, table: usize) -> usize;
    /// Appends `table[index]`.
    fn fetch(&mut self, table: usize, index: i64);
    /// Replaces the last value, a key, by `table[key]` and returns `true`; or, when that is nil
    /// and the table has a metatable which may know better, returns `false` and leaves the key.
    /// Engines may always say so: then they are asked for a [`Step::Index`].
    fn look_up(&mut self, table: usize) -> bool {
        let _ = table;
        false
    }
    /// Takes the last value `v` away and does `table[index] = v`.
    fn store(&mut self, table: usize, index: i64);
    /// Appends the field `name` of an argument's metatable and returns `true`, or returns `false`
    /// when there is none (`luaL_getmetafield`).
    fn metafield(&mut self, argument: usize, name: &str) -> bool;
}
