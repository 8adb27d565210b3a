//! In which order Lua 5.1 would walk a table (`ltable.c`).
//!
//! Owns a model of the array and the hash part of a table: which key lies where, without the
//! values, by the rules of `redlua_conversions::order`. piccolo's tables keep no order of their
//! own, and scripts see Lua's in `pairs`, in what `cjson.encode` writes and in the length of lists
//! with holes. It must not know how piccolo stores anything.

use gc_arena::Collect;
use gc_arena::metrics::Metrics;
use piccolo::Value;
use redlua_conversions::order::{Census, Chains, Key, Places};

use crate::growth::{Growth, Map};

/// Hash parts of fewer places grow without anybody asking.
const LARGE: usize = 1 << 12;
/// Bytes of a place: the key and its link.
const PLACE: usize = size_of::<Option<Value<'_>>>() + size_of::<Option<u32>>();

/// The parts of a table.
#[derive(Collect)]
#[collect(no_drop)]
pub(crate) struct Layout<'gc> {
    /// How many places the array part has.
    array: usize,
    /// The keys in the places of the hash part: `None` while no key ever lay there.
    keys: Vec<Option<Value<'gc>>>,
    #[collect(require_static)]
    chains: Chains,
    /// How many keys got a place in the hash part since it was made.
    taken: usize,
    #[collect(require_static)]
    weight: Weight,
    /// The keys in this order instead, for tables that never change.
    fixed: Option<Vec<Value<'gc>>>,
    /// What is known of the place where piccolo has the keys.
    #[collect(require_static)]
    pub(crate) map: Map,
}

/// What the model asks of the table: whether a key has a value.
pub(crate) trait Holds<'gc> {
    /// Whether `table[key]` is not nil.
    fn holds(&self, key: Value<'gc>) -> bool;
}

impl<'gc> Layout<'gc> {
    /// The parts that `lua_createtable` makes.
    pub(crate) fn new(array: usize, hash: usize) -> Self {
        let chains = Chains::new(hash);
        let keys = vec![None; chains.size()];
        let (weight, map) = (Weight::default(), Map::new(array));
        Layout { array, keys, chains, taken: 0, weight, fixed: None, map }
    }

    /// The order of a table that never changes.
    pub(crate) fn fixed(keys: Vec<Value<'gc>>) -> Self {
        Layout { fixed: Some(keys), ..Layout::new(0, 0) }
    }

    /// From now on the collector knows what the model takes.
    pub(crate) fn weigh(&mut self, metrics: &Metrics) {
        self.weight.metrics = Some(metrics.clone());
        self.weight.set(self.keys.len() * PLACE);
    }

    /// How piccolo's map must grow for one more key, `None` when it has room.
    pub(crate) fn map_growth(&self, table: &impl Holds<'gc>) -> Option<Growth> {
        self.map.growth(self.places(), || {
            (self.map.listed()..self.places())
                .filter(|place| self.key_at(*place).is_some_and(|key| table.holds(key)))
                .count()
        })
    }

    /// Bytes that the next new key takes, when a large hash part grows for it, here or in piccolo:
    /// what grows is there twice meanwhile.
    pub(crate) fn growth(&self, table: &impl Holds<'gc>) -> usize {
        let places = self.keys.len();
        let own = places >= LARGE && self.taken + 1 >= places;
        let own = if own { 2 * places * PLACE } else { 0 };
        own + self.map_growth(table).map_or(0, |growth| growth.bytes)
    }

    /// How many places there are to walk over.
    fn places(&self) -> usize {
        match &self.fixed {
            Some(keys) => keys.len(),
            None => self.array + self.keys.len(),
        }
    }

    /// The key in a place, if one was ever there.
    fn key_at(&self, place: usize) -> Option<Value<'gc>> {
        if let Some(keys) = &self.fixed {
            return keys.get(place).copied();
        }
        if place < self.array {
            return Some(Value::Number((place + 1) as f64));
        }
        self.keys.get(place - self.array).copied().flatten()
    }

    /// The first place from `from` on whose key has a value, and that key.
    pub(crate) fn occupied(
        &self,
        from: usize,
        table: &impl Holds<'gc>,
    ) -> Option<(usize, Value<'gc>)> {
        (from..self.places()).find_map(|place| {
            let key = self.key_at(place)?;
            table.holds(key).then_some((place, key))
        })
    }

    /// Where a key lies (`findindex`).
    pub(crate) fn place_of(&self, key: Value<'gc>) -> Option<usize> {
        if let Some(keys) = &self.fixed {
            return keys.iter().position(|known| same(*known, key));
        }
        if let Some(index) = plain(key)?.index()
            && index <= self.array
        {
            return Some(index - 1);
        }
        let mut at = self.home(key)?;
        loop {
            if self.keys.get(at)?.is_some_and(|known| same(known, key)) {
                return Some(self.array + at);
            }
            at = self.chains.after(at)?;
        }
    }

    /// A border of the list in the table (`luaH_getn`).
    pub(crate) fn border(&self, table: &impl Holds<'gc>) -> usize {
        let holds = |index: usize| table.holds(Value::Number(index as f64));
        let (mut low, mut high) = (0, self.array);
        if high == 0 || holds(high) {
            if self.keys.is_empty() {
                return high;
            }
            low = high;
            high += 1;
            while holds(high) {
                low = high;
                high = high.saturating_mul(2);
                if high > 1 << 31 {
                    return (1..).find(|index| !holds(*index)).unwrap_or(1) - 1;
                }
            }
        }
        while high - low > 1 {
            let middle = (low + high) / 2;
            if holds(middle) {
                low = middle;
            } else {
                high = middle;
            }
        }
        low
    }

    /// Gives a key without a value a place (`luaH_set`).
    pub(crate) fn insert(&mut self, key: Value<'gc>, table: &impl Holds<'gc>) {
        if self.fixed.is_some() || self.place_of(key).is_some() {
            return;
        }
        let Some(home) = self.home(key) else { return self.rehash(key, table) };
        let mut nodes = Nodes { keys: &mut self.keys, table };
        let Some(place) = self.chains.place(home, &mut nodes) else {
            return self.rehash(key, table);
        };
        if let Some(node) = self.keys.get_mut(place) {
            *node = Some(key);
            self.taken += 1;
        }
    }

    /// Makes both parts as large as they must be (`rehash`), `key` included, and inserts it.
    fn rehash(&mut self, key: Value<'gc>, table: &impl Holds<'gc>) {
        let mut census = Census::default();
        let mut total = 1;
        let array = (1..=self.array).map(|index| Value::Number(index as f64));
        for known in array.chain(self.keys.iter().copied().flatten()) {
            if table.holds(known) {
                count(&mut census, known);
                total += 1;
            }
        }
        count(&mut census, key);
        let (size, inside) = census.array();
        self.resize(size, total - inside, table);
        self.insert(key, table);
    }

    /// `luaH_resize`.
    fn resize(&mut self, array: usize, hash: usize, table: &impl Holds<'gc>) {
        let old_array = std::mem::replace(&mut self.array, array);
        self.chains = Chains::new(hash);
        self.taken = 0;
        self.weight.set(self.chains.size() * PLACE);
        let old_keys = std::mem::replace(&mut self.keys, vec![None; self.chains.size()]);
        // What moves has a value, and so have the keys that are in place already.
        for index in array + 1..=old_array {
            let key = Value::Number(index as f64);
            if table.holds(key) {
                self.insert(key, table);
            }
        }
        for key in old_keys.into_iter().rev().flatten() {
            if table.holds(key) {
                self.insert(key, table);
            }
        }
    }

    /// The place where a key is at home; `None` when there is no hash part.
    fn home(&self, key: Value<'gc>) -> Option<usize> {
        let size = self.chains.size();
        if size == 0 { None } else { plain(key).map(|key| key.home(size)) }
    }
}

/// How much of a Lua state's memory a model counts for: it lies outside of the collector's.
#[derive(Default)]
struct Weight {
    metrics: Option<Metrics>,
    bytes: usize,
}

impl Weight {
    fn set(&mut self, bytes: usize) {
        if let Some(metrics) = &self.metrics {
            metrics.mark_external_allocation(bytes);
            metrics.mark_external_deallocation(self.bytes);
            self.bytes = bytes;
        }
    }
}

impl Drop for Weight {
    fn drop(&mut self) {
        self.set(0);
    }
}

/// The hash part of a table.
struct Nodes<'a, 'gc, T> {
    keys: &'a mut Vec<Option<Value<'gc>>>,
    table: &'a T,
}

impl<'gc, T: Holds<'gc>> Places for Nodes<'_, 'gc, T> {
    fn used(&self, place: usize) -> bool {
        self.keys.get(place).is_some_and(Option::is_some)
    }

    fn alive(&self, place: usize) -> bool {
        let key = self.keys.get(place).copied().flatten();
        key.is_some_and(|key| self.table.holds(key))
    }

    fn home(&self, place: usize) -> usize {
        let key = self.keys.get(place).copied().flatten().and_then(plain);
        key.map_or(place, |key| key.home(self.keys.len()))
    }

    fn shift(&mut self, from: usize, to: usize) {
        let key = self.keys.get_mut(from).and_then(Option::take);
        if let Some(node) = self.keys.get_mut(to) {
            *node = key;
        }
    }
}

/// What of a key decides its place; nil has none.
fn plain(key: Value<'_>) -> Option<Key<'_>> {
    Some(match key {
        Value::Nil => return None,
        Value::Boolean(value) => Key::Boolean(value),
        Value::Integer(number) => Key::Number(number as f64),
        Value::Number(number) => Key::Number(number),
        Value::String(text) => Key::Text(text.as_bytes()),
        object => Key::Object(crate::value::address(object)),
    })
}

fn count(census: &mut Census, key: Value<'_>) {
    if let Some(key) = plain(key) {
        census.count(key);
    }
}

fn same<'gc>(a: Value<'gc>, b: Value<'gc>) -> bool {
    crate::value::raw_equal(a, b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    struct Numbers(BTreeSet<i64>);

    impl<'gc> Holds<'gc> for Numbers {
        fn holds(&self, key: Value<'gc>) -> bool {
            matches!(key, Value::Number(n) if self.0.contains(&(n as i64)))
        }
    }

    fn walk(keys: &[i64]) -> Vec<i64> {
        let mut layout = Layout::new(0, 0);
        let mut table = Numbers(BTreeSet::new());
        for &key in keys {
            layout.insert(Value::Number(key as f64), &table);
            table.0.insert(key);
        }
        let mut order = Vec::new();
        let mut from = 0;
        while let Some((place, Value::Number(key))) = layout.occupied(from, &table) {
            order.push(key as i64);
            from = place + 1;
        }
        assert_eq!(order.len(), table.0.len());
        order
    }

    #[test]
    fn lists_are_walked_in_order() {
        assert_eq!(walk(&[1, 2, 3, 4, 5, 6, 7]), [1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(walk(&[3, 2, 1]), [1, 2, 3]);
    }
}
