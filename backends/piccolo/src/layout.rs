//! In which order Lua 5.1 would walk a table (`ltable.c`).
//!
//! Owns a model of the array and the hash part of a table: which key lies where, without the
//! values. piccolo's tables keep no order of their own, and scripts see Lua's in `pairs`, in
//! what `cjson.encode` writes and in the length of lists with holes. It must not know how
//! piccolo stores anything.

use gc_arena::Collect;
use piccolo::Value;

/// The largest array part (`MAXASIZE`).
const MAX_ARRAY: f64 = 67_108_864.0;
const MAX_BITS: usize = 26;

/// A place in the hash part.
#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
struct Node<'gc> {
    /// `None` while no key ever lay here.
    key: Option<Value<'gc>>,
    next: Option<u32>,
}

/// The parts of a table.
#[derive(Collect)]
#[collect(no_drop)]
pub(crate) struct Layout<'gc> {
    /// How many places the array part has.
    array: usize,
    /// The hash part; its length is 0 or a power of two.
    nodes: Vec<Node<'gc>>,
    /// All places from here on are taken.
    last_free: usize,
    /// The keys in this order instead, for tables that never change.
    fixed: Option<Vec<Value<'gc>>>,
}

/// What the model asks of the table: whether a key has a value.
pub(crate) trait Holds<'gc> {
    /// Whether `table[key]` is not nil.
    fn holds(&self, key: Value<'gc>) -> bool;
}

impl<'gc> Layout<'gc> {
    /// The parts that `lua_createtable` makes.
    pub(crate) fn new(array: usize, hash: usize) -> Self {
        let mut layout = Layout { array, nodes: Vec::new(), last_free: 0, fixed: None };
        layout.make_nodes(hash);
        layout
    }

    /// The order of a table that never changes.
    pub(crate) fn fixed(keys: Vec<Value<'gc>>) -> Self {
        Layout { array: 0, nodes: Vec::new(), last_free: 0, fixed: Some(keys) }
    }

    fn make_nodes(&mut self, size: usize) {
        let size = if size == 0 { 0 } else { size.next_power_of_two() };
        self.nodes.clear();
        self.nodes.resize(size, Node { key: None, next: None });
        self.last_free = size;
    }

    /// How many places there are to walk over.
    fn places(&self) -> usize {
        match &self.fixed {
            Some(keys) => keys.len(),
            None => self.array + self.nodes.len(),
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
        self.nodes.get(place - self.array)?.key
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
        if let Some(index) = array_index(key)
            && index <= self.array
        {
            return Some(index - 1);
        }
        let mut at = self.main_position(key)?;
        loop {
            let node = self.nodes.get(at)?;
            if node.key.is_some_and(|known| same(known, key)) {
                return Some(self.array + at);
            }
            at = node.next? as usize;
        }
    }

    /// A border of the list in the table (`luaH_getn`).
    pub(crate) fn border(&self, table: &impl Holds<'gc>) -> usize {
        let holds = |index: usize| table.holds(Value::Number(index as f64));
        let (mut low, mut high) = (0, self.array);
        if high == 0 || holds(high) {
            if self.nodes.is_empty() {
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

    /// Gives a key without a value a place (`luaH_set`, `newkey`).
    pub(crate) fn insert(&mut self, key: Value<'gc>, table: &impl Holds<'gc>) {
        if self.fixed.is_some() || self.place_of(key).is_some() {
            return;
        }
        let Some(main) = self.main_position(key) else { return self.rehash(key, table) };
        let alive = |node: &Node<'gc>| node.key.is_some_and(|key| table.holds(key));
        let Some(taken) = self.nodes.get(main).copied() else { return };
        let mut target = main;
        if alive(&taken) {
            let Some(free) = self.free_place() else { return self.rehash(key, table) };
            let other = taken.key.and_then(|key| self.main_position(key)).unwrap_or(main);
            if other == main {
                // The new key goes into the free place, behind the one that is at home here.
                self.set(free, Node { key: None, next: taken.next });
                self.set(main, Node { next: u32::try_from(free).ok(), ..taken });
                target = free;
            } else {
                // The one that is here is not at home: it moves to the free place.
                self.relink(other, main, free);
                self.set(free, taken);
                self.set(main, Node { key: None, next: None });
            }
        }
        if let Some(node) = self.nodes.get_mut(target) {
            node.key = Some(key);
        }
    }

    fn set(&mut self, place: usize, node: Node<'gc>) {
        if let Some(there) = self.nodes.get_mut(place) {
            *there = node;
        }
    }

    /// Makes the chain that begins at `from` lead to `new` where it led to `old`.
    fn relink(&mut self, from: usize, old: usize, new: usize) {
        let mut at = from;
        while let Some(node) = self.nodes.get_mut(at) {
            match node.next {
                Some(next) if next as usize == old => {
                    node.next = u32::try_from(new).ok();
                    return;
                }
                Some(next) => at = next as usize,
                None => return,
            }
        }
    }

    /// `getfreepos`.
    fn free_place(&mut self) -> Option<usize> {
        while let Some(place) = self.last_free.checked_sub(1) {
            self.last_free = place;
            if self.nodes.get(place).is_some_and(|node| node.key.is_none()) {
                return Some(place);
            }
        }
        None
    }

    /// Makes both parts as large as they must be (`rehash`), `key` included, and inserts it.
    fn rehash(&mut self, key: Value<'gc>, table: &impl Holds<'gc>) {
        let mut counts = [0usize; MAX_BITS + 1];
        let mut total = 1;
        let mut integers = 0;
        let mut count = |key: Value<'gc>| {
            if let Some(index) = array_index(key)
                && let Some(slot) = counts.get_mut(log2_up(index))
            {
                *slot += 1;
                integers += 1;
            }
        };
        for index in 1..=self.array {
            let key = Value::Number(index as f64);
            if table.holds(key) {
                count(key);
                total += 1;
            }
        }
        for known in self.nodes.iter().filter_map(|node| node.key) {
            if table.holds(known) {
                count(known);
                total += 1;
            }
        }
        count(key);
        let (size, inside) = array_size(&counts, integers);
        self.resize(size, total - inside, table);
        self.insert(key, table);
    }

    /// `luaH_resize`.
    fn resize(&mut self, array: usize, hash: usize, table: &impl Holds<'gc>) {
        let old_array = std::mem::replace(&mut self.array, array);
        let old_nodes = std::mem::take(&mut self.nodes);
        self.make_nodes(hash);
        // What moves has a value, and so have the keys that are in place already.
        for index in array + 1..=old_array {
            let key = Value::Number(index as f64);
            if table.holds(key) {
                self.insert(key, table);
            }
        }
        for key in old_nodes.iter().rev().filter_map(|node| node.key) {
            if table.holds(key) {
                self.insert(key, table);
            }
        }
    }

    /// `mainposition`; `None` when there is no hash part.
    fn main_position(&self, key: Value<'gc>) -> Option<usize> {
        let size = u32::try_from(self.nodes.len()).ok().filter(|size| *size > 0)?;
        let modulo = |hash: u32| hash % ((size - 1) | 1);
        let place = match key {
            Value::Nil => return None,
            Value::Boolean(value) => u32::from(value) & (size - 1),
            Value::Integer(number) => modulo(number_hash(number as f64)?),
            Value::Number(number) => match number_hash(number) {
                Some(hash) => modulo(hash),
                None => 0,
            },
            Value::String(text) => string_hash(text.as_bytes()) & (size - 1),
            object => modulo(crate::value::address(object) as u32),
        };
        Some(place as usize)
    }
}

/// `hashnum`; zero, whatever its sign, lies in the first place.
fn number_hash(number: f64) -> Option<u32> {
    if number == 0.0 {
        return None;
    }
    let bits = number.to_bits();
    Some((bits as u32).wrapping_add((bits >> 32) as u32))
}

/// The hash of a string in Lua 5.1 (`luaS_newlstr`).
fn string_hash(text: &[u8]) -> u32 {
    let mut hash = text.len() as u32;
    let step = (text.len() >> 5) + 1;
    let mut at = text.len();
    while at >= step {
        let byte = text.get(at - 1).copied().unwrap_or(0);
        let mixed = (hash << 5).wrapping_add(hash >> 2).wrapping_add(u32::from(byte));
        hash ^= mixed;
        at -= step;
    }
    hash
}

/// The index that a key is, if the array part could hold it (`arrayindex`).
fn array_index(key: Value<'_>) -> Option<usize> {
    let number = match key {
        Value::Number(number) => number,
        Value::Integer(number) => number as f64,
        _ => return None,
    };
    let fits = (1.0..=MAX_ARRAY).contains(&number) && number.fract() == 0.0;
    fits.then_some(number as usize)
}

/// The smallest `n` with `2^n >= index` (`ceillog2`).
fn log2_up(index: usize) -> usize {
    index.next_power_of_two().trailing_zeros() as usize
}

/// `computesizes`: the size of the array part, and how many of the integer keys go there.
fn array_size(counts: &[usize], integers: usize) -> (usize, usize) {
    let (mut smaller, mut size, mut inside) = (0, 0, 0);
    for (bit, count) in counts.iter().enumerate() {
        let power = 1usize << bit;
        if power / 2 >= integers {
            break;
        }
        if *count > 0 {
            smaller += count;
            if smaller > power / 2 {
                size = power;
                inside = smaller;
            }
        }
        if smaller == integers {
            break;
        }
    }
    (size, inside)
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

    #[test]
    fn strings_hash_as_in_lua() {
        // pairs{a=1,b=2,c=3,d=4} of Lua 5.1 gives a, c, b, d.
        let order = [b"a", b"b", b"c", b"d"].map(|name| string_hash(name) & 3);
        let mut sorted = order;
        sorted.sort_unstable();
        assert_eq!(sorted, [0, 1, 2, 3]);
    }
}
