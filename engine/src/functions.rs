//! Function libraries: what is loaded, `FCALL`, and `FUNCTION` with its subcommands.
//!
//! Owns the rules of `functions.c`. Must not know how a library's code registers its functions
//! (`register`), nor the payload of DUMP (`payload`).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use hashbrown::HashMap;
use redlua_conversions::glob;
use redlua_core::{Host, Invocation, Limits, Passing, ReplySink, ScriptId, Seq, Session};

use crate::engine::Engine;
use crate::help;
use crate::monitor::RunKind;
use crate::register::{self, Registered};
use crate::run;
use crate::scripts::{is_flush_mode, push_kill};
use crate::shebang::{self, FLAG_NAMES};
use crate::text::{self, join};
use crate::world::{Task, World, keys_and_args};

/// The libraries an engine knows.
#[derive(Default)]
pub(crate) struct Functions {
    /// Their Lua state.
    pub(crate) world: World,
    libraries: BTreeMap<Vec<u8>, Library>,
    /// Every function by its name in lower case, with its library. Names are unique in any case
    /// (`functionDictType`), but for those of one library, of which the first counts.
    functions: HashMap<Vec<u8>, (Vec<u8>, Arc<Registered>)>,
    /// How many functions the libraries have.
    count: usize,
}

/// A loaded library.
pub(crate) struct Library {
    /// The source, shebang included.
    pub(crate) code: Vec<u8>,
    functions: Vec<Arc<Registered>>,
}

/// A library that was run but does not count yet.
pub(crate) struct Loaded {
    pub(crate) name: Vec<u8>,
    code: Vec<u8>,
    functions: Vec<Registered>,
}

impl Loaded {
    /// What its functions are in the Lua state.
    pub(crate) fn ids(&self) -> impl Iterator<Item = ScriptId> {
        self.functions.iter().map(|function| function.id)
    }
}

impl Functions {
    /// How many libraries there are.
    pub(crate) fn libraries(&self) -> usize {
        self.libraries.len()
    }

    /// How many functions they have.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// The function that is called by this name.
    fn find(&self, name: &[u8]) -> Option<Arc<Registered>> {
        self.functions.get(&name.to_ascii_lowercase()).map(|(_, function)| function.clone())
    }

    /// The libraries in the order of their names.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Vec<u8>, &Library)> {
        self.libraries.iter()
    }

    /// Adds what was loaded, in place of libraries of the same names if `replace` says so;
    /// nothing changes when one of them collides (`libraryJoin`).
    ///
    /// # Errors
    /// The error reply, with what was loaded released.
    pub(crate) fn add(
        &mut self,
        loaded: Vec<Loaded>,
        replace: bool,
        limits: &Limits,
    ) -> Result<(), Vec<u8>> {
        let refused = self.collision(&loaded, replace);
        if let Some(error) = refused.or_else(|| self.excess(&loaded, limits)) {
            for library in &loaded {
                self.release(library.functions.iter().map(|function| function.id));
            }
            return Err(error);
        }
        for library in loaded {
            let Loaded { name, code, functions } = library;
            self.remove(&name);
            let functions: Vec<_> = functions.into_iter().map(Arc::new).collect();
            for function in &functions {
                let key = function.name.to_ascii_lowercase();
                self.functions.entry(key).or_insert_with(|| (name.clone(), function.clone()));
            }
            self.count += functions.len();
            self.libraries.insert(name, Library { code, functions });
        }
        Ok(())
    }

    /// What there would be too much of.
    fn excess(&self, loaded: &[Loaded], limits: &Limits) -> Option<Vec<u8>> {
        let replaced = || loaded.iter().filter_map(|library| self.libraries.get(&library.name));
        let libraries = self.libraries.len() + loaded.len() - replaced().count();
        let gone: usize = replaced().map(|library| library.functions.len()).sum();
        let more: usize = loaded.iter().map(|library| library.functions.len()).sum();
        if limits.libraries.is_some_and(|most| libraries > most) {
            return Some(text::MANY_LIBRARIES.to_vec());
        }
        let functions = self.count() + more - gone;
        limits.functions.is_some_and(|most| functions > most).then(|| text::MANY_FUNCTIONS.to_vec())
    }

    fn collision(&self, loaded: &[Loaded], replace: bool) -> Option<Vec<u8>> {
        let replaced = |name: &Vec<u8>| loaded.iter().any(|library| library.name == *name);
        for library in loaded {
            if !replace && self.libraries.contains_key(&library.name) {
                return Some(join(&[b"ERR Library ", &library.name, b" already exists"]));
            }
        }
        loaded.iter().flat_map(|library| &library.functions).find_map(|function| {
            let (library, _) = self.functions.get(&function.name.to_ascii_lowercase())?;
            (!replaced(library))
                .then(|| join(&[b"ERR Function ", &function.name, b" already exists"]))
        })
    }

    /// Removes a library and its functions; `false` when there is none of that name.
    fn remove(&mut self, name: &[u8]) -> bool {
        let Some(library) = self.libraries.remove(name) else { return false };
        self.count -= library.functions.len();
        for function in &library.functions {
            self.functions.remove(&function.name.to_ascii_lowercase());
        }
        self.release(library.functions.iter().map(|function| function.id));
        true
    }

    /// Forgets functions of the Lua state.
    pub(crate) fn release(&mut self, ids: impl IntoIterator<Item = ScriptId>) {
        if let Some(vm) = self.world.vm() {
            for id in ids {
                vm.release(id);
            }
        }
    }

    /// Removes every library but keeps the Lua state.
    pub(crate) fn remove_all(&mut self) {
        for name in self.libraries.keys().cloned().collect::<Vec<_>>() {
            self.remove(&name);
        }
    }

    /// The error when libraries that came together share a name or a function.
    pub(crate) fn clash(loaded: &[Loaded]) -> Option<Vec<u8>> {
        let mut functions = hashbrown::HashSet::new();
        for (at, library) in loaded.iter().enumerate() {
            if loaded[..at].iter().any(|earlier| earlier.name == library.name) {
                return Some(join(&[b"ERR Library '", &library.name, b"' already exists"]));
            }
            let key = |function: &Registered| function.name.to_ascii_lowercase();
            let taken = library.functions.iter().find(|f| functions.contains(&key(f)));
            if let Some(function) = taken {
                return Some(join(&[b"ERR Function ", &function.name, b" already exists"]));
            }
            functions.extend(library.functions.iter().map(key));
        }
        None
    }

    /// Removes everything, the Lua state included.
    pub(crate) fn clear(&mut self) {
        self.libraries.clear();
        self.functions.clear();
        self.count = 0;
        self.world.reset();
    }
}

impl Engine {
    /// `FCALL` and `FCALL_RO` (`fcallCommandGeneric`).
    pub(crate) fn fcall(
        &mut self,
        read_only: bool,
        host: &mut dyn Host,
        session: &Session,
        argv: &[&[u8]],
        sink: &mut dyn ReplySink,
    ) {
        if let Err(error) = self.try_fcall(read_only, host, session, argv, sink) {
            sink.error(&error);
        }
    }

    fn try_fcall(
        &mut self,
        read_only: bool,
        host: &mut dyn Host,
        session: &Session,
        argv: &[&[u8]],
        sink: &mut dyn ReplySink,
    ) -> Result<(), Vec<u8>> {
        let [_, name, numkeys, rest @ ..] = argv else { return Ok(()) };
        let Some(function) = self.functions.find(name) else {
            return Err(b"ERR Function not found".to_vec());
        };
        run::permit(&*host, self.cluster_of(&*host), function.flags)?;
        let (keys, args) = keys_and_args(numkeys, rest, b"ERR Bad number of keys provided")?;
        let rights = run::rights(&*host, function.flags, read_only)?;
        let places = self.places(&*host, keys, function.flags, session.slot)?;
        let invocation = Invocation {
            keys,
            args,
            passing: Passing::Arguments,
            view: crate::sandbox::CALL_VIEW,
            lines: false,
            began: host.running_since().unwrap_or_else(Instant::now),
        };
        let task = Task {
            script: function.id,
            kind: RunKind::Function,
            name: &function.name,
            rights,
            invocation,
            command: argv,
            places,
            loaded: (self.functions.libraries(), self.functions.count()),
        };
        let (limits, monitor) = (&self.limits, &self.monitor);
        self.functions.world.run(task, limits, monitor, host, session, sink, None);
        Ok(())
    }

    /// `FUNCTION` with its subcommands; `argv` has at least two words.
    pub(crate) fn function(
        &mut self,
        host: &mut dyn Host,
        session: &Session,
        argv: &[&[u8]],
        sink: &mut dyn ReplySink,
    ) {
        let [_, subcommand, rest @ ..] = argv else { return };
        match (subcommand.to_ascii_lowercase().as_slice(), rest) {
            (b"load", [_, ..]) => match self.function_load(host, session, rest) {
                Ok(name) => sink.bulk(&name),
                Err(error) => sink.error(&error),
            },
            (b"delete", [name]) => {
                if self.functions.remove(name) {
                    sink.status(b"OK");
                } else {
                    sink.error(b"ERR Library not found");
                }
            }
            (b"flush", []) => self.function_flush(sink),
            (b"flush", [mode]) if is_flush_mode(mode) => self.function_flush(sink),
            (b"flush", [_]) => sink.error(b"ERR FUNCTION FLUSH only supports SYNC|ASYNC option"),
            (b"flush", _) => sink.error(&text::subcommand_syntax(argv)),
            (b"list", _) => self.function_list(rest, sink),
            (b"stats", []) => self.function_stats(sink),
            (b"dump", []) => sink.bulk(&crate::payload::dump(&self.functions)),
            (b"restore", [payload, policy @ ..]) => {
                match self.function_restore(host, session, payload, policy) {
                    Ok(()) => sink.status(b"OK"),
                    Err(error) => sink.error(&error),
                }
            }
            (b"kill", []) => push_kill(self.monitor().kill(RunKind::Function), sink),
            (b"help", []) => help::push(help::FUNCTION, sink),
            (b"load" | b"delete" | b"stats" | b"dump" | b"restore" | b"kill" | b"help", _) => {
                sink.error(&text::wrong_arity(&text::full_name(argv, true)))
            }
            _ => sink.error(&text::unknown_subcommand(argv)),
        }
    }

    fn function_flush(&mut self, sink: &mut dyn ReplySink) {
        self.functions.clear();
        sink.status(b"OK");
    }

    /// `FUNCTION LOAD [REPLACE] code`; returns the library's name.
    fn function_load(
        &mut self,
        host: &mut dyn Host,
        session: &Session,
        words: &[&[u8]],
    ) -> Result<Vec<u8>, Vec<u8>> {
        let Some((code, options)) = words.split_last() else {
            return Err(b"ERR Function code is missing".to_vec());
        };
        let mut replace = false;
        for option in options {
            if !option.eq_ignore_ascii_case(b"replace") {
                return Err(join(&[b"ERR Unknown option given: ", option]));
            }
            replace = true;
        }
        let header = shebang::library(code)?;
        check_header(&header)?;
        if !replace && self.functions.libraries.contains_key(&header.name) {
            return Err(join(&[b"ERR Library '", &header.name, b"' already exists"]));
        }
        let loaded = self.load(host, session, code)?;
        let name = loaded.name.clone();
        let limits = self.limits().clone();
        self.functions.add(vec![loaded], replace, &limits)?;
        Ok(name)
    }

    /// Runs a library's code and collects what it registers (`functionsCreateWithLibraryCtx`).
    ///
    /// # Errors
    /// The error reply.
    pub(crate) fn load(
        &mut self,
        host: &mut dyn Host,
        session: &Session,
        code: &[u8],
    ) -> Result<Loaded, Vec<u8>> {
        let header = shebang::library(code)?;
        check_header(&header)?;
        let limits = self.limits().clone();
        if limits.source.is_some_and(|most| code.len() > most) {
            return Err(text::LONG_SOURCE.to_vec());
        }
        let monitor = self.monitor().clone();
        let world = self.function_world()?;
        let functions = register::run(world, host, session, header.code, &monitor, &limits)?;
        if functions.is_empty() {
            return Err(b"ERR No functions registered".to_vec());
        }
        Ok(Loaded { name: header.name, code: code.to_vec(), functions })
    }

    /// `FUNCTION LIST [LIBRARYNAME pattern] [WITHCODE]`.
    fn function_list(&self, options: &[&[u8]], sink: &mut dyn ReplySink) {
        let mut with_code = false;
        let mut pattern: Option<&[u8]> = None;
        let mut words = options.iter();
        while let Some(word) = words.next() {
            if !with_code && word.eq_ignore_ascii_case(b"withcode") {
                with_code = true;
            } else if pattern.is_none() && word.eq_ignore_ascii_case(b"libraryname") {
                let Some(given) = words.next() else {
                    return sink.error(b"ERR library name argument was not given");
                };
                pattern = Some(given);
            } else {
                return sink.error(&join(&[b"ERR Unknown argument ", word]));
            }
        }
        let shown: Vec<_> = self
            .functions
            .iter()
            .filter(|(name, _)| pattern.is_none_or(|p| glob::matches_any_case(p, name)))
            .collect();
        sink.seq(Seq::Array, shown.len());
        for (name, library) in shown {
            sink.map(3 + usize::from(with_code));
            sink.bulk(b"library_name");
            sink.bulk(name);
            sink.bulk(b"engine");
            sink.bulk(b"LUA");
            sink.bulk(b"functions");
            sink.seq(Seq::Array, library.functions.len());
            for function in &library.functions {
                push_function(function, sink);
            }
            if with_code {
                sink.bulk(b"library_code");
                sink.bulk(&library.code);
            }
        }
    }

    fn function_stats(&self, sink: &mut dyn ReplySink) {
        if self.monitor().running() == Some(RunKind::Eval) {
            return sink.error(text::BUSY_EVAL);
        }
        let loaded = (self.functions.libraries(), self.functions.count());
        push_stats(self.monitor(), loaded, sink);
    }
}

/// Name and engine of a library are known before its code runs.
fn check_header(header: &shebang::Header<'_>) -> Result<(), Vec<u8>> {
    if !shebang::valid_name(&header.name) {
        return Err(join(&[b"ERR ", register::BAD_NAME]));
    }
    if !header.engine.eq_ignore_ascii_case(b"lua") {
        return Err(join(&[b"ERR Engine '", &header.engine, b"' not found"]));
    }
    Ok(())
}

fn push_function(function: &Registered, sink: &mut dyn ReplySink) {
    sink.map(3);
    sink.bulk(b"name");
    sink.bulk(&function.name);
    sink.bulk(b"description");
    match &function.description {
        Some(text) => sink.bulk(text),
        None => sink.null(),
    }
    sink.bulk(b"flags");
    let set: Vec<&str> = FLAG_NAMES
        .iter()
        .filter(|(_, flag)| function.flags.contains(*flag))
        .map(|(name, _)| *name)
        .collect();
    sink.seq(Seq::Set, set.len());
    for name in set {
        sink.status(name.as_bytes());
    }
}

/// Pushes `FUNCTION STATS` while a function runs, for servers that answer it meanwhile; returns
/// `false`, having pushed nothing, when none does.
pub fn push_busy_stats(monitor: &crate::Monitor, sink: &mut dyn ReplySink) -> bool {
    let Some(loaded) = monitor.loaded() else { return false };
    push_stats(monitor, loaded, sink);
    true
}

fn push_stats(
    monitor: &crate::Monitor,
    (libraries, functions): (usize, usize),
    sink: &mut dyn ReplySink,
) {
    sink.map(2);
    sink.bulk(b"running_script");
    push_running(monitor, sink);
    sink.bulk(b"engines");
    sink.map(1);
    sink.bulk(b"LUA");
    sink.map(2);
    sink.bulk(b"libraries_count");
    sink.integer(libraries as i64);
    sink.bulk(b"functions_count");
    sink.integer(functions as i64);
}

fn push_running(monitor: &crate::Monitor, sink: &mut dyn ReplySink) {
    let Some(running) = monitor.function() else { return sink.null() };
    sink.map(3);
    sink.bulk(b"name");
    sink.bulk(&running.name);
    sink.bulk(b"command");
    sink.seq(Seq::Array, running.command.len());
    for word in &running.command {
        sink.bulk(word);
    }
    sink.bulk(b"duration_ms");
    sink.integer(i64::try_from(running.duration.as_millis()).unwrap_or(i64::MAX));
}
