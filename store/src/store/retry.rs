//! Blocked calls whose keys have changed.
//!
//! Owns when such a call goes on waiting although its command fails, and what it is told when
//! what it waits for is gone (`handleClientsBlockedOnKeys` in `blocked.c`). It must not know how
//! anybody waits.

use redlua_core::{ReplySink, Session};

use super::{Blocked, Store};
use crate::context::Cx;
use crate::error::{CommandError, WRONG_TYPE};

const KEY_GONE: CommandError = CommandError::fixed("UNBLOCKED the stream key no longer exists");
const GROUP_GONE: CommandError =
    CommandError::fixed("NOGROUP the consumer group this client was blocked on no longer exists");

impl Store {
    /// Runs a blocked call again, for instance when one of its keys has been modified; `argv` is
    /// [`Blocked::argv`] or else that of the first call. Returns whether it has been answered;
    /// when not, it waits on.
    ///
    /// Unlike the first call a retry does not fail because a key holds another type by now, and
    /// a reader in a consumer group learns that its stream or group is gone.
    pub fn retry(
        &mut self,
        session: &mut Session,
        blocked: &Blocked,
        argv: &[&[u8]],
        sink: &mut dyn ReplySink,
    ) -> bool {
        let Some(command) = self.table.resolve(argv) else { return false };
        self.tick();
        self.keys.select(blocked.db as usize);
        let mut cx = Cx { keys: &mut self.keys, server: &mut self.server, session, sink, command };
        let outcome = (command.run)(&mut cx, argv);
        self.settle(session.id, false);
        let answered = self.server.blocked.take().is_none();
        let Err(error) = outcome else { return answered };
        let error = match command.name {
            "xreadgroup" if blocked.keys.iter().all(|key| self.is_stream(key)) => GROUP_GONE,
            "xreadgroup" => KEY_GONE,
            _ if error == WRONG_TYPE => return false,
            _ => error,
        };
        sink.error(error.text());
        true
    }

    fn is_stream(&mut self, key: &[u8]) -> bool {
        matches!(self.keys.peek(key), Some(entry) if entry.value.type_name() == "stream")
    }
}
