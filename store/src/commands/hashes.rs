//! Hashes (`t_hash.c`).
//!
//! Owns the hash commands. It must not know how a hash is laid out.

use redlua_core::{Protocol, Seq};

use crate::arg;
use crate::commands::counters;
use crate::context::Cx;
use crate::error::{
    CommandError, CommandResult, NAN_OR_INFINITY, NOT_FLOAT, OUT_OF_RANGE, OVERFLOW, SYNTAX,
};
use crate::events::Class;
use crate::long_double::{LongDouble, Parsed};
use crate::value::Hash;

pub(crate) fn hset(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let new = set_fields(cx, argv)?;
    cx.integer(new)
}

pub(crate) fn hmset(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    set_fields(cx, argv)?;
    cx.ok()
}

fn set_fields(cx: &mut Cx<'_>, argv: &[&[u8]]) -> Result<usize, CommandError> {
    let key = argv[1];
    let (pairs, []) = argv[2..].as_chunks() else {
        return Err(CommandError::arity(cx.command.name));
    };
    let threshold = cx.keys.tuning.hash;
    let hash = cx.keys.create::<Hash>(key)?;
    let mut new = 0;
    // `hashTypeTryConversion` looks at all arguments before any is stored.
    hash.settle(argv[2..].iter().map(|word| word.len()).max().unwrap_or(0), threshold);
    for [field, value] in pairs {
        new += usize::from(hash.set(field, value, threshold));
    }
    cx.keys.changed(Class::HASH, "hset", key);
    Ok(new)
}

pub(crate) fn hsetnx(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let (key, field) = (argv[1], argv[2]);
    if cx.keys.write::<Hash>(key)?.is_some_and(|hash| hash.find(field).is_some()) {
        return cx.integer(0);
    }
    let threshold = cx.keys.tuning.hash;
    cx.keys.create::<Hash>(key)?.set(field, argv[3], threshold);
    cx.keys.changed(Class::HASH, "hset", key);
    cx.integer(1)
}

pub(crate) fn hget(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    match cx.keys.read::<Hash>(argv[1])?.and_then(|hash| hash.find(argv[2])) {
        Some(value) => cx.sink.bulk(value),
        None => cx.sink.null(),
    }
    Ok(())
}

pub(crate) fn hmget(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let hash = cx.keys.read::<Hash>(argv[1])?;
    cx.sink.seq(Seq::Array, argv.len() - 2);
    for field in &argv[2..] {
        match hash.and_then(|hash| hash.find(field)) {
            Some(value) => cx.sink.bulk(value),
            None => cx.sink.null(),
        }
    }
    Ok(())
}

pub(crate) fn hdel(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let key = argv[1];
    let Some(hash) = cx.keys.write::<Hash>(key)? else {
        return cx.integer(0);
    };
    let removed = argv[2..].iter().filter(|field| hash.remove(field).is_some()).count();
    if removed > 0 {
        cx.keys.shrunk(Class::HASH, "hdel", key);
    }
    cx.integer(removed)
}

pub(crate) fn hlen(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let len = cx.keys.read::<Hash>(argv[1])?.map_or(0, Hash::len);
    cx.integer(len)
}

pub(crate) fn hstrlen(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let value = cx.keys.read::<Hash>(argv[1])?.and_then(|hash| hash.find(argv[2]));
    let len = value.map_or(0, |value| value.len());
    cx.integer(len)
}

pub(crate) fn hexists(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let found = cx.keys.read::<Hash>(argv[1])?.is_some_and(|hash| hash.find(argv[2]).is_some());
    cx.integer(i64::from(found))
}

pub(crate) fn hkeys(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let hash = cx.keys.read::<Hash>(argv[1])?;
    cx.sink.seq(Seq::Array, hash.map_or(0, Hash::len));
    for (field, _) in hash.into_iter().flat_map(Hash::iter) {
        cx.sink.bulk(field);
    }
    Ok(())
}

pub(crate) fn hvals(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let hash = cx.keys.read::<Hash>(argv[1])?;
    cx.sink.seq(Seq::Array, hash.map_or(0, Hash::len));
    for (_, value) in hash.into_iter().flat_map(Hash::iter) {
        cx.sink.bulk(value);
    }
    Ok(())
}

pub(crate) fn hgetall(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let hash = cx.keys.read::<Hash>(argv[1])?;
    cx.sink.map(hash.map_or(0, Hash::len));
    for (field, value) in hash.into_iter().flat_map(Hash::iter) {
        cx.sink.bulk(field);
        cx.sink.bulk(value);
    }
    Ok(())
}

pub(crate) fn hincrby(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let (key, field) = (argv[1], argv[2]);
    let by = arg::integer(argv[3])?;
    let old = match cx.keys.write::<Hash>(key)?.and_then(|hash| hash.find(field)) {
        None => 0,
        Some(value) => {
            arg::integer_or(value, CommandError::fixed("ERR hash value is not an integer"))?
        }
    };
    let sum = old.checked_add(by).ok_or(OVERFLOW)?;
    let threshold = cx.keys.tuning.hash;
    let mut digits = itoa::Buffer::new();
    cx.keys.create::<Hash>(key)?.set(field, digits.format(sum).as_bytes(), threshold);
    cx.keys.changed(Class::HASH, "hincrby", key);
    cx.integer(sum)
}

pub(crate) fn hincrbyfloat(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let (key, field) = (argv[1], argv[2]);
    let by = LongDouble::parse(argv[3]).ok_or(NOT_FLOAT)?;
    if by == Parsed::Infinite {
        return Err(CommandError::fixed("ERR value is NaN or Infinity"));
    }
    let old = match cx.keys.write::<Hash>(key)?.and_then(|hash| hash.find(field)) {
        None => Parsed::Finite(LongDouble::from_integer(0)),
        Some(value) => {
            LongDouble::parse(value).ok_or(CommandError::fixed("ERR hash value is not a float"))?
        }
    };
    if old == Parsed::Infinite {
        return Err(NAN_OR_INFINITY);
    }
    let sum = counters::sum(old, by)?;
    let threshold = cx.keys.tuning.hash;
    cx.keys.create::<Hash>(key)?.set(field, &sum, threshold);
    cx.keys.changed(Class::HASH, "hincrbyfloat", key);
    cx.sink.bulk(&sum);
    Ok(())
}

pub(crate) fn hrandfield(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let (count, with_values) = random_count(argv, "withvalues")?;
    let nested = cx.sink.protocol() == Protocol::Resp3;
    let Some(hash) = cx.keys.read::<Hash>(argv[1])? else {
        match count {
            Some(_) => cx.sink.seq(Seq::Array, 0),
            None => cx.sink.null(),
        }
        return Ok(());
    };
    let len = hash.len();
    let Some(count) = count else {
        if let Some((field, _)) = hash.at(cx.server.random.below(len)) {
            cx.sink.bulk(field);
        }
        return Ok(());
    };
    let chosen = choose(&mut cx.server.random, count, len)?;
    let width = if with_values && !nested { 2 } else { 1 };
    cx.sink.seq(Seq::Array, chosen.len() * width);
    for (field, value) in chosen.into_iter().filter_map(|at| hash.at(at)) {
        if with_values && nested {
            cx.sink.seq(Seq::Array, 2);
        }
        cx.sink.bulk(field);
        if with_values {
            cx.sink.bulk(value);
        }
    }
    Ok(())
}

/// The most repeated choices one call may ask for. The reference goes on until memory ends.
const MAX_REPEATED: u64 = 1 << 24;

/// Positions for `HRANDFIELD` and its kin: a negative count may repeat; asking for all gives
/// them in order.
pub(crate) fn choose(
    random: &mut crate::random::Random,
    count: i64,
    len: usize,
) -> Result<Vec<usize>, CommandError> {
    if count < 0 {
        let count = count.unsigned_abs();
        if count > MAX_REPEATED {
            return Err(OUT_OF_RANGE);
        }
        return Ok((0..count).map(|_| random.below(len)).collect());
    }
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    Ok(if count >= len { (0..len).collect() } else { random.sample(count, len) })
}

/// The count and the `WITH…` word of `HRANDFIELD` and `ZRANDMEMBER`.
pub(crate) fn random_count(
    argv: &[&[u8]],
    word: &str,
) -> Result<(Option<i64>, bool), CommandError> {
    let Some(count) = argv.get(2) else { return Ok((None, false)) };
    let count = arg::ranged_long(count, -i64::MAX, i64::MAX)?;
    let with = match argv.get(3) {
        None => false,
        Some(option) if argv.len() == 4 && arg::is(option, word) => true,
        Some(_) => return Err(SYNTAX),
    };
    if with && !(-i64::MAX / 2..=i64::MAX / 2).contains(&count) {
        return Err(OUT_OF_RANGE);
    }
    Ok((Some(count), with))
}
