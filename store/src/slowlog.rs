//! The slow log (`slowlog.c`): the commands that took long, and how their words are shortened.
//!
//! Owns the entries. It must not know what is slow.

use std::collections::VecDeque;
use std::time::Duration;

/// The most words of a command that are kept (`SLOWLOG_ENTRY_MAX_ARGC`).
const MAX_WORDS: usize = 32;
/// The most bytes of a word that are kept (`SLOWLOG_ENTRY_MAX_STRING`).
const MAX_BYTES: usize = 128;

/// One slow command.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Counts entries since the start.
    pub(crate) id: u64,
    /// When, in seconds since the epoch.
    pub(crate) at: u64,
    /// How long it took.
    pub(crate) took: Duration,
    /// Its words, shortened.
    pub(crate) words: Vec<Vec<u8>>,
    /// The connection's address.
    pub(crate) address: String,
    /// The connection's name.
    pub(crate) name: Vec<u8>,
}

/// The log, latest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct SlowLog {
    entries: VecDeque<Entry>,
    next: u64,
}

impl SlowLog {
    /// Adds a command and keeps at most `most` (`slowlogPushEntryIfNeeded`).
    pub(crate) fn push(
        &mut self,
        at: u64,
        took: Duration,
        words: Vec<Vec<u8>>,
        (address, name): (String, Vec<u8>),
        most: usize,
    ) {
        let entry = Entry { id: self.next, at, took, words, address, name };
        self.next += 1;
        self.entries.push_front(entry);
        self.entries.truncate(most);
    }

    /// The entries, latest first.
    pub(crate) fn entries(&self) -> impl ExactSizeIterator<Item = &Entry> {
        self.entries.iter()
    }

    /// Forgets all entries; their numbers go on.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }
}

/// A command's words as the log keeps them (`slowlogCreateEntry`).
pub(crate) fn shorten(argv: &[impl AsRef<[u8]>]) -> Vec<Vec<u8>> {
    let kept = if argv.len() > MAX_WORDS { MAX_WORDS - 1 } else { argv.len() };
    let mut words: Vec<Vec<u8>> = argv.iter().take(kept).map(|word| cut(word.as_ref())).collect();
    if argv.len() > kept {
        words.push(format!("... ({} more arguments)", argv.len() - kept).into_bytes());
    }
    words
}

fn cut(word: &[u8]) -> Vec<u8> {
    match word.split_at_checked(MAX_BYTES) {
        Some((start, rest)) if !rest.is_empty() => {
            let mut cut = start.to_vec();
            cut.extend_from_slice(format!("... ({} more bytes)", rest.len()).as_bytes());
            cut
        }
        _ => word.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_commands_are_shortened() {
        let words: Vec<Vec<u8>> = (0..40).map(|n: i32| n.to_string().into_bytes()).collect();
        let short = shorten(&words);
        assert_eq!(short.len(), 32);
        assert_eq!(short[31], b"... (9 more arguments)");
        assert_eq!(shorten(&[vec![b'x'; 130]])[0][128..], *b"... (2 more bytes)");
    }
}
