//! The commands that the connection layer answers itself or looks at.
//!
//! Owns their list, found by a command's number. Must not know what they do.

use redlua_core::{CommandSpec, Host};
use redlua_store::Store;

/// What the connection layer has to do with a command.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Verb {
    /// Nothing: it runs.
    #[default]
    Plain,
    /// `MULTI`
    Multi,
    /// `EXEC`
    Exec,
    /// `DISCARD`
    Discard,
    /// `WATCH`
    Watch,
    /// `UNWATCH`
    Unwatch,
    /// `RESET`
    Reset,
    /// `QUIT`
    Quit,
    /// `HELLO`: may change the protocol and log in.
    Hello,
    /// `AUTH`
    Auth,
    /// `CLIENT REPLY`
    Reply,
    /// `SHUTDOWN`
    Shutdown,
    /// `PING`: one of those allowed to a subscriber.
    Ping,
    /// Any command that subscribes or unsubscribes.
    Subscription,
    /// Any command that may change who the users are.
    Users,
    /// `SCRIPT KILL`
    KillScript,
    /// `FUNCTION KILL`
    KillFunction,
    /// `FUNCTION STATS`
    FunctionStats,
}

impl Verb {
    /// Whether the connection layer answers it, and not the store.
    pub(crate) fn is_of_connection(self) -> bool {
        use Verb::{Discard, Exec, Multi, Quit, Shutdown, Unwatch, Watch};
        matches!(self, Multi | Exec | Discard | Watch | Unwatch | Quit | Shutdown)
    }

    /// Whether an open transaction queues it.
    pub(crate) fn is_queued(self) -> bool {
        !self.is_of_connection() && self != Verb::Reset || self == Verb::Unwatch
    }
}

/// The verbs by command number.
pub(crate) struct Verbs(Vec<Verb>);

const NAMES: [(&[&[u8]], Verb); 24] = [
    (&[b"multi"], Verb::Multi),
    (&[b"exec"], Verb::Exec),
    (&[b"discard"], Verb::Discard),
    (&[b"watch"], Verb::Watch),
    (&[b"unwatch"], Verb::Unwatch),
    (&[b"reset"], Verb::Reset),
    (&[b"quit"], Verb::Quit),
    (&[b"hello"], Verb::Hello),
    (&[b"auth"], Verb::Auth),
    (&[b"client", b"reply"], Verb::Reply),
    (&[b"shutdown"], Verb::Shutdown),
    (&[b"ping"], Verb::Ping),
    (&[b"subscribe"], Verb::Subscription),
    (&[b"unsubscribe"], Verb::Subscription),
    (&[b"psubscribe"], Verb::Subscription),
    (&[b"punsubscribe"], Verb::Subscription),
    (&[b"ssubscribe"], Verb::Subscription),
    (&[b"sunsubscribe"], Verb::Subscription),
    (&[b"acl", b"setuser"], Verb::Users),
    (&[b"acl", b"deluser"], Verb::Users),
    (&[b"config", b"set"], Verb::Users),
    (&[b"script", b"kill"], Verb::KillScript),
    (&[b"function", b"kill"], Verb::KillFunction),
    (&[b"function", b"stats"], Verb::FunctionStats),
];

impl Verbs {
    /// The verbs of this store's command table.
    pub(crate) fn new(store: &Store) -> Self {
        let mut verbs = Vec::new();
        for (argv, verb) in NAMES {
            if let Some(spec) = store.command(argv) {
                let at = spec.id as usize;
                if verbs.len() <= at {
                    verbs.resize(at + 1, Verb::Plain);
                }
                if let Some(place) = verbs.get_mut(at) {
                    *place = verb;
                }
            }
        }
        Verbs(verbs)
    }

    /// What is to be done with a command.
    #[inline]
    pub(crate) fn of(&self, spec: &CommandSpec) -> Verb {
        self.0.get(spec.id as usize).copied().unwrap_or_default()
    }
}
