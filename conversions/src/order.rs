//! In which order Lua 5.1 walks a table (`ltable.c`).
//!
//! Owns where a key lies in the hash part, how large the parts are, and the order of a table of
//! which only the contents are known. It must not know how an engine stores anything.

use std::cmp::Ordering;

/// The largest array part (`MAXASIZE`).
const MAX_ARRAY: f64 = 67_108_864.0;
/// How many sizes an array part can have (`MAXBITS`, and 1).
const SIZES: usize = 27;

/// What of a key decides its place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Key<'a> {
    /// A boolean.
    Boolean(bool),
    /// A number.
    Number(f64),
    /// A string.
    Text(&'a [u8]),
    /// Anything else, by its address.
    Object(usize),
}

impl Key<'_> {
    /// Its place in a hash part of `size` places, a power of two, if nobody else is there
    /// (`mainposition`).
    pub fn home(self, size: usize) -> usize {
        let size = u32::try_from(size).unwrap_or(1 << 31).max(1);
        let modulo = |hash: u32| hash % ((size - 1) | 1);
        let place = match self {
            Key::Boolean(value) => u32::from(value) & (size - 1),
            // Zero, whatever its sign (`hashnum`).
            Key::Number(0.0) => 0,
            Key::Number(number) => {
                let bits = number.to_bits();
                modulo((bits as u32).wrapping_add((bits >> 32) as u32))
            }
            Key::Text(text) => text_hash(text) & (size - 1),
            Key::Object(address) => modulo(address as u32),
        };
        place as usize
    }

    /// The index that it is, if the array part could hold it (`arrayindex`).
    pub fn index(self) -> Option<usize> {
        match self {
            Key::Number(number) if (1.0..=MAX_ARRAY).contains(&number) && number.fract() == 0.0 => {
                Some(number as usize)
            }
            _ => None,
        }
    }

    /// The order in which keys are taken to have been set when nobody knows.
    fn guess(self, other: Self) -> Ordering {
        fn rank(key: Key<'_>) -> u8 {
            match key {
                Key::Number(_) => 0,
                Key::Text(_) => 1,
                Key::Boolean(_) => 2,
                Key::Object(_) => 3,
            }
        }
        match (self, other) {
            (Key::Number(a), Key::Number(b)) => {
                a.abs().total_cmp(&b.abs()).then_with(|| b.total_cmp(&a))
            }
            (Key::Text(a), Key::Text(b)) => a.cmp(b),
            (Key::Boolean(a), Key::Boolean(b)) => a.cmp(&b),
            (Key::Object(a), Key::Object(b)) => a.cmp(&b),
            (a, b) => rank(a).cmp(&rank(b)),
        }
    }
}

/// The hash of a string (`luaS_newlstr`).
fn text_hash(text: &[u8]) -> u32 {
    let mut hash = text.len() as u32;
    let step = (text.len() >> 5) + 1;
    let mut at = text.len();
    while at >= step {
        let byte = text.get(at - 1).copied().unwrap_or(0);
        hash ^= (hash << 5).wrapping_add(hash >> 2).wrapping_add(u32::from(byte));
        at -= step;
    }
    hash
}

/// How large the array part is made, by the indices among the keys (`computesizes`).
#[derive(Clone, Debug, Default)]
pub struct Census {
    /// How many indices are above half of each size and not above the size.
    counts: [usize; SIZES],
    indices: usize,
}

impl Census {
    /// Counts a key; keys that are no index do not matter.
    pub fn count(&mut self, key: Key<'_>) {
        if let Some(index) = key.index()
            && let Some(count) =
                self.counts.get_mut(index.next_power_of_two().trailing_zeros() as usize)
        {
            *count += 1;
            self.indices += 1;
        }
    }

    /// The size of the array part, and how many of the keys it takes.
    pub fn array(&self) -> (usize, usize) {
        let (mut smaller, mut size, mut inside) = (0, 0, 0);
        for (bit, count) in self.counts.iter().enumerate() {
            let power = 1usize << bit;
            if power / 2 >= self.indices {
                break;
            }
            if *count > 0 {
                smaller += count;
                if smaller > power / 2 {
                    size = power;
                    inside = smaller;
                }
            }
            if smaller == self.indices {
                break;
            }
        }
        (size, inside)
    }
}

/// The places of a hash part, as somebody keeps them.
pub trait Places {
    /// Whether a key was ever put there.
    fn used(&self, place: usize) -> bool;
    /// Whether its key has a value.
    fn alive(&self, place: usize) -> bool;
    /// The home of the key there.
    fn home(&self, place: usize) -> usize;
    /// Moves a key to another place.
    fn shift(&mut self, from: usize, to: usize);
}

/// Which place of a hash part leads to which: keys with the same home are in one chain.
#[derive(Clone, Debug, Default)]
pub struct Chains {
    next: Vec<Option<u32>>,
    /// All places from here on are taken.
    last_free: usize,
}

impl Chains {
    /// A hash part with room for so many keys (`setnodevector`).
    pub fn new(keys: usize) -> Self {
        let size = if keys == 0 { 0 } else { keys.next_power_of_two() };
        Chains { next: vec![None; size], last_free: size }
    }

    /// How many places there are: none or a power of two.
    pub fn size(&self) -> usize {
        self.next.len()
    }

    /// The place that follows in the chain.
    pub fn after(&self, place: usize) -> Option<usize> {
        self.next.get(place).copied().flatten().map(|next| next as usize)
    }

    /// Finds a place for a new key with that home (`newkey`); `None` when all are taken.
    pub fn place(&mut self, home: usize, places: &mut impl Places) -> Option<usize> {
        if home >= self.size() {
            return None;
        }
        if !places.alive(home) {
            return Some(home);
        }
        let free = self.free(places)?;
        let other = places.home(home);
        if other == home {
            // The new key goes into the free place, behind the one that is at home here.
            self.set(free, self.after(home));
            self.set(home, Some(free));
            Some(free)
        } else {
            // The one that is here is not at home: it moves to the free place.
            let mut before = other;
            while let Some(next) = self.after(before) {
                if next == home {
                    self.set(before, Some(free));
                    break;
                }
                before = next;
            }
            self.set(free, self.after(home));
            self.set(home, None);
            places.shift(home, free);
            Some(home)
        }
    }

    /// `getfreepos`.
    fn free(&mut self, places: &impl Places) -> Option<usize> {
        while let Some(place) = self.last_free.checked_sub(1) {
            self.last_free = place;
            if !places.used(place) {
                return Some(place);
            }
        }
        None
    }

    fn set(&mut self, place: usize, next: Option<usize>) {
        if let Some(link) = self.next.get_mut(place) {
            *link = next.and_then(|next| u32::try_from(next).ok());
        }
    }
}

/// The order of a table with these keys, as positions among them. How the table came to be is
/// not known, and matters to Lua 5.1 where keys share a home: it is taken to have been made in
/// the order of its keys.
pub fn order(keys: &[Key<'_>]) -> Vec<usize> {
    let mut census = Census::default();
    for key in keys {
        census.count(*key);
    }
    let (array, _) = census.array();
    let in_array = |key: Key<'_>| key.index().filter(|index| *index <= array);
    let at = |position: usize| keys.get(position).copied().unwrap_or(Key::Object(0));

    let (mut listed, mut hashed): (Vec<usize>, Vec<usize>) =
        (0..keys.len()).partition(|position| in_array(at(*position)).is_some());
    listed.sort_unstable_by_key(|position| in_array(at(*position)));
    hashed.sort_unstable_by(|a, b| at(*a).guess(at(*b)));

    let mut chains = Chains::new(hashed.len());
    let mut known = Known { keys, size: chains.size(), places: vec![None; chains.size()] };
    for position in hashed {
        let place = chains.place(at(position).home(known.size), &mut known);
        if let Some(place) = place.and_then(|place| known.places.get_mut(place)) {
            *place = Some(position);
        }
    }
    listed.extend(known.places.into_iter().flatten());
    listed
}

/// A hash part of keys that all have values.
struct Known<'a> {
    keys: &'a [Key<'a>],
    size: usize,
    /// Which key lies in each place.
    places: Vec<Option<usize>>,
}

impl Places for Known<'_> {
    fn used(&self, place: usize) -> bool {
        self.places.get(place).is_some_and(Option::is_some)
    }

    fn alive(&self, place: usize) -> bool {
        self.used(place)
    }

    fn home(&self, place: usize) -> usize {
        let position = self.places.get(place).copied().flatten();
        position.and_then(|at| self.keys.get(at)).map_or(0, |key| key.home(self.size))
    }

    fn shift(&mut self, from: usize, to: usize) {
        let key = self.places.get_mut(from).and_then(Option::take);
        if let Some(place) = self.places.get_mut(to) {
            *place = key;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<&str> {
        let names: Vec<&str> = text.split(' ').collect();
        let keys: Vec<Key<'_>> = names.iter().map(|name| Key::Text(name.as_bytes())).collect();
        order(&keys).into_iter().filter_map(|at| names.get(at).copied()).collect()
    }

    #[test]
    fn strings_lie_where_lua_puts_them() {
        // What Lua 5.1 shows of {a=1,b=2,c=3}, of {name=…,id=…,tags=…} and of eight keys.
        assert_eq!(names("a b c"), ["a", "c", "b"]);
        assert_eq!(names("name id tags"), ["id", "name", "tags"]);
        assert_eq!(
            names("k1 k2 k3 k4 k5 k6 k7 k8"),
            ["k5", "k4", "k6", "k8", "k1", "k7", "k3", "k2"]
        );
    }

    #[test]
    fn the_order_depends_on_the_contents_alone() {
        assert_eq!(names("one two three four five"), names("five four three two one"));
    }

    #[test]
    fn indices_come_first_and_in_order() {
        let keys = [Key::Text(b"n"), Key::Number(2.0), Key::Number(1.0), Key::Number(3.0)];
        assert_eq!(order(&keys), [2, 1, 3, 0]);
    }

    #[test]
    fn other_numbers_are_hashed() {
        // {[10]=…,[20]=…,[30]=…}
        let keys = [10.0, 20.0, 30.0].map(Key::Number);
        assert_eq!(order(&keys), [2, 0, 1]);
        let keys = [-2.0, -1.0].map(Key::Number);
        assert_eq!(order(&keys), [1, 0]);
    }

    #[test]
    fn every_key_has_one_place() {
        let texts: Vec<String> = (0..200).map(|number| format!("key:{number}")).collect();
        let keys: Vec<Key<'_>> = texts.iter().map(|text| Key::Text(text.as_bytes())).collect();
        let mut order = order(&keys);
        order.sort_unstable();
        assert_eq!(order, (0..200).collect::<Vec<usize>>());
    }

    #[test]
    fn the_array_part_is_more_than_half_full() {
        let mut census = Census::default();
        for index in [1, 2, 3, 5, 100] {
            census.count(Key::Number(f64::from(index)));
        }
        assert_eq!(census.array(), (4, 3));
    }
}
