//! How much memory this process holds, as the system counts it.
//!
//! Owns the reading of `/proc`. Must not know whose memory it is.

use std::fs;

/// Bytes of this process in memory now; `None` where the system does not tell.
pub fn resident() -> Option<usize> {
    field("VmRSS:")
}

/// The most there has been since [`reset_peak`].
pub fn peak() -> Option<usize> {
    field("VmHWM:")
}

/// Forgets the peak; `false` where that cannot be done.
pub fn reset_peak() -> bool {
    fs::write("/proc/self/clear_refs", "5").is_ok()
}

fn field(name: &str) -> Option<usize> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kilobytes: usize = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}
