//! Users: passwords, flags and selectors.
//!
//! Owns [`User`] and its rules (`ACLSetUser` in `acl.c`). It must not know which users exist.

use super::selector::{RuleError, SYNTAX, Selector};
use super::sha256::hex_digest;

/// A user.
#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(super) name: Vec<u8>,
    pub(super) enabled: bool,
    pub(super) no_password: bool,
    /// `Some(true)` and `Some(false)` after the rule of either name.
    pub(super) sanitize: Option<bool>,
    /// SHA-256 digests in hexadecimal.
    pub(super) passwords: Vec<Vec<u8>>,
    /// The root selector, then the others.
    pub(super) selectors: Vec<Selector>,
    /// Whether `reset` permits all channels (`acl-pubsub-default`).
    pub(super) default_channels: bool,
}

impl User {
    /// A user who may do nothing.
    pub(super) fn new(name: &[u8], default_channels: bool) -> Self {
        User {
            name: name.to_vec(),
            enabled: false,
            no_password: false,
            sanitize: None,
            passwords: Vec::new(),
            selectors: vec![Selector { all_channels: default_channels, ..Selector::default() }],
            default_channels,
        }
    }

    /// The flags `ACL GETUSER` lists.
    pub(crate) fn flags(&self) -> Vec<&'static str> {
        let mut flags = vec![if self.enabled { "on" } else { "off" }];
        if self.no_password {
            flags.push("nopass");
        }
        match self.sanitize {
            Some(true) => flags.push("sanitize-payload"),
            Some(false) => flags.push("skip-sanitize-payload"),
            None => {}
        }
        flags
    }

    /// Whether this is the password.
    pub(super) fn accepts(&self, password: &[u8]) -> bool {
        self.no_password || self.passwords.contains(&hex_digest(password))
    }

    /// Applies one rule.
    pub(super) fn apply(&mut self, rule: &[u8]) -> Result<(), RuleError> {
        let lower = rule.to_ascii_lowercase();
        match lower.as_slice() {
            b"" => {}
            b"on" => self.enabled = true,
            b"off" => self.enabled = false,
            b"nopass" => {
                self.no_password = true;
                self.passwords.clear();
            }
            b"skip-sanitize-payload" => self.sanitize = Some(false),
            b"sanitize-payload" => self.sanitize = Some(true),
            b"resetpass" => {
                self.no_password = false;
                self.passwords.clear();
            }
            b"clearselectors" => self.selectors.truncate(1),
            b"reset" => {
                let name = std::mem::take(&mut self.name);
                *self = User::new(&name, self.default_channels);
                self.sanitize = Some(true);
            }
            [b'>', ..] => self.add_password(hex_digest(&rule[1..])),
            [b'#', ..] => self.add_password(checked_hash(&rule[1..])?),
            [b'<', ..] => return self.remove_password(&hex_digest(&rule[1..])),
            [b'!', ..] => return self.remove_password(&checked_hash(&rule[1..])?),
            [b'(', .., b')'] => {
                let mut selector = Selector::default();
                let rules = &rule[1..rule.len() - 1];
                for rule in rules.split(|byte| *byte == b' ').filter(|rule| !rule.is_empty()) {
                    selector.apply(rule)?;
                }
                self.selectors.push(selector);
            }
            [b'(', ..] => return Err(SYNTAX),
            _ => match self.selectors.first_mut() {
                Some(root) => return root.apply(rule),
                None => return Err(SYNTAX),
            },
        }
        Ok(())
    }

    fn add_password(&mut self, hash: Vec<u8>) {
        self.no_password = false;
        if !self.passwords.contains(&hash) {
            self.passwords.push(hash);
        }
    }

    fn remove_password(&mut self, hash: &[u8]) -> Result<(), RuleError> {
        let before = self.passwords.len();
        self.passwords.retain(|known| known != hash);
        if self.passwords.len() == before {
            return Err("The password you are trying to remove from the user does not exist");
        }
        Ok(())
    }
}

fn checked_hash(hash: &[u8]) -> Result<Vec<u8>, RuleError> {
    let valid =
        hash.len() == 64 && hash.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if valid {
        Ok(hash.to_vec())
    } else {
        Err("The password hash must be exactly 64 characters and contain only lowercase \
             hexadecimal characters")
    }
}
