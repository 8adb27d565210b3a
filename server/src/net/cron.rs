//! What happens by itself, as time passes (`serverCron`).
//!
//! Owns the timer: expired keys go, idle clients are cut off. Must not know how.

use std::sync::Arc;
use std::time::Duration;

use super::Net;

/// How often expired keys are looked for: `hz` is 10 unless told otherwise.
const PERIOD: Duration = Duration::from_millis(100);

/// No client has this id.
const NOBODY: u64 = 0;

/// Runs until the server ends.
pub(super) async fn run(net: Arc<Net>) {
    loop {
        tokio::time::sleep(PERIOD).await;
        // Whoever has the core looks at the keys anyway; a busy script may keep it for long.
        let Some(mut core) = net.shared.try_acquire() else { continue };
        core.store.cron();
        core.settle(NOBODY);
        core.expire_waiting();
        net.settings.refresh(&core.store);
        if let Some(timeout) = net.settings.timeout() {
            core.end_idle(timeout);
        }
    }
}
