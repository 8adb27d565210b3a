//! Random choices: `RANDOMKEY`, `SPOP`, `SRANDMEMBER` and their like.
//!
//! Owns a small generator. It must not know what is chosen from, and nobody may rely on it for
//! secrets.

use std::hash::{BuildHasher, RandomState};

/// A SplitMix64 generator.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Default for Random {
    fn default() -> Self {
        // The standard library's hash seeds are the one source of entropy at hand.
        Random(RandomState::new().hash_one(0u8))
    }
}

impl Random {
    /// 64 random bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    /// A number below `limit`; 0 when that is 0.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        ((u128::from(self.bits()) * limit as u128) >> 64) as usize
    }

    /// `count` different numbers below `limit`, in random order; all of them when there are not
    /// so many.
    pub(crate) fn sample(&mut self, count: usize, limit: usize) -> Vec<usize> {
        if count * 3 > limit {
            let mut all: Vec<usize> = (0..limit).collect();
            for at in 0..count.min(limit) {
                let other = at + self.below(limit - at);
                all.swap(at, other);
            }
            all.truncate(count);
            return all;
        }
        let mut chosen = Vec::with_capacity(count);
        let mut seen = hashbrown::HashSet::with_capacity(count);
        while chosen.len() < count {
            let number = self.below(limit);
            if seen.insert(number) {
                chosen.push(number);
            }
        }
        chosen
    }

    /// `digits` hexadecimal digits.
    pub(crate) fn hex(&mut self, digits: usize) -> String {
        (0..digits).filter_map(|_| char::from_digit((self.bits() >> 60) as u32, 16)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_distinct() {
        let mut random = Random::default();
        for (count, limit) in [(0, 0), (3, 3), (5, 3), (2, 100), (60, 100)] {
            let mut sample = random.sample(count, limit);
            sample.sort_unstable();
            sample.dedup();
            assert_eq!(sample.len(), count.min(limit));
            assert!(sample.iter().all(|&number| number < limit));
        }
    }
}
