//! In which order Lua 5.1 walks a table (`ltable.c`).
//!
//! Owns where a key lies in the hash part, how large the parts are, and the order of a table of
//! which only the contents are known. It must not know how an engine stores anything.

use std::cmp::Ordering;

use smallvec::SmallVec;

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

/// The hash of a string in the server's Lua, of all its bytes from the end.
#[inline]
fn text_hash(text: &[u8]) -> u32 {
    text.iter().rev().fold(text.len() as u32, mix)
}

/// The hash of a string in Lua 5.1 as others build it, of some 32 bytes of long strings
/// (`luaS_newlstr`).
#[inline]
pub(crate) fn sampled_hash(text: &[u8]) -> u32 {
    match text.len() >> 5 {
        0 => text_hash(text),
        more => {
            let some = text.iter().rev().step_by(more + 1).take(text.len() / (more + 1));
            some.fold(text.len() as u32, mix)
        }
    }
}

#[inline]
fn mix(hash: u32, byte: &u8) -> u32 {
    hash ^ (hash << 5).wrapping_add(hash >> 2).wrapping_add(u32::from(*byte))
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

    let mut listed = Vec::with_capacity(keys.len());
    let mut hashed: SmallVec<[usize; 32]> = SmallVec::new();
    if array == 0 {
        hashed.extend(0..keys.len());
    } else {
        for position in 0..keys.len() {
            match in_array(at(position)) {
                Some(_) => listed.push(position),
                None => hashed.push(position),
            }
        }
        listed.sort_unstable_by_key(|position| in_array(at(*position)));
    }
    hashed.sort_unstable_by(|a, b| at(*a).guess(at(*b)));

    let mut chains = Chains::new(hashed.len());
    let mut known =
        Known { keys, size: chains.size(), places: SmallVec::from_elem(None, chains.size()) };
    for position in hashed {
        let place = chains.place(at(position).home(known.size), &mut known);
        if let Some(place) = place.and_then(|place| known.places.get_mut(place)) {
            *place = Some(position);
        }
    }
    listed.extend(known.places.into_iter().flatten());
    listed
}

/// The most keys that [`regrown`] knows how to order.
pub const REGROWN: usize = 16;

/// How a table with some keys is made at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Regrown {
    /// For how many keys the table has to be made.
    pub size: usize,
    order: [u8; REGROWN],
    len: usize,
}

impl Regrown {
    /// The keys to set in it, in this order, as positions among all.
    #[inline]
    pub fn order(&self) -> &[u8] {
        self.order.get(..self.len).unwrap_or_default()
    }
}

/// How to make a table in which keys lie as in one that grew with them, key after key: whenever
/// it was full, `rehash` made a larger one and set what was there again, from the last place to
/// the first. There are at most [`REGROWN`] keys, all of them strings with those hashes and
/// different from one another. The bits of `nils` tell which are set to nil: such a key takes a
/// place, but another may take that from it, and `rehash` leaves it out.
#[inline]
pub fn regrown(hashes: &[u32], nils: u32) -> Regrown {
    let len = hashes.len().min(REGROWN);
    let mut known = [0; REGROWN];
    for (known, hash) in known.iter_mut().zip(hashes) {
        *known = *hash as usize;
    }
    if nils != 0 {
        return regrown_with_nils(&known, len, nils);
    }
    let mut order: [u8; REGROWN] = std::array::from_fn(|position| position as u8);
    let mut size = 2;
    while size < len {
        let mut table = Few::new(size);
        for &key in order.iter().take(size) {
            table.set(key, &known, 0);
        }
        for (key, place) in order.iter_mut().zip((0..size).rev()) {
            *key = table.keys[place & MASK];
        }
        size *= 2;
    }
    Regrown { size: len, order, len }
}

#[cold]
fn regrown_with_nils(hashes: &[usize; REGROWN], keys: usize, nils: u32) -> Regrown {
    let mut table = Few::new(0);
    let mut order = [0; REGROWN];
    let mut len = 0;
    for new in 0..keys as u8 {
        if !table.set(new, hashes, nils) {
            // `rehash` counts those with a value and the new one.
            len = 0;
            for place in (0..table.size).rev() {
                let key = table.keys[place & MASK];
                if nils >> key & 1 == 0 {
                    order[len & MASK] = key;
                    len += 1;
                }
            }
            table = Few::new((len + 1).next_power_of_two());
            for &key in order.iter().take(len).chain([&new]) {
                table.set(key, hashes, nils);
            }
        }
        order[len & MASK] = new;
        len += 1;
    }
    Regrown { size: table.size, order, len }
}

/// Indices are below [`REGROWN`], so that masking them changes nothing.
const MASK: usize = REGROWN - 1;

/// A hash part of few places.
struct Few {
    size: usize,
    /// Which key is in each place, if the place is not among the free.
    keys: [u8; REGROWN],
    /// The free places, by a bit each.
    free: u32,
}

impl Few {
    #[inline]
    fn new(size: usize) -> Self {
        Few { size, keys: [0; REGROWN], free: (1 << size) - 1 }
    }

    /// Sets a key (`newkey`); `false` when there is no place for it.
    #[inline]
    fn set(&mut self, key: u8, hashes: &[usize; REGROWN], nils: u32) -> bool {
        let Some(mask) = self.size.checked_sub(1) else { return false };
        let home_of = |key: u8| hashes[usize::from(key) & MASK] & mask & MASK;
        let home = home_of(key);
        let other = self.keys[home];
        if self.free >> home & 1 == 1 || nils >> other & 1 == 1 {
            self.keys[home] = key;
            self.free &= !(1 << home);
            return true;
        }
        // `getfreepos` goes down from the last place; none becomes free again.
        let Some(spare) = self.free.checked_ilog2() else { return false };
        let spare = spare as usize & MASK;
        if home_of(other) == home {
            self.keys[spare] = key;
        } else {
            // Who is not at home gives way.
            self.keys[spare] = other;
            self.keys[home] = key;
        }
        self.free &= !(1 << spare);
        true
    }
}

/// A hash part of keys that all have values.
struct Known<'a> {
    keys: &'a [Key<'a>],
    size: usize,
    /// Which key lies in each place.
    places: SmallVec<[Option<usize>; 16]>,
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

    /// A hash part as Lua keeps it, and which of the keys in it have values.
    struct Grown<'a> {
        known: Known<'a>,
        nils: u32,
    }

    impl Places for Grown<'_> {
        fn used(&self, place: usize) -> bool {
            self.known.used(place)
        }

        fn alive(&self, place: usize) -> bool {
            self.known.places[place].is_some_and(|key| self.nils >> key & 1 == 0)
        }

        fn home(&self, place: usize) -> usize {
            self.known.home(place)
        }

        fn shift(&mut self, from: usize, to: usize) {
            self.known.shift(from, to);
        }
    }

    impl<'a> Grown<'a> {
        fn new(keys: &'a [Key<'a>], size: usize, nils: u32) -> (Self, Chains) {
            let chains = Chains::new(size);
            let places = vec![None; chains.size()];
            (
                Grown { known: Known { keys, size: chains.size(), places: places.into() }, nils },
                chains,
            )
        }

        fn set(&mut self, chains: &mut Chains, key: usize) -> bool {
            let home = self.known.keys[key].home(self.known.size);
            let place = chains.place(home, self);
            if let Some(place) = place {
                self.known.places[place] = Some(key);
            }
            place.is_some()
        }
    }

    /// The places of keys in a table that grows with them: `luaH_set`, `newkey`, `rehash`.
    fn grown(keys: &[Key<'_>], nils: u32) -> Vec<Option<usize>> {
        let (mut table, mut chains) = Grown::new(keys, 0, nils);
        for key in 0..keys.len() {
            if !table.set(&mut chains, key) {
                let old = table.known.places.iter().rev().flatten().copied();
                let old: Vec<usize> = old.filter(|key| nils >> key & 1 == 0).collect();
                (table, chains) = Grown::new(keys, old.len() + 1, nils);
                assert!(old.into_iter().chain([key]).all(|key| table.set(&mut chains, key)));
            }
        }
        table.known.places.into_vec()
    }

    #[test]
    fn a_table_that_got_its_keys_at_once_is_as_one_that_grew() {
        let mut state: u32 = 1;
        let mut random = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state >> 16
        };
        for round in 0..8000 {
            let texts: Vec<String> = (0..round % (REGROWN + 1))
                .map(|number| format!("{}{number}", "key".repeat(random() as usize & 15)))
                .collect();
            let nils = if round % 2 == 0 { 0 } else { random() & random() };
            let keys: Vec<Key<'_>> = texts.iter().map(|text| Key::Text(text.as_bytes())).collect();
            let hashes: Vec<u32> = texts.iter().map(|text| text_hash(text.as_bytes())).collect();
            let regrown = regrown(&hashes, nils);
            let (mut table, mut chains) = Grown::new(&keys, regrown.size, nils);
            for &key in regrown.order() {
                assert!(table.set(&mut chains, key.into()));
            }
            assert_eq!(table.known.places.to_vec(), grown(&keys, nils), "{texts:?} {nils:b}");
        }
    }

    #[test]
    fn long_strings_count_with_all_their_bytes() {
        // As `pairs` of a server has them.
        let short = ["b", "a", "c", "d", "e"].map(|text| Key::Text(text.as_bytes()));
        let walked = |len: usize| {
            let long = "w".repeat(len);
            let mut keys = vec![Key::Text(long.as_bytes())];
            keys.extend(short.iter().copied());
            order(&keys).iter().position(|key| *key == 0)
        };
        assert_eq!(walked(33), Some(1));
        assert_eq!(walked(40), walked(31));
        assert_eq!(walked(63), Some(5));
        assert_eq!(walked(64), Some(1));
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
