//! Key specifications: where a command's keys are and what happens to them.
//!
//! Owns [`KeyRule`], its textual form in the table and how it is applied to an argv
//! (`getKeysUsingKeySpecs` in `db.c`). It must not know particular commands.

/// One key specification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyRule {
    /// `RO`, `access` …
    pub(crate) flags: Vec<&'static str>,
    /// Where the search begins.
    pub(crate) start: Start,
    /// Which of the arguments from there on are keys.
    pub(crate) find: Find,
    /// A remark.
    pub(crate) notes: &'static str,
}

/// Where the search for keys begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// At a position.
    Index(i64),
    /// After a keyword, looked for from a position (negative: from the end).
    Keyword(&'static str, i64),
    /// Nobody can tell.
    Unknown,
}

/// Which arguments are keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Find {
    /// Every `step`th up to `last`, counted from the start; a negative `last` counts from the
    /// end, and `limit` then divides how far it goes.
    Range {
        /// The last key.
        last: i64,
        /// The distance between keys.
        step: i64,
        /// Half the rest is keys when this is 2.
        limit: i64,
    },
    /// As many as an argument says.
    Count {
        /// Where that number is.
        number: i64,
        /// Where the first key is.
        first: i64,
        /// The distance between keys.
        step: i64,
    },
    /// Nobody can tell.
    Unknown,
}

impl KeyRule {
    /// Reads `flags @start find: notes`, with the start a position, `KEYWORD:from` or `?`, and
    /// `find` one of `last step limit` (left out: `0 1 0`), `#number first step` or `?`.
    pub(super) fn parse(text: &'static str) -> Option<Self> {
        let (text, notes) = text.split_once(": ").unwrap_or((text, ""));
        let (flags, place) = text.split_once('@')?;
        let (start, find) = place.split_once(' ').unwrap_or((place, "0 1 0"));
        let start = match start.split_once(':') {
            Some((keyword, from)) => Start::Keyword(keyword, from.parse().ok()?),
            None => start.parse().map_or(Start::Unknown, Start::Index),
        };
        let numbers: Vec<i64> =
            find.trim_start_matches('#').split(' ').filter_map(|word| word.parse().ok()).collect();
        let find = match *numbers.as_slice() {
            [number, first, step] if find.starts_with('#') => Find::Count { number, first, step },
            [last, step, limit] => Find::Range { last, step, limit },
            _ => Find::Unknown,
        };
        Some(KeyRule { flags: flags.split_whitespace().collect(), start, find, notes })
    }

    /// The positions of the keys in an argv; `None` when the argv does not fit the rule.
    pub(crate) fn keys(&self, argv: &[&[u8]]) -> Option<Vec<usize>> {
        let count = argv.len() as i64;
        let start = match self.start {
            Start::Index(at) => at,
            Start::Keyword(keyword, from) => {
                let from = if from > 0 { from } else { count + from };
                let mut found = None;
                let mut at = from;
                while found.is_none() && (1..count).contains(&at) {
                    if argv.get(at as usize)?.eq_ignore_ascii_case(keyword.as_bytes()) {
                        found = Some(at + 1);
                    }
                    // A negative start searches towards the front.
                    at += if let Start::Keyword(_, from) = self.start
                        && from < 0
                    {
                        -1
                    } else {
                        1
                    };
                }
                found.unwrap_or(0)
            }
            Start::Unknown => 0,
        };
        if start == 0 {
            return Some(Vec::new());
        }
        let (first, last, step) = match self.find {
            Find::Range { last, step, limit } => {
                let last = if last >= 0 {
                    start + last
                } else if limit == 0 {
                    count + last
                } else {
                    start + ((count - start) / limit + last)
                };
                (start, last, step)
            }
            Find::Count { number, first, step } => {
                let keys = redlua_conversions::number::parse_i64(
                    argv.get(usize::try_from(start + number).ok()?)?,
                )?;
                // Counted in an `int` (`getKeysUsingKeySpecs`).
                let keys = i64::from(keys.max(0) as i32);
                let first = start + first;
                let last = keys.checked_sub(1)?.checked_mul(step)?.checked_add(first)?;
                (first, last, step)
            }
            Find::Unknown => return Some(Vec::new()),
        };
        if first < 1 || last >= count || last < first || step < 1 {
            return None;
        }
        Some((first..=last).step_by(step as usize).map(|at| at as usize).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn applies_rules() {
        let keys = |text, argv: &str| {
            let argv: Vec<&[u8]> = argv.split(' ').map(str::as_bytes).collect();
            KeyRule::parse(text).unwrap().keys(&argv)
        };
        assert_eq!(keys("RO access@1", "get a"), Some(vec![1]));
        assert_eq!(keys("OW@1 -1 2 0", "mset a 1 b 2"), Some(vec![1, 3]));
        assert_eq!(keys("RO@1 #0 1 1", "zunion 2 a b"), Some(vec![2, 3]));
        assert_eq!(keys("RO@1 #0 1 1", "zunion 3 a b"), None);
        assert_eq!(keys("RO@STREAMS:1 -1 1 2", "xread streams a b 0 0"), Some(vec![2, 3]));
        assert_eq!(keys("RO@? ?", "sort a"), Some(vec![]));
    }
}
