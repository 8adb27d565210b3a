//! Text that a library puts together before it becomes a string.
//!
//! Owns a buffer in which short pieces cost no call of `memcpy`. Must not know what the text says.

use crate::check::KEPT;

/// Bytes put together, and room behind them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Output {
    /// What was written, then bytes that do not matter.
    bytes: Vec<u8>,
    len: usize,
}

impl Output {
    pub(crate) fn clear(&mut self) {
        self.len = 0;
    }

    /// Gives back what is large.
    pub(crate) fn shrink(&mut self) {
        if self.bytes.len() > KEPT {
            self.bytes.truncate(KEPT);
            self.bytes.shrink_to_fit();
            self.len = self.len.min(KEPT);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// Makes room for so many bytes more.
    #[inline]
    fn reserve(&mut self, more: usize) {
        if self.bytes.len() - self.len < more {
            self.grow(more);
        }
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, more: usize) {
        let least = (self.len + more).max(2 * self.bytes.len()).max(64);
        self.bytes.resize(least, 0);
    }

    #[inline]
    pub(crate) fn push(&mut self, byte: u8) {
        self.reserve(1);
        if let Some(place) = self.bytes.get_mut(self.len) {
            *place = byte;
        }
        self.len += 1;
    }

    /// The first `len` bytes of a word, at most 8, from its lowest on.
    #[inline]
    pub(crate) fn word(&mut self, word: u64, len: usize) {
        self.reserve(8);
        let place = self.bytes.get_mut(self.len..).and_then(<[u8]>::first_chunk_mut::<8>);
        if let Some(place) = place {
            *place = word.to_le_bytes();
        }
        self.len += len;
    }

    /// The next `len` bytes, to be written and then [`taken`](Self::take).
    #[inline]
    pub(crate) fn space(&mut self, len: usize) -> &mut [u8] {
        self.reserve(len);
        self.bytes.get_mut(self.len..).unwrap_or_default()
    }

    /// Counts bytes of the [`space`](Self::space) as written.
    #[inline]
    pub(crate) fn take(&mut self, len: usize) {
        self.len += len;
    }

    #[inline]
    pub(crate) fn extend(&mut self, bytes: &[u8]) {
        if bytes.len() <= 8 {
            return self.word(word(bytes), bytes.len());
        }
        self.reserve(bytes.len());
        if let Some(place) = self.bytes.get_mut(self.len..self.len + bytes.len()) {
            place.copy_from_slice(bytes);
        }
        self.len += bytes.len();
    }

    /// Changes a byte that was written.
    pub(crate) fn byte_mut(&mut self, at: usize) -> Option<&mut u8> {
        self.bytes.get_mut(..self.len)?.get_mut(at)
    }

    /// Puts bytes in the place of the one at `at`.
    pub(crate) fn splice(&mut self, at: usize, bytes: &[u8]) {
        self.bytes.truncate(self.len);
        self.bytes.splice(at..=at, bytes.iter().copied());
        self.len = self.bytes.len();
    }
}

/// The first eight bytes, or all when there are fewer and then zeros, the first one lowest.
#[inline]
pub(crate) fn word(bytes: &[u8]) -> u64 {
    if let Some(word) = bytes.first_chunk::<8>() {
        return u64::from_le_bytes(*word);
    }
    let len = bytes.len();
    if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        // Where they overlap they agree.
        let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
        return u64::from(first) | u64::from(last) << (8 * (len - 4));
    }
    let Some(&[first]) = bytes.first_chunk::<1>() else { return 0 };
    let middle = bytes.get(len / 2).copied().unwrap_or(0);
    let last = bytes.last().copied().unwrap_or(0);
    u64::from(first) | u64::from(middle) << (8 * (len / 2)) | u64::from(last) << (8 * (len - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_any_length() {
        let all: Vec<u8> = (1..=100).collect();
        let mut output = Output::default();
        for len in 0..all.len() {
            output.clear();
            output.push(b'<');
            output.extend(&all[..len]);
            output.extend(b">!");
            let expected = [b"<", &all[..len], b">!"].concat();
            assert_eq!(output.as_bytes(), expected);
            assert_eq!(output.len(), len + 3);
        }
        output.splice(1, b"[]");
        assert_eq!(&output.as_bytes()[..4], b"<[]\x02");
        output.shrink();
        assert_eq!(output.len(), 103);
    }

    #[test]
    fn words_of_any_length() {
        for len in 0..12 {
            let bytes: Vec<u8> = (1..=len).collect();
            let mut expected = [0; 8];
            for (place, byte) in expected.iter_mut().zip(&bytes) {
                *place = *byte;
            }
            assert_eq!(word(&bytes).to_le_bytes(), expected);
        }
    }
}
