//! Where the keys of a call stand.
//!
//! Owns [`KeyRule`], one key specification as `COMMAND` tells of it, how the specifications of a
//! command are applied to a call (`db.c getKeysUsingKeySpecs`), and the commands whose
//! specifications do not tell all. It must not know what commands do, nor who lists them.

use std::borrow::{Borrow, Cow};

use crate::number::parse_i64;

/// One key specification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRule {
    /// Where the search begins.
    pub start: Start,
    /// Which of the words from there on are keys.
    pub find: Find,
}

/// Where the search for keys begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// At a position.
    Index(i64),
    /// After a keyword, looked for from a position (negative: from the end, backwards).
    Keyword(Cow<'static, str>, i64),
    /// Nobody can tell.
    Unknown,
}

/// Which words are keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Find {
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
    /// As many as a word says.
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

/// A key of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its position among the words.
    pub at: usize,
    /// The number of the rule that found it; `None` when it was found more generously.
    pub rule: Option<usize>,
}

impl Found {
    fn new(at: usize, rule: usize) -> Self {
        Found { at, rule: Some(rule) }
    }
}

/// The keys of a call of the command of that name, which has these rules; `None` when the call
/// does not make sense.
///
/// ```
/// use redlua_conversions::keys::{Find, KeyRule, Start, keys};
///
/// let counted = Find::Count { number: 0, first: 1, step: 1 };
/// let rules = [KeyRule { start: Start::Index(1), find: counted }];
/// let found = keys("zunion", &rules, &[b"ZUNION", b"2", b"a", b"b"]).unwrap_or_default();
/// let positions: Vec<usize> = found.iter().map(|key| key.at).collect();
/// assert_eq!(positions, [2, 3]);
/// ```
pub fn keys(name: &str, rules: &[impl Borrow<KeyRule>], argv: &[&[u8]]) -> Option<Vec<Found>> {
    match name {
        "sort" | "sort_ro" => Some(sorted(name == "sort", argv)),
        // `migrateGetKeys`: an empty key announces a list of them.
        "migrate" => {
            let list = argv.iter().skip(6).position(|word| word.eq_ignore_ascii_case(b"keys"));
            Some(match list.filter(|_| argv.get(3).is_some_and(|key| key.is_empty())) {
                Some(at) => (at + 7..argv.len()).map(|at| Found::new(at, 1)).collect(),
                None => vec![Found::new(3, 0)],
            })
        }
        _ => {
            let mut keys = Vec::new();
            for (number, rule) in rules.iter().enumerate() {
                let Some(found) = rule.borrow().positions(argv) else {
                    return counted(rules, argv);
                };
                keys.extend(found.into_iter().map(|at| Found::new(at, number)));
            }
            Some(keys)
        }
    }
}

/// `sortGetKeys`: the last STORE counts. Its rules are for the key, for patterns, for STORE.
fn sorted(stores: bool, argv: &[&[u8]]) -> Vec<Found> {
    let mut keys = vec![Found::new(1, 0)];
    let store = sort_options(argv).filter(|(option, _)| *option == SortOption::Store).last();
    keys.extend(store.filter(|_| stores).map(|(_, at)| Found::new(at, 2)));
    keys
}

/// The words of a `SORT` that are patterns of further keys: those of `BY` and `GET` with a `*`.
pub fn sort_patterns<'a>(argv: &'a [&'a [u8]]) -> impl Iterator<Item = &'a [u8]> {
    sort_options(argv)
        .filter(|(option, _)| *option == SortOption::Pattern)
        .filter_map(|(_, at)| argv.get(at).copied())
        .filter(|pattern| pattern.contains(&b'*'))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum SortOption {
    Pattern,
    Store,
}

/// The options of a `SORT` that name keys, each with the position of its value.
fn sort_options(argv: &[&[u8]]) -> impl Iterator<Item = (SortOption, usize)> {
    let mut at = 2;
    std::iter::from_fn(move || {
        loop {
            let word = argv.get(at)?;
            let value = at + 1;
            let (option, step) = match word.to_ascii_lowercase().as_slice() {
                b"limit" => (None, 3),
                b"get" | b"by" => (Some(SortOption::Pattern), 2),
                b"store" if value < argv.len() => (Some(SortOption::Store), 2),
                _ => (None, 1),
            };
            at += step;
            if let Some(option) = option {
                return Some((option, value));
            }
        }
    })
}

/// The keys of a call whose count of keys is not quite a number: `genericGetKeys` in `db.c`
/// reads it more generously and knows no rules.
fn counted(rules: &[impl Borrow<KeyRule>], argv: &[&[u8]]) -> Option<Vec<Found>> {
    let (start, number, first) =
        rules.iter().map(Borrow::borrow).find_map(|rule: &KeyRule| {
            match (&rule.start, &rule.find) {
                (Start::Index(start), Find::Count { number, first, .. }) => {
                    Some((start, number, first))
                }
                _ => None,
            }
        })?;
    let first = usize::try_from(start + first).ok()?;
    let count = atoi(argv.get(usize::try_from(start + number).ok()?)?);
    let count = usize::try_from(count).ok().filter(|count| *count > 0)?;
    if count > argv.len().saturating_sub(first) {
        return None;
    }
    let stored = rules.iter().any(|rule| matches!(rule.borrow().find, Find::Range { .. }));
    let positions = (first..first + count).chain(stored.then_some(1));
    Some(positions.map(|at| Found { at, rule: None }).collect())
}

impl KeyRule {
    /// The positions of the keys in a call; `None` when the call does not fit the rule.
    pub fn positions(&self, argv: &[&[u8]]) -> Option<Vec<usize>> {
        let count = argv.len() as i64;
        let start = match &self.start {
            Start::Index(at) => *at,
            Start::Keyword(keyword, from) => {
                let mut found = None;
                let mut at = if *from > 0 { *from } else { count + from };
                while found.is_none() && (1..count).contains(&at) {
                    if argv.get(at as usize)?.eq_ignore_ascii_case(keyword.as_bytes()) {
                        found = Some(at + 1);
                    }
                    // A negative start searches towards the front.
                    at += if *from < 0 { -1 } else { 1 };
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
                    start.checked_add(last)?
                } else if limit == 0 {
                    count.checked_add(last)?
                } else {
                    start + count.checked_sub(start)?.checked_div(limit)?.checked_add(last)?
                };
                (start, last, step)
            }
            Find::Count { number, first, step } => {
                let number = start.checked_add(number)?;
                let keys = parse_i64(argv.get(usize::try_from(number).ok()?)?)?;
                // Counted in an `int` (`getKeysUsingKeySpecs`).
                let keys = i64::from(keys.max(0) as i32);
                let first = start.checked_add(first)?;
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

/// C's `atoi`: blanks, a sign, digits, whatever follows.
fn atoi(text: &[u8]) -> i64 {
    let text = text.trim_ascii_start();
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    let digits = digits.iter().take_while(|byte| byte.is_ascii_digit());
    let value = digits.fold(0i64, |value, digit| {
        let digit = i64::from(digit - b'0');
        let value = value.saturating_mul(10);
        if negative { value.saturating_sub(digit) } else { value.saturating_add(digit) }
    });
    // A `long` cut down to an `int`.
    i64::from(value as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(call: &str) -> Vec<&[u8]> {
        call.split(' ').map(str::as_bytes).collect()
    }

    #[test]
    fn sort_names_keys_in_its_options() {
        let none: [KeyRule; 0] = [];
        let at = |name, call| -> Vec<usize> {
            keys(name, &none, &words(call)).unwrap().iter().map(|key| key.at).collect()
        };
        assert_eq!(at("sort", "sort l by store get x store a store b"), [1, 9]);
        assert_eq!(at("sort", "sort l limit store 1 store"), [1]);
        assert_eq!(at("sort_ro", "sort_ro l store a"), [1]);
        let call = words("sort l by w_* get # get o_*->f get plain limit by get");
        let patterns: Vec<&[u8]> = sort_patterns(&call).collect();
        assert_eq!(patterns, [&b"w_*"[..], b"o_*->f"]);
    }

    #[test]
    fn rules_of_any_figures_do_not_panic() {
        let figures = [i64::MIN, -2, -1, 0, 1, 2, i64::MAX];
        let call = words("x 9223372036854775807 a b");
        for a in figures {
            for b in figures {
                for c in figures {
                    for find in [
                        Find::Range { last: a, step: b, limit: c },
                        Find::Count { number: a, first: b, step: c },
                    ] {
                        for start in [Start::Index(a), Start::Keyword("a".into(), b)] {
                            KeyRule { start, find: find.clone() }.positions(&call);
                        }
                    }
                }
            }
        }
    }
}
