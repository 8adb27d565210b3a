//! `XACK` and `XPENDING`. They must not know how entries are delivered.

use redlua_core::Seq;

use super::{interval_end, interval_start, no_group, push_id, strict_ids};
use crate::arg;
use crate::context::Cx;
use crate::error::{CommandError, CommandResult, SYNTAX};
use crate::value::{Group, Stream, StreamId};

pub(crate) fn xack(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let stream = cx.keys.revise::<Stream>(argv[1])?;
    let Some(group) = stream.and_then(|stream| stream.groups.get_mut(argv[2])) else {
        return cx.integer(0);
    };
    let ids = strict_ids(&argv[3..])?;
    let acknowledged = ids.into_iter().filter(|id| group.acknowledge(*id)).count();
    if acknowledged > 0 {
        cx.keys.modified(argv[1]);
    }
    cx.integer(acknowledged as u64)
}

pub(crate) fn xpending(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    if argv.len() != 3 && !(6..=9).contains(&argv.len()) {
        return Err(SYNTAX);
    }
    let filter = if argv.len() == 3 { None } else { Some(Filter::parse(argv)?) };
    let (key, name) = (argv[1], argv[2]);
    let now = cx.keys.now();
    let stream = cx.keys.read::<Stream>(key)?;
    let group =
        stream.and_then(|stream| stream.groups.get(name)).ok_or_else(|| no_group(key, name, ""))?;
    match filter {
        None => summary(cx.sink, group),
        Some(filter) => filter.list(cx.sink, group, now),
    }
    Ok(())
}

/// How much is pending, from which ID to which, and for whom.
fn summary(sink: &mut dyn redlua_core::ReplySink, group: &Group) {
    sink.seq(Seq::Array, 4);
    sink.integer(group.pending().len() as i64);
    let ends = group.pending().keys().next().zip(group.pending().keys().next_back());
    let Some((first, last)) = ends else {
        sink.null();
        sink.null();
        return sink.null_array();
    };
    push_id(sink, *first);
    push_id(sink, *last);
    let busy: Vec<_> =
        group.consumers().iter().filter(|(_, consumer)| !consumer.pending.is_empty()).collect();
    sink.seq(Seq::Array, busy.len());
    for (name, consumer) in busy {
        sink.seq(Seq::Array, 2);
        sink.bulk(name);
        sink.bulk(itoa::Buffer::new().format(consumer.pending.len()).as_bytes());
    }
}

/// Which pending entries `XPENDING` lists.
struct Filter<'a> {
    idle: i64,
    start: StreamId,
    end: StreamId,
    count: usize,
    consumer: Option<&'a [u8]>,
}

impl<'a> Filter<'a> {
    fn parse(argv: &[&'a [u8]]) -> Result<Self, CommandError> {
        let mut idle = 0;
        let mut at = 3;
        if arg::is(argv[3], "idle") {
            idle = arg::integer(argv[4])?;
            if argv.len() < 8 {
                return Err(SYNTAX);
            }
            at = 5;
        }
        let count = arg::integer(arg::at(argv, at + 2)?)?;
        Ok(Filter {
            idle,
            start: interval_start(arg::at(argv, at)?)?,
            end: interval_end(arg::at(argv, at + 1)?)?,
            count: usize::try_from(count).unwrap_or(0),
            consumer: argv.get(at + 3).copied(),
        })
    }

    fn list(&self, sink: &mut dyn redlua_core::ReplySink, group: &Group, now: i64) {
        let consumer = match self.consumer.map(|name| group.consumer(name)) {
            None => None,
            Some(Some(consumer)) => Some(consumer),
            Some(None) => return sink.seq(Seq::Array, 0),
        };
        let inside = |id: &&StreamId| (self.start..=self.end).contains(id);
        let ids: Box<dyn Iterator<Item = &StreamId>> = match consumer {
            Some(consumer) => Box::new(consumer.pending.iter().filter(inside)),
            None => Box::new(group.pending().keys().filter(inside)),
        };
        let found: Vec<_> = ids
            .filter_map(|id| group.pending().get(id).map(|pending| (id, pending)))
            .filter(|(_, pending)| {
                self.idle == 0 || now.saturating_sub(pending.delivered) >= self.idle
            })
            .take(self.count)
            .collect();
        sink.seq(Seq::Array, found.len());
        for (id, pending) in found {
            sink.seq(Seq::Array, 4);
            push_id(sink, *id);
            sink.bulk(&pending.consumer);
            sink.integer(now.saturating_sub(pending.delivered).max(0));
            sink.integer(i64::try_from(pending.count).unwrap_or(i64::MAX));
        }
    }
}
