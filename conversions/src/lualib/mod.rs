//! Lua 5.1's own library, for engines that lack it or whose own cannot be stopped.
//!
//! Owns the list of functions and the way they are run. Must not know any engine: arguments are
//! read and results written through the traits of `redlua-core`, and what calls back into Lua is
//! a [`Task`] that the engine drives from [`Step`] to [`Step`].
//!
//! Nothing here uses the host's stack in proportion to what a script gives it, and everything
//! that takes time or memory asks a [`Budget`].

mod base;
mod budget;
mod class;
mod each;
mod format;
mod gsub;
mod matcher;
mod math;
mod pattern;
mod search;
mod sort;
mod spec;
mod table;
mod text;

use redlua_core::{Arguments, Raise, Step, ValueWriter, Workspace};

use base::{Next, Tostring};
pub use budget::{Budget, STOPPED, Unlimited};
use each::Each;
use gsub::Gsub;
pub use gsub::Substitution;
use math::Math;
pub use search::{Gmatch, Search, gmatch_next};
use sort::Sort;

/// What a function needs besides its arguments.
pub struct Context<'a> {
    /// Where results are put together. A function leaves what it finds there; a [`Task`] that
    /// waits for a call keeps its own at the end of it.
    pub buffer: &'a mut Vec<u8>,
    /// What the function may take.
    pub budget: &'a mut dyn Budget,
}

impl Context<'_> {
    /// Asks whether to go on.
    fn pause(&mut self) -> Result<(), Raise> {
        if self.budget.interrupted() { Err(Raise::Text(STOPPED.into())) } else { Ok(()) }
    }
}

/// A function of the library.
#[derive(Clone, Copy, Debug)]
pub struct Function(Kind);

#[derive(Clone, Copy, Debug)]
enum Kind {
    Byte,
    Char,
    Dump,
    Find,
    Format,
    Gsub,
    Len,
    Lower,
    Match,
    Rep,
    Reverse,
    Sub,
    Upper,
    Concat,
    Foreach,
    Foreachi,
    Getn,
    Insert,
    Maxn,
    Remove,
    Setn,
    Sort,
    Math(Math),
    Clock,
    IpairsNext,
    Next,
    Select,
    Tonumber,
    Tostring,
    Type,
    Unpack,
}

const STRING: [(&str, Kind); 13] = [
    ("byte", Kind::Byte),
    ("char", Kind::Char),
    ("dump", Kind::Dump),
    ("find", Kind::Find),
    ("format", Kind::Format),
    ("gsub", Kind::Gsub),
    ("len", Kind::Len),
    ("lower", Kind::Lower),
    ("match", Kind::Match),
    ("rep", Kind::Rep),
    ("reverse", Kind::Reverse),
    ("sub", Kind::Sub),
    ("upper", Kind::Upper),
];

const TABLE: [(&str, Kind); 9] = [
    ("concat", Kind::Concat),
    ("foreach", Kind::Foreach),
    ("foreachi", Kind::Foreachi),
    ("getn", Kind::Getn),
    ("insert", Kind::Insert),
    ("maxn", Kind::Maxn),
    ("remove", Kind::Remove),
    ("setn", Kind::Setn),
    ("sort", Kind::Sort),
];

const BASE: [(&str, Kind); 6] = [
    ("next", Kind::Next),
    ("select", Kind::Select),
    ("tonumber", Kind::Tonumber),
    ("tostring", Kind::Tostring),
    ("type", Kind::Type),
    ("unpack", Kind::Unpack),
];

impl Function {
    /// `string.find`.
    pub const FIND: Function = Function(Kind::Find);
    /// `string.match`.
    pub const MATCH: Function = Function(Kind::Match);
    /// `string.gsub`.
    pub const GSUB: Function = Function(Kind::Gsub);
    /// `string.rep`.
    pub const REP: Function = Function(Kind::Rep);
    /// `table.sort`.
    pub const SORT: Function = Function(Kind::Sort);
    /// `table.concat`.
    pub const CONCAT: Function = Function(Kind::Concat);
    /// `table.insert`.
    pub const INSERT: Function = Function(Kind::Insert);
    /// What `ipairs` returns first: called with a table and an index, it returns the next index
    /// and its value.
    pub const IPAIRS_NEXT: Function = Function(Kind::IpairsNext);

    /// The function of that name in `string`, `table`, `math` or `os`, or among the globals when
    /// `library` is empty. There is none for `string.gmatch`, which returns a function
    /// ([`Function::gmatch`]), nor for what only an engine can do.
    pub fn named(library: &str, name: &str) -> Option<Function> {
        let of = |list: &[(&str, Kind)]| {
            list.iter().find(|entry| entry.0 == name).map(|entry| Function(entry.1))
        };
        match library {
            "" => of(&BASE),
            "string" => of(&STRING),
            "table" => of(&TABLE),
            "math" => {
                let entry = math::FUNCTIONS.iter().find(|entry| entry.0 == name)?;
                Some(Function(Kind::Math(entry.1)))
            }
            "os" if name == "clock" => Some(Function(Kind::Clock)),
            _ => None,
        }
    }

    /// `string.gmatch`: checks the arguments and makes what the function it returns iterates
    /// with. Engines that keep strings alive themselves use [`gmatch_next`] instead.
    ///
    /// # Errors
    /// What is to be raised in the script.
    pub fn gmatch<A: Arguments + ?Sized>(args: &mut A) -> Result<Gmatch, Raise> {
        search::gmatch(args)
    }
}

/// A call of a function.
///
/// ```
/// use redlua_conversions::lualib::{Context, Function, Task, Unlimited};
/// use redlua_conversions::tree::{Reader, Value, Writer};
/// use redlua_core::Step;
///
/// let args = [Value::from("hello world"), Value::from("(%w+) (%w+)"), Value::from("%2 %1")];
/// let mut task = Task::new(Function::named("string", "gsub").unwrap());
/// let mut work = Writer::with_arguments(args.clone());
/// let (mut buffer, mut budget) = (Vec::new(), Unlimited);
/// let mut context = Context { buffer: &mut buffer, budget: &mut budget };
/// let step = task.resume(&mut Reader::new(&args), &mut work, &mut context)?;
/// assert_eq!(step, Step::Return { results: 2 });
/// assert_eq!(work.into_values(), [Value::from("world hello"), Value::from(1.0)]);
/// # Ok::<(), redlua_core::Raise>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Task(State);

#[derive(Clone, Copy, Debug)]
#[allow(clippy::large_enum_variant, reason = "C engines keep it where nothing may own memory")]
enum State {
    /// A function that is done at its first step.
    Once(Kind),
    Gsub(Gsub),
    Sort(Sort),
    Foreach(Each),
    Foreachi(Each),
    Next(Next),
    Tostring(Tostring),
}

impl Task {
    /// A call that has not begun.
    #[inline]
    pub fn new(function: Function) -> Self {
        Task(match function.0 {
            Kind::Gsub => State::Gsub(Gsub::default()),
            Kind::Sort => State::Sort(Sort::default()),
            Kind::Foreach => State::Foreach(Each::default()),
            Kind::Foreachi => State::Foreachi(Each::default()),
            Kind::Next => State::Next(Next::default()),
            Kind::Tostring => State::Tostring(Tostring::default()),
            other => State::Once(other),
        })
    }

    /// Runs the function until it returns or needs the engine.
    ///
    /// The first time `work` is empty; later it is as the function left it, with what the
    /// [`Step`] says done. `args` are the same each time, `context.buffer` is at least as long as
    /// it was left.
    ///
    /// # Errors
    /// What is to be raised in the script. What was appended to the buffer may still be there.
    pub fn resume<A: Arguments + ?Sized, W: Workspace + ?Sized>(
        &mut self,
        args: &mut A,
        work: &mut W,
        context: &mut Context<'_>,
    ) -> Result<Step, Raise> {
        match &mut self.0 {
            State::Gsub(gsub) => gsub.resume(args, work, context),
            State::Sort(sort) => sort.resume(args, work, context),
            State::Foreach(each) => each.pairs(args, work, context),
            State::Foreachi(each) => each.elements(args, work, context),
            State::Next(next) => next.resume(args, work),
            State::Tostring(tostring) => tostring.resume(args, work),
            State::Once(Kind::Insert) => table::insert(args, work, context),
            State::Once(Kind::Remove) => table::remove(args, work, context),
            State::Once(Kind::Unpack) => base::unpack(args, work),
            State::Once(Kind::IpairsNext) => base::ipairs_next(args, work),
            State::Once(kind) => {
                once(*kind, args, work, context)?;
                Ok(Step::Return { results: work.top() })
            }
        }
    }
}

/// Runs a function that calls nothing back and moves no values between tables: its results are
/// the values appended. [`Task`] runs these as well; this is the shorter way.
///
/// # Errors
/// What is to be raised in the script; also for functions that need more.
#[inline]
pub fn call<A: Arguments + ?Sized, W: ValueWriter + ?Sized>(
    function: Function,
    args: &mut A,
    out: &mut W,
    context: &mut Context<'_>,
) -> Result<(), Raise> {
    once(function.0, args, out, context)
}

/// The functions that only read their arguments and write results.
#[inline]
fn once<A: Arguments + ?Sized, W: ValueWriter + ?Sized>(
    kind: Kind,
    args: &mut A,
    work: &mut W,
    context: &mut Context<'_>,
) -> Result<(), Raise> {
    match kind {
        Kind::Byte => text::byte(args, work),
        Kind::Char => text::char(args, work, context),
        Kind::Dump => text::dump(args),
        Kind::Find => search::find(true, args, work, context.budget),
        Kind::Format => format::format(args, work, context),
        Kind::Len => text::len(args, work),
        Kind::Lower => text::changed(<[u8]>::make_ascii_lowercase, args, work, context),
        Kind::Match => search::find(false, args, work, context.budget),
        Kind::Rep => text::rep(args, work, context),
        Kind::Reverse => text::changed(<[u8]>::reverse, args, work, context),
        Kind::Sub => text::sub(args, work),
        Kind::Upper => text::changed(<[u8]>::make_ascii_uppercase, args, work, context),
        Kind::Concat => table::concat(args, work, context),
        Kind::Getn => table::getn(args, work),
        Kind::Maxn => table::maxn(args, work),
        Kind::Setn => table::setn(args),
        Kind::Math(function) => math::call(function, args, work),
        Kind::Clock => {
            base::clock(work);
            Ok(())
        }
        Kind::Select => base::select(args, work),
        Kind::Tonumber => base::tonumber(args, work),
        Kind::Type => base::type_of(args, work),
        // Those that take steps never come here.
        Kind::Gsub
        | Kind::Sort
        | Kind::Foreach
        | Kind::Foreachi
        | Kind::Insert
        | Kind::Remove
        | Kind::IpairsNext
        | Kind::Next
        | Kind::Tostring
        | Kind::Unpack => Err(Raise::message("this function takes steps")),
    }
}
