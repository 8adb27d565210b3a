//! A Lua state together with the state of its libraries, and the running of scripts in it.
//!
//! Must not know commands.

use redlua_conversions::Libraries;
use redlua_core::{
    Backend, Bridge, Environment, Host, Invocation, Limits, ReplySink, ScriptId, Session,
    StopReason, StopToken, Vm,
};

use crate::gate::{Last, Rights};
use crate::ldb::Debugger;
use crate::monitor::{Monitor, RunKind};
use crate::places::Places;
use crate::run::{self, Run, session};

/// One Lua state, made when it is first needed.
#[derive(Default)]
pub(crate) struct World {
    vm: Option<Box<dyn Vm>>,
    /// What stops its scripts.
    stop: StopToken,
    pub(crate) libraries: Libraries,
}

/// What a run needs to know of its script and its caller.
pub(crate) struct Task<'a> {
    pub(crate) script: ScriptId,
    pub(crate) kind: RunKind,
    /// SHA1 or function name.
    pub(crate) name: &'a [u8],
    pub(crate) rights: Rights,
    pub(crate) invocation: Invocation<'a>,
    /// The whole command.
    pub(crate) command: &'a [&'a [u8]],
    /// The keys it may touch, when not all.
    pub(crate) places: Option<Places<'a>>,
    /// How many libraries and functions there are, for `FUNCTION STATS` meanwhile.
    pub(crate) loaded: (usize, usize),
}

impl World {
    /// The Lua state, if there is one.
    pub(crate) fn vm(&mut self) -> Option<&mut (dyn Vm + 'static)> {
        self.vm.as_deref_mut()
    }

    /// Bytes the Lua state holds.
    pub(crate) fn memory_used(&self) -> usize {
        self.vm.as_ref().map_or(0, |vm| vm.memory_used())
    }

    /// The Lua state, made now if there is none.
    ///
    /// # Errors
    /// The error reply when the backend cannot make one.
    pub(crate) fn open(
        &mut self,
        backend: &dyn Backend,
        environment: &Environment,
        limits: &Limits,
    ) -> Result<(), Vec<u8>> {
        if self.vm.is_none() {
            let vm = backend
                .create(environment, limits)
                .map_err(|error| format!("ERR {error}").into_bytes())?;
            self.stop = vm.stop_token();
            self.vm = Some(vm);
        }
        Ok(())
    }

    /// Drops the Lua state with everything in it; the sequence of random numbers goes on.
    pub(crate) fn reset(&mut self) {
        self.vm = None;
        self.libraries.reset_for_flush();
    }

    /// The Lua state and its libraries.
    pub(crate) fn parts(&mut self) -> Option<(&mut (dyn Vm + 'static), &mut Libraries)> {
        Some((self.vm.as_deref_mut()?, &mut self.libraries))
    }

    /// Runs a script of this Lua state; its reply goes into `sink`.
    #[expect(clippy::too_many_arguments, reason = "all of it belongs to one run")]
    pub(crate) fn run(
        &mut self,
        mut task: Task<'_>,
        limits: &Limits,
        monitor: &Monitor,
        host: &mut dyn Host,
        caller: &Session,
        sink: &mut dyn ReplySink,
        mut debugger: Option<&mut Debugger<'_>>,
    ) {
        let World { vm: Some(vm), stop, libraries } = self else { return };
        if !fits(&task, limits, &mut **vm) {
            return sink.error(run::stopped(StopReason::Memory));
        }
        monitor.begin(&task, stop);
        // Also when the host or the sink panics: nobody is to be told for ever that a script runs.
        let _running = Running(monitor);
        if let Some(debugger) = debugger.as_deref_mut() {
            debugger.begin(stop.clone());
        }
        host.script_started();
        let places = task.places.take();
        let mut run = Run {
            host: &mut *host,
            session: session(caller),
            rights: task.rights,
            last: Last::default(),
            libraries,
            monitor,
            name: task.name,
            most: limits.reply.unwrap_or(usize::MAX),
            time: limits.time,
            sink,
            debugger,
            places,
            strict: false,
        };
        vm.run(task.script, &task.invocation, &mut run as &mut dyn Bridge);
        host.script_ended();
    }
}

/// Tells that the script has ended, however that came.
struct Running<'a>(&'a Monitor);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// Whether there is memory for the script's arguments, which go into the Lua state without the
/// limit being looked at.
fn fits(task: &Task<'_>, limits: &Limits, vm: &mut dyn Vm) -> bool {
    let Some(most) = limits.memory else { return true };
    let words = task.invocation.keys.iter().chain(task.invocation.args);
    let bytes: usize = words.map(|word| word.len() + WORD).sum();
    if bytes < FEW || bytes <= most.saturating_sub(vm.memory_used()) {
        return true;
    }
    vm.collect();
    bytes <= most.saturating_sub(vm.memory_used())
}

/// About what a word takes besides its bytes.
const WORD: usize = 40;
/// Arguments of fewer bytes are not worth a look.
const FEW: usize = 64 << 10;

/// Some words of a command.
pub(crate) type Words<'a> = &'a [&'a [u8]];

/// Splits the arguments after NUMKEYS into KEYS and ARGV.
///
/// # Errors
/// The error reply; `not_a_number` is the command's own text for a NUMKEYS that is none.
pub(crate) fn keys_and_args<'a>(
    numkeys: &[u8],
    rest: &'a [&'a [u8]],
    not_a_number: &'static [u8],
) -> Result<(Words<'a>, Words<'a>), &'static [u8]> {
    let count = redlua_conversions::number::parse_i64(numkeys).ok_or(not_a_number)?;
    let count = usize::try_from(count).map_err(|_| crate::text::NEGATIVE_KEYS)?;
    rest.split_at_checked(count).ok_or(crate::text::TOO_MANY_KEYS)
}
