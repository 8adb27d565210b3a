//! Lua values seen from outside: a cursor that reads and a builder that writes.
//!
//! Owns the two traits through which every library function (`cjson.encode`, `struct.pack`, …)
//! and every conversion is written once for all Lua engines. It must not know how an engine
//! stores its values: no method names a stack, a handle or a collector.

use crate::{Location, NativeId, Scalar, ScriptId};

/// The type of a Lua value, as `type()` names it, or its absence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// No value at all: an argument that was not passed.
    None,
    /// `nil`.
    Nil,
    /// `true` or `false`.
    Boolean,
    /// A number: a double, and on engines that have the subtype also an integer.
    Number,
    /// A byte string.
    String,
    /// A table.
    Table,
    /// A function, of Lua or of the host.
    Function,
    /// Full userdata.
    UserData,
    /// Light userdata, such as `cjson.null`.
    LightUserData,
    /// A coroutine.
    Thread,
}

impl Kind {
    /// The name Lua's error messages use (`luaL_typename` in `lauxlib.c`).
    pub fn name(self) -> &'static str {
        match self {
            Kind::None => "no value",
            Kind::Nil => "nil",
            Kind::Boolean => "boolean",
            Kind::Number => "number",
            Kind::String => "string",
            Kind::Table => "table",
            Kind::Function => "function",
            Kind::UserData | Kind::LightUserData => "userdata",
            Kind::Thread => "thread",
        }
    }
}

/// A cursor that stands on one Lua value and can descend into tables.
///
/// Access is raw: no metamethod runs, nothing raises, nothing is converted. The cursor forms a
/// stack: [`enter_index`](Self::enter_index), [`enter_field`](Self::enter_field),
/// [`key`](Self::key) and [`next`](Self::next) move it to another value, [`leave`](Self::leave)
/// and [`stop`](Self::stop) move it back.
///
/// ```
/// use redlua_core::{Kind, ValueReader};
///
/// /// The sum of the numbers in a table, whatever their keys.
/// fn sum(table: &mut dyn ValueReader) -> f64 {
///     let mut total = 0.0;
///     table.iterate();
///     while table.next() {
///         if table.kind() == Kind::Number {
///             total += table.number();
///         }
///     }
///     total
/// }
/// ```
pub trait ValueReader {
    /// The type of the value under the cursor.
    fn kind(&self) -> Kind;
    /// The boolean under the cursor; `false` when it is not one.
    fn boolean(&self) -> bool;
    /// The number under the cursor; `0.0` when it is not one (a numeric string is not).
    fn number(&self) -> f64;
    /// The number as an exact integer, on engines that distinguish integers (Lua 5.3 and later).
    /// The Lua 5.1 family answers `None`.
    fn integer(&self) -> Option<i64> {
        None
    }
    /// The bytes of the string under the cursor; empty when it is not one (a number is not).
    fn bytes(&self) -> &[u8];
    /// A look at the value under the cursor: kind and contents at once.
    fn look(&self) -> Scalar<'_> {
        match self.kind() {
            Kind::Number => Scalar::Number(self.number()),
            Kind::String => Scalar::String(self.bytes()),
            Kind::Boolean => Scalar::Boolean(self.boolean()),
            other => Scalar::Other(other),
        }
    }
    /// What identifies the table, function, userdata or thread under the cursor: equal for the
    /// same object, different for two live ones; `0` for other kinds. Light userdata gives its
    /// pointer's value.
    fn address(&self) -> usize;
    /// The raw length of the table under the cursor: some border, as the engine's `#` finds it
    /// (`luaH_getn` in `ltable.c`); `0` when it is not a table.
    fn len(&self) -> usize;
    /// Whether the table under the cursor has no pair at all.
    fn is_empty(&mut self) -> bool {
        self.iterate();
        let any = self.next();
        if any {
            self.stop();
        }
        !any
    }
    /// Whether there is room to descend further by `levels` values. A recursive reader asks
    /// before each descent and gives up with its own error when the answer is `false`; each
    /// level of a traversal takes three. (`lua_checkstack`: about 8,000 on Lua 5.1.)
    fn room(&mut self, levels: usize) -> bool;
    /// Moves to `table[index]` (possibly nil) and returns its kind. The cursor must be on a table.
    fn enter_index(&mut self, index: i64) -> Kind;
    /// Moves to `table[name]` (possibly nil) and returns its kind. The cursor must be on a table.
    fn enter_field(&mut self, name: &[u8]) -> Kind;
    /// Moves back from where `enter_index`, `enter_field` or `key` went.
    fn leave(&mut self);
    /// Begins a traversal of the table under the cursor; [`next`](Self::next) must follow.
    fn iterate(&mut self);
    /// Moves to the **value** of the next pair and returns `true`; or, when there is none, back
    /// to the table itself and returns `false`. The order is the engine's own (`lua_next`).
    fn next(&mut self) -> bool;
    /// While on a pair's value: moves to its key. [`leave`](Self::leave) moves back to the value.
    fn key(&mut self);
    /// While on a pair's value: a look at its key and at the value, without going anywhere.
    fn pair(&self) -> (Scalar<'_>, Scalar<'_>);
    /// Like [`next`](Self::next), but moves to the pair's **key** and need not keep the value:
    /// [`leave`](Self::leave) before the next step. Takes two places of a level, not three.
    fn next_key(&mut self) -> bool {
        let any = self.next();
        if any {
            self.key();
        }
        any
    }
    /// While on a pair's value: ends the traversal early and moves back to the table.
    fn stop(&mut self);
}

/// The arguments of a native function: a [`ValueReader`] that can be put on any of them.
pub trait Arguments: ValueReader {
    /// How many arguments were passed, trailing nils included.
    fn count(&self) -> usize;
    /// Puts the cursor on argument `index`, counted from 0, abandoning whatever it was inside.
    /// An index at or past [`count`](Self::count) gives [`Kind::None`].
    fn select(&mut self, index: usize);
    /// A look at argument `index`, counted from 0, that leaves the cursor where it is: several
    /// strings can be read side by side.
    fn scalar(&self, index: usize) -> Scalar<'_>;
    /// Keeps the function under the cursor alive so that [`Vm::run`](crate::Vm::run) can call it
    /// later, until [`Vm::release`](crate::Vm::release). `None` when it is not a function.
    fn pin(&mut self) -> Option<ScriptId>;
    /// Whether argument `index` is one of the environment's read-only tables.
    fn is_read_only(&self, index: usize) -> bool;
    /// Where the native was called from: the position of the function that called it, or of that
    /// one's caller when it is itself a native. `None` when the engine cannot tell.
    fn caller(&self) -> Option<Location<'_>>;
}

/// Builds Lua values, one after another.
///
/// Scalars and [`table`](Self::table) each append a value; `set_index`, `set_field` and
/// `set_pair` take the last one (or two) away again and put them into the table before them.
/// What remains at the end is the list of values built: a native's results.
///
/// A failure (no room, an impossible key) sticks: later calls do nothing sensible but never
/// panic, and [`failed`](Self::failed) tells.
///
/// ```
/// use redlua_core::ValueWriter;
///
/// // { 10, name = "x" }
/// fn build(out: &mut dyn ValueWriter) {
///     out.table(1, 1);
///     out.number(10.0);
///     out.set_index(1);
///     out.string(b"x");
///     out.set_field(b"name");
/// }
/// ```
pub trait ValueWriter {
    /// Appends nil.
    fn nil(&mut self);
    /// Appends a boolean.
    fn boolean(&mut self, value: bool);
    /// Appends a number.
    fn number(&mut self, value: f64);
    /// Appends an integer: as a double where the engine has no integers (rounded beyond 2^53),
    /// as an integer where it has.
    fn integer(&mut self, value: i64) {
        self.number(value as f64);
    }
    /// Appends a byte string.
    fn string(&mut self, bytes: &[u8]);
    /// Appends the light userdata whose pointer is null (`cjson.null`).
    fn null_pointer(&mut self);
    /// Appends the native's own argument `index` (from 0), the same object for tables and
    /// functions; nil past the last one.
    fn argument(&mut self, index: usize);
    /// Appends the function that runs [`Bridge::native`](crate::Bridge::native) with this id
    /// (`cjson.new` returns a table of them). Engines that cannot make functions while a native
    /// runs append nil.
    fn native(&mut self, id: NativeId) {
        let _ = id;
        self.nil();
    }
    /// Appends a new table with room for `array` elements and `hash` other pairs. The sizes are
    /// hints, but they decide the order in which the table is traversed: pass what the
    /// reference passes to `lua_createtable` (0, 0 for `lua_newtable`).
    fn table(&mut self, array: usize, hash: usize);
    /// Takes the last value `v` away and does `t[index] = v` (raw) on the table before it.
    fn set_index(&mut self, index: i64);
    /// Takes the last value `v` away and does `t[name] = v` (raw) on the table before it.
    fn set_field(&mut self, name: &[u8]);
    /// Takes the last two values `k`, `v` away and does `t[k] = v` (raw) on the table before
    /// them. A nil or NaN key is a failure.
    fn set_pair(&mut self);
    /// Whether [`list`](Self::list) and [`record`](Self::record) are there: on engines where a
    /// table that gets its contents at once is cheaper than one that grows with them.
    fn gathers(&self) -> bool {
        false
    }
    /// Takes the last `len` values away and puts a table of them in the place of the one before
    /// them: as if they had been set one after the other, from index 1 on, in an empty table made
    /// for none. `dense` says that none is nil.
    fn list(&mut self, len: usize, dense: bool) {
        let _ = (len, dense);
    }
    /// Takes the last `2 * pairs` values away, keys and values in turn, and puts a table of them
    /// in the place of the one before them: as if it had been made for `size` pairs, and those at
    /// the positions of `order` been set in that order. No key may be nil or NaN.
    fn record(&mut self, pairs: usize, size: usize, order: &[u8]) {
        let _ = (pairs, size, order);
    }
    /// Takes away all that was appended, and forgets that there was no room for more.
    fn restart(&mut self) {}
    /// Whether `values` more can be held before some are set away. Recursive builders ask
    /// before each level (two values a level). `luaL_checkstack`.
    fn room(&mut self, values: usize) -> bool;
    /// Whether some earlier call failed, or more is held now than the script may hold. Whoever
    /// builds much asks now and then and gives up; the engine then ends the call with an error.
    fn failed(&self) -> bool;
    /// How many bytes the script may take yet. Whoever puts text together before it is appended
    /// keeps below this.
    fn allowance(&self) -> usize {
        usize::MAX
    }
    /// Whether the script is to end. Whoever takes long asks every ten thousand steps or so and
    /// then raises anything: the engine, which knows why, ends the script.
    fn interrupted(&mut self) -> bool {
        false
    }
}

/// How a native function ends other than by returning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Raise {
    /// Raises a string, prefixed by the backend with the position of the Lua code that called
    /// the native (`luaL_error`): `user_script:1: message`.
    Message(Vec<u8>),
    /// Raises a string as it is.
    Text(Vec<u8>),
    /// Raises `bad argument #index to 'function' (message)` with position (`luaL_argerror`);
    /// `index` counts from 1, the backend finds the function's name.
    Argument {
        /// The argument's number, from 1.
        index: usize,
        /// What stands in the parentheses.
        message: Vec<u8>,
    },
    /// Raises the value last appended to the native's [`ValueWriter`], such as an error table.
    Value,
}

impl Raise {
    /// A positioned message.
    pub fn message(text: impl Into<Vec<u8>>) -> Self {
        Raise::Message(text.into())
    }

    /// A bad-argument error; `index` counts from 1.
    pub fn argument(index: usize, message: impl Into<Vec<u8>>) -> Self {
        Raise::Argument { index, message: message.into() }
    }
}
