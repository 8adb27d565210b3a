//! The databases: keys, their values, their expiry and their modification stamps.
//!
//! Owns lazy expiry, the type check of every access and the rule that empty collections vanish.
//! It must not know commands or sessions; [`Keyspace::select`] says which database is meant.

mod heed;
mod whole;

use hashbrown::HashMap;

use crate::dict::Dict;
use crate::error::{CommandError, WRONG_TYPE};
use crate::events::{Class, Journal};
use crate::value::{NodeLimit, Threshold, Value, Variant};

/// How many databases there are unless somebody says otherwise.
pub(crate) const DATABASES: usize = 16;
/// The expiry of a key that has none.
const NEVER: i64 = i64::MIN;

/// All databases, one of them selected.
#[derive(Clone)]
pub(crate) struct Keyspace {
    databases: Vec<Database>,
    selected: usize,
    /// The time for expiry, in milliseconds since the epoch.
    now: i64,
    /// The same in seconds, which is what the use of a key is dated in.
    used: u32,
    /// Counts modifications; the source of stamps.
    dirty: u64,
    /// The stamps of watched keys, and how many watch each.
    watched: HashMap<(usize, Vec<u8>), (u64, usize)>,
    /// Keys that clients wait for, and how many wait for each.
    awaited: HashMap<(usize, Vec<u8>), usize>,
    /// Those of them that have been modified, in order.
    ready: Vec<(u32, Vec<u8>)>,
    /// Whether anybody wants to hear of each modification.
    alert: bool,
    /// What happens to keys.
    pub(crate) journal: Journal,
    /// When collections change their layout.
    pub(crate) tuning: Tuning,
    /// Keys removed because they expired, ever.
    pub(crate) expired: u64,
    /// Look-ups for reading that found a key, ever.
    pub(crate) hits: u64,
    /// Look-ups for reading that found none, ever.
    pub(crate) misses: u64,
}

/// When collections change their layout; the figures of `CONFIG`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tuning {
    /// `hash-max-listpack-entries`, `hash-max-listpack-value`
    pub(crate) hash: Threshold,
    /// `zset-max-listpack-entries`, `zset-max-listpack-value`
    pub(crate) zset: Threshold,
    /// `set-max-intset-entries`
    pub(crate) set_ints: usize,
    /// `stream-node-max-bytes`, `stream-node-max-entries`
    pub(crate) stream: NodeLimit,
    /// `hll-sparse-max-bytes`
    pub(crate) hll_sparse: usize,
}

/// One database.
#[derive(Clone, Default)]
struct Database {
    dict: Dict<Entry>,
    /// How many keys expire.
    volatile: usize,
}

/// A key's value and what is known about it.
#[derive(Clone)]
pub(crate) struct Entry {
    /// What the key holds.
    pub(crate) value: Value,
    expires: i64,
    /// When it was last used, in seconds since the epoch.
    accessed: u32,
    /// Its access counter under an LFU policy.
    pub(crate) frequency: u8,
}

impl Default for Tuning {
    fn default() -> Self {
        Tuning {
            hash: Threshold { entries: 128, value: 64 },
            zset: Threshold { entries: 128, value: 64 },
            set_ints: 512,
            stream: NodeLimit::default(),
            hll_sparse: 3000,
        }
    }
}

impl Default for Keyspace {
    fn default() -> Self {
        Keyspace::new(DATABASES)
    }
}

impl Keyspace {
    /// So many empty databases, at least one.
    pub(crate) fn new(databases: usize) -> Self {
        Keyspace {
            databases: (0..databases.max(1)).map(|_| Database::default()).collect(),
            selected: 0,
            now: 0,
            used: 0,
            dirty: 0,
            watched: HashMap::new(),
            awaited: HashMap::new(),
            ready: Vec::new(),
            alert: false,
            journal: Journal::default(),
            tuning: Tuning::default(),
            expired: 0,
            hits: 0,
            misses: 0,
        }
    }
}

impl Entry {
    fn new(value: Value, expires: i64, used: u32) -> Self {
        Entry { value, expires, accessed: used, frequency: 5 }
    }

    /// Whether its time has come. A key lives through the millisecond it expires at.
    #[inline]
    fn is_over(&self, now: i64) -> bool {
        self.expires < now && self.expires != NEVER
    }

    /// When the key expires, in milliseconds since the epoch.
    pub(crate) fn expires(&self) -> Option<i64> {
        (self.expires != NEVER).then_some(self.expires)
    }

    /// When it was last used, in seconds since the epoch.
    pub(crate) fn accessed(&self) -> u32 {
        self.accessed
    }
}

/// Which database, what time.
impl Keyspace {
    /// Makes `database` the one that all further calls mean; a number out of range is ignored.
    #[inline]
    pub(crate) fn select(&mut self, database: usize) {
        if database < self.databases.len() {
            self.selected = database;
        }
    }

    /// How many databases there are.
    pub(crate) fn databases(&self) -> usize {
        self.databases.len()
    }

    /// The database that is selected.
    pub(crate) fn selected(&self) -> usize {
        self.selected
    }

    /// Sets the time, in milliseconds since the epoch.
    #[inline]
    pub(crate) fn set_now(&mut self, now: i64) {
        self.now = now;
        self.used = (now / 1000) as u32;
    }

    /// The time, in milliseconds since the epoch.
    #[inline]
    pub(crate) fn now(&self) -> i64 {
        self.now
    }

    #[inline]
    fn database(&mut self) -> &mut Database {
        // `select` keeps the number in range.
        &mut self.databases[self.selected]
    }

    /// Where a live key stands; removes the key when its time has come (`expireIfNeeded` in
    /// `db.c`).
    #[inline]
    fn place(&mut self, key: &[u8]) -> Option<usize> {
        let now = self.now;
        let dict = &mut self.databases[self.selected].dict;
        let at = dict.position(key)?;
        if dict.at_mut(at)?.is_over(now) {
            self.expire(key);
            return None;
        }
        Some(at)
    }

    /// The entry of a live key.
    #[inline]
    fn live(&mut self, key: &[u8]) -> Option<&mut Entry> {
        let at = self.place(key)?;
        self.database().dict.at_mut(at)
    }

    #[cold]
    fn expire(&mut self, key: &[u8]) {
        self.expired += 1;
        self.remove(key);
        self.notify(Class::EXPIRED, "expired", key);
    }
}

/// Reading.
impl Keyspace {
    /// The value of a key of any type, for reading.
    #[inline]
    pub(crate) fn value(&mut self, key: &[u8]) -> Option<&Value> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The entry of a key, counted as a use of it.
    #[inline]
    pub(crate) fn entry(&mut self, key: &[u8]) -> Option<&Entry> {
        let used = self.used;
        let at = self.sight(key)?;
        let entry = self.database().dict.at_mut(at)?;
        entry.accessed = used;
        Some(entry)
    }

    /// The entry of a key for reading, which does not count as a use of it (`LOOKUP_NOTOUCH`).
    pub(crate) fn glance(&mut self, key: &[u8]) -> Option<&Entry> {
        let at = self.sight(key)?;
        self.database().dict.at_mut(at).map(|entry| &*entry)
    }

    /// The same, of which listeners do not hear when the key is not there (`LOOKUP_NONOTIFY`).
    pub(crate) fn inspect(&mut self, key: &[u8]) -> Option<&Entry> {
        let at = self.place(key);
        self.hits += u64::from(at.is_some());
        self.misses += u64::from(at.is_none());
        self.database().dict.at_mut(at?).map(|entry| &*entry)
    }

    /// Where a key stands that is looked up for reading (`lookupKey` in `db.c`).
    #[inline]
    fn sight(&mut self, key: &[u8]) -> Option<usize> {
        let at = self.place(key);
        if at.is_some() {
            self.hits += 1;
        } else {
            self.misses += 1;
            self.notify(Class::KEY_MISS, "keymiss", key);
        }
        at
    }

    /// The entry of a key, looked at in passing: neither a use of it nor a hit or a miss.
    pub(crate) fn peek(&mut self, key: &[u8]) -> Option<&Entry> {
        self.live(key).map(|entry| &*entry)
    }

    /// Whether the key is there.
    pub(crate) fn exists(&mut self, key: &[u8]) -> bool {
        self.live(key).is_some()
    }

    /// Whether the key is there and expires.
    pub(crate) fn is_volatile(&mut self, key: &[u8]) -> bool {
        self.live(key).is_some_and(|entry| entry.expires != NEVER)
    }

    /// The value of a key that must hold a `T` if it holds anything.
    #[inline]
    pub(crate) fn read<T: Variant>(&mut self, key: &[u8]) -> Result<Option<&T>, CommandError> {
        match self.value(key) {
            None => Ok(None),
            Some(value) => T::of(value).map(Some).ok_or(WRONG_TYPE),
        }
    }

    /// The same, to be changed. Whoever changes it calls [`modified`](Self::modified), and
    /// [`prune`](Self::prune) after taking elements away.
    #[inline]
    pub(crate) fn write<T: Variant>(&mut self, key: &[u8]) -> Result<Option<&mut T>, CommandError> {
        let used = self.used;
        match self.live(key) {
            None => Ok(None),
            Some(entry) => {
                entry.accessed = used;
                T::of_mut(&mut entry.value).map(Some).ok_or(WRONG_TYPE)
            }
        }
    }

    /// The same of a key that is looked up as if for reading (`lookupKeyRead`).
    pub(crate) fn revise<T: Variant>(
        &mut self,
        key: &[u8],
    ) -> Result<Option<&mut T>, CommandError> {
        self.sight(key);
        self.write(key)
    }

    /// The same, made empty first when the key is not there. Whoever calls it puts something
    /// in, or calls [`prune`](Self::prune).
    pub(crate) fn create<T: Variant + Default>(
        &mut self,
        key: &[u8],
    ) -> Result<&mut T, CommandError> {
        let used = self.used;
        let at = match self.place(key) {
            Some(at) => at,
            None => {
                let entry = Entry::new(T::default().wrap(), NEVER, used);
                let at = self.database().dict.push(key.into(), entry);
                self.notify(Class::NEW, "new", key);
                at
            }
        };
        let entry = self.database().dict.at_mut(at).ok_or(WRONG_TYPE)?;
        entry.accessed = used;
        T::of_mut(&mut entry.value).ok_or(WRONG_TYPE)
    }
}

/// Writing.
impl Keyspace {
    /// Sets a key to a value of any type; it does not expire (`setKey` in `db.c`).
    pub(crate) fn set(&mut self, key: &[u8], value: Value) {
        self.put(key, value, NEVER);
    }

    /// Sets a key to a string; it does not expire. Reuses the old string's buffer.
    #[inline]
    pub(crate) fn set_string(&mut self, key: &[u8], bytes: &[u8]) {
        let used = self.used;
        let database = &mut self.databases[self.selected];
        match database.dict.find_mut(key) {
            Some(entry) => {
                match &mut entry.value {
                    Value::Str(text) => text.assign(bytes),
                    other => *other = Value::Str(crate::value::Str::new(bytes)),
                }
                entry.accessed = used;
                if entry.expires != NEVER {
                    entry.expires = NEVER;
                    database.volatile -= 1;
                }
                self.modified(key);
            }
            None => self.put(key, Value::Str(crate::value::Str::new(bytes)), NEVER),
        }
    }

    /// Sets a key to a string, as `SET` does: it does not expire, and listeners hear of it.
    #[inline]
    pub(crate) fn assign(&mut self, key: &[u8], bytes: &[u8]) {
        self.set_string(key, bytes);
        self.notify(Class::STRING, "set", key);
    }

    /// Sets a key to a value and leaves its expiry as it is.
    pub(crate) fn set_keeping_expiry(&mut self, key: &[u8], value: Value) {
        let expires = self.live(key).map_or(NEVER, |entry| entry.expires);
        self.put(key, value, expires);
    }

    /// Sets a key to an entry taken from elsewhere, expiry included.
    pub(crate) fn set_entry(&mut self, key: &[u8], entry: Entry) {
        self.put(key, entry.value, entry.expires);
    }

    fn put(&mut self, key: &[u8], value: Value, expires: i64) {
        let entry = Entry::new(value, expires, self.used);
        let database = self.database();
        let old = database.dict.insert(key, entry).map(|old| old.expires);
        database.volatile += usize::from(expires != NEVER);
        database.volatile -= usize::from(old.is_some_and(|old| old != NEVER));
        if old.is_none() {
            self.notify(Class::NEW, "new", key);
        }
        self.modified(key);
    }

    /// Removes a key; returns what it held. Unlike [`delete`](Self::delete) it does not ask
    /// whether the key has expired.
    pub(crate) fn remove(&mut self, key: &[u8]) -> Option<Entry> {
        let database = self.database();
        let entry = database.dict.remove(key)?;
        database.volatile -= usize::from(entry.expires != NEVER);
        self.modified(key);
        Some(entry)
    }

    /// Removes a live key; returns whether there was one.
    pub(crate) fn delete(&mut self, key: &[u8]) -> bool {
        self.exists(key) && self.remove(key).is_some()
    }

    /// Removes a live key and says so; returns whether there was one.
    pub(crate) fn erase(&mut self, key: &[u8]) -> bool {
        let gone = self.delete(key);
        if gone {
            self.notify(Class::GENERIC, "del", key);
        }
        gone
    }

    /// Elements have been taken away from a collection: says so, and removes the key when
    /// nothing is left.
    pub(crate) fn shrunk(&mut self, class: Class, event: &'static str, key: &[u8]) {
        let hollow = self.prune(key);
        if !hollow {
            self.modified(key);
        }
        self.notify(class, event, key);
        if hollow {
            self.notify(Class::GENERIC, "del", key);
        }
    }

    /// Says that a key's value has changed, and by what.
    pub(crate) fn changed(&mut self, class: Class, event: &'static str, key: &[u8]) {
        self.modified(key);
        self.notify(class, event, key);
    }

    /// Notes an event (`notifyKeyspaceEvent` in `notify.c`).
    #[inline]
    pub(crate) fn notify(&mut self, class: Class, event: &'static str, key: &[u8]) {
        if self.journal.hears(class) {
            self.journal.record(event, self.selected, key);
        }
    }

    /// Removes a key whose collection has become empty; returns whether it did.
    pub(crate) fn prune(&mut self, key: &[u8]) -> bool {
        let hollow = self.live(key).is_some_and(|entry| entry.value.is_hollow());
        if hollow {
            self.remove(key);
        }
        hollow
    }

    /// Sets when a key expires; returns whether there is such a key.
    pub(crate) fn set_expiry(&mut self, key: &[u8], expires: Option<i64>) -> bool {
        let database = self.database();
        let Some(entry) = database.dict.find_mut(key) else { return false };
        let old = std::mem::replace(&mut entry.expires, expires.unwrap_or(NEVER));
        database.volatile += usize::from(expires.is_some());
        database.volatile -= usize::from(old != NEVER);
        self.modified(key);
        true
    }

    /// Sets when a key was last used, in seconds since the epoch.
    pub(crate) fn set_accessed(&mut self, key: &[u8], accessed: u32) {
        if let Some(entry) = self.live(key) {
            entry.accessed = accessed;
        }
    }

    /// Says that a key's value has changed (`signalModifiedKey` in `db.c`).
    #[inline]
    pub(crate) fn modified(&mut self, key: &[u8]) {
        self.dirty += 1;
        if self.alert {
            self.signal(key);
        }
    }

    /// How often anything has been modified.
    pub(crate) fn dirty(&self) -> u64 {
        self.dirty
    }

    /// Says whether changes are to be noted for clients that cache.
    pub(crate) fn track(&mut self, on: bool) {
        self.journal.tracks = on;
        self.set_alert();
    }
}
