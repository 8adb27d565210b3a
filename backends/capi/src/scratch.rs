//! Room in which functions of Lua's library put their results together.
//!
//! Owns one buffer for all of them: each that waits for a call has a part of it, the outermost
//! first. An error jumps over those that wait, and their parts stay; who comes next notices by
//! its place on the C stack. It must not know what is put together.

/// What a buffer may keep between runs.
const KEPT: usize = 64 << 10;
/// What it may keep between calls.
const LARGE: usize = 2 << 20;

/// The buffer and who has parts of it.
#[derive(Default)]
pub(crate) struct Scratch {
    pub(crate) bytes: Vec<u8>,
    /// Where on the C stack those are that wait, and where their parts begin.
    waiting: Vec<(usize, usize)>,
}

impl Scratch {
    /// Begins a call whose frame is at `place`: the parts of frames that are not above it any
    /// more are dropped. Returns where its part begins.
    #[inline]
    pub(crate) fn enter(&mut self, place: usize) -> usize {
        // The C stack grows downwards.
        while let Some(&(frame, start)) = self.waiting.last() {
            if frame > place {
                break;
            }
            self.waiting.pop();
            self.bytes.truncate(start);
        }
        if self.waiting.is_empty() {
            self.bytes.clear();
        }
        self.bytes.len()
    }

    /// Notes that the call at `place` waits, with the part that begins at `start`.
    #[inline]
    pub(crate) fn wait(&mut self, place: usize, start: usize) {
        if self.waiting.last() != Some(&(place, start)) {
            self.waiting.push((place, start));
        }
    }

    /// Ends the call at `place`, whose part begins at `start`.
    #[inline]
    pub(crate) fn leave(&mut self, place: usize, start: usize) {
        if self.waiting.last() == Some(&(place, start)) {
            self.waiting.pop();
        }
        self.bytes.truncate(start);
        // Nobody counts it, and what was made of it is in Lua's memory now.
        if self.waiting.is_empty() && self.bytes.capacity() > LARGE {
            self.bytes.shrink_to(KEPT);
        }
    }

    /// Forgets all, and gives back what is large.
    pub(crate) fn clear(&mut self) {
        self.waiting.clear();
        self.bytes.clear();
        self.bytes.shrink_to(KEPT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_those_that_were_jumped_over_are_dropped() {
        let mut scratch = Scratch::default();
        let outer = scratch.enter(1000);
        scratch.bytes.extend_from_slice(b"outer");
        scratch.wait(1000, outer);
        for _ in 0..100 {
            let inner = scratch.enter(500);
            assert_eq!(inner, 5);
            scratch.bytes.extend_from_slice(b"inner");
            scratch.wait(500, inner);
            // An error; or a frame that is deeper, which also never comes back.
            let deeper = scratch.enter(400);
            assert_eq!(deeper, 10);
            scratch.bytes.extend_from_slice(b"deeper");
            scratch.wait(400, deeper);
        }
        scratch.leave(1000, outer);
        assert_eq!(scratch.enter(2000), 0);
        assert!(scratch.bytes.is_empty() && scratch.waiting.is_empty());
    }
}
