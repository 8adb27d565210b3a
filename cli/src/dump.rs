//! What the databases hold after the script has run.
//!
//! Owns the two forms: commands that would bring it all back, and JSON. Both are sorted, by key
//! and, where the order has no meaning, by member. Must not know how the store keeps it.

use redlua::conversions::quoted;
use redlua::{Connection, Reply};
use serde_json::{Map, Value};

use crate::error::Error;
use crate::output;

/// How many databases a Redis has unless told otherwise.
const DATABASES: usize = 16;

/// The commands, one a line, quoted as a seed file is read.
pub(crate) fn commands(client: &mut dyn Connection) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    for database in databases(client)? {
        if database.number > 0 {
            line(&mut out, &[b"SELECT", database.number.to_string().as_bytes()]);
        }
        for entry in database.entries {
            entry.commands(entry.expires, &mut out);
        }
    }
    Ok(out)
}

/// An object of databases, each an object of keys with type, value and time to live.
pub(crate) fn json(client: &mut dyn Connection) -> Result<Value, Error> {
    let mut all = Map::new();
    for database in databases(client)? {
        let mut keys = Map::new();
        for entry in database.entries {
            let key = String::from_utf8_lossy(&entry.key).into_owned();
            keys.insert(key, entry.json()?);
        }
        all.insert(database.number.to_string(), Value::Object(keys));
    }
    Ok(Value::Object(all))
}

struct Database {
    number: usize,
    entries: Vec<Entry>,
}

/// One key and what it holds.
pub(crate) struct Entry {
    pub(crate) key: Vec<u8>,
    kind: Kind,
    /// What the command that reads it answers in RESP2, sorted where the order has no meaning.
    value: Reply,
    /// Milliseconds until it expires.
    pub(crate) expires: Option<i64>,
}

#[derive(Clone, Copy)]
enum Kind {
    String,
    List,
    Set,
    SortedSet,
    Hash,
    Stream,
}

impl Kind {
    fn named(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"string" => Kind::String,
            b"list" => Kind::List,
            b"set" => Kind::Set,
            b"zset" => Kind::SortedSet,
            b"hash" => Kind::Hash,
            b"stream" => Kind::Stream,
            _ => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Kind::String => "string",
            Kind::List => "list",
            Kind::Set => "set",
            Kind::SortedSet => "zset",
            Kind::Hash => "hash",
            Kind::Stream => "stream",
        }
    }

    /// The command that reads the whole value of `key`.
    fn read(self, key: &[u8]) -> Vec<&[u8]> {
        match self {
            Kind::String => vec![b"GET", key],
            Kind::List => vec![b"LRANGE", key, b"0", b"-1"],
            Kind::Set => vec![b"SMEMBERS", key],
            Kind::SortedSet => vec![b"ZRANGE", key, b"0", b"-1", b"WITHSCORES"],
            Kind::Hash => vec![b"HGETALL", key],
            Kind::Stream => vec![b"XRANGE", key, b"-", b"+"],
        }
    }
}

impl Entry {
    /// The commands that would bring it back, with this time to live.
    pub(crate) fn commands(&self, expires: Option<i64>, out: &mut Vec<u8>) {
        let words = strings(&self.value);
        let mut argv: Vec<&[u8]> = Vec::new();
        match self.kind {
            Kind::String => argv.extend([b"SET", &self.key[..]]),
            Kind::List => argv.extend([b"RPUSH", &self.key[..]]),
            Kind::Set => argv.extend([b"SADD", &self.key[..]]),
            Kind::Hash => argv.extend([b"HSET", &self.key[..]]),
            Kind::SortedSet => {
                argv.extend([b"ZADD", &self.key[..]]);
                for pair in words.chunks_exact(2) {
                    argv.extend(pair.iter().rev());
                }
            }
            Kind::Stream => {
                for record in self.value.items().unwrap_or_default() {
                    let mut argv = vec![b"XADD", &self.key[..]];
                    argv.extend(record.items().unwrap_or_default().iter().flat_map(strings));
                    line(out, &argv);
                }
            }
        }
        match self.kind {
            Kind::SortedSet => line(out, &argv),
            Kind::Stream => {}
            _ => {
                argv.extend(words);
                line(out, &argv);
            }
        }
        if let Some(left) = expires {
            line(out, &[b"PEXPIRE", &self.key, left.to_string().as_bytes()]);
        }
    }

    /// The commands that read it, with one answer on every server: where the order has no meaning
    /// they ask for one.
    pub(crate) fn readers(&self) -> Vec<Vec<Vec<u8>>> {
        let owned = |words: &[&[u8]]| words.iter().map(|word| word.to_vec()).collect();
        let key = self.key.as_slice();
        match self.kind {
            Kind::Set => vec![owned(&[b"SORT", key, b"ALPHA"])],
            Kind::Hash => {
                let words = strings(&self.value);
                let mut read: Vec<&[u8]> = vec![b"HMGET", key];
                read.extend(words.iter().step_by(2));
                vec![owned(&[b"HLEN", key]), owned(&read)]
            }
            kind => vec![owned(&kind.read(key))],
        }
    }

    fn json(&self) -> Result<Value, Error> {
        let value = match self.kind {
            Kind::Hash => {
                let words = strings(&self.value);
                let fields = words.chunks_exact(2).filter_map(|pair| match pair {
                    [field, value] => Some((text(field), Value::String(text(value)))),
                    _ => None,
                });
                Value::Object(fields.collect())
            }
            _ => output::json(&self.value)?,
        };
        let mut object = Map::new();
        object.insert("type".into(), self.kind.name().into());
        object.insert("value".into(), value);
        if let Some(left) = self.expires {
            object.insert("pttl".into(), left.into());
        }
        Ok(Value::Object(object))
    }
}

/// Every database that holds a key.
fn databases(client: &mut dyn Connection) -> Result<Vec<Database>, Error> {
    let mut databases = Vec::new();
    for number in 0..DATABASES {
        client.request(&[b"SELECT", number.to_string().as_bytes()]);
        let entries = entries(client)?;
        if !entries.is_empty() {
            databases.push(Database { number, entries });
        }
    }
    client.request(&[b"SELECT", b"0"]);
    Ok(databases)
}

/// What the selected database holds.
pub(crate) fn entries(client: &mut dyn Connection) -> Result<Vec<Entry>, Error> {
    let reply = client.request(&[b"KEYS", b"*"]);
    if reply.is_error() {
        return Err(Error::Unexpected { command: "KEYS", reply });
    }
    let mut keys: Vec<&[u8]> = strings(&reply);
    keys.sort_unstable();
    let mut entries = Vec::new();
    for key in keys {
        entries.extend(entry(client, key)?);
    }
    Ok(entries)
}

/// One key; `None` when it has just expired.
fn entry(client: &mut dyn Connection, key: &[u8]) -> Result<Option<Entry>, Error> {
    let kind = client.request(&[b"TYPE", key]);
    if kind.is_error() {
        return Err(Error::Unexpected { command: "TYPE", reply: kind });
    }
    let Some(kind) = kind.bytes().and_then(Kind::named) else { return Ok(None) };
    let expires = client.request(&[b"PTTL", key]).integer().filter(|left| *left >= 0);
    let value = match (kind, client.request(&kind.read(key))) {
        (_, reply @ Reply::Error(_)) => {
            return Err(Error::Unexpected { command: kind.name(), reply });
        }
        (Kind::Set, reply) => {
            let mut members = strings(&reply);
            members.sort_unstable();
            Reply::array(members.into_iter().map(Reply::bulk))
        }
        (Kind::Hash, reply) => {
            let words = strings(&reply);
            let mut fields: Vec<&[&[u8]]> = words.chunks_exact(2).collect();
            fields.sort_unstable();
            Reply::array(fields.into_iter().flatten().map(|word| Reply::bulk(*word)))
        }
        (_, reply) => reply,
    };
    Ok(Some(Entry { key: key.to_vec(), kind, value, expires }))
}

/// The strings of an array, or the one string.
fn strings(reply: &Reply) -> Vec<&[u8]> {
    match reply.items() {
        Some(items) => items.iter().filter_map(Reply::bytes).collect(),
        None => reply.bytes().into_iter().collect(),
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Writes a command, quoting the words that need it.
fn line(out: &mut Vec<u8>, argv: &[&[u8]]) {
    for (index, word) in argv.iter().enumerate() {
        if index > 0 {
            out.push(b' ');
        }
        let plain = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'\\');
        if !word.is_empty() && word.iter().all(plain) && !word.starts_with(b"#") {
            out.extend_from_slice(word);
        } else {
            out.extend_from_slice(&quoted(word));
        }
    }
    out.push(b'\n');
}
