//! `SORT` and `SORT_RO` (`sort.c`).
//!
//! Owns their options, the patterns and the order. It must not know how collections are kept.

use std::borrow::Cow;
use std::cmp::Ordering;

use redlua_conversions::number;
use redlua_core::Seq;

use crate::arg;
use crate::context::Cx;
use crate::error::{CommandError, CommandResult, SYNTAX, WRONG_TYPE};
use crate::events::Class;
use crate::keyspace::Keyspace;
use crate::pqsort::partial_sort;
use crate::value::{Bytes, Digits, End, List, Value, Variant, ZSet};

const BAD_SCORE: CommandError =
    CommandError::fixed("ERR One or more scores can't be converted into double");

pub(crate) fn sort(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    run(cx, argv, true)
}

pub(crate) fn sort_ro(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    run(cx, argv, false)
}

fn run(cx: &mut Cx<'_>, argv: &[&[u8]], stores: bool) -> CommandResult {
    let reads_all = cx.server.acl.is_free(cx.session.user)
        || cx.server.acl.permits_any_key(cx.session.user, cx.command, argv);
    let others = match (cx.server.config.cluster, reads_all) {
        (true, _) => Others::Elsewhere,
        (false, false) => Others::Forbidden,
        (false, true) => Others::Read,
    };
    let mut options = Options::parse(argv, stores, others)?;
    let value = cx.keys.value(argv[1]);
    // A set has no order of its own, so where the result must be the same everywhere it is
    // sorted whatever the pattern says.
    if matches!(value, Some(Value::Set(_)))
        && options.unsorted
        && (options.store.is_some() || cx.session.script)
    {
        options.by = None;
        options.unsorted = false;
        options.alpha = true;
    }
    let zset = matches!(value, Some(Value::ZSet(_)));
    let elements = match value {
        None => Vec::new(),
        Some(value) => elements(value, options.unsorted && options.descending)?,
    };
    if zset {
        uncompact(cx.keys, argv[1]);
    }
    let (start, end) = options.slice(elements.len());
    let sorted =
        if options.unsorted { elements } else { arrange(cx.keys, elements, &options, start, end)? };
    let chosen = sorted.get(start..end).unwrap_or_default();
    match options.store {
        None => {
            cx.sink.seq(Seq::Array, chosen.len() * options.get.len().max(1));
            for element in chosen {
                if options.get.is_empty() {
                    cx.sink.bulk(element);
                }
                for pattern in &options.get {
                    match look_up(cx.keys, pattern, element) {
                        Some(found) => cx.sink.bulk(&found),
                        None => cx.sink.null(),
                    }
                }
            }
            Ok(())
        }
        Some(target) => {
            let mut list = List::default();
            for element in chosen {
                if options.get.is_empty() {
                    list.push(End::Right, element.clone());
                }
                for pattern in &options.get {
                    let found = look_up(cx.keys, pattern, element).unwrap_or_default();
                    list.push(End::Right, Bytes::from(found));
                }
            }
            let len = list.len();
            if list.is_empty() {
                cx.keys.erase(target);
            } else {
                cx.keys.set(target, list.wrap());
                cx.keys.notify(Class::LIST, "sortstore", target);
            }
            cx.integer(len as u64)
        }
    }
}

/// The elements of a collection in its own order, or backwards if it has one.
fn elements(value: &Value, backwards: bool) -> Result<Vec<Bytes>, CommandError> {
    let mut elements: Vec<Bytes> = match value {
        Value::List(list) => list.iter().cloned().collect(),
        Value::Set(set) => return Ok(set.iter().map(|member| Bytes::from(&*member)).collect()),
        Value::ZSet(zset) => zset.iter().map(|(member, _)| member.clone()).collect(),
        _ => return Err(WRONG_TYPE),
    };
    if backwards {
        elements.reverse();
    }
    Ok(elements)
}

/// Sorting turns a sorted set into a skiplist for good (`zsetConvert`).
fn uncompact(keys: &mut Keyspace, key: &[u8]) {
    let threshold = keys.tuning.zset;
    if let Ok(Some(zset)) = keys.write::<ZSet>(key) {
        zset.admit(usize::MAX, threshold);
    }
}

/// An element and what it is compared by.
struct Weighted {
    element: Bytes,
    score: f64,
    text: Option<Vec<u8>>,
}

/// Sorts the elements, at least those of the positions `start..end`.
fn arrange(
    keys: &mut Keyspace,
    elements: Vec<Bytes>,
    options: &Options<'_>,
    start: usize,
    end: usize,
) -> Result<Vec<Bytes>, CommandError> {
    let mut unreadable = false;
    let mut weighted = Vec::with_capacity(elements.len());
    for element in elements {
        let by = match options.by {
            Some(pattern) => look_up(keys, pattern, &element).map(Cow::Owned),
            None => Some(Cow::Borrowed(&*element)),
        };
        let mut score = 0.0;
        if let Some(text) = by.as_deref()
            && !options.alpha
        {
            let read = weight(text);
            unreadable |= read.is_none();
            score = read.unwrap_or(0.0);
        }
        let text = if options.alpha { by.map(Cow::into_owned) } else { None };
        weighted.push(Weighted { element, score, text });
    }
    if unreadable {
        return Err(BAD_SCORE);
    }
    let compare = |a: &Weighted, b: &Weighted| {
        let order = if options.alpha {
            // Without STORE the server collates C strings, which end at a zero byte.
            let whole = options.store.is_some();
            let [a, b] = [a, b].map(|it| it.text.as_deref().map(|text| c_string(text, whole)));
            a.cmp(&b)
        } else {
            let order = a.score.partial_cmp(&b.score).unwrap_or(Ordering::Equal);
            order.then_with(|| a.element.cmp(&b.element))
        };
        if options.descending { order.reverse() } else { order }
    };
    let whole = start == 0 && end == weighted.len();
    if options.by.is_some() && !whole {
        partial_sort(&mut weighted, start, end.saturating_sub(1), &compare);
    } else {
        weighted.sort_by(compare);
    }
    Ok(weighted.into_iter().map(|weighted| weighted.element).collect())
}

fn c_string(text: &[u8], whole: bool) -> &[u8] {
    match text.iter().position(|&byte| byte == 0) {
        Some(end) if !whole => text.get(..end).unwrap_or_default(),
        _ => text,
    }
}

/// A weight as C's `strtod` reads it: leading space is skipped and an empty string is 0.
fn weight(text: &[u8]) -> Option<f64> {
    let text = c_string(text, false);
    if text.is_empty() {
        return Some(0.0);
    }
    let number = number::strtod(text)?;
    let sound = number.len == text.len() && !number.value.is_nan() && !number.out_of_range;
    sound.then_some(number.value)
}

/// What a pattern means for an element (`lookupKeyByPattern`): `#` is the element itself; in a
/// key the first `*` stands for it; `->` names a field of a hash.
fn look_up(keys: &mut Keyspace, pattern: &[u8], element: &[u8]) -> Option<Vec<u8>> {
    if pattern == b"#" {
        return Some(element.to_vec());
    }
    let star = pattern.iter().position(|&byte| byte == b'*')?;
    let (prefix, postfix) = (pattern.get(..star)?, pattern.get(star + 1..)?);
    let arrow = postfix.windows(2).position(|pair| pair == b"->");
    let (postfix, field) = match arrow.and_then(|at| postfix.split_at_checked(at)) {
        Some((postfix, [_, _, field @ ..])) if !field.is_empty() => (postfix, Some(field)),
        _ => (postfix, None),
    };
    let key = [prefix, element, postfix].concat();
    match (keys.value(&key)?, field) {
        (Value::Hash(hash), Some(field)) => hash.find(field).map(|value| value.to_vec()),
        (Value::Str(text), None) => Some(text.bytes(&mut Digits::new()).to_vec()),
        _ => None,
    }
}

struct Options<'a> {
    descending: bool,
    alpha: bool,
    /// How many elements to skip and how many to take.
    limit: (i64, i64),
    by: Option<&'a [u8]>,
    /// Whether some pattern of BY was a constant: nothing is sorted then.
    unsorted: bool,
    get: Vec<&'a [u8]>,
    store: Option<&'a [u8]>,
}

/// What is with keys that only patterns name, as far as may be said before it is known which.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Others {
    Read,
    /// They may be on other nodes.
    Elsewhere,
    /// The user may not read all keys.
    Forbidden,
}

impl Others {
    /// What is said of BY and of GET.
    fn refusal(self) -> [CommandError; 2] {
        match self {
            Others::Elsewhere => [
                CommandError::fixed("ERR BY option of SORT denied in Cluster mode."),
                CommandError::fixed("ERR GET option of SORT denied in Cluster mode."),
            ],
            Others::Read | Others::Forbidden => [
                CommandError::fixed(
                    "ERR BY option of SORT denied due to insufficient ACL permissions.",
                ),
                CommandError::fixed(
                    "ERR GET option of SORT denied due to insufficient ACL permissions.",
                ),
            ],
        }
    }
}

impl<'a> Options<'a> {
    fn parse(argv: &[&'a [u8]], stores: bool, others: Others) -> Result<Self, CommandError> {
        let mut options = Options {
            descending: false,
            alpha: false,
            limit: (0, -1),
            by: None,
            unsorted: false,
            get: Vec::new(),
            store: None,
        };
        let mut rest = argv.get(2..).unwrap_or_default();
        while let [word, after @ ..] = rest {
            let word = |name: &str| arg::is(word, name);
            rest = match after {
                _ if word("asc") || word("desc") => {
                    options.descending = word("desc");
                    after
                }
                _ if word("alpha") => {
                    options.alpha = true;
                    after
                }
                [skip, take, after @ ..] if word("limit") => {
                    options.limit = (arg::integer(skip)?, arg::integer(take)?);
                    after
                }
                [key, after @ ..] if stores && word("store") => {
                    options.store = Some(key);
                    after
                }
                [pattern, ..]
                    if word("by") && pattern.contains(&b'*') && others != Others::Read =>
                {
                    let [by, _] = others.refusal();
                    return Err(by);
                }
                [_, ..] if word("get") && others != Others::Read => {
                    let [_, get] = others.refusal();
                    return Err(get);
                }
                [pattern, after @ ..] if word("by") => {
                    options.by = Some(pattern);
                    options.unsorted |= !pattern.contains(&b'*');
                    after
                }
                [pattern, after @ ..] if word("get") => {
                    options.get.push(pattern);
                    after
                }
                _ => return Err(SYNTAX),
            };
        }
        Ok(options)
    }

    /// The positions `start..end` that LIMIT leaves of `len`.
    fn slice(&self, len: usize) -> (usize, usize) {
        let (skip, take) = self.limit;
        let start = usize::try_from(skip).unwrap_or(0).min(len);
        let take = usize::try_from(take).unwrap_or(usize::MAX).min(len);
        (start, start.saturating_add(take).min(len))
    }
}
