//! What a client hears while a script is busy (`processCommand` in `server.c`).
//!
//! Owns the few commands that are answered without the store: those that end the script or the
//! server. Must not know who asks.

use redlua_conversions::resp::RespWriter;
use redlua_core::ReplySink;
use redlua_engine::{KillOutcome, Monitor, RunKind};

use crate::shared::Outcome;

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

/// Answers for a script that is `busy`.
pub(crate) fn answer(
    monitor: &Monitor,
    busy: &[u8],
    argv: &[&[u8]],
    out: &mut RespWriter,
) -> Outcome {
    let word = |index: usize| argv.get(index).map(|word| word.to_ascii_lowercase());
    let kind = match (word(0).as_deref(), word(1).as_deref(), argv.len()) {
        (Some(b"script"), Some(b"kill"), 2) => RunKind::Eval,
        (Some(b"function"), Some(b"kill"), 2) => RunKind::Function,
        (Some(b"function"), Some(b"stats"), 2) => {
            if !redlua_engine::push_busy_stats(monitor, out) {
                out.error(busy);
            }
            return Outcome::Done;
        }
        (Some(b"quit"), ..) => {
            out.status(b"OK");
            return Outcome::Close;
        }
        (Some(b"shutdown"), ..) => match Shutdown::of(argv) {
            Shutdown::NoSave => return Outcome::Shutdown,
            Shutdown::Save => {
                out.error(busy);
                return Outcome::Done;
            }
            Shutdown::Refused(text) => {
                out.error(text);
                return Outcome::Done;
            }
        },
        _ => {
            out.error(busy);
            return Outcome::Done;
        }
    };
    match monitor.kill(kind) {
        KillOutcome::Killed => out.status(b"OK"),
        outcome => redlua_engine::push_kill(outcome, out),
    }
    Outcome::Done
}
