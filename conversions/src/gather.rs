//! Tables that get their contents at once.
//!
//! Owns how long the parts of a list or a record wait on a writer's stack before there is a table
//! for them, and that nobody can tell afterwards: the table is the one that would have grown with
//! them. Must not know where the parts come from.
//!
//! A table of Lua 5.1 grows by halves: five pairs make four tables on the way, and set the first
//! pair four times.

use redlua_core::ValueWriter;

use crate::order::{REGROWN, regrown, sampled_hash};

/// How many values of a list wait: a power of two, so that the array part is full with them.
pub(crate) const LIST: u32 = 32;
/// How many pairs wait: a power of two, so that the hash part is full with them.
pub(crate) const RECORD: u32 = REGROWN as u32;
/// The order of those that are set one after the other.
const IN_TURN: [u8; REGROWN] = {
    let mut order = [0; REGROWN];
    let mut pair = 0;
    while pair < REGROWN {
        order[pair] = pair as u8;
        pair += 1;
    }
    order
};
/// How many tables, one inside the other, may have parts that wait.
const NESTED: usize = 16;
/// How many values there may be for a table: what is in its place, its parts, and those that are
/// there once more while they are set.
pub(crate) const WAITING: usize = 1 + 2 * REGROWN + 2;

/// The keys of all records that wait.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gather {
    hashes: Vec<u32>,
    /// Whether tables may wait at all.
    on: bool,
}

/// The parts of one table that wait: values of a list, or pairs of a record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Parts {
    len: u32,
    /// The values that are nil, by a bit each.
    nils: u32,
    /// Where the keys of a record begin.
    start: u32,
    /// Whether a key is no string: then the record is made pair by pair.
    plain: bool,
}

impl Parts {
    /// How many there are.
    #[inline]
    pub(crate) fn len(&self) -> u32 {
        self.len
    }

    /// One value or pair more.
    #[inline]
    pub(crate) fn add(&mut self, nil: bool) {
        self.nils |= u32::from(nil) << (self.len & 31);
        self.len += 1;
    }

    /// Notes a key that is no string.
    #[inline]
    pub(crate) fn other_key(&mut self) {
        self.plain = true;
    }
}

impl Gather {
    /// Begins anew; `on` allows tables to wait.
    pub(crate) fn begin(&mut self, on: bool) {
        self.hashes.clear();
        self.on = on;
    }

    /// Whether tables may wait at all.
    pub(crate) fn is_on(&self) -> bool {
        self.on
    }

    /// Whether a table inside of `depth` others may wait.
    #[inline]
    pub(crate) fn allows(&self, depth: usize) -> bool {
        self.on && depth < NESTED
    }

    /// Begins a table.
    #[inline]
    pub(crate) fn table(&self, out: &mut dyn ValueWriter) -> Parts {
        // In its place.
        out.nil();
        Parts { start: self.hashes.len() as u32, ..Parts::default() }
    }

    /// Notes a key that is a string.
    #[inline]
    pub(crate) fn key(&mut self, name: &[u8]) {
        self.hashes.push(sampled_hash(name));
    }

    /// Makes the table of values that wait.
    #[inline]
    pub(crate) fn end_list(&self, values: &Parts, out: &mut dyn ValueWriter) {
        out.list(values.len as usize, values.nils == 0);
    }

    /// Makes the table of pairs that wait.
    #[inline]
    pub(crate) fn end_record(&mut self, pairs: &Parts, out: &mut dyn ValueWriter) {
        let (start, len) = (pairs.start as usize, pairs.len as usize);
        match self.hashes.get(start..) {
            Some(hashes) if !pairs.plain && distinct(hashes) => {
                let made = regrown(hashes, pairs.nils);
                out.record(len, made.size, made.order());
            }
            _ => out.record(len, 0, IN_TURN.get(..len).unwrap_or_default()),
        }
        self.hashes.truncate(start);
    }
}

/// Whether all hashes differ, and so do the keys.
#[inline]
fn distinct(hashes: &[u32]) -> bool {
    let mut seen: u64 = 0;
    for (position, hash) in hashes.iter().enumerate() {
        let bit = 1 << (hash & 63);
        if seen & bit != 0 && hashes.iter().take(position).any(|other| other == hash) {
            return false;
        }
        seen |= bit;
    }
    true
}
