//! `table.sort`, in steps: every comparison may run Lua code.
//!
//! Owns the order in which elements are compared and moved (`auxsort` in `ltablib.c`), which
//! decides what becomes of equal ones and of inconsistent comparisons. Must not know how two
//! elements are compared.

use redlua_core::{Arguments, Kind, Raise, Scalar, Step, Workspace};

use super::Context;
use crate::check::Check;

/// Ranges that wait while a smaller one is sorted; each is at least twice as large as the next.
const DEPTH: usize = 32;
/// Comparisons between two questions to the budget.
const INTERVAL: u32 = 2_000;

/// A sort in progress.
///
/// The names are those of quicksort: the range is `low` to `high`, `up` and `down` run towards
/// each other. On the workspace lie the elements that are being compared, below them the pivot.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sort {
    state: State,
    function: bool,
    low: i64,
    high: i64,
    up: i64,
    down: i64,
    waiting: [(i32, i32); DEPTH],
    depth: usize,
    comparisons: u32,
}

/// What the answer that is waited for means.
#[derive(Clone, Copy, Debug)]
enum State {
    Begin,
    /// Last < first.
    Ends,
    /// Middle < first.
    Middle,
    /// Last < middle.
    Last,
    /// Element `up` < pivot.
    Up,
    /// Pivot < element `down`.
    Down,
}

impl Default for Sort {
    fn default() -> Self {
        Sort {
            state: State::Begin,
            function: false,
            low: 1,
            high: 0,
            up: 0,
            down: 0,
            waiting: [(0, 0); DEPTH],
            depth: 0,
            comparisons: 0,
        }
    }
}

impl Sort {
    /// Goes on until two elements are to be compared by the engine or all are sorted.
    ///
    /// # Errors
    /// What is to be raised in the script.
    pub(super) fn resume<A: Arguments + ?Sized, W: Workspace + ?Sized>(
        &mut self,
        args: &mut A,
        work: &mut W,
        context: &mut Context<'_>,
    ) -> Result<Step, Raise> {
        let mut step = if let State::Begin = self.state {
            args.check_table(0)?;
            // As C's int, which the names of elements are.
            self.high = i64::from(work.length(0) as i32);
            if !matches!(args.scalar(1).kind(), Kind::None | Kind::Nil) {
                args.check_kind(1, Kind::Function)?;
                self.function = true;
            }
            self.range(work)
        } else {
            let last = work.top().saturating_sub(1);
            let less = work.scalar(last).truth();
            work.truncate(last);
            self.answered(less, work, context)?
        };
        loop {
            // What needs no engine is compared here.
            let Step::Less { left, right } = step else { return Ok(step) };
            let less = match (work.scalar(left), work.scalar(right)) {
                (Scalar::Number(left), Scalar::Number(right)) => left < right,
                (Scalar::String(left), Scalar::String(right)) => left < right,
                _ => return Ok(step),
            };
            step = self.answered(less, work, context)?;
        }
    }

    /// Goes on with the answer to the last comparison.
    fn answered<W: Workspace + ?Sized>(
        &mut self,
        less: bool,
        work: &mut W,
        context: &mut Context<'_>,
    ) -> Result<Step, Raise> {
        self.comparisons += 1;
        if self.comparisons >= INTERVAL {
            self.comparisons = 0;
            context.pause()?;
        }
        let (low, high) = (self.low, self.high);
        match self.state {
            State::Begin | State::Ends => {
                if less {
                    exchange(work, low, high);
                } else {
                    drop_last(work, 2);
                }
                if high - low == 1 {
                    return Ok(self.next_range(work));
                }
                self.up = (low + high) / 2;
                work.fetch(0, self.up);
                work.fetch(0, low);
                Ok(self.compare(work, State::Middle, 2, 1))
            }
            State::Middle => {
                if less {
                    exchange(work, self.up, low);
                    return Ok(self.partition(work));
                }
                drop_last(work, 1);
                work.fetch(0, high);
                Ok(self.compare(work, State::Last, 1, 2))
            }
            State::Last => {
                if less {
                    exchange(work, self.up, high);
                } else {
                    drop_last(work, 2);
                }
                Ok(self.partition(work))
            }
            State::Up => {
                if less {
                    if self.up > high {
                        return Err(invalid());
                    }
                    drop_last(work, 1);
                    return Ok(self.upward(work));
                }
                Ok(self.downward(work))
            }
            State::Down => {
                if less {
                    if self.down < low {
                        return Err(invalid());
                    }
                    drop_last(work, 1);
                    return Ok(self.downward(work));
                }
                if self.down >= self.up {
                    exchange(work, self.up, self.down);
                    return Ok(self.upward(work));
                }
                drop_last(work, 3);
                work.fetch(0, high - 1);
                work.fetch(0, self.up);
                exchange(work, high - 1, self.up);
                Ok(self.divide(work))
            }
        }
    }

    /// Begins with the range from `low` to `high`.
    fn range<W: Workspace + ?Sized>(&mut self, work: &mut W) -> Step {
        if self.low >= self.high {
            return self.next_range(work);
        }
        work.fetch(0, self.low);
        work.fetch(0, self.high);
        self.compare(work, State::Ends, 1, 2)
    }

    /// Begins with the range that waits, unless all is done.
    fn next_range<W: Workspace + ?Sized>(&mut self, work: &mut W) -> Step {
        while self.depth > 0 {
            self.depth -= 1;
            let waiting = self.waiting.get(self.depth).copied();
            let (low, high) = waiting.unwrap_or((1, 0));
            (self.low, self.high) = (i64::from(low), i64::from(high));
            if self.low < self.high {
                return self.range(work);
            }
        }
        Step::Return { results: 0 }
    }

    /// The first, middle and last elements are in order; the rest follows the middle one.
    fn partition<W: Workspace + ?Sized>(&mut self, work: &mut W) -> Step {
        if self.high - self.low == 2 {
            return self.next_range(work);
        }
        let middle = self.up;
        work.fetch(0, middle);
        work.copy(work.top().saturating_sub(1));
        work.fetch(0, self.high - 1);
        exchange(work, middle, self.high - 1);
        (self.up, self.down) = (self.low, self.high - 1);
        self.upward(work)
    }

    fn upward<W: Workspace + ?Sized>(&mut self, work: &mut W) -> Step {
        self.up += 1;
        work.fetch(0, self.up);
        self.compare(work, State::Up, 1, 2)
    }

    fn downward<W: Workspace + ?Sized>(&mut self, work: &mut W) -> Step {
        self.down -= 1;
        work.fetch(0, self.down);
        self.compare(work, State::Down, 3, 1)
    }

    /// The smaller part goes first.
    fn divide<W: Workspace + ?Sized>(&mut self, work: &mut W) -> Step {
        let (low, high, pivot) = (self.low, self.high, self.up);
        let (first, rest) = if pivot - low < high - pivot {
            ((low, pivot - 1), (pivot + 1, high))
        } else {
            ((pivot + 1, high), (low, pivot - 1))
        };
        if let Some(place) = self.waiting.get_mut(self.depth) {
            *place = (rest.0 as i32, rest.1 as i32);
            self.depth += 1;
        }
        (self.low, self.high) = first;
        self.range(work)
    }

    /// Asks whether one of the last values is less than another; both are counted from the end.
    fn compare<W: Workspace + ?Sized>(
        &mut self,
        work: &mut W,
        state: State,
        left: usize,
        right: usize,
    ) -> Step {
        self.state = state;
        let top = work.top();
        let (left, right) = (top.saturating_sub(left), top.saturating_sub(right));
        if !self.function {
            return Step::Less { left, right };
        }
        work.argument(1);
        work.copy(left);
        work.copy(right);
        Step::Call { arguments: 2 }
    }
}

/// Puts the last value into place `first` and the one before it into `second`.
fn exchange<W: Workspace + ?Sized>(work: &mut W, first: i64, second: i64) {
    work.store(0, first);
    work.store(0, second);
}

fn drop_last<W: Workspace + ?Sized>(work: &mut W, count: usize) {
    work.truncate(work.top().saturating_sub(count));
}

#[cold]
fn invalid() -> Raise {
    Raise::message("invalid order function for sorting")
}
