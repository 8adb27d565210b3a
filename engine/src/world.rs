//! A Lua state together with the state of its libraries, and the running of scripts in it.
//!
//! Must not know commands.

use redlua_conversions::library::Libraries;
use redlua_core::{Bridge, Host, Invocation, ReplySink, ScriptId, Session, Vm};

use crate::gate::Rights;
use crate::monitor::{Monitor, RunKind};
use crate::run::{Run, session};

/// One Lua state.
pub(crate) struct World {
    pub(crate) vm: Box<dyn Vm>,
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
}

impl World {
    pub(crate) fn new(vm: Box<dyn Vm>) -> Self {
        World { vm, libraries: Libraries::default() }
    }

    /// Runs a script; its reply goes into `sink`.
    pub(crate) fn run(
        &mut self,
        task: &Task<'_>,
        monitor: &Monitor,
        host: &mut dyn Host,
        caller: &Session,
        sink: &mut dyn ReplySink,
    ) {
        self.libraries.reset_for_script();
        monitor.begin(task.kind, self.vm.stop_token(), task.name, task.command);
        host.script_started();
        let mut run = Run {
            host: &mut *host,
            session: session(caller),
            rights: task.rights,
            libraries: &mut self.libraries,
            monitor,
            kind: task.kind,
            name: task.name,
            sink,
        };
        self.vm.run(task.script, &task.invocation, &mut run as &mut dyn Bridge);
        host.script_ended();
        monitor.end();
    }
}

/// Splits the arguments after NUMKEYS into KEYS and ARGV.
///
/// # Errors
/// The error reply; `not_a_number` is the command's own text for a NUMKEYS that is none.
pub(crate) fn keys_and_args<'a>(
    numkeys: &[u8],
    rest: &'a [&'a [u8]],
    not_a_number: &'static [u8],
) -> Result<(&'a [&'a [u8]], &'a [&'a [u8]]), &'static [u8]> {
    let count = redlua_conversions::number::parse_i64(numkeys).ok_or(not_a_number)?;
    let count = usize::try_from(count).map_err(|_| crate::text::NEGATIVE_KEYS)?;
    rest.split_at_checked(count).ok_or(crate::text::TOO_MANY_KEYS)
}
