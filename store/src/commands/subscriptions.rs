//! `SUBSCRIBE`, `PUBLISH`, `PUBSUB` and their kin (`pubsub.c`).
//!
//! Owns the commands. (Un)subscribing answers one push a name, so these commands may push
//! several replies. It must not know how messages travel.

use redlua_core::{Protocol, ReplySink, Seq};

use crate::context::Cx;
use crate::error::CommandResult;
use crate::pubsub::Topic;

pub(crate) fn subscribe(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    join(cx, argv, Topic::Channel, b"subscribe")
}

pub(crate) fn psubscribe(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    join(cx, argv, Topic::Pattern, b"psubscribe")
}

pub(crate) fn ssubscribe(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    join(cx, argv, Topic::Shard, b"ssubscribe")
}

pub(crate) fn unsubscribe(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    part(cx, argv, Topic::Channel, b"unsubscribe")
}

pub(crate) fn punsubscribe(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    part(cx, argv, Topic::Pattern, b"punsubscribe")
}

pub(crate) fn sunsubscribe(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    part(cx, argv, Topic::Shard, b"sunsubscribe")
}

fn join(cx: &mut Cx<'_>, argv: &[&[u8]], topic: Topic, word: &[u8]) -> CommandResult {
    let session = cx.session.id;
    for name in &argv[1..] {
        cx.server.pubsub.subscribe(topic, name, session);
        let count = cx.server.pubsub.count(topic, session);
        confirm(cx.sink, word, Some(name), count);
    }
    Ok(())
}

fn part(cx: &mut Cx<'_>, argv: &[&[u8]], topic: Topic, word: &[u8]) -> CommandResult {
    let session = cx.session.id;
    let all;
    let names: Vec<&[u8]> = if argv.len() > 1 {
        argv[1..].to_vec()
    } else {
        all = cx.server.pubsub.of(topic, session);
        all.iter().map(Vec::as_slice).collect()
    };
    if names.is_empty() {
        let count = cx.server.pubsub.count(topic, session);
        confirm(cx.sink, word, None, count);
    }
    for name in names {
        cx.server.pubsub.unsubscribe(topic, name, session);
        let count = cx.server.pubsub.count(topic, session);
        confirm(cx.sink, word, Some(name), count);
    }
    Ok(())
}

fn confirm(sink: &mut dyn ReplySink, word: &[u8], name: Option<&[u8]>, count: usize) {
    sink.seq(Seq::Push, 3);
    sink.bulk(word);
    match name {
        Some(name) => sink.bulk(name),
        None => sink.null(),
    }
    sink.integer(count as i64);
}

pub(crate) fn publish(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let receivers = cx.server.pubsub.publish(argv[1], argv[2]);
    cx.integer(receivers)
}

pub(crate) fn spublish(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let receivers = cx.server.pubsub.publish_shard(argv[1], argv[2]);
    cx.integer(receivers)
}

pub(crate) fn channels(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    list(cx, argv, Topic::Channel)
}

pub(crate) fn shardchannels(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    list(cx, argv, Topic::Shard)
}

fn list(cx: &mut Cx<'_>, argv: &[&[u8]], topic: Topic) -> CommandResult {
    if argv.len() > 3 {
        return Err(super::wrong_subcommand(cx, argv));
    }
    let names = cx.server.pubsub.active(topic, argv.get(2).copied());
    cx.sink.seq(Seq::Array, names.len());
    for name in names {
        cx.sink.bulk(name);
    }
    Ok(())
}

pub(crate) fn numsub(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    listeners(cx, argv, Topic::Channel)
}

pub(crate) fn shardnumsub(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    listeners(cx, argv, Topic::Shard)
}

fn listeners(cx: &mut Cx<'_>, argv: &[&[u8]], topic: Topic) -> CommandResult {
    cx.sink.seq(Seq::Array, (argv.len() - 2) * 2);
    for name in &argv[2..] {
        cx.sink.bulk(name);
        cx.sink.integer(cx.server.pubsub.listeners(topic, name) as i64);
    }
    Ok(())
}

pub(crate) fn numpat(cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    let patterns = cx.server.pubsub.patterns();
    cx.integer(patterns)
}

pub(crate) fn ping(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    if argv.len() > 2 {
        return Err(crate::error::CommandError::arity(cx.command.name));
    }
    let text = argv.get(1);
    // A RESP2 subscriber must be able to tell the answer from a message.
    if cx.sink.protocol() == Protocol::Resp2
        && !cx.session.script
        && cx.server.pubsub.is_subscribed(cx.session.id)
    {
        cx.sink.seq(Seq::Array, 2);
        cx.sink.bulk(b"pong");
        cx.sink.bulk(text.copied().unwrap_or_default());
    } else {
        match text {
            Some(text) => cx.sink.bulk(text),
            None => cx.sink.status(b"PONG"),
        }
    }
    Ok(())
}
