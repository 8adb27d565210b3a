//! The scripts that are known by their SHA1, and which of them are forgotten.
//!
//! Owns the cache and its rule of eviction ([`Limits::scripts`]). Must not know where scripts come
//! from or how they run.

use std::hash::{Hash, Hasher};

use hashbrown::{Equivalent, HashMap};
use redlua_core::{Limits, ScriptId, Vm};

use crate::shebang::ScriptFlags;

/// The part of the scripts that is forgotten at once, so that finding them is seldom.
const PART: usize = 8;

/// A SHA1 in lower-case hexadecimal. Its beginning is as good as all of it for finding it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Sha([u8; 40]);

impl Hash for Sha {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Wanted(&self.0).hash(state);
    }
}

/// The same where it lies.
struct Wanted<'a>(&'a [u8; 40]);

impl Hash for Wanted<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let begin = self.0.first_chunk().copied().unwrap_or_default();
        state.write_u64(u64::from_le_bytes(begin));
    }
}

impl Equivalent<Sha> for Wanted<'_> {
    fn equivalent(&self, known: &Sha) -> bool {
        *self.0 == known.0
    }
}

/// The scripts compiled into the EVAL state, by their SHA1 in lower-case hexadecimal.
#[derive(Default)]
pub(crate) struct Cache {
    scripts: HashMap<Sha, Entry>,
    /// Counts runs, so that it tells which was first.
    turn: u64,
    /// How many `SCRIPT LOAD` brought.
    kept: usize,
}

/// A compiled script.
#[derive(Clone, Copy)]
pub(crate) struct Cached {
    pub(crate) id: ScriptId,
    pub(crate) flags: ScriptFlags,
}

#[derive(Clone, Copy)]
struct Entry {
    cached: Cached,
    /// The turn at which it ran last.
    ran: u64,
    /// Whether `SCRIPT LOAD` brought it.
    kept: bool,
}

impl Cache {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.scripts.len()
    }

    /// How many of them stay until `SCRIPT FLUSH`.
    pub(crate) fn kept(&self) -> usize {
        self.kept
    }

    /// A script that is not going to be run.
    pub(crate) fn look(&self, sha: &[u8; 40]) -> Option<Cached> {
        self.scripts.get(&Wanted(sha)).map(|entry| entry.cached)
    }

    /// A script that is going to be run.
    pub(crate) fn run(&mut self, sha: &[u8; 40]) -> Option<Cached> {
        let entry = self.scripts.get_mut(&Wanted(sha))?;
        self.turn += 1;
        entry.ran = self.turn;
        Some(entry.cached)
    }

    /// Lets a script stay until `SCRIPT FLUSH`; `false` when there is none.
    pub(crate) fn keep(&mut self, sha: &[u8; 40]) -> bool {
        let Some(entry) = self.scripts.get_mut(&Wanted(sha)) else { return false };
        if !entry.kept {
            entry.kept = true;
            self.kept += 1;
        }
        true
    }

    /// Adds a script.
    pub(crate) fn insert(
        &mut self,
        sha: [u8; 40],
        id: ScriptId,
        flags: ScriptFlags,
        kept: bool,
    ) -> Cached {
        let cached = Cached { id, flags };
        self.turn += 1;
        self.kept += usize::from(kept);
        self.scripts.insert(Sha(sha), Entry { cached, ran: self.turn, kept });
        cached
    }

    /// Forgets scripts, when there are too many or they take too much, before another comes.
    pub(crate) fn make_room(&mut self, vm: &mut dyn Vm, limits: &Limits) {
        while limits.scripts.is_some_and(|most| self.len() >= most.max(1)) {
            if self.forget_some(vm) == 0 {
                break;
            }
        }
        let half = limits.memory.map(|most| most / 2);
        if half.is_some_and(|half| vm.memory_used() > half) && self.forget_some(vm) > 0 {
            vm.collect();
        }
    }

    /// Whether so little memory is left that no script that stays may be added.
    pub(crate) fn is_starving(&self, vm: &mut dyn Vm, limits: &Limits) -> bool {
        let most = limits.memory.map(|most| most / 4 * 3);
        let over = |vm: &dyn Vm| most.is_some_and(|most| vm.memory_used() > most);
        if !over(vm) {
            return false;
        }
        vm.collect();
        over(vm)
    }

    /// Forgets some of the scripts that `EVAL` brought, those first that have not run for the
    /// longest time; returns how many.
    pub(crate) fn forget_some(&mut self, vm: &mut dyn Vm) -> usize {
        let mut turns: Vec<u64> =
            self.scripts.values().filter(|entry| !entry.kept).map(|entry| entry.ran).collect();
        let count = turns.len().div_ceil(PART);
        let Some(last) = count.checked_sub(1) else { return 0 };
        let (_, &mut latest, _) = turns.select_nth_unstable(last);
        self.scripts.retain(|_, entry| {
            let stays = entry.kept || entry.ran > latest;
            if !stays {
                vm.release(entry.cached.id);
            }
            stays
        });
        count
    }

    /// Forgets all of them; the Lua state goes with them.
    pub(crate) fn clear(&mut self) {
        *self = Cache { turn: self.turn, ..Cache::default() };
    }
}
