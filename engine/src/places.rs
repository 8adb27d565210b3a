//! Which keys a script may touch: those it declared, those of its slot.
//!
//! Owns [`Cluster`], strict keys, and the checks of a cluster's node (`cluster.c getNodeByQuery`,
//! `script.c scriptVerifyClusterState`). Must not know how a key's slot is counted, nor where the
//! keys of a call stand: the host says that.

use redlua_conversions::keys::sort_patterns;
use redlua_conversions::quoted;
use redlua_conversions::slot::{SLOTS, slot};
use redlua_core::{CommandFlags, CommandSpec, Host};

use crate::dispatch::Family;
use crate::engine::Engine;
use crate::shebang::ScriptFlags;
use crate::text::{self, NOT_AN_INTEGER, join};
use crate::world::keys_and_args;

/// The cluster that scripts are to find themselves in.
///
/// Clients see one server that has every slot. A script runs on the node of its keys, and what it
/// calls for keys of another node is refused as a real node refuses it.
///
/// ```
/// use redlua_engine::Cluster;
///
/// assert_eq!(Cluster::default(), Cluster::of(16384));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cluster {
    nodes: u16,
}

impl Default for Cluster {
    /// Each slot on a node of its own: a script that runs here runs on every cluster, however its
    /// slots are dealt out.
    fn default() -> Self {
        Cluster { nodes: SLOTS }
    }
}

impl Cluster {
    /// So many nodes, from 1 to 16384, that share the slots as `redis-cli --cluster create` deals
    /// them out.
    pub const fn of(nodes: u16) -> Self {
        let nodes = if nodes == 0 { 1 } else { nodes };
        Cluster { nodes: if nodes > SLOTS { SLOTS } else { nodes } }
    }

    /// The node that has a slot.
    fn node(self, slot: u16) -> u32 {
        (2 * u32::from(slot) + 1) * u32::from(self.nodes) / (2 * u32::from(SLOTS))
    }
}

/// Keys of one call in several slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CrossSlot;

impl CrossSlot {
    /// The error reply (`clusterRedirectClient` in `cluster.c`).
    pub const TEXT: &'static [u8] = b"CROSSSLOT Keys in request don't hash to the same slot";
}

const NON_LOCAL: &[u8] = b"Script attempted to access a non local key in a cluster node";
const OTHER_SLOT: &[u8] = b"Script attempted to access keys that do not hash to the same slot";

impl Engine {
    /// The slot of the keys of a client's call; `None` when it has no keys, or scripts are in no
    /// cluster.
    ///
    /// # Errors
    /// They are in several slots.
    pub fn slot(
        &self,
        host: &dyn Host,
        spec: &CommandSpec,
        argv: &[&[u8]],
    ) -> Result<Option<u16>, CrossSlot> {
        if self.cluster.is_none() {
            return Ok(None);
        }
        match argv.first().and_then(|name| Family::of(name)) {
            Some(family) => one_slot(declared(family, argv).iter().copied()),
            None => one_slot(touched(host, spec, argv)),
        }
    }

    /// The cluster that the scripts of a host are in: the engine's, or that of a host that is one,
    /// of whose nodes nothing is known.
    pub(crate) fn cluster_of(&self, host: &dyn Host) -> Option<Cluster> {
        self.cluster.or_else(|| host.condition().cluster.then_some(Cluster::of(1)))
    }

    /// What the calls of a script are measured by; `None` when they need not be.
    ///
    /// # Errors
    /// The error reply: the script's own keys are in several slots.
    pub(crate) fn places<'a>(
        &self,
        host: &dyn Host,
        keys: &'a [&'a [u8]],
        flags: ScriptFlags,
        caller: Option<u16>,
    ) -> Result<Option<Places<'a>>, &'static [u8]> {
        let cluster = self.cluster_of(host);
        if cluster.is_none() && !self.strict_keys {
            return Ok(None);
        }
        let slot = match cluster {
            Some(_) => one_slot(keys.iter().copied()).map_err(|CrossSlot| CrossSlot::TEXT)?,
            None => None,
        };
        let free = ScriptFlags::COMPATIBLE | ScriptFlags::ALLOW_CROSS_SLOT_KEYS;
        let slot = slot.or(caller);
        Ok(Some(Places {
            declared: self.strict_keys.then_some(keys),
            cluster,
            node: cluster.zip(slot).map(|(cluster, slot)| cluster.node(slot)),
            slot,
            one_slot: !flags.intersects(free),
        }))
    }
}

/// The keys that a call of the scripting family declares; none when it is wrong in itself.
fn declared<'a>(family: Family, argv: &'a [&'a [u8]]) -> &'a [&'a [u8]] {
    match (family, argv) {
        (Family::Script | Family::Function, _) => &[],
        (_, [_, _, numkeys, rest @ ..]) => {
            keys_and_args(numkeys, rest, NOT_AN_INTEGER).map_or(&[], |(keys, _)| keys)
        }
        _ => &[],
    }
}

/// The keys of a call, and a shard's channels.
fn touched<'a>(
    host: &dyn Host,
    spec: &CommandSpec,
    argv: &'a [&'a [u8]],
) -> impl Iterator<Item = &'a [u8]> {
    host.keys(spec, argv).into_iter().filter_map(|at| argv.get(at).copied())
}

/// The one slot of some keys; `None` when there are no keys.
fn one_slot<'a>(keys: impl IntoIterator<Item = &'a [u8]>) -> Result<Option<u16>, CrossSlot> {
    let mut slots = keys.into_iter().map(slot);
    let Some(first) = slots.next() else { return Ok(None) };
    if slots.all(|other| other == first) { Ok(Some(first)) } else { Err(CrossSlot) }
}

/// The keys that a running script may touch.
pub(crate) struct Places<'a> {
    /// KEYS, when it may touch no others.
    declared: Option<&'a [&'a [u8]]>,
    cluster: Option<Cluster>,
    /// Where it runs, once that is known.
    node: Option<u32>,
    /// The slot of its keys, or of the first that it touched.
    slot: Option<u16>,
    /// Whether all that it touches must be in one slot.
    one_slot: bool,
}

impl Places<'_> {
    /// The error of a call that touches a key which is not among KEYS.
    pub(crate) fn undeclared(
        &self,
        host: &dyn Host,
        spec: &CommandSpec,
        argv: &[&[u8]],
    ) -> Option<Vec<u8>> {
        let declared = self.declared?;
        // The channels of a shard are no keys.
        if spec.flags.contains(CommandFlags::PUBSUB) {
            return None;
        }
        let name = text::full_name(argv, spec.flags.contains(CommandFlags::SUBCOMMAND));
        let told = |what: &[u8], key: &[u8], why: &[u8]| {
            join(&[b"Script accesses ", what, &quoted(key), b" with '", &name, b"'", why])
        };
        if let Some(key) = touched(host, spec, argv).find(|key| !declared.contains(key)) {
            return Some(told(b"the key ", key, b", which is not declared in KEYS"));
        }
        if !matches!(name.as_slice(), b"sort" | b"sort_ro") {
            return None;
        }
        let pattern = sort_patterns(argv).next()?;
        Some(told(b"the keys ", pattern, b", which cannot be declared in KEYS"))
    }

    /// The error of a call that touches a key of another node or slot.
    pub(crate) fn misplaced(
        &mut self,
        host: &dyn Host,
        spec: &CommandSpec,
        argv: &[&[u8]],
    ) -> Option<&'static [u8]> {
        let cluster = self.cluster?;
        let found = match one_slot(touched(host, spec, argv)) {
            // A node has no word of its own for this.
            Err(CrossSlot) => return Some(NON_LOCAL),
            Ok(None) => return None,
            Ok(Some(found)) => found,
        };
        if *self.node.get_or_insert(cluster.node(found)) != cluster.node(found) {
            return Some(NON_LOCAL);
        }
        if self.one_slot && *self.slot.get_or_insert(found) != found {
            return Some(OTHER_SLOT);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_dealt_out_as_redis_cli_does() {
        let three = Cluster::of(3);
        let ends = [(0, 5460), (5461, 10922), (10923, 16383)];
        for (node, (first, last)) in ends.into_iter().enumerate() {
            assert_eq!([three.node(first), three.node(last)], [node as u32; 2]);
        }
        for slot in [0, 1, 8191, 8192, 16383] {
            assert_eq!(Cluster::of(1).node(slot), 0);
            assert_eq!(Cluster::default().node(slot), u32::from(slot));
        }
        assert_eq!(Cluster::of(0), Cluster::of(1));
        assert_eq!(Cluster::of(u16::MAX), Cluster::default());
    }
}
