//! What a script returns: a Lua value becomes a reply.
//!
//! Owns the rules of `luaReplyToRedisReply` in `script_lua.c`. Must not know where the reply
//! goes.

use redlua_core::{Kind, Protocol, ReplySink, Seq, ValueReader};
use smallvec::SmallVec;

use crate::resp::{RespWriter, emit};

/// Elements between two questions whether to go on.
const PATIENCE: u32 = 8192;

/// Pushes the value under the cursor of `value` into `sink`.
///
/// | Lua value | reply |
/// |---|---|
/// | string | bulk |
/// | number | integer, its fraction cut off |
/// | `true`, `false` | 1 and null under `setresp(2)`, a boolean under `setresp(3)` |
/// | `{err = text}` | error |
/// | `{ok = text}` | status |
/// | `{double = n}`, `{map = t}`, `{set = t}`, `{big_number = s}`, `{verbatim_string = {format, string}}` | the RESP3 value, flattened by a RESP2 sink |
/// | other tables | array up to the first nil |
/// | anything else | null |
///
/// `script` is what the script chose with `redis.setresp`; the consumer's own version is the
/// sink's matter. The cursor ends where it began. Nothing recurses: depth is limited by
/// [`ValueReader::room`], and what does not fit becomes the error `reached lua stack limit`.
pub fn value_to_reply(value: &mut dyn ValueReader, script: Protocol, sink: &mut dyn ReplySink) {
    // Without an end nothing is too long.
    let _ = walk(value, script, &mut Output { sink, end: usize::MAX }, || true);
}

/// The same for replies of at most about `most` bytes: one that would be longer is taken back, and
/// `false` comes. The same table may be met again and again inside others, so that a reply is not
/// bounded by what the script holds. `go_on` is asked now and then; when it says no, that ends the
/// reply too. After a `false` the cursor is left where it is.
pub fn bounded_reply(
    value: &mut dyn ValueReader,
    script: Protocol,
    most: usize,
    sink: &mut dyn ReplySink,
    go_on: impl FnMut() -> bool,
) -> bool {
    // What most scripts return.
    if value.kind() == Kind::Number {
        number(value, sink);
        return true;
    }
    let Some(start) = sink.mark() else {
        let mut writer = RespWriter::new(sink.protocol());
        let end = most.min(usize::MAX - 1);
        let whole = walk(value, script, &mut Output { sink: &mut writer, end }, go_on).is_ok();
        // What was written is RESP.
        return whole && emit(writer.bytes(), sink).is_ok();
    };
    let whole = walk(value, script, &mut Output { sink, end: start.saturating_add(most) }, go_on);
    if whole.is_err() {
        sink.rewind(start);
    }
    whole.is_ok()
}

/// A reply that is not to be completed.
struct TooLong;

/// Where a reply goes, and the mark it may not pass.
struct Output<'a> {
    sink: &'a mut dyn ReplySink,
    end: usize,
}

impl Output<'_> {
    /// Whether there is room for that many bytes more.
    #[inline]
    fn fits(&self, bytes: usize) -> Result<(), TooLong> {
        let unbounded = self.end == usize::MAX;
        if unbounded || self.sink.mark().is_none_or(|at| at.saturating_add(bytes) <= self.end) {
            Ok(())
        } else {
            Err(TooLong)
        }
    }
}

/// Pushes a value, as long as it fits and `go_on` says so.
fn walk(
    value: &mut dyn ValueReader,
    script: Protocol,
    out: &mut Output<'_>,
    mut go_on: impl FnMut() -> bool,
) -> Result<(), TooLong> {
    let mut turns: u32 = 0;
    let mut open: SmallVec<[Open; 8]> = SmallVec::new();
    open.extend(begin(value, script, out, 0)?);
    while let Some(container) = open.last_mut() {
        out.fits(0)?;
        turns += 1;
        if turns == PATIENCE {
            turns = 0;
            if !go_on() {
                return Err(TooLong);
            }
        }
        let inner = match &mut container.kind {
            Container::Array { next, len } => {
                if *next > *len {
                    None
                } else {
                    value.enter_index(*next);
                    *next += 1;
                    Some(1)
                }
            }
            Container::Map { at_value: true } => {
                container.kind = Container::Map { at_value: false };
                Some(0)
            }
            Container::Map { at_value } => {
                if value.next() {
                    value.key();
                    *at_value = true;
                    Some(1)
                } else {
                    None
                }
            }
            Container::Set => value.next_key().then_some(1),
        };
        match inner {
            Some(exits) => {
                if let Some(container) = begin(value, script, out, exits)? {
                    open.push(container);
                } else {
                    leave(value, exits);
                }
            }
            None => {
                let exits = container.exits;
                open.pop();
                leave(value, exits);
            }
        }
    }
    Ok(())
}

/// A number as the integer a reply shows: cut off towards zero; what no 64-bit integer holds
/// becomes the smallest one, as the cast does on x86-64.
///
/// ```
/// use redlua_conversions::script::integer;
/// assert_eq!(integer(-3.9), -3);
/// assert_eq!(integer(f64::NAN), i64::MIN);
/// ```
pub fn integer(value: f64) -> i64 {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if (-LIMIT..LIMIT).contains(&value) { value as i64 } else { i64::MIN }
}

/// Pushes the number under the cursor.
#[inline]
fn number(value: &mut dyn ValueReader, sink: &mut dyn ReplySink) {
    sink.integer(value.integer().unwrap_or_else(|| integer(value.number())));
}

/// A container whose elements are being pushed.
struct Open {
    kind: Container,
    /// How often to leave when it is complete.
    exits: u8,
}

enum Container {
    Array { next: i64, len: i64 },
    Map { at_value: bool },
    Set,
}

fn leave(value: &mut dyn ValueReader, exits: u8) {
    for _ in 0..exits {
        value.leave();
    }
}

/// Pushes the value under the cursor when it is a scalar; begins it and returns it when it has
/// elements. `exits` is how often to leave after it.
fn begin(
    value: &mut dyn ValueReader,
    script: Protocol,
    out: &mut Output<'_>,
    exits: u8,
) -> Result<Option<Open>, TooLong> {
    if !value.room(4) {
        out.sink.error(b"ERR reached lua stack limit");
        return Ok(None);
    }
    let sink = &mut *out.sink;
    match value.kind() {
        Kind::String => {
            let bytes = value.bytes();
            out.fits(bytes.len())?;
            out.sink.bulk(bytes);
        }
        Kind::Number => number(value, sink),
        Kind::Boolean => match (script, value.boolean()) {
            (Protocol::Resp3, boolean) => sink.boolean(boolean),
            (Protocol::Resp2, true) => sink.integer(1),
            (Protocol::Resp2, false) => sink.null(),
        },
        Kind::Table => return begin_table(value, out, exits),
        _ => sink.null(),
    }
    Ok(None)
}

fn begin_table(
    value: &mut dyn ValueReader,
    out: &mut Output<'_>,
    exits: u8,
) -> Result<Option<Open>, TooLong> {
    if text_field(value, out, b"err", |sink, text| sink.error(&line(text)))?
        || text_field(value, out, b"ok", |sink, text| sink.status(c_string(text)))?
        || double_field(value, out)
    {
        return Ok(None);
    }
    if value.enter_field(b"map") == Kind::Table {
        out.sink.map(pairs(value));
        value.iterate();
        let kind = Container::Map { at_value: false };
        return Ok(Some(Open { kind, exits: exits + 1 }));
    }
    value.leave();
    if value.enter_field(b"set") == Kind::Table {
        out.sink.seq(Seq::Set, pairs(value));
        value.iterate();
        return Ok(Some(Open { kind: Container::Set, exits: exits + 1 }));
    }
    value.leave();
    if text_field(value, out, b"big_number", |sink, text| sink.big_number(&blanked(text)))?
        || verbatim(value, out)?
    {
        return Ok(None);
    }
    let mut len = 0;
    while value.enter_index(len + 1) != Kind::Nil {
        value.leave();
        len += 1;
    }
    value.leave();
    out.sink.seq(Seq::Array, usize::try_from(len).unwrap_or(0));
    Ok(Some(Open { kind: Container::Array { next: 1, len }, exits }))
}

/// Pushes the field when it is a string; whether it was.
fn text_field(
    value: &mut dyn ValueReader,
    out: &mut Output<'_>,
    name: &[u8],
    push: impl FnOnce(&mut dyn ReplySink, &[u8]),
) -> Result<bool, TooLong> {
    let found = value.enter_field(name) == Kind::String;
    if found {
        let text = value.bytes();
        out.fits(text.len())?;
        push(out.sink, text);
    }
    value.leave();
    Ok(found)
}

fn double_field(value: &mut dyn ValueReader, out: &mut Output<'_>) -> bool {
    let found = value.enter_field(b"double") == Kind::Number;
    if found {
        out.sink.double(value.number());
    }
    value.leave();
    found
}

fn verbatim(value: &mut dyn ValueReader, out: &mut Output<'_>) -> Result<bool, TooLong> {
    let mut found = false;
    if value.enter_field(b"verbatim_string") == Kind::Table {
        let mut format = None;
        if value.enter_field(b"format") == Kind::String {
            let mut bytes = [b' '; 3];
            for (to, from) in bytes.iter_mut().zip(value.bytes()) {
                *to = *from;
            }
            format = Some(bytes);
        }
        value.leave();
        if let Some(format) = format {
            let push = |sink: &mut dyn ReplySink, text: &[u8]| sink.verbatim(format, text);
            found = text_field(value, out, b"string", push)?;
        }
    }
    value.leave();
    Ok(found)
}

fn pairs(value: &mut dyn ValueReader) -> usize {
    let mut count = 0;
    value.iterate();
    while value.next() {
        count += 1;
    }
    count
}

/// The text up to the first NUL: Redis reads these fields as C strings.
fn c_string(bytes: &[u8]) -> &[u8] {
    bytes.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// An error's text: a C string without line ends after it.
fn line(bytes: &[u8]) -> Vec<u8> {
    let text = c_string(bytes);
    let end = text.iter().rposition(|b| !matches!(b, b'\r' | b'\n')).map_or(0, |last| last + 1);
    text.get(..end).unwrap_or_default().to_vec()
}

/// Digits whose line ends are blanks.
fn blanked(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|&b| if matches!(b, b'\r' | b'\n') { b' ' } else { b }).collect()
}
