//! `string.gsub`, in steps: its replacement may be a function or a table with metamethods.
//!
//! Owns the loop over the matches and what replaces one (`str_gsub`, `add_value`, `add_s` in
//! `lstrlib.c`). Must not know how a pattern matches or a function is called.

use redlua_core::{Arguments, Kind, Raise, Scalar, Step, Workspace};

use super::Context;
use super::budget::append;
use super::matcher::{Captured, Matcher, Places};
use super::pattern::Pattern;
use super::search::captures;
use crate::check::Check;
use crate::number;

/// A substitution in progress. Its result so far is the end of the context's buffer.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Gsub {
    begun: bool,
    /// The part of the buffer that is this one's; what follows is left over from functions that
    /// were called meanwhile and did not return.
    buffer: (usize, usize),
    /// What comes before this is in the result.
    copied: usize,
    /// Where the next match is looked for.
    from: usize,
    /// The match whose replacement is being asked for.
    found: (usize, usize),
    /// How many replacements are made and may be made.
    made: i64,
    most: i64,
}

/// What does not change from match to match.
#[derive(Clone, Copy, Debug)]
struct Subject<'a> {
    source: &'a [u8],
    pattern: Pattern<'a>,
    replacement: Replacement<'a>,
}

/// What a match is replaced by.
#[derive(Clone, Copy, Debug)]
enum Replacement<'a> {
    /// A text, and whether it has no `%`.
    Text(&'a [u8], bool),
    Function,
    Table,
}

/// A call of `string.gsub` whose third and last argument is a function, for engines that keep the
/// text and the pattern alive themselves. It goes on like a [`Task`](super::Task).
#[derive(Clone, Copy, Debug)]
pub struct Substitution<'a> {
    gsub: Gsub,
    subject: Subject<'a>,
}

impl<'a> Substitution<'a> {
    /// A call with that text and that pattern.
    #[inline]
    pub fn new(source: &'a [u8], pattern: &'a [u8]) -> Self {
        let most = i64::from((source.len() as i64 + 1) as i32);
        let pattern = Pattern::new(pattern, true);
        let subject = Subject { source, pattern, replacement: Replacement::Function };
        Substitution { gsub: Gsub { most, ..Gsub::default() }, subject }
    }

    /// Goes on until the function is to be called or the end.
    ///
    /// # Errors
    /// What is to be raised in the script.
    #[inline]
    pub fn resume<W: Workspace + ?Sized>(
        &mut self,
        work: &mut W,
        context: &mut Context<'_>,
    ) -> Result<Step, Raise> {
        let answered = self.gsub.begun;
        if !answered {
            self.gsub.begin(context.buffer.len());
        }
        self.gsub.go_on(&self.subject, answered, work, context)
    }
}

impl Gsub {
    /// Goes on until something is to be called or the end.
    ///
    /// # Errors
    /// What is to be raised in the script.
    pub(super) fn resume<A: Arguments + ?Sized, W: Workspace + ?Sized>(
        &mut self,
        args: &mut A,
        work: &mut W,
        context: &mut Context<'_>,
    ) -> Result<Step, Raise> {
        let answered = self.begun;
        let args = &*args;
        let (source, pattern) = (args.text(0)?, args.text(1)?);
        if !answered {
            self.most = i64::from(args.numeral_or(3, source.len() as i64 + 1)? as i32);
        }
        let text;
        let replacement = match args.scalar(2).kind() {
            Kind::String | Kind::Number => {
                text = args.text(2)?;
                Replacement::Text(&text, memchr::memchr(b'%', &text).is_none())
            }
            Kind::Function => Replacement::Function,
            Kind::Table => Replacement::Table,
            _ => return Err(Raise::argument(3, "string/function/table expected")),
        };
        if !answered {
            self.begin(context.buffer.len());
        }
        let pattern = Pattern::new(&pattern, true);
        let subject = Subject { source: &source, pattern, replacement };
        self.go_on(&subject, answered, work, context)
    }

    #[inline]
    fn begin(&mut self, buffer: usize) {
        self.begun = true;
        self.buffer = (buffer, buffer);
    }

    #[inline]
    fn go_on<W: Workspace + ?Sized>(
        &mut self,
        subject: &Subject<'_>,
        answered: bool,
        work: &mut W,
        context: &mut Context<'_>,
    ) -> Result<Step, Raise> {
        let buffer = &mut *context.buffer;
        buffer.truncate(self.buffer.1);
        let room = self.buffer.0.saturating_add(context.budget.room());
        if answered {
            self.replace(subject.source, work, buffer, room)?;
        }
        let mut places = Places::default();
        let mut matcher =
            Matcher::new(subject.source, &subject.pattern, &mut places, context.budget);
        let step = self.run(subject, &mut matcher, work, buffer, room)?;
        self.buffer.1 = buffer.len();
        if let Some(step) = step {
            return Ok(step);
        }
        work.string(buffer.get(self.buffer.0..).unwrap_or_default());
        work.number(self.made as f64);
        buffer.truncate(self.buffer.0);
        Ok(Step::Return { results: 2 })
    }

    /// Appends what a function or table answered.
    #[inline]
    fn replace<W: Workspace + ?Sized>(
        &mut self,
        source: &[u8],
        work: &mut W,
        buffer: &mut Vec<u8>,
        room: usize,
    ) -> Result<(), Raise> {
        let (start, end) = self.found;
        let last = work.top().saturating_sub(1);
        match work.scalar(last) {
            Scalar::String(bytes) => append(buffer, room, bytes)?,
            Scalar::Number(number) => append(buffer, room, &number::g14(number))?,
            other if !other.truth() => {
                append(buffer, room, source.get(start..end).unwrap_or_default())?;
            }
            other => return Err(invalid(other.kind())),
        }
        work.truncate(last);
        Ok(())
    }

    /// Goes over the matches; `None` at the end.
    #[inline]
    fn run<W: Workspace + ?Sized>(
        &mut self,
        subject: &Subject<'_>,
        matcher: &mut Matcher<'_, '_>,
        work: &mut W,
        buffer: &mut Vec<u8>,
        room: usize,
    ) -> Result<Option<Step>, Raise> {
        let source = subject.source;
        while self.made < self.most
            && self.from <= source.len()
            && !(subject.pattern.anchored && self.made > 0)
        {
            let Some((start, end)) = matcher.search(self.from)? else { break };
            append(buffer, room, source.get(self.copied..start).unwrap_or_default())?;
            self.made += 1;
            self.found = (start, end);
            self.copied = end;
            // An empty match does not stay where it is.
            self.from = if end > start { end } else { end + 1 };
            match subject.replacement {
                Replacement::Text(text, true) => append(buffer, room, text)?,
                Replacement::Text(text, false) => {
                    expand(matcher, text, (start, end), buffer, room)?;
                }
                Replacement::Function => {
                    work.argument(2);
                    let count = matcher.level().max(1);
                    captures(matcher, count, start, end, work)?;
                    return Ok(Some(Step::Call { arguments: count }));
                }
                Replacement::Table => {
                    captures(matcher, 1, start, end, work)?;
                    if !work.look_up(2) {
                        return Ok(Some(Step::Index { table: 2 }));
                    }
                    self.replace(source, work, buffer, room)?;
                }
            }
        }
        append(buffer, room, source.get(self.copied..).unwrap_or_default())?;
        Ok(None)
    }
}

#[cold]
fn invalid(kind: Kind) -> Raise {
    Raise::message(format!("invalid replacement value (a {})", kind.name()))
}

/// `add_s`: a `%` with a digit is a capture, with anything else that character; behind the last
/// one C finds a zero byte.
fn expand(
    matcher: &Matcher<'_, '_>,
    text: &[u8],
    (start, end): (usize, usize),
    buffer: &mut Vec<u8>,
    room: usize,
) -> Result<(), Raise> {
    let mut rest = text;
    while let Some(escape) = memchr::memchr(b'%', rest) {
        append(buffer, room, rest.get(..escape).unwrap_or_default())?;
        let letter = rest.get(escape + 1).copied().unwrap_or(0);
        rest = rest.get(escape + 2..).unwrap_or_default();
        match letter {
            b'0' => append(buffer, room, matcher.text(start, end))?,
            b'1'..=b'9' => match matcher.capture(usize::from(letter - b'1'), start, end)? {
                Captured::Text(text) => append(buffer, room, text)?,
                Captured::Position(position) => {
                    append(buffer, room, &number::g14(position as f64))?;
                }
            },
            other => append(buffer, room, &[other])?,
        }
    }
    append(buffer, room, rest)
}
