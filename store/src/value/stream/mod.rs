//! Streams: append-only logs of entries, with consumer groups.
//!
//! Owns [`Stream`]: entries in nodes, IDs, tombstones, the counters from which a group's lag is
//! told (`t_stream.c`). It must not know commands.

mod group;
mod id;
mod node;
mod radix;

use std::collections::BTreeMap;

pub(crate) use group::{Group, Pending};
pub(crate) use id::{NewId, StreamId};
pub(crate) use node::{Entry, EntryRef, Node};

use crate::value::Bytes;

/// The most bytes of a node whatever the configuration says (`STREAM_LISTPACK_MAX_SIZE`).
const MAX_NODE_BYTES: usize = 1 << 30;

/// A stream.
#[derive(Clone, Default)]
pub(crate) struct Stream {
    /// The entries, in nodes filed by the ID of their first entry, deleted or not.
    pub(crate) nodes: BTreeMap<StreamId, Node>,
    /// How many entries there are.
    pub(crate) len: u64,
    /// The largest ID there has been.
    pub(crate) last_id: StreamId,
    /// The ID of the first entry; zero when there is none.
    pub(crate) first_id: StreamId,
    /// The largest ID that was deleted by itself; zero when there is none.
    pub(crate) max_deleted_id: StreamId,
    /// How many entries have been added, ever.
    pub(crate) entries_added: u64,
    /// The consumer groups by name.
    pub(crate) groups: BTreeMap<Bytes, Group>,
}

/// When a node is full; the figures of `CONFIG`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NodeLimit {
    /// `stream-node-max-bytes`; 0: the maximum.
    pub(crate) bytes: usize,
    /// `stream-node-max-entries`; 0: any number.
    pub(crate) entries: usize,
}

/// What trimming keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    /// At most so many entries.
    Newest(u64),
    /// Entries from this ID on.
    From(StreamId),
}

/// How a stream is trimmed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trim {
    /// What is kept.
    pub(crate) keep: Keep,
    /// `~`: only whole nodes are removed.
    pub(crate) approximate: bool,
    /// The most entries to remove; 0: any number.
    pub(crate) limit: i64,
}

/// Why an entry cannot be appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Its ID is not larger than the last one.
    NotLarger,
    /// It has too many bytes.
    TooLarge,
}

impl Default for NodeLimit {
    fn default() -> Self {
        NodeLimit { bytes: 4096, entries: 100 }
    }
}

impl Stream {
    /// Appends an entry whose fields and values alternate in `pairs` (`streamAppendItem`).
    pub(crate) fn append(
        &mut self,
        id: NewId,
        pairs: &[&[u8]],
        now: i64,
        limit: NodeLimit,
    ) -> Result<StreamId, Refused> {
        let id = self.resolve(id, now).filter(|id| *id > self.last_id).ok_or(Refused::NotLarger)?;
        let bytes: usize = pairs.iter().map(|item| item.len()).sum();
        if bytes > MAX_NODE_BYTES {
            return Err(Refused::TooLarge);
        }
        let room = match limit.bytes {
            0 => MAX_NODE_BYTES,
            room => room.min(MAX_NODE_BYTES),
        };
        let open = self.nodes.last_entry().filter(|node| {
            let node = node.get();
            node.bytes() + bytes < room
                && (limit.entries == 0 || node.entries.len() < limit.entries)
        });
        match open {
            Some(mut node) => node.get_mut().append(id, pairs),
            None => {
                let fields = pairs.iter().step_by(2).map(|field| Bytes::from(*field)).collect();
                let mut node = Node::new(id, fields);
                node.append(id, pairs);
                self.nodes.insert(id, node);
            }
        }
        self.entries_added = self.entries_added.wrapping_add(1);
        self.last_id = id;
        self.len += 1;
        if self.len == 1 {
            self.first_id = id;
        }
        Ok(id)
    }

    fn resolve(&self, id: NewId, now: i64) -> Option<StreamId> {
        match id {
            NewId::Exact(id) => Some(id),
            NewId::Next(ms) if ms == self.last_id.ms => {
                self.last_id.seq.checked_add(1).map(|seq| StreamId { ms, seq })
            }
            NewId::Next(ms) => Some(StreamId { ms, seq: 0 }),
            NewId::Auto => {
                let ms = u64::try_from(now).unwrap_or(0);
                if ms > self.last_id.ms {
                    Some(StreamId { ms, seq: 0 })
                } else {
                    self.last_id.next()
                }
            }
        }
    }

    /// The entries whose IDs are in `start..=end`.
    pub(crate) fn range(
        &self,
        start: StreamId,
        end: StreamId,
    ) -> impl DoubleEndedIterator<Item = EntryRef<'_>> {
        let from = self.nodes.range(..=start).next_back().map_or(start, |(id, _)| *id);
        // An inverted range would make the map panic.
        let nodes = (start <= end).then(|| self.nodes.range(from..=end));
        nodes.into_iter().flatten().flat_map(move |(_, node)| node.range(start, end))
    }

    /// The entry of that ID.
    pub(crate) fn entry(&self, id: StreamId) -> Option<EntryRef<'_>> {
        self.range(id, id).next()
    }

    /// The ID of the last entry that is not deleted; zero when there is none.
    pub(crate) fn last_entry_id(&self) -> StreamId {
        let last = self.range(StreamId::MIN, StreamId::MAX).next_back();
        last.map_or(StreamId::MIN, EntryRef::id)
    }

    /// Deletes entries; returns how many there were (`xdelCommand`).
    pub(crate) fn delete(&mut self, ids: &[StreamId]) -> usize {
        let mut deleted = 0;
        for &id in ids {
            let Some((&master, node)) = self.nodes.range_mut(..=id).next_back() else { continue };
            if !node.delete(id) {
                continue;
            }
            if node.live == 0 {
                self.nodes.remove(&master);
            }
            self.len -= 1;
            self.max_deleted_id = self.max_deleted_id.max(id);
            deleted += 1;
        }
        if deleted > 0 {
            self.find_first();
        }
        deleted
    }

    /// Removes entries at the beginning; returns how many (`streamTrim`).
    pub(crate) fn trim(&mut self, trim: Trim) -> u64 {
        let mut removed = 0;
        while let Some(mut first) = self.nodes.first_entry() {
            let node = first.get_mut();
            let live = node.live as u64;
            if let Keep::Newest(keep) = trim.keep
                && self.len <= keep
            {
                break;
            }
            if trim.limit > 0 && removed + live > trim.limit as u64 {
                break;
            }
            let whole = match trim.keep {
                Keep::Newest(keep) => self.len - live >= keep,
                Keep::From(id) => node.last() < id,
            };
            if whole {
                first.remove();
                self.len -= live;
                removed += live;
                continue;
            }
            if !trim.approximate {
                for entry in &mut node.entries {
                    let enough = match trim.keep {
                        Keep::Newest(keep) => self.len <= keep,
                        Keep::From(id) => entry.id >= id,
                    };
                    if enough {
                        break;
                    }
                    if !entry.deleted {
                        entry.deleted = true;
                        node.live -= 1;
                        self.len -= 1;
                        removed += 1;
                    }
                }
            }
            break;
        }
        if removed > 0 {
            self.find_first();
        }
        removed
    }

    fn find_first(&mut self) {
        let first = self.range(StreamId::MIN, StreamId::MAX).next().map(EntryRef::id);
        self.first_id = first.unwrap_or_default();
    }

    /// Whether an entry was deleted at `start` or later and others before it are left
    /// (`streamRangeHasTombstones`).
    pub(crate) fn has_tombstones(&self, start: StreamId) -> bool {
        self.len > 0
            && self.max_deleted_id != StreamId::MIN
            && self.first_id <= self.max_deleted_id
            && start <= self.max_deleted_id
    }

    /// How many entries had been added when this one was, if that can be told
    /// (`streamEstimateDistanceFromFirstEverEntry`).
    pub(crate) fn distance(&self, id: StreamId) -> Option<i64> {
        let added = i64::try_from(self.entries_added).unwrap_or(i64::MAX);
        let len = i64::try_from(self.len).unwrap_or(i64::MAX);
        if added == 0 {
            return Some(0);
        }
        if self.len == 0 && id < self.last_id {
            return Some(added);
        }
        if id == self.last_id {
            return Some(added);
        }
        if id > self.last_id {
            return None;
        }
        let whole = self.max_deleted_id == StreamId::MIN || self.max_deleted_id < self.first_id;
        match id.cmp(&self.first_id) {
            std::cmp::Ordering::Less if whole => Some(added - len),
            std::cmp::Ordering::Equal if whole => Some((added - len).saturating_add(1)),
            _ => None,
        }
    }

    /// How many entries a group has yet to read, if that can be told (`streamReplyWithCGLag`).
    pub(crate) fn lag(&self, group: &Group) -> Option<i64> {
        let added = i64::try_from(self.entries_added).unwrap_or(i64::MAX);
        if added == 0 {
            return Some(0);
        }
        let read = match group.entries_read {
            Some(read) if !self.has_tombstones(group.last_id) => read,
            _ => self.distance(group.last_id)?,
        };
        Some(added.wrapping_sub(read))
    }

    /// Counts the entry `id` as read by a group (`streamReplyWithRange`).
    pub(crate) fn read_count(&self, group: &Group, id: StreamId) -> Option<i64> {
        match group.entries_read {
            Some(read) if !self.has_tombstones(id) => Some(read.wrapping_add(1)),
            before if self.entries_added == 0 => before,
            _ => self.distance(id),
        }
    }

    /// About how many bytes it takes.
    pub(crate) fn memory(&self) -> usize {
        let pending: usize = self.groups.values().map(|group| group.pending().len()).sum();
        64 + self.nodes.values().map(Node::bytes).sum::<usize>() + 64 * pending
    }

    /// How many nodes the radix tree of a server would have.
    pub(crate) fn radix_nodes(&self) -> usize {
        radix::nodes(&self.nodes.keys().copied().collect::<Vec<_>>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: (StreamId, StreamId) = (StreamId::MIN, StreamId::MAX);

    fn id(ms: u64, seq: u64) -> StreamId {
        StreamId { ms, seq }
    }

    fn ids(stream: &Stream) -> Vec<StreamId> {
        stream.range(ALL.0, ALL.1).map(EntryRef::id).collect()
    }

    #[test]
    fn ids_follow_one_another() {
        let mut stream = Stream::default();
        let limit = NodeLimit::default();
        let mut append = |new, now| stream.append(new, &[b"f", b"v"], now, limit);
        assert_eq!(append(NewId::Auto, 7), Ok(id(7, 0)));
        assert_eq!(append(NewId::Auto, 7), Ok(id(7, 1)));
        assert_eq!(append(NewId::Auto, 5), Ok(id(7, 2)));
        assert_eq!(append(NewId::Next(8), 5), Ok(id(8, 0)));
        assert_eq!(append(NewId::Next(7), 5), Err(Refused::NotLarger));
        assert_eq!(append(NewId::Exact(id(8, 0)), 5), Err(Refused::NotLarger));
    }

    #[test]
    fn lag_is_known_while_nothing_is_missing() {
        let mut stream = Stream::default();
        for ms in 1..=5 {
            let new = NewId::Exact(id(ms, 0));
            stream.append(new, &[b"f", b"v"], 0, NodeLimit::default()).unwrap();
        }
        assert_eq!(stream.lag(&Group::new(id(0, 0), None)), Some(5));
        assert_eq!(stream.lag(&Group::new(id(3, 0), None)), None);
        assert_eq!(stream.lag(&Group::new(id(3, 0), Some(3))), Some(2));
        stream.delete(&[id(4, 0)]);
        assert_eq!(stream.lag(&Group::new(id(3, 0), Some(3))), None);
        assert_eq!(stream.lag(&Group::new(id(5, 0), None)), Some(0));
    }

    proptest! {
        /// A stream is what a sorted list of IDs is, however its nodes are cut.
        #[test]
        fn behaves_like_a_list(
            steps in proptest::collection::vec((0_u8..4, 0_u64..60), 1..120),
            entries in 0_usize..5,
        ) {
            let mut stream = Stream::default();
            let mut model: Vec<StreamId> = Vec::new();
            for (kind, number) in steps {
                match kind {
                    0 | 1 => {
                        let new = NewId::Exact(id(number, stream.last_id.seq + 1));
                        let limit = NodeLimit { bytes: 4096, entries };
                        if let Ok(id) = stream.append(new, &[b"f", b"v"], 0, limit) {
                            model.push(id);
                        }
                    }
                    2 => {
                        let victim = model.get(number as usize).copied().unwrap_or_default();
                        let found = model.contains(&victim);
                        prop_assert_eq!(stream.delete(&[victim]), usize::from(found));
                        model.retain(|id| *id != victim);
                    }
                    _ => {
                        let keep = if number % 2 == 0 {
                            Keep::Newest(number)
                        } else {
                            Keep::From(id(number, 0))
                        };
                        let before = model.len();
                        match keep {
                            Keep::Newest(count) => {
                                let surplus = model.len().saturating_sub(count as usize);
                                model.drain(..surplus);
                            }
                            Keep::From(first) => model.retain(|id| *id >= first),
                        }
                        let trim = Trim { keep, approximate: false, limit: 0 };
                        prop_assert_eq!(stream.trim(trim), (before - model.len()) as u64);
                    }
                }
                prop_assert_eq!(&ids(&stream), &model);
                prop_assert_eq!(stream.len, model.len() as u64);
                prop_assert_eq!(stream.first_id, model.first().copied().unwrap_or_default());
            }
        }
    }
}
