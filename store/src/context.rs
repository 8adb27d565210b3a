//! What a command's function works on.
//!
//! Owns [`Cx`] and [`Handler`]. It must not know any command.

use std::time::Duration;

use redlua_core::{ReplySink, Session};

use crate::error::CommandResult;
use crate::keyspace::Keyspace;
use crate::server::Server;
use crate::store::{Awaited, Blocked, TimeoutReply};
use crate::table::Command;

/// The surroundings of one call. The fields are separate borrows on purpose: a command reads
/// from `keys` and pushes into `sink` at the same time.
pub(crate) struct Cx<'a> {
    /// The keys, with the session's database selected.
    pub(crate) keys: &'a mut Keyspace,
    /// Everything that is not a key.
    pub(crate) server: &'a mut Server,
    /// Who calls.
    pub(crate) session: &'a mut Session,
    /// Where the reply goes: exactly one, unless the function returns an error.
    pub(crate) sink: &'a mut dyn ReplySink,
    /// The command that is called.
    pub(crate) command: &'static Command,
}

/// A command's function. `argv` satisfies the command's arity and begins with its name.
pub(crate) type Handler = fn(&mut Cx<'_>, &[&[u8]]) -> CommandResult;

impl Cx<'_> {
    /// The time now, in milliseconds since the epoch. Inside a script it goes on, while the
    /// keys' own time, which decides what has expired, stands still.
    pub(crate) fn time(&self) -> i64 {
        i64::try_from(self.server.clock.now().as_millis()).unwrap_or(i64::MAX)
    }

    /// Pushes `OK`.
    pub(crate) fn ok(&mut self) -> CommandResult {
        self.sink.status(b"OK");
        Ok(())
    }

    /// Pushes an integer.
    pub(crate) fn integer(&mut self, value: impl TryInto<i64>) -> CommandResult {
        self.sink.integer(value.try_into().unwrap_or(i64::MAX));
        Ok(())
    }

    /// Pushes null.
    pub(crate) fn null(&mut self) -> CommandResult {
        self.sink.null();
        Ok(())
    }

    /// Nothing is there for a blocking command: a script gets `reply` at once, anybody else
    /// waits until one of the keys is modified and is answered a null array when the time is
    /// over (`replyToBlockedClientTimedOut` in `blocked.c`).
    /// `call` gives the call for one of the keys alone, by its place among them.
    pub(crate) fn block<'a>(
        &mut self,
        keys: &'a [&'a [u8]],
        timeout: Option<Duration>,
        reply: TimeoutReply,
        call: impl Fn(usize, &'a [u8]) -> Vec<&'a [u8]>,
    ) -> CommandResult {
        if self.session.script {
            reply.push(self.sink);
        } else {
            self.server.blocked = Some(Blocked {
                db: self.session.db,
                keys: keys
                    .iter()
                    .enumerate()
                    .map(|(at, key)| Awaited {
                        key: key.to_vec(),
                        argv: call(at, key).into_iter().map(<[u8]>::to_vec).collect(),
                    })
                    .collect(),
                timeout,
                reply: TimeoutReply::NullArray,
            });
        }
        Ok(())
    }
}
