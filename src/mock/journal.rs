//! What ran on a mock, and what is to fail.
//!
//! Owns [`Call`] and the [`Log`] that the store shows every call. Must not know commands.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redlua_core::Session;
use redlua_store::Tap;

/// One call that reached a [`MockRedis`](crate::MockRedis).
///
/// It prints as one line:
///
/// ```
/// let mock = redlua::MockRedis::new();
/// mock.command(("EVAL", "return redis.call('GET', KEYS[1])", 1, "my key"))?;
/// let calls = mock.calls();
/// assert!(!calls[0].script && calls[1].script);
/// assert_eq!(calls[1].to_string(), r#"GET "my key""#);
/// # Ok::<(), redlua::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Call {
    /// The command's words as they were sent.
    pub argv: Vec<Vec<u8>>,
    /// `CLIENT ID` of the connection, also of a script's call.
    pub session: u64,
    /// The database.
    pub db: u32,
    /// Whether a script made it.
    pub script: bool,
    /// When, by the mock's clock, since the Unix epoch.
    pub time: Duration,
}

impl Call {
    /// Whether it is of this command, in any case: `GET`, or `CONFIG GET`.
    pub fn is(&self, command: &str) -> bool {
        let mut words = command.split_whitespace();
        let mut argv = self.argv.iter();
        words.all(|word| argv.next().is_some_and(|arg| arg.eq_ignore_ascii_case(word.as_bytes())))
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, word) in self.argv.iter().enumerate() {
            let space = if index == 0 { "" } else { " " };
            let bare = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'\\');
            if !word.is_empty() && word.iter().all(bare) {
                write!(f, "{space}{}", String::from_utf8_lossy(word))?;
            } else {
                let quoted = redlua_conversions::reply::quoted(word);
                write!(f, "{space}{}", String::from_utf8_lossy(&quoted))?;
            }
        }
        Ok(())
    }
}

/// The journal as the mock and its store share it.
#[derive(Clone)]
pub(super) struct Log(Arc<Mutex<Journal>>);

impl Log {
    /// A journal of at most that many calls.
    pub(super) fn new(limit: usize) -> Self {
        Log(Arc::new(Mutex::new(Journal { limit, ..Journal::default() })))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Journal> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tap for Log {
    fn call(&mut self, now: Duration, session: &Session, argv: &[&[u8]]) -> Option<Vec<u8>> {
        let mut journal = self.lock();
        journal.note(now, session, argv);
        journal.failure(argv)
    }
}

/// What ran and what is to fail.
#[derive(Default)]
pub(super) struct Journal {
    calls: VecDeque<Call>,
    limit: usize,
    /// Error texts by the command's words in lower case, next first.
    failures: HashMap<Vec<Vec<u8>>, VecDeque<Vec<u8>>>,
}

impl Journal {
    pub(super) fn fail_next(&mut self, command: &str, error: &str) {
        let words = command.split_whitespace().map(|word| word.to_ascii_lowercase().into_bytes());
        self.failures.entry(words.collect()).or_default().push_back(error.into());
    }

    pub(super) fn clear_failures(&mut self) -> usize {
        self.failures.drain().map(|(_, texts)| texts.len()).sum()
    }

    pub(super) fn calls(&self) -> Vec<Call> {
        self.calls.iter().cloned().collect()
    }

    pub(super) fn clear_calls(&mut self) {
        self.calls.clear();
    }

    fn note(&mut self, now: Duration, session: &Session, argv: &[&[u8]]) {
        if self.limit == 0 {
            return;
        }
        if self.calls.len() >= self.limit {
            self.calls.pop_front();
        }
        self.calls.push_back(Call {
            argv: argv.iter().map(|word| word.to_vec()).collect(),
            session: session.id,
            db: session.db,
            script: session.script,
            time: now,
        });
    }

    /// The error asked for the command, by its first two words or by its name alone.
    fn failure(&mut self, argv: &[&[u8]]) -> Option<Vec<u8>> {
        if self.failures.is_empty() {
            return None;
        }
        for count in [2, 1] {
            let words = argv.get(..count).unwrap_or_default();
            let words: Vec<_> = words.iter().map(|word| word.to_ascii_lowercase()).collect();
            let Some(texts) = self.failures.get_mut(&words) else { continue };
            let text = texts.pop_front();
            if texts.is_empty() {
                self.failures.remove(&words);
            }
            return text;
        }
        None
    }
}
