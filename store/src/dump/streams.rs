//! The serialised form of streams: listpacks of entries, counters, groups.
//!
//! It must not know other types.

use std::collections::BTreeMap;

use redlua_conversions::rdb::{Reader, write_length, write_string};

use super::listpack::{self, Element, Writer};
use crate::value::{Bytes, Entry, Group, Node, Pending, Stream, StreamId};

/// The entry is a tombstone (`STREAM_ITEM_FLAG_DELETED`).
const DELETED: i64 = 1;
/// The entry's fields are those of the node (`STREAM_ITEM_FLAG_SAMEFIELDS`).
const SAME_FIELDS: i64 = 2;

/// Writes a stream.
pub(super) fn save(out: &mut Vec<u8>, stream: &Stream) {
    write_length(out, stream.nodes.len() as u64);
    for (id, node) in &stream.nodes {
        write_string(out, &id.to_bytes());
        write_string(out, &pack(node));
    }
    write_length(out, stream.len);
    for id in [stream.last_id, stream.first_id, stream.max_deleted_id] {
        write_id(out, id);
    }
    write_length(out, stream.entries_added);
    write_length(out, stream.groups.len() as u64);
    for (name, group) in &stream.groups {
        write_string(out, name);
        write_id(out, group.last_id);
        write_length(out, group.entries_read.unwrap_or(-1) as u64);
        write_length(out, group.pending().len() as u64);
        for (id, pending) in group.pending() {
            out.extend(id.to_bytes());
            out.extend(pending.delivered.to_le_bytes());
            write_length(out, pending.count);
        }
        write_length(out, group.consumers().len() as u64);
        for (name, consumer) in group.consumers() {
            write_string(out, name);
            out.extend(consumer.seen.to_le_bytes());
            write_length(out, consumer.pending.len() as u64);
            consumer.pending.iter().for_each(|id| out.extend(id.to_bytes()));
        }
    }
}

/// Reads a stream; `counters` says whether it has those that Redis 7.0 added.
pub(super) fn load(reader: &mut Reader<'_>, counters: bool) -> Option<Stream> {
    let mut stream = Stream::default();
    for _ in 0..reader.length()? {
        let id = StreamId::from_bytes(<[u8; 16]>::try_from(&*reader.string()?).ok()?);
        let node = unpack(id, &reader.string()?)?;
        if stream.nodes.insert(id, node).is_some() {
            return None;
        }
    }
    stream.len = reader.length()?;
    stream.last_id = read_id(reader)?;
    if counters {
        stream.first_id = read_id(reader)?;
        stream.max_deleted_id = read_id(reader)?;
        stream.entries_added = reader.length()?;
    } else {
        stream.entries_added = stream.len;
        let first = stream.range(StreamId::MIN, StreamId::MAX).next();
        stream.first_id = first.map(|entry| entry.id()).unwrap_or_default();
    }
    // Everything else relies on these: the count is right, nodes follow one another and nothing
    // comes after the last ID.
    let live: usize = stream.nodes.values().map(|node| node.live).sum();
    let mut ends = stream.nodes.values().map(|node| (node.master, node.last()));
    let ordered = ends.clone().is_sorted_by(|before, after| before.1 < after.0)
        && ends.next_back().is_none_or(|(_, last)| last <= stream.last_id);
    if stream.len != live as u64 || !ordered {
        return None;
    }
    for _ in 0..reader.length()? {
        let name = Bytes::from(&*reader.string()?);
        let group = load_group(reader, &stream, counters)?;
        if stream.groups.insert(name, group).is_some() {
            return None;
        }
    }
    Some(stream)
}

fn load_group(reader: &mut Reader<'_>, stream: &Stream, counters: bool) -> Option<Group> {
    let last_id = read_id(reader)?;
    let entries_read = match counters {
        true => i64::try_from(reader.length()?).ok(),
        false => stream.distance(last_id),
    };
    let mut group = Group::new(last_id, entries_read);
    let mut deliveries = BTreeMap::new();
    for _ in 0..reader.length()? {
        let id = StreamId::from_bytes(reader.chunk()?);
        let delivered = i64::from_le_bytes(reader.chunk()?);
        if deliveries.insert(id, (delivered, reader.length()?)).is_some() {
            return None;
        }
    }
    for _ in 0..reader.length()? {
        let name = reader.string()?;
        if group.consumer(&name).is_some() {
            return None;
        }
        let consumer = group.restore_consumer(&name, i64::from_le_bytes(reader.chunk()?));
        for _ in 0..reader.length()? {
            let id = StreamId::from_bytes(reader.chunk()?);
            let (delivered, count) = deliveries.remove(&id)?;
            group.assign(id, Pending { consumer: consumer.clone(), delivered, count });
        }
    }
    // What is pending is pending for somebody.
    deliveries.is_empty().then_some(group)
}

/// The listpack of a node (`streamAppendItem` describes it).
fn pack(node: &Node) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.push_integer(node.live as i64);
    writer.push_integer((node.entries.len() - node.live) as i64);
    writer.push_integer(node.fields.len() as i64);
    node.fields.iter().for_each(|field| writer.push(field));
    writer.push_integer(0);
    for entry in &node.entries {
        let deleted = if entry.deleted { DELETED } else { 0 };
        writer.push_integer(deleted | if entry.same_fields { SAME_FIELDS } else { 0 });
        writer.push_integer(entry.id.ms.wrapping_sub(node.master.ms) as i64);
        writer.push_integer(entry.id.seq.wrapping_sub(node.master.seq) as i64);
        if !entry.same_fields {
            writer.push_integer((entry.items.len() / 2) as i64);
        }
        entry.items.iter().for_each(|item| writer.push(item));
        writer.push_integer(entry.elements() as i64);
    }
    writer.finish()
}

/// The node of a listpack (`streamValidateListpackIntegrity`).
fn unpack(master: StreamId, blob: &[u8]) -> Option<Node> {
    let elements = listpack::parse(blob)?;
    let mut rest = elements.iter();
    let live = count(&mut rest)?;
    let deleted = count(&mut rest)?;
    let fields = count(&mut rest)?;
    let mut node = Node::new(master, take(&mut rest, fields)?);
    (count(&mut rest)? == 0).then_some(())?;
    while !rest.as_slice().is_empty() {
        let flags = rest.next()?.integer()?;
        let id = StreamId {
            ms: master.ms.wrapping_add(rest.next()?.integer()? as u64),
            seq: master.seq.wrapping_add(rest.next()?.integer()? as u64),
        };
        let same_fields = flags & SAME_FIELDS != 0;
        let items = if same_fields { fields } else { count(&mut rest)?.checked_mul(2)? };
        let items = take(&mut rest, items)?;
        let entry = Entry { id, deleted: flags & DELETED != 0, same_fields, items };
        let ordered = if node.entries.is_empty() { id >= master } else { id > node.last() };
        if !ordered || count(&mut rest)? != entry.elements() {
            return None;
        }
        node.push(entry);
    }
    let counted = node.live == live && node.entries.len() - node.live == deleted;
    (counted && !node.entries.is_empty()).then_some(node)
}

fn count(elements: &mut std::slice::Iter<'_, Element<'_>>) -> Option<usize> {
    usize::try_from(elements.next()?.integer()?).ok()
}

fn take(elements: &mut std::slice::Iter<'_, Element<'_>>, count: usize) -> Option<Vec<Bytes>> {
    let taken = elements.as_slice().get(..count)?;
    *elements = elements.as_slice().get(count..)?.iter();
    Some(taken.iter().map(|element| Bytes::from(element.to_vec())).collect())
}

fn write_id(out: &mut Vec<u8>, id: StreamId) {
    write_length(out, id.ms);
    write_length(out, id.seq);
}

fn read_id(reader: &mut Reader<'_>) -> Option<StreamId> {
    Some(StreamId { ms: reader.length()?, seq: reader.length()? })
}
