//! What a script finds around it: globals, libraries, constants, as data.
//!
//! The engine describes the sandbox once; each backend builds it in its own Lua. This file owns
//! the description. It must not know which names Redis allows.

/// Identifies a native function; the engine's numbering, opaque to backends.
pub type NativeId = u32;

/// One value of the environment.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// The engine's own function or value of that name (`string.byte`, `pairs`), made safe where
    /// the backend must make it so: read-only tables respected, bytecode refused.
    Stock,
    /// No value yet, but a place in the order of traversal: `KEYS`, `ARGV`.
    Absent,
    /// `redis.call`: hands its arguments to [`Bridge::call`](crate::Bridge::call) and raises
    /// error replies.
    Call,
    /// `redis.pcall`: the same, returning error replies.
    Pcall,
    /// A function that runs [`Bridge::native`](crate::Bridge::native) with this id.
    Native(NativeId),
    /// A number.
    Number(f64),
    /// A string.
    Text(&'static str),
    /// The light userdata whose pointer is null.
    NullPointer,
    /// A read-only table.
    Table(Vec<Entry>),
    /// A read-only table in which reading a missing field runs
    /// [`Environment::missing_global`].
    StrictTable(Vec<Entry>),
}

/// A named [`Item`].
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The global's or field's name.
    pub name: &'static str,
    /// Its value.
    pub item: Item,
}

impl Entry {
    /// `name = item`.
    pub fn new(name: &'static str, item: Item) -> Self {
        Entry { name, item }
    }
}

/// A set of globals laid over the common ones; one is active at a time
/// ([`Invocation::view`](crate::Invocation::view)). `FUNCTION LOAD` and `FCALL` see different
/// `redis` tables through it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct View {
    /// The globals of this view.
    pub globals: Vec<Entry>,
}

/// Everything a [`Vm`](crate::Vm) needs to build the world of its scripts.
///
/// `next` and `pairs` walk the globals and every library table in the order of their entries,
/// whatever the engine's own order is.
///
/// All globals and every library table are read-only for scripts; reading a global that does not
/// exist and writing one that does not exist are errors.
#[derive(Clone, Debug, PartialEq)]
pub struct Environment {
    /// Globals of every view, before those of the view itself. A `Table` whose items are
    /// `Stock` is the engine's library of that name, cut down to the names listed.
    pub globals: Vec<Entry>,
    /// The views; at least one.
    pub views: Vec<View>,
    /// The native that runs when a script reads a global that does not exist. Its arguments are
    /// the globals table and the key; what it returns is the value read.
    pub missing_global: NativeId,
    /// The error of every write to a read-only table.
    pub readonly_message: &'static str,
    /// The native through which every error that nothing catches passes before
    /// [`Outcome::Raised`](crate::Outcome::Raised) sees it (`errfunc` of `lua_pcall`): it gets
    /// the value raised and returns the one to report. Its [`Arguments::caller`] is where the
    /// error was raised.
    ///
    /// [`Arguments::caller`]: crate::Arguments::caller
    pub error_handler: NativeId,
    /// The fields of a raised table that matter. When the table has a metatable they are read
    /// through it (protected, interruptible) into a plain table before the run is reported.
    pub error_fields: &'static [&'static str],
    /// `pcall` returns this field of an error table, when it is a string, in place of the table.
    pub unwrap_field: &'static str,
}
