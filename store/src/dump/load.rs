//! Reading values (`rdbLoadObject`). It trusts no byte, and must not know how they are written.

use redlua_conversions::number::parse_f64;
use redlua_conversions::rdb::Reader;

use super::listpack::Element;
use super::{PACKED_NODE, PLAIN_NODE, intset, kind, listpack, streams, ziplist, zipmap};
use crate::keyspace::Tuning;
use crate::value::{End, Hash, List, Set, Str, Threshold, Value, Variant, ZSet};

/// The value of a payload without its footer; `None` when it is none. What follows the value is
/// ignored, as the server does.
pub(crate) fn load(body: &[u8], tuning: &Tuning) -> Option<Value> {
    let mut reader = Reader::new(body);
    let kind = reader.byte()?;
    let value = match kind {
        kind::STRING => Value::Str(Str::new(&reader.string()?)),
        kind::LIST | kind::LIST_ZIPLIST | kind::LIST_QUICKLIST | kind::LIST_QUICKLIST_2 => {
            load_list(kind, &mut reader)?.wrap()
        }
        kind::SET => load_set(&mut reader, tuning.set_ints)?.wrap(),
        kind::SET_INTSET => {
            let mut set = Set::Ints(intset::parse(&reader.string()?)?);
            if set.len() > tuning.set_ints {
                set.become_table();
            }
            set.wrap()
        }
        kind::HASH | kind::HASH_LISTPACK | kind::HASH_ZIPLIST | kind::HASH_ZIPMAP => {
            load_hash(kind, &mut reader, tuning.hash)?.wrap()
        }
        kind::ZSET | kind::ZSET_2 | kind::ZSET_LISTPACK | kind::ZSET_ZIPLIST => {
            load_zset(kind, &mut reader, tuning.zset)?.wrap()
        }
        kind::STREAM | kind::STREAM_2 => streams::load(&mut reader, kind == kind::STREAM_2)?.wrap(),
        _ => return None,
    };
    (!value.is_hollow()).then_some(value)
}

fn load_list(kind: u8, reader: &mut Reader<'_>) -> Option<List> {
    let mut list = List::default();
    let mut append = |elements: Option<Vec<Element<'_>>>| {
        for element in elements.filter(|elements| !elements.is_empty())? {
            list.push(End::Right, element.to_vec().into());
        }
        Some(())
    };
    if kind == kind::LIST_ZIPLIST {
        append(ziplist::parse(&reader.string()?))?;
        return Some(list);
    }
    for _ in 0..reader.length()? {
        match kind {
            kind::LIST => append(Some(vec![Element::Bytes(&reader.string()?)]))?,
            kind::LIST_QUICKLIST => append(ziplist::parse(&reader.string()?))?,
            _ => match reader.length()? {
                PLAIN_NODE => append(Some(vec![Element::Bytes(&reader.string()?)]))?,
                PACKED_NODE => append(listpack::parse(&reader.string()?))?,
                _ => return None,
            },
        }
    }
    Some(list)
}

fn load_set(reader: &mut Reader<'_>, max_ints: usize) -> Option<Set> {
    let mut set = Set::default();
    let len = reader.length()?;
    if len > max_ints as u64 {
        set.become_table();
    }
    for _ in 0..len {
        // A member twice is no set.
        set.add(&reader.string()?, max_ints).then_some(())?;
    }
    Some(set)
}

fn load_hash(kind: u8, reader: &mut Reader<'_>, threshold: Threshold) -> Option<Hash> {
    let mut hash = Hash::default();
    if kind == kind::HASH {
        for _ in 0..reader.length()? {
            let field = reader.string()?;
            hash.set(&field, &reader.string()?, threshold).then_some(())?;
        }
        return Some(hash);
    }
    let blob = reader.string()?;
    let elements = match kind {
        kind::HASH_ZIPMAP => zipmap::parse(&blob)?,
        kind::HASH_ZIPLIST => ziplist::parse(&blob)?,
        _ => listpack::parse(&blob)?,
    };
    // What was a listpack stays one however long its elements are.
    let threshold = Threshold { value: usize::MAX, ..threshold };
    for (field, value) in pairs(elements)? {
        hash.set(&field.to_vec(), &value.to_vec(), threshold).then_some(())?;
    }
    Some(hash)
}

fn load_zset(kind: u8, reader: &mut Reader<'_>, threshold: Threshold) -> Option<ZSet> {
    let mut items = Vec::new();
    let mut threshold = threshold;
    if matches!(kind, kind::ZSET | kind::ZSET_2) {
        for _ in 0..reader.length()? {
            let member = reader.string()?;
            let score = match kind {
                kind::ZSET => text_score(reader)?,
                _ => f64::from_le_bytes(reader.chunk()?),
            };
            items.push((member.to_vec(), score));
        }
    } else {
        let blob = reader.string()?;
        let elements = match kind {
            kind::ZSET_ZIPLIST => ziplist::parse(&blob)?,
            _ => listpack::parse(&blob)?,
        };
        threshold.value = usize::MAX;
        for (member, score) in pairs(elements)? {
            let score = match score {
                Element::Integer(score) => score as f64,
                Element::Bytes(text) => parse_f64(text)?,
            };
            items.push((member.to_vec(), score));
        }
    }
    let longest = items.iter().map(|(member, _)| member.len()).max().unwrap_or(0);
    let mut zset = ZSet::sized(items.len(), longest, threshold);
    for (member, score) in items {
        if score.is_nan() || zset.set(&member, score).is_some() {
            return None;
        }
    }
    Some(zset)
}

/// A score as text behind its length, of which three values mean something else
/// (`rdbLoadDoubleValue`).
fn text_score(reader: &mut Reader<'_>) -> Option<f64> {
    match reader.byte()? {
        255 => Some(f64::NEG_INFINITY),
        254 => Some(f64::INFINITY),
        253 => Some(f64::NAN),
        len => parse_f64(reader.bytes(usize::from(len))?),
    }
}

/// The elements by twos.
fn pairs(elements: Vec<Element<'_>>) -> Option<Vec<(Element<'_>, Element<'_>)>> {
    let (pairs, rest) = elements.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|[first, second]| (*first, *second)).collect())
}
