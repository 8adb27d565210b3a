//! Building the world of scripts from an [`Environment`].
//!
//! Owns the machine's making and the translation of the description into piccolo's tables. It
//! must not know which names are in it.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use gc_arena::lock::{Lock, RefLock};
use gc_arena::{Collect, Gc, Rootable};
use piccolo::closure::{UpValue, UpValueState};
use piccolo::{Context, Executor, Table, UserData, Value};
use redlua_core::{Entry, Environment, Item, StopToken, View, VmError};

use crate::frontend::{Known, Op};
use crate::layout::Layout;
use crate::load::Globals;
use crate::machine::{Events, Keys, M, Machine, RECENT, Run, callback, function};
use crate::value::NullPointer;
use crate::{base, native, ops, tables};

/// What a VM finds in the state.
#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
pub(crate) struct Root<'gc> {
    pub(crate) m: M<'gc>,
    /// The globals of each view.
    pub(crate) views: Gc<'gc, Vec<Table<'gc>>>,
    /// The function that reads an error table through its metatable.
    pub(crate) flatten: Value<'gc>,
}

/// Under this global of piccolo, which no script sees, the root is kept.
const ROOT: &str = "root";

type Kept = Rootable![Root<'_>];

/// The root of the state.
pub(crate) fn root<'gc>(ctx: Context<'gc>) -> Option<Root<'gc>> {
    match ctx.get_global(ROOT) {
        Value::UserData(root) => root.downcast::<Kept>().ok().copied(),
        _ => None,
    }
}

/// Builds the environment.
///
/// # Errors
/// When the environment has no view.
pub(crate) fn build(
    ctx: Context<'_>,
    environment: &Environment,
    stop: StopToken,
) -> Result<(), VmError> {
    if environment.views.is_empty() {
        return Err(VmError::Environment("no view".to_owned()));
    }
    let m = machine(ctx, environment, stop);
    let missing = native::native(m, ctx, environment.missing_global);
    let refuse = function(ctx, m, refuse_write);

    // What Lua consults for read-only tables, and for those in which nothing may be missing.
    let plain = Table::new(&ctx);
    let strict = Table::new(&ctx);
    for table in [plain, strict] {
        let _ = table.set_value(&ctx, m.events.newindex, refuse);
    }
    let _ = strict.set_value(&ctx, m.events.index, missing);

    // What getmetatable shows of the globals and of strings.
    let globals_shown = tables::create(m, ctx, 0, 1);
    let _ = tables::set(m, ctx, globals_shown, m.events.index, missing);
    tables::protect(m, ctx, globals_shown, plain, None);
    let strings_shown = tables::create(m, ctx, 0, 1);

    let builder = Builder { m, ctx, plain, strict };
    let mut views = Vec::new();
    for view in &environment.views {
        let table = Table::new(&ctx);
        let entries: Vec<&Entry> = environment.globals.iter().chain(&view.globals).collect();
        builder.fill(table, &entries, "", table);
        tables::protect(m, ctx, table, strict, Some(globals_shown));
        views.push(table);
    }
    let library = match views.first().map(|view| view.get(ctx, "string")) {
        Some(Value::Table(library)) => library,
        _ => Table::new(&ctx),
    };
    let _ = tables::set(m, ctx, strings_shown, m.events.index, library.into());
    tables::protect(m, ctx, strings_shown, plain, None);
    m.strings.set(&ctx, Some((library, strings_shown)));
    let step = function(ctx, m, base::ipairs_step);
    let next = match views.first().map(|view| view.get(ctx, "next")) {
        Some(Value::Nil) | None => base::stock(m, ctx, "", "next"),
        Some(next) => next,
    };
    m.iterators.set(&ctx, Some((next, step)));

    let root =
        Root { m, views: Gc::new(&ctx, views), flatten: function(ctx, m, crate::flatten::flatten) };
    ctx.set_global(ROOT, UserData::new::<Kept>(&ctx, root))
        .map_err(|error| VmError::Environment(error.to_string()))?;
    Ok(())
}

fn machine<'gc>(ctx: Context<'gc>, environment: &Environment, stop: StopToken) -> M<'gc> {
    let name = |text: &'static str| Value::String(ctx.intern_static(text.as_bytes()));
    let key = || Value::UserData(UserData::new_static(&ctx, ()));
    let cell = |value| UpValue::new(&ctx, UpValueState::Closed(value));
    let keys = Keys { layout: key(), events: key(), shown: key(), stand_in: key() };
    let events = Events {
        index: name("__index"),
        newindex: name("__newindex"),
        call: name("__call"),
        eq: name("__eq"),
        lt: name("__lt"),
        le: name("__le"),
        len: name("__len"),
        concat: name("__concat"),
        metatable: name("__metatable"),
        arithmetic: ["__add", "__sub", "__mul", "__div", "__mod", "__pow", "__unm"].map(name),
    };
    let run = Run {
        stop,
        deadline: Cell::new(None),
        memory: Cell::new(usize::MAX),
        joined: Cell::default(),
        wanting: Cell::new(0),
        fuel: Cell::new(0),
        calls: Cell::new(0),
        barrier: Cell::new(0),
        protected: Cell::new(0),
        most_calls: Cell::new(200),
        raised: RefCell::new((Vec::new(), -1)),
        buffer: RefCell::new(Vec::new()),
        known: known(environment),
        handler: environment.error_handler,
        readonly: environment.readonly_message,
        unwrap: environment.unwrap_field,
        fields: environment.error_fields,
    };
    let m = Gc::new(
        &ctx,
        Machine {
            globals: cell(Value::Nil),
            depth: cell(Value::Integer(0)),
            ops: Gc::new(&ctx, RefLock::new(Vec::new())),
            watched: Table::new(&ctx),
            keys,
            events,
            null: UserData::new_static(&ctx, NullPointer),
            strings: Gc::new(&ctx, Lock::new(None)),
            iterators: Gc::new(&ctx, Lock::new(None)),
            executor: Gc::new(&ctx, Lock::new(Executor::new(ctx))),
            outcome: Gc::new(&ctx, Lock::new(Value::Nil)),
            functions: Gc::new(&ctx, RefLock::new(Vec::new())),
            recent: Gc::new(&ctx, RefLock::new(vec![None; RECENT])),
            spare: Gc::new(&ctx, RefLock::new(Vec::new())),
            caller: Gc::new(&ctx, Lock::new(None)),
            run,
        },
    );
    *m.ops.borrow_mut(&ctx) =
        Op::ALL.iter().map(|op| callback(ctx, m, ops::body(*op)).into()).collect();
    let watched = tables::stand_in(m, ctx, Value::Boolean(false), false);
    for (key, value) in watched {
        let _ = m.watched.set_value(&ctx, key, value);
    }
    m
}

/// Translates entries.
struct Builder<'gc> {
    m: M<'gc>,
    ctx: Context<'gc>,
    plain: Table<'gc>,
    strict: Table<'gc>,
}

impl<'gc> Builder<'gc> {
    /// Puts the entries of a library, or of the globals when it has no name, into a table.
    fn fill(&self, table: Table<'gc>, entries: &[&Entry], library: &str, globals: Table<'gc>) {
        let mut order = Vec::new();
        for entry in entries {
            let key = tables::string(self.ctx, entry.name.as_bytes());
            let value = self.value(entry, library, globals);
            // Names are valid keys.
            let _ = table.set_value(&self.ctx, key, value);
            order.push(key);
        }
        tables::watch(self.m, self.ctx, table, Layout::fixed(order));
    }

    fn value(&self, entry: &Entry, library: &str, globals: Table<'gc>) -> Value<'gc> {
        let (m, ctx) = (self.m, self.ctx);
        match &entry.item {
            Item::Stock if library.is_empty() && entry.name == "_G" => globals.into(),
            Item::Stock => base::stock(m, ctx, library, entry.name),
            Item::Absent => Value::Nil,
            Item::Call => function(ctx, m, native::redis_call),
            Item::Pcall => function(ctx, m, native::redis_pcall),
            Item::Native(id) => native::native(m, ctx, *id),
            Item::Number(value) => Value::Number(*value),
            Item::Text(text) => tables::string(ctx, text.as_bytes()),
            Item::NullPointer => m.null.into(),
            Item::Table(entries) | Item::StrictTable(entries) => {
                let table = Table::new(&ctx);
                let inner: Vec<&Entry> = entries.iter().collect();
                self.fill(table, &inner, entry.name, globals);
                let strict = matches!(entry.item, Item::StrictTable(_));
                let events = if strict { self.strict } else { self.plain };
                tables::protect(m, ctx, table, events, None);
                table.into()
            }
        }
    }
}

/// What is the same in all views, as far as a name exists: a script that reads one that does not
/// ends with an error.
fn known(environment: &Environment) -> Globals {
    let mut globals = Globals::default();
    let entries = |view: &'_ View| -> Vec<Entry> {
        environment.globals.iter().chain(&view.globals).cloned().collect()
    };
    let views: Vec<Vec<Entry>> = environment.views.iter().map(entries).collect();
    for global in views.iter().flatten() {
        let known = known_item("", global.name, &global.item);
        join(&mut globals.names, global.name.as_bytes().to_vec(), known);
        for field in fields(&global.item).0 {
            let key = (global.name.as_bytes().to_vec(), field.name.as_bytes().to_vec());
            join(&mut globals.fields, key, known_item(global.name, field.name, &field.item));
        }
    }
    // A field that some table of that name lacks may be nil there.
    for global in views.iter().flatten() {
        let (entries, strict) = fields(&global.item);
        let lacks = |field: &[u8]| entries.iter().all(|entry| entry.name.as_bytes() != field);
        for ((library, field), known) in &mut globals.fields {
            if !strict && library == global.name.as_bytes() && lacks(field) {
                *known = Known::Anything;
            }
        }
    }
    globals
}

/// The fields of a library table, and whether reading any other ends the script.
fn fields(item: &Item) -> (&[Entry], bool) {
    match item {
        Item::Table(entries) => (entries, false),
        Item::StrictTable(entries) => (entries, true),
        _ => (&[], true),
    }
}

fn join<K: std::hash::Hash + Eq>(known: &mut HashMap<K, Known>, key: K, new: Known) {
    let entry = known.entry(key).or_insert(new);
    if *entry != new {
        *entry = Known::Anything;
    }
}

fn known_item(library: &str, name: &str, item: &Item) -> Known {
    match item {
        Item::Table(_) | Item::StrictTable(_) => Known::Table,
        Item::Call | Item::Pcall | Item::Native(_) => Known::Native,
        // KEYS and ARGV, which are there whenever a script runs.
        Item::Absent => Known::Table,
        Item::Stock => match (library, name) {
            ("", "_G") => Known::Table,
            ("", "_VERSION") | ("math", "pi" | "huge") => Known::Anything,
            ("", "ipairs") => Known::Ipairs,
            ("", "pairs") | ("string", "gmatch" | "gfind") => Known::Iterator,
            ("", "tonumber") => Known::MaybeNumber,
            ("", "tostring" | "type") | ("table", "concat") => Known::Text,
            ("string", "char" | "format" | "lower" | "rep" | "reverse" | "sub" | "upper") => {
                Known::Text
            }
            ("math", _) | ("string", "len") | ("table", "getn") => Known::Number,
            _ => Known::Native,
        },
        Item::Number(_) | Item::Text(_) | Item::NullPointer => Known::Anything,
    }
}

/// `__newindex` of read-only tables: raises the message with the position of the write.
fn refuse_write<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    exec: piccolo::Execution<'gc, '_>,
    _: piccolo::Stack<'gc, '_>,
) -> crate::machine::Answer<'gc> {
    let caller = crate::machine::Caller::of(&exec).or(m.caller.get());
    Err(m.error(ctx, caller, m.run.readonly))
}
