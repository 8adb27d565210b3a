//! Geography: distances on a sphere and which cells a search must visit.
//!
//! Owns what `geohash_helper.c` owns. It must not know keys or commands.

mod hash;

pub(crate) use hash::Place;
use hash::{Cell, Edges, STEPS};

const EARTH_RADIUS: f64 = 6_372_797.560_856;
/// Half the circumference in the projection that the number of steps is estimated from.
const MERCATOR_MAX: f64 = 20_037_726.37;

/// The area of a search around a place; lengths are in metres divided by `unit`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Area {
    /// Its middle.
    pub(crate) middle: Place,
    /// Its form.
    pub(crate) form: Form,
    /// How many metres a unit has.
    pub(crate) unit: f64,
}

/// The form of an [`Area`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Form {
    /// Everything within this radius.
    Circle(f64),
    /// A box of this width and height.
    Box(f64, f64),
}

impl Area {
    /// The distance of a place from the middle in metres, if the place is inside.
    pub(crate) fn distance_inside(&self, place: Place) -> Option<f64> {
        if let Form::Box(width, height) = self.form {
            let level = Place { latitude: place.latitude, ..self.middle };
            let upright = Place { longitude: place.longitude, ..self.middle };
            let east = distance(place, level);
            let north = distance(place, upright);
            if east > width * self.unit / 2.0 || north > height * self.unit / 2.0 {
                return None;
            }
        }
        let metres = distance(self.middle, place);
        match self.form {
            Form::Circle(radius) if metres > radius * self.unit => None,
            _ => Some(metres),
        }
    }

    /// The ranges of scores that hold every place inside, in the order in which Redis visits
    /// them (`geohashCalculateAreasByShapeWGS84`, `membersOfAllNeighbors`).
    pub(crate) fn score_ranges(&self) -> Vec<(u64, u64)> {
        let bounds = self.bounds();
        let mut steps = self.steps();
        let mut cell = Cell::at(self.middle, steps);
        if steps > 1 && is_too_small(cell, &bounds) {
            steps -= 1;
            cell = Cell::at(self.middle, steps);
        }
        let edges = cell.edges();
        // A side of the cell that lies beyond the area makes the neighbours there useless.
        let skip = |east: i32, north: i32| {
            steps >= 2
                && (north < 0 && edges.latitude.0 < bounds.latitude.0
                    || north > 0 && edges.latitude.1 > bounds.latitude.1
                    || east < 0 && edges.longitude.0 < bounds.longitude.0
                    || east > 0 && edges.longitude.1 > bounds.longitude.1)
        };
        const ORDER: [(i32, i32); 9] =
            [(0, 0), (0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, 1), (1, -1), (-1, -1)];
        let mut visited: Vec<Cell> = Vec::new();
        for (east, north) in ORDER {
            let neighbour = cell.neighbour(east, north);
            // With few steps neighbours coincide; only a repetition of the last one is noticed,
            // and the first cell does not count as one.
            let again = visited.len() > 1 && visited.last() == Some(&neighbour);
            if !skip(east, north) && !again {
                visited.push(neighbour);
            }
        }
        visited.into_iter().map(Cell::range).collect()
    }

    /// `geohashBoundingBox`
    fn bounds(&self) -> Edges {
        let Place { longitude, latitude } = self.middle;
        let (width, height) = match self.form {
            Form::Circle(radius) => (self.unit * radius, self.unit * radius),
            Form::Box(width, height) => (self.unit * (width / 2.0), self.unit * (height / 2.0)),
        };
        let up = degrees(height / EARTH_RADIUS);
        let aside = |latitude: f64| degrees(width / EARTH_RADIUS / radians(latitude).cos());
        let widest = if latitude < 0.0 { aside(latitude - up) } else { aside(latitude + up) };
        Edges {
            longitude: (longitude - widest, longitude + widest),
            latitude: (latitude - up, latitude + up),
        }
    }

    /// How many halvings give cells of about the area's size (`geohashEstimateStepsByRadius`).
    fn steps(&self) -> u32 {
        let mut radius = self.unit
            * match self.form {
                Form::Circle(radius) => radius,
                Form::Box(width, height) => {
                    ((width / 2.0) * (width / 2.0) + (height / 2.0) * (height / 2.0)).sqrt()
                }
            };
        if radius == 0.0 {
            return STEPS;
        }
        let mut steps = 1_i32;
        while radius < MERCATOR_MAX {
            radius *= 2.0;
            steps += 1;
        }
        // The cell and its neighbours cover the area with room to spare; towards the poles cells
        // are narrower.
        steps -= 2;
        let latitude = self.middle.latitude.abs();
        steps -= i32::from(latitude > 66.0) + i32::from(latitude > 80.0);
        steps.clamp(1, STEPS as i32) as u32
    }
}

/// The distance of two places in metres (`geohashGetDistance`).
pub(crate) fn distance(from: Place, to: Place) -> f64 {
    let (from_latitude, to_latitude) = (radians(from.latitude), radians(to.latitude));
    let v = ((radians(to.longitude) - radians(from.longitude)) / 2.0).sin();
    if v == 0.0 {
        return EARTH_RADIUS * (to_latitude - from_latitude).abs();
    }
    let u = ((to_latitude - from_latitude) / 2.0).sin();
    2.0 * EARTH_RADIUS * (u * u + from_latitude.cos() * to_latitude.cos() * v * v).sqrt().asin()
}

/// Whether the neighbours of a cell do not reach the area's bounds.
fn is_too_small(cell: Cell, bounds: &Edges) -> bool {
    let edges = |east, north| cell.neighbour(east, north).edges();
    edges(0, 1).latitude.1 < bounds.latitude.1
        || edges(0, -1).latitude.0 > bounds.latitude.0
        || edges(1, 0).longitude.1 < bounds.longitude.1
        || edges(-1, 0).longitude.0 > bounds.longitude.0
}

fn radians(degrees: f64) -> f64 {
    degrees * (std::f64::consts::PI / 180.0)
}

fn degrees(radians: f64) -> f64 {
    radians / (std::f64::consts::PI / 180.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn place() -> impl Strategy<Value = Place> {
        (-179.0..179.0, -84.0..84.0).prop_map(|(longitude, latitude)| Place { longitude, latitude })
    }

    proptest! {
        /// A place comes back from its score within a metre, and a search around it finds it.
        #[test]
        fn found_where_it_was_put(place in place(), radius in 1.0_f64..2e6) {
            let score = place.score() as f64;
            let stored = Place::from_score(score);
            prop_assert!(distance(place, stored) < 1.0);
            for form in [Form::Circle(radius), Form::Box(2.0 * radius, 2.0 * radius)] {
                let area = Area { middle: place, form, unit: 1.0 };
                let covered = |(from, to): &(u64, u64)| *from as f64 <= score && score < *to as f64;
                prop_assert!(area.score_ranges().iter().any(covered));
                prop_assert!(area.distance_inside(stored).is_some());
            }
        }
    }
}
