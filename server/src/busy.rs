//! What a client hears while a script is busy (`processCommand` in `server.c`).
//!
//! Owns what answers instead of the core: logging in and transactions go on, the script and the
//! server can be ended. Must not know how a command works.

use std::sync::{Arc, Mutex as Latch, PoisonError};

use redlua_conversions::resp::RespWriter;
use redlua_core::{Backend, ReplySink, Session};
use redlua_engine::{Engine, KillOutcome, Monitor, RunKind};
use redlua_store::{LateWatches, Store};

use crate::client::{Client, Progress};
use crate::core::Core;
use crate::shared::Outcome;
use crate::verb::Verb;

/// How `SHUTDOWN` was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shutdown {
    /// The server is to end, whatever runs.
    NoSave,
    /// The server is to end; not while a script is busy.
    Save,
    /// The call is refused with this text.
    Refused(&'static [u8]),
}

impl Shutdown {
    /// Reads the call (`db.c shutdownCommand`).
    pub(crate) fn of(argv: &[&[u8]]) -> Self {
        const SYNTAX: Shutdown = Shutdown::Refused(b"ERR syntax error");
        let (mut save, mut nosave, mut abort, mut others) = (false, false, false, false);
        for word in argv.iter().skip(1) {
            let flag = match word.to_ascii_lowercase().as_slice() {
                b"save" => &mut save,
                b"nosave" => &mut nosave,
                b"abort" => &mut abort,
                b"now" | b"force" => &mut others,
                _ => return SYNTAX,
            };
            *flag = true;
        }
        match (abort, save || nosave || others) {
            (true, true) => SYNTAX,
            (true, false) => Shutdown::Refused(b"ERR No shutdown in progress."),
            _ if save && nosave => SYNTAX,
            _ if nosave => Shutdown::NoSave,
            _ => Shutdown::Save,
        }
    }
}

/// What answers for the core while a script has it: a store without keys that knows the users.
pub(crate) struct Stand {
    backend: Arc<dyn Backend>,
    core: Latch<Option<Box<Core>>>,
    /// Where clients begin to watch keys that a script may yet modify.
    watches: LateWatches,
}

impl Stand {
    /// Stands in for a core of this engine and this store.
    pub(crate) fn new(engine: &Engine, store: &Store) -> Self {
        let stand = Stand {
            backend: engine.shared_backend(),
            core: Latch::default(),
            watches: store.late_watches(),
        };
        if store.requires_password() {
            let password = String::from_utf8_lossy(store.parameter("requirepass")).into_owned();
            // It has been accepted once.
            let _ = stand.with(|core| core.store.configure("requirepass", &password));
        }
        stand
    }

    /// A command may have changed who the users are: it does so here too.
    pub(crate) fn learn(&self, argv: &[&[u8]]) {
        self.with(|core| {
            let mut nobody = RespWriter::default();
            core.engine.dispatch(&mut core.store, &mut Session::default(), argv, &mut nobody);
        });
    }

    /// Answers a client while the script that `monitor` knows of is `busy`.
    pub(crate) fn answer(
        &self,
        client: &mut Client,
        monitor: &Monitor,
        busy: &[u8],
        argv: &[&[u8]],
        out: &mut RespWriter,
    ) -> Outcome {
        match self.with(|core| client.handle_busy(core, &self.watches, (monitor, busy), argv, out))
        {
            Progress::Close | Progress::Abort => Outcome::Close,
            Progress::Shutdown => Outcome::Shutdown,
            _ => Outcome::Done,
        }
    }

    fn with<T>(&self, act: impl FnOnce(&mut Core) -> T) -> T {
        let mut core = self.core.lock().unwrap_or_else(PoisonError::into_inner);
        act(core.get_or_insert_with(|| {
            Box::new(Core::new(Engine::new(self.backend.clone()), Store::new()))
        }))
    }
}

/// Answers what kills or shows the script that is `busy`.
pub(crate) fn act_upon(monitor: &Monitor, verb: Verb, busy: &[u8], out: &mut RespWriter) {
    let kind = match verb {
        Verb::KillScript => RunKind::Eval,
        Verb::KillFunction => RunKind::Function,
        _ if redlua_engine::push_busy_stats(monitor, out) => return,
        _ => return out.error(busy),
    };
    match monitor.kill(kind) {
        KillOutcome::Killed => out.status(b"OK"),
        outcome => redlua_engine::push_kill(outcome, out),
    }
}
