//! Loading a library: its code runs once and registers functions.
//!
//! Owns `redis.register_function` (`function_lua.c`). Must not know what becomes of the
//! functions.

use std::time::{Duration, Instant};

use redlua_conversions::Libraries;
use redlua_core::{
    Arguments, Bridge, CallMode, Chunk, Flow, Host, Invocation, Kind, Limits, NativeId, Outcome,
    Passing, Raise, ScriptId, Session, ValueWriter,
};

use crate::monitor::Monitor;
use crate::sandbox::{LOAD_VIEW, Native};
use crate::shebang::{ScriptFlags, flag, valid_name};
use crate::text::join;
use crate::world::World;
use crate::{api, fault, text};

/// The error of a library's or function's name.
pub(crate) const BAD_NAME: &[u8] = b"Library names can only contain letters, numbers, or \
underscores(_) and must be at least one character long";

/// How long the code of a library may run (`LOAD_TIMEOUT_MS` in `function_lua.c`).
const TIMEOUT: Duration = Duration::from_millis(500);

/// A function that a library's code registered.
#[derive(Debug)]
pub(crate) struct Registered {
    pub(crate) name: Vec<u8>,
    pub(crate) id: ScriptId,
    pub(crate) flags: ScriptFlags,
    pub(crate) description: Option<Vec<u8>>,
}

/// Runs a library's code and returns what it registered.
///
/// # Errors
/// The error reply; what had been registered is released.
pub(crate) fn run(
    world: &mut World,
    host: &mut dyn Host,
    session: &Session,
    code: &[u8],
    monitor: &Monitor,
    limits: &Limits,
) -> Result<Vec<Registered>, Vec<u8>> {
    let chunk = Chunk { name: "@user_function", source: code };
    let Some((vm, libraries)) = world.parts() else { return Ok(Vec::new()) };
    let script = vm
        .compile(chunk)
        .map_err(|error| join(&[b"ERR Error compiling function: ", &error.message]))?;
    let mut loading = Loading {
        host,
        session: crate::run::session(session),
        libraries,
        pinned: Vec::new(),
        registered: Vec::new(),
        most: limits.functions.unwrap_or(usize::MAX),
        failure: None,
    };
    let invocation = Invocation {
        keys: &[],
        args: &[],
        passing: Passing::Nothing,
        view: LOAD_VIEW,
        lines: false,
        began: Instant::now(),
    };
    let time = limits.time.map_or(TIMEOUT, |time| time.min(TIMEOUT));
    vm.set_limits(&Limits { time: Some(time), ..limits.clone() });
    let stop = vm.stop_token();
    stop.clear();
    monitor.load(stop);
    vm.run(script, &invocation, &mut loading);
    vm.set_limits(limits);
    let Loading { pinned, mut registered, failure, .. } = loading;
    vm.release(script);
    if failure.is_some() {
        registered.clear();
    }
    // What was given for a function that then was refused goes as well.
    for id in pinned {
        if !registered.iter().any(|function| function.id == id) {
            vm.release(id);
        }
    }
    match failure {
        None => Ok(registered),
        Some(failure) => Err(join(&[b"ERR Error registering functions: ", &failure])),
    }
}

/// The bridge of a library's code.
struct Loading<'a> {
    host: &'a mut dyn Host,
    session: Session,
    libraries: &'a mut Libraries,
    /// Every function that the code gave, whatever became of it.
    pinned: Vec<ScriptId>,
    registered: Vec<Registered>,
    /// How many functions there may be.
    most: usize,
    failure: Option<Vec<u8>>,
}

impl Loading<'_> {
    /// `redis.register_function(name, callback)` or with one table of named arguments.
    fn register(&mut self, args: &mut dyn Arguments) -> Result<(), Vec<u8>> {
        let function = match args.count() {
            1 => named(args, &mut self.pinned)?,
            2 => positional(args, &mut self.pinned)?,
            _ => return Err(b"wrong number of arguments to redis.register_function".to_vec()),
        };
        if !valid_name(&function.name) {
            return Err(BAD_NAME.to_vec());
        }
        if self.registered.iter().any(|known| known.name == function.name) {
            return Err(b"Function already exists in the library".to_vec());
        }
        if self.registered.len() >= self.most {
            return Err(text::MANY_FUNCTIONS.to_vec());
        }
        self.registered.push(function);
        Ok(())
    }
}

impl Bridge for Loading<'_> {
    fn call(&mut self, mode: CallMode, _: Option<&[&[u8]]>, out: &mut dyn ValueWriter) -> Flow {
        fault::push(out, b"ERR redis.call/pcall can only be called inside a script invocation");
        if mode == CallMode::Call { Flow::Raise } else { Flow::Return }
    }

    fn native(
        &mut self,
        id: NativeId,
        args: &mut dyn Arguments,
        out: &mut dyn ValueWriter,
    ) -> Result<(), Raise> {
        if Libraries::owns(id) {
            return self.libraries.call(id, args, out);
        }
        match Native::from_id(id) {
            Some(Native::RegisterFunction) => match self.register(args) {
                Ok(()) => Ok(()),
                Err(text) => Err(api::raise(out, &text)),
            },
            Some(native) => api::call(native, self.host, &mut self.session, None, args, out),
            None => Err(Raise::message("unknown native")),
        }
    }

    fn finish(&mut self, outcome: Outcome<'_>) {
        self.failure = match outcome {
            Outcome::Returned(_) => None,
            Outcome::Raised(value) => Some(fault::message(value)),
            Outcome::Stopped { .. } => Some(b"ERR FUNCTION LOAD timeout".to_vec()),
        };
    }
}

/// The function under the cursor, kept alive and noted.
fn pin(args: &mut dyn Arguments, pinned: &mut Vec<ScriptId>) -> Option<ScriptId> {
    let id = args.pin()?;
    pinned.push(id);
    Some(id)
}

fn positional(args: &mut dyn Arguments, pinned: &mut Vec<ScriptId>) -> Result<Registered, Vec<u8>> {
    args.select(0);
    let Some(name) = api::text_of(args) else {
        return Err(b"first argument to redis.register_function must be a string".to_vec());
    };
    args.select(1);
    let Some(id) = pin(args, pinned) else {
        return Err(b"second argument to redis.register_function must be a function".to_vec());
    };
    Ok(Registered { name, id, flags: ScriptFlags::empty(), description: None })
}

fn named(args: &mut dyn Arguments, pinned: &mut Vec<ScriptId>) -> Result<Registered, Vec<u8>> {
    args.select(0);
    if args.kind() != Kind::Table {
        return Err(b"calling redis.register_function with a single argument is only applicable \
to Lua table (representing named arguments)."
            .to_vec());
    }
    let mut name = None;
    let mut description = None;
    let mut id = None;
    let mut flags = ScriptFlags::empty();
    args.iterate();
    while args.next() {
        args.key();
        let key = api::text_of(args).map(|key| key.to_ascii_lowercase());
        args.leave();
        let Some(key) = key else {
            return Err(
                b"named argument key given to redis.register_function is not a string".to_vec()
            );
        };
        match key.as_slice() {
            b"function_name" => {
                name = Some(api::text_of(args).ok_or(
                    &b"function_name argument given to redis.register_function must be a string"[..],
                )?);
            }
            b"description" => {
                description = Some(api::text_of(args).ok_or(
                    &b"description argument given to redis.register_function must be a string"[..],
                )?);
            }
            b"callback" => {
                id = Some(pin(args, pinned).ok_or(
                    &b"callback argument given to redis.register_function must be a function"[..],
                )?);
            }
            b"flags" => {
                if args.kind() != Kind::Table {
                    return Err(b"flags argument to redis.register_function must be a table \
representing function flags"
                        .to_vec());
                }
                flags = flag_list(args)?;
            }
            _ => return Err(b"unknown argument given to redis.register_function".to_vec()),
        }
    }
    let name = name.ok_or(&b"redis.register_function must get a function name argument"[..])?;
    let id = id.ok_or(&b"redis.register_function must get a callback argument"[..])?;
    Ok(Registered { name, id, flags, description })
}

/// The flags in the array under the cursor, up to its first nil.
fn flag_list(list: &mut dyn Arguments) -> Result<ScriptFlags, Vec<u8>> {
    let mut flags = ScriptFlags::empty();
    for index in 1.. {
        let found = match list.enter_index(index) {
            Kind::Nil => None,
            Kind::String => Some(flag(&list.bytes().to_ascii_lowercase())),
            _ => Some(None),
        };
        list.leave();
        match found {
            None => break,
            Some(None) => return Err(b"unknown flag given".to_vec()),
            Some(Some(flag)) => flags |= flag,
        }
    }
    Ok(flags)
}
