//! The sparse representation: runs of equal registers.
//!
//! Owns its three opcodes and how a register is raised in place. It must not know hashes.
//!
//! | bytes | meaning |
//! |---|---|
//! | `00xxxxxx` | `x + 1` registers of 0 |
//! | `01xxxxxx yyyyyyyy` | `xy + 1` registers of 0 |
//! | `1vvvvvxx` | `x + 1` registers of `v + 1` |

use super::{Corrupt, HEADER, invalidate};

const MAX_SHORT: usize = 64;
const MAX_VALUE: u8 = 32;
const MAX_VALUES: usize = 4;

/// One opcode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Run {
    /// A short run of zeros.
    Zero(usize),
    /// A long run of zeros.
    LongZero(usize),
    /// A run of this value.
    Value(u8, usize),
}

impl Run {
    /// The value of the registers and how many there are.
    pub(crate) fn parts(self) -> (u8, usize) {
        match self {
            Run::Zero(len) | Run::LongZero(len) => (0, len),
            Run::Value(value, len) => (value, len),
        }
    }

    /// How many bytes it takes.
    fn size(self) -> usize {
        if matches!(self, Run::LongZero(_)) { 2 } else { 1 }
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        match *bytes {
            [first @ ..=0x3f, ..] => Some(Run::Zero(usize::from(first) + 1)),
            [first @ 0x40..=0x7f, second, ..] => {
                let len = usize::from(first & 0x3f) << 8 | usize::from(second);
                Some(Run::LongZero(len + 1))
            }
            [first @ 0x80..=0xff, ..] => {
                Some(Run::Value((first >> 2 & 0x1f) + 1, usize::from(first & 3) + 1))
            }
            _ => None,
        }
    }
}

/// The opcodes; `None` is one that is cut off.
pub(super) fn runs(bytes: &[u8]) -> impl Iterator<Item = Option<Run>> {
    let mut rest = bytes.get(HEADER..).unwrap_or_default();
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let run = Run::read(rest);
        rest = rest.get(run.map_or(rest.len(), Run::size)..).unwrap_or_default();
        Some(run)
    })
}

/// Appends a run of zeros in its shortest form.
pub(super) fn push_zeros(out: &mut Vec<u8>, len: usize) {
    let bits = len - 1;
    if len > MAX_SHORT {
        out.push(0x40 | (bits >> 8) as u8);
    }
    out.push(bits as u8);
}

/// Appends a run of any value, unless it is empty.
fn push_run(out: &mut Vec<u8>, value: u8, len: usize) {
    match (value, len) {
        (_, 0) => {}
        (0, _) => push_zeros(out, len),
        _ => out.push(0x80 | (value - 1) << 2 | (len - 1) as u8),
    }
}

/// Raises a register to at least `value` and says whether it was lower; `None` when the result
/// has no place here and the representation must become dense (`hllSparseSet`).
pub(super) fn raise(
    bytes: &mut Vec<u8>,
    register: usize,
    value: u8,
    max_bytes: usize,
) -> Result<Option<bool>, Corrupt> {
    if value > MAX_VALUE {
        return Ok(None);
    }
    let mut at = HEADER;
    let mut before = None;
    let mut first = 0;
    let run = loop {
        let run = bytes.get(at..).and_then(Run::read).ok_or(Corrupt)?;
        if register < first + run.parts().1 {
            break run;
        }
        first += run.parts().1;
        before = Some(at);
        at += run.size();
    };
    let (old, len) = run.parts();
    if old >= value {
        return Ok(Some(false));
    }
    let mut replacement = Vec::with_capacity(5);
    push_run(&mut replacement, old, register - first);
    push_run(&mut replacement, value, 1);
    push_run(&mut replacement, old, first + len - 1 - register);
    if replacement.len() > run.size() && bytes.len() + replacement.len() - run.size() > max_bytes {
        return Ok(None);
    }
    bytes.splice(at..at + run.size(), replacement);
    merge(bytes, before.unwrap_or(HEADER));
    invalidate(bytes);
    Ok(Some(true))
}

/// Joins neighbouring runs of the same value among the five opcodes from `at` on.
fn merge(bytes: &mut Vec<u8>, mut at: usize) {
    for _ in 0..5 {
        let Some(run) = bytes.get(at..).and_then(Run::read) else { return };
        let next = bytes.get(at + run.size()..).and_then(Run::read);
        match (run, next) {
            (Run::Value(value, len), Some(Run::Value(other, more)))
                if value == other && len + more <= MAX_VALUES =>
            {
                bytes.remove(at);
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = 0x80 | (value - 1) << 2 | (len + more - 1) as u8;
                }
            }
            _ => at += run.size(),
        }
    }
}
