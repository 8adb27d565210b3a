//! What a value may be, as far as the text tells.
//!
//! Owns sets of kinds, and sets of values with the functions and constructors of the text they
//! came from. It must not know expressions.

use smallvec::SmallVec;

use super::Known;
use super::ast::SiteId;

/// A set of kinds of values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Kinds(u16);

impl Kinds {
    pub(super) const NIL: Kinds = Kinds(1);
    pub(super) const BOOLEAN: Kinds = Kinds(2);
    /// A number that is one.
    pub(super) const NUMBER: Kinds = Kinds(4);
    pub(super) const NAN: Kinds = Kinds(8);
    pub(super) const STRING: Kinds = Kinds(16);
    pub(super) const TABLE: Kinds = Kinds(32);
    /// A function of Lua.
    pub(super) const CLOSURE: Kinds = Kinds(64);
    /// A function of the host.
    pub(super) const NATIVE: Kinds = Kinds(128);
    /// A number that may be one of piccolo's integers: no two of them may meet in an operation
    /// that would yield a third, because Lua 5.1 has none.
    pub(super) const INTEGER: Kinds = Kinds(512);
    pub(super) const ANY: Kinds = Kinds(0x3ff);
    /// Numbers that are doubles.
    pub(super) const ARITHMETIC: Kinds = Kinds(4 | 8);
    /// All numbers.
    pub(super) const NUMERIC: Kinds = Kinds(4 | 8 | 512);
    pub(super) const FUNCTION: Kinds = Kinds(64 | 128);
    /// What can have no metatable with operators in it.
    pub(super) const PLAIN: Kinds = Kinds(1 | 2 | 4 | 8 | 16 | 64 | 128 | 512);

    pub(super) const fn or(self, other: Kinds) -> Kinds {
        Kinds(self.0 | other.0)
    }

    pub(super) const fn without(self, other: Kinds) -> Kinds {
        Kinds(self.0 & !other.0)
    }

    pub(super) const fn and(self, other: Kinds) -> Kinds {
        Kinds(self.0 & other.0)
    }

    /// Whether nothing else is possible.
    pub(super) const fn within(self, other: Kinds) -> bool {
        self.0 & !other.0 == 0
    }

    /// Whether something of both is possible.
    pub(super) const fn meets(self, other: Kinds) -> bool {
        self.0 & other.0 != 0
    }

    /// The same without nil: what a value is that was found to be true.
    pub(super) const fn present(self) -> Kinds {
        self.without(Kinds::NIL)
    }
}

/// Functions and constructors.
pub(super) type Sites = SmallVec<[SiteId; MOST]>;

/// As many as a value may come from before it counts as of unknown origin too.
const MOST: usize = 4;

/// What a value may be, and where it may come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Value {
    pub(super) kinds: Kinds,
    /// Whether it may be a table or a function that is none of `sites`.
    pub(super) strange: bool,
    pub(super) sites: Sites,
}

impl Value {
    /// One that is not made in this text.
    pub(super) fn any() -> Self {
        Value { kinds: Kinds::ANY, strange: true, sites: Sites::new() }
    }

    /// One that is neither a table nor a function of Lua.
    pub(super) fn of(kinds: Kinds) -> Self {
        Value { kinds, strange: false, sites: Sites::new() }
    }

    /// What a function or a constructor of the text makes.
    pub(super) fn made(kinds: Kinds, site: SiteId) -> Self {
        Value { kinds, strange: false, sites: Sites::from_slice(&[site]) }
    }

    /// What is known of something of the environment.
    pub(super) fn known(known: Known) -> Self {
        match known {
            Known::Anything => Value::any(),
            Known::Table => Value { kinds: Kinds::TABLE, strange: true, sites: Sites::new() },
            _ => Value::of(Kinds::NATIVE),
        }
    }

    /// The same without all other kinds.
    pub(super) fn narrowed(mut self, kinds: Kinds) -> Self {
        self.kinds = self.kinds.and(kinds);
        if !self.kinds.meets(Kinds::TABLE.or(Kinds::CLOSURE)) {
            self.sites.clear();
            self.strange = false;
        }
        self
    }

    /// Adds what another may be. Whether that is more, and the sites that are forgotten.
    pub(super) fn join(&mut self, other: &Value) -> (bool, Sites) {
        let mut lost = Sites::new();
        let mut more = !other.kinds.within(self.kinds) || other.strange && !self.strange;
        self.kinds = self.kinds.or(other.kinds);
        self.strange |= other.strange;
        for &site in &other.sites {
            if self.sites.contains(&site) {
                continue;
            }
            if self.sites.len() < MOST {
                self.sites.push(site);
                more = true;
            } else {
                more |= !self.strange;
                self.strange = true;
                lost.push(site);
            }
        }
        (more, lost)
    }

    /// What either may be, with all the sites of both.
    pub(super) fn or(mut self, other: &Value) -> Self {
        self.kinds = self.kinds.or(other.kinds);
        self.strange |= other.strange;
        for site in &other.sites {
            if !self.sites.contains(site) {
                self.sites.push(*site);
            }
        }
        self
    }
}
