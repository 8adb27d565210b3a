//! The lines of the script being debugged and its breakpoints.
//!
//! Owns how a line is shown and the list of breakpoints with its limit. Must not know commands.

use super::c_str;

/// `LDB_BREAKPOINTS_MAX`.
const BREAKPOINTS: usize = 64;
const INT: usize = size_of::<i32>();

/// The script's text, where it stands, and where it is to stop.
pub(super) struct Source {
    lines: Vec<Vec<u8>>,
    current: i64,
    breakpoints: [i32; BREAKPOINTS],
    count: usize,
}

/// Why a breakpoint was not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unset {
    /// There are as many as there may be.
    Full,
    /// There is no such line, or it has one.
    Line,
}

impl Source {
    /// The lines of a text, without the line ends that it ends with.
    pub(super) fn new(text: &[u8]) -> Self {
        let end = text.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n'));
        let text = end.map_or(&b""[..], |end| text.get(..=end).unwrap_or(text));
        let lines = if text.is_empty() {
            Vec::new()
        } else {
            text.split(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect()
        };
        Source { lines, current: 0, breakpoints: [0; BREAKPOINTS], count: 0 }
    }

    /// The line the script stands at.
    pub(super) fn current(&self) -> i64 {
        self.current
    }

    /// The script stands at another line.
    pub(super) fn go_to(&mut self, line: i64) {
        self.current = line;
    }

    /// The breakpoints, in the order in which they were set.
    pub(super) fn breakpoints(&self) -> &[i32] {
        self.breakpoints.get(..self.count).unwrap_or_default()
    }

    /// Whether a line has a breakpoint.
    pub(super) fn is_breakpoint(&self, line: i64) -> bool {
        self.breakpoints().iter().any(|&at| i64::from(at) == line)
    }

    /// Sets a breakpoint; `line` is not 0 (`ldbAddBreakpoint`).
    ///
    /// # Errors
    /// It cannot be set.
    pub(super) fn set(&mut self, line: i32) -> Result<(), Unset> {
        let exists = usize::try_from(line).is_ok_and(|line| (1..=self.lines.len()).contains(&line));
        let wrong = !exists || self.is_breakpoint(i64::from(line));
        let place = self.breakpoints.get_mut(self.count).ok_or(Unset::Full)?;
        if wrong {
            return Err(Unset::Line);
        }
        *place = line;
        self.count += 1;
        Ok(())
    }

    /// Removes a breakpoint; returns whether there was one.
    ///
    /// `ldbDelBreakpoint` moves those behind it by as many bytes as there are breakpoints, not by
    /// as many numbers: of several, some are doubled and others lost. Here too.
    pub(super) fn unset(&mut self, line: i32) -> bool {
        let Some(at) = self.breakpoints().iter().position(|&other| other == line) else {
            return false;
        };
        self.count -= 1;
        let mut bytes = [0; BREAKPOINTS * INT];
        for (place, number) in bytes.chunks_exact_mut(INT).zip(self.breakpoints) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        let from = (at + 1) * INT;
        let to = (from + (self.count - at)).min(bytes.len());
        bytes.copy_within(from..to, at * INT);
        for (number, place) in self.breakpoints.iter_mut().zip(bytes.chunks_exact(INT)) {
            *number = place.try_into().map_or(0, i32::from_le_bytes);
        }
        true
    }

    /// Removes all breakpoints.
    pub(super) fn clear(&mut self) {
        self.count = 0;
    }

    /// A line with its marks (`ldbLogSourceLine`).
    pub(super) fn show(&self, line: i64) -> Vec<u8> {
        let mark = match (self.current == line, self.is_breakpoint(line)) {
            (true, true) => "->#",
            (true, false) => "-> ",
            (false, true) => "  #",
            (false, false) => "   ",
        };
        let index = usize::try_from(line).ok().and_then(|line| line.checked_sub(1));
        let text = index.and_then(|index| self.lines.get(index)).map(|text| c_str(text));
        let mut shown = format!("{mark}{line:<3} ").into_bytes();
        shown.extend_from_slice(text.unwrap_or(b"<out of range source code line>"));
        shown
    }

    /// The lines around one, `context` before and after it; all of them around line 0
    /// (`ldbList`).
    pub(super) fn around(&self, line: i64, context: i32) -> Vec<Vec<u8>> {
        let near = |other: &i64| line == 0 || (line - other).abs() <= i64::from(context);
        (1..=self.lines.len() as i64).filter(near).map(|other| self.show(other)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_marks() {
        let mut source = Source::new(b"a\n\nb\0c\r\n\n");
        source.go_to(3);
        assert_eq!(source.set(1), Ok(()));
        let shown = source.around(0, 0);
        assert_eq!(shown, [&b"  #1   a"[..], b"   2   ", b"-> 3   b"].map(<[u8]>::to_vec));
        assert_eq!(source.show(4), b"   4   <out of range source code line>");
        assert_eq!(Source::new(b"\r\n").around(0, 9), Vec::<Vec<u8>>::new());
    }

    #[test]
    fn breakpoints_are_removed_as_the_server_does() {
        let mut source = Source::new(&b"x\n".repeat(100));
        for line in 1..=9 {
            assert_eq!(source.set(line), Ok(()));
        }
        for line in [5, 101, -1] {
            assert_eq!(source.set(line), Err(Unset::Line));
        }
        assert!(source.unset(1));
        assert_eq!(source.breakpoints(), [2, 3, 3, 4, 5, 6, 7, 8]);
        assert!(source.unset(4));
        assert_eq!(source.breakpoints(), [2, 3, 3, 5, 5, 6, 7]);
        assert!(!source.unset(9));
        source.clear();
        for line in 1..=64 {
            assert_eq!(source.set(line), Ok(()));
        }
        assert_eq!(source.set(65), Err(Unset::Full));
    }
}
