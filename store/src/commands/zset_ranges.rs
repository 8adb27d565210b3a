//! Sorted sets: ranges by rank, score and member (`t_zset.c zrangeGenericCommand`).
//!
//! Owns the range syntax and everything that reads, counts, removes or stores a range. It must
//! not know how a sorted set is laid out.

use redlua_core::Protocol;

use crate::arg;
use crate::commands::zsets::push_pairs;
use crate::context::Cx;
use crate::error::{CommandError, CommandResult, SYNTAX};
use crate::events::Class;
use crate::value::{Bound, Bytes, Lex, LexRange, ScoreRange, Value, ZSet};

/// What a range counts by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Rank,
    Score,
    Member,
}

/// What a range command does with what it finds.
struct Query<'a> {
    by: Option<By>,
    /// Downwards; `None` leaves it to the `REV` option.
    reverse: Option<bool>,
    key: &'a [u8],
    store: Option<&'a [u8]>,
    /// From the lower bound on: `min max [options]`.
    words: &'a [&'a [u8]],
}

pub(crate) fn zrange(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let words = &argv[2..];
    run(cx, Query { by: None, reverse: None, key: argv[1], store: None, words })
}

pub(crate) fn zrangestore(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let words = &argv[3..];
    run(cx, Query { by: None, reverse: None, key: argv[2], store: Some(argv[1]), words })
}

pub(crate) fn zrevrange(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    fixed(cx, argv, By::Rank, true)
}

pub(crate) fn zrangebyscore(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    fixed(cx, argv, By::Score, false)
}

pub(crate) fn zrevrangebyscore(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    fixed(cx, argv, By::Score, true)
}

pub(crate) fn zrangebylex(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    fixed(cx, argv, By::Member, false)
}

pub(crate) fn zrevrangebylex(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    fixed(cx, argv, By::Member, true)
}

fn fixed(cx: &mut Cx<'_>, argv: &[&[u8]], by: By, reverse: bool) -> CommandResult {
    let words = &argv[2..];
    run(cx, Query { by: Some(by), reverse: Some(reverse), key: argv[1], store: None, words })
}

/// The bounds of a range.
enum Range<'a> {
    Rank(i64, i64),
    Score(ScoreRange),
    Member(LexRange<'a>),
}

fn run(cx: &mut Cx<'_>, query: Query<'_>) -> CommandResult {
    let (mut by, mut reverse) = (query.by, query.reverse);
    let (mut offset, mut limit, mut limited) = (0i64, -1i64, false);
    let mut with_scores = query.store.is_some();
    let mut at = 2;
    while let Some(word) = query.words.get(at) {
        if query.store.is_none() && arg::is(word, "withscores") {
            with_scores = true;
        } else if arg::is(word, "limit") && at + 2 < query.words.len() {
            offset = arg::integer(arg::at(query.words, at + 1)?)?;
            limit = arg::integer(arg::at(query.words, at + 2)?)?;
            // LIMIT 0 -1 by rank passes, as the check is for another limit than -1.
            limited = limit != -1;
            at += 2;
        } else if query.reverse.is_none() && reverse.is_none() && arg::is(word, "rev") {
            reverse = Some(true);
        } else if query.by.is_none() && by.is_none() && arg::is(word, "bylex") {
            by = Some(By::Member);
        } else if query.by.is_none() && by.is_none() && arg::is(word, "byscore") {
            by = Some(By::Score);
        } else {
            return Err(SYNTAX);
        }
        at += 1;
    }
    let (by, reverse) = (by.unwrap_or(By::Rank), reverse.unwrap_or(false));
    if limited && by == By::Rank {
        return Err(CommandError::fixed(
            "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or \
             BYLEX",
        ));
    }
    if with_scores && query.store.is_none() && by == By::Member {
        return Err(CommandError::fixed(
            "ERR syntax error, WITHSCORES not supported in combination with BYLEX",
        ));
    }
    let (min, max) = (arg::at(query.words, 0)?, arg::at(query.words, 1)?);
    let (min, max) = if reverse && by != By::Rank { (max, min) } else { (min, max) };
    let range = match by {
        By::Rank => Range::Rank(arg::integer(min)?, arg::integer(max)?),
        By::Score => Range::Score(score_range(min, max)?),
        By::Member => Range::Member(lex_range(min, max)?),
    };
    let threshold = cx.keys.tuning.zset;
    let zset = cx.keys.read::<ZSet>(query.key)?;
    let items = zset.map_or_else(Vec::new, |zset| select(zset, &range, reverse, offset, limit));
    match query.store {
        None => {
            let nested = cx.sink.protocol() == Protocol::Resp3;
            push_pairs(cx.sink, &items, with_scores, nested);
            Ok(())
        }
        Some(target) => {
            let mut result = ZSet::default();
            for (member, score) in &items {
                result.admit(member.len(), threshold);
                result.set(member, *score);
            }
            let len = result.len();
            store(cx, target, result);
            cx.integer(len)
        }
    }
}

/// Puts a result under a key; an empty one removes it.
pub(super) fn store(cx: &mut Cx<'_>, target: &[u8], result: ZSet) {
    if result.is_empty() {
        cx.keys.erase(target);
    } else {
        cx.keys.set(target, Value::ZSet(Box::new(result)));
        cx.keys.notify(Class::ZSET, cx.command.name, target);
    }
}

/// The members in a range, in the order asked for.
fn select<'a>(
    zset: &'a ZSet,
    range: &Range<'_>,
    reverse: bool,
    offset: i64,
    limit: i64,
) -> Vec<(&'a Bytes, f64)> {
    let len = zset.len();
    let (start, end) = match range {
        Range::Rank(start, end) => {
            let span = crate::commands::lists::span(len, *start, *end);
            if reverse { (len - span.end, len - span.start) } else { (span.start, span.end) }
        }
        Range::Score(range) => zset.by_score(*range),
        Range::Member(range) if reverse => zset.by_lex_down(*range),
        Range::Member(range) => zset.by_lex(*range),
    };
    let span = end.saturating_sub(start);
    // By rank, a LIMIT that got through the checks means nothing.
    let (offset, limit) = if matches!(range, Range::Rank(..)) { (0, -1) } else { (offset, limit) };
    // A negative offset skips everything, a negative limit takes everything.
    let skip = usize::try_from(offset).unwrap_or(usize::MAX).min(span);
    let count = usize::try_from(limit).unwrap_or(usize::MAX).min(span - skip);
    if count == 0 {
        Vec::new()
    } else if reverse {
        zset.descending(end - 1 - skip, count).collect()
    } else {
        zset.ascending(start + skip, count).collect()
    }
}

/// Two scores, `(` before one that is outside (`zslParseRange`).
pub(crate) fn score_range(min: &[u8], max: &[u8]) -> Result<ScoreRange, CommandError> {
    let bound = |word: &[u8]| {
        const INVALID: CommandError = CommandError::fixed("ERR min or max is not a float");
        let (word, exclusive) = match word.split_first() {
            Some((b'(', rest)) => (rest, true),
            _ => (word, false),
        };
        Ok::<_, CommandError>(Bound { score: score(word).ok_or(INVALID)?, exclusive })
    };
    Ok(ScoreRange { min: bound(min)?, max: bound(max)? })
}

/// A score as `strtod` reads it, which unlike other numbers may be empty, begin with blanks, end at
/// a NUL and be out of range.
fn score(word: &[u8]) -> Option<f64> {
    let word = word.split(|byte| *byte == 0).next().unwrap_or_default();
    if word.is_empty() {
        return Some(0.0);
    }
    let number = redlua_conversions::number::strtod(word)?;
    (number.len == word.len() && !number.value.is_nan()).then_some(number.value)
}

/// Two members, each `-`, `+`, `[member` or `(member` (`zslParseLexRange`).
fn lex_range<'a>(min: &'a [u8], max: &'a [u8]) -> Result<LexRange<'a>, CommandError> {
    const INVALID: CommandError = CommandError::fixed("ERR min or max not valid string range item");
    let bound = |word: &'a [u8]| match word {
        // What follows a NUL is not looked at.
        [b'-'] | [b'-', 0, ..] => Ok(Lex::Lowest),
        [b'+'] | [b'+', 0, ..] => Ok(Lex::Highest),
        [b'[', member @ ..] => Ok(Lex::Inclusive(member)),
        [b'(', member @ ..] => Ok(Lex::Exclusive(member)),
        _ => Err(INVALID),
    };
    Ok(LexRange { min: bound(min)?, max: bound(max)? })
}

pub(crate) fn zcount(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let range = score_range(argv[2], argv[3])?;
    let (start, end) = cx.keys.read::<ZSet>(argv[1])?.map_or((0, 0), |zset| zset.by_score(range));
    cx.integer(end - start)
}

pub(crate) fn zlexcount(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let range = lex_range(argv[2], argv[3])?;
    let (start, end) = cx.keys.read::<ZSet>(argv[1])?.map_or((0, 0), |zset| zset.by_lex(range));
    cx.integer(end - start)
}

pub(crate) fn zremrangebyrank(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    remove(cx, argv[1], &Range::Rank(arg::integer(argv[2])?, arg::integer(argv[3])?))
}

pub(crate) fn zremrangebyscore(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    remove(cx, argv[1], &Range::Score(score_range(argv[2], argv[3])?))
}

pub(crate) fn zremrangebylex(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    remove(cx, argv[1], &Range::Member(lex_range(argv[2], argv[3])?))
}

fn remove(cx: &mut Cx<'_>, key: &[u8], range: &Range<'_>) -> CommandResult {
    let Some(zset) = cx.keys.write::<ZSet>(key)? else {
        return cx.integer(0);
    };
    let members: Vec<Bytes> =
        select(zset, range, false, 0, -1).into_iter().map(|(member, _)| member.clone()).collect();
    for member in &members {
        zset.remove(member);
    }
    if !members.is_empty() {
        cx.keys.shrunk(Class::ZSET, cx.command.name, key);
    }
    cx.integer(members.len())
}
