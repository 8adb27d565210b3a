//! `table.foreach` and `table.foreachi`, in steps.
//!
//! Owns the walk over the pairs or elements (`ltablib.c`). Must not know how a function is called
//! or a table traversed.

use redlua_core::{Arguments, Kind, Raise, Step, Workspace};

use super::Context;
use crate::check::Check;

/// A walk in progress.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Each {
    state: State,
    /// The element whose turn it is, and the last one.
    index: i64,
    last: i64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Begin,
    /// The next pair was asked for.
    Next,
    /// The function was called.
    Call,
}

impl Each {
    /// `table.foreach`: on the workspace lies the key, above it what the function answered.
    pub(super) fn pairs<A: Arguments + ?Sized, W: Workspace + ?Sized>(
        &mut self,
        args: &mut A,
        work: &mut W,
        context: &mut Context<'_>,
    ) -> Result<Step, Raise> {
        match self.state {
            State::Begin => {
                args.check_table(0)?;
                args.check_kind(1, Kind::Function)?;
                work.nil();
            }
            State::Next => {
                if work.top() < 2 {
                    return Ok(Step::Return { results: 0 });
                }
                // key, value: the call takes copies of both, the key stays.
                work.argument(1);
                work.copy(0);
                work.copy(1);
                self.state = State::Call;
                return Ok(Step::Call { arguments: 2 });
            }
            State::Call => {
                if !is_nil(work) {
                    return Ok(Step::Return { results: 1 });
                }
                context.pause()?;
                work.truncate(1);
            }
        }
        self.state = State::Next;
        Ok(Step::Next { table: 0 })
    }

    /// `table.foreachi`.
    pub(super) fn elements<A: Arguments + ?Sized, W: Workspace + ?Sized>(
        &mut self,
        args: &mut A,
        work: &mut W,
        context: &mut Context<'_>,
    ) -> Result<Step, Raise> {
        if self.state == State::Begin {
            args.check_table(0)?;
            self.last = work.length(0) as i64;
            args.check_kind(1, Kind::Function)?;
            self.state = State::Call;
        } else {
            if !is_nil(work) {
                return Ok(Step::Return { results: 1 });
            }
            context.pause()?;
            work.truncate(0);
        }
        self.index += 1;
        if self.index > self.last {
            return Ok(Step::Return { results: 0 });
        }
        work.argument(1);
        work.number(self.index as f64);
        work.fetch(0, self.index);
        Ok(Step::Call { arguments: 2 })
    }
}

fn is_nil<W: Workspace + ?Sized>(work: &W) -> bool {
    matches!(work.scalar(work.top().saturating_sub(1)).kind(), Kind::Nil | Kind::None)
}
