//! Lua 5.1 for piccolo: the text of a chunk becomes a prototype of piccolo's machine.
//!
//! Owns the language: tokens, grammar, scopes, limits, syntax errors and the choice of
//! instructions. It must not know what a script may see, nor how an operation that piccolo lacks
//! is carried out: such operations become calls of [`Op`] functions.

mod ast;
mod chunkid;
mod code;
mod constructor;
mod detour;
mod expr;
mod facts;
mod function;
mod infer;
mod kinds;
mod lexer;
mod loops;
mod names;
mod operators;
mod ops;
mod parser;
mod quiet;
mod scope;
mod stat;
mod term;

pub(crate) use chunkid::short_source;
pub(crate) use function::{Prototype, Source};
pub(crate) use names::{Name, NameKind, Site, line_of, names_at};
pub(crate) use ops::Op;

use redlua_conversions::syntax::Wanted;
use redlua_core::CompileError;

/// What the rest of the backend tells the compiler of its world.
pub(crate) struct World<'a> {
    /// What is known of a global: its kinds, and those of its fields.
    pub(crate) global: &'a dyn Fn(&[u8]) -> Known,
    /// The same for a field of a library table.
    pub(crate) field: &'a dyn Fn(&[u8], &[u8]) -> Known,
    /// Nested calls that are in progress where the chunk is compiled (`nCcalls` of `lstate.h`).
    pub(crate) depth: u32,
    /// Bytes that compiling may take.
    pub(crate) room: usize,
    /// Elements up to which a list may grow without anybody being asked.
    pub(crate) longest: usize,
    /// Whether the script that compiles goes on.
    pub(crate) wanted: &'a Wanted<'a>,
}

/// What is known of a value that no script can change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// Nothing.
    Anything,
    /// It is a table.
    Table,
    /// It is a function of the host.
    Native,
    /// A function of the host that returns a function first (`pairs`, `ipairs`, `gmatch`).
    Iterator,
    /// `ipairs`: the same, and the first value of each step is a number.
    Ipairs,
    /// A function of the host that gives a number, keeps nothing and calls nothing; the next ones
    /// are like it.
    Number,
    /// It gives a string.
    Text,
    /// It gives a number or nil.
    MaybeNumber,
}

/// Compiles a chunk; `name` is the chunk's name as Lua spells it, `@` included.
///
/// # Errors
/// The message of Lua's compiler, position included.
pub(crate) fn compile(
    source: &[u8],
    name: &[u8],
    world: &World<'_>,
) -> Result<Prototype, CompileError> {
    let made = make(source, name, world);
    if world.wanted.given_up() { Err(CompileError::time()) } else { made }
}

/// Each part ends early, with any result, when the chunk is given up.
fn make(source: &[u8], name: &[u8], world: &World<'_>) -> Result<Prototype, CompileError> {
    let mut tree = parser::parse(source, name, world)?;
    let vars = std::mem::take(&mut tree.vars);
    let facts = infer::infer(&tree, vars, world);
    code::generate(&tree, name, &facts)
}
