//! Sets: members of one set (`t_set.c`).
//!
//! Owns the commands on single sets; those that combine sets are in `set_algebra`. It must not
//! know how a set is laid out.

use redlua_core::Seq;

use crate::arg;
use crate::commands::hashes::choose;
use crate::context::Cx;
use crate::error::{CommandResult, SYNTAX};
use crate::events::Class;
use crate::value::Set;

pub(crate) fn sadd(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let key = argv[1];
    let ints = cx.keys.tuning.set_ints;
    let set = cx.keys.create::<Set>(key)?;
    let added = argv[2..].iter().filter(|member| set.add(member, ints)).count();
    if added > 0 {
        cx.keys.changed(Class::SET, "sadd", key);
    }
    cx.integer(added)
}

pub(crate) fn srem(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let key = argv[1];
    let Some(set) = cx.keys.write::<Set>(key)? else {
        return cx.integer(0);
    };
    let removed = argv[2..].iter().filter(|member| set.remove(member)).count();
    if removed > 0 {
        cx.keys.shrunk(Class::SET, "srem", key);
    }
    cx.integer(removed)
}

pub(crate) fn smove(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let (from, to, member) = (argv[1], argv[2], argv[3]);
    if cx.keys.write::<Set>(from)?.is_none() {
        return cx.integer(0);
    }
    cx.keys.write::<Set>(to)?;
    if from == to {
        let found = cx.keys.write::<Set>(from)?.is_some_and(|set| set.contains(member));
        return cx.integer(i64::from(found));
    }
    if !cx.keys.write::<Set>(from)?.is_some_and(|set| set.remove(member)) {
        return cx.integer(0);
    }
    cx.keys.shrunk(Class::SET, "srem", from);
    let ints = cx.keys.tuning.set_ints;
    if cx.keys.create::<Set>(to)?.add(member, ints) {
        cx.keys.changed(Class::SET, "sadd", to);
    }
    cx.integer(1)
}

pub(crate) fn sismember(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let found = cx.keys.read::<Set>(argv[1])?.is_some_and(|set| set.contains(argv[2]));
    cx.integer(i64::from(found))
}

pub(crate) fn smismember(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let set = cx.keys.read::<Set>(argv[1])?;
    cx.sink.seq(Seq::Array, argv.len() - 2);
    for member in &argv[2..] {
        cx.sink.integer(i64::from(set.is_some_and(|set| set.contains(member))));
    }
    Ok(())
}

pub(crate) fn scard(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let len = cx.keys.read::<Set>(argv[1])?.map_or(0, Set::len);
    cx.integer(len)
}

pub(crate) fn smembers(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let set = cx.keys.read::<Set>(argv[1])?;
    cx.sink.seq(Seq::Set, set.map_or(0, Set::len));
    for member in set.into_iter().flat_map(Set::iter) {
        cx.sink.bulk(&member);
    }
    Ok(())
}

pub(crate) fn spop(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let key = argv[1];
    let count = match argv {
        [_, _] => None,
        [_, _, count] => Some(arg::positive(count)?),
        _ => return Err(SYNTAX),
    };
    let Some(set) = cx.keys.write::<Set>(key)? else {
        match count {
            Some(_) => cx.sink.seq(Seq::Set, 0),
            None => cx.sink.null(),
        }
        return Ok(());
    };
    let len = set.len();
    let take = count.unwrap_or(1);
    let chosen = if take >= len { (0..len).collect() } else { cx.server.random.sample(take, len) };
    let members: Vec<Vec<u8>> =
        chosen.into_iter().filter_map(|at| set.at(at)).map(|member| member.into_owned()).collect();
    for member in &members {
        set.remove(member);
    }
    if count.is_some() {
        cx.sink.seq(Seq::Set, members.len());
    }
    for member in &members {
        cx.sink.bulk(member);
    }
    if !members.is_empty() {
        cx.keys.shrunk(Class::SET, "spop", key);
    }
    Ok(())
}

pub(crate) fn srandmember(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let count = match argv {
        [_, _] => None,
        [_, _, count] => Some(arg::ranged_long(count, -i64::MAX, i64::MAX)?),
        _ => return Err(SYNTAX),
    };
    let Some(set) = cx.keys.read::<Set>(argv[1])? else {
        match count {
            Some(_) => cx.sink.seq(Seq::Array, 0),
            None => cx.sink.null(),
        }
        return Ok(());
    };
    let chosen = choose(&mut cx.server.random, count.unwrap_or(-1), set.len())?;
    if count.is_some() {
        cx.sink.seq(Seq::Array, chosen.len());
    }
    for member in chosen.into_iter().filter_map(|at| set.at(at)) {
        cx.sink.bulk(&member);
    }
    Ok(())
}
