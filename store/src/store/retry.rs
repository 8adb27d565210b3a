//! Blocked calls whose keys have changed.
//!
//! Owns when such a call goes on waiting although its command fails, and what it is told when
//! what it waits for is gone (`handleClientsBlockedOnKeys` in `blocked.c`). It must not know how
//! anybody waits.

use redlua_core::{ReplySink, Session};

use super::{Awaited, Store};
use crate::context::Cx;
use crate::error::CommandError;

const KEY_GONE: CommandError = CommandError::fixed("UNBLOCKED the stream key no longer exists");
const GROUP_GONE: CommandError =
    CommandError::fixed("NOGROUP the consumer group this client was blocked on no longer exists");

impl Store {
    /// Runs a blocked call again because one of its keys has been modified. Returns whether it
    /// has been answered; when not, it waits on.
    ///
    /// Unlike the first call a retry does not fail because the key holds another type by now,
    /// and a reader in a consumer group learns that its stream or group is gone.
    pub fn retry(
        &mut self,
        session: &mut Session,
        db: u32,
        awaited: &Awaited,
        sink: &mut dyn ReplySink,
    ) -> bool {
        let argv: Vec<&[u8]> = awaited.argv.iter().map(Vec::as_slice).collect();
        let Some(command) = self.table.resolve(&argv) else { return false };
        self.tick();
        self.keys.select(db as usize);
        let wanted = match command.name.as_bytes() {
            [b'b', b'z', ..] => "zset",
            [b'x', ..] => "stream",
            _ => "list",
        };
        let holds = self.keys.peek(&awaited.key).map(|entry| entry.value.type_name());
        if holds != Some(wanted) {
            let gone = command.name == "xreadgroup";
            if gone {
                sink.error(KEY_GONE.text());
            }
            return gone;
        }
        let mut cx = Cx { keys: &mut self.keys, server: &mut self.server, session, sink, command };
        let outcome = (command.run)(&mut cx, &argv);
        self.settle(session.id, false);
        let answered = self.server.blocked.take().is_none();
        let Err(error) = outcome else { return answered };
        let error = if command.name == "xreadgroup" { GROUP_GONE } else { error };
        sink.error(error.text());
        true
    }
}
