//! One run of a script: the engine's side of the bridge.
//!
//! Owns `redis.call` from the gate to the Lua value, and the way a run ends. Must not know which
//! command started the script.

use std::time::Duration;

use redlua_conversions::Libraries;
use redlua_conversions::resp::{RespWriter, emit};
use redlua_conversions::script::{ReplyToValue, bounded_reply, value_to_reply};
use redlua_core::{
    Arguments, Bridge, CallMode, CommandFlags, Debugging, Flow, Frame, Host, NativeId, Outcome,
    Pause, Protocol, Raise, ReplySink, Session, StopReason, ValueReader, ValueWriter,
};

use crate::fault;
use crate::gate::{self, Last, Refusal, Rights};
use crate::ldb::Debugger;
use crate::monitor::Monitor;
use crate::places::{Cluster, Places};
use crate::sandbox::Native;
use crate::shebang::ScriptFlags;
use crate::{api, text};

/// A script in progress.
pub(crate) struct Run<'a, 'c> {
    pub(crate) host: &'a mut dyn Host,
    /// The script's own session.
    pub(crate) session: Session,
    pub(crate) rights: Rights,
    pub(crate) last: Last,
    pub(crate) libraries: &'a mut Libraries,
    pub(crate) monitor: &'a Monitor,
    /// The script's SHA1 or the function's name, as errors show it.
    pub(crate) name: &'a [u8],
    /// How many bytes the reply may take.
    pub(crate) most: usize,
    /// When time is over, also for what comes after the script.
    pub(crate) time: Option<Duration>,
    /// Where the caller wants the reply.
    pub(crate) sink: &'a mut dyn ReplySink,
    /// Who looks on, in a debugging session.
    pub(crate) debugger: Option<&'a mut Debugger<'c>>,
    /// The keys it may touch, when not all.
    pub(crate) places: Option<Places<'a>>,
    /// Whether the last call was refused in a way that `redis.pcall` raises too.
    pub(crate) strict: bool,
}

impl Run<'_, '_> {
    /// Runs a command and appends its reply; returns whether that is an error.
    pub(crate) fn execute(&mut self, argv: &[&[u8]], out: &mut dyn ValueWriter) -> bool {
        if self.debugger.is_some() {
            return self.execute_shown(argv, out);
        }
        if !self.admit(argv, out) {
            return true;
        }
        let Some(spec) = &self.last.spec else { return true };
        let mut sink = ReplyToValue::new(out, self.session.protocol);
        self.host.call(&mut self.session, spec, argv, &mut sink);
        sink.finish()
    }

    /// The same with the debugger looking on.
    #[cold]
    fn execute_shown(&mut self, argv: &[&[u8]], out: &mut dyn ValueWriter) -> bool {
        if let Some(debugger) = self.debugger.as_deref_mut() {
            debugger.command(argv);
        }
        if !self.admit(argv, out) {
            return true;
        }
        let Some(spec) = &self.last.spec else { return true };
        let protocol = self.session.protocol;
        let mut reply = RespWriter::new(protocol);
        self.host.call(&mut self.session, spec, argv, &mut reply);
        let mut sink = ReplyToValue::new(out, protocol);
        // What a faulty host has left out the sink makes up.
        let _ = emit(reply.bytes(), &mut sink);
        let failed = sink.finish();
        if let Some(debugger) = self.debugger.as_deref_mut() {
            if failed {
                debugger.error(reply.bytes().trim_ascii_end());
            }
            debugger.reply(reply.bytes(), protocol);
        }
        failed
    }

    /// Lets a command through the gate, which leaves it in `last`, or appends the refusal.
    #[inline]
    fn admit(&mut self, argv: &[&[u8]], out: &mut dyn ValueWriter) -> bool {
        if let Err(refusal) =
            gate::admit(&*self.host, &self.session, &self.rights, &mut self.last, argv)
        {
            self.refuse(&refusal, argv, out);
            return false;
        }
        let Some(spec) = &self.last.spec else { return false };
        if let Some(places) = &self.places
            && let Some(text) = places.undeclared(&*self.host, spec, argv)
        {
            self.strict = true;
            self.refuse(&text.into(), argv, out);
            return false;
        }
        if !self.rights.dirty && spec.flags.contains(CommandFlags::WRITE) {
            self.rights.dirty = true;
            self.monitor.written();
        }
        if let Some(places) = &mut self.places
            && let Some(text) = places.misplaced(&*self.host, spec, argv)
        {
            self.refuse(&text.to_vec().into(), argv, out);
            return false;
        }
        true
    }

    /// Tells everybody of a refusal, the script too.
    #[cold]
    fn refuse(&mut self, refusal: &Refusal, argv: &[&[u8]], out: &mut dyn ValueWriter) {
        self.tell(&refusal.text);
        let text = fault::with_code(&refusal.text);
        self.host.command_refused(&self.session, argv, &text, refusal.denied.as_ref());
        fault::push_refusal(out, &text);
    }

    /// Replies with what the script has returned, unless that is too much.
    fn answer(&mut self, value: &mut dyn ValueReader) {
        let protocol = self.session.protocol;
        let (monitor, time) = (self.monitor, self.time);
        let go_on = || reason_to_end(monitor, time).is_none();
        if self.most == usize::MAX {
            value_to_reply(value, protocol, self.sink);
        } else if !bounded_reply(value, protocol, self.most, self.sink, go_on) {
            self.sink.error(reason_to_end(monitor, time).map_or(text::LONG_REPLY, stopped));
        }
    }

    /// Shows the debugger an error that the script is told of.
    fn tell(&mut self, error: &[u8]) {
        if let Some(debugger) = self.debugger.as_deref_mut() {
            debugger.error(error);
        }
    }
}

impl Bridge for Run<'_, '_> {
    #[inline]
    fn call(&mut self, mode: CallMode, argv: Option<&[&[u8]]>, out: &mut dyn ValueWriter) -> Flow {
        let failed = match argv {
            Some([]) => {
                self.tell(text::NO_ARGUMENT);
                fault::push(out, &fault::with_code(text::NO_ARGUMENT));
                true
            }
            None => {
                self.tell(text::BAD_ARGUMENT);
                fault::push(out, &fault::with_code(text::BAD_ARGUMENT));
                true
            }
            Some(argv) => self.execute(argv, out),
        };
        let strict = std::mem::take(&mut self.strict);
        if failed && (mode == CallMode::Call || strict) { Flow::Raise } else { Flow::Return }
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
            Some(native) => {
                let debugger = self.debugger.as_deref_mut();
                api::call(native, self.host, &mut self.session, debugger, args, out)
            }
            None => Err(Raise::message("unknown native")),
        }
    }

    fn line(&mut self, pause: Pause, frame: &mut dyn Frame, out: &mut dyn ValueWriter) -> Flow {
        self.pause(pause, frame, out)
    }

    fn finish(&mut self, outcome: Outcome<'_>) {
        match outcome {
            Outcome::Returned(value) => self.answer(value),
            Outcome::Raised(value) => fault::reply(value, self.name, self.sink),
            Outcome::Stopped { reason, at } => {
                fault::reply_at(stopped(reason), at, self.name, self.sink);
            }
        }
    }
}

/// Why the run must end although the script has.
fn reason_to_end(monitor: &Monitor, time: Option<Duration>) -> Option<StopReason> {
    let late = || time.is_some_and(|time| monitor.running_for() >= Some(time));
    monitor.reason_to_end().or_else(|| late().then_some(StopReason::Time))
}

/// What the caller of a stopped script hears: of a kill, by whichever command, what
/// `luaMaskCountHook` in `script_lua.c` raises; the others are ours.
pub(crate) fn stopped(reason: StopReason) -> &'static [u8] {
    match reason {
        StopReason::Kill => b"ERR Script killed by user with SCRIPT KILL...",
        StopReason::Host => b"ERR Script stopped by the host",
        StopReason::Time => b"ERR Script exceeded its time limit",
        StopReason::Instructions => b"ERR Script exceeded its instruction limit",
        StopReason::Memory => b"ERR Script exceeded its memory limit",
    }
}

/// The session a script runs in: its caller's, in RESP2 until it says otherwise.
pub(crate) fn session(caller: &Session) -> Session {
    Session { protocol: Protocol::Resp2, script: true, debug: Debugging::Off, ..*caller }
}

/// Whether the host's condition forbids a script with these flags (`processCommand` in
/// `server.c`, which knows what a script with a shebang may do).
///
/// # Errors
/// The error reply.
pub(crate) fn permit(
    host: &dyn Host,
    cluster: Option<Cluster>,
    flags: ScriptFlags,
) -> Result<(), &'static [u8]> {
    let condition = host.condition();
    let compatible = flags.contains(ScriptFlags::COMPATIBLE);
    let writes = !compatible && !flags.contains(ScriptFlags::NO_WRITES);
    if condition.out_of_memory && writes && !flags.contains(ScriptFlags::ALLOW_OOM) {
        return Err(text::OOM);
    }
    if writes && condition.misconfigured {
        return Err(text::MISCONF);
    }
    if writes && condition.read_only {
        return Err(text::READONLY);
    }
    if condition.stale && !flags.contains(ScriptFlags::ALLOW_STALE) {
        return Err(text::MASTERDOWN);
    }
    if cluster.is_some() && flags.contains(ScriptFlags::NO_CLUSTER) {
        return Err(b"ERR Can not run script on cluster, 'no-cluster' flag is set.");
    }
    Ok(())
}

/// What a script with these flags may do (`scriptPrepareForRun` in `script.c`).
///
/// # Errors
/// The error reply.
pub(crate) fn rights(
    host: &dyn Host,
    flags: ScriptFlags,
    read_only_command: bool,
) -> Result<Rights, &'static [u8]> {
    let no_writes = flags.contains(ScriptFlags::NO_WRITES);
    if read_only_command && !no_writes && !flags.contains(ScriptFlags::COMPATIBLE) {
        return Err(b"ERR Can not execute a script with write flag using *_ro command.");
    }
    Ok(Rights {
        read_only: read_only_command || no_writes,
        allow_oom: flags.contains(ScriptFlags::ALLOW_OOM),
        stale: host.condition().stale,
        dirty: false,
    })
}
