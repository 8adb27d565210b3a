//! The engine: its Lua states, what is loaded into them, and its settings.
//!
//! Must not know which backend it runs on, nor how commands work.

use std::sync::Arc;

use redlua_core::{Backend, BackendInfo, Limits, ScriptFigures};

use crate::cache::Cache;
use crate::functions::Functions;
use crate::monitor::Monitor;
use crate::places::Cluster;
use crate::sandbox;
use crate::world::World;

/// Redis scripting on one Lua backend: the scripts and libraries it knows and the Lua states
/// they live in.
///
/// Made cheaply: a Lua state comes into being with the first script. `Send`, so that it can move
/// between threads or live behind a mutex; one thread at a time runs scripts.
pub struct Engine {
    backend: Arc<dyn Backend>,
    pub(crate) limits: Limits,
    pub(crate) eval: World,
    pub(crate) scripts: Cache,
    pub(crate) functions: Functions,
    pub(crate) monitor: Monitor,
    pub(crate) cluster: Option<Cluster>,
    pub(crate) strict_keys: bool,
}

impl Engine {
    /// An engine on `backend`, with the default [`Limits`].
    pub fn new(backend: Arc<dyn Backend>) -> Self {
        let eval = World::default();
        let mut functions = Functions::default();
        // Scripts and functions draw from one sequence of random numbers.
        functions.world.libraries = eval.libraries.sibling();
        Engine {
            backend,
            limits: Limits::default(),
            eval,
            scripts: Cache::default(),
            functions,
            monitor: Monitor::default(),
            cluster: None,
            strict_keys: false,
        }
    }

    /// An engine like this one, without its scripts and libraries: what a script that is debugged
    /// on a copy of the data runs in.
    pub fn fork(&self) -> Self {
        let mut fork = Engine::new(self.backend.clone());
        fork.limits = self.limits.clone();
        fork.cluster = self.cluster;
        fork.strict_keys = self.strict_keys;
        fork.eval.libraries = self.eval.libraries.fork();
        fork.functions.world.libraries = fork.eval.libraries.sibling();
        fork
    }

    /// Which Lua engine this is.
    pub fn backend(&self) -> &'static BackendInfo {
        self.backend.info()
    }

    /// The Lua engine itself, for another [`Engine`] on it.
    pub fn shared_backend(&self) -> Arc<dyn Backend> {
        self.backend.clone()
    }

    /// The limits of each script.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Changes the limits, from the next script on.
    pub fn set_limits(&mut self, limits: Limits) {
        for world in [&mut self.eval, &mut self.functions.world] {
            if let Some(vm) = world.vm() {
                vm.set_limits(&limits);
            }
        }
        self.limits = limits;
    }

    /// Puts scripts, and clients, into a cluster of the strictest kind, or out of it:
    /// [`set_cluster`](Self::set_cluster) with [`Cluster::default`], or with none.
    #[must_use]
    pub fn cluster(mut self, on: bool) -> Self {
        self.set_cluster(on.then(Cluster::default));
        self
    }

    /// Puts scripts, and clients, into this cluster: keys of one call that are in several slots,
    /// and keys that a script touches on another node than its own, are refused as a real cluster
    /// refuses them.
    pub fn set_cluster(&mut self, cluster: Option<Cluster>) {
        self.cluster = cluster;
    }

    /// Whether a cluster has been set.
    pub fn is_clustered(&self) -> bool {
        self.cluster.is_some()
    }

    /// Whether scripts may touch only the keys they were given in KEYS.
    #[must_use]
    pub fn strict_keys(mut self, on: bool) -> Self {
        self.set_strict_keys(on);
        self
    }

    /// From the next script on, a call that touches a key which was not given in KEYS raises an
    /// error, from `redis.pcall` too: it names the key and the command, and the line as every
    /// error does. What the host does not know of ([`Host::keys`]) is not seen, nor are commands
    /// that name no keys (`KEYS`, `SCAN`, `FLUSHDB`).
    ///
    /// [`Host::keys`]: redlua_core::Host::keys
    pub fn set_strict_keys(&mut self, on: bool) {
        self.strict_keys = on;
    }

    /// What other threads may know and do while a script runs.
    pub fn monitor(&self) -> &Monitor {
        &self.monitor
    }

    /// How many EVAL scripts are cached.
    pub fn cached_scripts(&self) -> usize {
        self.scripts.len()
    }

    /// How many function libraries are loaded.
    pub fn libraries(&self) -> usize {
        self.functions.libraries()
    }

    /// How many functions the loaded libraries have.
    pub fn functions(&self) -> usize {
        self.functions.count()
    }

    /// What a host may want to know of all that.
    pub(crate) fn figures(&self) -> ScriptFigures {
        ScriptFigures {
            scripts: self.cached_scripts(),
            libraries: self.libraries(),
            functions: self.functions(),
            eval_memory: self.eval.memory_used(),
            function_memory: self.functions.world.memory_used(),
        }
    }

    /// Bytes held by the Lua states.
    pub fn memory_used(&self) -> usize {
        self.eval.memory_used() + self.functions.world.memory_used()
    }

    /// The Lua state of EVAL scripts.
    ///
    /// # Errors
    /// The error reply when the backend cannot make one.
    pub(crate) fn eval_world(&mut self) -> Result<&mut World, Vec<u8>> {
        self.eval.open(&*self.backend, &sandbox::EVAL, &self.limits)?;
        Ok(&mut self.eval)
    }

    /// The Lua state of function libraries.
    ///
    /// # Errors
    /// The error reply when the backend cannot make one.
    pub(crate) fn function_world(&mut self) -> Result<&mut World, Vec<u8>> {
        self.functions.world.open(&*self.backend, &sandbox::FUNCTIONS, &self.limits)?;
        Ok(&mut self.functions.world)
    }

    /// Drops the Lua state of EVAL scripts and every script in it.
    pub(crate) fn reset_eval(&mut self) {
        self.scripts.clear();
        self.eval.reset();
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("backend", &self.backend.info().name)
            .field("scripts", &self.scripts.len())
            .field("libraries", &self.libraries())
            .finish_non_exhaustive()
    }
}
