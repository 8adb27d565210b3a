//! `DEBUG DIGEST` and `DEBUG DIGEST-VALUE`: what tells whether two data sets are the same.
//!
//! Owns the digest of a key, a value and a whole keyspace (`debug.c computeDatasetDigest`,
//! `xorObjectDigest`). It must not know how keys are stored.

use redlua_conversions::number::g17;
use redlua_core::{ReplySink, Seq};
use sha1::{Digest as _, Sha1};

use crate::context::Cx;
use crate::error::CommandResult;
use crate::keyspace::Entry;
use crate::value::{Digits, StreamId, Value};

/// A digest in the making.
#[derive(Clone, Copy, Default)]
struct Digest([u8; 20]);

impl Digest {
    /// Adds what has no order (`xorDigest`).
    fn xor(&mut self, bytes: &[u8]) {
        let hash: [u8; 20] = Sha1::digest(bytes).into();
        self.0.iter_mut().zip(hash).for_each(|(mine, other)| *mine ^= other);
    }

    /// Adds what comes next in an order (`mixDigest`).
    fn mix(&mut self, bytes: &[u8]) {
        self.xor(bytes);
        self.0 = Sha1::digest(self.0).into();
    }

    /// Of two byte strings that belong together.
    fn pair(one: &[u8], other: &[u8]) -> Self {
        let mut digest = Digest::default();
        digest.mix(one);
        digest.mix(other);
        digest
    }

    /// Adds a value and whether it expires (`xorObjectDigest`).
    fn add(&mut self, entry: &Entry) {
        self.mix(&kind(&entry.value).to_be_bytes());
        match &entry.value {
            Value::Str(text) => self.mix(text.bytes(&mut Digits::new())),
            Value::List(list) => list.iter().for_each(|item| self.mix(item)),
            Value::Set(set) => set.iter().for_each(|member| self.xor(&member)),
            Value::Hash(hash) => {
                for (field, value) in hash.iter() {
                    self.xor(&Digest::pair(field, value).0);
                }
            }
            Value::ZSet(zset) => {
                for (member, score) in zset.iter() {
                    self.xor(&Digest::pair(member, &g17(score)).0);
                }
            }
            Value::Stream(stream) => {
                for entry in stream.range(StreamId::MIN, StreamId::MAX) {
                    let id = entry.id();
                    self.mix(format!("{}.{}", id.ms, id.seq).as_bytes());
                    entry.items().for_each(|item| self.mix(item));
                }
            }
        }
        if entry.expires().is_some() {
            self.xor(b"!!expire!!");
        }
    }

    fn push(&self, sink: &mut dyn ReplySink) {
        let hex: String = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
        sink.status(hex.as_bytes());
    }
}

/// The number of a type (`OBJ_STRING` and its like in `server.h`).
fn kind(value: &Value) -> u32 {
    match value {
        Value::Str(_) => 0,
        Value::List(_) => 1,
        Value::Set(_) => 2,
        Value::ZSet(_) => 3,
        Value::Hash(_) => 4,
        Value::Stream(_) => 6,
    }
}

/// Of all databases.
pub(super) fn whole(cx: &mut Cx<'_>) -> CommandResult {
    let mut digest = Digest::default();
    for database in 0..cx.keys.databases() {
        cx.keys.select(database);
        if cx.keys.iter().len() > 0 {
            digest.mix(&(database as u32).to_be_bytes());
        }
        for (key, entry) in cx.keys.iter() {
            let mut own = Digest::default();
            own.mix(key);
            own.add(entry);
            digest.xor(&own.0);
        }
    }
    cx.keys.select(cx.session.db as usize);
    digest.push(cx.sink);
    Ok(())
}

/// Of some keys, each for itself; of one that is not there, zeros.
pub(super) fn of_keys(cx: &mut Cx<'_>, keys: &[&[u8]]) -> CommandResult {
    cx.sink.seq(Seq::Array, keys.len());
    for key in keys {
        let mut digest = Digest::default();
        if let Some(entry) = cx.keys.peek(key) {
            digest.add(entry);
        }
        digest.push(cx.sink);
    }
    Ok(())
}
