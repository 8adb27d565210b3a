//! `math.random` and `math.randomseed` as Redis replaces them: the same numbers on every machine.
//!
//! Owns the generator of `rand.c`, a 48-bit linear congruential one, and the two functions. Must
//! not know when scripts begin: the sequence goes on from one to the next.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use redlua_core::{Arguments, Raise, ValueWriter};

use crate::check::Check;

/// The generator. A clone draws from the same sequence: the state is a global of the server, not
/// of a Lua state.
#[derive(Clone, Debug)]
pub(crate) struct Prng {
    state: Arc<AtomicU64>,
}

/// The state in which a server begins.
const INITIAL: u64 = 0x1234_abcd_330e;
/// What stands below the seed in a seeded state.
const LOW: u64 = 0x330e;
const MULTIPLIER: u64 = 0x5_deec_e66d;
const INCREMENT: u64 = 0xb;
const MASK: u64 = (1 << 48) - 1;

impl Prng {
    /// A generator of its own that goes on from here.
    pub(crate) fn fork(&self) -> Self {
        Prng { state: Arc::new(AtomicU64::new(self.state.load(Ordering::Relaxed))) }
    }

    /// `rand.c` `redisSrand48`.
    fn seed(&mut self, seed: i32) {
        self.state.store((u64::from(seed as u32) << 16) | LOW, Ordering::Relaxed);
    }

    /// `rand.c` `redisLrand48`: the next 31 bits.
    fn draw(&mut self) -> i32 {
        // Scripts of one server never run at the same time, so nothing comes in between.
        let state = self.state.load(Ordering::Relaxed);
        let state = state.wrapping_mul(MULTIPLIER).wrapping_add(INCREMENT) & MASK;
        self.state.store(state, Ordering::Relaxed);
        (state >> 17) as i32
    }

    /// `script_lua.c` `redis_math_random`. It draws before it looks at its arguments.
    pub(crate) fn random(
        &mut self,
        args: &mut dyn Arguments,
        out: &mut dyn ValueWriter,
    ) -> Result<(), Raise> {
        let fraction = f64::from(self.draw() % i32::MAX) / f64::from(i32::MAX);
        match args.count() {
            0 => out.number(fraction),
            1 => {
                let high = args.check_int(0)?;
                if high < 1 {
                    return Err(Raise::argument(1, "interval is empty"));
                }
                out.number((fraction * f64::from(high)).floor() + 1.0);
            }
            2 => {
                let low = args.check_int(0)?;
                let high = args.check_int(1)?;
                if low > high {
                    return Err(Raise::argument(2, "interval is empty"));
                }
                // The width is a C int and wraps.
                let width = high.wrapping_sub(low).wrapping_add(1);
                out.number((fraction * f64::from(width)).floor() + f64::from(low));
            }
            _ => return Err(Raise::message("wrong number of arguments")),
        }
        Ok(())
    }

    /// `script_lua.c` `redis_math_randomseed`.
    pub(crate) fn randomseed(&mut self, args: &mut dyn Arguments) -> Result<(), Raise> {
        self.seed(args.check_int(0)?);
        Ok(())
    }
}

impl Default for Prng {
    fn default() -> Self {
        Prng { state: Arc::new(AtomicU64::new(INITIAL)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{Reader, Value, Writer};

    #[test]
    fn clones_draw_from_one_sequence() {
        let (mut one, mut two) = (Prng::default(), Prng::default());
        let mut clone = one.clone();
        let found = [one.draw(), clone.draw(), one.draw()];
        assert_eq!(found, [two.draw(), two.draw(), two.draw()]);
    }

    #[test]
    fn begins_where_a_server_begins() {
        let mut prng = Prng::default();
        let mut out = Writer::default();
        for _ in 0..3 {
            prng.random(&mut Reader::new(&[]), &mut out).unwrap();
        }
        let expected = [0.39646477363839, 0.84048536971234, 0.35333609737146];
        for (found, expected) in out.into_values().iter().zip(expected) {
            let Value::Number(found) = found else { panic!("{found:?} is no number") };
            assert!((found - expected).abs() < 1e-14);
        }
    }
}
