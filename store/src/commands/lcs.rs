//! `LCS`: the longest common subsequence of two strings (`lcsCommand` in `t_string.c`).
//!
//! Owns its options, the table and the walk back through it, which decides which of several
//! subsequences is the answer.

use redlua_core::Seq;

use crate::arg;
use crate::context::Cx;
use crate::error::{CommandError, CommandResult, SYNTAX};
use crate::value::{Str, Value};

const NOT_STRINGS: CommandError =
    CommandError::fixed("ERR The specified keys must contain string values");
const BOTH: CommandError =
    CommandError::fixed("ERR If you want both the length and indexes, please just use IDX.");
const TOO_LARGE: CommandError = CommandError::fixed(
    "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len",
);
const NO_MEMORY: CommandError =
    CommandError::fixed("ERR Insufficient memory, failed allocating transient memory for LCS");

pub(crate) fn lcs(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let mut strings = Vec::with_capacity(2);
    for key in &argv[1..3] {
        strings.push(match cx.keys.value(key) {
            None => Some(Vec::new()),
            Some(Value::Str(text)) => Some(Str::to_vec(text)),
            Some(_) => None,
        });
    }
    // Both are looked up before either is looked at.
    let strings: Vec<_> = strings.into_iter().collect::<Option<_>>().ok_or(NOT_STRINGS)?;
    let (mut lengths, mut indexes, mut with_length, mut min_length) = (false, false, false, 0);
    let mut rest = &argv[3..];
    while let [word, after @ ..] = rest {
        rest = match after {
            _ if arg::is(word, "idx") => {
                indexes = true;
                after
            }
            _ if arg::is(word, "len") => {
                lengths = true;
                after
            }
            _ if arg::is(word, "withmatchlen") => {
                with_length = true;
                after
            }
            [length, after @ ..] if arg::is(word, "minmatchlen") => {
                min_length = usize::try_from(arg::integer(length)?).unwrap_or(0);
                after
            }
            _ => return Err(SYNTAX),
        };
    }
    if lengths && indexes {
        return Err(BOTH);
    }
    let [a, b] = &strings[..] else { return Err(NOT_STRINGS) };
    let table = Table::new(a, b, cx.server.max_bulk())?;
    let length = table.at(a.len(), b.len());
    if lengths {
        return cx.integer(length);
    }
    let (subsequence, matches) = table.walk_back(a, b);
    if !indexes {
        cx.sink.bulk(&subsequence);
        return Ok(());
    }
    let long: Vec<_> = matches.into_iter().filter(|found| found.len() >= min_length).collect();
    cx.sink.map(2);
    cx.sink.bulk(b"matches");
    cx.sink.seq(Seq::Array, long.len());
    for found in long {
        cx.sink.seq(Seq::Array, if with_length { 3 } else { 2 });
        for start in [found.a, found.b] {
            cx.sink.seq(Seq::Array, 2);
            cx.sink.integer(start as i64);
            cx.sink.integer((start + found.length - 1) as i64);
        }
        if with_length {
            cx.sink.integer(found.length as i64);
        }
    }
    cx.sink.bulk(b"len");
    cx.integer(length)
}

/// A run of bytes that both strings have.
struct Match {
    /// Where it begins in the first string.
    a: usize,
    /// Where it begins in the second string.
    b: usize,
    length: usize,
}

impl Match {
    fn len(&self) -> usize {
        self.length
    }
}

/// The lengths of the longest common subsequences of all pairs of prefixes.
struct Table {
    cells: Vec<u32>,
    width: usize,
}

impl Table {
    fn new(a: &[u8], b: &[u8], limit: usize) -> Result<Self, CommandError> {
        let width = b.len() + 1;
        let size = (a.len() + 1).checked_mul(width).ok_or(NO_MEMORY)?;
        if size.saturating_mul(size_of::<u32>()) > limit {
            return Err(TOO_LARGE);
        }
        let mut cells = Vec::new();
        cells.try_reserve_exact(size).map_err(|_| NO_MEMORY)?;
        cells.resize(size, 0);
        let mut table = Table { cells, width };
        for (i, byte) in a.iter().enumerate() {
            for (j, other) in b.iter().enumerate() {
                let length = if byte == other {
                    table.at(i, j) + 1
                } else {
                    table.at(i, j + 1).max(table.at(i + 1, j))
                };
                if let Some(cell) = table.cells.get_mut((i + 1) * width + j + 1) {
                    *cell = length;
                }
            }
        }
        Ok(table)
    }

    fn at(&self, i: usize, j: usize) -> u32 {
        self.cells.get(i * self.width + j).copied().unwrap_or(0)
    }

    /// The subsequence and its runs, found from the end of both strings.
    fn walk_back(&self, a: &[u8], b: &[u8]) -> (Vec<u8>, Vec<Match>) {
        let mut subsequence = Vec::new();
        let mut matches = Vec::new();
        let mut open: Option<Match> = None;
        let (mut i, mut j) = (a.len(), b.len());
        while let (Some(before), Some(other)) = (i.checked_sub(1), j.checked_sub(1)) {
            if a.get(before) == b.get(other) {
                subsequence.extend(a.get(before));
                (i, j) = (before, other);
                let length = open.take().map_or(0, |open| open.length) + 1;
                open = Some(Match { a: i, b: j, length });
            } else {
                matches.extend(open.take());
                if self.at(before, j) > self.at(i, other) {
                    i = before;
                } else {
                    j = other;
                }
            }
        }
        matches.extend(open);
        subsequence.reverse();
        (subsequence, matches)
    }
}
