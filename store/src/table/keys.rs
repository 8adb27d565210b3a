//! Which words of a call are keys, and what happens to each.
//!
//! Owns the commands whose key specifications do not tell all
//! (`getKeysFromCommandWithSpecs` in `db.c`). It must not know what commands do otherwise.

use super::{Command, Find, Start};

/// A key's position and the flags of its specification.
pub(crate) type KeyUse = (usize, Vec<&'static str>);

impl Command {
    /// The keys of a call; `None` when the call does not make sense.
    pub(crate) fn keys(&self, argv: &[&[u8]]) -> Option<Vec<KeyUse>> {
        let has = |word: &str, from: usize| {
            argv.iter().skip(from).any(|arg| arg.eq_ignore_ascii_case(word.as_bytes()))
        };
        match self.name {
            // `setGetKeys`
            "set" if has("get", 3) => Some(vec![(1, vec!["RW", "access", "update"])]),
            "set" => Some(vec![(1, vec!["OW", "update"])]),
            // `bitfieldGetKeys`: only GET subcommands leave the key as it is.
            "bitfield" => {
                let reads =
                    argv.get(2..).unwrap_or_default().iter().all(|word| !is_bitfield_write(word));
                let flags =
                    if reads { vec!["RO", "access"] } else { vec!["RW", "access", "update"] };
                Some(vec![(1, flags)])
            }
            // `sortGetKeys`: the last STORE counts.
            "sort" => {
                let mut keys = vec![(1, vec!["RO", "access"])];
                let mut at = 2;
                let mut store = None;
                while let Some(word) = argv.get(at) {
                    at += match word.to_ascii_lowercase().as_slice() {
                        b"limit" => 3,
                        b"get" | b"by" => 2,
                        b"store" if at + 1 < argv.len() => {
                            store = Some(at + 1);
                            2
                        }
                        _ => 1,
                    };
                }
                keys.extend(store.map(|at| (at, vec!["OW", "update"])));
                Some(keys)
            }
            // `migrateGetKeys`: an empty key announces a list of them.
            "migrate" => {
                let flags = vec!["RW", "access", "delete"];
                let list = argv.iter().skip(6).position(|word| word.eq_ignore_ascii_case(b"keys"));
                Some(match list.filter(|_| argv.get(3).is_some_and(|key| key.is_empty())) {
                    Some(at) => (at + 7..argv.len()).map(|at| (at, flags.clone())).collect(),
                    None => vec![(3, flags)],
                })
            }
            "sort_ro" => Some(vec![(1, vec!["RO", "access"])]),
            _ => {
                let mut keys = Vec::new();
                for rule in &self.rules {
                    if rule.flags.contains(&"not_key") {
                        continue;
                    }
                    let Some(found) = rule.keys(argv) else { return self.counted(argv) };
                    keys.extend(found.into_iter().map(|at| (at, rule.flags.clone())));
                }
                Some(keys)
            }
        }
    }
}

impl Command {
    /// The keys of a call whose count of keys is not quite a number: `genericGetKeys` in `db.c`
    /// reads it more generously and knows no flags.
    fn counted(&self, argv: &[&[u8]]) -> Option<Vec<KeyUse>> {
        let (start, number, first) =
            self.rules.iter().find_map(|rule| match (&rule.start, &rule.find) {
                (Start::Index(start), Find::Count { number, first, .. }) => {
                    Some((start, number, first))
                }
                _ => None,
            })?;
        let first = usize::try_from(start + first).ok()?;
        let count = atoi(argv.get(usize::try_from(start + number).ok()?)?);
        let count = usize::try_from(count).ok().filter(|count| *count > 0)?;
        if count > argv.len().saturating_sub(first) {
            return None;
        }
        let stored = self.rules.iter().any(|rule| matches!(rule.find, Find::Range { .. }));
        let positions = (first..first + count).chain(stored.then_some(1));
        Some(positions.map(|at| (at, Vec::new())).collect())
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

fn is_bitfield_write(word: &[u8]) -> bool {
    word.eq_ignore_ascii_case(b"set") || word.eq_ignore_ascii_case(b"incrby")
}
