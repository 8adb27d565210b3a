//! What adds entries and takes them away: `XADD`, `XTRIM`, `XDEL`, `XSETID`, `XLEN`.
//!
//! Owns the options that `XADD` and `XTRIM` share. It must not know groups.

use super::{BAD_ID, push_id, strict_id, strict_ids};
use crate::arg;
use crate::context::Cx;
use crate::error::{CommandError, CommandResult, NO_SUCH_KEY, SYNTAX};
use crate::events::Class;
use crate::value::{Keep, NewId, NodeLimit, Refused, Stream, StreamId, Trim};

const BOTH_STRATEGIES: CommandError = CommandError::fixed(
    "ERR syntax error, MAXLEN and MINID options at the same time are not compatible",
);
const NEGATIVE_MAXLEN: CommandError = CommandError::fixed("ERR The MAXLEN argument must be >= 0.");
const NEGATIVE_LIMIT: CommandError = CommandError::fixed("ERR The LIMIT argument must be >= 0.");
const LIMIT_ALONE: CommandError = CommandError::fixed(
    "ERR syntax error, LIMIT cannot be used without specifying a trimming strategy",
);
const LIMIT_EXACT: CommandError =
    CommandError::fixed("ERR syntax error, LIMIT cannot be used without the special ~ option");
const NO_STRATEGY: CommandError =
    CommandError::fixed("ERR syntax error, XTRIM must be called with trimming strategy");
const ZERO_ID: CommandError =
    CommandError::fixed("ERR The ID specified in XADD must be greater than 0-0");
const EXHAUSTED: CommandError = CommandError::fixed(
    "ERR The stream has exhausted the last possible ID, unable to add more items",
);
const NOT_LARGER: CommandError = CommandError::fixed(
    "ERR The ID specified in XADD is equal or smaller than the target stream top item",
);
const TOO_LARGE: CommandError = CommandError::fixed("ERR Elements are too large to be stored");

pub(crate) fn xadd(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let limit = cx.keys.tuning.stream;
    let options = Options::parse(argv, true, limit)?;
    let pairs = argv.get(options.next + 1..).unwrap_or_default();
    if pairs.len() < 2 || pairs.len() % 2 == 1 {
        return Err(CommandError::arity(cx.command.name));
    }
    if options.id == NewId::Exact(StreamId::MIN) {
        return Err(ZERO_ID);
    }
    let key = argv[1];
    if options.no_mkstream && cx.keys.write::<Stream>(key)?.is_none() {
        return cx.null();
    }
    let now = cx.keys.now();
    let stream = cx.keys.create::<Stream>(key)?;
    if stream.last_id == StreamId::MAX {
        return Err(EXHAUSTED);
    }
    let id = stream.append(options.id, pairs, now, limit).map_err(|refused| match refused {
        Refused::NotLarger => NOT_LARGER,
        Refused::TooLarge => TOO_LARGE,
    })?;
    let trimmed = options.trim.map_or(0, |trim| stream.trim(trim));
    push_id(cx.sink, id);
    cx.keys.changed(Class::STREAM, "xadd", key);
    if trimmed > 0 {
        cx.keys.notify(Class::STREAM, "xtrim", key);
    }
    Ok(())
}

pub(crate) fn xtrim(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let options = Options::parse(argv, false, cx.keys.tuning.stream)?;
    let removed = match (cx.keys.write::<Stream>(argv[1])?, options.trim) {
        (Some(stream), Some(trim)) => stream.trim(trim),
        _ => 0,
    };
    if removed > 0 {
        cx.keys.changed(Class::STREAM, "xtrim", argv[1]);
    }
    cx.integer(removed)
}

pub(crate) fn xdel(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let Some(stream) = cx.keys.write::<Stream>(argv[1])? else {
        return cx.integer(0);
    };
    let deleted = stream.delete(&strict_ids(&argv[2..])?);
    if deleted > 0 {
        cx.keys.changed(Class::STREAM, "xdel", argv[1]);
    }
    cx.integer(deleted as u64)
}

pub(crate) fn xlen(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let len = cx.keys.read::<Stream>(argv[1])?.map_or(0, |stream| stream.len);
    cx.integer(len)
}

pub(crate) fn xsetid(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let id = strict_id(argv[2])?;
    let mut added = None;
    let mut deleted = StreamId::MIN;
    let mut at = 3;
    while let Some(option) = argv.get(at) {
        let value = argv.get(at + 1);
        match value {
            Some(value) if arg::is(option, "entriesadded") => {
                let Ok(count) = u64::try_from(arg::integer(value)?) else {
                    return Err(CommandError::fixed("ERR entries_added must be positive"));
                };
                added = Some(count);
            }
            Some(value) if arg::is(option, "maxdeletedid") => {
                deleted = strict_id(value)?;
                if id < deleted {
                    return Err(CommandError::fixed(
                        "ERR The ID specified in XSETID is smaller than the provided \
                         max_deleted_entry_id",
                    ));
                }
            }
            _ => return Err(SYNTAX),
        }
        at += 2;
    }
    let stream = cx.keys.write::<Stream>(argv[1])?.ok_or(NO_SUCH_KEY)?;
    if stream.len > 0 {
        if id < stream.last_entry_id() {
            return Err(CommandError::fixed(
                "ERR The ID specified in XSETID is smaller than the target stream top item",
            ));
        }
        if added.is_some_and(|added| added < stream.len) {
            return Err(CommandError::fixed(
                "ERR The entries_added specified in XSETID is smaller than the target stream \
                 length",
            ));
        }
    }
    stream.last_id = id;
    if let Some(added) = added {
        stream.entries_added = added;
    }
    if deleted != StreamId::MIN {
        stream.max_deleted_id = deleted;
    }
    cx.keys.changed(Class::STREAM, "xsetid", argv[1]);
    cx.ok()
}

/// The options of `XADD` and `XTRIM` (`streamParseAddOrTrimArgsOrReply`).
struct Options {
    trim: Option<Trim>,
    no_mkstream: bool,
    id: NewId,
    /// Where the options end: at the ID of `XADD`.
    next: usize,
}

impl Options {
    fn parse(argv: &[&[u8]], add: bool, node: NodeLimit) -> Result<Self, CommandError> {
        let mut keep = None;
        let mut approximate = false;
        let mut limit = None;
        let mut no_mkstream = false;
        let mut id = NewId::Auto;
        let mut at = 2;
        while let Some(&option) = argv.get(at) {
            let more = argv.len() - 1 - at;
            if add && option == b"*" {
                break;
            } else if more > 0 && (arg::is(option, "maxlen") || arg::is(option, "minid")) {
                if keep.is_some() {
                    return Err(BOTH_STRATEGIES);
                }
                let sign = argv.get(at + 1).copied().unwrap_or_default();
                approximate = more > 1 && sign == b"~";
                at += if more > 1 && matches!(sign, b"~" | b"=") { 2 } else { 1 };
                let value = arg::at(argv, at)?;
                keep = Some(if arg::is(option, "maxlen") {
                    let count = u64::try_from(arg::integer(value)?);
                    Keep::Newest(count.map_err(|_| NEGATIVE_MAXLEN)?)
                } else {
                    Keep::From(strict_id(value)?)
                });
            } else if more > 0 && arg::is(option, "limit") {
                at += 1;
                let count = arg::integer(arg::at(argv, at)?)?;
                if count < 0 {
                    return Err(NEGATIVE_LIMIT);
                }
                limit = Some(count);
            } else if add && arg::is(option, "nomkstream") {
                no_mkstream = true;
            } else if add {
                id = match option {
                    b"-" | b"+" => return Err(BAD_ID),
                    _ => NewId::parse(option).ok_or(BAD_ID)?,
                };
                break;
            } else {
                return Err(SYNTAX);
            }
            at += 1;
        }
        if keep.is_none() && limit.is_some_and(|limit| limit > 0) {
            return Err(LIMIT_ALONE);
        }
        if keep.is_none() && !add {
            return Err(NO_STRATEGY);
        }
        let limit = match limit {
            Some(_) if !approximate => return Err(LIMIT_EXACT),
            Some(limit) => limit,
            None if approximate => match 100_i64.saturating_mul(node.entries as i64) {
                0 => 10_000,
                limit => limit.min(1_000_000),
            },
            None => 0,
        };
        let trim = keep.map(|keep| Trim { keep, approximate, limit });
        Ok(Options { trim, no_mkstream, id, next: at })
    }
}
