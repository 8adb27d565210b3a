//! Geohashes: places as interleaved bits of latitude and longitude (`geohash.c`).
//!
//! Owns cells, their neighbours and the score of a place in a sorted set. It must not know
//! distances.

/// Halvings of each axis in a score; two bits each.
pub(crate) const STEPS: u32 = 26;

const LATITUDE_LIMIT: f64 = 85.051_128_78;
const LONGITUDE_LIMIT: f64 = 180.0;
const ALPHABET: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";
/// The bits of latitudes.
const EVEN: u64 = 0x5555_5555_5555_5555;
/// The bits of longitudes.
const ODD: u64 = !EVEN;

/// A place, in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Place {
    /// East is positive.
    pub(crate) longitude: f64,
    /// North is positive.
    pub(crate) latitude: f64,
}

/// A cell of the grid that `steps` halvings make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    /// The interleaved halvings; the lowest bit is a latitude's.
    pub(crate) bits: u64,
    /// How many halvings of each axis.
    pub(crate) steps: u32,
}

/// The edges of a cell, in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Edges {
    /// The southern and northern edge.
    pub(crate) latitude: (f64, f64),
    /// The western and eastern edge.
    pub(crate) longitude: (f64, f64),
}

impl Place {
    /// Whether it lies in the area that can be indexed.
    pub(crate) fn is_valid(self) -> bool {
        self.longitude.abs() <= LONGITUDE_LIMIT && self.latitude.abs() <= LATITUDE_LIMIT
    }

    /// The place that a member's score means (`decodeGeohash`): its cell's middle.
    pub(crate) fn from_score(score: f64) -> Self {
        Cell { bits: to_unsigned(score), steps: STEPS }.edges().middle()
    }

    /// The score of the place.
    pub(crate) fn score(self) -> u64 {
        Cell::at(self, STEPS).range().0
    }

    /// The eleven characters of the standard geohash, whose latitudes go up to the poles
    /// (`geohashCommand`). There are bits for ten of them.
    pub(crate) fn text(self) -> [u8; 11] {
        let bits = encode(self, 90.0, STEPS);
        let mut text = [b'0'; 11];
        for (at, slot) in text.iter_mut().take(10).enumerate() {
            let index = bits >> (52 - (at + 1) * 5) & 0x1f;
            *slot = ALPHABET[index as usize];
        }
        text
    }
}

impl Cell {
    /// The cell in which a place lies.
    pub(crate) fn at(place: Place, steps: u32) -> Self {
        Cell { bits: encode(place, LATITUDE_LIMIT, steps), steps }
    }

    /// The scores `from..to` of the places in it.
    pub(crate) fn range(self) -> (u64, u64) {
        let shift = 2 * (STEPS - self.steps);
        (self.bits << shift, self.bits.wrapping_add(1) << shift)
    }

    /// The edges.
    pub(crate) fn edges(self) -> Edges {
        let edge = |part: u64, limit: f64| {
            let scale = limit - -limit;
            let at = |index: u32| -limit + f64::from(index) / (1_u64 << self.steps) as f64 * scale;
            let index = compact(part);
            (at(index), at(index.wrapping_add(1)))
        };
        Edges {
            latitude: edge(self.bits, LATITUDE_LIMIT),
            longitude: edge(self.bits >> 1, LONGITUDE_LIMIT),
        }
    }

    /// The cell `east` columns to the east and `north` rows to the north, each -1, 0 or 1; the
    /// grid has no end (`geohash_move_x`, `geohash_move_y`).
    pub(crate) fn neighbour(self, east: i32, north: i32) -> Self {
        let unused = 64 - 2 * self.steps;
        let shift = |own: u64, other: u64, by: i32| {
            // Bits of the other axis, all set, carry over from one bit of this axis to the next.
            let fill = other >> unused;
            let moved = match by {
                // Not masked either: at longitude 180 there is a bit too many.
                0 => return own,
                by if by > 0 => own.wrapping_add(fill.wrapping_add(1)),
                _ => (own | fill).wrapping_sub(fill.wrapping_add(1)),
            };
            moved & (!other >> unused)
        };
        let column = shift(self.bits & ODD, EVEN, east);
        let row = shift(self.bits & EVEN, ODD, north);
        Cell { bits: column | row, steps: self.steps }
    }
}

impl Edges {
    /// The middle, kept within the area that can be indexed.
    pub(crate) fn middle(self) -> Place {
        let middle = |(from, to): (f64, f64), limit: f64| ((from + to) / 2.0).clamp(-limit, limit);
        Place {
            longitude: middle(self.longitude, LONGITUDE_LIMIT),
            latitude: middle(self.latitude, LATITUDE_LIMIT),
        }
    }
}

fn encode(place: Place, latitude_limit: f64, steps: u32) -> u64 {
    let part = |at: f64, limit: f64| {
        let offset = (at - -limit) / (limit - -limit);
        spread((offset * (1_u64 << steps) as f64) as u32)
    };
    part(place.latitude, latitude_limit) | part(place.longitude, LONGITUDE_LIMIT) << 1
}

/// Puts a zero in front of each bit.
fn spread(value: u32) -> u64 {
    let mut bits = u64::from(value);
    for (shift, mask) in [
        (16, 0x0000_ffff_0000_ffff),
        (8, 0x00ff_00ff_00ff_00ff),
        (4, 0x0f0f_0f0f_0f0f_0f0f),
        (2, 0x3333_3333_3333_3333),
        (1, EVEN),
    ] {
        bits = (bits | bits << shift) & mask;
    }
    bits
}

/// Takes every second bit.
fn compact(bits: u64) -> u32 {
    let mut bits = bits & EVEN;
    for (shift, mask) in [
        (1, 0x3333_3333_3333_3333),
        (2, 0x0f0f_0f0f_0f0f_0f0f),
        (4, 0x00ff_00ff_00ff_00ff),
        (8, 0x0000_ffff_0000_ffff),
        (16, 0x0000_0000_ffff_ffff),
    ] {
        bits = (bits | bits >> shift) & mask;
    }
    bits as u32
}

/// What a cast to an unsigned integer makes of a double on x86-64, where negative numbers keep
/// their bits: any score can be asked for its place.
fn to_unsigned(value: f64) -> u64 {
    const HALF: f64 = (1_u64 << 63) as f64;
    if value < HALF {
        return value as i64 as u64;
    }
    let rest = value - HALF;
    let signed = if rest < HALF { rest as i64 } else { i64::MIN };
    signed as u64 ^ 1 << 63
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Figures of a server: `GEOADD`, `ZSCORE` and `GEOHASH` of Palermo.
    #[test]
    fn palermo() {
        let palermo = Place { longitude: 13.361389, latitude: 38.115556 };
        assert_eq!(palermo.score(), 3_479_099_956_230_698);
        let stored = Place::from_score(3_479_099_956_230_698.0);
        assert_eq!(&stored.text(), b"sqc8b49rny0");
    }

    #[test]
    fn neighbours_come_back() {
        let cell = Cell::at(Place { longitude: 1.0, latitude: 2.0 }, 13);
        for (east, north) in [(1, 0), (0, 1), (1, 1), (-1, 1)] {
            let there = cell.neighbour(east, north);
            assert_ne!(there, cell);
            assert_eq!(there.neighbour(-east, -north), cell);
        }
    }
}
