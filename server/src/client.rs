//! One connection's state and how it handles a command (`processCommand` in `server.c`).
//!
//! Must not know threads, tasks or sockets: whoever calls holds the core.

mod late;

use std::sync::Arc;
use std::time::Duration;

use redlua_conversions::resp::RespWriter;
use redlua_core::{
    CommandFlags, CommandSpec, Debugging, Denied, Host, Protocol, ReplySink, Session, UserId,
};
use redlua_engine::CrossSlot;
use redlua_store::{Blocked, Store};

use crate::busy::Shutdown;
use crate::core::Core;
use crate::debug::Plan;
use crate::handle::Handle;
use crate::transaction::Transaction;
use crate::verb::Verb;

const NO_AUTH: &[u8] = b"NOAUTH Authentication required.";
const NO_AUTH_HELLO: &[u8] = b"NOAUTH HELLO must be called with the client already authenticated, \
otherwise the HELLO AUTH <user> <pass> option can be used to authenticate the client and select \
the RESP protocol version at the same time";
const EXEC_ABORT: &[u8] = b"EXECABORT Transaction discarded because of: ";

/// A connection as the server sees it.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) session: Session,
    pub(crate) handle: Arc<Handle>,
    address: Address,
    /// Whether the core knows it yet.
    attached: bool,
    /// Whether it has logged in, or never had to.
    authenticated: bool,
    /// Whether it has a subscription: in RESP2 it may then only send a few commands.
    subscribed: bool,
    /// Whether its own messages stand between its replies; else they are left in the outbox.
    inline: bool,
    replies: Replies,
    transaction: Transaction,
    /// Keys watched no longer, of which the store has not heard yet.
    stale: Vec<(u32, Vec<u8>)>,
    /// Whether it was reset, of which the store has not heard yet.
    reset: bool,
    /// Whether a debugger may take the connection over: somebody answers
    /// [`Progress::Debugs`].
    pub(crate) debuggable: bool,
    /// The debugging session that is to begin.
    pub(crate) plan: Option<Box<Plan>>,
}

/// Where a connection comes from and where it arrived, both `host:port`, or the path of a socket
/// and the path with `:0` behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) from: String,
    pub(crate) local: String,
}

/// Which replies the client wants (`CLIENT REPLY`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Replies {
    All,
    None,
    /// Not that of the next command.
    NotNext,
    /// Not that of the present command.
    NotThis,
}

/// What became of a command.
pub(crate) enum Progress {
    /// Its reply is complete.
    Done,
    /// It waits; nothing was replied.
    Waits(Blocked),
    /// It begins a debugging session ([`Client::plan`]): its reply comes with the end of that.
    Debugs,
    /// Its reply is complete and the last one.
    Close,
    /// The connection is to be closed as it is.
    Abort,
    /// The server is to end.
    Shutdown,
    /// It has not run yet: to be tried again when so much time is over, or sooner when somebody
    /// ends the pause (`CLIENT PAUSE`); [`PAUSE_STEP`](crate::shared::PAUSE_STEP) bounds how long
    /// to wait at once.
    Paused(Duration),
}

impl Client {
    pub(crate) fn new(handle: Arc<Handle>, address: Address) -> Self {
        Client {
            session: Session { id: handle.id, ..Session::default() },
            handle,
            address,
            attached: false,
            authenticated: false,
            subscribed: false,
            inline: false,
            replies: Replies::All,
            transaction: Transaction::default(),
            stale: Vec::new(),
            reset: false,
            debuggable: false,
            plan: None,
        }
    }

    /// Whether messages are to stand where they arose, between replies, as in a stream of bytes.
    #[cfg(feature = "net")]
    pub(crate) fn set_inline(&mut self) {
        self.inline = true;
    }

    /// Whatever is in the outbox stays there: it is the debugger's, and no reply is to come.
    pub(crate) fn leave_outbox(&mut self) {
        self.inline = false;
    }

    /// Whether it must log in before anything else (`authRequired`).
    pub(crate) fn is_stranger(&self, core: &Core) -> bool {
        !self.authenticated && core.store.requires_password()
    }

    /// Whether it has a subscription.
    #[cfg(feature = "net")]
    pub(crate) fn is_subscribed(&self) -> bool {
        self.subscribed
    }

    /// The core is there for the first time: it learns of the client.
    pub(crate) fn attach(&mut self, core: &mut Core) {
        if !self.attached {
            self.attached = true;
            self.authenticated |= !core.store.requires_password();
            core.attach(&self.handle, &self.address);
        }
    }

    /// Runs a command, queues it, or begins to wait. `argv` is not empty.
    #[inline]
    pub(crate) fn handle(
        &mut self,
        core: &mut Core,
        argv: &[&[u8]],
        out: &mut RespWriter,
    ) -> Progress {
        self.attach(core);
        self.catch_up(core);
        let start = out.bytes().len();
        let muted = self.is_muted();
        out.set_protocol(self.session.protocol);
        self.session.pending = start > 0;
        let mut progress = self.process(core, argv, out);
        if matches!(progress, Progress::Paused(_)) {
            return progress;
        }
        if muted && self.is_muted() {
            out.truncate(start);
        }
        if core.settle(self.session.id) {
            progress = Progress::Close;
        }
        if let (Progress::Debugs, Some(plan)) = (&progress, &mut self.plan) {
            plan.keep(out, start, muted);
        }
        self.take_own_messages(start, out);
        while self.inline
            && let Some(message) = self.handle.late.pop()
        {
            out.raw(&message);
        }
        self.replies = match self.replies {
            Replies::NotNext => Replies::NotThis,
            Replies::NotThis => Replies::All,
            lasting => lasting,
        };
        progress
    }

    /// Whether the reply to the present command is not wanted.
    pub(crate) fn is_muted(&self) -> bool {
        matches!(self.replies, Replies::None | Replies::NotThis)
    }

    /// The connection is gone.
    pub(crate) fn end(&mut self, core: &mut Core) {
        self.catch_up(core);
        self.transaction.reset(&mut core.store);
        core.detach(self.session.id);
    }

    /// The store hears of what the client did while a script was busy.
    #[inline]
    fn catch_up(&mut self, core: &mut Core) {
        for (db, key) in self.stale.drain(..) {
            core.store.unwatch(db, &key);
        }
        if std::mem::take(&mut self.reset) {
            let mut session = Session { id: self.session.id, ..Session::default() };
            let mut nobody = RespWriter::default();
            core.engine.dispatch(&mut core.store, &mut session, &[b"RESET"], &mut nobody);
        }
    }

    /// What `RESET` does to a connection (`server.c resetCommand`).
    fn forget_login(&mut self, core: &Core) {
        self.session.user = UserId::default();
        self.authenticated = !core.store.requires_password();
        self.subscribed = false;
        self.replies = Replies::All;
    }

    fn process(&mut self, core: &mut Core, argv: &[&[u8]], out: &mut RespWriter) -> Progress {
        let Some(spec) = core.store.command(argv) else {
            if is_http(argv) {
                return Progress::Abort;
            }
            self.transaction.spoil();
            if self.is_tapped(core, argv, out) {
                return Progress::Done;
            }
            // The engine says what is wrong with it.
            core.engine.dispatch(&mut core.store, &mut self.session, argv, out);
            return Progress::Done;
        };
        let verb = core.verbs.of(&spec);
        if let Some(refusal) = self.refusal(core, &spec, verb, argv) {
            core.store.command_refused(&self.session, argv, &refusal, None);
            self.refuse(core, verb, &refusal, out);
            return Progress::Done;
        }
        if core.store.is_paused()
            && let Some(left) = self.pause(core, &spec, verb)
        {
            return Progress::Paused(left);
        }
        match verb {
            Verb::Plain if !self.transaction.is_open() => {
                if self.is_tapped(core, argv, out) {
                    return Progress::Done;
                }
                if self.session.debug != Debugging::Off && self.begins_session(core, argv, &[]) {
                    return Progress::Debugs;
                }
                core.engine.run(&mut core.store, &mut self.session, &spec, argv, out);
                if let Some(blocked) = core.store.take_blocked() {
                    return Progress::Waits(blocked);
                }
                Progress::Done
            }
            verb if self.transaction.is_open() && verb.is_queued() => {
                self.queue(core, &spec, argv, out);
                Progress::Done
            }
            verb => self.own(core, verb, &spec, argv, out),
        }
    }

    /// A command of the connection layer.
    fn own(
        &mut self,
        core: &mut Core,
        verb: Verb,
        spec: &CommandSpec,
        argv: &[&[u8]],
        out: &mut RespWriter,
    ) -> Progress {
        if let Err(refusal) = core.engine.admit(&mut core.store, &self.session, spec, argv) {
            self.refuse(core, verb, &refusal, out);
            return Progress::Done;
        }
        if !verb.is_of_connection() {
            self.run(core, verb, spec, argv, out);
            return Progress::Done;
        }
        if self.is_tapped(core, argv, out) {
            return Progress::Done;
        }
        core.store.command_started(&self.session, spec, argv);
        let start = out.bytes().len();
        let mut progress = Progress::Done;
        match verb {
            Verb::Multi => self.transaction.begin(out),
            Verb::Exec
                if self.transaction.flags().contains(CommandFlags::DENYOOM)
                    && self.transaction.is_open()
                    && core.store.condition().out_of_memory =>
            {
                self.refuse(core, verb, redlua_engine::OUT_OF_MEMORY, out);
            }
            Verb::Exec => progress = self.exec(core, out),
            Verb::Discard => self.transaction.discard(&mut core.store, out),
            Verb::Watch => {
                let keys = argv.get(1..).unwrap_or_default();
                self.transaction.watch(&mut core.store, self.session.db, keys, out);
            }
            Verb::Unwatch => {
                self.transaction.unwatch(&mut core.store);
                out.status(b"OK");
            }
            Verb::Quit => {
                out.status(b"OK");
                progress = Progress::Close;
            }
            _ => match Shutdown::of(argv) {
                Shutdown::Refused(text) => out.error(text),
                Shutdown::Save | Shutdown::NoSave => progress = Progress::Shutdown,
            },
        }
        let reply = out.bytes().get(start..).unwrap_or_default();
        let error = reply.strip_prefix(b"-").map(<[u8]>::trim_ascii_end);
        core.store.set_queued(&self.session, spec, self.transaction.queued());
        core.store.command_ended(&self.session, spec, argv, error);
        progress
    }

    /// How long a command has to wait because of `CLIENT PAUSE`.
    fn pause(&self, core: &mut Core, spec: &CommandSpec, verb: Verb) -> Option<Duration> {
        let mut spec = *spec;
        if verb == Verb::Exec {
            spec.flags |= self.transaction.flags();
        }
        let until = core.store.paused(&spec)?;
        Some(until.saturating_sub(core.store.now()))
    }

    /// Runs a command after which the connection may be another one.
    fn run(
        &mut self,
        core: &mut Core,
        verb: Verb,
        spec: &CommandSpec,
        argv: &[&[u8]],
        out: &mut RespWriter,
    ) {
        if verb == Verb::Hello {
            out.set_protocol(Store::reply_protocol(&self.session, argv));
        }
        if verb == Verb::Reset {
            self.transaction.reset(&mut core.store);
            core.store.set_queued(&self.session, spec, None);
            out.set_protocol(Protocol::Resp2);
        }
        let Session { user, protocol, .. } = self.session;
        let start = out.bytes().len();
        core.engine.execute(&mut core.store, &mut self.session, spec, argv, out);
        let failed = out.bytes().get(start) == Some(&b'-');
        match verb {
            Verb::Auth if !failed => self.authenticated = true,
            Verb::Hello => {
                let logs_in = argv.iter().skip(2).any(|word| word.eq_ignore_ascii_case(b"auth"));
                self.authenticated |= self.session.user != user || (logs_in && !failed);
                if !failed && self.is_stranger(core) {
                    self.session.protocol = protocol;
                    out.truncate(start);
                    out.error(NO_AUTH_HELLO);
                }
            }
            Verb::Reset => self.forget_login(core),
            Verb::Reply if !failed => self.choose_replies(argv, start, out),
            Verb::Users if !failed => core.teach(argv),
            Verb::Subscription => self.subscribed = core.store.is_subscribed(self.session.id),
            _ => {}
        }
        self.handle.set_protocol(self.session.protocol);
    }

    /// Shows a command that is about to run to whoever watches; whether they have answered it.
    #[inline]
    fn is_tapped(&self, core: &mut Core, argv: &[&[u8]], out: &mut RespWriter) -> bool {
        let error = core.store.tap(&self.session, argv);
        error.inspect(|text| out.error(text)).is_some()
    }

    /// Why the connection may not run a command in its present state.
    #[inline]
    fn refusal(
        &self,
        core: &Core,
        spec: &CommandSpec,
        verb: Verb,
        argv: &[&[u8]],
    ) -> Option<Vec<u8>> {
        if self.is_stranger(core)
            && !spec.flags.contains(CommandFlags::NO_AUTH)
            && spec.accepts(argv.len())
        {
            return Some(NO_AUTH.to_vec());
        }
        if self.transaction.is_open() && spec.flags.contains(CommandFlags::NO_MULTI) {
            return Some(b"ERR Command not allowed inside a transaction".to_vec());
        }
        if self.subscribed
            && self.session.protocol == Protocol::Resp2
            && !matches!(verb, Verb::Ping | Verb::Subscription | Verb::Quit | Verb::Reset)
            && spec.accepts(argv.len())
        {
            let text = format!(
                "ERR Can't execute '{}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / \
                 RESET are allowed in this context",
                core.store.command_name(spec)
            );
            return Some(text.into_bytes());
        }
        None
    }

    /// A command does not run (`server.c rejectCommand`): an open transaction is lost, and EXEC
    /// ends it.
    fn refuse(&mut self, core: &mut Core, verb: Verb, refusal: &[u8], out: &mut RespWriter) {
        self.transaction.spoil();
        if verb == Verb::Exec {
            self.transaction.reset(&mut core.store);
            let reason = refusal.strip_prefix(b"ERR ").unwrap_or(refusal);
            return out.error(&[EXEC_ABORT, reason].concat());
        }
        out.error(refusal);
    }

    fn queue(&mut self, core: &mut Core, spec: &CommandSpec, argv: &[&[u8]], out: &mut RespWriter) {
        match core.engine.admit(&mut core.store, &self.session, spec, argv) {
            // While memory is short nothing is queued, whatever it does.
            Ok(()) if core.store.condition().out_of_memory => {
                self.transaction.spoil();
                core.store.command_refused(&self.session, argv, redlua_engine::OUT_OF_MEMORY, None);
                out.error(redlua_engine::OUT_OF_MEMORY);
            }
            Ok(()) => {
                self.transaction.push(spec, argv, out);
                core.store.set_queued(&self.session, spec, self.transaction.queued());
            }
            Err(refusal) => {
                self.transaction.spoil();
                out.error(&refusal);
            }
        }
    }

    fn exec(&mut self, core: &mut Core, out: &mut RespWriter) -> Progress {
        let slot = match self.transaction.slot(&core.engine, &core.store) {
            Ok(slot) => slot,
            Err(CrossSlot) => {
                self.transaction.reset(&mut core.store);
                out.error(CrossSlot::TEXT);
                return Progress::Done;
            }
        };
        let Some(queue) = self.transaction.exec(&mut core.store, out) else {
            return Progress::Done;
        };
        // The replies are sent together.
        self.session.pending = true;
        if self.session.debug != Debugging::Off {
            return self.run_debugged(core, &queue, out);
        }
        self.session.slot = slot;
        self.run_queue(core, &queue, out);
        self.session.slot = None;
        Progress::Done
    }

    /// Runs the commands of a transaction one after another.
    pub(crate) fn run_queue(
        &mut self,
        core: &mut Core,
        queue: &[Vec<Vec<u8>>],
        out: &mut RespWriter,
    ) {
        for words in queue {
            let argv: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
            out.set_protocol(self.session.protocol);
            let Some(spec) = core.store.command(&argv) else { continue };
            let start = out.bytes().len();
            match (core.verbs.of(&spec), core.store.permits(&self.session, &spec, &argv)) {
                _ if self.is_tapped(core, &argv, out) => {}
                (_, Err(denied)) => {
                    let text = no_longer(&denied);
                    core.store.command_refused(&self.session, &argv, &text, Some(&denied));
                    out.error(&text);
                }
                // Every watch ended when EXEC began.
                (Verb::Unwatch, Ok(())) => {
                    core.store.command_started(&self.session, &spec, &argv);
                    out.status(b"OK");
                    core.store.command_ended(&self.session, &spec, &argv, None);
                }
                (verb, Ok(())) => self.run(core, verb, &spec, &argv, out),
            }
            // Nothing waits inside a transaction: what found nothing answers at once.
            if let Some(blocked) = core.store.take_blocked() {
                blocked.reply.push(out);
            }
            if self.is_muted() {
                out.truncate(start);
            }
            core.deliver(self.session.id);
            self.take_own_messages(start, out);
        }
    }

    /// What the present command has published to its own client stands before its reply.
    #[inline]
    fn take_own_messages(&self, mut start: usize, out: &mut RespWriter) {
        while self.inline
            && let Some(message) = self.handle.outbox.pop()
        {
            out.insert(start, &message);
            start += message.len();
        }
    }

    /// `CLIENT REPLY` (`networking.c clientCommand`): only `ON` is answered.
    fn choose_replies(&mut self, argv: &[&[u8]], start: usize, out: &mut RespWriter) {
        match argv.get(2).map(|word| word.to_ascii_lowercase()).as_deref() {
            Some(b"on") => return self.replies = Replies::All,
            Some(b"off") => self.replies = Replies::None,
            _ if self.replies != Replies::None => self.replies = Replies::NotNext,
            _ => {}
        }
        out.truncate(start);
    }
}

/// Why a queued command is not executed (`multi.c execCommand`).
fn no_longer(denied: &Denied) -> Vec<u8> {
    let reason = match denied {
        Denied::Command(_) => "no permission to execute the command or subcommand",
        Denied::Key => "no permission to touch the specified keys",
        Denied::Channel => {
            "no permission to access one of the channels used as arguments to the command"
        }
    };
    let text = "NOPERM ACLs rules changed between the moment the transaction was accumulated and \
                the EXEC call. This command is no longer allowed for the following reason: ";
    [text, reason].concat().into_bytes()
}

/// Whether a web browser was made to speak to the server (`securityWarningCommand`).
fn is_http(argv: &[&[u8]]) -> bool {
    argv.first().is_some_and(|name| {
        name.eq_ignore_ascii_case(b"post") || name.eq_ignore_ascii_case(b"host:")
    })
}
