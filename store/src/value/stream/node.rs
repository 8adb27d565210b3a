//! The nodes of a stream: runs of entries that share one listpack in Redis.
//!
//! Owns [`Node`] and [`Entry`] and how many bytes a node's listpack takes: that decides where
//! nodes end, which approximate trimming, `XINFO` and `DUMP` show. It must not know streams.

use crate::dump::listpack;
use crate::value::Bytes;
use crate::value::stream::StreamId;

/// Consecutive entries, deleted ones included.
#[derive(Clone)]
pub(crate) struct Node {
    /// The ID by which the node is filed: that of its first entry.
    pub(crate) master: StreamId,
    /// The fields of its first entry; entries with the same fields only store values.
    pub(crate) fields: Vec<Bytes>,
    /// The entries by ID.
    pub(crate) entries: Vec<Entry>,
    /// How many of them are not deleted.
    pub(crate) live: usize,
    /// Bytes of the fields in the listpack.
    field_bytes: usize,
    /// Bytes of the entries in the listpack.
    entry_bytes: usize,
}

/// One entry.
#[derive(Clone)]
pub(crate) struct Entry {
    /// Its ID.
    pub(crate) id: StreamId,
    /// Whether it is a tombstone.
    pub(crate) deleted: bool,
    /// Whether its fields are those of the node.
    pub(crate) same_fields: bool,
    /// Its values; fields and values in turn when it has its own fields.
    pub(crate) items: Vec<Bytes>,
}

/// A live entry, seen together with its node.
#[derive(Clone, Copy)]
pub(crate) struct EntryRef<'a> {
    node: &'a Node,
    entry: &'a Entry,
}

impl Node {
    /// A node without entries; `fields` are those of the first to come.
    pub(crate) fn new(master: StreamId, fields: Vec<Bytes>) -> Self {
        let field_bytes = fields.iter().map(|field| listpack::size(field)).sum();
        Node { master, fields, entries: Vec::new(), live: 0, field_bytes, entry_bytes: 0 }
    }

    /// Appends an entry whose fields and values alternate in `pairs`.
    pub(crate) fn append(&mut self, id: StreamId, pairs: &[&[u8]]) {
        let same_fields = pairs.len() == 2 * self.fields.len()
            && pairs.iter().step_by(2).zip(&self.fields).all(|(pair, field)| **pair == **field);
        let items = if same_fields {
            pairs.iter().skip(1).step_by(2).map(|item| Bytes::from(*item)).collect()
        } else {
            pairs.iter().map(|item| Bytes::from(*item)).collect()
        };
        self.push(Entry { id, deleted: false, same_fields, items });
    }

    /// Appends an entry.
    pub(crate) fn push(&mut self, entry: Entry) {
        self.entry_bytes += entry.size(self.master);
        self.live += usize::from(!entry.deleted);
        self.entries.push(entry);
    }

    /// Bytes of the listpack.
    pub(crate) fn bytes(&self) -> usize {
        let counts = [self.live, self.entries.len() - self.live, self.fields.len(), 0];
        let header: usize = counts.iter().map(|&n| listpack::size_of_integer(n as i64)).sum();
        listpack::EMPTY + header + self.field_bytes + self.entry_bytes
    }

    /// The ID of the last entry, deleted or not.
    pub(crate) fn last(&self) -> StreamId {
        self.entries.last().map_or(self.master, |entry| entry.id)
    }

    /// The live entries whose IDs are in `start..=end`.
    pub(crate) fn range(
        &self,
        start: StreamId,
        end: StreamId,
    ) -> impl DoubleEndedIterator<Item = EntryRef<'_>> {
        let from = self.entries.partition_point(|entry| entry.id < start);
        let to = self.entries.partition_point(|entry| entry.id <= end);
        self.entries
            .get(from..to)
            .unwrap_or_default()
            .iter()
            .filter(|entry| !entry.deleted)
            .map(|entry| EntryRef { node: self, entry })
    }

    /// Marks an entry as deleted; returns whether it was alive.
    pub(crate) fn delete(&mut self, id: StreamId) -> bool {
        let found = self.entries.binary_search_by_key(&id, |entry| entry.id);
        match found.ok().and_then(|at| self.entries.get_mut(at)) {
            Some(entry) if !entry.deleted => {
                entry.deleted = true;
                self.live -= 1;
                true
            }
            _ => false,
        }
    }
}

impl Entry {
    /// How many listpack elements precede the one that counts them.
    pub(crate) fn elements(&self) -> usize {
        3 + self.items.len() + usize::from(!self.same_fields)
    }

    /// Bytes of the entry in the listpack of a node (`streamAppendItem`): flags, ID relative to
    /// the node's, the items with their number when the fields are its own, and a count.
    fn size(&self, master: StreamId) -> usize {
        let own = if self.same_fields { 0 } else { (self.items.len() / 2) as i64 };
        let numbers = [
            0,
            self.id.ms.wrapping_sub(master.ms) as i64,
            self.id.seq.wrapping_sub(master.seq) as i64,
            self.elements() as i64,
        ];
        let numbers: usize = numbers.iter().map(|&n| listpack::size_of_integer(n)).sum();
        let count = if self.same_fields { 0 } else { listpack::size_of_integer(own) };
        numbers + count + self.items.iter().map(|item| listpack::size(item)).sum::<usize>()
    }
}

impl<'a> EntryRef<'a> {
    /// The entry's ID.
    pub(crate) fn id(self) -> StreamId {
        self.entry.id
    }

    /// How many fields it has.
    pub(crate) fn len(self) -> usize {
        if self.entry.same_fields { self.entry.items.len() } else { self.entry.items.len() / 2 }
    }

    /// Its fields and values in turn.
    pub(crate) fn items(self) -> impl Iterator<Item = &'a Bytes> {
        let shared = if self.entry.same_fields { &self.node.fields[..] } else { &[] };
        let mut fields = shared.iter();
        let mut items = self.entry.items.iter();
        let mut field_next = self.entry.same_fields;
        std::iter::from_fn(move || {
            if !self.entry.same_fields {
                return items.next();
            }
            field_next = !field_next;
            if field_next { items.next() } else { fields.next() }
        })
    }
}
