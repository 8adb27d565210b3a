//! The error texts of scripting commands, where more than one place needs them or where they
//! carry data.
//!
//! Must not know when an error occurs.

/// `EVALSHA` of an unknown script (`shared.noscripterr` in `server.c`).
pub(crate) const NOSCRIPT: &[u8] = b"NOSCRIPT No matching script. Please use EVAL.";
/// `SCRIPT KILL` with nothing to kill (`script.c scriptKill`).
pub(crate) const NOTBUSY: &[u8] = b"NOTBUSY No scripts in execution right now.";
/// `SCRIPT KILL` of a script that wrote.
pub(crate) const UNKILLABLE: &[u8] =
    b"UNKILLABLE Sorry the script already executed write commands \
against the dataset. You can either wait the script termination or kill the server in a hard way \
using the SHUTDOWN NOSAVE command.";
/// What others hear while an EVAL script is busy (`shared.slowevalerr`).
pub(crate) const BUSY_EVAL: &[u8] =
    b"BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.";
/// What others hear while a function is busy (`shared.slowscripterr`).
pub(crate) const BUSY_FUNCTION: &[u8] =
    b"BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.";
/// A command over `maxmemory` (`shared.oomerr`).
pub const OOM: &[u8] = b"OOM command not allowed when used memory > 'maxmemory'.";
/// A command on a stale replica (`shared.masterdownerr`).
pub(crate) const MASTERDOWN: &[u8] =
    b"MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.";
/// A write on a read-only replica (`shared.roslaveerr`).
pub(crate) const READONLY: &[u8] = b"READONLY You can't write against a read only replica.";
/// A write while saving fails (`writeCommandsGetDiskErrorMessage`).
pub(crate) const MISCONF: &[u8] = b"MISCONF Redis is configured to save RDB snapshots, but it's \
currently unable to persist to disk. Commands that may modify the data set are disabled, because \
this instance is configured to report errors during writes if RDB snapshotting fails \
(stop-writes-on-bgsave-error option). Please check the Redis logs for details about the RDB error.";
/// A source longer than the limits have it.
pub(crate) const LONG_SOURCE: &[u8] = b"ERR Script is longer than its limit";
/// More scripts that stay than the limits have it.
pub(crate) const MANY_SCRIPTS: &[u8] = b"ERR Too many scripts are kept; SCRIPT FLUSH forgets them";
/// More libraries than the limits have it.
pub(crate) const MANY_LIBRARIES: &[u8] = b"ERR Too many libraries";
/// More functions than the limits have it.
pub(crate) const MANY_FUNCTIONS: &[u8] = b"ERR Too many functions";
/// A reply longer than the limits have it.
pub(crate) const LONG_REPLY: &[u8] = b"ERR Script exceeded its reply limit";
/// NUMKEYS beyond the arguments.
pub(crate) const TOO_MANY_KEYS: &[u8] = b"ERR Number of keys can't be greater than number of args";
/// NUMKEYS below zero.
pub(crate) const NEGATIVE_KEYS: &[u8] = b"ERR Number of keys can't be negative";
/// An argument that must be an integer.
pub(crate) const NOT_AN_INTEGER: &[u8] = b"ERR value is not an integer or out of range";

/// `redis.call()` without a command (`luaArgsToRedisArgv` in `script_lua.c`).
pub(crate) const NO_ARGUMENT: &[u8] =
    b"Please specify at least one argument for this redis lib call";
/// `redis.call` with an argument of another type.
pub(crate) const BAD_ARGUMENT: &[u8] =
    b"Lua redis lib command arguments must be strings or integers";
/// What `__redis__err__handler` is called in a server (`scriptingInit` in `eval.c`).
pub(crate) const HANDLER_SOURCE: &str = "@err_handler_def";
/// Its line that notes the source of an error.
pub(crate) const HANDLER_LINE: i64 = 10;

/// A write to a read-only table (`luaG_runerror` in Redis' Lua).
pub(crate) const READONLY_TABLE: &str = "Attempt to modify a readonly table";

/// A command's full name as errors show it: lower case, subcommand after a bar.
pub(crate) fn full_name(argv: &[&[u8]], subcommand: bool) -> Vec<u8> {
    let mut name = argv.first().map(|name| name.to_ascii_lowercase()).unwrap_or_default();
    if subcommand && let Some(sub) = argv.get(1) {
        name.push(b'|');
        name.extend(sub.to_ascii_lowercase());
    }
    name
}

/// `wrong number of arguments for 'name' command`.
pub(crate) fn wrong_arity(name: &[u8]) -> Vec<u8> {
    join(&[b"ERR wrong number of arguments for '", name, b"' command"])
}

/// `unknown subcommand` of a container (`server.c commandCheckExistence`).
pub(crate) fn unknown_subcommand(argv: &[&[u8]]) -> Vec<u8> {
    let container = argv.first().map(|name| name.to_ascii_uppercase()).unwrap_or_default();
    let sub = argv.get(1).map(|sub| printable(sub, 128)).unwrap_or_default();
    join(&[b"ERR unknown subcommand '", &sub, b"'. Try ", &container, b" HELP."])
}

/// A subcommand with words it does not take (`networking.c addReplySubcommandSyntaxError`).
pub(crate) fn subcommand_syntax(argv: &[&[u8]]) -> Vec<u8> {
    let container = argv.first().map(|name| name.to_ascii_uppercase()).unwrap_or_default();
    let sub = argv.get(1).map(|sub| printable(sub, 128)).unwrap_or_default();
    join(&[
        b"ERR unknown subcommand or wrong number of arguments for '",
        &sub,
        b"'. Try ",
        &container,
        b" HELP.",
    ])
}

/// `unknown command` with the beginning of its arguments (`server.c commandCheckExistence`).
pub(crate) fn unknown_command(argv: &[&[u8]]) -> Vec<u8> {
    let name = argv.first().map(|name| printable(name, 128)).unwrap_or_default();
    let mut shown = Vec::new();
    for arg in argv.get(1..).unwrap_or_default() {
        if shown.len() >= 128 {
            break;
        }
        shown.push(b'\'');
        shown.extend(printable(arg, 128 - shown.len().min(127) + 1));
        shown.extend(b"' ");
    }
    join(&[b"ERR unknown command '", &name, b"', with args beginning with: ", &shown])
}

/// The beginning of a text, up to a NUL, for a message that prints it with `%.*s`.
fn printable(bytes: &[u8], most: usize) -> Vec<u8> {
    bytes.iter().copied().take_while(|&byte| byte != 0).take(most).collect()
}

/// The parts one after another.
pub(crate) fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}
