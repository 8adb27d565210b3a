//! The server's log, in redis-server's form (`server.c serverLogRaw`).
//!
//! Owns the lines' layout and where they go: programs that start a redis-server read them. Must
//! not know why a line is written.

use std::fs::{File, OpenOptions};
use std::io::{Write, stdout};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// How important a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    Notice,
    Warning,
}

/// Where lines go.
#[derive(Debug)]
pub(super) struct Log(Sink);

#[derive(Debug)]
enum Sink {
    Output,
    File(File),
    None,
}

impl Log {
    /// The standard output.
    pub(super) fn output() -> Self {
        Log(Sink::Output)
    }

    /// Nowhere.
    pub(super) fn none() -> Self {
        Log(Sink::None)
    }

    /// The end of a file.
    pub(super) fn file(path: &Path) -> Result<Self, String> {
        let file = OpenOptions::new().create(true).append(true).open(path);
        let why = |error| format!("Can't open the log file {}: {error}", path.display());
        Ok(Log(Sink::File(file.map_err(why)?)))
    }

    /// Writes a line. Nobody can be told when that fails.
    pub(super) fn line(&mut self, level: Level, text: &str) {
        let mark = if level == Level::Notice { '*' } else { '#' };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let date = date(now.as_secs());
        let millis = now.subsec_millis();
        let line = format!("{}:M {date}.{millis:03} {mark} {text}\n", std::process::id());
        let _ = match &mut self.0 {
            Sink::Output => {
                let mut out = stdout().lock();
                out.write_all(line.as_bytes()).and_then(|()| out.flush())
            }
            Sink::File(file) => file.write_all(line.as_bytes()),
            Sink::None => Ok(()),
        };
    }
}

/// `23 Nov 2026 04:52:22` in UTC, of seconds since the epoch.
fn date(seconds: u64) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let leap = |year: u64| {
        (year.is_multiple_of(4) && !year.is_multiple_of(100)) || year.is_multiple_of(400)
    };
    let (mut days, time) = (seconds / 86_400, seconds % 86_400);
    let mut year = 1970;
    loop {
        let length = if leap(year) { 366 } else { 365 };
        if days < length {
            break;
        }
        days -= length;
        year += 1;
    }
    let lengths = [31, if leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = "Dec";
    for (name, length) in MONTHS.iter().zip(lengths) {
        if days < length {
            month = name;
            break;
        }
        days -= length;
    }
    let (hours, minutes, seconds) = (time / 3600, time / 60 % 60, time % 60);
    format!("{:02} {month} {year} {hours:02}:{minutes:02}:{seconds:02}", days + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        assert_eq!(date(0), "01 Jan 1970 00:00:00");
        assert_eq!(date(951_782_400), "29 Feb 2000 00:00:00");
        assert_eq!(date(1_795_409_542), "23 Nov 2026 04:52:22");
        assert_eq!(date(4_102_444_799), "31 Dec 2099 23:59:59");
    }
}
