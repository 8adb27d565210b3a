//! Values as bytes: what `DUMP` writes and `RESTORE` reads (`rdb.c`).
//!
//! Owns the serialised forms of every data type. It must not know keys or commands.

mod intset;
pub(crate) mod listpack;
mod load;
mod save;
mod streams;
mod ziplist;
mod zipmap;

pub(crate) use load::load;
pub(crate) use save::save;

/// The types of values (`RDB_TYPE_*` in `rdb.h`).
mod kind {
    pub(super) const STRING: u8 = 0;
    pub(super) const LIST: u8 = 1;
    pub(super) const SET: u8 = 2;
    /// Scores as text.
    pub(super) const ZSET: u8 = 3;
    pub(super) const HASH: u8 = 4;
    /// Scores as doubles.
    pub(super) const ZSET_2: u8 = 5;
    pub(super) const HASH_ZIPMAP: u8 = 9;
    pub(super) const LIST_ZIPLIST: u8 = 10;
    pub(super) const SET_INTSET: u8 = 11;
    pub(super) const ZSET_ZIPLIST: u8 = 12;
    pub(super) const HASH_ZIPLIST: u8 = 13;
    /// Nodes are ziplists.
    pub(super) const LIST_QUICKLIST: u8 = 14;
    /// Without the counters that Redis 7.0 added.
    pub(super) const STREAM: u8 = 15;
    pub(super) const HASH_LISTPACK: u8 = 16;
    pub(super) const ZSET_LISTPACK: u8 = 17;
    /// Nodes are listpacks or single elements.
    pub(super) const LIST_QUICKLIST_2: u8 = 18;
    pub(super) const STREAM_2: u8 = 19;
}

/// A node of a quicklist that holds one element as it is.
const PLAIN_NODE: u64 = 1;
/// A node of a quicklist that holds a listpack.
const PACKED_NODE: u64 = 2;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyspace::Tuning;
    use crate::value::{End, Hash, List, NewId, Set, Str, Stream, StreamId, Value, Variant, ZSet};
    use proptest::prelude::*;

    /// Saves, loads and saves again; the two payloads must be the same.
    fn round_trip(value: &Value) {
        let saved = save(value);
        let loaded = load(&saved, &Tuning::default()).expect("loads what it saved");
        assert_eq!(loaded.encoding(), value.encoding());
        assert_eq!(save(&loaded), saved);
    }

    fn word() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            any::<i32>().prop_map(|number| number.to_string().into_bytes()),
            proptest::collection::vec(any::<u8>(), 0..40),
            (0_usize..200).prop_map(|len| vec![b'r'; len]),
        ]
    }

    proptest! {
        #[test]
        fn every_type(words in proptest::collection::vec(word(), 1..300), score: f64) {
            let tuning = Tuning::default();
            round_trip(&Value::Str(Str::new(&words.concat())));
            let (mut list, mut hash) = (List::default(), Hash::default());
            let (mut set, mut zset) = (Set::default(), ZSet::default());
            let mut stream = Stream::default();
            for (number, word) in words.iter().enumerate() {
                list.push(End::Right, word.clone().into());
                hash.set(word, &words[0], tuning.hash);
                set.add(word, tuning.set_ints);
                zset.admit(word.len(), tuning.zset);
                zset.set(word, if score.is_nan() { 0.0 } else { score * number as f64 });
                let pairs: [&[u8]; 2] = if number % 3 == 0 { [b"f", word] } else { [word, b"v"] };
                let id = NewId::Exact(StreamId { ms: 1 + number as u64 / 4, seq: number as u64 });
                stream.append(id, &pairs, 0, tuning.stream).unwrap();
            }
            stream.delete(&[StreamId { ms: 1, seq: 1 }]);
            round_trip(&list.wrap());
            round_trip(&hash.wrap());
            round_trip(&set.wrap());
            round_trip(&zset.wrap());
            round_trip(&stream.wrap());
        }

        #[test]
        fn load_never_panics(kind in 0_u8..20, bytes: Vec<u8>) {
            let mut body = vec![kind];
            body.extend(bytes);
            let _ = load(&body, &Tuning::default());
        }

        #[test]
        fn damaged_streams_never_panic(at: usize, byte: u8) {
            let mut stream = Stream::default();
            for number in 1..9 {
                let id = NewId::Exact(StreamId { ms: number, seq: 0 });
                let _ = stream.append(id, &[b"f", b"v"], 0, Tuning::default().stream);
            }
            let mut body = save(&stream.wrap());
            let at = at % body.len();
            body[at] = byte;
            let _ = load(&body, &Tuning::default());
        }
    }
}
