//! Access control: who may run what on which keys and channels (`acl.c`).
//!
//! Owns the users. It must not know connections beyond the id of their user.

mod describe;
mod selector;
mod sha256;
mod user;

use redlua_core::{Denied, UserId};

use crate::table::Command;

pub(crate) use selector::CATEGORIES;
use selector::{Refusal, Selector};
pub(crate) use user::User;

/// All users.
#[derive(Clone)]
pub(crate) struct Acl {
    /// By number; the numbers of removed users are not used again.
    users: Vec<Option<User>>,
    /// Refused log-ins and calls, latest first.
    pub(crate) log: Vec<LogEntry>,
}

/// One line of `ACL LOG`.
#[derive(Clone, Debug)]
pub(crate) struct LogEntry {
    /// How often it happened.
    pub(crate) count: i64,
    /// `auth`, `command`, `key` or `channel`.
    pub(crate) reason: &'static str,
    /// `toplevel`, `multi` or `lua`.
    pub(crate) context: &'static str,
    /// What was refused.
    pub(crate) object: Vec<u8>,
    /// Who tried.
    pub(crate) username: Vec<u8>,
    /// When, in milliseconds since the epoch.
    pub(crate) at: i64,
    /// The connection, as `CLIENT INFO` shows it.
    pub(crate) client: Vec<u8>,
}

impl Default for Acl {
    fn default() -> Self {
        let mut default = User::new(b"default", false);
        for rule in ["on", "nopass", "~*", "&*", "+@all"] {
            // These rules are all known.
            let _ = default.apply(rule.as_bytes());
        }
        Acl { users: vec![Some(default)], log: Vec::new() }
    }
}

impl Acl {
    /// The number of a user.
    pub(crate) fn find(&self, name: &[u8]) -> Option<UserId> {
        let at = self
            .users
            .iter()
            .position(|user| user.as_ref().is_some_and(|user| user.name == name))?;
        Some(UserId(at as u32))
    }

    /// The user of that number.
    pub(crate) fn user(&self, id: UserId) -> Option<&User> {
        self.users.get(id.0 as usize)?.as_ref()
    }

    /// The user's name; of a removed one, nothing.
    pub(crate) fn name(&self, id: UserId) -> &[u8] {
        self.user(id).map_or(&[], |user| user.name.as_slice())
    }

    /// All users, sorted by name.
    pub(crate) fn users(&self) -> Vec<&User> {
        let mut users: Vec<&User> = self.users.iter().flatten().collect();
        users.sort_by(|one, two| one.name.cmp(&two.name));
        users
    }

    /// Makes or changes a user by rules, all or none (`ACL SETUSER`).
    ///
    /// # Errors
    /// The rule that is refused, and why.
    pub(crate) fn set(
        &mut self,
        name: &[u8],
        rules: &[Vec<u8>],
        default_channels: bool,
    ) -> Result<(), (Vec<u8>, &'static str)> {
        let known = self.find(name);
        let mut user = known
            .and_then(|id| self.user(id).cloned())
            .unwrap_or_else(|| User::new(name, default_channels));
        user.default_channels = default_channels;
        for rule in rules {
            user.apply(rule).map_err(|reason| (rule.clone(), reason))?;
        }
        match known.and_then(|id| self.users.get_mut(id.0 as usize)) {
            Some(slot) => *slot = Some(user),
            None => self.users.push(Some(user)),
        }
        Ok(())
    }

    /// Removes a user; returns whether there was one.
    pub(crate) fn remove(&mut self, name: &[u8]) -> bool {
        match self.find(name).and_then(|id| self.users.get_mut(id.0 as usize)) {
            Some(slot) => slot.take().is_some(),
            None => false,
        }
    }

    /// Who logs in with this name and password (`ACLCheckUserCredentials`).
    pub(crate) fn authenticate(&self, name: &[u8], password: &[u8]) -> Option<UserId> {
        let id = self.find(name)?;
        let user = self.user(id)?;
        (user.enabled && user.accepts(password)).then_some(id)
    }

    /// Whether the default user has no password.
    pub(crate) fn is_open(&self) -> bool {
        self.user(UserId(0)).is_some_and(|user| user.no_password)
    }

    /// Whether a user may do everything, as the first one may unless it has been restricted.
    #[inline]
    pub(crate) fn is_free(&self, id: UserId) -> bool {
        let user = self.users.get(id.0 as usize).and_then(Option::as_ref);
        user.is_some_and(|user| user.selectors.first().is_some_and(Selector::permits_all))
    }

    /// Whether a user may run a call: some selector must permit all of it
    /// (`ACLCheckAllUserCommandPerm`).
    pub(crate) fn permits(
        &self,
        id: UserId,
        command: &Command,
        argv: &[&[u8]],
    ) -> Result<(), Denied> {
        self.check(id, command, argv).map_err(|(denied, _)| denied)
    }

    /// Whether a user may run a call and read every key there is besides
    /// (`ACLUserCheckCmdWithUnrestrictedPerms`).
    pub(crate) fn permits_any_key(&self, id: UserId, command: &Command, argv: &[&[u8]]) -> bool {
        let mut selectors = self.user(id).into_iter().flat_map(|user| &user.selectors);
        selectors.any(|selector| selector.reads_any_key() && selector.check(command, argv).is_ok())
    }

    /// The same as [`permits`](Self::permits), with the word of the call that is refused.
    pub(crate) fn check(
        &self,
        id: UserId,
        command: &Command,
        argv: &[&[u8]],
    ) -> Result<(), (Denied, usize)> {
        let mut worst = (Refusal::Command, 0);
        for selector in self.user(id).into_iter().flat_map(|user| &user.selectors) {
            match selector.check(command, argv) {
                Ok(()) => return Ok(()),
                Err(refusal) => worst = worst.max(refusal),
            }
        }
        let denied = match worst.0 {
            Refusal::Command => Denied::Command(command.name.as_bytes().to_vec()),
            Refusal::Key => Denied::Key,
            Refusal::Channel => Denied::Channel,
        };
        Err((denied, worst.1))
    }
}

impl User {
    /// The user's name.
    pub(crate) fn name(&self) -> &[u8] {
        &self.name
    }

    /// The digests of the passwords.
    pub(crate) fn passwords(&self) -> &[Vec<u8>] {
        &self.passwords
    }

    /// Each selector's commands, keys and channels as text, the root's first.
    pub(crate) fn selectors(&self) -> impl ExactSizeIterator<Item = [Vec<u8>; 3]> {
        self.selectors.iter().map(|selector| {
            [
                selector.describe_commands(),
                selector.describe_keys(),
                selector.describe_channels(false),
            ]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Table;

    fn denied(acl: &Acl, name: &str, call: &str) -> Option<Denied> {
        let argv: Vec<&[u8]> = call.split(' ').map(str::as_bytes).collect();
        let command = Table::instance().resolve(&argv).unwrap();
        acl.permits(acl.find(name.as_bytes()).unwrap(), command, &argv).err()
    }

    fn with(rules: &str) -> Acl {
        let mut acl = Acl::default();
        let rules: Vec<Vec<u8>> = rules.split(' ').map(|rule| rule.as_bytes().to_vec()).collect();
        acl.set(b"bob", &rules, false).unwrap();
        acl
    }

    #[test]
    fn checks_commands_keys_and_channels() {
        let acl = with("on nopass ~k* %R~r* &ch* +get +set +publish +config|get");
        assert_eq!(denied(&acl, "bob", "get k1"), None);
        assert_eq!(denied(&acl, "bob", "get r1"), None);
        assert_eq!(denied(&acl, "bob", "set r1 x"), Some(Denied::Key));
        assert_eq!(denied(&acl, "bob", "get x"), Some(Denied::Key));
        assert_eq!(denied(&acl, "bob", "del k1"), Some(Denied::Command(b"del".to_vec())));
        assert_eq!(denied(&acl, "bob", "config get x"), None);
        assert!(denied(&acl, "bob", "config set x y").is_some());
        assert_eq!(denied(&acl, "bob", "publish ch1 x"), None);
        assert_eq!(denied(&acl, "bob", "publish other x"), Some(Denied::Channel));
        assert_eq!(denied(&acl, "default", "flushall"), None);
    }

    #[test]
    fn describes_users() {
        let acl = with("on >pw ~k* +get");
        let bob = acl.users()[0].describe();
        assert_eq!(
            String::from_utf8(bob).unwrap(),
            "user bob on #30c952fab122c3f9759f02a6d95c3758b246b4fee239957b2d4fee46e26170c4 ~k* \
             resetchannels -@all +get"
        );
        let acl = with("+@all -@admin");
        assert!(acl.users()[0].describe().ends_with(b"+@all -@admin"));
    }
}
