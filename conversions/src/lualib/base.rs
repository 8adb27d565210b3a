//! Functions of the base library that an engine may lack, and `os.clock`.
//!
//! Owns `tonumber`, `tostring`, `select`, `unpack`, `next`, `type` (`lbaselib.c`). Must not know
//! how they are found by name.

use std::sync::OnceLock;
use std::time::Instant;

use redlua_core::{Arguments, Kind, Raise, Scalar, Step, ValueWriter, Workspace};

use crate::check::{Check, STACK, until_nul};
use crate::number::{self, is_space, lua_str2number};

/// `tonumber`.
pub(super) fn tonumber<A: Arguments + ?Sized, W: ValueWriter + ?Sized>(
    args: &mut A,
    out: &mut W,
) -> Result<(), Raise> {
    let base = args.opt_integer(1, 10)? as i32;
    let number = if base == 10 {
        check_any(args)?;
        match args.scalar(0) {
            Scalar::Number(number) => Some(number),
            Scalar::String(bytes) => lua_str2number(bytes),
            _ => None,
        }
    } else {
        let text = args.text(0)?;
        match u32::try_from(base) {
            Ok(base @ 2..=36) => based(until_nul(&text), base),
            _ => return Err(Raise::argument(2, "base out of range")),
        }
    };
    match number {
        Some(number) => out.number(number),
        None => out.nil(),
    }
    Ok(())
}

/// `luaL_checkany` that leaves the cursor where it is.
fn check_any<A: Arguments + ?Sized>(args: &A) -> Result<(), Raise> {
    match args.scalar(0).kind() {
        Kind::None => Err(Raise::argument(1, "value expected")),
        _ => Ok(()),
    }
}

/// C's `strtoul`, with nothing but space behind the number: a sign wraps, too much is all ones.
fn based(text: &[u8], base: u32) -> Option<f64> {
    let trimmed = trim_start(text);
    let (negative, digits) = match trimmed {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, trimmed),
    };
    let value = |byte: &u8| char::from(*byte).to_digit(base).map(u64::from);
    let digits = match digits {
        [b'0', b'x' | b'X', rest @ ..] if base == 16 && rest.first().and_then(value).is_some() => {
            rest
        }
        _ => digits,
    };
    let count = digits.iter().take_while(|byte| value(byte).is_some()).count();
    if count == 0 {
        return None;
    }
    let (digits, rest) = digits.split_at(count);
    if !trim_start(rest).is_empty() {
        return None;
    }
    let magnitude = digits.iter().filter_map(value).try_fold(0u64, |sum, digit| {
        sum.checked_mul(u64::from(base)).and_then(|sum| sum.checked_add(digit))
    });
    Some(match magnitude {
        None => u64::MAX as f64,
        Some(magnitude) if negative => magnitude.wrapping_neg() as f64,
        Some(magnitude) => magnitude as f64,
    })
}

fn trim_start(text: &[u8]) -> &[u8] {
    let spaces = text.iter().take_while(|&&byte| is_space(byte)).count();
    text.get(spaces..).unwrap_or_default()
}

/// `tostring`, in steps: a metatable may have its own.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tostring {
    called: bool,
}

impl Tostring {
    pub(super) fn resume<A: Arguments + ?Sized, W: Workspace + ?Sized>(
        &mut self,
        args: &mut A,
        work: &mut W,
    ) -> Result<Step, Raise> {
        if self.called {
            return Ok(Step::Return { results: 1 });
        }
        check_any(args)?;
        if work.metafield(0, "__tostring") {
            self.called = true;
            work.argument(0);
            return Ok(Step::Call { arguments: 1 });
        }
        match args.scalar(0) {
            Scalar::Number(number) => work.string(&number::g14(number)),
            Scalar::String(_) => work.argument(0),
            Scalar::Boolean(true) => work.string(b"true"),
            Scalar::Boolean(false) => work.string(b"false"),
            Scalar::Other(Kind::Nil | Kind::None) => work.string(b"nil"),
            Scalar::Other(kind) => {
                args.select(0);
                let text = match args.address() {
                    // `%p` of glibc.
                    0 => format!("{}: (nil)", kind.name()),
                    address => format!("{}: {address:#x}", kind.name()),
                };
                work.string(text.as_bytes());
            }
        }
        Ok(Step::Return { results: 1 })
    }
}

/// `type`.
pub(super) fn type_of<A: Arguments + ?Sized, W: ValueWriter + ?Sized>(
    args: &mut A,
    out: &mut W,
) -> Result<(), Raise> {
    check_any(args)?;
    out.string(args.scalar(0).kind().name().as_bytes());
    Ok(())
}

/// `select`.
pub(super) fn select<A: Arguments + ?Sized, W: ValueWriter + ?Sized>(
    args: &mut A,
    out: &mut W,
) -> Result<(), Raise> {
    let count = args.count() as i64;
    if let Scalar::String([b'#', ..]) = args.scalar(0) {
        out.number((count - 1) as f64);
        return Ok(());
    }
    let wanted = i64::from(args.check_int(0)?);
    let first = if wanted < 0 { count + wanted } else { wanted.min(count) };
    if first < 1 {
        return Err(Raise::argument(1, "index out of range"));
    }
    let first = usize::try_from(first).unwrap_or(usize::MAX);
    if !out.room(args.count().saturating_sub(first)) {
        return Err(Raise::message("stack overflow"));
    }
    for index in first..args.count() {
        out.argument(index);
    }
    Ok(())
}

/// `unpack`.
pub(super) fn unpack<A: Arguments + ?Sized, W: Workspace + ?Sized>(
    args: &mut A,
    work: &mut W,
) -> Result<Step, Raise> {
    args.check_table(0)?;
    let first = i64::from(args.opt_integer(1, 1)? as i32);
    let last = if args.is_none_or_nil(2) {
        i64::from(work.length(0) as i32)
    } else {
        i64::from(args.check_int(2)?)
    };
    if first > last {
        return Ok(Step::Return { results: 0 });
    }
    let results = usize::try_from(last - first + 1).unwrap_or(usize::MAX);
    if results > STACK.saturating_sub(args.count()) || !work.room(results) {
        return Err(Raise::message("too many results to unpack"));
    }
    for index in first..=last {
        work.fetch(0, index);
    }
    Ok(Step::Return { results })
}

/// `next`, in steps.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Next {
    asked: bool,
}

impl Next {
    pub(super) fn resume<A: Arguments + ?Sized, W: Workspace + ?Sized>(
        &mut self,
        args: &mut A,
        work: &mut W,
    ) -> Result<Step, Raise> {
        if self.asked {
            return Ok(Step::Return { results: work.top() });
        }
        args.check_table(0)?;
        self.asked = true;
        work.argument(1);
        Ok(Step::Next { table: 0 })
    }
}

/// What `ipairs` iterates with (`ipairsaux`).
pub(super) fn ipairs_next<A: Arguments + ?Sized, W: Workspace + ?Sized>(
    args: &mut A,
    work: &mut W,
) -> Result<Step, Raise> {
    let index = i64::from(args.check_int(1)?.wrapping_add(1));
    args.check_table(0)?;
    work.number(index as f64);
    work.fetch(0, index);
    let end = work.scalar(work.top().saturating_sub(1)).kind() == Kind::Nil;
    Ok(Step::Return { results: if end { 0 } else { 2 } })
}

/// `os.clock`. Rust's own library knows no processor time; on the thread that runs scripts it is
/// the time since the first call, or less.
pub(super) fn clock<W: ValueWriter + ?Sized>(out: &mut W) {
    static START: OnceLock<Instant> = OnceLock::new();
    out.number(START.get_or_init(Instant::now).elapsed().as_secs_f64());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bases() {
        for (text, base, expected) in [
            ("ff", 16, Some(255.0)),
            (" 0xFf\t", 16, Some(255.0)),
            ("0x", 16, None),
            ("0xg", 16, None),
            ("zz", 36, Some(1295.0)),
            ("8", 8, None),
            ("-1", 16, Some(18446744073709551615.0)),
            ("99999999999999999999", 11, Some(18446744073709551615.0)),
            ("- 1", 8, None),
            ("", 8, None),
            ("1 1", 8, None),
        ] {
            assert_eq!(based(text.as_bytes(), base), expected, "{text} {base}");
        }
    }
}
