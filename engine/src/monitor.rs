//! What other threads may know and do while a script runs: that it is busy, and kill it.
//!
//! Owns the shared record. Must not know commands or replies.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use redlua_core::{StopReason, StopToken};

use crate::world::Task;

/// What kind of script runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunKind {
    /// `EVAL`, `EVALSHA` and their read-only forms: `SCRIPT KILL` stops it.
    Eval,
    /// `FCALL`, `FCALL_RO`: `FUNCTION KILL` stops it.
    Function,
}

/// How an attempt to kill the running script ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KillOutcome {
    /// The script is being stopped.
    Killed,
    /// No script runs.
    NotBusy,
    /// It has written already.
    Unkillable,
    /// A script of the other kind runs.
    OtherKind(RunKind),
}

/// A handle on the script an [`Engine`](crate::Engine) is running, for other threads.
///
/// Cheap to clone; all clones speak of the same engine.
#[derive(Clone, Debug, Default)]
pub struct Monitor(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// 0 nothing, 1 EVAL, 2 FCALL.
    kind: AtomicU8,
    /// Whether the script has written.
    dirty: AtomicBool,
    details: Mutex<Details>,
}

/// What `FUNCTION STATS` shows of the running function.
#[derive(Debug, Default)]
struct Details {
    started: Option<Instant>,
    stop: StopToken,
    name: Vec<u8>,
    command: Vec<Vec<u8>>,
    loaded: (usize, usize),
}

/// The running function, as `FUNCTION STATS` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunningFunction {
    /// The function's name.
    pub name: Vec<u8>,
    /// The whole command that called it.
    pub command: Vec<Vec<u8>>,
    /// For how long it has run.
    pub duration: Duration,
}

impl Monitor {
    /// What kind of script runs now.
    pub fn running(&self) -> Option<RunKind> {
        match self.0.kind.load(Ordering::Acquire) {
            0 => None,
            1 => Some(RunKind::Eval),
            _ => Some(RunKind::Function),
        }
    }

    /// What other clients hear when a script has run longer than `threshold`: the error reply,
    /// or `None` while nothing is busy.
    pub fn busy(&self, threshold: Duration) -> Option<&'static [u8]> {
        let kind = self.running()?;
        let started = self.details().started?;
        (started.elapsed() >= threshold).then_some(match kind {
            RunKind::Eval => crate::text::BUSY_EVAL,
            RunKind::Function => crate::text::BUSY_FUNCTION,
        })
    }

    /// For how long the running script has run.
    pub fn running_for(&self) -> Option<Duration> {
        self.running()?;
        Some(self.details().started?.elapsed())
    }

    /// Stops the running script when it is of `kind` and has written nothing (`script.c
    /// scriptKill`).
    pub fn kill(&self, kind: RunKind) -> KillOutcome {
        let details = self.details();
        match self.running() {
            None => KillOutcome::NotBusy,
            Some(other) if other != kind => KillOutcome::OtherKind(other),
            Some(_) if self.0.dirty.load(Ordering::Acquire) => KillOutcome::Unkillable,
            Some(_) => {
                details.stop.stop(StopReason::Kill);
                KillOutcome::Killed
            }
        }
    }

    /// Stops the running script whatever it did, as an embedder may.
    pub fn stop(&self) {
        self.details().stop.stop(StopReason::Host);
    }

    /// The running function.
    pub fn function(&self) -> Option<RunningFunction> {
        let details = self.details();
        if self.running() != Some(RunKind::Function) {
            return None;
        }
        Some(RunningFunction {
            name: details.name.clone(),
            command: details.command.clone(),
            duration: details.started?.elapsed(),
        })
    }

    /// How many libraries and functions there were when the running function began.
    pub(crate) fn loaded(&self) -> Option<(usize, usize)> {
        let details = self.details();
        (self.running() == Some(RunKind::Function)).then_some(details.loaded)
    }

    /// A script begins. Only functions are described: nobody asks for the name of an EVAL.
    pub(crate) fn begin(&self, task: &Task<'_>, stop: &StopToken) {
        let mut details = self.details();
        // Before anybody sees that it runs, so that no request to stop it is lost.
        stop.clear();
        // Nobody is told that a script is busy which its debugger holds up: they wait.
        details.started = (!task.invocation.lines).then_some(task.invocation.began);
        if !details.stop.is(stop) {
            details.stop = stop.clone();
        }
        if task.kind == RunKind::Function {
            details.loaded = task.loaded;
            details.name = task.name.to_vec();
            details.command = task.command.iter().map(|arg| arg.to_vec()).collect();
        }
        self.0.dirty.store(false, Ordering::Release);
        self.0.kind.store(if task.kind == RunKind::Eval { 1 } else { 2 }, Ordering::Release);
    }

    /// The code of a library is about to run: [`stop`](Self::stop) ends it.
    pub(crate) fn load(&self, stop: StopToken) {
        self.details().stop = stop;
    }

    /// Why somebody wants the running script to end.
    pub(crate) fn reason_to_end(&self) -> Option<StopReason> {
        self.details().stop.reason()
    }

    /// The script has written.
    pub(crate) fn written(&self) {
        self.0.dirty.store(true, Ordering::Release);
    }

    /// The script has ended.
    pub(crate) fn end(&self) {
        self.0.kind.store(0, Ordering::Release);
    }

    fn details(&self) -> MutexGuard<'_, Details> {
        self.0.details.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
