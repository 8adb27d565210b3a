//! Which words of a call are keys, and what happens to each.
//!
//! Owns the commands whose use of a key depends on their other words
//! (`getKeysFromCommandWithSpecs` in `db.c`). Where keys stand is
//! [`redlua_conversions::keys`]'; it must not know what commands do otherwise.

use redlua_conversions::keys;

use super::Command;

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
            _ => {
                let rule = |number: Option<usize>| self.rules.get(number?);
                let found = keys::keys(self.name, &self.rules, argv)?.into_iter();
                let found = found.filter(|key| rule(key.rule).is_none_or(|rule| rule.is_of_keys()));
                let uses = found.map(|key| {
                    let flags = rule(key.rule).map(|rule| rule.flags.as_slice());
                    let told = flags.unwrap_or_default().iter().copied();
                    // MIGRATE itself finds what its specification does not.
                    (key.at, told.filter(|flag| *flag != "incomplete").collect())
                });
                Some(uses.collect())
            }
        }
    }
}

fn is_bitfield_write(word: &[u8]) -> bool {
    word.eq_ignore_ascii_case(b"set") || word.eq_ignore_ascii_case(b"incrby")
}
