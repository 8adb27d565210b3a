//! The sixteen databases: keys, their values, their expiry and their modification stamps.
//!
//! Owns lazy expiry, the type check of every access and the rule that empty collections vanish.
//! It must not know commands or sessions; [`Keyspace::select`] says which database is meant.

use hashbrown::HashMap;

use crate::dict::Dict;
use crate::error::{CommandError, WRONG_TYPE};
use crate::value::{NodeLimit, Threshold, Value, Variant};

/// How many databases there are.
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
    /// The stamps of keys somebody asked about.
    watched: HashMap<(usize, Vec<u8>), u64>,
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
        Keyspace {
            databases: (0..DATABASES).map(|_| Database::default()).collect(),
            selected: 0,
            now: 0,
            used: 0,
            dirty: 0,
            watched: HashMap::new(),
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
        let Some(at) = self.place(key) else {
            self.misses += 1;
            return None;
        };
        self.hits += 1;
        let entry = self.database().dict.at_mut(at)?;
        entry.accessed = used;
        Some(entry)
    }

    /// The entry of a key, not counted as a use of it (`LOOKUP_NOTOUCH`).
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
                self.database().dict.push(key.into(), entry)
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
        let old = database.dict.insert(key, entry).map_or(NEVER, |old| old.expires);
        database.volatile += usize::from(expires != NEVER);
        database.volatile -= usize::from(old != NEVER);
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
        if !self.watched.is_empty() {
            self.stamp_now(key);
        }
    }

    #[cold]
    fn stamp_now(&mut self, key: &[u8]) {
        if let Some(stamp) = self.watched.get_mut(&(self.selected, key.to_vec())) {
            *stamp = self.dirty;
        }
    }

    /// How often anything has been modified.
    pub(crate) fn dirty(&self) -> u64 {
        self.dirty
    }

    /// A number that changes whenever the key is modified after this call.
    pub(crate) fn stamp(&mut self, database: usize, key: &[u8]) -> u64 {
        let selected = self.selected;
        self.select(database);
        let _ = self.exists(key);
        self.selected = selected;
        *self.watched.entry((database, key.to_vec())).or_insert(self.dirty)
    }

    /// Stops keeping the stamp of a key.
    pub(crate) fn forget_stamp(&mut self, database: usize, key: &[u8]) {
        self.watched.remove(&(database, key.to_vec()));
    }
}

/// Whole databases.
impl Keyspace {
    /// How many keys the selected database has.
    pub(crate) fn len(&mut self) -> usize {
        self.purge();
        self.database().dict.len()
    }

    /// How many keys of a database expire.
    pub(crate) fn volatile(&self, database: usize) -> usize {
        self.databases.get(database).map_or(0, |database| database.volatile)
    }

    /// How many keys a database has, expired ones included.
    pub(crate) fn size(&self, database: usize) -> usize {
        self.databases.get(database).map_or(0, |database| database.dict.len())
    }

    /// Removes the expired keys of the selected database.
    pub(crate) fn purge(&mut self) {
        if self.database().volatile == 0 {
            return;
        }
        let now = self.now;
        let due: Vec<_> = self
            .database()
            .dict
            .iter()
            .filter(|(_, entry)| entry.is_over(now))
            .map(|(key, _)| key.clone())
            .collect();
        for key in due {
            self.expire(&key);
        }
    }

    /// The selected database's keys, expired ones included.
    pub(crate) fn iter(
        &self,
    ) -> impl DoubleEndedIterator<Item = (&crate::value::Bytes, &Entry)> + ExactSizeIterator {
        self.databases[self.selected].dict.iter()
    }

    /// The entry at a position of the selected database.
    pub(crate) fn at(&self, position: usize) -> Option<(&crate::value::Bytes, &Entry)> {
        self.databases[self.selected].dict.at(position)
    }

    /// Empties the selected database; returns how many keys it had.
    pub(crate) fn clear(&mut self) -> usize {
        self.touch_all(self.selected);
        let database = std::mem::take(self.database());
        self.dirty += database.dict.len() as u64;
        database.dict.len()
    }

    /// Exchanges two databases.
    pub(crate) fn swap(&mut self, one: usize, two: usize) {
        self.touch_all(one);
        self.touch_all(two);
        self.databases.swap(one, two);
        self.touch_all(one);
        self.touch_all(two);
    }

    /// Stamps the watched keys of a database that exist there (`touchAllWatchedKeysInDb`).
    fn touch_all(&mut self, database: usize) {
        self.dirty += 1;
        let dict = &self.databases[database].dict;
        for ((number, key), stamp) in &mut self.watched {
            if *number == database && dict.contains(key) {
                *stamp = self.dirty;
            }
        }
    }

    /// About how many bytes all keys take, from a sample.
    pub(crate) fn memory(&self) -> usize {
        const SAMPLE: usize = 64;
        self.databases
            .iter()
            .map(|database| {
                let sampled = database.dict.len().min(SAMPLE);
                let bytes: usize = database
                    .dict
                    .iter()
                    .take(sampled)
                    .map(|(key, entry)| key.len() + 56 + entry.value.memory())
                    .sum();
                bytes * database.dict.len() / sampled.max(1)
            })
            .sum()
    }
}
