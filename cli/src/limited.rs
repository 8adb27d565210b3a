//! The limits of a script that runs here.
//!
//! Owns their options. Must not know who obeys them.

use std::time::Duration;

use clap::Args;
use redlua::{Engine, Limits};

/// See the module.
#[derive(Args)]
pub(crate) struct Limited {
    /// Stop the script after so many milliseconds, 60000 by default.
    #[arg(long, value_name = "MS")]
    time_limit: Option<u64>,
    /// Let the script hold so many MiB, 512 by default.
    #[arg(long, value_name = "MIB")]
    memory_limit: Option<usize>,
    /// Stop the script after about so many instructions of Lua's machine.
    #[arg(long, value_name = "COUNT")]
    instruction_limit: Option<u64>,
}

impl Limited {
    /// Whether there is any.
    pub(crate) fn is_any(&self) -> bool {
        let Limited { time_limit, memory_limit, instruction_limit } = self;
        time_limit.is_some() || memory_limit.is_some() || instruction_limit.is_some()
    }

    /// Changes those limits of an engine that were given.
    pub(crate) fn apply(&self, engine: &mut Engine) {
        let limits = engine.limits().clone();
        let memory = self.memory_limit.map(|mib| mib.saturating_mul(1 << 20));
        engine.set_limits(Limits {
            time: self.time_limit.map(Duration::from_millis).or(limits.time),
            memory: memory.or(limits.memory),
            instructions: self.instruction_limit.or(limits.instructions),
            ..limits
        });
    }
}
