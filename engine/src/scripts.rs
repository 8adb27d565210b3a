//! EVAL scripts: the cache by SHA1, `EVAL` and its forms, `SCRIPT`.
//!
//! Owns the rules of `eval.c`. Must not know functions.

use std::time::Instant;

use redlua_core::{
    Chunk, CompileFault, Debugging, Host, Invocation, Passing, ReplySink, Seq, Session,
};

use crate::api::sha1;
use crate::cache::Cached;
use crate::engine::Engine;
use crate::ldb::Debugger;
use crate::monitor::{KillOutcome, RunKind};
use crate::shebang;
use crate::text::{self, join};
use crate::world::{Task, keys_and_args};
use crate::{help, run};

/// What names the script of an EVAL command.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    Source,
    Sha,
}

/// Which of the four EVAL commands.
#[derive(Clone, Copy)]
pub(crate) struct Form {
    pub(crate) by: By,
    /// `EVAL_RO` or `EVALSHA_RO`.
    pub(crate) read_only: bool,
}

impl Engine {
    /// `EVAL`, `EVALSHA`, `EVAL_RO`, `EVALSHA_RO` (`evalGenericCommand`).
    pub(crate) fn eval(
        &mut self,
        form: Form,
        host: &mut dyn Host,
        session: &mut Session,
        argv: &[&[u8]],
        sink: &mut dyn ReplySink,
        debugger: Option<&mut Debugger<'_>>,
    ) {
        if let Err(error) = self.try_eval(form, host, session, argv, sink, debugger) {
            sink.error(&error);
        }
    }

    /// Whether `EVAL` of this script may begin now, as far as that is known before it runs.
    ///
    /// # Errors
    /// The error reply.
    pub(crate) fn permit_source(
        &self,
        host: &dyn Host,
        source: &[u8],
    ) -> Result<(), &'static [u8]> {
        let known = self.scripts.look(&sha1(source)).map(|cached| cached.flags);
        let flags = known.or_else(|| shebang::script(source).ok().map(|(flags, _)| flags));
        flags.map_or(Ok(()), |flags| run::permit(host, self.cluster_of(host), flags))
    }

    fn try_eval(
        &mut self,
        form: Form,
        host: &mut dyn Host,
        session: &mut Session,
        argv: &[&[u8]],
        sink: &mut dyn ReplySink,
        debugger: Option<&mut Debugger<'_>>,
    ) -> Result<(), Vec<u8>> {
        let [_, script, numkeys, rest @ ..] = argv else { return Ok(()) };
        let Form { by, read_only } = form;
        if by == By::Sha && script.len() != 40 {
            return Err(text::NOSCRIPT.to_vec());
        }
        let mut name = [0; 40];
        let sha = match by {
            By::Source => {
                name = sha1(script);
                &name
            }
            By::Sha => lower(script, &mut name).ok_or(text::NOSCRIPT)?,
        };
        let known = self.scripts.run(sha);
        match (known, by) {
            (Some(cached), By::Sha) => run::permit(&*host, self.cluster_of(&*host), cached.flags)?,
            (None, By::Sha) => {}
            (_, By::Source) => self.permit_source(&*host, script)?,
        }
        if session.debug != Debugging::Off && debugger.is_none() {
            return Err(match by {
                By::Sha => b"ERR Please use EVAL instead of EVALSHA for debugging".to_vec(),
                By::Source => b"ERR Only a connection of its own can debug a script".to_vec(),
            });
        }
        let (keys, args) = keys_and_args(numkeys, rest, text::NOT_AN_INTEGER)?;
        let cached = match (known, by) {
            (Some(cached), _) => cached,
            (None, By::Sha) => return Err(text::NOSCRIPT.to_vec()),
            (None, By::Source) => {
                let cached = self.compile(*sha, script, false)?;
                // The script may ask how many there are.
                host.scripting_changed(&self.figures());
                cached
            }
        };
        if debugger.is_some() && !self.eval.vm().is_some_and(|vm| vm.reports_lines()) {
            return Err(b"ERR The Lua engine in use cannot debug scripts".to_vec());
        }
        let rights = run::rights(&*host, cached.flags, read_only)?;
        let places = self.places(&*host, keys, cached.flags, session.slot)?;
        let task = Task {
            script: cached.id,
            kind: RunKind::Eval,
            name: sha,
            rights,
            invocation: Invocation {
                keys,
                args,
                passing: Passing::Globals,
                view: 0,
                lines: debugger.is_some(),
                began: host.running_since().unwrap_or_else(Instant::now),
            },
            command: argv,
            places,
            loaded: (0, 0),
        };
        let (limits, monitor) = (&self.limits, &self.monitor);
        self.eval.run(task, limits, monitor, host, session, sink, debugger);
        Ok(())
    }

    /// Compiles a script and caches it (`luaCreateFunction`); `keep` until `SCRIPT FLUSH`.
    ///
    /// # Errors
    /// The error reply.
    fn compile(&mut self, sha: [u8; 40], source: &[u8], keep: bool) -> Result<Cached, Vec<u8>> {
        let limits = self.limits().clone();
        if limits.source.is_some_and(|most| source.len() > most) {
            return Err(text::LONG_SOURCE.to_vec());
        }
        let (flags, code) = shebang::script(source)?;
        let chunk = Chunk { name: "@user_script", source: code };
        if keep && limits.scripts.is_some_and(|most| self.scripts.kept() >= most) {
            return Err(text::MANY_SCRIPTS.to_vec());
        }
        self.eval_world()?;
        let (Some(vm), scripts) = (self.eval.vm(), &mut self.scripts) else {
            return Err(Vec::new());
        };
        scripts.make_room(vm, &limits);
        let mut compiled = vm.compile(chunk);
        // What nobody has run lately gives its memory up.
        while compiled.as_ref().is_err_and(|error| error.fault == CompileFault::Memory)
            && scripts.forget_some(vm) > 0
        {
            vm.collect();
            compiled = vm.compile(chunk);
        }
        let id = compiled.map_err(|error| {
            let message: Vec<u8> =
                error.message.iter().copied().take_while(|&byte| byte != 0).collect();
            join(&[b"ERR Error compiling script (new function): ", &message])
        })?;
        if keep && scripts.is_starving(vm, &limits) {
            vm.release(id);
            return Err(text::MANY_SCRIPTS.to_vec());
        }
        Ok(scripts.insert(sha, id, flags, keep))
    }

    /// `SCRIPT` with its subcommands; `argv` has at least two words.
    pub(crate) fn script(
        &mut self,
        session: &mut Session,
        argv: &[&[u8]],
        sink: &mut dyn ReplySink,
    ) {
        let [_, subcommand, rest @ ..] = argv else { return };
        match (subcommand.to_ascii_lowercase().as_slice(), rest) {
            (b"load", [source]) => self.script_load(source, sink),
            (b"exists", [_, ..]) => {
                sink.seq(Seq::Array, rest.len());
                for sha in rest {
                    let known = lower(sha, &mut [0; 40])
                        .is_some_and(|sha| self.scripts.look(sha).is_some());
                    sink.integer(i64::from(known));
                }
            }
            (b"flush", []) => self.script_flush(sink),
            (b"flush", [mode]) if is_flush_mode(mode) => self.script_flush(sink),
            (b"flush", _) => sink.error(b"ERR SCRIPT FLUSH only support SYNC|ASYNC option"),
            (b"kill", []) => push_kill(self.monitor().kill(RunKind::Eval), sink),
            (b"debug", [mode]) => script_debug(session, mode, sink),
            (b"help", []) => help::push(help::SCRIPT, sink),
            (b"load" | b"exists" | b"kill" | b"debug" | b"help", _) => {
                sink.error(&text::wrong_arity(&text::full_name(argv, true)));
            }
            _ => sink.error(&text::unknown_subcommand(argv)),
        }
    }

    fn script_load(&mut self, source: &[u8], sink: &mut dyn ReplySink) {
        let sha = sha1(source);
        if !self.scripts.keep(&sha)
            && let Err(error) = self.compile(sha, source, true)
        {
            sink.error(&error);
            return;
        }
        sink.bulk(&sha);
    }

    /// Forgets every script and the Lua state with them, library settings included
    /// (`scriptingReset`).
    fn script_flush(&mut self, sink: &mut dyn ReplySink) {
        self.reset_eval();
        sink.status(b"OK");
    }
}

/// Pushes the reply to `SCRIPT KILL` or `FUNCTION KILL`, for servers that answer it while the
/// script runs.
pub fn push_kill(outcome: KillOutcome, sink: &mut dyn ReplySink) {
    match outcome {
        KillOutcome::Killed => sink.status(b"OK"),
        KillOutcome::NotBusy => sink.error(text::NOTBUSY),
        KillOutcome::Unkillable => sink.error(text::UNKILLABLE),
        KillOutcome::OtherKind(RunKind::Eval) => sink.error(text::BUSY_EVAL),
        KillOutcome::OtherKind(RunKind::Function) => sink.error(text::BUSY_FUNCTION),
    }
}

/// Whether a word is SYNC or ASYNC; both flush at once here.
pub(crate) fn is_flush_mode(word: &[u8]) -> bool {
    word.eq_ignore_ascii_case(b"sync") || word.eq_ignore_ascii_case(b"async")
}

/// `SCRIPT DEBUG`: what the next `EVAL` of the connection does.
fn script_debug(session: &mut Session, mode: &[u8], sink: &mut dyn ReplySink) {
    if session.pending {
        return sink.error(b"ERR SCRIPT DEBUG must be called outside a pipeline");
    }
    session.debug = match mode.to_ascii_lowercase().as_slice() {
        b"no" => Debugging::Off,
        // Who has asked for SYNC gets it until NO.
        b"yes" if session.debug != Debugging::Sync => Debugging::Forked,
        b"yes" | b"sync" => Debugging::Sync,
        _ => return sink.error(b"ERR Use SCRIPT DEBUG YES/SYNC/NO"),
    };
    sink.status(b"OK");
}

/// A SHA1 in lower case; `None` when it has not 40 characters.
fn lower<'a>(sha: &[u8], lower: &'a mut [u8; 40]) -> Option<&'a [u8; 40]> {
    *lower = sha.try_into().ok()?;
    lower.make_ascii_lowercase();
    Some(lower)
}
