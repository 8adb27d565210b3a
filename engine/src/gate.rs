//! The gate of `redis.call`: whether a script may run a command now.
//!
//! Owns the checks of `scriptCall` in `script.c` and their order. Must not know how a command
//! runs, nor how the script hears of a refusal.

use redlua_core::{CommandFlags, CommandSpec, Denied, Host, Session};

use crate::text;

/// What a running script is allowed, and what it did.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rights {
    /// `*_RO` command or `no-writes` flag.
    pub(crate) read_only: bool,
    /// `allow-oom` flag.
    pub(crate) allow_oom: bool,
    /// The host serves stale data, as it did when the script began.
    pub(crate) stale: bool,
    /// It has run a write command.
    pub(crate) dirty: bool,
}

/// The commands of the scripting family: no script may call them, known to the host or not.
fn is_scripting(name: &[u8]) -> bool {
    crate::dispatch::Family::of(name).is_some()
}

/// Why a call is refused.
pub(crate) struct Refusal {
    /// The error's text, with or without a code word.
    pub(crate) text: Vec<u8>,
    /// The permission that is missing, if that is why.
    pub(crate) denied: Option<Denied>,
}

impl From<Vec<u8>> for Refusal {
    fn from(text: Vec<u8>) -> Self {
        Refusal { text, denied: None }
    }
}

/// The command that a script called last, which it mostly calls again.
#[derive(Clone, Copy, Default)]
pub(crate) struct Last {
    name: [u8; 12],
    /// How much of `name` it is; more than there is when its name does not tell which it is.
    len: usize,
    /// What the host said of it.
    pub(crate) spec: Option<CommandSpec>,
}

impl Last {
    /// What the host says of a call (`lookupCommand`).
    #[inline]
    fn look_up(&mut self, host: &dyn Host, argv: &[&[u8]]) -> Option<&CommandSpec> {
        let name = argv.first().copied().unwrap_or_default();
        if self.spec.is_none() || self.name.get(..self.len) != Some(name) {
            self.len = usize::MAX;
            self.spec = host.command(argv);
            // Without a second word it may be one whose second word makes another command of it.
            if let Some(known) = &self.spec
                && !known.flags.contains(CommandFlags::SUBCOMMAND)
                && argv.len() > 1
                && let Some(to) = self.name.get_mut(..name.len())
            {
                to.copy_from_slice(name);
                self.len = name.len();
            }
        }
        self.spec.as_ref()
    }
}

/// Checks a call, whose specification is in `last` then.
///
/// # Errors
/// The refusal.
#[inline]
pub(crate) fn admit(
    host: &dyn Host,
    session: &Session,
    rights: &Rights,
    last: &mut Last,
    argv: &[&[u8]],
) -> Result<(), Refusal> {
    let Some(spec) = last.look_up(host, argv) else {
        let refusal: &[u8] = match argv.first() {
            Some(name) if is_scripting(name) && host.command(&[name]).is_none() => {
                b"This Redis command is not allowed from script"
            }
            _ => b"Unknown Redis command called from script",
        };
        return Err(refusal.to_vec().into());
    };
    if !spec.accepts(argv.len()) {
        return Err(b"Wrong number of args calling Redis command from script".to_vec().into());
    }
    if rights.stale && !spec.flags.contains(CommandFlags::STALE) {
        return Err(b"Can not execute the command on a stale replica".to_vec().into());
    }
    // Most calls are plain reads, or writes of a script that has written.
    if spec.flags.intersects(SPECIAL) && (!rights.dirty || spec.flags.contains(NOSCRIPT)) {
        check_special(host, rights, spec)?;
    }
    host.permits(session, spec, argv)
        .map_err(|denied| Refusal { text: refusal(&denied), denied: Some(denied) })
}

const NOSCRIPT: CommandFlags = CommandFlags::NOSCRIPT;

/// What may be refused, depending on the script or on the host's condition.
const SPECIAL: CommandFlags = NOSCRIPT
    .union(CommandFlags::WRITE)
    .union(CommandFlags::MAY_REPLICATE)
    .union(CommandFlags::DENYOOM);

#[cold]
#[inline(never)]
fn check_special(host: &dyn Host, rights: &Rights, spec: &CommandSpec) -> Result<(), Vec<u8>> {
    let condition = host.condition();
    if spec.flags.contains(NOSCRIPT) && !condition.scripts_unrestricted {
        return Err(b"This Redis command is not allowed from script".to_vec());
    }
    let writes = CommandFlags::WRITE | CommandFlags::MAY_REPLICATE;
    if rights.read_only && spec.flags.intersects(writes) {
        return Err(b"Write commands are not allowed from read-only scripts.".to_vec());
    }
    // A script that has written is not failed half way through.
    if rights.dirty {
        return Ok(());
    }
    if spec.flags.contains(CommandFlags::WRITE) {
        if condition.read_only {
            return Err(dashed(text::READONLY));
        }
        if condition.misconfigured {
            return Err(dashed(text::MISCONF));
        }
    }
    if condition.out_of_memory && !rights.allow_oom && spec.flags.contains(CommandFlags::DENYOOM) {
        return Err(dashed(text::OOM));
    }
    Ok(())
}

/// `scriptVerifyACL`.
fn refusal(denied: &Denied) -> Vec<u8> {
    match denied {
        Denied::Command(_) => {
            b"The user executing the script can't run this command or subcommand".to_vec()
        }
        Denied::Key => b"The user executing the script can't access at least one of the keys \
mentioned in the command arguments"
            .to_vec(),
        Denied::Channel => b"The user executing the script can't publish to the channel mentioned \
in the command"
            .to_vec(),
    }
}

/// A text that begins with its own code word.
fn dashed(text: &[u8]) -> Vec<u8> {
    text::join(&[b"-", text])
}
