//! Key specifications: where a command's keys are and what happens to them.
//!
//! Owns [`Rule`] and its textual form in the table. How it is applied to a call is
//! [`redlua_conversions::keys`]'; it must not know particular commands.

use std::borrow::{Borrow, Cow};

use redlua_conversions::keys::{Find, KeyRule, Start};

/// One key specification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    /// `RO`, `access` …
    pub(crate) flags: Vec<&'static str>,
    /// Where the keys are.
    pub(crate) place: KeyRule,
    /// A remark.
    pub(crate) notes: &'static str,
}

impl Borrow<KeyRule> for Rule {
    fn borrow(&self) -> &KeyRule {
        &self.place
    }
}

impl Rule {
    /// Reads `flags @start find: notes`, with the start a position, `KEYWORD:from` or `?`, and
    /// `find` one of `last step limit` (left out: `0 1 0`), `#number first step` or `?`.
    pub(super) fn parse(text: &'static str) -> Option<Self> {
        let (text, notes) = text.split_once(": ").unwrap_or((text, ""));
        let (flags, place) = text.split_once('@')?;
        let (start, find) = place.split_once(' ').unwrap_or((place, "0 1 0"));
        let start = match start.split_once(':') {
            Some((keyword, from)) => Start::Keyword(Cow::Borrowed(keyword), from.parse().ok()?),
            None => start.parse().map_or(Start::Unknown, Start::Index),
        };
        let numbers: Vec<i64> =
            find.trim_start_matches('#').split(' ').filter_map(|word| word.parse().ok()).collect();
        let find = match *numbers.as_slice() {
            [number, first, step] if find.starts_with('#') => Find::Count { number, first, step },
            [last, step, limit] => Find::Range { last, step, limit },
            _ => Find::Unknown,
        };
        let flags = flags.split_whitespace().collect();
        Some(Rule { flags, place: KeyRule { start, find }, notes })
    }

    /// Whether it is about something like a key that is none, such as a channel.
    pub(crate) fn is_of_keys(&self) -> bool {
        !self.flags.contains(&"not_key")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn applies_rules() {
        let keys = |text, argv: &str| {
            let argv: Vec<&[u8]> = argv.split(' ').map(str::as_bytes).collect();
            Rule::parse(text).unwrap().place.positions(&argv)
        };
        assert_eq!(keys("RO access@1", "get a"), Some(vec![1]));
        assert_eq!(keys("OW@1 -1 2 0", "mset a 1 b 2"), Some(vec![1, 3]));
        assert_eq!(keys("RO@1 #0 1 1", "zunion 2 a b"), Some(vec![2, 3]));
        assert_eq!(keys("RO@1 #0 1 1", "zunion 3 a b"), None);
        assert_eq!(keys("RO@STREAMS:1 -1 1 2", "xread streams a b 0 0"), Some(vec![2, 3]));
        assert_eq!(keys("RO@? ?", "sort a"), Some(vec![]));
    }
}
