//! Users and selectors as text: what `ACL LIST` and `ACL GETUSER` show.
//!
//! Owns the search for a short list of categories and commands that gives the same permissions
//! (`ACLDescribeSelectorCommandRules` in `acl.c`). It must not know how rules are checked.

use super::selector::{CATEGORIES, Selector};
use super::user::User;
use crate::table::Table;

impl User {
    /// The user in the form of a configuration file's line.
    pub(crate) fn describe(&self) -> Vec<u8> {
        let mut text = b"user ".to_vec();
        text.extend_from_slice(&self.name);
        for flag in self.flags() {
            text.push(b' ');
            text.extend_from_slice(flag.as_bytes());
        }
        for hash in &self.passwords {
            text.extend_from_slice(b" #");
            text.extend_from_slice(hash);
        }
        for (at, selector) in self.selectors.iter().enumerate() {
            text.extend_from_slice(if at == 0 { b" " } else { b" (" });
            for part in [selector.describe_keys(), selector.describe_channels(true)] {
                if !part.is_empty() {
                    text.extend_from_slice(&part);
                    text.push(b' ');
                }
            }
            text.extend_from_slice(&selector.describe_commands());
            if at > 0 {
                text.push(b')');
            }
        }
        text
    }
}

impl Selector {
    /// The key patterns, `~*` for all.
    pub(super) fn describe_keys(&self) -> Vec<u8> {
        if self.all_keys {
            return b"~*".to_vec();
        }
        let mut text = Vec::new();
        for known in &self.keys {
            if !text.is_empty() {
                text.push(b' ');
            }
            text.extend_from_slice(match (known.read, known.write) {
                (true, true) => b"~",
                (true, false) => b"%R~",
                _ => b"%W~",
            });
            text.extend_from_slice(&known.pattern);
        }
        text
    }

    /// The channel patterns, `&*` for all; in a line they follow `resetchannels`.
    pub(super) fn describe_channels(&self, line: bool) -> Vec<u8> {
        if self.all_channels {
            return b"&*".to_vec();
        }
        let mut text = if line { b"resetchannels".to_vec() } else { Vec::new() };
        for pattern in &self.channels {
            if !text.is_empty() {
                text.push(b' ');
            }
            text.push(b'&');
            text.extend_from_slice(pattern);
        }
        text
    }

    /// The commands: all or none, then categories, then single commands.
    pub(super) fn describe_commands(&self) -> Vec<u8> {
        let mut fake = Selector::default();
        let add = self.future;
        let mut rules = vec![if add { "+@all".to_owned() } else { "-@all".to_owned() }];
        let _ = fake.apply(rules[0].as_bytes());
        let mut left = self.clone();
        let mut applied: Vec<&str> = Vec::new();
        while let Some(category) = left.best_category(!add, &applied) {
            let (sign, inverse) = if add { ("-@", "+@") } else { ("+@", "-@") };
            let rule = format!("{sign}{category}");
            let _ = fake.apply(rule.as_bytes());
            let _ = left.apply(format!("{inverse}{category}").as_bytes());
            rules.push(rule);
            applied.push(category);
        }
        self.describe_rest(&fake, &mut rules);
        rules.join(" ").into_bytes()
    }

    /// The category that says most about what is left: more members in common than not, then
    /// the fewest exceptions, then the most in common.
    fn best_category(&self, additive: bool, applied: &[&str]) -> Option<&'static str> {
        let mut best: Option<(usize, usize, &str)> = None;
        for category in CATEGORIES.iter().filter(|name| !applied.contains(name)) {
            let (mut on, mut off) = (0, 0);
            for command in Table::instance().all() {
                if command.categories.contains(category) {
                    if self.commands.contains(&command.spec.id) {
                        on += 1;
                    } else {
                        off += 1;
                    }
                }
            }
            let (different, same) = if additive { (off, on) } else { (on, off) };
            let better = best.is_none_or(|(fewest, most, _)| {
                different < fewest || different == fewest && same > most
            });
            if same > different && better {
                best = Some((different, same, category));
            }
        }
        best.map(|(_, _, category)| category)
    }

    fn describe_rest(&self, fake: &Selector, rules: &mut Vec<String>) {
        let table = Table::instance();
        for command in table.tops() {
            let id = command.spec.id;
            let (wanted, have) = (self.commands.contains(&id), fake.commands.contains(&id));
            let mut have_subs = None;
            if wanted != have {
                rules.push(format!("{}{}", if wanted { '+' } else { '-' }, command.name));
                have_subs = Some(wanted);
            }
            for sub in command.subcommands.iter().filter_map(|id| table.number(*id)) {
                let id = sub.spec.id;
                let wanted = self.commands.contains(&id);
                let have = have_subs.unwrap_or_else(|| fake.commands.contains(&id));
                if wanted != have {
                    rules.push(format!("{}{}", if wanted { '+' } else { '-' }, sub.name));
                }
            }
            for word in self.first_args.get(&id).into_iter().flatten() {
                rules.push(format!("+{}|{}", command.name, String::from_utf8_lossy(word)));
            }
        }
    }
}
