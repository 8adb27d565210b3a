//! Which command an argv names, and the checks before it runs.
//!
//! Owns the split between the scripting family, which the engine answers itself, and everything
//! else, which goes to the host (`processCommand` in `server.c`). Must not know how either runs.

use redlua_core::{CommandFlags, CommandSpec, Debugging, Denied, Host, ReplySink, Session};

use crate::engine::Engine;
use crate::ldb::{Console, Debugger};
use crate::noted::Noted;
use crate::places::CrossSlot;
use crate::scripts::{By, Form};
use crate::text;

/// The commands the engine answers itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Eval,
    EvalRo,
    EvalSha,
    EvalShaRo,
    Script,
    Function,
    Fcall,
    FcallRo,
}

impl Family {
    /// The member of that name, in any case.
    #[inline]
    pub(crate) fn of(name: &[u8]) -> Option<Family> {
        let known = match name.len() {
            4 => ("eval", Family::Eval),
            5 => ("fcall", Family::Fcall),
            6 => ("script", Family::Script),
            7 if matches!(name.first(), Some(b'e' | b'E')) && name.contains(&b'_') => {
                ("eval_ro", Family::EvalRo)
            }
            7 => ("evalsha", Family::EvalSha),
            8 if matches!(name.get(1), Some(b'c' | b'C')) => ("fcall_ro", Family::FcallRo),
            8 => ("function", Family::Function),
            10 => ("evalsha_ro", Family::EvalShaRo),
            _ => return None,
        };
        name.eq_ignore_ascii_case(known.0.as_bytes()).then_some(known.1)
    }

    /// Whether a call of `words` words satisfies the arity.
    fn accepts(self, words: usize) -> bool {
        match self {
            Family::Script | Family::Function => words >= 2,
            _ => words >= 3,
        }
    }
}

impl Engine {
    /// Runs any command: those of the scripting family here, all others on `host` after the
    /// checks every client meets (existence, arity, permission, memory).
    ///
    /// `argv` is the command's words, its name first; exactly one reply is pushed into `sink`
    /// (none for an empty `argv`). Redis errors are replies.
    ///
    /// ```
    /// # use redlua_core::{CommandSpec, Host, Protocol, ReplySink, Session};
    /// # use redlua_engine::Engine;
    /// # struct Nothing;
    /// # impl Host for Nothing {
    /// #     fn command(&self, _: &[&[u8]]) -> Option<CommandSpec> { None }
    /// #     fn call(&mut self, _: &mut Session, _: &CommandSpec, _: &[&[u8]], _: &mut dyn ReplySink) {}
    /// # }
    /// fn one(engine: &mut Engine, host: &mut Nothing, sink: &mut dyn ReplySink) {
    ///     let argv: [&[u8]; 3] = [b"EVAL", b"return 1", b"0"];
    ///     engine.dispatch(host, &mut Session::default(), &argv, sink);
    /// }
    /// ```
    pub fn dispatch(
        &mut self,
        host: &mut dyn Host,
        session: &mut Session,
        argv: &[&[u8]],
        sink: &mut dyn ReplySink,
    ) {
        if argv.is_empty() {
            return;
        }
        match &host.command(argv) {
            Some(spec) => self.run(host, session, spec, argv, sink),
            None => self.unlisted(host, session, argv, sink),
        }
    }

    /// [`dispatch`](Self::dispatch) for a caller who has looked the command up: `spec` is what
    /// [`Host::command`] answered for `argv`.
    #[inline]
    pub fn run(
        &mut self,
        host: &mut dyn Host,
        session: &mut Session,
        spec: &CommandSpec,
        argv: &[&[u8]],
        sink: &mut dyn ReplySink,
    ) {
        if let Err(refusal) = self.admit(host, session, spec, argv) {
            return sink.error(&refusal);
        }
        self.execute(host, session, spec, argv, sink);
    }

    /// Runs a command that was [admitted](Self::admit) before, as `EXEC` does.
    #[inline]
    pub fn execute(
        &mut self,
        host: &mut dyn Host,
        session: &mut Session,
        spec: &CommandSpec,
        argv: &[&[u8]],
        sink: &mut dyn ReplySink,
    ) {
        let Some(member) = argv.first().and_then(|name| Family::of(name)) else {
            return host.call(session, spec, argv, sink);
        };
        host.command_started(session, spec, argv);
        let mut sink = Noted::new(sink);
        self.perform(member, host, session, argv, &mut sink);
        host.command_ended(session, spec, argv, sink.error());
        host.scripting_changed(&self.figures());
    }

    /// Whether a client may run a command now: arity, permission, slots, memory, in the order of
    /// `processCommand`. Also what decides whether a transaction may queue it. The host hears
    /// of a refusal.
    ///
    /// # Errors
    /// The text of the error reply.
    #[inline]
    pub fn admit(
        &self,
        host: &mut dyn Host,
        session: &Session,
        spec: &CommandSpec,
        argv: &[&[u8]],
    ) -> Result<(), Vec<u8>> {
        let (text, denied) = if !spec.accepts(argv.len()) {
            let subcommand = spec.flags.contains(CommandFlags::SUBCOMMAND);
            (text::wrong_arity(&text::full_name(argv, subcommand)), None)
        } else if let Err(denied) = host.permits(session, spec, argv) {
            (refusal(&denied, argv), Some(denied))
        } else if let Err(CrossSlot) = self.slot(host, spec, argv) {
            (CrossSlot::TEXT.to_vec(), None)
        } else if spec.flags.contains(CommandFlags::DENYOOM) && host.condition().out_of_memory {
            (text::OOM.to_vec(), None)
        } else {
            return Ok(());
        };
        host.command_refused(session, argv, &text, denied.as_ref());
        Err(text)
    }

    /// A command the host does not list: of the scripting family, or unknown.
    fn unlisted(
        &mut self,
        host: &mut dyn Host,
        session: &mut Session,
        argv: &[&[u8]],
        sink: &mut dyn ReplySink,
    ) {
        // A name that is known alone but not with its second word has subcommands.
        let known =
            argv.len() > 1 && argv.get(..1).is_some_and(|name| host.command(name).is_some());
        let text = match argv.first().and_then(|name| Family::of(name)) {
            _ if known => text::unknown_subcommand(argv),
            Some(member) if member.accepts(argv.len()) => {
                return self.perform(member, host, session, argv, sink);
            }
            Some(_) => text::wrong_arity(&text::full_name(argv, false)),
            None => text::unknown_command(argv),
        };
        host.command_refused(session, argv, &text, None);
        sink.error(&text);
    }

    fn perform(
        &mut self,
        member: Family,
        host: &mut dyn Host,
        session: &mut Session,
        argv: &[&[u8]],
        sink: &mut dyn ReplySink,
    ) {
        let form = |by, read_only| Form { by, read_only };
        match member {
            Family::Eval => self.eval(form(By::Source, false), host, session, argv, sink, None),
            Family::EvalRo => self.eval(form(By::Source, true), host, session, argv, sink, None),
            Family::EvalSha => self.eval(form(By::Sha, false), host, session, argv, sink, None),
            Family::EvalShaRo => self.eval(form(By::Sha, true), host, session, argv, sink, None),
            Family::Script => self.script(session, argv, sink),
            Family::Function => self.function(host, session, argv, sink),
            Family::Fcall => self.fcall(false, host, session, argv, sink),
            Family::FcallRo => self.fcall(true, host, session, argv, sink),
        }
    }

    /// Whether a command begins a debugging session: an `EVAL` or `EVAL_RO` after `SCRIPT DEBUG`
    /// that [`dispatch`](Self::dispatch) would not refuse before it looks at its arguments. The
    /// one who has the connection then calls [`debug`](Self::debug) instead: with this engine and
    /// host when the session's [`debug`](Session::debug) says [`Debugging::Sync`], else with a
    /// [`fork`](Self::fork) and a copy of the host. It closes the connection afterwards.
    pub fn debugs(&self, host: &dyn Host, session: &Session, argv: &[&[u8]]) -> bool {
        if session.debug == Debugging::Off {
            return false;
        }
        let [name, source, ..] = argv else { return false };
        let admitted = match (Family::of(name), host.command(argv)) {
            (Some(Family::Eval | Family::EvalRo), Some(spec)) => {
                spec.accepts(argv.len()) && host.permits(session, &spec, argv).is_ok()
            }
            (Some(member @ (Family::Eval | Family::EvalRo)), None) => member.accepts(argv.len()),
            _ => false,
        };
        admitted && self.permit_source(host, source).is_ok()
    }

    /// Runs an `EVAL` for which [`debugs`](Self::debugs) holds under the step debugger, which
    /// talks to `console` until the script ends. The reply goes into `sink`, to be sent after
    /// everything the console was told.
    ///
    /// A console that is closed lets the script run on to its end, or until it has run for as
    /// long as [`Host::busy_threshold`] says.
    pub fn debug(
        &mut self,
        host: &mut dyn Host,
        session: &mut Session,
        argv: &[&[u8]],
        console: &mut dyn Console,
        sink: &mut dyn ReplySink,
    ) {
        let [name, source, ..] = argv else { return };
        let read_only = Family::of(name) == Some(Family::EvalRo);
        let spec = host.command(argv);
        if let Some(spec) = &spec {
            host.command_started(session, spec, argv);
        }
        let mut debugger = Debugger::new(console, source);
        let mut sink = Noted::new(sink);
        let form = Form { by: By::Source, read_only };
        self.eval(form, host, session, argv, &mut sink, Some(&mut debugger));
        debugger.end();
        if let Some(spec) = &spec {
            host.command_ended(session, spec, argv, sink.error());
        }
        host.scripting_changed(&self.figures());
    }
}

/// `getAclErrorMessage` in `acl.c`.
fn refusal(denied: &Denied, argv: &[&[u8]]) -> Vec<u8> {
    match denied {
        Denied::Command(name) => {
            let name: &[u8] =
                if name.is_empty() { argv.first().unwrap_or(&&b""[..]) } else { name };
            text::join(&[b"NOPERM this user has no permissions to run the '", name, b"' command"])
        }
        Denied::Key => {
            b"NOPERM this user has no permissions to access one of the keys used as arguments"
                .to_vec()
        }
        Denied::Channel => {
            b"NOPERM this user has no permissions to access one of the channels used as arguments"
                .to_vec()
        }
    }
}
