//! The engine: its Lua states, what is loaded into them, and its settings.
//!
//! Must not know which backend it runs on, nor how commands work.

use std::sync::Arc;

use redlua_core::{Backend, BackendInfo, Environment, Limits};

use crate::functions::Functions;
use crate::monitor::Monitor;
use crate::sandbox;
use crate::scripts::Cache;
use crate::world::World;

/// Redis scripting on one Lua backend: the scripts and libraries it knows and the Lua states
/// they live in.
///
/// Made cheaply: a Lua state comes into being with the first script. `Send`, so that it can move
/// between threads or live behind a mutex; one thread at a time runs scripts.
pub struct Engine {
    backend: Arc<dyn Backend>,
    limits: Limits,
    eval: Option<World>,
    pub(crate) scripts: Cache,
    pub(crate) functions: Functions,
    monitor: Monitor,
}

impl Engine {
    /// An engine on `backend`, with the default [`Limits`].
    pub fn new(backend: Arc<dyn Backend>) -> Self {
        Engine {
            backend,
            limits: Limits::default(),
            eval: None,
            scripts: Cache::default(),
            functions: Functions::default(),
            monitor: Monitor::default(),
        }
    }

    /// Which Lua engine this is.
    pub fn backend(&self) -> &'static BackendInfo {
        self.backend.info()
    }

    /// The limits of each script.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Changes the limits, from the next script on.
    pub fn set_limits(&mut self, limits: Limits) {
        if let Some(world) = &mut self.eval {
            world.vm.set_limits(&limits);
        }
        if let Some(world) = &mut self.functions.world {
            world.vm.set_limits(&limits);
        }
        self.limits = limits;
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

    /// Bytes held by the Lua states.
    pub fn memory_used(&self) -> usize {
        [&self.eval, &self.functions.world]
            .into_iter()
            .flatten()
            .map(|world| world.vm.memory_used())
            .sum()
    }

    /// The Lua state of EVAL scripts.
    ///
    /// # Errors
    /// The error reply when the backend cannot make one.
    pub(crate) fn eval_world(&mut self) -> Result<&mut World, Vec<u8>> {
        open(&mut self.eval, &*self.backend, sandbox::eval, &self.limits)
    }

    /// The Lua state of function libraries.
    ///
    /// # Errors
    /// The error reply when the backend cannot make one.
    pub(crate) fn function_world(&mut self) -> Result<&mut World, Vec<u8>> {
        open(&mut self.functions.world, &*self.backend, sandbox::functions, &self.limits)
    }

    /// Drops the Lua state of EVAL scripts and every script in it.
    pub(crate) fn reset_eval(&mut self) {
        self.scripts.clear();
        self.eval = None;
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

fn open<'a>(
    slot: &'a mut Option<World>,
    backend: &dyn Backend,
    environment: fn() -> Environment,
    limits: &Limits,
) -> Result<&'a mut World, Vec<u8>> {
    let world = match slot.take() {
        Some(world) => world,
        None => World::new(
            backend
                .create(&environment(), limits)
                .map_err(|error| format!("ERR {error}").into_bytes())?,
        ),
    };
    Ok(slot.insert(world))
}
