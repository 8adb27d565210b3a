//! Writing values (`rdbSaveObject`). It must not know how they are read.

use redlua_conversions::number::g17;
use redlua_conversions::rdb::{write_length, write_string};

use super::listpack::{self, Writer};
use super::{PACKED_NODE, intset, kind, streams};
use crate::value::{Digits, List, Set, Value};

/// The bytes of a quicklist node that takes no further element (`list-max-listpack-size -2`).
const NODE_BYTES: usize = 8192;
/// What an element is estimated to take besides its bytes (`SIZE_ESTIMATE_OVERHEAD`).
const OVERHEAD: usize = 8;

/// A value's type and data, without the footer of `DUMP`.
pub(crate) fn save(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    match value {
        Value::Str(text) => {
            out.push(kind::STRING);
            write_string(&mut out, text.bytes(&mut Digits::new()));
        }
        Value::List(list) => save_list(&mut out, list),
        Value::Hash(hash) if hash.is_compact() => {
            out.push(kind::HASH_LISTPACK);
            let pairs = hash.iter().flat_map(|(field, value)| [field, value]);
            write_string(&mut out, &pack(pairs));
        }
        Value::Hash(hash) => {
            out.push(kind::HASH);
            write_length(&mut out, hash.len() as u64);
            for (field, value) in hash.iter() {
                write_string(&mut out, field);
                write_string(&mut out, value);
            }
        }
        Value::Set(set) => match &**set {
            Set::Ints(ints) => {
                out.push(kind::SET_INTSET);
                write_string(&mut out, &intset::write(ints));
            }
            Set::Table(_) => {
                out.push(kind::SET);
                write_length(&mut out, set.len() as u64);
                set.iter().for_each(|member| write_string(&mut out, &member));
            }
        },
        Value::ZSet(zset) if zset.is_compact() => {
            out.push(kind::ZSET_LISTPACK);
            let mut writer = Writer::new();
            for (member, score) in zset.iter() {
                writer.push(member);
                match whole(score) {
                    Some(score) => writer.push_integer(score),
                    None => writer.push(&g17(score)),
                }
            }
            write_string(&mut out, &writer.finish());
        }
        Value::ZSet(zset) => {
            out.push(kind::ZSET_2);
            write_length(&mut out, zset.len() as u64);
            // From the highest down, so that loading inserts at the head each time.
            for (member, score) in zset.descending(zset.len() - 1, usize::MAX) {
                write_string(&mut out, member);
                out.extend(score.to_le_bytes());
            }
        }
        Value::Stream(stream) => {
            out.push(kind::STREAM_2);
            streams::save(&mut out, stream);
        }
    }
    out
}

/// Writes a list in nodes of the size to which a server fills them from the tail.
fn save_list(out: &mut Vec<u8>, list: &List) {
    let mut nodes = Vec::new();
    let mut writer = Writer::new();
    let mut bytes = listpack::EMPTY;
    for item in list.iter() {
        if bytes > listpack::EMPTY && bytes + item.len() + OVERHEAD > NODE_BYTES {
            nodes.push(std::mem::replace(&mut writer, Writer::new()).finish());
            bytes = listpack::EMPTY;
        }
        bytes += listpack::size(item);
        writer.push(item);
    }
    nodes.push(writer.finish());
    out.push(kind::LIST_QUICKLIST_2);
    write_length(out, nodes.len() as u64);
    for node in nodes {
        write_length(out, PACKED_NODE);
        write_string(out, &node);
    }
}

fn pack<'a>(items: impl Iterator<Item = &'a crate::value::Bytes>) -> Vec<u8> {
    let mut writer = Writer::new();
    items.for_each(|item| writer.push(item));
    writer.finish()
}
/// A score that is written as an integer: a whole number well within 64 bits, and not negative
/// zero (`d2string` in `util.c`).
fn whole(score: f64) -> Option<i64> {
    const LIMIT: f64 = (i64::MAX / 2) as f64;
    let is_whole = score.fract() == 0.0 && score.abs() <= LIMIT;
    (is_whole && (score != 0.0 || score.is_sign_positive())).then_some(score as i64)
}
