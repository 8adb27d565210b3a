//! `DUMP`, `RESTORE` and `MIGRATE` (`cluster.c`). They must not know the serialised forms.

use redlua_conversions::rdb;

use crate::arg;
use crate::context::Cx;
use crate::dump;
use crate::error::{CommandError, CommandResult, SYNTAX};
use crate::events::Class;

const BAD_IDLE: CommandError = CommandError::fixed("ERR Invalid IDLETIME value, must be >= 0");
const BAD_FREQUENCY: CommandError =
    CommandError::fixed("ERR Invalid FREQ value, must be >= 0 and <= 255");
const BAD_TTL: CommandError = CommandError::fixed("ERR Invalid TTL value, must be >= 0");
const BUSY_KEY: CommandError = CommandError::fixed("BUSYKEY Target key name already exists.");
const BAD_PAYLOAD: CommandError =
    CommandError::fixed("ERR DUMP payload version or checksum are wrong");
const KEY_BESIDE_KEYS: CommandError = CommandError::fixed(
    "ERR When using MIGRATE KEYS option, the key argument must be set to the empty string",
);
const UNREACHABLE: CommandError =
    CommandError::fixed("IOERR error or timeout writing to target instance");
const BAD_DATA: CommandError = CommandError::fixed("ERR Bad data format");

pub(crate) fn dump(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    match cx.keys.value(argv[1]) {
        Some(value) => {
            let mut payload = dump::save(value);
            rdb::seal(&mut payload);
            cx.sink.bulk(&payload);
        }
        None => cx.sink.null(),
    }
    Ok(())
}

pub(crate) fn restore(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let options = Options::parse(argv.get(4..).unwrap_or_default())?;
    let key = argv[1];
    if !options.replace && cx.keys.exists(key) {
        return Err(BUSY_KEY);
    }
    let ttl = arg::integer(argv[2])?;
    if ttl < 0 {
        return Err(BAD_TTL);
    }
    rdb::unseal(argv[3]).ok_or(BAD_PAYLOAD)?;
    // A value that is cut off takes its last bytes from the footer, as the server's does.
    let value = dump::load(argv[3], &cx.keys.tuning).ok_or(BAD_DATA)?;
    let now = cx.keys.now();
    let expires = match ttl {
        0 => None,
        ttl if options.absolute => Some(ttl),
        ttl => Some(ttl.saturating_add(now)),
    };
    let replaced = cx.keys.delete(key);
    if expires.is_some_and(|expires| expires <= now) {
        if replaced {
            cx.keys.notify(Class::GENERIC, "del", key);
        }
        return cx.ok();
    }
    cx.keys.set(key, value);
    if expires.is_some() {
        cx.keys.set_expiry(key, expires);
    }
    if let Some(idle) = options.idle {
        let seconds = u32::try_from(now / 1000).unwrap_or(0);
        cx.keys.set_accessed(key, seconds.saturating_sub(idle));
    }
    cx.keys.notify(Class::GENERIC, "restore", key);
    cx.ok()
}

#[derive(Default)]
struct Options {
    replace: bool,
    absolute: bool,
    /// Seconds since the key was last used.
    idle: Option<u32>,
}

impl Options {
    fn parse(mut rest: &[&[u8]]) -> Result<Self, CommandError> {
        let mut options = Options::default();
        let mut frequency = false;
        while let [word, after @ ..] = rest {
            rest = match after {
                _ if arg::is(word, "replace") => {
                    options.replace = true;
                    after
                }
                _ if arg::is(word, "absttl") => {
                    options.absolute = true;
                    after
                }
                [value, after @ ..] if arg::is(word, "idletime") && !frequency => {
                    let idle = u64::try_from(arg::integer(value)?).map_err(|_| BAD_IDLE)?;
                    options.idle = Some(u32::try_from(idle).unwrap_or(u32::MAX));
                    after
                }
                [value, after @ ..] if arg::is(word, "freq") && options.idle.is_none() => {
                    // Without an LFU policy the counter is not kept.
                    if !(0..=255).contains(&arg::integer(value)?) {
                        return Err(BAD_FREQUENCY);
                    }
                    frequency = true;
                    after
                }
                _ => return Err(SYNTAX),
            };
        }
        Ok(options)
    }
}

/// `MIGRATE` (`cluster.c migrateCommand`): an embedded store reaches no other server, so keys that
/// exist cannot leave.
pub(crate) fn migrate(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let mut keys = argv.get(3..4).unwrap_or_default();
    let mut words = argv.get(6..).unwrap_or_default();
    while let Some((word, rest)) = words.split_first() {
        let values = match word.to_ascii_lowercase().as_slice() {
            b"copy" | b"replace" => 0,
            b"auth" => 1,
            b"auth2" => 2,
            b"keys" => {
                if keys.first().is_some_and(|key| !key.is_empty()) {
                    return Err(KEY_BESIDE_KEYS);
                }
                keys = rest;
                rest.len()
            }
            _ => return Err(SYNTAX),
        };
        words = rest.get(values..).ok_or(SYNTAX)?;
    }
    arg::integer(argv[5])?;
    arg::integer(argv[4])?;
    if keys.iter().any(|key| cx.keys.exists(key)) {
        return Err(UNREACHABLE);
    }
    cx.sink.status(b"NOKEY");
    Ok(())
}
