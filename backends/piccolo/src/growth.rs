//! When piccolo's map of a table grows, and what that takes.
//!
//! Owns the count of new keys for which the map surely has room. piccolo doubles a full map beside
//! the old one and asks nobody, so a table with a layout asks for room ahead, at moments that are
//! known here. It must not know the order of the keys.

/// Bytes of a pair in piccolo's map.
const PAIR: usize = 41;
/// With fewer keys a map grows one by one, without anybody asking.
const LARGE: usize = 1 << 12;
/// Keys that scripts do not see and nobody counts.
const HIDDEN: usize = 4;

/// What is known of the map of a table.
#[derive(Default)]
pub(crate) struct Map {
    /// New keys for which there is room.
    free: usize,
    /// The integer keys from 1 to this are in piccolo's list, not in the map.
    listed: usize,
}

/// How a map is to grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Growth {
    /// New keys to have room for, hidden ones among them.
    pub(crate) keys: usize,
    /// Bytes of the new map.
    pub(crate) bytes: usize,
}

impl Map {
    /// Of a table whose keys up to `listed` are in a list.
    pub(crate) fn new(listed: usize) -> Self {
        Map { free: 0, listed }
    }

    /// The integer keys from 1 to this are not in the map.
    pub(crate) fn listed(&self) -> usize {
        self.listed
    }

    /// How the map must grow for one more key, `None` when there is room; `places` is the most
    /// keys there may be, `live` counts those that are.
    pub(crate) fn growth(&self, places: usize, live: impl FnOnce() -> usize) -> Option<Growth> {
        if self.free > 0 {
            return None;
        }
        if places < LARGE {
            return Some(Growth { keys: 1, bytes: 0 });
        }
        let live = live();
        // A map is full at seven eighths; with little room it would be counted again soon.
        let wanted = live + live / 8 + 2 * HIDDEN;
        let buckets = (wanted.saturating_mul(8) / 7).next_power_of_two();
        let keys = (buckets / 8 * 7).saturating_sub(live + HIDDEN);
        Some(Growth { keys, bytes: buckets.saturating_mul(PAIR) })
    }

    /// It has grown.
    pub(crate) fn grown(&mut self, growth: Growth) {
        let hidden = if growth.bytes > 0 { HIDDEN } else { 0 };
        self.free = growth.keys.saturating_sub(hidden).max(1);
    }

    /// One more key is there.
    pub(crate) fn take(&mut self) {
        self.free = self.free.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_map_is_asked_for_rarely_and_said_to_grow_when_it_does() {
        let mut map = Map::new(0);
        let (mut room, mut asked, mut last) = (0usize, 0, 0);
        for keys in 0..1usize << 20 {
            if let Some(growth) = map.growth(keys, || keys) {
                if keys >= LARGE {
                    asked += 1;
                    // What hashbrown makes of it (`capacity_to_buckets`).
                    let buckets = ((keys + growth.keys + HIDDEN) * 8 / 7).next_power_of_two();
                    assert_eq!(buckets * PAIR, growth.bytes);
                    assert!(growth.bytes > last);
                    last = growth.bytes;
                }
                room = keys + growth.keys;
                map.grown(growth);
            }
            map.take();
            assert!(keys < room);
        }
        assert!((8..=10).contains(&asked), "{asked}");
    }
}
